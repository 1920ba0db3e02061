/* Sampled classes: a training plan whose head takes part with a share of its rows in each step
 * (An et al., "Partial FC: training 10 million identities on a single machine", 2021; "Killing two
 * birds with one stone", CVPR 2022).
 *
 * The plan holds the whole head, row by row as torch stores it, and an engine's plan of the same
 * network with as many classes as a step sees. Before a step the drawn rows are copied into that
 * plan, behind its update they are copied back, their optimiser state with them. So every engine
 * can do it, and what happens to the drawn rows is what the engine does to any row.
 *
 * The classes of the labels are always drawn; the others by one walk through all classes that takes
 * each with the share still wanted of those still to come (Knuth's selection sampling), from a
 * generator keyed by (seed, step).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/engine_int.h"

enum { PARTS = 2, SLOTS = 3, MANY_VALUES = 1 << 16 };

/* A parameter of the head: (classes, width). */
typedef struct part {
    const oc_param *param;
    int index;
    size_t width;
    float *whole[SLOTS]; /* weights, optimiser state; NULL = not used yet */
} part;

typedef struct sampled_plan {
    oc_plan face; /* first */
    oc_graph *graph;
    oc_plan *inner; /* of `count` classes */
    uint64_t seed;
    part parts[PARTS];
    int part_count;
    size_t classes, count;
    int32_t *drawn;          /* (count) ascending; those of the last forward */
    bool any;                /* a forward has drawn */
    uint8_t *wanted;         /* (classes) in some label */
    int32_t *label, *label2; /* (batch) as places in `drawn` */
} sampled_plan;

size_t oci_sampled_count(const oc_plan_options *o, size_t classes) {
    if (o->mode != OC_MODE_TRAIN || !(o->sample > 0 && o->sample < 1)) return classes;
    double share = round((double)o->sample * (double)classes);
    size_t least = 2 * (size_t)o->batch, count = (size_t)share;
    if (count < least) count = least;
    return count < classes ? count : classes;
}

static sampled_plan *plan_of(oc_plan *face) {
    return (sampled_plan *)face;
}
static const sampled_plan *plan_of_const(const oc_plan *face) {
    return (const sampled_plan *)face;
}

static size_t whole_bytes(const sampled_plan *plan, const part *p) {
    return plan->classes * p->width * sizeof(float);
}

/* ---- making a plan ----------------------------------------------------------------------------
 */

static void plan_free(oc_plan *face) {
    sampled_plan *plan = plan_of(face);
    oc_plan_free(plan->inner);
    oc_graph_free(plan->graph);
    for (int i = 0; i < PARTS; i++)
        for (int k = 0; k < SLOTS; k++) oc_free_aligned(plan->parts[i].whole[k]);
    oc_free(plan->drawn);
    oc_free(plan->wanted);
    oc_free(plan->label);
    oc_free(plan->label2);
    oc_free(plan);
}

static oc_status check_graph(const oc_graph *graph, const oc_plan_options *o, oc_error *err) {
    const oc_node *last = oc_graph_node(graph, oc_graph_node_count(graph) - 1);
    if (last->op != OC_OP_DENSE) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "sampled classes need a network that ends in a dense layer; this one ends "
                       "in '%s' (%s)",
                       last->name, oc_op_name(last->op));
    }
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        if (oc_graph_node(graph, i)->op != OC_OP_AUX_LOSS) continue;
        return oc_fail(err, OC_EUNSUPPORTED,
                       "sampled classes do not go with an auxiliary loss ('%s'): take the network "
                       "without it",
                       oc_graph_node(graph, i)->name);
    }
    for (int k = 0; k < last->param_count; k++) {
        if (oci_param_is_trained(graph, o, last->first_param + k)) continue;
        return oc_fail(err, OC_EUNSUPPORTED, "sampled classes need a head that is trained");
    }
    return OC_OK;
}

/* The network with as many classes as a step sees, and the options of its plan. */
static oc_status shrink(const oc_graph *graph, size_t count, oc_plan_options *o, oc_graph **out,
                        oc_error *err) {
    o->sample = 0;
    OC_TRY(oc_graph_copy(graph, out, err));
    return oc_graph_set_classes(*out, (int)count, err);
}

