/* Uploads in memory: a list, for there are few; the bytes of each in one block that never moves, so
 * that whoever has taken it reads it without the lock.
 *
 * The system gives such a block its pages as they are written to; an upload that is announced and
 * never sent costs its place in the budget and little else.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/uploads_int.h"

#include <pthread.h>
#include <string.h>

static const double RECENT = 120; /* seconds in which an upload is safe from a new one's hunger */
static const double SPENT = 120;  /* seconds that one has that was identified */

struct oci_upload {
    char *id, *bytes, *metadata;
    uint64_t size, offset;
    double expires;
    int users;
    bool dropped; /* no longer in the list */
    oci_upload *next;
};

struct oci_uploads {
    oci_uploads_limits limits;
    pthread_mutex_t lock;
    oci_upload *first;
    uint64_t bytes; /* of all that are not freed, those still used out of the list included */
    size_t count;   /* of the same */
};

/* ---- one ---- */

static void free_upload(oci_upload *upload) {
    if (upload == NULL) return;
    oc_free(upload->id);
    oc_free(upload->bytes);
    oc_free(upload->metadata);
    oc_free(upload);
}

static oc_status new_upload(oci_upload **out, const char *id, uint64_t size, const char *metadata,
                            oc_error *err) {
    oci_upload *upload = oc_calloc(1, sizeof *upload);
    *out = NULL;
    if (upload == NULL) return oc_fail_nomem(err, sizeof *upload, "an upload");
    upload->size = size;
    upload->id = oc_strdup(id);
    upload->bytes = oc_malloc((size_t)size);
    upload->metadata = metadata != NULL ? oc_strdup(metadata) : NULL;
    if (!upload->id || !upload->bytes || (metadata != NULL && !upload->metadata)) {
        free_upload(upload);
        return oc_fail_nomem(err, (size_t)size, "an upload");
    }
    *out = upload;
    return OC_OK;
}

/* ---- the list, all under the lock ---- */

static void forget(oci_uploads *u, oci_upload *upload) {
    u->bytes -= upload->size;
    u->count--;
    free_upload(upload);
}

/* Out of the list; freed now, or by the last who has taken it: until then its bytes are there, and
 * count. */
static void unlink_upload(oci_uploads *u, oci_upload **link) {
    oci_upload *upload = *link;
    *link = upload->next;
    upload->dropped = true;
    if (upload->users == 0) forget(u, upload);
}

static void sweep(oci_uploads *u, double now) {
    for (oci_upload **link = &u->first; *link != NULL;)
        if ((*link)->expires <= now)
            unlink_upload(u, link);
        else
            link = &(*link)->next;
}

static bool fits(const oci_uploads *u, uint64_t size) {
    return u->count < u->limits.count && u->bytes + size <= u->limits.all;
}

/* Drop the one that expires first, for it was touched least lately; false: all are too young. */
static bool drop_idlest(oci_uploads *u, double now) {
    oci_upload **idlest = NULL;
    for (oci_upload **link = &u->first; *link != NULL; link = &(*link)->next)
        if ((*link)->users == 0 && (idlest == NULL || (*link)->expires < (*idlest)->expires))
            idlest = link;
    if (idlest == NULL || (*idlest)->expires > now + u->limits.seconds - RECENT) return false;
    unlink_upload(u, idlest);
    return true;
}

static oc_status insert(oci_uploads *u, oci_upload *upload, double now, oc_error *err) {
    sweep(u, now);
    while (!fits(u, upload->size))
        if (!drop_idlest(u, now))
            return oc_fail(err, OC_ENOMEM,
                           "%zu uploads of %llu bytes are under way and there is no room for %llu "
                           "bytes more: try again a little later",
                           u->count, (unsigned long long)u->bytes,
                           (unsigned long long)upload->size);
    upload->expires = now + u->limits.seconds;
    upload->next = u->first;
    u->first = upload;
    u->bytes += upload->size;
    u->count++;
    return OC_OK;
}

/* ---- use ---- */

