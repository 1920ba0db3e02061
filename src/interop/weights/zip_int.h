/* The list of a zip archive, as far as weights travel in one: PyTorch stores its tensors there as
 * they are, so that each is a piece of the mapped file. Private to `interop`.
 *
 * Compressed and encrypted entries are listed, but cannot be looked into: nothing is unpacked, so
 * that no archive is larger inside than outside.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_WEIGHTS_ZIP_INT_H
#define OC_INTEROP_WEIGHTS_ZIP_INT_H

#include "base/base.h"

typedef struct oci_zip_entry {
    const char *name;    /* in the archive's memory, NUL at the end */
    const uint8_t *data; /* into the file; NULL where it is not stored plainly */
    size_t size;
    const char *packed;  /* why data is NULL: "compressed", "encrypted" */
    uint64_t begin, end; /* of header and data in the file */
} oci_zip_entry;

typedef struct oci_zip {
    const char *where;      /* the file's name */
    oc_pool *pool;          /* names */
    oci_zip_entry *entries; /* by name */
    size_t count;
} oci_zip;

bool oci_is_zip(const uint8_t *bytes, size_t size);
/* The bytes must outlive it. OC_EFORMAT for a list that does not fit the file: truncated, entries
 * that overlap, two of a name; OC_ELIMIT for more than a million entries. All zero is clearable. */
OC_MUST_CHECK oc_status oci_zip_open(oci_zip *zip, const uint8_t *bytes, size_t size,
                                     const char *where, oc_error *err);
void oci_zip_clear(oci_zip *zip);
const oci_zip_entry *oci_zip_find(const oci_zip *zip, const char *name); /* NULL = none */
/* OC_EUNSUPPORTED where the entry is not stored as it is. */
OC_MUST_CHECK oc_status oci_zip_check_plain(const oci_zip *zip, const oci_zip_entry *entry,
                                            oc_error *err);

#endif
