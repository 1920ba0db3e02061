/* Building a network: its family's layers between an input and a check that the size fits.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

char *oci_zoo_name(char storage[OC_NAME_BYTES], const char *prefix, const char *suffix) {
    (void)snprintf(storage, OC_NAME_BYTES, "%s.%s", prefix, suffix);
    return storage;
}

char *oci_zoo_number(char storage[OC_NAME_BYTES], const char *prefix, int number) {
    (void)snprintf(storage, OC_NAME_BYTES, "%s.%d", prefix, number);
    return storage;
}

static oc_status check_size(const oc_graph *graph, int height, int width, oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    if (shapes == NULL) return oc_fail_nomem(err, count * sizeof *shapes, "shapes");
    oc_status status = oc_graph_shapes(graph, 1, height, width, shapes, err);
    oc_free(shapes);
    return status;
}

oc_status oc_arch_build(const oc_arch *arch, oc_graph **out, int channels, int classes, int height,
                        int width, oc_error *err) {
    oc_build b = {0};
    *out = NULL;
    OC_TRY(oc_graph_new(&b.graph, err));
    (void)oc_build_input(&b, channels, height, width);
    arch->layers(&b, arch, classes);
    oc_status status = b.status;
    if (status != OC_OK) {
        status = oc_fail(err, status, "%s", b.error.message);
    } else {
        status = check_size(b.graph, height, width, err);
    }
    if (status == OC_OK) {
        *out = b.graph;
    } else {
        oc_graph_free(b.graph);
    }
    return status;
}
