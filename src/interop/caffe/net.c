/* A Caffe net as a graph: which layer is the output, what it depends on, in which order the layers
 * become nodes, and which layer's weights each parameter takes.
 *
 * The output is what the heaviest SoftmaxWithLoss reads (the last of equals), or the one blob that
 * nobody reads; a Softmax behind it is left out, since plans end in one. In training, the other
 * losses become auxiliary ones. The output's layer comes last, as the graph wants it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/net_int.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LISTED = 8 };

static oc_status say(const oci_caffe_layer *layer, oc_status status, const char *what,
                     oc_error *err) {
    char place[OCI_PLACE_BYTES];
    return oc_fail(err, status, "%s: %s", oci_caffe_place(place, layer), what);
}

/* ---- the output ---------------------------------------------------------------------------- */

static bool is_loss(const oci_caffe_layer *layer) {
    return oci_caffe_is(layer, "SoftmaxWithLoss") && layer->bottom_count > 0;
}

static double loss_weight(const oci_caffe_layer *layer) {
    const oci_proto_value *v = oci_proto_next(layer->m, "loss_weight", NULL);
    return v != NULL ? v->as.real : 1;
}

/* The layer of the heaviest loss, or -1. */
static int main_loss(const oci_caffe_network *net) {
    int found = -1;
    for (size_t i = 0; i < net->count; i++) {
        if (!is_loss(&net->layers[i])) continue;
        if (found >= 0 && loss_weight(&net->layers[i]) < loss_weight(&net->layers[found])) continue;
        found = (int)i;
    }
    return found;
}

static bool is_open(const oci_caffe_layer *layer) {
    return layer->readers == 0 && !oci_caffe_is_aside(layer) && !oci_caffe_is_input(layer);
}

static oc_status not_one_output(const oci_caffe_network *net, const oci_proto *tree,
                                oc_error *err) {
    char place[OCI_PLACE_BYTES];
    oc_buf list = {0};
    int count = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (!is_open(&net->layers[i])) continue;
        if (count++ < MAX_LISTED) oc_buf_printf(&list, " %.80s", net->layers[i].name);
    }
    oc_status status = oc_buf_status(&list, err);
    (void)oci_proto_place(place, tree);
    if (status == OC_OK && count == 0)
        status = oc_fail(err, OC_EUNSUPPORTED, "%s: no layer whose output nobody reads", place);
    if (status == OC_OK) {
        status = oc_fail(err, OC_EUNSUPPORTED,
                         "%s: %d outputs that nobody reads:%s; a classifier has one: take the "
                         "other layers out",
                         place, count, list.data);
    }
    oc_buf_clear(&list);
    return status;
}

/* The layer whose output are the logits. */
static oc_status find_output(const oci_caffe_network *net, const oci_proto *tree, int *out,
                             oc_error *err) {
    int loss = main_loss(net), found = -1, count = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (!is_open(&net->layers[i])) continue;
        found = (int)i;
        count++;
    }
    if (loss >= 0)
        found = net->layers[loss].bottoms[0].layer;
    else if (count != 1)
        return not_one_output(net, tree, err);
    const oci_caffe_layer *last = &net->layers[found];
    if (oci_caffe_is(last, "Softmax") && last->bottom_count == 1) found = last->bottoms[0].layer;
    *out = found;
    if (!oci_caffe_is_input(&net->layers[found])) return OC_OK;
    return say(&net->layers[found], OC_EUNSUPPORTED, "an input is the output: no network", err);
}

/* ---- what is needed ------------------------------------------------------------------------ */

/* From the readers back to what they read: one pass from the end. */
static void mark_needed(oci_caffe_network *net, int output, oci_caffe_phase phase) {
    int loss = main_loss(net);
    net->layers[output].needed = true;
    for (size_t i = net->count; i-- > 0;) {
        oci_caffe_layer *layer = &net->layers[i];
        bool aux =
            phase == OCI_CAFFE_TRAIN && is_loss(layer) && (int)i != loss && loss_weight(layer) > 0;
        if (aux) layer->needed = true;
        int reads = aux ? 1 : layer->bottom_count; /* of a loss: the label aside */
        for (int k = 0; layer->needed && k < reads; k++)
            net->layers[layer->bottoms[k].layer].needed = true;
    }
}

