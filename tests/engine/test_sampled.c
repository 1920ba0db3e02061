/* Claims about sampled classes: which are drawn, that a step with them is a step of the network
 * that has those classes alone, and that the others stand still.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "harness.h"

enum {
    CLASSES = 40,
    BATCH = 3,
    DRAWN = 16,
    WIDTH = 16,
    SIDE = 4,
    PIXELS = BATCH * 3 * SIDE * SIDE
};

/* Two sums in another order, of values near 1. */
static const double TOLERANCE = 1e-5, TRAINED_TOLERANCE = 1e-4;

static oc_graph *graph_of(int classes, int width) {
    oc_build b = {0};
    oc_error err = {0};
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 3, SIDE, SIDE);
    x = oc_build_conv(&b, x, "body", width, 3, 1, 1, 1, true, OC_INIT_XAVIER);
    x = oc_build_act(&b, x, "relu", OC_OP_RELU);
    x = oc_build_global_pool(&b, x, "pool");
    (void)oc_build_dense(&b, x, "head", classes, OC_INIT_XAVIER);
    check_ok(b.status, b.error);
    return b.graph;
}

static oc_tensors *empty_set(void) {
    oc_tensors *set = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_new(&set, &err), err);
    return set;
}

static oc_tensors *weights_of(const oc_graph *graph) {
    oc_tensors *set = empty_set();
    oc_error err = {0};
    check_ok(oc_graph_init(graph, 5, set, &err), err);
    return set;
}

static oc_plan_options options_of(float sample) {
    return (oc_plan_options){.mode = OC_MODE_TRAIN,
                             .batch = BATCH,
                             .height = SIDE,
                             .width = SIDE,
                             .threads = 2,
                             .seed = 9,
                             .sample = sample};
}

static oc_plan *plan_of(const char *engine, const oc_graph *graph, const oc_tensors *weights,
                        float sample) {
    const oc_plan_options options = options_of(sample);
    oc_plan *plan = NULL;
    oc_error err = {0};
    check_ok(oc_plan_new(&plan, engine, graph, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, weights, &err), err);
    return plan;
}

typedef struct batch {
    float pixels[PIXELS];
    int32_t label[BATCH], label2[BATCH];
    float mix[BATCH];
    oc_targets targets;
} batch;

static void batch_of(batch *b, uint64_t number) {
    oc_rng rng;
    oc_rng_init(&rng, 3, OC_RNG_TEST, 0, number);
    for (int i = 0; i < PIXELS; i++) b->pixels[i] = oc_rng_between(&rng, -1, 1);
    for (int i = 0; i < BATCH; i++) {
        b->label[i] = (int32_t)oc_rng_below(&rng, CLASSES);
        b->label2[i] = (int32_t)oc_rng_below(&rng, CLASSES);
        b->mix[i] = 0.75F;
    }
    b->targets =
        (oc_targets){.label = b->label, .label2 = b->label2, .mix = b->mix, .smoothing = 0.1F};
}

static oc_result step(oc_plan *plan, const batch *b, uint64_t number) {
    oc_result result;
    oc_error err = {0};
    check_ok(oc_plan_forward(plan, b->pixels, BATCH, number, &b->targets, &result, &err), err);
    check_ok(oc_plan_backward(plan, &err), err);
    return result;
}

/* ---- a network of the drawn classes alone, fed by hand ----------------------------------------
 */

/* Rows `drawn` of the head in `whole`, everything else as it is. */
static oc_tensors *few_of(const oc_tensors *whole, const int32_t *drawn) {
    static const char *const names[] = {"head.weight", "head.bias"};
    oc_tensors *few = empty_set();
    oc_error err = {0};
    for (size_t k = 0; k < 2; k++) {
        const oc_tensor *from = oc_tensors_find(whole, names[k]);
        oc_shape shape = from->shape;
        size_t width = oc_tensor_count(from) / CLASSES;
        oc_tensor *to;
        shape.dim[0] = DRAWN;
        check_ok(oc_tensors_add(few, names[k], OC_F32, &shape, &to, &err), err);
        for (size_t o = 0; o < DRAWN; o++)
            memcpy((float *)to->data + o * width, (float *)from->data + (size_t)drawn[o] * width,
                   width * sizeof(float));
    }
    for (size_t i = 0; i < oc_tensors_count(whole); i++) {
        const char *name = oc_tensors_name(whole, i);
        if (strncmp(name, "head.", 5) == 0) continue;
        check_ok(oc_tensors_add_view(few, name, oc_tensors_at(whole, i), &err), err);
    }
    return few;
}

