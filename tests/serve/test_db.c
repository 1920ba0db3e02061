/* The database file: made, brought forward, refused where it is not ours.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/db_int.h"
#include "serve/kept_int.h"

static char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];

static int set_up(void **state) {
    (void)state;
    make_scratch(folder);
    return oc_path_join(path, folder, "observations.db", NULL);
}

static int tear_down(void **state) {
    (void)state;
    drop_scratch(folder);
    return 0;
}

/* A file as another program leaves it. */
static void make_file(const char *sql) {
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    char *words = NULL;
    if (sqlite3_exec(raw, sql, NULL, NULL, &words) != SQLITE_OK) fail_msg("%s", words);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

static int64_t number(const char *sql) {
    sqlite3 *raw = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    return value;
}

/* The schema of the first version, word for word, with one observation that was confirmed. */
static const char first_schema[] =
    "CREATE TABLE observations("
    "seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created TEXT NOT NULL,"
    "model TEXT NOT NULL,"
    "status TEXT NOT NULL CHECK(status IN ('pending', 'confirmed', 'corrected', 'rejected')),"
    "top TEXT NOT NULL, p REAL NOT NULL, results TEXT NOT NULL, unknown INTEGER NOT NULL,"
    "label TEXT, suggested TEXT, lat REAL, lon REAL, date TEXT, organs TEXT NOT NULL,"
    "note TEXT, lang TEXT, token BLOB NOT NULL, reviewer TEXT, reviewed TEXT, review_note TEXT);"
    "CREATE TABLE photos("
    "observation INTEGER NOT NULL REFERENCES observations(seq) ON DELETE CASCADE,"
    "n INTEGER NOT NULL, type TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(observation, n));"
    "CREATE INDEX by_status ON observations(status, seq);"
    "INSERT INTO observations VALUES(7, 'old', '2026-01-02T03:04:05Z', 'flowers', 'confirmed',"
    "'rose', 0.5, '[]', 0, 'rose', NULL, 1.5, 2.5, NULL, '[]', 'a note', NULL, zeroblob(32),"
    "'berta', '2026-01-03T00:00:00Z', NULL);"
    "INSERT INTO photos VALUES(7, 0, 'image/jpeg', x'FFD8');"
    "PRAGMA application_id=1329808716; PRAGMA user_version=1;";

static void an_old_schema_goes_forward_and_loses_nothing(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_error err = {0};
    json_t *one = NULL;
    make_file(first_schema);
    check_ok(oci_db_open(&db, path, true, &err), err);
    check_ok(oci_kept_get(db, "old", &one, &err), err);
    assert_string_equal(json_string_value(json_object_get(one, "note")), "a note");
    assert_string_equal(json_string_value(json_object_get(one, "label")), "rose");
    assert_int_equal(json_array_size(json_object_get(one, "photos")), 1);
    json_decref(one);
    oci_db_close(db);
    assert_int_equal(number("PRAGMA user_version"), oci_db_version());
    assert_int_equal(number("SELECT count(*) FROM verdicts WHERE reviewer = 'berta'"), 1);
    assert_int_equal(number("SELECT count(*) FROM photos"), 1);
}

static void a_file_that_is_there_is_opened_again_as_it_was(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_error err = {0};
    for (int i = 0; i < 3; i++) {
        check_ok(oci_db_open(&db, path, true, &err), err);
        oci_db_close(db);
    }
    assert_int_equal(number("PRAGMA user_version"), oci_db_version());
    assert_int_equal(number("PRAGMA application_id"), 0x4F43454C);
}

static void nobody_else_on_the_machine_reads_it(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_error err = {0};
    char command[OC_PATH_BYTES + 64];
    check_ok(oci_db_open(&db, path, true, &err), err);
    (void)snprintf(command, sizeof command, "test -z \"$(find %s -type f -perm /077)\"", folder);
    assert_int_equal(system(command), 0);
    oci_db_close(db);
}

static void a_newer_schema_is_refused(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_error err = {0};
    make_file("CREATE TABLE a(b); PRAGMA application_id=1329808716; PRAGMA user_version=999");
    check_fails(oci_db_open(&db, path, true, &err), err, OC_EFORMAT, "newer ocellus");
    assert_null(db);
    assert_int_equal(number("PRAGMA user_version"), 999);
}

static void the_database_of_another_program_is_refused_and_left_alone(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_error err = {0};
    make_file("CREATE TABLE accounts(name)");
    check_fails(oci_db_open(&db, path, true, &err), err, OC_EFORMAT, "another program");
    assert_int_equal(number("SELECT count(*) FROM sqlite_schema"), 1);
}

static void what_is_no_database_is_refused(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_error err = {0};
    static const char text[] = "this is a text, and longer than the head of a database file: "
                               "SQLite looks at the first hundred bytes of it, of which these are";
    check_ok(oc_file_write(path, text, sizeof text, &err), err);
    check_fails(oci_db_open(&db, path, true, &err), err, OC_EFORMAT, "not a database");
    check_fails(oci_db_open(&db, folder, true, &err), err, OC_EENV, folder);
    check_fails(oci_db_open(&db, "/nowhere/a.db", true, &err), err, OC_EENV, "/nowhere");
    check_fails(oci_db_open(&db, "/nowhere/a.db", false, &err), err, OC_ENOTFOUND, "/nowhere");
}

static void a_transaction_that_fails_leaves_nothing(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_error err = {0};
    sqlite3_stmt *s = NULL;
    check_ok(oci_db_open(&db, path, true, &err), err);
    check_ok(oci_db_begin(db, true, &err), err);
    check_ok(oci_db_prepare(db, "INSERT INTO verdicts VALUES(NULL, '', '', '', '', '')", &s, &err),
             err);
    oc_status status = oci_db_run(db, s, &err);
    assert_int_equal(status, OC_EIO);
    assert_int_equal(oci_db_end(db, status, &err), OC_EIO);
    check_ok(oci_db_begin(db, true, &err), err);
    check_ok(oci_db_end(db, OC_OK, &err), err);
    check_ok(oci_db_tidy(db, &err), err);
    oci_db_close(db);
    assert_int_equal(number("SELECT count(*) FROM verdicts"), 0);
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    oci_db *db = NULL;
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oci_db_open(&db, path, true, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK) assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 100);
    }
    oci_db_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_old_schema_goes_forward_and_loses_nothing),
        TEST(a_file_that_is_there_is_opened_again_as_it_was),
        TEST(nobody_else_on_the_machine_reads_it),
        TEST(a_newer_schema_is_refused),
        TEST(the_database_of_another_program_is_refused_and_left_alone),
        TEST(what_is_no_database_is_refused),
        TEST(a_transaction_that_fails_leaves_nothing),
        TEST(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
