/* The data set: rejects, parts, the summary, the digest, lists of classes.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

static void put_two_classes(const scratch *s) {
    put_photos(s, "d/a", 3, 1);
    put_photos(s, "d/b", 2, 4);
}

static void first_reason_of_a_reject_stays(void **state) {
    scratch *s = *state;
    put_two_classes(s);
    oc_dataset *ds = open_plain(s, "d");
    oc_dataset_reject(ds, 3, "first");
    oc_dataset_reject(ds, 3, "second");
    assert_int_equal(oc_dataset_reject_count(ds), 1);
    assert_string_equal(oc_dataset_rejected(ds, 0)->reason, "first");
    assert_string_equal(oc_dataset_rejected(ds, 0)->path, oc_dataset_item(ds, 3)->path);
    assert_true(oc_dataset_item(ds, 3)->rejected);
    oc_dataset_free(ds);
}

static void parts_leave_rejects_out(void **state) {
    scratch *s = *state;
    uint32_t *items = NULL;
    size_t count = 0;
    put_two_classes(s);
    oc_dataset *ds = open_plain(s, "d");
    oc_dataset_reject(ds, 1, "bad");
    assert_int_equal(oc_dataset_part(ds, OC_PART_NONE, &items, &count, NULL), OC_OK);
    assert_int_equal(count, 4);
    assert_int_equal(items[0], 0);
    assert_int_equal(items[1], 2);
    oc_free(items);
    assert_int_equal(count_part(ds, OC_PART_VAL), 0);
    oc_dataset_free(ds);
}

static void reject_without_memory_still_takes_the_item_out(void **state) {
    scratch *s = *state;
    put_two_classes(s);
    oc_dataset *ds = open_plain(s, "d");
    for (size_t i = 0; i < 5; i++) {
        oc_mem_fail_at(1);
        oc_dataset_reject(ds, i, "bad");
        oc_mem_fail_at(0);
        assert_true(oc_dataset_item(ds, i)->rejected);
    }
    assert_int_equal(count_part(ds, OC_PART_NONE), 0);
    oc_dataset_free(ds);
}

static void summary_says_what_was_found(void **state) {
    scratch *s = *state;
    oc_buf text = {0};
    put_two_classes(s);
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_summary(ds, &text, NULL), OC_OK);
    assert_string_equal(text.data, "5 images, 2 classes (smallest b 2, largest a 3), 0 rejected");
    oc_dataset_reject(ds, 3, "bad");
    text.size = 0;
    assert_int_equal(oc_dataset_summary(ds, &text, NULL), OC_OK);
    assert_string_equal(text.data, "4 images, 2 classes (smallest b 1, largest a 3), 1 rejected");
    oc_buf_clear(&text);
    oc_dataset_free(ds);
}

static void summary_groups_digits(void **state) {
    scratch *s = *state;
    oc_buf text = {0};
    put_photo(s, "x.jpg", 1);
    for (int i = 0; i < 1234; i++) {
        char name[64], from[OC_PATH_BYTES], to[OC_PATH_BYTES];
        (void)snprintf(name, sizeof name, "d/%d/%d.jpg", i % 2, i);
        path_in(s, name, to);
        path_in(s, "x.jpg", from);
        assert_int_equal(link(from, to), 0);
    }
    oc_dataset *ds = open_plain(s, "d");
    assert_int_equal(oc_dataset_summary(ds, &text, NULL), OC_OK);
    assert_non_null(strstr(text.data, "1,234 images, 2 classes (smallest 0 617,"));
    oc_buf_clear(&text);
    oc_dataset_free(ds);
}

static uint64_t digest_in(scratch *s, const char *name) {
    oc_dataset *ds = open_plain(s, name);
    uint64_t digest = oc_dataset_digest(ds);
    oc_dataset_free(ds);
    return digest;
}

static void digest_follows_paths_labels_and_sizes_not_the_place(void **state) {
    scratch *s = *state;
    char from[OC_PATH_BYTES], to[OC_PATH_BYTES];
    put_two_classes(s);
    uint64_t before = digest_in(s, "d");
    path_in(s, "d", from);
    path_in(s, "moved", to);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(digest_in(s, "moved"), before);
    put_bytes(s, "moved/a/1.jpg", "longer or shorter", 17);
    assert_int_not_equal(digest_in(s, "moved"), before);
    path_in(s, "moved/a", from);
    path_in(s, "moved/c", to);
    assert_int_equal(rename(from, to), 0);
    uint64_t renamed = digest_in(s, "moved");
    assert_int_not_equal(renamed, before);
}

static void reason_leaves_the_path_out(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"cannot open /a/b.jpg: No such file", "cannot open: No such file"},
        {"/a/b.jpg is a fifo, not a regular file", "is a fifo, not a regular file"},
        {"/a/b.jpg: damaged", "damaged"},
        {"damaged JPEG", "damaged JPEG"},
        {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char reason[OCI_REASON_BYTES];
        oci_reason(reason, cases[i][0], "/a/b.jpg");
        assert_string_equal(reason, cases[i][1]);
    }
    char reason[OCI_REASON_BYTES], longest[2 * OCI_REASON_BYTES];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    oci_reason(reason, longest, "/a");
    assert_int_equal(strlen(reason), OCI_REASON_BYTES - 1);
}

static void copied_classes_are_their_own(void **state) {
    (void)state;
    char label[] = "rosa", display[] = "rose", id[] = "7";
    oc_class items[] = {{label, display, id}, {.label = id}};
    oc_classes src = {items, 2}, dst = {0};
    for (uint64_t n = 1;; n++) {
        oc_mem_fail_at(n);
        oc_status status = oc_classes_copy(&src, &dst, NULL);
        oc_mem_fail_at(0);
        if (status == OC_OK) break;
        assert_null(dst.items);
    }
    label[0] = 'R';
    assert_string_equal(dst.items[0].label, "rosa");
    assert_string_equal(dst.items[0].display, "rose");
    assert_null(dst.items[1].display);
    oc_classes_clear(&dst);
    assert_int_equal(dst.count, 0);
}

static void interned_texts_keep_their_numbers(void **state) {
    (void)state;
    oci_intern table = {0};
    char text[16];
    uint32_t number = 0;
    bool fresh = false;
    assert_false(oci_intern_find(&table, "0", &number));
    for (uint32_t i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof text, "%u", i);
        assert_int_equal(oci_intern_add(&table, text, &number, &fresh, NULL), OC_OK);
        assert_true(fresh);
        assert_int_equal(number, i);
    }
    assert_int_equal(oci_intern_add(&table, "77", &number, &fresh, NULL), OC_OK);
    assert_false(fresh);
    assert_int_equal(number, 77);
    assert_true(oci_intern_find(&table, "999", &number));
    assert_string_equal(table.text[number], "999");
    oci_intern_clear(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(first_reason_of_a_reject_stays),
        scratch_test(parts_leave_rejects_out),
        scratch_test(reject_without_memory_still_takes_the_item_out),
        scratch_test(summary_says_what_was_found),
        scratch_test(summary_groups_digits),
        scratch_test(digest_follows_paths_labels_and_sizes_not_the_place),
        cmocka_unit_test(reason_leaves_the_path_out),
        cmocka_unit_test(copied_classes_are_their_own),
        cmocka_unit_test(interned_texts_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
