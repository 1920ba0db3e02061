/* Beginning and end of building a network: what each family file does around its own layers.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

char *oci_zoo_name(char storage[OC_NAME_BYTES], const char *prefix, const char *suffix) {
    (void)snprintf(storage, OC_NAME_BYTES, "%s.%s", prefix, suffix);
    return storage;
}

void oci_zoo_begin(oc_build *b, int channels, int height, int width) {
    *b = (oc_build){0};
    b->status = oc_graph_new(&b->graph, &b->error);
    (void)oc_build_input(b, channels, height, width);
}

static oc_status check_size(const oc_graph *graph, int height, int width, oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    if (shapes == NULL) return oc_fail_nomem(err, count * sizeof *shapes, "shapes");
    oc_status status = oc_graph_shapes(graph, 1, height, width, shapes, err);
    oc_free(shapes);
    return status;
}

oc_status oci_zoo_finish(oc_build *b, int height, int width, oc_graph **out, oc_error *err) {
    *out = NULL;
    oc_status status = b->status;
    if (status != OC_OK) {
        status = oc_fail(err, status, "%s", b->error.message);
    } else {
        status = check_size(b->graph, height, width, err);
    }
    if (status == OC_OK) {
        *out = b->graph;
    } else {
        oc_graph_free(b->graph);
    }
    *b = (oc_build){0};
    return status;
}
