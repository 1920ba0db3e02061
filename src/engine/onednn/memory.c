/* Where values and gradients live: lifetimes over the steps of a run, then offsets in one arena so
 * that what never lives at the same time may share memory.
 *
 * Time: unit u runs forward at u and, with U units, backward at 2U - u; the loss is at U. A stored
 * value lives until its last reader; in training until its own unit's backward, which needs it to
 * take gradients through clip and norm; one that is made again (recompute.c) lives twice. A
 * gradient lives from its first writer to its unit's backward. Placing is first-fit in order of
 * size, largest first, which is within a few percent of the peak for networks.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "engine/onednn/onednn_int.h"

enum { NEVER = 1 << 30 };

typedef struct block {
    float **owner; /* gets its address */
    size_t floats, offset;
    int from, to; /* lives in these steps, both included */
} block;

static int by_size(const void *a, const void *b) {
    const block *x = *(const block *const *)a, *y = *(const block *const *)b;
    if (x->floats != y->floats) return x->floats < y->floats ? 1 : -1;
    return x->from != y->from ? x->from - y->from : (x > y) - (x < y);
}

static bool meet(const block *a, const block *b) {
    return a->from <= b->to && b->from <= a->to;
}

/* Lowest offset at which b meets none of the placed blocks that live when it does. */
static size_t lowest_offset(const block *b, block *const *placed, size_t count) {
    size_t offset = 0;
    for (size_t i = 0; i < count;) {
        const block *p = placed[i];
        bool clash = meet(b, p) && offset < p->offset + p->floats && p->offset < offset + b->floats;
        if (clash) {
            offset = p->offset + p->floats;
            i = 0;
        } else {
            i++;
        }
    }
    return offset;
}

/* ---- lifetimes
 * -------------------------------------------------------------------------------------- */

static void live_at(block *b, int step) {
    if (step < b->from) b->from = step;
    if (step > b->to) b->to = step;
}

/* Blocks by value. */
typedef struct lives {
    block *values, *again, *grads; /* again: of values that are made again, for the way back */
    int *sum_of;                   /* value whose memory this one adds into, or -1 */
    int *unit_of;                  /* unit that stores it, or -1 */
} lives;

/* Values whose memory a convolution adds into are one block. */
static int home_of(const oci_plan *plan, const int *sum_of, int value) {
    int v = plan->values[value].base;
    while (sum_of[v] >= 0) v = plan->values[sum_of[v]].base;
    return v;
}

static bool made_again(const oci_plan *plan, const int *unit_of, int value) {
    return unit_of[value] >= 0 && plan->units[unit_of[value]].again >= 0;
}

/* `value` is read or written by unit u on the way there and, if `back`, on the way back. */
static void value_used(const oci_plan *plan, const lives *l, int value, int u, bool back) {
    int home = home_of(plan, l->sum_of, value), end = 2 * plan->unit_count;
    block *later = made_again(plan, l->unit_of, home) ? &l->again[home] : &l->values[home];
    live_at(&l->values[home], u);
    if (back) live_at(later, end - u);
    if (plan->units[u].again >= 0) live_at(later, end - plan->units[u].again);
}

static void value_lives(const oci_plan *plan, const lives *l) {
    for (int u = 0; u < plan->unit_count; u++) {
        const oci_unit *unit = &plan->units[u];
        value_used(plan, l, unit->out, u, unit->back);
        for (int k = 0; k < unit->in_count; k++)
            if (!plan->values[unit->in[k]].plain) value_used(plan, l, unit->in[k], u, unit->back);
    }
    const oci_value *last = &plan->values[plan->value_of[oc_graph_node_count(plan->graph) - 1]];
    if (!last->plain) live_at(&l->values[home_of(plan, l->sum_of, last->base)], plan->unit_count);
}

static void grad_lives(const oci_plan *plan, block *blocks) {
    int end = 2 * plan->unit_count;
    for (int u = 0; u < plan->unit_count; u++) {
        const oci_unit *unit = &plan->units[u];
        if (!unit->back) continue;
        live_at(&blocks[plan->values[unit->through].grad_home], end - u);
        for (int k = 0; k < unit->in_count; k++)
            if (plan->values[unit->in[k]].wants_grad)
                live_at(&blocks[plan->values[unit->in[k]].grad_home], end - u);
    }
    int last = plan->value_of[oc_graph_node_count(plan->graph) - 1];
    live_at(&blocks[plan->values[last].grad_home], plan->unit_count);
}

