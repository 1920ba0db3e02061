/* Claims about large weights: a training plan lends them, an inference plan borrows them.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

/* A layer of 1 MB lies in both engines as torch stores it. */
static oc_graph *wide_graph(void) {
    oc_build b = {0};
    oc_error err = {0};
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 16, 1, 1);
    x = oc_build_conv(&b, x, "body", 512, 1, 1, 0, 1, true, OC_INIT_XAVIER);
    (void)oc_build_dense(&b, x, "head", 520, OC_INIT_XAVIER);
    check_ok(b.status, b.error);
    return b.graph;
}

static void check_lending(const char *engine, const oc_graph *graph, oc_tensors *weights) {
    const oc_plan_options train = {
        .mode = OC_MODE_TRAIN, .batch = 2, .height = 1, .width = 1, .threads = 2};
    const oc_plan_options infer = {
        .batch = 2, .height = 1, .width = 1, .threads = 2, .borrow = true};
    float pixels[32] = {1, -1, 0.5F}, first[2 * 520];
    oc_plan *a, *b;
    oc_error err = {0};
    oc_tensors *lent = NULL;
    check_ok(oc_tensors_new(&lent, &err), err);
    check_ok(oc_plan_new(&a, engine, graph, &train, &err), err);
    check_ok(oc_plan_import(a, OC_SLOT_WEIGHTS, weights, &err), err);
    check_ok(oc_plan_lend(a, OC_SLOT_WEIGHTS, lent, &err), err);
    assert_false(oc_tensors_all_owned(lent));
    check_sets_close(lent, weights, 0, "lent");
    check_ok(oc_plan_new(&b, engine, graph, &infer, &err), err);
    check_ok(oc_plan_import(b, OC_SLOT_WEIGHTS, lent, &err), err);
    check_ok(oc_plan_forward(b, pixels, 2, 0, NULL, NULL, &err), err);
    memcpy(first, oc_plan_output(b), sizeof first);
    const oc_targets targets = {.label = (const int32_t[]){3, 519}};
    const oc_update update = {.lr = 0.1F, .step = 1};
    oc_result result;
    check_ok(oc_plan_forward(a, pixels, 2, 1, &targets, &result, &err), err);
    assert_true(difference(oc_plan_output(a), first, 2 * 520) < 1e-5);
    check_ok(oc_plan_backward(a, &err), err);
    check_ok(oc_plan_update(a, &update, &err), err);
    check_ok(oc_plan_lend(a, OC_SLOT_WEIGHTS, lent, &err), err);
    oc_tensors *copied = export_slot(a, OC_SLOT_WEIGHTS);
    check_sets_close(lent, copied, 0, "lent after a step");
    check_ok(oc_plan_import(b, OC_SLOT_WEIGHTS, lent, &err), err);
    check_ok(oc_plan_forward(b, pixels, 2, 0, NULL, NULL, &err), err);
    assert_true(difference(oc_plan_output(b), first, 2 * 520) > 1e-5); /* sees what was trained */
    oc_plan_free(a);
    oc_plan_free(b);
    oc_tensors_free(lent);
    oc_tensors_free(copied);
}

static void large_weights_are_lent_and_borrowed(void **state) {
    (void)state;
    oc_error err = {0};
    oc_tensors *weights = NULL;
    oc_graph *graph = wide_graph();
    check_ok(oc_tensors_new(&weights, &err), err);
    check_ok(oc_graph_init(graph, 3, weights, &err), err);
    for (const char *const *engine = oc_engine_names(); *engine != NULL; engine++)
        check_lending(*engine, graph, weights);
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_weights_are_lent_and_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
