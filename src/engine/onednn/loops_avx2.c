/* The inner loops for x86 with AVX2 and FMA: built with -mavx2 -mfma, so nothing in it may run
 * before the processor was asked (loops_x86.c). Its plain twin is loops_plain.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/loops_table.h"

const oci_loops oci_loops_avx2 = OCI_LOOPS("AVX2");
