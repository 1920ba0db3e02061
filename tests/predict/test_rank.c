/* Ranking: softmax over temperature, the k best, against a plain sort.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "predict/predict_int.h"

/* Probabilities are computed in double and stored as float. */
static const double rounding = 1e-6;

static void known_logits_give_known_probabilities(void **state) {
    (void)state;
    const float logits[] = {1, 3, 2}; /* softmax: e^-2, 1, e^-1 over their sum 1.503215 */
    oc_ranked r[3];
    assert_true(oci_rank(logits, 3, 1, 3, r));
    assert_int_equal(r[0].label, 1);
    assert_int_equal(r[1].label, 2);
    assert_int_equal(r[2].label, 0);
    assert_true(fabs((double)r[0].p - 0.66524096) < rounding);
    assert_true(fabs((double)r[1].p - 0.24472847) < rounding);
    assert_true(fabs((double)r[2].p - 0.09003057) < rounding);
}

static void temperature_softens_without_reordering(void **state) {
    (void)state;
    const float logits[] = {1, 3, 2};
    oc_ranked sharp[3], soft[3];
    assert_true(oci_rank(logits, 3, 0.5, 3, sharp));
    assert_true(oci_rank(logits, 3, 4, 3, soft));
    for (int i = 0; i < 3; i++) assert_int_equal(sharp[i].label, soft[i].label);
    assert_true(sharp[0].p > soft[0].p);
    assert_true(sharp[2].p < soft[2].p);
}

static void huge_logits_do_not_overflow(void **state) {
    (void)state;
    const float logits[] = {3e38F, -3e38F, 2.9e38F};
    oc_ranked r[2];
    assert_true(oci_rank(logits, 3, 0.05, 2, r));
    assert_int_equal(r[0].label, 0);
    assert_true(r[0].p == 1);
    assert_true(r[1].p == 0);
}

static void equal_logits_come_by_class_number(void **state) {
    (void)state;
    const float logits[] = {5, 5, 5, 5};
    oc_ranked r[3];
    assert_true(oci_rank(logits, 4, 1, 3, r));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r[i].label, i);
        assert_true(fabs((double)r[i].p - 0.25) < rounding);
    }
}

static void what_is_not_finite_is_refused(void **state) {
    (void)state;
    const float bad[][2] = {{NAN, 1}, {1, NAN}, {INFINITY, 1}, {1, -INFINITY}};
    oc_ranked r[1];
    for (int i = 0; i < 4; i++) assert_false(oci_rank(bad[i], 2, 1, 1, r));
}

static void the_k_best_are_those_of_a_full_sort(void **state) {
    (void)state;
    enum { CLASSES = 200, K = 17 };
    float logits[CLASSES];
    oc_ranked best[K], all[CLASSES];
    oc_rng rng;
    for (uint64_t round = 0; round < 50; round++) {
        oc_rng_init(&rng, 1, OC_RNG_TEST, 0, round);
        for (int i = 0; i < CLASSES; i++) logits[i] = (float)oc_rng_below(&rng, 60); /* with ties */
        assert_true(oci_rank(logits, CLASSES, 1, K, best));
        assert_true(oci_rank(logits, CLASSES, 1, CLASSES, all));
        assert_memory_equal(best, all, sizeof best);
        for (int i = 1; i < CLASSES; i++) {
            float a = logits[all[i - 1].label], b = logits[all[i].label];
            assert_true(a > b || (a == b && all[i - 1].label < all[i].label));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_logits_give_known_probabilities),
        cmocka_unit_test(temperature_softens_without_reordering),
        cmocka_unit_test(huge_logits_do_not_overflow),
        cmocka_unit_test(equal_logits_come_by_class_number),
        cmocka_unit_test(what_is_not_finite_is_refused),
        cmocka_unit_test(the_k_best_are_those_of_a_full_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
