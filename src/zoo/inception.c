/* Inception nets: GoogLeNet, which is v1 (Szegedy et al. 2015), layer names as torchvision's, with
 * a batch norm behind every convolution; and BN-Inception, v2 (Ioffe & Szegedy 2015), names as in
 * its published Caffe model.
 *
 * GoogLeNet's auxiliary heads look at two places in the middle; each adds 0.3 times its own loss
 * (section 5 of the paper). Their pool is torchvision's, to 4x4 at any size; the paper's, 5x5 with
 * stride 3, gives the same 4x4 at 224.
 *
 * An Inception module looks at its input through several windows side by side, each behind a 1x1
 * convolution that narrows it, and lays the results behind each other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

static int batch_norm(oc_build *b, int x, const char *name, float epsilon) {
    oc_attrs attrs = oc_attrs_default(OC_OP_BATCH_NORM);
    attrs.epsilon = epsilon;
    return oc_build_node(b, OC_OP_BATCH_NORM, name, &x, 1, &attrs);
}

/* ---- GoogLeNet --------------------------------------------------------------------------------
 */

/* prefix.conv, prefix.bn, prefix.relu */
static int conv_bn_relu(oc_build *b, int x, const char *prefix, int out, int kernel, int stride) {
    char name[OC_NAME_BYTES];
    x = oc_build_conv(b, x, oci_zoo_name(name, prefix, "conv"), out, kernel, stride, kernel / 2, 1,
                      false, OC_INIT_KAIMING_FAN_OUT);
    x = batch_norm(b, x, oci_zoo_name(name, prefix, "bn"), 1e-3F);
    return oc_build_act(b, x, oci_zoo_name(name, prefix, "relu"), OC_OP_RELU);
}

/* Rows of the paper's Table 1. torchvision's third branch is 3x3 where the paper's is 5x5. */
typedef struct module {
    const char *name;
    int one, three_in, three, five_in, five, pool;
} module;
static const module MODULES[] = {
    {"inception3a", 64, 96, 128, 16, 32, 32},     {"inception3b", 128, 128, 192, 32, 96, 64},
    {"inception4a", 192, 96, 208, 16, 48, 64},    {"inception4b", 160, 112, 224, 24, 64, 64},
    {"inception4c", 128, 128, 256, 24, 64, 64},   {"inception4d", 112, 144, 288, 32, 64, 64},
    {"inception4e", 256, 160, 320, 32, 128, 128}, {"inception5a", 256, 160, 320, 32, 128, 128},
    {"inception5b", 384, 192, 384, 48, 128, 128}};

static int inception(oc_build *b, int x, const module *m) {
    char name[OC_NAME_BYTES];
    int branch[4];
    branch[0] = conv_bn_relu(b, x, oci_zoo_name(name, m->name, "branch1"), m->one, 1, 1);
    int y = conv_bn_relu(b, x, oci_zoo_name(name, m->name, "branch2.0"), m->three_in, 1, 1);
    branch[1] = conv_bn_relu(b, y, oci_zoo_name(name, m->name, "branch2.1"), m->three, 3, 1);
    y = conv_bn_relu(b, x, oci_zoo_name(name, m->name, "branch3.0"), m->five_in, 1, 1);
    branch[2] = conv_bn_relu(b, y, oci_zoo_name(name, m->name, "branch3.1"), m->five, 3, 1);
    y = oc_build_max_pool(b, x, oci_zoo_name(name, m->name, "branch4.0"), 3, 1, 1, true);
    branch[3] = conv_bn_relu(b, y, oci_zoo_name(name, m->name, "branch4.1"), m->pool, 1, 1);
    return oc_build_concat(b, branch, 4, m->name);
}

enum { AUX_SIDE = 4, AUX_MAPS = 128, AUX_HIDDEN = 1024 };

