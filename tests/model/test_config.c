/* config.json: round trip, and what a damaged one is refused for.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include "model/model_int.h"

static json_t *tiny_config(void) {
    oc_model *model = tiny_model(3);
    json_t *o = NULL;
    oc_error err = {0};
    model->arch = oc_strdup("tiny");
    model->temperature = 1.25;
    model->threshold = 0.41;
    model->origin = json_pack("{s:i}", "seed", 4);
    model->classes.items[1].display = oc_strdup("Class \xC3\xA9");
    model->classes.items[1].id = oc_strdup("Q1");
    check_ok(oci_config_to_json(model, &o, &err), err);
    oc_model_free(model);
    return o;
}

static oc_status read_config(const json_t *o, oc_model **out, oc_error *err) {
    assert_int_equal(oc_model_new(out, NULL), OC_OK);
    return oci_config_from_json(o, "config.json", *out, err);
}

static void all_of_it_survives_a_round_trip(void **state) {
    (void)state;
    json_t *o = tiny_config();
    oc_model *model = NULL;
    oc_error err = {0};
    check_ok(read_config(o, &model, &err), err);
    assert_string_equal(model->arch, "tiny");
    assert_true(model->temperature == 1.25);
    assert_true(model->threshold == 0.41);
    assert_int_equal(model->classes.count, 3);
    assert_string_equal(model->classes.items[1].display, "Class \xC3\xA9");
    assert_string_equal(model->classes.items[1].id, "Q1");
    assert_null(model->classes.items[0].display);
    assert_int_equal(model->recipe.width, TINY_SIDE);
    assert_int_equal(json_integer_value(json_object_get(model->origin, "seed")), 4);
    oc_model_free(model);
    json_decref(o);
}

/* The config with member `key` set to the JSON text `value` is refused. */
static void refuse(const char *key, const char *value, oc_status wanted, const char *part) {
    json_t *o = tiny_config(), *v = NULL;
    oc_model *model = NULL;
    oc_error err = {0};
    v = json_loads(value, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    assert_int_equal(json_object_set_new(o, key, v), 0);
    check_fails(read_config(o, &model, &err), err, wanted, part);
    oc_model_free(model);
    json_decref(o);
}

static void damaged_members_are_named(void **state) {
    (void)state;
    refuse("format", "\"other\"", OC_EFORMAT, "other");
    refuse("version", "99", OC_EUNSUPPORTED, "version 99");
    refuse("arch", "3", OC_EFORMAT, "arch");
    refuse("temperature", "0", OC_EFORMAT, "temperature");
    refuse("temperature", "-1", OC_EFORMAT, "temperature");
    refuse("threshold", "-0.1", OC_EFORMAT, "threshold");
    refuse("threshold", "1.1", OC_EFORMAT, "threshold");
    refuse("threshold", "\"high\"", OC_EFORMAT, "threshold");
    refuse("origin", "[]", OC_EFORMAT, "origin");
    refuse("recipe", "[]", OC_EFORMAT, "recipe");
    refuse("recipe", "{}", OC_EFORMAT, "config.json");
    refuse("classes", "{}", OC_EFORMAT, "classes");
    refuse("classes", "[1]", OC_EFORMAT, "class 0");
    refuse("classes", "[{\"label\":\"\"}]", OC_EFORMAT, "empty");
    refuse("classes", "[{\"label\":\"a\"},{\"label\":\"a\"}]", OC_EFORMAT, "\"a\" is there twice");
    refuse("classes", "[{\"label\":\"a\",\"display\":7}]", OC_EFORMAT, "display");
}

static void labels_without_utf8_are_refused_in_words(void **state) {
    (void)state;
    oc_model *model = tiny_model(3);
    json_t *o = NULL;
    oc_error err = {0};
    model->classes.items[2].label[0] = '\xE9';
    check_fails(oci_config_to_json(model, &o, &err), err, OC_EDATA, "not UTF-8");
    assert_null(o);
    oc_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_survives_a_round_trip),
        cmocka_unit_test(damaged_members_are_named),
        cmocka_unit_test(labels_without_utf8_are_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
