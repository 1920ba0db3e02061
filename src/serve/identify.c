/* POST /v1/identify: photos in, names out.
 *
 * Several photos of one thing are fused by the mean of their calibrated probabilities: the sum
 * rule, which suffers least when one of the photos misleads (Kittler et al., "On Combining
 * Classifiers", 1998). Photos are looked at before they wait (kind, size), so that what cannot be
 * used costs no one a place in the queue. SPDX-License-Identifier: BSD-2-Clause */
#include "serve/identify_int.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum { DEFAULT_TOP = 5, MAX_TOP = 100 };

static void free_identification(void *work) {
    oci_identification *d = work;
    if (d->served != NULL) oci_models_give(d->x->server->models, d->served);
    oci_identify_free_uploads(d);
    for (size_t i = 0; i < d->count; i++) oc_buf_clear(&d->photos[i].picture);
    for (size_t i = 0; i < OCI_MAX_IMAGES; i++) oc_buf_clear(&d->pictures[i]);
    oc_free(d->fused);
    oc_free(d->best);
    oc_free(d->probabilities);
    oc_free(d);
}

/* ---- what is asked ----------------------------------------------------------------------------
 */

static oc_status choose_model(oci_identification *d, oc_error *err) {
    oci_models *models = d->x->server->models;
    const char *name = oci_field(d->x, "model");
    oc_buf names = {0};
    d->served = oci_models_take(models, name);
    if (d->served != NULL) return OC_OK;
    oci_models_names(models, &names);
    oc_status status = oc_fail(err, OC_ENOTFOUND, "there is no model \"%.100s\"; there are: %s",
                               name, names.data != NULL ? names.data : "");
    oc_buf_clear(&names);
    return status;
}

static oc_status choose_top(oci_identification *d, oc_error *err) {
    const char *text = oci_field(d->x, "top");
    size_t classes = d->served->model->classes.count;
    int64_t top = DEFAULT_TOP;
    if (text != NULL && !oc_parse_i64(text, 1, MAX_TOP, &top))
        return oc_fail(err, OC_EUSAGE, "top \"%.50s\": a number from 1 to %d", text, MAX_TOP);
    d->top = (size_t)top < classes ? (int)top : (int)classes;
    return OC_OK;
}

static oc_status choose_explain(oci_identification *d, oc_error *err) {
    const char *text = oci_field(d->x, "explain");
    int64_t explain = 0;
    if (text != NULL && !oc_parse_i64(text, 0, 1, &explain))
        return oc_fail(err, OC_EUSAGE, "explain \"%.50s\": 0 or 1", text);
    d->explain = explain == 1;
    return OC_OK;
}

static void look_at(oci_identification *d, oci_photo *photo) {
    const oc_image_limits limits = {.max_pixels = d->x->server->options.max_pixels};
    photo->status =
        oc_image_probe(photo->bytes.data, photo->bytes.size, &limits, &photo->info, &photo->error);
}

oc_status oci_identify_add_photo(oci_identification *d, const char *bytes, size_t size,
                                 const char *filename, oc_error *err) {
    if (d->count == OCI_MAX_IMAGES)
        return oc_fail(err, OC_EUSAGE, "more than %d photos: send the best %d", OCI_MAX_IMAGES,
                       OCI_MAX_IMAGES);
    oci_photo *photo = &d->photos[d->count++];
    photo->bytes = (oc_image_bytes){bytes != NULL ? bytes : "", size};
    photo->filename = filename != NULL && *filename != '\0' ? filename : NULL;
    look_at(d, photo);
    return OC_OK;
}

/* A file input that was left empty comes as a part without name and bytes. */
static bool is_blank(const oci_part *part) {
    return part->bytes.size == 0 && part->filename != NULL && *part->filename == '\0';
}