/* Where a part of the head lies in the inner plan. */
static oc_status inner_rows(const sampled_plan *plan, const part *p, oc_slot slot, float **out,
                            oc_error *err) {
    oc_plan *inner = plan->inner;
    OC_TRY(inner->engine->lies(inner, slot, p->index, out, err));
    if (*out != NULL) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "sampled classes: engine %s keeps '%s' in a layout of its own; the layer must "
                   "read one value a channel and a multiple of 16 of them, or try engine ref",
                   oc_plan_engine(inner), p->param->name);
}

static oc_status parts_new(sampled_plan *plan, oc_error *err) {
    const oc_node *head = oc_graph_node(plan->graph, oc_graph_node_count(plan->graph) - 1);
    for (int k = 0; k < head->param_count; k++) {
        part *p = &plan->parts[plan->part_count++];
        size_t values = 0;
        float *rows;
        p->index = head->first_param + k;
        p->param = oc_graph_param(plan->graph, p->index);
        if (!oc_shape_count(&p->param->shape, &values))
            return oc_fail(err, OC_ELIMIT, "%s: too large", p->param->name);
        p->width = values / plan->classes;
        OC_TRY(inner_rows(plan, p, OC_SLOT_WEIGHTS, &rows, err));
        p->whole[0] = oc_calloc_aligned(whole_bytes(plan, p));
        if (p->whole[0] == NULL) return oc_fail_nomem(err, whole_bytes(plan, p), "weights");
    }
    return OC_OK;
}

static oc_status build(sampled_plan *plan, const char *engine, const oc_graph *graph,
                       const oc_plan_options *options, oc_error *err) {
    oc_plan_options o = *options;
    oc_graph *small = NULL;
    size_t batch = (size_t)o.batch;
    oc_status status = OC_OK;
    plan->seed = o.seed;
    plan->drawn = oc_calloc(plan->count, sizeof *plan->drawn);
    plan->wanted = oc_calloc(plan->classes, sizeof *plan->wanted);
    plan->label = oc_calloc(batch, sizeof *plan->label);
    plan->label2 = oc_calloc(batch, sizeof *plan->label2);
    if (plan->drawn == NULL || plan->wanted == NULL || plan->label == NULL || plan->label2 == NULL)
        OC_GOTO(oc_fail_nomem(err, plan->classes, "the classes of a step"));
    OC_GOTO(oc_graph_copy(graph, &plan->graph, err));
    OC_GOTO(shrink(graph, plan->count, &o, &small, err));
    OC_GOTO(oc_plan_new(&plan->inner, engine, small, &o, err));
    status = parts_new(plan, err);
done:
    oc_graph_free(small);
    return status;
}

oc_status oci_sampled_new(oc_plan **out, const char *engine, const oc_graph *graph,
                          const oc_plan_options *options, size_t classes, oc_error *err) {
    *out = NULL;
    OC_TRY(check_graph(graph, options, err));
    sampled_plan *plan = oc_calloc(1, sizeof *plan);
    if (plan == NULL) return oc_fail_nomem(err, sizeof *plan, "a plan");
    plan->face.engine = &oci_engine_sampled;
    plan->classes = classes;
    plan->count = oci_sampled_count(options, classes);
    oc_status status = build(plan, engine, graph, options, err);
    if (status == OC_OK) {
        *out = &plan->face;
    } else {
        plan_free(&plan->face);
    }
    return status;
}

/* What the whole head adds to the inner plan. */
static uint64_t head_bytes(const oc_graph *graph) {
    const oc_node *head = oc_graph_node(graph, oc_graph_node_count(graph) - 1);
    uint64_t bytes = 0;
    for (int k = 0; k < head->param_count; k++) {
        size_t values = 0;
        if (oc_shape_count(&oc_graph_param(graph, head->first_param + k)->shape, &values))
            bytes += values * sizeof(float);
    }
    return bytes;
}

