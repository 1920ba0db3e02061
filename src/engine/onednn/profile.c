/* Whose time it was: seconds of units and, apart from them, of the batch norms that work inside
 * them. Clocks are read only while profiling, by the thread that runs the plan.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/int8.h"

oci_watch oci_watch_start(const oci_plan *plan) {
    return (oci_watch){.start = plan->profiling ? oc_clock_seconds() : 0,
                       .norms = plan->norm_seconds};
}

double oci_watch_seconds(const oci_plan *plan, oci_watch watch) {
    if (!plan->profiling) return 0;
    return oc_clock_seconds() - watch.start - (plan->norm_seconds - watch.norms);
}

void oci_watch_norm(oci_plan *plan, int norm, oci_watch watch) {
    if (!plan->profiling || norm < 0) return;
    double seconds = oci_watch_seconds(plan, watch);
    plan->norms[norm].seconds[plan->going_back] += seconds;
    plan->norms[norm].calls[plan->going_back]++;
    plan->norm_seconds += seconds;
}

/* The next entry: counted, and written while there is room. */
typedef struct list {
    oc_op_time *items;
    size_t max, count;
} list;

static void put(list *l, oc_op_time entry) {
    if (!entry.calls) return;
    if (l->count < l->max) l->items[l->count] = entry;
    l->count++;
}

/* Of its backward pass to the data, a unit may do no more than undo its own clip; and it may do
 * that to its weights in the same stretch of time. */
static uint64_t macs_of(const oci_plan *plan, const oci_unit *unit, int what) {
    if (what != 1) return unit->macs;
    uint64_t passes = plan->values[unit->in[0]].wants_grad;
    return unit->macs * (passes + (unit->alone && unit->to_params));
}

static const char *kernel_of(const oci_unit *unit, int what) {
    if (unit->byte_conv) return oci_byte_conv_kernel(unit);
    return unit->conv ? oci_conv_unit_kernel(unit, what) : "own";
}

static void put_unit(list *l, const oci_plan *plan, const oci_unit *unit) {
    static const char *const what[] = {"forward", "backward data", "backward weights"};
    for (int k = 0; k < 3; k++)
        put(l, (oc_op_time){.node = oci_unit_name(plan, unit),
                            .what = what[k],
                            .kernel = kernel_of(unit, k),
                            .seconds = unit->seconds[k],
                            .calls = unit->calls[k],
                            .macs = macs_of(plan, unit, k)});
}

static void put_norm(list *l, const oci_plan *plan, const oci_norm *norm) {
    static const char *const what[] = {"forward", "backward data"};
    for (int k = 0; k < 2; k++)
        put(l, (oc_op_time){.node = oc_graph_node(plan->graph, norm->node)->name,
                            .what = what[k],
                            .kernel = "own",
                            .seconds = norm->seconds[k],
                            .calls = norm->calls[k]});
}

size_t oci_plan_times(const oci_plan *plan, oc_op_time *out, size_t max) {
    list l = {out, max, 0};
    for (int u = 0; u < plan->unit_count; u++) put_unit(&l, plan, &plan->units[u]);
    for (int i = 0; i < plan->norm_count; i++) put_norm(&l, plan, &plan->norms[i]);
    put(&l, (oc_op_time){.node = "loss",
                         .what = "forward",
                         .kernel = "own",
                         .seconds = plan->loss_seconds,
                         .calls = plan->loss_calls});
    return l.count;
}
