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
        cmocka_unit_test(constant_stays_at_one),
        cmocka_unit_test(steps_beyond_the_end_and_empty_stages_have_a_finite_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
