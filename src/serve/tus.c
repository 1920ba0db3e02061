/* /v1/uploads: a photo sent in pieces that go on where a lost connection stopped.
 *
 * The protocol is tus 1.0.0 (https://tus.io/protocols/resumable-upload): its core and the
 * extensions creation, expiration and termination. What a piece brings is kept as it comes, so that
 * a broken one has served as far as it came. SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "serve/server_int.h"

#define TUS_VERSION "1.0.0"

enum { MAX_METADATA = 4096 };

/* ---- headers ---- */

static void add_number(oci_exchange *x, const char *name, uint64_t value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    oci_answer_header(x, name, text);
}

/* Where the upload is, and until when it stays (a date of HTTP, RFC 9110). */
static void add_state(oci_exchange *x, const oci_upload_state *state) {
    char text[64] = "";
    struct tm date;
    time_t when = time(NULL) + (time_t)state->left;
    add_number(x, "Upload-Offset", state->offset);
    if (gmtime_r(&when, &date) != NULL &&
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &date) > 0)
        oci_answer_header(x, "Upload-Expires", text);
}

/* Every request but OPTIONS says which version it speaks. False: refused. */
static bool version_is_ours(oci_exchange *x) {
    const char *version = oci_header_in(x, "Tus-Resumable");
    oci_answer_header(x, "Tus-Resumable", TUS_VERSION);
    if (version != NULL && strcmp(version, TUS_VERSION) == 0) return true;
    oci_answer_header(x, "Tus-Version", TUS_VERSION);
    (void)oci_refuse(x, 412, "Tus-Resumable is \"%.50s\", expected \"" TUS_VERSION "\"",
                     version != NULL ? version : "");
    return false;
}

static oc_status number_in(const oci_exchange *x, const char *name, uint64_t *out, oc_error *err) {
    const char *text = oci_header_in(x, name);
    int64_t value = 0;
    if (text == NULL || *text < '0' || *text > '9' || !oc_parse_i64(text, 0, INT64_MAX, &value))
        return oc_fail(err, OC_EUSAGE, "%s is \"%.50s\", expected a number of bytes", name,
                       text != NULL ? text : "");
    *out = (uint64_t)value;
    return OC_OK;
}

static oc_status unknown(const oci_exchange *x, oc_error *err) {
    return oc_fail(err, OC_ENOTFOUND,
                   "there is no upload %.50s: it was never begun, or has expired", x->arg[0]);
}

/* ---- making one ---- */

oc_status oci_run_upload_options(oci_exchange *x, oc_error *err) {
    const oc_serve_options *o = &x->server->options;
    (void)err;
    oci_answer_header(x, "Tus-Resumable", TUS_VERSION);
    oci_answer_header(x, "Tus-Version", TUS_VERSION);
    oci_answer_header(x, "Tus-Extension", "creation,expiration,termination");
    add_number(x, "Tus-Max-Size", o->max_body < o->max_uploads ? o->max_body : o->max_uploads);
    x->status = 204;
    return OC_OK;
}

static oc_status tell_created(oci_exchange *x, const char *id) {
    oci_uploads *uploads = x->server->uploads;
    char location[64];
    double now = oc_clock_seconds();
    oci_upload *upload = oci_uploads_take(uploads, id, now);
    if (upload != NULL) {
        oci_upload_state state = oci_uploads_state(uploads, upload, now);
        add_state(x, &state);
        oci_uploads_give(uploads, upload);
    }
    (void)snprintf(location, sizeof location, "/v1/uploads/%s", id);
    oci_answer_header(x, "Location", location);
    x->status = 201;
    return OC_OK;
}

