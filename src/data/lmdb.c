/* LMDB through liblmdb, read-only and without its lock file, so that a folder that cannot be
 * written is read, too.
 *
 * The library trusts its file: what a map of the right size holds is followed unchecked. So the
 * size is checked here; an LMDB from somebody who wishes ill is not for this reader.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/store_int.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>

struct oci_lmdb {
    MDB_env *env;
    MDB_dbi main;
    char folder[OC_PATH_BYTES];
};

static oc_status told(const oci_lmdb *db, int code, oc_error *err) {
    if (code == ENOMEM) return oc_fail(err, OC_ENOMEM, "%s: out of memory in LMDB", db->folder);
    if (code == ENOENT) return oc_fail(err, OC_ENOTFOUND, "%s: no data.mdb in it", db->folder);
    if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH || code == MDB_CORRUPTED)
        return oc_fail(err, OC_EFORMAT, "%s: not an LMDB, or a damaged one: %s", db->folder,
                       mdb_strerror(code));
    return oc_fail(err, OC_EIO, "%s: LMDB: %s", db->folder, mdb_strerror(code));
}

/* Each page that the tree may name is in the file. */
static oc_status check_size(const oci_lmdb *db, oc_error *err) {
    MDB_envinfo info;
    MDB_stat stat;
    mdb_filehandle_t fd;
    struct stat st;
    int code = mdb_env_info(db->env, &info);
    if (code == 0) code = mdb_env_stat(db->env, &stat);
    if (code == 0) code = mdb_env_get_fd(db->env, &fd);
    if (code == 0 && fstat(fd, &st) != 0) code = errno;
    if (code != 0) return told(db, code, err);
    uint64_t pages = (uint64_t)info.me_last_pgno + 1;
    if (pages <= (uint64_t)st.st_size / stat.ms_psize) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: data.mdb is cut short: %llu of %llu pages; copy it again",
                   db->folder, (unsigned long long)st.st_size / stat.ms_psize,
                   (unsigned long long)pages);
}

static oc_status open_main(oci_lmdb *db, oc_error *err) {
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);
    if (code == 0) code = mdb_dbi_open(txn, NULL, 0, &db->main);
    mdb_txn_abort(txn);
    return code == 0 ? OC_OK : told(db, code, err);
}

oc_status oci_lmdb_open(oci_lmdb **out, const char *folder, oc_error *err) {
    oc_status status = OC_OK;
    *out = NULL;
    oci_lmdb *db = oc_calloc(1, sizeof *db);
    if (db == NULL) return oc_fail_nomem(err, sizeof *db, "an LMDB");
    (void)snprintf(db->folder, sizeof db->folder, "%s", folder);
    int code = mdb_env_create(&db->env);
    if (code == 0) code = mdb_env_open(db->env, folder, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0);
    if (code != 0) OC_GOTO(told(db, code, err));
    OC_GOTO(check_size(db, err));
    OC_GOTO(open_main(db, err));
    *out = db;
done:
    if (status != OC_OK) oci_lmdb_close(db);
    return status;
}

void oci_lmdb_close(oci_lmdb *db) {
    if (db == NULL) return;
    if (db->env != NULL) mdb_env_close(db->env);
    oc_free(db);
}

static oci_bytes_view view_of(const MDB_val *v) {
    return (oci_bytes_view){v->mv_data, v->mv_size};
}

oc_status oci_lmdb_walk(const oci_lmdb *db, size_t most, oci_lmdb_take take, void *ctx,
                        oc_error *err) {
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    oc_status status = OC_OK;
    int code = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);
    if (code == 0) code = mdb_cursor_open(txn, db->main, &cursor);
    for (; code == 0 && status == OC_OK && most > 0; most--) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (code == 0) status = take(ctx, view_of(&key), view_of(&value), err);
    }
    if (cursor != NULL) mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return code == 0 || code == MDB_NOTFOUND ? status : told(db, code, err);
}

oc_status oci_lmdb_get(const oci_lmdb *db, oci_bytes_view key, oci_lmdb_take take, void *ctx,
                       oc_error *err) {
    MDB_txn *txn = NULL;
    MDB_val name = {key.size, (void *)(uintptr_t)key.data}, value;
    oc_status status = OC_OK;
    int code = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);
    if (code == 0) code = mdb_get(txn, db->main, &name, &value);
    if (code == MDB_NOTFOUND)
        status = oc_fail(err, OC_ENOTFOUND, "%s: no record %.*s", db->folder, (int)key.size,
                         (const char *)key.data);
    else if (code != 0)
        status = told(db, code, err);
    else
        status = take(ctx, key, view_of(&value), err);
    mdb_txn_abort(txn);
    return status;
}
