/* The inner loops of max pools (loops.h says how they are compiled).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_POOL_LOOPS_H
#define OC_ENGINE_POOL_LOOPS_H

#include <stdbool.h>
#include <string.h>

#include "engine/onednn/lanes.h"
#include "engine/onednn/pool_int.h"

/* The part of a window inside the plane: rows x columns pixels. */
typedef struct pool_patch {
    int rows, columns;
    int first;    /* number of its first tap ... */
    int next;     /* ... and what the row below adds: the kernel's width */
    size_t start; /* floats from the plane's first to the patch's */
    size_t line;  /* floats from a row of the plane to the next */
    size_t pixel; /* floats from a pixel to the next */
} pool_patch;

static inline int pool_max(int a, int b) {
    return a > b ? a : b;
}
static inline int pool_min(int a, int b) {
    return a < b ? a : b;
}

static inline pool_patch pool_patch_at(const oci_pool_plane *p, int y, int x) {
    int top = y * p->stride_h - p->pad_top, left = x * p->stride_w - p->pad_left;
    int y0 = pool_max(top, 0), x0 = pool_max(left, 0);
    size_t pixel = (size_t)p->lanes, line = (size_t)p->in_w * pixel;
    return (pool_patch){.rows = pool_min(top + p->kernel_h, p->in_h) - y0,
                        .columns = pool_min(left + p->kernel_w, p->in_w) - x0,
                        .first = (y0 - top) * p->kernel_w + x0 - left,
                        .next = p->kernel_w,
                        .start = (size_t)y0 * line + (size_t)x0 * pixel,
                        .line = line,
                        .pixel = pixel};
}

/* A whole window of side x side. */
static inline bool pool_whole(const pool_patch *p, int side) {
    return p->rows == side && p->columns == side && p->next == side;
}

/* rows, columns: the patch's, apart so that the compiler may know them. */
static inline void pool_largest_of(const pool_patch *p, int rows, int columns, const float *from,
                                   float *to, oci_tap *taps) {
    vec best = load(from);
    mask tap = p->first - (mask){0};
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++) {
            vec v = load(from + (size_t)y * p->line + (size_t)x * p->pixel);
            mask wins = (v > best) | ((v != v) & (best == best));
            best = choose(wins, v, best);
            if (taps) tap = (wins & (p->first + y * p->next + x)) | (~wins & tap);
        }
    store(to, best);
    if (taps) *(shorts *)taps = __builtin_convertvector(tap, shorts);
}

static inline void pool_to_winner_of(const pool_patch *p, int rows, int columns, const float *from,
                                     const oci_tap *taps, float *to) {
    mask gradient = (mask)load(from), tap = __builtin_convertvector(*(const shorts *)taps, mask);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++) {
            float *at = to + (size_t)y * p->line + (size_t)x * p->pixel;
            store(at, load(at) + (vec)(gradient & (tap == p->first + y * p->next + x)));
        }
}

static inline void pool_largest_some(const pool_patch *p, const float *from, float *to,
                                     oci_tap *taps) {
    if (pool_whole(p, 3))
        pool_largest_of(p, 3, 3, from, to, taps);
    else if (pool_whole(p, 2))
        pool_largest_of(p, 2, 2, from, to, taps);
    else
        pool_largest_of(p, p->rows, p->columns, from, to, taps);
}

static void pool_largest(const oci_pool_plane *p, const float *from, float *to, oci_tap *taps) {
    for (int y = 0; y < p->out_h; y++)
        for (int x = 0; x < p->out_w; x++) {
            const pool_patch patch = pool_patch_at(p, y, x);
            for (int l = 0; l < p->lanes; l += L, to += L) {
                const float *at = from + patch.start + (size_t)l;
                if (taps) {
                    pool_largest_some(&patch, at, to, taps);
                    taps += L;
                } else {
                    pool_largest_some(&patch, at, to, NULL);
                }
            }
        }
}

static void pool_to_winners(const oci_pool_plane *p, const float *from, const oci_tap *taps,
                            float *to) {
    memset(to, 0, (size_t)p->in_h * (size_t)p->in_w * (size_t)p->lanes * sizeof *to);
    for (int y = 0; y < p->out_h; y++)
        for (int x = 0; x < p->out_w; x++) {
            const pool_patch patch = pool_patch_at(p, y, x);
            for (int l = 0; l < p->lanes; l += L, from += L, taps += L) {
                float *at = to + patch.start + (size_t)l;
                if (pool_whole(&patch, 3))
                    pool_to_winner_of(&patch, 3, 3, from, taps, at);
                else if (pool_whole(&patch, 2))
                    pool_to_winner_of(&patch, 2, 2, from, taps, at);
                else
                    pool_to_winner_of(&patch, patch.rows, patch.columns, from, taps, at);
            }
        }
}

#endif
