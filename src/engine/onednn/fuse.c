/* A graph becomes values and units (onednn_int.h has the idea): which nodes vanish into their
 * neighbours is decided here and nowhere else.
 *
 *   training   conv + ReLU: one unit. Batch norm (+ clip): a derived value. Add + ReLU: one unit.
 *   inference  conv + batch norm + add + clip: one unit; dropout: nothing.
 *   both       flatten: another view of its input, which a dense layer reads as it lies.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/fuse_int.h"

const char *oci_unit_name(const oci_plan *plan, const oci_unit *unit) {
    return oc_graph_node(plan->graph, unit->node)->name;
}

const oc_attrs *oci_unit_attrs(const oci_plan *plan, const oci_unit *unit) {
    return &oc_graph_node(plan->graph, unit->node)->attrs;
}

static int value_derived(walk *w, int node, int base) {
    oci_plan *plan = w->plan;
    const oci_value *b = &plan->values[base];
    int i = value_add(w, node, b->c, b->h, b->w);
    plan->values[i].base = base;
    w->flat[i] = w->flat[base];
    return i;
}

/* A value that may be read as a base: derived ones are stored by a copy first. */
static int as_stored(walk *w, int value, int node) {
    oci_plan *plan = w->plan;
    if (plan->values[value].base == value && !plan->values[value].plain) return value;
    const oci_value v = plan->values[value];
    int out = value_add(w, v.node, v.c, v.h, v.w);
    w->flat[out] = w->flat[value];
    oci_unit *u = unit_add(w, v.plain ? OCI_UNIT_BLOCK : OCI_UNIT_COPY, node, out);
    unit_reads(u, value);
    return out;
}

/* ---- one function per kind of node
 * ------------------------------------------------------------------ */

static void walk_input(walk *w, int node) {
    int v = value_stored(w, node);
    oci_value *value = &w->plan->values[v];
    value->plain = true;
    value->image = (size_t)value->c * (size_t)value->h * (size_t)value->w;
    publish(w, node, v);
}

/* Does an earlier unit's memory serve as the destination of `add` in place: neither the convolution
 * itself nor anybody later reads it? */
static bool sums_into(const walk *w, int add, int other_node, int conv_out) {
    const oci_plan *plan = w->plan;
    int other = plan->value_of[other_node];
    if (other < 0) return false;
    const oci_value *v = &plan->values[other], *out = &plan->values[conv_out];
    if (v->base != other || v->plain || v->image != out->image) return false;
    const oc_graph *g = plan->graph;
    const oci_unit *unit = &plan->units[plan->unit_count - 1];
    for (int k = 0; k < unit->in_count; k++)
        if (plan->values[unit->in[k]].base == other) return false;
    for (int i = 0; i < oc_graph_node_count(g); i++)
        for (int k = 0; k < oc_graph_node(g, i)->input_count; k++) {
            int in = oc_graph_node(g, i)->inputs[k];
            bool reads = plan->value_of[in] >= 0 && plan->values[plan->value_of[in]].base == other;
            if (reads && i > unit->node && i != add) return false; /* somebody still to come */
        }
    return other != plan->value_of[oc_graph_node_count(g) - 1];
}

/* Inference: let the convolution take in the batch norm, the addition and the clip behind it. */
static int absorb(walk *w, oci_unit *u, int node) {
    oci_plan *plan = w->plan;
    int last = node, next = sole_reader(w, last);
    if (next >= 0 && op_of(w, next) == OC_OP_BATCH_NORM && plan->face.mode == OC_MODE_INFER) {
        u->folded = next;
        w->absorbed[last = next] = true;
        next = sole_reader(w, last);
    }
    if (next >= 0 && op_of(w, next) == OC_OP_ADD && plan->face.mode == OC_MODE_INFER) {
        const oc_node *add = oc_graph_node(plan->graph, next);
        int other = add->inputs[0] == last ? add->inputs[1] : add->inputs[0];
        if (other != last && sums_into(w, next, other, u->out)) {
            u->sum = plan->value_of[other];
            w->absorbed[last = next] = true;
            next = sole_reader(w, last);
        }
    }
    if (next >= 0 && act_of(op_of(w, next)) != OCI_ACT_NONE) {
        plan->values[u->out].act = act_of(op_of(w, next));
        w->absorbed[last = next] = true;
    }
    return last;
}

static void has_params(const walk *w, oci_unit *u) {
    const oc_node *n = oc_graph_node(w->plan->graph, u->node);
    for (int i = 0; i < n->param_count; i++)
        u->to_params |= w->plan->places[n->first_param + i].trained;
}

