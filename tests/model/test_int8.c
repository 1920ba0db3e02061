/* Networks over bytes, structure by structure: the fast engine against the reference; files and
 * back; what is refused.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <math.h>

enum { SIDE = 12, BATCH = 3, CLASSES = 4, CALLS = 2 };

/* Sums that lie half-way between two levels may fall to either side: a level of the last rounding
 * or two, of 255. */
static const double SAME = 0.02;

/* ---- structures ----------------------------------------------------------------------------- */

static int layer(oc_build *b, int x, const char *name, int out, int kernel, int stride,
                 int groups) {
    return oc_build_conv(b, x, name, out, kernel, stride, kernel / 2, groups, true,
                         OC_INIT_KAIMING_UNIFORM);
}

static int relu(oc_build *b, int x, const char *name) {
    return oc_build_act(b, x, name, OC_OP_RELU);
}

static int stem(oc_build *b, int x, int out) {
    return relu(b, layer(b, x, "stem", out, 3, 1, 1), "stem_relu");
}

static int head(oc_build *b, int x) {
    return oc_build_dense(b, oc_build_global_pool(b, x, "pool"), "head", CLASSES, OC_INIT_XAVIER);
}

static int odd_channels(oc_build *b, int x) {
    x = relu(b, layer(b, stem(b, x, 5), "a", 13, 3, 2, 1), "a_relu");
    return head(b, relu(b, layer(b, x, "b", 7, 1, 1, 1), "b_relu"));
}

/* Signed values between layers: a level in the middle means zero. */
static int linear_bottleneck(oc_build *b, int x) {
    int from = layer(b, stem(b, x, 16), "slim", 8, 1, 1, 1);
    x = oc_build_act(b, layer(b, from, "wide", 24, 1, 1, 1), "wide_relu6", OC_OP_RELU6);
    x = oc_build_act(b, layer(b, x, "deep", 24, 3, 1, 24), "deep_relu6", OC_OP_RELU6);
    x = oc_build_add(b, layer(b, x, "slim2", 8, 1, 1, 1), from, "sum");
    return head(b, layer(b, x, "end", 16, 1, 1, 1));
}

static int residual(oc_build *b, int x) {
    int from = stem(b, x, 16);
    x = relu(b, layer(b, from, "a", 16, 3, 1, 1), "a_relu");
    x = relu(b, oc_build_add(b, from, layer(b, x, "b", 16, 3, 1, 1), "sum"), "sum_relu");
    int shortcut = layer(b, x, "short", 24, 1, 2, 1);
    x = layer(b, x, "c", 24, 3, 2, 1);
    return head(b, relu(b, oc_build_add(b, shortcut, x, "sum2"), "sum2_relu"));
}

/* The shortcut is read again later, so that no layer may add into its memory. */
static int shared_shortcut(oc_build *b, int x) {
    int from = stem(b, x, 16);
    int one = relu(b, layer(b, from, "a", 16, 3, 1, 1), "a_relu");
    int sum = relu(b, oc_build_add(b, from, one, "sum"), "sum_relu");
    int both = oc_build_add(b, layer(b, sum, "b", 16, 1, 1, 1), from, "sum2");
    both = oc_build_add(b, layer(b, relu(b, both, "relu2"), "c", 16, 1, 1, 1), from, "sum3");
    return head(b, both);
}

static int branches(oc_build *b, int x) {
    int from = stem(b, x, 12), both[3];
    both[0] = relu(b, layer(b, from, "a", 9, 1, 1, 1), "a_relu");
    both[1] = relu(b, layer(b, from, "b", 7, 3, 1, 1), "b_relu");
    both[2] = oc_build_max_pool(b, from, "c", 3, 1, 1, false);
    x = oc_build_max_pool(b, oc_build_concat(b, both, 3, "join"), "shrink", 3, 2, 0, true);
    return head(b, relu(b, layer(b, x, "d", 8, 3, 1, 1), "d_relu"));
}

static int two_groups(oc_build *b, int x) {
    x = relu(b, layer(b, stem(b, x, 16), "a", 32, 3, 1, 2), "a_relu");
    return head(b, relu(b, layer(b, x, "b", 10, 1, 1, 1), "b_relu"));
}

