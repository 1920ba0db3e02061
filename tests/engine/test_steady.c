/* After the first step, no step allocates: neither in training nor in inference, on any engine.
 *
 * Counted at the one gate to the heap; what a library allocates behind its own walls is not seen.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

enum { FIRST_STEADY = 2, LAST_STEADY = 5 };

static void train_step(const bench *b, oc_plan *plan, uint64_t step) {
    static const oc_optimizer KINDS[] = {OC_SGD, OC_ADAMW};
    oc_error err = {0};
    oc_update u = {.optimizer = KINDS[step % 2],
                   .lr = 1e-3F,
                   .momentum = 0.9F,
                   .beta1 = 0.9F,
                   .beta2 = 0.99F,
                   .epsilon = 1e-8F,
                   .clip_norm = 1,
                   .step = step};
    (void)bench_step(b, plan, step);
    check_ok(oc_plan_update(plan, &u, &err), err);
    size_t count;
    assert_non_null(oc_plan_grads(plan, &count));
    assert_non_null(oc_plan_output(plan));
}

static void infer_step(const bench *b, oc_plan *plan, uint64_t step) {
    oc_error err = {0};
    int n = step % 2 == 0 ? 1 : b->spec->n;
    check_ok(oc_plan_forward(plan, b->pixels, n, step, NULL, NULL, &err), err);
    assert_non_null(oc_plan_output(plan));
}

static void check_steady(const engine_case *spec, const char *engine, oc_mode mode,
                         void (*step)(const bench *, oc_plan *, uint64_t)) {
    bench b;
    bench_open(&b, spec);
    oc_plan *plan = bench_plan(&b, engine, mode);
    uint64_t before = 0;
    for (uint64_t i = 0; i <= LAST_STEADY; i++) {
        if (i == FIRST_STEADY) before = oc_mem_allocations();
        step(&b, plan, i + 1);
    }
    if (oc_mem_allocations() != before) {
        fail_msg("%s, %s: %llu allocations in steps %d to %d", engine, spec->name,
                 (unsigned long long)(oc_mem_allocations() - before), FIRST_STEADY, LAST_STEADY);
    }
    oc_plan_free(plan);
    bench_close(&b);
}

static void for_all(oc_mode mode, void (*step)(const bench *, oc_plan *, uint64_t)) {
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        for (size_t i = 0; i < CASE_COUNT; i++) {
            if (CASES[i].net != NULL) check_steady(&CASES[i], names[e], mode, step);
        }
    }
}

static void training_step_allocates_nothing(void **state) {
    (void)state;
    for_all(OC_MODE_TRAIN, train_step);
}

static void inference_allocates_nothing(void **state) {
    (void)state;
    for_all(OC_MODE_INFER, infer_step);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(training_step_allocates_nothing),
                                       cmocka_unit_test(inference_allocates_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
