/* From the values that a layer gave to the levels that they are rounded to.
 *
 * A histogram over -reach..reach keeps the shape of what was seen; when a value lies outside, bins
 * are merged in pairs and the reach doubles. Zero is always a level, since padding and what a ReLU
 * cuts off must stay what they are. By squared error a range gives up rare large values for finer
 * steps where most values are: the cut is tried at 100 places.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/model_int.h"

enum { HALF = OCI_BINS / 2, CUTS = 100, LEAST_CUT = 10 };
static const double OUTSIDE = 1e-4; /* share of the values that a percentile leaves out */

/* Twice the reach: each half moves towards the middle, two bins into one. */
static void widen(oci_histogram *h) {
    uint64_t merged[OCI_BINS] = {0};
    for (int i = 0; i < OCI_BINS; i++) merged[HALF / 2 + i / 2] += h->bins[i];
    memcpy(h->bins, merged, sizeof merged);
    h->reach *= 2;
}

static void reach_for(oci_histogram *h, float low, float high) {
    float most = fmaxf(-low, high);
    if (most == 0) return;
    if (h->reach == 0) {
        int exponent = 0;
        (void)frexpf(most, &exponent);
        h->reach = ldexpf(1, exponent);
    }
    while (h->reach < most && isfinite(h->reach)) widen(h);
}

void oci_histogram_add(oci_histogram *h, const float *values, size_t count) {
    float low = h->low, high = h->high;
    for (size_t i = 0; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    if (!isfinite(low) || !isfinite(high)) return; /* told elsewhere, by what it gives */
    h->low = low;
    h->high = high;
    reach_for(h, low, high);
    h->count += count;
    float scale = h->reach > 0 ? HALF / h->reach : 0;
    for (size_t i = 0; i < count; i++) {
        int bin = (int)(values[i] * scale + HALF);
        h->zeros += values[i] == 0;
        h->bins[bin < OCI_BINS ? bin : OCI_BINS - 1] += values[i] != 0;
    }
}

/* The middle of a bin. */
static double value_of(const oci_histogram *h, int bin) {
    return ((double)bin + 0.5 - HALF) * (double)h->reach / HALF;
}

typedef struct span {
    double low, high; /* low <= 0 <= high */
} span;

static span cut_at(const oci_histogram *h, int cut) {
    double share = (double)cut / CUTS;
    return (span){(double)h->low * share, (double)h->high * share};
}

/* Mean squared error of rounding within the span and cutting outside it; zeros have none. */
static double squared_error(const oci_histogram *h, span s) {
    double step = (s.high - s.low) / (OC_LEVELS - 1), sum = 0;
    for (int i = 0; i < OCI_BINS; i++) {
        if (h->bins[i] == 0) continue;
        double v = value_of(h, i), beyond = v < s.low ? s.low - v : v > s.high ? v - s.high : 0;
        sum += (double)h->bins[i] * (beyond > 0 ? beyond * beyond : step * step / 12);
    }
    return sum;
}

static double share_outside(const oci_histogram *h, span s) {
    uint64_t outside = 0;
    for (int i = 0; i < OCI_BINS; i++) {
        double v = value_of(h, i);
        if (v < s.low || v > s.high) outside += h->bins[i];
    }
    return (double)outside / (double)h->count;
}

static span least_error(const oci_histogram *h) {
    span best = cut_at(h, CUTS);
    double least = squared_error(h, best);
    for (int cut = CUTS - 1; cut >= LEAST_CUT; cut--) {
        double error = squared_error(h, cut_at(h, cut));
        if (error >= least) continue;
        least = error;
        best = cut_at(h, cut);
    }
    return best;
}

static span percentile(const oci_histogram *h) {
    int cut = CUTS;
    while (cut > LEAST_CUT && share_outside(h, cut_at(h, cut - 1)) <= OUTSIDE) cut--;
    return cut_at(h, cut);
}

void oci_histogram_levels(const oci_histogram *h, oc_ranges rule, float *step, int *zero) {
    span s = rule == OC_RANGES_MSE          ? least_error(h)
             : rule == OC_RANGES_PERCENTILE ? percentile(h)
                                            : cut_at(h, CUTS);
    double size = (s.high - s.low) / (OC_LEVELS - 1);
    *step = size > 1e-9 ? (float)size : 1; /* nothing but zeros: any step holds them */
    *zero = (int)lrint(-s.low / (double)*step);
}
