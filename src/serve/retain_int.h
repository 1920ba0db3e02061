/* Housekeeping of the database, on a thread of its own: what nobody has confirmed within the
 * retention is removed, the log is moved into the file, pages go back to the disk. Private to
 * `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_RETAIN_INT_H
#define OC_SERVE_RETAIN_INT_H

#include "serve/db_int.h"
#include "serve/metrics_int.h"

typedef struct oci_retain oci_retain;
/* A first pass is made at once, then one an hour. days 0 = nothing is removed. */
OC_MUST_CHECK oc_status oci_retain_new(oci_retain **out, oci_db *db, oci_metrics *metrics, int days,
                                       const oc_log *log, oc_error *err);
void oci_retain_free(oci_retain *r); /* before the database */

#endif
