/* Ops that are too rare for a kernel of their own: a few images at a time are copied from blocks to
 * plain floats, and the reference engine's loops do the rest.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/onednn_int.h"
#include "engine/ref/ref_int.h"

bool oci_is_by_ref(const oc_node *node) {
    switch (node->op) {
    case OC_OP_LRN:
        return node->attrs.within;
    case OC_OP_PRELU:
    case OC_OP_SCALE:
    case OC_OP_MULTIPLY:
    case OC_OP_MAXIMUM:
    case OC_OP_PAD:
    case OC_OP_GLOBAL_MAX_POOL:
        return true;
    default:
        return false;
    }
}

static size_t plain_image(const oci_value *v) {
    return (size_t)v->c * (size_t)v->h * (size_t)v->w;
}

/* (n, c, h, w), or the same values as vectors where they are seen through a flatten. */
static oc_shape shape_of(const oci_value *v, int n, bool flat) {
    if (flat) return oc_shape_4d(n, (int64_t)plain_image(v), 1, 1);
    return oc_shape_4d(n, v->c, v->h, v->w);
}

static size_t param_values(const oci_plan *plan, const oc_node *node, int k) {
    size_t count = 0;
    (void)oc_shape_count(&oc_graph_param(plan->graph, node->first_param + k)->shape, &count);
    return count;
}

size_t oci_by_ref_scratch(const oci_plan *plan, const oci_unit *unit) {
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    size_t image = plain_image(&plan->values[unit->out]), params = 0;
    for (int k = 0; k < unit->in_count; k++)
        image += (unit->back ? 2 : 1) * plain_image(&plan->values[unit->in[k]]);
    for (int k = 0; k < node->param_count; k++) params += param_values(plan, node, k);
    return image * (size_t)unit->chunk + params;
}

/* The next `count` floats of the scratch. */
static float *take(float **at, size_t count) {
    float *p = *at;
    *at += count;
    return p;
}

static void to_plain(const oci_plan *plan, const oci_value *v, const float *from, float *to,
                     int n) {
    size_t hw = (size_t)v->h * (size_t)v->w;
#pragma omp parallel for
    for (int i = 0; i < n; i++)
        oci_unblock_image(to + (size_t)i * plain_image(v), from + (size_t)i * v->image, v->c, hw,
                          plan->lanes);
}

static void to_blocks(const oci_plan *plan, const oci_value *v, const float *from, float *to,
                      int n) {
    size_t hw = (size_t)v->h * (size_t)v->w;
#pragma omp parallel for
    for (int i = 0; i < n; i++)
        oci_block_image(to + (size_t)i * v->image, from + (size_t)i * plain_image(v), v->c, hw,
                        plan->lanes);
}

/* The call without output and gradients: inputs copied, parameters where they are. */
static void open_call(oci_plan *plan, const oci_unit *unit, int first, const ref_run *run,
                      ref_call *c, float **at) {
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    *c = (ref_call){.node = node,
                    .index = unit->node,
                    .run = run,
                    .out_shape = shape_of(&plan->values[unit->out], run->n, false)};
    for (int k = 0; k < unit->in_count; k++) {
        const oci_value *v = &plan->values[unit->in[k]];
        float *to = take(at, (size_t)run->n * plain_image(v));
        to_plain(plan, v, oci_read(plan, unit->in[k], first, run->n), to, run->n);
        c->in[k] = to;
        c->in_shape[k] = shape_of(v, run->n, unit->flat);
    }
    for (int k = 0; k < node->param_count; k++) /* only ever read */
        c->param[k] = (float *)(uintptr_t)oci_weights_at(plan, node->first_param + k);
}

oc_status oci_by_ref_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const ref_run run = {.n = n};
    const oci_value *out = &plan->values[unit->out];
    float *at = plan->plain_scratch;
    ref_call c;
    open_call(plan, unit, first, &run, &c, &at);
    c.out = take(&at, (size_t)n * plain_image(out));
    ref_op_of(c.node->op)->forward(&c);
    to_blocks(plan, out, c.out, out->data + (size_t)first * out->image, n);
    return OC_OK;
}

/* A chunk's parameter gradients to those of the batch. */
static void add_params(oci_plan *plan, const ref_call *c, bool is_first) {
    for (int k = 0; k < c->node->param_count; k++) {
        size_t count = param_values(plan, c->node, k);
        if (c->dparam[k] == NULL) continue;
        float *to = plan->grads + plan->places[c->node->first_param + k].offset;
        if (is_first)
            memcpy(to, c->dparam[k], count * sizeof *to);
        else
            for (size_t i = 0; i < count; i++) to[i] += c->dparam[k][i];
    }
}

static void give_gradients(oci_plan *plan, const oci_unit *unit, const ref_call *c, int first) {
    int n = c->run->n;
    for (int k = 0; k < unit->in_count; k++) {
        oci_value *v = &plan->values[unit->in[k]];
        if (!v->wants_grad) continue;
        int again = oci_repeats(unit, k);
        v->written += again;
        float *target = oci_grad_target(plan, unit->in[k], first);
        to_blocks(plan, v, c->din[k], target, n);
        oci_grad_commit(plan, unit->in[k], first, n, target);
        v->written -= again;
    }
}

oc_status oci_by_ref_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const ref_run run = {.n = n, .training = true};
    const oci_value *out = &plan->values[unit->out];
    float *at = plan->plain_scratch;
    ref_call c;
    open_call(plan, unit, first, &run, &c, &at);
    c.dout = take(&at, (size_t)n * plain_image(out));
    to_plain(plan, out, oci_incoming(plan, unit, first, n), c.dout, n);
    for (int k = 0; k < unit->in_count; k++) {
        size_t count = (size_t)n * plain_image(&plan->values[unit->in[k]]);
        if (!plan->values[unit->in[k]].wants_grad) continue;
        c.din[k] = take(&at, count);
        memset(c.din[k], 0, count * sizeof *c.din[k]);
    }
    for (int k = 0; k < c.node->param_count; k++)
        if (plan->places[c.node->first_param + k].trained)
            c.dparam[k] = take(&at, param_values(plan, c.node, k));
    ref_op_of(c.node->op)->backward(&c);
    add_params(plan, &c, first == 0);
    give_gradients(plan, unit, &c, first);
    return OC_OK;
}
