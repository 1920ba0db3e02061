/* What the files of ops share: windows, operands a channel, names. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_OPS_INT_H
#define OC_INTEROP_ONNX_OPS_INT_H

#include "interop/onnx/import_int.h"

/* Windows, strides and pads of a file: as much as our own may have. */
enum { OCI_WINDOW_MOST = 4096 };

/* kernel, strides, pads, dilations of a node into attrs. kernel: of the weights, NULL = the
 * attribute kernel_shape. *fits is false where the node has been noted as lacking. */
OC_MUST_CHECK oc_status oci_take_window(oci_import *x, const oci_onnx_node *node,
                                        const oci_value *from, const int64_t *kernel,
                                        oc_attrs *attrs, bool *fits);

/* A constant beside a layer's value: one number, or one a channel. */
typedef struct oci_operand {
    const float *values; /* (channels), or (1) where single; NULL = it is neither */
    bool single;
} oci_operand;
OC_MUST_CHECK oc_status oci_operand_of(oci_import *x, const oci_value *from, const oci_known *known,
                                       oci_operand *out, oc_error *err);

/* The layer gets the name of its weight's initializer, where that is one. */
OC_MUST_CHECK oc_status oci_name_layer(oci_import *x, int layer, const oci_onnx_node *node,
                                       const char *weight, oc_error *err);
/* A MatMul that averages rows or columns by shares, as our export writes adaptive pools. */
OC_MUST_CHECK oc_status oci_take_shares(oci_import *x, const oci_onnx_node *node, bool *done,
                                        oc_error *err);

/* Is it (n, groups, members, h, w) of (n, c, h, w)? Then *out is such a value. */
bool oci_parts_channels(const oci_import *x, const oci_value *from, const int64_t *sizes, int rank,
                        oci_value *out);
/* Parted channels, shuffled, become whole. */
OC_MUST_CHECK oc_status oci_join_parts(oci_import *x, const oci_onnx_node *node,
                                       const oci_value *from, const int64_t *sizes, int rank,
                                       oc_error *err);
/* Where `layer` picks channels, a convolution by `weight` of all its input's: *values := its
 * weights, *below := that input. Else both stay. */
OC_MUST_CHECK oc_status oci_unpick(oci_import *x, int layer, const oci_known *weight,
                                   oci_param_values *values, int *below, oc_error *err);

#endif
