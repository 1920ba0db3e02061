/* Making a plan of the reference engine: what stands where, and values in and out.
 *
 * Storage is laid out by walking the nodes twice with the same code: once from a base of NULL to
 * learn the sizes, once over the memory to hand out addresses.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/ref/ref_int.h"

/* Memory handed out from its start; base NULL counts only. */
typedef struct arena {
    char *base;
    size_t used;
} arena;

static void *take(arena *a, size_t count, size_t size) {
    void *at = a->base == NULL ? NULL : a->base + a->used;
    size_t bytes = count * size; /* below 2^40 values each: oc_graph_shapes has seen to it */
    a->used += (bytes + OC_CACHE_LINE - 1) / OC_CACHE_LINE * OC_CACHE_LINE;
    return at;
}

static size_t shape_values(const oc_shape *shape) {
    size_t count = 0;
    (void)oc_shape_count(shape, &count);
    return count;
}

/* ---- parameters -------------------------------------------------------------------------------
 */

/* Trained parameters first, so that their gradients are one range. */
static void place_params(ref_plan *plan, const oc_plan_options *options) {
    size_t at = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < oc_graph_param_count(plan->graph); i++) {
            plan->trained[i] = oci_param_is_trained(plan->graph, options, i);
            if (plan->trained[i] != (pass == 0)) continue;
            plan->offset[i] = at;
            at += shape_values(&oc_graph_param(plan->graph, i)->shape);
        }
        if (pass == 0) plan->trained_values = at;
    }
    plan->all_values = at;
}

static float *zeroed(size_t values) {
    float *p = oc_malloc_aligned(values * sizeof *p);
    if (p != NULL) memset(p, 0, values * sizeof *p);
    return p;
}

static oc_status make_slabs(ref_plan *plan, const oc_plan_options *options, oc_error *err) {
    size_t params = (size_t)oc_graph_param_count(plan->graph);
    plan->offset = oc_calloc(params, sizeof *plan->offset);
    plan->trained = oc_calloc(params, sizeof *plan->trained);
    if (plan->offset == NULL || plan->trained == NULL) {
        return oc_fail_nomem(err, params * sizeof *plan->offset, "the table of parameters");
    }
    place_params(plan, options);
    if (plan->measuring) return OC_OK;
    plan->shares = options->share != NULL;
    plan->weights = plan->shares ? ((ref_plan *)options->share)->weights : zeroed(plan->all_values);
    bool whole = plan->weights != NULL;
    if (options->mode == OC_MODE_TRAIN) {
        whole = whole && (plan->grads = zeroed(plan->trained_values)) != NULL &&
                (plan->state[0] = zeroed(plan->trained_values)) != NULL &&
                (plan->state[1] = zeroed(plan->trained_values)) != NULL;
    }
    if (whole) return OC_OK;
    return oc_fail_nomem(err, plan->all_values * sizeof(float), "the weights");
}

/* ---- activations ------------------------------------------------------------------------------
 */

static void bind_inputs(ref_plan *plan, ref_call *c) {
    for (int k = 0; k < c->node->input_count; k++) {
        const ref_call *from = &plan->calls[c->node->inputs[k]];
        c->in_shape[k] = from->out_shape;
        c->in[k] = from->out;
        c->din[k] = from->dout;
    }
}

static void bind_params(ref_plan *plan, ref_call *c) {
    for (int k = 0; k < c->node->param_count; k++) {
        int i = c->node->first_param + k;
        c->param[k] = plan->weights + plan->offset[i];
        c->dparam[k] = plan->trained[i] ? plan->grads + plan->offset[i] : NULL;
    }
}

static void take_extra(ref_call *c, arena *extra) {
    size_t values = shape_values(&c->out_shape);
    switch (c->node->op) {
    case OC_OP_DROPOUT:
        c->keep = take(extra, values, sizeof *c->keep);
        break;
    case OC_OP_MAX_POOL:
        c->chosen = take(extra, values, sizeof *c->chosen);
        break;
    case OC_OP_BATCH_NORM:
        c->stats = take(extra, 2 * (size_t)c->out_shape.dim[1], sizeof *c->stats);
        break;
    default:
        break;
    }
}

