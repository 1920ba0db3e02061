/* The face of `serve`: models behind HTTP. Photos come in, ranked names go out; the web page, the
 * API (openapi.json), health and metrics come with it.
 *
 * HTTP/1.1 and TLS are libmicrohttpd's. A request is read by one of a few event threads, waits in
 * the bounded queue of its model, and is run in a batch with whatever else waits there.
 *
 * Threads: a server is started, reloaded and freed by one thread; its own do the rest.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_H
#define OC_SERVE_H

#include "predict/predict.h"

typedef struct oc_serve_model {
    const char *name;   /* in the API: letters, digits, '.', '_', '-' */
    const char *folder; /* watched: a new model saved there replaces the old one between requests */
} oc_serve_model;

typedef struct oc_serve_options {
    const oc_serve_model *models;   /* the first is the default */
    size_t model_count;             /* >= 1 */
    const char *address;            /* numeric, v4 or v6; NULL = 127.0.0.1 */
    int port;                       /* 0 = any free one */
    const char *tls_cert, *tls_key; /* PEM files; both or none */
    const char *origins;            /* CORS: "*", or origins with commas between; NULL = none */

    const char *engine; /* NULL = best */
    int threads;        /* of the maths, over all workers; 0 = all cores */
    int workers;        /* batches at once, per model; 0 = as threads, up to 4 */
    int batch;          /* photos in a batch at most; 0 = 8 */
    int queue;          /* photos that may wait, per model; 0 = 8 batches */
    double latency;     /* seconds that a batch may take, so that nobody waits longer for it to end:
                           bounds the batch; 0 = 0.25 */

    uint64_t max_body;    /* bytes of a request; 0 = 32 MiB */
    uint64_t max_pixels;  /* of a photo; 0 = 50 million */
    uint64_t max_memory;  /* bytes of requests in flight, all together; 0 = 256 MiB */
    uint64_t max_uploads; /* bytes of resumable uploads, all together; 0 = 128 MiB */
    int connections;      /* at once; 0 = 1000. Of one address a quarter (16 at least), but where
                             `address` is loopback or trust_proxy is set */
    double patience;      /* seconds for a request to arrive whole; 0 = 60 */

    const char *db;  /* SQLite file of observations, made where it is not there; NULL = none kept */
    double blur;     /* degrees: places are rounded to so much before they are kept; 0 = not */
    int retain_days; /* what is pending or rejected is removed after so long; 0 = never */
    const char *keys;      /* file of keys (docs/07-serve.md); NULL = none are needed */
    int per_minute, burst; /* requests of an address; per_minute 0 = no limit, burst 0 = as many */
    bool trust_proxy;      /* the client's address is the last of X-Forwarded-For */
    bool open_review;      /* who comes from this machine may review; without keys and proxy only */

    oc_log log; /* called by any thread, one line at a time */
} oc_serve_options;

/* "60" or "60:20": requests per minute, and at once (without it: as many). */
bool oc_limit_parse(const char *text, int *per_minute, int *burst);

typedef struct oc_server oc_server;
/* Models are loaded and the port is bound when this returns; strings are copied. OC_EENV where the
 * address is taken or not ours, OC_EUSAGE for options that contradict each other, else as
 * oc_model_load. */
OC_MUST_CHECK oc_status oc_server_start(oc_server **out, const oc_serve_options *options,
                                        oc_error *err);
int oc_server_port(const oc_server *server);
/* Load all models and the file of keys again, now, whether they have changed or not. What cannot be
 * loaded is told to the log and the old one goes on. Returns at once. */
void oc_server_reload(oc_server *server);
/* Take no new connections, answer what has come in, at most `seconds` long. */
void oc_server_drain(oc_server *server, double seconds);
void oc_server_free(oc_server *server);

/* What experts have said of observations, as a data set: <folder>/<label>/<id>-<n>.jpg and
 * <folder>/observations.csv. The database may be in use. OC_ENOTFOUND where it is not there,
 * OC_EFORMAT where it is none of ours, OC_EUSAGE for a folder that is not empty. */
typedef struct oc_export_options {
    const char *db, *folder;
    bool confirmed, corrected; /* which of them */
} oc_export_options;
typedef struct oc_exported {
    size_t observations, photos;
} oc_exported;
OC_MUST_CHECK oc_status oc_export_observations(const oc_export_options *options, oc_exported *out,
                                               oc_error *err);

#endif
