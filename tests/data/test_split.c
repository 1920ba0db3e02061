/* The split: shares, groups, seeds.
 *
 * The files of these lists are one photo under many names.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

/* A table of `rows` = {class, group or "", count}. */
typedef struct rows {
    const char *label, *group, *split;
    int count;
} rows;

static oc_dataset *open_rows(scratch *s, const rows *r, size_t n) {
    oc_buf table = {0};
    char from[OC_PATH_BYTES], to[OC_PATH_BYTES], name[64];
    int number = 0;
    put_photo(s, "x.jpg", 1);
    path_in(s, "x.jpg", from);
    oc_buf_puts(&table, "path,label,group,split\n");
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < r[i].count; k++, number++) {
            (void)snprintf(name, sizeof name, "p/%04d.jpg", number);
            path_in(s, name, to);
            assert_true(link(from, to) == 0 || oc_path_exists(to));
            oc_buf_printf(&table, "%s,%s,%s,%s\n", name, r[i].label, r[i].group,
                          r[i].split == NULL ? "" : r[i].split);
        }
    }
    put_bytes(s, "t.csv", table.data, table.size);
    oc_buf_clear(&table);
    return open_plain(s, "t.csv");
}

#define open_table(s, ...)                                                                         \
    open_rows(s, (const rows[]){__VA_ARGS__}, sizeof((const rows[]){__VA_ARGS__}) / sizeof(rows))

static void split_by(oc_dataset *ds, double fraction, uint64_t seed) {
    oc_error err = {0};
    check_ok(oc_dataset_split(ds, fraction, seed, &err), err);
}

static size_t count_in(const oc_dataset *ds, const char *label, oc_part part) {
    size_t n = 0;
    for (size_t i = 0; i < oc_dataset_count(ds); i++) {
        n += strcmp(label_of(ds, i), label) == 0 && oc_dataset_item(ds, i)->part == part;
    }
    return n;
}

static void each_class_gives_its_share(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_table(s, {"a", "", NULL, 64}, {"b", "", NULL, 10}, {"c", "", NULL, 2},
                                {"d", "", NULL, 1});
    split_by(ds, 0.2, 1);
    assert_int_equal(count_in(ds, "a", OC_PART_VAL), 13);
    assert_int_equal(count_in(ds, "b", OC_PART_VAL), 2);
    assert_int_equal(count_in(ds, "c", OC_PART_VAL), 1);
    assert_int_equal(count_in(ds, "d", OC_PART_VAL), 0);
    assert_int_equal(count_part(ds, OC_PART_TRAIN), 77 - 16);
    check_told(s, "! 1 classes have too few images");
    oc_dataset_free(ds);
}

static void split_is_a_function_of_the_seed(void **state) {
    scratch *s = *state;
    oc_dataset *a = open_table(s, {"a", "", NULL, 40}, {"b", "", NULL, 40});
    oc_dataset *b = open_plain(s, "t.csv"), *c = open_plain(s, "t.csv");
    split_by(a, 0.25, 7);
    split_by(b, 0.25, 7);
    split_by(c, 0.25, 8);
    size_t same = 0, other = 0;
    for (size_t i = 0; i < oc_dataset_count(a); i++) {
        same += oc_dataset_item(a, i)->part == oc_dataset_item(b, i)->part;
        other += oc_dataset_item(a, i)->part == oc_dataset_item(c, i)->part;
    }
    assert_int_equal(same, 80);
    assert_true(other < 75);
    oc_dataset_free(a);
    oc_dataset_free(b);
    oc_dataset_free(c);
}

static void split_does_not_follow_the_order_of_the_list(void **state) {
    scratch *s = *state;
    put_photos(s, "p", 12, 1);
    oc_buf there = {0}, back = {0};
    oc_buf_puts(&there, "path,label,group\n");
    oc_buf_puts(&back, "path,label,group\n");
    for (int i = 0; i < 12; i++) {
        oc_buf_printf(&there, "p/%d.jpg,%d,g%d\n", i, i % 2, i / 2);
        oc_buf_printf(&back, "p/%d.jpg,%d,g%d\n", 11 - i, (11 - i) % 2, (11 - i) / 2);
    }
    put_bytes(s, "there.csv", there.data, there.size);
    put_bytes(s, "back.csv", back.data, back.size);
    oc_dataset *a = open_plain(s, "there.csv"), *b = open_plain(s, "back.csv");
    split_by(a, 0.3, 5);
    split_by(b, 0.3, 5);
    for (size_t i = 0; i < 12; i++) {
        assert_string_equal(oc_dataset_item(a, i)->path, oc_dataset_item(b, i)->path);
        assert_int_equal(oc_dataset_item(a, i)->part, oc_dataset_item(b, i)->part);
    }
    oc_buf_clear(&there);
    oc_buf_clear(&back);
    oc_dataset_free(a);
    oc_dataset_free(b);
}

