/* Which nodes of a quantised graph work on bytes, and as what units.
 *
 * A quantize node's values are levels, and so are those of what only picks or passes them on: max
 * pools, concatenations of equal levels, dropout, flatten. A convolution or dense layer with int8
 * weights works on bytes where it reads levels and ends, through an addition and a clip if any, in
 * a quantize node; one with a single pixel may end in floats. All else reads floats: who reads a
 * value decides, before it is walked, whether floats are made of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/fuse_int.h"
#include "engine/onednn/int8.h"

static const oc_node *node_at(const walk *w, int i) {
    return oc_graph_node(w->plan->graph, i);
}

static int input_of(const walk *w, int node) {
    return node_at(w, node)->inputs[0];
}

/* ---- levels --------------------------------------------------------------------------------- */

static bool same_levels(const walk *w, int a, int b) {
    const oc_attrs *p = &node_at(w, a)->attrs, *q = &node_at(w, b)->attrs;
    return p->step == q->step && p->zero == q->zero;
}

static int grid_of(const walk *w, int node) {
    const oc_node *n = node_at(w, node);
    switch (n->op) {
    case OC_OP_QUANTIZE:
        return node;
    case OC_OP_MAX_POOL:
    case OC_OP_DROPOUT:
    case OC_OP_FLATTEN:
        return w->grid[n->inputs[0]];
    case OC_OP_CONCAT:
        for (int k = 0; k < n->input_count; k++) {
            int grid = w->grid[n->inputs[k]];
            if (grid < 0 || !same_levels(w, grid, w->grid[n->inputs[0]])) return -1;
        }
        return w->grid[n->inputs[0]];
    default:
        return -1;
    }
}

/* ---- where a layer over bytes ends ---------------------------------------------------------- */

static bool is_layer(const walk *w, int node) {
    return op_of(w, node) == OC_OP_CONV || op_of(w, node) == OC_OP_DENSE;
}

static bool is_alias(const walk *w, int node) {
    return op_of(w, node) == OC_OP_DROPOUT || op_of(w, node) == OC_OP_FLATTEN;
}

static bool reads(const oc_node *n, int node) {
    for (int k = 0; k < n->input_count; k++)
        if (n->inputs[k] == node) return true;
    return false;
}

/* May `layer`, by way of `add`, add to the bytes of `other` where they lie: they are there by then,
 * have memory of their own, and nobody reads them later? */
static bool sums_into_bytes(const walk *w, int layer, int add, int other) {
    if (other > layer || w->grid[other] < 0 || is_alias(w, other)) return false;
    if (other == input_of(w, layer) || other == input_of(w, other)) return false;
    for (int i = 0; i < oc_graph_node_count(w->plan->graph); i++) {
        if (!reads(node_at(w, i), other) || i == add) continue;
        if (i >= layer || is_alias(w, i)) return false;
    }
    return true;
}

static int other_operand(const walk *w, int add, int one) {
    const oc_node *n = node_at(w, add);
    return n->inputs[0] == one ? n->inputs[1] : n->inputs[0];
}

/* Behind `last`: a clip, if any, and a quantize node, whose number is the result; or -1. */
static int quantized_end(const walk *w, int last) {
    int next = sole_reader(w, last);
    if (next >= 0 && act_of(op_of(w, next)) != OCI_ACT_NONE) next = sole_reader(w, next);
    return next >= 0 && op_of(w, next) == OC_OP_QUANTIZE ? next : -1;
}

/* Floats out of a single pixel: the layer, or the clip behind it. */
static int float_end(const walk *w, int layer) {
    const oc_shape *s = &w->shapes[layer];
    int next = sole_reader(w, layer);
    if (s->dim[2] * s->dim[3] != 1) return -1;
    return next >= 0 && act_of(op_of(w, next)) != OCI_ACT_NONE ? next : layer;
}

static bool is_padded(const oc_attrs *a) {
    return a->pad_top || a->pad_left || a->pad_bottom || a->pad_right;
}

static oci_value as_value(const oc_shape *s) {
    return (oci_value){.c = (int)s->dim[1], .h = (int)s->dim[2], .w = (int)s->dim[3]};
}

