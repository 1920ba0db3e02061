/* Which of the inner loops run where the processor is no x86.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/loops.h"

const oci_loops *oci_loops_here(void) {
    return &oci_loops_plain;
}