/* The way back; `whole` gets what it lacks. */
static void put_back(oc_tensors *whole, const oc_tensors *few, const int32_t *drawn) {
    for (size_t i = 0; i < oc_tensors_count(few); i++) {
        const oc_tensor *from = oc_tensors_at(few, i);
        oc_tensor *to = oc_tensors_find(whole, oc_tensors_name(few, i));
        bool head = strncmp(oc_tensors_name(few, i), "head.", 5) == 0;
        size_t width = oc_tensor_count(from) / DRAWN;
        if (!head) memcpy(to->data, from->data, oc_tensor_bytes(from));
        for (size_t o = 0; head && o < DRAWN; o++)
            memcpy((float *)to->data + (size_t)drawn[o] * width, (float *)from->data + o * width,
                   width * sizeof(float));
    }
}

/* One step of the reference on the drawn classes; weights and state (2) are those of all. */
static oc_result step_by_hand(oc_plan *few, oc_tensors *weights, oc_tensors *const state[2],
                              const batch *b, const int32_t *drawn, uint64_t number,
                              const oc_update *update) {
    batch mapped = *b;
    oc_error err = {0};
    mapped.targets.label = mapped.label;
    mapped.targets.label2 = mapped.label2;
    mapped.targets.mix = mapped.mix;
    for (int i = 0; i < BATCH; i++)
        for (int o = 0; o < DRAWN; o++) {
            if (drawn[o] == b->label[i]) mapped.label[i] = o;
            if (drawn[o] == b->label2[i]) mapped.label2[i] = o;
        }
    oc_tensors *in = few_of(weights, drawn);
    check_ok(oc_plan_import(few, OC_SLOT_WEIGHTS, in, &err), err);
    oc_tensors_free(in);
    oc_result result = step(few, &mapped, number);
    for (int k = 0; k < 2; k++) {
        in = few_of(state[k], drawn);
        check_ok(oc_plan_import(few, (oc_slot)(OC_SLOT_STATE_0 + k), in, &err), err);
        oc_tensors_free(in);
    }
    check_ok(oc_plan_update(few, update, &err), err);
    for (int slot = -1; slot < 2; slot++) {
        oc_tensors *out =
            export_slot(few, slot < 0 ? OC_SLOT_WEIGHTS : (oc_slot)(OC_SLOT_STATE_0 + slot));
        put_back(slot < 0 ? weights : state[slot], out, drawn);
        oc_tensors_free(out);
    }
    return result;
}

static void train_beside(const char *engine, oc_optimizer optimizer) {
    oc_graph *graph = graph_of(CLASSES, WIDTH), *small = graph_of(DRAWN, WIDTH);
    oc_tensors *weights = weights_of(graph), *few_weights = weights_of(small), *state[2];
    oc_plan *plan = plan_of(engine, graph, weights, 0.4F);
    oc_plan *few = plan_of("ref", small, few_weights, 0);
    oc_error err = {0};
    for (int k = 0; k < 2; k++) state[k] = export_slot(plan, (oc_slot)(OC_SLOT_STATE_0 + k));
    for (uint64_t number = 1; number <= 4; number++) {
        batch b;
        size_t count = 0;
        const oc_update update = {.optimizer = optimizer,
                                  .lr = 0.05F,
                                  .momentum = 0.9F,
                                  .rho = 0.9F,
                                  .beta1 = 0.9F,
                                  .beta2 = 0.99F,
                                  .epsilon = 1e-3F,
                                  .l2 = 0.01F,
                                  .clip_norm = 0.5F,
                                  .step = number};
        batch_of(&b, number);
        oc_result got = step(plan, &b, number);
        const int32_t *drawn = oc_plan_classes(plan, &count);
        assert_int_equal(count, DRAWN);
        oc_result wanted = step_by_hand(few, weights, state, &b, drawn, number, &update);
        assert_true(fabs(got.loss - wanted.loss) < TOLERANCE * wanted.loss);
        assert_int_equal(got.correct, wanted.correct);
        assert_true(difference(oc_plan_output(plan), oc_plan_output(few), BATCH * DRAWN) <
                    TOLERANCE);
        check_ok(oc_plan_update(plan, &update, &err), err);
        oc_tensors *after = export_slot(plan, OC_SLOT_WEIGHTS);
        check_sets_close(after, weights, TRAINED_TOLERANCE, "weights");
        oc_tensors_free(after);
        after = export_slot(plan, OC_SLOT_STATE_0);
        check_sets_close(after, state[0], TRAINED_TOLERANCE, "state");
        oc_tensors_free(after);
    }
    for (int k = 0; k < 2; k++) oc_tensors_free(state[k]);
    oc_plan_free(plan);
    oc_plan_free(few);
    oc_tensors_free(weights);
    oc_tensors_free(few_weights);
    oc_graph_free(graph);
    oc_graph_free(small);
}

