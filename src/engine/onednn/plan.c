/* The oneDNN engine's plan: made once, then run forward, backward, update without an allocation.
 *
 * Training runs each unit over the whole batch, chunk by chunk, before the next unit, since batch
 * statistics need all images. Inference has no such barrier: it takes the whole network over a few
 * images at a time, whose activations stay in cache, however large the batch.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/onednn/int8.h"

enum {
    CHUNK_BYTES = 3 << 20,  /* a training unit's source and destination in cache ... */
    WEIGHT_SHARE = 2,       /* ... and so many times the bytes of its weights on top */
    INFER_BYTES = 28 << 20, /* the largest source and destination of an inference run */
    INFER_IMAGES = 8
};

static oci_plan *plan_of(oc_plan *face) {
    return (oci_plan *)face;
}
static const oci_plan *plan_of_const(const oc_plan *face) {
    return (const oci_plan *)face;
}

static oc_status describe(oc_buf *out, oc_error *err) {
    return oci_dnn_describe(out, err);
}

/* What is another plan's is not ours to free. */
static void return_lent(oci_plan *plan) {
    const oci_plan *with = oci_in_turns_with(plan);
    if (with == NULL) return;
    if (plan->arena == with->arena) plan->arena = NULL;
    if (plan->read_scratch == with->read_scratch) plan->read_scratch = NULL;
    if (plan->plain_scratch == with->plain_scratch) plan->plain_scratch = NULL;
    if (plan->library_scratch == with->library_scratch) plan->library_scratch = NULL;
}

static void plan_free(oc_plan *face) {
    oci_plan *plan = plan_of(face);
    for (int u = 0; u < plan->unit_count; u++) {
        oci_conv_unit_free(plan->units[u].conv);
        oci_byte_conv_free(plan->units[u].byte_conv);
        oci_lrn_free(plan->units[u].lrn[0]);
        oci_lrn_free(plan->units[u].lrn[1]);
        oc_free_aligned(plan->units[u].side);
    }
    for (int i = 0; i < plan->norm_count; i++) oci_norm_clear(&plan->norms[i]);
    oci_weights_free(plan);
    return_lent(plan);
    void *aligned[] = {plan->arena,          plan->input,
                       plan->output,         plan->output_grad,
                       plan->read_scratch,   plan->grad_scratch,
                       plan->sum_scratch,    plan->weight_scratch,
                       plan->turned_scratch, plan->gathered_scratch,
                       plan->plain_scratch,  plan->library_scratch};
    for (size_t i = 0; i < sizeof aligned / sizeof *aligned; i++) oc_free_aligned(aligned[i]);
    oc_free(plan->values);
    oc_free(plan->units);
    oc_free(plan->norms);
    oc_free(plan->value_of);
    oc_free(plan->bytes_of);
    oc_free(plan->trained);
    oci_dnn_free(plan->dnn);
    oc_graph_free(plan->graph);
    oc_free(plan);
}

/* ---- making a plan
 * --------------------------------------------------------------------------------- */

/* Images at a time so that `bytes` per image stay within `budget`: a divisor of `images` if one is
 * near. */
static int images_within(size_t bytes, size_t budget, int images) {
    size_t fit = bytes ? budget / bytes : (size_t)images;
    int most = fit < 1 ? 1 : fit < (size_t)images ? (int)fit : images;
    for (int n = most; n > most / 2; n--)
        if (images % n == 0) return n;
    return most;
}

/* Weights are read once a chunk, and their gradient read and written: the more of them, the more
 * images they should serve. */
static size_t chunk_budget(const oci_plan *plan, const oci_unit *u) {
    size_t weights = 0;
    const oc_node *node = oc_graph_node(plan->graph, u->node);
    if (u->kind == OCI_UNIT_CONV &&
        oc_shape_count(&oc_graph_param(plan->graph, node->first_param)->shape, &weights))
        return CHUNK_BYTES + WEIGHT_SHARE * weights * sizeof(float);
    return CHUNK_BYTES;
}

static size_t unit_bytes(const oci_plan *plan, const oci_unit *u) {
    size_t floats = plan->values[u->out].image;
    for (int k = 0; k < u->in_count; k++) floats += plan->values[u->in[k]].image;
    return floats * sizeof(float);
}

