/* SQLite: opening, migrating, transactions.
 *
 * A schema is never edited: the steps below are run from where a file stands, each in a transaction
 * of its own with its number in PRAGMA user_version.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/db_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 5000, OURS = 0x4F43454C /* "OCEL", PRAGMA application_id */ };

struct oci_db {
    sqlite3 *sql;
    char *path;
    pthread_mutex_t lock;
};

/* ---- schema -----------------------------------------------------------------------------------
 */

static const char *const steps[] = {
    /* 1: what was seen. created and reviewed are UTC texts; results and organs are JSON. */
    "CREATE TABLE observations("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created TEXT NOT NULL,"
    "  model TEXT NOT NULL,"
    "  status TEXT NOT NULL CHECK(status IN ('pending', 'confirmed', 'corrected', 'rejected')),"
    "  top TEXT NOT NULL, p REAL NOT NULL, results TEXT NOT NULL, unknown INTEGER NOT NULL,"
    "  label TEXT, suggested TEXT, lat REAL, lon REAL, date TEXT, organs TEXT NOT NULL,"
    "  note TEXT, lang TEXT, token BLOB NOT NULL,"
    "  reviewer TEXT, reviewed TEXT, review_note TEXT);"
    "CREATE TABLE photos("
    "  observation INTEGER NOT NULL REFERENCES observations(seq) ON DELETE CASCADE,"
    "  n INTEGER NOT NULL, type TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(observation, n));"
    "CREATE INDEX by_status ON observations(status, seq);",
    /* 2: the order of the review queue, the search by name, and who said what before. */
    "CREATE INDEX by_certainty ON observations(status, p, seq);"
    "CREATE INDEX by_name ON observations(COALESCE(label, top), seq);"
    "CREATE TABLE verdicts("
    "  observation INTEGER NOT NULL REFERENCES observations(seq) ON DELETE CASCADE,"
    "  made TEXT NOT NULL, reviewer TEXT NOT NULL, status TEXT NOT NULL, label TEXT, note TEXT);"
    "CREATE INDEX by_observation ON verdicts(observation);"
    "INSERT INTO verdicts SELECT seq, COALESCE(reviewed, created), COALESCE(reviewer, ''),"
    "  status, label, review_note FROM observations WHERE status <> 'pending';",
    /* 3: what a client sends again, because no answer came, is kept once, and not again when it was
     * taken back. SHA-256 of its key, and of its photos and words. */
    "ALTER TABLE observations ADD COLUMN key BLOB;"
    "ALTER TABLE observations ADD COLUMN content BLOB;"
    "CREATE UNIQUE INDEX by_key ON observations(key) WHERE key IS NOT NULL;"
    "CREATE TABLE gone(key BLOB PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID;",
};
enum { STEPS = sizeof steps / sizeof *steps };

int oci_db_version(void) {
    return STEPS;
}

/* ---- errors -----------------------------------------------------------------------------------
 */

static oc_status status_of(int code) {
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return OC_ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return OC_EFORMAT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return OC_EENV;
    case SQLITE_TOOBIG:
        return OC_ELIMIT;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return OC_EINTERNAL;
    default:
        return OC_EIO;
    }
}

oc_status oci_db_fail(const oci_db *db, oc_error *err) {
    int code = sqlite3_extended_errcode(db->sql);
    return oc_fail(err, status_of(code), "the database %s: %s (SQLite %d)", db->path,
                   sqlite3_errmsg(db->sql), code);
}

/* ---- statements -------------------------------------------------------------------------------
 */

oc_status oci_db_prepare(oci_db *db, const char *sql, sqlite3_stmt **out, oc_error *err) {
    if (sqlite3_prepare_v2(db->sql, sql, -1, out, NULL) == SQLITE_OK) return OC_OK;
    return oci_db_fail(db, err);
}

void oci_db_bind_text(sqlite3_stmt *s, int index, const char *text) {
    (void)sqlite3_bind_text(s, index, text, -1, SQLITE_STATIC);
}

oc_status oci_db_step(oci_db *db, sqlite3_stmt *s, bool *row, oc_error *err) {
    int code = sqlite3_step(s);
    *row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? OC_OK : oci_db_fail(db, err);
}

oc_status oci_db_run(oci_db *db, sqlite3_stmt *s, oc_error *err) {
    bool row = false;
    oc_status status = oci_db_step(db, s, &row, err);
    (void)sqlite3_finalize(s);
    return status;
}

int64_t oci_db_last_row(const oci_db *db) {
    return sqlite3_last_insert_rowid(db->sql);
}

static oc_status execute(oci_db *db, const char *sql, oc_error *err) {
    return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? OC_OK : oci_db_fail(db, err);
}

