/* The inner loops for x86 with AVX2 and FMA: built with -mavx2 -mfma, so nothing in it may run
 * before the processor was asked (loops_x86.c). Its plain twin is loops_plain.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/loops.h"

#include "engine/onednn/pool_loops.h"
#include "engine/onednn/row_loops.h"
#include "engine/onednn/winograd_loops.h"

const oci_loops oci_loops_avx2 = {
    .winograd = {.name = "own winograd AVX2",
                 .source = source,
                 .gradient = gradient,
                 .result = result,
                 .product = product,
                 .weights = weights,
                 .weight_gradient = weight_gradient},
    .pool = {.largest = pool_largest, .to_winners = pool_to_winners},
    .row = {.affine = row_affine,
            .add = row_add,
            .moments = row_moments,
            .grad_moments = row_grad_moments,
            .norm_grad = row_norm_grad,
            .mask = row_mask,
            .accumulate = row_accumulate},
};
