/* What we write as ONNX, run by ONNX Runtime: every op of the list that the engines share, and what
 * the graph does with pixels and scores.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "../engine/harness.h"
#include "peers.h"

#include "interop/interop.h"

/* Two ways of adding up in float, over some thousand products of order one. */
static const char *const TOLERANCE = "1e-4";

static char folder[OC_PATH_BYTES];

static int setup(void **state) {
    (void)state;
    make_scratch(folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    drop_scratch(folder);
    return 0;
}

/* The file of a case in the folder; returns storage. */
static const char *file_of(char storage[OC_PATH_BYTES], size_t number, const char *extension) {
    char name[64];
    (void)snprintf(name, sizeof name, "%03zu%s", number, extension);
    assert_int_equal(oc_path_join(storage, folder, name, NULL), OC_OK);
    return storage;
}

static void put(size_t number, const char *extension, const void *bytes, size_t size) {
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    check_ok(oc_file_put(file_of(path, number, extension), bytes, size, &err), err);
}

/* A network's output must be one row: what ends in planes is flattened. */
static void end_in_a_row(oc_graph *graph) {
    int last = oc_graph_node_count(graph) - 1;
    oc_error err = {0};
    check_ok(oc_graph_add(graph, OC_OP_FLATTEN, "end", &last, 1, NULL, NULL, &err), err);
}

/* NUMBER.onnx, NUMBER.in, NUMBER.out of a case. */
static void write_case(const engine_case *spec, size_t number) {
    char path[OC_PATH_BYTES];
    bench b;
    oc_error err = {0};
    bench_open(&b, spec);
    end_in_a_row(b.graph);
    oc_plan *plan = bench_plan(&b, "ref", OC_MODE_INFER);
    check_ok(oc_plan_forward(plan, b.pixels, spec->n, 0, NULL, NULL, &err), err);
    oc_model model = {.graph = b.graph, .weights = b.weights, .temperature = 1};
    model.recipe = oc_recipe_default(spec->w, spec->h);
    check_ok(oc_onnx_export(&model, file_of(path, number, ".onnx"), NULL, &err), err);
    put(number, ".in", b.pixels, b.pixel_count * sizeof *b.pixels);
    put(number, ".out", oc_plan_output(plan), (size_t)spec->n * b.classes * sizeof(float));
    oc_plan_free(plan);
    bench_close(&b);
}

static void every_op_gives_the_same_in_onnx_runtime(void **state) {
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++)
        if (!CASES[i].freeze_stats && !CASES[i].fixed_prefix) write_case(&CASES[i], i);
    peers_run("onnx_run.py", TOLERANCE, folder);
}

/* ---- pixels and scores --------------------------------------------------------------------------
 */

enum { SIDE = 6, PIXELS = SIDE * SIDE * 3, BATCH = 3, CLASSES = 5 };

static int stem(oc_build *b, int x) {
    x = oc_build_conv(b, x, "conv", 6, 3, 2, 1, 1, true, OC_INIT_XAVIER);
    x = oc_build_act(b, x, "act", OC_OP_TANH);
    return oc_build_dense(b, oc_build_flatten(b, x, "flatten"), "fc", CLASSES, OC_INIT_XAVIER);
}

static const engine_case PICTURE = {"picture",   BATCH, 3,    SIDE,  SIDE,
                                    OC_OP_INPUT, {0},   stem, false, false};

/* Bytes (n, h, w, 3), and what the recipe makes of them. */
static void draw(uint8_t bytes[BATCH * PIXELS], float *pixels, const oc_recipe *r) {
    oc_norm_table table;
    oc_norm_table_fill(&table, 3, r->bgr, r->unit, r->mean, r->std);
    for (int i = 0; i < BATCH * PIXELS; i++) bytes[i] = (uint8_t)(i * 37 + i / 11);
    for (int n = 0; n < BATCH; n++) {
        oc_image image = {
            .width = SIDE, .height = SIDE, .channels = 3, .pixels = bytes + n * PIXELS};
        oc_image_normalise(&image, &table, pixels + n * PIXELS);
    }
}

