/* The seam from above: choosing an engine, and the checks that are common to all of them. No maths.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine.h"

#include <math.h>
#include <string.h>

#include "engine/engine_int.h"

enum { MAX_BATCH = 1 << 20, MAX_THREADS = 4096 };

const char *const *oc_engine_names(void) {
    return oci_engine_words;
}

static oc_status find_engine(const char *name, const oc_engine_vtable **out, oc_error *err) {
    char known[128] = "";
    for (size_t i = 0, used = 0; oci_engines[i] != NULL; i++) {
        *out = oci_engines[i];
        if (name == NULL || strcmp(name, (*out)->name) == 0) return OC_OK;
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                                 (*out)->name);
    }
    *out = NULL;
    return oc_fail(err, OC_EENV, "engine '%s' is not built in: there is %s", name, known);
}

oc_status oc_engine_describe(const char *engine, oc_buf *out, oc_error *err) {
    const oc_engine_vtable *found;
    OC_TRY(find_engine(engine, &found, err));
    return found->describe(out, err);
}

/* ---- making a plan ----------------------------------------------------------------------------
 */

/* Written so that a NaN fails too. */
static bool in_unit(float x) {
    return x >= 0 && x <= 1;
}

static oc_status check_options(const oc_plan_options *o, oc_error *err) {
    if (!in_unit(o->sample)) {
        return oc_fail(err, OC_EUSAGE, "a share of %g of the classes: 0 (all) to 1 is allowed",
                       (double)o->sample);
    }
    if (o->mode != OC_MODE_INFER && o->mode != OC_MODE_TRAIN) {
        return oc_fail(err, OC_EUSAGE, "a plan in mode %d: known are 0 (infer) and 1 (train)",
                       (int)o->mode);
    }
    if (o->batch < 1 || o->batch > MAX_BATCH) {
        return oc_fail(err, OC_EUSAGE, "a batch of %d: 1 to %d are allowed", o->batch, MAX_BATCH);
    }
    if (o->threads < 0 || o->threads > MAX_THREADS) {
        return oc_fail(err, OC_EUSAGE, "%d threads: 0 (all cores) to %d are allowed", o->threads,
                       MAX_THREADS);
    }
    return OC_OK;
}

static bool is_aux(const oc_graph *graph, int node) {
    return oc_graph_node(graph, node)->op == OC_OP_AUX_LOSS;
}

static oc_status refuse_int8(const oc_node *node, oc_error *err) {
    return oc_fail(err, OC_EUNSUPPORTED,
                   "'%s' is quantised, and a quantised network cannot be trained: train the model "
                   "that it was made from, then quantise that again",
                   node->name);
}

static oc_status check_graph(const oc_graph *graph, oc_mode mode, oc_error *err) {
    int count = oc_graph_node_count(graph);
    if (count > 0 && is_aux(graph, count - 1)) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "the network ends with the auxiliary loss '%s': its last node must be the "
                       "output",
                       oc_graph_node(graph, count - 1)->name);
    }
    for (int i = 0; mode == OC_MODE_TRAIN && i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        if (node->op == OC_OP_QUANTIZE || node->attrs.int8) return refuse_int8(node, err);
        if (node->op != OC_OP_SOFTMAX) continue;
        return oc_fail(err, OC_EUNSUPPORTED,
                       "a network that is trained must not hold a softmax ('%s'): the loss brings "
                       "its own, so leave the node out",
                       node->name);
    }
    return OC_OK;
}

/* An auxiliary loss is measured by the same labels as the output. */
static oc_status check_aux(const oc_graph *graph, const oc_shape *shapes, size_t classes,
                           oc_error *err) {
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_shape *s = &shapes[i];
        bool fits = s->dim[2] == 1 && s->dim[3] == 1 && (size_t)s->dim[1] == classes;
        char text[OC_SHAPE_TEXT];
        if (!is_aux(graph, i) || fits) continue;
        return oc_fail(err, OC_EUNSUPPORTED,
                       "auxiliary loss '%s' gets %s (images, channels, height, width): one row of "
                       "%zu logits an image is needed, as many as the output has",
                       oc_graph_node(graph, i)->name, oc_shape_text(text, s), classes);
    }
    return OC_OK;
}

