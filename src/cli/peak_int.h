/* The limits of this machine, against which a speed is judged: multiply-adds and memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_PEAK_INT_H
#define OC_CLI_PEAK_INT_H

#include "base/base.h"

typedef struct oci_peak {
    double fma_gflops;  /* float multiply-adds, two operations each, all threads together */
    double memory_gbps; /* copying blocks beyond any cache: bytes read + written */
} oci_peak;

/* Measure on `threads` threads (0 = all cores): the best of some short runs, about a second. */
OC_MUST_CHECK oc_status oci_peak_measure(oci_peak *out, int threads, oc_error *err);

#endif
