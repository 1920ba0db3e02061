/* A network as a table: layers with their shapes and costs.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_INFO_INT_H
#define OC_CLI_INFO_INT_H

#include "nn/nn.h"
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
    int height, width;
} oci_layers;

OC_MUST_CHECK oc_status oci_layers_make(oci_layers *out, const oc_graph *graph, int height,
                                        int width, oc_error *err);
void oci_layers_clear(oci_layers *layers);
/* A line a layer; without `all` only those that compute something worth counting, and pools. */
void oci_layers_text(const oci_layers *layers, bool all, oc_buf *out);
json_t *oci_layers_json(const oci_layers *layers); /* an array; new reference, or NULL */

/* "1,235,496" into storage; returns storage. */
char *oci_format_count(char storage[32], uint64_t count);

/* The list of networks (info_zoo.c). */
OC_MUST_CHECK oc_status oci_print_networks(bool json, oc_error *err);

#endif
