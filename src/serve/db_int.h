/* The database of observations: one SQLite file, its schema and its transactions. Private to
 * `serve`.
 *
 * What a statement has to say is bound, never written into SQL. A transaction is on disk when it
 * has been committed (write-ahead log, synchronous=FULL): neither kill -9 nor a power cut takes it
 * back. What is deleted is overwritten.
 *
 * Threads: all functions may be called from any thread; between oci_db_begin and oci_db_end the
 * others wait.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_DB_INT_H
#define OC_SERVE_DB_INT_H

#include <sqlite3.h>

#include "base/base.h"

typedef struct oci_db oci_db;

/* Opens the file, makes it where `create` says so, and brings an older schema forward. OC_EFORMAT:
 * not a database of ours, or written by a newer version. */
OC_MUST_CHECK oc_status oci_db_open(oci_db **out, const char *path, bool create, oc_error *err);
void oci_db_close(oci_db *db); /* NULL is fine */

/* A transaction; `write` where something will be changed. oci_db_end commits where `status` is
 * OC_OK and rolls back else; it returns `status`, or why nothing could be committed. */
OC_MUST_CHECK oc_status oci_db_begin(oci_db *db, bool write, oc_error *err);
OC_MUST_CHECK oc_status oci_db_end(oci_db *db, oc_status status, oc_error *err);

/* A statement; `sql` is a constant of ours. Free with sqlite3_finalize (NULL is fine). */
OC_MUST_CHECK oc_status oci_db_prepare(oci_db *db, const char *sql, sqlite3_stmt **out,
                                       oc_error *err);
/* NULL binds NULL; bytes and texts are to live until the statement is run. */
void oci_db_bind_text(sqlite3_stmt *s, int index, const char *text);
/* *row: there is one. */
OC_MUST_CHECK oc_status oci_db_step(oci_db *db, sqlite3_stmt *s, bool *row, oc_error *err);
/* Run a statement that gives no rows, and free it, also when it fails. */
OC_MUST_CHECK oc_status oci_db_run(oci_db *db, sqlite3_stmt *s, oc_error *err);
int64_t oci_db_last_row(const oci_db *db);

/* The words for what SQLite says now. */
oc_status oci_db_fail(const oci_db *db, oc_error *err);
/* The schema that this version writes: PRAGMA user_version. */
int oci_db_version(void);

/* Move the log into the file and give pages of what was deleted back to the disk. */
OC_MUST_CHECK oc_status oci_db_tidy(oci_db *db, oc_error *err);

#endif
