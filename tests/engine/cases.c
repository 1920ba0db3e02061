/* The list of cases.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cases.h"

#define KERNEL(h, w) .kernel_h = (h), .kernel_w = (w)
#define STRIDE(h, w) .stride_h = (h), .stride_w = (w)
#define PAD(top, left, bottom, right)                                                              \
    .pad_top = (top), .pad_left = (left), .pad_bottom = (bottom), .pad_right = (right)
#define DILATE(h, w) .dilation_h = (h), .dilation_w = (w)

static int conv_bn(oc_build *b, int x, const char *conv, const char *bn, int out, int kernel,
                   int stride, int groups) {
    x = oc_build_conv(b, x, conv, out, kernel, stride, kernel / 2, groups, false,
                      OC_INIT_KAIMING_FAN_OUT);
    return oc_build_batch_norm(b, x, bn);
}

static int head(oc_build *b, int x, int classes) {
    x = oc_build_global_pool(b, x, "pool");
    x = oc_build_flatten(b, x, "flatten");
    return oc_build_dense(b, x, "fc", classes, OC_INIT_XAVIER);
}

/* conv + bn + relu6 + depthwise + projection + residual add, as in MobileNetV2. */
static int inverted_residual(oc_build *b, int x) {
    int from =
        oc_build_act(b, conv_bn(b, x, "stem", "stem_bn", 8, 3, 2, 1), "stem_act", OC_OP_RELU6);
    x = oc_build_act(b, conv_bn(b, from, "wide", "wide_bn", 24, 1, 1, 1), "wide_act", OC_OP_RELU6);
    x = oc_build_act(b, conv_bn(b, x, "deep", "deep_bn", 24, 3, 1, 24), "deep_act", OC_OP_RELU6);
    x = conv_bn(b, x, "slim", "slim_bn", 8, 1, 1, 1);
    x = oc_build_add(b, from, x, "sum");
    return head(b, x, 5);
}

/* Depthwise convolutions in a row, as in MobileNet v1: after a norm with and without a clip, before
 * none. */
static int depthwise_chain(oc_build *b, int x) {
    x = oc_build_act(b, conv_bn(b, x, "stem", "stem_bn", 20, 3, 1, 1), "stem_act", OC_OP_RELU6);
    x = conv_bn(b, x, "deep1", "deep1_bn", 20, 3, 2, 20);
    x = oc_build_act(b, conv_bn(b, x, "deep2", "deep2_bn", 20, 3, 1, 20), "act2", OC_OP_RELU);
    x = oc_build_conv(b, x, "deep3", 20, 3, 2, 1, 20, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_conv(b, x, "deep4", 20, 3, 1, 1, 20, false, OC_INIT_KAIMING_FAN_OUT);
    return head(b, oc_build_act(b, x, "act4", OC_OP_TANH), 5);
}

/* Two basic blocks of a ResNet, the second one projected. */
static int residual(oc_build *b, int x) {
    int from =
        oc_build_act(b, conv_bn(b, x, "stem", "stem_bn", 8, 3, 1, 1), "stem_act", OC_OP_RELU);
    x = oc_build_act(b, conv_bn(b, from, "a1", "a1_bn", 8, 3, 1, 1), "a1_act", OC_OP_RELU);
    x = oc_build_add(b, conv_bn(b, x, "a2", "a2_bn", 8, 3, 1, 1), from, "a_sum");
    from = oc_build_act(b, x, "a_act", OC_OP_RELU);
    int shortcut = conv_bn(b, from, "short", "short_bn", 16, 1, 2, 1);
    x = oc_build_act(b, conv_bn(b, from, "b1", "b1_bn", 16, 3, 2, 1), "b1_act", OC_OP_RELU);
    x = oc_build_add(b, conv_bn(b, x, "b2", "b2_bn", 16, 3, 1, 1), shortcut, "b_sum");
    return head(b, oc_build_act(b, x, "b_act", OC_OP_RELU), 4);
}

/* A Fire module of SqueezeNet between pools, dropout, and a convolution for a head. */
static int fire(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 12, 3, 2, 0, 1, true, OC_INIT_KAIMING_UNIFORM);
    x = oc_build_act(b, x, "stem_act", OC_OP_RELU);
    x = oc_build_max_pool(b, x, "stem_pool", 3, 2, 0, true);
    x = oc_build_conv(b, x, "squeeze", 4, 1, 1, 0, 1, true, OC_INIT_KAIMING_UNIFORM);
    x = oc_build_act(b, x, "squeeze_act", OC_OP_RELU);
    int both[2];
    both[0] = oc_build_conv(b, x, "expand1", 9, 1, 1, 0, 1, true, OC_INIT_KAIMING_UNIFORM);
    both[0] = oc_build_act(b, both[0], "expand1_act", OC_OP_RELU);
    both[1] = oc_build_conv(b, x, "expand3", 7, 3, 1, 1, 1, true, OC_INIT_KAIMING_UNIFORM);
    both[1] = oc_build_act(b, both[1], "expand3_act", OC_OP_RELU);
    x = oc_build_concat(b, both, 2, "fire");
    x = oc_build_dropout(b, x, "drop", 0.4F);
    x = oc_build_conv(b, x, "classifier", 6, 1, 1, 0, 1, true, OC_INIT_NORMAL_001);
    x = oc_build_act(b, x, "classifier_act", OC_OP_RELU);
    return oc_build_flatten(b, oc_build_global_pool(b, x, "pool"), "flatten");
}