/* Inference: how many images the whole network takes at a time. */
static int images_of_run(const oc_shape *shapes, const oc_graph *graph, int batch) {
    size_t most = 0;
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        size_t floats = 0, in = 0;
        if (!oc_shape_count(&shapes[i], &floats)) continue;
        if (node->input_count && !oc_shape_count(&shapes[node->inputs[0]], &in)) continue;
        if (floats + in > most) most = floats + in;
    }
    int n = images_within(most * sizeof(float), INFER_BYTES, batch);
    return n < INFER_IMAGES ? n : images_within(1, INFER_IMAGES, batch);
}

static oc_status params_new(oci_plan *plan, oc_error *err) {
    size_t params = (size_t)oc_graph_param_count(plan->graph);
    plan->places = oc_calloc(params + 1, sizeof *plan->places);
    plan->trained = oc_calloc(params + 1, sizeof *plan->trained);
    if (!plan->places || !plan->trained)
        return oc_fail_nomem(err, params * sizeof *plan->places, "plan");
    for (size_t i = 0; i < params; i++) {
        plan->trained[i] = oci_param_is_trained(plan->graph, &plan->options, (int)i);
        plan->places[i].trained = plan->trained[i];
    }
    plan->options.trained = plan->trained;
    return OC_OK;
}

static oc_status units_init(oci_plan *plan, const oc_shape *shapes, oc_error *err) {
    for (int u = 0; u < plan->unit_count; u++) {
        oci_unit *unit = &plan->units[u];
        unit->chunk =
            plan->face.mode == OC_MODE_INFER
                ? plan->images
                : images_within(unit_bytes(plan, unit), chunk_budget(plan, unit), plan->images);
        if (unit->kind == OCI_UNIT_CONV || unit->kind == OCI_UNIT_BYTE_CONV)
            unit->macs = oc_graph_macs(plan->graph, unit->node, shapes);
        if (unit->kind == OCI_UNIT_BYTE_CONV) OC_TRY(oci_byte_conv_init(plan, unit, err));
        if (unit->kind == OCI_UNIT_CONV) OC_TRY(oci_conv_unit_init(plan, unit, err));
        if (unit->kind == OCI_UNIT_LRN) OC_TRY(oci_lrn_unit_init(plan, unit, err));
    }
    for (int i = 0; i < plan->norm_count; i++) OC_TRY(oci_norm_init(plan, &plan->norms[i], err));
    return OC_OK;
}

static oc_status buffers_new(oci_plan *plan, const oc_shape *in, const oc_shape *out,
                             oc_error *err) {
    size_t pixels = 0, values = 0, batch = (size_t)plan->options.batch;
    if (!oc_shape_count(in, &pixels) || !oc_shape_count(out, &values))
        return oc_fail(err, OC_ELIMIT, "activations too large");
    plan->output_image = values / (size_t)plan->images;
    size_t input_bytes = pixels / (size_t)plan->images * batch * sizeof(float);
    size_t output_bytes = plan->output_image * (batch + (size_t)plan->images) * sizeof(float);
    uint64_t *account = &plan->held.activations;
    OC_TRY(oci_take(plan, &plan->input, account, input_bytes, "input", err));
    OC_TRY(oci_take(plan, &plan->output, account, output_bytes, "output", err));
    if (plan->face.mode != OC_MODE_TRAIN) return OC_OK;
    return oci_take(plan, &plan->output_grad, account, output_bytes, "output's gradient", err);
}

static oc_status plan_build(oci_plan *plan, const oc_graph *graph, oc_error *err) {
    const oc_plan_options *o = &plan->options;
    int nodes = oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc((size_t)nodes, sizeof *shapes);
    if (!shapes) return oc_fail_nomem(err, (size_t)nodes * sizeof *shapes, "plan");
    oc_status status = OC_OK;
    OC_GOTO(oc_graph_copy(graph, &plan->graph, err));
    OC_GOTO(oc_graph_shapes(graph, 1, o->height, o->width, shapes, err));
    plan->images = o->mode == OC_MODE_TRAIN ? o->batch : images_of_run(shapes, graph, o->batch);
    OC_GOTO(oc_graph_shapes(graph, plan->images, o->height, o->width, shapes, err));
    plan->lanes = oci_dnn_block();
    for (int i = 0; i < OCI_ROW; i++) plan->ones[i] = 1.f;
    OC_GOTO(oci_dnn_new(&plan->dnn, err));
    OC_GOTO(params_new(plan, err));
    OC_GOTO(oci_fuse(plan, shapes, err));
    OC_GOTO(units_init(plan, shapes, err));
    OC_GOTO(oci_weights_place(plan, err));
    oci_recompute_choose(plan);
    OC_GOTO(oci_place_values(plan, err));
    OC_GOTO(buffers_new(plan, &shapes[0], &shapes[nodes - 1], err));
done:
    oc_free(shapes);
    return status;
}

