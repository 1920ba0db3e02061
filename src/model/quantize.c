/* A float model to one that works on int8: fold, look at it at work on photos, choose levels, round
 * weights, build the network anew with quantize nodes between its layers.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

enum { USUAL_BATCH = 8 };

typedef struct job {
    const oc_model *model;
    const oc_quantize_options *options;
    oc_graph *graph;     /* folded */
    oc_tensors *weights; /* folded, then rounded */
    oci_int8_layout layout;
    oci_histogram **seen; /* by group; NULL where nothing is rounded */
    size_t photos;
} job;

/* ---- looking ------------------------------------------------------------------------------- */

static oc_status make_histograms(job *j, oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(j->graph);
    j->seen = oc_calloc(count, sizeof(oci_histogram *));
    if (j->seen == NULL) return oc_fail_nomem(err, count * sizeof(oci_histogram *), "ranges");
    for (size_t i = 0; i < count; i++) {
        if (!j->layout.level[i]) continue;
        j->seen[i] = oc_calloc(1, sizeof **j->seen);
        if (j->seen[i] == NULL) return oc_fail_nomem(err, sizeof **j->seen, "ranges");
    }
    return OC_OK;
}

static void observe(void *ctx, int node, const float *values, size_t count) {
    job *j = ctx;
    oci_histogram *h = j->seen[j->layout.group[node]];
    if (h != NULL && oci_int8_makes_values(oc_graph_node(j->graph, node)->op))
        oci_histogram_add(h, values, count);
}

static oc_status run_photos(job *j, oc_plan *plan, oc_error *err) {
    for (;;) {
        const float *pixels = NULL;
        int n = 0;
        OC_TRY(j->options->photos(j->options->ctx, &pixels, &n, err));
        if (n == 0) break;
        OC_TRY(oc_plan_forward(plan, pixels, n, 0, NULL, NULL, err));
        j->photos += (size_t)n;
    }
    if (j->photos > 0) return OC_OK;
    return oc_fail(err, OC_EDATA, "no photos to measure the ranges of the layers on");
}

static oc_status measure(job *j, oc_error *err) {
    const oc_plan_options o = {.mode = OC_MODE_INFER,
                               .batch = j->options->batch > 0 ? j->options->batch : USUAL_BATCH,
                               .height = j->model->recipe.height,
                               .width = j->model->recipe.width,
                               .threads = j->options->threads};
    oc_plan *plan = NULL;
    oc_status status = OC_OK;
    OC_GOTO(make_histograms(j, err));
    OC_GOTO(oc_plan_new(&plan, j->options->engine, j->graph, &o, err));
    OC_GOTO(oc_plan_import(plan, OC_SLOT_WEIGHTS, j->weights, err));
    oc_plan_observe(plan, observe, j);
    status = run_photos(j, plan, err);
done:
    oc_plan_free(plan);
    return status;
}

/* ---- building ------------------------------------------------------------------------------- */

static oc_status add_quantize(const job *j, oc_graph *to, const oc_node *node, int group, int *at,
                              oc_error *err) {
    char name[OC_NAME_BYTES + 16];
    oc_attrs attrs = oc_attrs_default(OC_OP_QUANTIZE);
    int n = snprintf(name, sizeof name, "%s.quantize", node->name);
    if (n >= OC_NAME_BYTES) (void)snprintf(name, sizeof name, "quantize.%d", *at);
    oci_histogram_levels(j->seen[group], j->options->ranges, &attrs.step, &attrs.zero);
    return oc_graph_add(to, OC_OP_QUANTIZE, name, at, 1, &attrs, at, err);
}

/* Nothing was seen where an engine did not show the values: then they stay floats. */
static bool rounds_behind(const job *j, int i) {
    const oci_histogram *h = j->seen[j->layout.group[i]];
    return h != NULL && h->count > 0 && oci_int8_makes_values(oc_graph_node(j->graph, i)->op);
}

