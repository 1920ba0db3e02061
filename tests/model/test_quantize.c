/* Making an int8 model: ranges, weights, folding; a trained network that keeps its accuracy.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <math.h>

#include "model/model_int.h"

static oci_histogram *histogram_of(const float *values, size_t count) {
    oci_histogram *h = test_calloc(1, sizeof *h);
    oci_histogram_add(h, values, count);
    return h;
}

/* ---- ranges --------------------------------------------------------------------------------- */

static void minmax_spans_what_was_seen(void **state) {
    (void)state;
    const float values[] = {-1, 0.5F, 4.1F, 0};
    oci_histogram *h = histogram_of(values, 4);
    float step = 0;
    int zero = -1;
    oci_histogram_levels(h, OC_RANGES_MINMAX, &step, &zero);
    assert_float_equal(step, 5.1 / 255, 1e-6);
    assert_int_equal(zero, 50);
    test_free(h);
}

static void positive_values_have_level_0_for_zero(void **state) {
    (void)state;
    const float values[] = {0, 6, 3, 1};
    for (int rule = 0; rule < OC_RANGES_COUNT; rule++) {
        oci_histogram *h = histogram_of(values, 4);
        float step = 0;
        int zero = -1;
        oci_histogram_levels(h, (oc_ranges)rule, &step, &zero);
        assert_int_equal(zero, 0);
        assert_true(step > 0 && step <= 6.0001F / 255);
        test_free(h);
    }
}

static void a_larger_value_widens_the_histogram(void **state) {
    (void)state;
    oci_histogram *h = test_calloc(1, sizeof *h);
    const float small[] = {0.1F, -0.2F, 0.3F}, large[] = {700, -3};
    uint64_t sum = 0;
    oci_histogram_add(h, small, 3);
    oci_histogram_add(h, large, 2);
    for (int i = 0; i < OCI_BINS; i++) sum += h->bins[i];
    assert_int_equal(sum, 5);
    assert_float_equal(h->reach, 1024, 0);
    assert_float_equal(h->high, 700, 0);
    test_free(h);
}

/* One value far out among many: cutting it off makes the steps of all others finer. By squared
 * error that pays as long as the value is not too far. */
static void rules_cut_an_outlier_off(void **state) {
    (void)state;
    enum { MANY = 100000 };
    float *values = test_malloc(MANY * sizeof *values), all = 0, step = 0;
    int zero = 0;
    oc_rng rng;
    oc_rng_init(&rng, 3, OC_RNG_TEST, 0, 0);
    for (int i = 0; i < MANY; i++) values[i] = fabsf(oc_rng_normal(&rng));
    values[17] = 7;
    oci_histogram *h = histogram_of(values, MANY);
    oci_histogram_levels(h, OC_RANGES_MINMAX, &all, &zero);
    oci_histogram_levels(h, OC_RANGES_MSE, &step, &zero);
    assert_true(step < all && step * 255 > 3);
    oci_histogram_levels(h, OC_RANGES_PERCENTILE, &step, &zero);
    assert_true(step < 0.75F * all && step * 255 > 3);
    test_free(h);
    test_free(values);
}

static void nothing_but_zeros_has_levels(void **state) {
    (void)state;
    const float values[] = {0, 0};
    oci_histogram *h = histogram_of(values, 2);
    float step = 0;
    int zero = -1;
    oci_histogram_levels(h, OC_RANGES_MSE, &step, &zero);
    assert_true(step == 1 && zero == 0);
    test_free(h);
}

/* ---- weights -------------------------------------------------------------------------------- */

static int pair_sum(int a, int b) {
    return a * b > 0 ? abs(a + b) : abs(a) > abs(b) ? abs(a) : abs(b);
}

static void weights_keep_both_bounds_and_are_near(void **state) {
    (void)state;
    enum { OUT = 20, CHANNELS = 7, AREA = 9, FILTER = CHANNELS * AREA };
    float w[OUT * FILTER], was[OUT * FILTER], step[OUT];
    oc_rng rng;
    oc_rng_init(&rng, 4, OC_RNG_TEST, 0, 0);
    for (int i = 0; i < OUT * FILTER; i++) was[i] = w[i] = 0.1F * oc_rng_normal(&rng);
    oci_quantize_weights(w, OUT, CHANNELS, AREA, step);
    double apart = 0, norm = 0;
    for (int i = 0; i < OUT * FILTER; i++) {
        float q = w[i] / step[i / FILTER];
        assert_float_equal(q, rintf(q), 1e-3);
        assert_true(fabsf(q) <= OC_INT8_MOST + 0.1F);
        apart += pow((double)(w[i] - was[i]), 2);
        norm += pow((double)was[i], 2);
    }
    for (int o = 0; o < OUT; o++)
        for (int c = 0; c + 1 < CHANNELS; c += 2)
            for (int t = 0; t < AREA; t++) {
                const float *at = &w[o * FILTER + c * AREA + t];
                int a = (int)lrintf(at[0] / step[o]), b = (int)lrintf(at[AREA] / step[o]);
                assert_true(pair_sum(a, b) <= OC_INT8_PAIR);
            }
    assert_true(sqrt(apart / norm) < 0.01);
}