oc_status oci_sampled_measure(const char *engine, const oc_graph *graph,
                              const oc_plan_options *options, size_t classes, oc_plan_memory *out,
                              oc_error *err) {
    oc_plan_options o = *options;
    oc_graph *small = NULL;
    oc_status status = OC_OK;
    OC_TRY(check_graph(graph, options, err));
    OC_GOTO(shrink(graph, oci_sampled_count(options, classes), &o, &small, err));
    OC_GOTO(oc_plan_measure(engine, small, &o, out, err));
    out->weights += head_bytes(graph);
    out->slot += head_bytes(graph);
done:
    oc_graph_free(small);
    return status;
}

static oc_plan_memory memory(const oc_plan *face) {
    const sampled_plan *plan = plan_of_const(face);
    oc_plan_memory m = oc_plan_memory_use(plan->inner);
    for (int i = 0; i < plan->part_count; i++)
        for (int k = 0; k < SLOTS; k++)
            if (plan->parts[i].whole[k] != NULL) m.weights += whole_bytes(plan, &plan->parts[i]);
    m.slot += head_bytes(plan->graph);
    return m;
}

/* ---- rows of the head -------------------------------------------------------------------------
 */

static int place_of_slot(oc_slot slot) {
    return slot == OC_SLOT_STATE_0 ? 1 : slot == OC_SLOT_STATE_1 ? 2 : 0;
}

/* The whole parameter of a slot, made when first asked for. */
static oc_status whole_of(const sampled_plan *plan, part *p, oc_slot slot, float **out,
                          oc_error *err) {
    float **whole = &p->whole[place_of_slot(slot)];
    if (*whole == NULL) *whole = oc_calloc_aligned(whole_bytes(plan, p));
    *out = *whole;
    return *out != NULL ? OC_OK : oc_fail_nomem(err, whole_bytes(plan, p), "optimiser state");
}

/* Drawn row o of `rows` from `whole`. */
static void gather(const sampled_plan *plan, const part *p, float *rows, const float *whole) {
    size_t width = p->width;
#pragma omp parallel for schedule(static) if (plan->count * width > MANY_VALUES)
    for (size_t o = 0; o < plan->count; o++)
        memcpy(rows + o * width, whole + (size_t)plan->drawn[o] * width, width * sizeof *rows);
}

static void scatter(const sampled_plan *plan, const part *p, const float *rows, float *whole) {
    size_t width = p->width;
#pragma omp parallel for schedule(static) if (plan->count * width > MANY_VALUES)
    for (size_t o = 0; o < plan->count; o++)
        memcpy(whole + (size_t)plan->drawn[o] * width, rows + o * width, width * sizeof *rows);
}

/* Between the inner plan and the whole head, for one slot: in before, back behind an update. */
static oc_status move_rows(sampled_plan *plan, oc_slot slot, bool back, oc_error *err) {
    for (int i = 0; i < plan->part_count; i++) {
        part *p = &plan->parts[i];
        float *rows, *whole;
        OC_TRY(inner_rows(plan, p, slot, &rows, err));
        OC_TRY(whole_of(plan, p, slot, &whole, err));
        if (back)
            scatter(plan, p, rows, whole);
        else
            gather(plan, p, rows, whole);
    }
    return OC_OK;
}

/* ---- running ----------------------------------------------------------------------------------
 */

static size_t want(sampled_plan *plan, const int32_t *labels) {
    size_t fresh = 0;
    for (int i = 0; labels != NULL && i < plan->face.batch; i++) {
        uint8_t *mark = &plan->wanted[labels[i]];
        fresh += !*mark;
        *mark = 1;
    }
    return fresh;
}

/* The classes of a step. */
static void draw(sampled_plan *plan, uint64_t step, const oc_targets *t) {
    memset(plan->wanted, 0, plan->classes);
    size_t sure = want(plan, t->label) + want(plan, t->label2), k = 0;
    uint32_t left = (uint32_t)(plan->classes - sure), missing = (uint32_t)(plan->count - sure);
    oc_rng rng;
    oc_rng_init(&rng, plan->seed, OC_RNG_CLASSES, 0, step);
    for (size_t c = 0; c < plan->classes && k < plan->count; c++) {
        bool taken = plan->wanted[c];
        if (!taken) {
            taken = oc_rng_below(&rng, left--) < missing;
            missing -= taken;
        }
        if (taken) plan->drawn[k++] = (int32_t)c;
    }
    plan->any = true;
}

