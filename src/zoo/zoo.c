/* The list of networks, and telling whose weights a file holds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "zoo/zoo.h"

#include <string.h>

#include "zoo/zoo_int.h"

enum { IMAGENET_CLASSES = 1000 };

#define MOBILENET_V1(factor, text)                                                                 \
    {                                                                                              \
        .name = "mobilenet_v1" text, .summary = "MobileNet" text " (Howard et al. 2017)",          \
        .size = 224, .width = (factor), .layers = oci_build_mobilenet_v1                           \
    }
#define MOBILENET_V2(factor, text)                                                                 \
    {                                                                                              \
        .name = "mobilenet_v2" text, .summary = "MobileNetV2" text " (Sandler et al. 2018)",       \
        .size = 224, .width = (factor), .layers = oci_build_mobilenet_v2                           \
    }
#define RESNET(layer_count, text)                                                                  \
    {                                                                                              \
        .name = "resnet" text, .summary = "ResNet-" text " (He et al. 2015)", .size = 224,         \
        .depth = (layer_count), .layers = oci_build_resnet                                         \
    }

/* Without batch norm, SGD stays at chance for many epochs at any rate. */
#define NO_BATCH_NORM .hints = {.optimizer = "adamw", .lr = 5e-4F}

static const oc_arch ARCHS[] = {
    MOBILENET_V2(1, ""),
    MOBILENET_V2(0.35F, "_0.35"),
    MOBILENET_V2(0.5F, "_0.5"),
    MOBILENET_V2(0.75F, "_0.75"),
    MOBILENET_V2(1.4F, "_1.4"),
    MOBILENET_V1(1, ""),
    MOBILENET_V1(0.25F, "_0.25"),
    MOBILENET_V1(0.5F, "_0.5"),
    MOBILENET_V1(0.75F, "_0.75"),
    RESNET(18, "18"),
    RESNET(34, "34"),
    RESNET(50, "50"),
    RESNET(101, "101"),
    {.name = "squeezenet1_0",
     .summary = "SqueezeNet 1.0 (Iandola et al. 2016)",
     .size = 224,
     .layers = oci_build_squeezenet1_0,
     NO_BATCH_NORM},
    {.name = "squeezenet1_1",
     .summary = "SqueezeNet 1.1, for half the cost of 1.0 (Iandola et al. 2016)",
     .size = 224,
     .layers = oci_build_squeezenet1_1,
     NO_BATCH_NORM},
    {.name = "googlenet",
     .summary = "GoogLeNet, Inception v1 with batch norm (Szegedy et al. 2015)",
     .size = 224,
     .layers = oci_build_googlenet},
    {.name = "googlenet_aux",
     .summary = "GoogLeNet with its two auxiliary heads, which serve training alone",
     .size = 224,
     .without_aux = "googlenet",
     .layers = oci_build_googlenet},
    {.name = "bn_inception",
     .summary = "BN-Inception, Inception v2 (Ioffe & Szegedy 2015)",
     .size = 224,
     .layers = oci_build_bn_inception},
    {.name = "alexnet",
     .summary = "AlexNet in one tower (Krizhevsky 2014)",
     .size = 224,
     .layers = oci_build_alexnet,
     NO_BATCH_NORM},
    {.name = "bvlc_alexnet",
     .summary = "AlexNet with two towers and LRN, as Caffe's (Krizhevsky et al. 2012)",
     .size = 227,
     .layers = oci_build_bvlc_alexnet,
     NO_BATCH_NORM},
    {.name = "vgg16",
     .summary = "VGG-16, configuration D (Simonyan & Zisserman 2014)",
     .size = 224,
     .layers = oci_build_vgg16,
     NO_BATCH_NORM},
    {.name = "vgg_s",
     .summary = "CNN-S, as Caffe's VGG_CNN_S (Chatfield et al. 2014)",
     .size = 224,
     .layers = oci_build_vgg_s,
     NO_BATCH_NORM},
    {.name = "thesis",
     .summary = "small ConvNet for 75x75 photos, for training from scratch (UPC thesis 2016, Table "
                "4.2.1)",
     .size = 75,
     .layers = oci_build_thesis,
     .hints = {.optimizer = "adagrad",
               .lr = 0.01F,
               .momentum = 0.9F,
               .l2 = 5e-5F,
               .renormalise = true,
               .squash = true,
               .measure_mean = true}},
};
enum { ARCH_COUNT = sizeof ARCHS / sizeof *ARCHS };

const oc_arch *oc_zoo_all(size_t *count) {
    *count = ARCH_COUNT;
    return ARCHS;
}

/* ---- whose weights? ---------------------------------------------------------------------------
 */

/* Input channels and a dense layer behind a flatten follow the data, so only the outputs count. */
static bool same_layer(const oc_tensor *found, const oc_param *param) {
    return found->shape.rank == param->shape.rank && found->shape.dim[0] == param->shape.dim[0];
}

/* Parameters of the graph, its head left out, that `weights` holds; -1 when one is missing. */
static int count_held(const oc_graph *graph, const oc_tensors *weights) {
    int held = 0;
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        if (oc_graph_is_head(graph, param->node)) continue;
        const oc_tensor *found = oc_tensors_find(weights, param->name);
        if (found == NULL || !same_layer(found, param)) return -1;
        held++;
    }
    return held;
}

/* Tensors of `weights` that are layers of a body: neither the graph's heads nor torch's counters.
 */
static int count_body(const oc_graph *graph, const oc_tensors *weights) {
    int body = 0;
    for (size_t i = 0; i < oc_tensors_count(weights); i++) {
        body += !oc_ends_with(oc_tensors_name(weights, i), ".num_batches_tracked");
    }
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        if (oc_tensors_find(weights, param->name) == NULL) continue;
        body -= oc_graph_is_head(graph, param->node);
    }
    return body;
}

static bool holds(const oc_tensors *weights, const oc_arch *arch) {
    oc_graph *graph;
    if (oc_arch_build(arch, &graph, 3, IMAGENET_CLASSES, arch->size, arch->size, NULL) != OC_OK) {
        return false;
    }
    bool all = count_held(graph, weights) == count_body(graph, weights);
    oc_graph_free(graph);
    return all;
}

const oc_arch *oc_zoo_recognise(const oc_tensors *weights) {
    for (size_t i = 0; i < ARCH_COUNT; i++) {
        if (holds(weights, &ARCHS[i])) return &ARCHS[i];
    }
    return NULL;
}
