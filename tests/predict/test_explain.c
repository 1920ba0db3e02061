/* Grad-CAM on networks whose answer is known, on files that are none, and where memory ends.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../model/photos.h"
#include "../model/tiny.h"

#include <math.h>

#include "predict/predict_int.h"

enum { CLASSES = 5, PIXELS = 3 * TINY_SIDE * TINY_SIDE };

static const double rounding = 1e-5;

static void draw(float *values, size_t count, uint32_t stream) {
    oc_rng rng;
    oc_rng_init(&rng, 11, OC_RNG_TEST, stream, 0);
    for (size_t i = 0; i < count; i++) values[i] = oc_rng_normal(&rng);
}

static oc_explainer *explainer_of(const oc_model *model, const char *engine) {
    oc_explainer *e = NULL;
    oc_error err = {0};
    check_ok(oc_explainer_new(&e, model, engine, 1, &err), err);
    return e;
}

/* The map of layer `name`, (channels, height, width). */
static oc_plan *map_plan(const oc_model *model, const char *name, const float *pixels) {
    oc_graph *body = NULL, *rest = NULL;
    oc_plan *plan = NULL;
    oc_error err = {0};
    const oc_plan_options options = {
        .batch = 1, .height = TINY_SIDE, .width = TINY_SIDE, .threads = 1};
    int node = oc_graph_find(model->graph, name);
    check_ok(oc_graph_split(model->graph, node, TINY_SIDE, TINY_SIDE, &body, &rest, &err), err);
    check_ok(oc_plan_new(&plan, "ref", body, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, model->weights, &err), err);
    check_ok(oc_plan_forward(plan, pixels, 1, 0, NULL, NULL, &err), err);
    oc_graph_free(body);
    oc_graph_free(rest);
    return plan;
}

/* Behind a mean over the map and a dense layer Grad-CAM is CAM: the layer's weights times the map
 * (Selvaraju et al. 2017, section 3.1). */
static void behind_a_global_mean_it_is_the_dense_layers_weights(void **state) {
    (void)state;
    enum { CHANNELS = 4, AREA = 16 };
    oc_model *model = tiny_model(CLASSES);
    float pixels[PIXELS];
    oc_error err = {0};
    draw(pixels, PIXELS, 1);
    oc_plan *plan = map_plan(model, "body.2", pixels);
    const float *map = oc_plan_output(plan);
    const float *w = oc_tensors_find(model->weights, "head.weight")->data;
    for (int i = 0; oc_engine_names()[i] != NULL; i++) {
        oc_explainer *e = explainer_of(model, oc_engine_names()[i]);
        assert_string_equal(oc_explainer_layer(e), "body.2");
        for (int c = 0; c < CLASSES; c++) {
            double wanted[AREA] = {0}, most = 0;
            oc_heat heat;
            for (int a = 0; a < AREA; a++) {
                for (int k = 0; k < CHANNELS; k++)
                    wanted[a] += (double)w[c * CHANNELS + k] * (double)map[k * AREA + a];
                most = fmax(most, wanted[a]);
            }
            check_ok(oc_explain_pixels(e, pixels, c, &heat, &err), err);
            assert_int_equal(heat.height * heat.width, AREA);
            for (int a = 0; a < AREA; a++) {
                double share = most > 0 ? fmax(0, wanted[a] / most) : 0;
                assert_true(fabs((double)heat.values[a] - share) < rounding);
            }
        }
        oc_explainer_free(e);
    }
    oc_plan_free(plan);
    oc_model_free(model);
}

static oc_model *model_of(oc_build *b, int classes) {
    oc_model *model = NULL;
    oc_error err = {0};
    check_ok(b->status, b->error);
    check_ok(oc_model_new(&model, &err), err);
    model->graph = b->graph;
    check_ok(oc_tensors_new(&model->weights, &err), err);
    check_ok(oc_graph_init(b->graph, TINY_SEED, model->weights, &err), err);
    model->recipe = oc_recipe_default(TINY_SIDE, TINY_SIDE);
    tiny_classes(&model->classes, classes);
    return model;
}

static void a_network_without_a_map_is_refused_in_words(void **state) {
    (void)state;
    oc_build b = {0};
    oc_error err = {0};
    oc_explainer *e = NULL;
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 3, TINY_SIDE, TINY_SIDE);
    x = oc_build_flatten(&b, x, "flat");
    (void)oc_build_dense(&b, x, "head", CLASSES, OC_INIT_XAVIER);
    oc_model *model = model_of(&b, CLASSES);
    check_fails(oc_explainer_new(&e, model, NULL, 1, &err), err, OC_EUNSUPPORTED, "no map");
    assert_null(e);
    oc_model_free(model);
}

