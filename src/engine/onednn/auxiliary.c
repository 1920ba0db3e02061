/* What auxiliary heads need beside convolutions: pooling to a given number of windows, and the loss
 * in the middle of a network.
 *
 * The loss is taken during forward, when the targets are at hand; what stays until backward is its
 * gradient, in the unit's own value.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/onednn_int.h"

/* ---- adaptive average pool --------------------------------------------------------------------
 */

/* Rows (or columns) first..end-1, which output position o of `count` averages. */
typedef struct share {
    int first, end;
} share;

static share share_of(int o, int count, int in) {
    return (share){o * in / count, ((o + 1) * in + count - 1) / count};
}

/* The window of output position i, and the factor that makes a mean of its sum. */
static float window_of(const oci_value *in, const oci_value *out, int i, share *y, share *x) {
    *y = share_of(i / out->w, out->h, in->h);
    *x = share_of(i % out->w, out->w, in->w);
    return 1.f / (float)((y->end - y->first) * (x->end - x->first));
}

/* One block of channels of one image: src (h, w, lanes) to dst (oh, ow, lanes). */
static void mean_rows(const oci_value *in, const oci_value *out, int lanes, const float *src,
                      float *dst) {
    for (int i = 0; i < out->h * out->w; i++, dst += lanes) {
        share y, x;
        float scale = window_of(in, out, i, &y, &x), sum[OCI_ROW] = {0};
        for (int r = y.first; r < y.end; r++)
            for (int c = x.first; c < x.end; c++) {
                const float *from = src + ((size_t)r * (size_t)in->w + (size_t)c) * (size_t)lanes;
                for (int l = 0; l < lanes; l++) sum[l] += from[l];
            }
        for (int l = 0; l < lanes; l++) dst[l] = sum[l] * scale;
    }
}

static void spread_rows(const oci_value *in, const oci_value *out, int lanes, const float *g,
                        float *target) {
    memset(target, 0, (size_t)in->h * (size_t)in->w * (size_t)lanes * sizeof *target);
    for (int i = 0; i < out->h * out->w; i++, g += lanes) {
        share y, x;
        float scale = window_of(in, out, i, &y, &x);
        for (int r = y.first; r < y.end; r++)
            for (int c = x.first; c < x.end; c++) {
                float *to = target + ((size_t)r * (size_t)in->w + (size_t)c) * (size_t)lanes;
                for (int l = 0; l < lanes; l++) to[l] += g[l] * scale;
            }
    }
}

oc_status oci_adaptive_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *dst = out->data + (size_t)first * out->image;
    size_t in_row = in->image / (size_t)in->blocks, out_row = out->image / (size_t)out->blocks;
    int rows = n * in->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++)
        mean_rows(in, out, plan->lanes, src + (size_t)i * in_row, dst + (size_t)i * out_row);
    return OC_OK;
}

oc_status oci_adaptive_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    if (!in->wants_grad) return OC_OK;
    const float *g = oci_incoming(plan, unit, first, n);
    float *target = oci_grad_target(plan, unit->in[0], first);
    size_t in_row = in->image / (size_t)in->blocks, out_row = out->image / (size_t)out->blocks;
    int rows = n * in->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++)
        spread_rows(in, out, plan->lanes, g + (size_t)i * out_row, target + (size_t)i * in_row);
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}

/* ---- auxiliary loss ---------------------------------------------------------------------------
 */

/* The targets of item i alone. */
static oc_targets targets_at(const oc_targets *all, int i) {
    return (oc_targets){.label = all->label + i,
                        .label2 = all->label2 ? all->label2 + i : NULL,
                        .mix = all->mix ? all->mix + i : NULL,
                        .smoothing = all->smoothing};
}

/* Logits are vectors, whose blocks lie one behind the other: a row is plain but for its padding. */
oc_status oci_aux_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    if (!plan->targets) return OC_OK; /* only looking: what is there stays */
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *dst = out->data + (size_t)first * out->image;
    float scale = oci_unit_attrs(plan, unit)->weight / (float)plan->images;
    memset(dst, 0, (size_t)n * out->image * sizeof *dst);
    for (int i = 0; i < n; i++) {
        oc_targets targets = targets_at(plan->targets, first + i);
        oc_result result;
        float *row = dst + (size_t)i * out->image;
        oci_softmax_nll(src + (size_t)i * out->image, 1, (size_t)out->c, &targets, row, &result);
        for (int c = 0; c < out->c; c++) row[c] *= scale;
        plan->aux += (double)scale * result.loss;
    }
    return OC_OK;
}

oc_status oci_aux_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    if (!plan->values[unit->in[0]].wants_grad) return OC_OK;
    float *target = oci_grad_target(plan, unit->in[0], first);
    memcpy(target, out->data + (size_t)first * out->image, (size_t)n * out->image * sizeof *target);
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}
