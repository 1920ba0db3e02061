/* What the files of the predict room share. Private to `predict`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_PREDICT_INT_H
#define OC_PREDICT_INT_H

#include "predict/predict.h"

/* The k best of (classes) logits with their probabilities, softmax(logits / temperature), best
 * first, ties by class number. 1 <= k <= classes. False when a logit is not finite. */
bool oci_rank(const float *logits, size_t classes, double temperature, int k, oc_ranked *ranked);

/* A batch of files on its way from disk to pixels. */
typedef struct oci_pack {
    float *pixels;     /* (batch, channels, height, width) */
    oc_status *status; /* (batch) */
    oc_error *error;   /* (batch) of the files that failed */
    const char *const *paths;
    size_t n; /* files in it, at most batch */
} oci_pack;

struct oc_predictor {
    const oc_model *model;
    oc_plan *plan;
    oc_renderer *
        *renderer; /* (workers); those behind the first are made when there are many files */
    int workers;
    int batch;
    size_t image_floats; /* channels x height x width */
    oci_pack pack[2];    /* one is decoded while the other runs; made for the first list of files */
};

#endif
