/* What the files of the predict room share. Private to `predict`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_PREDICT_INT_H
#define OC_PREDICT_INT_H

#include "predict/predict.h"

/* The k best of (classes) logits with their probabilities, softmax(logits / temperature), best
 * first, ties by class number. 1 <= k <= classes. False when a logit is not finite. */
bool oci_rank(const float *logits, size_t classes, double temperature, int k, oc_ranked *ranked);
/* p (classes) = softmax(logits / temperature). False when a logit is not finite. */
bool oci_softmax(const float *logits, size_t classes, double temperature, float *p);

/* A batch of files on its way from disk to pixels. */
typedef struct oci_pack {
    float *pixels;                /* (batch, channels, height, width), for lists of files */
    float *into;                  /* where they are decoded to: pixels, or a plan's input */
    oc_status *status;            /* (batch) */
    oc_error *error;              /* (batch) of the files that failed */
    const char *const *paths;     /* what is decoded: files ... */
    const oc_image_bytes *images; /* ... or, where paths is NULL, images in memory */
    size_t n;                     /* files in it, at most batch */
} oci_pack;

enum { OCI_SMALLER_PLANS = 20 };

struct oc_predictor {
    const oc_model *model;
    oc_plan *plan;                       /* for `batch` images */
    oc_plan *smaller[OCI_SMALLER_PLANS]; /* i: for 2^i images; made when asked for */
    int threads;                         /* of the plans, as given */
    oc_renderer *
        *renderer; /* (workers); those behind the first are made when there are many files */
    int workers;
    int batch;
    size_t image_floats; /* channels x height x width */
    oci_pack pack[2];    /* one is decoded while the other runs; made for the first list of files */
};

/* The plan for n images, n <= batch (plans.c). Borrowed. */
OC_MUST_CHECK oc_status oci_plans_get(oc_predictor *p, size_t n, oc_plan **out, oc_error *err);
void oci_plans_free(oc_predictor *p);

/* ---- explaining -------------------------------------------------------------------------------
 */

/* A network cut for Grad-CAM (explain_graph.c). The tail begins with the map, to whose channels a
 * zero is added, and its output has the logits and behind them one that swallows all probability:
 * the gradient of its loss with label c is then that of minus the logit c, and that of the added
 * zero of a channel the sum of the gradient over the channel's places. */
typedef struct oci_cut {
    oc_graph *body, *tail;
    oc_tensors *weights;         /* of the tail; most are views of the model's */
    int channels, height, width; /* of the map */
    char layer[OC_NAME_BYTES];
} oci_cut;
#define OCI_ZERO_PARAM "ocellus.explain.map.bias"
OC_MUST_CHECK oc_status oci_cut_new(oci_cut *out, const oc_model *model, oc_error *err);
void oci_cut_clear(oci_cut *cut);

struct oc_explainer {
    const oc_model *model;
    oc_plan *body, *tail;
    oc_tensors *grads; /* of the tail: one tensor, (channels) */
    const float *grad; /* in it */
    int channels, height, width;
    char layer[OC_NAME_BYTES];
    float *heat; /* (height, width) */
    /* for photos */
    oc_renderer *renderer;
    float *pixels; /* (channels, height, width) of the recipe */
    oc_decoder *decoder;
    oc_resizer resizer;
    oc_image decoded, photo;
};

/* Paint heat on an RGB photo (explain_draw.c); `window` is what of it the network was shown. */
void oci_paint_heat(oc_image *photo, const oc_heat *heat, const oc_window *window);

#endif
