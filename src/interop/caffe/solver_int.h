/* What the files that read a Caffe solver share. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_CAFFE_SOLVER_INT_H
#define OC_INTEROP_CAFFE_SOLVER_INT_H

#include "interop/caffe/caffe_int.h"
#include "interop/interop.h"

/* A solver while it is read. */
typedef struct oci_solver {
    oc_caffe_solver *out;
    const char *path; /* of the solver */
    const oc_log *log;
    const oci_proto *message;    /* SolverParameter */
    const oci_proto *net, *test; /* NetParameter of each phase; often the same */
} oci_solver;

/* `text` of the solver as a path that exists, in the solver's pool: as it stands, or below the
 * solver's folder. OC_ENOTFOUND names `what` and both places. */
OC_MUST_CHECK oc_status oci_solver_find(const oci_solver *s, const char *text, const char *what,
                                        const char **out, oc_error *err);
/* Data layers of both phases into out->train, test, recipe, vary. */
OC_MUST_CHECK oc_status oci_solver_photos(oci_solver *s, oc_error *err);

/* Fresh values by the net's fillers for all parameters that `set` lacks. */
OC_MUST_CHECK oc_status oci_caffe_fill(const oci_caffe_network *net, uint64_t seed, oc_tensors *set,
                                       const oc_log *log, oc_error *err);

#endif