/* The map before the first pool and dense layer, whatever stands between it and the logits. */
static void pools_dropout_and_softmax_are_seen_through(void **state) {
    (void)state;
    oc_build b = {0};
    oc_error err = {0};
    oc_heat heat;
    float pixels[PIXELS];
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 3, TINY_SIDE, TINY_SIDE);
    x = oc_build_conv(&b, x, "conv", 6, 3, 1, 1, 1, true, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_act(&b, x, "relu", OC_OP_RELU);
    x = oc_build_max_pool(&b, x, "pool", 2, 2, 0, false);
    x = oc_build_flatten(&b, x, "flat");
    x = oc_build_dropout(&b, x, "drop", 0.5F);
    x = oc_build_dense(&b, x, "hidden", 12, OC_INIT_XAVIER);
    x = oc_build_act(&b, x, "relu2", OC_OP_RELU);
    x = oc_build_dense(&b, x, "head", CLASSES, OC_INIT_XAVIER);
    (void)oc_build_node(&b, OC_OP_SOFTMAX, "softmax", &x, 1, NULL);
    oc_model *model = model_of(&b, CLASSES);
    oc_explainer *e = explainer_of(model, "ref");
    assert_string_equal(oc_explainer_layer(e), "relu");
    draw(pixels, PIXELS, 2);
    check_ok(oc_explain_pixels(e, pixels, 1, &heat, &err), err);
    assert_int_equal(heat.height, TINY_SIDE);
    float most = 0;
    for (int i = 0; i < heat.height * heat.width; i++) most = fmaxf(most, heat.values[i]);
    assert_true(most == 1);
    oc_explainer_free(e);
    oc_model_free(model);
}

static void a_class_that_is_none_is_refused(void **state) {
    (void)state;
    oc_model *model = tiny_model(CLASSES);
    oc_explainer *e = explainer_of(model, NULL);
    float pixels[PIXELS] = {0};
    oc_heat heat;
    oc_error err = {0};
    check_fails(oc_explain_pixels(e, pixels, CLASSES, &heat, &err), err, OC_EUSAGE, "0 to 4");
    check_fails(oc_explain_pixels(e, pixels, -1, &heat, &err), err, OC_EUSAGE, "-1");
    oc_explainer_free(e);
    oc_model_free(model);
}

static void a_gradient_that_is_not_finite_fails_in_words(void **state) {
    (void)state;
    oc_model *model = tiny_model(CLASSES);
    *(float *)oc_tensors_find(model->weights, "head.weight")->data = NAN;
    oc_explainer *e = explainer_of(model, NULL);
    float pixels[PIXELS];
    oc_heat heat;
    oc_error err = {0};
    draw(pixels, PIXELS, 3);
    check_fails(oc_explain_pixels(e, pixels, 0, &heat, &err), err, OC_ENUMERIC, "body.2");
    oc_explainer_free(e);
    oc_model_free(model);
}

/* ---- pictures ---------------------------------------------------------------------------------
 */

static void decode(const oc_buf *png, oc_image *out) {
    oc_decoder *decoder = NULL;
    const oc_decode_options options = {0};
    oc_error err = {0};
    check_ok(oc_decoder_new(&decoder, &err), err);
    check_ok(oc_decode(decoder, png->data, png->size, &options, out, NULL, &err), err);
    oc_decoder_free(decoder);
}

static void a_wide_photo_is_grey_where_the_network_was_not_shown_it(void **state) {
    (void)state;
    oc_model *model = tiny_model(CLASSES);
    oc_explainer *e = explainer_of(model, NULL);
    oc_buf photo = {0}, png = {0};
    oc_image img = {0};
    oc_error err = {0};
    photo_bytes(&photo, 900, 300, 200, 60, 60);
    check_ok(oc_explain(e, photo.data, photo.size, 0, &png, &err), err);
    decode(&png, &img);
    assert_int_equal(img.width, 400);
    assert_int_equal(img.height, 133);
    const uint8_t *row = img.pixels + (size_t)66 * 400 * 3;
    assert_true(row[0] == row[1] && row[1] == row[2] && row[0] > 0 && row[0] < 100);
    const uint8_t *middle = row + 200 * 3;
    assert_false(middle[0] == middle[1] && middle[1] == middle[2]);
    oc_image_clear(&img);
    oc_buf_clear(&photo);
    oc_buf_clear(&png);
    oc_explainer_free(e);
    oc_model_free(model);
}

