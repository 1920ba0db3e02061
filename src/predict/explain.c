/* Grad-CAM: the map of the last layer that still knows places, its channels weighted by how much
 * each raises the logit of a class.
 *
 *   alpha_k = sum over (i, j) of d y_c / d A_kij        heat = max(0, sum over k of alpha_k A_k)
 *
 * (Selvaraju et al. 2017, equations 1 and 2, without the 1/Z that scaling to 0..1 takes out again.)
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "predict/predict_int.h"

enum { SIDE = 400 }; /* of the picture, at most */

/* ---- life -------------------------------------------------------------------------------------
 */

static oc_status make_body(oc_explainer *e, const oci_cut *cut, const char *engine, int threads,
                           oc_error *err) {
    const oc_plan_options options = {.mode = OC_MODE_INFER,
                                     .batch = 1,
                                     .height = e->model->recipe.height,
                                     .width = e->model->recipe.width,
                                     .threads = threads,
                                     .borrow = true};
    OC_TRY(oc_plan_new(&e->body, engine, cut->body, &options, err));
    return oc_plan_import(e->body, OC_SLOT_WEIGHTS, e->model->weights, err);
}

static oc_status make_tail(oc_explainer *e, const oci_cut *cut, const char *engine, int threads,
                           oc_error *err) {
    size_t count = (size_t)oc_graph_param_count(cut->tail);
    bool *trained = oc_calloc(count, sizeof *trained);
    if (trained == NULL) return oc_fail_nomem(err, count, "an explanation");
    for (size_t i = 0; i < count; i++)
        trained[i] = strcmp(oc_graph_param(cut->tail, (int)i)->name, OCI_ZERO_PARAM) == 0;
    const oc_plan_options options = {.mode = OC_MODE_TRAIN,
                                     .batch = 1,
                                     .height = cut->height,
                                     .width = cut->width,
                                     .threads = threads,
                                     .freeze_stats = true,
                                     .trained = trained};
    oc_status status = oc_plan_new(&e->tail, engine, cut->tail, &options, err);
    oc_free(trained);
    if (status != OC_OK) return status;
    return oc_plan_import(e->tail, OC_SLOT_WEIGHTS, cut->weights, err);
}

static oc_status make_room(oc_explainer *e, const oci_cut *cut, oc_error *err) {
    const oc_recipe *r = &e->model->recipe;
    const oc_shape shape = oc_shape_1d(cut->channels);
    const oc_image_limits limits = {0};
    oc_tensor *grad = NULL;
    e->channels = cut->channels;
    e->height = cut->height;
    e->width = cut->width;
    memcpy(e->layer, cut->layer, sizeof e->layer);
    OC_TRY(oc_tensors_new(&e->grads, err));
    OC_TRY(oc_tensors_add(e->grads, OCI_ZERO_PARAM, OC_F32, &shape, &grad, err));
    e->grad = grad->data;
    e->heat = oc_calloc((size_t)e->height * (size_t)e->width, sizeof *e->heat);
    size_t bytes = (size_t)r->channels * (size_t)r->height * (size_t)r->width * sizeof(float);
    e->pixels = oc_malloc_aligned(bytes);
    if (e->heat == NULL || e->pixels == NULL) return oc_fail_nomem(err, bytes, "an explanation");
    OC_TRY(oc_renderer_new(&e->renderer, r, &limits, err));
    return oc_decoder_new(&e->decoder, err);
}

static oc_status set_up(oc_explainer *e, const char *engine, int threads, oc_error *err) {
    oci_cut cut;
    oc_status status = OC_OK;
    OC_TRY(oci_cut_new(&cut, e->model, err));
    OC_GOTO(make_body(e, &cut, engine, threads, err));
    OC_GOTO(make_tail(e, &cut, engine, threads, err));
    status = make_room(e, &cut, err);
done:
    oci_cut_clear(&cut);
    return status;
}

oc_status oc_explainer_new(oc_explainer **out, const oc_model *model, const char *engine,
                           int threads, oc_error *err) {
    *out = NULL;
    oc_explainer *e = oc_calloc(1, sizeof *e);
    if (e == NULL) return oc_fail_nomem(err, sizeof *e, "an explanation");
    e->model = model;
    oc_status status = set_up(e, engine, threads, err);
    if (status == OC_OK) {
        *out = e;
    } else {
        oc_explainer_free(e);
    }
    return status;
}