static void walk_conv(walk *w, int node) {
    oci_plan *plan = w->plan;
    const oc_node *n = oc_graph_node(plan->graph, node);
    int in = plan->value_of[n->inputs[0]];
    bool takes_plain = n->op == OC_OP_CONV && n->attrs.groups == 1 && plan->values[in].c <= 4;
    if (plan->values[in].plain && !takes_plain) in = as_stored(w, in, node);
    int out = value_stored(w, node);
    oci_unit *u = unit_add(w, OCI_UNIT_CONV, node, out);
    unit_reads(u, in);
    has_params(w, u);
    int last = absorb(w, u, node);
    plan->values[out].node = last;
    publish(w, node, out);
    publish(w, last, out);
}

/* The derived value's gradient goes straight into the unit that stored its base if nobody else
 * reads that; otherwise a unit of its own carries it there. */
static oci_unit *carrier(walk *w, int derived, int node) {
    oci_plan *plan = w->plan;
    int base = plan->values[derived].base;
    int owner = w->unit_of[base];
    if (owner >= 0 && !w->shared[base] && plan->units[owner].through == base) {
        plan->units[owner].through = derived;
        plan->units[owner].back |= plan->values[derived].wants_grad;
        return &plan->units[owner];
    }
    oci_unit *u = unit_add(w, OCI_UNIT_DERIVE, node, base);
    u->through = derived;
    u->back = plan->values[derived].wants_grad;
    unit_reads(u, base);
    return u;
}

static void walk_norm(walk *w, int node) {
    oci_plan *plan = w->plan;
    const oc_node *n = oc_graph_node(plan->graph, node);
    int base = as_stored(w, plan->value_of[n->inputs[0]], node);
    int y = value_derived(w, node, base);
    oci_value *v = &plan->values[y];
    v->norm = plan->norm_count;
    plan->norms[plan->norm_count] =
        (oci_norm){.node = node,
                   .value = y,
                   .channels = v->c,
                   .blocks = v->blocks,
                   .batch_stats = plan->face.mode == OC_MODE_TRAIN && !plan->options.freeze_stats,
                   .epsilon = n->attrs.epsilon,
                   .momentum = n->attrs.momentum,
                   .scale = n->first_param,
                   .shift = n->first_param + 1,
                   .mean = n->first_param + 2,
                   .var = n->first_param + 3};
    oci_unit *u = carrier(w, y, node);
    if (plan->norms[plan->norm_count].batch_stats) u->gathers = plan->norm_count;
    plan->norm_count++;
    publish(w, node, y);
}

static void walk_act(walk *w, int node) {
    oci_plan *plan = w->plan;
    oci_act act = act_of(op_of(w, node));
    int in = plan->value_of[oc_graph_node(plan->graph, node)->inputs[0]];
    oci_value *v = &plan->values[in];
    bool own_clip =
        v->base != in || (w->unit_of[in] >= 0 && plan->units[w->unit_of[in]].through == in &&
                          plan->units[w->unit_of[in]].kind == OCI_UNIT_ADD);
    if (own_clip && !w->shared[in] && v->act == OCI_ACT_NONE) {
        v->act = act;
        v->node = node;
        publish(w, node, in);
        return;
    }
    int base = as_stored(w, in, node);
    int y = value_derived(w, node, base);
    plan->values[y].act = act;
    carrier(w, y, node);
    publish(w, node, y);
}

static bool clipped_on_reading(const oci_plan *plan, int value) {
    return plan->values[value].base != value && plan->values[value].act != OCI_ACT_NONE;
}

static void walk_add(walk *w, int node) {
    oci_plan *plan = w->plan;
    const oc_node *n = oc_graph_node(plan->graph, node);
    int a = plan->value_of[n->inputs[0]], b = plan->value_of[n->inputs[1]];
    if (plan->values[a].plain) a = as_stored(w, a, node);
    if (plan->values[b].plain) b = n->inputs[0] == n->inputs[1] ? a : as_stored(w, b, node);
    /* one scratch serves one operand: of two that are made on reading, store the second */
    if (clipped_on_reading(plan, a) && clipped_on_reading(plan, b)) b = as_stored(w, b, node);
    oci_unit *u = unit_add(w, OCI_UNIT_ADD, node, value_stored(w, node));
    unit_reads(u, a);
    unit_reads(u, b);
    publish(w, node, u->out);
}

static void walk_plain_unit(walk *w, int node, oci_kind kind) {
    oci_plan *plan = w->plan;
    const oc_node *n = oc_graph_node(plan->graph, node);
    int in[OC_MAX_INPUTS] = {0};
    for (int i = 0; i < n->input_count; i++) {
        in[i] = plan->value_of[n->inputs[i]];
        if (plan->values[in[i]].plain) in[i] = as_stored(w, in[i], node);
    }
    bool keeps_shape =
        kind == OCI_UNIT_DROPOUT || kind == OCI_UNIT_CURVE || kind == OCI_UNIT_SOFTMAX;
    const oci_value v = plan->values[in[0]];
    int out = keeps_shape ? value_add(w, node, v.c, v.h, v.w) : value_stored(w, node);
    w->flat[out] = keeps_shape && w->flat[in[0]];
    oci_unit *u = unit_add(w, kind, node, out);
    u->flat = w->flat[in[0]];
    if (kind == OCI_UNIT_BY_REF) has_params(w, u);
    for (int i = 0; i < n->input_count; i++) unit_reads(u, in[i]);
    publish(w, node, out);
}

