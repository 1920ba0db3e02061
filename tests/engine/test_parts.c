/* The parts that engines share: loss, optimisers, dropout masks.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "engine/engine_int.h"

static void check_near(double got, double wanted, double allowed) {
    if (!(fabs(got - wanted) <= allowed)) fail_msg("%.9g, wanted %.9g", got, wanted);
}

/* ---- loss -------------------------------------------------------------------------------------
 */

static void equal_logits_lose_ln_of_classes(void **state) {
    (void)state;
    float logits[8] = {3, 3, 3, 3, -7, -7, -7, -7}, d[8];
    int32_t labels[] = {2, 0};
    oc_targets t = {.label = labels};
    oc_result r;
    oci_softmax_nll(logits, 2, 4, &t, d, &r);
    check_near(r.loss, log(4), 1e-7);
    assert_int_equal(r.correct, 1); /* the first of equal maxima */
    check_near((double)d[2], (0.25 - 1) / 2, 1e-7);
    check_near((double)d[1], 0.25 / 2, 1e-7);
}

static void loss_of_known_logits_is_known(void **state) {
    (void)state;
    /* torch.nn.functional.cross_entropy([[1, 2, 0.5]], [1], label_smoothing=0.1) */
    float logits[3] = {1, 2, 0.5F}, d[3];
    int32_t label = 1;
    oc_targets t = {.label = &label, .smoothing = 0.1F};
    oc_result r;
    oci_softmax_nll(logits, 1, 3, &t, d, &r);
    double sum = exp(1.0) + exp(2.0) + exp(0.5), lse = log(sum);
    double wanted = 0.9 * (lse - 2) + 0.1 / 3 * (3 * lse - 3.5);
    check_near(r.loss, wanted, 1e-6);
    check_near((double)d[0], exp(1.0) / sum - 0.1 / 3, 1e-6);
    check_near((double)d[1], exp(2.0) / sum - 0.9 - 0.1 / 3, 1e-6);
}

static void mixed_labels_lose_the_mix(void **state) {
    (void)state;
    float logits[6] = {0.3F, -1, 2, 0.3F, -1, 2}, d[6], one[3];
    int32_t a[] = {0, 0}, b[] = {2, 2};
    float mix[] = {0.25F, 1};
    oc_targets t = {.label = a, .label2 = b, .mix = mix};
    oc_result both, first, second;
    oci_softmax_nll(logits, 1, 3, &t, d, &both);
    t = (oc_targets){.label = a};
    oci_softmax_nll(logits, 1, 3, &t, one, &first);
    t.label = b;
    oci_softmax_nll(logits, 1, 3, &t, one, &second);
    check_near(both.loss, 0.25 * first.loss + 0.75 * second.loss, 1e-6);
    assert_int_equal(both.correct, 0);
    assert_int_equal(second.correct, 1);
}

static void extreme_logits_stay_finite(void **state) {
    (void)state;
    float logits[4] = {-3e38F, 3e38F, 1e4F, -1e4F}, d[4];
    int32_t labels[] = {1, 1};
    oc_targets t = {.label = labels};
    oc_result r;
    oci_softmax_nll(logits, 2, 2, &t, d, &r);
    check_near(r.loss, 1e4, 1e-3); /* (0 + 20000) / 2 */
    for (int i = 0; i < 4; i++) assert_true(isfinite(d[i]));
}

static void bad_logits_are_seen_in_the_loss(void **state) {
    (void)state;
    int32_t label = 0;
    oc_targets t = {.label = &label};
    const float bad[] = {NAN, INFINITY};
    for (int k = 0; k < 2; k++) {
        for (int at = 0; at < 3; at++) {
            float logits[3] = {0, 1, 2};
            logits[at] = bad[k];
            oc_result r;
            oci_softmax_nll(logits, 1, 3, &t, NULL, &r);
            assert_false(isfinite(r.loss));
        }
    }
}

static void gradient_rows_sum_to_zero_for_any_team(void **state) {
    (void)state;
    enum { N = 700, C = 50 };
    static float logits[N * C], d[N * C], again[N * C];
    static int32_t labels[N];
    oc_rng rng;
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * C; i++) logits[i] = 4 * oc_rng_normal(&rng);
    for (size_t i = 0; i < N; i++) labels[i] = (int32_t)oc_rng_below(&rng, C);
    oc_targets t = {.label = labels, .smoothing = 0.2F};
    oc_result one, three;
    int before = oci_threads_use(1);
    oci_softmax_nll(logits, N, C, &t, d, &one);
    (void)oci_threads_use(3);
    oci_softmax_nll(logits, N, C, &t, again, &three);
    (void)oci_threads_use(before);
    assert_memory_equal(d, again, sizeof d);
    assert_memory_equal(&one.loss, &three.loss, sizeof one.loss);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t c = 0; c < C; c++) sum += (double)d[i * C + c];
        check_near(sum, 0, 1e-8);
    }
}

