/* Connections and the time by which each must have got somewhere. Private to `serve`.
 *
 * libmicrohttpd's own timeout begins anew with every byte; a client that sends one a second would
 * hold a connection for ever. Here the time runs from the begin of a phase (headers, body, answer).
 *
 * Threads: all functions may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_DEADLINES_INT_H
#define OC_SERVE_DEADLINES_INT_H

#include "base/base.h"

typedef struct oci_deadlines oci_deadlines;
typedef struct oci_deadline oci_deadline;
OC_MUST_CHECK oc_status oci_deadlines_new(oci_deadlines **out, oc_error *err);
void oci_deadlines_free(oci_deadlines *d); /* no connection may be left */

/* A socket is open: it is shut down when `seconds` pass before the next oci_deadline_set. NULL
 * without memory; NULL is fine below. `receiving`: a request is coming in, so that a peer that has
 * closed its side is gone for good: it is shut down within a second. (libmicrohttpd 0.9.75 with
 * epoll does not see that by itself in the middle of a body.) */
oci_deadline *oci_deadline_add(oci_deadlines *d, int socket, double seconds);
void oci_deadline_set(oci_deadlines *d, oci_deadline *c, double seconds, bool receiving);
/* Before the socket is closed. */
void oci_deadline_remove(oci_deadlines *d, oci_deadline *c);

#endif