static oc_status add_nodes(const job *j, oc_graph *to, int *moved, oc_error *err) {
    for (int i = 0; i < oc_graph_node_count(j->graph); i++) {
        const oc_node *node = oc_graph_node(j->graph, i);
        int inputs[OC_MAX_INPUTS];
        for (int k = 0; k < node->input_count; k++) inputs[k] = moved[node->inputs[k]];
        oc_attrs attrs = node->attrs;
        if (j->layout.layer[i]) attrs.int8 = 1;
        OC_TRY(oc_graph_add(to, node->op, node->name, inputs, node->input_count, &attrs, &moved[i],
                            err));
        if (rounds_behind(j, i))
            OC_TRY(add_quantize(j, to, node, j->layout.group[i], &moved[i], err));
    }
    return OC_OK;
}

static oc_status build_graph(const job *j, oc_graph **out, oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(j->graph);
    int *moved = oc_calloc(count, sizeof *moved);
    oc_status status = OC_OK;
    if (moved == NULL) return oc_fail_nomem(err, count * sizeof *moved, "a network");
    OC_GOTO(oc_graph_new(out, err));
    status = add_nodes(j, *out, moved, err);
done:
    oc_free(moved);
    return status;
}

static bool works_value_by_value(oc_op op) {
    return op == OC_OP_DROPOUT || op == OC_OP_QUANTIZE || op == OC_OP_RELU || op == OC_OP_RELU6 ||
           op == OC_OP_SIGMOID || op == OC_OP_TANH;
}

/* The pixels of what was flattened for a dense layer that reads node i: its values of one pixel are
 * neighbours in engines that work on bytes. */
static size_t flattened_area(const oc_graph *graph, const oc_shape *shapes, int i) {
    while (works_value_by_value(oc_graph_node(graph, i)->op))
        i = oc_graph_node(graph, i)->inputs[0];
    if (oc_graph_node(graph, i)->op != OC_OP_FLATTEN) return 1;
    const oc_shape *from = &shapes[oc_graph_node(graph, i)->inputs[0]];
    return (size_t)(from->dim[2] * from->dim[3]);
}

/* (out, channels, area) to (out, area, channels), one filter after the other through `spare`. */
static void turn(float *weights, size_t out, size_t channels, size_t area, float *spare) {
    size_t filter = channels * area;
    for (size_t o = 0; o < out; o++, weights += filter) {
        for (size_t c = 0; c < channels; c++)
            for (size_t a = 0; a < area; a++) spare[a * channels + c] = weights[c * area + a];
        memcpy(weights, spare, filter * sizeof *weights);
    }
}

static oc_status round_flattened(oc_tensor *w, size_t area, float *step, oc_error *err) {
    size_t out = (size_t)w->shape.dim[0], filter = (size_t)w->shape.dim[1];
    float *spare = oc_malloc(filter * sizeof *spare);
    if (spare == NULL) return oc_fail_nomem(err, filter * sizeof *spare, "int8 weights");
    turn(w->data, out, filter / area, area, spare);
    oci_quantize_weights(w->data, out, filter, 1, step);
    turn(w->data, out, area, filter / area, spare);
    oc_free(spare);
    return OC_OK;
}

static oc_status round_layer(const job *j, const oc_graph *graph, const oc_shape *shapes,
                             const oc_param *p, oc_error *err) {
    const oc_node *node = oc_graph_node(graph, p->node);
    oc_tensor *step = NULL;
    oc_tensor *w = oc_tensors_find(j->weights, oc_graph_param(graph, node->first_param)->name);
    OC_TRY(oc_tensors_add(j->weights, p->name, OC_F32, &p->shape, &step, err));
    size_t out = (size_t)w->shape.dim[0], channels = (size_t)w->shape.dim[1];
    size_t area = flattened_area(graph, shapes, node->inputs[0]);
    if (node->op == OC_OP_DENSE && area > 1) return round_flattened(w, area, step->data, err);
    oci_quantize_weights(w->data, out, channels, oc_tensor_count(w) / out / channels, step->data);
    return OC_OK;
}