/* needed: which nodes have a gradient. */
static void lay_out(ref_plan *plan, const bool *needed, arena *values, arena *gradients,
                    arena *extra) {
    for (int i = 0; i < plan->count; i++) {
        ref_call *c = &plan->calls[i];
        size_t count = shape_values(&plan->shapes[i]);
        *c = (ref_call){.node = oc_graph_node(plan->graph, i),
                        .index = i,
                        .run = &plan->run,
                        .out_shape = plan->shapes[i],
                        .out = take(values, count, sizeof(float))};
        if (needed[i]) c->dout = take(gradients, count, sizeof(float));
        take_extra(c, extra);
        bind_inputs(plan, c);
        if (plan->weights) bind_params(plan, c);
    }
}

static oc_status make_activations(ref_plan *plan, const bool *needed, oc_error *err) {
    arena values = {0}, gradients = {0}, extra = {0};
    lay_out(plan, needed, &values, &gradients, &extra);
    plan->value_count = values.used / sizeof(float);
    plan->gradient_values = gradients.used / sizeof(float);
    plan->extra_bytes = extra.used;
    if (plan->measuring) return OC_OK;
    plan->values = zeroed(plan->value_count);
    plan->gradients = zeroed(plan->gradient_values);
    plan->extra = oc_malloc_aligned(extra.used);
    if (plan->values == NULL || plan->gradients == NULL || plan->extra == NULL) {
        return oc_fail_nomem(err, values.used + gradients.used, "the activations");
    }
    values = (arena){.base = (char *)plan->values};
    gradients = (arena){.base = (char *)plan->gradients};
    extra = (arena){.base = plan->extra};
    lay_out(plan, needed, &values, &gradients, &extra);
    return OC_OK;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void plan_free(oc_plan *base) {
    ref_plan *plan = (ref_plan *)base;
    oc_graph_free(plan->graph);
    oc_free(plan->calls);
    oc_free(plan->shapes);
    oc_free(plan->offset);
    oc_free(plan->trained);
    if (!plan->shares) oc_free_aligned(plan->weights);
    oc_free_aligned(plan->grads);
    oc_free_aligned(plan->state[0]);
    oc_free_aligned(plan->state[1]);
    oc_free_aligned(plan->values);
    oc_free_aligned(plan->gradients);
    oc_free_aligned(plan->extra);
    oc_free(plan);
}

static oc_status fill_plan(ref_plan *plan, const oc_graph *graph, const oc_plan_options *o,
                           oc_error *err) {
    OC_TRY(oc_graph_copy(graph, &plan->graph, err));
    plan->count = oc_graph_node_count(graph);
    plan->run = (ref_run){.n = o->batch,
                          .training = o->mode == OC_MODE_TRAIN,
                          .freeze_stats = o->freeze_stats,
                          .seed = o->seed};
    size_t count = (size_t)plan->count;
    plan->calls = oc_calloc(count, sizeof *plan->calls);
    plan->shapes = oc_calloc(count, sizeof *plan->shapes);
    bool *needed = oc_calloc(count, sizeof *needed);
    oc_status status = OC_OK;
    if (plan->calls == NULL || plan->shapes == NULL || needed == NULL) {
        OC_GOTO(oc_fail_nomem(err, count * sizeof *plan->calls, "the calls of a plan"));
    }
    OC_GOTO(oc_graph_shapes(graph, o->batch, o->height, o->width, plan->shapes, err));
    OC_GOTO(make_slabs(plan, o, err));
    oci_grad_needed(graph, o, needed);
    OC_GOTO(make_activations(plan, needed, err));
done:
    oc_free(needed);
    return status;
}

/* The plan whole, or with `measuring` all but its memory. On failure it is to be freed all the
 * same. */
static oc_status plan_make(ref_plan **out, const oc_graph *graph, const oc_plan_options *options,
                           bool measuring, oc_error *err) {
    ref_plan *plan = *out = oc_calloc(1, sizeof *plan);
    if (plan == NULL) return oc_fail_nomem(err, sizeof *plan, "a plan");
    plan->base.engine = &oci_engine_ref;
    plan->measuring = measuring;
    return fill_plan(plan, graph, options, err);
}

static oc_status plan_new(oc_plan **out, const oc_graph *graph, const oc_plan_options *options,
                          oc_error *err) {
    ref_plan *plan;
    oc_status status = plan_make(&plan, graph, options, false, err);
    *out = status == OC_OK ? &plan->base : NULL;
    if (status != OC_OK && plan != NULL) plan_free(&plan->base);
    return status;
}

static oc_plan_memory memory(const oc_plan *base) {
    const ref_plan *plan = (const ref_plan *)base;
    size_t weights =
        (plan->shares ? 0 : plan->all_values) + (plan->run.training ? 3 * plan->trained_values : 0);
    return (oc_plan_memory){.weights = weights * sizeof(float),
                            .activations =
                                (plan->value_count + plan->gradient_values) * sizeof(float),
                            .scratch = plan->extra_bytes};
}

static oc_status measure(const oc_graph *graph, const oc_plan_options *options, oc_plan_memory *out,
                         oc_error *err) {
    ref_plan *plan;
    oc_status status = plan_make(&plan, graph, options, true, err);
    if (status == OC_OK) *out = memory(&plan->base);
    if (plan != NULL) plan_free(&plan->base);
    return status;
}

/* ---- values in and out ------------------------------------------------------------------------
 */

static float *slab_of(const ref_plan *plan, oc_slot slot) {
    switch (slot) {
    case OC_SLOT_GRADS:
        return plan->grads;
    case OC_SLOT_STATE_0:
        return plan->state[0];
    case OC_SLOT_STATE_1:
        return plan->state[1];
    default:
        return plan->weights;
    }
}

static oc_status import(oc_plan *base, oc_slot slot, const oc_tensors *set, oc_error *err) {
    ref_plan *plan = (ref_plan *)base;
    float *slab = slab_of(plan, slot);
    for (int i = 0; i < oc_graph_param_count(plan->graph); i++) {
        if (slot != OC_SLOT_WEIGHTS && !plan->trained[i]) continue;
        const oc_param *param = oc_graph_param(plan->graph, i);
        const float *from;
        OC_TRY(oci_param_find(set, param, &from, err));
        float *to = slab + plan->offset[i];
        if (to != from && !plan->shares)
            memcpy(to, from, shape_values(&param->shape) * sizeof *slab);
    }
    return OC_OK;
}

static oc_status export(const oc_plan *base, oc_slot slot, oc_tensors *set, bool lend,
                        oc_error *err) {
    const ref_plan *plan = (const ref_plan *)base;
    float *slab = slab_of(plan, slot);
    for (int i = 0; i < oc_graph_param_count(plan->graph); i++) {
        if (slot != OC_SLOT_WEIGHTS && !plan->trained[i]) continue;
        const oc_param *param = oc_graph_param(plan->graph, i);
        float *to, *from = slab + plan->offset[i];
        if (lend && oci_param_is_large(param)) OC_TRY(oci_param_lend(set, param, from, err));
        OC_TRY(oci_param_place(set, param, &to, err));
        if (to != from) memcpy(to, from, shape_values(&param->shape) * sizeof *slab);
    }
    return OC_OK;
}

static oc_status lies(oc_plan *base, oc_slot slot, int i, float **out, oc_error *err) {
    const ref_plan *plan = (const ref_plan *)base;
    (void)err;
    *out = slab_of(plan, slot) + plan->offset[i];
    return OC_OK;
}

static float *grads(oc_plan *base, size_t *count) {
    ref_plan *plan = (ref_plan *)base;
    *count = plan->trained_values;
    return plan->grads;
}

static float *input(oc_plan *base) {
    return ((ref_plan *)base)->calls[0].out;
}

static const float *output(oc_plan *base) {
    const ref_plan *plan = (const ref_plan *)base;
    return plan->calls[plan->count - 1].out;
}

static void profile(oc_plan *base, bool on) {
    ((ref_plan *)base)->profile = on;
}

static oc_status describe(oc_buf *out, oc_error *err) {
    oc_buf_puts(out, "plain loops in double precision, OpenMP: slow, the reference of the others");
    return oc_buf_status(out, err);
}

const oc_engine_vtable oci_engine_ref = {
    .name = "ref",
    .describe = describe,
    .plan_new = plan_new,
    .measure = measure,
    .plan_free = plan_free,
    .memory = memory,
    .import = import,
    .export = export,
    .lies = lies,
    .grads = grads,
    .input = input,
    .forward = ref_forward,
    .output = output,
    .backward = ref_backward,
    .update = ref_update,
    .find_nonfinite = ref_find_nonfinite,
    .profile = profile,
    .times = ref_times,
};
