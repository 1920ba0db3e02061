/* The recipe and its JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "data_test.h"

static json_t *to_json(const oc_recipe *recipe) {
    json_t *o = NULL;
    oc_error err = {0};
    check_ok(oc_recipe_to_json(recipe, &o, &err), err);
    return o;
}

/* What JSON makes of the recipe, by way of text. */
static oc_recipe there_and_back(const oc_recipe *recipe) {
    oc_recipe back;
    oc_error err = {0};
    oc_buf text = {0};
    json_t *o = to_json(recipe), *read = NULL;
    check_ok(oc_json_append(&text, o, &err), err);
    check_ok(oc_json_parse(text.data, text.size, "recipe", &read, &err), err);
    check_ok(oc_recipe_from_json(read, "recipe", &back, &err), err);
    json_decref(o);
    json_decref(read);
    oc_buf_clear(&text);
    return back;
}

static void check_same_recipe(const oc_recipe *a, const oc_recipe *b) {
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->fit, b->fit);
    if (a->fit == OC_FIT_CROP) assert_int_equal(a->resize_side, b->resize_side);
    if (a->fit == OC_FIT_SQUASH) assert_int_equal(a->resize_width, b->resize_width);
    if (a->fit == OC_FIT_SQUASH) assert_int_equal(a->resize_height, b->resize_height);
    assert_int_equal(a->filter, b->filter);
    assert_int_equal(a->bgr, b->bgr);
    assert_true(a->unit == b->unit);
    for (int c = 0; c < a->channels; c++) {
        assert_true(a->mean[c] == b->mean[c]);
        assert_true(a->std[c] == b->std[c]);
    }
    assert_int_equal(a->alpha, b->alpha);
    assert_memory_equal(a->background, b->background, 3);
}

static void default_is_imagenets(void **state) {
    (void)state;
    oc_recipe r = oc_recipe_default(224, 224);
    assert_int_equal(r.resize_side, 256);
    assert_int_equal(r.fit, OC_FIT_CROP);
    assert_true(r.unit == 255 && r.mean[0] == 0.485F && r.std[2] == 0.225F);
    assert_int_equal(oc_recipe_default(75, 75).resize_side, 85);
}

static void json_keeps_every_bit(void **state) {
    (void)state;
    oc_recipe r = oc_recipe_default(224, 192);
    r.mean[0] = 0.1F / 3;
    r.std[1] = 0.22513369F;
    oc_recipe back = there_and_back(&r);
    check_same_recipe(&r, &back);
    r = (oc_recipe){.width = 75,
                    .height = 75,
                    .channels = 1,
                    .fit = OC_FIT_SQUASH,
                    .filter = OC_FILTER_BICUBIC,
                    .bgr = true,
                    .unit = 1,
                    .mean = {117.25F},
                    .std = {1},
                    .alpha = OC_ALPHA_DROP,
                    .background = {1, 2, 3}};
    back = there_and_back(&r);
    check_same_recipe(&r, &back);
    r.resize_width = 90;
    r.resize_height = 80;
    back = there_and_back(&r);
    check_same_recipe(&r, &back);
}

static void floats_are_written_as_people_write_them(void **state) {
    (void)state;
    oc_recipe r = oc_recipe_default(224, 224);
    json_t *o = to_json(&r);
    double mean = json_number_value(json_array_get(json_object_get(o, "mean"), 0));
    assert_true(mean == 0.485);
    json_decref(o);
}

/* A good recipe with `key` set to `value` (NULL: taken away) fails, and the message has `part`. */
static void check_bad(const char *key, json_t *value, const char *part) {
    oc_recipe r = oc_recipe_default(224, 224);
    json_t *o = to_json(&r);
    oc_error err = {0};
    if (value == NULL) {
        assert_int_equal(json_object_del(o, key), 0);
    } else {
        assert_int_equal(json_object_set_new(o, key, value), 0);
    }
    check_fails(oc_recipe_from_json(o, "config.json: recipe", &r, &err), err, OC_EFORMAT, part);
    assert_non_null(strstr(err.message, "config.json: recipe"));
    json_decref(o);
}

