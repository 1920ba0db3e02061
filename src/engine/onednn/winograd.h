/* Convolutions by Winograd's method: 3 x 3 kernels, stride 1, one group, at most 2 of padding, over
 * activations in blocks of 8 channels. 4 x 4 results cost 36 products instead of 144; the library
 * has no such kernel for processors without AVX-512.
 *
 * Weights are as torch stores them, (out, in, 3, 3). An object knows shapes and allocates nothing
 * after it is made; all floats are the caller's. Results do not depend on the number of threads,
 * nor on how a batch is cut into runs, except that weight gradients are summed in order of runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_WINOGRAD_H
#define OC_ENGINE_WINOGRAD_H

#include "engine/onednn/dnn.h"

typedef struct oci_winograd oci_winograd;

/* Whether this shape can be done here, and is faster so than by the library. */
bool oci_winograd_pays(const oci_conv_shape *shape);
/* Tiles of one image. The transformed weights are four times the plain ones and are read once for
 * all tiles of a run. */
size_t oci_winograd_tiles(const oci_conv_shape *shape);
/* For runs of at most shape->n images. OC_ENOMEM. */
OC_MUST_CHECK oc_status oci_winograd_new(oci_winograd **out, oci_conv_kind kind,
                                         const oci_conv_shape *shape, oc_error *err);
void oci_winograd_free(oci_winograd *w);
const char *oci_winograd_kernel(const oci_winograd *w);
/* Floats that hold the transformed weights, or the sum of their gradient, from run to run. */
size_t oci_winograd_kept(const oci_winograd *w);
/* Floats of scratch for one run; whole cache lines. */
size_t oci_winograd_scratch(const oci_winograd *w);

/* FORWARD and DATA, after weights changed: fill `kept`. */
void oci_winograd_prepare(const oci_winograd *w, const float *weights, float *kept);
/* FORWARD: from = source, to = result. DATA: from = the result's gradient, to = the source's.
 * bias: (out channels) or NULL. */
void oci_winograd_run(const oci_winograd *w, int n, const float *from, const float *bias, float *to,
                      const float *kept, float *scratch);
/* WEIGHTS: add the gradient of n images to `kept`; `first`: set it. */
void oci_winograd_gather(const oci_winograd *w, int n, bool first, const float *source,
                         const float *gradient, float *kept, float *scratch);
/* WEIGHTS: the gathered gradient as torch stores it. */
void oci_winograd_finish(const oci_winograd *w, const float *kept, float *weights);

#endif
