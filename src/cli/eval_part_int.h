/* Which photos of a data set are scored.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_EVAL_PART_INT_H
#define OC_CLI_EVAL_PART_INT_H

#include "model/model.h"

typedef enum oci_want { OCI_WANT_TRAIN, OCI_WANT_VAL, OCI_WANT_TEST, OCI_WANT_ALL } oci_want;

/* The items of ds to be scored (free with oc_free) and words that say which these are. want < 0:
 * the test part where there is one, else the validation part, else - where the model was trained on
 * a part of this very data - the photos that were held out then, else all. A split that the
 * training made is made again from the model's record. OC_EDATA when the part asked for is not
 * there. */
OC_MUST_CHECK oc_status oci_eval_choose(oc_dataset *ds, const oc_model *model, int want,
                                        uint32_t **items, size_t *count, oc_buf *words,
                                        oc_error *err);

#endif
