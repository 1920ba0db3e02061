/* config.json: what a model is, apart from its numbers.
 *
 *   {"format": "ocellus-model", "version": 1, "arch": "mobilenet_v2", "temperature": 1.3,
 *    "threshold": 0.4, "recipe": {...},
 *    "classes": [{"label": "rose", "display": "Rose", "id": "Q102231"}, ...], "origin": {...}}
 *
 * arch, temperature, threshold, origin, display and id may be absent. Other members are left alone:
 * people add notes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/model_int.h"

#define FORMAT "ocellus-model"

enum { VERSION = 1, MAX_CLASSES = 1 << 24, MAX_LABEL_BYTES = 4096 };

/* ---- writing ---- */

static oc_status put_text(json_t *o, const char *key, const char *text, oc_error *err) {
    if (text == NULL) return OC_OK;
    if (!oc_is_utf8(text, strlen(text))) {
        return oc_fail(err, OC_EDATA,
                       "the class %s \"%.200s\" is not UTF-8, so no model can name it: rename it",
                       key, text);
    }
    return oci_json_put(o, key, json_string(text), err);
}

static oc_status put_classes(json_t *o, const oc_classes *classes, oc_error *err) {
    json_t *array = json_array();
    OC_TRY(oci_json_put(o, "classes", array, err));
    for (size_t i = 0; i < classes->count; i++) {
        json_t *item = json_object();
        OC_TRY(oci_json_push(array, item, err));
        OC_TRY(put_text(item, "label", classes->items[i].label, err));
        OC_TRY(put_text(item, "display", classes->items[i].display, err));
        OC_TRY(put_text(item, "id", classes->items[i].id, err));
    }
    return OC_OK;
}

static oc_status put_config(json_t *o, const oc_model *model, oc_error *err) {
    json_t *recipe = NULL;
    OC_TRY(oci_json_put(o, "format", json_string(FORMAT), err));
    OC_TRY(oci_json_put(o, "version", json_integer(VERSION), err));
    if (model->arch != NULL) OC_TRY(oci_json_put(o, "arch", json_string(model->arch), err));
    OC_TRY(oci_json_put(o, "temperature", oc_json_real(model->temperature), err));
    if (model->threshold > 0)
        OC_TRY(oci_json_put(o, "threshold", oc_json_real(model->threshold), err));
    OC_TRY(oc_recipe_to_json(&model->recipe, &recipe, err));
    OC_TRY(oci_json_put(o, "recipe", recipe, err));
    OC_TRY(put_classes(o, &model->classes, err));
    if (model->origin == NULL) return OC_OK;
    return oci_json_put(o, "origin", json_incref(model->origin), err);
}

oc_status oci_config_to_json(const oc_model *model, json_t **out, oc_error *err) {
    json_t *o = json_object();
    *out = NULL;
    if (o == NULL) return oc_fail_nomem(err, 0, OCI_CONFIG_FILE);
    oc_status status = put_config(o, model, err);
    if (status == OC_OK) {
        *out = o;
    } else {
        json_decref(o);
    }
    return status;
}

/* ---- reading ---- */

/* The text of an optional member; *out is the caller's, NULL when absent. */
static oc_status copy_optional(const json_t *o, const char *key, const char *where, char **out,
                               oc_error *err) {
    const char *text = NULL;
    if (!oc_json_has(o, key)) return OC_OK;
    OC_TRY(oc_json_get_string(o, key, where, &text, err));
    if (strlen(text) > MAX_LABEL_BYTES) {
        return oc_fail(err, OC_ELIMIT, "%s: \"%s\" has %zu bytes, at most %d", where, key,
                       strlen(text), MAX_LABEL_BYTES);
    }
    *out = oc_strdup(text);
    return *out != NULL ? OC_OK : oc_fail_nomem(err, strlen(text) + 1, where);
}

static oc_status read_class(const json_t *o, json_t *seen, const char *where, oc_class *class,
                            oc_error *err) {
    const char *label = NULL;
    OC_TRY(oc_json_get_string(o, "label", where, &label, err));
    if (label[0] == '\0') return oc_fail(err, OC_EFORMAT, "%s: the label is empty", where);
    if (json_object_get(seen, label) != NULL) {
        return oc_fail(err, OC_EFORMAT, "%s: the label \"%.200s\" is there twice", where, label);
    }
    OC_TRY(oci_json_put(seen, label, json_true(), err));
    OC_TRY(copy_optional(o, "label", where, &class->label, err));
    OC_TRY(copy_optional(o, "display", where, &class->display, err));
    return copy_optional(o, "id", where, &class->id, err);
}

