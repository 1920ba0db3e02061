/* Decoded photos kept for later epochs: the same pixels whether and wherever they are kept, and
 * what becomes of a file that is damaged, foreign, in use, or of photos that have changed.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "data/photo_cache_int.h"
#include "data_test.h"

enum { SIDE = 16, IMAGE = 3 * SIDE * SIDE, PHOTOS = 10, EPOCHS = 2 };

/* Grey levels: mean difference of crops that are resampled twice; pictures here are ramps. */
static const double SOFTER = 3;

static const uint32_t all_items[PHOTOS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

/* What a test varies. */
typedef struct setting {
    oc_dataset *ds;
    oc_recipe recipe;
    oc_augment augment;
    bool varies;
    char path[OC_PATH_BYTES];
} setting;

static void set_up(setting *t, scratch *s, oc_level level) {
    oc_error err = {0};
    put_photos(s, "d/a", PHOTOS / 2, 1);
    put_photos(s, "d/b", PHOTOS / 2, 20);
    path_in(s, "kept/photos.cache", t->path);
    t->ds = open_plain(s, "d");
    check_ok(oc_dataset_scan(t->ds, NULL, &err), err);
    t->recipe = oc_recipe_default(SIDE, SIDE);
    t->recipe.unit = 1;
    for (int c = 0; c < 3; c++) t->recipe.mean[c] = 0, t->recipe.std[c] = 1;
    t->augment = oc_augment_level(level);
    t->augment.mixup_alpha = t->augment.cutmix_alpha = 0;
    t->varies = level != OC_LEVEL_NONE;
}

static oc_status new_cache(const setting *t, oc_keep keep, uint64_t limit, oc_photo_cache **out,
                           oc_error *err) {
    const oc_photo_cache_options options = {.keep = keep,
                                            .path = t->path,
                                            .limit = limit,
                                            .dataset = t->ds,
                                            .items = all_items,
                                            .count = PHOTOS,
                                            .recipe = &t->recipe,
                                            .augment = t->varies ? &t->augment : NULL};
    return oc_photo_cache_new(out, &options, err);
}

static oc_photo_cache *open_cache(const setting *t, oc_keep keep, uint64_t limit) {
    oc_photo_cache *cache = NULL;
    oc_error err = {0};
    check_ok(new_cache(t, keep, limit, &cache, &err), err);
    return cache;
}

/* All pixels of EPOCHS epochs in order: (epochs, photos, IMAGE); the caller frees them. */
static float *run(const setting *t, oc_photo_cache *cache, int workers) {
    oc_loader *l = NULL;
    oc_error err = {0};
    const oc_batch *b = NULL;
    const oc_loader_options options = {.dataset = t->ds,
                                       .items = all_items,
                                       .count = PHOTOS,
                                       .recipe = &t->recipe,
                                       .augment = t->varies ? &t->augment : NULL,
                                       .batch = 3,
                                       .shuffle = t->varies,
                                       .workers = workers,
                                       .cache = cache};
    float *all = calloc(EPOCHS * PHOTOS * IMAGE, sizeof *all), *to = all;
    check_ok(oc_loader_new(&l, &options, &err), err);
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        check_ok(oc_loader_start(l, epoch, 0, &err), err);
        for (;;) {
            check_ok(oc_loader_next(l, &b, &err), err);
            if (b == NULL) break;
            memcpy(to, b->pixels, (size_t)(b->n * IMAGE) * sizeof *to);
            to += b->n * IMAGE;
            oc_loader_release(l, b);
        }
    }
    oc_loader_free(l);
    return all;
}

/* Pixels of a run, compared with those wanted, which become the result when there are none yet. */
static void check_run(const setting *t, oc_photo_cache *cache, int workers, float **wanted) {
    float *found = run(t, cache, workers);
    if (*wanted == NULL) {
        *wanted = found;
        return;
    }
    assert_memory_equal(*wanted, found, EPOCHS * PHOTOS * IMAGE * sizeof *found);
    free(found);
}

/* The same with a cache of its own. */
static void check_kept(const setting *t, oc_keep keep, uint64_t limit, int workers, size_t kept,
                       float **wanted) {
    oc_photo_cache *cache = open_cache(t, keep, limit);
    check_run(t, cache, workers, wanted);
    oc_photo_cache_use use = oc_photo_cache_used(cache);
    assert_int_equal(use.trouble.status, OC_OK);
    assert_int_equal(use.kept, kept);
    oc_photo_cache_free(cache, false);
}

/* ---- the same pixels ------------------------------------------------------------------------- */

static void without_crops_a_cache_changes_no_pixel(void **state) {
    for (int level = OC_LEVEL_NONE; level <= OC_LEVEL_STRONG; level++) {
        setting t = {0};
        float *wanted = NULL;
        set_up(&t, *state, (oc_level)level);
        t.augment.crop_area_min = 0;
        check_run(&t, NULL, 2, &wanted);
        check_kept(&t, OC_KEEP_RAM, 0, 2, PHOTOS, &wanted);
        free(wanted);
        oc_dataset_free(t.ds);
    }
}

