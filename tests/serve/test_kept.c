/* Observations in the database: what goes in comes out as it was, in pages, and is judged once.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/kept_int.h"

static char folder[OC_PATH_BYTES];
static oci_db *db;

static int set_up(void **state) {
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    (void)state;
    make_scratch(folder);
    check_ok(oc_path_join(path, folder, "a.db", &err), err);
    check_ok(oci_db_open(&db, path, true, &err), err);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    oci_db_close(db);
    drop_scratch(folder);
    return 0;
}

/* What a person who means harm writes into every field. */
static const char hostile[] =
    "<script>alert(1)</script>'); DROP TABLE observations; --\" \\ %s \xC3\xA4";

static oc_status put_with(const char *id, const char *key, const char *content, char *kept,
                          oc_error *err) {
    static const oci_photo_bytes photo = {"image/jpeg", "\xFF\xD8one", 5};
    oci_digest digest;
    oci_observation o = {.id = id,
                         .model = "flowers",
                         .results = "[]",
                         .top = "rose",
                         .organs = "[]",
                         .key = key != NULL ? &digest : NULL,
                         .photos = &photo,
                         .photo_count = 1};
    if (key != NULL) OC_TRY(oci_digest_of(key, strlen(key), &digest, err));
    OC_TRY(oci_digest_of(content, strlen(content), &o.content, err));
    return oci_kept_put(db, &o, kept, err);
}

static void put(const char *id, double p, const char *top) {
    static const oci_photo_bytes photos[] = {{"image/jpeg", "\xFF\xD8one", 5},
                                             {"image/png", "\x89PNG\0two", 8}};
    oci_observation o = {.id = id,
                         .model = "flowers",
                         .results = "[{\"label\": \"rose\", \"p\": 0.5}]",
                         .top = top,
                         .p = p,
                         .suggested = hostile,
                         .date = "2026-05-31",
                         .note = hostile,
                         .organs = "[\"flower\", \"\"]",
                         .lat = 48.14,
                         .lon = -11.58,
                         .placed = true,
                         .photos = photos,
                         .photo_count = 2};
    oc_error err = {0};
    check_ok(oci_digest_of("token", 5, &o.token, &err), err);
    char kept[OCI_TOKEN_BYTES];
    check_ok(oci_kept_put(db, &o, kept, &err), err);
    assert_string_equal(kept, id);
}

static const char *text(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

static json_t *get(const char *id) {
    json_t *one = NULL;
    oc_error err = {0};
    check_ok(oci_kept_get(db, id, &one, &err), err);
    return one;
}

static void what_goes_in_comes_out(void **state) {
    (void)state;
    put("a1", 0.25, "rose");
    json_t *one = get("a1");
    assert_string_equal(text(one, "status"), "pending");
    assert_string_equal(text(one, "note"), hostile);
    assert_string_equal(text(one, "suggested"), hostile);
    assert_string_equal(text(one, "date"), "2026-05-31");
    assert_true(json_real_value(json_object_get(one, "lat")) == 48.14);
    assert_true(json_is_null(json_object_get(one, "label")));
    assert_true(json_is_null(json_object_get(one, "lang")));
    assert_int_equal(json_array_size(json_object_get(one, "results")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(one, "photos"), 1)),
                        "/v1/observations/a1/photos/1");
    json_decref(one);
}

static void photos_come_out_byte_by_byte(void **state) {
    (void)state;
    oc_buf bytes = {0};
    const char *type = NULL;
    oc_error err = {0};
    put("a1", 0.25, "rose");
    check_ok(oci_kept_photo(db, "a1", 1, &bytes, &type, &err), err);
    assert_string_equal(type, "image/png");
    assert_int_equal(bytes.size, 8);
    assert_memory_equal(bytes.data, "\x89PNG\0two", 8);
    check_fails(oci_kept_photo(db, "a1", 2, &bytes, &type, &err), err, OC_ENOTFOUND, "photo 2");
    check_fails(oci_kept_photo(db, "a2", 0, &bytes, &type, &err), err, OC_ENOTFOUND, "a2");
    oc_buf_clear(&bytes);
}

