/* Which of the inner loops this x86 processor runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/loops.h"

const oci_loops *oci_loops_here(void) {
    return oc_cpu_has_avx2() ? &oci_loops_avx2 : &oci_loops_plain;
}
