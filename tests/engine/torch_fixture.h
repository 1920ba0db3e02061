/* Weights and pixels made from names, as make_torch_fixtures.py makes them; networks of the zoo
 * whose dropout drops nothing, since its draws are not torch's.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_ENGINE_TORCH_FIXTURE_H
#define OC_TESTS_ENGINE_TORCH_FIXTURE_H

#include "../check.h"

#include <math.h>

#include "engine/engine.h"
#include "zoo/zoo.h"

static inline uint32_t name_seed(const char *name) {
    uint32_t seed = 2166136261U;
    for (; *name != '\0'; name++) seed = (seed ^ (uint8_t)*name) * 16777619U;
    return seed;
}

/* -1..1 */
static inline double hashed(uint32_t seed, size_t i) {
    uint32_t x = (uint32_t)i * 2654435761U + seed;
    x = (x ^ (x >> 16)) * 0x7FEB352DU;
    x = (x ^ (x >> 15)) * 0x846CA68BU;
    return (double)(x ^ (x >> 16)) * 0x1p-31 - 1;
}

static inline double fresh(const oc_param *p, double u) {
    switch (p->kind) {
    case OC_PARAM_WEIGHT:
        return u * sqrt(3.0 / (double)p->fan_in);
    case OC_PARAM_SCALE:
        return 1 + 0.25 * u;
    case OC_PARAM_MEAN:
        return 0;
    case OC_PARAM_VAR:
        return 1;
    default:
        return 0.1 * u;
    }
}

static inline oc_tensors *fresh_weights(const oc_graph *graph) {
    oc_error err = {0};
    oc_tensors *set = NULL;
    check_ok(oc_tensors_new(&set, &err), err);
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *p = oc_graph_param(graph, i);
        oc_tensor *t = NULL;
        check_ok(oc_tensors_add(set, p->name, OC_F32, &p->shape, &t, &err), err);
        uint32_t seed = name_seed(p->name);
        for (size_t k = 0; k < oc_tensor_count(t); k++) {
            ((float *)t->data)[k] = (float)fresh(p, hashed(seed, k));
        }
    }
    return set;
}

/* `count` pixels of step `step`. */
static inline void fresh_pixels(float *pixels, size_t count, int step) {
    char name[32];
    (void)snprintf(name, sizeof name, "pixels%d", step);
    uint32_t seed = name_seed(name);
    for (size_t i = 0; i < count; i++) pixels[i] = (float)hashed(seed, i);
}

static inline void fresh_labels(int32_t *labels, int count, int step, int classes) {
    for (int i = 0; i < count; i++) labels[i] = (3 * i + step) % classes;
}

static inline oc_graph *zoo_graph(const char *name, int classes, int size) {
    oc_error err = {0};
    const oc_arch *arch = NULL;
    oc_graph *built = NULL, *graph = NULL;
    check_ok(oc_zoo_find(name, &arch, &err), err);
    check_ok(oc_arch_build(arch, &built, 3, classes, size, size, &err), err);
    check_ok(oc_graph_new(&graph, &err), err);
    for (int i = 0; i < oc_graph_node_count(built); i++) {
        const oc_node *node = oc_graph_node(built, i);
        oc_attrs attrs = node->attrs;
        if (node->op == OC_OP_DROPOUT) attrs.p = 0;
        check_ok(oc_graph_add(graph, node->op, node->name, node->inputs, node->input_count, &attrs,
                              NULL, &err),
                 err);
    }
    oc_graph_free(built);
    return graph;
}

#endif
