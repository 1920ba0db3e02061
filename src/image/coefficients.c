/* Tables of resampling weights for one axis.
 *
 * A destination sample is a weighted mean of the source samples under a filter centred on it; when
 * shrinking, the filter is widened by the shrink factor, which is what makes it antialiased. Each
 * sample's weights are normalised to sum to one in double precision, as Pillow does, and then
 * rounded to 16 bits, so that results agree but for a rare last grey level. Sources: Keys, "Cubic
 * convolution interpolation for digital image processing", 1981 (a = -0.5); the conventions (pixel
 * centres, rounding of the support) are those of Pillow's documentation of Image.resize and were
 * checked against its output. SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

#include <math.h>
#include <string.h>

/* ---- filters --------------------------------------------------------------------------------- */

static double triangle(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double cubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static double filter_support(oc_filter filter) {
    return filter == OC_FILTER_BICUBIC ? 2 : 1;
}

/* ---- storage --------------------------------------------------------------------------------- */

void oci_axis_clear(oci_axis *axis) {
    oc_free(axis->first);
    oc_free(axis->used);
    oc_free(axis->weight);
    oc_free(axis->real);
    oc_free(axis->pair);
    *axis = (oci_axis){0};
}

static oc_status reserve(oci_axis *axis, int count, int taps, oc_error *err) {
    size_t samples = (size_t)count, weights = 0;
    if (!oc_mul_size(samples, (size_t)taps, &weights))
        return oc_fail(err, OC_ELIMIT, "resize to %d samples with %d weights each: beyond memory",
                       count, taps);
    OC_TRY(oc_grow(&axis->first, &axis->capacity_first, samples, sizeof *axis->first, err));
    OC_TRY(oc_grow(&axis->used, &axis->capacity_used, samples, sizeof *axis->used, err));
    OC_TRY(oc_grow(&axis->weight, &axis->capacity_weight, weights, sizeof *axis->weight, err));
    OC_TRY(oc_grow(&axis->real, &axis->capacity_real, (size_t)taps, sizeof *axis->real, err));
    axis->count = count;
    axis->taps = taps;
    return OC_OK;
}

/* ---- filling --------------------------------------------------------------------------------- */

/* The largest weight is about 1 / shrink (a third more at the edges): one that fits in 16 bits with
 * its sign. It depends on the scale alone, so that a window has the pixels of the whole. */
static int choose_bits(double shrink) {
    int bits = OCI_LEAST_WEIGHT_BITS;
    while (bits < OCI_MOST_WEIGHT_BITS && shrink >= 2) {
        shrink /= 2;
        bits++;
    }
    return bits;
}

static int32_t to_fixed(double weight, int bits) {
    double scaled = weight * (1 << bits);
    return (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* The window of source samples under a filter of `support` at `centre`. */
static void span(double centre, double support, int source, int *first, int *used) {
    int low = (int)(centre - support + 0.5);
    int high = (int)(centre + support + 0.5);
    *first = low < 0 ? 0 : low;
    *used = (high > source ? source : high) - *first;
}

/* Entry `at` of the tables: destination sample `index` of the full image. */
static void fill_sample(oci_axis *axis, const oci_axis_request *r, int at, int index) {
    double scale = (double)(r->to - r->from) / r->full;
    double shrink = scale < 1 ? 1 : scale;
    double centre = r->from + (index + 0.5) * scale;
    double inverse = 1 / shrink, sum = 0;
    int32_t *weight = axis->weight + (size_t)at * (size_t)axis->taps;
    int first = 0, used = 0;
    span(centre, filter_support(r->filter) * shrink, r->source, &first, &used);
    for (int t = 0; t < used; t++) {
        double x = (t + first - centre + 0.5) * inverse;
        axis->real[t] = r->filter == OC_FILTER_BICUBIC ? cubic(x) : triangle(x);
        sum += axis->real[t];
    }
    for (int t = 0; t < used; t++)
        weight[t] = to_fixed(sum != 0 ? axis->real[t] / sum : 0, axis->bits);
    for (int t = used; t < axis->taps; t++) weight[t] = 0;
    axis->first[at] = first;
    axis->used[at] = used;
}

/* The nearest sample, found as Pillow does: by stepping, so that rounding agrees. */
static void fill_nearest(oci_axis *axis, const oci_axis_request *r) {
    double scale = (double)(r->to - r->from) / r->full;
    double position = r->from + scale * 0.5;
    for (int i = 0; i < r->begin + r->count; i++, position += scale) {
        if (i < r->begin) continue;
        int at = r->flip ? r->count - 1 - (i - r->begin) : i - r->begin;
        int sample = (int)position;
        axis->first[at] = sample < r->source ? sample : r->source - 1;
        axis->used[at] = 1;
        axis->weight[at] = 1 << axis->bits;
    }
}

/* A single weight of one among zeros counts as a copy. */
static bool is_copy(const oci_axis *axis, int at, int *sample) {
    const int32_t *weight = axis->weight + (size_t)at * (size_t)axis->taps;
    int ones = 0;
    for (int t = 0; t < axis->used[at]; t++) {
        if (weight[t] == 0) continue;
        if (weight[t] != 1 << axis->bits) return false;
        *sample = axis->first[at] + t;
        ones++;
    }
    return ones == 1;
}

static void find_range(oci_axis *axis, int source) {
    axis->low = source;
    axis->high = axis->most = 0;
    for (int i = 0; i < axis->count; i++) {
        if (axis->used[i] > axis->most) axis->most = axis->used[i];
        int end = axis->first[i] + axis->used[i];
        if (axis->first[i] < axis->low) axis->low = axis->first[i];
        if (end > axis->high) axis->high = end;
    }
}

static void find_identity(oci_axis *axis) {
    int first = 0, sample = 0;
    axis->identity = is_copy(axis, 0, &first);
    for (int i = 1; i < axis->count && axis->identity; i++)
        axis->identity = is_copy(axis, i, &sample) && sample == first + i;
    axis->copy_from = first;
}

oc_status oci_axis_fill(oci_axis *axis, const oci_axis_request *r, oc_error *err) {
    double scale = (double)(r->to - r->from) / r->full;
    double shrink = scale < 1 ? 1 : scale;
    double support = filter_support(r->filter) * shrink;
    bool nearest = r->filter == OC_FILTER_NEAREST;
    int taps = nearest ? 1 : (int)ceil(support) * 2 + 1;
    OC_TRY(reserve(axis, r->count, taps, err));
    axis->bits = choose_bits(nearest ? 1 : shrink);
    if (nearest) fill_nearest(axis, r);
    for (int i = 0; !nearest && i < r->count; i++)
        fill_sample(axis, r, r->flip ? r->count - 1 - i : i, r->begin + i);
    find_range(axis, r->source);
    find_identity(axis);
    return OC_OK;
}

void oci_axis_shift(oci_axis *axis, int by) {
    for (int i = 0; i < axis->count; i++) axis->first[i] += by;
    axis->low += by;
    axis->high += by;
    axis->copy_from += by;
}

/* A decode that suffices has pixels that are at most box / full of the file's wide; two of them on
 * each side are for rounding. */
int oc_resize_margin(oc_filter filter, double box, int full) {
    double shrink = box > full ? box / full : 1;
    return (int)ceil((filter_support(filter) + 2) * shrink);
}

static int32_t as_pair(int32_t a, int32_t b) {
    OC_PROMISE(a == (int16_t)a && b == (int16_t)b);
    return (int32_t)(((uint32_t)a & 0xFFFF) | (uint32_t)b << 16);
}

oc_status oci_axis_pair(oci_axis *axis, oc_error *err) {
    size_t words = 0, stride = ((size_t)axis->taps + 3) / 4 * 2;
    if (!oc_mul_size((size_t)axis->count, stride, &words))
        return oc_fail(err, OC_ELIMIT, "resize to %d samples: beyond memory", axis->count);
    OC_TRY(oc_grow(&axis->pair, &axis->capacity_pair, words, sizeof *axis->pair, err));
    axis->pair_stride = (int)stride;
    for (int i = 0; i < axis->count; i++) {
        const int32_t *weight = axis->weight + (size_t)i * (size_t)axis->taps;
        int32_t *out = axis->pair + (size_t)i * stride;
        for (int t = 0; t < 2 * (int)stride; t += 2)
            out[t / 2] =
                as_pair(t < axis->taps ? weight[t] : 0, t + 1 < axis->taps ? weight[t + 1] : 0);
    }
    return OC_OK;
}
