/* What a run leaves for TensorBoard: every part of it, no step twice, and not a bit of influence.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/read_events.h"
#include "train/fixture.h"

enum { MOST_STEPS = 64 };

typedef struct seen {
    int train[MOST_STEPS], validation[MOST_STEPS]; /* points of the losses, by step */
    int histograms, images, hparams, ends;
} seen;

static void look(void *ctx, const seen_value *v) {
    seen *s = ctx;
    assert_true(v->step < MOST_STEPS);
    if (v->kind == OCI_EVENT_SESSION_LOG) { /* what follows replaces this step and later ones */
        for (uint64_t i = v->step; i < MOST_STEPS; i++) s->train[i] = s->validation[i] = 0;
    }
    s->train[v->step] += strcmp(v->tag, "loss/train") == 0;
    s->validation[v->step] += strcmp(v->tag, "loss/validation") == 0;
    s->histograms += v->kind == OCI_VALUE_HISTOGRAM;
    s->images += v->kind == OCI_VALUE_IMAGE;
    s->hparams += strcmp(v->tag, "_hparams_/session_start_info") == 0;
    s->ends += strcmp(v->tag, "_hparams_/session_end_info") == 0;
}

static seen look_into(const char *folder, int files) {
    seen s = {0};
    assert_int_equal(read_event_folder(folder, look, &s), files);
    return s;
}

/* 30 photos in batches of 5: six steps an epoch. */
static void every_step_and_epoch_has_its_point(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.epochs = 3;
    (void)train_ok(&f);
    seen s = look_into(f.out, 1);
    for (int step = 1; step <= 18; step++) {
        assert_int_equal(s.train[step], 1);
        assert_int_equal(s.validation[step], step % 6 == 0);
    }
    assert_int_equal(s.train[19], 0);
    assert_int_equal(s.histograms, 0);
    assert_true(s.images >= 1);
    assert_true(s.hparams == 1 && s.ends == 1);
    fixture_clear(&f);
}

static void a_resumed_run_has_no_step_twice(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.epochs = 3;
    f.options.resume = true;
    for (int runs = 1; runs <= 4; runs++) {
        rewind_observer(&f, 5);
        assert_true(train_ok(&f).stopped == (runs < 4));
    }
    seen s = look_into(f.out, 4);
    for (int step = 1; step <= 18; step++) {
        assert_int_equal(s.train[step], 1);
        assert_int_equal(s.validation[step], step % 6 == 0);
    }
    assert_true(s.hparams == 1 && s.ends == 1);
    rewind_observer(&f, 0);
    (void)train_ok(&f); /* finished: nothing to add */
    (void)look_into(f.out, 4);
    fixture_clear(&f);
}

static void a_record_changes_no_byte_of_the_model(void **state) {
    (void)state;
    fixture f;
    char without[OC_PATH_BYTES];
    fixture_init(&f);
    path_in(without, f.root, "without");
    f.options.epochs = 2;
    f.options.histograms = 1;
    (void)train_ok(&f);
    f.options.out = without;
    f.options.histograms = 0;
    f.options.board = OC_BOARD_OFF;
    (void)train_ok(&f);
    assert_same_file(f.out, without, "model.safetensors");
    assert_int_equal(read_event_folder(without, NULL, NULL), 0);
    fixture_clear(&f);
}

/* conv1, norm (2), conv2 (2), head (2): seven parameters, of each the weights and gradients. */
static void histograms_come_every_so_many_steps(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.epochs = 1;
    f.options.histograms = 4;
    (void)train_ok(&f);
    assert_int_equal(look_into(f.out, 1).histograms, 2 * 7);
    fixture_clear(&f);
}

static void a_new_run_takes_the_place_of_the_old_one(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.epochs = 2;
    (void)train_ok(&f);
    f.options.epochs = 1;
    (void)train_ok(&f);
    seen s = look_into(f.out, 1);
    assert_true(s.train[6] == 1 && s.train[7] == 0);
    fixture_clear(&f);
}

/* A network that learns nothing makes mistakes. */
static void mistakes_are_shown_unless_photos_are_not_wanted(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.epochs = 1;
    f.options.lr = 0;
    f.options.board = OC_BOARD_NO_PHOTOS;
    (void)train_ok(&f);
    assert_int_equal(look_into(f.out, 1).images, 1);
    f.options.board = OC_BOARD_ALL;
    (void)train_ok(&f);
    assert_true(look_into(f.out, 1).images > 1);
    fixture_clear(&f);
}

static void a_frozen_body_has_a_record_too(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.tune = OC_TUNE_HEAD;
    f.options.epochs = 2;
    f.options.histograms = 12;
    (void)train_ok(&f);
    seen s = look_into(f.out, 1);
    assert_true(s.train[12] == 1 && s.validation[12] == 1);
    assert_int_equal(s.histograms, 2 * 2);
    fixture_clear(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_and_epoch_has_its_point),
        cmocka_unit_test(a_resumed_run_has_no_step_twice),
        cmocka_unit_test(a_record_changes_no_byte_of_the_model),
        cmocka_unit_test(histograms_come_every_so_many_steps),
        cmocka_unit_test(a_new_run_takes_the_place_of_the_old_one),
        cmocka_unit_test(mistakes_are_shown_unless_photos_are_not_wanted),
        cmocka_unit_test(a_frozen_body_has_a_record_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
