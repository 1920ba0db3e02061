/* The HTTP side, between http.c (connections, answers), request.c (what comes in) and cors.c.
 * Private to these: handlers see exchange_int.h.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_HTTP_INT_H
#define OC_SERVE_HTTP_INT_H

#include <microhttpd.h>

#include "serve/deadlines_int.h"
#include "serve/server_int.h"

struct oci_http {
    oc_server *server;
    struct MHD_Daemon *daemon;
    char *cert, *key;
    atomic_ullong held;  /* bytes of all requests */
    atomic_int at_work;  /* exchanges that a handler runs, or between oci_wait and oci_wake */
    atomic_bool closing; /* no handler begins any more */
    oci_deadlines *deadlines;
    bool quiet; /* the port is given up */
};

/* A connected socket that somebody else has made is served, as one from this machine, and closed in
 * the end. For tests; OC_EENV when it cannot be. */
OC_MUST_CHECK oc_status oci_http_adopt(oci_http *h, int socket);

/* What the HTTP side keeps beside the exchange. */
typedef struct oci_request {
    oci_exchange x; /* first */
    struct MHD_PostProcessor *form;
    uint64_t held;     /* bytes that count in oci_http.held */
    uint64_t received; /* of the body */
    oc_status failed;  /* while the body came in */
    oc_error error;
    bool refused; /* the answer was there before the body */
    bool ran;
} oci_request;

/* The headers are in: NULL without memory. What can be refused by them is refused. */
oci_request *oci_request_new(oc_server *server, struct MHD_Connection *c, const char *method,
                             const char *path);
/* A piece of the body. False: the connection is to be closed. */
bool oci_request_take(oci_request *r, const char *data, size_t size);
/* The body is whole, or r->failed says why it is not. */
void oci_request_end_body(oci_request *r);
void oci_request_free(oci_request *r);
/* The length that the client announces; UINT64_MAX when it does not (chunked, or no body). */
uint64_t oci_request_length(const oci_exchange *x);

/* Headers for pages of other sites (https://fetch.spec.whatwg.org/#http-cors-protocol), where the
 * options allow theirs. */
void oci_cors_headers(const oci_exchange *x, struct MHD_Response *response);

#endif
