/* Between kernels.c and its inner loops over rows of blocked floats. The functions are those of
 * onednn_int.h under "kernels.c", which has their formulas.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_ROW_INT_H
#define OC_ENGINE_ROW_INT_H

#include <stddef.h>

enum { OCI_ROW = 16 }; /* floats that a kernel handles at a time: lanes of a block, once or twice */

typedef struct oci_clip {
    float low, high;
} oci_clip;

/* The affine map of 16 lanes, and its clip: v = a x + b, clipped or passed inside. */
typedef struct oci_row_map {
    const float *a, *b;
    oci_clip clip;
} oci_row_map;

typedef struct oci_row_loops {
    void (*affine)(float *y, const float *x, oci_row_map map, size_t count);
    void (*add)(float *z, const float *x1, const float *a1, const float *x2, oci_row_map map,
                size_t count);
    void (*moments)(const float *x, const float *pivot, size_t count, double *s1, double *s2);
    void (*grad_moments)(const float *dy, const float *x, oci_row_map map, const float *pivot,
                         size_t count, double *s1, double *s2);
    void (*norm_grad)(float *dx, const float *dy, const float *x, oci_row_map map, const float *p,
                      const float *q, const float *r, size_t count);
    void (*mask)(float *dx, const float *dy, const float *y, oci_clip clip, size_t count);
    void (*accumulate)(float *dst, const float *src, size_t count);
} oci_row_loops;

#endif