oc_status oci_run_upload_create(oci_exchange *x, oc_error *err) {
    const char *metadata = oci_header_in(x, "Upload-Metadata");
    char id[OCI_TOKEN_BYTES];
    uint64_t size = 0;
    if (!version_is_ours(x)) return OC_OK;
    OC_TRY(number_in(x, "Upload-Length", &size, err));
    if (metadata != NULL && strlen(metadata) > MAX_METADATA)
        return oc_fail(err, OC_EUSAGE, "Upload-Metadata has %zu bytes, at most %d are taken",
                       strlen(metadata), MAX_METADATA);
    OC_TRY(oci_token_make(id, err));
    OC_TRY(oci_uploads_create(x->server->uploads, id, size, metadata, oc_clock_seconds(), err));
    return tell_created(x, id);
}

/* ---- asking about one, giving it up ---- */

oc_status oci_run_upload_state(oci_exchange *x, oc_error *err) {
    oci_uploads *uploads = x->server->uploads;
    double now = oc_clock_seconds();
    if (!version_is_ours(x)) return OC_OK;
    oci_answer_header(x, "Cache-Control", "no-store");
    oci_upload *upload = oci_uploads_take(uploads, x->arg[0], now);
    if (upload == NULL) return unknown(x, err);
    oci_upload_state state = oci_uploads_state(uploads, upload, now);
    add_state(x, &state);
    add_number(x, "Upload-Length", state.size);
    if (state.metadata != NULL) oci_answer_header(x, "Upload-Metadata", state.metadata);
    oci_uploads_give(uploads, upload);
    x->status = 200;
    return OC_OK;
}

oc_status oci_run_upload_drop(oci_exchange *x, oc_error *err) {
    oci_uploads *uploads = x->server->uploads;
    if (!version_is_ours(x)) return OC_OK;
    oci_upload *upload = oci_uploads_take(uploads, x->arg[0], oc_clock_seconds());
    if (upload == NULL) return unknown(x, err);
    oci_uploads_drop(uploads, upload);
    oci_uploads_give(uploads, upload);
    x->status = 204;
    return OC_OK;
}

/* ---- a piece of one ---- */

typedef struct piece {
    oci_uploads *uploads;
    oci_upload *upload;
    uint64_t offset; /* of the bytes that come next */
} piece;

static void free_piece(void *work) {
    piece *p = work;
    oci_uploads_give(p->uploads, p->upload);
    oc_free(p);
}

/* Sets x->work, or refuses. */
static oc_status begin_piece(oci_exchange *x, oc_error *err) {
    uint64_t offset = 0;
    if (!version_is_ours(x)) return OC_OK;
    if (x->type == NULL || strcasecmp(x->type, "application/offset+octet-stream") != 0)
        return oc_fail(err, OC_EUNSUPPORTED,
                       "the Content-Type of a piece is \"%.100s\", expected "
                       "\"application/offset+octet-stream\"",
                       x->type != NULL ? x->type : "");
    OC_TRY(number_in(x, "Upload-Offset", &offset, err));
    piece *p = oc_calloc(1, sizeof *p);
    if (p == NULL) return oc_fail_nomem(err, sizeof *p, "a piece of an upload");
    p->uploads = x->server->uploads;
    p->offset = offset;
    x->work = p;
    x->free_work = free_piece;
    p->upload = oci_uploads_take(p->uploads, x->arg[0], oc_clock_seconds());
    return p->upload != NULL ? OC_OK : unknown(x, err);
}

oc_status oci_take_upload_piece(oci_exchange *x, const char *data, size_t size, oc_error *err) {
    if (x->work == NULL) OC_TRY(begin_piece(x, err));
    if (x->status != 0) return OC_OK;
    piece *p = x->work;
    OC_TRY(
        oci_uploads_append(p->uploads, p->upload, p->offset, data, size, oc_clock_seconds(), err));
    p->offset += size;
    return OC_OK;
}

oc_status oci_run_upload_piece(oci_exchange *x, oc_error *err) {
    OC_TRY(oci_take_upload_piece(x, "", 0, err)); /* a piece may be empty */
    if (x->status != 0) return OC_OK;
    const piece *p = x->work;
    oci_upload_state state = oci_uploads_state(p->uploads, p->upload, oc_clock_seconds());
    add_state(x, &state);
    x->status = 204;
    return OC_OK;
}
