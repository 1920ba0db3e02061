/* Every engine that is built in against the reference, for every case: loss, output and gradients;
 * three steps of each optimizer and what the trained net then infers.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

#include <math.h>

/* Engines sum in float and in their own order: each sum of up to some thousand terms is right to
 * about 1e-6 of its largest term, and passes through a dozen layers. Gradients go through twice as
 * many, and batch norm subtracts nearly equal numbers. Optimisers that divide by the size of the
 * gradient (epsilon 1e-3 here) carry a small gradient's error into a full step. */
static const double LOSS_TOLERANCE = 1e-5, OUTPUT_TOLERANCE = 5e-5, GRADIENT_TOLERANCE = 5e-4,
                    TRAINED_TOLERANCE = 1e-3;
enum { STEPS = 3 };

typedef struct pair {
    const engine_case *spec;
    const char *engine;
    char name[96];
} pair;

static void check_outputs(oc_plan *got, oc_plan *wanted, const bench *b, int n, double tolerance,
                          const char *what) {
    double d = difference(oc_plan_output(got), oc_plan_output(wanted), (size_t)n * b->classes);
    if (!(d <= tolerance)) fail_msg("%s: outputs differ by %g, allowed is %g", what, d, tolerance);
}

static void check_slots(oc_plan *got, oc_plan *wanted, oc_slot slot, double tolerance,
                        const char *what) {
    oc_tensors *a = export_slot(got, slot), *b = export_slot(wanted, slot);
    check_sets_close(a, b, tolerance, what);
    oc_tensors_free(a);
    oc_tensors_free(b);
}

static void loss_and_gradients_agree(void **state) {
    const pair *p = *state;
    bench b;
    bench_open(&b, p->spec);
    oc_plan *wanted = bench_plan(&b, "ref", OC_MODE_TRAIN);
    oc_plan *got = bench_plan(&b, p->engine, OC_MODE_TRAIN);
    for (uint64_t step = 1; step <= 2; step++) {
        oc_result r = bench_step(&b, wanted, step), s = bench_step(&b, got, step);
        if (!(fabs(r.loss - s.loss) <= LOSS_TOLERANCE * fmax(1, r.loss))) {
            fail_msg("loss %.8f, wanted %.8f", s.loss, r.loss);
        }
        assert_true(fabs(r.aux - s.aux) <= LOSS_TOLERANCE * fmax(1, r.aux));
        assert_int_equal(s.correct, r.correct);
        check_outputs(got, wanted, &b, b.spec->n, OUTPUT_TOLERANCE, "training");
        check_slots(got, wanted, OC_SLOT_GRADS, GRADIENT_TOLERANCE, "gradient");
        check_slots(got, wanted, OC_SLOT_WEIGHTS, OUTPUT_TOLERANCE, "statistics");
        bench_next_batch(&b, 100 + step);
    }
    oc_plan_free(wanted);
    oc_plan_free(got);
    bench_close(&b);
}

/* With scales per parameter, so that an engine that mixes them up is seen. */
static void update(const bench *b, oc_plan *plan, const oc_update *how) {
    enum { MOST = 128 };
    float lr_scale[MOST], decay_scale[MOST];
    oc_error err = {0};
    assert_true(oc_graph_param_count(b->graph) <= MOST);
    for (int i = 0; i < oc_graph_param_count(b->graph); i++) {
        lr_scale[i] = i % 3 == 1 ? 2 : 1;
        decay_scale[i] = i % 2 == 1 ? 0 : 1;
    }
    oc_update u = *how;
    u.lr_scale = lr_scale;
    u.decay_scale = decay_scale;
    check_ok(oc_plan_update(plan, &u, &err), err);
}

static void check_inference(const bench *b, const oc_plan *trained, const pair *p, int n) {
    oc_error err = {0};
    bench after = *b;
    after.weights = export_slot(trained, OC_SLOT_WEIGHTS);
    oc_plan *wanted = bench_plan(&after, "ref", OC_MODE_INFER);
    oc_plan *got = bench_plan(&after, p->engine, OC_MODE_INFER);
    check_ok(oc_plan_forward(wanted, b->pixels, n, 0, NULL, NULL, &err), err);
    check_ok(oc_plan_forward(got, b->pixels, n, 0, NULL, NULL, &err), err);
    check_outputs(got, wanted, b, n, OUTPUT_TOLERANCE, "inference");
    oc_plan_free(wanted);
    oc_plan_free(got);
    oc_tensors_free(after.weights);
}

