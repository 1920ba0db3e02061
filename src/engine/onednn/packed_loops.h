/* The inner loops of packed.c (loops.h says how they are compiled).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_PACKED_LOOPS_H
#define OC_ENGINE_PACKED_LOOPS_H

#include <stdint.h>
#include <string.h>

#include "engine/onednn/lanes.h"
#include "engine/onednn/packed_int.h"

/* ---- packing --------------------------------------------------------------------------------- */

enum { PACK_OUTSIDE = -1, HALF = L / 2 };

/* Where each tap of one row lies in its plane, counted from src, or PACK_OUTSIDE. */
static inline void pack_taps(const oci_pack_source *s, size_t row,
                             ptrdiff_t at[OCI_PACK_MOST_TAPS][OCI_PACK_ROWS], int r) {
    size_t hw = (size_t)s->out_h * (size_t)s->out_w, pixel = row % hw;
    int top = (int)(pixel / (size_t)s->out_w) * s->stride_h - s->pad_top;
    int left = (int)(pixel % (size_t)s->out_w) * s->stride_w - s->pad_left;
    ptrdiff_t image = (ptrdiff_t)(row / hw * s->image);
    for (int i = 0, tap = 0; i < s->kernel_h; i++) {
        int y = top + i * s->dilation_h;
        for (int j = 0; j < s->kernel_w; j++, tap++) {
            int x = left + j * s->dilation_w;
            bool inside = y >= 0 && y < s->h && x >= 0 && x < s->w;
            at[tap][r] = inside ? image + ((ptrdiff_t)y * s->w + x) * L : PACK_OUTSIDE;
        }
    }
}

static inline void pack_halves(float *to, vec v) {
    float both[L];
    store(both, v);
    memcpy(to, both, HALF * sizeof *to);
    memcpy(to + OCI_PACK_ROWS * HALF, both + HALF, HALF * sizeof *to);
}

static void packed_pack(const oci_pack_source *s, const float *src, float *to, size_t first,
                        int rows, size_t step, size_t count) {
    ptrdiff_t at[OCI_PACK_MOST_TAPS][OCI_PACK_ROWS];
    size_t taps = (size_t)(s->kernel_h * s->kernel_w), tap = step % taps;
    src += step / taps * s->plane;
    for (int r = 0; r < rows; r++) pack_taps(s, first + (size_t)r, at, r);
    for (size_t i = 0; i < count; i++, to += OCI_PACK_STEP) {
        for (int r = 0; r < rows; r++) {
            ptrdiff_t from = at[tap][r];
            pack_halves(to + r * HALF, from == PACK_OUTSIDE ? (vec){0} : load(src + from));
        }
        if (++tap < taps) continue;
        tap = 0;
        src += s->plane;
    }
}

/* ---- the product ----------------------------------------------------------------------------- */

/* rows, blocks: the product's, constant where it is inlined, so that all sums are in registers. */
static OC_ALWAYS_INLINE void packed_sums(const oci_pack_product *p, int rows, int blocks) {
    vec sum[OCI_PACK_ROWS][2];
    const float *a = p->a, *b = p->b, *c = p->b + p->b_block;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = (vec){0};
    for (size_t k = 2 * p->steps; k; k--, a += HALF * OCI_PACK_ROWS, b += HALF * L, c += HALF * L)
#pragma GCC unroll 4
        for (int i = 0; i < HALF; i++) {
            vec b0 = load(b + i * L), b1 = blocks > 1 ? load(c + i * L) : b0;
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                vec value = all(a[r * HALF + i]);
                sum[r][0] = OCI_MULTIPLY_ADD(value, b0, sum[r][0]);
                if (blocks > 1) sum[r][1] = OCI_MULTIPLY_ADD(value, b1, sum[r][1]);
            }
        }
#pragma GCC unroll 2
    for (int k = 0; k < blocks; k++) {
        vec bias = {0};
        if (p->bias) bias = load(p->bias + k * L);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            float *to = p->to + p->at[r] + (size_t)k * p->plane;
            vec v = sum[r][k] + bias;
            if (p->add) v += load(to);
            store(to, clip(v, p->low, p->high));
        }
    }
}

static OC_ALWAYS_INLINE void packed_blocks(const oci_pack_product *p, int rows) {
    if (p->blocks > 1)
        packed_sums(p, rows, 2);
    else
        packed_sums(p, rows, 1);
}

static void packed_product(const oci_pack_product *p) {
    switch (p->rows) {
    case 1:
        packed_blocks(p, 1);
        break;
    case 2:
        packed_blocks(p, 2);
        break;
    case 3:
        packed_blocks(p, 3);
        break;
    case 4:
        packed_blocks(p, 4);
        break;
    case 5:
        packed_blocks(p, 5);
        break;
    default:
        packed_blocks(p, 6);
    }
}

#endif
