/* What the handlers of a server share. Private to `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_SERVER_INT_H
#define OC_SERVE_SERVER_INT_H

#include <stdatomic.h>

#include "serve/exchange_int.h"
#include "serve/keys_int.h"
#include "serve/limits_int.h"
#include "serve/models_int.h"
#include "serve/oip_int.h"
#include "serve/retain_int.h"
#include "serve/uploads_int.h"

typedef struct oci_http oci_http;

struct oc_server {
    oc_serve_options options; /* defaults filled in; strings on pool */
    oc_pool *pool;
    oci_metrics *metrics;
    oci_models *models;
    oci_uploads *uploads;
    oci_http *http;
    oci_db *db;         /* NULL: no observations are kept */
    oci_db *reader;     /* the same file: who reads does not wait for who writes */
    oci_desk *scribe;   /* who writes to it */
    oci_retain *retain; /* ... else */
    oci_desk *clerk;    /* who reads long requests and writes long answers: a few threads */
    oci_keys *keys;     /* NULL: none are needed */
    oci_limits *limits; /* NULL: no address is limited */
    atomic_bool draining;
};

enum { OCI_MAX_IMAGES = 5 };

/* The model that a path of the Open Inference Protocol names (oip.c), to be given back. */
OC_MUST_CHECK oc_status oci_oip_take(oci_exchange *x, oci_served **out, oc_error *err);
oci_oip_model oci_oip_model_of(const oci_served *served);

/* The job goes to the model's queue and the exchange waits; `then` is called with what came back,
 * or, where the queue is full, with the refusal as x's answer (submit.c). */
void oci_submit(oci_exchange *x, oci_served *served, oci_job *job, oci_step then);
/* Are there observations? Where not, x has a 404 that says how (observe.c). */
bool oci_keeps(oci_exchange *x);
/* 503: the server is stopping (about.c); always OC_OK. */
oc_status oci_refuse_stopping(oci_exchange *x);

/* The HTTP side (http.c). Listening when it returns. */
OC_MUST_CHECK oc_status oci_http_new(oci_http **out, oc_server *server, oc_error *err);
int oci_http_port(const oci_http *http);
bool oci_http_is_closing(const oci_http *http); /* its time is over: nobody gets an answer */
void oci_http_quiesce(oci_http *http); /* no new connections; open ones close after their answer */
void oci_http_free(oci_http *http);    /* all exchanges have ended when it returns */

#endif
