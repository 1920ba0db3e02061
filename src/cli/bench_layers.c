/* The times of a plan, unit by unit: what `ocellus bench --layers` shows.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "bench_int.h"
#include "term_int.h"

enum { NAME_COLUMNS = 30 };

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

static void add(oci_layer_time *layer, const oc_op_time *entry, const oc_graph *graph,
                const oc_shape *shapes, int steps) {
    oci_pass pass = pass_of(entry->what);
    int node = oc_graph_find(graph, entry->node);
    double macs = node < 0 ? 0 : (double)oc_graph_macs(graph, node, shapes);
    if (pass == OCI_FORWARD) layer->kernel = entry->kernel;
    layer->seconds[pass] += entry->seconds / steps;
    layer->flops[pass] = 2 * macs * shares_of(entry->what);
}

oc_status oci_layer_times(oci_layer_time **out, size_t *count, const oc_plan *plan,
                          const oc_graph *graph, const oc_shape *shapes, int steps, oc_error *err) {
    size_t entries = oc_plan_times(plan, NULL, 0), used = 0;
    oc_status status = OC_OK;
    *out = NULL;
    *count = 0;
    oc_op_time *times = oc_calloc(entries, sizeof *times);
    oci_layer_time *layers = oc_calloc(entries, sizeof *layers);
    if (!times || !layers) OC_GOTO(oc_fail_nomem(err, entries * sizeof *layers, "the layers"));
    entries = oc_plan_times(plan, times, entries);
    for (size_t i = 0; i < entries; i++) {
        oci_layer_time *layer = find(layers, used, times[i].node);
        if (!layer) {
            layer = &layers[used++];
            *layer = (oci_layer_time){.name = times[i].node, .kernel = times[i].kernel};
        }
        add(layer, &times[i], graph, shapes, steps);
    }
    *out = layers;
    *count = used;
    layers = NULL;
done:
    oc_free(times);
    oc_free(layers);
    return status;
}

static double total_of(const oci_layer_time *layers, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        for (int pass = 0; pass < OCI_PASSES; pass++) sum += layers[i].seconds[pass];
    return sum;
}

/* "  12.34  210": milliseconds and GFLOP/s, blank where there is nothing to say. */
static void text_pass(const oci_layer_time *layer, oci_pass pass, oc_buf *out) {
    double seconds = layer->seconds[pass], flops = layer->flops[pass];
    if (seconds <= 0)
        oc_buf_printf(out, "%15s", "");
    else if (flops <= 0)
        oc_buf_printf(out, "%9.3f%6s", 1e3 * seconds, "");
    else
        oc_buf_printf(out, "%9.3f%6.0f", 1e3 * seconds, flops / seconds / 1e9);
}

void oci_layer_times_text(const oci_layer_time *layers, size_t count, oc_buf *out) {
    double total = total_of(layers, count);
    oc_buf_printf(out, "  %-*s%15s%15s%15s%7s  %s\n", NAME_COLUMNS, "ms and GFLOP/s of a step",
                  "forward", "backward data", "back. weights", "share", "kernel");
    for (size_t i = 0; i < count; i++) {
        const oci_layer_time *layer = &layers[i];
        oc_buf_puts(out, "  ");
        oci_put_padded(out, layer->name, NAME_COLUMNS, false);
        for (int pass = 0; pass < OCI_PASSES; pass++) text_pass(layer, (oci_pass)pass, out);
        oc_buf_printf(out, "%5.1f %%  %s\n", 100 * total_of(layer, 1) / total,
                      layer->kernel ? layer->kernel : "");
    }
}

json_t *oci_layer_times_json(const oci_layer_time *layers, size_t count) {
    json_t *array = json_array();
    int bad = !array;
    for (size_t i = 0; i < count; i++) {
        const oci_layer_time *l = &layers[i];
        bad |= json_array_append_new(
            array, json_pack("{s:s,s:s?,s:f,s:f,s:f,s:f}", "name", l->name, "kernel", l->kernel,
                             "forward_seconds", l->seconds[OCI_FORWARD], "backward_data_seconds",
                             l->seconds[OCI_BACK_DATA], "backward_weights_seconds",
                             l->seconds[OCI_BACK_WEIGHTS], "forward_flops", l->flops[OCI_FORWARD]));
    }
    if (!bad) return array;
    json_decref(array);
    return NULL;
}
