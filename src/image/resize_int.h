/* Inside resize: the tables of one axis and the loops over rows.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_IMAGE_RESIZE_INT_H
#define OC_IMAGE_RESIZE_INT_H

#include "image/image.h"

/* Weights are 16-bit integers, so that the fast loops take two at once: `bits` fractional ones, the
 * more the wider the filter, since its weights get smaller. With at most 22, sums of 8-bit samples
 * times weights that sum to about one stay within 32 bits, negative lobes of the cubic included.
 * What rounding of weights adds to a pixel is below 0.05 grey levels. */
enum { OCI_LEAST_WEIGHT_BITS = 14, OCI_MOST_WEIGHT_BITS = 32 - 8 - 2 };

/* One axis: which source samples make each of `count` destination samples, with what weights. All
 * zero is clearable; the tables are kept from fill to fill. */
typedef struct oci_axis {
    int count;
    int taps;        /* row length of weight; those beyond `used` are 0 */
    int *first;      /* (count): first source sample */
    int *used;       /* (count): source samples used, 1..taps */
    int32_t *weight; /* (count, taps), each within 16 bits */
    int bits;        /* fractional ones of weight */
    int most;        /* of used */
    int low, high;   /* source samples low..high-1 are read */
    bool identity;   /* sample i is a copy of source sample copy_from + i */
    int copy_from;
    double *real; /* (taps): weights of one sample before rounding */
    /* For the fast loops, (count, pair_stride): each word is a pair of neighbouring taps' weights,
     * the first one in its low half. Padded with zeros to an even number of pairs. */
    int32_t *pair;
    int pair_stride;
    size_t capacity_first, capacity_used, capacity_weight, capacity_real, capacity_pair;
} oci_axis;

/* What is asked of one axis. */
typedef struct oci_axis_request {
    int source;       /* samples in the source */
    float from, to;   /* the box along this axis */
    int full;         /* samples of the virtual full image */
    int begin, count; /* the window in it */
    bool flip;        /* last sample first */
    oc_filter filter;
} oci_axis_request;

void oci_axis_clear(oci_axis *axis);
OC_MUST_CHECK oc_status oci_axis_fill(oci_axis *axis, const oci_axis_request *request,
                                      oc_error *err);

/* All source samples `by` further on. */
void oci_axis_shift(oci_axis *axis, int by);

/* Fill axis->pair from axis->weight. */
OC_MUST_CHECK oc_status oci_axis_pair(oci_axis *axis, oc_error *err);

/* One row along x: dst (axis->count, channels) from src, the row's first sample. */
void oci_row_horizontal(const oci_axis *axis, const uint8_t *src, int channels, uint8_t *dst);
/* Row `row` along y: dst[i] = sum of weight[t] * src[t * stride + i]. */
void oci_row_vertical(const oci_axis *axis, int row, const uint8_t *src, size_t stride,
                      size_t count, uint8_t *dst);

/* ---- faster, where the machine can ----------------------------------------------------------- */

/* Whether those below do anything here. */
bool oci_resize_is_fast(void);
/* As many of `rows` rows of three channels as it takes; returns how many, the plain loop does the
 * rest. Reads up to OCI_OVERREAD bytes behind the end of each row. Needs axis->pair. */
enum { OCI_OVERREAD = 32 };
int oci_rows_horizontal3_fast(const oci_axis *axis, const uint8_t *src, size_t src_stride, int rows,
                              uint8_t *dst, size_t dst_stride);
/* As many of `count` columns as it takes, from the left; returns how many. Needs axis->pair. */
size_t oci_row_vertical_fast(const oci_axis *axis, int row, const uint8_t *src, size_t stride,
                             size_t count, uint8_t *dst);
/* As many of `count` RGB pixels as it takes, into three planes: value * scale + offset of each
 * channel. Returns how many. */
size_t oci_normalise3_fast(const uint8_t *rgb, size_t count, const float scale[3],
                           const float offset[3], float *const planes[3]);

#endif
