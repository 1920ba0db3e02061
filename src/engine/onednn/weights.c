/* Weights, gradients and optimiser state: slabs in the engine's own layout. Only this file
 * reorders, and only when values come in or go out; an optimiser step is one pass over plain
 * ranges.
 *
 * A place holds whole cache lines; what pads it is zero in every slab and stays so.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/onednn/int8.h"

/* A dense layer whose source is one value a channel: its rows are torch's. */
static bool rows_as_torch(const oci_plan *plan, const oci_unit *unit) {
    const oci_value *in = &plan->values[unit->in[0]];
    return oc_graph_node(plan->graph, unit->node)->op == OC_OP_DENSE && in->h == 1 && in->w == 1 &&
           in->image == (size_t)in->c;
}

static oc_status place_conv(oci_plan *plan, const oci_unit *unit, oc_error *err) {
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    const oci_value *in = &plan->values[unit->in[0]];
    bool dense = node->op == OC_OP_DENSE;
    oci_place *p = &plan->places[node->first_param];
    if (rows_as_torch(plan, unit)) {
        p->borrowed = plan->face.mode == OC_MODE_INFER && plan->options.borrow &&
                      unit->folded < 0 &&
                      oci_param_is_large(oc_graph_param(plan->graph, node->first_param));
        if (unit->folded < 0) return OC_OK;
    }
    OC_TRY(oci_layout_copy(&p->layout, oci_conv_unit_layout(unit), err));
    OC_TRY(oci_layout_plain(&p->plain, node->attrs.out, in->c, dense ? 1 : node->attrs.groups,
                            dense ? in->h : node->attrs.kernel_h,
                            dense ? in->w : node->attrs.kernel_w, err));
    OC_TRY(oci_reorder_new(&p->in, plan->dnn, p->plain, p->layout, err));
    OC_TRY(oci_reorder_new(&p->out, plan->dnn, p->layout, p->plain, err));
    p->count = oci_layout_bytes(p->layout) / sizeof(float);
    return OC_OK;
}

static oc_status slab_new(oci_plan *plan, float **out, oc_error *err) {
    size_t bytes = (plan->slab + OCI_ROW) * sizeof(float);
    return oci_take(plan, out, &plan->held.weights, bytes, "weights", err);
}

const oci_unit *oci_shared_unit(const oci_plan *plan, const oci_unit *unit) {
    const oci_plan *from = oci_sharing(plan);
    for (int u = 0; from && u < from->unit_count; u++)
        if (from->units[u].node == unit->node && from->units[u].kind == unit->kind)
            return &from->units[u];
    return NULL;
}

/* Does the other plan keep weights of this parameter, in the same layout? */
static bool shares(const oci_plan *plan, int param) {
    const oci_plan *from = oci_sharing(plan);
    if (!from || oc_graph_param(plan->graph, param)->kind != OC_PARAM_WEIGHT) return false;
    const oci_place *p = &plan->places[param], *q = &from->places[param];
    if (p->elsewhere || q->elsewhere || !p->layout != !q->layout) return false;
    return !p->layout || oci_layout_equal(p->layout, q->layout);
}

oc_status oci_weights_place(oci_plan *plan, oc_error *err) {
    for (int u = 0; u < plan->unit_count; u++)
        if (plan->units[u].kind == OCI_UNIT_CONV) OC_TRY(place_conv(plan, &plan->units[u], err));
    for (int i = 0; i < oc_graph_param_count(plan->graph); i++) {
        oci_place *p = &plan->places[i];
        size_t plain = 0;
        if (!oc_shape_count(&oc_graph_param(plan->graph, i)->shape, &plain))
            return oc_fail(err, OC_ELIMIT, "%s: too large", oc_graph_param(plan->graph, i)->name);
        if (!p->layout) p->count = p->borrowed || p->elsewhere ? 0 : plain;
        p->shared = shares(plan, i);
        if (p->shared) p->count = 0;
        p->count = (p->count + OCI_ROW - 1) / OCI_ROW * OCI_ROW;
        p->offset = plan->slab;
        plan->slab += p->count;
    }
    OC_TRY(slab_new(plan, &plan->weights, err));
    if (plan->face.mode == OC_MODE_TRAIN) OC_TRY(slab_new(plan, &plan->grads, err));
    return OC_OK;
}

