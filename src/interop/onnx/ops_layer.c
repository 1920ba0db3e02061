/* Layers with weights: convolutions, dense layers (Gemm, MatMul), batch norms, slopes.
 *
 * Weights stay where the file has them; they are only copied where our layout differs.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/onnx/ops_int.h"

/* ---- convolutions ---------------------------------------------------------------------------- */

static oc_status check_conv(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                            const oci_known *weight, bool *fits) {
    int64_t groups = oci_attr_int(node, "group", 1);
    *fits = false;
    if (weight->shape.rank != 4)
        return oci_lack(x, node, "weights of %d dimensions, 4 are needed", weight->shape.rank);
    if (!oci_is_laid(x, from, "nchw")) return oci_lack(x, node, "reads no (n, c, h, w)");
    int64_t channels = oci_layer_of(x, from)->shape.dim[1];
    if (groups < 1 || groups > channels || weight->shape.dim[1] > channels ||
        weight->shape.dim[1] * groups != channels || weight->shape.dim[0] > INT32_MAX)
        return oci_lack(x, node, "weights for %lld channels in %lld groups, gets %lld",
                        (long long)weight->shape.dim[1], (long long)groups, (long long)channels);
    *fits = true;
    return OC_OK;
}

/* Zeros around what a convolution reads are its own padding. */
static int unpad(const oci_import *x, int layer, oc_attrs *attrs) {
    const oci_layer *pad = &x->layers[layer];
    if (pad->op != OC_OP_PAD || pad->attrs.value != 0) return layer;
    attrs->pad_top += pad->attrs.pad_top;
    attrs->pad_left += pad->attrs.pad_left;
    attrs->pad_bottom += pad->attrs.pad_bottom;
    attrs->pad_right += pad->attrs.pad_right;
    return pad->inputs[0];
}

static oc_status take_bias(oci_import *x, const oci_onnx_node *node, const oci_known *bias,
                           int64_t channels, float factor, oci_param_values *out, oc_error *err) {
    const float *values = NULL;
    float *spread = NULL;
    if (bias->count != (size_t)channels && bias->count != 1)
        return oci_lack(x, node, "%zu biases for %lld outputs", bias->count, (long long)channels);
    *out = bias->values;
    if (!bias->whole && factor == 1 && bias->count == (size_t)channels) return OC_OK;
    OC_TRY(oci_known_floats(x, bias, &values, err));
    OC_TRY(oci_import_room(x, (size_t)channels, sizeof *spread, &spread, err));
    for (size_t i = 0; i < (size_t)channels; i++)
        spread[i] = factor * values[bias->count == 1 ? 0 : i];
    *out = (oci_param_values){.data = spread, .dtype = OC_F32, .count = (size_t)channels};
    return OC_OK;
}

/* Weights of int8 as they are, with their steps behind the bias. Those of other programs come as
 * floats, since they may exceed what our int8 layers promise (OC_INT8_PAIR). */
static void put_int8(oci_layer *layer, const oci_known *weight) {
    if (layer->attrs.int8 == 0) return;
    layer->params[0] = weight->wholes;
    layer->params[layer->attrs.bias ? 2 : 1] = weight->steps;
}

static oc_status take_conv(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0), *bias = oci_input_of(x, node, 2);
    if (!oci_input_known(x, node, 1) || (bias != NULL && bias->kind != OCI_VALUE_KNOWN))
        return oci_lack(x, node, "weights that are computed");
    const oci_known *weight = &oci_input_of(x, node, 1)->known;
    oc_attrs attrs = oc_attrs_default(OC_OP_CONV);
    bool fits = false;
    int layer = -1, below = from->layer;
    oci_param_values values = weight->values;
    OC_TRY(check_conv(x, node, from, weight, &fits));
    if (!fits) return OC_OK;
    OC_TRY(oci_take_window(x, node, from, weight->shape.dim + 2, &attrs, &fits));
    if (!fits) return OC_OK;
    below = unpad(x, below, &attrs);
    attrs.out = (int32_t)weight->shape.dim[0];
    attrs.groups = (int32_t)oci_attr_int(node, "group", 1);
    attrs.bias = bias != NULL;
    attrs.int8 = weight->steps.count > 0;
    if (attrs.groups == 1 && !attrs.int8)
        OC_TRY(oci_unpick(x, below, weight, &values, &below, err));
    OC_TRY(oci_add_layer(x, node, OC_OP_CONV, &attrs, &below, 1, &layer, err));
    if (layer < 0) return OC_OK;
    x->layers[layer].params[0] = values;
    put_int8(&x->layers[layer], weight);
    if (bias != NULL)
        OC_TRY(take_bias(x, node, &bias->known, attrs.out, 1, &x->layers[layer].params[1], err));
    OC_TRY(oci_name_layer(x, layer, node, weight->name, err));
    oci_set_layer(x, node, layer, NULL);
    return OC_OK;
}