/* Where a drawn class stands among those drawn. */
static int32_t place_of(const sampled_plan *plan, int32_t class) {
    size_t low = 0, high = plan->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (plan->drawn[middle] <= class)
            low = middle;
        else
            high = middle;
    }
    return (int32_t)low;
}

static const int32_t *places(const sampled_plan *plan, const int32_t *labels, int32_t *out) {
    for (int i = 0; labels != NULL && i < plan->face.batch; i++) out[i] = place_of(plan, labels[i]);
    return labels != NULL ? out : NULL;
}

static oc_status forward(oc_plan *face, const float *pixels, int n, uint64_t step,
                         const oc_targets *targets, oc_result *result, oc_error *err) {
    sampled_plan *plan = plan_of(face);
    draw(plan, step, targets);
    OC_TRY(move_rows(plan, OC_SLOT_WEIGHTS, false, err));
    oc_targets t = *targets;
    t.label = places(plan, targets->label, plan->label);
    t.label2 = places(plan, targets->label2, plan->label2);
    return oc_plan_forward(plan->inner, pixels, n, step, &t, result, err);
}

static oc_status backward(oc_plan *face, oc_error *err) {
    return oc_plan_backward(plan_of(face)->inner, err);
}

static oc_status update(oc_plan *face, const oc_update *u, oc_error *err) {
    sampled_plan *plan = plan_of(face);
    int slots = oci_optimizer_slots(u->optimizer);
    for (int k = 0; k < slots; k++)
        OC_TRY(move_rows(plan, (oc_slot)(OC_SLOT_STATE_0 + k), false, err));
    OC_TRY(oc_plan_update(plan->inner, u, err));
    for (int k = 0; k < slots; k++)
        OC_TRY(move_rows(plan, (oc_slot)(OC_SLOT_STATE_0 + k), true, err));
    return move_rows(plan, OC_SLOT_WEIGHTS, true, err);
}

static float *input(oc_plan *face) {
    return oc_plan_input(plan_of(face)->inner);
}
static const float *output(oc_plan *face) {
    return oc_plan_output(plan_of(face)->inner);
}
static float *grads(oc_plan *face, size_t *count) {
    return oc_plan_grads(plan_of(face)->inner, count);
}

const int32_t *oc_plan_classes(const oc_plan *face, size_t *count) {
    const sampled_plan *plan = plan_of_const(face);
    *count = face->classes;
    if (face->engine != &oci_engine_sampled) return NULL;
    *count = plan->count;
    return plan->drawn;
}

/* ---- values in and out ------------------------------------------------------------------------
 */

static const part *part_of(const sampled_plan *plan, const char *name) {
    for (int i = 0; i < plan->part_count; i++)
        if (strcmp(plan->parts[i].param->name, name) == 0) return &plan->parts[i];
    return NULL;
}

/* A set for the inner plan that borrows what `set` has, but for the head, whose rows lie in the
 * inner plan already. */
static oc_status inner_set(const sampled_plan *plan, oc_slot slot, const oc_tensors *set,
                           oc_tensors **out, oc_error *err) {
    OC_TRY(oc_tensors_new(out, err));
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const char *name = oc_tensors_name(set, i);
        if (part_of(plan, name) == NULL)
            OC_TRY(oc_tensors_add_view(*out, name, oc_tensors_at(set, i), err));
    }
    for (int i = 0; i < plan->part_count; i++) {
        const part *p = &plan->parts[i];
        oc_tensor rows = {.dtype = OC_F32, .shape = p->param->shape};
        float *data;
        OC_TRY(inner_rows(plan, p, slot, &data, err));
        rows.shape.dim[0] = (int64_t)plan->count;
        rows.data = data;
        OC_TRY(oc_tensors_add_view(*out, p->param->name, &rows, err));
    }
    return OC_OK;
}

