/* Buffers, numbers, names, suggestions, quantities.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

static void buffer_grows_and_stays_terminated(void **state) {
    (void)state;
    oc_buf buf = {0};
    oc_error err = {0};
    for (int i = 0; i < 500; i++) oc_buf_printf(&buf, "%03d;", i);
    oc_buf_append(&buf, "a\0b", 3);
    oc_buf_puts(&buf, "end");
    check_ok(oc_buf_status(&buf, &err), err);
    assert_int_equal(buf.size, 2006);
    assert_memory_equal(buf.data + 1996, "499;a\0bend", 11);
    oc_buf_clear(&buf);
    assert_null(buf.data);
}

static void html_is_escaped(void **state) {
    (void)state;
    oc_buf buf = {0};
    oc_buf_html(&buf, "<a href=\"x\">R&D's</a>");
    assert_string_equal(buf.data, "&lt;a href=&quot;x&quot;&gt;R&amp;D&#39;s&lt;/a&gt;");
    oc_buf_clear(&buf);
}

static void failed_append_is_remembered(void **state) {
    (void)state;
    oc_buf buf = {0};
    oc_error err = {0};
    oc_buf_puts(&buf, "kept");
    oc_mem_fail_at(1);
    oc_buf_printf(&buf, "%0100d", 1);
    oc_buf_puts(&buf, "x");
    assert_string_equal(buf.data, "kept");
    check_fails(oc_buf_status(&buf, &err), err, OC_ENOMEM, "text");
    oc_buf_clear(&buf);
}

static void whole_numbers_are_strict(void **state) {
    (void)state;
    int64_t n = 5;
    static const char *const bad[] = {
        "", "-", "+", " 1", "1 ", "1x", "0x10", "1.0", "11", "-11", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(oc_parse_i64(bad[i], -10, 10, &n));
    }
    assert_int_equal(n, 5);
    assert_true(oc_parse_i64("-10", -10, 10, &n));
    assert_int_equal(n, -10);
    assert_true(oc_parse_i64("+007", -10, 10, &n));
    assert_int_equal(n, 7);
    assert_true(oc_parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &n));
    assert_true(n == INT64_MAX);
}

static void real_numbers_are_strict_and_finite(void **state) {
    (void)state;
    double x = 5;
    static const char *const bad[] = {"",   ".",  "nan", "inf", "-inf",  "1e999", "0x1p3",
                                      " 1", "1 ", "1,5", "e5",  "1.5.2", "101"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(oc_parse_f64(bad[i], -100, 100, &x));
    }
    assert_true(x == 5);
    assert_true(oc_parse_f64("-2.5e-1", -100, 100, &x) && x == -0.25);
    assert_true(oc_parse_f64(".5", -100, 100, &x) && x == 0.5);
}

static void prefixes_and_suffixes(void **state) {
    (void)state;
    assert_true(oc_starts_with("train/rose", "train/"));
    assert_false(oc_starts_with("tr", "train"));
    assert_true(oc_ends_with("A.JPG", ".jpg"));
    assert_false(oc_ends_with("jpg", ".jpg"));
    assert_true(oc_equal_nocase("YES", "yes"));
    assert_false(oc_equal_nocase("ye", "yes"));
    assert_false(oc_equal_nocase("\xc3\x89", "\xc3\xa9")); /* ASCII only */
}