/* ---- dense layers ---------------------------------------------------------------------------- */

typedef struct matrix {
    const oci_known *known;
    bool turned; /* (in, out) instead of (out, in) */
    float factor;
} matrix;

/* Our place of value i of a row that was flattened from (h, w, c). */
static size_t place_of(const oci_layer *flat, const oci_import *x, size_t i) {
    const oc_shape *s = &x->layers[flat->inputs[0]].shape;
    size_t channels = (size_t)s->dim[1], area = (size_t)(s->dim[2] * s->dim[3]);
    return i % channels * area + i / channels;
}

/* The layer below that flattens, through those that keep the order. */
static const oci_layer *flattening(const oci_import *x, int layer) {
    while (x->layers[layer].op != OC_OP_FLATTEN && x->layers[layer].input_count > 0)
        layer = x->layers[layer].inputs[0];
    return &x->layers[layer];
}

/* The weights as (out, in) in our order: where they are, or a copy. */
static oc_status take_matrix(oci_import *x, const matrix *m, const oci_value *from, size_t in,
                             size_t out, oci_param_values *result, oc_error *err) {
    const float *values = NULL;
    float *copy = NULL;
    *result = m->known->values;
    if (!m->turned && m->factor == 1 && !from->by_pixel) return OC_OK;
    OC_TRY(oci_known_floats(x, m->known, &values, err));
    OC_TRY(oci_import_room(x, m->known->count, sizeof *copy, &copy, err));
    const oci_layer *flat = from->by_pixel ? flattening(x, from->layer) : NULL;
    for (size_t i = 0; i < in; i++) {
        size_t at = flat != NULL ? place_of(flat, x, i) : i;
        for (size_t o = 0; o < out; o++)
            copy[o * in + at] = m->factor * values[m->turned ? i * out + o : o * in + i];
    }
    *result = (oci_param_values){.data = copy, .dtype = OC_F32, .count = m->known->count};
    return OC_OK;
}

static oc_status add_dense(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                           const matrix *m, bool bias, int *layer, oc_error *err) {
    const oc_shape *shape = &m->known->shape;
    oc_attrs attrs = oc_attrs_default(OC_OP_DENSE);
    *layer = -1;
    if (shape->rank != 2 || m->known->whole)
        return oci_lack(x, node, "weights that are no matrix of two dimensions");
    int64_t in = shape->dim[m->turned ? 0 : 1], out = shape->dim[m->turned ? 1 : 0];
    if (!oci_is_laid(x, from, "nc") || oci_layer_of(x, from)->shape.dim[1] != in || out > INT32_MAX)
        return oci_lack(x, node, "weights for rows of %lld values, gets %lld", (long long)in,
                        (long long)oci_layer_of(x, from)->shape.dim[1]);
    attrs.out = (int32_t)out;
    attrs.bias = bias;
    attrs.int8 = m->known->steps.count > 0 && !m->turned && m->factor == 1 && !from->by_pixel;
    OC_TRY(oci_add_layer(x, node, OC_OP_DENSE, &attrs, &from->layer, 1, layer, err));
    if (*layer < 0) return OC_OK;
    OC_TRY(take_matrix(x, m, from, (size_t)in, (size_t)out, &x->layers[*layer].params[0], err));
    put_int8(&x->layers[*layer], m->known);
    return oci_name_layer(x, *layer, node, m->known->name, err);
}

static void set_row(oci_import *x, const oci_onnx_node *node, int layer) {
    const oci_value row = {.rank = 2, .made = true, .axis = {OCI_N, OCI_C}};
    oci_set_layer(x, node, layer, &row);
}

static oc_status take_gemm(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0), *bias = oci_input_of(x, node, 2);
    int layer = -1;
    if (from->kind != OCI_VALUE_LAYER || !oci_input_known(x, node, 1) ||
        (bias != NULL && bias->kind != OCI_VALUE_KNOWN))
        return oci_lack(x, node, "weights that are computed");
    if (oci_attr_int(node, "transA", 0) != 0) return oci_lack(x, node, "transA");
    const matrix m = {.known = &oci_input_of(x, node, 1)->known,
                      .turned = oci_attr_int(node, "transB", 0) == 0,
                      .factor = oci_attr_float(node, "alpha", 1)};
    OC_TRY(add_dense(x, node, from, &m, bias != NULL, &layer, err));
    if (layer >= 0 && bias != NULL)
        OC_TRY(take_bias(x, node, &bias->known, x->layers[layer].attrs.out,
                         oci_attr_float(node, "beta", 1), &x->layers[layer].params[1], err));
    set_row(x, node, layer);
    return OC_OK;
}

