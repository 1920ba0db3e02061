/* What the files of `nn` share: the graph's storage and the shape rule of one node. Private.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_NN_INT_H
#define OC_NN_INT_H

#include "nn/nn.h"

enum {
    OCI_MAX_NODES = 16384,
    OCI_MAX_CHANNELS = 1 << 24,
    OCI_MAX_SIDE = 1 << 17, /* so that c*h*w stays far below 2^63 */
    OCI_MAX_PARAMS = 4      /* of one node */
};

/* A node, the hash of its name, and its output (1, c, h, w) at the size the net was made for; h and
 * w are 0 where that size is too small, c is 0 where it depends on them. */
typedef struct oci_record {
    oc_node node;
    uint64_t hash;
    oc_shape design;
} oci_record;

struct oc_graph {
    oc_pool *names;
    oci_record *records;
    size_t count, capacity;
    oc_param *params;
    size_t param_count, param_capacity;
};

/* The fields of attrs that op reads, within their ranges; *kept gets them and zeros elsewhere. */
OC_MUST_CHECK oc_status oci_attrs_check(oc_op op, const char *name, const oc_attrs *attrs,
                                        oc_attrs *kept, oc_error *err);

/* Output (n, c, h, w) of a node from those of its inputs, for `features` inputs of a dense layer (0
 * = as many as come). A size that does not fit gives h = w = 0, which spreads; channels that do not
 * fit are OC_EFORMAT, sizes beyond all measure OC_ELIMIT. Reads of node: name, op, attrs and
 * input_count. */
OC_MUST_CHECK oc_status oci_infer(const oc_node *node, const oc_shape *inputs, int64_t features,
                                  oc_shape *out, oc_error *err);

/* The parameters of a node whose input has `channels`: kinds, shapes, fans; returns how many. */
int oci_node_params(const oc_node *node, int64_t channels, oc_param params[OCI_MAX_PARAMS]);
/* ".weight" and so on. */
const char *oci_param_suffix(oc_param_kind kind);

#endif
