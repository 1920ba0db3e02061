/* Names of layers in other catalogues, as small rules from ours. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_WEIGHTS_NAMES_INT_H
#define OC_INTEROP_WEIGHTS_NAMES_INT_H

#include "interop/interop.h"

/* How one catalogue names and builds one family of networks. */
typedef struct oci_names {
    oc_naming naming;
    const char *family; /* what our names of its networks begin with */
    /* Their name of our layer; false where they have none. NULL = the same as ours */
    bool (*layer)(char out[OC_NAME_BYTES], const char *ours);
    /* Where they build a layer otherwise: op and attributes are changed. NULL = as we do */
    void (*adapt)(const oc_graph *graph, const oc_node *node, oc_op *op, oc_attrs *attrs);
    /* How they prepare photos, on top of the usual recipe. NULL = that */
    void (*recipe)(oc_recipe *recipe);
} oci_names;

extern const oci_names oci_timm_names[], oci_keras_names[];
extern const size_t oci_timm_count, oci_keras_count;

/* The rule of a naming for a network, or NULL. */
const oci_names *oci_names_of(oc_naming naming, const oc_arch *arch);
/* Keras' layout of tensors, whatever the year of the names. */
bool oci_names_are_keras(const oci_names *names);
/* Their name of a parameter; false where they have none. */
bool oci_names_param(const oci_names *names, const oc_graph *graph, const oc_param *param,
                     char out[OC_NAME_BYTES]);
/* Is the tensor the layer's in their layout, whatever the input channels and size? */
bool oci_names_fits(const oci_names *names, const oc_graph *graph, const oc_param *param,
                    const oc_tensor *found);

/* `from` with every layer as the catalogue builds it; names->adapt is not NULL. */
OC_MUST_CHECK oc_status oci_names_adapt(oc_graph **out, const oc_graph *from,
                                        const oci_names *names, oc_error *err);

/* Blocks and parts of MobileNets, common to the catalogues. */
typedef enum oci_part { OCI_EXPAND, OCI_EXPAND_BN, OCI_DW, OCI_DW_BN, OCI_PW, OCI_PW_BN } oci_part;
/* "features.3.conv.1.0" of MobileNetV2 is block 3, OCI_DW; blocks count from 1. */
bool oci_v2_block(const char *ours, int *block, oci_part *part);
/* "conv2_1/dw/bn" of MobileNet is block 1, OCI_DW_BN. */
bool oci_v1_block(const char *ours, int *block, oci_part *part);

/* Keras' tensor for `param` from theirs, found under `theirs`, in our layout into `out`
 * (keras_layout.c).
 */
OC_MUST_CHECK oc_status oci_keras_convert(oc_tensors *out, const oc_graph *graph,
                                          const oc_param *param, const oc_tensors *file,
                                          const oc_tensor *theirs, const oci_names *names,
                                          oc_error *err);
/* The bias of the convolution before batch norm `node`, which is part of the norm's mean with us;
 * NULL = none. */
const oc_tensor *oci_keras_bias(const oc_graph *graph, int node, const oc_tensors *file,
                                const oci_names *names, char name[OC_NAME_BYTES]);

#endif
