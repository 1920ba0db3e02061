/* The inner loops for x86 with AVX2 and FMA: built with -mavx2 -mfma, so nothing in it may run
 * before the processor was asked (loops_x86.c). Its plain twin is loops_plain.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

/* Said outright: what the compiler makes of a * b + c moves a sum to another register each time. */
#define OCI_MULTIPLY_ADD(a, b, c) ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))

#include "engine/onednn/loops_table.h"

const oci_loops oci_loops_avx2 = OCI_LOOPS("AVX2");
