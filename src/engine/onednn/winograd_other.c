/* Which inner loops of winograd.c run where the processor is no x86.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/winograd_int.h"

const oci_wino_loops *oci_wino_loops_here(void) {
    return &oci_wino_plain;
}