void oci_weights_free(oci_plan *plan) {
    int count = plan->places ? oc_graph_param_count(plan->graph) : 0;
    for (int i = 0; i < count; i++) {
        oci_layout_free(plan->places[i].layout);
        oci_layout_free(plan->places[i].plain);
        oci_reorder_free(plan->places[i].in);
        oci_reorder_free(plan->places[i].out);
    }
    oc_free(plan->places);
    oc_free_aligned(plan->weights);
    oc_free_aligned(plan->grads);
    oc_free_aligned(plan->state[0]);
    oc_free_aligned(plan->state[1]);
}

static float *slab_of(const oci_plan *plan, oc_slot slot) {
    switch (slot) {
    case OC_SLOT_WEIGHTS:
        return plan->weights;
    case OC_SLOT_GRADS:
        return plan->grads;
    case OC_SLOT_STATE_0:
        return plan->state[0];
    default:
        return plan->state[1];
    }
}

static size_t plain_count(const oci_plan *plan, int param) {
    size_t count = 0;
    return oc_shape_count(&oc_graph_param(plan->graph, param)->shape, &count) ? count : 0;
}

/* ---- folding a batch norm into the convolution before it
 * ------------------------------------------------ */

/* w' = w g / sqrt(var + eps), b' = shift + (b - mean) g / sqrt(var + eps), in torch's layout. */
static oc_status fold(oci_plan *plan, const oci_unit *unit, const oc_tensors *set, oc_error *err) {
    const oc_node *conv = oc_graph_node(plan->graph, unit->node);
    const oc_node *norm = oc_graph_node(plan->graph, unit->folded);
    const float *w, *b = NULL, *bn[4];
    OC_TRY(oci_param_find(set, oc_graph_param(plan->graph, conv->first_param), &w, err));
    if (conv->attrs.bias)
        OC_TRY(oci_param_find(set, oc_graph_param(plan->graph, conv->first_param + 1), &b, err));
    for (int i = 0; i < 4; i++)
        OC_TRY(
            oci_param_find(set, oc_graph_param(plan->graph, norm->first_param + i), &bn[i], err));
    size_t count = plain_count(plan, conv->first_param), out = (size_t)conv->attrs.out;
    float *scaled = oc_malloc_aligned(count * sizeof *scaled);
    if (!scaled) return oc_fail_nomem(err, count * sizeof *scaled, "folded weights");
    float *bias = oci_conv_folded_bias(unit);
    for (size_t o = 0; o < out; o++) {
        float a = bn[0][o] / sqrtf(bn[3][o] + norm->attrs.epsilon);
        bias[o] = bn[1][o] + ((b ? b[o] : 0.f) - bn[2][o]) * a;
        for (size_t i = o * (count / out); i < (o + 1) * (count / out); i++) scaled[i] = w[i] * a;
    }
    const oci_place *p = &plan->places[conv->first_param];
    oc_status status = OC_OK;
    if (!p->shared) status = oci_reorder_run(p->in, scaled, plan->weights + p->offset, err);
    oc_free_aligned(scaled);
    return status;
}

/* ---- in and out
 * -------------------------------------------------------------------------------------------- */

static oc_status import_one(oci_plan *plan, float *slab, int param, const oc_tensors *set,
                            oc_error *err) {
    const oci_place *p = &plan->places[param];
    const float *src;
    OC_TRY(oci_param_find(set, oc_graph_param(plan->graph, param), &src, err));
    if (p->shared) return OC_OK;
    if (p->layout) return oci_reorder_run(p->in, src, slab + p->offset, err);
    if (p->borrowed) {
        plan->places[param].lent = src;
        return OC_OK;
    }
    float *dst = slab + p->offset;
    if (dst != src) memcpy(dst, src, plain_count(plan, param) * sizeof *src);
    return OC_OK;
}

oc_status oci_weights_lie(oci_plan *plan, oc_slot slot, int param, float **out, oc_error *err) {
    *out = NULL;
    if (slot == OC_SLOT_STATE_0 || slot == OC_SLOT_STATE_1)
        OC_TRY(slab_new(plan, &plan->state[slot - OC_SLOT_STATE_0], err));
    if (!plan->places[param].layout) *out = slab_of(plan, slot) + plan->places[param].offset;
    return OC_OK;
}