static void softmax(const float *scores, double temperature, float *chances) {
    double sum = 0;
    for (int i = 0; i < CLASSES; i++) sum += exp((double)scores[i] / temperature);
    for (int i = 0; i < CLASSES; i++)
        chances[i] = (float)(exp((double)scores[i] / temperature) / sum);
}

static void write_picture(size_t number, const oc_onnx_options *options, bool bgr) {
    char path[OC_PATH_BYTES];
    uint8_t bytes[BATCH * PIXELS];
    float chances[BATCH * CLASSES];
    bench b;
    oc_error err = {0};
    bench_open(&b, &PICTURE);
    oc_model model = {.graph = b.graph, .weights = b.weights, .temperature = 1.7};
    model.recipe = oc_recipe_default(SIDE, SIDE);
    model.recipe.bgr = bgr;
    draw(bytes, b.pixels, &model.recipe);
    oc_plan *plan = bench_plan(&b, "ref", OC_MODE_INFER);
    check_ok(oc_plan_forward(plan, b.pixels, BATCH, 0, NULL, NULL, &err), err);
    const float *scores = oc_plan_output(plan);
    for (int n = 0; n < BATCH; n++)
        softmax(scores + n * CLASSES, model.temperature, chances + n * CLASSES);
    check_ok(oc_onnx_export(&model, file_of(path, number, ".onnx"), options, &err), err);
    put(number, ".in", options->preprocess ? (const void *)bytes : b.pixels,
        options->preprocess ? sizeof bytes : b.pixel_count * sizeof(float));
    put(number, ".out", scores, sizeof chances);
    put(number, ".chances", chances, sizeof chances);
    oc_plan_free(plan);
    bench_close(&b);
}

static void pixels_and_scores_are_those_of_the_recipe(void **state) {
    static const oc_onnx_options bytes = {.preprocess = true, .softmax = true},
                                 outside = {.external_data = true, .softmax = true};
    char inner[OC_PATH_BYTES], outer[OC_PATH_BYTES];
    (void)state;
    memcpy(outer, folder, sizeof outer);
    assert_int_equal(oc_path_join(inner, outer, "pictures", NULL), OC_OK);
    assert_int_equal(oc_path_make_dirs(inner, NULL), OC_OK);
    memcpy(folder, inner, sizeof folder);
    write_picture(1, &bytes, false);
    write_picture(2, &bytes, true);
    write_picture(3, &outside, false);
    assert_true(oc_path_is_file(file_of(inner, 3, ".onnx.data")));
    memcpy(inner, folder, sizeof inner);
    memcpy(folder, outer, sizeof folder);
    peers_run("onnx_run.py", TOLERANCE, inner);
}

/* ---- memory
 * ------------------------------------------------------------------------------------ */

static void running_out_of_memory_leaks_nothing(void **state) {
    static const oc_onnx_options all = {.external_data = true, .preprocess = true, .softmax = true};
    char path[OC_PATH_BYTES];
    oc_status status = OC_ENOMEM;
    bench b;
    (void)state;
    bench_open(&b, &PICTURE);
    oc_model model = {.graph = b.graph, .weights = b.weights, .temperature = 1.7};
    model.recipe = oc_recipe_default(SIDE, SIDE);
    (void)file_of(path, 999, ".onnx");
    for (uint64_t n = 1; n < 2000 && status != OC_OK; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_onnx_export(&model, path, &all, &err);
        oc_mem_fail_at(0);
        assert_true(status == OC_ENOMEM || (status == OC_OK && n > 5));
        assert_true(status == OC_OK || !oc_path_exists(path));
    }
    assert_int_equal(status, OC_OK);
    bench_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_gives_the_same_in_onnx_runtime),
        cmocka_unit_test(pixels_and_scores_are_those_of_the_recipe),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
