/* Fuzz target: nets and solvers of Caffe as text. What is a net goes on to become a graph, in both
 * phases.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build(const oci_proto *tree, oci_caffe_phase phase) {
    oc_pool *pool = NULL;
    oci_caffe_network net = {0};
    oc_error err = {0};
    if (oc_pool_new(&pool, NULL) != OC_OK) return;
    oc_status status = oci_caffe_net_build(&net, tree, phase, 0, 0, pool, &err);
    OC_PROMISE((status == OC_OK) == (net.graph != NULL));
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    for (int i = 0; net.graph != NULL && i < oc_graph_param_count(net.graph); i++) {
        double lr, decay;
        const oci_caffe_source *source = &net.sources[i];
        if (source->layer != NULL) oci_caffe_multipliers(source->layer, source->blob, &lr, &decay);
    }
    oc_graph_free(net.graph);
    oc_pool_free(pool);
}

static void parse(const oci_proto_type *type, const uint8_t *data, size_t size) {
    oc_pool *pool = NULL;
    const oci_proto *tree = NULL;
    oc_error err = {0};
    if (oc_pool_new(&pool, NULL) != OC_OK) return;
    oc_status status =
        oci_proto_parse_text(type, (const char *)data, size, "fuzz", pool, &tree, &err);
    OC_PROMISE((status == OC_OK) == (tree != NULL));
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    if (tree != NULL && type == &oci_caffe_net) {
        build(tree, OCI_CAFFE_TEST);
        build(tree, OCI_CAFFE_TRAIN);
    }
    oc_pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    parse(&oci_caffe_net, data, size);
    parse(&oci_caffe_solver, data, size);
    return 0;
}
