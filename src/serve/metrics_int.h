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

/* A request was answered. method and route are the route's own, static: never what a client typed.
 */
void oci_metrics_request(oci_metrics *m, const char *method, const char *route, int status,
                         double seconds);
/* A request's photos waited so long in the queue, and their batch ran so long. */
void oci_metrics_job(oci_metrics *m, double waited, double ran);
void oci_metrics_batch(oci_metrics *m, size_t photos);
/* X(name, metric, label, value, help of the metric's first) */
#define OCI_COUNT_MAP(X)                                                                           \
    X(OCI_COUNT_NAMED, "ocellus_identifications_total", "outcome", "named",                        \
      "Identifications answered.")                                                                 \
    X(OCI_COUNT_UNKNOWN, "ocellus_identifications_total", "outcome", "unknown", NULL)              \
    X(OCI_COUNT_KEPT, "ocellus_observations_total", "event", "kept",                               \
      "What has become of observations.")                                                          \
    X(OCI_COUNT_REPEATED, "ocellus_observations_total", "event", "repeated", NULL)                 \
    X(OCI_COUNT_CONFIRMED, "ocellus_observations_total", "event", "confirmed", NULL)               \
    X(OCI_COUNT_CORRECTED, "ocellus_observations_total", "event", "corrected", NULL)               \
    X(OCI_COUNT_REJECTED, "ocellus_observations_total", "event", "rejected", NULL)                 \
    X(OCI_COUNT_REMOVED, "ocellus_observations_total", "event", "removed", NULL)                   \
    X(OCI_COUNT_EXPIRED, "ocellus_observations_total", "event", "expired", NULL)                   \
    X(OCI_COUNT_RECEIVED, "ocellus_received_bytes_total", NULL, NULL, "Bytes of request bodies.")
typedef enum oci_count {
#define OCI_COUNT_ENUM(name, metric, label, value, help) name,
    OCI_COUNT_MAP(OCI_COUNT_ENUM)
#undef OCI_COUNT_ENUM
        OCI_COUNTS
} oci_count;
void oci_metrics_count(oci_metrics *m, oci_count what, uint64_t by);
/* +1 when a request begins, -1 when it has ended. */
void oci_metrics_in_flight(oci_metrics *m, int change);
int oci_metrics_flying(oci_metrics *m);

/* A gauge of the caller's, with one label. */
void oci_metrics_gauge(oc_buf *out, const char *name, const char *help, const char *label,
                       const char *value, double number);
void oci_metrics_write(oci_metrics *m, oc_buf *out);

#endif
