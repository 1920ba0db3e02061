/* What the server says of itself: health, readiness, metrics, its models.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/server_int.h"

/* ---- health -----------------------------------------------------------------------------------
 */

oc_status oci_run_health(oci_exchange *x, oc_error *err) {
    return oci_answer_json(x, 200, json_pack("{s:s}", "status", "ok"), err);
}

oc_status oci_refuse_stopping(oci_exchange *x) {
    oci_retry_after(x, 1);
    return oci_refuse(x, 503, "the server is stopping");
}

oc_status oci_run_ready(oci_exchange *x, oc_error *err) {
    if (atomic_load(&x->server->draining)) return oci_refuse_stopping(x);
    return oci_answer_json(x, 200, json_pack("{s:s}", "status", "ready"), err);
}

oc_status oci_run_metrics(oci_exchange *x, oc_error *err) {
    oci_models *models = x->server->models;
    oci_metrics_write(x->server->metrics, &x->answer);
    oci_metrics_gauge(&x->answer, "ocellus_build_info", "The program that answers.", "version",
                      OC_VERSION, 1);
    oci_metrics_gauge(&x->answer, "ocellus_upload_bytes",
                      "Memory that resumable uploads take, as they were announced.", NULL, NULL,
                      (double)oci_uploads_held(x->server->uploads));
    for (size_t i = 0; i < oci_models_count(models); i++) {
        oci_served *s = oci_models_take_at(models, i);
        oci_metrics_gauge(&x->answer, "ocellus_queue_photos",
                          i == 0 ? "Photos that wait for a model." : NULL, "model", s->name,
                          (double)oci_queue_waiting(s->queue));
        oci_models_give(models, s);
    }
    OC_TRY(oc_buf_status(&x->answer, err));
    x->status = 200;
    x->answer_type = "text/plain; version=0.0.4; charset=utf-8";
    return OC_OK;
}

/* ---- models -----------------------------------------------------------------------------------
 */

/* Are there thumbnails of classes? Not of very many. */
static bool has_examples(const oci_served *s) {
    char path[OC_PATH_BYTES];
    return oc_path_join(path, s->folder, OC_EXAMPLES_FOLDER, NULL) == OC_OK && oc_path_is_dir(path);
}

static json_t *brief_json(const oci_served *s, bool is_default) {
    const oc_model *m = s->model;
    return json_pack("{s:s, s:s*, s:I, s:b, s:b, s:[i, i]}", "name", s->name, "arch", m->arch,
                     "classes", (json_int_t)m->classes.count, "default", (int)is_default,
                     "examples", (int)has_examples(s), "size", m->recipe.width, m->recipe.height);
}

oc_status oci_run_models(oci_exchange *x, oc_error *err) {
    oci_models *models = x->server->models;
    json_t *list = json_array();
    for (size_t i = 0; i < oci_models_count(models); i++) {
        oci_served *s = oci_models_take_at(models, i);
        (void)json_array_append_new(list, brief_json(s, i == 0));
        oci_models_give(models, s);
    }
    return oci_answer_json(x, 200, json_pack("{s:o}", "models", list), err);
}

/* Path of the thumbnail of a class; false where there is none. */
static bool example_path(const oci_served *s, size_t class, char path[OC_PATH_BYTES]) {
    char name[64];
    (void)snprintf(name, sizeof name, OC_EXAMPLES_FOLDER "/%zu.jpg", class);
    return oc_path_join(path, s->folder, name, NULL) == OC_OK && oc_path_is_file(path);
}

static json_t *classes_json(const oci_served *s) {
    const oc_classes *classes = &s->model->classes;
    char path[OC_PATH_BYTES], url[OC_PATH_BYTES];
    bool any = has_examples(s);
    json_t *list = json_array();
    for (size_t i = 0; i < classes->count; i++) {
        bool example = any && example_path(s, i, path);
        (void)snprintf(url, sizeof url, "/v1/models/%s/examples/%zu", s->name, i);
        (void)json_array_append_new(
            list, json_pack("{s:I, s:s, s:s*, s:s*, s:s*}", "class", (json_int_t)i, "label",
                            classes->items[i].label, "name", classes->items[i].display, "id",
                            classes->items[i].id, "example", example ? url : NULL));
    }
    return list;
}

static json_t *number_or_null(double value) {
    return value > 0 ? oc_json_real(value) : json_null();
}

/* The numbers of metrics.json without its tables. */
static json_t *scores_json(const json_t *metrics) {
    const char *key = NULL;
    json_t *value = NULL, *scores = NULL;
    if (metrics == NULL) return json_null();
    scores = json_object();
    json_object_foreach((json_t *)(uintptr_t)metrics, key, value) {
        if (json_is_number(value)) (void)json_object_set(scores, key, value);
    }
    return scores;
}

