/* The temperature fit on made-up logits whose right answer is known.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "eval/eval.h"

enum { ITEMS = 4000, CLASSES = 5 };

typedef struct made {
    float logits[ITEMS * CLASSES];
    int32_t truth[ITEMS];
} made;

/* Logits whose softmax is the true distribution of the label, then multiplied by `overconfidence`:
 * the right temperature is that factor, up to the chance of the draw. */
static made *make(float overconfidence) {
    made *m = oc_malloc(sizeof *m);
    oc_rng rng;
    assert_non_null(m);
    for (size_t i = 0; i < ITEMS; i++) {
        float *z = m->logits + i * CLASSES, sum = 0, at = 0;
        oc_rng_init(&rng, 3, OC_RNG_TEST, 0, i);
        for (int k = 0; k < CLASSES; k++) sum += expf(z[k] = 1.5F * oc_rng_normal(&rng));
        float draw = oc_rng_uniform(&rng) * sum;
        m->truth[i] = CLASSES - 1;
        for (int k = CLASSES - 1; k >= 0; k--) {
            at += expf(z[k]);
            if (at >= draw) {
                m->truth[i] = k;
                break;
            }
        }
        for (int k = 0; k < CLASSES; k++) z[k] *= overconfidence;
    }
    return m;
}

static double nll_at(const made *m, double temperature) {
    oc_scorer *s = NULL;
    oc_score score;
    assert_int_equal(oc_scorer_new(&s, CLASSES, NULL), OC_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        oc_scorer_add(s, m->logits + i * CLASSES, temperature, m->truth[i]);
    }
    assert_int_equal(oc_scorer_finish(s, &score, NULL), OC_OK);
    double nll = score.nll;
    oc_score_clear(&score);
    oc_scorer_free(s);
    return nll;
}

static void the_made_up_temperature_is_found(void **state) {
    (void)state;
    static const float factors[] = {0.2F, 1, 3, 10};
    for (int i = 0; i < 4; i++) {
        made *m = make(factors[i]);
        double t = oc_fit_temperature(m->logits, m->truth, ITEMS, CLASSES, 1);
        assert_true(fabs(t / (double)factors[i] - 1) < 0.05); /* 4,000 draws */
        oc_free(m);
    }
}

static void the_fit_lowers_nll_and_is_a_minimum(void **state) {
    (void)state;
    made *m = make(4);
    double t = oc_fit_temperature(m->logits, m->truth, ITEMS, CLASSES, 1), best = nll_at(m, t);
    assert_true(best < nll_at(m, 1) - 0.5);
    assert_true(best < nll_at(m, 0.97 * t));
    assert_true(best < nll_at(m, 1.03 * t));
    oc_free(m);
}

static void the_result_stays_within_its_bounds(void **state) {
    (void)state;
    const float tiny[] = {1e-4F, 0, 0, 1e-4F}, huge[] = {1e4F, 0, 0, 1e4F};
    const int32_t right[] = {0, 1}, wrong[] = {1, 0};
    double sharp = oc_fit_temperature(tiny, right, 2, 2, 1),
           soft = oc_fit_temperature(huge, wrong, 2, 2, 1);
    assert_true(sharp >= 0.05 && sharp < 0.051);
    assert_true(soft <= 20 && soft > 19.9);
}

static void a_small_set_without_a_mistake_promises_no_certainty(void **state) {
    (void)state;
    float logits[20][2];
    int32_t truth[20];
    for (int i = 0; i < 20; i++) {
        truth[i] = i % 2;
        logits[i][truth[i]] = 2;
        logits[i][!truth[i]] = 0;
    }
    double t = oc_fit_temperature(logits[0], truth, 20, 2, 1);
    double p = 1 / (1 + exp(-2 / t));
    assert_true(fabs(p - (1 - 1.0 / 22)) < 1e-5); /* Platt's target */
}

static void a_temperature_that_only_doubts_is_not_taken(void **state) {
    (void)state;
    float logits[24][3];
    int32_t truth[24];
    for (int i = 0; i < 24; i++) { /* all right, with large gaps */
        truth[i] = i % 3;
        for (int k = 0; k < 3; k++) logits[i][k] = k == truth[i] ? 30 : -30 * (float)(k + 1);
    }
    assert_true(oc_fit_temperature(logits[0], truth, 24, 3, 1) == 1);
}

static void nothing_to_fit_gives_one(void **state) {
    (void)state;
    const float bad[] = {NAN, 1}, one[] = {3};
    const int32_t truth[] = {0};
    assert_true(oc_fit_temperature(NULL, NULL, 0, 3, 1) == 1);
    assert_true(oc_fit_temperature(bad, truth, 1, 2, 1) == 1);
    assert_true(oc_fit_temperature(one, truth, 1, 1, 1) == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_made_up_temperature_is_found),
        cmocka_unit_test(the_fit_lowers_nll_and_is_a_minimum),
        cmocka_unit_test(the_result_stays_within_its_bounds),
        cmocka_unit_test(a_small_set_without_a_mistake_promises_no_certainty),
        cmocka_unit_test(a_temperature_that_only_doubts_is_not_taken),
        cmocka_unit_test(nothing_to_fit_gives_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