/* Windows of the resized picture, in both ways of fitting it. */
static void with_shifted_windows_a_cache_changes_no_pixel(void **state) {
    for (int squash = 0; squash < 2; squash++) {
        setting t = {0};
        float *wanted = NULL;
        set_up(&t, *state, OC_LEVEL_STRONG);
        t.augment.crop_area_min = 0;
        t.augment.crop_shift = true;
        t.recipe.resize_side = 24;
        if (squash) t.recipe.fit = OC_FIT_SQUASH;
        if (squash) t.recipe.resize_width = 40, t.recipe.resize_height = 21;
        check_run(&t, NULL, 2, &wanted);
        check_kept(&t, OC_KEEP_RAM, 0, 2, PHOTOS, &wanted);
        check_kept(&t, OC_KEEP_DISK, 0, 2, PHOTOS, &wanted);
        free(wanted);
        oc_dataset_free(t.ds);
    }
}

static void with_crops_it_matters_not_what_is_kept_nor_where(void **state) {
    setting t = {0};
    float *wanted = NULL;
    set_up(&t, *state, OC_LEVEL_STRONG);
    oc_photo_cache *cache = open_cache(&t, OC_KEEP_RAM, 0);
    uint64_t needed = oc_photo_cache_used(cache).needed;
    assert_int_equal(oc_photo_cache_used(cache).side, 28); /* 16 / sqrt(0.35) */
    oc_photo_cache_free(cache, false);
    check_kept(&t, OC_KEEP_RAM, 0, 1, PHOTOS, &wanted);
    check_kept(&t, OC_KEEP_RAM, 0, 4, PHOTOS, &wanted);
    check_kept(&t, OC_KEEP_RAM, 1, 2, 0, &wanted);
    check_kept(&t, OC_KEEP_RAM, needed - 1, 2, PHOTOS - 1, &wanted);
    check_kept(&t, OC_KEEP_DISK, 0, 3, PHOTOS, &wanted);
    check_kept(&t, OC_KEEP_DISK, 0, 2, PHOTOS, &wanted); /* what the file holds */
    free(wanted);
    oc_dataset_free(t.ds);
}

static void crops_of_kept_photos_are_a_little_softer(void **state) {
    setting t = {0};
    double sum = 0;
    set_up(&t, *state, OC_LEVEL_STANDARD);
    oc_photo_cache *cache = open_cache(&t, OC_KEEP_RAM, 0);
    float *plain = run(&t, NULL, 2), *kept = run(&t, cache, 2);
    for (int i = 0; i < EPOCHS * PHOTOS * IMAGE; i++) sum += fabs((double)(plain[i] - kept[i]));
    double mean = sum / (EPOCHS * PHOTOS * IMAGE);
    if (mean > SOFTER) fail_msg("%g grey levels", mean);
    free(plain);
    free(kept);
    oc_photo_cache_free(cache, false);
    oc_dataset_free(t.ds);
}

static void a_photo_that_cannot_be_read_is_rejected_as_without(void **state) {
    setting t = {0};
    set_up(&t, *state, OC_LEVEL_NONE);
    put_text(*state, "d/a/2.jpg", "<html>");
    oc_photo_cache *cache = open_cache(&t, OC_KEEP_RAM, 0);
    free(run(&t, cache, 2));
    assert_int_equal(oc_dataset_reject_count(t.ds), 1);
    assert_non_null(strstr(oc_dataset_rejected(t.ds, 0)->reason, "HTML"));
    assert_int_equal(oc_photo_cache_used(cache).kept, PHOTOS - 1);
    oc_photo_cache_free(cache, false);
    oc_dataset_free(t.ds);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Flip the bytes [at, at + size) of the file. */
static void damage(const setting *t, long at, size_t size) {
    FILE *file = fopen(t->path, "r+b");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(fseek(file, at + (long)i, SEEK_SET), 0);
        int c = fgetc(file);
        assert_int_equal(fseek(file, at + (long)i, SEEK_SET), 0);
        (void)fputc(c ^ 0xFF, file);
    }
    assert_int_equal(fclose(file), 0);
}

static void damage_in_the_file_is_found_and_mended(void **state) {
    static const long places[] = {0, 8, 17, 40, 4096, 4096 + 8, 8192, 8192 + 5000};
    setting t = {0};
    float *wanted = NULL;
    set_up(&t, *state, OC_LEVEL_STANDARD);
    check_kept(&t, OC_KEEP_DISK, 0, 2, PHOTOS, &wanted);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        damage(&t, places[i], 3);
        check_kept(&t, OC_KEEP_DISK, 0, 2, PHOTOS, &wanted);
    }
    assert_int_equal(truncate(t.path, 9000), 0);
    check_kept(&t, OC_KEEP_DISK, 0, 2, PHOTOS, &wanted);
    put_text(*state, "kept/photos.cache", "something else");
    check_kept(&t, OC_KEEP_DISK, 0, 2, PHOTOS, &wanted);
    free(wanted);
    oc_dataset_free(t.ds);
}