static bool has_counterpart(const oci_caffe_layer *layer) {
    return oci_caffe_is_input(layer) || is_loss(layer) || oci_caffe_can(layer);
}

/* All layers that have no counterpart, in one message. */
static oc_status check_kinds(const oci_caffe_network *net, const oci_proto *tree, oc_error *err) {
    oc_buf list = {0};
    int count = 0;
    for (size_t i = 0; i < net->count; i++) {
        const oci_caffe_layer *layer = &net->layers[i];
        if (!layer->needed || has_counterpart(layer)) continue;
        if (count++ >= MAX_LISTED) continue;
        oc_buf_printf(&list, "%s%.60s (%.30s)", count > 1 ? ", " : " ", layer->name, layer->type);
        if (layer->m->line > 0) oc_buf_printf(&list, " in line %d", layer->m->line);
    }
    oc_status status = oc_buf_status(&list, err);
    if (status == OC_OK && count > 0) {
        char more[32] = "";
        if (count > MAX_LISTED)
            (void)snprintf(more, sizeof more, " and %d more", count - MAX_LISTED);
        status = oc_fail(err, OC_EUNSUPPORTED, "%s: layers that have no counterpart here:%s%s",
                         tree->where, list.data, more);
    }
    oc_buf_clear(&list);
    return status;
}

/* ---- the input ----------------------------------------------------------------------------- */

static int64_t dim_at(const oci_proto *m, const char *field, int i) {
    const oci_proto_value *v = oci_proto_next(m, field, NULL);
    for (; v != NULL && i > 0; i--) v = oci_proto_next(m, field, v);
    return v != NULL ? v->as.integer : 0;
}

/* Channels, height and width of what an input layer gives; 0 = it does not say. */
static void input_shape(const oci_caffe_layer *layer, int64_t chw[3]) {
    const oci_proto *m = layer->m;
    chw[0] = chw[1] = chw[2] = 0;
    bool declared = m->type == &oci_caffe_net;
    for (int i = 0; i < 3; i++) {
        if (layer->shape != NULL)
            chw[i] = dim_at(layer->shape, "dim", i + 1);
        else if (declared)
            chw[i] = dim_at(m, "input_dim", i + 1);
    }
    if (layer->shape != NULL || declared) return;
    if (oci_caffe_is(layer, "MemoryData")) {
        const oci_proto *memory = oci_caffe_param_of(layer, "memory_data_param");
        chw[0] = oci_proto_int(memory, "channels");
        chw[1] = oci_proto_int(memory, "height");
        chw[2] = oci_proto_int(memory, "width");
    }
    const oci_proto *transform = oci_caffe_param_of(layer, "transform_param");
    int64_t crop = oci_proto_int(oci_caffe_transform_of(layer, "crop_size"), "crop_size");
    if (crop > 0) chw[1] = chw[2] = crop;
    if (crop == 0 && oci_caffe_is(layer, "ImageData")) {
        chw[1] = oci_proto_int(oci_caffe_param_of(layer, "image_data_param"), "new_height");
        chw[2] = oci_proto_int(oci_caffe_param_of(layer, "image_data_param"), "new_width");
    }
    if (chw[0] == 0) chw[0] = oci_proto_bool(transform, "force_gray") ? 1 : 3;
}

static oc_status find_input(oci_caffe_network *net, const oci_proto *tree, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    for (size_t i = 0; i < net->count; i++) {
        const oci_caffe_layer *layer = &net->layers[i];
        if (!layer->needed || !oci_caffe_is_input(layer)) continue;
        if (net->input != NULL)
            return say(layer, OC_EUNSUPPORTED, "a second input: only networks with one are read",
                       err);
        net->input = layer;
    }
    if (net->input != NULL) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: no layer gives the photos", oci_proto_place(place, tree));
}

