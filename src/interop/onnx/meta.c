/* Recipe, classes and origin of a model as metadata of an ONNX file, both ways.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/onnx/meta_int.h"

#include <stdio.h>
#include <string.h>

#include "interop/onnx/onnx_int.h"
#include "interop/wire_int.h"

enum { MAX_LABEL_BYTES = 4096 };
static const double MIN_TEMPERATURE = 1e-3, MAX_TEMPERATURE = 1e3; /* as in config.json */

/* ---- writing ------------------------------------------------------------------------------- */

static void put_entry(oc_buf *out, const char *key, const char *value) {
    oc_buf entry = {0};
    oci_wire_put_text(&entry, OCI_ENTRY_KEY, key);
    oci_wire_put_text(&entry, OCI_ENTRY_VALUE, value);
    oci_wire_put_message(out, OCI_MODEL_METADATA, &entry);
    oc_buf_clear(&entry);
}

/* Takes the reference. */
static oc_status put_json(oc_buf *out, const char *key, json_t *value, oc_error *err) {
    oc_buf text = {0};
    if (value == NULL) return oc_fail_nomem(err, 0, key);
    oc_status status = oc_json_append(&text, value, err);
    if (status == OC_OK) status = oc_buf_status(&text, err);
    if (status == OC_OK) put_entry(out, key, text.data);
    json_decref(value);
    oc_buf_clear(&text);
    return status;
}

typedef const char *class_text(const oc_class *class);
static const char *label_of(const oc_class *class) {
    return class->label;
}
static const char *display_of(const oc_class *class) {
    return class->display;
}
static const char *id_of(const oc_class *class) {
    return class->id;
}

/* An array with null for what a class has not; nothing where no class has it. */
static oc_status put_classes(oc_buf *out, const char *key, const oc_classes *classes,
                             class_text *text_of, oc_error *err) {
    json_t *array = json_array();
    bool any = false;
    for (size_t i = 0; i < classes->count && array != NULL; i++) {
        const char *text = text_of(&classes->items[i]);
        any = any || text != NULL;
        if (json_array_append_new(array, text != NULL ? json_string(text) : json_null()) == 0)
            continue;
        json_decref(array);
        return oc_fail(err, OC_EDATA, "class %zu has a name that is no UTF-8, or memory is out", i);
    }
    if (any || array == NULL) return put_json(out, key, array, err);
    json_decref(array);
    return OC_OK;
}

/* "0.485,0.456,0.406" */
static void put_triple(oc_buf *out, const char *key, const float *values, int count) {
    char text[96];
    int size = 0;
    for (int c = 0; c < count && c < 3; c++)
        size += snprintf(text + size, sizeof text - (size_t)size, "%s%.9g", c > 0 ? "," : "",
                         (double)values[c]);
    put_entry(out, key, text);
}

static const char *colour_words(const oc_recipe *r, bool in_graph) {
    if (r->channels == 1) return "grey";
    return r->bgr && !in_graph ? "BGR" : "RGB";
}

static void put_sentence(oc_buf *out, const oc_recipe *r, bool in_graph) {
    oc_buf text = {0};
    if (r->fit == OC_FIT_CROP) {
        oc_buf_printf(&text, "shorter side to %d pixels (%s, antialiased), centre crop %d x %d",
                      r->resize_side, oc_filter_name(r->filter), r->width, r->height);
    } else {
        oc_buf_printf(&text, "resize to %d x %d whatever the shape (%s, antialiased)", r->width,
                      r->height, oc_filter_name(r->filter));
    }
    oc_buf_printf(&text, "; %s; ", colour_words(r, in_graph));
    if (in_graph) {
        oc_buf_printf(&text, "bytes 0..255 as (batch, height, width, %d): the graph does the rest",
                      r->channels);
    } else {
        oc_buf_printf(&text,
                      "(value / %g - mean) / std of each channel as (batch, %d, height, "
                      "width)",
                      (double)r->unit, r->channels);
    }
    oc_buf_puts(&text, "");
    put_entry(out, "preprocessing", text.data != NULL ? text.data : "");
    out->failed |= text.failed;
    oc_buf_clear(&text);
}

static void put_number(oc_buf *out, const char *key, const char *format, double value) {
    char text[48];
    (void)snprintf(text, sizeof text, format, value);
    put_entry(out, key, text);
}

/* The numbers of the recipe, each under a name of its own. Mean and std stand in the order R,G,B,
 * as in the recipe. */
static void put_readable(oc_buf *out, const oc_recipe *r, bool in_graph) {
    char size[32];
    (void)snprintf(size, sizeof size, "%dx%d", r->width, r->height);
    put_sentence(out, r, in_graph);
    put_entry(out, "size", size);
    put_entry(out, "order", colour_words(r, in_graph));
    put_entry(out, "normalised_in_graph", in_graph ? "yes" : "no");
    if (r->fit == OC_FIT_CROP) put_number(out, "resize_side", "%.0f", (double)r->resize_side);
    put_number(out, "unit", "%.9g", (double)r->unit);
    put_triple(out, "mean", r->mean, r->channels);
    put_triple(out, "std", r->std, r->channels);
}

