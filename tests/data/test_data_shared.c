/* The sources on real photos, where ../shared is there.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

/* Open, scan headers and ends, split: check what is found. */
static oc_dataset *open_shared(const char *source, const char *column, size_t images,
                               size_t classes) {
    oc_dataset *ds = NULL;
    oc_error err = {0};
    if (!oc_path_exists(SHARED "flowers17")) skip();
    oc_dataset_options options = {.label_column = column};
    check_ok(oc_dataset_open(&ds, source, &options, &err), err);
    assert_int_equal(oc_dataset_count(ds), images);
    assert_int_equal(oc_dataset_classes(ds)->count, classes);
    return ds;
}

static void scan_headers(oc_dataset *ds) {
    oc_error err = {0};
    oc_scan_options options = {.full_up_to = 50};
    check_ok(oc_dataset_scan(ds, &options, &err), err);
    assert_int_equal(oc_dataset_reject_count(ds), 0);
}

static void flowers_are_1088_in_17_classes(void **state) {
    (void)state;
    oc_dataset *ds = open_shared(SHARED "flowers17", NULL, 1088, 17);
    scan_headers(ds);
    assert_int_equal(oc_dataset_split(ds, 0.2, 1, NULL), OC_OK);
    assert_int_equal(count_part(ds, OC_PART_VAL), 17 * 13);
    oc_dataset_free(ds);
}

static void groceries_come_from_their_lists(void **state) {
    (void)state;
    oc_dataset *ds = open_shared(SHARED "groceries", NULL, 2936, 81);
    scan_headers(ds);
    assert_int_equal(oc_dataset_split(ds, 0.2, 1, NULL), OC_OK);
    assert_int_equal(count_part(ds, OC_PART_TRAIN), 2640);
    assert_int_equal(count_part(ds, OC_PART_VAL), 296);
    assert_string_equal(label_called(ds, "train/Fruit/Apple/Pink-Lady/Pink-Lady_001.jpg"),
                        "Pink-Lady");
    assert_string_equal(oc_dataset_classes(ds)->items[80].id, "80");
    oc_dataset_free(ds);
}

static void groceries_have_43_coarse_classes(void **state) {
    (void)state;
    oc_dataset *ds = open_shared(SHARED "groceries", "coarse", 2936, 43);
    assert_string_equal(label_called(ds, "train/Fruit/Apple/Pink-Lady/Pink-Lady_001.jpg"), "Apple");
    oc_dataset_free(ds);
    ds = open_shared(SHARED "groceries/val.txt", "2", 296, 37);
    oc_dataset_free(ds);
}

static void landscapes_are_737_in_4_classes(void **state) {
    (void)state;
    oc_dataset *ds = open_shared(SHARED "landscapes", NULL, 737, 4);
    scan_headers(ds);
    oc_dataset_free(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flowers_are_1088_in_17_classes),
        cmocka_unit_test(groceries_come_from_their_lists),
        cmocka_unit_test(groceries_have_43_coarse_classes),
        cmocka_unit_test(landscapes_are_737_in_4_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