static oc_status add_input(oci_caffe_builder *b, int width, int height, oc_error *err) {
    const oci_caffe_layer *layer = b->net->input;
    oc_attrs a = oc_attrs_default(OC_OP_INPUT);
    int64_t chw[3];
    int node;
    input_shape(layer, chw);
    if (height > 0) chw[1] = height;
    if (width > 0) chw[2] = width;
    if (chw[1] == 0 || chw[2] == 0)
        return say(layer, OC_EUSAGE, "no size of the photos: give it with --size", err);
    for (int i = 0; i < 3; i++)
        if (chw[i] < 1 || chw[i] > INT32_MAX)
            return say(layer, OC_EFORMAT, "a shape with a size below 1 or beyond measure", err);
    a.channels = (int32_t)chw[0];
    a.height = (int32_t)chw[1];
    a.width = (int32_t)chw[2];
    return oci_caffe_add(b, (size_t)(layer - b->net->layers), "", OC_OP_INPUT, NULL, 0, &a, &node,
                         err);
}

/* ---- nodes --------------------------------------------------------------------------------- */

static bool has_params(oc_op op) {
    return op == OC_OP_CONV || op == OC_OP_DENSE || op == OC_OP_BATCH_NORM || op == OC_OP_SCALE ||
           op == OC_OP_PRELU;
}

/* The layer's name and `suffix`; layers without weights may share a name, and get a number. */
static oc_status node_name(const oci_caffe_builder *b, const oci_caffe_layer *layer, oc_op op,
                           const char *suffix, char name[OC_NAME_BYTES], oc_error *err) {
    size_t size = strlen(layer->name) + strlen(suffix);
    if (size == 0 || size + 16 > OC_NAME_BYTES)
        return say(layer, OC_EFORMAT, "a name of 1 to 111 bytes is needed", err);
    (void)snprintf(name, OC_NAME_BYTES, "%s%s", layer->name, suffix);
    for (int i = 2; !has_params(op) && oc_graph_find(b->net->graph, name) >= 0; i++)
        (void)snprintf(name, OC_NAME_BYTES, "%s%s#%d", layer->name, suffix, i);
    return OC_OK;
}

oc_status oci_caffe_add(oci_caffe_builder *b, size_t i, const char *suffix, oc_op op,
                        const int *inputs, int count, const oc_attrs *attrs, int *out,
                        oc_error *err) {
    const oci_caffe_layer *layer = &b->net->layers[i];
    char name[OC_NAME_BYTES], place[OCI_PLACE_BYTES];
    OC_TRY(node_name(b, layer, op, suffix, name, err));
    oc_status status = oc_graph_add(b->net->graph, op, name, inputs, count, attrs, out, err);
    if (status != OC_OK) return oc_error_context(err, status, "%s", oci_caffe_place(place, layer));
    size_t nodes = (size_t)*out + 1;
    OC_TRY(oc_grow(&b->origins, &b->origin_room, nodes, sizeof *b->origins, err));
    b->origins[*out] = (oci_caffe_origin){.layer = layer};
    b->made[i].node = *out;
    return OC_OK;
}

static oc_status emit_aux(oci_caffe_builder *b, size_t i, oc_error *err) {
    const oci_caffe_layer *layer = &b->net->layers[i];
    oc_attrs a = oc_attrs_default(OC_OP_AUX_LOSS);
    int x = b->made[layer->bottoms[0].layer].node, node;
    a.weight = (float)loss_weight(layer);
    return oci_caffe_add(b, i, "", OC_OP_AUX_LOSS, &x, 1, &a, &node, err);
}

