/* The recipe: its defaults, its ranges, and its JSON both ways.
 *
 * Reading is strict: an unknown key is an error, since a recipe that is half understood makes other
 * pixels than the ones the network was trained on.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/data_int.h"

enum { MAX_SIDE = 8192 };
static const double MAX_MEAN = 1e4, MIN_STD = 1e-6, MAX_STD = 1e4;

oc_recipe oc_recipe_default(int width, int height) {
    int larger = width > height ? width : height;
    return (oc_recipe){
        .width = width,
        .height = height,
        .channels = 3,
        .fit = OC_FIT_CROP,
        .resize_side = (int)((int64_t)larger * 256 / 224),
        .filter = OC_FILTER_BILINEAR,
        .unit = 255,
        .mean = {0.485F, 0.456F, 0.406F},
        .std = {0.229F, 0.224F, 0.225F},
        .alpha = OC_ALPHA_COMPOSITE,
        .background = {255, 255, 255},
    };
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static oc_status check_side(const char *where, const char *what, int side, int min, oc_error *err) {
    if (side >= min && side <= MAX_SIDE) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "%s: %s is %d, allowed %d to %d", where, what, side, min,
                   MAX_SIDE);
}

static oc_status check_scaling(const oc_recipe *r, const char *where, oc_error *err) {
    if (r->unit != 255 && r->unit != 1) {
        return oc_fail(err, OC_EUSAGE, "%s: unit is %g, allowed 255 or 1", where, (double)r->unit);
    }
    for (int c = 0; c < r->channels; c++) {
        if (!(fabs((double)r->mean[c]) <= MAX_MEAN)) {
            return oc_fail(err, OC_EUSAGE, "%s: mean[%d] is %g, allowed %g to %g", where, c,
                           (double)r->mean[c], -MAX_MEAN, MAX_MEAN);
        }
        if (!((double)r->std[c] >= MIN_STD && (double)r->std[c] <= MAX_STD)) {
            return oc_fail(err, OC_EUSAGE, "%s: std[%d] is %g, allowed %g to %g", where, c,
                           (double)r->std[c], MIN_STD, MAX_STD);
        }
    }
    return OC_OK;
}

oc_status oci_recipe_check(const oc_recipe *recipe, const char *where, oc_error *err) {
    const oc_recipe *r = recipe;
    OC_TRY(check_side(where, "width", r->width, 1, err));
    OC_TRY(check_side(where, "height", r->height, 1, err));
    if (r->channels != 1 && r->channels != 3) {
        return oc_fail(err, OC_EUSAGE, "%s: channels is %d, allowed 1 or 3", where, r->channels);
    }
    int larger = r->width > r->height ? r->width : r->height;
    if (r->fit == OC_FIT_CROP) {
        OC_TRY(check_side(where, "resize_side", r->resize_side, larger, err));
    } else if (r->resize_width != 0 || r->resize_height != 0) {
        OC_TRY(check_side(where, "resize_width", r->resize_width, r->width, err));
        OC_TRY(check_side(where, "resize_height", r->resize_height, r->height, err));
    }
    return check_scaling(r, where, err);
}

/* ---- to JSON --------------------------------------------------------------------------------- */

/* The shortest decimal that is this float again: 0.485, not 0.48500001430511475. */
static json_t *json_float(float value) {
    char text[32];
    for (int digits = 6; digits < 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)value);
        double shorter = strtod(text, NULL);
        if ((float)shorter == value) return oc_json_real(shorter);
    }
    return oc_json_real((double)value);
}

static json_t *json_floats(const float *values, int count) {
    json_t *array = json_array();
    for (int i = 0; i < count && array != NULL; i++) {
        if (json_array_append_new(array, json_float(values[i])) == 0) continue;
        json_decref(array);
        array = NULL;
    }
    return array;
}

