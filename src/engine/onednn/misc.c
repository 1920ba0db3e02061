/* The small units: blocking the input, concatenation, dropout, softmax, local response
 * normalisation; and the table of all kinds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/onednn/int8.h"

static oc_status block_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *dst = out->data + (size_t)first * out->image;
#pragma omp parallel for
    for (int i = 0; i < n; i++)
        oci_block_image(dst + (size_t)i * out->image, src + (size_t)i * in->image, in->c,
                        (size_t)in->h * (size_t)in->w, plan->lanes);
    return OC_OK;
}

static oc_status copy_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    float *dst = out->data + (size_t)first * out->image;
    size_t row = out->image / (size_t)out->blocks;
    int rows = n * out->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++)
        memcpy(dst + (size_t)i * row, oci_read_row(plan, unit->in[0], first, i), row * sizeof *dst);
    return OC_OK;
}

/* ---- concatenation along channels
 * ---------------------------------------------------------------- */

/* Channels [at, at + v->c) of one image of `whole`, to or from block k of `part`. Whole blocks are
 * copied; channels that start or end inside a block move one by one. */
static void concat_block(float *whole, float *part, int at, int k, const oci_value *v, int lanes,
                         bool to_whole) {
    size_t hw = (size_t)v->h * (size_t)v->w;
    if (at % lanes == 0 && v->c % lanes == 0) {
        float *w = whole + (size_t)(at + k * lanes) * hw, *p = part + (size_t)(k * lanes) * hw;
        memcpy(to_whole ? w : p, to_whole ? p : w, hw * (size_t)lanes * sizeof *w);
        return;
    }
    for (int c = k * lanes; c < v->c && c < (k + 1) * lanes; c++) {
        float *w = whole + (size_t)((at + c) / lanes) * hw * (size_t)lanes + (at + c) % lanes;
        float *p = part + (size_t)(c / lanes) * hw * (size_t)lanes + c % lanes;
        for (size_t s = 0; s < hw * (size_t)lanes; s += (size_t)lanes)
            if (to_whole)
                w[s] = p[s];
            else
                p[s] = w[s];
    }
}

static void zero_last_block(const oci_value *v, float *image, int lanes) {
    size_t row = v->image / (size_t)v->blocks;
    if (v->c % lanes) memset(image + v->image - row, 0, row * sizeof *image);
}

static oc_status concat_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    float *dst = out->data + (size_t)first * out->image;
    for (int i = 0; i < n; i++) zero_last_block(out, dst + (size_t)i * out->image, plan->lanes);
    int at = 0;
    for (int k = 0; k < unit->in_count; k++) {
        const oci_value *in = &plan->values[unit->in[k]];
        const float *src = oci_read(plan, unit->in[k], first, n);
        int blocks = in->blocks;
#pragma omp parallel for collapse(2)
        for (int i = 0; i < n; i++)
            for (int b = 0; b < blocks; b++)
                concat_block(dst + (size_t)i * out->image, (float *)(src + (size_t)i * in->image),
                             at, b, in, plan->lanes, true);
        at += in->c;
    }
    return OC_OK;
}

static oc_status concat_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    const float *g = oci_incoming(plan, unit, first, n);
    int at = 0;
    for (int k = 0; k < unit->in_count; k++) {
        oci_value *in = &plan->values[unit->in[k]];
        if (in->wants_grad) {
            int again = oci_repeats(unit, k);
            in->written += again;
            float *target = oci_grad_target(plan, unit->in[k], first);
#pragma omp parallel for
            for (int i = 0; i < n; i++) {
                zero_last_block(in, target + (size_t)i * in->image, plan->lanes);
                for (int b = 0; b < in->blocks; b++)
                    concat_block((float *)(g + (size_t)i * out->image),
                                 target + (size_t)i * in->image, at, b, in, plan->lanes, false);
            }
            oci_grad_commit(plan, unit->in[k], first, n, target);
            in->written -= again;
        }
        at += in->c;
    }
    return OC_OK;
}

