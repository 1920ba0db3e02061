/* Keras' names of layers (keras/src/applications), how it builds them otherwise than torchvision
 * does, and how it prepares photos.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/weights/names_int.h"

static const float EPSILON = 1e-3F, RESNET_EPSILON = 1.001e-5F;

static bool put(char out[OC_NAME_BYTES], const char *name) {
    (void)snprintf(out, OC_NAME_BYTES, "%s", name);
    return true;
}

/* ---- names ----------------------------------------------------------------------------------
 */

static bool vgg16(char out[OC_NAME_BYTES], const char *ours) {
    static const int FEATURES[] = {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};
    static const int BLOCKS[] = {1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5};
    int number = 0, first = 0;
    if (strcmp(ours, "classifier.0") == 0) return put(out, "fc1");
    if (strcmp(ours, "classifier.3") == 0) return put(out, "fc2");
    if (strcmp(ours, "classifier.6") == 0) return put(out, "predictions");
    if (sscanf(ours, "features.%d", &number) != 1) return false;
    for (int i = 0; i < 13; i++) {
        if (i > 0 && BLOCKS[i] != BLOCKS[i - 1]) first = i;
        if (FEATURES[i] != number) continue;
        (void)snprintf(out, OC_NAME_BYTES, "block%d_conv%d", BLOCKS[i], i - first + 1);
        return true;
    }
    return false;
}

/* "layer2.0.bn1" is stage 2, block 0, part 1, a norm; "downsample" is part 0. */
typedef struct resnet_part {
    int stage, block, part;
    bool norm;
} resnet_part;

static bool read_resnet(const char *ours, resnet_part *r) {
    int at = 0, i = 0;
    if (sscanf(ours, "layer%1d.%d.%n", &r->stage, &r->block, &at) != 2 || at == 0) return false;
    r->part = 0;
    if (r->block < 0) return false;
    r->norm = oc_starts_with(ours + at, "bn");
    if (sscanf(ours + at, "downsample.%1d", &i) == 1) {
        r->norm = i == 1;
        return true;
    }
    return sscanf(ours + at, r->norm ? "bn%1d" : "conv%1d", &r->part) == 1 && r->part >= 0;
}

static bool resnet(char out[OC_NAME_BYTES], const char *ours) {
    resnet_part r;
    if (strcmp(ours, "conv1") == 0) return put(out, "conv1_conv");
    if (strcmp(ours, "bn1") == 0) return put(out, "conv1_bn");
    if (strcmp(ours, "fc") == 0) return put(out, "predictions");
    if (!read_resnet(ours, &r)) return false;
    (void)snprintf(out, OC_NAME_BYTES, "conv%d_block%d_%d_%s", r.stage + 1, r.block + 1, r.part,
                   r.norm ? "bn" : "conv");
    return true;
}

/* Caffe's names, which Keras had for ResNet-50 until 2.2: "res2a_branch2b", "bn2a_branch1". */
static bool old_resnet(char out[OC_NAME_BYTES], const char *ours) {
    resnet_part r;
    if (strcmp(ours, "conv1") == 0) return put(out, "conv1");
    if (strcmp(ours, "bn1") == 0) return put(out, "bn_conv1");
    if (strcmp(ours, "fc") == 0) return put(out, "fc1000");
    if (!read_resnet(ours, &r)) return false;
    static const char *const BRANCHES[] = {"1", "2a", "2b", "2c"};
    if (r.part > 3 || r.block > 25) return false;
    (void)snprintf(out, OC_NAME_BYTES, "%s%d%c_branch%s", r.norm ? "bn" : "res", r.stage + 1,
                   'a' + r.block, BRANCHES[r.part]);
    return true;
}

static bool mobilenet_v1(char out[OC_NAME_BYTES], const char *ours) {
    int block = 0;
    oci_part part;
    if (strcmp(ours, "conv1") == 0) return put(out, "conv1");
    if (strcmp(ours, "conv1/bn") == 0) return put(out, "conv1_bn");
    if (strcmp(ours, "fc7") == 0) return put(out, "conv_preds");
    if (!oci_v1_block(ours, &block, &part)) return false;
    (void)snprintf(out, OC_NAME_BYTES, "conv_%s_%d%s",
                   part == OCI_DW || part == OCI_DW_BN ? "dw" : "pw", block,
                   part == OCI_DW_BN || part == OCI_PW_BN ? "_bn" : "");
    return true;
}

