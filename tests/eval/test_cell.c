/* Cells of a terminal table.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "eval/eval_int.h"

static void check_cell(const char *text, size_t columns, const char *wanted) {
    oc_buf out = {0};
    oc_buf_puts(&out, "");
    oci_text_cell(&out, text, columns);
    assert_string_equal(out.data, wanted);
    oc_buf_clear(&out);
}

static void widths_are_those_of_a_terminal(void **state) {
    (void)state;
    assert_int_equal(oci_text_columns(""), 0);
    assert_int_equal(oci_text_columns("rose"), 4);
    assert_int_equal(oci_text_columns("\xC3\xA9glantier"), 9);
    assert_int_equal(oci_text_columns("e\xCC\x81"), 1);        /* combining acute */
    assert_int_equal(oci_text_columns("\xE8\x8F\x8A"), 2);     /* a CJK character */
    assert_int_equal(oci_text_columns("\xF0\x9F\x8C\xB8"), 2); /* an emoji */
    assert_int_equal(oci_text_columns("\xFF\xC3"), 2);         /* malformed, cut off */
}

static void short_text_is_padded_and_long_text_cut(void **state) {
    (void)state;
    check_cell("rose", 6, "rose  ");
    check_cell("rose", 4, "rose");
    check_cell("roses", 4, "ros\xE2\x80\xA6");
    check_cell("\xC3\xA9\xC3\xA9\xC3\xA9", 2, "\xC3\xA9\xE2\x80\xA6");
    check_cell("\xE8\x8F\x8A\xE8\x8F\x8A", 3, "\xE8\x8F\x8A\xE2\x80\xA6");
    check_cell("\xE8\x8F\x8A\xE8\x8F\x8A", 2, "\xE2\x80\xA6 "); /* half a character does not fit */
    check_cell("x", 0, "");
}

static void what_a_terminal_would_obey_is_replaced(void **state) {
    (void)state;
    check_cell("a\x1B[31m\n", 7, "a?[31m?");
    check_cell("\xFFz", 2, "?z");
    check_cell("\xC2\x9Bz", 2, "?z"); /* C1 control sequence introducer */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(short_text_is_padded_and_long_text_cut),
        cmocka_unit_test(what_a_terminal_would_obey_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