static void train_alike(const pair *p, oc_update how, const char *what) {
    bench b;
    bench_open(&b, p->spec);
    oc_plan *wanted = bench_plan(&b, "ref", OC_MODE_TRAIN);
    oc_plan *got = bench_plan(&b, p->engine, OC_MODE_TRAIN);
    for (how.step = 1; how.step <= STEPS; how.step++) {
        (void)bench_step(&b, wanted, how.step);
        (void)bench_step(&b, got, how.step);
        update(&b, wanted, &how);
        update(&b, got, &how);
        bench_next_batch(&b, 200 + how.step);
    }
    check_slots(got, wanted, OC_SLOT_WEIGHTS, TRAINED_TOLERANCE, what);
    check_slots(got, wanted, OC_SLOT_STATE_0, TRAINED_TOLERANCE, what);
    for (int n = 1; n <= b.spec->n; n += b.spec->n > 1 ? b.spec->n - 1 : 1) {
        check_inference(&b, wanted, p, n);
    }
    oc_plan_free(wanted);
    oc_plan_free(got);
    bench_close(&b);
}

/* Batch norm takes away what the scaling layer before it does, so that layer's gradient is nothing
 * but rounding: an optimizer that divides it by its own size leaves nothing to compare. */
static bool is_meaningless(const engine_case *spec, const oc_update *how) {
    return spec->op == OC_OP_BATCH_NORM && (how->renormalise || how->optimizer != OC_SGD);
}

static void three_steps_agree(void **state) {
    static const oc_update HOW[] = {
        {.optimizer = OC_SGD, .lr = 0.01F, .momentum = 0.9F, .l2 = 1e-3F},
        {.optimizer = OC_SGD, .lr = 0.01F, .momentum = 0.9F, .nesterov = true, .clip_norm = 0.5F},
        {.optimizer = OC_SGD, .lr = 0.01F, .momentum = 0.5F, .l1 = 1e-4F, .renormalise = true},
        {.optimizer = OC_ADAGRAD, .lr = 0.01F, .epsilon = 1e-3F, .l2 = 1e-3F},
        {.optimizer = OC_RMSPROP, .lr = 0.001F, .rho = 0.9F, .epsilon = 1e-3F},
        {.optimizer = OC_ADAMW,
         .lr = 0.001F,
         .beta1 = 0.9F,
         .beta2 = 0.99F,
         .epsilon = 1e-3F,
         .l2 = 0.1F},
        {.optimizer = OC_ADAM,
         .lr = 0.001F,
         .beta1 = 0.9F,
         .beta2 = 0.99F,
         .epsilon = 1e-3F,
         .caffe = true},
        {.optimizer = OC_ADADELTA, .lr = 0.1F, .rho = 0.9F, .epsilon = 1e-3F}};
    for (size_t i = 0; i < sizeof HOW / sizeof *HOW; i++) {
        char what[64];
        if (is_meaningless(((const pair *)*state)->spec, &HOW[i])) continue;
        (void)snprintf(what, sizeof what, "%s (%zu)", oc_optimizer_name(HOW[i].optimizer), i);
        train_alike(*state, HOW[i], what);
    }
}

/* All engines but the reference; the reference against itself where it is alone. */
static size_t list_pairs(pair *pairs, size_t most) {
    const char *const *names = oc_engine_names();
    size_t count = 0;
    bool alone = names[1] == NULL;
    for (size_t e = 0; names[e] != NULL; e++) {
        if (!alone && strcmp(names[e], "ref") == 0) continue;
        print_message("compared with ref: %s\n", names[e]);
        for (size_t i = 0; i < CASE_COUNT && count < most; i++) {
            pairs[count] = (pair){.spec = &CASES[i], .engine = names[e]};
            (void)snprintf(pairs[count].name, sizeof pairs[count].name, "%s: %s", names[e],
                           CASES[i].name);
            count++;
        }
    }
    return count;
}

int main(void) {
    enum { MOST = 256 };
    static pair pairs[MOST];
    static struct CMUnitTest tests[MOST];
    size_t count = list_pairs(pairs, MOST);
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest){.name = pairs[i].name,
                                       .test_func = loss_and_gradients_agree,
                                       .initial_state = &pairs[i]};
    }
    int failed = _cmocka_run_group_tests("loss and gradients agree", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++) tests[i].test_func = three_steps_agree;
    return failed + _cmocka_run_group_tests("three steps agree", tests, count, NULL, NULL);
}
