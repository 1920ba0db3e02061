/* Ops of single values: activations, limits, and what passes values on.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/onnx/ops_int.h"

static const float UNBOUNDED = 1e30F; /* as far as our clip's ends go */

/* The layer that the node reads; a node of known input has been folded before. */
static oc_status add(oci_import *x, const oci_onnx_node *node, int op, const oc_attrs *attrs,
                     oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "of a constant");
    return oci_add_pointwise(x, node, op, attrs, from, err);
}

static oc_status take_relu(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return add(x, node, OC_OP_RELU, NULL, err);
}
static oc_status take_sigmoid(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return add(x, node, OC_OP_SIGMOID, NULL, err);
}
static oc_status take_tanh(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return add(x, node, OC_OP_TANH, NULL, err);
}
static oc_status take_hard_swish(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return add(x, node, OC_OP_HARD_SWISH, NULL, err);
}

static oc_status take_leaky_relu(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oc_attrs attrs = {.slope = oci_attr_float(node, "alpha", 0.01F)};
    return add(x, node, OC_OP_LEAKY_RELU, &attrs, err);
}

static oc_status take_hard_sigmoid(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oc_attrs attrs = {.alpha = oci_attr_float(node, "alpha", 0.2F),
                            .beta = oci_attr_float(node, "beta", 0.5F)};
    return add(x, node, OC_OP_HARD_SIGMOID, &attrs, err);
}

/* ---- limits ------------------------------------------------------------------------------------
 */

/* An end of a clip: an attribute, input k, or none. */
static oc_status end_of(oci_import *x, const oci_onnx_node *node, const char *attr, size_t k,
                        float *end, bool *known, oc_error *err) {
    const oci_value *value = oci_input_of(x, node, k);
    const float *values = NULL;
    *end = oci_attr_float(node, attr, *end);
    *known = value == NULL || (value->kind == OCI_VALUE_KNOWN && value->known.count == 1);
    if (value == NULL || !*known) return OC_OK;
    OC_TRY(oci_known_floats(x, &value->known, &values, err));
    *end = *values;
    return OC_OK;
}

static oc_status add_clip(oci_import *x, const oci_onnx_node *node, float low, float high,
                          oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    low = low < -UNBOUNDED ? -UNBOUNDED : low;
    high = high > UNBOUNDED ? UNBOUNDED : high;
    if (low == 0 && high == UNBOUNDED) return add(x, node, OC_OP_RELU, NULL, err);
    if (low == 0 && high == 6) return add(x, node, OC_OP_RELU6, NULL, err);
    if (from->kind == OCI_VALUE_LAYER && low == -UNBOUNDED && high == 6) {
        const oci_layer *below = oci_layer_of(x, from);
        if (below->op == OC_OP_RELU) {
            oci_value inner = *from;
            inner.layer = below->inputs[0];
            return oci_add_pointwise(x, node, OC_OP_RELU6, NULL, &inner, err);
        }
    }
    const oc_attrs attrs = {.low = low, .high = high};
    return add(x, node, OC_OP_CLIP, &attrs, err);
}

static oc_status take_clip(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    float low = -INFINITY, high = INFINITY;
    bool low_known = false, high_known = false;
    OC_TRY(end_of(x, node, "min", 1, &low, &low_known, err));
    OC_TRY(end_of(x, node, "max", 2, &high, &high_known, err));
    if (!low_known || !high_known) return oci_lack(x, node, "ends that are computed");
    return add_clip(x, node, low, high, err);
}

/* ---- softmax -----------------------------------------------------------------------------------
 */

static oc_status take_normalised(oci_import *x, const oci_onnx_node *node, int op, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "of a constant");
    int64_t axis = oci_attr_int(node, "axis", x->doc.opset >= 13 ? -1 : 1);
    axis = axis < 0 ? axis + from->rank : axis;
    if (from->by_pixel || axis != oci_channel_axis(from))
        return oci_lack(x, node, "over an axis that is not that of the channels");
    return oci_add_pointwise(x, node, op, NULL, from, err);
}