static bool has_kernel(const walk *w, int layer, bool sum, bool floats) {
    const oci_value in = as_value(&w->shapes[input_of(w, layer)]);
    const oci_value out = as_value(&w->shapes[layer]);
    oci_conv_shape s = oci_byte_conv_shape(node_at(w, layer), w->plan->images, &in, &out);
    s.sum = sum;
    s.sum_scale = 0.5F;
    s.float_dst = floats;
    return oci_byte_conv_is_fast(w->plan->dnn, &s);
}

static int end_of(const walk *w, int layer) {
    const oc_node *n = node_at(w, layer);
    if (!is_layer(w, layer) || !n->attrs.int8 || w->grid[n->inputs[0]] < 0) return -1;
    /* padding is zeros, which must be what level 0 means */
    if (is_padded(&n->attrs) && node_at(w, w->grid[n->inputs[0]])->attrs.zero) return -1;
    int next = sole_reader(w, layer), end;
    bool sum = next >= 0 && op_of(w, next) == OC_OP_ADD &&
               sums_into_bytes(w, layer, next, other_operand(w, next, layer));
    end = quantized_end(w, sum ? next : layer);
    bool floats = end < 0 && !sum;
    if (floats) end = float_end(w, layer);
    return end >= 0 && has_kernel(w, layer, sum, floats) ? end : -1;
}

static int add_end(const walk *w, int add) {
    const oc_node *n = node_at(w, add);
    if (w->grid[n->inputs[0]] < 0 || w->grid[n->inputs[1]] < 0) return -1;
    return quantized_end(w, add);
}

void oci_walk_grids(walk *w) {
    for (int i = 0; i < oc_graph_node_count(w->plan->graph); i++) {
        w->grid[i] = grid_of(w, i);
        if (is_layer(w, i)) w->end[i] = end_of(w, i);
    }
}

/* ---- who reads bytes ------------------------------------------------------------------------ */

/* The layer that takes in the addition `add` of bytes, or -1. */
static int layer_into(const walk *w, int add) {
    for (int k = 0; k < 2; k++) {
        int from = node_at(w, add)->inputs[k];
        if (is_layer(w, from) && w->end[from] > add && sole_reader(w, from) == add) return from;
    }
    return -1;
}

static bool takes_bytes(const walk *w, int reader) {
    switch (op_of(w, reader)) {
    case OC_OP_MAX_POOL:
    case OC_OP_CONCAT:
    case OC_OP_DROPOUT:
    case OC_OP_FLATTEN:
        return w->grid[reader] >= 0;
    case OC_OP_GLOBAL_POOL:
        return true;
    case OC_OP_CONV:
    case OC_OP_DENSE:
        return w->end[reader] >= 0;
    case OC_OP_ADD:
        return add_end(w, reader) >= 0 || layer_into(w, reader) >= 0;
    default:
        return false;
    }
}

static bool floats_wanted(const walk *w, int node) {
    int count = oc_graph_node_count(w->plan->graph);
    if (node == count - 1) return true;
    for (int i = node + 1; i < count; i++)
        if (reads(node_at(w, i), node) && !takes_bytes(w, i)) return true;
    return false;
}

/* `node` is seen as these bytes by who takes them, and as floats by all others. */
static void publish_bytes(walk *w, int node, int value) {
    const oci_value v = w->plan->values[value];
    w->plan->bytes_of[node] = value;
    publish(w, node, value);
    if (!floats_wanted(w, node)) return;
    int floats = value_add(w, node, v.c, v.h, v.w);
    w->flat[floats] = w->flat[value];
    unit_reads(unit_add(w, OCI_UNIT_RESTORE, node, floats), value);
    publish(w, node, floats);
}

/* ---- units ---------------------------------------------------------------------------------- */

/* The bytes that end in node `end`, as many as `like` has values. */
static int bytes_add(walk *w, int end, int c, int h, int width) {
    const oc_attrs *a = &node_at(w, w->grid[end])->attrs;
    int i = value_add(w, end, c, h, width);
    oci_value *v = &w->plan->values[i];
    v->bytes = true;
    v->step = a->step;
    v->zero = a->zero;
    v->image = (size_t)c * (size_t)h * (size_t)width;
    return i;
}

static int bytes_like_node(walk *w, int end) {
    const oc_shape *s = &w->shapes[end];
    return bytes_add(w, end, (int)s->dim[1], (int)s->dim[2], (int)s->dim[3]);
}