static bool mobilenet_v2(char out[OC_NAME_BYTES], const char *ours) {
    static const char *const PARTS[] = {"expand",       "expand_BN", "depthwise",
                                        "depthwise_BN", "project",   "project_BN"};
    int block = 0;
    oci_part part;
    if (strcmp(ours, "features.0.0") == 0) return put(out, "Conv1");
    if (strcmp(ours, "features.0.1") == 0) return put(out, "bn_Conv1");
    if (strcmp(ours, "features.18.0") == 0) return put(out, "Conv_1");
    if (strcmp(ours, "features.18.1") == 0) return put(out, "Conv_1_bn");
    if (strcmp(ours, "classifier.1") == 0) return put(out, "predictions");
    if (!oci_v2_block(ours, &block, &part)) return false;
    if (block == 1) {
        (void)snprintf(out, OC_NAME_BYTES, "expanded_conv_%s", PARTS[part]);
    } else {
        (void)snprintf(out, OC_NAME_BYTES, "block_%d_%s", block - 1, PARTS[part]);
    }
    return true;
}

/* ---- what is built otherwise ----------------------------------------------------------------
 */

/* TensorFlow's "same" at stride 2 over even sides: one row at the bottom, one column at the right.
 */
static void adapt_mobilenet(const oc_graph *graph, const oc_node *node, oc_op *op,
                            oc_attrs *attrs) {
    (void)graph;
    if (node->op == OC_OP_RELU) *op = OC_OP_RELU6;
    if (node->op == OC_OP_BATCH_NORM) attrs->epsilon = EPSILON;
    if (node->op != OC_OP_CONV || attrs->stride_h != 2) return;
    attrs->pad_top = attrs->pad_left = 0;
    attrs->pad_bottom = attrs->pad_right = 1;
}

/* The stride is in a block's first convolution, as in the paper; torchvision has it in the second.
 */
static void adapt_resnet(const oc_graph *graph, const oc_node *node, oc_op *op, oc_attrs *attrs) {
    (void)op;
    char name[OC_NAME_BYTES];
    if (node->op == OC_OP_BATCH_NORM) attrs->epsilon = RESNET_EPSILON;
    if (!oc_starts_with(node->name, "layer") || oc_ends_with(node->name, "downsample.0")) return;
    if (oc_ends_with(node->name, ".conv2")) attrs->stride_h = attrs->stride_w = 1;
    if (!oc_ends_with(node->name, ".conv1")) return;
    (void)snprintf(name, sizeof name, "%.*s2", (int)strlen(node->name) - 1, node->name);
    int second = oc_graph_find(graph, name);
    if (second < 0) return;
    attrs->stride_h = oc_graph_node(graph, second)->attrs.stride_h;
    attrs->stride_w = oc_graph_node(graph, second)->attrs.stride_w;
}

static void adapt_old_resnet(const oc_graph *graph, const oc_node *node, oc_op *op,
                             oc_attrs *attrs) {
    adapt_resnet(graph, node, op, attrs);
    if (node->op == OC_OP_BATCH_NORM) attrs->epsilon = EPSILON;
}

/* ---- photos ---------------------------------------------------------------------------------
 */

/* -1..1 */
static void around_zero(oc_recipe *r) {
    for (int c = 0; c < 3; c++) r->mean[c] = r->std[c] = 0.5F;
}

/* As Caffe: blue first, 0..255 less ImageNet's mean. */
static void as_caffe(oc_recipe *r) {
    static const float MEAN[] = {123.68F, 116.779F, 103.939F};
    r->bgr = true;
    r->unit = 1;
    for (int c = 0; c < 3; c++) {
        r->mean[c] = MEAN[c];
        r->std[c] = 1;
    }
}

const oci_names oci_keras_names[] = {
    {OC_NAMING_KERAS, "vgg16", vgg16, NULL, as_caffe},
    {OC_NAMING_KERAS, "resnet50", resnet, adapt_resnet, as_caffe},
    {OC_NAMING_KERAS, "resnet101", resnet, adapt_resnet, as_caffe},
    {OC_NAMING_OLD_KERAS, "resnet50", old_resnet, adapt_old_resnet, as_caffe},
    {OC_NAMING_KERAS, "mobilenet_v1", mobilenet_v1, adapt_mobilenet, around_zero},
    {OC_NAMING_KERAS, "mobilenet_v2", mobilenet_v2, adapt_mobilenet, around_zero}};
const size_t oci_keras_count = sizeof oci_keras_names / sizeof *oci_keras_names;
