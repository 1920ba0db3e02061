/* A side that is run: the values of every node of a model's network.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/verify/verify_int.h"

static oc_status shapes_of(const oc_graph *graph, int height, int width, oc_shape **out,
                           oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    *out = oc_calloc(count, sizeof **out);
    if (*out == NULL) return oc_fail_nomem(err, count * sizeof **out, "the shapes of a network");
    oc_status status = oc_graph_shapes(graph, 1, height, width, *out, err);
    if (status == OC_OK) return OC_OK;
    oc_free(*out);
    *out = NULL;
    return status;
}

oc_status oci_side_volume(const oc_model *model, int height, int width, size_t *out,
                          oc_error *err) {
    oc_shape *shapes = NULL;
    *out = 0;
    OC_TRY(shapes_of(model->graph, height, width, &shapes, err));
    for (int i = 0; i < oc_graph_node_count(model->graph); i++) {
        size_t volume = 0;
        if (oc_shape_count(&shapes[i], &volume)) *out += volume;
    }
    oc_free(shapes);
    return OC_OK;
}

static oc_status take_node(oci_side *side, size_t i, const oc_shape *shape, oc_error *err) {
    const oc_node *node = oc_graph_node(side->graph, (int)i);
    oci_values *v = &side->nodes[i];
    size_t bytes = 0;
    *v = (oci_values){.name = node->name, .op = (int)node->op};
    v->shape = (oc_shape){3, {shape->dim[1], shape->dim[2], shape->dim[3]}};
    if (!oc_shape_count(&v->shape, &v->volume) ||
        !oc_mul_size(v->volume * sizeof(float), (size_t)side->batch, &bytes))
        return oc_fail(err, OC_ELIMIT, "layer %s has too many values", node->name);
    v->at = oc_malloc(bytes);
    return v->at != NULL ? OC_OK : oc_fail_nomem(err, bytes, "the values of a layer");
}

static oc_status take_nodes(oci_side *side, oc_error *err) {
    oc_shape *shapes = NULL;
    oc_status status = OC_OK;
    size_t count = (size_t)oc_graph_node_count(side->graph);
    OC_TRY(shapes_of(side->graph, side->height, side->width, &shapes, err));
    side->nodes = oc_calloc(count, sizeof *side->nodes);
    if (side->nodes == NULL) OC_GOTO(oc_fail_nomem(err, count, "a network's values"));
    for (; side->count < count; side->count++)
        OC_GOTO(take_node(side, side->count, &shapes[side->count], err));
    side->output = count - 1;
done:
    oc_free(shapes);
    return status;
}

static oc_status make_plan(const oci_side *side, const oc_graph *graph, oc_plan **out,
                           oc_error *err) {
    const oc_plan_options options = {.mode = OC_MODE_INFER,
                                     .batch = side->batch,
                                     .height = side->height,
                                     .width = side->width,
                                     .threads = side->threads,
                                     .borrow = true};
    OC_TRY(oc_plan_new(out, side->engine, graph, &options, err));
    oc_status status = oc_plan_import(*out, OC_SLOT_WEIGHTS, side->model->weights, err);
    if (status == OC_OK) return OC_OK;
    oc_plan_free(*out);
    *out = NULL;
    return status;
}

oc_status oci_side_model(oci_side *side, const oc_model *model, const char *engine, int threads,
                         int height, int width, int batch, oc_error *err) {
    *side = (oci_side){.model = model,
                       .engine = engine,
                       .threads = threads,
                       .batch = batch,
                       .height = height,
                       .width = width,
                       .ordered = true};
    OC_TRY(oc_graph_prune(model->graph, &side->graph, err));
    OC_TRY(take_nodes(side, err));
    side->pixels = side->nodes[0].at;
    if (strcmp(engine, "ref") != 0) return OC_OK;
    return make_plan(side, side->graph, &side->plan, err);
}

static void keep_values(void *ctx, int node, const float *values, size_t count) {
    oci_side *side = ctx;
    memcpy(side->nodes[node].at, values, count * sizeof *values);
}

/* The network up to node `last`, which becomes its output. */
static oc_status cut_behind(const oc_graph *graph, int last, oc_graph **out, oc_error *err) {
    oc_graph *part = NULL;
    oc_status status = OC_OK;
    OC_TRY(oc_graph_new(&part, err));
    for (int i = 0; i <= last; i++) {
        const oc_node *n = oc_graph_node(graph, i);
        OC_GOTO(
            oc_graph_add(part, n->op, n->name, n->inputs, n->input_count, &n->attrs, NULL, err));
    }
    status = oc_graph_prune(part, out, err);
done:
    oc_graph_free(part);
    return status;
}

static oc_status ask_for(oci_side *side, int node, int n, oc_error *err) {
    oc_graph *part = NULL;
    oc_plan *plan = NULL;
    oc_status status = OC_OK;
    oci_values *v = &side->nodes[node];
    OC_GOTO(cut_behind(side->graph, node, &part, err));
    OC_GOTO(make_plan(side, part, &plan, err));
    OC_GOTO(oc_plan_forward(plan, side->pixels, n, 0, NULL, NULL, err));
    memcpy(v->at, oc_plan_output(plan), (size_t)n * v->volume * sizeof *v->at);
done:
    oc_plan_free(plan);
    oc_graph_free(part);
    return status;
}

oc_status oci_side_run(oci_side *side, int n, oc_error *err) {
    if (side->model == NULL) return OC_OK;
    if (side->plan == NULL) {
        for (size_t i = 1; i < side->count; i++) OC_TRY(ask_for(side, (int)i, n, err));
        return OC_OK;
    }
    oc_plan_observe(side->plan, keep_values, side);
    size_t bytes = (size_t)n * side->nodes[0].volume * sizeof(float);
    memcpy(oc_plan_input(side->plan), side->pixels, bytes);
    return oc_plan_forward(side->plan, NULL, n, 0, NULL, NULL, err);
}

const float *oci_side_values(const oci_side *side, size_t node, size_t image) {
    const oci_values *v = &side->nodes[node];
    return v->at + (side->first + image) * v->volume;
}

void oci_side_clear(oci_side *side) {
    for (size_t i = 0; side->nodes != NULL && i < side->count; i++) oc_free(side->nodes[i].at);
    oc_free(side->nodes);
    oc_plan_free(side->plan);
    oc_graph_free(side->graph);
    *side = (oci_side){0};
}
