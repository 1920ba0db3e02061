/* VGG-16 (Simonyan & Zisserman 2014, configuration D), layer names as torchvision's vgg16.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "zoo/zoo_int.h"

enum { STAGES = 5, HIDDEN = 4096 };

/* `count` times 3x3 convolution and ReLU, then a pool that halves the sides; *i counts modules. */
static int stage(oc_build *b, int x, int count, int out, int *i) {
    char name[OC_NAME_BYTES];
    for (int k = 0; k < count; k++) {
        x = oc_build_conv(b, x, oci_zoo_number(name, "features", (*i)++), out, 3, 1, 1, 1, true,
                          OC_INIT_KAIMING_FAN_OUT);
        x = oc_build_act(b, x, oci_zoo_number(name, "features", (*i)++), OC_OP_RELU);
    }
    return oc_build_max_pool(b, x, oci_zoo_number(name, "features", (*i)++), 2, 2, 0, false);
}

void oci_build_vgg16(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    static const int counts[STAGES] = {2, 2, 3, 3, 3}, outs[STAGES] = {64, 128, 256, 512, 512};
    int x = 0, i = 0;
    for (int s = 0; s < STAGES; s++) x = stage(b, x, counts[s], outs[s], &i);
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_dense(b, x, "classifier.0", HIDDEN, OC_INIT_NORMAL_001);
    x = oc_build_act(b, x, "classifier.1", OC_OP_RELU);
    x = oc_build_dropout(b, x, "classifier.2", 0.5F);
    x = oc_build_dense(b, x, "classifier.3", HIDDEN, OC_INIT_NORMAL_001);
    x = oc_build_act(b, x, "classifier.4", OC_OP_RELU);
    x = oc_build_dropout(b, x, "classifier.5", 0.5F);
    (void)oc_build_dense(b, x, "classifier.6", classes, OC_INIT_NORMAL_001);
}
