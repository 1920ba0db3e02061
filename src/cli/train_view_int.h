/* What a training run looks like on a terminal.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_TRAIN_VIEW_INT_H
#define OC_CLI_TRAIN_VIEW_INT_H

#include "progress_int.h"
#include "train/train.h"

/* Callbacks of oc_train_observer; ctx is an oci_progress. */
void oci_train_step(void *ctx, const oc_train_progress *p);
void oci_train_epoch(void *ctx, const oc_epoch_summary *s);

/* "data 3% forward 31% backward 62% update 4%", or "fwd", "bwd", "upd" where room is scarce;
 * nothing while there are no times. */
void oci_train_shares(oc_buf *out, const oc_train_times *times, bool brief);

#endif
