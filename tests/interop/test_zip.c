/* SPDX-License-Identifier: BSD-2-Clause */
#include "interop/weights/zip_int.h"
#include "zip_maker.h"

static const made_entry two[] = {{.name = "a/x", .data = "1234", .size = 4},
                                 {.name = "a/b", .data = "56", .size = 2}};

/* The archive of these entries is refused with this part in the message. */
static void refuse(const made_entry *entries, size_t count, oc_status wanted, const char *part) {
    oci_zip zip;
    oc_error err = {0};
    oc_buf file = make_zip(entries, count);
    check_fails(oci_zip_open(&zip, (uint8_t *)file.data, file.size, "f.pth", &err), err, wanted,
                part);
    oc_buf_clear(&file);
}

static void files_are_found_where_they_lie(void **state) {
    (void)state;
    oci_zip zip;
    oc_error err = {0};
    oc_buf file = make_zip(two, 2);
    check_ok(oci_zip_open(&zip, (uint8_t *)file.data, file.size, "f", &err), err);
    const oci_zip_entry *x = oci_zip_find(&zip, "a/x");
    assert_non_null(x);
    assert_int_equal(x->size, 4);
    assert_memory_equal(x->data, "1234", 4);
    assert_null(oci_zip_find(&zip, "a/y"));
    oci_zip_clear(&zip);
    oc_buf_clear(&file);
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    oc_buf file = make_zip(two, 2);
    for (size_t size = 0; size < file.size; size++) {
        oci_zip zip;
        oc_error err = {0};
        uint8_t *part = oc_malloc(size); /* exact, so that a sanitizer sees an over-read */
        memcpy(part, file.data, size);
        assert_int_equal(oci_zip_open(&zip, part, size, "f", &err), OC_EFORMAT);
        oc_free(part);
    }
    oc_buf_clear(&file);
}

static void every_changed_byte_is_read_safely(void **state) {
    (void)state;
    oc_buf file = make_zip(two, 2);
    for (size_t i = 0; i < file.size; i++)
        for (int value = 0; value < 256; value += 51) {
            oci_zip zip;
            uint8_t *copy = oc_malloc(file.size);
            memcpy(copy, file.data, file.size);
            copy[i] = (uint8_t)value;
            if (oci_zip_open(&zip, copy, file.size, "f", NULL) == OC_OK) oci_zip_clear(&zip);
            oc_free(copy);
        }
    oc_buf_clear(&file);
}

static void two_files_of_a_name_are_refused(void **state) {
    (void)state;
    const made_entry same[] = {two[0], two[0]};
    refuse(same, 2, OC_EFORMAT, "two files are called a/x");
}

static void files_that_overlap_are_refused(void **state) {
    (void)state;
    made_entry over[] = {two[0], two[1]};
    over[1].local_name = NULL;
    over[1].told_place = 1; /* within the first one's header */
    refuse(over, 2, OC_EFORMAT, "no file's header there");
    made_entry nested = {.name = "a", .size = 60};
    uint8_t inside[60] = {'P', 'K', 3, 4};
    inside[26] = 1; /* a header of a file called "b" */
    inside[30] = 'b';
    nested.data = inside;
    const made_entry both[] = {nested, {.name = "b", .data = "", .told_place = 31}};
    refuse(both, 2, OC_EFORMAT, "overlap");
}

static void a_header_of_another_name_is_refused(void **state) {
    (void)state;
    const made_entry odd = {.name = "a", .data = "1", .size = 1, .local_name = "b"};
    refuse(&odd, 1, OC_EFORMAT, "by another name");
}

static void sizes_beyond_the_file_are_refused(void **state) {
    (void)state;
    made_entry large = two[0];
    large.told_size = 100000;
    refuse(&large, 1, OC_EFORMAT, "do not fit into the archive");
    large.told_size = 0xFFFFFFFF;
    refuse(&large, 1, OC_EFORMAT, "size of 64 bits is missing");
}

static void names_that_are_no_text_are_refused(void **state) {
    (void)state;
    const made_entry odd = {.name = "\xFF\xFE", .data = "1", .size = 1};
    refuse(&odd, 1, OC_EFORMAT, "no UTF-8");
}

static void packed_files_are_listed_but_not_opened(void **state) {
    (void)state;
    oci_zip zip;
    oc_error err = {0};
    const made_entry packed[] = {{.name = "deflated", .data = "1", .size = 1, .method = 8},
                                 {.name = "secret", .data = "1", .size = 1, .flags = 1}};
    oc_buf file = make_zip(packed, 2);
    check_ok(oci_zip_open(&zip, (uint8_t *)file.data, file.size, "f", &err), err);
    check_fails(oci_zip_check_plain(&zip, oci_zip_find(&zip, "deflated"), &err), err,
                OC_EUNSUPPORTED, "deflated is compressed");
    check_fails(oci_zip_check_plain(&zip, oci_zip_find(&zip, "secret"), &err), err, OC_EUNSUPPORTED,
                "secret is encrypted");
    assert_null(oci_zip_find(&zip, "deflated")->data);
    oci_zip_clear(&zip);
    oc_buf_clear(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_where_they_lie),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_read_safely),
        cmocka_unit_test(two_files_of_a_name_are_refused),
        cmocka_unit_test(files_that_overlap_are_refused),
        cmocka_unit_test(a_header_of_another_name_is_refused),
        cmocka_unit_test(sizes_beyond_the_file_are_refused),
        cmocka_unit_test(names_that_are_no_text_are_refused),
        cmocka_unit_test(packed_files_are_listed_but_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
