/* Short hands for building a graph, so that a network file reads like the paper's table.
 *
 * The first failure sticks: further calls do nothing and return -1.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn.h"

int oc_build_node(oc_build *b, oc_op op, const char *name, const int *inputs, int input_count,
                  const oc_attrs *attrs) {
    if (b->status != OC_OK) return -1;
    int index = -1;
    b->status = oc_graph_add(b->graph, op, name, inputs, input_count, attrs, &index, &b->error);
    return b->status == OC_OK ? index : -1;
}

static int add_one(oc_build *b, oc_op op, const char *name, int x, const oc_attrs *attrs) {
    return oc_build_node(b, op, name, &x, 1, attrs);
}

int oc_build_input(oc_build *b, int channels, int height, int width) {
    oc_attrs attrs = {.channels = channels, .height = height, .width = width};
    return oc_build_node(b, OC_OP_INPUT, "input", NULL, 0, &attrs);
}

static void set_window(oc_attrs *attrs, int kernel, int stride, int pad) {
    attrs->kernel_h = attrs->kernel_w = kernel;
    attrs->stride_h = attrs->stride_w = stride;
    attrs->pad_top = attrs->pad_left = attrs->pad_bottom = attrs->pad_right = pad;
}

int oc_build_conv(oc_build *b, int x, const char *name, int out, int kernel, int stride, int pad,
                  int groups, bool bias, oc_init init) {
    oc_attrs attrs = oc_attrs_default(OC_OP_CONV);
    set_window(&attrs, kernel, stride, pad);
    attrs.out = out;
    attrs.groups = groups;
    attrs.bias = bias;
    attrs.init = (int32_t)init;
    return add_one(b, OC_OP_CONV, name, x, &attrs);
}

int oc_build_dense(oc_build *b, int x, const char *name, int out, oc_init init) {
    oc_attrs attrs = oc_attrs_default(OC_OP_DENSE);
    attrs.out = out;
    attrs.init = (int32_t)init;
    return add_one(b, OC_OP_DENSE, name, x, &attrs);
}

int oc_build_batch_norm(oc_build *b, int x, const char *name) {
    return add_one(b, OC_OP_BATCH_NORM, name, x, NULL);
}

int oc_build_act(oc_build *b, int x, const char *name, oc_op op) {
    return add_one(b, op, name, x, NULL);
}

int oc_build_max_pool(oc_build *b, int x, const char *name, int kernel, int stride, int pad,
                      bool ceil) {
    oc_attrs attrs = oc_attrs_default(OC_OP_MAX_POOL);
    set_window(&attrs, kernel, stride, pad);
    attrs.ceil = ceil;
    return add_one(b, OC_OP_MAX_POOL, name, x, &attrs);
}

int oc_build_global_pool(oc_build *b, int x, const char *name) {
    return add_one(b, OC_OP_GLOBAL_POOL, name, x, NULL);
}

int oc_build_dropout(oc_build *b, int x, const char *name, float p) {
    oc_attrs attrs = oc_attrs_default(OC_OP_DROPOUT);
    attrs.p = p;
    return add_one(b, OC_OP_DROPOUT, name, x, &attrs);
}

int oc_build_add(oc_build *b, int x, int y, const char *name) {
    int inputs[] = {x, y};
    return oc_build_node(b, OC_OP_ADD, name, inputs, 2, NULL);
}

int oc_build_concat(oc_build *b, const int *inputs, int count, const char *name) {
    return oc_build_node(b, OC_OP_CONCAT, name, inputs, count, NULL);
}

int oc_build_aux_loss(oc_build *b, int x, const char *name, float weight) {
    oc_attrs attrs = oc_attrs_default(OC_OP_AUX_LOSS);
    attrs.weight = weight;
    return add_one(b, OC_OP_AUX_LOSS, name, x, &attrs);
}

int oc_build_flatten(oc_build *b, int x, const char *name) {
    return add_one(b, OC_OP_FLATTEN, name, x, NULL);
}
