/* Two sides of one network: what agrees, where a difference begins, and what cannot be compared.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "interop/verify/verify_int.h"

enum { SIDE = 16, CLASSES = 3, IMAGES = 2 };

/* conv, relu, conv, relu, pool, dense; `prefix` is in front of every name but the input's. */
static oc_graph *small_graph(const char *prefix) {
    oc_error err = {0};
    oc_build b = {0};
    char name[5][32];
    static const char *const names[] = {"conv1", "relu1", "conv2", "relu2", "pool"};
    check_ok(oc_graph_new(&b.graph, &err), err);
    for (int i = 0; i < 5; i++) (void)snprintf(name[i], 32, "%s%s", prefix, names[i]);
    int x = oc_build_input(&b, 3, SIDE, SIDE);
    x = oc_build_conv(&b, x, name[0], 8, 3, 2, 1, 1, true, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_act(&b, x, name[1], OC_OP_RELU);
    x = oc_build_conv(&b, x, name[2], 6, 3, 1, 1, 1, true, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_act(&b, x, name[3], OC_OP_RELU);
    x = oc_build_global_pool(&b, x, name[4]);
    (void)oc_build_dense(&b, x, "head", CLASSES, OC_INIT_KAIMING_FAN_OUT);
    check_ok(b.status, b.error);
    return b.graph;
}

static oc_model *model_of(oc_graph *graph) {
    oc_error err = {0};
    oc_model *model;
    check_ok(oc_model_new(&model, &err), err);
    model->graph = graph;
    model->recipe = oc_recipe_default(SIDE, SIDE);
    if (model->weights == NULL) check_ok(oc_tensors_new(&model->weights, &err), err);
    check_ok(oc_graph_init(graph, 3, model->weights, &err), err);
    return model;
}

/* The same weights under names without the prefix. */
static oc_model *renamed(const oc_model *model, const char *prefix) {
    oc_model *other = model_of(small_graph(prefix));
    for (size_t i = 0; i < oc_tensors_count(other->weights); i++) {
        oc_tensor *to = oc_tensors_at(other->weights, i);
        memcpy(to->data, oc_tensors_at(model->weights, i)->data, oc_tensor_bytes(to));
    }
    return other;
}

static float *weights(oc_model *model, const char *name) {
    oc_tensor *t = oc_tensors_find(model->weights, name);
    assert_non_null(t);
    return t->data;
}

static const oc_verify_options usual = {.tolerance = 1e-3, .threads = 1};

static oc_verification verify(const oc_model *a, const oc_model *b) {
    oc_verification v;
    oc_error err = {0};
    check_ok(oc_verify_models(&v, a, b, &usual, &err), err);
    return v;
}

static void a_model_agrees_with_itself(void **state) {
    (void)state;
    oc_model *m = model_of(small_graph(""));
    oc_verification v = verify(m, m);
    assert_true(v.agrees && v.first == -1 && v.output.difference == 0);
    assert_int_equal(v.count, 7);
    assert_int_equal(v.same_class, v.images);
    for (size_t i = 0; i < v.count; i++) {
        assert_int_equal(v.rows[i].match, OC_FOUND_NAME);
        assert_true(v.rows[i].difference == 0 && v.rows[i].largest > 0);
    }
    oc_verification_clear(&v);
    oc_model_free(m);
}

static void the_first_layer_that_differs_is_found(void **state) {
    (void)state;
    oc_model *a = model_of(small_graph("")), *b = renamed(a, "");
    weights(b, "conv2.bias")[0] += 0.5F;
    weights(b, "head.weight")[0] += 0.5F;
    oc_verification v = verify(a, b);
    assert_false(v.agrees);
    assert_string_equal(v.rows[v.first].name, "conv2");
    assert_true(fabs(v.rows[v.first].difference - 0.5) < 1e-5);
    assert_true(v.rows[v.first - 1].difference == 0);
    oc_verification_clear(&v);
    oc_model_free(a);
    oc_model_free(b);
}

static void layers_of_other_names_are_matched_by_order_and_shape(void **state) {
    (void)state;
    oc_model *a = model_of(small_graph("")), *b = renamed(a, "net/");
    weights(b, "net/conv2.bias")[0] += 0.5F;
    oc_verification v = verify(a, b);
    for (size_t i = 1; i < 6; i++) {
        assert_int_equal(v.rows[i].match, OC_FOUND_ORDER);
        assert_string_equal(v.rows[i].theirs + 4, v.rows[i].name);
    }
    assert_string_equal(v.rows[v.first].name, "conv2");
    oc_verification_clear(&v);
    oc_model_free(a);
    oc_model_free(b);
}

static void a_layer_of_another_shape_is_where_they_differ(void **state) {
    (void)state;
    oc_error err = {0};
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 3, SIDE, SIDE);
    x = oc_build_conv(&b, x, "conv1", 8, 3, 1, 1, 1, true, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_global_pool(&b, x, "pool");
    (void)oc_build_dense(&b, x, "head", CLASSES, OC_INIT_KAIMING_FAN_OUT);
    oc_model *m = model_of(small_graph("")), *other = model_of(b.graph);
    oc_verification v = verify(m, other);
    assert_string_equal(v.rows[v.first].name, "conv1");
    assert_int_equal(v.rows[v.first].match, OC_FOUND_SHAPE);
    assert_true(isinf(oc_verify_share(&v.rows[v.first])));
    oc_verification_clear(&v);
    oc_model_free(m);
    oc_model_free(other);
}

static void other_outputs_are_no_same_network(void **state) {
    (void)state;
    oc_error err = {0};
    oc_verification v;
    oc_graph *graph = small_graph("");
    check_ok(oc_graph_set_classes(graph, 5, &err), err);
    oc_model *m = model_of(small_graph("")), *other = model_of(graph);
    check_fails(oc_verify_models(&v, m, other, &usual, &err), err, OC_EMISMATCH, "5x1x1");
    assert_null(v.rows);
    oc_model_free(m);
    oc_model_free(other);
}

static void every_engine_shows_every_layer(void **state) {
    (void)state;
    oc_model *m = model_of(small_graph(""));
    for (const char *const *engine = oc_engine_names(); *engine != NULL; engine++) {
        oc_verification v;
        oc_error err = {0};
        oc_verify_options o = usual;
        o.engine = *engine;
        check_ok(oc_verify_models(&v, m, m, &o, &err), err);
        assert_true(v.agrees);
        for (size_t i = 0; i < v.count; i++) {
            assert_true(oc_verify_share(&v.rows[i]) < 1e-5);
            assert_true(v.rows[i].largest > 0);
        }
        oc_verification_clear(&v);
    }
    oc_model_free(m);
}

static void a_number_that_is_none_is_a_difference(void **state) {
    (void)state;
    oc_model *a = model_of(small_graph("")), *b = renamed(a, "");
    weights(a, "conv1.bias")[0] = NAN;
    oc_verification v = verify(a, b);
    assert_false(v.agrees);
    assert_string_equal(v.rows[v.first].name, "conv1");
    oc_verification_clear(&v);
    oc_model_free(a);
    oc_model_free(b);
}

/* ---- recorded values ---- */

typedef struct recording {
    oc_tensors *set;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
} recording;

static void put(recording *r, const char *name, oc_shape shape, const float *values) {
    oc_error err = {0};
    oc_tensor *t;
    check_ok(oc_tensors_add(r->set, name, OC_F32, &shape, &t, &err), err);
    if (values != NULL) memcpy(t->data, values, oc_tensor_bytes(t));
}

/* What the model gives for two pictures of noise, under the names that `prefix` makes. */
static recording record(const oc_model *model, const char *prefix) {
    recording r;
    oc_error err = {0};
    oci_side side;
    oc_rng rng;
    make_scratch(r.folder);
    check_ok(oc_path_join(r.path, r.folder, "recorded.safetensors", &err), err);
    check_ok(oc_tensors_new(&r.set, &err), err);
    check_ok(oci_side_model(&side, model, "ref", 1, SIDE, SIDE, IMAGES, &err), err);
    oc_rng_init(&rng, 9, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < IMAGES * side.nodes[0].volume; i++) side.pixels[i] = oc_rng_normal(&rng);
    check_ok(oci_side_run(&side, IMAGES, &err), err);
    put(&r, "input", oc_shape_4d(IMAGES, 3, SIDE, SIDE), side.pixels);
    for (size_t i = 1; i < side.count; i++) {
        char name[64];
        const int64_t *d = side.nodes[i].shape.dim;
        (void)snprintf(name, sizeof name, "%s%s", prefix, side.nodes[i].name);
        put(&r, name, oc_shape_4d(IMAGES, d[0], d[1], d[2]), side.nodes[i].at);
    }
    put(&r, "output", oc_shape_2d(IMAGES, CLASSES), side.nodes[side.output].at);
    oci_side_clear(&side);
    return r;
}

static oc_status compare(recording *r, const oc_model *model, const char *order, oc_verification *v,
                         oc_error *err) {
    oc_safetensors *file = NULL;
    json_t *metadata = order != NULL ? json_pack("{s:s}", "order", order) : NULL;
    oc_status status = oc_safetensors_write(r->path, r->set, metadata, err);
    json_decref(metadata);
    *v = (oc_verification){0};
    if (status == OC_OK) status = oc_safetensors_open(&file, r->path, err);
    if (status == OC_OK) status = oc_verify_recorded(v, model, file, r->path, &usual, err);
    oc_safetensors_close(file);
    return status;
}

static void finish(recording *r) {
    oc_tensors_free(r->set);
    drop_scratch(r->folder);
}

static void recorded_values_agree_with_who_recorded_them(void **state) {
    (void)state;
    oc_model *m = model_of(small_graph(""));
    recording r = record(m, "");
    oc_verification v;
    oc_error err = {0};
    check_ok(compare(&r, m, NULL, &v, &err), err);
    assert_true(v.agrees && v.output.difference == 0);
    assert_int_equal(v.images, IMAGES);
    for (size_t i = 0; i < v.count; i++) assert_int_equal(v.rows[i].match, OC_FOUND_NAME);
    oc_verification_clear(&v);
    finish(&r);
    oc_model_free(m);
}

/* Files keep no order of their own: without the list, strangers are left alone. */
static void recorded_strangers_are_matched_only_where_their_order_is_known(void **state) {
    (void)state;
    oc_model *m = model_of(small_graph(""));
    recording r = record(m, "x.");
    oc_verification v;
    oc_error err = {0};
    check_ok(compare(&r, m, NULL, &v, &err), err);
    assert_int_equal(v.rows[1].match, OC_FOUND_NONE);
    assert_true(v.agrees);
    oc_verification_clear(&v);
    check_ok(
        compare(&r, m, "x.conv1\nx.relu1\nx.conv2\nnothing\nx.relu2\nx.pool\nx.head", &v, &err),
        err);
    for (size_t i = 1; i < v.count; i++) assert_int_equal(v.rows[i].match, OC_FOUND_ORDER);
    assert_true(v.agrees && v.first == -1);
    oc_verification_clear(&v);
    finish(&r);
    oc_model_free(m);
}

static void refuses(const char *name, oc_shape shape, const float *values, oc_status wanted,
                    const char *part) {
    oc_model *m = model_of(small_graph(""));
    recording r = record(m, "");
    recording bad = r;
    oc_verification v;
    oc_error err = {0};
    check_ok(oc_tensors_new(&bad.set, &err), err);
    for (size_t i = 0; i < oc_tensors_count(r.set); i++) {
        const char *other = oc_tensors_name(r.set, i);
        const oc_tensor *t = oc_tensors_at(r.set, i);
        if (strcmp(other, name) != 0) put(&bad, other, t->shape, t->data);
    }
    if (shape.rank > 0) put(&bad, name, shape, values);
    check_fails(compare(&bad, m, NULL, &v, &err), err, wanted, part);
    oc_tensors_free(bad.set);
    finish(&r);
    oc_model_free(m);
}

static void hostile_recordings_are_met_with_words(void **state) {
    (void)state;
    const oc_shape none = {0};
    const float bad[IMAGES * CLASSES] = {1, NAN};
    refuses("input", none, NULL, OC_EFORMAT, "no tensor \"input\"");
    refuses("output", none, NULL, OC_EFORMAT, "no tensor \"output\"");
    refuses("input", oc_shape_2d(IMAGES, 3), NULL, OC_EFORMAT, "(n, c, h, w)");
    refuses("input", oc_shape_4d(0, 3, SIDE, SIDE), NULL, OC_EFORMAT, "n of 1 to");
    refuses("input", oc_shape_4d(IMAGES, 4, SIDE, SIDE), NULL, OC_EMISMATCH, "4 channels");
    refuses("input", oc_shape_4d(IMAGES, 3, 0, SIDE), NULL, OC_EFORMAT, "2x3x0x16");
    refuses("output", oc_shape_2d(IMAGES, CLASSES), bad, OC_ENUMERIC, "nan");
    refuses("output", oc_shape_2d(IMAGES, 7), NULL, OC_EMISMATCH, "not the same network");
    refuses("conv1", oc_shape_2d(3, 7), NULL, OC_EMISMATCH, "\"conv1\" is 3x7");
    refuses("conv1", oc_shape_1d(IMAGES), NULL, OC_EMISMATCH, "\"conv1\" is 2");
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    oc_model *m = model_of(small_graph(""));
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n += n / 20 + 1) {
        oc_verification v;
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_verify_models(&v, m, m, &usual, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK && status != OC_ENOMEM)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, oc_status_name(status),
                     err.message);
        oc_verification_clear(&v);
        assert_true(n < 100000);
    }
    oc_model_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_agrees_with_itself),
        cmocka_unit_test(the_first_layer_that_differs_is_found),
        cmocka_unit_test(layers_of_other_names_are_matched_by_order_and_shape),
        cmocka_unit_test(a_layer_of_another_shape_is_where_they_differ),
        cmocka_unit_test(other_outputs_are_no_same_network),
        cmocka_unit_test(every_engine_shows_every_layer),
        cmocka_unit_test(a_number_that_is_none_is_a_difference),
        cmocka_unit_test(recorded_values_agree_with_who_recorded_them),
        cmocka_unit_test(recorded_strangers_are_matched_only_where_their_order_is_known),
        cmocka_unit_test(hostile_recordings_are_met_with_words),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
