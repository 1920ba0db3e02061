/* Which of the inner loops this x86 processor runs. Uses the compiler's CPU test.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/loops.h"

const oci_loops *oci_loops_here(void) {
    bool fast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return fast ? &oci_loops_avx2 : &oci_loops_plain;
}
