/* Photos that arrive in pieces, each with the length that was announced for it, kept in memory
 * until they are identified or their time is over. Knows nothing of HTTP. Private to `serve`.
 *
 * Budgets: bytes of one, bytes of all and their number, counted as announced. Where a new one does
 * not fit, those go that nobody has touched for the longest time, if that was not just now.
 *
 * Threads: all functions may be called from any thread. `now` is oc_clock_seconds().
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_UPLOADS_INT_H
#define OC_SERVE_UPLOADS_INT_H

#include "base/base.h"

typedef struct oci_uploads_limits {
    uint64_t one, all; /* bytes */
    size_t count;
    double seconds; /* of life after the last touch */
} oci_uploads_limits;

typedef struct oci_uploads oci_uploads;
OC_MUST_CHECK oc_status oci_uploads_new(oci_uploads **out, const oci_uploads_limits *limits,
                                        oc_error *err);
void oci_uploads_free(oci_uploads *u); /* all that were taken have been given back */

/* id: unguessable, and new. metadata: as the client sent it, or NULL. OC_ELIMIT where it is too
 * large by itself, OC_ENOMEM where there is no room now. */
OC_MUST_CHECK oc_status oci_uploads_create(oci_uploads *u, const char *id, uint64_t size,
                                           const char *metadata, double now, oc_error *err);

/* An upload in use: it stays until it is given back, whatever becomes of its id meanwhile. */
typedef struct oci_upload oci_upload;
oci_upload *oci_uploads_take(oci_uploads *u, const char *id, double now); /* NULL: unknown */
void oci_uploads_give(oci_uploads *u, oci_upload *upload);

typedef struct oci_upload_state {
    uint64_t size, offset; /* bytes announced, bytes here */
    double left;           /* seconds until it expires */
    const char *bytes;     /* (size), of which (offset) are here */
    const char *metadata;  /* or NULL */
} oci_upload_state;
oci_upload_state oci_uploads_state(oci_uploads *u, const oci_upload *upload, double now);

/* OC_EMISMATCH where offset is not where the upload is, OC_ELIMIT beyond its size, OC_ENOTFOUND
 * where it was dropped; then nothing has changed. */
OC_MUST_CHECK oc_status oci_uploads_append(oci_uploads *u, oci_upload *upload, uint64_t offset,
                                           const void *bytes, size_t size, double now,
                                           oc_error *err);
/* Its id is unknown from here on. */
void oci_uploads_drop(oci_uploads *u, oci_upload *upload);
/* It has served: it goes soon, yet not at once, so that a client whose answer was lost on the way
 * can ask again. */
void oci_uploads_spend(oci_uploads *u, oci_upload *upload, double now);

/* Bytes of all that are not freed, those given up but still in use included. */
uint64_t oci_uploads_held(oci_uploads *u);

#endif
