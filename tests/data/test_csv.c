/* The reader of tables and lines.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

static oci_csv open_text(const char *text) {
    oci_csv csv;
    assert_int_equal(oci_csv_open(&csv, text, strlen(text), "t.csv", NULL), OC_OK);
    return csv;
}

/* The next record has these fields. */
static void check_record(oci_csv *csv, size_t count, const char *const *fields) {
    bool got = false;
    oc_error err = {0};
    check_ok(oci_csv_next(csv, &got, &err), err);
    assert_true(got);
    assert_int_equal(csv->fields, count);
    for (size_t i = 0; i < count; i++) assert_string_equal(csv->field[i], fields[i]);
}

#define check_fields(csv, ...)                                                                     \
    check_record(csv, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                      \
                 (const char *[]){__VA_ARGS__})

static void check_end(oci_csv *csv) {
    bool got = true;
    assert_int_equal(oci_csv_next(csv, &got, NULL), OC_OK);
    assert_false(got);
    oci_csv_close(csv);
}

static void fields_are_cut_and_trimmed(void **state) {
    (void)state;
    oci_csv csv = open_text("a,b,c\n x , y z ,\t3\n,,\n");
    check_fields(&csv, "a", "b", "c");
    check_fields(&csv, "x", "y z", "3");
    check_fields(&csv, "", "", "");
    check_end(&csv);
}

static void quotes_keep_separators_quotes_and_line_ends(void **state) {
    (void)state;
    oci_csv csv = open_text("\"a,b\",\" say \"\"hi\"\" \" ,\"two\nlines\"\nnext,1,2");
    check_fields(&csv, "a,b", " say \"hi\" ", "two\nlines");
    check_fields(&csv, "next", "1", "2");
    assert_int_equal(csv.line, 3);
    check_end(&csv);
}

static void marks_crlf_blank_lines_and_comments_are_passed_over(void **state) {
    (void)state;
    oci_csv csv = open_text("\xEF\xBB\xBF# words\r\n\r\n  \t\r\na,b\r\n#\nc,d");
    check_fields(&csv, "a", "b");
    assert_int_equal(csv.line, 4);
    check_fields(&csv, "c", "d");
    assert_int_equal(csv.line, 6);
    check_end(&csv);
}

static void separator_is_guessed_from_the_first_record(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char separator;
    } cases[] = {{"path,label\n", ','},
                 {"path;label\na,b;c,d,e", ';'},
                 {"# a,b,c,d\npath\tlabel", '\t'},
                 {"\"a,b,c,d\";e", ';'},
                 {"one", ','},
                 {"", ','}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oci_csv csv = open_text(cases[i].text);
        assert_int_equal(oci_csv_guess_separator(&csv), cases[i].separator);
        oci_csv_close(&csv);
    }
}

static void tabs_separate_empty_fields(void **state) {
    (void)state;
    oci_csv csv = open_text("a\t\tb\n");
    csv.separator = '\t';
    check_fields(&csv, "a", "", "b");
    check_end(&csv);
}

static void check_bad(const char *text, size_t size, oc_status status, const char *part) {
    oci_csv csv;
    oc_error err = {0};
    bool got = true;
    assert_int_equal(oci_csv_open(&csv, text, size, "t.csv", NULL), OC_OK);
    check_fails(oci_csv_next(&csv, &got, &err), err, status, part);
    oci_csv_close(&csv);
}

static void malformed_records_are_told_with_file_and_line(void **state) {
    (void)state;
    check_bad("\n\"open,1\n", 9, OC_EFORMAT, "t.csv:2: a quote without its end");
    check_bad("\"a\"b,1", 6, OC_EFORMAT, "t.csv:1: text behind a closing quote");
    check_bad("a,\0b", 4, OC_EFORMAT, "NUL");
    check_bad("a,\"\0\"", 5, OC_EFORMAT, "NUL");
}

static void long_records_and_many_columns_are_refused(void **state) {
    (void)state;
    enum { SIZE = 70000 };
    char *text = malloc(SIZE);
    memset(text, 'x', SIZE);
    check_bad(text, SIZE, OC_ELIMIT, "64 KiB");
    text[0] = '"';
    check_bad(text, SIZE, OC_ELIMIT, "64 KiB");
    memset(text, ',', SIZE);
    check_bad(text, SIZE, OC_ELIMIT, "256 columns");
    memset(text, 'x', OCI_LINE_BYTES);
    check_bad(text, OCI_LINE_BYTES, OC_ELIMIT, "64 KiB");
    oci_csv csv;
    bool got = false;
    assert_int_equal(oci_csv_open(&csv, text, OCI_LINE_BYTES - 1, "t", NULL), OC_OK);
    assert_int_equal(oci_csv_next(&csv, &got, NULL), OC_OK);
    assert_int_equal(strlen(csv.field[0]), OCI_LINE_BYTES - 1);
    oci_csv_close(&csv);
    free(text);
}

static void lines_are_trimmed_and_counted(void **state) {
    (void)state;
    oci_csv csv = open_text("  first, \"line\" \r\n\r\r\n#c\nlast");
    char *line = NULL;
    assert_int_equal(oci_csv_next_line(&csv, &line, NULL), OC_OK);
    assert_string_equal(line, "first, \"line\"");
    assert_int_equal(oci_csv_next_line(&csv, &line, NULL), OC_OK);
    assert_string_equal(line, "last");
    assert_int_equal(csv.line, 4);
    assert_int_equal(oci_csv_next_line(&csv, &line, NULL), OC_OK);
    assert_null(line);
    oci_csv_close(&csv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_cut_and_trimmed),
        cmocka_unit_test(quotes_keep_separators_quotes_and_line_ends),
        cmocka_unit_test(marks_crlf_blank_lines_and_comments_are_passed_over),
        cmocka_unit_test(separator_is_guessed_from_the_first_record),
        cmocka_unit_test(tabs_separate_empty_fields),
        cmocka_unit_test(malformed_records_are_told_with_file_and_line),
        cmocka_unit_test(long_records_and_many_columns_are_refused),
        cmocka_unit_test(lines_are_trimmed_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
