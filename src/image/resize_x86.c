/* Asks the processor whether resize_avx2.c can run; kept apart, since this file must run on every
 * x86. Uses the compiler's CPU test.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

bool oci_resize_is_fast(void) {
    return __builtin_cpu_supports("avx2") != 0;
}