static oc_status gather_photos(oci_identification *d, oc_error *err) {
    oci_exchange *x = d->x;
    size_t organs = 0;
    if (x->part_count == 0 && x->body.size > 0)
        return oci_identify_add_photo(d, x->body.data, x->body.size, NULL, err);
    for (size_t i = 0; i < x->part_count; i++) {
        const oci_part *part = &x->parts[i];
        if (strcmp(part->name, "images") == 0 && !is_blank(part))
            OC_TRY(
                oci_identify_add_photo(d, part->bytes.data, part->bytes.size, part->filename, err));
    }
    OC_TRY(oci_identify_add_uploads(d, err));
    for (size_t i = 0; i < x->part_count && organs < d->count; i++)
        if (strcmp(x->parts[i].name, "organs") == 0 && x->parts[i].bytes.data != NULL)
            d->photos[organs++].organ = x->parts[i].bytes.data;
    if (d->count > 0) return OC_OK;
    return oc_fail(
        err, OC_EUSAGE,
        "no photo: send 1 to %d as \"images\" of a multipart/form-data form, or one as the "
        "body itself, or name finished \"uploads\"",
        OCI_MAX_IMAGES);
}

/* A raw body is to be an image by its type; what it is by its bytes, the image room says. */
static bool type_is_good(const oci_exchange *x) {
    static const char *const good[] = {"image/", "multipart/form-data", "application/octet-stream",
                                       "application/x-www-form-urlencoded"};
    for (size_t i = 0; x->type != NULL && i < sizeof good / sizeof good[0]; i++)
        if (strncasecmp(x->type, good[i], strlen(good[i])) == 0) return true;
    return false;
}

/* ---- through the queue ------------------------------------------------------------------------
 */

static oc_status prepare_job(oci_identification *d, oc_error *err) {
    size_t classes = d->served->model->classes.count, n = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->photos[i].status != OC_OK) continue;
        d->photo_of[n] = i;
        d->images[n++] = d->photos[i].bytes;
    }
    d->probabilities = oc_calloc(n > 0 ? n : 1, classes * sizeof(float));
    d->fused = oc_calloc(classes, sizeof(float));
    d->best = oc_calloc((size_t)d->top, sizeof *d->best);
    if (d->probabilities == NULL || d->fused == NULL || d->best == NULL)
        return oc_fail_nomem(err, classes * sizeof(float), "an identification");
    d->job = (oci_job){.images = d->images,
                       .n = n,
                       .probabilities = d->probabilities,
                       .status = d->status,
                       .errors = d->errors};
    return OC_OK;
}

oc_status oci_identify_start(oci_exchange *x, oci_step then, oc_error *err) {
    if (!type_is_good(x))
        return oci_refuse(x, 415,
                          "the Content-Type \"%.100s\": send multipart/form-data, or one image as "
                          "image/jpeg, image/png or image/webp",
                          x->type != NULL ? x->type : "");
    oci_identification *d = oc_calloc(1, sizeof *d);
    if (d == NULL) return oc_fail_nomem(err, sizeof *d, "an identification");
    d->x = x;
    x->work = d;
    x->free_work = free_identification;
    OC_TRY(oci_wish_read(x, &d->wish, err));
    OC_TRY(choose_model(d, err));
    OC_TRY(choose_top(d, err));
    OC_TRY(choose_explain(d, err));
    OC_TRY(gather_photos(d, err));
    OC_TRY(oci_keep_check(d, err));
    OC_TRY(prepare_job(d, err));
    if (d->job.n > 0)
        oci_submit(x, d->served, &d->job, then);
    else /* no photo can be read: the answer is the first one's error */
        (void)oci_identify_finish(x);
    return OC_OK;
}

/* ---- and back ---------------------------------------------------------------------------------
 */

static void fuse(oci_identification *d) {
    size_t classes = d->served->model->classes.count, used = 0;
    for (size_t i = 0; i < d->job.n; i++) {
        oci_photo *photo = &d->photos[d->photo_of[i]];
        photo->status = d->status[i];
        photo->error = d->errors[i];
        photo->probabilities = d->probabilities + i * classes;
        if (photo->status != OC_OK) continue;
        used++;
        for (size_t c = 0; c < classes; c++) d->fused[c] += photo->probabilities[c];
    }
    for (size_t c = 0; used > 0 && c < classes; c++) d->fused[c] /= (float)used;
}

bool oci_identify_finish(oci_exchange *x) {
    oci_identification *d = x->work;
    const oc_model *model = d->served->model;
    if (x->status != 0) return false;
    fuse(d);
    bool any = false;
    for (size_t i = 0; i < d->count; i++) any = any || d->photos[i].status == OC_OK;
    if (!any) {
        oci_answer_error(x, &d->photos[0].error);
        return false;
    }
    oc_rank(d->fused, model->classes.count, d->top, d->best);
    d->unknown = (double)d->best[0].p < model->threshold;
    return true;
}

