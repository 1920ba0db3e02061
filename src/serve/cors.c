/* Which pages of other sites may call, and what their browsers are told.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/http_int.h"

static bool origin_allowed(const char *list, const char *origin) {
    size_t size = strlen(origin);
    if (strcmp(list, "*") == 0) return true;
    for (const char *at = list; (at = strstr(at, origin)) != NULL; at += size)
        if ((at == list || at[-1] == ',') && (at[size] == ',' || at[size] == '\0')) return true;
    return false;
}

static void add(struct MHD_Response *response, const char *name, const char *value) {
    (void)MHD_add_response_header(response, name, value);
}

void oci_cors_headers(const oci_exchange *x, struct MHD_Response *response) {
    const char *list = x->server->options.origins;
    const char *origin = oci_header_in(x, "Origin");
    if (list == NULL || origin == NULL || *origin == '\0' || !origin_allowed(list, origin)) return;
    add(response, "Access-Control-Allow-Origin", strcmp(list, "*") == 0 ? "*" : origin);
    add(response, "Vary", "Origin");
    add(response, "Access-Control-Expose-Headers",
        "Location, Retry-After, X-Request-Id, Tus-Resumable, Tus-Version, Tus-Extension, "
        "Tus-Max-Size, Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata, "
        "Inference-Header-Content-Length");
    if (oci_header_in(x, "Access-Control-Request-Method") == NULL) return;
    add(response, "Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE");
    add(response, "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Delete-Token, Tus-Resumable, "
        "Upload-Length, Upload-Offset, Upload-Metadata, X-HTTP-Method-Override, "
        "Inference-Header-Content-Length");
    add(response, "Access-Control-Max-Age", "600");
}
