/* The team of one, where there is no OpenMP.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine_int.h"

int oci_threads_use(int threads) {
    return threads;
}