static int dense_layers(oc_build *b, int x) {
    x = oc_build_max_pool(b, stem(b, x, 6), "shrink", 2, 2, 0, false);
    x = relu(b, layer(b, x, "a", 10, 3, 2, 1), "a_relu");
    x = oc_build_dropout(b, oc_build_flatten(b, x, "flat"), "drop", 0.5F);
    x = relu(b, oc_build_dense(b, x, "fc1", 30, OC_INIT_XAVIER), "fc1_relu");
    return oc_build_dense(b, x, "head", CLASSES, OC_INIT_XAVIER);
}

/* Ops that work on floats between layers that work on bytes. */
static int float_islands(oc_build *b, int x) {
    const oc_attrs none = oc_attrs_default(OC_OP_LRN);
    oc_attrs pool = oc_attrs_default(OC_OP_AVG_POOL);
    pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
    x = stem(b, x, 12);
    x = oc_build_node(b, OC_OP_LRN, "lrn", &x, 1, &none);
    x = relu(b, layer(b, x, "a", 12, 3, 1, 1), "a_relu");
    x = oc_build_node(b, OC_OP_AVG_POOL, "mean", &x, 1, &pool);
    x = oc_build_act(b, layer(b, x, "b", 12, 3, 1, 1), "curve", OC_OP_SIGMOID);
    x = oc_build_batch_norm(b, relu(b, layer(b, x, "c", 8, 1, 1, 1), "c_relu"), "norm");
    return head(b, relu(b, layer(b, x, "d", 8, 1, 1, 1), "d_relu"));
}

static int normed(oc_build *b, int x) {
    x = relu(b, oc_build_batch_norm(b, layer(b, x, "stem", 8, 3, 1, 1), "stem_norm"), "stem_relu");
    x = oc_build_batch_norm(b, layer(b, x, "a", 8, 3, 1, 1), "a_norm");
    return head(b, relu(b, x, "a_relu"));
}

/* A head that is a convolution, with its clip, before the pool. */
static int conv_head(oc_build *b, int x) {
    x = relu(b, layer(b, stem(b, x, 8), "a", 8, 3, 1, 1), "a_relu");
    x = relu(b, layer(b, oc_build_dropout(b, x, "drop", 0.5F), "head", CLASSES, 1, 1, 1), "h_relu");
    return oc_build_global_pool(b, x, "pool");
}

typedef struct structure {
    const char *name;
    int (*net)(oc_build *b, int x);
} structure;

static const structure STRUCTURES[] = {
    {"odd channels", odd_channels}, {"linear bottleneck", linear_bottleneck},
    {"residual", residual},         {"shared shortcut", shared_shortcut},
    {"branches", branches},         {"two groups", two_groups},
    {"dense layers", dense_layers}, {"float islands", float_islands},
    {"batch norms", normed},        {"convolution as head", conv_head},
};

/* ---- models --------------------------------------------------------------------------------- */

typedef struct photos {
    float *pixels;
    int calls, most;
} photos;

static oc_status feed(void *ctx, const float **pixels, int *n, oc_error *err) {
    (void)err;
    photos *p = ctx;
    *pixels = p->pixels;
    *n = p->calls++ < p->most ? BATCH : 0;
    return OC_OK;
}

static photos some_photos(void) {
    size_t count = (size_t)(BATCH * 3 * SIDE * SIDE);
    photos p = {.pixels = test_malloc(count * sizeof(float)), .most = CALLS};
    oc_rng rng;
    oc_rng_init(&rng, 5, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < count; i++) p.pixels[i] = oc_rng_normal(&rng);
    return p;
}

/* Biases and statistics that are not those of a fresh net. */
static void stir(oc_tensors *set) {
    oc_rng rng;
    oc_rng_init(&rng, 6, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        oc_tensor *t = oc_tensors_at(set, i);
        float *values = t->data;
        if (t->shape.rank != 1) continue;
        for (size_t k = 0; k < oc_tensor_count(t); k++)
            values[k] = fabsf(values[k] + 0.2F * oc_rng_normal(&rng));
    }
}

