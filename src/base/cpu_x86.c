/* Asks an x86 processor, and the environment. Uses the compiler's CPU test; this file itself must
 * run on every x86.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <strings.h>

#include "base/cpu.h"

static bool is_allowed(const char *variable) {
    const char *most = getenv(variable);
    return most == NULL || (strcasecmp(most, "SSE41") != 0 && strcasecmp(most, "AVX") != 0);
}

bool oc_cpu_has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           is_allowed("ONEDNN_MAX_CPU_ISA") && is_allowed("DNNL_MAX_CPU_ISA");
}
