/* Scores against vectors worked out elsewhere.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "eval/eval_int.h"

/* Sums of a few dozen doubles. */
static const double rounding = 1e-12;

#define check_near(a, b)                                                                           \
    do {                                                                                           \
        double near_a_ = (a), near_b_ = (b);                                                       \
        if (!(fabs(near_a_ - near_b_) < rounding)) {                                               \
            fail_msg("%s is %.15g, expected %.15g", #a, near_a_, near_b_);                         \
        }                                                                                          \
    } while (0)

static oc_scorer *new_scorer(size_t classes) {
    oc_scorer *s = NULL;
    oc_error err = {0};
    check_ok(oc_scorer_new(&s, classes, &err), err);
    return s;
}

/* An item of class `truth` that is given `label`, with logit 2 against 0. */
static void add(oc_scorer *s, size_t classes, int truth, int label) {
    float logits[16] = {0};
    assert_true(classes <= 16);
    logits[label] = 2;
    oc_scorer_add(s, logits, 1, truth);
}

static oc_score finish(oc_scorer *s) {
    oc_score score;
    oc_error err = {0};
    check_ok(oc_scorer_finish(s, &score, &err), err);
    oc_scorer_free(s);
    return score;
}

/* Table 5.2.1 of the founding thesis: accuracy 0.6167. By class, with P = diagonal / column,
 * R = diagonal / row:
 *   P 12/20, 19/26, 6/14   R 12/18, 19/25, 6/17   F1 0.631578947, 0.745098039, 0.387096774
 * The thesis swaps rows and columns in its formulas, so its "precision" 0.5932 is our macro recall
 * and its "recall" 0.5864 our macro precision; its F1 0.5898 is the harmonic mean of those means,
 * ours the mean of the classes' F1, 0.5879. */
static void the_thesis_table_gives_its_numbers(void **state) {
    (void)state;
    static const int table[3][3] = {{12, 0, 6}, {4, 19, 2}, {4, 7, 6}};
    oc_scorer *s = new_scorer(3);
    for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < table[r][c]; i++) add(s, 3, r, c);
        }
    }
    oc_score score = finish(s);
    assert_int_equal(score.n, 60);
    check_near(score.accuracy, 37.0 / 60);
    check_near(score.macro_recall, 0.5932026143790851);
    check_near(score.macro_precision, 0.5864468864468865);
    check_near(score.macro_f1, 0.5879245869258852);
    check_near(score.f1a, 2.0 / 3);
    check_near(score.per_class[1].precision, 19.0 / 26);
    check_near(score.per_class[2].recall, 6.0 / 17);
    check_near(score.per_class[0].f1, 12.0 / 19);
    check_near(score.accuracy_low, 0.49017595824099924);
    check_near(score.accuracy_high, 0.7291172762591798);
    for (int i = 0; i < 9; i++) assert_int_equal(score.confusion[i], table[i / 3][i % 3]);
    oc_score_clear(&score);
}

static void classes_without_items_are_no_part_of_the_means(void **state) {
    (void)state;
    oc_scorer *s = new_scorer(4);
    add(s, 4, 0, 0);
    add(s, 4, 0, 0);
    add(s, 4, 1, 3); /* class 3 has no items of its own, class 2 none at all */
    oc_score score = finish(s);
    check_near(score.macro_recall, 0.5);
    check_near(score.macro_precision, 0.5);
    check_near(score.macro_f1, 0.5);
    check_near(score.f1a, 0.5);
    assert_true(score.per_class[3].precision == 0);
    assert_true(score.per_class[2].f1 == 0);
    assert_int_equal(score.per_class[3].predicted, 1);
    oc_score_clear(&score);
}

static void nothing_scored_is_all_zero(void **state) {
    (void)state;
    oc_score score = finish(new_scorer(3));
    assert_int_equal(score.n, 0);
    check_near(score.accuracy + score.nll + score.macro_f1 + score.ece + score.top5, 0);
    check_near(score.accuracy_low, 0);
    check_near(score.accuracy_high, 1);
    oc_score_clear(&score);
}

static void nll_is_the_mean_and_is_clipped(void **state) {
    (void)state;
    const float even[] = {0, 0}, sure[] = {100, 0};
    oc_scorer *s = new_scorer(2);
    oc_scorer_add(s, even, 1, 0); /* ln 2 */
    oc_scorer_add(s, sure, 1, 1); /* e^-100 is below 1e-15 */
    oc_score score = finish(s);
    check_near(score.nll, (log(2) - log(1e-15)) / 2);
    oc_score_clear(&score);
}

static void temperature_divides_the_logits(void **state) {
    (void)state;
    const float logits[] = {2, 0};
    oc_scorer *s = new_scorer(2);
    oc_scorer_add(s, logits, 4, 0); /* sigmoid(0.5) */
    oc_score score = finish(s);
    check_near(score.nll, log(1 + exp(-0.5)));
    oc_score_clear(&score);
}

static void top5_counts_the_first_five_and_ties_by_number(void **state) {
    (void)state;
    const float falling[] = {7, 6, 5, 4, 3, 2, 1}, equal[7] = {0};
    oc_scorer *s = new_scorer(7);
    for (int truth = 0; truth < 7; truth++) oc_scorer_add(s, falling, 1, truth);
    for (int truth = 0; truth < 7; truth++) oc_scorer_add(s, equal, 1, truth);
    oc_score score = finish(s);
    check_near(score.top5, 10.0 / 14);
    check_near(score.accuracy, 2.0 / 14);
    oc_score_clear(&score);
}

