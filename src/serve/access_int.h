/* Who asks, and may they: addresses behind a proxy, keys, roles, quotas, limits. Private to
 * `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_ACCESS_INT_H
#define OC_SERVE_ACCESS_INT_H

#include "serve/exchange_int.h"

/* Does this number, v4 or v6, stand for the machine itself? */
bool oci_is_loopback(const char *address);
/* Before the body is read, x->route found: x->who and x->role are set, or there is an answer (401,
 * 403, 429). */
void oci_access(oci_exchange *x, oci_method method);
/* Once nothing else stands against it: a request that runs a model counts against the quota of its
 * key, or is refused (429). */
void oci_access_charge(oci_exchange *x);

#endif
