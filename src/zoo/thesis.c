/* The small ConvNet of a 2016 UPC thesis on landscape photos (Table 4.2.1): three times convolution
 * and pooling, one hidden dense layer, for 75x75 colour images.
 *
 * 75 -> conv4/2 36 -> pool 18 -> conv5 14 -> pool 7 -> conv5 3 -> pool 1: 70 values a photo.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

/* Layer number `i` of three: convolution, ReLU, and the pool that halves the sides. */
static int conv_pool(oc_build *b, int x, int i, int out, int kernel, int stride) {
    char name[OC_NAME_BYTES];
    (void)snprintf(name, sizeof name, "cnn%d", i);
    x = oc_build_conv(b, x, name, out, kernel, stride, 0, 1, true, OC_INIT_XAVIER);
    (void)snprintf(name, sizeof name, "relu%d", i);
    x = oc_build_act(b, x, name, OC_OP_RELU);
    (void)snprintf(name, sizeof name, "pool%d", i);
    return oc_build_max_pool(b, x, name, 2, 2, 0, false);
}

void oci_build_thesis(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    int x = conv_pool(b, 0, 1, 20, 4, 2);
    x = conv_pool(b, x, 2, 40, 5, 1);
    x = conv_pool(b, x, 3, 70, 5, 1);
    x = oc_build_flatten(b, x, "flatten");
    x = oc_build_dense(b, x, "ffn1", 200, OC_INIT_XAVIER);
    x = oc_build_act(b, x, "relu4", OC_OP_RELU);
    x = oc_build_dropout(b, x, "dropout", 0.5F);
    (void)oc_build_dense(b, x, "output", classes, OC_INIT_XAVIER);
}
