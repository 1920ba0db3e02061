/* Photos that wait for one model, and the workers that run them in batches. Private to `serve`.
 *
 * A worker takes what waits, as much as fits a batch and the time that a batch may take, and never
 * waits for more: under load batches grow by themselves, idle a photo goes at once on all threads.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_QUEUE_INT_H
#define OC_SERVE_QUEUE_INT_H

#include "serve/metrics_int.h"
#include "serve/serve.h"

/* A request's photos, to be named or, of photos that were, explained. All memory is the caller's
 * and stays until `done` is called. */
typedef struct oci_job {
    const oc_image_bytes *images; /* (n) encoded, or NULL: */
    const float *pixels;          /* (n, c, h, w) as the recipe makes them */
    size_t n;                     /* 1 .. batch */
    float *probabilities;         /* (n, classes) out; NULL: */
    oc_buf *pictures;             /* (n) out: PNGs that explain ... */
    int32_t label;                /* ... this class in `images` (oc_explain) */
    oc_status *status;            /* (n) out */
    oc_error *errors;             /* (n) out, of those that failed */
    void (*done)(void *ctx);      /* on the worker's thread, last thing */
    void *ctx;
    struct oci_job *next;
    double queued, begun, ended; /* oc_clock_seconds */
} oci_job;

typedef struct oci_queue_options {
    const char *engine;
    int threads, workers, batch, limit; /* as in oc_serve_options, none of them 0 */
    double latency;
    oci_metrics *metrics;
} oci_queue_options;

typedef struct oci_queue oci_queue;
/* The model must outlive it. Workers are warm when this returns. */
OC_MUST_CHECK oc_status oci_queue_new(oci_queue **out, const oc_model *model,
                                      const oci_queue_options *options, oc_error *err);
/* Answers what waits, then ends the workers. */
void oci_queue_free(oci_queue *q);
/* OC_ELIMIT when too much waits (and *retry: seconds after which it may be worth it). */
OC_MUST_CHECK oc_status oci_queue_put(oci_queue *q, oci_job *job, double *retry, oc_error *err);
/* Would a photo more be refused? *retry as above. */
bool oci_queue_is_full(oci_queue *q, double *retry);
int oci_queue_batch(const oci_queue *q);
size_t oci_queue_waiting(oci_queue *q);

#endif
