/* Fuzz target: Caffe's binary files: weights taken into a small net, and a mean image.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/caffe/caffe_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char net_text[] =
    "input: 'data' input_dim: [1, 3, 4, 4]"
    "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' "
    "convolution_param { num_output: 2 kernel_size: 1 } }"
    "layer { name: 'bn' type: 'BatchNorm' bottom: 'c' top: 'c' }"
    "layer { name: 'sc' type: 'Scale' bottom: 'c' top: 'c' scale_param { bias_term: true } }"
    "layer { name: 'fc' type: 'InnerProduct' bottom: 'c' top: 'fc' "
    "inner_product_param { num_output: 2 transpose: true } }";

static void take(const oci_proto *tree, unsigned how, oc_pool *pool) {
    const oci_caffe_weights weights = {.tree = tree};
    const oci_proto *net_tree = NULL;
    oci_caffe_network net = {0};
    oc_tensors *dst = NULL;
    oc_error err = {0};
    bool ready = oci_proto_parse_text(&oci_caffe_net, net_text, strlen(net_text), "net", pool,
                                      &net_tree, NULL) == OC_OK &&
                 oci_caffe_net_build(&net, net_tree, OCI_CAFFE_TEST, 0, 0, pool, NULL) == OC_OK &&
                 oc_tensors_new(&dst, NULL) == OC_OK;
    OC_PROMISE(ready);
    oc_status status = oci_caffe_weights_take(&weights, &net, how, dst, NULL, &err);
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    oc_tensors_free(dst);
    oc_graph_free(net.graph);
}

static void look_at_blob(const oci_proto *blob) {
    oc_shape shape;
    size_t count;
    float values[64];
    oc_error err = {0};
    if (oci_caffe_blob_shape(blob, "blob", &shape, &err) != OC_OK) return;
    OC_PROMISE(oc_shape_count(&shape, &count));
    if (count <= sizeof values / sizeof *values)
        (void)!oci_caffe_blob_read(blob, NULL, "blob", count, values, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    oc_pool *pool = NULL;
    const oci_proto *tree = NULL;
    oc_error err = {0};
    if (oc_pool_new(&pool, NULL) != OC_OK) return 0;
    if (oci_proto_parse_bytes(&oci_caffe_net, data, size, "fuzz", pool, &tree, &err) == OC_OK) {
        take(tree, size % 4, pool);
    } else {
        OC_PROMISE(err.message[0] != '\0' && tree == NULL);
    }
    tree = NULL;
    if (oci_proto_parse_bytes(&oci_caffe_blob, data, size, "fuzz", pool, &tree, &err) == OC_OK)
        look_at_blob(tree);
    oc_pool_free(pool);
    return 0;
}
