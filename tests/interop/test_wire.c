/* The wire format: what is written is read back, and no length or depth of a file is believed.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "interop/wire_int.h"

static oci_wire_field next(oci_wire *w) {
    oci_wire_field f;
    oc_error err = {0};
    bool more = false;
    check_ok(oci_wire_next(w, &f, &more, &err), err);
    assert_true(more);
    return f;
}

static void ends(oci_wire *w) {
    oci_wire_field f;
    oc_error err = {0};
    bool more = true;
    check_ok(oci_wire_next(w, &f, &more, &err), err);
    assert_false(more);
}

static void fields_come_back_as_written(void **state) {
    (void)state;
    oc_buf out = {0}, inner = {0};
    oc_error err = {0};
    oci_wire_put_varint(&out, 1, 300);
    oci_wire_put_varint(&out, 2, UINT64_MAX);
    oci_wire_put_float(&out, 3, -1.5F);
    oci_wire_put_text(&inner, 1, "conv1");
    oci_wire_put_message(&out, 536870911, &inner);
    const int64_t dims[] = {1, -1, 224};
    oci_wire_put_packed(&out, 5, dims, 3);
    check_ok(oc_buf_status(&out, &err), err);

    oci_wire w = oci_wire_open(out.data, out.size, "f"), child;
    assert_int_equal(next(&w).value, 300);
    assert_true(next(&w).value == UINT64_MAX);
    oci_wire_field f = next(&w);
    assert_int_equal(f.type, OCI_WIRE_FIXED32);
    assert_true(oci_wire_float(&f) == -1.5F);
    f = next(&w);
    assert_int_equal(f.number, 536870911);
    check_ok(oci_wire_enter(&w, &f, "layer", &child, &err), err);
    f = next(&child);
    const char *text = NULL;
    oc_pool *pool = NULL;
    check_ok(oc_pool_new(&pool, &err), err);
    check_ok(oci_wire_text(&child, &f, "name", pool, &text, &err), err);
    assert_string_equal(text, "conv1");
    ends(&child);
    f = next(&w);
    check_ok(oci_wire_enter(&w, &f, "dims", &child, &err), err);
    for (int i = 0; i < 3; i++) {
        uint64_t value = 0;
        bool more = false;
        check_ok(oci_wire_varint(&child, &value, &more, &err), err);
        assert_true(more && (int64_t)value == dims[i]);
    }
    ends(&w);
    oc_pool_free(pool);
    oc_buf_clear(&out);
    oc_buf_clear(&inner);
}

static void doubles_and_zero_are_written_as_the_format_says(void **state) {
    (void)state;
    static const uint8_t wanted[] = {0x08, 0, 0x11, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x1A, 0};
    oc_buf out = {0};
    oci_wire_put_varint(&out, 1, 0);
    oci_wire_put_double(&out, 2, 1.0);
    oci_wire_put_bytes(&out, 3, NULL, 0);
    assert_int_equal(out.size, sizeof wanted);
    assert_memory_equal(out.data, wanted, sizeof wanted);
    oc_buf_clear(&out);
}

static void refuse(const void *bytes, size_t size, const char *part) {
    oci_wire w = oci_wire_open(bytes, size, "f");
    oci_wire_field f;
    oc_error err = {0};
    bool more = false;
    check_fails(oci_wire_next(&w, &f, &more, &err), err, OC_EFORMAT, part);
}

static void damage_is_named_with_its_place(void **state) {
    (void)state;
    refuse("\x80", 1, "cut off");
    refuse("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 11, "more than 64 bits");
    refuse("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, "more than 64 bits");
    refuse("\x00\x01", 2, "without a valid number");
    refuse("\x0B", 1, "no known type");
    refuse("\x0D\x01\x02", 3, "cut off at byte 1");
    refuse("\x12\x05"
           "abc",
           5, "says 5 bytes, 3 are left");
    refuse("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11, "18446744073709551615 bytes");
}

static void a_file_is_followed_only_so_deep(void **state) {
    (void)state;
    oc_buf deep = {0}, outer = {0};
    oc_error err = {0};
    for (int i = 0; i < OCI_WIRE_DEPTH + 1; i++) {
        oci_wire_put_message(&outer, 1, &deep);
        oc_buf swap = deep;
        deep = outer;
        outer = swap;
    }
    oci_wire w = oci_wire_open(deep.data, deep.size, "f");
    for (int i = 0; i < OCI_WIRE_DEPTH; i++) {
        oci_wire_field f = next(&w);
        check_ok(oci_wire_enter(&w, &f, "group", &w, &err), err);
    }
    oci_wire_field f = next(&w);
    check_fails(oci_wire_enter(&w, &f, "group", &w, &err), err, OC_ELIMIT, "deeper than 32");
    oc_buf_clear(&deep);
    oc_buf_clear(&outer);
}

static void text_must_be_text(void **state) {
    (void)state;
    oc_pool *pool = NULL;
    oc_error err = {0};
    const char *text = NULL;
    check_ok(oc_pool_new(&pool, &err), err);
    static const char *const files[] = {"\x0A\x02\xFF\xFE", "\x0A\x02\0x"};
    for (size_t i = 0; i < 2; i++) {
        oci_wire w = oci_wire_open(files[i], 4, "f");
        oci_wire_field f = next(&w);
        check_fails(oci_wire_text(&w, &f, "name", pool, &text, &err), err, OC_EFORMAT,
                    "name at byte 2 is no text");
    }
    oci_wire w = oci_wire_open("\x08\x01", 2, "f");
    oci_wire_field f = next(&w);
    check_fails(oci_wire_text(&w, &f, "name", pool, &text, &err), err, OC_EFORMAT, "wire type 0");
    oc_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back_as_written),
        cmocka_unit_test(doubles_and_zero_are_written_as_the_format_says),
        cmocka_unit_test(damage_is_named_with_its_place),
        cmocka_unit_test(a_file_is_followed_only_so_deep),
        cmocka_unit_test(text_must_be_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
