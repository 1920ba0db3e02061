/* The list of networks, looking one up by name, and telling whose weights a file holds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "zoo/zoo.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "zoo/zoo_int.h"

enum { ARCH_COUNT = 4, IMAGENET_CLASSES = 1000 };

static const oc_arch ARCHS[ARCH_COUNT] = {
    {.name = "mobilenet_v2",
     .summary = "MobileNetV2 1.0, 3.5 M parameters at 1000 classes (Sandler et al. 2018)",
     .size = 224,
     .build = oci_build_mobilenet_v2},
    {.name = "resnet18",
     .summary = "ResNet-18, 11.7 M parameters at 1000 classes (He et al. 2015)",
     .size = 224,
     .build = oci_build_resnet18},
    {.name = "squeezenet1_1",
     .summary = "SqueezeNet 1.1, 1.2 M parameters at 1000 classes (Iandola et al. 2016)",
     .size = 224,
     .build = oci_build_squeezenet1_1,
     /* without batch norm, SGD stays at chance for many epochs at any rate */
     .hints = {.optimizer = "adamw", .lr = 5e-4F}},
    {.name = "thesis",
     .summary =
         "small ConvNet for 75x75 photos, trained from scratch (UPC thesis 2016, Table 4.2.1)",
     .size = 75,
     .build = oci_build_thesis,
     .hints = {.optimizer = "adagrad",
               .lr = 0.01F,
               .momentum = 0.9F,
               .l2 = 5e-5F,
               .renormalise = true,
               .squash = true,
               .measure_mean = true}},
};

const oc_arch *oc_zoo_all(size_t *count) {
    *count = ARCH_COUNT;
    return ARCHS;
}

static int folded(char c) {
    return c == '-' ? '_' : tolower((unsigned char)c);
}

static bool same_name(const char *a, const char *b) {
    while (*a != '\0' && folded(*a) == folded(*b)) a++, b++;
    return *a == '\0' && *b == '\0';
}

static oc_status fail_unknown(const char *name, const char *const *names, oc_error *err) {
    const char *near = oc_suggest(name, names, ARCH_COUNT);
    char known[256] = "", meant[96] = "";
    for (size_t i = 0, used = 0; i < ARCH_COUNT && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                                 names[i]);
    }
    if (near != NULL) (void)snprintf(meant, sizeof meant, " (did you mean '%s'?)", near);
    return oc_fail(err, OC_ENOTFOUND, "there is no network '%s'%s: known are %s", name, meant,
                   known);
}

oc_status oc_zoo_find(const char *name, const oc_arch **out, oc_error *err) {
    const char *names[ARCH_COUNT];
    *out = NULL;
    for (size_t i = 0; i < ARCH_COUNT; i++) {
        names[i] = ARCHS[i].name;
        if (same_name(name, names[i])) *out = &ARCHS[i];
    }
    return *out != NULL ? OC_OK : fail_unknown(name, names, err);
}

/* ---- whose weights? ---------------------------------------------------------------------------
 */

/* Input channels and a dense layer behind a flatten follow the data, so only the outputs count. */
static bool same_layer(const oc_tensor *found, const oc_param *param) {
    return found->shape.rank == param->shape.rank && found->shape.dim[0] == param->shape.dim[0];
}

/* Parameters of the graph, its head left out, that `weights` holds; -1 when one is missing. */
static int count_held(const oc_graph *graph, const oc_tensors *weights) {
    int held = 0, head = oc_graph_head(graph);
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        if (param->node == head) continue;
        const oc_tensor *found = oc_tensors_find(weights, param->name);
        if (found == NULL || !same_layer(found, param)) return -1;
        held++;
    }
    return held;
}

/* Tensors of `weights` that are layers of a body: neither the graph's head nor torch's counters. */
static int count_body(const oc_graph *graph, const oc_tensors *weights) {
    int body = 0;
    const oc_node *head = oc_graph_node(graph, oc_graph_head(graph));
    for (size_t i = 0; i < oc_tensors_count(weights); i++) {
        const char *name = oc_tensors_name(weights, i);
        bool of_head = false;
        for (int k = 0; k < head->param_count; k++) {
            const oc_param *param = oc_graph_param(graph, head->first_param + k);
            of_head = of_head || strcmp(param->name, name) == 0;
        }
        if (!of_head && !oc_ends_with(name, ".num_batches_tracked")) body++;
    }
    return body;
}

static bool holds(const oc_tensors *weights, const oc_arch *arch) {
    oc_graph *graph;
    if (arch->build(&graph, 3, IMAGENET_CLASSES, arch->size, arch->size, NULL) != OC_OK) {
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