/* Values of the output per item; fails where the graph does not take the size. */
static oc_status count_classes(const oc_graph *graph, const oc_plan_options *o, size_t *classes,
                               oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    if (shapes == NULL) return oc_fail_nomem(err, count * sizeof *shapes, "shapes");
    oc_status status = oc_graph_shapes(graph, o->batch, o->height, o->width, shapes, err);
    if (status == OC_OK) {
        const oc_shape *last = &shapes[count - 1];
        *classes = (size_t)(last->dim[1] * last->dim[2] * last->dim[3]);
        status = check_aux(graph, shapes, *classes, err);
    }
    oc_free(shapes);
    return status;
}

/* The engine, and the options with nothing left open; classes as count_classes. */
static oc_status prepare(const char *engine, const oc_graph *graph, oc_plan_options *o,
                         const oc_engine_vtable **found, size_t *classes, oc_error *err) {
    OC_TRY(find_engine(engine, found, err));
    OC_TRY(check_options(o, err));
    OC_TRY(check_graph(graph, o->mode, err));
    OC_TRY(count_classes(graph, o, classes, err));
    if (o->threads == 0) o->threads = oc_cpu_count();
    return OC_OK;
}

/* What an inference plan runs: *out is NULL where that is the whole graph, else the caller's. */
static oc_status without_aux(const oc_graph *graph, oc_mode mode, oc_graph **out, oc_error *err) {
    *out = NULL;
    for (int i = 0; mode == OC_MODE_INFER && i < oc_graph_node_count(graph); i++) {
        if (is_aux(graph, i)) return oc_graph_prune(graph, out, err);
    }
    return OC_OK;
}

/* ---- sharing weights --------------------------------------------------------------------------
 */

/* Names, ops, attributes and edges as one number. */
static uint64_t network_of(const oc_graph *graph) {
    uint64_t hash = 0;
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        size_t edges = (size_t)node->input_count * sizeof *node->inputs;
        hash = oc_hash64(node->name, strlen(node->name), hash + (uint64_t)node->op);
        hash = oc_hash64(&node->attrs, sizeof node->attrs, hash);
        hash = oc_hash64(node->inputs, edges, hash);
    }
    return hash;
}

static oc_status check_share(const oc_plan_options *o, const char *engine, uint64_t network,
                             oc_error *err) {
    const oc_plan *share = o->share;
    if (share == NULL) return OC_OK;
    bool infers = o->mode == OC_MODE_INFER && share->mode == OC_MODE_INFER;
    if (infers && strcmp(share->name, engine) == 0 && share->network == network) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "weights are shared between plans for inference of one engine and one network: "
                   "%s",
                   !infers                            ? "one of these trains"
                   : strcmp(share->name, engine) != 0 ? "these are of different engines"
                                                      : "these are of different networks");
}

static void hold_share(oc_plan *plan, oc_plan *share) {
    plan->share = share;
    if (share != NULL) atomic_fetch_add(&share->sharers, 1);
}

oc_status oc_plan_new(oc_plan **out, const char *engine, const oc_graph *graph,
                      const oc_plan_options *options, oc_error *err) {
    const oc_engine_vtable *found;
    oc_plan_options o = *options;
    oc_graph *pruned = NULL;
    size_t classes = 0;
    *out = NULL;
    OC_TRY(prepare(engine, graph, &o, &found, &classes, err));
    OC_TRY(without_aux(graph, o.mode, &pruned, err));
    uint64_t network = network_of(pruned != NULL ? pruned : graph);
    oc_status status = check_share(&o, found->name, network, err);
    if (status != OC_OK) {
        oc_graph_free(pruned);
        return status;
    }
    bool sampled = oci_sampled_count(&o, classes) < classes;
    int team = oci_threads_use(o.threads);
    status = sampled ? oci_sampled_new(out, found->name, graph, &o, classes, err)
                     : found->plan_new(out, pruned != NULL ? pruned : graph, &o, err);
    (void)oci_threads_use(team);
    oc_graph_free(pruned);
    if (status != OC_OK) return status;
    (*out)->name = found->name;
    (*out)->network = network;
    hold_share(*out, o.share);
    (*out)->mode = o.mode;
    (*out)->batch = o.batch;
    (*out)->threads = o.threads;
    (*out)->classes = classes;
    return OC_OK;
}