/* Everything in the file's order, but the output last. */
static oc_status emit_all(oci_caffe_builder *b, size_t output, oc_error *err) {
    const oci_caffe_network *net = b->net;
    for (size_t i = 0; i < net->count; i++) {
        const oci_caffe_layer *layer = &net->layers[i];
        if (!layer->needed || i == output || layer == net->input) continue;
        for (int k = 0; k < layer->bottom_count; k++)
            if (layer->bottoms[k].layer == (int)output && !is_loss(layer))
                return say(layer, OC_EUNSUPPORTED, "reads the network's output", err);
        if (is_loss(layer)) {
            if (layer->bottoms[0].layer != (int)output) OC_TRY(emit_aux(b, i, err));
        } else {
            OC_TRY(oci_caffe_emit(b, i, err));
        }
    }
    return oci_caffe_emit(b, output, err);
}

/* The graph must end with the output's node: a merged or copied output ends earlier. */
static oc_status check_last(const oci_caffe_builder *b, int output, oc_error *err) {
    if (b->made[output].node == oc_graph_node_count(b->net->graph) - 1) return OC_OK;
    return say(&b->net->layers[output], OC_EUNSUPPORTED,
               "the output does nothing of its own: take it out of the net", err);
}

/* ---- where weights come from ---------------------------------------------------------------- */

static oci_caffe_source source_of(const oci_caffe_origin *from, oc_param_kind kind) {
    oci_caffe_source source = {.layer = from->layer};
    bool normalised = oci_caffe_is(from->layer, "BatchNorm");
    switch (kind) {
    case OC_PARAM_VAR:
    case OC_PARAM_BIAS:
        source.blob = 1;
        break;
    case OC_PARAM_SCALE:
        if (normalised) source.layer = from->scale;
        if (oci_caffe_is(from->layer, "Bias")) source.layer = NULL;
        source.constant = 1;
        break;
    case OC_PARAM_SHIFT:
        source.blob = oci_caffe_is(from->layer, "Bias") ? 0 : 1;
        if (!normalised) break;
        source.layer = from->scale;
        if (from->scale != NULL &&
            !oci_proto_bool(oci_caffe_param_of(from->scale, "scale_param"), "bias_term"))
            source.layer = NULL;
        break;
    default:
        break;
    }
    return source;
}

static oc_status list_sources(oci_caffe_builder *b, oc_error *err) {
    const oc_graph *graph = b->net->graph;
    size_t count = (size_t)oc_graph_param_count(graph);
    b->net->sources = oc_pool_alloc(b->pool, count * sizeof *b->net->sources);
    if (b->net->sources == NULL) return oc_fail_nomem(err, count, "the list of weights");
    for (size_t i = 0; i < count; i++) {
        const oc_param *param = oc_graph_param(graph, (int)i);
        b->net->sources[i] = source_of(&b->origins[param->node], param->kind);
    }
    return OC_OK;
}

static oc_status build(oci_caffe_builder *b, const oci_proto *tree, int width, int height,
                       oc_error *err) {
    oci_caffe_network *net = b->net;
    int output = -1;
    OC_TRY(oci_caffe_layers(tree, b->phase, b->pool, &net->layers, &net->count, err));
    OC_TRY(find_output(net, tree, &output, err));
    mark_needed(net, output, b->phase);
    OC_TRY(check_kinds(net, tree, err));
    OC_TRY(find_input(net, tree, err));
    b->made = oc_pool_alloc(b->pool, net->count * sizeof *b->made);
    if (b->made == NULL) return oc_fail_nomem(err, net->count, "a net's layers");
    for (size_t i = 0; i < net->count; i++) b->made[i].node = -1;
    OC_TRY(oc_graph_new(&net->graph, err));
    OC_TRY(add_input(b, width, height, err));
    OC_TRY(emit_all(b, (size_t)output, err));
    OC_TRY(check_last(b, output, err));
    return list_sources(b, err);
}

oc_status oci_caffe_net_build(oci_caffe_network *out, const oci_proto *tree, oci_caffe_phase phase,
                              int width, int height, oc_pool *pool, oc_error *err) {
    oci_caffe_builder b = {.net = out, .pool = pool, .phase = phase};
    *out = (oci_caffe_network){0};
    oc_status status = build(&b, tree, width, height, err);
    oc_free(b.origins);
    if (status == OC_OK) return OC_OK;
    oc_graph_free(out->graph);
    out->graph = NULL;
    return status;
}
