/* The size of the OpenMP team, where there is OpenMP.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <omp.h>

#include "engine/engine_int.h"

int oci_threads_use(int threads) {
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    return before;
}