static void ids_and_labels_with_sql_in_them_find_nothing(void **state) {
    (void)state;
    static const char *const ids[] = {"' OR '1'='1", "a1'; DROP TABLE observations; --", "%", "",
                                      "a1\" OR 1"};
    json_t *page = NULL;
    oc_error err = {0};
    put("a1", 0.25, "rose");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        check_fails(oci_kept_get(db, ids[i], &page, &err), err, OC_ENOTFOUND, "no observation");
        const oci_listing listing = {.label = ids[i], .limit = 5};
        check_ok(oci_kept_list(db, &listing, &page, &err), err);
        assert_int_equal(json_array_size(json_object_get(page, "observations")), 0);
        json_decref(page);
    }
    json_decref(get("a1"));
}

/* All pages of a listing: the ids, one letter each. */
static void collect(oci_listing listing, char *out) {
    oc_error err = {0};
    json_t *page = NULL;
    char cursor[64] = "";
    for (int pages = 0; pages < 100; pages++) {
        check_ok(oci_kept_list(db, &listing, &page, &err), err);
        const json_t *rows = json_object_get(page, "observations");
        assert_true(json_array_size(rows) <= (size_t)listing.limit);
        for (size_t i = 0; i < json_array_size(rows); i++)
            *out++ = *text(json_array_get(rows, i), "id");
        const char *next = text(page, "next");
        (void)snprintf(cursor, sizeof cursor, "%s", next != NULL ? next : "");
        json_decref(page);
        if (*cursor == '\0') break;
        listing.after = cursor;
    }
    *out = '\0';
}

static void put_five(void) {
    put("a", 0.5, "rose");
    put("b", 0.1, "aster");
    put("c", 0.9, "rose");
    put("d", 0.1, "poppy");
    put("e", 1.0 / 3, "rose");
}

static void pages_hold_each_one_once_in_order(void **state) {
    (void)state;
    char ids[16];
    put_five();
    for (int limit = 1; limit <= 6; limit++) {
        collect((oci_listing){.limit = limit}, ids);
        assert_string_equal(ids, "edcba");
        collect((oci_listing){.limit = limit, .label = "rose"}, ids);
        assert_string_equal(ids, "eca");
        collect((oci_listing){.limit = limit, .queue = true}, ids);
        assert_string_equal(ids, "bdeac");
    }
}

static void judge(const char *id, oci_standing standing, const char *label) {
    oc_error err = {0};
    const oci_verdict v = {.standing = standing, .label = label, .reviewer = "berta"};
    check_ok(oci_kept_judge(db, id, &v, &err), err);
}

static void what_is_judged_leaves_the_queue_and_is_found_by_its_name(void **state) {
    (void)state;
    char ids[16];
    put_five();
    judge("b", OCI_CORRECTED, "rose");
    judge("a", OCI_REJECTED, NULL);
    judge("c", OCI_CONFIRMED, NULL);
    collect((oci_listing){.limit = 2, .queue = true}, ids);
    assert_string_equal(ids, "de");
    collect((oci_listing){.limit = 2, .status = "confirmed"}, ids);
    assert_string_equal(ids, "c");
    collect((oci_listing){.limit = 2, .label = "rose", .status = "corrected"}, ids);
    assert_string_equal(ids, "b");
    json_t *one = get("c");
    assert_string_equal(text(one, "label"), "rose");
    assert_string_equal(text(one, "reviewer"), "berta");
    json_decref(one);
    one = get("a");
    assert_true(json_is_null(json_object_get(one, "label")));
    json_decref(one);
}