/* Steps are added to the folded weights, which become what their whole numbers stand for. */
static oc_status round_weights(job *j, const oc_graph *graph, oc_error *err) {
    const oc_recipe *r = &j->model->recipe;
    size_t nodes = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(nodes, sizeof *shapes);
    oc_status status = OC_OK;
    if (shapes == NULL) return oc_fail_nomem(err, nodes * sizeof *shapes, "shapes");
    OC_GOTO(oc_graph_shapes(graph, 1, r->height, r->width, shapes, err));
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *p = oc_graph_param(graph, i);
        if (p->kind == OC_PARAM_STEP) OC_GOTO(round_layer(j, graph, shapes, p, err));
    }
done:
    oc_free(shapes);
    return status;
}

/* ---- the model ------------------------------------------------------------------------------ */

static const char *word_of(oc_ranges ranges) {
    static const char *const words[] = {
#define RANGES_WORD(name, word) word,
        OC_RANGES_MAP(RANGES_WORD)
#undef RANGES_WORD
    };
    return words[ranges];
}

static oc_status set_origin(const job *j, oc_model *to, oc_error *err) {
    json_t *o = json_object();
    to->origin = j->model->origin != NULL ? json_deep_copy(j->model->origin) : json_object();
    if (to->origin == NULL) {
        json_decref(o);
        return oc_fail_nomem(err, 0, "a model's origin");
    }
    OC_TRY(oci_json_put(to->origin, "quantization", o, err));
    OC_TRY(oci_json_put(o, "format", json_string("int8"), err));
    OC_TRY(oci_json_put(o, "ranges", json_string(word_of(j->options->ranges)), err));
    return oci_json_put(o, "photos", json_integer((json_int_t)j->photos), err);
}

static oc_status copy_rest(const job *j, oc_model *to, oc_error *err) {
    const oc_model *from = j->model;
    to->recipe = from->recipe;
    to->temperature = from->temperature;
    to->threshold = from->threshold;
    OC_TRY(oc_classes_copy(&from->classes, &to->classes, err));
    if (from->arch != NULL && (to->arch = oc_strdup(from->arch)) == NULL)
        return oc_fail_nomem(err, strlen(from->arch) + 1, "a model");
    return set_origin(j, to, err);
}

static oc_status quantize(job *j, oc_model *to, oc_error *err) {
    if (oc_graph_is_int8(j->model->graph))
        return oc_fail(err, OC_EUNSUPPORTED,
                       "the model is quantised already: take the one that it was made from");
    oc_graph *serving = NULL;
    OC_TRY(oc_graph_prune(j->model->graph, &serving, err));
    oc_status status = oci_fold_norms(serving, j->model->weights, &j->graph, &j->weights, err);
    oc_graph_free(serving);
    if (status != OC_OK) return status;
    OC_TRY(oci_int8_layout_new(j->graph, &j->layout, err));
    OC_TRY(measure(j, err));
    OC_TRY(build_graph(j, &to->graph, err));
    OC_TRY(round_weights(j, to->graph, err));
    to->weights = j->weights;
    j->weights = NULL;
    return copy_rest(j, to, err);
}

static void clear(job *j) {
    int count = j->seen != NULL ? oc_graph_node_count(j->graph) : 0;
    for (int i = 0; i < count; i++) oc_free(j->seen[i]);
    oc_free(j->seen);
    oci_int8_layout_clear(&j->layout);
    oc_graph_free(j->graph);
    oc_tensors_free(j->weights);
}

oc_status oc_model_quantize(oc_model **out, const oc_model *model,
                            const oc_quantize_options *options, oc_error *err) {
    job j = {.model = model, .options = options};
    oc_model *made = NULL;
    *out = NULL;
    OC_TRY(oc_model_new(&made, err));
    oc_status status = quantize(&j, made, err);
    clear(&j);
    if (status == OC_OK) {
        *out = made;
    } else {
        oc_model_free(made);
    }
    return status;
}
