/* Who may come in: keys from a file, their roles and their daily quotas. Private to `serve`.
 *
 * A line is `KEY NAME ROLE [PER_DAY]`; in place of the key may stand sha256:HEX, its digest, so
 * that the file holds nothing that opens a door. # begins a comment. ROLE is user, expert or admin.
 *
 * Threads: all functions may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_KEYS_INT_H
#define OC_SERVE_KEYS_INT_H

#include "base/base.h"
#include "serve/exchange_int.h"

enum { OCI_NAME_BYTES = 64 };

/* Whom a key belongs to. */
struct oci_holder {
    size_t index; /* for oci_keys_charge, in this state of the file */
    unsigned state;
    oci_role role;
    char name[OCI_NAME_BYTES];
};
typedef struct oci_holder oci_holder;

typedef struct oci_keys oci_keys;
/* OC_EFORMAT names the line. */
OC_MUST_CHECK oc_status oci_keys_new(oci_keys **out, const char *path, oc_error *err);
void oci_keys_free(oci_keys *keys);
/* Read the file again; where that fails the old keys go on. Who was there before keeps what is used
 * of the quota. */
OC_MUST_CHECK oc_status oci_keys_reload(oci_keys *keys, oc_error *err);

/* False: no such key. It takes the same time whichever key it is. */
bool oci_keys_find(oci_keys *keys, const char *key, oci_holder *out);
/* One use of the day of `now` (seconds since 1970, UTC). False: the quota is used up, and *retry is
 * the time until midnight. */
bool oci_keys_charge(oci_keys *keys, const oci_holder *holder, double now, double *retry);

#endif