static oc_model *float_model(int (*net)(oc_build *b, int x)) {
    oc_error err = {0};
    oc_build b = {0};
    oc_model *m = NULL;
    check_ok(oc_model_new(&m, &err), err);
    check_ok(oc_graph_new(&b.graph, &err), err);
    (void)net(&b, oc_build_input(&b, 3, SIDE, SIDE));
    check_ok(b.status, b.error);
    m->graph = b.graph;
    check_ok(oc_tensors_new(&m->weights, &err), err);
    check_ok(oc_graph_init(m->graph, 1, m->weights, &err), err);
    stir(m->weights);
    m->recipe = oc_recipe_default(SIDE, SIDE);
    tiny_classes(&m->classes, CLASSES);
    return m;
}

static oc_model *int8_model(const oc_model *from) {
    oc_error err = {0};
    oc_model *m = NULL;
    photos p = some_photos();
    const oc_quantize_options how = {.threads = 2, .photos = feed, .ctx = &p};
    check_ok(oc_model_quantize(&m, from, &how, &err), err);
    test_free(p.pixels);
    return m;
}

static oc_model *int8_of(int (*net)(oc_build *b, int x)) {
    oc_model *from = float_model(net), *m = int8_model(from);
    oc_model_free(from);
    return m;
}

static float *logits_of(const oc_model *m, const char *engine, int batch, int n) {
    oc_error err = {0};
    oc_plan *plan = NULL;
    photos p = some_photos();
    size_t bytes = (size_t)(n * CLASSES) * sizeof(float);
    float *out = test_malloc(bytes);
    check_ok(oc_model_plan(m, engine, 2, batch, &plan, &err), err);
    check_ok(oc_plan_forward(plan, p.pixels, n, 0, NULL, NULL, &err), err);
    memcpy(out, oc_plan_output(plan), bytes);
    oc_plan_free(plan);
    test_free(p.pixels);
    return out;
}

static double distance(const float *a, const float *b, int count) {
    double apart = 0, most = 0;
    for (int i = 0; i < count; i++) {
        apart = fmax(apart, fabs((double)a[i] - (double)b[i]));
        most = fmax(most, fabs((double)b[i]));
    }
    assert_true(most > 0);
    return apart / most;
}

/* ---- claims --------------------------------------------------------------------------------- */

static void bytes_agree_with_the_reference(void **state) {
    const structure *s = *state;
    oc_model *m = int8_of(s->net);
    float *wanted = logits_of(m, "ref", BATCH, BATCH), *got = logits_of(m, NULL, BATCH, BATCH);
    double apart = distance(got, wanted, BATCH * CLASSES);
    if (!(apart <= SAME)) fail_msg("%s: apart by %g, allowed is %g", s->name, apart, SAME);
    test_free(wanted);
    test_free(got);
    oc_model_free(m);
}

static void int8_stays_near_the_float_model(void **state) {
    const structure *s = *state;
    oc_model *plain = float_model(s->net), *m = int8_model(plain);
    float *wanted = logits_of(plain, NULL, BATCH, BATCH), *got = logits_of(m, NULL, BATCH, BATCH);
    double apart = distance(got, wanted, BATCH * CLASSES);
    if (!(apart <= 0.1)) fail_msg("%s: apart by %g", s->name, apart);
    test_free(wanted);
    test_free(got);
    oc_model_free(plain);
    oc_model_free(m);
}

static void batch_does_not_change_an_answer(void **state) {
    const structure *s = *state;
    oc_model *m = int8_of(s->net);
    float *one = logits_of(m, NULL, 1, 1), *all = logits_of(m, NULL, 2, 2);
    for (int i = 0; i < CLASSES; i++) assert_float_equal(one[i], all[i], 1e-5);
    test_free(one);
    test_free(all);
    oc_model_free(m);
}

static void a_saved_model_gives_the_same_bits(void **state) {
    const structure *s = *state;
    char folder[OC_PATH_BYTES];
    oc_error err = {0};
    oc_model *m = int8_of(s->net), *again = NULL;
    make_scratch(folder);
    check_ok(oc_model_save(m, folder, &err), err);
    check_ok(oc_model_load(&again, folder, &err), err);
    float *wanted = logits_of(m, NULL, BATCH, BATCH), *got = logits_of(again, NULL, BATCH, BATCH);
    assert_memory_equal(got, wanted, BATCH * CLASSES * sizeof *got);
    test_free(wanted);
    test_free(got);
    oc_model_free(m);
    oc_model_free(again);
    drop_scratch(folder);
}

