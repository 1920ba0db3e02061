/* ResNet-18 (He et al. 2015), layer names as torchvision's resnet18.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

/* conv and batch norm under the names of block `prefix`. */
static int conv_bn(oc_build *b, int x, const char *prefix, const char *conv, const char *bn,
                   int out, int kernel, int stride) {
    char name[OC_NAME_BYTES];
    x = oc_build_conv(b, x, oci_zoo_name(name, prefix, conv), out, kernel, stride, kernel / 2, 1,
                      false, OC_INIT_KAIMING_FAN_OUT);
    return oc_build_batch_norm(b, x, oci_zoo_name(name, prefix, bn));
}

/* The basic block: two 3x3 convolutions around a shortcut, which is projected where the shape
 * changes. */
static int block(oc_build *b, int x, const char *prefix, int out, int stride, bool project) {
    char name[OC_NAME_BYTES];
    int shortcut = x;
    if (project) {
        shortcut = conv_bn(b, x, prefix, "downsample.0", "downsample.1", out, 1, stride);
    }
    x = conv_bn(b, x, prefix, "conv1", "bn1", out, 3, stride);
    x = oc_build_act(b, x, oci_zoo_name(name, prefix, "relu1"), OC_OP_RELU);
    x = conv_bn(b, x, prefix, "conv2", "bn2", out, 3, 1);
    x = oc_build_add(b, x, shortcut, oci_zoo_name(name, prefix, "add"));
    return oc_build_act(b, x, oci_zoo_name(name, prefix, "relu2"), OC_OP_RELU);
}

static int stage(oc_build *b, int x, int i, int out) {
    char name[OC_NAME_BYTES];
    bool halves = i > 1;
    (void)snprintf(name, sizeof name, "layer%d.0", i);
    x = block(b, x, name, out, halves ? 2 : 1, halves);
    (void)snprintf(name, sizeof name, "layer%d.1", i);
    return block(b, x, name, out, 1, false);
}

oc_status oci_build_resnet18(oc_graph **out, int channels, int classes, int height, int width,
                             oc_error *err) {
    oc_build b;
    oci_zoo_begin(&b, channels, height, width);
    int x = oc_build_conv(&b, 0, "conv1", 64, 7, 2, 3, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_batch_norm(&b, x, "bn1");
    x = oc_build_act(&b, x, "relu", OC_OP_RELU);
    x = oc_build_max_pool(&b, x, "maxpool", 3, 2, 1, false);
    for (int i = 1; i <= 4; i++) x = stage(&b, x, i, 32 << i);
    x = oc_build_global_pool(&b, x, "avgpool");
    x = oc_build_flatten(&b, x, "flatten");
    (void)oc_build_dense(&b, x, "fc", classes, OC_INIT_NORMAL_001);
    return oci_zoo_finish(&b, height, width, out, err);
}
