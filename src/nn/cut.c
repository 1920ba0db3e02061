/* Heads and body: finding the layers that give one output per class, changing how many there are,
 * leaving out what only training needs, and splitting a net in two so that the body's features can
 * be computed once.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

#include <string.h>

/* ---- what depends on what ---------------------------------------------------------------------
 */

/* reached[i] := whether node `from` is, or depends on, node i, for all i <= from. */
static void mark(const oc_graph *graph, int from, bool *reached) {
    memset(reached, 0, ((size_t)from + 1) * sizeof *reached);
    reached[from] = true;
    for (int i = from; i >= 0; i--) {
        const oc_node *node = &graph->records[i].node;
        for (int k = 0; reached[i] && k < node->input_count; k++) reached[node->inputs[k]] = true;
    }
}

bool oc_graph_serves(const oc_graph *graph, bool *serves) {
    bool all = true;
    if (graph->count > 0) mark(graph, (int)graph->count - 1, serves);
    for (size_t i = 0; i < graph->count; i++) all = all && serves[i];
    return all;
}

static bool is_layer(const oc_graph *graph, int node) {
    oc_op op = graph->records[node].node.op;
    return op == OC_OP_CONV || op == OC_OP_DENSE;
}

int oc_graph_head(const oc_graph *graph) {
    bool serves[OCI_MAX_NODES];
    int head = -1;
    (void)oc_graph_serves(graph, serves);
    for (int i = 0; i < (int)graph->count; i++) {
        if (serves[i] && is_layer(graph, i)) head = i;
    }
    return head;
}

/* The last layer before an auxiliary loss, or -1. */
static int aux_head(const oc_graph *graph, int loss) {
    int i = graph->records[loss].node.inputs[0];
    while (i > 0 && !is_layer(graph, i)) i = graph->records[i].node.inputs[0];
    return i > 0 ? i : -1;
}

bool oc_graph_is_head(const oc_graph *graph, int node) {
    if (node < 0) return false;
    for (int i = node + 1; i < (int)graph->count; i++) {
        if (graph->records[i].node.op == OC_OP_AUX_LOSS && aux_head(graph, i) == node) return true;
    }
    return node == oc_graph_head(graph);
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

/* ---- copying parts ----------------------------------------------------------------------------
 */

/* Nodes on their way from one graph into another. */
typedef struct mover {
    const oc_graph *from;
    oc_graph *to;
    bool *keep; /* per node of `from` */
    int *place; /* per node of `from` that was moved: its number in `to` */
} mover;

static void mover_clear(mover *m) {
    oc_graph_free(m->to);
    oc_free(m->keep);
    oc_free(m->place);
}

static oc_status mover_init(mover *m, const oc_graph *from, oc_error *err) {
    *m = (mover){.from = from};
    m->keep = oc_calloc(from->count, sizeof *m->keep);
    m->place = oc_calloc(from->count, sizeof *m->place);
    if (m->keep == NULL || m->place == NULL) {
        return oc_fail_nomem(err, from->count * sizeof *m->place, "the nodes of a graph");
    }
    return oc_graph_new(&m->to, err);
}

static oc_graph *mover_take(mover *m) {
    oc_graph *graph = m->to;
    m->to = NULL;
    return graph;
}

static oc_status move(mover *m, int i, const oc_attrs *attrs, oc_error *err) {
    const oc_node *node = &m->from->records[i].node;
    int inputs[OC_MAX_INPUTS];
    for (int k = 0; k < node->input_count; k++) inputs[k] = m->place[node->inputs[k]];
    return oc_graph_add(m->to, node->op, node->name, inputs, node->input_count, attrs, &m->place[i],
                        err);
}

/* Those of nodes first..last that are to be kept. */
static oc_status move_all(mover *m, int first, int last, oc_error *err) {
    for (int i = first; i <= last; i++) {
        if (m->keep[i]) OC_TRY(move(m, i, &m->from->records[i].node.attrs, err));
    }
    return OC_OK;
}

/* *out := what node `last` depends on, with it. */
static oc_status copy_upto(const oc_graph *graph, int last, oc_graph **out, oc_error *err) {
    mover m;
    oc_status status = OC_OK;
    *out = NULL;
    OC_GOTO(mover_init(&m, graph, err));
    mark(graph, last, m.keep);
    OC_GOTO(move_all(&m, 0, last, err));
    *out = mover_take(&m);
done:
    mover_clear(&m);
    return status;
}

oc_status oc_graph_prune(const oc_graph *graph, oc_graph **out, oc_error *err) {
    *out = NULL;
    if (graph->count == 0) return oc_fail(err, OC_EUSAGE, "an empty graph has no output");
    return copy_upto(graph, (int)graph->count - 1, out, err);
}

static void swap(oc_graph *a, oc_graph *b) {
    oc_graph kept = *a;
    *a = *b;
    *b = kept;
}

/* What follows a head may depend on its channels, so the net is built anew. */
oc_status oc_graph_set_classes(oc_graph *graph, int classes, oc_error *err) {
    mover m;
    oc_status status = OC_OK;
    if (oc_graph_head(graph) < 0) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "the network has no conv or dense layer to give one output per class");
    }
    OC_GOTO(mover_init(&m, graph, err));
    for (int i = 0; i < (int)graph->count; i++) {
        oc_attrs attrs = graph->records[i].node.attrs;
        if (oc_graph_is_head(graph, i)) attrs.out = classes;
        OC_GOTO(move(&m, i, &attrs, err));
    }
    swap(graph, m.to);
