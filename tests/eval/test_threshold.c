/* The threshold of "unknown" on logits whose right answers are known, and what it does to answers.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "eval/eval.h"

enum { ITEMS = 400, CLASSES = 4 };

typedef struct made {
    float logits[ITEMS * CLASSES];
    int32_t truth[ITEMS];
} made;

/* Item i is the more certain the higher i; every fourth one is wrong. */
static made *make(void) {
    made *m = oc_calloc(1, sizeof *m);
    assert_non_null(m);
    for (int i = 0; i < ITEMS; i++) {
        int label = (i * 7) % CLASSES;
        m->logits[i * CLASSES + label] = 0.02F * (float)((i * 13) % ITEMS) + 0.01F;
        m->truth[i] = i % 4 == 0 ? (label + 1) % CLASSES : label;
    }
    return m;
}

/* The largest probability of item i. */
static double certainty(const made *m, int i, double temperature, bool *right) {
    const float *z = m->logits + (size_t)i * CLASSES;
    int best = 0;
    double sum = 0;
    for (int c = 1; c < CLASSES; c++)
        if (z[c] > z[best]) best = c;
    for (int c = 0; c < CLASSES; c++) sum += exp(((double)z[c] - (double)z[best]) / temperature);
    *right = best == m->truth[i];
    return 1 / sum;
}

static void share_above(const made *m, double temperature, double t, size_t *right, size_t *kept) {
    *right = *kept = 0;
    for (int i = 0; i < ITEMS; i++) {
        bool is_right = false;
        double p = certainty(m, i, temperature, &is_right);
        *right += is_right;
        *kept += is_right && p >= t;
    }
}

static double fit(const made *m, size_t n, double temperature, int threads) {
    double t = -1;
    oc_error err = {0};
    check_ok(oc_fit_threshold(&t, m->logits, m->truth, n, CLASSES, temperature, threads, &err),
             err);
    return t;
}

static void it_is_the_largest_that_keeps_95_percent_of_the_right(void **state) {
    (void)state;
    made *m = make();
    for (double temperature = 0.5; temperature < 3; temperature *= 2) {
        size_t right = 0, kept = 0;
        double t = fit(m, ITEMS, temperature, 1);
        share_above(m, temperature, t, &right, &kept);
        assert_true(20 * kept >= 19 * right);
        share_above(m, temperature, t * (1 + 1e-5), &right, &kept);
        assert_true(20 * kept <= 19 * right);
    }
    oc_free(m);
}

static void any_number_of_threads_finds_the_same(void **state) {
    (void)state;
    made *m = make();
    assert_true(fit(m, ITEMS, 1.3, 1) == fit(m, ITEMS, 1.3, 3));
    oc_free(m);
}

static void few_right_answers_give_none(void **state) {
    (void)state;
    made *m = make();
    oc_error err = {0};
    double t = -1;
    assert_true(fit(m, 0, 1, 1) == 0);
    assert_true(fit(m, 19, 1, 1) == 0);
    assert_true(fit(m, 25, 1, 1) == 0); /* 18 of them right */
    assert_true(fit(m, 28, 1, 1) > 0);  /* 21 */
    check_ok(oc_fit_threshold(&t, m->logits, m->truth, ITEMS, 1, 1, 1, &err), err);
    assert_true(t == 0); /* one class is always certain */
    oc_free(m);
}

static void logits_that_are_not_finite_give_none(void **state) {
    (void)state;
    made *m = make();
    for (int i = 0; i < ITEMS * CLASSES; i++) m->logits[i] = NAN;
    assert_true(fit(m, ITEMS, 1, 1) == 0);
    oc_free(m);
}

static void answers_above_it_are_counted(void **state) {
    (void)state;
    oc_prediction p[] = {{.truth = 0, .label = 0, .p = 0.9F},
                         {.truth = 1, .label = 0, .p = 0.8F},
                         {.truth = 1, .label = 1, .p = 0.3F}};
    const oc_eval e = {.score = {.n = 3}, .predictions = p};
    oc_sure sure = oc_eval_sure(&e, 0.5);
    assert_int_equal(sure.n, 2);
    assert_int_equal(sure.correct, 1);
    sure = oc_eval_sure(&e, 0.3F);
    assert_int_equal(sure.n, 3);
}

static void fitting_survives_its_allocation_failing(void **state) {
    (void)state;
    made *m = make();
    double t = -1;
    oc_error err = {0};
    oc_mem_fail_at(1);
    check_fails(oc_fit_threshold(&t, m->logits, m->truth, ITEMS, CLASSES, 1, 1, &err), err,
                OC_ENOMEM, "certainty");
    oc_mem_fail_at(0);
    assert_true(t == 0);
    oc_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_largest_that_keeps_95_percent_of_the_right),
        cmocka_unit_test(any_number_of_threads_finds_the_same),
        cmocka_unit_test(few_right_answers_give_none),
        cmocka_unit_test(logits_that_are_not_finite_give_none),
        cmocka_unit_test(answers_above_it_are_counted),
        cmocka_unit_test(fitting_survives_its_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
