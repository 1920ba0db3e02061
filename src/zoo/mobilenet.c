/* MobileNets: V1 (Howard et al. 2017), layer names as in the published Caffe model, and V2 (Sandler
 * et al. 2018), names as torchvision's; both with a factor on all widths.
 *
 * V1 splits every convolution into one that filters each channel alone (depthwise 3x3) and one that
 * mixes them (1x1). A block of V2 widens its channels with a 1x1 convolution before the depthwise
 * one, and projects them down again without an activation; where the shape stays, the input is
 * added.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

typedef struct conv_size {
    int out, kernel, stride, groups;
} conv_size;

static int conv(oc_build *b, int x, const char *name, conv_size size) {
    return oc_build_conv(b, x, name, size.out, size.kernel, size.stride, size.kernel / 2,
                         size.groups, false, OC_INIT_KAIMING_FAN_OUT);
}

/* ---- V1 ---------------------------------------------------------------------------------------
 */

static int narrowed(int channels, float width) {
    int scaled = (int)((float)channels * width);
    return scaled < 8 ? 8 : scaled;
}

/* name, name/bn, name/relu */
static int conv_bn_slash(oc_build *b, int x, const char *name, conv_size size) {
    char part[OC_NAME_BYTES];
    x = conv(b, x, name, size);
    (void)snprintf(part, sizeof part, "%.100s/bn", name);
    x = oc_build_batch_norm(b, x, part);
    (void)snprintf(part, sizeof part, "%.100s/relu", name);
    return oc_build_act(b, x, part, OC_OP_RELU);
}

static int separable(oc_build *b, int x, const char *stage, int in, int out, int stride) {
    char name[OC_NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s/dw", stage);
    x = conv_bn_slash(b, x, name, (conv_size){in, 3, stride, in});
    (void)snprintf(name, sizeof name, "%s/sep", stage);
    return conv_bn_slash(b, x, name, (conv_size){out, 1, 1, 1});
}

void oci_build_mobilenet_v1(oc_build *b, const oc_arch *arch, int classes) {
    /* the paper's Table 1: stage, outputs and stride of each separable convolution */
    static const struct {
        const char *stage;
        int out, stride;
    } ROWS[] = {{"conv2_1", 64, 1},  {"conv2_2", 128, 2}, {"conv3_1", 128, 1}, {"conv3_2", 256, 2},
                {"conv4_1", 256, 1}, {"conv4_2", 512, 2}, {"conv5_1", 512, 1}, {"conv5_2", 512, 1},
                {"conv5_3", 512, 1}, {"conv5_4", 512, 1}, {"conv5_5", 512, 1}, {"conv5_6", 1024, 2},
                {"conv6", 1024, 1}};
    int in = narrowed(32, arch->width);
    int x = conv_bn_slash(b, 0, "conv1", (conv_size){in, 3, 2, 1});
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        int out = narrowed(ROWS[i].out, arch->width);
        x = separable(b, x, ROWS[i].stage, in, out, ROWS[i].stride);
        in = out;
    }
    x = oc_build_global_pool(b, x, "pool6");
    x = oc_build_flatten(b, x, "flatten");
    (void)oc_build_dense(b, x, "fc7", classes, OC_INIT_NORMAL_001);
}

/* ---- V2 ---------------------------------------------------------------------------------------
 */

/* Rows of the paper's Table 2: expansion t, channels c, repeats n, stride s of the first. */
typedef struct stage {
    int expansion, channels, repeats, stride;
} stage;
static const stage STAGES[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                               {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

/* The nearest multiple of 8 that is no more than a tenth below. */
static int rounded(int channels, float width) {
    float wanted = (float)channels * width;
    int out = (int)(wanted + 4) / 8 * 8;
    if (out < 8) out = 8;
    return (float)out < 0.9F * wanted ? out + 8 : out;
}

/* prefix.0 convolution, prefix.1 batch norm, prefix.2 ReLU6. */
static int conv_bn_relu(oc_build *b, int x, const char *prefix, conv_size size) {
    char name[OC_NAME_BYTES];
    x = conv(b, x, oci_zoo_name(name, prefix, "0"), size);
    x = oc_build_batch_norm(b, x, oci_zoo_name(name, prefix, "1"));
    return oc_build_act(b, x, oci_zoo_name(name, prefix, "2"), OC_OP_RELU6);
}

static int block(oc_build *b, int x, int i, int in, int out, int stride, int expansion) {
    char name[OC_NAME_BYTES], part[OC_NAME_BYTES];
    int from = x, wide = in * expansion, next = 0;
    if (expansion != 1) {
        (void)snprintf(part, sizeof part, "features.%d.conv.%d", i, next++);
        x = conv_bn_relu(b, x, part, (conv_size){wide, 1, 1, 1});
    }
    (void)snprintf(part, sizeof part, "features.%d.conv.%d", i, next++);
    x = conv_bn_relu(b, x, part, (conv_size){wide, 3, stride, wide});
    (void)snprintf(name, sizeof name, "features.%d.conv.%d", i, next++);
    x = conv(b, x, name, (conv_size){out, 1, 1, 1});
    (void)snprintf(name, sizeof name, "features.%d.conv.%d", i, next);
    x = oc_build_batch_norm(b, x, name);
    if (stride != 1 || in != out) return x;
    return oc_build_add(b, from, x, oci_zoo_number(name, "features", i));
}

void oci_build_mobilenet_v2(oc_build *b, const oc_arch *arch, int classes) {
    int i = 1, in = rounded(32, arch->width);
    int x = conv_bn_relu(b, 0, "features.0", (conv_size){in, 3, 2, 1});
    for (size_t s = 0; s < sizeof STAGES / sizeof *STAGES; s++) {
        const stage *row = &STAGES[s];
        int out = rounded(row->channels, arch->width);
        for (int r = 0; r < row->repeats; r++) {
            x = block(b, x, i++, in, out, r == 0 ? row->stride : 1, row->expansion);
            in = out;
        }
    }
    int last = arch->width > 1 ? rounded(1280, arch->width) : 1280;
    x = conv_bn_relu(b, x, "features.18", (conv_size){last, 1, 1, 1});
    x = oc_build_global_pool(b, x, "avgpool");
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_dropout(b, x, "classifier.0", 0.2F);
    (void)oc_build_dense(b, x, "classifier.1", classes, OC_INIT_NORMAL_001);
}
