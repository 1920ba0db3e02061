/* SqueezeNet 1.0 and 1.1 (Iandola et al. 2016), layer names as torchvision's.
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
    int squeezed = conv_relu(b, x, oci_zoo_number(name, "features", i), "squeeze", squeeze, 1);
    int expanded[2];
    expanded[0] = conv_relu(b, squeezed, name, "expand1x1", expand, 1);
    expanded[1] = conv_relu(b, squeezed, name, "expand3x3", expand, 3);
    return oc_build_concat(b, expanded, 2, name);
}

static int pool(oc_build *b, int x, int i) {
    char name[OC_NAME_BYTES];
    return oc_build_max_pool(b, x, oci_zoo_number(name, "features", i), 3, 2, 0, true);
}

static int stem(oc_build *b, int out, int kernel) {
    int x = oc_build_conv(b, 0, "features.0", out, kernel, 2, 0, 1, true, OC_INIT_KAIMING_UNIFORM);
    return pool(b, oc_build_act(b, x, "features.1", OC_OP_RELU), 2);
}

/* The classifier is a convolution whose maps are averaged. */
static void classify(oc_build *b, int x, int classes) {
    x = oc_build_dropout(b, x, "classifier.0", 0.5F);
    x = oc_build_conv(b, x, "classifier.1", classes, 1, 1, 0, 1, true, OC_INIT_NORMAL_001);
    x = oc_build_act(b, x, "classifier.2", OC_OP_RELU);
    x = oc_build_global_pool(b, x, "classifier.3");
    (void)oc_build_flatten(b, x, "flatten");
}

void oci_build_squeezenet1_0(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    int x = stem(b, 96, 7);
    x = fire(b, x, 3, 16, 64);
    x = fire(b, x, 4, 16, 64);
    x = fire(b, x, 5, 32, 128);
    x = pool(b, x, 6);
    x = fire(b, x, 7, 32, 128);
    x = fire(b, x, 8, 48, 192);
    x = fire(b, x, 9, 48, 192);
    x = fire(b, x, 10, 64, 256);
    x = pool(b, x, 11);
    x = fire(b, x, 12, 64, 256);
    classify(b, x, classes);
}

void oci_build_squeezenet1_1(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    int x = stem(b, 64, 3);
    x = fire(b, x, 3, 16, 64);
    x = fire(b, x, 4, 16, 64);
    x = pool(b, x, 5);
    x = fire(b, x, 6, 32, 128);
    x = fire(b, x, 7, 32, 128);
    x = pool(b, x, 8);
    x = fire(b, x, 9, 48, 192);
    x = fire(b, x, 10, 48, 192);
    x = fire(b, x, 11, 64, 256);
    x = fire(b, x, 12, 64, 256);
    classify(b, x, classes);
}
