/* The layers of a plan: their times, the work they must do, and how far from the machine's limits
 * that leaves them.
 *
 * The roofline of a pass is the longer of two times: its operations at the peak of multiply-adds,
 * and its bytes at the speed of memory, each input, output and parameter moved once. (Williams,
 * Waterman, Patterson 2009.) Time beyond it is lost time.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "bench_int.h"

static oci_layer_time *find(oci_layer_time *layers, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(layers[i].name, name) == 0) return &layers[i];
    return NULL;
}

static oci_pass pass_of(const char *what) {
    if (strcmp(what, "forward") == 0) return OCI_FORWARD;
    return strcmp(what, "backward weights") == 0 ? OCI_BACK_WEIGHTS : OCI_BACK_DATA;
}

/* An engine that does not part its backward pass does the work of both. */
static double shares_of(const char *what) {
    return strcmp(what, "backward") == 0 ? 2 : 1;
}

/* ---- what a layer is, and what it must move ---- */

static bool is_depthwise(const oc_node *node, const oc_shape *in) {
    return node->attrs.groups > 1 && node->attrs.groups == in->dim[1];
}

static const char *kind_of(const oc_graph *graph, int index, const oc_shape *shapes) {
    const oc_node *node = oc_graph_node(graph, index);
    switch (node->op) {
    case OC_OP_CONV:
        return is_depthwise(node, &shapes[node->inputs[0]]) ? "depthwise" : "conv";
    case OC_OP_MAX_POOL:
    case OC_OP_AVG_POOL:
    case OC_OP_GLOBAL_POOL:
        return "pool";
    case OC_OP_BATCH_NORM:
        return "norm";
    default:
        return oc_op_name(node->op);
    }
}

static double bytes_of(const oc_shape *shape) {
    size_t count = 0;
    return oc_shape_count(shape, &count) ? (double)count * sizeof(float) : 0;
}

static double parameter_bytes(const oc_graph *graph, const oc_node *node) {
    double sum = 0;
    for (int i = 0; i < node->param_count; i++)
        sum += bytes_of(&oc_graph_param(graph, node->first_param + i)->shape);
    return sum;
}

/* A norm's way back needs its input again; a convolution's and a dense layer's needs it for the
 * weights alone; the others remember, or need nothing. */
static double traffic_of(const oc_graph *graph, int index, const oc_shape *shapes, oci_pass pass) {
    const oc_node *node = oc_graph_node(graph, index);
    double in = 0, out = bytes_of(&shapes[index]), again = 0;
    for (int k = 0; k < node->input_count; k++) in += bytes_of(&shapes[node->inputs[k]]);
    if (pass != OCI_FORWARD && (node->op == OC_OP_BATCH_NORM || node->op == OC_OP_LRN)) again = in;
    return in + out + again + parameter_bytes(graph, node);
}

/* ---- collecting ---- */

static void add(oci_layer_time *layer, const oc_op_time *entry, const oci_layer_source *from) {
    oci_pass pass = pass_of(entry->what);
    int node = oc_graph_find(from->graph, entry->node);
    oci_pass_time *t = &layer->pass[pass];
    if (pass == OCI_FORWARD || !layer->kernel) layer->kernel = entry->kernel;
    layer->kind = node < 0 ? entry->node : kind_of(from->graph, node, from->shapes);
    t->seconds += entry->seconds / from->steps;
    if (node < 0) return;
    double macs = (double)oc_graph_macs(from->graph, node, from->shapes);
    if (macs > 0 && !entry->macs) return; /* a pass that need not be */
    t->flops = 2 * macs * shares_of(entry->what);
    t->bytes = traffic_of(from->graph, node, from->shapes, pass) * shares_of(entry->what);
}

static double seconds_of(const oci_layer_time *layer) {
    double sum = 0;
    for (int k = 0; k < OCI_PASSES; k++) sum += layer->pass[k].seconds;
    return sum;
}

