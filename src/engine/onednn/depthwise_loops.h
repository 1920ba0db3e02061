/* The inner loops of depthwise 3 x 3 convolutions (loops.h says how they are compiled): a plane's
 * input is made, convolved and its result summed up in one go, and so all the way back.
 *
 * Rows of the input are counted with the padding above: row r of the plane is padded row
 * r + pad_top. With o = row of the result and k = row of the kernel, padded row = o * stride + k,
 * so the gradient of a padded row comes from rows (row - k) / stride where that is whole: with
 * stride 2 from kernel rows 0 and 2 where it is even, from row 1 where it is odd. Columns alike.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_DEPTHWISE_LOOPS_H
#define OC_ENGINE_DEPTHWISE_LOOPS_H

#include <string.h>

#include "engine/onednn/depthwise_int.h"
#include "engine/onednn/lanes.h"
#include "engine/onednn/row_loops.h"

/* Three rows of a ring from `row` on. */
typedef struct depth_window {
    const float *row[OCI_DEPTH_SIDE];
} depth_window;

static inline depth_window depth_window_at(const float *ring, size_t line, int row, size_t start) {
    depth_window w;
    for (int k = 0; k < OCI_DEPTH_SIDE; k++)
        w.row[k] = ring + (size_t)((row + k) % OCI_DEPTH_RING) * line + start;
    return w;
}

/* `count` results of all nine taps. step, pixel: floats between windows, and between pixels. */
static inline void depth_taps(depth_window from, const float *weights, float *to, size_t count,
                              size_t step, size_t pixel) {
    vec w[OCI_DEPTH_TAPS];
    for (int k = 0; k < OCI_DEPTH_TAPS; k++) w[k] = load(weights + (size_t)k * pixel);
    for (size_t x = 0; x < count; x++) {
        vec sum = {0};
        for (int k = 0; k < OCI_DEPTH_TAPS; k++)
            sum += w[k] * load(from.row[k / 3] + x * step + (size_t)(k % 3) * pixel);
        store(to + x * pixel, sum);
    }
}

/* sums (9, lanes) += the taps' inputs times the gradient of `count` results. */
static inline void depth_weigh(depth_window from, const float *g, float *sums, size_t count,
                               size_t step, size_t pixel) {
    vec w[OCI_DEPTH_TAPS];
    for (int k = 0; k < OCI_DEPTH_TAPS; k++) w[k] = load(sums + (size_t)k * pixel);
    for (size_t x = 0; x < count; x++) {
        vec d = load(g + x * pixel);
        for (int k = 0; k < OCI_DEPTH_TAPS; k++)
            w[k] += d * load(from.row[k / 3] + x * step + (size_t)(k % 3) * pixel);
    }
    for (int k = 0; k < OCI_DEPTH_TAPS; k++) store(sums + (size_t)k * pixel, w[k]);
}

/* Stride 2, a row of the input's gradient: `rows` rows of the result's (1 or 2; `near` the later
 * one), each with its row of the kernel. Column `half` meets taps 0 and 1, that before it tap 2. */
static inline void depth_spread(const oci_depth_plane *p, int rows, const float *const from[2],
                                const float *const weights[2], float *to, size_t pixel) {
    for (int half = p->pad_left / 2; 2 * half < p->pad_left + p->in_w; half++) {
        int column = 2 * half - p->pad_left;
        vec even = {0}, odd = {0};
        for (int k = 0; k < rows; k++) {
            const float *at = from[k] + (size_t)(half + OCI_DEPTH_BEFORE) * pixel;
            even += load(at) * load(weights[k]) + load(at - pixel) * load(weights[k] + 2 * pixel);
            odd += load(at) * load(weights[k] + pixel);
        }
        if (column >= 0) store(to + (size_t)column * pixel, even);
        if (column + 1 < p->in_w) store(to + (size_t)(column + 1) * pixel, odd);
    }
}

/* Padded row `row` of the input into its place in the ring. */
static inline void depth_make(const oci_depth_plane *p, const float *x, oci_row_map map, int row,
                              float *ring) {
    size_t width = (size_t)p->in_w * (size_t)p->lanes;
    float *to = ring + (size_t)(row % OCI_DEPTH_RING) * oci_depth_line(p) +
                (size_t)p->pad_left * (size_t)p->lanes;
    int y = row - p->pad_top;
    if (y < 0 || y >= p->in_h)
        memset(to, 0, width * sizeof *to);
    else
        row_affine(to, x + (size_t)y * width, map, width);
}

