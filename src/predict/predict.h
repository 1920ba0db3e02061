/* The face of `predict`: one model, images in, ranked names out.
 *
 * Threads: one predictor per thread; the model is only read and may be shared, and so are the
 * weights of predictors made by oc_predictor_share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_PREDICT_H
#define OC_PREDICT_H

#include "model/model.h"

typedef struct oc_ranked {
    int32_t label; /* class number */
    float p;       /* calibrated probability */
} oc_ranked;

typedef struct oc_predictor oc_predictor;
/* engine NULL = best; threads 0 = all; batch >= 1 images at a time. The model must outlive it. */
OC_MUST_CHECK oc_status oc_predictor_new(oc_predictor **out, const oc_model *model,
                                         const char *engine, int threads, int batch, oc_error *err);
/* Another one of the same model, engine, threads and batch, for another thread: its plans use the
 * weights of `with`, which may be at work meanwhile. Freed in any order. */
OC_MUST_CHECK oc_status oc_predictor_share(oc_predictor **out, const oc_predictor *with,
                                           oc_error *err);
/* Another one for the same thread, with its own number of threads and batch: the two are never at
 * work at the same time, and share memory for activations as well. */
OC_MUST_CHECK oc_status oc_predictor_in_turns(oc_predictor **out, const oc_predictor *with,
                                              int threads, int batch, oc_error *err);
void oc_predictor_free(oc_predictor *p);
/* What its plans hold; shared weights count where they were made. */
oc_plan_memory oc_predictor_memory(const oc_predictor *p);
int oc_predictor_batch(const oc_predictor *p);

/* One image from memory. ranked has room for k (k <= classes), best first. */
OC_MUST_CHECK oc_status oc_predict_bytes(oc_predictor *p, const void *bytes, size_t size, int k,
                                         oc_ranked *ranked, oc_error *err);

/* n images (1 <= n <= batch) at once, as a server has them: decoded in parallel, run by a plan of a
 * size near n, which is made when such an n comes first; later calls allocate nothing for it.
 * ranked (n, k); status (n) and errors (n) tell of images that cannot be read, which fail only
 * themselves and leave their rows of ranked alone. */
typedef struct oc_image_bytes {
    const void *data;
    size_t size;
} oc_image_bytes;
OC_MUST_CHECK oc_status oc_predict_images(oc_predictor *p, const oc_image_bytes *images, size_t n,
                                          int k, oc_ranked *ranked, oc_status *status,
                                          oc_error *errors, oc_error *err);
/* The same, of all classes: probabilities (n, classes) in the order of the model. */
OC_MUST_CHECK oc_status oc_predict_probabilities(oc_predictor *p, const oc_image_bytes *images,
                                                 size_t n, float *probabilities, oc_status *status,
                                                 oc_error *errors, oc_error *err);
/* The same for pixels (n, channels, height, width) that are as the model's recipe makes them. */
OC_MUST_CHECK oc_status oc_predict_pixels(oc_predictor *p, const float *pixels, size_t n,
                                          float *probabilities, oc_status *status, oc_error *errors,
                                          oc_error *err);
/* The k largest of (classes) probabilities, best first, ties by class number. 1 <= k <= classes. */
void oc_rank(const float *probabilities, size_t classes, int k, oc_ranked *ranked);

/* Many files: decoded in parallel, run in batches, reported in order. `each` gets ranked (k of
 * them) or, for a file that could not be read, NULL and the error. A failing file fails only
 * itself. Return false from `each` to stop (OC_ECANCELLED). */
typedef bool (*oc_predict_each)(void *ctx, const char *path, const oc_ranked *ranked, int k,
                                const oc_error *error);
OC_MUST_CHECK oc_status oc_predict_files(oc_predictor *p, const char *const *paths, size_t count,
                                         int k, oc_predict_each each, void *ctx, oc_error *err);

/* ---- why --------------------------------------------------------------------------------------
 */

/* Grad-CAM (Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via gradient-based
 * localization", ICCV 2017): where in a photo the last map of the network speaks for a class. One
 * thread at a time. An explainer has plans of its own: the network's body, and what is behind the
 * map with room for a gradient; the model must outlive it. OC_EUNSUPPORTED for a network that has
 * no map before its last layer. A quantised model is explained as it is, but for what lies behind
 * the map, where values are not rounded. */
typedef struct oc_explainer oc_explainer;
OC_MUST_CHECK oc_status oc_explainer_new(oc_explainer **out, const oc_model *model,
                                         const char *engine, int threads, oc_error *err);
void oc_explainer_free(oc_explainer *e);
const char *oc_explainer_layer(const oc_explainer *e); /* whose map it is; borrowed */

/* 0..1, the largest 1; all 0 where nothing speaks for the class. Borrowed until the next call. */
typedef struct oc_heat {
    const float *values; /* (height, width) over the network's input, from edge to edge */
    int height, width;
} oc_heat;
/* Of pixels (channels, height, width) as the model's recipe makes them. */
OC_MUST_CHECK oc_status oc_explain_pixels(oc_explainer *e, const float *pixels, int32_t label,
                                          oc_heat *out, oc_error *err);
/* Append a PNG: the photo, at most 400 pixels a side, with the heat on it; what the network was not
 * shown is grey. */
OC_MUST_CHECK oc_status oc_explain(oc_explainer *e, const void *bytes, size_t size, int32_t label,
                                   oc_buf *png, oc_error *err);

#endif
