/* Dense layers as products of matrices; what conv.c calls for a unit that is one.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_DENSE_H
#define OC_ENGINE_DENSE_H

#include "engine/onednn/onednn_int.h"

/* How the weights lie; the caller's. */
OC_MUST_CHECK oc_status oci_dense_layout(const oci_plan *plan, const oci_unit *unit,
                                         oci_layout **out, oc_error *err);
/* n images of src to dst, with bias (may be NULL) and the value's activation. */
OC_MUST_CHECK oc_status oci_dense_forward(const oci_plan *plan, const oci_unit *unit, int n,
                                          const float *src, const float *weights, const float *bias,
                                          float *dst, oc_error *err);
/* From the result's gradient g: the source's, and the weights' (or added to them). */
OC_MUST_CHECK oc_status oci_dense_data(const oci_plan *plan, const oci_unit *unit, int n,
                                       const float *g, const float *weights, float *to,
                                       oc_error *err);
OC_MUST_CHECK oc_status oci_dense_weights(const oci_plan *plan, const oci_unit *unit, int n,
                                          bool add, const float *src, const float *g, float *to,
                                          oc_error *err);

#endif