void oc_explainer_free(oc_explainer *e) {
    if (e == NULL) return;
    oc_plan_free(e->body);
    oc_plan_free(e->tail);
    oc_tensors_free(e->grads);
    oc_free(e->heat);
    oc_renderer_free(e->renderer);
    oc_free_aligned(e->pixels);
    oc_decoder_free(e->decoder);
    oc_resizer_clear(&e->resizer);
    oc_image_clear(&e->decoded);
    oc_image_clear(&e->photo);
    oc_free(e);
}

const char *oc_explainer_layer(const oc_explainer *e) {
    return e->layer;
}

/* ---- heat -------------------------------------------------------------------------------------
 */

/* map (channels, height, width). The loss falls as the logit grows. */
static double heat_at(const oc_explainer *e, const float *map, size_t place) {
    size_t area = (size_t)e->height * (size_t)e->width;
    double sum = 0;
    for (int k = 0; k < e->channels; k++)
        sum -= (double)e->grad[k] * (double)map[(size_t)k * area + place];
    return sum;
}

static oc_status weigh(oc_explainer *e, const float *map, oc_error *err) {
    size_t area = (size_t)e->height * (size_t)e->width;
    double most = 0;
    for (size_t i = 0; i < area; i++) {
        double heat = heat_at(e, map, i);
        if (!isfinite(heat))
            return oc_fail(err, OC_ENUMERIC, "the gradient at layer '%s' is not finite", e->layer);
        e->heat[i] = (float)heat;
        if (heat > most) most = heat;
    }
    for (size_t i = 0; i < area; i++)
        e->heat[i] = most > 0 && e->heat[i] > 0 ? e->heat[i] / (float)most : 0;
    return OC_OK;
}

oc_status oc_explain_pixels(oc_explainer *e, const float *pixels, int32_t label, oc_heat *out,
                            oc_error *err) {
    const oc_targets targets = {.label = &label};
    oc_result result;
    if (label < 0 || (size_t)label >= e->model->classes.count)
        return oc_fail(err, OC_EUSAGE, "class number %d: the model has 0 to %zu", label,
                       e->model->classes.count - 1);
    OC_TRY(oc_plan_forward(e->body, pixels, 1, 0, NULL, NULL, err));
    const float *map = oc_plan_output(e->body);
    OC_TRY(oc_plan_forward(e->tail, map, 1, 0, &targets, &result, err));
    OC_TRY(oc_plan_backward(e->tail, err));
    OC_TRY(oc_plan_export(e->tail, OC_SLOT_GRADS, e->grads, err));
    OC_TRY(weigh(e, map, err));
    *out = (oc_heat){.values = e->heat, .height = e->height, .width = e->width};
    return OC_OK;
}

/* ---- the picture ------------------------------------------------------------------------------
 */

/* The photo in colour, its longer side at most SIDE. */
static oc_status shrink(oc_explainer *e, const void *bytes, size_t size, oc_image_info *info,
                        oc_error *err) {
    oc_decode_options options = {.background = {255, 255, 255}};
    oc_resize how = {.filter = OC_FILTER_BILINEAR};
    OC_TRY(oc_image_probe(bytes, size, &options.limits, info, err));
    double longer = info->width > info->height ? info->width : info->height;
    double share = longer > SIDE ? SIDE / longer : 1;
    how.full_width = (int)fmax(1, round(info->width * share));
    how.full_height = (int)fmax(1, round(info->height * share));
    options.min_width = how.full_width;
    options.min_height = how.full_height;
    OC_TRY(oc_decode(e->decoder, bytes, size, &options, &e->decoded, NULL, err));
    return oc_image_resize(&e->resizer, &e->decoded, &how, &e->photo, err);
}

oc_status oc_explain(oc_explainer *e, const void *bytes, size_t size, int32_t label, oc_buf *png,
                     oc_error *err) {
    oc_image_info info;
    oc_window window;
    oc_heat heat;
    OC_TRY(oc_render(e->renderer, bytes, size, NULL, NULL, e->pixels, err));
    OC_TRY(oc_explain_pixels(e, e->pixels, label, &heat, err));
    OC_TRY(shrink(e, bytes, size, &info, err));
    OC_TRY(oc_recipe_window(&e->model->recipe, info.width, info.height, &window, err));
    oci_paint_heat(&e->photo, &heat, &window);
    return oc_encode_png(&e->photo, png, err);
}
