/* The few calls of oneDNN that the engine needs, in one thin face, since the library's C API
 * changed between 2.x and 3.x. dnn.c implements it over what both have in common; dnn2.c and dnn3.c
 * make the descriptors, and the build takes the one that fits. dnn_int.h lies between them. No
 * other file includes the library's headers.
 *
 * Activations are blocked: (n, c/block, h, w, block), channels padded with zeros; the network's
 * input is plain (n, c, h, w). Weights have whatever layout the library likes best.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_DNN_H
#define OC_ENGINE_DNN_H

#include "base/base.h"

typedef struct oci_dnn oci_dnn; /* the library's engine and stream */
OC_MUST_CHECK oc_status oci_dnn_new(oci_dnn **out, oc_error *err);
void oci_dnn_free(oci_dnn *dnn);
int oci_dnn_block(void); /* channels in a block on this CPU: 8 or 16 */
OC_MUST_CHECK oc_status oci_dnn_describe(oc_buf *out, oc_error *err);

/* Layout of a weights tensor. */
typedef struct oci_layout oci_layout;
/* torch's: (out, in/groups, kh, kw). */
OC_MUST_CHECK oc_status oci_layout_plain(oci_layout **out, int out_channels, int in_channels,
                                         int groups, int kernel_h, int kernel_w, oc_error *err);
/* One group, in blocks of 8: (out/8, in/8, kh, kw, 8 in, 8 out), padded with zeros. */
OC_MUST_CHECK oc_status oci_layout_blocks(oci_layout **out, int out_channels, int in_channels,
                                          int kernel_h, int kernel_w, oc_error *err);
/* A row for each output, in the order in which its source (in, h, w) lies in memory: blocked, or
 * plain. */
OC_MUST_CHECK oc_status oci_layout_rows(oci_layout **out, int out_channels, int in_channels, int h,
                                        int w, bool plain, oc_error *err);
OC_MUST_CHECK oc_status oci_layout_copy(oci_layout **out, const oci_layout *src, oc_error *err);
void oci_layout_free(oci_layout *layout);
bool oci_layout_equal(const oci_layout *a, const oci_layout *b);
size_t oci_layout_bytes(const oci_layout *layout);

/* Copy between two layouts of one tensor. */
typedef struct oci_reorder oci_reorder;
OC_MUST_CHECK oc_status oci_reorder_new(oci_reorder **out, oci_dnn *dnn, const oci_layout *from,
                                        const oci_layout *to, oc_error *err);
void oci_reorder_free(oci_reorder *r);
OC_MUST_CHECK oc_status oci_reorder_run(oci_reorder *r, const float *from, float *to,
                                        oc_error *err);

typedef enum oci_act { OCI_ACT_NONE, OCI_ACT_RELU, OCI_ACT_RELU6 } oci_act;

/* A convolution over n images. */
typedef struct oci_conv_shape {
    int n, in_channels, in_h, in_w, out_channels, out_h, out_w, groups;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int pad_top, pad_left, pad_bottom, pad_right;
    bool bias, plain_src;
    oci_act act; /* forward: applied to the result */
    bool sum;    /* forward: dst += before act */
    /* A forward convolution of bytes: src is unsigned (n, h, w, c), weights are signed,
     *   dst = clip(scale[o] * (sum of products) + bias[o] + sum_scale * dst)
     * rounded to bytes, or floats (n, h, w, c); bias as oci_byte_bias makes it. Instead of act. */
    bool bytes, float_dst;
    const float *scale; /* (out), copied; NULL = all 1 */
    float sum_scale;
    float low, high; /* the clip; both 0 = none but that of a byte */
} oci_conv_shape;

typedef enum oci_conv_kind { OCI_CONV_FORWARD, OCI_CONV_DATA, OCI_CONV_WEIGHTS } oci_conv_kind;

typedef struct oci_conv oci_conv;
/* weights NULL = the library's choice. */
OC_MUST_CHECK oc_status oci_conv_new(oci_conv **out, oci_dnn *dnn, oci_conv_kind kind,
                                     const oci_conv_shape *shape, const oci_layout *weights,
                                     oc_error *err);
void oci_conv_free(oci_conv *conv);
const oci_layout *oci_conv_weights(const oci_conv *conv); /* borrowed */
size_t oci_conv_scratch(const oci_conv *conv);            /* bytes that a run needs */
const char *oci_conv_kernel(const oci_conv *conv);        /* the library's name for it */
/* FORWARD reads src, weights, bias, writes dst. DATA reads weights and dst's gradient, writes
 * src's. WEIGHTS reads src and dst's gradient, writes those of weights and bias. */
OC_MUST_CHECK oc_status oci_conv_run(oci_conv *conv, const void *src, const void *weights,
                                     const void *bias, const void *dst, void *scratch,
                                     oc_error *err);

/* Has the library a kernel of its own for this convolution of bytes, not its plain loops? */
bool oci_byte_conv_is_fast(oci_dnn *dnn, const oci_conv_shape *shape);
/* A bias in units of dst, as this version of the library takes it. */
float oci_byte_bias(float bias, float scale);
/* Weights of a convolution of bytes, (out, in/groups, kh, kw), into the layout of `conv`. */
OC_MUST_CHECK oc_status oci_byte_conv_pack(const oci_conv *conv, const oci_conv_shape *shape,
                                           const int8_t *plain, void *to, oc_error *err);

/* c (m, n) = op(a) (m, k) op(b) (k, n), or added to c; matrices row by row, `*_row` floats apart; a
 * flipped one is stored transposed. */
typedef struct oci_product {
    size_t m, n, k;
    const float *a, *b;
    float *c;
    size_t a_row, b_row, c_row;
    bool flip_a, flip_b, add;
} oci_product;
OC_MUST_CHECK oc_status oci_product_run(const oci_product *p, oc_error *err);

/* Local response normalisation across channels (Krizhevsky et al. 2012). `work` bytes link a
 * training forward to its backward. */
typedef struct oci_lrn_shape {
    int n, channels, h, w, size;
    float alpha, beta, k;
    bool train;
} oci_lrn_shape;
typedef struct oci_lrn oci_lrn;
OC_MUST_CHECK oc_status oci_lrn_new(oci_lrn **out, oci_dnn *dnn, const oci_lrn_shape *shape,
                                    oc_error *err);
void oci_lrn_free(oci_lrn *lrn);
size_t oci_lrn_work(const oci_lrn *lrn);
OC_MUST_CHECK oc_status oci_lrn_forward(oci_lrn *lrn, const float *src, float *dst, void *work,
                                        oc_error *err);
OC_MUST_CHECK oc_status oci_lrn_backward(oci_lrn *lrn, const float *src, const float *ddst,
                                         float *dsrc, void *work, oc_error *err);

#endif
