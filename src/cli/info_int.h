/* A network as a table: layers with their shapes and costs.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_INFO_INT_H
#define OC_CLI_INFO_INT_H

#include "engine/engine.h"
#include "term_int.h"

typedef struct oci_layer {
    const oc_node *node; /* borrowed from the graph */
    oc_shape shape;      /* of its output for one image */
    uint64_t parameters, macs;
} oci_layer;

typedef struct oci_layers {
    oci_layer *items; /* one per node */
    size_t count;
    uint64_t parameters, macs; /* sums */
    uint64_t file_bytes;       /* of a saved model's weights: with statistics, without auxiliary
                                  heads */
    int height, width;
} oci_layers;

OC_MUST_CHECK oc_status oci_layers_make(oci_layers *out, const oc_graph *graph, int height,
                                        int width, oc_error *err);
void oci_layers_clear(oci_layers *layers);
/* A line a layer; without `all` only those that compute something worth counting, and pools. Long
 * names are cut where lines would not fit into `width` columns. */
OC_MUST_CHECK oc_status oci_layers_text(const oci_layers *layers, bool all, int width, oc_buf *out,
                                        oc_error *err);
json_t *oci_layers_json(const oci_layers *layers); /* an array; new reference, or NULL */

/* "1,235,496" into storage; returns storage. */
char *oci_format_count(char storage[32], uint64_t count);

/* What running a network takes: memory as the plans would hold it, and speed as short runs on fewer
 * images show it. */
typedef struct oci_cost {
    int batch, threads;
    const char *engine; /* static */
    bool trainable;
    oc_plan_memory infer, train; /* at `batch` */
    double infer_rate;           /* images a second at `batch`; 0 = not measured */
    double train_rate;
} oci_cost;

/* With `speed` the network runs for a second or two. */
OC_MUST_CHECK oc_status oci_cost_estimate(oci_cost *out, const oc_graph *graph, int height,
                                          int width, int batch, bool speed, oc_error *err);
void oci_cost_text(const oci_cost *cost, oc_buf *out);
json_t *oci_cost_json(const oci_cost *cost); /* new reference, or NULL */

/* The list of networks (info_zoo.c). */
OC_MUST_CHECK oc_status oci_print_networks(bool json, int width, oc_error *err);

#endif