/* The shape of `thesis`: pools between convolutions, a hidden dense layer, dropout. */
static int dense_net(oc_build *b, int x) {
    x = oc_build_conv(b, x, "cnn1", 6, 4, 2, 0, 1, true, OC_INIT_XAVIER);
    x = oc_build_act(b, x, "relu1", OC_OP_RELU);
    x = oc_build_max_pool(b, x, "pool1", 2, 2, 0, false);
    x = oc_build_conv(b, x, "cnn2", 10, 3, 1, 0, 1, true, OC_INIT_XAVIER);
    x = oc_build_act(b, x, "relu2", OC_OP_RELU);
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_dense(b, x, "ffn1", 20, OC_INIT_XAVIER);
    x = oc_build_act(b, x, "relu3", OC_OP_RELU);
    x = oc_build_dropout(b, x, "drop", 0.5F);
    return oc_build_dense(b, x, "output", 3, OC_INIT_XAVIER);
}

/* AlexNet's kind: LRN, groups, average pools. */
static int normalised(oc_build *b, int x) {
    x = oc_build_conv(b, x, "conv1", 8, 5, 2, 2, 1, true, OC_INIT_XAVIER);
    x = oc_build_act(b, x, "relu1", OC_OP_RELU);
    oc_attrs lrn = {.size = 5, .alpha = 0.1F, .beta = 0.75F, .k = 1};
    x = oc_build_node(b, OC_OP_LRN, "lrn", &x, 1, &lrn);
    oc_attrs pool = {KERNEL(3, 3), STRIDE(2, 2), PAD(1, 1, 1, 1), .count_pad = 1};
    x = oc_build_node(b, OC_OP_AVG_POOL, "avg", &x, 1, &pool);
    x = oc_build_conv(b, x, "conv2", 12, 3, 1, 1, 2, true, OC_INIT_XAVIER);
    x = oc_build_act(b, x, "tanh", OC_OP_TANH);
    return head(b, x, 4);
}

/* One value that a concatenation reads twice. */
static int joined_twice(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 6, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    int both[] = {x, x};
    return head(b, oc_build_concat(b, both, 2, "join"), 3);
}

/* A value plus itself. */
static int doubled(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 6, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    return head(b, oc_build_add(b, x, x, "twice"), 3);
}

/* A value plus what a convolution makes of it, which may not be written over what it reads. */
static int plus_conv(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 8, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    int y = oc_build_conv(b, x, "conv", 8, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    return head(b, oc_build_add(b, x, y, "sum"), 3);
}

static int plus_depthwise(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 8, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    int y = oc_build_conv(b, x, "deep", 8, 3, 1, 1, 8, true, OC_INIT_XAVIER);
    return head(b, oc_build_add(b, y, x, "sum"), 3);
}

/* AlexNet's first: wide windows that stride over the padding of the pixels themselves. */
static int wide_first(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 8, 11, 4, 2, 1, true, OC_INIT_XAVIER);
    return head(b, oc_build_act(b, x, "act", OC_OP_TANH), 3);
}

