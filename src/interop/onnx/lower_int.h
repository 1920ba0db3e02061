/* From our ops to those of ONNX. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_LOWER_INT_H
#define OC_INTEROP_ONNX_LOWER_INT_H

#include "interop/onnx/emit_int.h"
#include "nn/nn.h"

/* What stands for a node's output in ONNX. A row of features has two dimensions there behind a
 * layer or a flatten, else four. */
typedef struct oci_lowered {
    const char *name;
    int rank; /* 2 or 4 */
} oci_lowered;

typedef struct oci_lowering {
    const oc_graph *graph; /* without auxiliary losses */
    const oc_tensors *weights;
    const oc_shape *shapes; /* of every node, for a batch of 1 */
    oci_lowered *values;    /* of every node before the one at work */
    oci_emit *emit;
} oci_lowering;

/* Node `index`, whose inputs have been lowered. values[index] is set. Not for the input. */
void oci_lower_node(oci_lowering *l, int index);
/* A window: convolutions and pools, padding, local response (onnx_lower_window.c). */
void oci_lower_window(oci_lowering *l, int index);
/* Input k of the node, with that many dimensions. */
const char *oci_lower_input(oci_lowering *l, const oc_node *node, int k, int rank);
const float *oci_lower_values(const oci_lowering *l, const oc_param *param);
/* The weight of a conv or dense node: as it is, or whole numbers behind a DequantizeLinear. */
const char *oci_lower_weight(oci_lowering *l, const oc_node *node);
/* Y = X * factor, X + term, for numbers: X itself where that changes nothing. */
const char *oci_lower_times(oci_lowering *l, const char *name, const char *x, float factor);
const char *oci_lower_plus(oci_lowering *l, const char *name, const char *x, float term);

#endif
