/* The engine's hand-made inner loops: written once with the compiler's vectors of 8 floats
 * (*_loops.h), compiled twice, loops_plain.c for any processor and loops_avx2.c for x86 with AVX2
 * and FMA. (Left to itself the compiler vectorised some across pixels with shuffles, ten times
 * slower.)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_LOOPS_H
#define OC_ENGINE_LOOPS_H

#include "engine/onednn/depthwise_int.h"
#include "engine/onednn/packed_int.h"
#include "engine/onednn/pool_int.h"
#include "engine/onednn/row_int.h"
#include "engine/onednn/winograd_int.h"

typedef struct oci_loops {
    oci_wino_loops winograd;
    oci_packed_loops packed;
    oci_pool_loops pool;
    oci_row_loops row;
    oci_depth_loops depthwise;
} oci_loops;

extern const oci_loops oci_loops_plain, oci_loops_avx2;
/* The fastest that this processor runs. */
const oci_loops *oci_loops_here(void);

#endif
