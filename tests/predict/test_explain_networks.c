/* Every network of the zoo can be explained: the gradient that weighs the map is the change of the
 * class' logit, by finite differences through the network behind the map; and so can a quantised
 * one.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../model/tiny.h"

#include <math.h>

#include "predict/predict_int.h"
#include "zoo/zoo.h"

enum { CLASSES = 5, SMALLEST = 64, WAYS = 3, LABEL = 2, PHOTOS = 4 };

/* Of a difference quotient in float, across the corners of ReLUs and largest values of pools. */
static const double bent = 0.03;

static oc_model *open_model(const oc_arch *arch) {
    oc_error err = {0};
    oc_model *m = NULL;
    int size = SMALLEST;
    check_ok(oc_model_new(&m, &err), err);
    while (oc_arch_build(arch, &m->graph, 3, CLASSES, size, size, &err) != OC_OK)
        assert_true(size++ < arch->size);
    check_ok(oc_tensors_new(&m->weights, &err), err);
    check_ok(oc_graph_init(m->graph, 1, m->weights, &err), err);
    m->recipe = oc_recipe_default(size, size);
    tiny_classes(&m->classes, CLASSES);
    return m;
}

static float *noise(size_t count, uint32_t stream) {
    oc_rng rng;
    float *values = oc_calloc(count, sizeof *values);
    assert_non_null(values);
    oc_rng_init(&rng, 5, OC_RNG_TEST, stream, 0);
    for (size_t i = 0; i < count; i++) values[i] = oc_rng_normal(&rng);
    return values;
}

static float *pixels_of(const oc_model *m) {
    return noise(3 * (size_t)m->recipe.height * (size_t)m->recipe.width, 1);
}

/* The network behind the map, as it answers photos. */
static oc_plan *rest_plan(const oc_model *m, const oc_explainer *e) {
    oc_graph *body = NULL, *rest = NULL;
    oc_plan *plan = NULL;
    oc_error err = {0};
    const oc_plan_options options = {
        .batch = 1, .height = e->height, .width = e->width, .threads = 1};
    check_ok(oc_graph_split(m->graph, oc_graph_find(m->graph, e->layer), m->recipe.height,
                            m->recipe.width, &body, &rest, &err),
             err);
    check_ok(oc_plan_new(&plan, NULL, rest, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, m->weights, &err), err);
    oc_graph_free(body);
    oc_graph_free(rest);
    return plan;
}

/* The class' logit where way[k] * step is added to each value of channel k. */
static double logit_at(oc_plan *rest, const oc_explainer *e, const float *map, const float *way,
                       double step) {
    size_t area = (size_t)e->height * (size_t)e->width;
    float *input = oc_plan_input(rest);
    oc_error err = {0};
    for (size_t i = 0; i < (size_t)e->channels * area; i++)
        input[i] = (float)((double)map[i] + step * (double)way[i / area]);
    check_ok(oc_plan_forward(rest, NULL, 1, 0, NULL, NULL, &err), err);
    return (double)oc_plan_output(rest)[LABEL];
}

static double size_of(const float *map, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += pow((double)map[i], 2);
    return sqrt(sum / (double)count);
}

static void check_way(oc_plan *rest, const oc_explainer *e, const float *map, uint32_t number) {
    size_t channels = (size_t)e->channels, count = channels * (size_t)e->height * (size_t)e->width;
    float *way = noise(channels, 10 + number);
    double step = 2e-4 * size_of(map, count), told = 0, scale = 0;
    double seen =
        (logit_at(rest, e, map, way, step) - logit_at(rest, e, map, way, -step)) / 2 / step;
    for (size_t k = 0; k < channels; k++) {
        told -= (double)e->grad[k] * (double)way[k];
        scale += pow((double)e->grad[k], 2);
    }
    if (!(fabs(told - seen) <= bent * sqrt(scale)))
        fail_msg("the gradient says %g, the network %g", told, seen);
    oc_free(way);
}

static void check_network(const oc_arch *arch) {
    oc_model *m = open_model(arch);
    oc_explainer *e = NULL;
    oc_heat heat;
    oc_error err = {0};
    float *pixels = pixels_of(m);
    check_ok(oc_explainer_new(&e, m, NULL, 1, &err), err);
    print_message("%s: %s, %d x %d x %d\n", arch->name, e->layer, e->channels, e->height, e->width);
    check_ok(oc_explain_pixels(e, pixels, LABEL, &heat, &err), err);
    oc_plan *rest = rest_plan(m, e);
    for (uint32_t i = 0; i < WAYS; i++) check_way(rest, e, oc_plan_output(e->body), i);
    oc_plan_free(rest);
    oc_explainer_free(e);
    oc_free(pixels);
    oc_model_free(m);
}

static void the_gradient_of_every_network_is_its_logits_change(void **state) {
    (void)state;
    size_t count = 0;
    const oc_arch *all = oc_zoo_all(&count);
    for (size_t i = 0; i < count; i++) check_network(&all[i]);
}

/* ---- int8 -------------------------------------------------------------------------------------
 */

typedef struct photos {
    float *pixels;
    int calls;
} photos;

static oc_status feed(void *ctx, const float **pixels, int *n, oc_error *err) {
    (void)err;
    photos *p = ctx;
    *pixels = p->pixels;
    *n = p->calls++ < PHOTOS;
    return OC_OK;
}

static double likeness(const float *a, const float *b, int count) {
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < count; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += pow((double)a[i], 2);
        bb += pow((double)b[i], 2);
    }
    return ab / sqrt(aa * bb);
}

static oc_explainer *explain(const oc_model *m, const float *pixels, int label) {
    oc_explainer *e = NULL;
    oc_heat heat;
    oc_error err = {0};
    check_ok(oc_explainer_new(&e, m, NULL, 1, &err), err);
    check_ok(oc_explain_pixels(e, pixels, label, &heat, &err), err);
    return e;
}

/* Random weights may leave a class without any way to its logit. */
static int live_label(const oc_model *m, const float *pixels) {
    for (int label = 0; label < CLASSES; label++) {
        oc_explainer *e = explain(m, pixels, label);
        double size = size_of(e->grad, (size_t)e->channels);
        oc_explainer_free(e);
        if (size > 0) return label;
    }
    fail_msg("no class has a gradient");
    return 0;
}

static void check_int8(const char *name) {
    const oc_arch *arch = NULL;
    oc_model *m = NULL, *int8 = NULL;
    oc_error err = {0};
    check_ok(oc_zoo_find(name, &arch, &err), err);
    m = open_model(arch);
    photos p = {.pixels = pixels_of(m)};
    const oc_quantize_options how = {.threads = 1, .batch = 1, .photos = feed, .ctx = &p};
    check_ok(oc_model_quantize(&int8, m, &how, &err), err);
    int label = live_label(m, p.pixels);
    oc_explainer *before = explain(m, p.pixels, label), *after = explain(int8, p.pixels, label);
    assert_int_equal(before->channels, after->channels);
    assert_true(likeness(before->grad, after->grad, before->channels) > 0.9);
    oc_explainer_free(before);
    oc_explainer_free(after);
    oc_free(p.pixels);
    oc_model_free(m);
    oc_model_free(int8);
}

static void quantised_networks_are_explained_too(void **state) {
    (void)state;
    check_int8("squeezenet1_1");
    check_int8("resnet18");
    check_int8("alexnet");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_of_every_network_is_its_logits_change),
        cmocka_unit_test(quantised_networks_are_explained_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
