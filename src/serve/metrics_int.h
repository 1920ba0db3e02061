/* What the server counts, and the text in which Prometheus reads it (exposition format 0.0.4).
 * Private to `serve`.
 *
 * Threads: all functions may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_METRICS_INT_H
#define OC_SERVE_METRICS_INT_H

#include "base/base.h"

typedef struct oci_metrics oci_metrics;
OC_MUST_CHECK oc_status oci_metrics_new(oci_metrics **out, oc_error *err);
void oci_metrics_free(oci_metrics *m);

/* A request was answered. `route` is a pattern, static: never what a client typed. */
void oci_metrics_request(oci_metrics *m, const char *method, const char *route, int status,
                         double seconds);
/* A request's photos waited so long in the queue, and their batch ran so long. */
void oci_metrics_job(oci_metrics *m, double waited, double ran);
void oci_metrics_batch(oci_metrics *m, size_t photos);
/* +1 when a request begins, -1 when it has ended. */
void oci_metrics_in_flight(oci_metrics *m, int change);
int oci_metrics_flying(oci_metrics *m);

/* A gauge of the caller's, with one label. */
void oci_metrics_gauge(oc_buf *out, const char *name, const char *help, const char *label,
                       const char *value, double number);
void oci_metrics_write(oci_metrics *m, oc_buf *out);

#endif