static oc_status read_class_list(const json_t *array, json_t *seen, const char *where,
                                 oc_classes *classes, oc_error *err) {
    char place[320];
    size_t count = json_array_size(array);
    if (count == 0) return OC_OK; /* a network without a head */
    if (count > MAX_CLASSES) {
        return oc_fail(err, OC_EFORMAT, "%s: %zu classes, allowed at most %d", where, count,
                       MAX_CLASSES);
    }
    classes->items = oc_calloc(count, sizeof *classes->items);
    if (classes->items == NULL) return oc_fail_nomem(err, count * sizeof(oc_class), where);
    classes->count = count;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(place, sizeof place, "%.250s: class %zu", where, i);
        OC_TRY(read_class(json_array_get(array, i), seen, place, &classes->items[i], err));
    }
    return OC_OK;
}

static oc_status read_classes(const json_t *o, const char *where, oc_classes *classes,
                              oc_error *err) {
    json_t *array = NULL;
    OC_TRY(oc_json_get_array(o, "classes", where, &array, err));
    json_t *seen = json_object();
    if (seen == NULL) return oc_fail_nomem(err, 0, where);
    oc_status status = read_class_list(array, seen, where, classes, err);
    json_decref(seen);
    return status;
}

bool oci_config_is_ours(const json_t *o) {
    const char *format = json_string_value(json_object_get(o, "format"));
    return format != NULL && strcmp(format, FORMAT) == 0;
}

static oc_status check_frame(const json_t *o, const char *where, oc_error *err) {
    const char *format = NULL;
    int64_t version = 0;
    OC_TRY(oc_json_get_string(o, "format", where, &format, err));
    if (strcmp(format, FORMAT) != 0) {
        return oc_fail(err, OC_EFORMAT, "%s: format \"%.64s\", expected \"%s\": no ocellus model",
                       where, format, FORMAT);
    }
    OC_TRY(oc_json_get_int(o, "version", where, INT64_MIN, INT64_MAX, &version, err));
    if (version == VERSION) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: version %" PRId64 ", this program reads version %d: use a matching ocellus",
                   where, version, VERSION);
}

/* What every pixel is divided by must not be zero, nor anything of it infinite. */
static oc_status check_recipe(const oc_recipe *recipe, const char *where, oc_error *err) {
    bool fine = isfinite(recipe->unit) && recipe->unit > 0;
    for (int c = 0; c < recipe->channels && c < 3; c++) {
        fine = fine && isfinite(recipe->mean[c]) && isfinite(recipe->std[c]) && recipe->std[c] > 0;
    }
    if (fine) return OC_OK;
    return oc_fail(err, OC_EFORMAT,
                   "%s: the recipe's unit and std must be above zero, and all of it finite", where);
}

static oc_status read_recipe(const json_t *o, const char *where, oc_recipe *recipe, oc_error *err) {
    json_t *member = NULL;
    OC_TRY(oc_json_get_object(o, "recipe", where, &member, err));
    OC_TRY(oc_recipe_from_json(member, where, recipe, err));
    return check_recipe(recipe, where, err);
}

oc_status oci_config_from_json(const json_t *o, const char *where, oc_model *model, oc_error *err) {
    OC_TRY(check_frame(o, where, err));
    OC_TRY(copy_optional(o, "arch", where, &model->arch, err));
    OC_TRY(read_recipe(o, where, &model->recipe, err));
    OC_TRY(read_classes(o, where, &model->classes, err));
    if (oc_json_has(o, "temperature")) {
        OC_TRY(oc_json_get_real(o, "temperature", where, OCI_TEMPERATURE_MIN, OCI_TEMPERATURE_MAX,
                                &model->temperature, err));
    }
    if (oc_json_has(o, "threshold")) {
        OC_TRY(oc_json_get_real(o, "threshold", where, 0, 1, &model->threshold, err));
    }
    if (!oc_json_has(o, "origin")) return OC_OK;
    json_t *origin = NULL;
    OC_TRY(oc_json_get_object(o, "origin", where, &origin, err));
    model->origin = json_incref(origin);
    return OC_OK;
}
