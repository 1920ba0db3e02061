/* What a user says beside the photos: taken as it is, or refused with the field's name.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/keep_int.h"
#include "serve/server_int.h"

/* A form of a few texts; a NULL name ends it. */
typedef struct field {
    const char *name, *text;
} field;

static oc_status read_form(const field *fields, bool db, oci_wish *out, oc_error *err) {
    static oc_server server;
    static oci_part parts[8];
    oci_exchange x = {.server = &server, .parts = parts};
    server.db = db ? (oci_db *)(void *)&server : NULL; /* looked at, not used */
    for (; fields[x.part_count].name != NULL; x.part_count++) {
        const field *f = &fields[x.part_count];
        parts[x.part_count] = (oci_part){.name = f->name};
        oc_buf_puts(&parts[x.part_count].bytes, f->text);
    }
    oc_status status = oci_wish_read(&x, out, err);
    if (status == OC_OK && out->note != NULL) assert_non_null(strstr(out->note, "note"));
    for (size_t i = 0; i < x.part_count; i++) oc_buf_clear(&parts[i].bytes);
    return status;
}

static void a_place_is_read(void **state) {
    (void)state;
    static const field fields[] = {{"lat", "-90"},
                                   {"lon", "180"},
                                   {"note", "a\nnote <b>"},
                                   {"lang", "zh-Hant"},
                                   {"date", "2024-02-29"},
                                   {"keep", "on"},
                                   {0}};
    oci_wish wish;
    oc_error err = {0};
    check_ok(read_form(fields, true, &wish, &err), err);
    assert_true(wish.placed && wish.keep);
    assert_true(wish.lat == -90 && wish.lon == 180);
}

static void fields_left_blank_are_not_there(void **state) {
    (void)state;
    static const field fields[] = {{"lat", ""},  {"lon", ""},  {"note", ""},  {"lang", ""},
                                   {"date", ""}, {"keep", ""}, {"label", ""}, {0}};
    oci_wish wish;
    oc_error err = {0};
    check_ok(read_form(fields, false, &wish, &err), err);
    assert_false(wish.placed || wish.keep);
    assert_null(wish.note);
    assert_null(wish.suggested);
}

static void what_is_out_of_range_is_named(void **state) {
    (void)state;
    static const char *const cases[][4] = {
        {"lat", "nan", "lon", "1"},     {"lat", "90.001", "lon", "1"},
        {"lat", "-inf", "lon", "1"},    {"lon", "180.1", "lat", "1"},
        {"lat", "1", "lat", "1"},       {"lat", "1,5", "lon", "1"},
        {"date", "2026-02-29", "", ""}, {"date", "31.5.2026", "", ""},
        {"date", "2026-00-10", "", ""}, {"date", "2026-04-31", "", ""},
        {"lang", "x", "", ""},          {"lang", "de-", "", ""},
        {"lang", "<script>", "", ""},   {"lang", "12", "", ""},
        {"keep", "yes please", "", ""}, {"note", "\xFF\xFE", "", ""},
        {"note", "bell \a", "", ""},    {"label", "two\nlines", "", ""},
        {"organs", "\x80", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const field fields[] = {{cases[i][0], cases[i][1]}, {cases[i][2], cases[i][3]}, {0}};
        oci_wish wish;
        oc_error err = {0};
        check_fails(read_form(fields, true, &wish, &err), err, OC_EUSAGE, cases[i][0]);
    }
}

static void texts_are_counted_in_characters(void **state) {
    (void)state;
    char note[1100] = "";
    oc_error err = {0};
    for (int i = 0; i < 500; i++) memcpy(note + 2 * i, "\xC3\xA4", 3);
    check_ok(oci_check_text("note", note, OCI_NOTE_LETTERS, true, &err), err);
    memcpy(note + 1000, "a", 2);
    check_fails(oci_check_text("note", note, OCI_NOTE_LETTERS, true, &err), err, OC_EUSAGE,
                "501 characters");
}

static void a_nul_within_a_text_is_refused(void **state) {
    (void)state;
    static oc_server server;
    char bytes[] = "a\0b";
    oci_part part = {.name = "note", .bytes = {.data = bytes, .size = 3}};
    const oci_exchange x = {.server = &server, .parts = &part, .part_count = 1};
    oci_wish wish;
    oc_error err = {0};
    check_fails(oci_wish_read(&x, &wish, &err), err, OC_EUSAGE, "NUL");
}

static void keeping_needs_a_database(void **state) {
    (void)state;
    static const field fields[] = {{"keep", "1"}, {0}};
    oci_wish wish;
    oc_error err = {0};
    check_fails(read_form(fields, false, &wish, &err), err, OC_EMISMATCH, "--db");
}

static void places_are_rounded_to_the_grid(void **state) {
    (void)state;
    assert_true(oci_blur(48.137154, 0) == 48.137154);
    assert_true(oci_blur(48.137154, 0.01) == 48.14);
    assert_true(oci_blur(-11.575382, 0.01) == -11.58);
    assert_true(oci_blur(48.137154, 0.1) == 48.1);
    assert_true(oci_blur(48.137154, 1) == 48);
    assert_true(oci_blur(-90, 0.7) >= -90.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_read),
        cmocka_unit_test(fields_left_blank_are_not_there),
        cmocka_unit_test(what_is_out_of_range_is_named),
        cmocka_unit_test(texts_are_counted_in_characters),
        cmocka_unit_test(a_nul_within_a_text_is_refused),
        cmocka_unit_test(keeping_needs_a_database),
        cmocka_unit_test(places_are_rounded_to_the_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
