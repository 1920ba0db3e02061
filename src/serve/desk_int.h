/* Threads that take one task after the other: what waits for the disk or takes long, so that no
 * event thread does. With one thread tasks are done in their order. Private to `serve`.
 *
 * Threads: oci_desk_put may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_DESK_INT_H
#define OC_SERVE_DESK_INT_H

#include "base/base.h"

/* The caller's storage, until `run` has begun. */
typedef struct oci_task oci_task;
struct oci_task {
    void (*run)(void *ctx);
    void *ctx;
    oci_task *next; /* the desk's */
};

typedef struct oci_desk oci_desk;
/* threads: 1 to 8 */
OC_MUST_CHECK oc_status oci_desk_new(oci_desk **out, int threads, oc_error *err);
void oci_desk_put(oci_desk *desk, oci_task *task);
void oci_desk_free(oci_desk *desk); /* does what has been put before; NULL is fine */

#endif