/* ---- dropout
 * --------------------------------------------------------------------------------------- */

/* The mask is drawn over the plain (n, c, h, w) index, so that every engine draws the same. */
static void dropout_image(const oci_value *v, int lanes, const uint8_t *keep, float scale,
                          const float *src, float *dst) {
    size_t hw = (size_t)v->h * (size_t)v->w;
    zero_last_block(v, dst, lanes);
    for (int c = 0; c < v->c; c++) {
        size_t at = (size_t)(c / lanes) * hw * (size_t)lanes + (size_t)(c % lanes);
        for (size_t s = 0; s < hw; s++)
            dst[at + s * (size_t)lanes] =
                keep[(size_t)c * hw + s] ? src[at + s * (size_t)lanes] * scale : 0.F;
    }
}

static void dropout_all(oci_plan *plan, const oci_unit *unit, const float *src, float *dst,
                        int first, int n) {
    const oci_value *v = &plan->values[unit->out];
    float scale = 1.f / (1.f - oci_unit_attrs(plan, unit)->p);
    const uint8_t *keep = unit->side + (size_t)first * unit->side_image;
#pragma omp parallel for
    for (int i = 0; i < n; i++)
        dropout_image(v, plan->lanes, keep + (size_t)i * unit->side_image, scale,
                      src + (size_t)i * v->image, dst + (size_t)i * v->image);
}

static oc_status dropout_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    if (first == 0)
        oci_dropout_mask(unit->side, (size_t)plan->images * unit->side_image,
                         oci_unit_attrs(plan, unit)->p, plan->options.seed, unit->node, plan->step);
    dropout_all(plan, unit, oci_read(plan, unit->in[0], first, n),
                out->data + (size_t)first * out->image, first, n);
    return OC_OK;
}

static oc_status dropout_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const float *g = oci_incoming(plan, unit, first, n);
    float *target = oci_grad_target(plan, unit->in[0], first);
    dropout_all(plan, unit, g, target, first, n);
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}

/* ---- softmax over channels
 * ---------------------------------------------------------------------------- */

static size_t channel_at(int c, size_t hw, int lanes) {
    return (size_t)(c / lanes) * hw * (size_t)lanes + (size_t)(c % lanes);
}

static oc_status softmax_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *dst = out->data + (size_t)first * out->image;
    int hw = out->h * out->w, lanes = plan->lanes, rows = n * hw;
    memset(dst, 0, (size_t)n * out->image * sizeof *dst);
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        size_t at = (size_t)(i / hw) * out->image + (size_t)(i % hw) * (size_t)lanes;
        const float *x = src + at;
        float *y = dst + at, most = x[0], sum = 0;
        for (int c = 1; c < out->c; c++) most = fmaxf(most, x[channel_at(c, (size_t)hw, lanes)]);
        for (int c = 0; c < out->c; c++) {
            size_t k = channel_at(c, (size_t)hw, lanes);
            sum += y[k] = expf(x[k] - most);
        }
        for (int c = 0; c < out->c; c++) y[channel_at(c, (size_t)hw, lanes)] /= sum;
    }
    return OC_OK;
}

static oc_status softmax_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    const float *g = oci_incoming(plan, unit, first, n);
    const float *y = out->data + (size_t)first * out->image;
    float *target = oci_grad_target(plan, unit->in[0], first);
    int hw = out->h * out->w, lanes = plan->lanes, rows = n * hw;
    memset(target, 0, (size_t)n * out->image * sizeof *target);
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        size_t at = (size_t)(i / hw) * out->image + (size_t)(i % hw) * (size_t)lanes;
        float dot = 0;
        for (int c = 0; c < out->c; c++) {
            size_t k = at + channel_at(c, (size_t)hw, lanes);
            dot += g[k] * y[k];
        }
        for (int c = 0; c < out->c; c++) {
            size_t k = at + channel_at(c, (size_t)hw, lanes);
            target[k] = y[k] * (g[k] - dot);
        }
    }
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}