static void a_bad_cursor_is_refused(void **state) {
    (void)state;
    static const char *const cursors[] = {"x", "1x", "-1", "0.5_", "0.5", "nan_1", "0.5_1_1"};
    oc_error err = {0};
    json_t *page = NULL;
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        const oci_listing listing = {.queue = true, .limit = 1, .after = cursors[i]};
        check_fails(oci_kept_list(db, &listing, &page, &err), err, OC_EUSAGE, "after");
        assert_null(page);
    }
}

static void of_two_verdicts_on_what_was_seen_the_second_fails(void **state) {
    (void)state;
    oc_error err = {0};
    const oci_verdict v = {.standing = OCI_CONFIRMED, .reviewer = "berta", .seen = "pending"};
    put("a", 0.5, "rose");
    check_ok(oci_kept_judge(db, "a", &v, &err), err);
    check_fails(oci_kept_judge(db, "a", &v, &err), err, OC_EMISMATCH, "confirmed by now");
    check_fails(oci_kept_judge(db, "z", &v, &err), err, OC_ENOTFOUND, "z");
    judge("a", OCI_CORRECTED, "aster"); /* who has seen it anew may */
}

static void only_the_token_or_an_expert_removes_it(void **state) {
    (void)state;
    oci_digest right, wrong;
    oc_error err = {0};
    json_t *one = NULL;
    bool allowed = true;
    put("a", 0.5, "rose");
    check_ok(oci_digest_of("token", 5, &right, &err), err);
    check_ok(oci_digest_of("Token", 5, &wrong, &err), err);
    check_ok(oci_kept_remove(db, "a", &wrong, &allowed, &err), err);
    assert_false(allowed);
    json_decref(get("a"));
    check_ok(oci_kept_remove(db, "a", &right, &allowed, &err), err);
    assert_true(allowed);
    check_fails(oci_kept_get(db, "a", &one, &err), err, OC_ENOTFOUND, "a");
    put("b", 0.5, "rose");
    check_ok(oci_kept_remove(db, "b", NULL, &allowed, &err), err);
    check_fails(oci_kept_remove(db, "b", NULL, &allowed, &err), err, OC_ENOTFOUND, "b");
}

static void run(const char *sql) {
    sqlite3_stmt *s = NULL;
    oc_error err = {0};
    check_ok(oci_db_begin(db, true, &err), err);
    check_ok(oci_db_prepare(db, sql, &s, &err), err);
    check_ok(oci_db_run(db, s, &err), err);
    check_ok(oci_db_end(db, OC_OK, &err), err);
}

static void old_ones_go_unless_an_expert_stands_for_them(void **state) {
    (void)state;
    char ids[16];
    int64_t removed = 0;
    oc_error err = {0};
    put_five();
    judge("a", OCI_REJECTED, NULL);
    judge("c", OCI_CONFIRMED, NULL);
    run("UPDATE observations SET created = '2020-01-01T00:00:00Z' WHERE id IN ('a', 'b', 'c')");
    check_ok(oci_kept_purge(db, 30, 1, &removed, &err), err);
    assert_int_equal(removed, 1);
    check_ok(oci_kept_purge(db, 30, 10, &removed, &err), err);
    assert_int_equal(removed, 1);
    check_ok(oci_kept_purge(db, 30, 10, &removed, &err), err);
    assert_int_equal(removed, 0);
    collect((oci_listing){.limit = 9}, ids);
    assert_string_equal(ids, "edc");
}

static void removed_photos_leave_no_bytes_in_the_file(void **state) {
    (void)state;
    char path[OC_PATH_BYTES];
    char *bytes = NULL;
    size_t size = 0;
    bool allowed = false, found = false;
    oc_error err = {0};
    put("a", 0.5, "rose");
    check_ok(oci_kept_remove(db, "a", NULL, &allowed, &err), err);
    check_ok(oci_db_tidy(db, &err), err);
    check_ok(oc_path_join(path, folder, "a.db", &err), err);
    check_ok(oc_file_read(path, 1 << 24, &bytes, &size, &err), err);
    for (size_t i = 0; i + 4 < size; i++) found = found || memcmp(bytes + i, "DROP", 4) == 0;
    assert_false(found);
    oc_free(bytes);
}

