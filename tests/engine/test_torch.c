/* Ten training steps of two small networks on every engine against the same steps in PyTorch:
 * losses, first gradients, last weights and running statistics (make_torch_fixtures.py).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "torch_fixture.h"

/* Both sides compute in float and sum in their own order: about 1e-6 a step relative to a tensor's
 * norm, which ten steps of momentum may amplify a hundredfold. */
static const double LOSS_TOLERANCE = 1e-4, GRADIENT_TOLERANCE = 1e-4, FINAL_TOLERANCE = 1e-3;
enum { SAMPLES = 48 };
static const char *const FIXTURE = OC_SOURCE_DIR "/tests/engine/fixtures/torch_runs.json";

/* ---- the networks ------------------------------------------------------------------------------
 */

static oc_graph *tiny(int classes, int size) {
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &b.error), b.error);
    int x = oc_build_input(&b, 3, size, size);
    x = oc_build_conv(&b, x, "conv1", 8, 3, 2, 1, 1, false, OC_INIT_XAVIER);
    x = oc_build_act(&b, oc_build_batch_norm(&b, x, "bn1"), "act1", OC_OP_RELU6);
    x = oc_build_conv(&b, x, "conv2", 8, 3, 1, 1, 8, false, OC_INIT_XAVIER);
    x = oc_build_act(&b, oc_build_batch_norm(&b, x, "bn2"), "act2", OC_OP_RELU6);
    x = oc_build_conv(&b, x, "conv3", 12, 1, 1, 0, 1, true, OC_INIT_XAVIER);
    x = oc_build_act(&b, x, "act3", OC_OP_RELU);
    x = oc_build_flatten(&b, oc_build_global_pool(&b, x, "pool"), "flatten");
    (void)oc_build_dense(&b, x, "fc", classes, OC_INIT_XAVIER);
    check_ok(b.status, b.error);
    return b.graph;
}

static oc_graph *thesis(int classes, int size) {
    return zoo_graph("thesis", classes, size);
}

/* ---- comparing ----------------------------------------------------------------------------------
 */

static void check_sample(const oc_tensor *t, const json_t *wanted, double tolerance,
                         const char *name) {
    const float *values = t->data;
    size_t count = oc_tensor_count(t), step = count / SAMPLES + 1;
    double norm = json_number_value(json_object_get(wanted, "norm")), squares = 0;
    double scale = norm / sqrt((double)count) + 1e-6; /* the size of a typical element */
    const json_t *samples = json_object_get(wanted, "values");
    assert_int_equal(json_array_size(samples), (count + step - 1) / step);
    for (size_t i = 0; i < count; i++) squares += (double)values[i] * (double)values[i];
    if (!(fabs(sqrt(squares) - norm) <= tolerance * norm + 1e-7)) {
        fail_msg("'%s' has norm %.8g, torch %.8g", name, sqrt(squares), norm);
    }
    for (size_t i = 0; i * step < count; i++) {
        double got = (double)values[i * step], want = json_number_value(json_array_get(samples, i));
        if (fabs(got - want) <= tolerance * fmax(scale, fabs(want))) continue;
        fail_msg("'%s'[%zu] is %.8g, torch %.8g", name, i * step, got, want);
    }
}

static void check_slot(const oc_plan *plan, oc_slot slot, const json_t *wanted, double tolerance) {
    oc_error err = {0};
    oc_tensors *set = NULL;
    check_ok(oc_tensors_new(&set, &err), err);
    check_ok(oc_plan_export(plan, slot, set, &err), err);
    assert_int_equal(json_object_size(wanted), oc_tensors_count(set));
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const char *name = oc_tensors_name(set, i);
        const json_t *sample = json_object_get(wanted, name);
        if (sample == NULL) fail_msg("'%s' is not among torch's", name);
        check_sample(oc_tensors_at(set, i), sample, tolerance, name);
    }
    oc_tensors_free(set);
}