/* ---- local response normalisation
 * --------------------------------------------------------------------- */

oc_status oci_lrn_unit_init(oci_plan *plan, oci_unit *unit, oc_error *err) {
    const oci_value *v = &plan->values[unit->out];
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    oci_lrn_shape s = {unit->chunk, v->c,    v->h,
                       v->w,        a->size, a->alpha,
                       a->beta,     a->k,    plan->face.mode == OC_MODE_TRAIN};
    OC_TRY(oci_lrn_new(&unit->lrn[0], plan->dnn, &s, err));
    s.n = plan->images % unit->chunk;
    if (s.n) OC_TRY(oci_lrn_new(&unit->lrn[1], plan->dnn, &s, err));
    unit->side_image = (oci_lrn_work(unit->lrn[0]) + (size_t)unit->chunk - 1) / (size_t)unit->chunk;
    return OC_OK;
}

static oci_lrn *lrn_for(const oci_unit *unit, int n) {
    return unit->lrn[n != unit->chunk];
}

static oc_status lrn_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    const oci_value *out = &plan->values[unit->out];
    void *work = unit->side ? unit->side + (size_t)first * unit->side_image : NULL;
    return oci_lrn_forward(lrn_for(unit, n), oci_read(plan, unit->in[0], first, n),
                           out->data + (size_t)first * out->image, work, err);
}

static oc_status lrn_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    void *work = unit->side ? unit->side + (size_t)first * unit->side_image : NULL;
    const float *g = oci_incoming(plan, unit, first, n);
    float *target = oci_grad_target(plan, unit->in[0], first);
    OC_TRY(oci_lrn_backward(lrn_for(unit, n), oci_read(plan, unit->in[0], first, n), g, target,
                            work, err));
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}

const oci_unit_ops *oci_unit_ops_of(oci_kind kind) {
    static const oci_unit_ops table[OCI_UNIT_COUNT] = {
        [OCI_UNIT_BLOCK] = {block_forward, NULL},
        [OCI_UNIT_CONV] = {oci_conv_forward, oci_conv_backward},
        [OCI_UNIT_COPY] = {copy_forward, oci_pass_backward},
        [OCI_UNIT_DERIVE] = {NULL, oci_pass_backward},
        [OCI_UNIT_ADD] = {oci_add_forward, oci_pass_backward},
        [OCI_UNIT_POOL] = {oci_pool_forward, oci_pool_backward},
        [OCI_UNIT_GLOBAL_POOL] = {oci_global_pool_forward, oci_global_pool_backward},
        [OCI_UNIT_CONCAT] = {concat_forward, concat_backward},
        [OCI_UNIT_DROPOUT] = {dropout_forward, dropout_backward},
        [OCI_UNIT_LRN] = {lrn_forward, lrn_backward},
        [OCI_UNIT_CURVE] = {oci_curve_forward, oci_curve_backward},
        [OCI_UNIT_BY_REF] = {oci_by_ref_forward, oci_by_ref_backward},
        [OCI_UNIT_SOFTMAX] = {softmax_forward, softmax_backward},
        [OCI_UNIT_ADAPTIVE_POOL] = {oci_adaptive_forward, oci_adaptive_backward},
        [OCI_UNIT_AUX_LOSS] = {oci_aux_forward, oci_aux_backward},
        [OCI_UNIT_QUANTIZE] = {oci_quantize_forward, NULL},
        [OCI_UNIT_RESTORE] = {oci_restore_forward, NULL},
        [OCI_UNIT_BYTE_CONV] = {oci_byte_conv_forward, NULL},
        [OCI_UNIT_BYTE_ADD] = {oci_byte_add_forward, NULL},
        [OCI_UNIT_BYTE_MAX_POOL] = {oci_byte_max_pool_forward, NULL},
        [OCI_UNIT_BYTE_GLOBAL_POOL] = {oci_byte_global_pool_forward, NULL},
        [OCI_UNIT_BYTE_CONCAT] = {oci_byte_concat_forward, NULL},
    };
    return &table[kind];
}
