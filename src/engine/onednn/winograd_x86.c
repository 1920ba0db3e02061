/* Which inner loops of winograd.c this x86 processor runs. Uses the compiler's CPU test.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/winograd_int.h"

const oci_wino_loops *oci_wino_loops_here(void) {
    bool fast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return fast ? &oci_wino_avx2 : &oci_wino_plain;
}