/* The plan whole, or with `measuring` all but its memory. On failure it is to be freed all the
 * same. */
static oc_status plan_make(oci_plan **out, const oc_graph *graph, const oc_plan_options *options,
                           bool measuring, oc_error *err) {
    oci_plan *plan = *out = oc_calloc(1, sizeof *plan);
    if (!plan) return oc_fail_nomem(err, sizeof *plan, "plan");
    plan->face.engine = &oci_engine_onednn;
    plan->face.mode = options->mode;
    plan->options = *options;
    plan->measuring = measuring;
    int before =
        oci_threads_use(options->threads); /* primitives are made for a team of this size */
    oc_status status = plan_build(plan, graph, err);
    oci_threads_use(before);
    return status;
}

static oc_status plan_new(oc_plan **out, const oc_graph *graph, const oc_plan_options *options,
                          oc_error *err) {
    oci_plan *plan;
    oc_status status = plan_make(&plan, graph, options, false, err);
    *out = status == OC_OK ? &plan->face : NULL;
    if (status != OC_OK && plan) plan_free(&plan->face);
    return status;
}

static oc_plan_memory memory(const oc_plan *face) {
    const oci_plan *plan = plan_of_const(face);
    oc_plan_memory m = plan->held;
    if (face->mode == OC_MODE_TRAIN) m.slot = (plan->slab + OCI_ROW) * sizeof(float);
    return m;
}

static oc_status measure(const oc_graph *graph, const oc_plan_options *options, oc_plan_memory *out,
                         oc_error *err) {
    oci_plan *plan;
    oc_status status = plan_make(&plan, graph, options, true, err);
    if (status == OC_OK) *out = memory(&plan->face);
    if (plan) plan_free(&plan->face);
    return status;
}

/* ---- forward
 * ----------------------------------------------------------------------------------------- */

static oc_status unit_forward(oci_plan *plan, oci_unit *unit, oc_error *err) {
    const oci_unit_ops *ops = oci_unit_ops_of(unit->kind);
    oci_norm *norm = unit->gathers < 0 ? NULL : &plan->norms[unit->gathers];
    const oci_watch watch = oci_watch_start(plan);
    if (norm) oci_norm_begin(plan, norm);
    for (int first = 0; first < plan->images; first += unit->chunk) {
        int n = plan->images - first < unit->chunk ? plan->images - first : unit->chunk;
        if (ops->forward) OC_TRY(ops->forward(plan, unit, first, n, err));
        const oci_watch gathering = oci_watch_start(plan);
        if (norm && !unit->alone) oci_norm_gather(plan, norm, first, n);
        oci_watch_norm(plan, unit->gathers, gathering);
    }
    if (norm) oci_norm_finish(plan, norm);
    unit->seconds[0] += oci_watch_seconds(plan, watch);
    unit->calls[0] += plan->profiling;
    return OC_OK;
}

static int output_value(const oci_plan *plan) {
    return plan->value_of[oc_graph_node_count(plan->graph) - 1];
}

/* What the unit stored, and what derives from that, of the images that are there. */
static void show_unit(oci_plan *plan, const oci_unit *unit, int images) {
    for (int i = 0; i < plan->value_count; i++) {
        const oci_value *v = &plan->values[i];
        if (v->base != unit->out || v->bytes) continue;
        for (int k = 0; k < images; k++)
            plan->face.observer(plan->face.observer_ctx, v->node, oci_read(plan, i, k, 1),
                                v->image);
    }
}