oc_status oci_weights_import(oci_plan *plan, oc_slot slot, const oc_tensors *set, oc_error *err) {
    if (slot == OC_SLOT_STATE_0 || slot == OC_SLOT_STATE_1)
        OC_TRY(slab_new(plan, &plan->state[slot - OC_SLOT_STATE_0], err));
    float *slab = slab_of(plan, slot);
    for (int i = 0; i < oc_graph_param_count(plan->graph); i++)
        if ((slot == OC_SLOT_WEIGHTS && !plan->places[i].elsewhere) || plan->places[i].trained)
            OC_TRY(import_one(plan, slab, i, set, err));
    if (slot != OC_SLOT_WEIGHTS) return OC_OK;
    for (int u = 0; u < plan->unit_count; u++) {
        if (plan->units[u].folded >= 0) OC_TRY(fold(plan, &plan->units[u], set, err));
        if (plan->units[u].kind == OCI_UNIT_CONV) oci_conv_keep(plan, &plan->units[u]);
        if (plan->units[u].byte_conv) OC_TRY(oci_byte_conv_import(plan, &plan->units[u], set, err));
    }
    for (int i = 0; i < plan->norm_count; i++)
        if (!plan->norms[i].batch_stats) oci_norm_running(plan, &plan->norms[i]);
    return OC_OK;
}

oc_status oci_weights_export(const oci_plan *plan, oc_slot slot, oc_tensors *set, bool lend,
                             oc_error *err) {
    if (slot == OC_SLOT_WEIGHTS && plan->face.mode == OC_MODE_INFER)
        return oc_fail(err, OC_EUNSUPPORTED,
                       "an inference plan has its batch norms folded and cannot give weights back; "
                       "keep the set they came from");
    float *slab = slab_of(plan, slot);
    for (int i = 0; i < oc_graph_param_count(plan->graph); i++) {
        const oci_place *p = &plan->places[i];
        const oc_param *param = oc_graph_param(plan->graph, i);
        if (slot != OC_SLOT_WEIGHTS && !p->trained) continue;
        if (lend && slab && !p->layout && oci_param_is_large(param))
            OC_TRY(oci_param_lend(set, param, slab + p->offset, err));
        float *dst;
        OC_TRY(oci_param_place(set, param, &dst, err));
        size_t count = plain_count(plan, i);
        if (!slab)
            memset(dst, 0, count * sizeof *dst);
        else if (p->layout)
            OC_TRY(oci_reorder_run(p->out, slab + p->offset, dst, err));
        else if (dst != slab + p->offset)
            memcpy(dst, slab + p->offset, count * sizeof *dst);
    }
    return OC_OK;
}

/* ---- update
 * ----------------------------------------------------------------------------------------------------
 */

static double norm_of(const oci_plan *plan, int first, int count) {
    double sum = 0;
    for (int i = first; i < first + count; i++)
        if (plan->places[i].trained)
            sum += oci_sum_squares(plan->grads + plan->places[i].offset, plan->places[i].count);
    return sqrt(sum);
}

static void update_node(oci_plan *plan, const oc_update *u, const oc_node *node, float scale) {
    for (int i = node->first_param; i < node->first_param + node->param_count; i++) {
        const oci_place *p = &plan->places[i];
        if (!p->trained) continue;
        float *s0 = plan->state[0] ? plan->state[0] + p->offset : NULL;
        float *s1 = plan->state[1] ? plan->state[1] + p->offset : NULL;
        oci_update_range(u, plan->weights + p->offset, plan->grads + p->offset, s0, s1, p->count,
                         u->lr_scale ? u->lr_scale[i] : 1.f,
                         u->decay_scale ? u->decay_scale[i] : 1.f, scale);
    }
}

oc_status oci_weights_update(oci_plan *plan, const oc_update *u, oc_error *err) {
    OC_TRY(slab_new(plan, &plan->state[0], err));
    if (oci_optimizer_slots(u->optimizer) > 1) OC_TRY(slab_new(plan, &plan->state[1], err));
    int params = oc_graph_param_count(plan->graph);
    float joint = u->clip_norm > 0 ? oci_clip_scale(u, norm_of(plan, 0, params)) : 1.f;
    for (int i = 0; i < oc_graph_node_count(plan->graph); i++) {
        const oc_node *node = oc_graph_node(plan->graph, i);
        if (!node->param_count) continue;
        float own = u->renormalise
                        ? oci_renormalise_scale(norm_of(plan, node->first_param, node->param_count))
                        : 1.f;
        update_node(plan, u, node, joint * own);
    }
    for (int i = 0; i < plan->norm_count; i++)
        if (!plan->norms[i].batch_stats) oci_norm_running(plan, &plan->norms[i]);
    return OC_OK;
}
