/* The inner loops for any processor; the plain twin of loops_avx2.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#define OCI_MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#include "engine/onednn/loops_table.h"

const oci_loops oci_loops_plain = OCI_LOOPS("plain");
