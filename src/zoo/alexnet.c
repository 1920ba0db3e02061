/* AlexNet in the form of one tower (Krizhevsky 2014), layer names as torchvision's alexnet.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "zoo/zoo_int.h"

/* Convolution and ReLU under the numbers i and i + 1 of `features`. */
static int conv_relu(oc_build *b, int x, int i, int out, int kernel, int stride, int pad) {
    char name[OC_NAME_BYTES];
    x = oc_build_conv(b, x, oci_zoo_number(name, "features", i), out, kernel, stride, pad, 1, true,
                      OC_INIT_KAIMING_UNIFORM);
    return oc_build_act(b, x, oci_zoo_number(name, "features", i + 1), OC_OP_RELU);
}

void oci_build_alexnet(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    int x = conv_relu(b, 0, 0, 64, 11, 4, 2);
    x = oc_build_max_pool(b, x, "features.2", 3, 2, 0, false);
    x = conv_relu(b, x, 3, 192, 5, 1, 2);
    x = oc_build_max_pool(b, x, "features.5", 3, 2, 0, false);
    x = conv_relu(b, x, 6, 384, 3, 1, 1);
    x = conv_relu(b, x, 8, 256, 3, 1, 1);
    x = conv_relu(b, x, 10, 256, 3, 1, 1);
    x = oc_build_max_pool(b, x, "features.12", 3, 2, 0, false);
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_dropout(b, x, "classifier.0", 0.5F);
    x = oc_build_dense(b, x, "classifier.1", 4096, OC_INIT_KAIMING_UNIFORM);
    x = oc_build_act(b, x, "classifier.2", OC_OP_RELU);
    x = oc_build_dropout(b, x, "classifier.3", 0.5F);
    x = oc_build_dense(b, x, "classifier.4", 4096, OC_INIT_KAIMING_UNIFORM);
    x = oc_build_act(b, x, "classifier.5", OC_OP_RELU);
    (void)oc_build_dense(b, x, "classifier.6", classes, OC_INIT_NORMAL_001);
}
