/* Histograms for TensorBoard: the bucket limits of its HistogramProto, which grow by a tenth from
 * 1e-12 to 1e20 on both sides of zero.
 *
 * Bucket i holds the values from limit i-1 up to, not including, limit i. A run of empty buckets is
 * written as one. A value's upper bits say, by a table, which limits are surely below it; one
 * comparison more tells its bucket.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>
#include <math.h>
#include <string.h>

#include "interop/tensorboard/events_int.h"

enum { BUCKETS = 2 * OCI_SIDE_BUCKETS + 3, ZERO = OCI_SIDE_BUCKETS + 1 };
enum { MIN = 1, MAX, NUMBER, SUM, SQUARES, LIMITS, COUNTS };

typedef struct moments {
    double min, max, number, sum, squares;
} moments;

static double limit_of(const oc_events *e, int bucket) {
    if (bucket == 0) return -DBL_MAX;
    if (bucket == BUCKETS - 1) return DBL_MAX;
    if (bucket == ZERO) return 0;
    return bucket < ZERO ? -e->limits[ZERO - 1 - bucket] : e->limits[bucket - ZERO - 1];
}

/* Sign, exponent and seven bits of the fraction: a key's values differ by less than limits do. */
static uint32_t key_of(float size) {
    uint32_t bits;
    memcpy(&bits, &size, sizeof bits);
    return bits >> OCI_KEY_SHIFT;
}

static float least_of_key(uint32_t key) {
    uint32_t bits = key << OCI_KEY_SHIFT;
    float size;
    memcpy(&size, &bits, sizeof size);
    return size;
}

/* How many limits are below all values of a key. */
static void fill_below(oc_events *e) {
    uint16_t below = 0;
    for (uint32_t key = 0; key < OCI_KEYS; key++) {
        double least = (double)least_of_key(key);
        while (below < OCI_SIDE_BUCKETS && e->limits[below] < least) below++;
        e->below[key] = below;
    }
}

static oc_status prepare(oc_events *e, oc_error *err) {
    size_t bytes = (OCI_SIDE_BUCKETS + 1) * sizeof *e->limits;
    if (e->limits == NULL) e->limits = oc_malloc(bytes);
    if (e->counts == NULL) e->counts = oc_calloc(BUCKETS, sizeof *e->counts);
    if (e->limits == NULL || e->counts == NULL) return oc_fail_nomem(err, bytes, "a histogram");
    memset(e->counts, 0, BUCKETS * sizeof *e->counts);
    if (e->below != NULL) return OC_OK;
    e->below = oc_calloc(OCI_KEYS, sizeof *e->below);
    if (e->below == NULL) return oc_fail_nomem(err, bytes, "a histogram");
    double limit = 1e-12;
    for (int i = 0; i < OCI_SIDE_BUCKETS; i++, limit *= 1.1) e->limits[i] = limit;
    e->limits[OCI_SIDE_BUCKETS] = DBL_MAX;
    fill_below(e);
    return OC_OK;
}

/* The first bucket whose limit is above the value. Without branches, as no processor guesses the
 * signs of weights; a key has at most one limit between two of its values. */
static int bucket_of(const oc_events *e, float value) {
    float size = fabsf(value);
    int negative = value < 0, below = e->below[key_of(size)];
    double limit = e->limits[below], wide = (double)size;
    below += (limit < wide) | ((limit == wide) & !negative);
    return ZERO + (1 - 2 * negative) * below + !negative;
}

static void count_values(oc_events *e, const float *values, size_t count, moments *m) {
    *m = (moments){.min = DBL_MAX, .max = -DBL_MAX};
    for (size_t i = 0; i < count; i++) {
        double v = (double)values[i];
        if (!isfinite(v)) continue;
        if (v < m->min) m->min = v;
        if (v > m->max) m->max = v;
        m->number++;
        m->sum += v;
        m->squares += v * v;
        e->counts[bucket_of(e, values[i])]++;
    }
}

static void put_packed_double(oc_buf *out, double value) {
    uint64_t bits;
    uint8_t bytes[sizeof bits];
    memcpy(&bits, &value, sizeof bits);
    for (size_t i = 0; i < sizeof bits; i++) bytes[i] = (uint8_t)(bits >> (8 * i));
    oc_buf_append(out, bytes, sizeof bytes);
}

/* The buckets that are written, and how many: `limits` their limits, else their counts. */
static size_t put_buckets(const oc_events *e, oc_buf *out, bool limits) {
    size_t written = 0;
    for (int i = 0; i < BUCKETS; i++, written++) {
        while (e->counts[i] == 0 && i + 1 < BUCKETS && e->counts[i + 1] == 0) i++;
        if (out != NULL) put_packed_double(out, limits ? limit_of(e, i) : (double)e->counts[i]);
    }
    return written;
}

static void put_histogram(oc_events *e, const moments *m) {
    size_t bytes = put_buckets(e, NULL, true) * sizeof(double);
    oci_wire_put_double(&e->part, MIN, m->number > 0 ? m->min : 0);
    oci_wire_put_double(&e->part, MAX, m->number > 0 ? m->max : 0);
    oci_wire_put_double(&e->part, NUMBER, m->number);
    oci_wire_put_double(&e->part, SUM, m->sum);
    oci_wire_put_double(&e->part, SQUARES, m->squares);
    oci_wire_put_head(&e->part, LIMITS, bytes);
    (void)put_buckets(e, &e->part, true);
    oci_wire_put_head(&e->part, COUNTS, bytes);
    (void)put_buckets(e, &e->part, false);
}

oc_status oc_events_histogram(oc_events *e, uint64_t step, const char *tag, const float *values,
                              size_t count, oc_error *err) {
    moments m;
    OC_TRY(prepare(e, err));
    count_values(e, values, count, &m);
    oci_wire_put_text(&e->value, OCI_VALUE_TAG, tag);
    put_histogram(e, &m);
    oci_wire_put_message(&e->value, OCI_VALUE_HISTOGRAM, &e->part);
    oci_events_close_value(e);
    return oci_events_send(e, step, err);
}
