/* Max, average and global average pooling over blocked floats.
 *
 * Our own, because the library's pools know neither rounded-up output sizes whose last window hangs
 * over the edge nor torch's divisor for it. A max pool keeps, per output, which tap of the window
 * won (first of equals), so that the way back needs no values.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/onednn/onednn_int.h"

/* The part of the window at output (y, x) that lies inside the input. */
typedef struct window {
    int y0, y1, x0, x1; /* y0 <= y < y1 */
    int top, left;      /* where tap (0, 0) is */
    float share;        /* average: 1 / divisor */
} window;

static inline int at_most(int a, int b) {
    return a < b ? a : b;
}
static inline int at_least(int a, int b) {
    return a > b ? a : b;
}

static inline window window_at(const oc_attrs *a, const oci_value *in, int y, int x) {
    window w;
    w.top = y * a->stride_h - a->pad_top;
    w.left = x * a->stride_w - a->pad_left;
    int bottom = w.top + a->kernel_h, right = w.left + a->kernel_w;
    w.y0 = at_least(w.top, 0), w.y1 = at_most(bottom, in->h);
    w.x0 = at_least(w.left, 0), w.x1 = at_most(right, in->w);
    /* padding counts, what hangs over it does not */
    int high = a->count_pad ? at_most(bottom, in->h + a->pad_bottom) - w.top : w.y1 - w.y0;
    int wide = a->count_pad ? at_most(right, in->w + a->pad_right) - w.left : w.x1 - w.x0;
    w.share = 1.f / (float)(high * wide);
    return w;
}

/* Which value of its window was the largest. */
typedef uint16_t tap_number;

oc_status oci_pool_check(const oc_node *node, oc_error *err) {
    const oc_attrs *a = &node->attrs;
    if ((int64_t)a->kernel_h * a->kernel_w <= UINT16_MAX + 1) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "pool '%s': a window of %d x %d has more than %d values: use a global pool",
                   node->name, a->kernel_h, a->kernel_w, UINT16_MAX + 1);
}

size_t oci_pool_side(const oci_plan *plan, const oci_unit *unit) {
    bool max = oc_graph_node(plan->graph, unit->node)->op == OC_OP_MAX_POOL;
    return max ? plan->values[unit->out].image * sizeof(tap_number) : 0;
}

static inline void max_forward(const oc_attrs *a, const oci_value *in, const oci_value *out,
                               int lanes, const float *restrict src, float *restrict dst,
                               tap_number *restrict taps) {
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++, dst += lanes) {
            window w = window_at(a, in, y, x);
            float best[OCI_ROW];
            int32_t tap[OCI_ROW], start = (w.y0 - w.top) * a->kernel_w + w.x0 - w.left;
#pragma omp simd
            for (int l = 0; l < lanes; l++) best[l] = -INFINITY, tap[l] = start;
            for (int iy = w.y0; iy < w.y1; iy++)
                for (int ix = w.x0; ix < w.x1; ix++) {
                    const float *v =
                        src + ((size_t)iy * (size_t)in->w + (size_t)ix) * (size_t)lanes;
                    int32_t number = (iy - w.top) * a->kernel_w + ix - w.left;
#pragma omp simd
                    for (int l = 0; l < lanes; l++) { /* a NaN wins and stays */
                        tap[l] = v[l] <= best[l] ? tap[l] : number;
                        best[l] = v[l] <= best[l] ? best[l] : v[l];
                    }
                }
#pragma omp simd
            for (int l = 0; l < lanes; l++) dst[l] = best[l];
            for (int l = 0; taps && l < lanes; l++) taps[l] = (tap_number)tap[l];
            if (taps) taps += lanes;
        }
}

static inline void max_backward(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                int lanes, const float *ddst, const tap_number *taps, float *dsrc) {
    memset(dsrc, 0, (size_t)in->h * (size_t)in->w * (size_t)lanes * sizeof *dsrc);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++, ddst += lanes, taps += lanes) {
            window w = window_at(a, in, y, x);
            for (int l = 0; l < lanes; l++) {
                int iy = w.top + taps[l] / a->kernel_w, ix = w.left + taps[l] % a->kernel_w;
                dsrc[((size_t)iy * (size_t)in->w + (size_t)ix) * (size_t)lanes + (size_t)l] +=
                    ddst[l];
            }
        }
}

static inline void avg_forward(const oc_attrs *a, const oci_value *in, const oci_value *out,
                               int lanes, const float *src, float *dst) {
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++, dst += lanes) {
            window w = window_at(a, in, y, x);
            float sum[OCI_ROW] = {0};
            for (int iy = w.y0; iy < w.y1; iy++)
                for (int ix = w.x0; ix < w.x1; ix++) {
                    const float *v =
                        src + ((size_t)iy * (size_t)in->w + (size_t)ix) * (size_t)lanes;
#pragma omp simd
                    for (int l = 0; l < lanes; l++) sum[l] += v[l];
                }
#pragma omp simd
            for (int l = 0; l < lanes; l++) dst[l] = sum[l] * w.share;
        }
}

