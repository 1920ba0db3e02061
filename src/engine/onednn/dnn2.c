/* What is particular to oneDNN 2.x: memory descriptors are values, and a primitive is described in
 * two steps, an operation descriptor first.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/dnn_int.h"

#include <string.h>

/* ---- memory ---- */

dnnl_status_t oci_desc_init(oci_layout *out, int rank, const dnnl_dims_t dims,
                            dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(&out->desc, rank, dims, type, tag);
}

dnnl_status_t oci_desc_copy(oci_layout *out, const oci_layout *src) {
    out->desc = src->desc;
    return dnnl_success;
}

dnnl_status_t oci_desc_query(oci_layout *out, const_dnnl_primitive_desc_t primitive,
                             dnnl_query_t what) {
    const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(primitive, what, 0);
    if (desc) out->desc = *desc;
    return dnnl_success;
}

void oci_desc_clear(oci_layout *layout) {
    memset(layout, 0, sizeof *layout);
}

dnnl_status_t oci_desc_memory(dnnl_memory_t *out, const oci_layout *layout, dnnl_engine_t engine) {
    return dnnl_memory_create(out, &layout->desc, engine, DNNL_MEMORY_NONE);
}

bool oci_layout_equal(const oci_layout *a, const oci_layout *b) {
    return dnnl_memory_desc_equal(&a->desc, &b->desc) != 0;
}

size_t oci_layout_bytes(const oci_layout *layout) {
    return dnnl_memory_desc_get_size(&layout->desc);
}

/* ---- primitives ---- */

dnnl_status_t oci_reorder_describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                   const oci_layout *from, const oci_layout *to) {
    return dnnl_reorder_primitive_desc_create(out, &from->desc, engine, &to->desc, engine, NULL);
}

static dnnl_status_t conv_op(dnnl_convolution_desc_t *op, oci_conv_kind kind,
                             const oci_conv_descs *d) {
    const dnnl_memory_desc_t *src = &d->src.desc, *weights = &d->weights.desc;
    const dnnl_memory_desc_t *bias = d->has_bias ? &d->bias.desc : NULL, *dst = &d->dst.desc;
    switch (kind) {
    case OCI_CONV_DATA:
        return dnnl_dilated_convolution_backward_data_desc_init(op, dnnl_convolution_direct, src,
                                                                weights, dst, d->strides,
                                                                d->dilates, d->pad_l, d->pad_r);
    case OCI_CONV_WEIGHTS:
        return dnnl_dilated_convolution_backward_weights_desc_init(op, dnnl_convolution_direct, src,
                                                                   weights, bias, dst, d->strides,
                                                                   d->dilates, d->pad_l, d->pad_r);
    default:
        return dnnl_dilated_convolution_forward_desc_init(
            op, dnnl_forward_training, dnnl_convolution_direct, src, weights, bias, dst, d->strides,
            d->dilates, d->pad_l, d->pad_r);
    }
}

dnnl_status_t oci_conv_describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                oci_conv_kind kind, const oci_conv_descs *descs,
                                const_dnnl_primitive_attr_t attr,
                                const_dnnl_primitive_desc_t forward) {
    dnnl_convolution_desc_t op;
    dnnl_status_t got = conv_op(&op, kind, descs);
    return got == dnnl_success ? dnnl_primitive_desc_create(out, &op, attr, engine, forward) : got;
}

dnnl_status_t oci_lrn_describe_forward(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                       const oci_lrn_shape *s, const oci_layout *act) {
    dnnl_lrn_desc_t op;
    dnnl_prop_kind_t prop = s->train ? dnnl_forward_training : dnnl_forward_inference;
    dnnl_status_t got = dnnl_lrn_forward_desc_init(&op, prop, dnnl_lrn_across_channels, &act->desc,
                                                   s->size, s->alpha, s->beta, s->k);
    return got == dnnl_success ? dnnl_primitive_desc_create(out, &op, NULL, engine, NULL) : got;
}

dnnl_status_t oci_lrn_describe_backward(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                        const oci_lrn_shape *s, const oci_layout *act,
                                        const_dnnl_primitive_desc_t forward) {
    dnnl_lrn_desc_t op;
    dnnl_status_t got = dnnl_lrn_backward_desc_init(&op, dnnl_lrn_across_channels, &act->desc,
                                                    &act->desc, s->size, s->alpha, s->beta, s->k);
    return got == dnnl_success ? dnnl_primitive_desc_create(out, &op, NULL, engine, forward) : got;
}

dnnl_status_t oci_post_sum(dnnl_post_ops_t ops, float scale) {
    return dnnl_post_ops_append_sum(ops, scale);
}

dnnl_status_t oci_post_act(dnnl_post_ops_t ops, dnnl_alg_kind_t act, float alpha, float beta) {
    return dnnl_post_ops_append_eltwise(ops, 1.f, act, alpha, beta);
}

/* ---- bytes: the attribute keeps the scales, and the bias is added before them ---- */

dnnl_status_t oci_attr_scales(dnnl_primitive_attr_t attr, const oci_conv_shape *shape, int *arg) {
    enum { BY_CHANNEL = 1 << 1 };
    *arg = 0;
    if (!shape->scale) return dnnl_success;
    return dnnl_primitive_attr_set_output_scales(attr, shape->out_channels, BY_CHANNEL,
                                                 shape->scale);
}

float oci_byte_bias(float bias, float scale) {
    return bias / scale;
}
