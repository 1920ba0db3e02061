/* Every network of the zoo, quantised: the fast engine, which works on bytes, against the
 * reference, which rounds floats; and both against the float network.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <math.h>

#include "zoo/zoo.h"

enum { BATCH = 4, CLASSES = 5, SMALLEST = 48, CALLS = 2, SETTLING = 30 };

/* A sum that lies half-way between two levels falls to either side by its last bit, and what reads
 * it passes that on; the float network is a level or so away in every value. Distances are those of
 * all logits from their mean, over their norm. Weights are random, so that nothing that training
 * does keeps the noise down: a net whose bytes are wrong is 1 and more away. */
static const double SAME_ROUNDING = 0.12, ROUNDED = 0.35, VANISHED = 1e-6;

typedef struct photos {
    float *pixels;
    int calls;
} photos;

static oc_status feed(void *ctx, const float **pixels, int *n, oc_error *err) {
    (void)err;
    photos *p = ctx;
    *pixels = p->pixels;
    *n = p->calls++ < CALLS ? BATCH : 0;
    return OC_OK;
}

static oc_model *open_model(const oc_arch *arch, int *size) {
    oc_error err = {0};
    oc_model *m = NULL;
    check_ok(oc_model_new(&m, &err), err);
    *size = SMALLEST;
    while (oc_arch_build(arch, &m->graph, 3, CLASSES, *size, *size, &err) != OC_OK) {
        assert_true((*size)++ < arch->size);
    }
    check_ok(oc_tensors_new(&m->weights, &err), err);
    check_ok(oc_graph_init(m->graph, 1, m->weights, &err), err);
    m->recipe = oc_recipe_default(*size, *size);
    tiny_classes(&m->classes, CLASSES);
    return m;
}

static double norm_of(const float *logits) {
    double sum = 0;
    for (int i = 0; i < BATCH * CLASSES; i++) sum += pow((double)logits[i], 2);
    return sqrt(sum);
}

/* A ReLU at the end leaves little of what random weights give: too few values to judge by. */
static int zeros_of(const float *logits) {
    int zeros = 0;
    for (int i = 0; i < BATCH * CLASSES; i++) zeros += logits[i] == 0;
    return zeros;
}

/* Batch norms get statistics that fit, by training forwards alone: with fresh ones the values of
 * nets with many depthwise layers vanish. */
static void settle(oc_model *m, const float *pixels, int size) {
    static const int32_t labels[BATCH] = {0};
    const oc_targets targets = {.label = labels};
    const oc_plan_options o = {
        .mode = OC_MODE_TRAIN, .batch = BATCH, .height = size, .width = size, .threads = 2};
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_result result;
    check_ok(oc_plan_new(&plan, NULL, m->graph, &o, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, m->weights, &err), err);
    for (uint64_t i = 0; i < SETTLING; i++)
        check_ok(oc_plan_forward(plan, pixels, BATCH, i, &targets, &result, &err), err);
    check_ok(oc_plan_export(plan, OC_SLOT_WEIGHTS, m->weights, &err), err);
    oc_plan_free(plan);
}

static float *logits_of(const oc_model *m, const char *engine, const float *pixels) {
    oc_error err = {0};
    oc_plan *plan = NULL;
    float *out = test_malloc(BATCH * CLASSES * sizeof *out);
    check_ok(oc_model_plan(m, engine, 2, BATCH, &plan, &err), err);
    check_ok(oc_plan_forward(plan, pixels, BATCH, 0, NULL, NULL, &err), err);
    memcpy(out, oc_plan_output(plan), BATCH * CLASSES * sizeof *out);
    oc_plan_free(plan);
    return out;
}

static double distance(const float *a, const float *b) {
    double apart = 0, norm = norm_of(b);
    for (int i = 0; i < BATCH * CLASSES; i++) apart += pow((double)a[i] - (double)b[i], 2);
    assert_true(norm > 0 && isfinite(norm));
    return sqrt(apart) / norm;
}

static void bytes_agree_with_the_reference(void **state) {
    const oc_arch *arch = *state;
    oc_error err = {0};
    oc_rng rng;
    int size = 0;
    oc_model *model = open_model(arch, &size), *int8 = NULL;
    size_t count = (size_t)(BATCH * 3 * size * size);
    photos p = {.pixels = test_malloc(count * sizeof(float))};
    oc_rng_init(&rng, 2, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < count; i++) p.pixels[i] = oc_rng_normal(&rng);
    float *plain = logits_of(model, NULL, p.pixels);
    if (norm_of(plain) < VANISHED) {
        settle(model, p.pixels, size);
        test_free(plain);
        plain = logits_of(model, NULL, p.pixels);
    }
    const oc_quantize_options how = {.threads = 2, .photos = feed, .ctx = &p};
    check_ok(oc_model_quantize(&int8, model, &how, &err), err);
    float *got = logits_of(int8, NULL, p.pixels), *wanted = logits_of(int8, "ref", p.pixels);
    double same = distance(got, wanted), rounded = distance(got, plain);
    print_message("%s at %d: apart by %.3f, from floats by %.3f\n", arch->name, size, same,
                  rounded);
    assert_true(same <= SAME_ROUNDING);
    assert_true(rounded <= ROUNDED || zeros_of(plain) > BATCH * CLASSES / 2);
    test_free(plain);
    test_free(got);
    test_free(wanted);
    test_free(p.pixels);
    oc_model_free(model);
    oc_model_free(int8);
}

int main(void) {
    enum { MOST = 64 };
    static struct CMUnitTest tests[MOST];
    size_t count;
    const oc_arch *all = oc_zoo_all(&count);
    assert_true(count <= MOST);
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest){.name = all[i].name,
                                       .test_func = bytes_agree_with_the_reference,
                                       .initial_state = (void *)(uintptr_t)&all[i]};
    }
    return _cmocka_run_group_tests("int8 networks", tests, count, NULL, NULL);
}