static void groups_stay_whole(void **state) {
    scratch *s = *state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        oc_dataset *ds =
            open_table(s, {"a", "g1", NULL, 3}, {"b", "g1", NULL, 2}, {"a", "g2", NULL, 4},
                       {"a", "g3", NULL, 2}, {"b", "g4", NULL, 5}, {"b", "g5", NULL, 3},
                       {"a", "", NULL, 6}, {"b", "", NULL, 6});
        split_by(ds, 0.3, seed);
        for (size_t i = 0; i < oc_dataset_count(ds); i++) {
            for (size_t j = 0; j < i; j++) {
                const oc_item *x = oc_dataset_item(ds, i), *y = oc_dataset_item(ds, j);
                if (x->group == y->group) assert_int_equal(x->part, y->part);
            }
        }
        assert_in_range(count_part(ds, OC_PART_VAL), 6, 13);
        assert_true(count_in(ds, "a", OC_PART_VAL) > 0 && count_in(ds, "b", OC_PART_VAL) > 0);
        oc_dataset_free(ds);
    }
}

static void large_groups_still_give_every_class_a_score(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_table(s, {"a", "g1", NULL, 8}, {"a", "g2", NULL, 6},
                                {"b", "g3", NULL, 10}, {"b", "g4", NULL, 9}, {"c", "g5", NULL, 5});
    split_by(ds, 0.2, 3);
    assert_int_equal(count_in(ds, "a", OC_PART_VAL), 6);
    assert_int_equal(count_in(ds, "b", OC_PART_VAL), 9);
    assert_int_equal(count_in(ds, "c", OC_PART_VAL), 0);
    oc_dataset_free(ds);
}

static void training_keeps_an_item_of_each_class(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_table(s, {"a", "", NULL, 2}, {"b", "", NULL, 3});
    split_by(ds, 0.99, 1);
    assert_int_equal(count_in(ds, "a", OC_PART_TRAIN), 1);
    assert_int_equal(count_in(ds, "b", OC_PART_TRAIN), 1);
    oc_dataset_free(ds);
}

static void validation_of_the_source_is_left_as_it_is(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_table(s, {"a", "", "train", 9}, {"b", "", NULL, 9}, {"b", "", "val", 1});
    split_by(ds, 0.5, 1);
    assert_int_equal(count_part(ds, OC_PART_VAL), 1);
    assert_int_equal(count_part(ds, OC_PART_TRAIN), 18);
    oc_dataset_free(ds);
}

static void training_part_without_validation_is_split_and_test_kept(void **state) {
    scratch *s = *state;
    oc_dataset *ds =
        open_table(s, {"a", "", "train", 10}, {"b", "", "train", 10}, {"b", "", "test", 5});
    split_by(ds, 0.2, 1);
    assert_int_equal(count_part(ds, OC_PART_VAL), 4);
    assert_int_equal(count_part(ds, OC_PART_TEST), 5);
    oc_dataset_free(ds);
}

static void rejected_items_take_no_part(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_table(s, {"a", "", NULL, 5}, {"b", "", NULL, 5});
    for (size_t i = 0; i < 4; i++) oc_dataset_reject(ds, i, "bad");
    split_by(ds, 0.5, 1);
    assert_int_equal(count_in(ds, "a", OC_PART_TRAIN), 1);
    assert_int_equal(count_in(ds, "a", OC_PART_NONE), 4);
    oc_dataset_free(ds);
}

static void share_out_of_range_is_an_error(void **state) {
    scratch *s = *state;
    oc_error err = {0};
    oc_dataset *ds = open_table(s, {"a", "", NULL, 2}, {"b", "", NULL, 2});
    check_fails(oc_dataset_split(ds, 1, 1, &err), err, OC_EUSAGE, "split 1");
    check_fails(oc_dataset_split(ds, -0.1, 1, &err), err, OC_EUSAGE, "0 to below 1");
    split_by(ds, 0, 1);
    assert_int_equal(count_part(ds, OC_PART_TRAIN), 4);
    oc_dataset_free(ds);
}

static void running_out_of_memory_is_told(void **state) {
    scratch *s = *state;
    oc_dataset *ds = open_table(s, {"a", "", NULL, 2}, {"b", "", NULL, 2});
    for (uint64_t n = 1;; n++) {
        oc_mem_fail_at(n);
        oc_status status = oc_dataset_split(ds, 0.5, 1, NULL);
        oc_mem_fail_at(0);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 50);
    }
    oc_dataset_free(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(each_class_gives_its_share),
        scratch_test(split_is_a_function_of_the_seed),
        scratch_test(split_does_not_follow_the_order_of_the_list),
        scratch_test(groups_stay_whole),
        scratch_test(large_groups_still_give_every_class_a_score),
        scratch_test(training_keeps_an_item_of_each_class),
        scratch_test(validation_of_the_source_is_left_as_it_is),
        scratch_test(training_part_without_validation_is_split_and_test_kept),
        scratch_test(rejected_items_take_no_part),
        scratch_test(share_out_of_range_is_an_error),
        scratch_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