oc_status oc_recipe_to_json(const oc_recipe *recipe, json_t **out, oc_error *err) {
    const oc_recipe *r = recipe;
    json_t *o = json_object();
    int failed = o == NULL;
    failed |= json_object_set_new(o, "width", json_integer(r->width));
    failed |= json_object_set_new(o, "height", json_integer(r->height));
    failed |= json_object_set_new(o, "channels", json_integer(r->channels));
    failed |=
        json_object_set_new(o, "fit", json_string(r->fit == OC_FIT_SQUASH ? "squash" : "crop"));
    if (r->fit == OC_FIT_CROP) {
        failed |= json_object_set_new(o, "resize_side", json_integer(r->resize_side));
    } else if (r->resize_width > 0) {
        failed |= json_object_set_new(o, "resize_width", json_integer(r->resize_width));
        failed |= json_object_set_new(o, "resize_height", json_integer(r->resize_height));
    }
    failed |= json_object_set_new(o, "filter", json_string(oc_filter_name(r->filter)));
    failed |= json_object_set_new(o, "order", json_string(r->bgr ? "bgr" : "rgb"));
    failed |= json_object_set_new(o, "unit", json_float(r->unit));
    failed |= json_object_set_new(o, "mean", json_floats(r->mean, r->channels));
    failed |= json_object_set_new(o, "std", json_floats(r->std, r->channels));
    failed |= json_object_set_new(o, "alpha",
                                  json_string(r->alpha == OC_ALPHA_DROP ? "drop" : "composite"));
    failed |= json_object_set_new(
        o, "background", json_pack("[iii]", r->background[0], r->background[1], r->background[2]));
    *out = NULL;
    if (failed) {
        json_decref(o);
        return oc_fail_nomem(err, sizeof *r, "the JSON of a recipe");
    }
    *out = o;
    return OC_OK;
}

/* ---- from JSON ------------------------------------------------------------------------------- */

static oc_status check_keys(const json_t *o, const char *where, oc_error *err) {
    static const char *const known[] = {
        "width", "height", "channels", "fit",   "resize_side", "filter",       "order",
        "unit",  "mean",   "std",      "alpha", "background",  "resize_width", "resize_height"};
    enum { KNOWN = sizeof known / sizeof *known };
    for (void *at = json_object_iter((json_t *)(uintptr_t)o); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)o, at)) {
        const char *key = json_object_iter_key(at);
        bool found = false;
        for (size_t i = 0; i < KNOWN && !found; i++) found = strcmp(key, known[i]) == 0;
        if (found) continue;
        const char *near = oc_suggest(key, known, KNOWN);
        return oc_fail(err, OC_EFORMAT, "%s: unknown key \"%s\"%s%s%s", where, key,
                       near == NULL ? "" : " (did you mean \"", near == NULL ? "" : near,
                       near == NULL ? "" : "\"?)");
    }
    return OC_OK;
}

static oc_status get_side(const json_t *o, const char *key, const char *where, int *out,
                          oc_error *err) {
    int64_t value = 0;
    OC_TRY(oc_json_get_int(o, key, where, 1, MAX_SIDE, &value, err));
    *out = (int)value;
    return OC_OK;
}

/* One of two words: *second tells which. */
static oc_status get_choice(const json_t *o, const char *key, const char *where,
                            const char *const words[2], bool *second, oc_error *err) {
    const char *word = NULL;
    OC_TRY(oc_json_get_string(o, key, where, &word, err));
    *second = strcmp(word, words[1]) == 0;
    if (*second || strcmp(word, words[0]) == 0) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: \"%s\" is \"%s\", allowed \"%s\" or \"%s\"", where, key,
                   word, words[0], words[1]);
}