/* ---- the run ------------------------------------------------------------------------------------
 */

typedef struct torch_run {
    const json_t *json;
    int size, classes, batch;
} torch_run;

static int member_int(const json_t *json, const char *key) {
    return (int)json_integer_value(json_object_get(json, key));
}
static float member_float(const json_t *json, const char *key) {
    return (float)json_number_value(json_object_get(json, key));
}

static oc_plan *open_plan(const torch_run *run, const char *engine, const oc_graph *graph) {
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_plan_options options = {.mode = OC_MODE_TRAIN,
                               .batch = run->batch,
                               .height = run->size,
                               .width = run->size,
                               .threads = 2};
    check_ok(oc_plan_new(&plan, engine, graph, &options, &err), err);
    oc_tensors *weights = fresh_weights(graph);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, weights, &err), err);
    oc_tensors_free(weights);
    return plan;
}

static double forward(const torch_run *run, oc_plan *plan, uint64_t step) {
    oc_error err = {0};
    int32_t labels[16];
    size_t count = (size_t)run->batch * 3 * (size_t)run->size * (size_t)run->size;
    fresh_pixels(oc_plan_input(plan), count, (int)step);
    fresh_labels(labels, run->batch, (int)step, run->classes);
    oc_targets targets = {.label = labels};
    oc_result result;
    check_ok(oc_plan_forward(plan, NULL, run->batch, step, &targets, &result, &err), err);
    return result.loss;
}

static void train(const torch_run *run, oc_plan *plan) {
    oc_error err = {0};
    const json_t *losses = json_object_get(run->json, "losses");
    oc_update u = {.optimizer = OC_SGD,
                   .lr = member_float(run->json, "lr"),
                   .momentum = 0.9F,
                   .l2 = member_float(run->json, "l2")};
    for (u.step = 1; u.step <= json_array_size(losses); u.step++) {
        double loss = forward(run, plan, u.step);
        double wanted = json_number_value(json_array_get(losses, (size_t)u.step - 1));
        if (!(fabs(loss - wanted) <= LOSS_TOLERANCE * wanted)) {
            fail_msg("step %d: loss %.8f, torch %.8f", (int)u.step, loss, wanted);
        }
        check_ok(oc_plan_backward(plan, &err), err);
        if (u.step == 1) {
            check_slot(plan, OC_SLOT_GRADS, json_object_get(run->json, "gradients"),
                       GRADIENT_TOLERANCE);
        }
        check_ok(oc_plan_update(plan, &u, &err), err);
    }
    check_slot(plan, OC_SLOT_WEIGHTS, json_object_get(run->json, "final"), FINAL_TOLERANCE);
}

static void check_run(size_t index, oc_graph *(*build)(int classes, int size)) {
    oc_error err = {0};
    json_t *fixture = NULL;
    check_ok(oc_json_read(FIXTURE, 1 << 20, &fixture, &err), err);
    const json_t *json = json_array_get(json_object_get(fixture, "runs"), index);
    torch_run run = {.json = json,
                     .size = member_int(json, "size"),
                     .classes = member_int(json, "classes"),
                     .batch = member_int(json, "batch")};
    assert_true(run.batch > 0 && run.batch <= 16);
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        oc_graph *graph = build(run.classes, run.size);
        oc_plan *plan = open_plan(&run, names[e], graph);
        train(&run, plan);
        print_message("%s: as torch %s\n", names[e],
                      json_string_value(json_object_get(fixture, "torch")));
        oc_plan_free(plan);
        oc_graph_free(graph);
    }
    json_decref(fixture);
}

static void tiny_net_trains_as_in_torch(void **state) {
    (void)state;
    check_run(0, tiny);
}

static void thesis_trains_as_in_torch(void **state) {
    (void)state;
    check_run(1, thesis);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tiny_net_trains_as_in_torch),
                                       cmocka_unit_test(thesis_trains_as_in_torch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
