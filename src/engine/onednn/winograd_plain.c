/* winograd_loops.h for any processor; the plain twin of winograd_avx2.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/winograd_loops.h"

const oci_wino_loops oci_wino_plain = {
    .name = "own winograd plain",
    .source = source,
    .gradient = gradient,
    .result = result,
    .product = product,
    .weights = weights,
    .weight_gradient = weight_gradient,
};
