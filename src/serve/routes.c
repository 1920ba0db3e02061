/* Which path is answered by whom.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/exchange_int.h"

static const oci_route routes[] = {
    {OCI_GET, "/healthz", oci_run_health, OCI_ANYONE},
    {OCI_GET, "/readyz", oci_run_ready, OCI_ANYONE},
    {OCI_GET, "/metrics", oci_run_metrics, OCI_ANYONE},
    {OCI_POST, "/v1/identify", oci_run_identify, OCI_USER},
    {OCI_GET, "/v1/config", oci_run_config, OCI_ANYONE}, /* says whether a key is needed */
    {OCI_GET, "/v1/models", oci_run_models, OCI_USER},
    {OCI_GET, "/v1/models/{}", oci_run_model, OCI_USER},
    {OCI_GET, "/v1/models/{}/examples/{}", oci_run_example, OCI_USER},
    {OCI_GET, "/v1/observations", oci_run_observations, OCI_EXPERT},
    {OCI_GET, "/v1/observations/{}", oci_run_observation, OCI_USER},
    {OCI_DELETE, "/v1/observations/{}", oci_run_observation_delete, OCI_USER},
    {OCI_GET, "/v1/observations/{}/photos/{}", oci_run_observation_photo, OCI_USER},
    {OCI_POST, "/v1/observations/{}/review", oci_run_review, OCI_EXPERT},
    {OCI_GET, "/v1/review", oci_run_review_queue, OCI_EXPERT},
};

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

const oci_route *oci_route_find(oci_exchange *x, oci_method method, const char *path, bool *known) {
    const char *begin[OCI_PATH_ARGS];
    size_t length[OCI_PATH_ARGS];
    int count = 0;
    *known = false;
    if (method == OCI_HEAD) method = OCI_GET;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!fits(routes[i].pattern, path, begin, length, &count)) continue;
        *known = true;
        if (routes[i].method != method) continue;
        for (int k = 0; k < count; k++)
            if ((x->arg[k] = copy_of(x->pool, begin[k], length[k])) == NULL) x->arg[k] = "";
        return &routes[i];
    }
    return NULL;
}