/* ---- optimisers -------------------------------------------------------------------------------
 */

/* Two steps on one weight, with the gradients g1 and g2; w starts at 1. */
static float two_steps(oc_update u, float g1, float g2) {
    float w = 1, s0 = 0, s1 = 0;
    u.step = 1;
    oci_update_range(&u, &w, &g1, &s0, &s1, 1, 1, 1, 1);
    u.step = 2;
    oci_update_range(&u, &w, &g2, &s0, &s1, 1, 1, 1, 1);
    return w;
}

static void sgd_follows_its_formula(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_SGD, .lr = 0.1F, .momentum = 0.9F};
    check_near((double)two_steps(u, 0.5F, 0.25F), 1 - 0.05 - 0.1 * (0.45 + 0.25), 1e-6);
    u.nesterov = true;
    double w = 1 - 0.1 * (0.5 + 0.9 * 0.5);
    check_near((double)two_steps(u, 0.5F, 0.25F), w - 0.1 * (0.25 + 0.9 * 0.7), 1e-6);
    u = (oc_update){.optimizer = OC_SGD, .lr = 0.1F, .l2 = 0.5F, .l1 = 0.1F};
    w = 1 - 0.1 * (0.5 + 0.5 + 0.1);
    check_near((double)two_steps(u, 0.5F, 0.25F), w - 0.1 * (0.25 + 0.5 * w + 0.1), 1e-6);
}

static void adagrad_follows_its_formula(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_ADAGRAD, .lr = 0.1F, .epsilon = 0.01F};
    double w = 1 - 0.1 * 0.5 / (0.5 + 0.01);
    w -= 0.1 * 0.25 / (sqrt(0.3125) + 0.01);
    check_near((double)two_steps(u, 0.5F, 0.25F), w, 1e-6);
}

static void rmsprop_follows_its_formula(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_RMSPROP, .lr = 0.1F, .rho = 0.75F, .epsilon = 0.01F};
    double s = 0.25 * 0.25, w = 1 - 0.1 * 0.5 / (sqrt(s) + 0.01);
    s = 0.75 * s + 0.25 * 0.0625;
    w -= 0.1 * 0.25 / (sqrt(s) + 0.01);
    check_near((double)two_steps(u, 0.5F, 0.25F), w, 1e-6);
}

static void adamw_follows_its_formula(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_ADAMW,
                   .lr = 0.1F,
                   .beta1 = 0.9F,
                   .beta2 = 0.99F,
                   .epsilon = 0.01F,
                   .l2 = 0.5F};
    double w = 1 * (1 - 0.05) - 0.1 * 0.5 / (0.5 + 0.01);
    double m = 0.9 * 0.05 + 0.1 * 0.25, v = 0.99 * 0.0025 + 0.01 * 0.0625;
    w = w * (1 - 0.05) - 0.1 * (m / 0.19) / (sqrt(v / 0.0199) + 0.01);
    check_near((double)two_steps(u, 0.5F, 0.25F), w, 1e-6);
}

/* torch.optim.Adam: decay is part of the gradient. */
static void adam_follows_its_formula(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_ADAM,
                   .lr = 0.1F,
                   .beta1 = 0.9F,
                   .beta2 = 0.99F,
                   .epsilon = 0.01F,
                   .l2 = 0.5F};
    double g = 0.5 + 0.5, m = 0.1 * g, v = 0.01 * g * g, w = 1 - 0.1 * 1 / (1 + 0.01);
    g = 0.25 + 0.5 * w;
    m = 0.9 * m + 0.1 * g, v = 0.99 * v + 0.01 * g * g;
    w -= 0.1 * (m / 0.19) / (sqrt(v / 0.0199) + 0.01);
    check_near((double)two_steps(u, 0.5F, 0.25F), w, 1e-6);
}

static void adadelta_follows_its_formula(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_ADADELTA, .lr = 0.5F, .rho = 0.75F, .epsilon = 0.01F};
    double s = 0.25 * 0.25, d = 0, move = 0.5 * sqrt((d + 0.01) / (s + 0.01)), w = 1 - 0.5 * move;
    d = 0.25 * move * move;
    s = 0.75 * s + 0.25 * 0.0625;
    w -= 0.5 * 0.25 * sqrt((d + 0.01) / (s + 0.01));
    check_near((double)two_steps(u, 0.5F, 0.25F), w, 1e-6);
}

