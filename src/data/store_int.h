/* Photos that are not files of their own: the records of an LMDB, as Caffe writes them.
 *
 * Reading is safe from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_STORE_INT_H
#define OC_DATA_STORE_INT_H

#include "data/data_int.h"

/* ---- keys and values (lmdb.c; lmdb_none.c where liblmdb is not built in) ----------------------
 */

typedef struct oci_bytes_view {
    const uint8_t *data; /* valid during the call that hands it out */
    size_t size;
} oci_bytes_view;
typedef oc_status (*oci_lmdb_take)(void *ctx, oci_bytes_view key, oci_bytes_view value,
                                   oc_error *err);

typedef struct oci_lmdb oci_lmdb;
/* OC_ENOTFOUND, OC_EIO; OC_EFORMAT for a file that is none, or cut short; OC_EENV where the library
 * is not built in. */
OC_MUST_CHECK oc_status oci_lmdb_open(oci_lmdb **out, const char *folder, oc_error *err);
void oci_lmdb_close(oci_lmdb *db);
/* The first `most` records in the order of their keys; ends at the first failure of `take`. */
OC_MUST_CHECK oc_status oci_lmdb_walk(const oci_lmdb *db, size_t most, oci_lmdb_take take,
                                      void *ctx, oc_error *err);
/* The record of a key; OC_ENOTFOUND. */
OC_MUST_CHECK oc_status oci_lmdb_get(const oci_lmdb *db, oci_bytes_view key, oci_lmdb_take take,
                                     void *ctx, oc_error *err);

/* ---- records (store.c) ----------------------------------------------------------------------- */

typedef struct oci_datum {
    int channels, height, width;
    const uint8_t *data; /* an encoded photo, or planes of bytes (channels, height, width), BGR */
    size_t size;
    int64_t label;
    bool encoded;
} oci_datum;

/* Caffe's Datum, a protocol buffers message. OC_EFORMAT. */
OC_MUST_CHECK oc_status oci_datum_parse(const void *bytes, size_t size, oci_datum *out,
                                        oc_error *err);

bool oci_store_is(const char *path); /* a folder with a data.mdb in it */
void oci_store_free(oci_store *store);
/* Open and list: each record becomes an item, its path the folder's and its key. */
OC_MUST_CHECK oc_status oci_read_store(oci_builder *b, const char *folder, oc_error *err);
/* A photo's bytes as a file would have them, into *buffer as oc_file_read_into; from the file where
 * `store` is NULL. */
OC_MUST_CHECK oc_status oci_store_read(const oci_store *store, const char *path, size_t budget,
                                       char **buffer, size_t *capacity, size_t *size,
                                       oc_error *err);

#endif