static void utf8_is_told_from_other_bytes(void **state) {
    (void)state;
    assert_true(oc_is_utf8("caf\xc3\xa9 \xe2\x82\xac \xf4\x8f\xbf\xbf", 14));
    assert_true(oc_is_utf8("", 0));
    assert_false(oc_is_utf8("\xc3", 1));
    assert_false(oc_is_utf8("\xc0\xaf", 2));         /* overlong */
    assert_false(oc_is_utf8("\xe0\x9f\xbf", 3));     /* overlong */
    assert_false(oc_is_utf8("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(oc_is_utf8("\xf4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    assert_false(oc_is_utf8("a\xff", 2));
    assert_false(oc_is_utf8("\x80", 1));
}

static void trim_takes_blanks_from_both_ends(void **state) {
    (void)state;
    char a[] = " \t a b\r\n", b[] = "  ", c[] = "";
    assert_string_equal(oc_trim(a), "a b");
    assert_string_equal(oc_trim(b), "");
    assert_string_equal(oc_trim(c), "");
}

static void names_sort_as_people_do(void **state) {
    (void)state;
    static const char *const sorted[] = {"", "a", "a1", "a01", "a2", "a10", "a10b", "a11", "b"};
    enum { N = sizeof sorted / sizeof *sorted };
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < N; k++) {
            int order = oc_natural_compare(sorted[i], sorted[k]);
            if (i == k) assert_int_equal(order, 0);
        }
    }
    for (int i = 0; i + 1 < N; i++) {
        if (i == 2) continue; /* a1 and a01: one value, any strict order */
        assert_true(oc_natural_compare(sorted[i], sorted[i + 1]) < 0);
        assert_true(oc_natural_compare(sorted[i + 1], sorted[i]) > 0);
    }
    assert_true(oc_natural_compare("a1", "a01") * oc_natural_compare("a01", "a1") < 0);
    assert_true(oc_natural_compare("99999999999999999998", "99999999999999999999") < 0);
}

static void slips_find_their_word(void **state) {
    (void)state;
    static const char *const words[] = {"--epochs", "--batch", "--lr", "--threads"};
    assert_string_equal(oc_suggest("--epcohs", words, 4), "--epochs");
    assert_string_equal(oc_suggest("--bach", words, 4), "--batch");
    assert_string_equal(oc_suggest("--lrr", words, 4), "--lr");
    assert_string_equal(oc_suggest("--lr", words, 4), "--lr");
}

static void other_words_find_nothing(void **state) {
    (void)state;
    static const char *const words[] = {"train", "eval", "x"};
    char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(oc_suggest("banana", words, 3));
    assert_null(oc_suggest("", words, 3));
    assert_null(oc_suggest(longest, words, 3));
    assert_null(oc_suggest("train", NULL, 0));
}

static void bytes_read_well(void **state) {
    (void)state;
    char text[16];
    assert_string_equal(oc_format_bytes(text, 0), "0 B");
    assert_string_equal(oc_format_bytes(text, 999), "999 B");
    assert_string_equal(oc_format_bytes(text, 1234), "1.2 kB");
    assert_string_equal(oc_format_bytes(text, 870000), "870 kB");
    assert_string_equal(oc_format_bytes(text, 999999), "1.0 MB");
    assert_string_equal(oc_format_bytes(text, 1200000000), "1.2 GB");
    assert_string_equal(oc_format_bytes(text, UINT64_MAX), "18 EB");
}

static void seconds_read_well(void **state) {
    (void)state;
    char text[24];
    assert_string_equal(oc_format_seconds(text, 0.012), "12 ms");
    assert_string_equal(oc_format_seconds(text, 3.44), "3.4 s");
    assert_string_equal(oc_format_seconds(text, 59.97), "1 min 00 s");
    assert_string_equal(oc_format_seconds(text, 245), "4 min 05 s");
    assert_string_equal(oc_format_seconds(text, 3720), "1 h 02 min");
    assert_string_equal(oc_format_seconds(text, -1), "0 ms");
    assert_string_equal(oc_format_seconds(text, 0.0 / 0.0), "0 ms");
    assert_string_equal(oc_format_seconds(text, 1e300), "1000000 h 00 min");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_grows_and_stays_terminated),
        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(failed_append_is_remembered),
        cmocka_unit_test(whole_numbers_are_strict),
        cmocka_unit_test(real_numbers_are_strict_and_finite),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(trim_takes_blanks_from_both_ends),
        cmocka_unit_test(names_sort_as_people_do),
        cmocka_unit_test(slips_find_their_word),
        cmocka_unit_test(other_words_find_nothing),
        cmocka_unit_test(bytes_read_well),
        cmocka_unit_test(seconds_read_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
