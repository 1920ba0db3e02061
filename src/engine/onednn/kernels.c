/* The engine's own work on rows of blocked floats: batch norm, clip, addition and their gradients
 * (row_loops.h), and the ways between blocked and plain.
 *
 * The library has batch norm and element-wise primitives, but each walks whole tensors; fused and
 * run chunk by chunk these loops move less than half the bytes (ARCHITECTURE.md, "The engine").
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_int.h"

#include <math.h>
#include <string.h>

enum { PART = 1 << 12 }; /* floats of a thread's turn */

oci_clip oci_clip_of(oci_act act) {
    switch (act) {
    case OCI_ACT_RELU:
        return (oci_clip){0.f, INFINITY};
    case OCI_ACT_RELU6:
        return (oci_clip){0.f, 6.f};
    default:
        return (oci_clip){-INFINITY, INFINITY};
    }
}

static const oci_row_loops *loops(void) {
    return &oci_loops_here()->row;
}

void oci_row_affine(float *y, const float *x, oci_row_map map, size_t count) {
    loops()->affine(y, x, map, count);
}

void oci_row_add(float *z, const float *x1, const float *a1, const float *x2, oci_row_map map,
                 size_t count) {
    loops()->add(z, x1, a1, x2, map, count);
}

void oci_row_moments(const float *x, const float *pivot, size_t count, double *s1, double *s2) {
    loops()->moments(x, pivot, count, s1, s2);
}

void oci_row_grad_moments(const float *dy, const float *x, oci_row_map map, const float *pivot,
                          size_t count, double *s1, double *s2) {
    loops()->grad_moments(dy, x, map, pivot, count, s1, s2);
}

void oci_row_norm_grad(float *dx, const float *dy, const float *x, oci_row_map map, const float *p,
                       const float *q, const float *r, size_t count) {
    loops()->norm_grad(dx, dy, x, map, p, q, r, count);
}

void oci_row_mask(float *dx, const float *dy, const float *y, oci_clip clip, size_t count) {
    loops()->mask(dx, dy, y, clip, count);
}

void oci_row_accumulate(float *dst, const float *src, size_t count) {
    loops()->accumulate(dst, src, count);
}

void oci_accumulate(float *dst, const float *src, size_t count) {
    size_t parts = (count + PART - 1) / PART;
#pragma omp parallel for
    for (size_t i = 0; i < parts; i++) {
        size_t at = i * PART;
        oci_row_accumulate(dst + at, src + at, count - at < PART ? count - at : PART);
    }
}

void oci_block_image(float *blocked, const float *plain, int c, size_t hw, int lanes) {
    int blocks = (c + lanes - 1) / lanes;
    for (int k = 0; k < blocks; k++) {
        int full = c - k * lanes < lanes ? c - k * lanes : lanes;
        float *to = blocked + (size_t)k * hw * (size_t)lanes;
        if (full < lanes) memset(to, 0, hw * (size_t)lanes * sizeof *to);
        for (int l = 0; l < full; l++) {
            const float *from = plain + (size_t)(k * lanes + l) * hw;
            for (size_t s = 0; s < hw; s++) to[s * (size_t)lanes + (size_t)l] = from[s];
        }
    }
}

void oci_unblock_image(float *plain, const float *blocked, int c, size_t hw, int lanes) {
    for (int ch = 0; ch < c; ch++) {
        const float *from = blocked + (size_t)(ch / lanes) * hw * (size_t)lanes + ch % lanes;
        float *to = plain + (size_t)ch * hw;
        for (size_t s = 0; s < hw; s++) to[s] = from[s * (size_t)lanes];
    }
}