static void walk_quantize(walk *w, int node) {
    int in = w->plan->value_of[input_of(w, node)];
    const oci_value v = w->plan->values[in];
    int out = bytes_add(w, node, v.c, v.h, v.w);
    w->flat[out] = w->flat[in];
    unit_reads(unit_add(w, OCI_UNIT_QUANTIZE, node, out), in);
    publish_bytes(w, node, out);
}

static void walk_picked(walk *w, int node, oci_kind kind) {
    const oc_node *n = node_at(w, node);
    int out = bytes_like_node(w, node);
    oci_unit *u = unit_add(w, kind, node, out);
    for (int k = 0; k < n->input_count; k++) unit_reads(u, w->plan->bytes_of[n->inputs[k]]);
    publish_bytes(w, node, out);
}

static void walk_alias(walk *w, int node) {
    int value = w->plan->bytes_of[input_of(w, node)];
    const oci_value *v = &w->plan->values[value];
    if (op_of(w, node) == OC_OP_FLATTEN && v->h * v->w > 1) w->flat[value] = true;
    publish_bytes(w, node, value);
}

static void walk_global_pool(walk *w, int node) {
    int out = value_stored(w, node);
    unit_reads(unit_add(w, OCI_UNIT_BYTE_GLOBAL_POOL, node, out),
               w->plan->bytes_of[input_of(w, node)]);
    publish(w, node, out);
}

/* All nodes behind `from` up to `end`, each the only reader of the one before: the clip among them
 * is the value's. */
static void absorb_until(walk *w, int from, int end, int value) {
    for (int i = from; i != end;) {
        i = sole_reader(w, i);
        w->absorbed[i] = true;
        if (act_of(op_of(w, i)) != OCI_ACT_NONE) w->plan->values[value].act = act_of(op_of(w, i));
    }
}

static void walk_add_bytes(walk *w, int node) {
    const oc_node *n = node_at(w, node);
    int end = add_end(w, node), out = bytes_like_node(w, end);
    oci_unit *u = unit_add(w, OCI_UNIT_BYTE_ADD, node, out);
    for (int k = 0; k < 2; k++) unit_reads(u, w->plan->bytes_of[n->inputs[k]]);
    absorb_until(w, node, end, out);
    publish_bytes(w, end, out);
}

static void params_elsewhere(walk *w, int node) {
    const oc_node *n = node_at(w, node);
    for (int k = 0; k < n->param_count; k++) w->plan->places[n->first_param + k].elsewhere = true;
}

static void walk_layer(walk *w, int node) {
    int end = w->end[node], next = sole_reader(w, node);
    bool floats = op_of(w, end) != OC_OP_QUANTIZE;
    int out = floats ? value_stored(w, end) : bytes_like_node(w, end);
    oci_unit *u = unit_add(w, OCI_UNIT_BYTE_CONV, node, out);
    unit_reads(u, w->plan->bytes_of[input_of(w, node)]);
    if (end > node && op_of(w, next) == OC_OP_ADD)
        u->sum = w->plan->bytes_of[other_operand(w, next, node)];
    absorb_until(w, node, end, out);
    params_elsewhere(w, node);
    if (floats)
        publish(w, end, out);
    else
        publish_bytes(w, end, out);
}

bool oci_walk_bytes(walk *w, int node) {
    bool picked = w->grid[node] >= 0;
    switch (op_of(w, node)) {
    case OC_OP_QUANTIZE:
        if (picked) walk_quantize(w, node);
        return picked;
    case OC_OP_MAX_POOL:
        if (picked) walk_picked(w, node, OCI_UNIT_BYTE_MAX_POOL);
        return picked;
    case OC_OP_CONCAT:
        if (picked) walk_picked(w, node, OCI_UNIT_BYTE_CONCAT);
        return picked;
    case OC_OP_DROPOUT:
    case OC_OP_FLATTEN:
        if (picked) walk_alias(w, node);
        return picked;
    case OC_OP_GLOBAL_POOL:
        if (w->grid[input_of(w, node)] < 0) return false;
        walk_global_pool(w, node);
        return true;
    case OC_OP_ADD:
        if (add_end(w, node) < 0) return false;
        walk_add_bytes(w, node);
        return true;
    default:
        if (!is_layer(w, node) || w->end[node] < 0) return false;
        walk_layer(w, node);
        return true;
    }
}
