/* Claims about how options become settings.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "check.h"
#include "train/settings_int.h"

static oc_train_options plain(void) {
    oc_train_options o;
    oc_train_options_init(&o);
    o.data = "data";
    o.out = "model";
    return o;
}

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-7 * fabs(b); /* hints are floats */
}

static void from_scratch_trains_everything_at_one_rate(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings s;
    check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
    assert_true(s.scratch && near(s.body_scale, 1));
    assert_int_equal(s.epochs, 60);
    assert_int_equal(s.head_epochs, 0);
    assert_int_equal(s.batch, 32);
    assert_int_equal(s.optimizer, OC_SGD);
    assert_true(s.threads >= 1);
}

static void fine_tuning_gives_the_body_a_tenth_of_the_rate(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings s;
    o.from = "weights.safetensors";
    check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
    assert_true(near(s.body_scale, 0.1));
    assert_true(near(s.lr, 0.02) && near(s.head_lr, 0.05));
    assert_int_equal(s.epochs, 10);
    assert_int_equal(s.level, OC_LEVEL_STANDARD);
}

static void a_kept_head_learns_as_slowly_as_the_body(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings fresh, kept;
    o.from = "model";
    check_ok(oci_settings_resolve(&fresh, &o, NULL, &err), err);
    kept = fresh;
    oci_settings_keep_head(&kept, &o);
    assert_true(near(kept.lr, fresh.lr * fresh.body_scale) && near(kept.body_scale, 1));
    o.lr = 0.3;
    check_ok(oci_settings_resolve(&kept, &o, NULL, &err), err);
    oci_settings_keep_head(&kept, &o);
    assert_true(near(kept.lr, 0.3) && near(kept.head_lr, 0.3));
}

static void head_tuning_caches_views_unless_augmentation_is_asked_for(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings s;
    o.from = "model";
    o.tune = OC_TUNE_HEAD;
    check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
    assert_int_equal(s.head_views, 2);
    assert_int_equal(s.head_epochs, s.epochs);
    assert_true(s.smoothing > 0);
    o.augment = OC_LEVEL_STANDARD;
    check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
    assert_int_equal(s.head_views, 0);
    assert_int_equal(s.head_level, OC_LEVEL_STANDARD);
    o.augment = OC_LEVEL_NONE;
    check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
    assert_int_equal(s.head_views, 1);
    assert_true(s.smoothing <= 0);
}

static void staged_gives_the_head_a_quarter_and_at_least_one_epoch(void **state) {
    (void)state;
    const int epochs[] = {1, 2, 7, 8, 12}, head[] = {1, 1, 1, 2, 3};
    oc_error err = {0};
    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++) {
        oc_train_options o = plain();
        oci_settings s;
        o.from = "model";
        o.tune = OC_TUNE_STAGED;
        o.epochs = epochs[i];
        check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
        assert_int_equal(s.head_epochs, head[i]);
    }
}

static void a_family_s_wishes_hold_from_scratch_and_give_way_to_options(void **state) {
    (void)state;
    oc_error err = {0};
    oc_arch_hints hints = {.optimizer = "adagrad",
                           .lr = 0.02F,
                           .l2 = 5e-5F,
                           .renormalise = true,
                           .squash = true,
                           .measure_mean = true};
    oc_train_options o = plain();
    oci_settings s;
    check_ok(oci_settings_resolve(&s, &o, &hints, &err), err);
    assert_int_equal(s.optimizer, OC_ADAGRAD);
    assert_true(near(s.lr, 0.02) && near(s.l2, 5e-5) && s.renormalise);
    assert_int_equal(s.squash, 1);
    assert_int_equal(s.measure_mean, 1);
    o.optimizer = OC_ADAMW;
    o.squash = 0;
    o.measure_mean = 0;
    check_ok(oci_settings_resolve(&s, &o, &hints, &err), err);
    assert_int_equal(s.optimizer, OC_ADAMW);
    assert_true(near(s.lr, 0.001));
    assert_int_equal(s.squash, 0);
    assert_int_equal(s.measure_mean, 0);
}

static void zero_rates_are_taken_as_given(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings s;
    o.lr = o.l1 = o.l2 = o.momentum = o.warmup_epochs = 0;
    check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
    assert_true(s.lr + s.l1 + s.l2 + s.momentum + s.warmup_epochs <= 0);
}

static void what_is_out_of_range_is_named_with_its_range(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings s;
    o.batch = -3;
    check_fails(oci_settings_resolve(&s, &o, NULL, &err), err, OC_EUSAGE,
                "--batch is -3, allowed 0 to 65536");
    o = plain();
    o.lr = NAN;
    check_fails(oci_settings_resolve(&s, &o, NULL, &err), err, OC_EUSAGE, "--lr is nan");
    o = plain();
    o.optimizer = OC_OPTIMIZER_COUNT;
    check_fails(oci_settings_resolve(&s, &o, NULL, &err), err, OC_EUSAGE, "--optimizer");
}

static void what_is_missing_is_asked_for(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings s;
    o.data = NULL;
    check_fails(oci_settings_resolve(&s, &o, NULL, &err), err, OC_EUSAGE, "no data");
    o = plain();
    o.out = NULL;
    check_fails(oci_settings_resolve(&s, &o, NULL, &err), err, OC_EUSAGE, "-o MODEL");
    o = plain();
    o.tune = OC_TUNE_HEAD;
    check_fails(oci_settings_resolve(&s, &o, NULL, &err), err, OC_EUSAGE, "--from");
}

static void settings_are_told_in_json_by_their_words(void **state) {
    (void)state;
    oc_error err = {0};
    oc_train_options o = plain();
    oci_settings s;
    json_t *told;
    const char *word;
    check_ok(oci_settings_resolve(&s, &o, NULL, &err), err);
    check_ok(oci_settings_json(&s, &told, &err), err);
    check_ok(oc_json_get_string(told, "optimizer", "settings", &word, &err), err);
    assert_string_equal(word, "sgd");
    check_ok(oc_json_get_string(told, "schedule", "settings", &word, &err), err);
    assert_string_equal(word, "cosine");
    json_decref(told);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_scratch_trains_everything_at_one_rate),
        cmocka_unit_test(fine_tuning_gives_the_body_a_tenth_of_the_rate),
        cmocka_unit_test(a_kept_head_learns_as_slowly_as_the_body),
        cmocka_unit_test(head_tuning_caches_views_unless_augmentation_is_asked_for),
        cmocka_unit_test(staged_gives_the_head_a_quarter_and_at_least_one_epoch),
        cmocka_unit_test(a_family_s_wishes_hold_from_scratch_and_give_way_to_options),
        cmocka_unit_test(zero_rates_are_taken_as_given),
        cmocka_unit_test(what_is_out_of_range_is_named_with_its_range),
        cmocka_unit_test(what_is_missing_is_asked_for),
        cmocka_unit_test(settings_are_told_in_json_by_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