static void depth_forward(const oci_depth_plane *p, const oci_depth_forward *f) {
    size_t pixel = (size_t)p->lanes, width = (size_t)p->out_w * pixel;
    int made = 0;
    for (int y = 0; y < p->out_h; y++) {
        int top = y * p->stride;
        for (; made < top + OCI_DEPTH_SIDE; made++) depth_make(p, f->x, f->map, made, f->ring);
        for (size_t l = 0; l < pixel; l += L) {
            depth_window from = depth_window_at(f->ring, oci_depth_line(p), top, l);
            float *to = f->y + (size_t)y * width + l;
            if (pixel == L && p->stride == 1) /* with numbers that the compiler knows */
                depth_taps(from, f->weights, to, (size_t)p->out_w, L, L);
            else
                depth_taps(from, f->weights + l, to, (size_t)p->out_w, (size_t)p->stride * pixel,
                           pixel);
        }
    }
    if (f->sums.s1)
        row_moments(f->y, f->sums.pivot, (size_t)p->out_h * width, f->sums.s1, f->sums.s2);
}

/* Row y of the result's gradient into its place in the ring; zeros behind the last. */
static inline float *depth_incoming(const oci_depth_plane *p, const oci_depth_backward *b, int y,
                                    float *ring) {
    size_t width = (size_t)p->out_w * (size_t)p->lanes, at = (size_t)y * width;
    float *to = ring + (size_t)((y + OCI_DEPTH_BEFORE) % OCI_DEPTH_RING) * oci_depth_grad_line(p) +
                OCI_DEPTH_BEFORE * (size_t)p->lanes;
    if (y < p->out_h)
        row_norm_grad(to, b->dy + at, b->y + at, b->out_map, b->p, b->q, b->r, width);
    else
        memset(to, 0, width * sizeof *to);
    return to;
}

/* Padded row `row` of the input's gradient. */
static inline void depth_send(const oci_depth_plane *p, const oci_depth_backward *b,
                              const float *ring, int row, float *to) {
    size_t pixel = (size_t)p->lanes, line = oci_depth_grad_line(p), columns = (size_t)p->in_w;
    for (size_t l = 0; l < pixel; l += L) {
        const float *w = b->weights + l;
        if (p->stride == 1) {
            depth_window from = depth_window_at(ring, line, row, (size_t)p->pad_left * pixel + l);
            if (pixel == L)
                depth_taps(from, w, to, columns, L, L);
            else
                depth_taps(from, w, to + l, columns, pixel, pixel);
            continue;
        }
        depth_window halves = depth_window_at(ring, line, row / 2 + 1, l); /* before, near */
        const float *const from[2] = {halves.row[1], halves.row[0]};
        if (row % 2)
            depth_spread(p, 1, from, (const float *const[2]){w + 3 * pixel}, to + l, pixel);
        else
            depth_spread(p, 2, from, (const float *const[2]){w, w + 6 * pixel}, to + l, pixel);
    }
}

/* A row of the weights' gradient. */
static inline void depth_weigh_row(const oci_depth_plane *p, const oci_depth_backward *b, int y,
                                   const float *g) {
    size_t pixel = (size_t)p->lanes, step = (size_t)p->stride * pixel, columns = (size_t)p->out_w;
    for (size_t l = 0; l < pixel; l += L) {
        depth_window from = depth_window_at(b->ring, oci_depth_line(p), y * p->stride, l);
        if (step == L)
            depth_weigh(from, g, b->dw, columns, L, L);
        else
            depth_weigh(from, g + l, b->dw + l, columns, step, pixel);
    }
}

static void depth_backward(const oci_depth_plane *p, const oci_depth_backward *b) {
    size_t width = (size_t)p->in_w * (size_t)p->lanes, line = oci_depth_grad_line(p);
    float *grads = b->ring + OCI_DEPTH_RING * oci_depth_line(p);
    int last = (p->in_h - 1 + p->pad_top) / p->stride;
    int made = 0, summed = 0; /* rows of the input, and of its gradient */
    memset(grads, 0, OCI_DEPTH_BEFORE * line * sizeof *grads);
    if (b->dw) memset(b->dw, 0, OCI_DEPTH_TAPS * (size_t)p->lanes * sizeof *b->dw);
    for (int y = 0; y <= last; y++) {
        const float *g = depth_incoming(p, b, y, grads);
        int next = (y + 1) * p->stride;
        if (b->dw && y < p->out_h) {
            int end = y * p->stride + OCI_DEPTH_SIDE;
            for (; made < end; made++) depth_make(p, b->x, b->map, made, b->ring);
            depth_weigh_row(p, b, y, g);
        }
        if (!b->dx) continue;
        for (int row = next - p->stride; row < next; row++) {
            int to = row - p->pad_top;
            if (to >= 0 && to < p->in_h) depth_send(p, b, grads, row, b->dx + (size_t)to * width);
        }
        int ready = y == last ? p->in_h : next - p->pad_top;
        if (!b->sums.s1 || (y < last && (ready - summed) * (int)width < ROW_RUN)) continue;
        size_t at = (size_t)summed * width;
        row_grad_moments(b->dx + at, b->x + at, b->map, b->sums.pivot,
                         (size_t)(ready - summed) * width, b->sums.s1, b->sums.s2);
        summed = ready;
    }
}

#endif
