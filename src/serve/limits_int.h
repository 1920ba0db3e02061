/* How often an address may ask: a bucket of tokens each, in a table whose size does not depend on
 * how many addresses come. Private to `serve`.
 *
 * Threads: all functions may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_LIMITS_INT_H
#define OC_SERVE_LIMITS_INT_H

#include "base/base.h"

typedef struct oci_limits oci_limits;
/* `burst` at once, then per_minute; both >= 1. */
OC_MUST_CHECK oc_status oci_limits_new(oci_limits **out, int per_minute, int burst, oc_error *err);
void oci_limits_free(oci_limits *limits);
/* One token of an address (numeric; of IPv6 its first 64 bits, which one client has to itself) at
 * `now`, in seconds that never go back. False: there is none, and *retry says when. */
bool oci_limits_take(oci_limits *limits, const char *address, double now, double *retry);

#endif
