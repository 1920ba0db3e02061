/* All inner loops, and the table of them that a build gives; only loops_plain.c and loops_avx2.c
 * include it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_LOOPS_TABLE_H
#define OC_ENGINE_LOOPS_TABLE_H

#include "engine/onednn/loops.h"

#include "engine/onednn/depthwise_loops.h"
#include "engine/onednn/packed_loops.h"
#include "engine/onednn/pool_loops.h"
#include "engine/onednn/row_loops.h"
#include "engine/onednn/winograd_loops.h"

/* build: a word for people */
#define OCI_LOOPS(build)                                                                           \
    {                                                                                              \
        .winograd = {.name = "own winograd " build,                                                \
                     .source = source,                                                             \
                     .gradient = gradient,                                                         \
                     .result = result,                                                             \
                     .product = product,                                                           \
                     .weights = weights,                                                           \
                     .weight_gradient = weight_gradient},                                          \
        .packed = {.name = "own packed " build, .pack = packed_pack, .product = packed_product},   \
        .pool = {.largest = pool_largest, .to_winners = pool_to_winners},                          \
        .row = {.affine = row_affine,                                                              \
                .add = row_add,                                                                    \
                .moments = row_moments,                                                            \
                .grad_moments = row_grad_moments,                                                  \
                .norm_grad = row_norm_grad,                                                        \
                .mask = row_mask,                                                                  \
                .accumulate = row_accumulate},                                                     \
        .depthwise = {                                                                             \
            .name = "own depthwise " build,                                                        \
            .forward = depth_forward,                                                              \
            .backward = depth_backward                                                             \
        }                                                                                          \
    }

#endif
