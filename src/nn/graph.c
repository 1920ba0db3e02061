/* The graph as storage: nodes in topological order, their parameters, their names.
 *
 * Invariant: every node stands behind its inputs, node 0 is the only input, names are unique, and
 * attributes that an op does not read are zero.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

#include <string.h>

oc_status oc_graph_new(oc_graph **out, oc_error *err) {
    *out = NULL;
    oc_graph *graph = oc_calloc(1, sizeof *graph);
    if (graph == NULL) return oc_fail_nomem(err, sizeof *graph, "a graph");
    oc_status status = oc_pool_new(&graph->names, err);
    if (status != OC_OK) {
        oc_free(graph);
        return status;
    }
    *out = graph;
    return OC_OK;
}

void oc_graph_free(oc_graph *graph) {
    if (graph == NULL) return;
    oc_pool_free(graph->names);
    oc_free(graph->records);
    oc_free(graph->params);
    oc_free(graph);
}

int oc_graph_node_count(const oc_graph *graph) {
    return (int)graph->count;
}

const oc_node *oc_graph_node(const oc_graph *graph, int i) {
    OC_PROMISE(i >= 0 && (size_t)i < graph->count);
    return &graph->records[i].node;
}

int oc_graph_find(const oc_graph *graph, const char *name) {
    uint64_t hash = oc_hash64(name, strlen(name), 0);
    for (size_t i = 0; i < graph->count; i++) {
        const oci_record *r = &graph->records[i];
        if (r->hash == hash && strcmp(r->node.name, name) == 0) return (int)i;
    }
    return -1;
}

int oc_graph_param_count(const oc_graph *graph) {
    return (int)graph->param_count;
}

const oc_param *oc_graph_param(const oc_graph *graph, int i) {
    OC_PROMISE(i >= 0 && (size_t)i < graph->param_count);
    return &graph->params[i];
}

int oc_graph_channels(const oc_graph *graph, int node) {
    OC_PROMISE(node >= 0 && (size_t)node < graph->count);
    return (int)graph->records[node].design.dim[1];
}

/* ---- adding a node ----------------------------------------------------------------------------
 */

static oc_status check_name(const oc_graph *graph, oc_op op, const char *name, oc_error *err) {
    size_t size = name == NULL ? 0 : strlen(name);
    if (size == 0 || size >= OC_NAME_BYTES || !oc_is_utf8(name, size)) {
        return oc_fail(err, OC_EFORMAT,
                       "node %zu (%s) has a name of %zu bytes: 1 to %d bytes of UTF-8 are needed",
                       graph->count, oc_op_name(op), size, OC_NAME_BYTES - 1);
    }
    int taken = oc_graph_find(graph, name);
    if (taken < 0) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "nodes %d and %zu are both named '%s': names must differ",
                   taken, graph->count, name);
}

static oc_status check_inputs(const oc_graph *graph, oc_op op, const char *name, const int *inputs,
                              int count, oc_error *err) {
    if ((op == OC_OP_INPUT) != (graph->count == 0)) {
        return oc_fail(err, OC_EFORMAT,
                       "node %zu '%s' is of kind %s: the first node, and no other, is the input",
                       graph->count, name, oc_op_name(op));
    }
    int fewest, most;
    oc_op_inputs(op, &fewest, &most);
    if (count < fewest || count > most) {
        return oc_fail(err, OC_EFORMAT, "%s '%s' has %d inputs: %d to %d are needed",
                       oc_op_name(op), name, count, fewest, most);
    }
    for (int i = 0; i < count; i++) {
        if (inputs[i] < 0 || (size_t)inputs[i] >= graph->count) {
            return oc_fail(err, OC_EFORMAT,
                           "%s '%s' reads node %d: it stands at %zu and may read "
                           "earlier nodes only",
                           oc_op_name(op), name, inputs[i], graph->count);
        }
        const oc_node *from = &graph->records[inputs[i]].node;
        if (from->op != OC_OP_AUX_LOSS) continue;
        return oc_fail(err, OC_EFORMAT, "%s '%s' reads '%s': an auxiliary loss passes nothing on",
                       oc_op_name(op), name, from->name);
    }
    return OC_OK;
}