/* Whatever team the caller has: primitives are made for the plan's. */
static void one_thread_gives_the_same_answers(void **state) {
    (void)state;
    oc_error err = {0};
    oc_plan *plan[2] = {NULL, NULL};
    photos p = some_photos();
    oc_model *m = int8_of(residual);
    for (int i = 0; i < 2; i++) {
        check_ok(oc_model_plan(m, NULL, 1 + i, BATCH, &plan[i], &err), err);
        check_ok(oc_plan_forward(plan[i], p.pixels, BATCH, 0, NULL, NULL, &err), err);
    }
    assert_memory_equal(oc_plan_output(plan[0]), oc_plan_output(plan[1]),
                        BATCH * CLASSES * sizeof(float));
    oc_plan_free(plan[0]);
    oc_plan_free(plan[1]);
    oc_model_free(m);
    test_free(p.pixels);
}

static void running_allocates_nothing(void **state) {
    (void)state;
    oc_error err = {0};
    oc_plan *plan = NULL;
    photos p = some_photos();
    oc_model *m = int8_of(linear_bottleneck);
    check_ok(oc_model_plan(m, NULL, 2, BATCH, &plan, &err), err);
    check_ok(oc_plan_forward(plan, p.pixels, BATCH, 0, NULL, NULL, &err), err);
    uint64_t before = oc_mem_allocations();
    check_ok(oc_plan_forward(plan, p.pixels, BATCH, 0, NULL, NULL, &err), err);
    assert_int_equal(oc_mem_allocations(), before);
    oc_plan_free(plan);
    oc_model_free(m);
    test_free(p.pixels);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void a_quantised_network_is_not_trained(void **state) {
    (void)state;
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_model *m = int8_of(residual);
    const oc_plan_options o = {
        .mode = OC_MODE_TRAIN, .batch = 1, .height = SIDE, .width = SIDE, .threads = 1};
    check_fails(oc_plan_new(&plan, NULL, m->graph, &o, &err), err, OC_EUNSUPPORTED, "quantised");
    assert_null(plan);
    oc_model_free(m);
}

static void weights_that_are_no_whole_numbers_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_model *m = int8_of(residual);
    ((float *)oc_tensors_find(m->weights, "a.weight")->data)[3] += 0.001F;
    if (strcmp(oc_engine_names()[0], "onednn") != 0) skip();
    check_fails(oc_model_plan(m, NULL, 1, 1, &plan, &err), err, OC_EMISMATCH, "whole number");
    oc_model_free(m);
}

static void pairs_that_overflow_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_model *m = int8_of(residual);
    float step = ((const float *)oc_tensors_find(m->weights, "a.weight_scale")->data)[0];
    float *w = oc_tensors_find(m->weights, "a.weight")->data;
    w[0] = w[9] = 120 * step; /* channels 0 and 1 at the first tap */
    if (strcmp(oc_engine_names()[0], "onednn") != 0) skip();
    check_fails(oc_model_plan(m, NULL, 1, 1, &plan, &err), err, OC_EMISMATCH, "neighbouring");
    oc_model_free(m);
}

/* A model folder whose weights file has been changed by `spoil`. */
static void load_spoiled(void (*spoil)(oc_tensors *set), const char *words) {
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_error err = {0};
    oc_model *m = int8_of(residual), *again = NULL;
    oc_safetensors *st = NULL;
    oc_tensors *set = NULL;
    make_scratch(folder);
    check_ok(oc_model_save(m, folder, &err), err);
    check_ok(oc_path_join(path, folder, "model.safetensors", &err), err);
    check_ok(oc_safetensors_open(&st, path, &err), err);
    check_ok(oc_tensors_new(&set, &err), err);
    for (size_t i = 0; i < oc_tensors_count(oc_safetensors_tensors(st)); i++) {
        const oc_tensor *from = oc_tensors_at(oc_safetensors_tensors(st), i);
        const char *name = oc_tensors_name(oc_safetensors_tensors(st), i);
        oc_tensor *to = NULL;
        check_ok(oc_tensors_add(set, name, from->dtype, &from->shape, &to, &err), err);
        memcpy(to->data, from->data, oc_tensor_bytes(to));
    }
    spoil(set);
    check_ok(oc_safetensors_write(path, set, NULL, &err), err);
    check_fails(oc_model_load(&again, folder, &err), err, OC_EMISMATCH, words);
    assert_null(again);
    oc_tensors_free(set);
    oc_safetensors_close(st);
    oc_model_free(m);
    drop_scratch(folder);
}

