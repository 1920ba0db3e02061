/* From the layers that serve the output to a network and its weights.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/onnx/import_int.h"

/* A name that no node has yet. */
static const char *unique(const oc_graph *graph, const oci_layer *layer, size_t number,
                          char storage[OC_NAME_BYTES]) {
    if (oc_graph_find(graph, layer->name) < 0) return layer->name;
    (void)snprintf(storage, OC_NAME_BYTES, "%s_%zu", layer->name, number);
    return storage;
}

static oc_status add_input(const oci_import *x, int first, oc_graph *graph, oc_error *err) {
    const oc_shape *s = &x->layers[first].shape;
    const oc_attrs attrs = {
        .channels = (int32_t)s->dim[1], .height = (int32_t)s->dim[2], .width = (int32_t)s->dim[3]};
    return oc_graph_add(graph, OC_OP_INPUT, x->layers[0].name, NULL, 0, &attrs, NULL, err);
}

static oc_status check_op(const oci_import *x, const oci_layer *layer, oc_error *err) {
    if (layer->op < OC_OP_COUNT) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED, "%s: '%s' %s", x->where, layer->name,
                   layer->op == OCI_OP_REVERSE
                       ? "turns the order of channels, which only the front of a network may do"
                       : "takes logarithms of probabilities before the network's end");
}

/* place[i] := the node of layer i. */
static oc_status add_nodes(const oci_import *x, int first, int *place, oc_graph *graph,
                           oc_error *err) {
    OC_TRY(add_input(x, first, graph, err));
    for (size_t i = (size_t)first + 1; i < x->layer_count; i++) {
        const oci_layer *layer = &x->layers[i];
        char storage[OC_NAME_BYTES];
        int inputs[OC_MAX_INPUTS];
        if (!layer->serves) continue;
        OC_TRY(check_op(x, layer, err));
        for (int k = 0; k < layer->input_count; k++) inputs[k] = place[layer->inputs[k]];
        oc_status status = oc_graph_add(graph, (oc_op)layer->op, unique(graph, layer, i, storage),
                                        inputs, layer->input_count, &layer->attrs, &place[i], err);
        if (status != OC_OK) return oc_error_context(err, status, "%s", x->where);
    }
    return OC_OK;
}

/* ---- weights ------------------------------------------------------------------------------------
 */

static oc_status add_param(const oci_import *x, const oc_param *param,
                           const oci_param_values *values, oc_tensors *set, oc_error *err) {
    size_t count = 0;
    if (!oc_shape_count(&param->shape, &count) || count != values->count || values->data == NULL) {
        char text[OC_SHAPE_TEXT];
        return oc_fail(err, OC_EMISMATCH, "%s: '%s' has %zu values, %s are needed", x->where,
                       param->name, values->count, oc_shape_text(text, &param->shape));
    }
    const oc_tensor view = {
        .dtype = values->dtype, .shape = param->shape, .data = (void *)(uintptr_t)values->data};
    return oc_tensors_add_view(set, param->name, &view, err);
}

static oc_status add_params(const oci_import *x, const int *place, const oc_graph *graph,
                            oc_tensors *set, oc_error *err) {
    for (size_t i = 1; i < x->layer_count; i++) {
        const oci_layer *layer = &x->layers[i];
        if (!layer->serves || place[i] == 0) continue;
        const oc_node *node = oc_graph_node(graph, place[i]);
        for (int k = 0; k < node->param_count; k++)
            OC_TRY(add_param(x, oc_graph_param(graph, node->first_param + k), &layer->params[k],
                             set, err));
    }
    return OC_OK;
}

/* Views of the file become the model's floats; each is looked at on the way. */
static oc_status take_weights(const oci_import *x, const int *place, oc_model *model,
                              oc_error *err) {
    oc_tensors *views = NULL;
    oc_status status = OC_OK;
    OC_TRY(oc_tensors_new(&views, err));
    OC_GOTO(add_params(x, place, model->graph, views, err));
    OC_GOTO(oc_tensors_new(&model->weights, err));
    status = oc_weights_fit(model->graph, views, false, model->weights, NULL, err);
    if (status != OC_OK) status = oc_error_context(err, status, "%s", x->where);
done:
    oc_tensors_free(views);
    return status;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static oc_status check_head(const oci_import *x, int last, const oc_graph *graph, oc_error *err) {
    const oc_shape *s = &x->layers[last].shape;
    char text[OC_SHAPE_TEXT];
    if (s->dim[2] != 1 || s->dim[3] != 1)
        return oc_fail(err, OC_EUNSUPPORTED, "%s: the output is %s, not a row of class scores",
                       x->where, oc_shape_text(text, s));
    if (oc_graph_head(graph) >= 0 && oc_graph_classes(graph) == s->dim[1]) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: %lld outputs that no last layer of as many gives: no classifier", x->where,
                   (long long)s->dim[1]);
}

oc_status oci_build_network(oci_import *x, int first, int last, oc_model *model, oc_error *err) {
    oc_status status = OC_OK;
    int *place = oc_calloc(x->layer_count, sizeof *place);
    if (place == NULL) return oc_fail_nomem(err, x->layer_count * sizeof *place, x->where);
    OC_GOTO(oc_graph_new(&model->graph, err));
    OC_GOTO(add_nodes(x, first, place, model->graph, err));
    OC_GOTO(check_head(x, last, model->graph, err));
    OC_GOTO(oci_fill_picks(x, err));
    status = take_weights(x, place, model, err);
done:
    oc_free(place);
    return status;
}
