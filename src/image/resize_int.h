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
    /* For the fast loops, (count, split_stride): per pair of taps two words, each of two 16-bit
     * halves: the low 12 bits of both weights, then the bits above. Padded with zeros to blocks of
     * four taps. */
    int32_t *split;
    int split_stride;
    size_t capacity_first, capacity_used, capacity_weight, capacity_real, capacity_split;
} oci_axis;

/* The fast loops sum products of 8 and 12 bits in 32. */
enum { OCI_MAX_SPLIT_TAPS = 2048 };

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

/* Fill axis->split from axis->weight. */
OC_MUST_CHECK oc_status oci_axis_split(oci_axis *axis, oc_error *err);

/* One row along x: dst (axis->count, channels) from src, the row's first sample. */
void oci_row_horizontal(const oci_axis *axis, const uint8_t *src, int channels, uint8_t *dst);
/* One row along y: dst[i] = sum of weight[t] * src[t * stride + i]. */
void oci_row_vertical(const int32_t *weight, int used, const uint8_t *src, size_t stride,
                      size_t count, uint8_t *dst);

/* ---- faster, where the machine can ----------------------------------------------------------- */

/* Whether the two below do anything here. */
bool oci_resize_is_fast(void);
/* As many of `rows` rows of three channels as it takes; returns how many, the plain loop does the
 * rest. Reads up to OCI_OVERREAD bytes behind the end of each row. Needs axis->split. */
enum { OCI_OVERREAD = 32 };
int oci_rows_horizontal3_fast(const oci_axis *axis, const uint8_t *src, size_t src_stride, int rows,
                              uint8_t *dst, size_t dst_stride);
/* As many of `count` columns as it takes, from the left; returns how many. */
size_t oci_row_vertical_fast(const int32_t *weight, int used, const uint8_t *src, size_t stride,
                             size_t count, uint8_t *dst);

#endif