/* Two steps as above, the rate falling to a tenth before the second. */
static float two_rates(oc_update u, float g1, float g2) {
    float w = 1, s0 = 0, s1 = 0;
    u.step = 1;
    oci_update_range(&u, &w, &g1, &s0, &s1, 1, 1, 1, 1);
    u.step = 2;
    u.lr *= 0.1F;
    oci_update_range(&u, &w, &g2, &s0, &s1, 1, 1, 1, 1);
    return w;
}

/* SGDSolver and NesterovSolver: history = momentum*history + rate*diff; Nesterov's update is
 * (1+momentum)*history - momentum*(history before). */
static void caffe_s_velocity_keeps_the_rate_of_its_steps(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_SGD, .lr = 0.1F, .momentum = 0.9F, .caffe = true};
    double h1 = 0.1 * 0.5, h2 = 0.9 * h1 + 0.01 * 0.25;
    check_near((double)two_rates(u, 0.5F, 0.25F), 1 - h1 - h2, 1e-6);
    u.nesterov = true;
    check_near((double)two_rates(u, 0.5F, 0.25F), 1 - 1.9 * h1 - (1.9 * h2 - 0.9 * h1), 1e-6);
    u.caffe = false; /* torch's takes the rate of now for all of it */
    check_near((double)two_rates(u, 0.5F, 0.25F), 1 - 0.1 * 0.95 - 0.01 * (0.25 + 0.9 * 0.7), 1e-6);
}

/* AdamSolver: the correction stands before the fraction, delta beside the plain root. */
static void caffe_s_adam_adds_its_delta_before_the_correction(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_ADAM,
                   .lr = 0.1F,
                   .beta1 = 0.9F,
                   .beta2 = 0.99F,
                   .epsilon = 0.01F,
                   .caffe = true};
    double m = 0.1 * 0.5, v = 0.01 * 0.25, w = 1 - 0.1 * sqrt(0.01) / 0.1 * m / (sqrt(v) + 0.01);
    m = 0.9 * m + 0.1 * 0.25, v = 0.99 * v + 0.01 * 0.0625;
    w -= 0.1 * sqrt(0.0199) / 0.19 * m / (sqrt(v) + 0.01);
    check_near((double)two_steps(u, 0.5F, 0.25F), w, 1e-6);
}

static void multipliers_scale_rate_and_decay(void **state) {
    (void)state;
    oc_update u = {.optimizer = OC_SGD, .lr = 0.1F, .l2 = 0.5F, .caffe = true, .step = 1};
    float w = 1, g = 0.25F, s0 = 0, s1 = 0;
    oci_update_range(&u, &w, &g, &s0, &s1, 1, 10, 2, 1);
    check_near((double)w, 1 - 0.1 * 10 * (0.25 + 0.5 * 2), 1e-6);
    w = 1;
    oci_update_range(&u, &w, &g, &s0, &s1, 1, 10, 0, 1);
    check_near((double)w, 1 - 0.1 * 10 * 0.25, 1e-6);
}

static void update_is_the_same_for_any_team(void **state) {
    (void)state;
    enum { COUNT = 100003 };
    static float w[2][COUNT], g[COUNT], s[2][2][COUNT];
    oc_rng rng;
    for (int o = 0; o < OC_OPTIMIZER_COUNT; o++) {
        oc_update u = {.optimizer = (oc_optimizer)o,
                       .lr = 0.1F,
                       .momentum = 0.9F,
                       .rho = 0.9F,
                       .beta1 = 0.9F,
                       .beta2 = 0.99F,
                       .epsilon = 1e-8F,
                       .l1 = 0.1F,
                       .l2 = 0.1F,
                       .step = 2};
        oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
        memset(s, 0, sizeof s);
        for (size_t i = 0; i < COUNT; i++) w[0][i] = w[1][i] = oc_rng_normal(&rng);
        for (size_t i = 0; i < COUNT; i++) g[i] = oc_rng_normal(&rng);
        for (int k = 0; k < 2; k++) {
            int before = oci_threads_use(1 + 2 * k);
            oci_update_range(&u, w[k], g, s[k][0], s[k][1], COUNT, 0.5F, 2, 0.25F);
            (void)oci_threads_use(before);
        }
        assert_memory_equal(w[0], w[1], sizeof w[0]);
        assert_memory_equal(s[0], s[1], sizeof s[0]);
    }
}

