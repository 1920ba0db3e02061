/* What `ocellus quantize` does and finds out.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_QUANTIZE_INT_H
#define OC_CLI_QUANTIZE_INT_H

#include <signal.h>

#include "eval/eval.h"
#include "progress_int.h"

typedef struct oci_quantize_task {
    const char *folder, *data, *out;
    const char *eval; /* NULL = data */
    int photos;       /* to measure ranges on */
    int ranges;       /* oc_ranges */
    double max_drop;  /* percentage points */
    int batch;        /* of the measurement of speed */
    int threads;      /* 0 = all */
    const char *engine;
    bool json;
    oci_progress *progress;
    const volatile sig_atomic_t *stop;
} oci_quantize_task;

typedef struct oci_quantize_side {
    double accuracy; /* 0..1 */
    double rate;     /* images a second */
    uint64_t bytes;  /* of the file of weights */
} oci_quantize_side;

typedef struct oci_quantize_result {
    oci_quantize_side before, after;
    size_t photos;    /* that the ranges were measured on */
    size_t scored;    /* photos */
    double agreement; /* share of them with the same best class */
} oci_quantize_result;

/* Quantise, score, time, and save where accuracy allows; OC_EDATA where it does not. */
OC_MUST_CHECK oc_status oci_quantize_run(oci_quantize_result *out, const oci_quantize_task *task,
                                         oc_error *err);

#endif
