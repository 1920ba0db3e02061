/* Folders as sources.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

static void check_folder_fails(scratch *s, const char *name, const char *part) {
    oc_dataset *ds = NULL;
    oc_error err = {0};
    check_fails(open_in(s, name, (oc_dataset_options){0}, &ds, &err), err, OC_EDATA, part);
}

static void class_is_the_relative_path(void **state) {
    scratch *s = *state;
    put_photos(s, "d/fruit/apple", 2, 1);
    put_photos(s, "d/fruit", 1, 4);
    put_photos(s, "d/nut", 3, 5);
    oc_dataset *ds = open_plain(s, "d");
    const oc_classes *classes = oc_dataset_classes(ds);
    assert_int_equal(classes->count, 3);
    assert_string_equal(classes->items[0].label, "fruit");
    assert_string_equal(classes->items[1].label, "fruit/apple");
    assert_string_equal(classes->items[2].label, "nut");
    assert_string_equal(label_called(ds, "fruit/0.jpg"), "fruit");
    assert_string_equal(label_called(ds, "apple/1.jpg"), "fruit/apple");
    assert_int_equal(oc_dataset_item(ds, 0)->part, OC_PART_NONE);
    oc_dataset_free(ds);
}

static void order_of_items_and_classes_is_fixed(void **state) {
    scratch *s = *state;
    put_photos(s, "d/class10", 1, 1);
    put_photos(s, "d/class9", 2, 1);
    put_photos(s, "d/class1", 1, 1);
    oc_dataset *ds = open_plain(s, "d");
    assert_string_equal(oc_dataset_classes(ds)->items[1].label, "class9");
    assert_string_equal(oc_dataset_classes(ds)->items[2].label, "class10");
    assert_string_equal(label_of(ds, 0), "class1");
    assert_string_equal(label_of(ds, 1), "class10");
    assert_string_equal(label_of(ds, 3), "class9");
    oc_dataset_free(ds);
}

static void parts_are_recognised_by_their_names(void **state) {
    scratch *s = *state;
    put_photos(s, "d/train/a", 2, 1);
    put_photos(s, "d/train/b", 2, 3);
    put_photos(s, "d/valid/a", 1, 5);
    put_photos(s, "d/TEST/b", 3, 6);
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_classes(ds)->count, 2);
    assert_int_equal(count_part(ds, OC_PART_TRAIN), 4);
    assert_int_equal(count_part(ds, OC_PART_VAL), 1);
    assert_int_equal(count_part(ds, OC_PART_TEST), 3);
    oc_dataset_free(ds);
}

static void class_may_be_called_train(void **state) {
    scratch *s = *state;
    put_photos(s, "d/train", 2, 1);
    put_photos(s, "d/bus", 2, 3);
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_classes(ds)->count, 2);
    assert_string_equal(label_of(ds, 3), "train");
    oc_dataset_free(ds);
}

static void hidden_and_other_files_are_left_out(void **state) {
    scratch *s = *state;
    put_photos(s, "d/a", 2, 1);
    put_photos(s, "d/b", 1, 3);
    put_photo(s, "d/a/.hidden.jpg", 4);
    put_photos(s, "d/.cache", 1, 4);
    put_text(s, "d/a/notes.txt", "x");
    put_text(s, "d/LICENSE", "x");
    put_photo(s, "d/loose.jpg", 5);
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_count(ds), 3);
    check_told(s, "left out 2 files that are no images by their name");
    check_told(s, "! left out 1 images that lie in no class folder");
    oc_dataset_free(ds);
    oc_error err = {0};
    check_ok(open_in(s, "d", (oc_dataset_options){.follow_hidden = true}, &ds, &err), err);
    assert_int_equal(oc_dataset_count(ds), 5);
    oc_dataset_free(ds);
}

static void links_are_followed_and_loops_end(void **state) {
    scratch *s = *state;
    char path[OC_PATH_BYTES];
    put_photos(s, "d/a", 1, 1);
    put_photos(s, "elsewhere", 2, 2);
    path_in(s, "d/b", path);
    assert_int_equal(symlink("../elsewhere", path), 0);
    path_in(s, "d/a/up", path);
    assert_int_equal(symlink("..", path), 0);
    path_in(s, "d/self", path);
    assert_int_equal(symlink("self", path), 0);
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_count(ds), 3);
    assert_string_equal(label_called(ds, "b/1.jpg"), "b");
    check_told(s, "was already read");
    oc_dataset_free(ds);
}

static void depth_is_limited(void **state) {
    scratch *s = *state;
    char name[162] = "d";
    for (size_t i = 0; i < 80; i++) memcpy(name + 1 + 2 * i, "/x", 3);
    put_photos(s, "d/a", 1, 1);
    put_photos(s, "d/b", 1, 1);
    put_photos(s, name, 1, 1);
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_count(ds), 2);
    assert_int_equal(oc_dataset_reject_count(ds), 1);
    assert_non_null(strstr(oc_dataset_rejected(ds, 0)->reason, "deeper than 64"));
    oc_dataset_free(ds);
    char path[OC_PATH_BYTES];
    name[1 + 2 * 40] = '\0'; /* what clears up does not go as deep, either */
    path_in(s, name, path);
    drop_scratch(path);
}

static void empty_class_folder_is_told(void **state) {
    scratch *s = *state;
    put_photos(s, "d/a", 1, 1);
    put_photos(s, "d/b", 1, 2);
    put_text(s, "d/c/.keep", "");
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_classes(ds)->count, 2);
    check_told(s, "! 1 folders hold no images");
    oc_dataset_free(ds);
}

static void folders_without_classes_are_errors(void **state) {
    scratch *s = *state;
    put_text(s, "empty/.keep", "");
    check_folder_fails(s, "empty", "holds no images");
    put_photos(s, "flat", 3, 1);
    check_folder_fails(s, "flat", "holds 3 images but no class folders");
    put_photos(s, "one/rose", 3, 1);
    check_folder_fails(s, "one", "has one class (rose)");
}

static void name_that_is_not_utf8_is_an_error_that_says_so(void **state) {
    scratch *s = *state;
    oc_dataset *ds = NULL;
    oc_error err = {0};
    put_photos(s, "d/a", 1, 1);
    put_photos(s, "d/caf\xE9", 1, 1);
    check_fails(open_in(s, "d", (oc_dataset_options){0}, &ds, &err), err, OC_EFORMAT,
                "is not UTF-8");
}

static void running_out_of_memory_is_told(void **state) {
    scratch *s = *state;
    put_photos(s, "d/train/a", 1, 1);
    put_photos(s, "d/train/b", 1, 1);
    put_photos(s, "d/val/b", 1, 1);
    for (uint64_t n = 1;; n++) {
        oc_dataset *ds = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = open_in(s, "d", (oc_dataset_options){0}, &ds, &err);
        oc_mem_fail_at(0);
        if (status == OC_OK) {
            assert_int_equal(oc_dataset_count(ds), 3);
            oc_dataset_free(ds);
            break;
        }
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 200);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(class_is_the_relative_path),
        scratch_test(order_of_items_and_classes_is_fixed),
        scratch_test(parts_are_recognised_by_their_names),
        scratch_test(class_may_be_called_train),
        scratch_test(hidden_and_other_files_are_left_out),
        scratch_test(links_are_followed_and_loops_end),
        scratch_test(depth_is_limited),
        scratch_test(empty_class_folder_is_told),
        scratch_test(folders_without_classes_are_errors),
        scratch_test(name_that_is_not_utf8_is_an_error_that_says_so),
        scratch_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