/* ---- taking memory
 * ---------------------------------------------------------------------------------- */

oc_status oci_take(oci_plan *plan, void *out_pp, uint64_t *account, size_t bytes, const char *what,
                   oc_error *err) {
    void **out = out_pp;
    if (*out || !bytes) return OC_OK;
    *account += bytes;
    if (plan->measuring) return OC_OK;
    *out = oc_calloc_aligned(bytes);
    return *out ? OC_OK : oc_fail_nomem(err, bytes, what);
}

/* ---- placing
 * ------------------------------------------------------------------------------------------ */

const oci_plan *oci_in_turns_with(const oci_plan *plan) {
    return plan->options.in_turns ? oci_sharing(plan) : NULL;
}

/* Two plans that take turns need one arena and one scratch: nothing in them outlives a run. */
static bool borrow(void *out_pp, void *theirs, size_t have, size_t need) {
    void **out = out_pp;
    if (theirs == NULL || have < need || need == 0) return false;
    *out = theirs;
    return true;
}

/* Addresses for all blocks that live at some time; the arena must not be there yet. */
static oc_status arena_new(oci_plan *plan, block *blocks, size_t count, oc_error *err) {
    block **order = oc_calloc(2 * count + 1, sizeof(block *)),
          **placed = order ? order + count : NULL;
    if (!order) return oc_fail_nomem(err, count * sizeof(block *), "plan");
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (blocks[i].from <= blocks[i].to && blocks[i].floats) order[used++] = &blocks[i];
    qsort(order, used, sizeof(block *), by_size);
    plan->arena_floats = 0;
    for (size_t i = 0; i < used; i++) {
        order[i]->offset = lowest_offset(order[i], placed, i);
        placed[i] = order[i];
        size_t top = order[i]->offset + order[i]->floats;
        if (top > plan->arena_floats) plan->arena_floats = top;
    }
    oc_status status = OC_OK;
    const oci_plan *with = oci_in_turns_with(plan);
    if (with == NULL || !borrow(&plan->arena, with->arena, with->arena_floats, plan->arena_floats))
        status = oci_take(plan, &plan->arena, &plan->held.activations,
                          (plan->arena_floats + OCI_ROW) * sizeof(float),
                          "activations; a smaller --batch needs less", err);
    for (size_t i = 0; i < used && plan->arena; i++)
        *order[i]->owner = plan->arena + order[i]->offset;
    oc_free(order);
    return status;
}

static size_t whole_lines(size_t floats) {
    return (floats + OCI_ROW - 1) / OCI_ROW * OCI_ROW;
}

static void lives_of(oci_plan *plan, const lives *l) {
    for (int i = 0; i < plan->value_count; i++) {
        oci_value *v = &plan->values[i];
        size_t all = v->image * (size_t)plan->images;
        size_t floats = whole_lines(v->bytes ? all / sizeof(float) + 1 : all);
        size_t stored = v->plain ? 0 : floats;
        l->values[i] = (block){&v->first_data, stored, 0, NEVER, -1};
        l->again[i] = (block){&v->again_data, stored, 0, NEVER, -1};
        l->grads[i] = (block){&v->grad, floats, 0, NEVER, -1};
        l->sum_of[i] = l->unit_of[i] = -1;
    }
    for (int u = 0; u < plan->unit_count; u++) {
        const oci_unit *unit = &plan->units[u];
        if (unit->sum >= 0) l->sum_of[unit->out] = unit->sum;
        if (unit->kind != OCI_UNIT_DERIVE) l->unit_of[unit->out] = u;
    }
    value_lives(plan, l);
    if (plan->face.mode == OC_MODE_TRAIN) grad_lives(plan, l->grads);
}

static oc_status arena_for_values(oci_plan *plan, oc_error *err) {
    size_t count = (size_t)plan->value_count;
    lives l = {.values = oc_calloc(3 * count, sizeof(block)),
               .sum_of = oc_calloc(2 * count, sizeof(int))};
    oc_status status = OC_OK;
    if (!l.values || !l.sum_of) {
        status = oc_fail_nomem(err, 3 * count * sizeof(block), "plan");
        goto done;
    }
    l.again = l.values + count, l.grads = l.again + count, l.unit_of = l.sum_of + count;
    lives_of(plan, &l);
    OC_GOTO(arena_new(plan, l.values, 3 * count, err));
    for (int i = 0; i < plan->value_count; i++) {
        oci_value *v = &plan->values[i];
        v->data = v->first_data = plan->values[home_of(plan, l.sum_of, i)].first_data;
        v->grad = plan->values[v->grad_home].grad;
    }
done:
    oc_free(l.values);
    oc_free(l.sum_of);
    return status;
}

