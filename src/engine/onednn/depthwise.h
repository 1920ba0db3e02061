/* Depthwise 3 x 3 convolutions in training, of our own: each plane's input is made again,
 * convolved and its batch statistics taken in one pass over memory; on the way back the incoming
 * gradient, both of the convolution's and the sums of the batch norm before it in another. The
 * library's are separate passes.
 *
 * Results do not depend on the number of threads. conv.c calls these for the whole batch at once;
 * they need nothing of the plan but its library's scratch.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_DEPTHWISE_H
#define OC_ENGINE_DEPTHWISE_H

#include "engine/onednn/onednn_int.h"

/* Is it one of those? Stride 1 or 2, no bias, the only reader of its input. */
bool oci_depthwise_takes(const oci_plan *plan, const oci_unit *unit, const oci_conv_shape *s);
/* Bytes of scratch. */
size_t oci_depthwise_scratch(const oci_plan *plan, const oci_unit *unit);
const char *oci_depthwise_kernel(void);
/* weights, and their gradient, which is overwritten: (c, 3, 3) */
void oci_depthwise_forward(oci_plan *plan, const oci_unit *unit, const float *weights);
void oci_depthwise_backward(oci_plan *plan, const oci_unit *unit, const float *weights,
                            float *gradient);

#endif
