/* Where a network is cut for Grad-CAM, and what is put around the part behind the cut.
 *
 * The map is the last one before the head that holds more than one place, that all behind it sees
 * the photo through, and that is no mere summary (a pool) of a larger one: what the paper calls the
 * last convolutional layer. Training engines give gradients of parameters alone, and of a loss, so
 * the tail gets one parameter and one class more (oci_cut); dropout, which is the identity here,
 * and the rounding of quantised networks are left out of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "predict/predict_int.h"

#define MAP  "ocellus.explain.map"
#define REST "ocellus.explain.rest"
#define ALL  "ocellus.explain.all"

/* The logit of the class that swallows all: far above any other, exact in float. */
static const float swallow = 1 << 20;

/* ---- where ------------------------------------------------------------------------------------
 */

static bool is_summary(oc_op op) {
    static const oc_op all[] = {OC_OP_MAX_POOL, OC_OP_AVG_POOL,       OC_OP_GLOBAL_POOL,
                                OC_OP_DROPOUT,  OC_OP_ADAPTIVE_POOL,  OC_OP_FLATTEN,
                                OC_OP_QUANTIZE, OC_OP_GLOBAL_MAX_POOL};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (op == all[i]) return true;
    return false;
}

/* The map's node, or -1. */
static int find_map(const oc_graph *graph, const oc_shape *shapes, const bool *serves) {
    int head = oc_graph_head(graph), lowest = oc_graph_node_count(graph);
    for (int i = lowest - 1; i > 0; i--) {
        const oc_node *node = oc_graph_node(graph, i);
        if (!serves[i]) continue;
        bool alone = lowest >= i; /* nothing behind reads anything before */
        bool map = shapes[i].dim[2] * shapes[i].dim[3] > 1;
        if (alone && map && i < head && !is_summary(node->op)) return i;
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] < lowest) lowest = node->inputs[k];
    }
    return -1;
}

static oc_status choose_map(oci_cut *cut, const oc_model *model, int *node, oc_error *err) {
    const oc_graph *graph = model->graph;
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    bool *serves = oc_calloc(count, sizeof *serves);
    oc_status status = OC_OK;
    *node = -1;
    if (shapes == NULL || serves == NULL)
        OC_GOTO(oc_fail_nomem(err, count * sizeof *shapes, "an explanation"));
    OC_GOTO(oc_graph_shapes(graph, 1, model->recipe.height, model->recipe.width, shapes, err));
    (void)oc_graph_serves(graph, serves);
    *node = find_map(graph, shapes, serves);
    if (*node < 0)
        OC_GOTO(oc_fail(err, OC_EUNSUPPORTED,
                        "this network cannot be explained: before its last layer it has no map of "
                        "more than one place that all the rest sees the photo through"));
    cut->channels = (int)shapes[*node].dim[1];
    cut->height = (int)shapes[*node].dim[2];
    cut->width = (int)shapes[*node].dim[3];
    (void)snprintf(cut->layer, sizeof cut->layer, "%s", oc_graph_node(graph, *node)->name);
done:
    oc_free(shapes);
    oc_free(serves);
    return status;
}

/* ---- the tail ---------------------------------------------------------------------------------
 */

static oc_status add_zero(oc_graph *to, int *place, oc_error *err) {
    oc_attrs attrs = oc_attrs_default(OC_OP_SCALE);
    attrs.bias = 1;
    return oc_graph_add(to, OC_OP_SCALE, MAP, place, 1, &attrs, place, err);
}

static oc_status add_swallower(oc_graph *to, int logits, oc_error *err) {
    oc_attrs attrs = oc_attrs_default(OC_OP_DENSE);
    int both[] = {logits, 0};
    attrs.out = 1;
    attrs.bias = 1;
    OC_TRY(oc_graph_add(to, OC_OP_DENSE, REST, &logits, 1, &attrs, &both[1], err));
    return oc_graph_add(to, OC_OP_CONCAT, ALL, both, 2, NULL, NULL, err);
}

static bool is_identity(oc_op op) {
    return op == OC_OP_DROPOUT || op == OC_OP_QUANTIZE;
}

/* The node that gives the logits. */
static int logits_of(const oc_graph *rest) {
    int last = oc_graph_node_count(rest) - 1;
    while (oc_graph_node(rest, last)->op == OC_OP_SOFTMAX)
        last = oc_graph_node(rest, last)->inputs[0];
    return last;
}

/* place: number in `to` of each node of `rest`. */
static oc_status add_nodes(const oc_graph *rest, oc_graph *to, int *place, oc_error *err) {
    int last = logits_of(rest);
    for (int i = 0; i <= last; i++) {
        const oc_node *node = oc_graph_node(rest, i);
        int inputs[OC_MAX_INPUTS];
        for (int k = 0; k < node->input_count; k++) inputs[k] = place[node->inputs[k]];
        oc_attrs attrs = node->attrs;
        attrs.int8 = 0;
        if (is_identity(node->op))
            place[i] = inputs[0];
        else
            OC_TRY(oc_graph_add(to, node->op, node->name, inputs, node->input_count, &attrs,
                                &place[i], err));
        if (i == 0) OC_TRY(add_zero(to, &place[0], err));
    }
    return add_swallower(to, place[last], err);
}

static oc_status build_tail(oci_cut *cut, const oc_graph *rest, oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(rest);
    int *place = oc_calloc(count, sizeof *place);
    if (place == NULL) return oc_fail_nomem(err, count * sizeof *place, "an explanation");
    oc_status status = oc_graph_new(&cut->tail, err);
    if (status == OC_OK) status = add_nodes(rest, cut->tail, place, err);
    oc_free(place);
    return status;
}

/* Parameters of ours: a scale of 1, and what makes the swallowing logit; the rest is 0. */
static oc_status add_own(oc_tensors *set, const oc_param *p, oc_error *err) {
    oc_tensor *t = NULL;
    OC_TRY(oc_tensors_add(set, p->name, OC_F32, &p->shape, &t, err));
    float value = p->kind == OC_PARAM_SCALE ? 1 : p->kind == OC_PARAM_BIAS ? swallow : 0;
    for (size_t i = 0; i < oc_tensor_count(t); i++) ((float *)t->data)[i] = value;
    return OC_OK;
}

static oc_status gather_weights(oci_cut *cut, const oc_model *model, oc_error *err) {
    OC_TRY(oc_tensors_new(&cut->weights, err));
    for (int i = 0; i < oc_graph_param_count(cut->tail); i++) {
        const oc_param *p = oc_graph_param(cut->tail, i);
        const oc_tensor *t = oc_tensors_find(model->weights, p->name);
        OC_TRY(t != NULL ? oc_tensors_add_view(cut->weights, p->name, t, err)
                         : add_own(cut->weights, p, err));
    }
    return OC_OK;
}

oc_status oci_cut_new(oci_cut *out, const oc_model *model, oc_error *err) {
    int node = -1;
    oc_graph *rest = NULL;
    *out = (oci_cut){0};
    OC_TRY(choose_map(out, model, &node, err));
    oc_status status = oc_graph_split(model->graph, node, model->recipe.height, model->recipe.width,
                                      &out->body, &rest, err);
    if (status == OC_OK) status = build_tail(out, rest, err);
    if (status == OC_OK) status = gather_weights(out, model, err);
    oc_graph_free(rest);
    if (status != OC_OK) oci_cut_clear(out);
    return status;
}

void oci_cut_clear(oci_cut *cut) {
    oc_graph_free(cut->body);
    oc_graph_free(cut->tail);
    oc_tensors_free(cut->weights);
    *cut = (oci_cut){0};
}
