/* The web page and the description of the API, out of the program itself.
 *
 * Files under /assets have their digest in their names and are kept for ever; the others are asked
 * for again by their ETag (RFC 9110, section 13). SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "serve/embedded_int.h"
#include "serve/exchange_int.h"

/* Scripts and styles from here alone, and none in the page itself. Pictures and the model's maps
 * are also made in the page. It may call another server that its user has chosen. */
static const char policy[] =
    "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' http: https:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static const char *type_of(const char *path) {
    static const struct {
        const char *ending, *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".json", "application/json"},
                 {".webmanifest", "application/manifest+json"},
                 {".svg", "image/svg+xml"},
                 {".png", "image/png"},
                 {".webp", "image/webp"},
                 {".jpg", "image/jpeg"},
                 {".ico", "image/x-icon"},
                 {".txt", "text/plain; charset=utf-8"},
                 {".woff2", "font/woff2"},
                 {".wasm", "application/wasm"}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (oc_ends_with(path, types[i].ending)) return types[i].type;
    return "application/octet-stream";
}

/* ---- the files ---- */

const oci_embedded *oci_page_find(const char *path) {
    if (strcmp(path, "/") == 0) path = "/index.html";
    for (const oci_embedded *file = oci_embedded_page; file->path != NULL; file++)
        if (strcmp(file->path, path) == 0) return file;
    return NULL;
}

const char *oci_page_stylesheet(void) {
    for (const oci_embedded *file = oci_embedded_page; file->path != NULL; file++)
        if (oc_starts_with(file->path, "/assets/index") && oc_ends_with(file->path, ".css"))
            return file->path;
    return NULL;
}

/* ---- sending one ---- */

/* If-None-Match is a list of tags, or "*". */
static bool has_it(const oci_exchange *x, const char *tag) {
    const char *list = oci_header_in(x, "If-None-Match");
    return list != NULL && (strcmp(list, "*") == 0 || strstr(list, tag) != NULL);
}

static oc_status send_file(oci_exchange *x, const oci_embedded *file, const char *caching,
                           oc_error *err) {
    bool packed = file->packed != NULL && oci_takes_gzip(x);
    char tag[64];
    (void)snprintf(tag, sizeof tag, "\"%s%s\"", file->tag, packed ? "-gz" : "");
    oci_answer_header(x, "ETag", tag);
    oci_answer_header(x, "Cache-Control", caching);
    if (file->packed != NULL) oci_answer_header(x, "Vary", "Accept-Encoding");
    if (has_it(x, tag)) {
        x->status = 304;
        return OC_OK;
    }
    if (packed) oci_answer_header(x, "Content-Encoding", "gzip");
    return oci_answer_text(x, 200, type_of(file->path),
                           (const char *)(packed ? file->packed : file->bytes),
                           packed ? file->packed_size : file->size, err);
}

void oci_page_headers(oci_exchange *x) {
    oci_answer_header(x, "Content-Security-Policy", policy);
    oci_answer_header(x, "Referrer-Policy", "same-origin");
    oci_answer_header(x, "Cross-Origin-Opener-Policy", "same-origin");
    oci_answer_header(x, "Permissions-Policy",
                      "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()");
}

oc_status oci_run_page(oci_exchange *x, oc_error *err) {
    const oci_embedded *file = oci_page_find(x->arg[0]);
    if (file == NULL) return oci_refuse(x, 404, "the page has no file %s", x->arg[0]);
    bool hashed = oc_starts_with(file->path, "/assets/");
    oci_page_headers(x);
    return send_file(x, file, hashed ? "public, max-age=31536000, immutable" : "no-cache", err);
}

oc_status oci_run_openapi(oci_exchange *x, oc_error *err) {
    return send_file(x, oci_embedded_api, "no-cache", err);
}
