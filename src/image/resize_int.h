/* Inside resize: the tables of one axis and the loops over rows.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_IMAGE_RESIZE_INT_H
#define OC_IMAGE_RESIZE_INT_H

#include "image/image.h"

/* Weights are integers of 22 fractional bits: 8-bit samples times weights that sum to about one
 * then stay within 32 bits, with room for the negative lobes of the cubic. */
enum { OCI_WEIGHT_BITS = 32 - 8 - 2, OCI_WEIGHT_HALF = 1 << (OCI_WEIGHT_BITS - 1) };

/* One axis: which source samples make each of `count` destination samples, with what weights. All
 * zero is clearable; the tables are kept from fill to fill. */
typedef struct oci_axis {
    int count;
    int taps;        /* row length of weight; those beyond `used` are 0 */
    int *first;      /* (count): first source sample */
    int *used;       /* (count): source samples used, 1..taps */
    int32_t *weight; /* (count, taps) */
    int low, high;   /* source samples low..high-1 are read */
    bool identity;   /* sample i is a copy of source sample copy_from + i */
    int copy_from;
    double *real; /* (taps): weights of one sample before rounding */
    size_t capacity_first, capacity_used, capacity_weight, capacity_real; /* elements */
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

/* One row along x: dst (axis->count, channels) from src, the row's first sample. */
void oci_row_horizontal(const oci_axis *axis, const uint8_t *src, int channels, uint8_t *dst);
/* One row along y: dst[i] = sum of weight[t] * src[t * stride + i]. */
void oci_row_vertical(const int32_t *weight, int used, const uint8_t *src, size_t stride,
                      size_t count, uint8_t *dst);

#endif
