/* Which path is answered by whom.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/embedded_int.h"
#include "serve/exchange_int.h"

static const oci_route routes[] = {
    {OCI_GET, "/healthz", oci_run_health, OCI_ANYONE, NULL, false},
    {OCI_GET, "/readyz", oci_run_ready, OCI_ANYONE, NULL, false},
    {OCI_GET, "/metrics", oci_run_metrics, OCI_ANYONE, NULL, false},
    {OCI_GET, "/openapi.json", oci_run_openapi, OCI_ANYONE, NULL, false},
    {OCI_POST, "/identify", oci_run_names, OCI_USER, NULL, true},
    {OCI_POST, "/share", oci_run_names, OCI_USER, NULL, true},
    {OCI_POST, "/v1/identify", oci_run_identify, OCI_USER, NULL, true},
    {OCI_GET, "/v1/config", oci_run_config, OCI_ANYONE, NULL,
     false}, /* says whether a key is needed */
    {OCI_GET, "/v1/models", oci_run_models, OCI_USER, NULL, false},
    {OCI_GET, "/v1/models/{}", oci_run_model, OCI_USER, NULL, false},
    {OCI_GET, "/v1/models/{}/examples/{}", oci_run_example, OCI_USER, NULL, false},
    {OCI_GET, "/v1/observations", oci_run_observations, OCI_EXPERT, NULL, false},
    {OCI_GET, "/v1/observations/{}", oci_run_observation, OCI_USER, NULL, false},
    {OCI_DELETE, "/v1/observations/{}", oci_run_observation_delete, OCI_USER, NULL, false},
    {OCI_GET, "/v1/observations/{}/photos/{}", oci_run_observation_photo, OCI_USER, NULL, false},
    {OCI_POST, "/v1/observations/{}/review", oci_run_review, OCI_EXPERT, NULL, false},
    {OCI_GET, "/v1/review", oci_run_review_queue, OCI_EXPERT, NULL, false},
    {OCI_OPTIONS, "/v1/uploads", oci_run_upload_options, OCI_ANYONE, NULL, false},
    {OCI_POST, "/v1/uploads", oci_run_upload_create, OCI_USER, NULL, false},
    {OCI_OPTIONS, "/v1/uploads/{}", oci_run_upload_options, OCI_ANYONE, NULL, false},
    {OCI_HEAD, "/v1/uploads/{}", oci_run_upload_state, OCI_USER, NULL, false},
    {OCI_PATCH, "/v1/uploads/{}", oci_run_upload_piece, OCI_USER, oci_take_upload_piece, false},
    {OCI_DELETE, "/v1/uploads/{}", oci_run_upload_drop, OCI_USER, NULL, false},
    {OCI_GET, "/v2", oci_run_oip, OCI_USER, NULL, false},
    {OCI_GET, "/v2/health/live", oci_run_oip_live, OCI_ANYONE, NULL, false},
    {OCI_GET, "/v2/health/ready", oci_run_oip_ready, OCI_ANYONE, NULL, false},
    {OCI_GET, "/v2/models/{}", oci_run_oip_model, OCI_USER, NULL, false},
    {OCI_GET, "/v2/models/{}/ready", oci_run_oip_model_ready, OCI_USER, NULL, false},
    {OCI_POST, "/v2/models/{}/infer", oci_run_oip_infer, OCI_USER, NULL, true},
    {OCI_GET, "/v2/models/{}/versions/{}", oci_run_oip_model, OCI_USER, NULL, false},
    {OCI_GET, "/v2/models/{}/versions/{}/ready", oci_run_oip_model_ready, OCI_USER, NULL, false},
    {OCI_POST, "/v2/models/{}/versions/{}/infer", oci_run_oip_infer, OCI_USER, NULL, true},
};

/* The files of the web page, whichever the build has found. */
static const oci_route page_route = {OCI_GET, "page", oci_run_page, OCI_ANYONE, NULL, false};

/* Does `path` fit `pattern`? Its variable segments go to begin/length. */
static bool fits(const char *pattern, const char *path, const char *begin[], size_t length[],
                 int *count) {
    *count = 0;
    while (*pattern != '\0') {
        if (pattern[0] != '{') {
            if (*pattern++ != *path++) return false;
            continue;
        }
        size_t size = strcspn(path, "/");
        if (size == 0) return false;
        begin[*count] = path;
        length[(*count)++] = size;
        path += size;
        pattern += 2;
    }
    return *path == '\0';
}

static char *copy_of(oc_pool *pool, const char *text, size_t size) {
    char *copy = oc_pool_alloc(pool, size + 1);
    if (copy != NULL) memcpy(copy, text, size);
    return copy;
}

static bool answers(const oci_route *route, oci_method method) {
    return route->method == method || (method == OCI_HEAD && route->method == OCI_GET);
}

const oci_route *oci_route_find(oci_exchange *x, oci_method method, const char *path,
                                unsigned *methods) {
    const char *begin[OCI_PATH_ARGS];
    size_t length[OCI_PATH_ARGS];
    const oci_route *found = NULL;
    int count = 0;
    *methods = 0;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const oci_route *route = &routes[i];
        if (!fits(route->pattern, path, begin, length, &count)) continue;
        *methods |= 1u << route->method;
        if (found != NULL || !answers(route, method)) continue;
        found = route;
        for (int k = 0; k < count; k++)
            if ((x->arg[k] = copy_of(x->pool, begin[k], length[k])) == NULL) x->arg[k] = "";
    }
    if (*methods != 0 || oci_page_find(path) == NULL) return found;
    *methods = 1u << OCI_GET;
    if ((x->arg[0] = copy_of(x->pool, path, strlen(path))) == NULL) x->arg[0] = "";
    return answers(&page_route, method) ? &page_route : NULL;
}

const oci_route *oci_routes(size_t *count) {
    *count = sizeof routes / sizeof routes[0];
    return routes;
}
