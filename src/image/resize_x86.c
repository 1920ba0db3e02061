/* Whether resize_avx2.c can run; kept apart, since this file must run on every x86.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

bool oci_resize_is_fast(void) {
    return oc_cpu_has_avx2();
}