/* Values read both directly and through a smooth activation, by a concatenation and a sum. */
static int shared_values(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 6, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    int act = oc_build_act(b, x, "act", OC_OP_SIGMOID);
    int both[] = {x, act};
    x = oc_build_concat(b, both, 2, "join");
    x = oc_build_conv(b, x, "mix", 6, 1, 1, 0, 1, true, OC_INIT_XAVIER);
    return head(b, oc_build_add(b, x, act, "sum"), 3);
}

/* The same with a ReLU, which an engine may fuse into the convolution before it. */
static int shared_relu(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 6, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    int act = oc_build_act(b, x, "act", OC_OP_RELU);
    int both[] = {act, x};
    x = oc_build_concat(b, both, 2, "join");
    x = oc_build_conv(b, x, "mix", 6, 1, 1, 0, 1, true, OC_INIT_XAVIER);
    return head(b, oc_build_add(b, x, act, "sum"), 3);
}

/* ReLU behind batch norm behind a sum, and a pool that reads what the sum also feeds. */
static int pre_activation(oc_build *b, int x) {
    int from = oc_build_conv(b, x, "stem", 16, 3, 1, 1, 1, false, OC_INIT_XAVIER);
    x = oc_build_act(b, oc_build_batch_norm(b, from, "bn1"), "relu1", OC_OP_RELU);
    x = oc_build_conv(b, x, "conv1", 16, 3, 1, 1, 1, false, OC_INIT_XAVIER);
    x = oc_build_add(b, from, x, "sum");
    int pooled = oc_build_max_pool(b, x, "max", 2, 2, 0, false);
    x = oc_build_act(b, oc_build_batch_norm(b, pooled, "bn2"), "relu2", OC_OP_RELU);
    return head(b, x, 3);
}

/* Dropout right behind the body, as in a head that is trained alone. */
static int head_alone(oc_build *b, int x) {
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_dropout(b, x, "drop", 0.2F);
    return oc_build_dense(b, x, "fc", 7, OC_INIT_XAVIER);
}

/* An auxiliary head on a pool of five windows, of several blocks of channels. */
static void aux_branch(oc_build *b, int x, const char *const names[5], oc_op act, int classes,
                       float weight) {
    oc_attrs pool = {.out_h = 3, .out_w = 2};
    x = oc_build_node(b, OC_OP_ADAPTIVE_POOL, names[0], &x, 1, &pool);
    x = oc_build_act(b, x, names[1], act);
    x = oc_build_flatten(b, x, names[2]);
    x = oc_build_dense(b, x, names[3], classes, OC_INIT_XAVIER);
    (void)oc_build_aux_loss(b, x, names[4], weight);
}

static const char *const AUX_1[] = {"aux1.pool", "aux1.act", "aux1.flat", "aux1.fc", "aux1.loss"},
                         *const AUX_2[] = {"aux2.pool", "aux2.act", "aux2.flat", "aux2.fc",
                                           "aux2.loss"};

/* Two auxiliary heads, one of them on what the next layer also reads through batch norm. */
static int with_aux(oc_build *b, int x) {
    x = oc_build_act(b, conv_bn(b, x, "stem", "stem_bn", 11, 3, 2, 1), "stem_act", OC_OP_RELU);
    aux_branch(b, x, AUX_1, OC_OP_RELU, 5, 0.3F);
    x = oc_build_act(b, conv_bn(b, x, "wide", "wide_bn", 24, 3, 1, 1), "wide_act", OC_OP_RELU);
    aux_branch(b, x, AUX_2, OC_OP_RELU, 5, 1.5F);
    x = oc_build_dropout(b, x, "drop", 0.2F);
    return head(b, x, 5);
}

static int with_smooth_aux(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 6, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    aux_branch(b, x, AUX_1, OC_OP_TANH, 4, 0.3F);
    x = oc_build_act(b, x, "act", OC_OP_SIGMOID);
    aux_branch(b, x, AUX_2, OC_OP_SIGMOID, 4, 2);
    return head(b, x, 4);
}

/* A gate of one number a channel, as in squeeze and excitation. */
static int gated(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 11, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    x = oc_build_node(b, OC_OP_HARD_SWISH, "act", &x, 1, NULL);
    int gate = oc_build_global_pool(b, x, "squeeze");
    gate = oc_build_conv(b, gate, "excite", 11, 1, 1, 0, 1, true, OC_INIT_XAVIER);
    gate = oc_build_node(b, OC_OP_HARD_SIGMOID, "gate", &gate, 1, NULL);
    int both[] = {x, gate};
    return head(b, oc_build_node(b, OC_OP_MULTIPLY, "gated", both, 2, NULL), 3);
}

