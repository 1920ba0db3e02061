/* Processors that are no x86 have no AVX2.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/cpu.h"

bool oc_cpu_has_avx2(void) {
    return false;
}
