/* SqueezeNet 1.1 (Iandola et al. 2016), layer names as torchvision's squeezenet1_1.
 *
 * Pools round up, as torchvision's do; at 224 (and whenever the sides divide) that is the same as
 * rounding down, which is how the published ONNX weights were used.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

/* One convolution of a Fire module with the ReLU behind it. */
static int conv_relu(oc_build *b, int x, const char *fire, const char *part, int out, int kernel) {
    char name[OC_NAME_BYTES], act[OC_NAME_BYTES];
    oci_zoo_name(name, fire, part);
    x = oc_build_conv(b, x, name, out, kernel, 1, kernel / 2, 1, true, OC_INIT_KAIMING_UNIFORM);
    (void)snprintf(act, sizeof act, "%.100s_activation", name);
    return oc_build_act(b, x, act, OC_OP_RELU);
}

/* Fire: 1x1 convolutions squeeze the channels, then 1x1 and 3x3 ones expand them side by side. */
static int fire(oc_build *b, int x, int i, int squeeze, int expand) {
    char name[OC_NAME_BYTES];
    (void)snprintf(name, sizeof name, "features.%d", i);
    int squeezed = conv_relu(b, x, name, "squeeze", squeeze, 1);
    int expanded[2];
    expanded[0] = conv_relu(b, squeezed, name, "expand1x1", expand, 1);
    expanded[1] = conv_relu(b, squeezed, name, "expand3x3", expand, 3);
    return oc_build_concat(b, expanded, 2, name);
}

oc_status oci_build_squeezenet1_1(oc_graph **out, int channels, int classes, int height, int width,
                                  oc_error *err) {
    oc_build b;
    oci_zoo_begin(&b, channels, height, width);
    int x = oc_build_conv(&b, 0, "features.0", 64, 3, 2, 0, 1, true, OC_INIT_KAIMING_UNIFORM);
    x = oc_build_act(&b, x, "features.1", OC_OP_RELU);
    x = oc_build_max_pool(&b, x, "features.2", 3, 2, 0, true);
    x = fire(&b, x, 3, 16, 64);
    x = fire(&b, x, 4, 16, 64);
    x = oc_build_max_pool(&b, x, "features.5", 3, 2, 0, true);
    x = fire(&b, x, 6, 32, 128);
    x = fire(&b, x, 7, 32, 128);
    x = oc_build_max_pool(&b, x, "features.8", 3, 2, 0, true);
    x = fire(&b, x, 9, 48, 192);
    x = fire(&b, x, 10, 48, 192);
    x = fire(&b, x, 11, 64, 256);
    x = fire(&b, x, 12, 64, 256);
    x = oc_build_dropout(&b, x, "classifier.0", 0.5F);
    x = oc_build_conv(&b, x, "classifier.1", classes, 1, 1, 0, 1, true, OC_INIT_NORMAL_001);
    x = oc_build_act(&b, x, "classifier.2", OC_OP_RELU);
    x = oc_build_global_pool(&b, x, "classifier.3");
    (void)oc_build_flatten(&b, x, "flatten");
    return oci_zoo_finish(&b, height, width, out, err);
}
