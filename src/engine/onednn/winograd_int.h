/* Between winograd.c, which knows shapes and threads, and its inner loops, which know neither.
 *
 * F(4x4, 3x3): 4 x 4 results from 6 x 6 samples by 36 products instead of 144. "Points" are those
 * 36; an array of points is (36, tiles, channels), its rows and points apart by strides that keep
 * them off the same cache sets.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_WINOGRAD_INT_H
#define OC_ENGINE_WINOGRAD_INT_H

#include "engine/onednn/dnn.h"

enum {
    OCI_WINO_LANES = 8,   /* channels of a block of activations */
    OCI_WINO_PANEL = 16,  /* columns that the product makes at a time */
    OCI_WINO_IN = 6,      /* samples of a tile along one axis */
    OCI_WINO_OUT = 4,     /* results */
    OCI_WINO_POINTS = 36, /* products */
    OCI_WINO_TAPS = 9     /* of a kernel */
};

/* Activations (n, blocks, h, w, 8) seen as tiles, and the array of points that belongs to them. */
typedef struct oci_wino_side {
    int blocks, h, w;
    int pad_top, pad_left; /* zeros before the first sample; 0 on the side of results */
    int tiles_h, tiles_w;  /* of one image */
    size_t image;          /* floats of one image */
    size_t row, point;     /* floats between tiles, and between points */
} oci_wino_side;

/* Tiles first..first+count-1 of a run of images; tile `base` is row 0 of the points. */
typedef struct oci_wino_range {
    size_t base, first, count;
} oci_wino_range;

/* What happens to a result on its way out. */
typedef struct oci_wino_finish {
    const float *bias; /* (blocks, 8), or NULL */
    bool sum;          /* add to what is there */
    float low, high;   /* clip */
} oci_wino_finish;

/* c (rows, 16) = or += a (rows, depth) b (depth, 16); strides in floats. */
typedef struct oci_wino_product {
    float *c;
    const float *a, *b;
    size_t c_row, a_row, a_step, b_step, rows, depth;
    bool add;
} oci_wino_product;

/* A plain weights tensor (out, in, 3, 3) seen from one 3 x 3 kernel: how far it is to the next
 * along the lanes (columns of the product) and along its depth. */
typedef struct oci_wino_kernels {
    size_t lane, step;
    bool turned; /* by 180 degrees: the data gradient */
} oci_wino_kernels;

typedef struct oci_wino_loops {
    const char *name;
    /* samples to points: B' d B */
    void (*source)(const oci_wino_side *s, const float *x, float *points, oci_wino_range r);
    /* gradients of results to points: A g A' */
    void (*gradient)(const oci_wino_side *s, const float *x, float *points, oci_wino_range r);
    /* points to results: A' m A */
    void (*result)(const oci_wino_side *s, float *x, const float *points, oci_wino_range r,
                   const oci_wino_finish *finish);
    void (*product)(const oci_wino_product *p);
    /* `count` kernels along the depth, 16 lanes: G w G' to u + point * k + 16 * i */
    void (*weights)(const float *w, oci_wino_kernels k, float *u, size_t point, size_t count);
    /* back: G' u G from u + point * k + row * i */
    void (*weight_gradient)(float *w, oci_wino_kernels k, const float *u, size_t point, size_t row,
                            size_t count);
} oci_wino_loops;

#endif