static void sum_of_squares_is_exact_and_the_same_for_any_team(void **state) {
    (void)state;
    enum { COUNT = 2200001 };
    float *x = oc_malloc(COUNT * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < COUNT; i++) x[i] = (float)(i % 7);
    int before = oci_threads_use(1);
    double one = oci_sum_squares(x, COUNT);
    (void)oci_threads_use(3);
    assert_true(oci_sum_squares(x, COUNT) == one);
    (void)oci_threads_use(before);
    double wanted = 0; /* whole numbers below 2^53: exact */
    for (size_t i = 0; i < COUNT; i++) wanted += (double)((i % 7) * (i % 7));
    assert_true(one == wanted);
    assert_true(oci_sum_squares(x, 0) == 0);
    oc_free(x);
}

static void clipping_limits_the_norm(void **state) {
    (void)state;
    oc_update u = {.clip_norm = 2};
    check_near((double)oci_clip_scale(&u, 8), 0.25, 1e-7);
    check_near((double)oci_clip_scale(&u, 1.9), 1, 0);
    u.clip_norm = 0;
    check_near((double)oci_clip_scale(&u, 8), 1, 0);
    check_near((double)oci_renormalise_scale(4), 0.25, 1e-7);
    check_near((double)oci_renormalise_scale(0), 1, 0);
    assert_true(isfinite(oci_renormalise_scale(1e-300)));
}

static void optimizer_words_are_read_back(void **state) {
    (void)state;
    for (int i = 0; i < OC_OPTIMIZER_COUNT; i++) {
        oc_optimizer o;
        assert_true(oc_optimizer_parse(oc_optimizer_name((oc_optimizer)i), &o));
        assert_int_equal(o, i);
    }
    oc_optimizer o;
    assert_false(oc_optimizer_parse("adam?", &o));
    assert_string_equal(oc_optimizer_name((oc_optimizer)99), "unknown");
}

/* ---- dropout ----------------------------------------------------------------------------------
 */

static void dropout_keeps_its_share(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    static uint8_t keep[COUNT], again[COUNT];
    oci_dropout_mask(keep, COUNT, 0.3F, 1, 2, 3);
    size_t kept = 0;
    for (size_t i = 0; i < COUNT; i++) kept += keep[i];
    check_near((double)kept / COUNT, 0.7, 0.006); /* four standard deviations */
    oci_dropout_mask(again, COUNT, 0, 1, 2, 3);
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(again[i], 1);
}

static void dropout_depends_on_seed_node_and_step_alone(void **state) {
    (void)state;
    enum { COUNT = 9000 };
    static uint8_t a[COUNT], b[COUNT];
    int before = oci_threads_use(1);
    oci_dropout_mask(a, COUNT, 0.5F, 1, 2, 3);
    (void)oci_threads_use(3);
    oci_dropout_mask(b, COUNT, 0.5F, 1, 2, 3);
    (void)oci_threads_use(before);
    assert_memory_equal(a, b, COUNT);
    oci_dropout_mask(b, 100, 0.5F, 1, 2, 3); /* a shorter range is its beginning */
    assert_memory_equal(a, b, 100);
    oci_dropout_mask(b, COUNT, 0.5F, 9, 2, 3);
    assert_memory_not_equal(a, b, COUNT);
    oci_dropout_mask(b, COUNT, 0.5F, 1, 9, 3);
    assert_memory_not_equal(a, b, COUNT);
    oci_dropout_mask(b, COUNT, 0.5F, 1, 2, 9);
    assert_memory_not_equal(a, b, COUNT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_logits_lose_ln_of_classes),
        cmocka_unit_test(loss_of_known_logits_is_known),
        cmocka_unit_test(mixed_labels_lose_the_mix),
        cmocka_unit_test(extreme_logits_stay_finite),
        cmocka_unit_test(bad_logits_are_seen_in_the_loss),
        cmocka_unit_test(gradient_rows_sum_to_zero_for_any_team),
        cmocka_unit_test(sgd_follows_its_formula),
        cmocka_unit_test(adagrad_follows_its_formula),
        cmocka_unit_test(rmsprop_follows_its_formula),
        cmocka_unit_test(adamw_follows_its_formula),
        cmocka_unit_test(adam_follows_its_formula),
        cmocka_unit_test(adadelta_follows_its_formula),
        cmocka_unit_test(caffe_s_velocity_keeps_the_rate_of_its_steps),
        cmocka_unit_test(caffe_s_adam_adds_its_delta_before_the_correction),
        cmocka_unit_test(multipliers_scale_rate_and_decay),
        cmocka_unit_test(update_is_the_same_for_any_team),
        cmocka_unit_test(sum_of_squares_is_exact_and_the_same_for_any_team),
        cmocka_unit_test(clipping_limits_the_norm),
        cmocka_unit_test(optimizer_words_are_read_back),
        cmocka_unit_test(dropout_keeps_its_share),
        cmocka_unit_test(dropout_depends_on_seed_node_and_step_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
