/* ResNets (He et al. 2015), layer names as torchvision's: 18 and 34 from basic blocks, 50 and 101
 * from bottlenecks, whose stride is in the 3x3 convolution (torchvision's "v1.5").
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

enum { STAGES = 4, WIDENS = 4 /* a bottleneck's output over its width */ };

static const struct depth {
    int layers, blocks[STAGES];
    bool bottleneck;
} DEPTHS[] = {{18, {2, 2, 2, 2}, false},
              {34, {3, 4, 6, 3}, false},
              {50, {3, 4, 6, 3}, true},
              {101, {3, 4, 23, 3}, true}};

/* conv and batch norm under the names of block `prefix`. */
static int conv_bn(oc_build *b, int x, const char *prefix, const char *conv, const char *bn,
                   int out, int kernel, int stride) {
    char name[OC_NAME_BYTES];
    x = oc_build_conv(b, x, oci_zoo_name(name, prefix, conv), out, kernel, stride, kernel / 2, 1,
                      false, OC_INIT_KAIMING_FAN_OUT);
    return oc_build_batch_norm(b, x, oci_zoo_name(name, prefix, bn));
}

/* Two 3x3 convolutions. */
static int basic(oc_build *b, int x, const char *prefix, int width, int stride) {
    char name[OC_NAME_BYTES];
    x = conv_bn(b, x, prefix, "conv1", "bn1", width, 3, stride);
    x = oc_build_act(b, x, oci_zoo_name(name, prefix, "relu1"), OC_OP_RELU);
    return conv_bn(b, x, prefix, "conv2", "bn2", width, 3, 1);
}

/* A 3x3 convolution between 1x1 ones that narrow and widen. */
static int bottleneck(oc_build *b, int x, const char *prefix, int width, int stride) {
    char name[OC_NAME_BYTES];
    x = conv_bn(b, x, prefix, "conv1", "bn1", width, 1, 1);
    x = oc_build_act(b, x, oci_zoo_name(name, prefix, "relu1"), OC_OP_RELU);
    x = conv_bn(b, x, prefix, "conv2", "bn2", width, 3, stride);
    x = oc_build_act(b, x, oci_zoo_name(name, prefix, "relu2"), OC_OP_RELU);
    return conv_bn(b, x, prefix, "conv3", "bn3", WIDENS * width, 1, 1);
}

/* A block around a shortcut, which is projected where the shape changes. */
static int block(oc_build *b, int x, const char *prefix, const struct depth *d, int width,
                 int stride) {
    char name[OC_NAME_BYTES];
    int out = d->bottleneck ? WIDENS * width : width, shortcut = x;
    if (stride != 1 || (b->status == OC_OK && oc_graph_channels(b->graph, x) != out)) {
        shortcut = conv_bn(b, x, prefix, "downsample.0", "downsample.1", out, 1, stride);
    }
    x = (d->bottleneck ? bottleneck : basic)(b, x, prefix, width, stride);
    x = oc_build_add(b, x, shortcut, oci_zoo_name(name, prefix, "add"));
    return oc_build_act(b, x, oci_zoo_name(name, prefix, "relu"), OC_OP_RELU);
}

static const struct depth *depth_of(const oc_arch *arch) {
    const struct depth *d = DEPTHS;
    while (d->layers != arch->depth) d++;
    return d;
}

void oci_build_resnet(oc_build *b, const oc_arch *arch, int classes) {
    const struct depth *d = depth_of(arch);
    int x = oc_build_conv(b, 0, "conv1", 64, 7, 2, 3, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_batch_norm(b, x, "bn1");
    x = oc_build_act(b, x, "relu", OC_OP_RELU);
    x = oc_build_max_pool(b, x, "maxpool", 3, 2, 1, false);
    for (int s = 0; s < STAGES; s++)
        for (int i = 0; i < d->blocks[s]; i++) {
            char name[OC_NAME_BYTES];
            (void)snprintf(name, sizeof name, "layer%d.%d", s + 1, i);
            x = block(b, x, name, d, 64 << s, s > 0 && i == 0 ? 2 : 1);
        }
    x = oc_build_global_pool(b, x, "avgpool");
    x = oc_build_flatten(b, x, "flatten");
    (void)oc_build_dense(b, x, "fc", classes, OC_INIT_NORMAL_001);
}
