/* Layers of a graph with output shapes, parameters and multiply-adds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "info_int.h"

enum { NAME_COLUMNS = 34 };

static uint64_t parameters_of(const oc_graph *graph, const oc_node *node) {
    uint64_t sum = 0;
    for (int k = 0; k < node->param_count; k++) {
        const oc_param *param = oc_graph_param(graph, node->first_param + k);
        size_t count = 0;
        if (oc_param_trained(param->kind) && oc_shape_count(&param->shape, &count)) sum += count;
    }
    return sum;
}

oc_status oci_layers_make(oci_layers *out, const oc_graph *graph, int height, int width,
                          oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_status status = OC_OK;
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    *out = (oci_layers){.count = count, .height = height, .width = width};
    out->items = oc_calloc(count, sizeof *out->items);
    if (!shapes || !out->items) OC_GOTO(oc_fail_nomem(err, count * sizeof *shapes, "the layers"));
    OC_GOTO(oc_graph_shapes(graph, 1, height, width, shapes, err));
    for (size_t i = 0; i < count; i++) {
        const oc_node *node = oc_graph_node(graph, (int)i);
        out->items[i] = (oci_layer){node, shapes[i], parameters_of(graph, node),
                                    oc_graph_macs(graph, (int)i, shapes)};
        out->parameters += out->items[i].parameters;
        out->macs += out->items[i].macs;
    }
done:
    oc_free(shapes);
    if (status != OC_OK) oci_layers_clear(out);
    return status;
}

void oci_layers_clear(oci_layers *layers) {
    oc_free(layers->items);
    layers->items = NULL;
    layers->count = 0;
}

char *oci_format_count(char storage[32], uint64_t count) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) storage[at++] = ',';
        storage[at++] = digits[i];
    }
    storage[at] = '\0';
    return storage;
}

static bool counts(const oci_layer *layer) {
    switch (layer->node->op) {
    case OC_OP_INPUT:
    case OC_OP_CONV:
    case OC_OP_DENSE:
    case OC_OP_MAX_POOL:
    case OC_OP_AVG_POOL:
    case OC_OP_GLOBAL_POOL:
    case OC_OP_ADAPTIVE_POOL:
    case OC_OP_CONCAT:
        return true;
    default:
        return false;
    }
}

/* "3x3/2 dw": what the shape of the output does not tell. */
static void describe(const oc_node *node, char out[32]) {
    const oc_attrs *a = &node->attrs;
    out[0] = '\0';
    if (node->op != OC_OP_CONV && node->op != OC_OP_MAX_POOL && node->op != OC_OP_AVG_POOL) return;
    int n = snprintf(out, 32, "%dx%d", a->kernel_h, a->kernel_w);
    if (a->stride_h > 1) n += snprintf(out + n, 32 - (size_t)n, "/%d", a->stride_h);
    if (node->op == OC_OP_CONV && a->groups > 1)
        snprintf(out + n, 32 - (size_t)n, "%s", a->groups == a->out ? " depthwise" : " grouped");
}

static void text_layer(const oci_layer *layer, oc_buf *out) {
    char shape[64], kernel[32], parameters[32] = "", macs[32] = "";
    const int64_t *d = layer->shape.dim;
    if (d[2] == 1 && d[3] == 1)
        snprintf(shape, sizeof shape, "%" PRId64, d[1]);
    else
        snprintf(shape, sizeof shape, "%" PRId64 " x %" PRId64 " x %" PRId64, d[1], d[2], d[3]);
    describe(layer->node, kernel);
    if (layer->parameters) oci_format_count(parameters, layer->parameters);
    if (layer->macs) oci_format_count(macs, layer->macs);
    oc_buf_puts(out, "  ");
    oci_put_padded(out, layer->node->name, NAME_COLUMNS, false);
    oc_buf_printf(out, " %-16s%-14s %-18s %12s %15s\n", oc_op_name(layer->node->op), kernel, shape,
                  parameters, macs);
}

void oci_layers_text(const oci_layers *layers, bool all, oc_buf *out) {
    oc_buf_printf(out, "  %-*s %-30s %-18s %12s %15s\n", NAME_COLUMNS, "layer", "kind", "output",
                  "parameters", "multiply-adds");
    for (size_t i = 0; i < layers->count; i++)
        if (all || counts(&layers->items[i])) text_layer(&layers->items[i], out);
}

json_t *oci_layers_json(const oci_layers *layers) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < layers->count; i++) {
        const oci_layer *l = &layers->items[i];
        const int64_t *d = l->shape.dim;
        bad |= json_array_append_new(
            array, json_pack("{s:s,s:s,s:[I,I,I],s:I,s:I}", "name", l->node->name, "op",
                             oc_op_name(l->node->op), "output", (json_int_t)d[1], (json_int_t)d[2],
                             (json_int_t)d[3], "parameters", (json_int_t)l->parameters,
                             "multiply_adds", (json_int_t)l->macs));
    }
    if (!bad) return array;
    json_decref(array);
    return NULL;
}
