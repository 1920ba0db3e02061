/* Which layers of a network work on int8, and where its values are rounded to levels.
 *
 * Layers: all but those that read the photo itself get int8 weights. The last one works on floats
 * all the same, since its sums are the answer. Every other one, a "body" layer, reads levels and
 * ends in levels: behind itself, behind the clip that alone reads it, or behind the addition it is
 * the later operand of, whose earlier operand is rounded too.
 *
 * Groups: what a node only picks or passes on has the levels of where it comes from, and parts that
 * are laid side by side have the same, so that bytes are moved as they are.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "model/model_int.h"

bool oci_int8_makes_values(oc_op op) {
    return op != OC_OP_MAX_POOL && op != OC_OP_CONCAT && op != OC_OP_DROPOUT && op != OC_OP_FLATTEN;
}

/* What the choice works with. */
typedef struct choice {
    const oc_graph *graph;
    int count;
    int *readers; /* of each node; the output counts one */
    int *reader;  /* the last of them */
    bool *body;
    oci_int8_layout *to;
} choice;

static const oc_node *node_at(const choice *c, int i) {
    return oc_graph_node(c->graph, i);
}

static bool is_layer(const choice *c, int i) {
    return node_at(c, i)->op == OC_OP_CONV || node_at(c, i)->op == OC_OP_DENSE;
}

/* ---- groups ---- */

static int group_of(const choice *c, int i) {
    while (c->to->group[i] != i) i = c->to->group[i];
    return i;
}

static void join(choice *c, int a, int b) {
    int x = group_of(c, a), y = group_of(c, b);
    c->to->group[x > y ? x : y] = x > y ? y : x;
}

static void make_groups(choice *c) {
    for (int i = 0; i < c->count; i++) c->to->group[i] = i;
    for (int i = 0; i < c->count; i++) {
        const oc_node *n = node_at(c, i);
        for (int k = 0; k < n->input_count && !oci_int8_makes_values(n->op); k++)
            join(c, i, n->inputs[k]);
    }
    for (int i = 0; i < c->count; i++) c->to->group[i] = group_of(c, i);
}

static void round_at(choice *c, int node) {
    c->to->level[c->to->group[node]] = true;
}

/* ---- layers ---- */

static void count_readers(choice *c) {
    for (int i = 0; i < c->count; i++)
        for (int k = 0; k < node_at(c, i)->input_count; k++) {
            c->readers[node_at(c, i)->inputs[k]]++;
            c->reader[node_at(c, i)->inputs[k]] = i;
        }
    c->readers[c->count - 1]++;
}

static int sole_reader(const choice *c, int i) {
    return c->readers[i] == 1 && i < c->count - 1 ? c->reader[i] : -1;
}

static bool is_clip(const choice *c, int i) {
    return i >= 0 && (node_at(c, i)->op == OC_OP_RELU || node_at(c, i)->op == OC_OP_RELU6);
}

static int behind_clip(const choice *c, int i) {
    int next = sole_reader(c, i);
    return is_clip(c, next) ? next : i;
}

static void choose_layers(choice *c) {
    int head = oc_graph_head(c->graph), photo = c->to->group[0];
    bool head_is_last = head >= 0 && behind_clip(c, head) == c->count - 1;
    for (int i = 0; i < c->count; i++) {
        if (!is_layer(c, i)) continue;
        bool first = c->to->group[node_at(c, i)->inputs[0]] == photo;
        c->to->layer[i] = !first;
        c->body[i] = !first && !(i == head && head_is_last);
    }
}

/* Round what layer i reads and where it ends. */
static void choose_levels(choice *c, int i) {
    int end = i, next = sole_reader(c, i);
    round_at(c, node_at(c, i)->inputs[0]);
    if (next >= 0 && node_at(c, next)->op == OC_OP_ADD) {
        const int *in = node_at(c, next)->inputs;
        int other = in[0] == i ? in[1] : in[0];
        if (other < i) {
            round_at(c, other);
            end = next;
        }
    }
    end = behind_clip(c, end);
    if (end < c->count - 1) round_at(c, end);
}

static oc_status layout_memory(oci_int8_layout *out, choice *c, oc_error *err) {
    size_t count = (size_t)c->count, bytes = count * (3 * sizeof(int) + 3 * sizeof(bool));
    int *ints = oc_calloc(1, bytes);
    if (ints == NULL) return oc_fail_nomem(err, bytes, "the layout of an int8 network");
    bool *flags = (bool *)(ints + 3 * count);
    *out = (oci_int8_layout){.group = ints, .layer = flags, .level = flags + count, .memory = ints};
    c->readers = ints + count;
    c->reader = ints + 2 * count;
    c->body = flags + 2 * count;
    return OC_OK;
}

oc_status oci_int8_layout_new(const oc_graph *graph, oci_int8_layout *out, oc_error *err) {
    choice c = {.graph = graph, .count = oc_graph_node_count(graph), .to = out};
    bool any = false;
    *out = (oci_int8_layout){0};
    OC_TRY(layout_memory(out, &c, err));
    count_readers(&c);
    make_groups(&c);
    choose_layers(&c);
    for (int i = 0; i < c.count; i++) {
        if (c.body[i]) choose_levels(&c, i);
        any = any || c.body[i];
    }
    if (any) return OC_OK;
    oci_int8_layout_clear(out);
    return oc_fail(err, OC_EUNSUPPORTED,
                   "the network has no layer between the first and the last: int8 would gain "
                   "nothing");
}

void oci_int8_layout_clear(oci_int8_layout *layout) {
    oc_free(layout->memory);
    *layout = (oci_int8_layout){0};
}
