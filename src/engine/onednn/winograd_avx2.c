/* winograd_loops.h for x86 with AVX2 and FMA: built with -mavx2 -mfma, so nothing in it may run
 * before the processor was asked (winograd_x86.c). Its plain twin is winograd_plain.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/winograd_loops.h"

const oci_wino_loops oci_wino_avx2 = {
    .name = "own winograd AVX2",
    .source = source,
    .gradient = gradient,
    .result = result,
    .product = product,
    .weights = weights,
    .weight_gradient = weight_gradient,
};