/* Ten items at confidence 0.75 of which six are right: all in bin ceil(0.75 * 15) - 1 = 11. */
static void calibration_error_is_the_gap(void **state) {
    (void)state;
    const float logits[] = {(float)1.0986122886681098, 0}; /* ln 3: 0.75 to 0.25 */
    oc_scorer *s = new_scorer(2);
    for (int i = 0; i < 10; i++) oc_scorer_add(s, logits, 1, i < 6 ? 0 : 1);
    oc_score score = finish(s);
    assert_true(fabs(score.ece - 0.15) < 1e-7); /* the logit is a float */
    assert_int_equal(score.bin[11].n, 10);
    check_near(score.bin[11].accuracy, 0.6);
    oc_score_clear(&score);
}

static void confidence_of_one_falls_in_the_last_bin(void **state) {
    (void)state;
    const float logits[] = {500, 0};
    oc_scorer *s = new_scorer(2);
    oc_scorer_add(s, logits, 1, 0);
    oc_score score = finish(s);
    assert_int_equal(score.bin[OC_CALIBRATION_BINS - 1].n, 1);
    check_near(score.ece, 0);
    oc_score_clear(&score);
}

static void output_that_is_not_finite_counts_as_wrong_in_nll(void **state) {
    (void)state;
    const float logits[] = {NAN, 1, INFINITY};
    oc_scorer *s = new_scorer(3);
    oc_scorer_add(s, logits, 1, 1);
    oc_score score = finish(s);
    check_near(score.nll, -log(1e-15));
    check_near(score.top5, 0);
    assert_true(score.ece >= 0 && score.ece <= 1);
    oc_score_clear(&score);
}

/* Wilson's interval by hand for 0 of 10 and 10 of 10: z^2/(n+z^2) = 0.277532799 is the far end. */
static void the_interval_stays_inside(void **state) {
    (void)state;
    double low, high;
    oci_wilson(0, 10, &low, &high);
    check_near(low, 0);
    assert_true(fabs(high - 0.2775327998) < 1e-9);
    oci_wilson(10, 10, &low, &high);
    assert_true(fabs(low - 0.7224672002) < 1e-9);
    check_near(high, 1);
}

static void too_many_classes_go_without_a_matrix(void **state) {
    (void)state;
    static float logits[2001];
    oc_scorer *s = new_scorer(2001);
    logits[2000] = 1;
    oc_scorer_add(s, logits, 1, 2000);
    oc_score score = finish(s);
    assert_null(score.confusion);
    check_near(score.accuracy, 1);
    check_near(score.per_class[2000].f1, 1);
    oc_score_clear(&score);
}

static void scoring_survives_any_allocation_failing(void **state) {
    (void)state;
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_scorer *s = NULL;
        oc_score score = {0};
        assert_true(n < 50);
        oc_mem_fail_at(n);
        status = oc_scorer_new(&s, 5, NULL);
        if (status == OC_OK) status = oc_scorer_finish(s, &score, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        oc_scorer_free(s);
        oc_score_clear(&score);
    }
}

/* Enough logits to be shared among threads, more rows than are judged at a time. */
static void rows_together_score_as_one_by_one(void **state) {
    (void)state;
    enum { ROWS = 150, WIDE = 5000 };
    oc_error err = {0};
    oc_scorer *one, *all;
    oc_score a, b;
    oc_rng rng;
    float *logits = oc_malloc(sizeof(float) * ROWS * WIDE);
    int32_t truth[ROWS];
    bool skip[ROWS] = {[3] = true, [140] = true};
    assert_non_null(logits);
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < ROWS * WIDE; i++) logits[i] = oc_rng_between(&rng, -4, 4);
    for (int i = 0; i < ROWS; i++) truth[i] = (int32_t)oc_rng_below(&rng, WIDE);
    check_ok(oc_scorer_new(&one, WIDE, &err), err);
    check_ok(oc_scorer_new(&all, WIDE, &err), err);
    for (int i = 0; i < ROWS; i++)
        if (!skip[i]) oc_scorer_add(one, logits + i * WIDE, 2, truth[i]);
    oc_scorer_add_rows(all, logits, ROWS, 2, truth, skip, 3);
    check_ok(oc_scorer_finish(one, &a, &err), err);
    check_ok(oc_scorer_finish(all, &b, &err), err);
    assert_int_equal(b.n, ROWS - 2);
    assert_true(a.nll == b.nll && a.accuracy == b.accuracy && a.ece == b.ece);
    assert_true(oc_fit_temperature(logits, truth, ROWS, WIDE, 1) ==
                oc_fit_temperature(logits, truth, ROWS, WIDE, 3));
    oc_score_clear(&a);
    oc_score_clear(&b);
    oc_scorer_free(one);
    oc_scorer_free(all);
    oc_free(logits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_thesis_table_gives_its_numbers),
        cmocka_unit_test(classes_without_items_are_no_part_of_the_means),
        cmocka_unit_test(nothing_scored_is_all_zero),
        cmocka_unit_test(nll_is_the_mean_and_is_clipped),
        cmocka_unit_test(temperature_divides_the_logits),
        cmocka_unit_test(top5_counts_the_first_five_and_ties_by_number),
        cmocka_unit_test(calibration_error_is_the_gap),
        cmocka_unit_test(confidence_of_one_falls_in_the_last_bin),
        cmocka_unit_test(output_that_is_not_finite_counts_as_wrong_in_nll),
        cmocka_unit_test(the_interval_stays_inside),
        cmocka_unit_test(too_many_classes_go_without_a_matrix),
        cmocka_unit_test(scoring_survives_any_allocation_failing),
        cmocka_unit_test(rows_together_score_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