/* ---- as JSON ----------------------------------------------------------------------------------
 */

static json_t *result_json(const oc_class *class, const oc_ranked *ranked) {
    return json_pack("{s:s, s:s*, s:s*, s:o, s:i}", "label", class->label, "name", class->display,
                     "id", class->id, "p", oc_json_real(round(1e6 * (double)ranked->p) / 1e6),
                     "class", (int)ranked->label);
}

json_t *oci_results_json(const oc_model *model, const oc_ranked *ranked, int k) {
    json_t *results = json_array();
    for (int i = 0; results != NULL && i < k; i++) {
        json_t *one = result_json(&model->classes.items[ranked[i].label], &ranked[i]);
        if (json_array_append_new(results, one) == 0) continue;
        json_decref(results);
        return NULL;
    }
    return results;
}

static json_t *photo_json(const oci_identification *d, size_t i) {
    const oci_photo *photo = &d->photos[i];
    const oc_model *model = d->served->model;
    oc_ranked ranked[MAX_TOP];
    json_t *rest = NULL;
    if (photo->status == OC_OK) {
        oc_rank(photo->probabilities, model->classes.count, d->top, ranked);
        rest = json_pack("{s:i, s:i, s:o}", "width", photo->info.width, "height",
                         photo->info.height, "results", oci_results_json(model, ranked, d->top));
    } else {
        rest = json_pack("{s:o}", "error",
                         oci_problem_json(oc_status_http(photo->status),
                                          oc_status_name(photo->status), photo->error.message));
    }
    json_t *all = json_pack("{s:i, s:o*, s:o*}", "index", (int)i, "filename",
                            photo->filename != NULL ? oc_json_text(photo->filename) : NULL, "organ",
                            photo->organ != NULL ? oc_json_text(photo->organ) : NULL);
    json_t *why = NULL;
    bool explained = d->explain && photo->status == OC_OK;
    if (explained) why = oci_explain_json(photo);
    bool whole = rest != NULL && all != NULL && (why != NULL || !explained) &&
                 json_object_update(all, rest) == 0 &&
                 (!explained || json_object_update(all, why) == 0);
    json_decref(why);
    json_decref(rest);
    if (whole) return all;
    json_decref(all);
    return NULL;
}

static json_t *photos_json(const oci_identification *d) {
    json_t *photos = json_array();
    for (size_t i = 0; photos != NULL && i < d->count; i++) {
        if (json_array_append_new(photos, photo_json(d, i)) == 0) continue;
        json_decref(photos);
        return NULL;
    }
    return photos;
}

static json_t *identification_json(const oci_identification *d) {
    const oc_model *model = d->served->model;
    json_t *threshold = model->threshold > 0 ? oc_json_real(model->threshold) : json_null();
    const bool kept = *d->kept_id != '\0';
    return json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:s, s:o, s:b, s:s*}", "id",
                     kept ? d->kept_id : d->x->id, "model", d->served->name, "results",
                     oci_results_json(model, d->best, d->top), "unknown", (int)d->unknown,
                     "threshold", threshold, "temperature", oc_json_real(model->temperature),
                     "fusion", "mean of probabilities", "images", photos_json(d), "kept", (int)kept,
                     "token", kept ? d->token : NULL);
}

void oci_identify_count(const oci_identification *d) {
    oci_metrics_count(d->x->server->metrics, d->unknown ? OCI_COUNT_UNKNOWN : OCI_COUNT_NAMED, 1);
}

static oc_status send_identification(oci_exchange *x, oc_error *err) {
    oci_identify_count(x->work);
    return oci_answer_json(x, 200, identification_json(x->work), err);
}

static oc_status keep_and_send(oci_exchange *x, oc_error *err) {
    return oci_keep_start(x->work, send_identification) ? OC_OK : send_identification(x, err);
}

static oc_status answer_identify(oci_exchange *x, oc_error *err) {
    if (!oci_identify_finish(x)) return OC_OK;
    if (oci_explain_start(x->work, keep_and_send)) return OC_OK;
    return keep_and_send(x, err);
}

oc_status oci_run_identify(oci_exchange *x, oc_error *err) {
    return oci_identify_start(x, answer_identify, err);
}