static void a_full_disk_is_told_and_takes_nothing_away(void **state) {
    (void)state;
    static const char large[1 << 18];
    const oci_photo_bytes photo = {"image/jpeg", large, sizeof large};
    const oci_observation o = {.id = "large",
                               .model = "flowers",
                               .results = "[]",
                               .top = "rose",
                               .organs = "[]",
                               .photos = &photo,
                               .photo_count = 1};
    json_t *one = NULL;
    oc_error err = {0};
    put("a", 0.5, "rose");
    run("PRAGMA max_page_count = 40"); /* 160 kB: the database is as large as it may be */
    char kept[OCI_TOKEN_BYTES];
    check_fails(oci_kept_put(db, &o, kept, &err), err, OC_EIO, "full");
    check_fails(oci_kept_get(db, "large", &one, &err), err, OC_ENOTFOUND, "large");
    json_decref(get("a"));
    put("b", 0.5, "rose");
    json_decref(get("b"));
}

static void one_key_keeps_one(void **state) {
    (void)state;
    char kept[OCI_TOKEN_BYTES], ids[16];
    json_t *one = NULL;
    bool allowed = false;
    oc_error err = {0};
    check_ok(put_with("a", "first", "photos", kept, &err), err);
    assert_string_equal(kept, "a");
    check_ok(put_with("b", "first", "photos", kept, &err), err);
    assert_string_equal(kept, "a");
    check_fails(put_with("c", "first", "others", kept, &err), err, OC_EMISMATCH, "other photos");
    check_ok(put_with("d", "second", "photos", kept, &err), err);
    check_ok(put_with("e", NULL, "photos", kept, &err), err);
    check_ok(put_with("f", NULL, "photos", kept, &err), err);
    assert_string_equal(kept, "f");
    collect((oci_listing){.limit = 9}, ids);
    assert_string_equal(ids, "feda");
    check_ok(oci_kept_remove(db, "a", NULL, &allowed, &err), err);
    check_fails(put_with("g", "first", "photos", kept, &err), err, OC_EMISMATCH, "taken back");
    check_fails(oci_kept_get(db, "g", &one, &err), err, OC_ENOTFOUND, "g");
}

static void out_of_memory_loses_nothing_that_was_there(void **state) {
    (void)state;
    oc_buf bytes = {0};
    const char *type = NULL;
    put("a", 0.5, "rose");
    for (uint64_t n = 1; n < 40; n++) {
        json_t *page = NULL;
        const oci_listing listing = {.limit = 5};
        oc_mem_fail_at(n);
        oc_status status = oci_kept_list(db, &listing, &page, NULL);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        assert_true((page != NULL) == (status == OC_OK));
        json_decref(page);
        status = oci_kept_photo(db, "a", 0, &bytes, &type, NULL);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        oc_mem_fail_at(0);
        oc_buf_clear(&bytes);
    }
    json_decref(get("a"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_goes_in_comes_out),
        TEST(photos_come_out_byte_by_byte),
        TEST(one_key_keeps_one),
        TEST(ids_and_labels_with_sql_in_them_find_nothing),
        TEST(pages_hold_each_one_once_in_order),
        TEST(what_is_judged_leaves_the_queue_and_is_found_by_its_name),
        TEST(a_bad_cursor_is_refused),
        TEST(of_two_verdicts_on_what_was_seen_the_second_fails),
        TEST(only_the_token_or_an_expert_removes_it),
        TEST(old_ones_go_unless_an_expert_stands_for_them),
        TEST(removed_photos_leave_no_bytes_in_the_file),
        TEST(a_full_disk_is_told_and_takes_nothing_away),
        TEST(out_of_memory_loses_nothing_that_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
