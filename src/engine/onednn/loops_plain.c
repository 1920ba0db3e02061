/* The inner loops for any processor; the plain twin of loops_avx2.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/loops_table.h"

const oci_loops oci_loops_plain = OCI_LOOPS("plain");
