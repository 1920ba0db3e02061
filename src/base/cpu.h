/* What the processor can do, as far as loops of our own choose by it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_CPU_H
#define OC_BASE_CPU_H

#include <stdbool.h>

/* AVX2 and FMA are there, and ONEDNN_MAX_CPU_ISA (or its older name DNNL_MAX_CPU_ISA), which limits
 * the maths library, does not rule them out: SSE41 and AVX do. So one variable makes a machine
 * compute as an older one would. */
bool oc_cpu_has_avx2(void);

#endif
