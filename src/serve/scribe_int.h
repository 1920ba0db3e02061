/* A thread that writes to the disk, one task after the other, so that no event thread waits until
 * it is there. Private to `serve`.
 *
 * Threads: oci_scribe_put may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_SCRIBE_INT_H
#define OC_SERVE_SCRIBE_INT_H

#include "base/base.h"

/* The caller's storage, until `run` has begun. */
typedef struct oci_task oci_task;
struct oci_task {
    void (*run)(void *ctx);
    void *ctx;
    oci_task *next; /* the scribe's */
};

typedef struct oci_scribe oci_scribe;
OC_MUST_CHECK oc_status oci_scribe_new(oci_scribe **out, oc_error *err);
void oci_scribe_put(oci_scribe *scribe, oci_task *task);
void oci_scribe_free(oci_scribe *scribe); /* does what has been put before; NULL is fine */

#endif