oc_status oc_plan_measure(const char *engine, const oc_graph *graph, const oc_plan_options *options,
                          oc_plan_memory *out, oc_error *err) {
    const oc_engine_vtable *found;
    oc_plan_options o = *options;
    oc_graph *pruned = NULL;
    size_t classes = 0;
    OC_TRY(prepare(engine, graph, &o, &found, &classes, err));
    OC_TRY(without_aux(graph, o.mode, &pruned, err));
    bool sampled = oci_sampled_count(&o, classes) < classes;
    int team = oci_threads_use(o.threads);
    oc_status status = sampled ? oci_sampled_measure(found->name, graph, &o, classes, out, err)
                               : found->measure(pruned != NULL ? pruned : graph, &o, out, err);
    (void)oci_threads_use(team);
    oc_graph_free(pruned);
    return status;
}

/* A plan whose weights others use is freed by the last of them. */
void oc_plan_free(oc_plan *plan) {
    while (plan != NULL && atomic_fetch_sub(&plan->sharers, 1) == 0) {
        oc_plan *share = plan->share;
        plan->engine->plan_free(plan);
        plan = share;
    }
}

const char *oc_plan_engine(const oc_plan *plan) {
    return plan->name;
}

oc_plan_memory oc_plan_memory_use(const oc_plan *plan) {
    return plan->engine->memory(plan);
}

uint64_t oc_plan_memory_sum(const oc_plan_memory *m, int slots) {
    return m->weights + m->activations + m->scratch + (uint64_t)slots * m->slot;
}

/* ---- values in and out ------------------------------------------------------------------------
 */

static oc_status check_slot(const oc_plan *plan, oc_slot slot, oc_error *err) {
    if (slot == OC_SLOT_WEIGHTS || plan->mode == OC_MODE_TRAIN) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "a plan for inference has no gradients and no optimiser state");
}

oc_status oc_plan_import(oc_plan *plan, oc_slot slot, const oc_tensors *set, oc_error *err) {
    OC_TRY(check_slot(plan, slot, err));
    OC_TRY(plan->engine->import(plan, slot, set, err));
    plan->has_grads = plan->has_grads || slot == OC_SLOT_GRADS;
    return OC_OK;
}

oc_status oc_plan_export(const oc_plan *plan, oc_slot slot, oc_tensors *set, oc_error *err) {
    OC_TRY(check_slot(plan, slot, err));
    return plan->engine->export(plan, slot, set, false, err);
}

oc_status oc_plan_lend(const oc_plan *plan, oc_slot slot, oc_tensors *set, oc_error *err) {
    OC_TRY(check_slot(plan, slot, err));
    return plan->engine->export(plan, slot, set, true, err);
}

float *oc_plan_grads(oc_plan *plan, size_t *count) {
    *count = 0;
    return plan->mode == OC_MODE_TRAIN ? plan->engine->grads(plan, count) : NULL;
}

float *oc_plan_input(oc_plan *plan) {
    return plan->engine->input(plan);
}

const float *oc_plan_output(oc_plan *plan) {
    return plan->engine->output(plan);
}

/* ---- running ----------------------------------------------------------------------------------
 */

static oc_status check_labels(const oc_plan *plan, const int32_t *labels, int n, oc_error *err) {
    for (int i = 0; labels != NULL && i < n; i++) {
        if (labels[i] >= 0 && (size_t)labels[i] < plan->classes) continue;
        return oc_fail(err, OC_EFORMAT, "item %d of the batch has label %d: 0 to %zu are allowed",
                       i, labels[i], plan->classes - 1);
    }
    return OC_OK;
}

static oc_status check_targets(const oc_plan *plan, const oc_targets *t, int n, oc_error *err) {
    if (t->label == NULL) return oc_fail(err, OC_EUSAGE, "targets without labels");
    OC_TRY(check_labels(plan, t->label, n, err));
    OC_TRY(check_labels(plan, t->label2, n, err));
    for (int i = 0; t->mix != NULL && i < n; i++) {
        if (in_unit(t->mix[i])) continue;
        return oc_fail(err, OC_EFORMAT, "item %d of the batch is mixed by %g: 0 to 1 is allowed", i,
                       (double)t->mix[i]);
    }
    if (in_unit(t->smoothing)) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "label smoothing is %g: 0 to 1 is allowed",
                   (double)t->smoothing);
}

