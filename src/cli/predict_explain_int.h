/* `predict --explain`: a picture a photo that shows what speaks for its name.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_PREDICT_EXPLAIN_INT_H
#define OC_CLI_PREDICT_EXPLAIN_INT_H

#include "predict/predict.h"

typedef struct oci_explaining {
    const char *folder;
    oc_explainer *explainer;
    size_t count; /* of pictures, which their names begin with */
    char *bytes;  /* of a photo's file, kept */
    size_t capacity;
    oc_buf png;
    char path[OC_PATH_BYTES]; /* of the last picture */
} oci_explaining;

/* The folder is made; all zero is clearable. */
OC_MUST_CHECK oc_status oci_explaining_open(oci_explaining *x, const char *folder,
                                            const oc_model *model, const char *engine, int threads,
                                            oc_error *err);
/* FOLDER/0001-NAME.png for class `label` of the photo: `bytes`, or where that is NULL the file
 * `image`. */
OC_MUST_CHECK oc_status oci_explaining_photo(oci_explaining *x, const char *image,
                                             const oc_buf *bytes, int32_t label, oc_error *err);
void oci_explaining_clear(oci_explaining *x);

#endif