static oc_status import_part(sampled_plan *plan, part *p, oc_slot slot, const oc_tensors *set,
                             oc_error *err) {
    const float *from;
    float *rows, *whole;
    OC_TRY(oci_param_find(set, p->param, &from, err));
    OC_TRY(inner_rows(plan, p, slot, &rows, err));
    if (slot != OC_SLOT_GRADS) {
        OC_TRY(whole_of(plan, p, slot, &whole, err));
        memcpy(whole, from, whole_bytes(plan, p));
    }
    if (plan->any) gather(plan, p, rows, from);
    return OC_OK;
}

static oc_status import(oc_plan *face, oc_slot slot, const oc_tensors *set, oc_error *err) {
    sampled_plan *plan = plan_of(face);
    oc_tensors *others = NULL;
    oc_status status = OC_OK;
    for (int i = 0; i < plan->part_count; i++)
        OC_TRY(import_part(plan, &plan->parts[i], slot, set, err));
    OC_GOTO(inner_set(plan, slot, set, &others, err));
    status = oc_plan_import(plan->inner, slot, others, err);
done:
    oc_tensors_free(others);
    return status;
}

/* Gradients of rows that were not drawn are zero. */
static oc_status export_part(sampled_plan *plan, part *p, oc_slot slot, oc_tensors *set, bool lend,
                             oc_error *err) {
    float *to, *rows, *whole = NULL;
    if (slot != OC_SLOT_GRADS) OC_TRY(whole_of(plan, p, slot, &whole, err));
    if (whole != NULL && lend && oci_param_is_large(p->param))
        return oci_param_lend(set, p->param, whole, err);
    OC_TRY(oci_param_place(set, p->param, &to, err));
    if (whole != NULL) {
        if (to != whole) memcpy(to, whole, whole_bytes(plan, p));
        return OC_OK;
    }
    memset(to, 0, whole_bytes(plan, p));
    OC_TRY(inner_rows(plan, p, slot, &rows, err));
    if (plan->any) scatter(plan, p, rows, to);
    return OC_OK;
}

/* What the inner plan gave that is none of the head goes into the caller's set. */
static oc_status hand_over(const sampled_plan *plan, oc_tensors *set, const oc_tensors *others,
                           oc_error *err) {
    for (size_t i = 0; i < oc_tensors_count(others); i++) {
        const char *name = oc_tensors_name(others, i);
        const oc_tensor *from = oc_tensors_at(others, i);
        oc_tensor *to = oc_tensors_find(set, name);
        if (part_of(plan, name) != NULL) continue;
        if (to == NULL) OC_TRY(oc_tensors_add(set, name, OC_F32, &from->shape, &to, err));
        if (to->data != from->data) memcpy(to->data, from->data, oc_tensor_bytes(from));
    }
    return OC_OK;
}

static oc_status export(const oc_plan *face, oc_slot slot, oc_tensors *set, bool lend,
                        oc_error *err) {
    sampled_plan *plan = (sampled_plan *)(uintptr_t)face; /* state is made when first asked for */
    oc_tensors *others = NULL;
    oc_status status = OC_OK;
    OC_GOTO(inner_set(plan, slot, set, &others, err));
    OC_GOTO(oc_plan_export(plan->inner, slot, others, err));
    OC_GOTO(hand_over(plan, set, others, err));
    for (int i = 0; i < plan->part_count; i++)
        OC_GOTO(export_part(plan, &plan->parts[i], slot, set, lend, err));
done:
    oc_tensors_free(others);
    return status;
}

/* ---- looking inside ---------------------------------------------------------------------------
 */

static const char *find_nonfinite(oc_plan *face) {
    return oc_plan_find_nonfinite(plan_of(face)->inner);
}
static void profile(oc_plan *face, bool on) {
    oc_plan_profile(plan_of(face)->inner, on);
}
static size_t times(const oc_plan *face, oc_op_time *out, size_t max) {
    return oc_plan_times(plan_of_const(face)->inner, out, max);
}

const oc_engine_vtable oci_engine_sampled = {
    .name = "sampled",
    .plan_free = plan_free,
    .memory = memory,
    .import = import,
    .export = export,
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