/* Flatten, and dropout that drops nothing: the input under another name. */
static void walk_same(walk *w, int node, bool flatten) {
    oci_plan *plan = w->plan;
    int in = plan->value_of[oc_graph_node(plan->graph, node)->inputs[0]];
    if (plan->values[in].plain) in = as_stored(w, in, node);
    if (flatten && plan->values[in].h * plan->values[in].w > 1) w->flat[in] = true;
    publish(w, node, in);
}

/* by_ref.c makes vectors of what is flat, if all of it is. */
static bool reads_flat(const walk *w, const oc_node *node) {
    for (int i = 0; i < node->input_count; i++)
        if (!w->flat[w->plan->value_of[node->inputs[i]]]) return false;
    return oci_is_by_ref(node);
}

/* Behind a flatten that joins pixels with channels only these know what to do. */
static oc_status check_flat(const walk *w, int node, oc_error *err) {
    const oc_node *n = oc_graph_node(w->plan->graph, node);
    bool knows = n->op == OC_OP_DENSE || n->op == OC_OP_DROPOUT || n->op == OC_OP_FLATTEN ||
                 n->op == OC_OP_QUANTIZE || oci_is_curve(n->op) || reads_flat(w, n) ||
                 act_of(n->op) != OCI_ACT_NONE;
    for (int i = 0; i < n->input_count && !knows; i++) {
        int in = w->plan->value_of[n->inputs[i]];
        if (w->flat[in])
            return oc_fail(
                err, OC_EUNSUPPORTED,
                "%s: %s directly behind a flatten of %dx%d pixels is not supported by the "
                "onednn engine; try --engine ref",
                n->name, oc_op_name(n->op), w->plan->values[in].h, w->plan->values[in].w);
    }
    return OC_OK;
}

static void walk_node(walk *w, int node) {
    const oc_node *n = oc_graph_node(w->plan->graph, node);
    if (oci_is_curve(n->op) || oci_is_by_ref(n)) {
        walk_plain_unit(w, node, oci_is_curve(n->op) ? OCI_UNIT_CURVE : OCI_UNIT_BY_REF);
        return;
    }
    bool drops = n->op == OC_OP_DROPOUT && n->attrs.p > 0 && w->plan->face.mode == OC_MODE_TRAIN;
    switch (n->op) {
    case OC_OP_INPUT:
        walk_input(w, node);
        break;
    case OC_OP_CONV:
    case OC_OP_DENSE:
        walk_conv(w, node);
        break;
    case OC_OP_BATCH_NORM:
        walk_norm(w, node);
        break;
    case OC_OP_RELU:
    case OC_OP_RELU6:
        walk_act(w, node);
        break;
    case OC_OP_ADD:
        walk_add(w, node);
        break;
    case OC_OP_MAX_POOL:
    case OC_OP_AVG_POOL:
        walk_plain_unit(w, node, OCI_UNIT_POOL);
        break;
    case OC_OP_GLOBAL_POOL:
        walk_plain_unit(w, node, OCI_UNIT_GLOBAL_POOL);
        break;
    case OC_OP_ADAPTIVE_POOL:
        walk_plain_unit(w, node, OCI_UNIT_ADAPTIVE_POOL);
        break;
    case OC_OP_AUX_LOSS:
        walk_plain_unit(w, node, OCI_UNIT_AUX_LOSS);
        break;
    case OC_OP_CONCAT:
        walk_plain_unit(w, node, OCI_UNIT_CONCAT);
        break;
    case OC_OP_LRN:
        walk_plain_unit(w, node, OCI_UNIT_LRN);
        break;
    case OC_OP_SOFTMAX:
        walk_plain_unit(w, node, OCI_UNIT_SOFTMAX);
        break;
    case OC_OP_FLATTEN:
        walk_same(w, node, true);
        break;
    default:
        drops ? walk_plain_unit(w, node, OCI_UNIT_DROPOUT) : walk_same(w, node, false);
        break;
    }
}

/* ---- gradients: who writes, and which memory is shared
 * -------------------------------------------------- */

static void count_readers(oci_plan *plan) {
    for (int i = 0; i < plan->unit_count; i++)
        for (int k = 0; k < plan->units[i].in_count; k++) {
            oci_value *v = &plan->values[plan->units[i].in[k]];
            if (plan->units[i].back && v->wants_grad) v->writers++;
        }
}

