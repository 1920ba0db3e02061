/* Photos of an identification that came before it, as resumable uploads.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/base64_int.h"
#include "serve/identify_int.h"

static const char NAME_KEY[] = "filename ";

/* The file's name of tus metadata ("key base64,key base64"), or NULL. */
static const char *name_of(oc_pool *pool, const char *metadata) {
    while (metadata != NULL) {
        size_t size = strcspn(metadata, ","), bytes = 0;
        const char *word = metadata + sizeof NAME_KEY - 1;
        if (oc_starts_with(metadata, NAME_KEY)) {
            size -= sizeof NAME_KEY - 1;
            char *name = oc_pool_alloc(pool, size + 1);
            if (name == NULL || !oci_base64_decode(word, size, name, &bytes)) return NULL;
            name[bytes] = '\0';
            return name;
        }
        metadata += size;
        metadata = *metadata == ',' ? metadata + 1 + strspn(metadata + 1, " ") : NULL;
    }
    return NULL;
}

static oc_status add_upload(oci_identification *d, const char *id, oc_error *err) {
    oci_uploads *uploads = d->x->server->uploads;
    if (d->upload_count == OCI_MAX_IMAGES)
        return oc_fail(err, OC_EUSAGE, "more than %d uploads: send the best %d", OCI_MAX_IMAGES,
                       OCI_MAX_IMAGES);
    double now = oc_clock_seconds();
    oci_upload *upload = oci_uploads_take(uploads, id, now);
    if (upload == NULL)
        return oc_fail(err, OC_ENOTFOUND,
                       "there is no upload %.50s: it was never begun, or was identified, or has "
                       "expired",
                       id);
    d->uploads[d->upload_count++] = upload;
    oci_upload_state state = oci_uploads_state(uploads, upload, now);
    if (state.offset < state.size)
        return oc_fail(err, OC_EMISMATCH, "of the upload %.50s, %llu of %llu bytes are here", id,
                       (unsigned long long)state.offset, (unsigned long long)state.size);
    return oci_identify_add_photo(d, state.bytes, (size_t)state.size,
                                  name_of(d->x->pool, state.metadata), err);
}

/* Ids with commas or spaces between. */
static oc_status add_list(oci_identification *d, const char *list, oc_error *err) {
    static const char between[] = ", \t\r\n";
    char *copy = oc_pool_strdup(d->x->pool, list), *rest = NULL;
    if (copy == NULL) return oc_fail_nomem(err, 0, "a list of uploads");
    for (char *id = strtok_r(copy, between, &rest); id != NULL; id = strtok_r(NULL, between, &rest))
        OC_TRY(add_upload(d, id, err));
    return OC_OK;
}

oc_status oci_identify_add_uploads(oci_identification *d, oc_error *err) {
    const oci_exchange *x = d->x;
    const char *asked = oci_query(x, "uploads");
    if (asked != NULL) OC_TRY(add_list(d, asked, err));
    for (size_t i = 0; i < x->part_count; i++)
        if (strcmp(x->parts[i].name, "uploads") == 0 && x->parts[i].bytes.data != NULL)
            OC_TRY(add_list(d, x->parts[i].bytes.data, err));
    return OC_OK;
}

void oci_identify_free_uploads(oci_identification *d) {
    oci_uploads *uploads = d->x->server->uploads;
    double now = oc_clock_seconds();
    for (size_t i = 0; i < d->upload_count; i++) {
        if (d->x->status == 200) oci_uploads_spend(uploads, d->uploads[i], now);
        oci_uploads_give(uploads, d->uploads[i]);
    }
}