/* `count` numbers of min..max. */
static oc_status get_numbers(const json_t *o, const char *key, const char *where, size_t count,
                             double min, double max, double *out, oc_error *err) {
    json_t *array = NULL;
    OC_TRY(oc_json_get_array(o, key, where, &array, err));
    if (json_array_size(array) != count) {
        return oc_fail(err, OC_EFORMAT, "%s: \"%s\" has %zu numbers, expected %zu", where, key,
                       json_array_size(array), count);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(array, i);
        double v = json_number_value(value);
        if (!json_is_number(value) || !(v >= min && v <= max)) {
            return oc_fail(err, OC_EFORMAT, "%s: \"%s\"[%zu] is not a number of %g to %g", where,
                           key, i, min, max);
        }
        out[i] = v;
    }
    return OC_OK;
}

static oc_status read_geometry(const json_t *o, const char *where, oc_recipe *r, oc_error *err) {
    static const char *const fits[2] = {"crop", "squash"};
    int64_t channels = 0;
    bool squash = false;
    const char *filter = NULL;
    OC_TRY(get_side(o, "width", where, &r->width, err));
    OC_TRY(get_side(o, "height", where, &r->height, err));
    OC_TRY(oc_json_get_int(o, "channels", where, 1, 3, &channels, err));
    if (channels == 2)
        return oc_fail(err, OC_EFORMAT, "%s: \"channels\" is 2, allowed 1 or 3", where);
    r->channels = (int)channels;
    OC_TRY(get_choice(o, "fit", where, fits, &squash, err));
    r->fit = squash ? OC_FIT_SQUASH : OC_FIT_CROP;
    if (!squash) OC_TRY(get_side(o, "resize_side", where, &r->resize_side, err));
    if (squash && (oc_json_has(o, "resize_width") || oc_json_has(o, "resize_height"))) {
        OC_TRY(get_side(o, "resize_width", where, &r->resize_width, err));
        OC_TRY(get_side(o, "resize_height", where, &r->resize_height, err));
    }
    OC_TRY(oc_json_get_string(o, "filter", where, &filter, err));
    if (oc_filter_parse(filter, &r->filter)) return OC_OK;
    return oc_fail(err, OC_EFORMAT,
                   "%s: \"filter\" is \"%s\", allowed \"nearest\", \"bilinear\" or \"bicubic\"",
                   where, filter);
}

static oc_status read_colour(const json_t *o, const char *where, oc_recipe *r, oc_error *err) {
    static const char *const orders[2] = {"rgb", "bgr"}, *const alphas[2] = {"composite", "drop"};
    bool drop = false;
    double unit = 0, mean[3] = {0}, std[3] = {1, 1, 1}, background[3] = {0};
    size_t channels = (size_t)r->channels;
    OC_TRY(get_choice(o, "order", where, orders, &r->bgr, err));
    OC_TRY(oc_json_get_real(o, "unit", where, 1, 255, &unit, err));
    OC_TRY(get_numbers(o, "mean", where, channels, -MAX_MEAN, MAX_MEAN, mean, err));
    OC_TRY(get_numbers(o, "std", where, channels, MIN_STD, MAX_STD, std, err));
    OC_TRY(get_choice(o, "alpha", where, alphas, &drop, err));
    OC_TRY(get_numbers(o, "background", where, 3, 0, 255, background, err));
    r->unit = (float)unit;
    r->alpha = drop ? OC_ALPHA_DROP : OC_ALPHA_COMPOSITE;
    for (int c = 0; c < 3; c++) {
        r->mean[c] = (float)mean[c];
        r->std[c] = (float)std[c];
        r->background[c] = (uint8_t)background[c];
    }
    return OC_OK;
}

oc_status oc_recipe_from_json(const json_t *o, const char *where, oc_recipe *out, oc_error *err) {
    oc_recipe r = {0};
    OC_TRY(read_geometry(o, where, &r, err));
    OC_TRY(read_colour(o, where, &r, err));
    OC_TRY(check_keys(o, where, err));
    if (oci_recipe_check(&r, where, err) != OC_OK) {
        return oc_error_context(err, OC_EFORMAT, "recipe");
    }
    *out = r;
    return OC_OK;
}
