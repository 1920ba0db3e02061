/* The scan: bad files are found, named with their reason, and cost nothing but themselves.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

static void scan_all(oc_dataset *ds, int threads, size_t full_up_to) {
    oc_error err = {0};
    oc_scan_options options = {.threads = threads, .full_up_to = full_up_to};
    check_ok(oc_dataset_scan(ds, &options, &err), err);
}

/* The first `keep` of 1 of a photo's bytes. */
static void put_cut_photo(const scratch *s, const char *name, double keep) {
    oc_buf jpeg = {0};
    encode_photo(&jpeg, 200, 160, 3);
    put_bytes(s, name, jpeg.data, (size_t)((double)jpeg.size * keep));
    oc_buf_clear(&jpeg);
}

static void put_bad_files(const scratch *s) {
    char path[OC_PATH_BYTES];
    put_photos(s, "d/a", 3, 1);
    put_photos(s, "d/b", 3, 4);
    put_cut_photo(s, "d/b/cut.jpg", 0.6);
    put_cut_photo(s, "d/b/head.jpg", 0.02);
    put_text(s, "d/b/empty.jpg", "");
    put_text(s, "d/b/page.jpg", "<!DOCTYPE html><html><body>404</body></html>");
    put_text(s, "d/b/words.png", "these are words, not an image");
    path_in(s, "d/b/pipe.jpg", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    path_in(s, "d/b/folder.jpg", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_in(s, "d/b/dangling.jpg", path);
    assert_int_equal(symlink("nowhere.jpg", path), 0);
}

static void bad_files_are_rejected_with_their_reason(void **state) {
    scratch *s = *state;
    put_bad_files(s);
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_count(ds), 14);
    scan_all(ds, 2, 0);
    assert_int_equal(oc_dataset_reject_count(ds), 8);
    assert_int_equal(count_part(ds, OC_PART_NONE), 6);
    check_reason(ds, "cut.jpg", "JPEG");
    check_reason(ds, "head.jpg", "JPEG");
    check_reason(ds, "empty.jpg", "empty file");
    check_reason(ds, "page.jpg", "HTML");
    check_reason(ds, "pipe.jpg", "is a fifo, not a regular file");
    check_reason(ds, "folder.jpg", "is a folder, not a regular file");
    check_reason(ds, "dangling.jpg", "cannot open: No such file");
    (void)reason_of(ds, "words.png");
    oc_dataset_free(ds);
}

static void unreadable_file_is_rejected(void **state) {
    scratch *s = *state;
    char path[OC_PATH_BYTES];
    if (geteuid() == 0) skip(); /* root reads everything */
    put_photos(s, "d/a", 1, 1);
    put_photos(s, "d/b", 1, 4);
    path_in(s, "d/a/0.jpg", path);
    assert_int_equal(chmod(path, 0), 0);
    oc_dataset *ds = open_plain(s, "d");
    scan_all(ds, 1, 0);
    check_reason(ds, "a/0.jpg", "cannot open: Permission denied");
    oc_dataset_free(ds);
}

static void quick_look_finds_what_the_full_one_finds(void **state) {
    scratch *s = *state;
    put_bad_files(s);
    oc_dataset *full = open_plain(s, "d"), *quick = open_plain(s, "d");
    scan_all(full, 1, 0);
    scan_all(quick, 2, 1);
    assert_int_equal(oc_dataset_reject_count(quick), oc_dataset_reject_count(full));
    for (size_t i = 0; i < oc_dataset_reject_count(full); i++) {
        const oc_reject *a = oc_dataset_rejected(full, i), *b = oc_dataset_rejected(quick, i);
        assert_string_equal(a->path, b->path);
        assert_string_equal(a->reason, b->reason);
    }
    oc_dataset_free(full);
    oc_dataset_free(quick);
}

static void quick_look_takes_good_files_with_odd_ends(void **state) {
    scratch *s = *state;
    oc_buf jpeg = {0}, png = {0};
    oc_image img = {0};
    put_photos(s, "d/a", 2, 1);
    put_photos(s, "d/b", 2, 1);
    encode_photo(&jpeg, 60, 40, 3);
    for (int i = 0; i < 20000; i++) oc_buf_append(&jpeg, "\0", 1);
    put_bytes(s, "d/b/padded.jpg", jpeg.data, jpeg.size);
    paint(&img, 30, 20, 5);
    assert_int_equal(oc_encode_png(&img, &png, NULL), OC_OK);
    put_bytes(s, "d/b/good.png", png.data, png.size);
    put_bytes(s, "d/b/cut.png", png.data, png.size / 2);
    oc_dataset *ds = open_plain(s, "d");
    scan_all(ds, 1, 1);
    assert_int_equal(oc_dataset_reject_count(ds), 1);
    check_reason(ds, "cut.png", "PNG");
    oc_dataset_free(ds);
    oc_image_clear(&img);
    oc_buf_clear(&jpeg);
    oc_buf_clear(&png);
}

static void limits_are_kept(void **state) {
    scratch *s = *state;
    oc_error err = {0};
    put_photos(s, "d/a", 2, 1);
    put_photos(s, "d/b", 2, 1);
    oc_dataset *ds = open_plain(s, "d");
    oc_scan_options options = {.threads = 1, .limits = {.max_pixels = 100}};
    check_ok(oc_dataset_scan(ds, &options, &err), err);
    assert_int_equal(oc_dataset_reject_count(ds), 4);
    check_reason(ds, "a/0.jpg", "100");
    oc_dataset_free(ds);
}

static void running_out_of_memory_is_told(void **state) {
    scratch *s = *state;
    put_photos(s, "d/a", 1, 1);
    put_photos(s, "d/b", 1, 1);
    put_text(s, "d/b/words.jpg", "words");
    oc_dataset *ds = open_plain(s, "d");
    oc_scan_options options = {.threads = 1};
    for (uint64_t n = 1;; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = oc_dataset_scan(ds, &options, &err);
        oc_mem_fail_at(0);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 200);
    }
    oc_dataset_free(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(bad_files_are_rejected_with_their_reason),
        scratch_test(unreadable_file_is_rejected),
        scratch_test(quick_look_finds_what_the_full_one_finds),
        scratch_test(quick_look_takes_good_files_with_odd_ends),
        scratch_test(limits_are_kept),
        scratch_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
