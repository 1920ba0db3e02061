/* The inner loops over rows: batch norm, clip, addition and their gradients (loops.h says how they
 * are compiled). A row is a whole number of vectors; vector i has lanes (i mod 2) of the sixteen
 * coefficients, which are two pixels of 8 channels or one of 16.
 *
 * Sums are kept in float for a short run, then in double. No order depends on threads.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_ROW_LOOPS_H
#define OC_ENGINE_ROW_LOOPS_H

#include "engine/onednn/lanes.h"
#include "engine/onednn/row_int.h"

enum { ROW_RUN = 64 * OCI_ROW }; /* floats summed in single precision before they go to double */

/* Written so that a NaN stays one: neither comparison holds for it. */
static inline vec row_clipped(vec v, oci_clip clip) {
    v = choose(v < clip.low, clip.low - (vec){0}, v);
    return choose(v > clip.high, clip.high - (vec){0}, v);
}

/* The gradient passes strictly inside the clip, as torch has it. */
static inline vec row_passed(vec dy, vec v, oci_clip clip) {
    return (vec)((mask)dy & (v > clip.low) & (v < clip.high));
}

static void row_affine(float *restrict y, const float *restrict x, oci_row_map map, size_t count) {
    const vec a[2] = {load(map.a), load(map.a + L)}, b[2] = {load(map.b), load(map.b + L)};
    size_t i = 0;
    for (; i + OCI_ROW <= count; i += OCI_ROW)
        for (int k = 0; k < 2; k++)
            store(y + i + k * L, row_clipped(a[k] * load(x + i + k * L) + b[k], map.clip));
    if (i < count) store(y + i, row_clipped(a[0] * load(x + i) + b[0], map.clip));
}

static void row_add(float *restrict z, const float *x1, const float *a1, const float *x2,
                    oci_row_map map, size_t count) {
    const vec a[2] = {load(a1), load(a1 + L)}, c[2] = {load(map.a), load(map.a + L)},
              b[2] = {load(map.b), load(map.b + L)};
    size_t i = 0;
    for (; i + OCI_ROW <= count; i += OCI_ROW)
        for (int k = 0; k < 2; k++) {
            vec sum = a[k] * load(x1 + i + k * L) + c[k] * load(x2 + i + k * L) + b[k];
            store(z + i + k * L, row_clipped(sum, map.clip));
        }
    if (i < count) {
        vec sum = a[0] * load(x1 + i) + c[0] * load(x2 + i) + b[0];
        store(z + i, row_clipped(sum, map.clip));
    }
}

/* sums += f, lane by lane */
static inline void row_to_double(double *sums, vec f) {
    for (int l = 0; l < L; l++) sums[l] += (double)f[l];
}

static void row_moments(const float *x, const float *pivot, size_t count, double *s1, double *s2) {
    const vec c[2] = {load(pivot), load(pivot + L)};
    for (size_t start = 0; start < count; start += ROW_RUN) {
        size_t end = start + ROW_RUN < count ? start + ROW_RUN : count, i = start;
        vec sum[2] = {{0}, {0}}, square[2] = {{0}, {0}};
        for (; i + OCI_ROW <= end; i += OCI_ROW)
            for (int k = 0; k < 2; k++) {
                vec d = load(x + i + k * L) - c[k];
                sum[k] += d;
                square[k] += d * d;
            }
        if (i < end) {
            vec d = load(x + i) - c[0];
            sum[0] += d;
            square[0] += d * d;
        }
        for (int k = 0; k < 2; k++) {
            row_to_double(s1 + k * L, sum[k]);
            row_to_double(s2 + k * L, square[k]);
        }
    }
}

static void row_grad_moments(const float *dy, const float *x, oci_row_map map, const float *pivot,
                             size_t count, double *s1, double *s2) {
    const vec a[2] = {load(map.a), load(map.a + L)}, b[2] = {load(map.b), load(map.b + L)},
              c[2] = {load(pivot), load(pivot + L)};
    for (size_t start = 0; start < count; start += ROW_RUN) {
        size_t end = start + ROW_RUN < count ? start + ROW_RUN : count, i = start;
        vec sum[2] = {{0}, {0}}, product[2] = {{0}, {0}};
        for (; i + OCI_ROW <= end; i += OCI_ROW)
            for (int k = 0; k < 2; k++) {
                vec v = load(x + i + k * L);
                vec m = row_passed(load(dy + i + k * L), a[k] * v + b[k], map.clip);
                sum[k] += m;
                product[k] += m * (v - c[k]);
            }
        if (i < end) {
            vec v = load(x + i), m = row_passed(load(dy + i), a[0] * v + b[0], map.clip);
            sum[0] += m;
            product[0] += m * (v - c[0]);
        }
        for (int k = 0; k < 2; k++) {
            row_to_double(s1 + k * L, sum[k]);
            row_to_double(s2 + k * L, product[k]);
        }
    }
}

static void row_norm_grad(float *restrict dx, const float *restrict dy, const float *restrict x,
                          oci_row_map map, const float *p, const float *q, const float *r,
                          size_t count) {
    const vec a[2] = {load(map.a), load(map.a + L)}, b[2] = {load(map.b), load(map.b + L)},
              ps[2] = {load(p), load(p + L)}, qs[2] = {load(q), load(q + L)},
              rs[2] = {load(r), load(r + L)};
    size_t i = 0;
    for (; i + OCI_ROW <= count; i += OCI_ROW)
        for (int k = 0; k < 2; k++) {
            vec v = load(x + i + k * L);
            vec m = row_passed(load(dy + i + k * L), a[k] * v + b[k], map.clip);
            store(dx + i + k * L, ps[k] * m + (qs[k] * v + rs[k]));
        }
    if (i < count) {
        vec v = load(x + i), m = row_passed(load(dy + i), a[0] * v + b[0], map.clip);
        store(dx + i, ps[0] * m + (qs[0] * v + rs[0]));
    }
}

static void row_mask(float *dx, const float *dy, const float *y, oci_clip clip, size_t count) {
    for (size_t i = 0; i < count; i += L)
        store(dx + i, row_passed(load(dy + i), load(y + i), clip));
}

static void row_accumulate(float *dst, const float *src, size_t count) {
    size_t i = 0;
    for (; i + L <= count; i += L) store(dst + i, load(dst + i) + load(src + i));
    for (; i < count; i++) dst[i] += src[i];
}

#endif