static oc_status take_softmax(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return take_normalised(x, node, OC_OP_SOFTMAX, err);
}

static oc_status take_log_softmax(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return take_normalised(x, node, OCI_OP_LOG_SOFTMAX, err);
}

/* ---- passing on --------------------------------------------------------------------------------
 */

static oc_status take_identity(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    (void)err;
    oci_set_alias(x, node, oci_input_of(x, node, 0));
    return OC_OK;
}

/* Among floats a cast is nothing to us, who compute in float. */
static oc_status take_cast(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    int64_t to = oci_attr_int(node, "to", 0);
    bool real = to == OCI_ONNX_FLOAT || to == OCI_ONNX_FLOAT16 || to == OCI_ONNX_BFLOAT16 ||
                to == OCI_ONNX_DOUBLE;
    if (!real) return oci_lack(x, node, "to type %lld", (long long)to);
    return take_identity(x, node, err);
}

/* ---- levels ------------------------------------------------------------------------------------
 */

/* The level that means 0 among 0..255: int8 levels are 128 lower, and without a word it is 0. */
static int64_t zero_level(const oci_value *zero) {
    const oci_known *k = &zero->known;
    if (zero->kind != OCI_VALUE_KNOWN || k->count != 1 || !k->whole) return -1;
    if (k->type == OCI_ONNX_INT8) return k->ints[0] + OC_LEVELS / 2;
    return k->type == OCI_ONNX_UINT8 ? k->ints[0] : -1;
}

/* Step and level of zero: one of each. */
static oc_status levels_of(oci_import *x, const oci_onnx_node *node, oc_attrs *attrs, bool *known,
                           oc_error *err) {
    const oci_value *step = oci_input_of(x, node, 1), *zero = oci_input_of(x, node, 2);
    const float *values = NULL;
    int64_t level = zero != NULL ? zero_level(zero) : 0;
    *known = step != NULL && step->kind == OCI_VALUE_KNOWN && step->known.count == 1 &&
             level >= 0 && level < OC_LEVELS;
    if (!*known) return oci_lack(x, node, "levels other than 256 of one step and one zero");
    OC_TRY(oci_known_floats(x, &step->known, &values, err));
    attrs->step = *values;
    attrs->zero = (int32_t)level;
    return OC_OK;
}

static oc_status take_quantize(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    oc_attrs attrs = {0};
    bool known = false;
    OC_TRY(levels_of(x, node, &attrs, &known, err));
    return known ? add(x, node, OC_OP_QUANTIZE, &attrs, err) : OC_OK;
}

/* Our quantize gives values, not levels: turning back those of the same steps is nothing. */
static oc_status take_dequantize(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    oc_attrs attrs = {0};
    bool known = false;
    OC_TRY(levels_of(x, node, &attrs, &known, err));
    if (!known) return OC_OK;
    const oci_layer *below = from->kind == OCI_VALUE_LAYER ? oci_layer_of(x, from) : NULL;
    if (below == NULL || below->op != OC_OP_QUANTIZE || below->attrs.step != attrs.step ||
        below->attrs.zero != attrs.zero)
        return oci_lack(x, node, "of levels that were not made right before");
    return take_identity(x, node, err);
}

const oci_onnx_op oci_ops_point[] = {{"Relu", take_relu},
                                     {"Sigmoid", take_sigmoid},
                                     {"Tanh", take_tanh},
                                     {"HardSwish", take_hard_swish},
                                     {"LeakyRelu", take_leaky_relu},
                                     {"HardSigmoid", take_hard_sigmoid},
                                     {"Clip", take_clip},
                                     {"Softmax", take_softmax},
                                     {"LogSoftmax", take_log_softmax},
                                     {"Identity", take_identity},
                                     {"Dropout", take_identity},
                                     {"Cast", take_cast},
                                     {"QuantizeLinear", take_quantize},
                                     {"DequantizeLinear", take_dequantize},
                                     {NULL, NULL}};
