/* Class names from a file: with synsets and without, doubled ones, and files that are none.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "interop/interop.h"

static char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];

static int setup(void **state) {
    (void)state;
    make_scratch(folder);
    return oc_path_join(path, folder, "names.txt", NULL) == OC_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    drop_scratch(folder);
    return 0;
}

static void put(const void *bytes, size_t size) {
    oc_error err = {0};
    check_ok(oc_file_write(path, bytes, size, &err), err);
}

static void put_text(const char *text) {
    put(text, strlen(text));
}

static void synsets_are_labels_and_names_are_shown(void **state) {
    (void)state;
    oc_classes classes;
    oc_error err = {0};
    put_text("n01440764 tench, Tinca tinca\r\nn01443537 goldfish\r\n");
    check_ok(oc_labels_read(&classes, path, &err), err);
    assert_int_equal(classes.count, 2);
    assert_string_equal(classes.items[0].label, "n01440764");
    assert_string_equal(classes.items[0].id, "n01440764");
    assert_string_equal(classes.items[0].display, "tench, Tinca tinca");
    assert_string_equal(classes.items[1].display, "goldfish");
    oc_classes_clear(&classes);
}

static void a_name_that_comes_again_gets_its_number(void **state) {
    (void)state;
    oc_classes classes;
    oc_error err = {0};
    put_text("crane\nmaillot\ncrane\ncrane");
    check_ok(oc_labels_read(&classes, path, &err), err);
    assert_int_equal(classes.count, 4);
    assert_string_equal(classes.items[0].label, "crane");
    assert_string_equal(classes.items[1].label, "maillot");
    assert_string_equal(classes.items[2].label, "crane #3");
    assert_string_equal(classes.items[3].label, "crane #4");
    oc_classes_clear(&classes);
}

static void a_file_that_names_nothing_is_refused(void **state) {
    (void)state;
    oc_classes classes;
    oc_error err = {0};
    put_text("");
    check_fails(oc_labels_read(&classes, path, &err), err, OC_EFORMAT, "no names in it");
    put_text("rose\n\nlily\n");
    check_fails(oc_labels_read(&classes, path, &err), err, OC_EFORMAT, "names.txt:2: an empty");
    put_text("rose\nli\xFFly\n");
    check_fails(oc_labels_read(&classes, path, &err), err, OC_EFORMAT, "names.txt:2: not a name");
    put("rose\0lily", 9);
    check_fails(oc_labels_read(&classes, path, &err), err, OC_EFORMAT, "a zero byte at 4");
}

static void numbers_stand_for_missing_names(void **state) {
    (void)state;
    oc_classes classes;
    oc_error err = {0};
    check_ok(oc_labels_numbered(&classes, 11, &err), err);
    assert_int_equal(classes.count, 11);
    assert_string_equal(classes.items[10].label, "10");
    oc_classes_clear(&classes);
}

static void running_out_of_memory_leaks_nothing(void **state) {
    (void)state;
    put_text("crane\nn01443537 goldfish\ncrane\n");
    for (uint64_t n = 1; n < 100; n++) {
        oc_classes classes;
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = oc_labels_read(&classes, path, &err);
        oc_mem_fail_at(0);
        if (status == OC_OK) {
            assert_true(n > 5);
            oc_classes_clear(&classes);
            return;
        }
        assert_int_equal(status, OC_ENOMEM);
    }
    fail_msg("never succeeded");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synsets_are_labels_and_names_are_shown),
        cmocka_unit_test(a_name_that_comes_again_gets_its_number),
        cmocka_unit_test(a_file_that_names_nothing_is_refused),
        cmocka_unit_test(numbers_stand_for_missing_names),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