static oc_status units_forward(oci_plan *plan, int images, float *output, oc_error *err) {
    for (int u = 0; u < plan->unit_count; u++) {
        oc_status status = unit_forward(plan, &plan->units[u], err);
        if (status == OC_OK && plan->face.observer) show_unit(plan, &plan->units[u], images);
        if (status != OC_OK)
            return oc_error_context(err, status, "%s", oci_unit_name(plan, &plan->units[u]));
    }
    oci_value_to_plain(plan, output_value(plan), output);
    return OC_OK;
}

/* A run takes plan->images images; the last one is filled up with zeros. */
static oc_status infer(oci_plan *plan, const float *pixels, int n, oc_error *err) {
    size_t image = plan->values[plan->value_of[0]].image;
    for (int first = 0; first < n; first += plan->images) {
        int here = n - first < plan->images ? n - first : plan->images;
        plan->pixels = pixels + (size_t)first * image;
        if (here < plan->images && here < plan->options.batch) {
            if (plan->pixels != plan->input)
                memmove(plan->input, plan->pixels, (size_t)here * image * sizeof(float));
            memset(plan->input + (size_t)here * image, 0,
                   (size_t)(plan->images - here) * image * sizeof(float));
            plan->pixels = plan->input;
        }
        OC_TRY(units_forward(plan, here, plan->output + (size_t)first * plan->output_image, err));
    }
    return OC_OK;
}

static oc_status forward(oc_plan *face, const float *pixels, int n, uint64_t step,
                         const oc_targets *targets, oc_result *result, oc_error *err) {
    oci_plan *plan = plan_of(face);
    int before = oci_threads_use(plan->options.threads);
    oc_status status;
    plan->step = step;
    plan->pixels = pixels ? pixels : plan->input;
    plan->targets = targets;
    plan->aux = 0;
    oci_recompute_begin(plan);
    plan->going_back = false;
    if (face->mode == OC_MODE_TRAIN)
        status = units_forward(plan, plan->images, plan->output, err);
    else
        status = infer(plan, plan->pixels, n, err);
    const oci_watch watch = oci_watch_start(plan);
    if (status == OC_OK && targets)
        oci_softmax_nll(plan->output, (size_t)n, plan->output_image, targets, plan->output_grad,
                        result);
    plan->loss_seconds += oci_watch_seconds(plan, watch);
    plan->loss_calls += plan->profiling && targets;
    if (status == OC_OK && targets) result->aux = plan->aux;
    plan->targets = NULL;
    oci_threads_use(before);
    return status;
}

static float *input(oc_plan *face) {
    return plan_of(face)->input;
}
static const float *output(oc_plan *face) {
    return plan_of(face)->output;
}

/* ---- backward
 * ------------------------------------------------------------------------------------------ */

/* Has the unit anything to do behind its own batch norm: parameters or inputs that want gradients?
 */
static bool goes_on(const oci_plan *plan, const oci_unit *unit) {
    bool wanted = unit->to_params;
    for (int k = 0; k < unit->in_count; k++) wanted |= plan->values[unit->in[k]].wants_grad;
    return wanted;
}

static oc_status unit_backward(oci_plan *plan, oci_unit *unit, oc_error *err) {
    const oci_unit_ops *ops = oci_unit_ops_of(unit->kind);
    if (!unit->back || !ops->backward) return OC_OK;
    const oci_watch watch = oci_watch_start(plan);
    double weights = unit->seconds[2];
    int norm = plan->values[unit->through].norm;
    if (norm >= 0) oci_norm_backward(plan, &plan->norms[norm]);
    for (int first = 0; first < plan->images && goes_on(plan, unit); first += unit->chunk) {
        int n = plan->images - first < unit->chunk ? plan->images - first : unit->chunk;
        OC_TRY(ops->backward(plan, unit, first, n, err));
    }
    oci_grads_written(plan, unit);
    unit->seconds[1] += oci_watch_seconds(plan, watch) - (unit->seconds[2] - weights);
    unit->calls[1] += plan->profiling;
    unit->calls[2] += plan->profiling && unit->to_params && !unit->alone;
    return OC_OK;
}