static float *step_of(oc_tensors *set) {
    return oc_tensors_find(set, "a.weight_scale")->data;
}
static void step_zero(oc_tensors *set) {
    step_of(set)[2] = 0;
}
static void step_negative(oc_tensors *set) {
    step_of(set)[0] = -0.01F;
}
static void step_nan(oc_tensors *set) {
    step_of(set)[15] = NAN;
}
static void step_infinite(oc_tensors *set) {
    step_of(set)[1] = INFINITY;
}
static void weight_too_low(oc_tensors *set) {
    ((int8_t *)oc_tensors_find(set, "a.weight")->data)[7] = -128;
}
static void weight_is_float(oc_tensors *set) {
    oc_tensors_find(set, "a.weight")->dtype = OC_BOOL;
}
static void step_of_other_shape(oc_tensors *set) {
    oc_tensors_find(set, "a.weight_scale")->shape = oc_shape_2d(4, 4);
}

static void spoiled_files_are_refused(void **state) {
    (void)state;
    load_spoiled(step_zero, "output channel 2 is 0");
    load_spoiled(step_negative, "output channel 0 is -0.01");
    load_spoiled(step_nan, "output channel 15 is");
    load_spoiled(step_infinite, "output channel 1 is inf");
    load_spoiled(weight_too_low, "-128");
    load_spoiled(weight_is_float, "I8");
    load_spoiled(step_of_other_shape, "a.weight_scale is 4x4");
}

static void levels_out_of_range_are_refused(void **state) {
    (void)state;
    static const char *const fields[] = {"\"step\": 0",     "\"step\": -1",  "\"step\": 1e30",
                                         "\"step\": \"x\"", "\"zero\": 256", "\"zero\": -1",
                                         "\"levels\": 3"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char text[512];
        oc_error err = {0};
        json_t *o = NULL;
        oc_graph *graph = NULL;
        int n = snprintf(text, sizeof text,
                         "{\"format\": \"ocellus-graph\", \"version\": 1, \"nodes\": [{\"name\": "
                         "\"input\", \"op\": \"input\", \"inputs\": []}, {\"name\": \"q\", \"op\": "
                         "\"quantize\", \"inputs\": [\"input\"], %s}]}",
                         fields[i]);
        check_ok(oc_json_parse(text, (size_t)n, "test", &o, &err), err);
        assert_int_equal(oc_graph_from_json(o, "test", &graph, &err), OC_EFORMAT);
        assert_null(graph);
        json_decref(o);
    }
}

int main(void) {
    enum { COUNT = sizeof STRUCTURES / sizeof *STRUCTURES, EACH = 4, MORE = 7 };
    static const struct CMUnitTest each[EACH] = {
        cmocka_unit_test(bytes_agree_with_the_reference),
        cmocka_unit_test(int8_stays_near_the_float_model),
        cmocka_unit_test(batch_does_not_change_an_answer),
        cmocka_unit_test(a_saved_model_gives_the_same_bits)};
    static const struct CMUnitTest more[MORE] = {
        cmocka_unit_test(one_thread_gives_the_same_answers),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(a_quantised_network_is_not_trained),
        cmocka_unit_test(weights_that_are_no_whole_numbers_are_refused),
        cmocka_unit_test(pairs_that_overflow_are_refused),
        cmocka_unit_test(spoiled_files_are_refused),
        cmocka_unit_test(levels_out_of_range_are_refused)};
    static struct CMUnitTest tests[COUNT * EACH + MORE];
    for (size_t i = 0; i < COUNT * EACH; i++) {
        tests[i] = each[i % EACH];
        tests[i].initial_state = (void *)(uintptr_t)&STRUCTURES[i / EACH];
    }
    memcpy(tests + COUNT * EACH, more, sizeof more);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
