/* Running a plan of the reference engine: forward through the nodes, backward the other way, one
 * optimiser step.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/ref/ref_int.h"

/* The input has nothing to do; softmax and quantize are never trained through; auxiliary losses
 * wait for the targets. */
static const ref_op OPS[OC_OP_COUNT] = {
    [OC_OP_CONV] = {ref_conv_forward, ref_conv_backward},
    [OC_OP_DENSE] = {ref_dense_forward, ref_dense_backward},
    [OC_OP_MAX_POOL] = {ref_max_pool_forward, ref_max_pool_backward},
    [OC_OP_AVG_POOL] = {ref_avg_pool_forward, ref_avg_pool_backward},
    [OC_OP_GLOBAL_POOL] = {ref_global_pool_forward, ref_global_pool_backward},
    [OC_OP_ADAPTIVE_POOL] = {ref_adaptive_pool_forward, ref_adaptive_pool_backward},
    [OC_OP_BATCH_NORM] = {ref_batch_norm_forward, ref_batch_norm_backward},
    [OC_OP_RELU] = {ref_activation_forward, ref_activation_backward},
    [OC_OP_RELU6] = {ref_activation_forward, ref_activation_backward},
    [OC_OP_SIGMOID] = {ref_activation_forward, ref_activation_backward},
    [OC_OP_TANH] = {ref_activation_forward, ref_activation_backward},
    [OC_OP_DROPOUT] = {ref_dropout_forward, ref_dropout_backward},
    [OC_OP_LRN] = {ref_lrn_forward, ref_lrn_backward},
    [OC_OP_ADD] = {ref_add_forward, ref_add_backward},
    [OC_OP_CONCAT] = {ref_concat_forward, ref_concat_backward},
    [OC_OP_FLATTEN] = {ref_flatten_forward, ref_flatten_backward},
    [OC_OP_SOFTMAX] = {ref_softmax_forward, NULL},
    [OC_OP_AUX_LOSS] = {NULL, ref_aux_loss_backward},
    [OC_OP_QUANTIZE] = {ref_quantize_forward, NULL},
    [OC_OP_LEAKY_RELU] = {ref_pointwise_forward, ref_pointwise_backward},
    [OC_OP_PRELU] = {ref_prelu_forward, ref_prelu_backward},
    [OC_OP_HARD_SIGMOID] = {ref_pointwise_forward, ref_pointwise_backward},
    [OC_OP_HARD_SWISH] = {ref_pointwise_forward, ref_pointwise_backward},
    [OC_OP_SILU] = {ref_pointwise_forward, ref_pointwise_backward},
    [OC_OP_CLIP] = {ref_pointwise_forward, ref_pointwise_backward},
    [OC_OP_POWER] = {ref_pointwise_forward, ref_pointwise_backward},
    [OC_OP_SCALE] = {ref_scale_forward, ref_scale_backward},
    [OC_OP_MULTIPLY] = {ref_multiply_forward, ref_multiply_backward},
    [OC_OP_MAXIMUM] = {ref_maximum_forward, ref_maximum_backward},
    [OC_OP_PAD] = {ref_pad_forward, ref_pad_backward},
    [OC_OP_GLOBAL_MAX_POOL] = {ref_global_max_pool_forward, ref_global_max_pool_backward},
};

const ref_op *ref_op_of(oc_op op) {
    return &OPS[op];
}

enum { FORWARD, BACKWARD };
static const char *const DIRECTIONS[] = {"forward", "backward"};

static void call(ref_plan *plan, ref_call *c, int direction) {
    ref_function *work =
        direction == FORWARD ? OPS[c->node->op].forward : OPS[c->node->op].backward;
    if (work == NULL) return;
    double start = plan->profile ? oc_clock_seconds() : 0;
    work(c);
    if (!plan->profile) return;
    c->seconds[direction] += oc_clock_seconds() - start;
    c->times[direction]++;
}

static ref_call *last_call(ref_plan *plan) {
    return &plan->calls[plan->count - 1];
}

/* weight * loss of all auxiliary heads; the gradient of each loss goes to its node's dout. */
static double aux_losses(ref_plan *plan, const oc_targets *targets) {
    double sum = 0;
    for (int i = 0; i < plan->count; i++) {
        ref_call *c = &plan->calls[i];
        oc_result one;
        if (c->node->op != OC_OP_AUX_LOSS) continue;
        oci_softmax_nll(c->in[0], (size_t)plan->run.n, plan->base.classes, targets, c->dout, &one);
        sum += (double)c->node->attrs.weight * one.loss;
    }
    return sum;
}

/* The loss writes the first gradient; the others start from zero, since each reader adds its own.
 */