static inline void avg_backward(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                int lanes, const float *ddst, float *dsrc) {
    memset(dsrc, 0, (size_t)in->h * (size_t)in->w * (size_t)lanes * sizeof *dsrc);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++, ddst += lanes) {
            window w = window_at(a, in, y, x);
            for (int iy = w.y0; iy < w.y1; iy++)
                for (int ix = w.x0; ix < w.x1; ix++) {
                    float *v = dsrc + ((size_t)iy * (size_t)in->w + (size_t)ix) * (size_t)lanes;
#pragma omp simd
                    for (int l = 0; l < lanes; l++) v[l] += ddst[l] * w.share;
                }
        }
}

/* One row of blocks, the lanes known to the compiler. taps: max alone. */
typedef struct row {
    const oc_attrs *attrs;
    const oci_value *in, *out;
    const float *from;
    float *to;
    tap_number *taps;
    bool max;
} row;

static inline void row_forward(const row *r, int lanes) {
    if (r->max)
        max_forward(r->attrs, r->in, r->out, lanes, r->from, r->to, r->taps);
    else
        avg_forward(r->attrs, r->in, r->out, lanes, r->from, r->to);
}

static inline void row_backward(const row *r, int lanes) {
    if (r->max)
        max_backward(r->attrs, r->in, r->out, lanes, r->from, r->taps, r->to);
    else
        avg_backward(r->attrs, r->in, r->out, lanes, r->from, r->to);
}

OC_SIMD static void row_forward_8(const row *r) {
    row_forward(r, 8);
}
OC_SIMD static void row_forward_16(const row *r) {
    row_forward(r, 16);
}
OC_SIMD static void row_backward_8(const row *r) {
    row_backward(r, 8);
}
OC_SIMD static void row_backward_16(const row *r) {
    row_backward(r, 16);
}

static tap_number *taps_of(const oci_unit *unit, int first) {
    return unit->side ? (tap_number *)(void *)(unit->side + (size_t)first * unit->side_image)
                      : NULL;
}

oc_status oci_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    bool max = oc_graph_node(plan->graph, unit->node)->op == OC_OP_MAX_POOL;
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *dst = out->data + (size_t)first * out->image;
    tap_number *taps = taps_of(unit, first);
    size_t in_row = in->image / (size_t)in->blocks, out_row = out->image / (size_t)out->blocks;
    int rows = n * out->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        row r = {a,
                 in,
                 out,
                 src + (size_t)i * in_row,
                 dst + (size_t)i * out_row,
                 taps ? taps + (size_t)i * out_row : NULL,
                 max};
        plan->lanes == 8 ? row_forward_8(&r) : row_forward_16(&r);
    }
    return OC_OK;
}

oc_status oci_pool_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    if (!in->wants_grad) return OC_OK;
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    bool max = oc_graph_node(plan->graph, unit->node)->op == OC_OP_MAX_POOL;
    const float *g = oci_incoming(plan, unit, first, n);
    float *target = oci_grad_target(plan, unit->in[0], first);
    tap_number *taps = max ? taps_of(unit, first) : NULL;
    size_t in_row = in->image / (size_t)in->blocks, out_row = out->image / (size_t)out->blocks;
    int rows = n * out->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        row r = {a,
                 in,
                 out,
                 g + (size_t)i * out_row,
                 target + (size_t)i * in_row,
                 taps ? taps + (size_t)i * out_row : NULL,
                 max};
        plan->lanes == 8 ? row_backward_8(&r) : row_backward_16(&r);
    }
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}

oc_status oci_global_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *dst = out->data + (size_t)first * out->image;
    int hw = in->h * in->w, lanes = plan->lanes, rows = n * in->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        const float *from = src + (size_t)i * (size_t)hw * (size_t)lanes;
        float sum[OCI_ROW] = {0};
        for (int s = 0; s < hw; s++, from += lanes)
#pragma omp simd
            for (int l = 0; l < lanes; l++) sum[l] += from[l];
#pragma omp simd
        for (int l = 0; l < lanes; l++) dst[i * lanes + l] = sum[l] / (float)hw;
    }
    return OC_OK;
}

oc_status oci_global_pool_backward(oci_plan *plan, oci_unit *unit, int first, int n,
                                   oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]];
    if (!in->wants_grad) return OC_OK;
    const float *g = oci_incoming(plan, unit, first, n);
    float *target = oci_grad_target(plan, unit->in[0], first);
    int hw = in->h * in->w, lanes = plan->lanes, rows = n * in->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        float share[OCI_ROW], *to = target + (size_t)i * (size_t)hw * (size_t)lanes;
#pragma omp simd
        for (int l = 0; l < lanes; l++) share[l] = g[i * lanes + l] / (float)hw;
        for (int s = 0; s < hw; s++, to += lanes) memcpy(to, share, (size_t)lanes * sizeof *to);
    }
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}
