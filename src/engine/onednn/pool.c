/* Max, average and global average pooling over blocked floats.
 *
 * Our own, because the library's pools know neither rounded-up output sizes whose last window hangs
 * over the edge nor torch's divisor for it. A max pool keeps, per output, which tap of the window
 * won (first of equals), so that the way back needs no values.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_int.h"

/* The part of the window at output (y, x) that lies inside the input. */
typedef struct window {
    int y0, y1, x0, x1; /* y0 <= y < y1 */
    int top, left;      /* where tap (0, 0) is */
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
    w.y0 = at_least(w.top, 0), w.y1 = at_most(w.top + a->kernel_h, in->h);
    w.x0 = at_least(w.left, 0), w.x1 = at_most(w.left + a->kernel_w, in->w);
    return w;
}

/* Average: 1 / divisor. Padding counts, what hangs over it does not. */
static inline float share_of(const oc_attrs *a, const oci_value *in, const window *w) {
    if (!a->count_pad) return 1.F / (float)((w->y1 - w->y0) * (w->x1 - w->x0));
    int high = at_most(w->top + a->kernel_h, in->h + a->pad_bottom) - w->top;
    int wide = at_most(w->left + a->kernel_w, in->w + a->pad_right) - w->left;
    return 1.F / (float)(high * wide);
}

oc_status oci_pool_check(const oc_node *node, oc_error *err) {
    const oc_attrs *a = &node->attrs;
    if ((int64_t)a->kernel_h * a->kernel_w <= UINT16_MAX + 1) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "pool '%s': a window of %d x %d has more than %d values: use a global pool",
                   node->name, a->kernel_h, a->kernel_w, UINT16_MAX + 1);
}

size_t oci_pool_side(const oci_plan *plan, const oci_unit *unit) {
    bool max = oc_graph_node(plan->graph, unit->node)->op == OC_OP_MAX_POOL;
    return max ? plan->values[unit->out].image * sizeof(oci_tap) : 0;
}

/* ---- average: windows of a plane of one block of channels, the lanes known to the compiler -----
 */

static inline void avg_forward(const oc_attrs *a, const oci_value *in, const oci_value *out,
                               int lanes, const float *src, float *dst) {
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++, dst += lanes) {
            window w = window_at(a, in, y, x);
            float sum[OCI_ROW] = {0}, share = share_of(a, in, &w);
            for (int iy = w.y0; iy < w.y1; iy++)
                for (int ix = w.x0; ix < w.x1; ix++) {
                    const float *v =
                        src + ((size_t)iy * (size_t)in->w + (size_t)ix) * (size_t)lanes;
#pragma omp simd
                    for (int l = 0; l < lanes; l++) sum[l] += v[l];
                }
#pragma omp simd
            for (int l = 0; l < lanes; l++) dst[l] = sum[l] * share;
        }
}

static inline void avg_backward(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                int lanes, const float *ddst, float *dsrc) {
    memset(dsrc, 0, (size_t)in->h * (size_t)in->w * (size_t)lanes * sizeof *dsrc);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++, ddst += lanes) {
            window w = window_at(a, in, y, x);
            float share = share_of(a, in, &w);
            for (int iy = w.y0; iy < w.y1; iy++)
                for (int ix = w.x0; ix < w.x1; ix++) {
                    float *v = dsrc + ((size_t)iy * (size_t)in->w + (size_t)ix) * (size_t)lanes;
#pragma omp simd
                    for (int l = 0; l < lanes; l++) v[l] += ddst[l] * share;
                }
        }
}

OC_SIMD static void avg_forward_8(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                  const float *src, float *dst) {
    avg_forward(a, in, out, 8, src, dst);
}
OC_SIMD static void avg_forward_16(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                   const float *src, float *dst) {
    avg_forward(a, in, out, 16, src, dst);
}
OC_SIMD static void avg_backward_8(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                   const float *ddst, float *dsrc) {
    avg_backward(a, in, out, 8, ddst, dsrc);
}
OC_SIMD static void avg_backward_16(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                    const float *ddst, float *dsrc) {
    avg_backward(a, in, out, 16, ddst, dsrc);
}

/* ---- both kinds, plane by plane ---------------------------------------------------------------
 */

static oci_pool_plane plane_of(const oci_plan *plan, const oci_unit *unit) {
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    return (oci_pool_plane){.in_h = in->h,
                            .in_w = in->w,
                            .out_h = out->h,
                            .out_w = out->w,
                            .kernel_h = a->kernel_h,
                            .kernel_w = a->kernel_w,
                            .stride_h = a->stride_h,
                            .stride_w = a->stride_w,
                            .pad_top = a->pad_top,
                            .pad_left = a->pad_left,
                            .lanes = plan->lanes};
}

static bool is_max(const oci_plan *plan, const oci_unit *unit) {
    return oc_graph_node(plan->graph, unit->node)->op == OC_OP_MAX_POOL;
}

static oci_tap *taps_of(const oci_unit *unit, int first) {
    return unit->side ? (oci_tap *)(void *)(unit->side + (size_t)first * unit->side_image) : NULL;
}

oc_status oci_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    const oci_pool_plane plane = plane_of(plan, unit);
    const oci_pool_loops *loops = is_max(plan, unit) ? &oci_loops_here()->pool : NULL;
    float *dst = out->data + (size_t)first * out->image;
    oci_tap *taps = taps_of(unit, first);
    size_t row = out->image / (size_t)out->blocks;
    int rows = n * out->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        const float *src = oci_read_row(plan, unit->in[0], first, i);
        size_t at = (size_t)i * row;
        if (loops)
            loops->largest(&plane, src, dst + at, taps ? taps + at : NULL);
        else if (plan->lanes == 8)
            avg_forward_8(a, in, out, src, dst + at);
        else
            avg_forward_16(a, in, out, src, dst + at);
    }
    return OC_OK;
}

oc_status oci_pool_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    if (!in->wants_grad) return OC_OK;
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    const oci_pool_plane plane = plane_of(plan, unit);
    const oci_pool_loops *loops = is_max(plan, unit) ? &oci_loops_here()->pool : NULL;
    float *target = oci_grad_target(plan, unit->in[0], first);
    const oci_tap *taps = taps_of(unit, first);
    size_t in_row = in->image / (size_t)in->blocks, out_row = out->image / (size_t)out->blocks;
    int rows = n * out->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        const float *g = oci_incoming_row(plan, unit, first, i);
        float *to = target + (size_t)i * in_row;
        if (loops)
            loops->to_winners(&plane, g, taps + (size_t)i * out_row, to);
        else if (plan->lanes == 8)
            avg_backward_8(a, in, out, g, to);
        else
            avg_backward_16(a, in, out, g, to);
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