oc_status ref_forward(oc_plan *base, const float *pixels, int n, uint64_t step,
                      const oc_targets *targets, oc_result *result, oc_error *err) {
    (void)err;
    ref_plan *plan = (ref_plan *)base;
    ref_call *first = &plan->calls[0], *last = last_call(plan);
    plan->run.n = n;
    plan->run.step = step;
    plan->run.replay = false;
    if (pixels != NULL) {
        memcpy(first->out, pixels, ref_volume(first, &first->out_shape) * sizeof *pixels);
    }
    for (int i = 0; i < plan->count; i++) {
        const ref_call *c = &plan->calls[i];
        call(plan, &plan->calls[i], FORWARD);
        if (base->observer)
            base->observer(base->observer_ctx, i, c->out, ref_volume(c, &c->out_shape));
    }
    if (targets == NULL) return OC_OK;
    memset(plan->gradients, 0, plan->gradient_values * sizeof *plan->gradients);
    oci_softmax_nll(last->out, (size_t)n, base->classes, targets, last->dout, result);
    result->aux = aux_losses(plan, targets);
    return OC_OK;
}

oc_status ref_backward(oc_plan *base, oc_error *err) {
    (void)err;
    ref_plan *plan = (ref_plan *)base;
    for (int i = plan->count - 1; i >= 0; i--) {
        if (plan->calls[i].dout != NULL) call(plan, &plan->calls[i], BACKWARD);
    }
    return OC_OK;
}

/* ---- update -----------------------------------------------------------------------------------
 */

static size_t param_values(const ref_plan *plan, int i) {
    size_t count = 0;
    (void)oc_shape_count(&oc_graph_param(plan->graph, i)->shape, &count);
    return count;
}

static double node_squares(const ref_plan *plan, const oc_node *node) {
    double sum = 0;
    for (int i = node->first_param; i < node->first_param + node->param_count; i++) {
        if (!plan->trained[i]) continue;
        sum += oci_sum_squares(plan->grads + plan->offset[i], param_values(plan, i));
    }
    return sum;
}

static float clip_scale(const ref_plan *plan, const oc_update *update) {
    if (!(update->clip_norm > 0)) return 1;
    double sum = 0;
    for (int i = 0; i < plan->count; i++) sum += node_squares(plan, plan->calls[i].node);
    return oci_clip_scale(update, sqrt(sum));
}

static void update_node(ref_plan *plan, const oc_node *node, const oc_update *u, float scale) {
    for (int i = node->first_param; i < node->first_param + node->param_count; i++) {
        if (!plan->trained[i]) continue;
        size_t at = plan->offset[i];
        oci_update_range(u, plan->weights + at, plan->grads + at, plan->state[0] + at,
                         plan->state[1] + at, param_values(plan, i),
                         u->lr_scale == NULL ? 1 : u->lr_scale[i],
                         u->decay_scale == NULL ? 1 : u->decay_scale[i], scale);
    }
}

oc_status ref_update(oc_plan *base, const oc_update *u, oc_error *err) {
    (void)err;
    ref_plan *plan = (ref_plan *)base;
    float clip = clip_scale(plan, u);
    for (int i = 0; i < plan->count; i++) {
        const oc_node *node = plan->calls[i].node;
        float scale = clip;
        if (u->renormalise) scale = oci_renormalise_scale(sqrt(node_squares(plan, node)));
        update_node(plan, node, u, scale);
    }
    return OC_OK;
}

/* ---- looking inside ---------------------------------------------------------------------------
 */

static bool all_finite(const float *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}

static bool node_finite(const ref_plan *plan, const ref_call *c) {
    for (int k = 0; k < c->node->param_count; k++) {
        if (!all_finite(c->param[k], param_values(plan, c->node->first_param + k))) return false;
    }
    return all_finite(c->out, ref_volume(c, &c->out_shape));
}

const char *ref_find_nonfinite(oc_plan *base) {
    ref_plan *plan = (ref_plan *)base;
    plan->run.replay = true;
    for (int i = 0; i < plan->count; i++) {
        ref_call *c = &plan->calls[i];
        call(plan, c, FORWARD);
        if (!node_finite(plan, c)) return c->node->name;
    }
    return NULL;
}

static oc_op_time time_of(const ref_plan *plan, const ref_call *c, int direction) {
    return (oc_op_time){.node = c->node->name,
                        .what = DIRECTIONS[direction],
                        .kernel = "own",
                        .seconds = c->seconds[direction],
                        .calls = c->times[direction],
                        .macs = oc_graph_macs(plan->graph, c->index, plan->shapes)};
}

size_t ref_times(const oc_plan *base, oc_op_time *out, size_t max) {
    const ref_plan *plan = (const ref_plan *)base;
    size_t count = 0;
    for (int i = 0; i < plan->count; i++) {
        const ref_call *c = &plan->calls[i];
        for (int d = FORWARD; d <= BACKWARD; d++) {
            if (c->times[d] == 0) continue;
            if (count < max) out[count] = time_of(plan, c, d);
            count++;
        }
    }
    return count;
}