static json_t *model_json(const oci_served *s, bool is_default, oc_error *err) {
    const oc_model *m = s->model;
    json_t *recipe = NULL;
    if (oc_recipe_to_json(&m->recipe, &recipe, err) != OC_OK) return NULL;
    return json_pack("{s:s, s:s*, s:b, s:o, s:o, s:o, s:o, s:o, s:O?, s:s?}", "name", s->name,
                     "arch", m->arch, "default", (int)is_default, "classes", classes_json(s),
                     "recipe", recipe, "temperature", oc_json_real(m->temperature), "threshold",
                     number_or_null(m->threshold), "metrics", scores_json(m->metrics), "origin",
                     m->origin, "card", s->card);
}

static oc_status no_such_model(oci_exchange *x) {
    return oci_refuse(x, 404, "there is no model \"%.100s\"; /v1/models lists them", x->arg[0]);
}

static oc_status tell_model(oci_exchange *x, oc_error *err) {
    oci_models *models = x->server->models;
    oci_served *first = oci_models_take_at(models, 0);
    oci_served *s = oci_models_take(models, x->arg[0]);
    oc_status status =
        s == NULL ? no_such_model(x)
                  : oci_answer_json(x, 200, model_json(s, s->name == first->name, err), err);
    if (s != NULL) oci_models_give(models, s);
    oci_models_give(models, first);
    if (status == OC_OK) oci_answer_pack(x);
    return status;
}

/* By the clerk: there may be 300,000 classes. */
oc_status oci_run_model(oci_exchange *x, oc_error *err) {
    (void)err;
    oci_aside(x, x->server->clerk, tell_model, NULL);
    return OC_OK;
}

static oc_status send_example(oci_exchange *x, const oci_served *s, oc_error *err) {
    enum { MOST_BYTES = 1 << 20 };
    char path[OC_PATH_BYTES];
    char *bytes = NULL;
    size_t size = 0;
    int64_t class = 0;
    int64_t last = (int64_t)s->model->classes.count - 1;
    if (!oc_parse_i64(x->arg[1], 0, last, &class) || !example_path(s, (size_t) class, path))
        return oci_refuse(x, 404, "the model has no example of class \"%.50s\"", x->arg[1]);
    const char *label = oci_query(x, "label"), *now = s->model->classes.items[class].label;
    if (label != NULL && strcmp(label, now) != 0)
        return oci_refuse(x, 404, "class %lld is \"%.100s\" by now: the model was trained anew",
                          (long long)class, now);
    OC_TRY(oc_file_read(path, MOST_BYTES, &bytes, &size, err));
    oc_status status = oci_answer_text(x, 200, "image/jpeg", bytes, size, err);
    oci_answer_header(x, "Cache-Control", label != NULL ? "public, max-age=86400" : "no-cache");
    oc_free(bytes);
    return status;
}

oc_status oci_run_example(oci_exchange *x, oc_error *err) {
    oci_models *models = x->server->models;
    oci_served *s = oci_models_take(models, x->arg[0]);
    if (s == NULL) return no_such_model(x);
    oc_status status = send_example(x, s, err);
    oci_models_give(models, s);
    return status;
}

/* ---- what the page needs ----------------------------------------------------------------------
 */

/* Pixels worth sending: what the recipe resizes to, twice, so that its own reduction decides. */
static json_t *upload_json(const oc_recipe *r) {
    int width = r->width, height = r->height;
    if (r->fit == OC_FIT_CROP) width = height = r->resize_side;
    if (r->fit == OC_FIT_SQUASH && r->resize_width > 0) {
        width = r->resize_width;
        height = r->resize_height;
    }
    return json_pack("{s:i, s:i}", "width", 2 * width, "height", 2 * height);
}

oc_status oci_run_config(oci_exchange *x, oc_error *err) {
    oci_models *models = x->server->models;
    const oc_serve_options *o = &x->server->options;
    json_t *names = json_array();
    for (size_t i = 0; i < oci_models_count(models); i++) {
        oci_served *s = oci_models_take_at(models, i);
        (void)json_array_append_new(names, json_string(s->name));
        oci_models_give(models, s);
    }
    oci_served *first = oci_models_take_at(models, 0);
    json_t *config = json_pack(
        "{s:s, s:o, s:s, s:b, s:b, s:i, s:I, s:o, s:o}", "version", OC_VERSION, "models", names,
        "default", first->name, "keep", x->server->db != NULL, "keys", x->server->keys != NULL,
        "max_images", OCI_MAX_IMAGES, "max_bytes", (json_int_t)o->max_body, "upload",
        upload_json(&first->model->recipe), "blur_degrees", oc_json_real(o->blur));
    oci_models_give(models, first);
    return oci_answer_json(x, 200, config, err);
}
