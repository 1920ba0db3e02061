/* Every network of the zoo, small: a training step of the fast engine against the reference, all
 * gradients finite; the same step to the same bytes again; a trained network saved, loaded and
 * imported without the loss of a bit.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "model/model.h"
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

/* ---- the same bytes ---------------------------------------------------------------------------
 */

static oc_plan *open_plan(const step *s, const oc_tensors *weights) {
    const oc_plan_options options = {.mode = OC_MODE_TRAIN,
                                     .batch = BATCH,
                                     .height = s->size,
                                     .width = s->size,
                                     .threads = 2,
                                     .seed = 1};
    oc_plan *plan = NULL;
    oc_error err = {0};
    check_ok(oc_plan_new(&plan, NULL, s->graph, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, weights, &err), err);
    return plan;
}

static oc_tensors *weights_of(const oc_plan *plan) {
    oc_tensors *set = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_new(&set, &err), err);
    check_ok(oc_plan_export(plan, OC_SLOT_WEIGHTS, set, &err), err);
    return set;
}

/* The weights after two updates. */
static oc_tensors *train(const step *s) {
    static const int32_t labels[BATCH] = {1, 3, 0};
    const oc_targets targets = {.label = labels};
    oc_update update = {.optimizer = OC_SGD, .lr = 1e-3F, .momentum = 0.9F, .clip_norm = 1};
    oc_plan *plan = open_plan(s, s->weights);
    oc_error err = {0};
    oc_result result;
    for (update.step = 1; update.step <= 2; update.step++) {
        check_ok(oc_plan_forward(plan, s->pixels, BATCH, update.step, &targets, &result, &err),
                 err);
        check_ok(oc_plan_backward(plan, &err), err);
        check_ok(oc_plan_update(plan, &update, &err), err);
    }
    oc_tensors *set = weights_of(plan);
    oc_plan_free(plan);
    return set;
}

/* All of `some` are in `all`, bit for bit. */
static void check_same(const oc_tensors *some, const oc_tensors *all) {
    assert_true(oc_tensors_count(some) > 0);
    for (size_t i = 0; i < oc_tensors_count(some); i++) {
        const oc_tensor *a = oc_tensors_at(some, i);
        const oc_tensor *b = oc_tensors_find(all, oc_tensors_name(some, i));
        assert_non_null(b);
        assert_true(oc_shape_equal(&a->shape, &b->shape));
        if (memcmp(a->data, b->data, oc_tensor_bytes(a)) != 0)
            fail_msg("'%s' is not the same", oc_tensors_name(some, i));
    }
}

static oc_model *model_of(const step *s, const oc_tensors *weights) {
    oc_model *model = NULL;
    oc_error err = {0};
    check_ok(oc_model_new(&model, &err), err);
    check_ok(oc_graph_copy(s->graph, &model->graph, &err), err);
    check_ok(oc_tensors_new(&model->weights, &err), err);
    for (size_t i = 0; i < oc_tensors_count(weights); i++) {
        check_ok(oc_tensors_add_view(model->weights, oc_tensors_name(weights, i),
                                     oc_tensors_at(weights, i), &err),
                 err);
    }
    model->recipe = oc_recipe_default(s->size, s->size);
    model->classes.items = oc_calloc(CLASSES, sizeof *model->classes.items);
    model->classes.count = CLASSES;
    for (int i = 0; i < CLASSES; i++) {
        char label[] = {(char)('a' + i), '\0'};
        model->classes.items[i].label = oc_strdup(label);
    }
    return model;
}

/* Saved, loaded, and through the engine's layouts and back. */
static void check_saving(const step *s, const oc_tensors *trained) {
    char folder[OC_PATH_BYTES];
    oc_error err = {0};
    oc_model *loaded = NULL, *model = model_of(s, trained);
    make_scratch(folder);
    check_ok(oc_model_save(model, folder, &err), err);
    check_ok(oc_model_load(&loaded, folder, &err), err);
    assert_int_equal(oc_tensors_count(loaded->weights), oc_graph_param_count(loaded->graph));
    check_same(loaded->weights, trained);
    oc_plan *plan = open_plan(s, trained);
    oc_tensors *back = weights_of(plan);
    check_same(trained, back);
    oc_plan_free(plan);
    oc_tensors_free(back);
    oc_model_free(loaded);
    oc_model_free(model);
    drop_scratch(folder);
}

static void bytes_are_the_same_again_and_after_saving(void **state) {
    step s;
    open_step(&s, *state);
    oc_tensors *once = train(&s), *again = train(&s);
    assert_int_equal(oc_tensors_count(once), oc_graph_param_count(s.graph));
    check_same(once, again);
    oc_tensors_free(again);
    check_saving(&s, once);
    oc_tensors_free(once);
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
    int failed = _cmocka_run_group_tests("a step of each network", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        tests[i].test_func = bytes_are_the_same_again_and_after_saving;
    return failed + _cmocka_run_group_tests("the same bytes", tests, count, NULL, NULL);
}
