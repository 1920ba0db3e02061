/* Head and body: finding the layer that gives one output per class, changing how many there are,
 * and splitting a net in two so that the body's features can be computed once.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

int oc_graph_head(const oc_graph *graph) {
    int head = -1;
    for (int i = 0; i < (int)graph->count; i++) {
        oc_op op = graph->records[i].node.op;
        if (op == OC_OP_CONV || op == OC_OP_DENSE) head = i;
    }
    return head;
}

int oc_graph_cut_node(const oc_graph *graph) {
    int cut = oc_graph_head(graph);
    if (cut < 0) return -1;
    do {
        cut = graph->records[cut].node.inputs[0];
    } while (graph->records[cut].node.op == OC_OP_DROPOUT);
    return cut;
}

int oc_graph_classes(const oc_graph *graph) {
    int head = oc_graph_head(graph);
    return head < 0 ? 0 : graph->records[head].node.attrs.out;
}

/* Append nodes first..last of `from`, input numbers moved by `shift`; node `changed` (-1 = none)
 * with `attrs`. */
static oc_status append(oc_graph *to, const oc_graph *from, int first, int last, int shift,
                        int changed, const oc_attrs *attrs, oc_error *err) {
    for (int i = first; i <= last; i++) {
        const oc_node *node = &from->records[i].node;
        int inputs[OC_MAX_INPUTS];
        for (int k = 0; k < node->input_count; k++) inputs[k] = node->inputs[k] - shift;
        OC_TRY(oc_graph_add(to, node->op, node->name, inputs, node->input_count,
                            i == changed ? attrs : &node->attrs, NULL, err));
    }
    return OC_OK;
}

static void swap(oc_graph *a, oc_graph *b) {
    oc_graph kept = *a;
    *a = *b;
    *b = kept;
}

/* What follows the head may depend on its channels, so the net is built anew. */
oc_status oc_graph_set_classes(oc_graph *graph, int classes, oc_error *err) {
    int head = oc_graph_head(graph);
    if (head < 0) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "the network has no conv or dense layer to give one output per class");
    }
    oc_attrs attrs = graph->records[head].node.attrs;
    attrs.out = classes;
    oc_graph *fresh;
    OC_TRY(oc_graph_new(&fresh, err));
    oc_status status = append(fresh, graph, 0, (int)graph->count - 1, 0, head, &attrs, err);
    if (status == OC_OK) swap(graph, fresh);
    oc_graph_free(fresh);
    return status;
}

/* Every node behind `node` must read it, or a node behind it. */
static oc_status check_split(const oc_graph *graph, int node, oc_error *err) {
    int count = (int)graph->count;
    if (node < 0 || node + 1 >= count) {
        return oc_fail(err, OC_EUSAGE, "cannot split %d nodes behind node %d", count, node);
    }
    for (int i = node + 1; i < count; i++) {
        const oc_node *later = &graph->records[i].node;
        for (int k = 0; k < later->input_count; k++) {
            if (later->inputs[k] >= node) continue;
            return oc_fail(err, OC_EUNSUPPORTED,
                           "cannot split behind '%s': '%s' also reads '%s' before it",
                           graph->records[node].node.name, later->name,
                           graph->records[later->inputs[k]].node.name);
        }
    }
    return OC_OK;
}

static oc_status build_body(const oc_graph *graph, int node, oc_graph **out, oc_error *err) {
    OC_TRY(oc_graph_new(out, err));
    return append(*out, graph, 0, node, 0, -1, NULL, err);
}

/* shape: (1, c, h, w) of the node's output, the rest's input. */
static oc_status build_rest(const oc_graph *graph, int node, const oc_shape *shape, oc_graph **out,
                            oc_error *err) {
    OC_TRY(oc_graph_new(out, err));
    oc_attrs attrs = {.channels = (int32_t)shape->dim[1],
                      .height = (int32_t)shape->dim[2],
                      .width = (int32_t)shape->dim[3]};
    OC_TRY(
        oc_graph_add(*out, OC_OP_INPUT, graph->records[0].node.name, NULL, 0, &attrs, NULL, err));
    return append(*out, graph, node + 1, (int)graph->count - 1, node, -1, NULL, err);
}

oc_status oc_graph_split(const oc_graph *graph, int node, int h, int w, oc_graph **body,
                         oc_graph **rest, oc_error *err) {
    *body = *rest = NULL;
    oc_status status = OC_OK;
    oc_shape *shapes = NULL;
    OC_GOTO(check_split(graph, node, err));
    shapes = oc_calloc(graph->count, sizeof *shapes);
    if (shapes == NULL) OC_GOTO(oc_fail_nomem(err, graph->count * sizeof *shapes, "shapes"));
    OC_GOTO(oc_graph_shapes(graph, 1, h, w, shapes, err));
    OC_GOTO(build_body(graph, node, body, err));
    OC_GOTO(build_rest(graph, node, &shapes[node], rest, err));
done:
    oc_free(shapes);
    if (status != OC_OK) {
        oc_graph_free(*body);
        oc_graph_free(*rest);
        *body = *rest = NULL;
    }
    return status;
}
