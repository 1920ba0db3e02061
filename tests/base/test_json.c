/* JSON from files that may be hostile.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

static json_t *parsed(const char *text) {
    json_t *value = NULL;
    oc_error err = {0};
    check_ok(oc_json_parse(text, strlen(text), "t", &value, &err), err);
    return value;
}

static void members_come_back(void **state) {
    (void)state;
    json_t *o = parsed("{\"o\":{},\"a\":[1],\"s\":\"x\",\"i\":7,\"r\":0.5,\"b\":true,\"n\":null}");
    json_t *value = NULL;
    const char *text = NULL;
    int64_t i = 0;
    double r = 0;
    bool b = false;
    oc_error err = {0};
    check_ok(oc_json_get_object(o, "o", "t", &value, &err), err);
    check_ok(oc_json_get_array(o, "a", "t", &value, &err), err);
    assert_int_equal(json_array_size(value), 1);
    check_ok(oc_json_get_string(o, "s", "t", &text, &err), err);
    assert_string_equal(text, "x");
    check_ok(oc_json_get_int(o, "i", "t", 0, 7, &i, &err), err);
    assert_int_equal(i, 7);
    check_ok(oc_json_get_real(o, "r", "t", 0, 1, &r, &err), err);
    assert_true(r == 0.5);
    check_ok(oc_json_get_real(o, "i", "t", 0, 10, &r, &err), err);
    assert_true(r == 7);
    check_ok(oc_json_get_bool(o, "b", "t", &b, &err), err);
    assert_true(b);
    assert_true(oc_json_has(o, "s"));
    assert_false(oc_json_has(o, "n"));
    assert_false(oc_json_has(o, "zz"));
    json_decref(o);
}

static void wrong_members_name_key_found_and_expected(void **state) {
    (void)state;
    json_t *o = parsed("{\"a\":[1],\"i\":70,\"r\":2.5}");
    json_t *value = NULL;
    const char *text = NULL;
    int64_t i = 0;
    double r = 0;
    bool b = false;
    oc_error err = {0};
    check_fails(oc_json_get_object(o, "a", "m.json", &value, &err), err, OC_EFORMAT,
                "m.json: \"a\" is an array, expected an object");
    assert_null(value);
    check_fails(oc_json_get_array(o, "i", "t", &value, &err), err, OC_EFORMAT, "whole number");
    check_fails(oc_json_get_string(o, "zz", "t", &text, &err), err, OC_EFORMAT, "missing");
    check_fails(oc_json_get_int(o, "i", "t", 0, 7, &i, &err), err, OC_EFORMAT,
                "70, allowed 0 to 7");
    check_fails(oc_json_get_int(o, "r", "t", 0, 7, &i, &err), err, OC_EFORMAT, "a number");
    check_fails(oc_json_get_real(o, "r", "t", 0, 1, &r, &err), err, OC_EFORMAT, "2.5, allowed 0");
    check_fails(oc_json_get_bool(o, "r", "t", &b, &err), err, OC_EFORMAT, "true or false");
    check_fails(oc_json_get_bool(json_object_get(o, "a"), "x", "t", &b, &err), err, OC_EFORMAT,
                "not an object");
    check_fails(oc_json_get_bool(NULL, "x", "t", &b, &err), err, OC_EFORMAT, "not an object");
    json_decref(o);
}

static void broken_text_is_refused_with_its_place(void **state) {
    (void)state;
    static const char *const bad[] = {"",      "{",       "{} x",       "{\"a\":1,\"a\":2}",
                                      "[NaN]", "[1e999]", "[\"\xff\"]", "[99999999999999999999]",
                                      "7"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *value = NULL;
        oc_error err = {0};
        check_fails(oc_json_parse(bad[i], strlen(bad[i]), "c.json", &value, &err), err, OC_EFORMAT,
                    "c.json: not valid JSON at line");
        assert_null(value);
    }
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    static char deep[100000];
    json_t *value = NULL;
    oc_error err = {0};
    memset(deep, '[', sizeof deep);
    check_fails(oc_json_parse(deep, sizeof deep, "t", &value, &err), err, OC_EFORMAT, "depth");
}

static void file_written_is_the_file_read(void **state) {
    (void)state;
    char top[OC_PATH_BYTES], path[OC_PATH_BYTES];
    json_t *o = parsed("{\"z\":[1,2.5,\"\\u00e9\"],\"a\":null}"), *back = NULL;
    oc_error err = {0};
    make_scratch(top);
    check_ok(oc_path_join(path, top, "c.json", &err), err);
    check_ok(oc_json_write(path, o, &err), err);
    check_ok(oc_json_read(path, 1000, &back, &err), err);
    assert_true(json_equal(o, back));
    json_decref(back);
    check_fails(oc_json_read(path, 10, &back, &err), err, OC_ELIMIT, "c.json");
    assert_null(back);
    json_decref(o);
    drop_scratch(top);
}

static void one_line_form_keeps_order(void **state) {
    (void)state;
    json_t *o = parsed("{ \"z\": 1, \"a\": [ true ] }");
    oc_buf buf = {0};
    oc_error err = {0};
    oc_buf_puts(&buf, "> ");
    check_ok(oc_json_append(&buf, o, &err), err);
    assert_string_equal(buf.data, "> {\"z\":1,\"a\":[true]}");
    oc_buf_clear(&buf);
    json_decref(o);
}

static void numbers_are_as_people_write_them(void **state) {
    (void)state;
    oc_buf buf = {0};
    oc_error err = {0};
    json_t *o = json_pack("[f, f, f, i]", 0.1, -122.4194155, (double)0.3F, 7);
    check_ok(oc_json_append_digits(&buf, o, OC_JSON_DECIMAL, &err), err);
    assert_string_equal(buf.data, "[0.1,-122.4194155,0.300000011920929,7]");
    oc_buf_clear(&buf);
    check_ok(oc_json_append_digits(&buf, o, OC_JSON_FLOAT, &err), err);
    assert_string_equal(buf.data, "[0.1,-122.419415,0.300000012,7]");
    oc_buf_clear(&buf);
    check_ok(oc_json_append(&buf, o, &err), err);
    assert_string_equal(buf.data, "[0.10000000000000001,-122.4194155,0.30000001192092896,7]");
    oc_buf_clear(&buf);
    json_decref(o);
}

static void numbers_that_json_lacks_become_null(void **state) {
    (void)state;
    json_t *nothing = oc_json_real((double)NAN), *real = oc_json_real(1.5);
    json_t *huge = oc_json_real((double)INFINITY);
    assert_true(json_is_null(nothing) && json_is_null(huge));
    assert_true(json_real_value(real) == 1.5);
    json_decref(real);
}

static void write_survives_each_failed_allocation(void **state) {
    (void)state;
    char top[OC_PATH_BYTES], path[OC_PATH_BYTES];
    json_t *o = parsed("{\"a\":[1,2,3]}");
    oc_status status = OC_ENOMEM;
    make_scratch(top);
    assert_int_equal(oc_path_join(path, top, "c.json", NULL), OC_OK);
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_mem_fail_at(n);
        status = oc_json_write(path, o, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        assert_int_equal(oc_path_exists(path), status == OC_OK);
        assert_true(n < 100);
    }
    json_decref(o);
    drop_scratch(top);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_back),
        cmocka_unit_test(wrong_members_name_key_found_and_expected),
        cmocka_unit_test(broken_text_is_refused_with_its_place),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(file_written_is_the_file_read),
        cmocka_unit_test(one_line_form_keeps_order),
        cmocka_unit_test(numbers_are_as_people_write_them),
        cmocka_unit_test(numbers_that_json_lacks_become_null),
        cmocka_unit_test(write_survives_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
