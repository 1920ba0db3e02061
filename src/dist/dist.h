/* The face of `dist`: ranks that train together. The build has `alone` (one rank, every collective
 * the identity); a second backend fills the same table.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DIST_H
#define OC_DIST_H

#include "tensor/tensor.h"

typedef struct oc_dist oc_dist;

/* `backend` is "alone" (NULL means the same); another name is OC_EENV "not built in". */
OC_MUST_CHECK oc_status oc_dist_new(oc_dist **out, const char *backend, oc_error *err);
void oc_dist_free(oc_dist *dist);
int oc_dist_rank(const oc_dist *dist); /* 0..size-1 */
int oc_dist_size(const oc_dist *dist);

/* Sum `count` floats over all ranks, in place, in an order that does not depend on timing. */
OC_MUST_CHECK oc_status oc_dist_sum(oc_dist *dist, float *values, size_t count, oc_error *err);
/* Every rank brings its status; all leave with the worst, so that none waits for one that failed.
 */
OC_MUST_CHECK oc_status oc_dist_agree(oc_dist *dist, oc_status mine, oc_error *err);

#endif