static oc_status check_batch(const oc_plan *plan, int n, oc_error *err) {
    bool train = plan->mode == OC_MODE_TRAIN;
    if (n >= (train ? plan->batch : 1) && n <= plan->batch) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "%d items: this plan takes %s %d", n,
                   train ? "full batches of" : "1 to", plan->batch);
}

oc_status oc_plan_forward(oc_plan *plan, const float *pixels, int n, uint64_t step,
                          const oc_targets *targets, oc_result *result, oc_error *err) {
    OC_TRY(check_batch(plan, n, err));
    if (targets != NULL) OC_TRY(check_targets(plan, targets, n, err));
    if ((targets == NULL) != (result == NULL) || (plan->mode == OC_MODE_TRAIN && targets == NULL)) {
        return oc_fail(err, OC_EUSAGE,
                       "targets and result come together, and training needs both of them");
    }
    int team = oci_threads_use(plan->threads);
    oc_status status = plan->engine->forward(plan, pixels, n, step, targets, result, err);
    (void)oci_threads_use(team);
    plan->has_output = plan->has_output || status == OC_OK;
    plan->can_back = status == OC_OK && plan->mode == OC_MODE_TRAIN;
    return status;
}

oc_status oc_plan_backward(oc_plan *plan, oc_error *err) {
    if (!plan->can_back) {
        return oc_fail(err, OC_EUSAGE, "backward without a training forward before it");
    }
    int team = oci_threads_use(plan->threads);
    oc_status status = plan->engine->backward(plan, err);
    (void)oci_threads_use(team);
    plan->can_back = false;
    plan->has_grads = plan->has_grads || status == OC_OK;
    return status;
}

static bool finite_from_zero(float x) {
    return isfinite(x) && x >= 0;
}

static oc_status check_update(const oc_plan *plan, const oc_update *u, oc_error *err) {
    if (!plan->has_grads) return oc_fail(err, OC_EUSAGE, "update without gradients");
    if ((unsigned)u->optimizer >= OC_OPTIMIZER_COUNT || u->step < 1) {
        return oc_fail(err, OC_EUSAGE, "optimizer %d at step %llu: steps count from 1",
                       (int)u->optimizer, (unsigned long long)u->step);
    }
    if (!finite_from_zero(u->lr) || !finite_from_zero(u->l1) || !finite_from_zero(u->l2) ||
        !finite_from_zero(u->clip_norm)) {
        return oc_fail(err, OC_EUSAGE,
                       "learning rate %g, l1 %g, l2 %g, clip %g: each must be finite and >= 0",
                       (double)u->lr, (double)u->l1, (double)u->l2, (double)u->clip_norm);
    }
    if (u->renormalise && u->clip_norm > 0) {
        return oc_fail(err, OC_EUSAGE,
                       "gradients renormalised by layer need no clipping: choose one of them");
    }
    return OC_OK;
}

oc_status oc_plan_update(oc_plan *plan, const oc_update *update, oc_error *err) {
    OC_TRY(check_update(plan, update, err));
    int team = oci_threads_use(plan->threads);
    oc_status status = plan->engine->update(plan, update, err);
    (void)oci_threads_use(team);
    return status;
}

/* ---- looking inside ---------------------------------------------------------------------------
 */

const char *oc_plan_find_nonfinite(oc_plan *plan) {
    if (!plan->has_output) return NULL;
    int team = oci_threads_use(plan->threads);
    const char *name = plan->engine->find_nonfinite(plan);
    (void)oci_threads_use(team);
    return name;
}

void oc_plan_observe(oc_plan *plan, oc_observer observer, void *ctx) {
    plan->observer = plan->mode == OC_MODE_INFER ? observer : NULL;
    plan->observer_ctx = ctx;
}

void oc_plan_profile(oc_plan *plan, bool on) {
    plan->engine->profile(plan, on);
}

size_t oc_plan_times(const oc_plan *plan, oc_op_time *out, size_t max) {
    return plan->engine->times(plan, out, max);
}
