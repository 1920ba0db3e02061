/* LMDB where the library is not built in: says so.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/store_int.h"

oc_status oci_lmdb_open(oci_lmdb **out, const char *folder, oc_error *err) {
    *out = NULL;
    return oc_fail(err, OC_EENV,
                   "%s: an LMDB, and LMDB is not built in: install liblmdb-dev and build again, or "
                   "take the photos as files",
                   folder);
}

void oci_lmdb_close(oci_lmdb *db) {
    (void)db;
}

oc_status oci_lmdb_walk(const oci_lmdb *db, size_t most, oci_lmdb_take take, void *ctx,
                        oc_error *err) {
    (void)db, (void)most, (void)take, (void)ctx;
    return oc_fail(err, OC_EINTERNAL, "no LMDB is open");
}

oc_status oci_lmdb_get(const oci_lmdb *db, oci_bytes_view key, oci_lmdb_take take, void *ctx,
                       oc_error *err) {
    (void)db, (void)key, (void)take, (void)ctx;
    return oc_fail(err, OC_EINTERNAL, "no LMDB is open");
}