static void a_small_photo_keeps_its_size(void **state) {
    (void)state;
    oc_model *model = tiny_model(CLASSES);
    oc_explainer *e = explainer_of(model, NULL);
    oc_buf photo = {0}, png = {0};
    oc_image img = {0};
    oc_error err = {0};
    photo_bytes(&photo, 21, 34, 10, 200, 60);
    check_ok(oc_explain(e, photo.data, photo.size, 2, &png, &err), err);
    decode(&png, &img);
    assert_int_equal(img.width, 21);
    assert_int_equal(img.height, 34);
    oc_image_clear(&img);
    oc_buf_clear(&photo);
    oc_buf_clear(&png);
    oc_explainer_free(e);
    oc_model_free(model);
}

static void a_broken_photo_fails_only_itself(void **state) {
    (void)state;
    oc_model *model = tiny_model(CLASSES);
    oc_explainer *e = explainer_of(model, NULL);
    oc_buf photo = {0}, first = {0}, again = {0}, none = {0};
    oc_error err = {0};
    photo_bytes(&photo, 64, 48, 10, 90, 160);
    check_ok(oc_explain(e, photo.data, photo.size, 2, &first, &err), err);
    check_fails(oc_explain(e, "<html>", 6, 2, &none, &err), err, OC_EFORMAT, "HTML");
    assert_true(oc_explain(e, photo.data, photo.size / 2, 2, &none, &err) != OC_OK);
    assert_true(oc_explain(e, "", 0, 2, &none, &err) != OC_OK);
    assert_int_equal(none.size, 0);
    check_ok(oc_explain(e, photo.data, photo.size, 2, &again, &err), err);
    assert_int_equal(first.size, again.size);
    assert_memory_equal(first.data, again.data, first.size);
    oc_buf_clear(&photo);
    oc_buf_clear(&first);
    oc_buf_clear(&again);
    oc_buf_clear(&none);
    oc_explainer_free(e);
    oc_model_free(model);
}

/* The middle of each corner cell of a 2 x 2 heat has that cell's colour. */
static void heat_lies_where_the_window_is(void **state) {
    (void)state;
    const float values[] = {1, 0, 0, 0};
    const oc_heat heat = {values, 2, 2};
    const oc_window window = {.left = 0.5, .top = 0, .right = 1, .bottom = 1};
    oc_image img = {0};
    oc_error err = {0};
    check_ok(oc_image_reserve(&img, 80, 40, 3, &err), err);
    memset(img.pixels, 0, (size_t)80 * 40 * 3);
    oci_paint_heat(&img, &heat, &window);
    const uint8_t *hot = img.pixels + (10 * 80 + 50) * 3, *cold = img.pixels + (30 * 80 + 70) * 3;
    const uint8_t *outside = img.pixels + (10 * 80 + 20) * 3;
    assert_true(hot[0] > 100 && hot[1] > 100);
    assert_true(cold[0] < 20 && cold[1] < 20);
    assert_int_equal(outside[0], 0);
    oc_image_clear(&img);
}

static void making_one_survives_any_allocation_failing(void **state) {
    (void)state;
    oc_model *model = tiny_model(CLASSES);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_explainer *e = NULL;
        oc_error err = {0};
        assert_true(n < 3000);
        oc_mem_fail_at(n);
        status = oc_explainer_new(&e, model, NULL, 1, &err);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && e == NULL));
        oc_explainer_free(e);
    }
    oc_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_a_global_mean_it_is_the_dense_layers_weights),
        cmocka_unit_test(a_network_without_a_map_is_refused_in_words),
        cmocka_unit_test(pools_dropout_and_softmax_are_seen_through),
        cmocka_unit_test(a_class_that_is_none_is_refused),
        cmocka_unit_test(a_gradient_that_is_not_finite_fails_in_words),
        cmocka_unit_test(a_wide_photo_is_grey_where_the_network_was_not_shown_it),
        cmocka_unit_test(a_small_photo_keeps_its_size),
        cmocka_unit_test(a_broken_photo_fails_only_itself),
        cmocka_unit_test(heat_lies_where_the_window_is),
        cmocka_unit_test(making_one_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
