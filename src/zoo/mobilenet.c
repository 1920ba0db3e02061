/* MobileNetV2 1.0 (Sandler et al. 2018), layer names as torchvision's mobilenet_v2.
 *
 * A block widens its channels with 1x1 convolutions, filters each alone (depthwise 3x3), and
 * projects them down again without an activation; where the shape stays, the input is added.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

/* Rows of the paper's Table 2: expansion t, channels c, repeats n, stride s of the first. */
typedef struct stage {
    int expansion, channels, repeats, stride;
} stage;
static const stage STAGES[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                               {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

typedef struct conv_size {
    int out, kernel, stride, groups;
} conv_size;

/* prefix.0 convolution, prefix.1 batch norm, prefix.2 ReLU6. */
static int conv_bn_relu(oc_build *b, int x, const char *prefix, conv_size size) {
    char name[OC_NAME_BYTES];
    x = oc_build_conv(b, x, oci_zoo_name(name, prefix, "0"), size.out, size.kernel, size.stride,
                      size.kernel / 2, size.groups, false, OC_INIT_KAIMING_FAN_OUT);
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
    x = oc_build_conv(b, x, name, out, 1, 1, 0, 1, false, OC_INIT_KAIMING_FAN_OUT);
    (void)snprintf(name, sizeof name, "features.%d.conv.%d", i, next);
    x = oc_build_batch_norm(b, x, name);
    if (stride != 1 || in != out) return x;
    (void)snprintf(name, sizeof name, "features.%d", i);
    return oc_build_add(b, from, x, name);
}

oc_status oci_build_mobilenet_v2(oc_graph **out, int channels, int classes, int height, int width,
                                 oc_error *err) {
    oc_build b;
    oci_zoo_begin(&b, channels, height, width);
    int x = conv_bn_relu(&b, 0, "features.0", (conv_size){32, 3, 2, 1});
    int i = 1, in = 32;
    for (size_t s = 0; s < sizeof STAGES / sizeof *STAGES; s++) {
        const stage *row = &STAGES[s];
        for (int r = 0; r < row->repeats; r++) {
            x = block(&b, x, i++, in, row->channels, r == 0 ? row->stride : 1, row->expansion);
            in = row->channels;
        }
    }
    x = conv_bn_relu(&b, x, "features.18", (conv_size){1280, 1, 1, 1});
    x = oc_build_global_pool(&b, x, "avgpool");
    x = oc_build_flatten(&b, x, "flatten");
    x = oc_build_dropout(&b, x, "classifier.0", 0.2F);
    (void)oc_build_dense(&b, x, "classifier.1", classes, OC_INIT_NORMAL_001);
    return oci_zoo_finish(&b, height, width, out, err);
}
