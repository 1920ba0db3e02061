/* Between dnn.c, which is the same for every oneDNN, and dnn2.c or dnn3.c, which hold the calls
 * that changed between the library's major versions: descriptors of memory and of primitives.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_DNN_INT_H
#define OC_ENGINE_DNN_INT_H

#include <dnnl.h>

#include "engine/onednn/dnn.h"

/* 2.x: the descriptor itself; 3.x: a handle to one that the layout owns. All zero = none. */
struct oci_layout {
    dnnl_memory_desc_t desc;
};

/* *out, all zero before, becomes a layout; it needs oci_desc_clear. */
dnnl_status_t oci_desc_init(oci_layout *out, int rank, const dnnl_dims_t dims,
                            dnnl_data_type_t type, dnnl_format_tag_t tag);
dnnl_status_t oci_desc_copy(oci_layout *out, const oci_layout *src);
/* One of a primitive's descriptors; none where the primitive has none. */
dnnl_status_t oci_desc_query(oci_layout *out, const_dnnl_primitive_desc_t primitive,
                             dnnl_query_t what);
void oci_desc_clear(oci_layout *layout);
/* A memory handle without memory. */
dnnl_status_t oci_desc_memory(dnnl_memory_t *out, const oci_layout *layout, dnnl_engine_t engine);

typedef struct oci_conv_descs {
    oci_layout src, weights, bias, dst; /* bias: none where there is no bias */
    bool has_bias;
    dnnl_dims_t strides, dilates, pad_l, pad_r; /* (h, w); dilates counts from 0 */
} oci_conv_descs;

/* Descriptors of primitives, for the caller to destroy. attr may be NULL; forward is the hint that
 * a backward one wants. */
dnnl_status_t oci_reorder_describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                   const oci_layout *from, const oci_layout *to);
dnnl_status_t oci_conv_describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                oci_conv_kind kind, const oci_conv_descs *descs,
                                const_dnnl_primitive_attr_t attr,
                                const_dnnl_primitive_desc_t forward);
dnnl_status_t oci_lrn_describe_forward(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                       const oci_lrn_shape *shape, const oci_layout *act);
dnnl_status_t oci_lrn_describe_backward(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                        const oci_lrn_shape *shape, const oci_layout *act,
                                        const_dnnl_primitive_desc_t forward);

/* Post-ops: dst += scale * what was there; an activation on the result. */
dnnl_status_t oci_post_sum(dnnl_post_ops_t ops, float scale);
dnnl_status_t oci_post_act(dnnl_post_ops_t ops, dnnl_alg_kind_t act, float alpha, float beta);
/* shape->scale of a convolution of bytes. *arg: what a run must bind them to, or 0 where the
 * attribute keeps them. */
dnnl_status_t oci_attr_scales(dnnl_primitive_attr_t attr, const oci_conv_shape *shape, int *arg);

#endif