/* prefix.conv.conv, .bn, prefix.fc1, prefix.fc2 */
static void aux_head(oc_build *b, int x, const char *prefix, int classes) {
    char name[OC_NAME_BYTES];
    oc_attrs pool = {.out_h = AUX_SIDE, .out_w = AUX_SIDE};
    x = oc_build_node(b, OC_OP_ADAPTIVE_POOL, oci_zoo_name(name, prefix, "pool"), &x, 1, &pool);
    x = conv_bn_relu(b, x, oci_zoo_name(name, prefix, "conv"), AUX_MAPS, 1, 1);
    x = oc_build_flatten(b, x, oci_zoo_name(name, prefix, "flatten"));
    x = oc_build_dense(b, x, oci_zoo_name(name, prefix, "fc1"), AUX_HIDDEN, OC_INIT_XAVIER);
    x = oc_build_act(b, x, oci_zoo_name(name, prefix, "relu"), OC_OP_RELU);
    x = oc_build_dropout(b, x, oci_zoo_name(name, prefix, "dropout"), 0.7F);
    x = oc_build_dense(b, x, oci_zoo_name(name, prefix, "fc2"), classes, OC_INIT_NORMAL_001);
    (void)oc_build_aux_loss(b, x, oci_zoo_name(name, prefix, "loss"), 0.3F);
}

void oci_build_googlenet(oc_build *b, const oc_arch *arch, int classes) {
    int x = conv_bn_relu(b, 0, "conv1", 64, 7, 2);
    x = oc_build_max_pool(b, x, "maxpool1", 3, 2, 0, true);
    x = conv_bn_relu(b, x, "conv2", 64, 1, 1);
    x = conv_bn_relu(b, x, "conv3", 192, 3, 1);
    x = oc_build_max_pool(b, x, "maxpool2", 3, 2, 0, true);
    for (int i = 0; i < (int)(sizeof MODULES / sizeof *MODULES); i++) {
        x = inception(b, x, &MODULES[i]);
        if (i == 2 && arch->without_aux != NULL) aux_head(b, x, "aux1", classes);
        if (i == 5 && arch->without_aux != NULL) aux_head(b, x, "aux2", classes);
        if (i == 1) x = oc_build_max_pool(b, x, "maxpool3", 3, 2, 0, true);
        if (i == 6) x = oc_build_max_pool(b, x, "maxpool4", 2, 2, 0, true);
    }
    x = oc_build_global_pool(b, x, "avgpool");
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_dropout(b, x, "dropout", 0.2F);
    (void)oc_build_dense(b, x, "fc", classes, OC_INIT_NORMAL_001);
}

/* ---- BN-Inception -----------------------------------------------------------------------------
 */

/* name, name_bn, name_relu; convolutions keep the bias that the published model has. */
static int conv_bn_relu_flat(oc_build *b, int x, const char *name, int out, int kernel,
                             int stride) {
    char part[OC_NAME_BYTES];
    x = oc_build_conv(b, x, name, out, kernel, stride, kernel / 2, 1, true,
                      OC_INIT_KAIMING_FAN_OUT);
    (void)snprintf(part, sizeof part, "%.100s_bn", name);
    x = batch_norm(b, x, part, 1e-5F);
    (void)snprintf(part, sizeof part, "%.100s_relu", name);
    return oc_build_act(b, x, part, OC_OP_RELU);
}

typedef enum pooling { AVERAGE, MAXIMUM } pooling;

