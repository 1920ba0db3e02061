/* Choosing a backend, and calls handed on to it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "dist/dist.h"

#include <string.h>

#include "dist/dist_int.h"

static const oci_dist_backend *const backends[] = {&oci_dist_alone};
enum { BACKENDS = sizeof backends / sizeof *backends };

static oc_status find_backend(const oci_dist_backend **out, const char *name, oc_error *err) {
    *out = name == NULL ? backends[0] : NULL;
    for (int i = 0; *out == NULL && i < BACKENDS; i++) {
        if (strcmp(name, backends[i]->name) == 0) *out = backends[i];
    }
    if (*out != NULL) return OC_OK;
    return oc_fail(err, OC_EENV, "ranks by \"%s\" are not built in (this build has: %s)", name,
                   backends[0]->name);
}

oc_status oc_dist_new(oc_dist **out, const char *backend, oc_error *err) {
    const oci_dist_backend *found = NULL;
    *out = NULL;
    OC_TRY(find_backend(&found, backend, err));
    oc_dist *dist = oc_calloc(1, sizeof *dist);
    if (dist == NULL) return oc_fail_nomem(err, sizeof *dist, "the ranks");
    dist->backend = found;
    oc_status status = found->open(dist, err);
    if (status == OC_OK) {
        *out = dist;
    } else {
        oc_free(dist);
    }
    return status;
}

void oc_dist_free(oc_dist *dist) {
    if (dist == NULL) return;
    dist->backend->close(dist);
    oc_free(dist);
}

int oc_dist_rank(const oc_dist *dist) {
    return dist->rank;
}

int oc_dist_size(const oc_dist *dist) {
    return dist->size;
}

oc_status oc_dist_sum(oc_dist *dist, float *values, size_t count, oc_error *err) {
    return dist->backend->sum(dist, values, count, err);
}

oc_status oc_dist_agree(oc_dist *dist, oc_status mine, oc_error *err) {
    return dist->backend->agree(dist, mine, err);
}