static oc_status ask_number(oci_db *db, const char *sql, int64_t *out, oc_error *err) {
    sqlite3_stmt *s = NULL;
    bool row = false;
    OC_TRY(oci_db_prepare(db, sql, &s, err));
    oc_status status = oci_db_step(db, s, &row, err);
    *out = row ? sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_finalize(s);
    return status;
}

/* ---- transactions -----------------------------------------------------------------------------
 */

oc_status oci_db_begin(oci_db *db, bool write, oc_error *err) {
    (void)pthread_mutex_lock(&db->lock);
    oc_status status = execute(db, write ? "BEGIN IMMEDIATE" : "BEGIN", err);
    if (status != OC_OK) (void)pthread_mutex_unlock(&db->lock);
    return status;
}

oc_status oci_db_end(oci_db *db, oc_status status, oc_error *err) {
    if (status == OC_OK) status = execute(db, "COMMIT", err);
    if (status != OC_OK && !sqlite3_get_autocommit(db->sql)) (void)execute(db, "ROLLBACK", NULL);
    (void)pthread_mutex_unlock(&db->lock);
    return status;
}

oc_status oci_db_tidy(oci_db *db, oc_error *err) {
    (void)pthread_mutex_lock(&db->lock);
    oc_status status =
        execute(db, "PRAGMA incremental_vacuum(2000); PRAGMA wal_checkpoint(TRUNCATE)", err);
    (void)pthread_mutex_unlock(&db->lock);
    return status;
}

/* ---- life -------------------------------------------------------------------------------------
 */

/* A file of ours says so; an empty one becomes ours. */
static oc_status expect_ours(oci_db *db, oc_error *err) {
    int64_t id = 0, tables = 0, version = 0;
    OC_TRY(ask_number(db, "PRAGMA application_id", &id, err));
    OC_TRY(ask_number(db, "PRAGMA user_version", &version, err));
    OC_TRY(ask_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err));
    if (id != OURS && (id != 0 || tables > 0))
        return oc_fail(err, OC_EFORMAT,
                       "%s is a database of another program: name a new file, or one that `ocellus "
                       "serve --db` has made",
                       db->path);
    if (version > STEPS)
        return oc_fail(err, OC_EFORMAT,
                       "%s was written by a newer ocellus (schema %lld, this one knows %d): use "
                       "that version",
                       db->path, (long long)version, STEPS);
    return OC_OK;
}

static oc_status take_step(oci_db *db, int64_t version, oc_error *err) {
    char mark[96];
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%lld", OURS,
                   (long long)version + 1);
    OC_TRY(execute(db, steps[version], err));
    return execute(db, mark, err);
}

/* Another process may migrate at the same time: where the file stands is asked within. */
static oc_status migrate(oci_db *db, oc_error *err) {
    int64_t version = 0;
    do {
        OC_TRY(oci_db_begin(db, true, err));
        oc_status status = ask_number(db, "PRAGMA user_version", &version, err);
        if (status == OC_OK && version < STEPS) status = take_step(db, version, err);
        OC_TRY(oci_db_end(db, status, err));
    } while (version < STEPS);
    return OC_OK;
}

/* What SQLite sets aside stays in memory: there may be no folder for it that can be written, and
 * what people sent is not to lie in one. So no statement may sort photos or change many at once. */
static oc_status set_up(oci_db *db, oc_error *err) {
    (void)sqlite3_busy_timeout(db->sql, BUSY_MS);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    OC_TRY(expect_ours(db, err));
    OC_TRY(execute(db,
                   "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                   "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
                   "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=16777216",
                   err));
    return migrate(db, err);
}

/* What people have sent is for nobody else on this machine: SQLite's other files get the rights of
 * this one. */
static oc_status make_file(const char *path, oc_error *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return oc_fail_errno(err, OC_EENV, errno, "the database %s", path);
    (void)close(fd);
    return OC_OK;
}

oc_status oci_db_open(oci_db **out, const char *path, bool create, oc_error *err) {
    oc_status status = OC_OK;
    oci_db *db = NULL;
    *out = NULL;
    if (!create && !oc_path_is_file(path))
        return oc_fail(err, OC_ENOTFOUND, "there is no database %s", path);
    if (create) OC_TRY(make_file(path, err));
    db = oc_calloc(1, sizeof *db);
    if (db == NULL) return oc_fail_nomem(err, sizeof *db, path);
    (void)pthread_mutex_init(&db->lock, NULL);
    db->path = oc_strdup(path);
    if (db->path == NULL) OC_GOTO(oc_fail_nomem(err, strlen(path), path));
    if (sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        OC_GOTO(oci_db_fail(db, err));
    OC_GOTO(set_up(db, err));
    *out = db;
    return OC_OK;
done:
    oci_db_close(db);
    return status;
}

void oci_db_close(oci_db *db) {
    if (db == NULL) return;
    (void)sqlite3_close(db->sql);
    (void)pthread_mutex_destroy(&db->lock);
    oc_free(db->path);
    oc_free(db);
}
