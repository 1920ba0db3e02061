/* Values that are not kept for the way back but made again (Chen et al., "Training deep nets with
 * sublinear memory cost", 2016).
 *
 * A sum of two values costs one pass over memory, so it is always made again: a residual network
 * keeps a third less. With options.recompute everything is, but for checkpoints: sums,
 * concatenations, pools, and one in SPAN of what lies in a row between them.
 *
 * A value that is made again lives twice: from its unit to the last that reads it forward, and from
 * the first unit that needs it on the way back, or to make another value again, to its own unit's
 * backward. Batch norms keep the map of the forward pass, and random choices are kept, so that it
 * comes out the same, bit for bit.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/onednn_int.h"

enum { SPAN = 4 };

static bool checkpoint_kind(oci_kind kind) {
    return kind == OCI_UNIT_ADD || kind == OCI_UNIT_CONCAT || kind == OCI_UNIT_POOL ||
           kind == OCI_UNIT_GLOBAL_POOL || kind == OCI_UNIT_ADAPTIVE_POOL ||
           kind == OCI_UNIT_AUX_LOSS || kind == OCI_UNIT_BLOCK;
}

static bool holds_output(const oci_plan *plan, const oci_unit *unit) {
    int last = plan->value_of[oc_graph_node_count(plan->graph) - 1];
    return unit->out == plan->values[last].base;
}

static bool makes_a_value(const oci_unit *unit) {
    return unit->kind != OCI_UNIT_DERIVE;
}

/* Whether unit u's value is made again; *row counts those since the last checkpoint. */
static bool chosen(const oci_plan *plan, const oci_unit *unit, int *row) {
    if (!unit->back || holds_output(plan, unit)) return false;
    if (!plan->options.recompute) return unit->kind == OCI_UNIT_ADD;
    *row = checkpoint_kind(unit->kind) ? 0 : (*row + 1) % SPAN;
    return *row != 0;
}

/* The first unit on the way back that needs what `unit` makes. */
static int first_need(const oci_plan *plan, int unit) {
    int need = unit, value = plan->units[unit].out;
    for (int r = unit + 1; r < plan->unit_count; r++) {
        const oci_unit *reader = &plan->units[r];
        for (int k = 0; k < reader->in_count; k++) {
            if (plan->values[reader->in[k]].base != value) continue;
            if (reader->back && r > need) need = r;
            if (reader->again > need) need = reader->again;
        }
    }
    return need;
}

void oci_recompute_choose(oci_plan *plan) {
    int row = 0;
    for (int u = 0; u < plan->unit_count; u++) plan->units[u].again = -1;
    if (plan->face.mode != OC_MODE_TRAIN) return;
    for (int u = 0; u < plan->unit_count; u++)
        if (makes_a_value(&plan->units[u]) && chosen(plan, &plan->units[u], &row))
            plan->units[u].again = u;
    for (int u = plan->unit_count - 1; u >= 0; u--)
        if (plan->units[u].again >= 0) plan->units[u].again = first_need(plan, u);
}

void oci_recompute_begin(oci_plan *plan) {
    for (int i = 0; i < plan->value_count; i++) plan->values[i].data = plan->values[i].first_data;
}

oc_status oci_recompute_before(oci_plan *plan, int back, oc_error *err) {
    for (int u = 0; u <= back; u++) {
        oci_unit *unit = &plan->units[u];
        if (unit->again != back) continue;
        oci_value *v = &plan->values[unit->out];
        v->data = v->again_data;
        for (int first = 0; first < plan->images; first += unit->chunk) {
            int n = plan->images - first < unit->chunk ? plan->images - first : unit->chunk;
            OC_TRY(oci_unit_ops_of(unit->kind)->forward(plan, unit, first, n, err));
        }
    }
    return OC_OK;
}