/* What the engine does not tell apart by layer: the update, and the rest of the step. */
static size_t add_rest(oci_layer_time *layers, size_t used, const oci_layer_source *from) {
    double rest = from->step_seconds - from->update_seconds;
    for (size_t i = 0; i < used; i++) rest -= seconds_of(&layers[i]);
    if (from->update_seconds > 0) {
        oci_layer_time *l = &layers[used++];
        *l = (oci_layer_time){.name = "update", .kind = "update", .kernel = "own"};
        l->pass[OCI_FORWARD] =
            (oci_pass_time){.seconds = from->update_seconds, .bytes = from->update_bytes};
    }
    layers[used] = (oci_layer_time){.name = "between layers", .kind = "other"};
    layers[used].pass[OCI_FORWARD].seconds = rest > 0 ? rest : 0;
    return used + 1;
}

oc_status oci_rooflines_new(oci_rooflines *out, const oci_layer_source *from, oc_error *err) {
    enum { REST = 2 };
    size_t entries = oc_plan_times(from->plan, NULL, 0), used = 0;
    oc_status status = OC_OK;
    *out = (oci_rooflines){0};
    oc_op_time *times = oc_calloc(entries + REST, sizeof *times);
    oci_layer_time *layers = oc_calloc(entries + REST, sizeof *layers);
    if (!times || !layers) OC_GOTO(oc_fail_nomem(err, entries * sizeof *layers, "the layers"));
    entries = oc_plan_times(from->plan, times, entries);
    for (size_t i = 0; i < entries; i++) {
        oci_layer_time *layer = find(layers, used, times[i].node);
        if (!layer) {
            layer = &layers[used++];
            *layer = (oci_layer_time){.name = times[i].node};
        }
        add(layer, &times[i], from);
    }
    used = add_rest(layers, used, from);
    *out = (oci_rooflines){.items = layers, .count = used};
    layers = NULL;
done:
    oc_free(times);
    oc_free(layers);
    return status;
}

void oci_rooflines_clear(oci_rooflines *layers) {
    oc_free(layers->items);
    *layers = (oci_rooflines){0};
}

/* ---- against the limits ---- */

static double longer(double a, double b) {
    return a > b ? a : b;
}

static void judge(oci_layer_time *layer, const oci_peak *peak) {
    layer->seconds = layer->bound = layer->lost = layer->flops = 0;
    for (int k = 0; k < OCI_PASSES; k++) {
        oci_pass_time *t = &layer->pass[k];
        double flops = t->flops / (peak->fma_gflops * 1e9);
        double bytes = t->bytes / (peak->memory_gbps * 1e9);
        t->bound = longer(flops, bytes);
        t->by_memory = bytes > flops;
        layer->seconds += t->seconds;
        layer->flops += t->flops;
        layer->bound += t->bound;
        layer->lost += longer(t->seconds - t->bound, 0);
    }
}

static int most_lost_first(const void *a, const void *b) {
    const oci_layer_time *x = a, *y = b;
    return (x->lost < y->lost) - (x->lost > y->lost);
}

static oci_layer_time *kind_total(oci_rooflines *layers, const char *kind) {
    for (size_t i = 0; i < layers->kind_count; i++)
        if (strcmp(layers->kinds[i].kind, kind) == 0) return &layers->kinds[i];
    if (layers->kind_count == OCI_KINDS) return &layers->kinds[OCI_KINDS - 1];
    layers->kinds[layers->kind_count].kind = kind;
    return &layers->kinds[layers->kind_count++];
}

static int longest_first(const void *a, const void *b) {
    const oci_layer_time *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

void oci_rooflines_judge(oci_rooflines *layers, const oci_peak *peak) {
    layers->kind_count = 0;
    layers->total = (oci_layer_time){.kind = "all"};
    for (size_t i = 0; i < layers->count; i++) {
        oci_layer_time *layer = &layers->items[i];
        judge(layer, peak);
        oci_layer_time *sums[] = {kind_total(layers, layer->kind), &layers->total};
        for (int k = 0; k < 2; k++) {
            sums[k]->seconds += layer->seconds;
            sums[k]->bound += layer->bound;
            sums[k]->lost += layer->lost;
            sums[k]->flops += layer->flops;
        }
    }
    qsort(layers->items, layers->count, sizeof *layers->items, most_lost_first);
    qsort(layers->kinds, layers->kind_count, sizeof *layers->kinds, longest_first);
}
