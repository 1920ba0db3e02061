/* One training step of every network of the zoo, small: the fast engine against the reference, all
 * gradients finite.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "engine/engine.h"
#include "zoo/zoo.h"

enum { BATCH = 3, CLASSES = 5, SMALLEST = 48 };

/* A ReLU or a maximum near its corner falls to the other side in another order of sums, and batch
 * norm over a few values makes the difference large: how far two right results may be apart depends
 * on the net. So the distance of whole gradients over their norm is held against what a change of
 * the pixels by NUDGE of their size makes of them in one and the same engine. */
static const double LOSS_TOLERANCE = 1e-5, GRADIENT_TOLERANCE = 1e-3;
static const float NUDGE = 2e-6F;

typedef struct step {
    oc_graph *graph;
    oc_tensors *weights;
    float *pixels;
    int size;
} step;

static void open_step(step *s, const oc_arch *arch) {
    oc_error err = {0};
    oc_rng rng;
    s->size = SMALLEST;
    while (oc_arch_build(arch, &s->graph, 3, CLASSES, s->size, s->size, &err) != OC_OK) {
        assert_true(s->size++ < arch->size);
    }
    check_ok(oc_tensors_new(&s->weights, &err), err);
    check_ok(oc_graph_init(s->graph, 1, s->weights, &err), err);
    size_t count = (size_t)(BATCH * 3 * s->size * s->size);
    s->pixels = test_malloc(count * sizeof *s->pixels);
    oc_rng_init(&rng, 2, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < count; i++) s->pixels[i] = oc_rng_normal(&rng);
}

static void close_step(step *s) {
    oc_graph_free(s->graph);
    oc_tensors_free(s->weights);
    test_free(s->pixels);
}

/* Forward and backward; the gradients are the caller's. */
static oc_tensors *run(const step *s, const char *engine, double *loss) {
    static const int32_t labels[BATCH] = {0, 4, 2};
    const oc_targets targets = {.label = labels};
    const oc_plan_options options = {.mode = OC_MODE_TRAIN,
                                     .batch = BATCH,
                                     .height = s->size,
                                     .width = s->size,
                                     .threads = 2,
                                     .seed = 1};
    oc_plan *plan = NULL;
    oc_result result;
    oc_tensors *grads = NULL;
    oc_error err = {0};
    check_ok(oc_plan_new(&plan, engine, s->graph, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, s->weights, &err), err);
    check_ok(oc_plan_forward(plan, s->pixels, BATCH, 1, &targets, &result, &err), err);
    check_ok(oc_plan_backward(plan, &err), err);
    check_ok(oc_tensors_new(&grads, &err), err);
    check_ok(oc_plan_export(plan, OC_SLOT_GRADS, grads, &err), err);
    oc_plan_free(plan);
    *loss = result.loss;
    return grads;
}

/* Norm of a - b over that of b. */
static double distance(const oc_tensors *a, const oc_tensors *b) {
    double apart = 0, norm = 0;
    assert_int_equal(oc_tensors_count(a), oc_tensors_count(b));
    for (size_t i = 0; i < oc_tensors_count(b); i++) {
        const oc_tensor *t = oc_tensors_at(b, i);
        const float *x = oc_tensors_find(a, oc_tensors_name(b, i))->data, *y = t->data;
        for (size_t k = 0; k < oc_tensor_count(t); k++) {
            apart += pow((double)x[k] - (double)y[k], 2);
            norm += pow((double)y[k], 2);
        }
    }
    assert_true(norm > 0 && isfinite(norm));
    return sqrt(apart / norm);
}

static void nudge(step *s) {
    oc_rng rng;
    oc_rng_init(&rng, 3, OC_RNG_TEST, 0, 0);
    size_t count = (size_t)(BATCH * 3 * s->size * s->size);
    for (size_t i = 0; i < count; i++) s->pixels[i] += NUDGE * oc_rng_normal(&rng);
}

static void a_step_agrees_with_the_reference(void **state) {
    const oc_arch *arch = *state;
    step s;
    double wanted_loss, got_loss, nudged_loss;
    open_step(&s, arch);
    oc_tensors *wanted = run(&s, "ref", &wanted_loss), *got = run(&s, NULL, &got_loss);
    nudge(&s);
    oc_tensors *nudged = run(&s, NULL, &nudged_loss);
    double apart = distance(got, wanted), give = distance(nudged, got);
    double loss_apart = fabs(got_loss - wanted_loss), loss_give = fabs(nudged_loss - got_loss);
    print_message("%s at %d: gradients apart by %.2g (nudged %.2g), loss by %.2g (%.2g)\n",
                  arch->name, s.size, apart, give, loss_apart, loss_give);
    assert_true(loss_apart <= fmax(LOSS_TOLERANCE * fmax(1, wanted_loss), 4 * loss_give));
    assert_true(apart <= fmax(GRADIENT_TOLERANCE, 4 * give));
    assert_true(give < 0.5); /* or the comparison says nothing */
    oc_tensors_free(wanted);
    oc_tensors_free(got);
    oc_tensors_free(nudged);
    close_step(&s);
}

int main(void) {
    enum { MOST = 64 };
    static struct CMUnitTest tests[MOST];
    size_t count;
    const oc_arch *all = oc_zoo_all(&count);
    for (size_t i = 0; i < count && i < MOST; i++) {
        tests[i] = (struct CMUnitTest){.name = all[i].name,
                                       .test_func = a_step_agrees_with_the_reference,
                                       .initial_state = (void *)(uintptr_t)&all[i]};
    }
    return _cmocka_run_group_tests("a step of each network", tests, count, NULL, NULL);
}