/* Everything of the record but the storage of its name. */
static oc_status fill_record(const oc_graph *graph, const int *inputs, oci_record *record,
                             oc_error *err) {
    oc_node *node = &record->node;
    if (node->op == OC_OP_INPUT) {
        record->design =
            oc_shape_4d(1, node->attrs.channels, node->attrs.height, node->attrs.width);
        return OC_OK;
    }
    oc_shape in[OC_MAX_INPUTS];
    for (int i = 0; i < node->input_count; i++) {
        node->inputs[i] = inputs[i];
        in[i] = graph->records[inputs[i]].design;
    }
    return oci_infer(node, in, 0, &record->design, err);
}

static oc_status check_params(const oc_param *params, int count, const char *name, oc_error *err) {
    static const size_t MOST = (size_t)1 << 34; /* values: 64 GiB */
    for (int i = 0; i < count; i++) {
        size_t values;
        if (oc_shape_count(&params[i].shape, &values) && values <= MOST) continue;
        char text[OC_SHAPE_TEXT];
        return oc_fail(err, OC_ELIMIT, "'%s%s' would be %s: at most 2^34 values are allowed", name,
                       oci_param_suffix(params[i].kind), oc_shape_text(text, &params[i].shape));
    }
    return OC_OK;
}

static const char *pool_join(oc_pool *pool, const char *a, const char *b) {
    size_t head = strlen(a), tail = strlen(b);
    char *text = oc_pool_alloc(pool, head + tail + 1);
    if (text == NULL) return NULL;
    memcpy(text, a, head);
    memcpy(text + head, b, tail);
    return text;
}

static oc_status store_names(oc_graph *graph, oci_record *record, const char *name,
                             oc_param *params, oc_error *err) {
    bool whole = (record->node.name = oc_pool_strdup(graph->names, name)) != NULL;
    for (int i = 0; whole && i < record->node.param_count; i++) {
        params[i].node = (int)graph->count;
        params[i].name = pool_join(graph->names, name, oci_param_suffix(params[i].kind));
        whole = params[i].name != NULL;
    }
    return whole ? OC_OK : oc_fail_nomem(err, strlen(name), "the name of a node");
}

oc_status oc_graph_add(oc_graph *graph, oc_op op, const char *name, const int *inputs,
                       int input_count, const oc_attrs *attrs, int *index, oc_error *err) {
    if ((unsigned)op >= OC_OP_COUNT) return oc_fail(err, OC_EFORMAT, "there is no op %d", (int)op);
    if (graph->count >= OCI_MAX_NODES) {
        return oc_fail(err, OC_ELIMIT, "the network has more than %d nodes", OCI_MAX_NODES);
    }
    OC_TRY(check_name(graph, op, name, err));
    OC_TRY(check_inputs(graph, op, name, inputs, input_count, err));
    oci_record record = {.node = {.name = name, .op = op, .input_count = input_count},
                         .hash = oc_hash64(name, strlen(name), 0)};
    oc_attrs fallback = oc_attrs_default(op);
    OC_TRY(oci_attrs_check(op, name, attrs != NULL ? attrs : &fallback, &record.node.attrs, err));
    OC_TRY(fill_record(graph, inputs, &record, err));

    oc_param params[OCI_MAX_PARAMS];
    int64_t channels = input_count == 0 ? 0 : graph->records[inputs[0]].design.dim[1];
    record.node.first_param = (int)graph->param_count;
    record.node.param_count = oci_node_params(&record.node, channels, params);
    OC_TRY(check_params(params, record.node.param_count, name, err));

    size_t need = graph->param_count + (size_t)record.node.param_count;
    OC_TRY(oc_grow(&graph->params, &graph->param_capacity, need, sizeof *params, err));
    OC_TRY(oc_grow(&graph->records, &graph->capacity, graph->count + 1, sizeof record, err));
    OC_TRY(store_names(graph, &record, name, params, err));
    for (int i = 0; i < record.node.param_count; i++)
        graph->params[graph->param_count++] = params[i];
    graph->records[graph->count] = record;
    if (index != NULL) *index = (int)graph->count;
    graph->count++;
    return OC_OK;
}

oc_status oc_graph_copy(const oc_graph *graph, oc_graph **out, oc_error *err) {
    oc_graph *copy;
    *out = NULL;
    OC_TRY(oc_graph_new(&copy, err));
    oc_status status = OC_OK;
    for (size_t i = 0; i < graph->count; i++) {
        const oc_node *node = &graph->records[i].node;
        OC_GOTO(oc_graph_add(copy, node->op, node->name, node->inputs, node->input_count,
                             &node->attrs, NULL, err));
    }
    *out = copy;
    copy = NULL;
done:
    oc_graph_free(copy);
    return status;
}