static void a_filter_of_zeros_stays_zero(void **state) {
    (void)state;
    float w[8] = {0}, step[1] = {0};
    oci_quantize_weights(w, 1, 2, 4, step);
    assert_true(step[0] > 0);
    for (int i = 0; i < 8; i++) assert_true(w[i] == 0);
}

/* ---- a network ------------------------------------------------------------------------------ */

enum { SIDE = 12, CLASSES = 3, BATCH = 24, STEPS = 60, CALLS = 3 };

static int layers(oc_build *b, int x) {
    x = oc_build_conv(b, x, "one", 8, 3, 1, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_act(b, oc_build_batch_norm(b, x, "one_norm"), "one_relu", OC_OP_RELU);
    int from = x;
    x = oc_build_conv(b, x, "two", 8, 3, 1, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_add(b, oc_build_batch_norm(b, x, "two_norm"), from, "sum");
    x = oc_build_max_pool(b, oc_build_act(b, x, "two_relu", OC_OP_RELU), "shrink", 2, 2, 0, false);
    x = oc_build_conv(b, x, "three", 12, 1, 1, 0, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_act(b, oc_build_batch_norm(b, x, "three_norm"), "three_relu", OC_OP_RELU);
    return oc_build_dense(b, oc_build_global_pool(b, x, "pool"), "head", CLASSES, OC_INIT_XAVIER);
}

/* Stripes that lie, stand or lean, at any place and contrast, under noise. */
static void draw(float *pixels, int32_t *labels, uint64_t seed) {
    oc_rng rng;
    oc_rng_init(&rng, seed, OC_RNG_TEST, 0, 0);
    for (int n = 0; n < BATCH; n++) {
        labels[n] = (int32_t)oc_rng_below(&rng, CLASSES);
        float phase = oc_rng_between(&rng, 0, 6.28F), contrast = oc_rng_between(&rng, 0.5F, 2);
        for (int i = 0; i < 3 * SIDE * SIDE; i++) {
            int y = i / SIDE % SIDE, x = i % SIDE;
            int along = labels[n] == 0 ? y : labels[n] == 1 ? x : x + y;
            pixels[n * 3 * SIDE * SIDE + i] =
                contrast * sinf(1.6F * (float)along + phase) + 0.7F * oc_rng_normal(&rng);
        }
    }
}

typedef struct batches {
    float pixels[BATCH * 3 * SIDE * SIDE];
    int32_t labels[BATCH];
    uint64_t next, most;
} batches;

static oc_status feed(void *ctx, const float **pixels, int *n, oc_error *err) {
    (void)err;
    batches *b = ctx;
    *pixels = b->pixels;
    *n = b->next < b->most ? BATCH : 0;
    draw(b->pixels, b->labels, 1000 + b->next++);
    return OC_OK;
}

static oc_model *untrained(void) {
    oc_error err = {0};
    oc_build b = {0};
    oc_model *m = NULL;
    check_ok(oc_model_new(&m, &err), err);
    check_ok(oc_graph_new(&b.graph, &err), err);
    (void)layers(&b, oc_build_input(&b, 3, SIDE, SIDE));
    check_ok(b.status, b.error);
    m->graph = b.graph;
    check_ok(oc_tensors_new(&m->weights, &err), err);
    check_ok(oc_graph_init(m->graph, 1, m->weights, &err), err);
    m->recipe = oc_recipe_default(SIDE, SIDE);
    tiny_classes(&m->classes, CLASSES);
    return m;
}

static oc_model *trained(batches *b) {
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_model *m = untrained();
    const oc_plan_options o = {
        .mode = OC_MODE_TRAIN, .batch = BATCH, .height = SIDE, .width = SIDE, .threads = 2};
    check_ok(oc_plan_new(&plan, NULL, m->graph, &o, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, m->weights, &err), err);
    for (uint64_t step = 1; step <= STEPS; step++) {
        const oc_targets targets = {.label = b->labels};
        const oc_update how = {.optimizer = OC_SGD, .lr = 0.05F, .momentum = 0.9F, .step = step};
        oc_result result;
        draw(b->pixels, b->labels, step);
        check_ok(oc_plan_forward(plan, b->pixels, BATCH, step, &targets, &result, &err), err);
        check_ok(oc_plan_backward(plan, &err), err);
        check_ok(oc_plan_update(plan, &how, &err), err);
    }
    check_ok(oc_plan_export(plan, OC_SLOT_WEIGHTS, m->weights, &err), err);
    oc_plan_free(plan);
    return m;
}

static double accuracy(const oc_model *m, const char *engine, batches *b) {
    enum { ROUNDS = 20 };
    oc_error err = {0};
    oc_plan *plan = NULL;
    int correct = 0;
    check_ok(oc_model_plan(m, engine, 2, BATCH, &plan, &err), err);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        const oc_targets targets = {.label = b->labels};
        oc_result result;
        draw(b->pixels, b->labels, 5000 + i);
        check_ok(oc_plan_forward(plan, b->pixels, BATCH, 0, &targets, &result, &err), err);
        correct += result.correct;
    }
    oc_plan_free(plan);
    return (double)correct / (ROUNDS * BATCH);
}

static void a_trained_network_keeps_its_accuracy(void **state) {
    (void)state;
    static batches b = {.most = CALLS};
    oc_error err = {0};
    oc_model *plain = trained(&b), *int8 = NULL;
    double before = accuracy(plain, NULL, &b);
    assert_true(before > 0.9);
    for (int rule = 0; rule < OC_RANGES_COUNT; rule++) {
        const oc_quantize_options how = {
            .threads = 2, .batch = BATCH, .ranges = (oc_ranges)rule, .photos = feed, .ctx = &b};
        b.next = 0;
        check_ok(oc_model_quantize(&int8, plain, &how, &err), err);
        double after = accuracy(int8, NULL, &b), reference = accuracy(int8, "ref", &b);
        print_message("before %.4f, int8 %.4f, by the reference %.4f\n", before, after, reference);
        assert_true(before - after <= 0.01);
        assert_true(fabs(after - reference) <= 0.01);
        oc_model_free(int8);
    }
    oc_model_free(plain);
}

static oc_status quantize(oc_model **out, const oc_model *m, uint64_t calls, oc_error *err) {
    static batches b;
    b.next = 0;
    b.most = calls;
    const oc_quantize_options how = {
        .engine = "ref", .threads = 1, .batch = BATCH, .photos = feed, .ctx = &b};
    return oc_model_quantize(out, m, &how, err);
}

static void norms_are_folded_and_the_record_says_int8(void **state) {
    (void)state;
    oc_error err = {0};
    oc_model *plain = untrained(), *int8 = NULL;
    check_ok(quantize(&int8, plain, 1, &err), err);
    assert_true(oc_graph_is_int8(int8->graph) && !oc_graph_is_int8(plain->graph));
    for (int i = 0; i < oc_graph_node_count(int8->graph); i++)
        assert_true(oc_graph_node(int8->graph, i)->op != OC_OP_BATCH_NORM);
    assert_true(oc_graph_find(int8->graph, "sum") > 0);
    assert_int_equal(oc_graph_node(int8->graph, oc_graph_find(int8->graph, "one"))->attrs.int8, 0);
    assert_int_equal(oc_graph_node(int8->graph, oc_graph_find(int8->graph, "head"))->attrs.int8, 1);
    assert_non_null(json_object_get(int8->origin, "quantization"));
    oc_model_free(plain);
    oc_model_free(int8);
}

static void what_cannot_be_quantised_says_so(void **state) {
    (void)state;
    oc_error err = {0};
    oc_model *plain = untrained(), *int8 = NULL, *twice = NULL, *tiny = tiny_model(3);
    check_fails(quantize(&int8, plain, 0, &err), err, OC_EDATA, "no photos");
    check_fails(quantize(&int8, tiny, 1, &err), err, OC_EUNSUPPORTED, "no layer between");
    check_ok(quantize(&int8, plain, 1, &err), err);
    check_fails(quantize(&twice, int8, 1, &err), err, OC_EUNSUPPORTED, "already");
    assert_null(twice);
    oc_model_free(tiny);
    oc_model_free(plain);
    oc_model_free(int8);
}

static void running_out_of_memory_leaves_nothing(void **state) {
    (void)state;
    oc_model *plain = untrained(), *int8 = NULL;
    oc_status status = OC_ENOMEM;
    uint64_t n = 1;
    for (; status != OC_OK; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = quantize(&int8, plain, 1, &err);
        oc_mem_fail_at(0);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_null(int8);
    }
    assert_true(n > 20);
    oc_model_free(int8);
    oc_model_free(plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minmax_spans_what_was_seen),
        cmocka_unit_test(positive_values_have_level_0_for_zero),
        cmocka_unit_test(a_larger_value_widens_the_histogram),
        cmocka_unit_test(rules_cut_an_outlier_off),
        cmocka_unit_test(nothing_but_zeros_has_levels),
        cmocka_unit_test(weights_keep_both_bounds_and_are_near),
        cmocka_unit_test(a_filter_of_zeros_stays_zero),
        cmocka_unit_test(a_trained_network_keeps_its_accuracy),
        cmocka_unit_test(norms_are_folded_and_the_record_says_int8),
        cmocka_unit_test(what_cannot_be_quantised_says_so),
        cmocka_unit_test(running_out_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
