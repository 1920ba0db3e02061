/* What a backend of `dist` provides. Private to `dist`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DIST_INT_H
#define OC_DIST_INT_H

#include "dist/dist.h"

typedef struct oci_dist_backend {
    const char *name;
    /* Join the other ranks: set rank, size and, where it needs one, state. */
    oc_status (*open)(oc_dist *dist, oc_error *err);
    void (*close)(oc_dist *dist);
    oc_status (*sum)(oc_dist *dist, float *values, size_t count, oc_error *err);
    oc_status (*agree)(oc_dist *dist, oc_status mine, oc_error *err);
} oci_dist_backend;

struct oc_dist {
    const oci_dist_backend *backend;
    int rank, size;
    void *state; /* the backend's own */
};

extern const oci_dist_backend oci_dist_alone;

#endif