static oc_status backward(oc_plan *face, oc_error *err) {
    oci_plan *plan = plan_of(face);
    int before = oci_threads_use(plan->options.threads);
    for (int i = 0; i < plan->value_count; i++) plan->values[i].written = 0;
    plan->going_back = true;
    oc_status status = OC_OK;
    if (plan->values[output_value(plan)].wants_grad)
        oci_grad_from_plain(plan, output_value(plan), plan->output_grad);
    for (int u = plan->unit_count - 1; u >= 0 && status == OC_OK; u--) {
        status = oci_recompute_before(plan, u, err);
        if (status == OC_OK) status = unit_backward(plan, &plan->units[u], err);
        if (status != OC_OK)
            status = oc_error_context(err, status, "%s", oci_unit_name(plan, &plan->units[u]));
    }
    oci_threads_use(before);
    return status;
}

static oc_status update(oc_plan *face, const oc_update *u, oc_error *err) {
    oci_plan *plan = plan_of(face);
    int before = oci_threads_use(plan->options.threads);
    oc_status status = oci_weights_update(plan, u, err);
    oci_threads_use(before);
    return status;
}

/* ---- values in and out
 * ------------------------------------------------------------------------------------ */

static oc_status import(oc_plan *face, oc_slot slot, const oc_tensors *set, oc_error *err) {
    oci_plan *plan = plan_of(face);
    int before = oci_threads_use(plan->options.threads); /* it makes primitives, too */
    oc_status status = oci_weights_import(plan, slot, set, err);
    oci_threads_use(before);
    return status;
}

static oc_status export(const oc_plan *face, oc_slot slot, oc_tensors *set, bool lend,
                        oc_error *err) {
    return oci_weights_export(plan_of_const(face), slot, set, lend, err);
}

static oc_status lies(oc_plan *face, oc_slot slot, int i, float **out, oc_error *err) {
    return oci_weights_lie(plan_of(face), slot, i, out, err);
}

static float *grads(oc_plan *face, size_t *count) {
    *count = plan_of(face)->slab;
    return plan_of(face)->grads;
}

/* ---- looking inside
 * ------------------------------------------------------------------------------------------ */

static bool finite_all(const float *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* The name of what a unit made that is not finite: its output, or the batch norm behind it. */
static const char *unit_nonfinite(oci_plan *plan, oci_unit *unit) {
    const oci_value *v = &plan->values[unit->out];
    const oci_norm *norm = unit->gathers < 0 ? NULL : &plan->norms[unit->gathers];
    if (unit->kind == OCI_UNIT_AUX_LOSS) return NULL; /* its logits have been looked at */
    if (unit_forward(plan, unit, NULL) != OC_OK) return NULL;
    if (!v->bytes && !finite_all(v->data, v->image * (size_t)plan->images))
        return oci_unit_name(plan, unit);
    if (norm && !finite_all(norm->a, (size_t)norm->blocks * OCI_ROW))
        return oc_graph_node(plan->graph, norm->node)->name;
    return NULL;
}

static const char *find_nonfinite(oc_plan *face) {
    oci_plan *plan = plan_of(face);
    for (int i = 0; i < oc_graph_param_count(plan->graph); i++)
        if (!finite_all(plan->weights + plan->places[i].offset, plan->places[i].count))
            return oc_graph_param(plan->graph, i)->name;
    const char *found = NULL;
    int before = oci_threads_use(plan->options.threads);
    plan->looking = true;
    oci_recompute_begin(plan);
    for (int u = 0; u < plan->unit_count && !found; u++)
        found = unit_nonfinite(plan, &plan->units[u]);
    plan->looking = false;
    oci_threads_use(before);
    if (found || finite_all(plan->output, plan->output_image * (size_t)plan->images)) return found;
    return oc_graph_node(plan->graph, oc_graph_node_count(plan->graph) - 1)->name;
}

static void profile(oc_plan *face, bool on) {
    plan_of(face)->profiling = on;
}

static size_t times(const oc_plan *face, oc_op_time *out, size_t max) {
    return oci_plan_times(plan_of_const(face), out, max);
}

const oc_engine_vtable oci_engine_onednn = {
    .name = "onednn",
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
    .forward = forward,
    .output = output,
    .backward = backward,
    .update = update,
    .find_nonfinite = find_nonfinite,
    .profile = profile,
    .times = times,
};
