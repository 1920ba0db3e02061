/* What is particular to oneDNN 3.x: memory descriptors are handles with an owner, and a primitive
 * is described in one call.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/dnn_int.h"

/* ---- memory ---- */

dnnl_status_t oci_desc_init(oci_layout *out, int rank, const dnnl_dims_t dims,
                            dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(&out->desc, rank, dims, type, tag);
}

dnnl_status_t oci_desc_copy(oci_layout *out, const oci_layout *src) {
    return dnnl_memory_desc_clone(&out->desc, src->desc);
}

dnnl_status_t oci_desc_query(oci_layout *out, const_dnnl_primitive_desc_t primitive,
                             dnnl_query_t what) {
    const_dnnl_memory_desc_t desc = dnnl_primitive_desc_query_md(primitive, what, 0);
    return desc ? dnnl_memory_desc_clone(&out->desc, desc) : dnnl_success;
}

void oci_desc_clear(oci_layout *layout) {
    if (layout->desc) dnnl_memory_desc_destroy(layout->desc);
    layout->desc = NULL;
}

dnnl_status_t oci_desc_memory(dnnl_memory_t *out, const oci_layout *layout, dnnl_engine_t engine) {
    return dnnl_memory_create(out, layout->desc, engine, DNNL_MEMORY_NONE);
}

bool oci_layout_equal(const oci_layout *a, const oci_layout *b) {
    return dnnl_memory_desc_equal(a->desc, b->desc) != 0;
}

size_t oci_layout_bytes(const oci_layout *layout) {
    return layout->desc ? dnnl_memory_desc_get_size(layout->desc) : 0;
}

/* ---- primitives ---- */

dnnl_status_t oci_reorder_describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                   const oci_layout *from, const oci_layout *to) {
    return dnnl_reorder_primitive_desc_create(out, from->desc, engine, to->desc, engine, NULL);
}

dnnl_status_t oci_conv_describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                oci_conv_kind kind, const oci_conv_descs *d,
                                const_dnnl_primitive_attr_t attr,
                                const_dnnl_primitive_desc_t forward) {
    const_dnnl_memory_desc_t src = d->src.desc, weights = d->weights.desc, dst = d->dst.desc;
    const_dnnl_memory_desc_t bias = d->has_bias ? d->bias.desc : NULL;
    switch (kind) {
    case OCI_CONV_DATA:
        return dnnl_convolution_backward_data_primitive_desc_create(
            out, engine, dnnl_convolution_direct, src, weights, dst, d->strides, d->dilates,
            d->pad_l, d->pad_r, forward, attr);
    case OCI_CONV_WEIGHTS:
        return dnnl_convolution_backward_weights_primitive_desc_create(
            out, engine, dnnl_convolution_direct, src, weights, bias, dst, d->strides, d->dilates,
            d->pad_l, d->pad_r, forward, attr);
    default:
        return dnnl_convolution_forward_primitive_desc_create(
            out, engine, dnnl_forward_training, dnnl_convolution_direct, src, weights, bias, dst,
            d->strides, d->dilates, d->pad_l, d->pad_r, attr);
    }
}

dnnl_status_t oci_lrn_describe_forward(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                       const oci_lrn_shape *s, const oci_layout *act) {
    return dnnl_lrn_forward_primitive_desc_create(
        out, engine, s->train ? dnnl_forward_training : dnnl_forward_inference,
        dnnl_lrn_across_channels, act->desc, act->desc, s->size, s->alpha, s->beta, s->k, NULL);
}

dnnl_status_t oci_lrn_describe_backward(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                        const oci_lrn_shape *s, const oci_layout *act,
                                        const_dnnl_primitive_desc_t forward) {
    return dnnl_lrn_backward_primitive_desc_create(out, engine, dnnl_lrn_across_channels, act->desc,
                                                   act->desc, act->desc, s->size, s->alpha, s->beta,
                                                   s->k, forward, NULL);
}

dnnl_status_t oci_post_sum(dnnl_post_ops_t ops, float scale) {
    return dnnl_post_ops_append_sum(ops, scale, 0, dnnl_data_type_undef);
}

dnnl_status_t oci_post_act(dnnl_post_ops_t ops, dnnl_alg_kind_t act, float alpha, float beta) {
    return dnnl_post_ops_append_eltwise(ops, act, alpha, beta);
}

/* ---- bytes: scales are an argument of each run, and the bias is added behind them ---- */

dnnl_status_t oci_attr_scales(dnnl_primitive_attr_t attr, const oci_conv_shape *shape, int *arg) {
    enum { BY_OUTPUT = 1 << 0, BY_GROUP_AND_OUTPUT = 3 };
    *arg = 0;
    if (!shape->scale) return dnnl_success;
    *arg = DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS;
    return dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_WEIGHTS,
                                               shape->groups > 1 ? BY_GROUP_AND_OUTPUT : BY_OUTPUT);
}

float oci_byte_bias(float bias, float scale) {
    (void)scale;
    return bias;
}
