/* The loader, its sampler, and the measured mean: the same bytes whatever the threads.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "data_test.h"

enum { SIDE = 16, IMAGE = 3 * SIDE * SIDE, PHOTOS = 22 };

/* 22 photos of two classes. */
static oc_dataset *open_photos(scratch *s) {
    put_photos(s, "d/a", PHOTOS / 2, 1);
    put_photos(s, "d/b", PHOTOS / 2, 20);
    return open_plain(s, "d");
}

static const uint32_t all_items[PHOTOS] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                           11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};

typedef struct setting {
    oc_recipe recipe;
    oc_augment augment;
    oc_loader_options options;
} setting;

/* Shuffled training of all photos in batches of 4 with everything that varies. */
static void set_up(setting *t, oc_dataset *ds, int workers) {
    t->recipe = oc_recipe_default(SIDE, SIDE);
    t->augment = oc_augment_level(OC_LEVEL_STRONG);
    t->options = (oc_loader_options){.dataset = ds,
                                     .items = all_items,
                                     .count = PHOTOS,
                                     .recipe = &t->recipe,
                                     .augment = &t->augment,
                                     .batch = 4,
                                     .shuffle = true,
                                     .drop_last = true,
                                     .seed = 9,
                                     .workers = workers};
}

static void as_evaluation(setting *t) {
    t->options.augment = NULL;
    t->options.shuffle = t->options.drop_last = false;
}

static oc_loader *new_loader(const setting *t) {
    oc_loader *l = NULL;
    oc_error err = {0};
    check_ok(oc_loader_new(&l, &t->options, &err), err);
    return l;
}

static void start(oc_loader *l, uint32_t epoch, size_t first) {
    oc_error err = {0};
    check_ok(oc_loader_start(l, epoch, first, &err), err);
}

static const oc_batch *next(oc_loader *l) {
    const oc_batch *batch = NULL;
    oc_error err = {0};
    check_ok(oc_loader_next(l, &batch, &err), err);
    return batch;
}

/* A digest of everything that a batch tells. */
static uint64_t digest_of(const oc_batch *b, uint64_t seed) {
    size_t n = (size_t)b->n;
    seed = oc_hash64(b->pixels, n * IMAGE * sizeof(float), seed);
    seed = oc_hash64(b->label, n * sizeof *b->label, seed);
    seed = oc_hash64(b->item, n * sizeof *b->item, seed);
    seed = oc_hash64(b->failed, n * sizeof *b->failed, seed);
    if (b->mix == NULL) return seed;
    seed = oc_hash64(b->label2, n * sizeof *b->label2, seed);
    return oc_hash64(b->mix, n * sizeof *b->mix, seed);
}

/* Digests of the batches from `first` on; returns how many. */
static size_t run_epoch(oc_loader *l, uint32_t epoch, size_t first, uint64_t *digests) {
    size_t n = 0;
    start(l, epoch, first);
    for (const oc_batch *b = next(l); b != NULL; b = next(l)) {
        digests[n++] = digest_of(b, 0);
        oc_loader_release(l, b);
    }
    return n;
}

/* ---- the order ------------------------------------------------------------------------------- */