oc_status oci_onnx_put_metadata(oc_buf *out, const oc_model *model, bool in_graph, oc_error *err) {
    json_t *recipe = NULL;
    put_readable(out, &model->recipe, in_graph);
    OC_TRY(put_classes(out, OCI_META_LABELS, &model->classes, label_of, err));
    OC_TRY(put_classes(out, OCI_META_DISPLAYS, &model->classes, display_of, err));
    OC_TRY(put_classes(out, OCI_META_IDS, &model->classes, id_of, err));
    OC_TRY(oc_recipe_to_json(&model->recipe, &recipe, err));
    OC_TRY(put_json(out, OCI_META_RECIPE, recipe, err));
    put_number(out, OCI_META_TEMPERATURE, "%.17g", model->temperature);
    if (model->threshold > 0) put_number(out, OCI_META_THRESHOLD, "%.17g", model->threshold);
    if (model->arch != NULL) put_entry(out, OCI_META_ARCH, model->arch);
    return oc_buf_status(out, err);
}

/* ---- reading ------------------------------------------------------------------------------- */

static const char *find(const oci_onnx_entry *entries, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].key, key) == 0) return entries[i].value;
    return NULL;
}

static oc_status take_recipe(oc_model *model, const char *where, const char *text, oc_error *err) {
    json_t *o = NULL;
    OC_TRY(oc_json_parse(text, strlen(text), where, &o, err));
    oc_status status = oc_recipe_from_json(o, where, &model->recipe, err);
    json_decref(o);
    return status;
}

static char **text_in(oc_class *class, const char *key) {
    if (strcmp(key, OCI_META_LABELS) == 0) return &class->label;
    return strcmp(key, OCI_META_DISPLAYS) == 0 ? &class->display : &class->id;
}

static oc_status take_texts(oc_classes *classes, const char *where, const char *key,
                            const json_t *array, oc_error *err) {
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count == 0 || (classes->count != 0 && classes->count != count))
        return oc_fail(err, OC_EFORMAT, "%s: metadata \"%s\" is no array of a text for each class",
                       where, key);
    if (classes->count == 0) classes->items = oc_calloc(count, sizeof *classes->items);
    if (classes->items == NULL) return oc_fail_nomem(err, count * sizeof *classes->items, key);
    classes->count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        const char *text = json_string_value(item);
        char **to = text_in(&classes->items[i], key);
        if (json_is_null(item) && strcmp(key, OCI_META_LABELS) != 0) continue;
        if (text == NULL || text[0] == '\0' || strlen(text) > MAX_LABEL_BYTES)
            return oc_fail(err, OC_EFORMAT,
                           "%s: metadata \"%s\", entry %zu: not a text of 1 to %d bytes", where,
                           key, i, (int)MAX_LABEL_BYTES);
        *to = oc_strdup(text);
        if (*to == NULL) return oc_fail_nomem(err, strlen(text) + 1, key);
    }
    return OC_OK;
}

static oc_status take_classes(oc_model *model, const char *where, const oci_onnx_entry *entries,
                              size_t count, oc_error *err) {
    static const char *const keys[] = {OCI_META_LABELS, OCI_META_DISPLAYS, OCI_META_IDS};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *text = find(entries, count, keys[k]);
        json_t *array = NULL;
        if (text == NULL) continue;
        OC_TRY(oc_json_parse(text, strlen(text), where, &array, err));
        oc_status status = take_texts(&model->classes, where, keys[k], array, err);
        json_decref(array);
        if (status != OC_OK) return status;
    }
    return OC_OK;
}

/* Where there is one; *out stays as it is else. */
static oc_status take_number(const char *where, const oci_onnx_entry *entries, size_t count,
                             const char *key, double min, double max, double *out, oc_error *err) {
    const char *text = find(entries, count, key);
    if (text == NULL || oc_parse_f64(text, min, max, out)) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: metadata \"%s\" is \"%.32s\", allowed %g to %g", where,
                   key, text, min, max);
}

oc_status oci_onnx_take_metadata(oc_model *model, const char *where, const oci_onnx_entry *entries,
                                 size_t count, oc_error *err) {
    const char *recipe = find(entries, count, OCI_META_RECIPE);
    const char *arch = find(entries, count, OCI_META_ARCH);
    if (recipe == NULL) return OC_OK;
    OC_TRY(take_recipe(model, where, recipe, err));
    OC_TRY(take_classes(model, where, entries, count, err));
    OC_TRY(take_number(where, entries, count, OCI_META_TEMPERATURE, MIN_TEMPERATURE,
                       MAX_TEMPERATURE, &model->temperature, err));
    OC_TRY(take_number(where, entries, count, OCI_META_THRESHOLD, 0, 1, &model->threshold, err));
    if (arch == NULL) return OC_OK;
    model->arch = oc_strdup(arch);
    return model->arch != NULL ? OC_OK : oc_fail_nomem(err, strlen(arch) + 1, "a name");
}