done:
    mover_clear(&m);
    return status;
}

/* ---- splitting --------------------------------------------------------------------------------
 */

/* Every node behind `node` that serves the output must read it, or a node behind it. */
static oc_status check_split(const oc_graph *graph, int node, const bool *serves, oc_error *err) {
    for (int i = node + 1; i < (int)graph->count; i++) {
        const oc_node *later = &graph->records[i].node;
        for (int k = 0; serves[i] && k < later->input_count; k++) {
            if (later->inputs[k] >= node) continue;
            return oc_fail(err, OC_EUNSUPPORTED,
                           "cannot split behind '%s': '%s' also reads '%s' before it",
                           graph->records[node].node.name, later->name,
                           graph->records[later->inputs[k]].node.name);
        }
    }
    return OC_OK;
}

/* shape: (1, c, h, w) of the node's output, the rest's input. */
static oc_status build_rest(mover *m, int node, const oc_shape *shape, oc_error *err) {
    oc_attrs attrs = {.channels = (int32_t)shape->dim[1],
                      .height = (int32_t)shape->dim[2],
                      .width = (int32_t)shape->dim[3]};
    OC_TRY(oc_graph_add(m->to, OC_OP_INPUT, m->from->records[0].node.name, NULL, 0, &attrs,
                        &m->place[node], err));
    return move_all(m, node + 1, (int)m->from->count - 1, err);
}

oc_status oc_graph_split(const oc_graph *graph, int node, int h, int w, oc_graph **body,
                         oc_graph **rest, oc_error *err) {
    mover m = {0};
    oc_status status = OC_OK;
    oc_shape *shapes = NULL;
    *body = *rest = NULL;
    if (node < 0 || node + 1 >= (int)graph->count) {
        return oc_fail(err, OC_EUSAGE, "cannot split %zu nodes behind node %d", graph->count, node);
    }
    OC_GOTO(mover_init(&m, graph, err));
    (void)oc_graph_serves(graph, m.keep);
    OC_GOTO(check_split(graph, node, m.keep, err));
    shapes = oc_calloc(graph->count, sizeof *shapes);
    if (shapes == NULL) OC_GOTO(oc_fail_nomem(err, graph->count * sizeof *shapes, "shapes"));
    OC_GOTO(oc_graph_shapes(graph, 1, h, w, shapes, err));
    OC_GOTO(build_rest(&m, node, &shapes[node], err));
    OC_GOTO(copy_upto(graph, node, body, err));
    *rest = mover_take(&m);
done:
    oc_free(shapes);
    mover_clear(&m);
    return status;
}

/* ---- a new head -------------------------------------------------------------------------------
 */

/* The layer of this name; else what might have been meant, or the last ones. */
static oc_status find_layer(const oc_graph *graph, const char *name, int *node, oc_error *err) {
    oc_status status = OC_OK;
    *node = oc_graph_find(graph, name);
    if (*node >= 0) return OC_OK;
    const char **names = oc_calloc(graph->count, sizeof *names);
    if (names == NULL) return oc_fail_nomem(err, graph->count * sizeof *names, "names of layers");
    for (size_t i = 0; i < graph->count; i++) names[i] = graph->records[i].node.name;
    const char *near = oc_suggest(name, names, graph->count);
    int cut = oc_graph_cut_node(graph);
    const char *last = cut >= 0 ? names[cut] : names[graph->count - 1];
    status = oc_fail(err, OC_ENOTFOUND,
                     "the network has no layer '%.120s'; did you mean '%s'? `ocellus info MODEL` "
                     "lists them",
                     name, near != NULL ? near : last);
    oc_free(names);
    return status;
}

/* Is node i's output a map of more than one place at h x w? */
static oc_status is_map(const oc_graph *graph, int i, int h, int w, bool *map, oc_error *err) {
    oc_shape *shapes = oc_calloc(graph->count, sizeof *shapes);
    if (shapes == NULL) return oc_fail_nomem(err, graph->count * sizeof *shapes, "shapes");
    oc_status status = oc_graph_shapes(graph, 1, h, w, shapes, err);
    *map = status == OC_OK && shapes[i].dim[2] * shapes[i].dim[3] > 1;
    oc_free(shapes);
    return status;
}

oc_status oc_graph_upto(const oc_graph *graph, const char *name, oc_graph **out, oc_error *err) {
    int node = 0;
    *out = NULL;
    OC_TRY(find_layer(graph, name, &node, err));
    return copy_upto(graph, node, out, err);
}

oc_status oc_graph_cut(const oc_graph *graph, const char *name, int classes, int h, int w,
                       oc_graph **out, oc_error *err) {
    oc_build b = {0};
    bool map = false;
    *out = NULL;
    OC_TRY(oc_graph_upto(graph, name, &b.graph, err));
    int x = (int)b.graph->count - 1;
    oc_status status = is_map(b.graph, x, h, w, &map, err);
    if (status == OC_OK) {
        if (map) x = oc_build_global_pool(&b, x, "new_head_pool");
        (void)oc_build_dense(&b, x, "new_head", classes, OC_INIT_NORMAL_001);
        if (b.status != OC_OK) status = oc_fail(err, b.status, "%s", b.error.message);
    }
    if (status == OC_OK)
        *out = b.graph;
    else
        oc_graph_free(b.graph);
    return status;
}