static oc_status take_matmul(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *a = oci_input_of(x, node, 0), *b = oci_input_of(x, node, 1);
    bool done = false;
    int layer = -1;
    OC_TRY(oci_take_shares(x, node, &done, err));
    if (done) return OC_OK;
    if (a->kind != OCI_VALUE_LAYER || b == NULL || b->kind != OCI_VALUE_KNOWN)
        return oci_lack(x, node, "multiplies two computed values, or from the left");
    const matrix m = {.known = &b->known, .turned = true, .factor = 1};
    OC_TRY(add_dense(x, node, a, &m, false, &layer, err));
    set_row(x, node, layer);
    return OC_OK;
}

/* ---- terms that follow a layer -----------------------------------------------------------------
 */

oc_status oci_merge_bias(oci_import *x, const oci_onnx_node *node, int layer, const float *terms,
                         int *out, oc_error *err) {
    const oci_layer *old = &x->layers[layer];
    bool takes = (old->op == OC_OP_CONV || old->op == OC_OP_DENSE || old->op == OC_OP_SCALE) &&
                 old->attrs.int8 == 0 && old->picks == NULL;
    *out = -1;
    if (!takes) return OC_OK;
    size_t channels = (size_t)old->shape.dim[1];
    float *sum = NULL;
    OC_TRY(oci_import_room(x, channels, sizeof *sum, &sum, err));
    if (old->attrs.bias)
        OC_TRY(oc_tensor_to_f32(sum, old->params[1].data, old->params[1].dtype, channels, err));
    for (size_t i = 0; i < channels; i++) sum[i] += terms[i];
    oci_layer copy = *old;
    copy.attrs.bias = 1;
    copy.params[1] = (oci_param_values){.data = sum, .dtype = OC_F32, .count = channels};
    OC_TRY(oci_add_layer(x, node, copy.op, &copy.attrs, copy.inputs, 1, out, err));
    if (*out >= 0) x->layers[*out] = copy;
    return OC_OK;
}

/* ---- per channel --------------------------------------------------------------------------------
 */

/* (n, c, h, w), or rows in our order. */
static bool has_channels_second(const oci_import *x, const oci_value *from) {
    return oci_is_laid(x, from, "nchw") || (oci_is_laid(x, from, "nc") && !from->by_pixel);
}

static oc_status take_batch_norm(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    oc_attrs attrs = oc_attrs_default(OC_OP_BATCH_NORM);
    int layer = -1;
    if (!has_channels_second(x, from)) return oci_lack(x, node, "reads no (n, c, h, w)");
    attrs.epsilon = oci_attr_float(node, "epsilon", 1e-5F);
    OC_TRY(oci_add_layer(x, node, OC_OP_BATCH_NORM, &attrs, &from->layer, 1, &layer, err));
    if (layer < 0) return OC_OK;
    size_t channels = (size_t)oci_layer_of(x, from)->shape.dim[1];
    for (size_t i = 0; i < OCI_MAX_LAYER_PARAMS; i++) {
        const oci_value *value = oci_input_of(x, node, i + 1);
        if (value == NULL || value->kind != OCI_VALUE_KNOWN || value->known.whole ||
            value->known.count != channels)
            return oci_lack(x, node, "needs four rows of %zu values", channels);
        x->layers[layer].params[i] = value->known.values;
    }
    OC_TRY(oci_name_layer(x, layer, node, oci_input_of(x, node, 1)->known.name, err));
    oci_set_layer(x, node, layer, from);
    return OC_OK;
}

static oc_status take_prelu(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    oc_attrs attrs = oc_attrs_default(OC_OP_PRELU);
    oci_operand operand = {0};
    int layer = -1;
    if (from->kind != OCI_VALUE_LAYER || !oci_input_known(x, node, 1))
        return oci_lack(x, node, "slopes that are computed");
    const oci_known *slope = &oci_input_of(x, node, 1)->known;
    OC_TRY(oci_operand_of(x, from, slope, &operand, err));
    if (operand.values == NULL) return oci_lack(x, node, "slopes that are not one a channel");
    attrs.shared = slope->count == 1;
    OC_TRY(oci_add_layer(x, node, OC_OP_PRELU, &attrs, &from->layer, 1, &layer, err));
    if (layer < 0) return OC_OK;
    x->layers[layer].params[0] =
        (oci_param_values){.data = operand.values, .dtype = OC_F32, .count = slope->count};
    OC_TRY(oci_name_layer(x, layer, node, slope->name, err));
    oci_set_layer(x, node, layer, from);
    return OC_OK;
}

const oci_onnx_op oci_ops_layer[] = {
    {"Conv", take_conv},     {"Gemm", take_gemm},
    {"MatMul", take_matmul}, {"BatchNormalization", take_batch_norm},
    {"PRelu", take_prelu},   {NULL, NULL}};
