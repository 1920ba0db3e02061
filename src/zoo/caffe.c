/* Nets of the Caffe era under the layer names of their published prototxt: bvlc_alexnet (the two
 * towers of Krizhevsky et al. 2012, as groups) and VGG_CNN_S (Chatfield et al. 2014). Both
 * normalise responses across channels.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "zoo/zoo_int.h"

enum { HIDDEN = 4096 };

typedef struct conv_size {
    int out, kernel, stride, pad, groups;
} conv_size;

/* "conv" and 3 are "conv3". */
static char *numbered(char storage[OC_NAME_BYTES], const char *word, int i) {
    (void)snprintf(storage, OC_NAME_BYTES, "%s%d", word, i);
    return storage;
}

static int conv(oc_build *b, int x, int i, conv_size size) {
    char name[OC_NAME_BYTES];
    x = oc_build_conv(b, x, numbered(name, "conv", i), size.out, size.kernel, size.stride, size.pad,
                      size.groups, true, OC_INIT_KAIMING_UNIFORM);
    return oc_build_act(b, x, numbered(name, "relu", i), OC_OP_RELU);
}

static int norm(oc_build *b, int x, int i, float alpha, float k) {
    char name[OC_NAME_BYTES];
    oc_attrs attrs = oc_attrs_default(OC_OP_LRN);
    attrs.alpha = alpha;
    attrs.k = k;
    return oc_build_node(b, OC_OP_LRN, numbered(name, "norm", i), &x, 1, &attrs);
}

/* fc6, fc7 with ReLU and dropout, fc8: the end of both nets. */
static void classifier(oc_build *b, int x, int classes) {
    x = oc_build_flatten(b, x, "flatten");
    for (int i = 6; i <= 7; i++) {
        char name[OC_NAME_BYTES];
        x = oc_build_dense(b, x, numbered(name, "fc", i), HIDDEN, OC_INIT_KAIMING_UNIFORM);
        x = oc_build_act(b, x, numbered(name, "relu", i), OC_OP_RELU);
        x = oc_build_dropout(b, x, numbered(name, "drop", i), 0.5F);
    }
    (void)oc_build_dense(b, x, "fc8", classes, OC_INIT_NORMAL_001);
}

void oci_build_bvlc_alexnet(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    int x = conv(b, 0, 1, (conv_size){96, 11, 4, 0, 1});
    x = norm(b, x, 1, 1e-4F, 1);
    x = oc_build_max_pool(b, x, "pool1", 3, 2, 0, true);
    x = conv(b, x, 2, (conv_size){256, 5, 1, 2, 2});
    x = norm(b, x, 2, 1e-4F, 1);
    x = oc_build_max_pool(b, x, "pool2", 3, 2, 0, true);
    x = conv(b, x, 3, (conv_size){384, 3, 1, 1, 1});
    x = conv(b, x, 4, (conv_size){384, 3, 1, 1, 2});
    x = conv(b, x, 5, (conv_size){256, 3, 1, 1, 2});
    x = oc_build_max_pool(b, x, "pool5", 3, 2, 0, true);
    classifier(b, x, classes);
}

/* CNN-S of Chatfield et al. 2014, as their VGG_CNN_S prototxt has it. */
void oci_build_vgg_s(oc_build *b, const oc_arch *arch, int classes) {
    (void)arch;
    int x = conv(b, 0, 1, (conv_size){96, 7, 2, 0, 1});
    x = norm(b, x, 1, 5e-4F, 2);
    x = oc_build_max_pool(b, x, "pool1", 3, 3, 0, true);
    x = conv(b, x, 2, (conv_size){256, 5, 1, 0, 1});
    x = oc_build_max_pool(b, x, "pool2", 2, 2, 0, true);
    for (int i = 3; i <= 5; i++) x = conv(b, x, i, (conv_size){512, 3, 1, 1, 1});
    x = oc_build_max_pool(b, x, "pool5", 3, 3, 0, true);
    classifier(b, x, classes);
}
