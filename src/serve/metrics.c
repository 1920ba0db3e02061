/* Counters and histograms in fixed memory: a row for each route and status that was ever answered.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/metrics_int.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 512, BOUNDS = 14, PHOTO_BOUNDS = 8 };

/* upper bounds, seconds and photos */
static const double second_bounds[BOUNDS] = {.001, .0025, .005, .01, .025, .05, .1,
                                             .25,  .5,    1,    2.5, 5,    10,  30};
static const double photo_bounds[PHOTO_BOUNDS] = {1, 2, 4, 8, 16, 32, 64, 128};

typedef struct histogram {
    const double *bounds;
    int count; /* of bounds */
    uint64_t bucket[BOUNDS + 1];
    double sum;
} histogram;

typedef struct row {
    const char *method, *route;
    int status;
    uint64_t count;
} row;

typedef struct counts {
    row rows[ROWS];
    size_t row_count;
    histogram answered, waited, ran, batches;
    uint64_t counted[OCI_COUNTS];
    int flying;
} counts;

struct oci_metrics {
    pthread_mutex_t lock;
    counts now;
};

oc_status oci_metrics_new(oci_metrics **out, oc_error *err) {
    oci_metrics *m = oc_calloc(1, sizeof *m);
    *out = m;
    if (m == NULL) return oc_fail_nomem(err, sizeof *m, "the server's counters");
    (void)pthread_mutex_init(&m->lock, NULL);
    m->now.answered = m->now.waited = m->now.ran =
        (histogram){.bounds = second_bounds, .count = BOUNDS};
    m->now.batches = (histogram){.bounds = photo_bounds, .count = PHOTO_BOUNDS};
    return OC_OK;
}

void oci_metrics_free(oci_metrics *m) {
    if (m == NULL) return;
    (void)pthread_mutex_destroy(&m->lock);
    oc_free(m);
}

/* ---- counting ---------------------------------------------------------------------------------
 */

static void observe(histogram *h, double value) {
    int at = 0;
    while (at < h->count && value > h->bounds[at]) at++;
    h->bucket[at]++;
    h->sum += value;
}

/* The row of a route and status; the last one gathers what there is no room for. */
static row *row_of(counts *m, const char *method, const char *route, int status) {
    for (size_t i = 0; i < m->row_count; i++) {
        row *r = &m->rows[i];
        if (r->status == status && strcmp(r->route, route) == 0 && strcmp(r->method, method) == 0)
            return r;
    }
    if (m->row_count == ROWS) return &m->rows[ROWS - 1];
    row *r = &m->rows[m->row_count++];
    *r = (row){.method = method, .route = route, .status = status};
    return r;
}

void oci_metrics_request(oci_metrics *m, const char *method, const char *route, int status,
                         double seconds) {
    (void)pthread_mutex_lock(&m->lock);
    row_of(&m->now, method, route, status)->count++;
    observe(&m->now.answered, seconds);
    (void)pthread_mutex_unlock(&m->lock);
}

void oci_metrics_job(oci_metrics *m, double waited, double ran) {
    (void)pthread_mutex_lock(&m->lock);
    observe(&m->now.waited, waited);
    observe(&m->now.ran, ran);
    (void)pthread_mutex_unlock(&m->lock);
}

void oci_metrics_batch(oci_metrics *m, size_t photos) {
    (void)pthread_mutex_lock(&m->lock);
    observe(&m->now.batches, (double)photos);
    (void)pthread_mutex_unlock(&m->lock);
}

void oci_metrics_count(oci_metrics *m, oci_count what, uint64_t by) {
    (void)pthread_mutex_lock(&m->lock);
    m->now.counted[what] += by;
    (void)pthread_mutex_unlock(&m->lock);
}

void oci_metrics_in_flight(oci_metrics *m, int change) {
    (void)pthread_mutex_lock(&m->lock);
    m->now.flying += change;
    (void)pthread_mutex_unlock(&m->lock);
}

int oci_metrics_flying(oci_metrics *m) {
    (void)pthread_mutex_lock(&m->lock);
    int flying = m->now.flying;
    (void)pthread_mutex_unlock(&m->lock);
    return flying;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put_head(oc_buf *out, const char *name, const char *type, const char *help) {
    oc_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_histogram(oc_buf *out, const histogram *h, const char *name, const char *help) {
    uint64_t below = 0;
    put_head(out, name, "histogram", help);
    for (int i = 0; i < h->count; i++) {
        below += h->bucket[i];
        oc_buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, h->bounds[i],
                      (unsigned long long)below);
    }
    below += h->bucket[h->count];
    oc_buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name,
                  (unsigned long long)below, name, h->sum, name, (unsigned long long)below);
}

void oci_metrics_gauge(oc_buf *out, const char *name, const char *help, const char *label,
                       const char *value, double number) {
    if (help != NULL) put_head(out, name, "gauge", help);
    if (label != NULL)
        oc_buf_printf(out, "%s{%s=\"%s\"} %.17g\n", name, label, value, number);
    else
        oc_buf_printf(out, "%s %.17g\n", name, number);
}

/* Resident memory of this process; 0 where the system does not say. */
static double resident_bytes(void) {
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
    (void)fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void put_requests(oc_buf *out, const counts *m) {
    put_head(out, "ocellus_requests_total", "counter", "Requests answered.");
    for (size_t i = 0; i < m->row_count; i++)
        oc_buf_printf(out, "ocellus_requests_total{method=\"%s\",route=\"%s\",code=\"%d\"} %llu\n",
                      m->rows[i].method, m->rows[i].route, m->rows[i].status,
                      (unsigned long long)m->rows[i].count);
}

static void put_counts(oc_buf *out, const counts *m) {
    static const struct {
        const char *metric, *label, *value, *help;
    } rows[OCI_COUNTS] = {
#define OCI_COUNT_ROW(name, metric, label, value, help) {metric, label, value, help},
        OCI_COUNT_MAP(OCI_COUNT_ROW)
#undef OCI_COUNT_ROW
    };
    for (int i = 0; i < OCI_COUNTS; i++) {
        if (rows[i].help != NULL) put_head(out, rows[i].metric, "counter", rows[i].help);
        oc_buf_puts(out, rows[i].metric);
        if (rows[i].label != NULL) oc_buf_printf(out, "{%s=\"%s\"}", rows[i].label, rows[i].value);
        oc_buf_printf(out, " %llu\n", (unsigned long long)m->counted[i]);
    }
}

void oci_metrics_write(oci_metrics *m, oc_buf *out) {
    (void)pthread_mutex_lock(&m->lock);
    const counts copy = m->now;
    (void)pthread_mutex_unlock(&m->lock);
    put_requests(out, &copy);
    put_counts(out, &copy);
    put_histogram(out, &copy.answered, "ocellus_request_seconds",
                  "From a request's headers to its answer.");
    put_histogram(out, &copy.waited, "ocellus_queue_seconds",
                  "From a request's body to the begin of its batch.");
    put_histogram(out, &copy.ran, "ocellus_batch_seconds", "Decoding and running a batch.");
    put_histogram(out, &copy.batches, "ocellus_batch_photos", "Photos in a batch.");
    oci_metrics_gauge(out, "ocellus_requests_in_flight", "Requests not answered yet.", NULL, NULL,
                      copy.flying);
    oci_metrics_gauge(out, "process_resident_memory_bytes", "Resident memory size in bytes.", NULL,
                      NULL, resident_bytes());
}