/* ---- scratch and side buffers
 * -------------------------------------------------------------------------- */

static void scratch_sizes(oci_plan *plan) {
    for (int u = 0; u < plan->unit_count; u++) {
        const oci_unit *unit = &plan->units[u];
        size_t chunk = (size_t)unit->chunk;
        if (unit->alone) continue;
        for (int k = 0; k < unit->in_count; k++) {
            const oci_value *v = &plan->values[unit->in[k]];
            if (v->base != unit->in[k]) oci_at_least(&plan->read_floats, chunk * v->image);
            if (v->writers > 1) oci_at_least(&plan->sum_floats, chunk * v->image);
        }
        if (unit->kind == OCI_UNIT_BY_REF)
            oci_at_least(&plan->plain_floats, oci_by_ref_scratch(plan, unit));
        if (unit->back) oci_at_least(&plan->grad_floats, chunk * plan->values[unit->out].image);
    }
    const oci_value *last = &plan->values[plan->value_of[oc_graph_node_count(plan->graph) - 1]];
    oci_at_least(&plan->read_floats, last->image);
    oci_at_least(&plan->sum_floats, last->writers > 1 ? last->image : 0);
}

static oc_status scratch_new(oci_plan *plan, void *out_pp, size_t bytes, oc_error *err) {
    return oci_take(plan, out_pp, &plan->held.scratch, bytes, "scratch", err);
}

static oc_status sides_new(oci_plan *plan, oc_error *err) {
    for (int u = 0; u < plan->unit_count; u++) {
        oci_unit *unit = &plan->units[u];
        const oci_value *out = &plan->values[unit->out];
        if (unit->kind == OCI_UNIT_DROPOUT)
            unit->side_image = (size_t)out->c * (size_t)out->h * (size_t)out->w;
        if (unit->kind == OCI_UNIT_POOL)
            OC_TRY(oci_pool_check(oc_graph_node(plan->graph, unit->node), err));
        if (unit->kind == OCI_UNIT_POOL && unit->back) unit->side_image = oci_pool_side(plan, unit);
        OC_TRY(oci_take(plan, &unit->side, &plan->held.activations,
                        unit->side_image * (size_t)plan->images, "choices of a pool or dropout",
                        err));
    }
    return OC_OK;
}

/* What operations of inference need while they run. */
static void borrow_scratch(oci_plan *plan) {
    const oci_plan *with = oci_in_turns_with(plan);
    if (with == NULL) return;
    (void)borrow(&plan->read_scratch, with->read_scratch, with->read_floats, plan->read_floats);
    (void)borrow(&plan->plain_scratch, with->plain_scratch, with->plain_floats, plan->plain_floats);
    (void)borrow(&plan->library_scratch, with->library_scratch, with->library_bytes,
                 plan->library_bytes);
}

oc_status oci_place_values(oci_plan *plan, oc_error *err) {
    OC_TRY(arena_for_values(plan, err));
    OC_TRY(sides_new(plan, err));
    scratch_sizes(plan);
    borrow_scratch(plan);
    OC_TRY(scratch_new(plan, &plan->read_scratch, plan->read_floats * sizeof(float), err));
    OC_TRY(scratch_new(plan, &plan->grad_scratch, plan->grad_floats * sizeof(float), err));
    OC_TRY(scratch_new(plan, &plan->sum_scratch, plan->sum_floats * sizeof(float), err));
    OC_TRY(scratch_new(plan, &plan->weight_scratch, plan->weight_floats * sizeof(float), err));
    OC_TRY(scratch_new(plan, &plan->turned_scratch, plan->turned_floats * sizeof(float), err));
    OC_TRY(scratch_new(plan, &plan->gathered_scratch, plan->gathered_floats * sizeof(float), err));
    OC_TRY(scratch_new(plan, &plan->plain_scratch, plan->plain_floats * sizeof(float), err));
    return scratch_new(plan, &plan->library_scratch, plan->library_bytes, err);
}
