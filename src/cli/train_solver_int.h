/* `ocellus train --solver`: the options that a Caffe solver stands for.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_TRAIN_SOLVER_INT_H
#define OC_CLI_TRAIN_SOLVER_INT_H

#include "interop/interop.h"
#include "options_int.h"
#include "train_flags_int.h"

/* Parse `args` into *flags. Where they name a solver, that is read first: its values hold but for
 * those that the line gives too, which is told; *solver is then the caller's, and *flags points
 * into it. OC_EUSAGE for options that have no place beside a solver. */
OC_MUST_CHECK oc_status oci_train_parse(oci_args *args, oci_train_flags *flags,
                                        oc_caffe_solver **solver, const oc_log *log, oc_error *err);

#endif
