/* Large photos in the database: what removes and exports them writes them nowhere but where they
 * belong, and holds few of them at a time. SQLite would take a file in /var/tmp for what it sets
 * aside: a container that can write to its data alone has none, and what is deleted would stay
 * there.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sqlite3.h>

#include "../check.h"
#include "serve/kept_int.h"
#include "serve/serve.h"

enum { OBSERVATIONS = 24, PHOTO_BYTES = 1 << 20 };
static const sqlite3_int64 memory_bound = 8 << 20; /* a third of them; SQLite's cache has 2 MB */

static char folder[OC_PATH_BYTES], file[OC_PATH_BYTES];
static oci_db *db;
static sqlite3_vfs *usual, strict;

/* Files without a name are temporary. */
static int open_named(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags, int *got) {
    if (name == NULL) return SQLITE_IOERR_GETTEMPPATH;
    return usual->xOpen(vfs, name, out, flags, got);
}

static void put(int i, const char *bytes) {
    char id[16];
    oc_error err = {0};
    (void)snprintf(id, sizeof id, "id%d", i);
    const oci_photo_bytes photo = {"image/jpeg", bytes, PHOTO_BYTES};
    const oci_observation o = {.id = id,
                               .model = "flowers",
                               .results = "[]",
                               .top = "rose",
                               .organs = "[\"\"]",
                               .photos = &photo,
                               .photo_count = 1};
    char kept[OCI_TOKEN_BYTES];
    check_ok(oci_kept_put(db, &o, kept, &err), err);
}

static void run(const char *sql) {
    sqlite3_stmt *s = NULL;
    oc_error err = {0};
    check_ok(oci_db_prepare(db, sql, &s, &err), err);
    check_ok(oci_db_run(db, s, &err), err);
}

static int set_up(void **state) {
    static char bytes[PHOTO_BYTES];
    oc_error err = {0};
    (void)state;
    usual = sqlite3_vfs_find(NULL);
    strict = *usual;
    strict.zName = "named files alone";
    strict.xOpen = open_named;
    assert_int_equal(sqlite3_vfs_register(&strict, 1), SQLITE_OK);
    make_scratch(folder);
    check_ok(oc_path_join(file, folder, "a.db", &err), err);
    check_ok(oci_db_open(&db, file, true, &err), err);
    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < OBSERVATIONS; i++) put(i, bytes);
    (void)sqlite3_memory_highwater(1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    oci_db_close(db);
    assert_int_equal(sqlite3_vfs_unregister(&strict), SQLITE_OK);
    drop_scratch(folder);
    return 0;
}

static void old_ones_go_within_little_memory_and_no_other_file(void **state) {
    (void)state;
    int64_t removed = 0;
    oc_error err = {0};
    run("UPDATE observations SET created = '2020-01-01T00:00:00Z'");
    check_ok(oci_kept_purge(db, 30, OBSERVATIONS - 4, &removed, &err), err);
    assert_int_equal(removed, OBSERVATIONS - 4);
    assert_in_range(sqlite3_memory_highwater(0), 1, memory_bound);
}

static void they_are_exported_within_little_memory_and_no_other_file(void **state) {
    (void)state;
    char out[OC_PATH_BYTES];
    oc_exported exported = {0};
    oc_error err = {0};
    run("UPDATE observations SET status = 'confirmed', label = top");
    check_ok(oc_path_join(out, folder, "reviewed", &err), err);
    const oc_export_options options = {.db = file, .folder = out, .confirmed = true};
    check_ok(oc_export_observations(&options, &exported, &err), err);
    assert_int_equal(exported.photos, OBSERVATIONS);
    assert_in_range(sqlite3_memory_highwater(0), 1, memory_bound);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(old_ones_go_within_little_memory_and_no_other_file),
        TEST(they_are_exported_within_little_memory_and_no_other_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
