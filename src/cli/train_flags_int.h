/* The options of `ocellus train` as a table, and what they come to.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_TRAIN_FLAGS_INT_H
#define OC_CLI_TRAIN_FLAGS_INT_H

#include "options_int.h"
#include "train/train.h"

enum { OCI_MAX_MARKS = 64 };

typedef struct oci_train_flags {
    oc_train_options train;
    int tune, schedule, fit, cache, board; /* words; fit -1 = not given */
    double cache_gigabytes;                /* 0 = not given */
    const char *solver, *weights;          /* of Caffe */
    const char *mean_text, *std_text, *step_text;
    double marks[OCI_MAX_MARKS]; /* of --step-at */
    float mean[3], std[3];
    bool json;
} oci_train_flags;

extern const oci_option oci_train_table[];

void oci_train_flags_init(oci_train_flags *flags);
/* After parsing: words and lists into flags->train, which points into *flags. OC_EUSAGE for options
 * that contradict each other. */
OC_MUST_CHECK oc_status oci_train_flags_finish(oci_train_flags *flags, oc_error *err);

#endif
