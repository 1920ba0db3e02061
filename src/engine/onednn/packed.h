/* Forward convolutions as products of matrices over activations in blocks of 8 channels, one group:
 * a few results' samples are packed side by side, whatever kernel, stride and padding they come
 * from, and multiplied with weights as they lie. Where many channels meet a kernel that strides, or
 * few results, this is nearer to the FMA peak than the library's kernels without AVX-512.
 *
 * Weights are in blocks, oci_layout_blocks. An object knows shapes and allocates nothing after it
 * is made; all floats are the caller's. Results depend neither on the number of threads nor on how
 * a batch is cut into runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_PACKED_H
#define OC_ENGINE_PACKED_H

#include "engine/onednn/dnn.h"

typedef struct oci_packed oci_packed;

/* Whether this shape can be done here, and is faster so than by the library. */
bool oci_packed_pays(const oci_conv_shape *shape);
/* For runs of at most shape->n images on `threads` threads. OC_ENOMEM. */
OC_MUST_CHECK oc_status oci_packed_new(oci_packed **out, const oci_conv_shape *shape, int threads,
                                       oc_error *err);
void oci_packed_free(oci_packed *p);
const char *oci_packed_kernel(const oci_packed *p);
/* Floats of scratch for one run; whole cache lines. */
size_t oci_packed_scratch(const oci_packed *p);
/* bias: (out channels) or NULL. */
void oci_packed_run(const oci_packed *p, int n, const float *src, const float *weights,
                    const float *bias, float *dst, float *scratch);

#endif
