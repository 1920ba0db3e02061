/* The table of statuses and the text of errors.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <errno.h>

static void every_status_has_a_name_and_codes(void **state) {
    (void)state;
    for (int i = 0; i < OC_STATUS_COUNT; i++) {
        oc_status status = (oc_status)i;
        assert_memory_equal(oc_status_name(status), "OC_", 3);
        assert_true(strlen(oc_status_meaning(status)) > 5);
        assert_in_range(oc_status_exit_code(status), 0, 4);
        assert_in_range(oc_status_http(status), 200, 503);
        assert_int_equal(oc_status_exit_code(status) == 0, status == OC_OK);
    }
}

static void unknown_status_reads_as_internal(void **state) {
    (void)state;
    assert_string_equal(oc_status_name((oc_status)99), "OC_EINTERNAL");
    assert_int_equal(oc_status_exit_code((oc_status)-1), 4);
}

static void fail_fills_status_and_message(void **state) {
    (void)state;
    oc_error err = {0};
    assert_int_equal(oc_fail(&err, OC_EFORMAT, "row %d of %s", 7, "x.csv"), OC_EFORMAT);
    assert_int_equal(err.status, OC_EFORMAT);
    assert_string_equal(err.message, "row 7 of x.csv");
}

static void fail_without_storage_still_returns_status(void **state) {
    (void)state;
    assert_int_equal(oc_fail(NULL, OC_EIO, "x"), OC_EIO);
    assert_int_equal(oc_fail_errno(NULL, OC_EIO, ENOSPC, "x"), OC_EIO);
    assert_int_equal(oc_error_context(NULL, OC_EIO, "x"), OC_EIO);
}

static void full_disk_says_what_to_try(void **state) {
    (void)state;
    oc_error err = {0};
    (void)oc_fail_errno(&err, OC_EIO, ENOSPC, "cannot write %s", "m/checkpoint");
    assert_string_equal(err.message,
                        "cannot write m/checkpoint: No space left on device (free some "
                        "space there or choose another folder)");
}

static void context_goes_in_front(void **state) {
    (void)state;
    oc_error err = {0};
    (void)oc_fail(&err, OC_EFORMAT, "bad width");
    assert_int_equal(oc_error_context(&err, OC_EFORMAT, "photo %d", 3), OC_EFORMAT);
    assert_string_equal(err.message, "photo 3: bad width");
}

static void message_may_be_its_own_argument(void **state) {
    (void)state;
    oc_error err = {0};
    (void)oc_fail(&err, OC_EIO, "inner");
    (void)oc_fail(&err, OC_EIO, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
}

static void hostile_bytes_become_question_marks(void **state) {
    (void)state;
    oc_error err = {0};
    (void)oc_fail(&err, OC_EIO, "%s", "a\nb\x1b[2Jc\x7f\xff\xc3");
    assert_string_equal(err.message, "a?b?[2Jc???");
    (void)oc_fail(&err, OC_EIO, "%s",
                  "\xc2\x9b" /* C1 control */ "\xed\xa0\x80" /* surrogate */
                  "caf\xc3\xa9 \xf0\x9f\x8c\xb7");
    assert_string_equal(err.message, "?????caf\xc3\xa9 \xf0\x9f\x8c\xb7");
}

static void long_message_is_cut_between_characters(void **state) {
    (void)state;
    char name[2 * OC_ERROR_BYTES + 1];
    for (int pad = 0; pad < 4; pad++) {
        oc_error err = {0};
        for (size_t i = 0; i < OC_ERROR_BYTES / 2; i++) memcpy(name + 4 * i, "\xf0\x9f\x8c\xb7", 4);
        name[2 * OC_ERROR_BYTES] = '\0';
        (void)oc_fail(&err, OC_EIO, "%.*s%s", pad, "xxx", name);
        size_t size = strlen(err.message);
        assert_true(size > OC_ERROR_BYTES - 5 && size < OC_ERROR_BYTES);
        assert_int_equal((size - (size_t)pad) % 4, 0);
        assert_null(strchr(err.message, '?'));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_codes),
        cmocka_unit_test(unknown_status_reads_as_internal),
        cmocka_unit_test(fail_fills_status_and_message),
        cmocka_unit_test(fail_without_storage_still_returns_status),
        cmocka_unit_test(full_disk_says_what_to_try),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(message_may_be_its_own_argument),
        cmocka_unit_test(hostile_bytes_become_question_marks),
        cmocka_unit_test(long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
