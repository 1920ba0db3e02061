/* The walk over the nodes that makes values and units: its state and its small steps, shared by
 * fuse.c and int8_fuse.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_ONEDNN_FUSE_INT_H
#define OC_ENGINE_ONEDNN_FUSE_INT_H

#include "engine/onednn/onednn_int.h"

/* State of the walk over the nodes. */
typedef struct walk {
    oci_plan *plan;
    const oc_shape *shapes;
    int *fanout;    /* readers of each node; the output counts one */
    int *unit_of;   /* value -> the unit that stores it, or -1 */
    bool *shared;   /* value -> more than one reader */
    bool *flat;     /* value -> seen through a flatten that joins h and w with c */
    bool *needed;   /* node -> a gradient flows into it */
    bool *absorbed; /* node -> already part of an earlier unit */
    int *reader;    /* node -> its last reader, meaningful where fanout is 1; -1 = the output */
    /* bytes (int8_fuse.c) */
    int *grid; /* node -> the quantize node whose levels its values are, or -1 */
    int *end;  /* conv or dense that works on bytes -> the last node it takes in; -1 = none */
} walk;

static inline int blocks_of(const oci_plan *plan, int c) {
    return (c + plan->lanes - 1) / plan->lanes;
}

static inline int value_add(walk *w, int node, int c, int h, int width) {
    oci_plan *plan = w->plan;
    int i = plan->value_count++;
    int blocks = blocks_of(plan, c);
    plan->values[i] =
        (oci_value){.node = node,
                    .c = c,
                    .h = h,
                    .w = width,
                    .blocks = blocks,
                    .image = (size_t)blocks * (size_t)plan->lanes * (size_t)h * (size_t)width,
                    .base = i,
                    .norm = -1,
                    .grad_home = i,
                    .wants_grad = plan->face.mode == OC_MODE_TRAIN && w->needed[node]};
    w->unit_of[i] = -1;
    return i;
}

static inline int value_stored(walk *w, int node) {
    const oc_shape *s = &w->shapes[node];
    return value_add(w, node, (int)s->dim[1], (int)s->dim[2], (int)s->dim[3]);
}

static inline oci_unit *unit_add(walk *w, oci_kind kind, int node, int out) {
    oci_plan *plan = w->plan;
    oci_unit *u = &plan->units[plan->unit_count];
    *u = (oci_unit){.kind = kind,
                    .node = node,
                    .out = out,
                    .through = out,
                    .gathers = -1,
                    .folded = -1,
                    .sum = -1};
    u->back = plan->values[out].wants_grad;
    if (kind != OCI_UNIT_DERIVE) w->unit_of[out] = plan->unit_count;
    plan->unit_count++;
    return u;
}

static inline void unit_reads(oci_unit *u, int value) {
    u->in[u->in_count++] = value;
}

/* Node `node` is seen as `value` by those who read it. */
static inline void publish(walk *w, int node, int value) {
    w->plan->value_of[node] = value;
    if (w->fanout[node] > 1) w->shared[value] = true;
}

/* The node that alone reads `node`, or -1. */
static inline int sole_reader(const walk *w, int node) {
    return w->fanout[node] == 1 ? w->reader[node] : -1;
}

static inline oci_act act_of(oc_op op) {
    return op == OC_OP_RELU ? OCI_ACT_RELU : op == OC_OP_RELU6 ? OCI_ACT_RELU6 : OCI_ACT_NONE;
}

static inline oc_op op_of(const walk *w, int node) {
    return oc_graph_node(w->plan->graph, node)->op;
}

/* ---- int8_fuse.c
 * ------------------------------------------------------------------------------ */

/* Before the walk, in inference: fill grid and end. */
void oci_walk_grids(walk *w);
/* True where the node was taken in as one that works on bytes; false: walk it as floats. */
bool oci_walk_bytes(walk *w, int node);

#endif