static void every_item_comes_once_an_epoch(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    setting t;
    set_up(&t, ds, 2);
    t.options.drop_last = false;
    oc_loader *l = new_loader(&t);
    assert_int_equal(oc_loader_batches(l), 6);
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        int seen[PHOTOS] = {0}, n = 0;
        start(l, epoch, 0);
        for (const oc_batch *b = next(l); b != NULL; b = next(l)) {
            for (int i = 0; i < b->n; i++) {
                seen[b->item[i]]++;
                assert_int_equal(b->label[i], oc_dataset_item(ds, b->item[i])->label);
            }
            n += b->n;
            oc_loader_release(l, b);
        }
        assert_int_equal(n, PHOTOS);
        for (int i = 0; i < PHOTOS; i++) assert_int_equal(seen[i], 1);
    }
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void sampler_cuts_and_fills_batches(void **state) {
    (void)state;
    oci_sampler s;
    uint32_t repeat = 0;
    oc_loader_options o = {.items = all_items, .count = 3, .batch = 8, .drop_last = true};
    assert_int_equal(oci_sampler_init(&s, &o, NULL), OC_OK);
    assert_int_equal(s.batches, 1);
    assert_int_equal(oci_sampler_size(&s, 0), 8);
    assert_int_equal(oci_sampler_at(&s, 7, &repeat), 1);
    assert_int_equal(repeat, 2);
    oci_sampler_clear(&s);
    o = (oc_loader_options){.items = all_items, .count = 10, .batch = 4};
    assert_int_equal(oci_sampler_init(&s, &o, NULL), OC_OK);
    assert_int_equal(s.batches, 3);
    assert_int_equal(oci_sampler_size(&s, 2), 2);
    oci_sampler_clear(&s);
}

/* ---- the same bytes -------------------------------------------------------------------------- */

static void threads_change_no_byte(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    uint64_t first[2][8], other[8];
    size_t n = 0;
    for (int workers = 1; workers <= 4; workers += 3) {
        setting t;
        set_up(&t, ds, workers);
        oc_loader *l = new_loader(&t);
        for (uint32_t epoch = 0; epoch < 2; epoch++) {
            n = run_epoch(l, epoch, 0, workers == 1 ? first[epoch] : other);
            assert_int_equal(n, 5);
            if (workers > 1) assert_memory_equal(first[epoch], other, n * sizeof *other);
        }
        oc_loader_free(l);
    }
    assert_int_not_equal(first[0][0], first[1][0]);
    oc_dataset_free(ds);
}