/* `one` 0: the module halves the sides, and its pool is not projected. */
typedef struct bn_module {
    const char *name;
    int one, three_in, three, double_in, twice;
    pooling pooling;
    int pool;
} bn_module;
static const bn_module BN_MODULES[] = {{"inception_3a", 64, 64, 64, 64, 96, AVERAGE, 32},
                                       {"inception_3b", 64, 64, 96, 64, 96, AVERAGE, 64},
                                       {"inception_3c", 0, 128, 160, 64, 96, MAXIMUM, 0},
                                       {"inception_4a", 224, 64, 96, 96, 128, AVERAGE, 128},
                                       {"inception_4b", 192, 96, 128, 96, 128, AVERAGE, 128},
                                       {"inception_4c", 160, 128, 160, 128, 160, AVERAGE, 128},
                                       {"inception_4d", 96, 128, 192, 160, 192, AVERAGE, 128},
                                       {"inception_4e", 0, 128, 192, 192, 256, MAXIMUM, 0},
                                       {"inception_5a", 352, 192, 320, 160, 224, AVERAGE, 128},
                                       {"inception_5b", 352, 192, 320, 192, 224, MAXIMUM, 128}};

/* "inception_3a" and "pool" are "inception_3a_pool". */
static char *part_of(char storage[OC_NAME_BYTES], const bn_module *m, const char *part) {
    (void)snprintf(storage, OC_NAME_BYTES, "%s_%s", m->name, part);
    return storage;
}

static int module_pool(oc_build *b, int x, const bn_module *m) {
    char name[OC_NAME_BYTES];
    bool halves = m->one == 0;
    oc_attrs attrs = oc_attrs_default(m->pooling == AVERAGE ? OC_OP_AVG_POOL : OC_OP_MAX_POOL);
    attrs.kernel_h = attrs.kernel_w = 3;
    attrs.stride_h = attrs.stride_w = halves ? 2 : 1;
    attrs.ceil = halves;
    if (!halves) attrs.pad_top = attrs.pad_left = attrs.pad_bottom = attrs.pad_right = 1;
    x = oc_build_node(b, m->pooling == AVERAGE ? OC_OP_AVG_POOL : OC_OP_MAX_POOL,
                      part_of(name, m, "pool"), &x, 1, &attrs);
    return halves ? x : conv_bn_relu_flat(b, x, part_of(name, m, "pool_proj"), m->pool, 1, 1);
}

static int bn_inception(oc_build *b, int x, const bn_module *m) {
    char name[OC_NAME_BYTES];
    int branch[4], count = 0, stride = m->one == 0 ? 2 : 1;
    if (m->one > 0) {
        branch[count++] = conv_bn_relu_flat(b, x, part_of(name, m, "1x1"), m->one, 1, 1);
    }
    int y = conv_bn_relu_flat(b, x, part_of(name, m, "3x3_reduce"), m->three_in, 1, 1);
    branch[count++] = conv_bn_relu_flat(b, y, part_of(name, m, "3x3"), m->three, 3, stride);
    y = conv_bn_relu_flat(b, x, part_of(name, m, "double_3x3_reduce"), m->double_in, 1, 1);
    y = conv_bn_relu_flat(b, y, part_of(name, m, "double_3x3_1"), m->twice, 3, 1);
    branch[count++] =
        conv_bn_relu_flat(b, y, part_of(name, m, "double_3x3_2"), m->twice, 3, stride);
    branch[count++] = module_pool(b, x, m);
    return oc_build_concat(b, branch, count, part_of(name, m, "output"));
}

void oci_build_bn_inception(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    int x = conv_bn_relu_flat(b, 0, "conv1_7x7_s2", 64, 7, 2);
    x = oc_build_max_pool(b, x, "pool1_3x3_s2", 3, 2, 0, true);
    x = conv_bn_relu_flat(b, x, "conv2_3x3_reduce", 64, 1, 1);
    x = conv_bn_relu_flat(b, x, "conv2_3x3", 192, 3, 1);
    x = oc_build_max_pool(b, x, "pool2_3x3_s2", 3, 2, 0, true);
    for (size_t i = 0; i < sizeof BN_MODULES / sizeof *BN_MODULES; i++) {
        x = bn_inception(b, x, &BN_MODULES[i]);
    }
    x = oc_build_global_pool(b, x, "global_pool");
    x = oc_build_flatten(b, x, "flatten");
    (void)oc_build_dense(b, x, "last_linear", classes, OC_INIT_NORMAL_001);
}
