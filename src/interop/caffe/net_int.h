/* Between net.c, which says which layers become nodes and in what order, and ops.c,
 * which says what a layer of each kind becomes. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_CAFFE_NET_INT_H
#define OC_INTEROP_CAFFE_NET_INT_H

#include "interop/caffe/caffe_int.h"

/* What stands for a layer in the graph. */
typedef struct oci_caffe_made {
    int node;                         /* that gives its output; -1 = not made yet */
    bool flat;                        /* (n, c, 1, 1) whatever the size of the photo */
    const oci_caffe_layer *normalise; /* of a Scale that was merged: the BatchNorm before it */
} oci_caffe_made;

/* A node and the layers that its parameters come from. */
typedef struct oci_caffe_origin {
    const oci_caffe_layer *layer;
    const oci_caffe_layer *scale; /* of a batch norm: the Scale or Bias behind it, or NULL */
} oci_caffe_origin;

typedef struct oci_caffe_builder {
    oci_caffe_network *net;
    oc_pool *pool;
    oci_caffe_made *made;      /* one for each layer */
    oci_caffe_origin *origins; /* one for each node */
    size_t origin_room;
    oci_caffe_phase phase;
} oci_caffe_builder;

/* Does a layer of this kind have a counterpart? Input, losses and Split aside, they do not come
 * here. */
bool oci_caffe_can(const oci_caffe_layer *layer);
/* Append the nodes that layer i is. Errors name the layer and its place. */
OC_MUST_CHECK oc_status oci_caffe_emit(oci_caffe_builder *b, size_t i, oc_error *err);
/* A node called like the layer, `suffix` behind; the last one made for a layer is its output. */
OC_MUST_CHECK oc_status oci_caffe_add(oci_caffe_builder *b, size_t i, const char *suffix, oc_op op,
                                      const int *inputs, int count, const oc_attrs *attrs, int *out,
                                      oc_error *err);

#endif