static void resuming_in_the_middle_gives_the_same_batches(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    uint64_t whole[8], rest[8];
    setting t;
    set_up(&t, ds, 2);
    oc_loader *l = new_loader(&t);
    assert_int_equal(run_epoch(l, 3, 0, whole), 5);
    oc_loader_free(l);
    l = new_loader(&t);
    assert_int_equal(run_epoch(l, 3, 2, rest), 3);
    assert_memory_equal(whole + 2, rest, 3 * sizeof *rest);
    assert_int_equal(run_epoch(l, 3, 5, rest), 0);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void start_stops_what_was_under_way(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    uint64_t whole[8], again[8];
    setting t;
    set_up(&t, ds, 3);
    oc_loader *l = new_loader(&t);
    assert_int_equal(run_epoch(l, 1, 0, whole), 5);
    for (uint32_t i = 0; i < 10; i++) {
        start(l, 5 + i, i % 5);
        if (i % 3 == 0) (void)next(l); /* held when the next epoch begins */
    }
    assert_int_equal(run_epoch(l, 1, 0, again), 5);
    assert_memory_equal(whole, again, 5 * sizeof *whole);
    start(l, 2, 0);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void batches_may_be_held_up_to_the_depth(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    const oc_batch *held[2];
    oc_error err = {0};
    setting t;
    set_up(&t, ds, 2);
    t.options.depth = 2;
    oc_loader *l = new_loader(&t);
    check_fails(oc_loader_next(l, &held[0], &err), err, OC_EUSAGE, "no epoch was started");
    start(l, 0, 0);
    held[0] = next(l);
    held[1] = next(l);
    const oc_batch *third = NULL;
    check_fails(oc_loader_next(l, &third, &err), err, OC_EUSAGE, "2 batches are held");
    oc_loader_release(l, held[0]);
    assert_non_null(next(l));
    assert_true(oc_loader_used(l).waited >= 0);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void second_epoch_allocates_nothing(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    uint64_t digests[8];
    setting t;
    set_up(&t, ds, 1);
    oc_loader *l = new_loader(&t);
    (void)run_epoch(l, 0, 0, digests);
    uint64_t before = oc_mem_allocations();
    (void)run_epoch(l, 0, 0, digests);
    assert_int_equal(oc_mem_allocations(), before);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

/* ---- bad items ------------------------------------------------------------------------------- */

static void bad_item_gives_way_to_the_next_good_one(void **state) {
    scratch *s = *state;
    uint64_t one[8], four[8];
    put_photos(s, "d/a", PHOTOS / 2, 1);
    put_photos(s, "d/b", PHOTOS / 2, 20);
    put_text(s, "d/a/3.jpg", "not an image");
    put_text(s, "d/a/4.jpg", "not an image");
    for (int workers = 1; workers <= 4; workers += 3) {
        oc_dataset *ds = open_plain(s, "d");
        setting t;
        set_up(&t, ds, workers);
        oc_loader *l = new_loader(&t);
        assert_int_equal(run_epoch(l, 0, 0, workers == 1 ? one : four), 5);
        assert_int_equal(run_epoch(l, 1, 0, (workers == 1 ? one : four)), 5);
        assert_int_equal(oc_dataset_reject_count(ds), 2);
        (void)reason_of(ds, "a/4.jpg");
        oc_loader_free(l);
        oc_dataset_free(ds);
    }
    assert_memory_equal(one, four, 5 * sizeof *one);
}

static void bad_item_is_marked_in_evaluation(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    put_text(s, "d/a/3.jpg", "");
    setting t;
    set_up(&t, ds, 2);
    as_evaluation(&t);
    oc_loader *l = new_loader(&t);
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        uint32_t expected = 0;
        start(l, epoch, 0);
        for (const oc_batch *b = next(l); b != NULL; b = next(l)) {
            assert_null(b->mix);
            for (int i = 0; i < b->n; i++, expected++) {
                bool bad = strstr(oc_dataset_item(ds, expected)->path, "a/3.jpg") != NULL;
                assert_int_equal(b->item[i], expected);
                assert_int_equal(b->failed[i], bad);
                if (bad) assert_true(b->pixels[i * IMAGE] == 0 && b->pixels[i * IMAGE + 9] == 0);
            }
            oc_loader_release(l, b);
        }
        assert_int_equal(expected, PHOTOS);
    }
    assert_int_equal(oc_dataset_reject_count(ds), 1);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void nothing_readable_is_an_error_not_a_wait(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    const oc_batch *batch = NULL;
    oc_error err = {0};
    setting t;
    set_up(&t, ds, 2);
    for (size_t i = 0; i < PHOTOS; i++) oc_dataset_reject(ds, i, "bad");
    oc_loader *l = new_loader(&t);
    start(l, 0, 0);
    check_fails(oc_loader_next(l, &batch, &err), err, OC_EDATA, "none of the 22 images");
    assert_null(batch);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void impossible_options_are_errors(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    oc_loader *l = NULL;
    oc_error err = {0};
    setting t;
    set_up(&t, ds, 1);
    t.options.count = 0;
    check_fails(oc_loader_new(&l, &t.options, &err), err, OC_EDATA, "no images");
    set_up(&t, ds, 1);
    t.options.batch = 0;
    check_fails(oc_loader_new(&l, &t.options, &err), err, OC_EUSAGE, "batch 0 (1 or more)");
    set_up(&t, ds, 1);
    l = new_loader(&t);
    check_fails(oc_loader_start(l, 0, 6, &err), err, OC_EUSAGE, "batch 6 of an epoch that has 5");
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void running_out_of_memory_is_told(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    setting t;
    set_up(&t, ds, 2);
    for (uint64_t n = 1;; n++) {
        oc_loader *l = NULL;
        oc_mem_fail_at(n);
        oc_status status = oc_loader_new(&l, &t.options, NULL);
        oc_mem_fail_at(0);
        oc_loader_free(l);
        if (status == OC_OK) break;
        assert_null(l);
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 200);
    }
    oc_dataset_free(ds);
}

/* A thread that runs out of memory ends the epoch with that error, and the next one is fine. */
static void memory_lost_in_a_thread_is_told_and_passes(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    uint64_t digests[8];
    setting t;
    set_up(&t, ds, 1);
    oc_loader *l = new_loader(&t);
    oc_mem_fail_at(1);
    const oc_batch *batch = NULL;
    oc_error err = {0};
    start(l, 0, 0);
    check_fails(oc_loader_next(l, &batch, &err), err, OC_ENOMEM, "out of memory");
    oc_mem_fail_at(0);
    assert_int_equal(run_epoch(l, 0, 0, digests), 5);
    assert_int_equal(oc_dataset_reject_count(ds), 0);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

/* ---- mean and deviation ---------------------------------------------------------------------- */

static void measured_mean_and_deviation_normalise(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    oc_error err = {0};
    oc_recipe one = oc_recipe_default(32, 32), four = one;
    check_ok(oc_dataset_measure(ds, all_items, PHOTOS, 0, 1, &one, &err), err);
    check_ok(oc_dataset_measure(ds, all_items, PHOTOS, 0, 4, &four, &err), err);
    assert_memory_equal(one.mean, four.mean, sizeof one.mean);
    assert_memory_equal(one.std, four.std, sizeof one.std);
    assert_true(fabsf(one.mean[0] - 0.5F) < 0.02F); /* the middle of a ramp */
    setting t;
    set_up(&t, ds, 1);
    as_evaluation(&t);
    t.recipe = one;
    t.options.batch = PHOTOS;
    oc_loader *l = new_loader(&t);
    start(l, 0, 0);
    const oc_batch *b = next(l);
    for (size_t c = 0; c < 3; c++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < PHOTOS * 1024; i++) {
            double v = (double)b->pixels[(i / 1024 * 3 + c) * 1024 + i % 1024];
            sum += v;
            square += v * v;
        }
        assert_true(fabs(sum / (PHOTOS * 1024)) < 1e-4);
        assert_true(fabs(square / (PHOTOS * 1024) - 1) < 1e-3);
    }
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void measuring_rejects_what_it_cannot_read(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    oc_error err = {0};
    put_text(s, "d/a/0.jpg", "");
    oc_recipe recipe = oc_recipe_default(16, 16);
    check_ok(oc_dataset_measure(ds, all_items, PHOTOS, 0, 2, &recipe, &err), err);
    assert_int_equal(oc_dataset_reject_count(ds), 1);
    check_fails(oc_dataset_measure(ds, all_items, 1, 0, 1, &recipe, &err), err, OC_EDATA,
                "none of 1 images");
    oc_dataset_free(ds);
}

static void measuring_without_memory_is_told(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_photos(s);
    for (uint64_t n = 1;; n++) {
        oc_recipe recipe = oc_recipe_default(16, 16);
        oc_mem_fail_at(n);
        oc_status status = oc_dataset_measure(ds, all_items, PHOTOS, 3, 1, &recipe, NULL);
        oc_mem_fail_at(0);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 200);
    }
    assert_int_equal(oc_dataset_reject_count(ds), 0);
    oc_dataset_free(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(every_item_comes_once_an_epoch),
        cmocka_unit_test(sampler_cuts_and_fills_batches),
        scratch_test(threads_change_no_byte),
        scratch_test(resuming_in_the_middle_gives_the_same_batches),
        scratch_test(start_stops_what_was_under_way),
        scratch_test(batches_may_be_held_up_to_the_depth),
        scratch_test(second_epoch_allocates_nothing),
        scratch_test(bad_item_gives_way_to_the_next_good_one),
        scratch_test(bad_item_is_marked_in_evaluation),
        scratch_test(nothing_readable_is_an_error_not_a_wait),
        scratch_test(impossible_options_are_errors),
        scratch_test(running_out_of_memory_is_told),
        scratch_test(memory_lost_in_a_thread_is_told_and_passes),
        scratch_test(measured_mean_and_deviation_normalise),
        scratch_test(measuring_rejects_what_it_cannot_read),
        scratch_test(measuring_without_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