static void a_step_is_one_of_the_network_with_the_drawn_classes_alone(void **state) {
    (void)state;
    for (const char *const *engine = oc_engine_names(); *engine != NULL; engine++)
        for (int o = 0; o < OC_OPTIMIZER_COUNT; o++) train_beside(*engine, (oc_optimizer)o);
}

/* ---- what is drawn ----------------------------------------------------------------------------
 */

static void forward(oc_plan *plan, const batch *b, uint64_t number) {
    oc_result result;
    oc_error err = {0};
    check_ok(oc_plan_forward(plan, b->pixels, BATCH, number, &b->targets, &result, &err), err);
}

static bool has(const int32_t *drawn, size_t count, int32_t class) {
    for (size_t i = 0; i < count; i++)
        if (drawn[i] == class) return true;
    return false;
}

static void labels_are_always_drawn_and_each_class_once(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    oc_plan *plan = plan_of("ref", graph, weights, 0.4F);
    size_t count = 99;
    assert_non_null(oc_plan_classes(plan, &count));
    assert_int_equal(count, DRAWN);
    for (uint64_t number = 0; number < 50; number++) {
        batch b;
        batch_of(&b, number);
        forward(plan, &b, number);
        const int32_t *drawn = oc_plan_classes(plan, &count);
        assert_int_equal(count, DRAWN);
        for (size_t i = 0; i < count; i++) {
            assert_in_range(drawn[i], 0, CLASSES - 1);
            if (i > 0) assert_true(drawn[i] > drawn[i - 1]);
        }
        for (int i = 0; i < BATCH; i++)
            assert_true(has(drawn, count, b.label[i]) && has(drawn, count, b.label2[i]));
    }
    oc_plan_free(plan);
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

/* 37 classes stand for 13 places a step: binomial, five deviations allowed. */
static void the_other_classes_have_equal_chances(void **state) {
    (void)state;
    enum { STEPS = 1000 };
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    oc_plan *plan = plan_of(NULL, graph, weights, 0.4F);
    int times[CLASSES] = {0};
    batch b;
    batch_of(&b, 1);
    for (int i = 0; i < BATCH; i++) b.label[i] = b.label2[i] = i;
    for (uint64_t number = 0; number < STEPS; number++) {
        size_t count;
        forward(plan, &b, number);
        const int32_t *drawn = oc_plan_classes(plan, &count);
        for (size_t i = 0; i < count; i++) times[drawn[i]]++;
    }
    double p = (double)(DRAWN - BATCH) / (CLASSES - BATCH), deviation = sqrt(STEPS * p * (1 - p));
    for (int c = 0; c < BATCH; c++) assert_int_equal(times[c], STEPS);
    for (int c = BATCH; c < CLASSES; c++) assert_true(fabs(times[c] - STEPS * p) < 5 * deviation);
    oc_plan_free(plan);
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

static void the_same_step_draws_the_same_in_every_engine(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    int32_t first[DRAWN];
    batch b;
    batch_of(&b, 1);
    for (const char *const *engine = oc_engine_names(); *engine != NULL; engine++) {
        oc_plan *plan = plan_of(*engine, graph, weights, 0.4F);
        size_t count;
        forward(plan, &b, 8);
        assert_string_equal(oc_plan_engine(plan), *engine);
        forward(plan, &b, 7);
        const int32_t *drawn = oc_plan_classes(plan, &count);
        if (engine == oc_engine_names()) memcpy(first, drawn, sizeof first);
        assert_memory_equal(drawn, first, sizeof first);
        forward(plan, &b, 8);
        assert_memory_not_equal(oc_plan_classes(plan, &count), first, sizeof first);
        oc_plan_free(plan);
    }
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

static void a_batch_of_many_labels_has_room_for_all_of_them(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    oc_plan *plan = plan_of("ref", graph, weights, 0.01F);
    size_t count;
    batch b;
    batch_of(&b, 2);
    forward(plan, &b, 1);
    (void)oc_plan_classes(plan, &count);
    assert_int_equal(count, 2 * BATCH);
    oc_plan_free(plan);
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

/* ---- rows that are not drawn ------------------------------------------------------------------
 */

static void check_row(const oc_tensors *got, const oc_tensors *wanted, int32_t class, bool same) {
    const float *a = oc_tensors_find(got, "head.weight")->data;
    const float *z = oc_tensors_find(wanted, "head.weight")->data;
    bool equal = memcmp(a + class * WIDTH, z + class * WIDTH, WIDTH * sizeof *a) == 0;
    assert_int_equal(equal, same);
}

static void undrawn_rows_stand_still_and_have_no_gradient(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    oc_error err = {0};
    for (const char *const *engine = oc_engine_names(); *engine != NULL; engine++) {
        oc_plan *plan = plan_of(*engine, graph, weights, 0.4F);
        const oc_update update = {.lr = 0.1F, .momentum = 0.9F, .l2 = 0.1F, .step = 1};
        size_t count;
        batch b;
        batch_of(&b, 4);
        (void)step(plan, &b, 1);
        oc_tensors *grads = export_slot(plan, OC_SLOT_GRADS);
        oc_tensors *zero = export_slot(plan, OC_SLOT_STATE_0);
        check_ok(oc_plan_update(plan, &update, &err), err);
        oc_tensors *after = export_slot(plan, OC_SLOT_WEIGHTS);
        oc_tensors *momentum = export_slot(plan, OC_SLOT_STATE_0);
        const int32_t *drawn = oc_plan_classes(plan, &count);
        for (int32_t c = 0; c < CLASSES; c++) {
            bool still = !has(drawn, count, c);
            check_row(grads, zero, c, still);
            check_row(after, weights, c, still);
            check_row(momentum, zero, c, still);
        }
        oc_tensors_free(grads);
        oc_tensors_free(zero);
        oc_tensors_free(after);
        oc_tensors_free(momentum);
        oc_plan_free(plan);
    }
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

/* Weights that come in between a forward and its update are the ones that are updated. */
static void weights_may_come_in_at_any_time(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    oc_plan *plan = plan_of(NULL, graph, weights, 0.4F);
    const oc_update nothing = {.step = 1};
    oc_error err = {0};
    batch b;
    batch_of(&b, 4);
    for (size_t i = 0; i < oc_tensors_count(weights); i++) {
        oc_tensor *t = oc_tensors_at(weights, i);
        for (size_t k = 0; k < oc_tensor_count(t); k++) ((float *)t->data)[k] += 1;
    }
    (void)step(plan, &b, 1);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, weights, &err), err);
    check_ok(oc_plan_update(plan, &nothing, &err), err);
    oc_tensors *after = export_slot(plan, OC_SLOT_WEIGHTS);
    check_sets_close(after, weights, 0, "weights");
    oc_tensors_free(after);
    oc_tensors_free(weights);
    oc_plan_free(plan);
    oc_graph_free(graph);
}

/* ---- what it is not ---------------------------------------------------------------------------
 */

static void the_whole_share_is_the_exact_plan(void **state) {
    (void)state;
    static const float shares[] = {0, 1, 0.999F};
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    float first[BATCH * CLASSES];
    batch b;
    batch_of(&b, 1);
    for (size_t i = 0; i < 3; i++) {
        oc_plan *plan = plan_of(NULL, graph, weights, shares[i]);
        size_t count;
        forward(plan, &b, 1);
        assert_null(oc_plan_classes(plan, &count));
        assert_int_equal(count, CLASSES);
        if (i == 0) memcpy(first, oc_plan_output(plan), sizeof first);
        assert_memory_equal(oc_plan_output(plan), first, sizeof first);
        oc_plan_free(plan);
    }
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

static void what_cannot_be_sampled_says_why(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH), *odd = graph_of(CLASSES, 13), *body, *rest;
    oc_plan_options options = options_of(0.4F);
    bool trained[4] = {true, true, false, true};
    oc_plan *plan;
    oc_error err = {0};
    check_ok(oc_graph_split(graph, 3, SIDE, SIDE, &body, &rest, &err), err);
    check_fails(oc_plan_new(&plan, "ref", body, &options, &err), err, OC_EUNSUPPORTED,
                "ends in 'pool'");
    options.trained = trained;
    check_fails(oc_plan_new(&plan, "ref", graph, &options, &err), err, OC_EUNSUPPORTED,
                "a head that is trained");
    options.trained = NULL;
    if (strcmp(oc_engine_names()[0], "onednn") == 0)
        check_fails(oc_plan_new(&plan, "onednn", odd, &options, &err), err, OC_EUNSUPPORTED,
                    "a layout of its own");
    options.sample = 1.5F;
    check_fails(oc_plan_new(&plan, "ref", graph, &options, &err), err, OC_EUSAGE, "1.5");
    options.sample = NAN;
    check_fails(oc_plan_new(&plan, "ref", graph, &options, &err), err, OC_EUSAGE, "share");
    assert_null(plan);
    oc_graph_free(graph);
    oc_graph_free(odd);
    oc_graph_free(body);
    oc_graph_free(rest);
}

static void memory_is_what_was_measured(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    oc_tensors *weights = weights_of(graph);
    const oc_plan_options options = options_of(0.4F);
    oc_error err = {0};
    for (const char *const *engine = oc_engine_names(); *engine != NULL; engine++) {
        oc_plan_memory told, held;
        oc_plan *plan = plan_of(*engine, graph, weights, 0.4F);
        check_ok(oc_plan_measure(*engine, graph, &options, &told, &err), err);
        held = oc_plan_memory_use(plan);
        assert_int_equal(oc_plan_memory_sum(&told, 1), oc_plan_memory_sum(&held, 1));
        batch b;
        batch_of(&b, 1);
        const oc_update update = {.step = 1};
        (void)step(plan, &b, 1);
        check_ok(oc_plan_update(plan, &update, &err), err);
        held = oc_plan_memory_use(plan);
        assert_int_equal(oc_plan_memory_sum(&told, 1), oc_plan_memory_sum(&held, 0));
        oc_plan_free(plan);
    }
    oc_tensors_free(weights);
    oc_graph_free(graph);
}

static void out_of_memory_is_an_error_wherever_it_strikes(void **state) {
    (void)state;
    oc_graph *graph = graph_of(CLASSES, WIDTH);
    const oc_plan_options options = options_of(0.4F);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_plan *plan = NULL;
        oc_mem_fail_at(n);
        status = oc_plan_new(&plan, NULL, graph, &options, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && plan == NULL));
        oc_plan_free(plan);
        assert_true(n < 2000);
    }
    oc_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_one_of_the_network_with_the_drawn_classes_alone),
        cmocka_unit_test(labels_are_always_drawn_and_each_class_once),
        cmocka_unit_test(the_other_classes_have_equal_chances),
        cmocka_unit_test(the_same_step_draws_the_same_in_every_engine),
        cmocka_unit_test(a_batch_of_many_labels_has_room_for_all_of_them),
        cmocka_unit_test(undrawn_rows_stand_still_and_have_no_gradient),
        cmocka_unit_test(weights_may_come_in_at_any_time),
        cmocka_unit_test(the_whole_share_is_the_exact_plan),
        cmocka_unit_test(what_cannot_be_sampled_says_why),
        cmocka_unit_test(memory_is_what_was_measured),
        cmocka_unit_test(out_of_memory_is_an_error_wherever_it_strikes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
