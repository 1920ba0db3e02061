/* Caffe nets for tests: text to a graph, and weights for it as a .caffemodel.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_CAFFE_MAKER_H
#define OC_TESTS_CAFFE_MAKER_H

#include "../check.h"

#include "interop/caffe/caffe_int.h"
#include "interop/wire_int.h"

#define CAFFE_INPUT(side) "input: 'data' input_dim: [1, 3, " #side ", " #side "]\n"

static inline oc_status caffe_build(oci_caffe_network *out, const char *text, oci_caffe_phase phase,
                                    oc_pool *pool, oc_error *err) {
    const oci_proto *tree = NULL;
    *out = (oci_caffe_network){0};
    OC_TRY(
        oci_proto_parse_text(&oci_caffe_net, text, strlen(text), "net.prototxt", pool, &tree, err));
    return oci_caffe_net_build(out, tree, phase, 0, 0, pool, err);
}

/* A blob of `shape` whose values are base, base + 1, ... */
static inline void caffe_put_blob(oc_buf *layer, uint32_t number, const int64_t *shape, size_t rank,
                                  float base) {
    oc_buf blob = {0}, dims = {0}, values = {0};
    size_t count = 1;
    for (size_t i = 0; i < rank; i++) count *= (size_t)shape[i];
    for (size_t i = 0; i < count; i++) {
        float value = base + (float)i;
        oc_buf_append(&values, &value, sizeof value);
    }
    oci_wire_put_packed(&dims, 1, shape, rank);
    oci_wire_put_message(&blob, 7, &dims);
    oci_wire_put_message(&blob, 5, &values);
    oci_wire_put_message(layer, number, &blob);
    oc_buf_clear(&blob);
    oc_buf_clear(&dims);
    oc_buf_clear(&values);
}

#endif