static void a_photo_that_has_changed_is_decoded_anew(void **state) {
    setting t = {0}, after = {0};
    float *before = NULL, *wanted = NULL;
    set_up(&t, *state, OC_LEVEL_NONE);
    check_kept(&t, OC_KEEP_DISK, 0, 2, PHOTOS, &before);
    oc_dataset_free(t.ds);
    set_up(&after, *state, OC_LEVEL_NONE);
    put_photo(*state, "d/a/3.jpg", 29); /* of the same size */
    check_run(&after, NULL, 2, &wanted);
    check_kept(&after, OC_KEEP_DISK, 0, 2, PHOTOS, &wanted);
    assert_memory_not_equal(before, wanted, EPOCHS * PHOTOS * IMAGE * sizeof *wanted);
    free(before);
    free(wanted);
    oc_dataset_free(after.ds);
}

static void two_runs_do_not_share_a_file(void **state) {
    setting t = {0};
    oc_error err = {0};
    oc_photo_cache *second = NULL;
    set_up(&t, *state, OC_LEVEL_STANDARD);
    oc_photo_cache *first = open_cache(&t, OC_KEEP_DISK, 0);
    check_fails(new_cache(&t, OC_KEEP_DISK, 0, &second, &err), err, OC_EUSAGE,
                "another run is using it");
    assert_null(second);
    oc_photo_cache_free(first, true);
    assert_false(oc_path_exists(t.path));
    oc_dataset_free(t.ds);
}

static void what_is_no_file_is_refused(void **state) {
    setting t = {0};
    oc_error err = {0};
    oc_photo_cache *cache = NULL;
    set_up(&t, *state, OC_LEVEL_STANDARD);
    assert_int_equal(mkfifo(t.path, 0600), 0);
    check_fails(new_cache(&t, OC_KEEP_DISK, 0, &cache, &err), err, OC_EIO, "not a regular file");
    assert_int_equal(unlink(t.path), 0);
    assert_int_equal(symlink("elsewhere", t.path), 0);
    check_fails(new_cache(&t, OC_KEEP_DISK, 0, &cache, &err), err, OC_EIO, "cannot open");
    oc_dataset_free(t.ds);
}

static void a_full_disk_ends_keeping_and_nothing_else(void **state) {
    setting t = {0};
    float *wanted = NULL;
    struct rlimit before, small = {9000, RLIM_INFINITY};
    set_up(&t, *state, OC_LEVEL_STANDARD);
    check_kept(&t, OC_KEEP_RAM, 0, 2, PHOTOS, &wanted);
    oc_photo_cache *cache = open_cache(&t, OC_KEEP_DISK, 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    check_run(&t, cache, 2, &wanted);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    oc_photo_cache_use use = oc_photo_cache_used(cache);
    assert_int_equal(use.trouble.status, OC_EIO);
    assert_non_null(strstr(use.trouble.message, "cannot write"));
    assert_true(use.kept < PHOTOS);
    oc_photo_cache_free(cache, false);
    free(wanted);
    oc_dataset_free(t.ds);
}

/* ---- promises and memory --------------------------------------------------------------------- */

static void a_loader_refuses_the_cache_of_another_crop(void **state) {
    setting t = {0};
    oc_error err = {0};
    oc_loader *l = NULL;
    set_up(&t, *state, OC_LEVEL_STANDARD);
    oc_photo_cache *cache = open_cache(&t, OC_KEEP_RAM, 0);
    const oc_loader_options options = {.dataset = t.ds,
                                       .items = all_items,
                                       .count = PHOTOS,
                                       .recipe = &t.recipe,
                                       .batch = 3,
                                       .cache = cache};
    check_fails(oc_loader_new(&l, &options, &err), err, OC_EUSAGE, "other photos or crops");
    oc_photo_cache_free(cache, false);
    oc_dataset_free(t.ds);
}

static void running_out_of_memory_is_told(void **state) {
    setting t = {0};
    oc_error err = {0};
    oc_photo_cache *cache = NULL;
    set_up(&t, *state, OC_LEVEL_STANDARD);
    oc_status status = OC_ENOMEM;
    for (long n = 1; status != OC_OK; n++) {
        assert_true(n < 100);
        oc_mem_fail_at(n);
        status = new_cache(&t, OC_KEEP_DISK, 0, &cache, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK) assert_int_equal(status, OC_ENOMEM);
    }
    oc_photo_cache_free(cache, true);
    oc_dataset_free(t.ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(without_crops_a_cache_changes_no_pixel),
        scratch_test(with_shifted_windows_a_cache_changes_no_pixel),
        scratch_test(with_crops_it_matters_not_what_is_kept_nor_where),
        scratch_test(crops_of_kept_photos_are_a_little_softer),
        scratch_test(a_photo_that_cannot_be_read_is_rejected_as_without),
        scratch_test(damage_in_the_file_is_found_and_mended),
        scratch_test(a_photo_that_has_changed_is_decoded_anew),
        scratch_test(two_runs_do_not_share_a_file),
        scratch_test(what_is_no_file_is_refused),
        scratch_test(a_full_disk_ends_keeping_and_nothing_else),
        scratch_test(a_loader_refuses_the_cache_of_another_crop),
        scratch_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests_name("photo cache", tests, NULL, NULL);
}