/* May input k of `unit` take its gradient in the memory of the unit's own? The unit only passes it
 * on; it must be the first to write there, and whoever adds later must do so after the other
 * inputs that share the memory have been worked off. */
static bool may_share(const oci_plan *plan, int unit, int k) {
    const oci_unit *u = &plan->units[unit];
    const oci_value *v = &plan->values[u->in[k]];
    if (!v->wants_grad || v->image != plan->values[u->through].image) return false;
    if (u->in_count == 2 && u->in[0] == u->in[1]) return false;
    int partner = u->in_count == 2 ? plan->values[u->in[1 - k]].base : -1;
    for (int i = 0; i < plan->unit_count; i++)
        for (int j = 0; j < plan->units[i].in_count; j++) {
            if (plan->units[i].in[j] != u->in[k] || i == unit) continue;
            if (i > unit) return false;
            /* an earlier reader adds later: by then the unit behind the partner must be done */
            for (int p = 0; p < i && partner >= 0; p++)
                if (plan->units[p].out == partner) return false;
        }
    return true;
}

static void share_gradients(oci_plan *plan) {
    for (int i = 0; i < plan->unit_count; i++) {
        const oci_unit *u = &plan->units[i];
        bool passes = u->kind == OCI_UNIT_ADD || u->kind == OCI_UNIT_COPY;
        if (!passes || !u->back) continue;
        for (int k = 0; k < u->in_count; k++)
            if (may_share(plan, i, k))
                plan->values[u->in[k]].grad_home = plan->values[u->through].grad_home;
    }
}

/* ---- the walk
 * ---------------------------------------------------------------------------------------------- */

static void count_fanout(walk *w) {
    const oc_graph *g = w->plan->graph;
    int count = oc_graph_node_count(g);
    for (int i = 0; i < count; i++) {
        w->reader[i] = -1;
        const oc_node *n = oc_graph_node(g, i);
        for (int k = 0; k < n->input_count; k++) {
            w->fanout[n->inputs[k]]++;
            w->reader[n->inputs[k]] = i;
        }
    }
    w->fanout[count - 1]++;
}

static oc_status walk_all(walk *w, oc_error *err) {
    oci_plan *plan = w->plan;
    int count = oc_graph_node_count(plan->graph);
    for (int i = 0; i < count; i++)
        plan->value_of[i] = plan->bytes_of[i] = w->grid[i] = w->end[i] = -1;
    if (plan->face.mode == OC_MODE_INFER) oci_walk_grids(w);
    for (int i = 0; i < count; i++) {
        if (w->absorbed[i]) continue;
        OC_TRY(check_flat(w, i, err));
        if (!oci_walk_bytes(w, i)) walk_node(w, i);
    }
    /* absorbed nodes in the middle of a chain have no value: nobody reads them */
    count_readers(plan);
    if (plan->face.mode == OC_MODE_TRAIN) {
        plan->values[plan->value_of[count - 1]].writers++; /* the loss */
        share_gradients(plan);
    }
    return OC_OK;
}

oc_status oci_fuse(oci_plan *plan, const oc_shape *shapes, oc_error *err) {
    size_t nodes = (size_t)oc_graph_node_count(plan->graph), most = 3 * nodes + 4;
    walk w = {.plan = plan, .shapes = shapes};
    oc_status status = OC_OK;
    plan->values = oc_calloc(most, sizeof *plan->values);
    plan->units = oc_calloc(most, sizeof *plan->units);
    plan->norms = oc_calloc(nodes, sizeof *plan->norms);
    plan->value_of = oc_calloc(nodes, sizeof *plan->value_of);
    plan->bytes_of = oc_calloc(nodes, sizeof *plan->bytes_of);
    int *ints = oc_calloc(4 * nodes + most, sizeof *ints);
    bool *flags = oc_calloc(2 * nodes + 2 * most, sizeof *flags);
    if (!plan->values || !plan->units || !plan->norms || !plan->value_of || !plan->bytes_of ||
        !ints || !flags) {
        status = oc_fail_nomem(err, most * sizeof *plan->units, "plan");
        goto done;
    }
    w.fanout = ints, w.reader = ints + nodes, w.grid = ints + 2 * nodes;
    w.end = ints + 3 * nodes, w.unit_of = ints + 4 * nodes;
    w.needed = flags, w.absorbed = flags + nodes;
    w.shared = flags + 2 * nodes, w.flat = flags + 2 * nodes + most;
    if (plan->face.mode == OC_MODE_TRAIN) oci_grad_needed(plan->graph, &plan->options, w.needed);
    count_fanout(&w);
    OC_GOTO(walk_all(&w, err));
done:
    oc_free(ints);
    oc_free(flags);
    return status;
}