static void bad_json_is_told_by_key(void **state) {
    (void)state;
    check_bad("width", NULL, "\"width\" is missing");
    check_bad("width", json_integer(0), "\"width\" is 0");
    check_bad("height", json_integer(1 << 20), "\"height\"");
    check_bad("channels", json_integer(2), "\"channels\" is 2, allowed 1 or 3");
    check_bad("fit", json_string("stretch"), "\"stretch\", allowed \"crop\" or \"squash\"");
    check_bad("resize_side", json_integer(100), "resize_side is 100, allowed 224");
    check_bad("filter", json_string("lanczos"), "\"lanczos\"");
    check_bad("order", json_integer(1), "\"order\"");
    check_bad("unit", json_real(2), "unit is 2, allowed 255 or 1");
    check_bad("mean", json_pack("[f]", 0.5), "\"mean\" has 1 numbers, expected 3");
    check_bad("mean", json_pack("[fsf]", 0.5, "x", 0.5), "\"mean\"[1]");
    check_bad("std", json_pack("[fff]", 0.5, 0.0, 0.5), "\"std\"[1]");
    check_bad("background", json_pack("[iii]", 0, 256, 0), "\"background\"[1]");
    check_bad("alpha", json_string("keep"), "\"keep\"");
    check_bad("meen", json_true(), "unknown key \"meen\" (did you mean \"mean\"?)");
}

static void bad_recipe_makes_no_renderer(void **state) {
    (void)state;
    oc_renderer *r = NULL;
    oc_error err = {0};
    oc_recipe recipe = oc_recipe_default(224, 224);
    recipe.std[1] = 0;
    check_fails(oc_renderer_new(&r, &recipe, NULL, &err), err, OC_EUSAGE, "std[1] is 0");
    recipe = oc_recipe_default(224, 224);
    recipe.mean[2] = NAN;
    check_fails(oc_renderer_new(&r, &recipe, NULL, &err), err, OC_EUSAGE, "mean[2] is");
    recipe = oc_recipe_default(224, 300);
    recipe.resize_side = 256;
    check_fails(oc_renderer_new(&r, &recipe, NULL, &err), err, OC_EUSAGE, "allowed 300");
    assert_null(r);
}

static void check_window(const oc_recipe *r, int width, int height, const double wanted[4]) {
    oc_window w;
    oc_error err = {0};
    check_ok(oc_recipe_window(r, width, height, &w, &err), err);
    const double found[4] = {w.left, w.top, w.right, w.bottom};
    for (int i = 0; i < 4; i++) assert_true(fabs(found[i] - wanted[i]) < 1e-12);
}

static void the_window_is_what_the_network_is_shown(void **state) {
    (void)state;
    oc_recipe r = oc_recipe_default(80, 80);
    r.resize_side = 100;
    check_window(&r, 400, 200, (const double[]){0.3, 0.1, 0.7, 0.9});
    check_window(&r, 50, 100, (const double[]){0.1, 0.3, 0.9, 0.7});
    r.fit = OC_FIT_SQUASH;
    r.resize_width = r.resize_height = 0;
    check_window(&r, 400, 200, (const double[]){0, 0, 1, 1});
    r.resize_width = 160;
    r.resize_height = 100;
    check_window(&r, 31, 77, (const double[]){0.25, 0.1, 0.75, 0.9});
    r.fit = OC_FIT_CROP;
    oc_window w;
    oc_error err = {0};
    check_fails(oc_recipe_window(&r, 100000000, 1, &w, &err), err, OC_EUNSUPPORTED, "too thin");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_is_imagenets),
        cmocka_unit_test(json_keeps_every_bit),
        cmocka_unit_test(floats_are_written_as_people_write_them),
        cmocka_unit_test(bad_json_is_told_by_key),
        cmocka_unit_test(bad_recipe_makes_no_renderer),
        cmocka_unit_test(the_window_is_what_the_network_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