oc_status oci_uploads_create(oci_uploads *u, const char *id, uint64_t size, const char *metadata,
                             double now, oc_error *err) {
    oci_upload *upload = NULL;
    uint64_t most = u->limits.one < u->limits.all ? u->limits.one : u->limits.all;
    if (size > most)
        return oc_fail(err, OC_ELIMIT, "an upload of %llu bytes: at most %llu are taken",
                       (unsigned long long)size, (unsigned long long)most);
    OC_TRY(new_upload(&upload, id, size, metadata, err));
    (void)pthread_mutex_lock(&u->lock);
    oc_status status = insert(u, upload, now, err);
    (void)pthread_mutex_unlock(&u->lock);
    if (status != OC_OK) free_upload(upload);
    return status;
}

oci_upload *oci_uploads_take(oci_uploads *u, const char *id, double now) {
    oci_upload *upload = NULL;
    (void)pthread_mutex_lock(&u->lock);
    sweep(u, now);
    for (upload = u->first; upload != NULL && strcmp(upload->id, id) != 0;) upload = upload->next;
    if (upload != NULL) upload->users++;
    (void)pthread_mutex_unlock(&u->lock);
    return upload;
}

void oci_uploads_give(oci_uploads *u, oci_upload *upload) {
    if (upload == NULL) return;
    (void)pthread_mutex_lock(&u->lock);
    if (--upload->users == 0 && upload->dropped) forget(u, upload);
    (void)pthread_mutex_unlock(&u->lock);
}

oci_upload_state oci_uploads_state(oci_uploads *u, const oci_upload *upload, double now) {
    (void)pthread_mutex_lock(&u->lock);
    oci_upload_state state = {.size = upload->size,
                              .offset = upload->offset,
                              .left = upload->expires - now,
                              .bytes = upload->bytes,
                              .metadata = upload->metadata};
    (void)pthread_mutex_unlock(&u->lock);
    return state;
}

static oc_status append(oci_uploads *u, oci_upload *upload, uint64_t offset, const void *bytes,
                        size_t size, double now, oc_error *err) {
    if (upload->dropped) return oc_fail(err, OC_ENOTFOUND, "the upload was given up meanwhile");
    if (offset != upload->offset)
        return oc_fail(err, OC_EMISMATCH, "Upload-Offset %llu: the upload is at %llu; go on there",
                       (unsigned long long)offset, (unsigned long long)upload->offset);
    if (size > upload->size - upload->offset)
        return oc_fail(err, OC_ELIMIT, "more than the %llu bytes that were announced",
                       (unsigned long long)upload->size);
    if (size > 0) memcpy(upload->bytes + offset, bytes, size);
    upload->offset += size;
    upload->expires = now + u->limits.seconds;
    return OC_OK;
}

oc_status oci_uploads_append(oci_uploads *u, oci_upload *upload, uint64_t offset, const void *bytes,
                             size_t size, double now, oc_error *err) {
    (void)pthread_mutex_lock(&u->lock);
    oc_status status = append(u, upload, offset, bytes, size, now, err);
    (void)pthread_mutex_unlock(&u->lock);
    return status;
}

void oci_uploads_drop(oci_uploads *u, oci_upload *upload) {
    (void)pthread_mutex_lock(&u->lock);
    oci_upload **link = &u->first;
    while (*link != NULL && *link != upload) link = &(*link)->next;
    if (*link != NULL) unlink_upload(u, link);
    (void)pthread_mutex_unlock(&u->lock);
}

void oci_uploads_spend(oci_uploads *u, oci_upload *upload, double now) {
    (void)pthread_mutex_lock(&u->lock);
    if (upload->expires > now + SPENT) upload->expires = now + SPENT;
    (void)pthread_mutex_unlock(&u->lock);
}

uint64_t oci_uploads_held(oci_uploads *u) {
    (void)pthread_mutex_lock(&u->lock);
    uint64_t bytes = u->bytes;
    (void)pthread_mutex_unlock(&u->lock);
    return bytes;
}

/* ---- life ---- */

oc_status oci_uploads_new(oci_uploads **out, const oci_uploads_limits *limits, oc_error *err) {
    oci_uploads *u = oc_calloc(1, sizeof *u);
    *out = u;
    if (u == NULL) return oc_fail_nomem(err, sizeof *u, "the uploads");
    u->limits = *limits;
    (void)pthread_mutex_init(&u->lock, NULL);
    return OC_OK;
}

void oci_uploads_free(oci_uploads *u) {
    if (u == NULL) return;
    while (u->first != NULL) unlink_upload(u, &u->first);
    (void)pthread_mutex_destroy(&u->lock);
    oc_free(u);
}
