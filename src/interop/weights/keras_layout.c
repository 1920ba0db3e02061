/* Keras' tensors in our layout: its images and kernels have channels last.
 *
 *   convolution (h, w, in, out)      -> (out, in, h, w)
 *   depthwise   (h, w, in, times)    -> (in * times, 1, h, w)
 *   dense       (in, out)            -> (out, in), and behind a flatten of maps (h, w, c) -> (c, h,
 * w) a 1x1 convolution as the last layer is a dense one with us A convolution's bias before a batch
 * norm becomes part of the norm's mean. SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/weights/names_int.h"

static void transpose_conv(float *dst, const float *src, const oc_shape *s) {
    size_t area = (size_t)(s->dim[0] * s->dim[1]), in = (size_t)s->dim[2], out = (size_t)s->dim[3];
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t p = 0; p < area; p++) *dst++ = src[(p * in + i) * out + o];
}

static void transpose_deep(float *dst, const float *src, const oc_shape *s) {
    size_t area = (size_t)(s->dim[0] * s->dim[1]), outs = (size_t)(s->dim[2] * s->dim[3]);
    for (size_t o = 0; o < outs; o++)
        for (size_t p = 0; p < area; p++) *dst++ = src[p * outs + o];
}

/* Inputs are `places` of maps times their channels. */
static void transpose_dense(float *dst, const float *src, size_t in, size_t out, size_t channels) {
    size_t places = in / channels;
    for (size_t o = 0; o < out; o++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < places; p++) *dst++ = src[(p * channels + c) * out + o];
}

/* Channels of the maps that a dense layer's inputs were flattened from; `in` where there are none.
 */
static size_t channels_before(const oc_graph *graph, int dense, size_t in) {
    const oc_node *node = oc_graph_node(graph, dense);
    int from = node->inputs[0];
    while (oc_graph_node(graph, from)->op == OC_OP_DROPOUT)
        from = oc_graph_node(graph, from)->inputs[0];
    if (oc_graph_node(graph, from)->op != OC_OP_FLATTEN) return in;
    int channels = oc_graph_channels(graph, oc_graph_node(graph, from)->inputs[0]);
    return channels > 0 && in % (size_t)channels == 0 ? (size_t)channels : in;
}

static oc_status convert_conv(oc_tensors *out, const oc_node *node, const oc_param *param,
                              const oc_tensor *theirs, oc_error *err) {
    const oc_shape *s = &theirs->shape;
    bool deep = node->attrs.groups > 1;
    oc_shape shape = deep ? oc_shape_4d(s->dim[2] * s->dim[3], 1, s->dim[0], s->dim[1])
                          : oc_shape_4d(s->dim[3], s->dim[2], s->dim[0], s->dim[1]);
    oc_tensor *made = NULL;
    OC_TRY(oc_tensors_add(out, param->name, OC_F32, &shape, &made, err));
    (deep ? transpose_deep : transpose_conv)(made->data, theirs->data, s);
    return OC_OK;
}

static oc_status convert_dense(oc_tensors *out, const oc_graph *graph, const oc_param *param,
                               const oc_tensor *theirs, oc_error *err) {
    const oc_shape *s = &theirs->shape;
    size_t count = oc_tensor_count(theirs), outs = (size_t)s->dim[s->rank - 1];
    size_t ins = outs > 0 ? count / outs : 0;
    oc_shape shape = oc_shape_2d((int64_t)outs, (int64_t)ins);
    oc_tensor *made = NULL;
    OC_TRY(oc_tensors_add(out, param->name, OC_F32, &shape, &made, err));
    if (count == 0) return OC_OK;
    size_t channels = channels_before(graph, param->node, ins);
    transpose_dense(made->data, theirs->data, ins, outs, channels);
    return OC_OK;
}

const oc_tensor *oci_keras_bias(const oc_graph *graph, int node, const oc_tensors *file,
                                const oci_names *names, char name[OC_NAME_BYTES]) {
    char layer[OC_NAME_BYTES];
    const oc_node *norm = oc_graph_node(graph, node);
    if (norm->op != OC_OP_BATCH_NORM) return NULL;
    const oc_node *conv = oc_graph_node(graph, norm->inputs[0]);
    if (conv->op != OC_OP_CONV || conv->attrs.bias || !names->layer(layer, conv->name)) return NULL;
    int n = snprintf(name, OC_NAME_BYTES, "%s/bias", layer);
    return n > 0 && n < OC_NAME_BYTES ? oc_tensors_find(file, name) : NULL;
}

static oc_status convert_mean(oc_tensors *out, const oc_param *param, const oc_tensor *theirs,
                              const oc_tensor *bias, oc_error *err) {
    oc_tensor *made = NULL;
    OC_TRY(oc_tensors_add(out, param->name, OC_F32, &theirs->shape, &made, err));
    memcpy(made->data, theirs->data, oc_tensor_bytes(theirs));
    for (size_t i = 0; bias != NULL && i < oc_tensor_count(theirs); i++)
        ((float *)made->data)[i] -= ((const float *)bias->data)[i];
    return OC_OK;
}

oc_status oci_keras_convert(oc_tensors *out, const oc_graph *graph, const oc_param *param,
                            const oc_tensors *file, const oc_tensor *theirs, const oci_names *names,
                            oc_error *err) {
    char name[OC_NAME_BYTES];
    const oc_node *node = oc_graph_node(graph, param->node);
    int rank = theirs->shape.rank;
    if (theirs->dtype != OC_F32) {
        return oc_fail(err, OC_EUNSUPPORTED, "%s: Keras' layers are read from HDF5 alone",
                       param->name);
    }
    if (param->kind == OC_PARAM_WEIGHT && node->op == OC_OP_CONV && rank == 4)
        return convert_conv(out, node, param, theirs, err);
    if (param->kind == OC_PARAM_WEIGHT && node->op == OC_OP_DENSE && rank >= 2)
        return convert_dense(out, graph, param, theirs, err);
    const oc_tensor *bias = oci_keras_bias(graph, param->node, file, names, name);
    bool folds = param->kind == OC_PARAM_MEAN && bias != NULL && bias->dtype == OC_F32 &&
                 oc_shape_equal(&bias->shape, &theirs->shape);
    return convert_mean(out, param, theirs, folds ? bias : NULL, err);
}
