/* Between depthwise.c, which knows values and threads, and its inner loops, which know neither.
 *
 * A plane is one block of channels of one image, pixels of `lanes` floats (8 or 16). The loops work
 * through it row by row: what a convolution reads is made in a ring of four rows that stays in the
 * first cache, laid into zeros, so that no tap asks where the border is.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_DEPTHWISE_INT_H
#define OC_ENGINE_DEPTHWISE_INT_H

#include "engine/onednn/row_int.h"

enum {
    OCI_DEPTH_SIDE = 3, /* of the kernel */
    OCI_DEPTH_TAPS = 9,
    OCI_DEPTH_RING = 4,  /* rows: a window's three, rounded up to a power of two */
    OCI_DEPTH_BEFORE = 2 /* zero pixels before a gradient's row, and zero rows before its first */
};

typedef struct oci_depth_plane {
    int in_h, in_w, out_h, out_w;
    int stride;            /* 1 or 2, both ways */
    int pad_top, pad_left; /* 0..2, as are those at the other ends */
    int lanes;
} oci_depth_plane;

/* Sums of a batch norm over what was written; of nothing where s1 is NULL. */
typedef struct oci_depth_sums {
    const float *pivot;
    double *s1, *s2; /* added to, 16 each */
} oci_depth_sums;

/* Weights and their gradient are (9, lanes). The input is map(x). ring: oci_depth_ring() floats,
 * zeros before the first plane of these sizes. */
typedef struct oci_depth_forward {
    const float *x;
    oci_row_map map;
    const float *weights;
    float *y;
    oci_depth_sums sums; /* as oci_row_moments */
    float *ring;
} oci_depth_forward;

typedef struct oci_depth_backward {
    const float *x;
    oci_row_map map;
    const float *y, *dy;    /* result, and gradient of what derives from it ... */
    oci_row_map out_map;    /* ... by this map; that of y itself is as oci_row_norm_grad, ... */
    const float *p, *q, *r; /* ... with these */
    const float *weights;   /* stride 1: turned by 180 degrees */
    float *dx;              /* gradient of the input; NULL = not wanted */
    float *dw;              /* overwritten; NULL = not wanted */
    oci_depth_sums sums;    /* of dx, as oci_row_grad_moments */
    float *ring;
} oci_depth_backward;

typedef struct oci_depth_loops {
    const char *name;
    void (*forward)(const oci_depth_plane *p, const oci_depth_forward *f);
    void (*backward)(const oci_depth_plane *p, const oci_depth_backward *b);
} oci_depth_loops;

/* Floats of a ring's row: the input, and the gradient of the result. */
static inline size_t oci_depth_line(const oci_depth_plane *p) {
    int laid = p->pad_left + p->in_w, reach = (p->out_w - 1) * p->stride + OCI_DEPTH_SIDE;
    return (size_t)(laid > reach ? laid : reach) * (size_t)p->lanes;
}
static inline size_t oci_depth_grad_line(const oci_depth_plane *p) {
    int reach = p->pad_left + p->in_w;
    return (size_t)((p->out_w > reach ? p->out_w : reach) + OCI_DEPTH_BEFORE) * (size_t)p->lanes;
}
static inline size_t oci_depth_ring(const oci_depth_plane *p) {
    return OCI_DEPTH_RING * (oci_depth_line(p) + oci_depth_grad_line(p));
}

#endif
