/* Claims about the learning rate over a stage.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "check.h"
#include "train/settings_int.h"

static const double TINY = 1e-12; /* of a few roundings of numbers near 1 */

static oci_schedule make(oc_schedule_kind kind, double warmup_epochs) {
    oci_settings s = {
        .schedule = kind, .warmup_epochs = warmup_epochs, .step_epochs = 2, .step_factor = 0.1};
    return oci_schedule_make(&s, 6, 10);
}

static void warmup_rises_linearly_to_one(void **state) {
    (void)state;
    oci_schedule s = make(OC_SCHEDULE_COSINE, 1);
    for (uint64_t t = 0; t < 10; t++) {
        assert_true(fabs(oci_schedule_factor(&s, t) - (double)(t + 1) / 10) < TINY);
    }
    assert_true(fabs(oci_schedule_factor(&s, 10) - 1) < TINY);
}

static void warmup_takes_at_most_half_of_the_stage(void **state) {
    (void)state;
    oci_schedule s = make(OC_SCHEDULE_CONSTANT, 1000);
    assert_int_equal(s.warmup, 30);
    assert_true(oci_schedule_factor(&s, 29) >= 1);
}

static void cosine_falls_towards_zero_and_is_half_at_the_middle(void **state) {
    (void)state;
    oci_schedule s = make(OC_SCHEDULE_COSINE, 0);
    double before = 2;
    for (uint64_t t = 0; t < 60; t++) {
        double now = oci_schedule_factor(&s, t);
        assert_true(now < before && now > 0);
        before = now;
    }
    assert_true(fabs(oci_schedule_factor(&s, 30) - 0.5) < TINY);
    assert_true(before < 0.01);
}

static void step_drops_by_its_factor_every_so_many_epochs(void **state) {
    (void)state;
    oci_schedule s = make(OC_SCHEDULE_STEP, 0);
    assert_true(fabs(oci_schedule_factor(&s, 19) - 1) < TINY);
    assert_true(fabs(oci_schedule_factor(&s, 20) - 0.1) < TINY);
    assert_true(fabs(oci_schedule_factor(&s, 59) - 0.01) < TINY);
}

/* ---- Caffe's lr_policy, by iterations ----------------------------------------------------------
 */

/* SGDSolver::GetLearningRate of BVLC/caffe, base_lr 1. */
typedef struct policy {
    oc_schedule_kind kind;
    double gamma, power;
    int stepsize;
    double (*rate)(const struct policy *p, double iter);
} policy;

enum { MAX_ITER = 1000 };
static const double VALUES[] = {300, 700, 900};

static double rate_step(const policy *p, double iter) {
    return pow(p->gamma, floor(iter / p->stepsize));
}
static double rate_exp(const policy *p, double iter) {
    return pow(p->gamma, iter);
}
static double rate_inv(const policy *p, double iter) {
    return pow(1 + p->gamma * iter, -p->power);
}
static double rate_multistep(const policy *p, double iter) {
    return pow(p->gamma, (iter >= 300) + (iter >= 700) + (iter >= 900));
}
static double rate_poly(const policy *p, double iter) {
    return pow(1 - iter / MAX_ITER, p->power);
}
static double rate_sigmoid(const policy *p, double iter) {
    return 1 / (1 + exp(-p->gamma * (iter - p->stepsize)));
}

static void each_policy_is_caffe_s_at_every_iteration(void **state) {
    (void)state;
    static const policy policies[] = {
        {OC_SCHEDULE_STEP, 0.1, 0, 300, rate_step},
        {OC_SCHEDULE_EXP, 0.999, 0, 0, rate_exp},
        {OC_SCHEDULE_INV, 0.0001, 0.75, 0, rate_inv},
        {OC_SCHEDULE_MULTISTEP, 0.5, 0, 0, rate_multistep},
        {OC_SCHEDULE_POLY, 0, 0.5, 0, rate_poly},
        {OC_SCHEDULE_SIGMOID, -0.01, 0, 500, rate_sigmoid},
    };
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        const policy *p = &policies[i];
        oci_settings s = {.schedule = p->kind,
                          .step_factor = p->gamma,
                          .power = p->power,
                          .step_epochs = p->stepsize,
                          .step_at = VALUES,
                          .step_count = 3,
                          .iterations = MAX_ITER,
                          .judge_every = 100};
        oci_schedule schedule = oci_schedule_make(&s, 10, 37);
        for (uint64_t t = 0; t < MAX_ITER; t++) {
            assert_true(fabs(oci_schedule_factor(&schedule, t) - p->rate(p, (double)t)) < TINY);
        }
    }
}

static void marks_and_decay_by_epochs_fall_between_them(void **state) {
    (void)state;
    static const double marks[] = {2, 4.5};
    oci_settings s = {
        .schedule = OC_SCHEDULE_MULTISTEP, .step_factor = 0.1, .step_at = marks, .step_count = 2};
    oci_schedule m = oci_schedule_make(&s, 6, 10);
    assert_true(fabs(oci_schedule_factor(&m, 19) - 1) < TINY);
    assert_true(fabs(oci_schedule_factor(&m, 20) - 0.1) < TINY);
    assert_true(fabs(oci_schedule_factor(&m, 44) - 0.1) < TINY);
    assert_true(fabs(oci_schedule_factor(&m, 45) - 0.01) < TINY);
    s.schedule = OC_SCHEDULE_EXP;
    s.step_factor = 0.5;
    m = oci_schedule_make(&s, 6, 10);
    assert_true(fabs(oci_schedule_factor(&m, 30) - 0.125) < TINY);
}

static void constant_stays_at_one(void **state) {
    (void)state;
    oci_schedule s = make(OC_SCHEDULE_CONSTANT, 0);
    assert_true(oci_schedule_factor(&s, 0) >= 1 && oci_schedule_factor(&s, 59) <= 1);
}

static void steps_beyond_the_end_and_empty_stages_have_a_finite_factor(void **state) {
    (void)state;
    oci_schedule s = make(OC_SCHEDULE_COSINE, 0), none = {.kind = OC_SCHEDULE_COSINE};
    assert_true(isfinite(oci_schedule_factor(&s, UINT64_MAX)));
    assert_true(isfinite(oci_schedule_factor(&none, 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warmup_rises_linearly_to_one),
        cmocka_unit_test(warmup_takes_at_most_half_of_the_stage),
        cmocka_unit_test(cosine_falls_towards_zero_and_is_half_at_the_middle),
        cmocka_unit_test(step_drops_by_its_factor_every_so_many_epochs),
        cmocka_unit_test(each_policy_is_caffe_s_at_every_iteration),
        cmocka_unit_test(marks_and_decay_by_epochs_fall_between_them),
        cmocka_unit_test(constant_stays_at_one),
        cmocka_unit_test(steps_beyond_the_end_and_empty_stages_have_a_finite_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