/* A value times itself, and the larger of two that a third unit reads, too. */
static int squared_or_more(oc_build *b, int x) {
    x = oc_build_conv(b, x, "stem", 6, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    int twice[] = {x, x};
    int square = oc_build_node(b, OC_OP_MULTIPLY, "square", twice, 2, NULL);
    int both[] = {square, x};
    int most = oc_build_node(b, OC_OP_MAXIMUM, "most", both, 2, NULL);
    return head(b, oc_build_add(b, most, x, "sum"), 3);
}

/* Slopes, scales and curves on a convolution's channels and on a flattened picture. */
static int flattened(oc_build *b, int x) {
    oc_attrs shared = {.shared = 1}, biased = {.bias = 1};
    x = oc_build_conv(b, x, "stem", 10, 3, 2, 1, 1, true, OC_INIT_XAVIER);
    x = oc_build_node(b, OC_OP_PRELU, "slopes", &x, 1, NULL);
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_node(b, OC_OP_SILU, "silu", &x, 1, NULL);
    x = oc_build_node(b, OC_OP_SCALE, "scale", &x, 1, &biased);
    x = oc_build_node(b, OC_OP_PRELU, "slope", &x, 1, &shared);
    return oc_build_dense(b, x, "fc", 4, OC_INIT_XAVIER);
}

/* A frame before a max pool, which unlike the pool's own padding may win. */
static int framed(oc_build *b, int x) {
    oc_attrs frame = {PAD(0, 1, 2, 1)}, pool = {KERNEL(3, 3), STRIDE(2, 2)};
    x = oc_build_conv(b, x, "stem", 9, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    x = oc_build_node(b, OC_OP_PAD, "frame", &x, 1, &frame);
    x = oc_build_node(b, OC_OP_MAX_POOL, "pool", &x, 1, &pool);
    x = oc_build_node(b, OC_OP_GLOBAL_MAX_POOL, "most", &x, 1, NULL);
    return oc_build_dense(b, oc_build_flatten(b, x, "flatten"), "fc", 4, OC_INIT_XAVIER);
}

#define OP(kind, title, n, c, h, w, ...)                                                           \
    { title, n, c, h, w, kind, {__VA_ARGS__}, NULL, false, false }
#define NET(build, title, n, c, h, w)                                                              \
    { title, n, c, h, w, OC_OP_INPUT, {0}, build, false, false }
#define FROZEN(build, title, n, c, h, w)                                                           \
    { title, n, c, h, w, OC_OP_INPUT, {0}, build, true, false }
#define PREFIX(build, title, n, c, h, w)                                                           \
    { title, n, c, h, w, OC_OP_INPUT, {0}, build, false, true }

const engine_case CASES[] = {
    OP(OC_OP_CONV, "conv 3x3", 2, 3, 9, 11, .out = 5, KERNEL(3, 3), PAD(1, 1, 1, 1), .bias = 1),
    OP(OC_OP_CONV, "conv without bias", 3, 4, 7, 7, .out = 6, KERNEL(3, 3)),
    OP(OC_OP_CONV, "conv 1x1", 2, 17, 5, 6, .out = 19, .bias = 1),
    OP(OC_OP_CONV, "conv 1x1 of one pixel", 2, 6, 1, 1, .out = 4, .bias = 1),
    OP(OC_OP_CONV, "conv stride above kernel", 2, 3, 13, 10, .out = 4, KERNEL(2, 2), STRIDE(3, 4),
       .bias = 1),
    OP(OC_OP_CONV, "conv unequal sides", 1, 2, 8, 12, .out = 3, KERNEL(1, 5), STRIDE(2, 1),
       PAD(0, 2, 0, 2), .bias = 1),
    OP(OC_OP_CONV, "conv asymmetric pads", 2, 3, 7, 8, .out = 4, KERNEL(3, 3), STRIDE(2, 2),
       PAD(0, 1, 1, 0), .bias = 1),
    OP(OC_OP_CONV, "conv dilated", 2, 3, 11, 12, .out = 4, KERNEL(3, 2), PAD(2, 1, 2, 1),
       DILATE(2, 3), .bias = 1),
    OP(OC_OP_CONV, "conv in groups", 2, 6, 6, 7, .out = 9, KERNEL(3, 3), PAD(1, 1, 1, 1),
       .groups = 3, .bias = 1),
    OP(OC_OP_CONV, "conv in groups of 16", 1, 32, 5, 5, .out = 48, KERNEL(3, 3), PAD(1, 1, 1, 1),
       .groups = 2),
    OP(OC_OP_CONV, "conv depthwise", 2, 7, 9, 8, .out = 7, KERNEL(3, 3), PAD(1, 1, 1, 1),
       .groups = 7),
    OP(OC_OP_CONV, "conv depthwise stride 2", 2, 16, 9, 10, .out = 16, KERNEL(3, 3), STRIDE(2, 2),
       PAD(1, 1, 1, 1), .groups = 16, .bias = 1),
    OP(OC_OP_CONV, "conv depthwise stride 2 without bias", 3, 19, 10, 7, .out = 19, KERNEL(3, 3),
       STRIDE(2, 2), PAD(1, 1, 1, 1), .groups = 19),
    OP(OC_OP_CONV, "conv depthwise odd pads", 2, 9, 6, 8, .out = 9, KERNEL(3, 3), PAD(2, 0, 1, 1),
       .groups = 9),
    OP(OC_OP_CONV, "conv depthwise padded by three", 2, 8, 6, 8, .out = 8, KERNEL(3, 3),
       PAD(3, 1, 1, 1), .groups = 8),
    OP(OC_OP_CONV, "conv depthwise doubled", 2, 4, 6, 6, .out = 8, KERNEL(3, 3), .groups = 4,
       .bias = 1),
    OP(OC_OP_CONV, "conv 7x7 stride 2", 1, 3, 20, 19, .out = 16, KERNEL(7, 7), STRIDE(2, 2),
       PAD(3, 3, 3, 3)),
    OP(OC_OP_CONV, "conv over the whole image", 2, 5, 4, 3, .out = 2, KERNEL(4, 3), .bias = 1),
    OP(OC_OP_CONV, "conv padded beyond the image", 1, 2, 2, 2, .out = 3, KERNEL(5, 5),
       PAD(3, 3, 3, 3), .bias = 1),
    OP(OC_OP_CONV, "conv wide 3x3", 2, 32, 13, 17, .out = 48, KERNEL(3, 3), PAD(1, 1, 1, 1),
       .bias = 1),
    OP(OC_OP_CONV, "conv wide 3x3 unpadded", 1, 64, 7, 7, .out = 32, KERNEL(3, 3)),
    OP(OC_OP_CONV, "conv wide 3x3 odd pads", 3, 48, 6, 5, .out = 32, KERNEL(3, 3), PAD(2, 0, 1, 1)),
    OP(OC_OP_CONV, "conv wide 3x3 odd channels", 1, 65, 9, 5, .out = 33, KERNEL(3, 3),
       PAD(1, 1, 1, 1), .bias = 1),
    OP(OC_OP_CONV, "conv wide 3x3 of one pixel", 2, 32, 1, 1, .out = 32, KERNEL(3, 3),
       PAD(1, 1, 1, 1)),
    OP(OC_OP_CONV, "conv of one class", 3, 4, 1, 1, .out = 1, .bias = 1),
    OP(OC_OP_DENSE, "dense", 3, 13, 1, 1, .out = 7, .bias = 1),
    OP(OC_OP_DENSE, "dense without bias", 2, 33, 1, 1, .out = 10),
    OP(OC_OP_DENSE, "dense batch 1", 1, 5, 1, 1, .out = 3, .bias = 1),
    OP(OC_OP_DENSE, "dense of one class", 4, 5, 1, 1, .out = 1, .bias = 1),
    OP(OC_OP_MAX_POOL, "max pool 2x2", 2, 3, 8, 6, KERNEL(2, 2), STRIDE(2, 2)),
    OP(OC_OP_MAX_POOL, "max pool 17x17", 1, 3, 30, 31, KERNEL(17, 17), STRIDE(4, 4),
       PAD(8, 8, 8, 8)),
    OP(OC_OP_MAX_POOL, "max pool overlapping", 2, 5, 9, 10, KERNEL(3, 3), STRIDE(2, 2),
       PAD(1, 1, 1, 1)),
    OP(OC_OP_MAX_POOL, "max pool ceil", 2, 3, 8, 10, KERNEL(3, 3), STRIDE(2, 2), .ceil = 1),
    OP(OC_OP_MAX_POOL, "max pool ceil padded", 1, 2, 7, 8, KERNEL(3, 3), STRIDE(2, 2),
       PAD(1, 1, 1, 1), .ceil = 1),
    OP(OC_OP_MAX_POOL, "max pool ceil below kernel", 1, 2, 2, 2, KERNEL(3, 3), STRIDE(2, 2),
       .ceil = 1),
    OP(OC_OP_MAX_POOL, "max pool stride above kernel", 2, 2, 11, 9, KERNEL(2, 2), STRIDE(4, 3)),
    OP(OC_OP_MAX_POOL, "max pool stride 1 unequal", 1, 3, 5, 7, KERNEL(2, 3), PAD(0, 1, 1, 1)),
    OP(OC_OP_AVG_POOL, "avg pool", 2, 3, 8, 9, KERNEL(2, 3), STRIDE(2, 3)),
    OP(OC_OP_AVG_POOL, "avg pool padding counted", 2, 3, 7, 7, KERNEL(3, 3), STRIDE(2, 2),
       PAD(1, 1, 1, 1), .count_pad = 1),
    OP(OC_OP_AVG_POOL, "avg pool padding not counted", 2, 3, 7, 7, KERNEL(3, 3), STRIDE(2, 2),
       PAD(1, 1, 1, 1)),
    OP(OC_OP_AVG_POOL, "avg pool ceil counted", 1, 2, 8, 6, KERNEL(3, 3), STRIDE(2, 2), .ceil = 1,
       .count_pad = 1),
    OP(OC_OP_AVG_POOL, "avg pool ceil padded", 1, 2, 6, 7, KERNEL(3, 3), STRIDE(2, 2),
       PAD(1, 1, 1, 1), .ceil = 1, .count_pad = 1),
    OP(OC_OP_ADAPTIVE_POOL, "adaptive pool", 2, 9, 7, 10, .out_h = 4, .out_w = 3),
    OP(OC_OP_ADAPTIVE_POOL, "adaptive pool that divides", 2, 17, 8, 4, .out_h = 4, .out_w = 2),
    OP(OC_OP_ADAPTIVE_POOL, "adaptive pool of less than it gives", 1, 3, 2, 3, .out_h = 4,
       .out_w = 4),
    OP(OC_OP_GLOBAL_POOL, "global pool", 2, 9, 5, 7, .out = 0),
    OP(OC_OP_GLOBAL_POOL, "global pool of one pixel", 3, 4, 1, 1, .out = 0),
    OP(OC_OP_BATCH_NORM, "batch norm", 3, 5, 4, 5, .momentum = 0.1F),
    OP(OC_OP_BATCH_NORM, "batch norm of vectors", 8, 6, 1, 1, .momentum = 0.3F),
    OP(OC_OP_BATCH_NORM, "batch norm batch 1", 1, 20, 3, 3, .momentum = 0.1F),
    OP(OC_OP_RELU, "relu", 2, 3, 5, 5, .out = 0),
    OP(OC_OP_RELU6, "relu6", 2, 3, 5, 5, .out = 0),
    OP(OC_OP_SIGMOID, "sigmoid", 2, 3, 5, 5, .out = 0),
    OP(OC_OP_TANH, "tanh", 2, 3, 5, 5, .out = 0),
    OP(OC_OP_DROPOUT, "dropout", 2, 3, 5, 5, .p = 0.3F),
    OP(OC_OP_DROPOUT, "dropout of nothing", 2, 3, 3, 3, .p = 0),
    OP(OC_OP_LRN, "lrn", 2, 9, 3, 4, .size = 5, .alpha = 0.5F, .beta = 0.75F, .k = 2),
    OP(OC_OP_LRN, "lrn wider than the channels", 1, 3, 2, 2, .size = 7, .alpha = 1, .beta = 0.5F),
    OP(OC_OP_LRN, "lrn within channels", 2, 9, 5, 4, .size = 3, .alpha = 2, .beta = 0.75F, .k = 1,
       .within = 1),
    OP(OC_OP_LEAKY_RELU, "leaky relu", 2, 3, 5, 5, .slope = 0.1F),
    OP(OC_OP_PRELU, "prelu", 2, 11, 3, 5, .shared = 0),
    OP(OC_OP_PRELU, "prelu of one slope", 3, 5, 3, 3, .shared = 1),
    OP(OC_OP_HARD_SIGMOID, "hard sigmoid", 2, 3, 5, 5, .alpha = 1.F / 3, .beta = 0.5F),
    OP(OC_OP_HARD_SWISH, "hard swish", 2, 3, 5, 5, .out = 0),
    OP(OC_OP_SILU, "silu", 2, 9, 5, 5, .out = 0),
    OP(OC_OP_CLIP, "clip", 2, 3, 5, 5, .low = -1.5F, .high = 1.5F),
    OP(OC_OP_CLIP, "clip above zero", 2, 3, 3, 3, .low = 1.5F, .high = 1e30F),
    OP(OC_OP_POWER, "power: a line", 2, 3, 5, 5, .scale = -0.5F, .shift = 2, .exponent = 1),
    OP(OC_OP_POWER, "power: a parabola", 2, 9, 3, 3, .scale = 0.5F, .shift = 1, .exponent = 2),
    OP(OC_OP_POWER, "power: a root", 2, 3, 3, 3, .scale = 0.2F, .shift = 1, .exponent = 0.5F),
    OP(OC_OP_POWER, "power: 0", 1, 3, 3, 3, .scale = 1, .exponent = 0),
    OP(OC_OP_SCALE, "scale", 2, 11, 3, 4, .bias = 1),
    OP(OC_OP_SCALE, "scale without bias", 2, 5, 3, 4, .bias = 0),
    OP(OC_OP_MULTIPLY, "multiply", 2, 3, 5, 5, .out = 0),
    OP(OC_OP_PAD, "pad", 2, 9, 3, 4, PAD(1, 0, 2, 3), .value = 0.5F),
    OP(OC_OP_GLOBAL_MAX_POOL, "global max pool", 2, 9, 5, 7, .out = 0),
    OP(OC_OP_ADD, "add", 2, 3, 5, 5, .out = 0),
    OP(OC_OP_CONCAT, "concat", 2, 5, 4, 3, .out = 0),
    OP(OC_OP_FLATTEN, "flatten", 2, 3, 4, 5, .out = 0),
    NET(inverted_residual, "inverted residual", 4, 3, 17, 15),
    NET(depthwise_chain, "depthwise convolutions in a row", 4, 3, 15, 18),
    NET(residual, "residual", 3, 3, 12, 12),
    NET(fire, "fire", 3, 3, 21, 19),
    NET(dense_net, "dense net", 4, 3, 18, 18),
    NET(normalised, "normalised", 2, 3, 16, 16),
    NET(joined_twice, "joined twice", 2, 3, 6, 6),
    NET(doubled, "doubled", 2, 3, 6, 6),
    NET(plus_conv, "net: a value plus its convolution", 2, 3, 7, 6),
    NET(plus_depthwise, "net: a value plus its depthwise convolution", 2, 3, 6, 7),
    NET(wide_first, "net: wide strided windows over padding", 2, 3, 29, 34),
    NET(shared_values, "shared values", 2, 3, 6, 6),
    NET(shared_relu, "shared relu", 2, 3, 6, 6),
    NET(pre_activation, "pre-activation", 3, 3, 10, 10),
    NET(head_alone, "head alone", 6, 12, 1, 1),
    NET(with_aux, "auxiliary losses", 4, 3, 15, 13),
    NET(with_smooth_aux, "auxiliary losses, smooth", 3, 3, 7, 5),
    NET(gated, "gated", 3, 3, 7, 6),
    NET(squared_or_more, "squared or more", 2, 3, 6, 6),
    NET(flattened, "flattened", 3, 3, 6, 5),
    NET(framed, "framed", 2, 3, 7, 8),
    PREFIX(flattened, "flattened, first half fixed", 3, 3, 6, 5),
    FROZEN(inverted_residual, "inverted residual, statistics frozen", 4, 3, 17, 15),
    FROZEN(residual, "residual batch 1, statistics frozen", 1, 3, 12, 12),
    PREFIX(inverted_residual, "inverted residual, first half fixed", 4, 3, 17, 15),
    PREFIX(depthwise_chain, "depthwise convolutions, first half fixed", 4, 3, 15, 18),
    PREFIX(residual, "residual, first half fixed", 3, 3, 12, 12),
    PREFIX(with_aux, "auxiliary losses, first half fixed", 4, 3, 15, 13),
    PREFIX(fire, "fire, first half fixed", 3, 3, 21, 19),
};
const size_t CASE_COUNT = sizeof CASES / sizeof *CASES;
