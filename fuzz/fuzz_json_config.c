/* Fuzzing the JSON files of a model folder: each input is tried as graph.json and as config.json.
 * What is accepted must survive being written and read again.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>

#include "model/model_int.h"

/* The shapes of an accepted graph at the size it says it was made for. */
static void walk_shapes(const oc_graph *graph) {
    const oc_attrs *input = &oc_graph_node(graph, 0)->attrs;
    size_t nodes = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(nodes, sizeof *shapes);
    oc_graph *pruned = NULL;
    OC_PROMISE(shapes != NULL);
    if (oc_graph_shapes(graph, 1, input->height, input->width, shapes, NULL) == OC_OK) {
        for (size_t i = 0; i < nodes; i++) (void)oc_graph_macs(graph, (int)i, shapes);
    }
    (void)oc_graph_cut_node(graph);
    (void)oc_graph_classes(graph);
    OC_PROMISE(oc_graph_prune(graph, &pruned, NULL) == OC_OK);
    OC_PROMISE(oc_graph_node_count(pruned) <= oc_graph_node_count(graph));
    oc_graph_free(pruned);
    oc_free(shapes);
}

static void try_graph(const json_t *o) {
    oc_graph *graph = NULL, *again = NULL;
    json_t *written = NULL;
    if (oc_graph_from_json(o, "graph.json", &graph, NULL) != OC_OK) return;
    walk_shapes(graph);
    OC_PROMISE(oc_graph_to_json(graph, &written, NULL) == OC_OK);
    OC_PROMISE(oc_graph_from_json(written, "graph.json", &again, NULL) == OC_OK);
    OC_PROMISE(oc_graph_param_count(graph) == oc_graph_param_count(again));
    json_decref(written);
    oc_graph_free(graph);
    oc_graph_free(again);
}

static void try_config(const json_t *o) {
    oc_model *model = NULL, *again = NULL;
    json_t *written = NULL;
    OC_PROMISE(oc_model_new(&model, NULL) == OC_OK && oc_model_new(&again, NULL) == OC_OK);
    if (oci_config_from_json(o, "config.json", model, NULL) == OC_OK) {
        oc_error err = {0};
        OC_PROMISE(oci_config_to_json(model, &written, &err) == OC_OK);
        OC_PROMISE(oci_config_from_json(written, "config.json", again, &err) == OC_OK);
        OC_PROMISE(model->classes.count == again->classes.count);
    }
    json_decref(written);
    oc_model_free(model);
    oc_model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *o = NULL;
    if (oc_json_parse((const char *)data, size, "fuzz", &o, NULL) != OC_OK) return 0;
    try_graph(o);
    try_config(o);
    json_decref(o);
    return 0;
}
