/* Reading ONNX: what our own export writes comes back, what other exporters write is understood,
 * and a hostile file is an error that names the place.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "onnx_maker.h"

/* ---- what exporters write
 * ------------------------------------------------------------------------- */

static void activations_of_several_nodes_become_one(void **state) {
    static const oc_op silu[] = {OC_OP_INPUT, OC_OP_CONV, OC_OP_SILU, OC_OP_GLOBAL_POOL,
                                 OC_OP_DENSE},
                       swish[] = {OC_OP_INPUT, OC_OP_CONV, OC_OP_HARD_SWISH, OC_OP_GLOBAL_POOL,
                                  OC_OP_DENSE};
    maker m = {0};
    (void)state;
    picture(&m);
    conv(&m, "x", "a");
    node(&m, "Sigmoid", "a", "s");
    node(&m, "Mul", "a s", "b");
    node(&m, "GlobalAveragePool", "b", "p");
    node(&m, "Flatten", "p", "f");
    head(&m, "f");
    oc_model *model = take(&m);
    check_ops(model, silu, 5);
    assert_int_equal(find(model, "body.0")->op, OC_OP_CONV);
    oc_model_free(model);

    picture(&m);
    conv(&m, "x", "a");
    number(&m, "three", 3);
    number(&m, "zero", 0);
    number(&m, "six", 6);
    node(&m, "Add", "a three", "b");
    node(&m, "Clip", "b zero six", "c");
    node(&m, "Mul", "a c", "d");
    node(&m, "Div", "d six", "e");
    node(&m, "GlobalAveragePool", "e", "p");
    node(&m, "Flatten", "p", "f");
    head(&m, "f");
    model = take(&m);
    check_ops(model, swish, 5);
    oc_model_free(model);
}

static void shapes_of_an_open_batch_are_computed(void **state) {
    static const oc_op ops[] = {OC_OP_INPUT, OC_OP_CONV, OC_OP_GLOBAL_POOL, OC_OP_DENSE};
    static const int64_t zero[] = {0}, rest[] = {-1}, first[] = {0};
    maker m = {0};
    (void)state;
    picture(&m);
    conv(&m, "x", "a");
    node(&m, "GlobalAveragePool", "a", "p");
    tensor(&m, "zero", OCI_ONNX_INT64, NULL, 0, zero, sizeof zero);
    ints(&m, "rest", rest, 1);
    ints(&m, "first", first, 1);
    node(&m, "Shape", "p", "s");
    node(&m, "Gather", "s zero", "n");
    node(&m, "Unsqueeze", "n first", "n1");
    attr_int(&m, "axis", 0);
    node(&m, "Concat", "n1 rest", "shape");
    node(&m, "Reshape", "p shape", "f");
    head(&m, "f");
    oc_model *model = take(&m);
    check_ops(model, ops, 4);
    oc_model_free(model);
}

/* Keras by way of tf2onnx: pixels (n, h, w, c), flattened in that order. */
static void channels_last_are_turned_with_their_weights(void **state) {
    static const int64_t dims[] = {-1, 2, 2, 3}, planar[] = {0, 3, 1, 2}, back[] = {0, 2, 3, 1},
                         row[] = {-1, 12}, kernel[] = {3, 3, 1, 1}, matrix[] = {12, CLASSES};
    maker m = {0};
    (void)state;
    value(&m, OCI_GRAPH_INPUT, "x", OCI_ONNX_FLOAT, dims, 4);
    attr_ints(&m, "perm", planar, 4);
    node(&m, "Transpose", "x", "t");
    weights(&m, "k.weight", kernel, 4);
    node(&m, "Conv", "t k.weight", "a");
    attr_ints(&m, "perm", back, 4);
    node(&m, "Transpose", "a", "b");
    ints(&m, "row", row, 2);
    node(&m, "Reshape", "b row", "f");
    weights(&m, "m", matrix, 2);
    node(&m, "MatMul", "f m", "y");
    value(&m, OCI_GRAPH_OUTPUT, "y", OCI_ONNX_FLOAT, NULL, 0);
    oc_model *model = take(&m);
    const float *w = oc_tensors_find(model->weights, "y.weight")->data;
    for (int c = 0; c < 3; c++)
        for (int p = 0; p < 4; p++)
            for (int o = 0; o < CLASSES; o++) {
                int there = (p * 3 + c) * CLASSES + o, here = o * 12 + c * 4 + p;
                assert_float_equal(w[here], 0.01F * (float)(there % 17 + 1), 1e-7);
            }
    oc_model_free(model);
}

static void terms_behind_a_layer_become_its_bias(void **state) {
    static const oc_op ops[] = {OC_OP_INPUT, OC_OP_CONV, OC_OP_GLOBAL_POOL, OC_OP_DENSE};
    static const int64_t channels[] = {3, 1, 1};
    maker m = {0};
    (void)state;
    picture(&m);
    conv(&m, "x", "a");
    weights(&m, "terms", channels, 3);
    node(&m, "Add", "a terms", "b");
    node(&m, "GlobalAveragePool", "b", "p");
    node(&m, "Flatten", "p", "f");
    head(&m, "f");
    oc_model *model = take(&m);
    check_ops(model, ops, 4);
    const float *bias = oc_tensors_find(model->weights, "body.0.bias")->data;
    assert_float_equal(bias[2], 0.03F, 1e-7);
    oc_model_free(model);
}

static void padding_goes_into_the_layer_behind(void **state) {
    static const int64_t pads[] = {0, 0, 1, 2, 0, 0, 3, 0};
    maker m = {0};
    (void)state;
    picture(&m);
    ints(&m, "pads", pads, 8);
    node(&m, "Pad", "x pads", "a");
    conv(&m, "a", "b");
    node(&m, "GlobalAveragePool", "b", "p");
    node(&m, "Flatten", "p", "f");
    head(&m, "f");
    oc_model *model = take(&m);
    const oc_attrs *a = &find(model, "body.0")->attrs;
    assert_int_equal(a->pad_top, 1);
    assert_int_equal(a->pad_left, 2);
    assert_int_equal(a->pad_bottom, 3);
    assert_int_equal(a->pad_right, 0);
    oc_model_free(model);
}

static void pixels_are_normalised_by_the_recipe(void **state) {
    static const oc_op ops[] = {OC_OP_INPUT, OC_OP_CONV, OC_OP_GLOBAL_POOL, OC_OP_DENSE};
    static const float mean[] = {123.675F, 116.28F, 103.53F}, std[] = {58.395F, 57.12F, 57.375F};
    static const int64_t channels[] = {1, 3, 1, 1}, turned[] = {2, 1, 0};
    maker m = {0};
    (void)state;
    picture(&m);
    tensor(&m, "mean", OCI_ONNX_FLOAT, channels, 4, mean, sizeof mean);
    tensor(&m, "std", OCI_ONNX_FLOAT, channels, 4, std, sizeof std);
    ints(&m, "turned", turned, 3);
    node(&m, "Sub", "x mean", "a");
    node(&m, "Div", "a std", "b");
    attr_int(&m, "axis", 1);
    node(&m, "Gather", "b turned", "c");
    conv(&m, "c", "d");
    node(&m, "GlobalAveragePool", "d", "p");
    node(&m, "Flatten", "p", "f");
    head(&m, "f");
    oc_model *model = take(&m);
    check_ops(model, ops, 4);
    assert_true(model->recipe.bgr);
    assert_float_equal(model->recipe.unit, 255, 0);
    assert_float_equal(model->recipe.mean[0], 0.485F, 1e-5);
    assert_float_equal(model->recipe.std[2], 0.225F, 1e-5);
    oc_model_free(model);
}

/* ---- there and back
 * -------------------------------------------------------------------------------- */

/* Does the network end in a layer of as many outputs, so that it is a classifier? */
static bool is_classifier(const oc_graph *graph) {
    oc_shape *shapes = oc_calloc((size_t)oc_graph_node_count(graph), sizeof *shapes);
    const oc_attrs *in = &oc_graph_node(graph, 0)->attrs;
    const oc_shape *last = &shapes[oc_graph_node_count(graph) - 1];
    assert_int_equal(oc_graph_shapes(graph, 1, in->height, in->width, shapes, NULL), OC_OK);
    bool is = last->dim[2] == 1 && last->dim[3] == 1 && in->channels == 3 &&
              oc_graph_head(graph) >= 0 && oc_graph_classes(graph) == last->dim[1];
    oc_free(shapes);
    return is;
}

static void check_return(bench *b, const char *path) {
    oc_model model = {
        .graph = b->graph, .weights = b->weights, .temperature = 1.25, .threshold = 0.4};
    oc_model *back = NULL;
    oc_plan *plan = NULL;
    oc_error err = {0};
    model.recipe = oc_recipe_default(b->spec->w, b->spec->h);
    check_ok(oc_labels_numbered(&model.classes, b->classes, &err), err);
    check_ok(oc_onnx_export(&model, path, NULL, &err), err);
    check_ok(oc_model_new(&back, &err), err);
    check_ok(oc_onnx_import(back, path, 0, NULL, &err), err);
    assert_true(back->temperature == 1.25 && back->threshold == 0.4);
    assert_int_equal(back->classes.count, b->classes);
    assert_int_equal(back->recipe.resize_side, model.recipe.resize_side);
    const oc_plan_options options = {
        .batch = b->spec->n, .height = b->spec->h, .width = b->spec->w, .threads = 1};
    oc_plan *first = bench_plan(b, "ref", OC_MODE_INFER);
    check_ok(oc_plan_new(&plan, "ref", back->graph, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, back->weights, &err), err);
    check_ok(oc_plan_forward(first, b->pixels, b->spec->n, 0, NULL, NULL, &err), err);
    check_ok(oc_plan_forward(plan, b->pixels, b->spec->n, 0, NULL, NULL, &err), err);
    double worst =
        difference(oc_plan_output(plan), oc_plan_output(first), b->classes * (size_t)b->spec->n);
    if (!(worst <= 1e-6)) fail_msg("%s: read back, scores differ by %g", b->spec->name, worst);
    oc_plan_free(plan);
    oc_plan_free(first);
    oc_classes_clear(&model.classes);
    oc_model_free(back);
}

static void what_we_write_comes_back(void **state) {
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    int count = 0;
    (void)state;
    make_scratch(folder);
    assert_int_equal(oc_path_join(path, folder, "net.onnx", NULL), OC_OK);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        bench b;
        bench_open(&b, &CASES[i]);
        if (is_classifier(b.graph)) {
            check_return(&b, path);
            count++;
        }
        bench_close(&b);
    }
    assert_true(count > 15);
    drop_scratch(folder);
}

/* ---- hostile
 * --------------------------------------------------------------------------------------- */

static void all_that_is_lacking_is_told_at_once(void **state) {
    maker m = {0};
    (void)state;
    picture(&m);
    conv(&m, "x", "a");
    node(&m, "Resize", "a", "up");
    node(&m, "Resize", "up", "top");
    node(&m, "Einsum", "top", "mixed");
    node(&m, "GlobalAveragePool", "mixed", "p");
    node(&m, "Flatten", "p", "f");
    head(&m, "f");
    refuse(&m, OC_EUNSUPPORTED,
           "3 nodes cannot be represented: Resize 'up' and 1 more: no such op here; "
           "Einsum 'mixed': no such op here");
}

static void cycles_and_unknown_inputs_are_named(void **state) {
    maker m = {0};
    (void)state;
    picture(&m);
    node(&m, "Relu", "b", "a");
    node(&m, "Relu", "a", "b");
    head(&m, "b");
    refuse(&m, OC_EFORMAT, "Relu 'a' reads 'b', which is given later: a cycle");
    picture(&m);
    node(&m, "Relu", "nobody", "a");
    head(&m, "a");
    refuse(&m, OC_EFORMAT, "Relu 'a' reads 'nobody', which nothing gives");
    picture(&m);
    node(&m, "Relu", "x", "a");
    node(&m, "Relu", "x", "a");
    head(&m, "a");
    refuse(&m, OC_EFORMAT, "two nodes give 'a'");
}

static void sizes_of_tensors_are_not_believed(void **state) {
    static const int64_t huge[] = {INT64_MAX, INT64_MAX}, negative[] = {-3, 3}, large[] = {1 << 20};
    static const float one = 1;
    maker m = {0};
    (void)state;
    picture(&m);
    tensor(&m, "w", OCI_ONNX_FLOAT, huge, 2, &one, sizeof one);
    refuse(&m, OC_EFORMAT, "tensor 'w' of");
    picture(&m);
    tensor(&m, "w", OCI_ONNX_FLOAT, negative, 2, &one, sizeof one);
    refuse(&m, OC_EFORMAT, "no such size");
    picture(&m);
    tensor(&m, "w", OCI_ONNX_FLOAT, large, 1, &one, sizeof one);
    refuse(&m, OC_EFORMAT, "needs 1048576 values of 4 bytes, has 1");
    picture(&m);
    tensor(&m, "w", 99, large, 1, &one, sizeof one);
    refuse(&m, OC_EUNSUPPORTED, "elements of type 99");
}

static void windows_of_no_sense_are_refused(void **state) {
    static const int64_t zero[] = {0, 0}, vast[] = {INT64_MAX, 1}, negative[] = {-1, -1, -1, -1};
    maker m = {0};
    (void)state;
    picture(&m);
    attr_ints(&m, "kernel_shape", zero, 2);
    node(&m, "MaxPool", "x", "a");
    head(&m, "a");
    refuse(&m, OC_EUNSUPPORTED, "windows or strides of 0");
    picture(&m);
    attr_ints(&m, "strides", vast, 2);
    conv(&m, "x", "a");
    head(&m, "a");
    refuse(&m, OC_EUNSUPPORTED, "a window that is not two-dimensional");
    picture(&m);
    attr_ints(&m, "pads", negative, 4);
    conv(&m, "x", "a");
    head(&m, "a");
    refuse(&m, OC_EUNSUPPORTED, "a window that is not two-dimensional");
}

static void values_outside_stay_in_the_folder(void **state) {
    static const char *const places[] = {"/etc/passwd", "../secret", "a/../../secret", "",
                                         "a//b",        ".."};
    static const int64_t dims[] = {4};
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        oc_buf place = {0};
        oc_error err = {0};
        oc_model *model = NULL;
        maker m = {0};
        picture(&m);
        oci_wire_put_varint(&m.scratch, OCI_TENSOR_DIMS, (uint64_t)dims[0]);
        oci_wire_put_varint(&m.scratch, OCI_TENSOR_TYPE, OCI_ONNX_FLOAT);
        oci_wire_put_text(&m.scratch, OCI_TENSOR_NAME, "w");
        oci_wire_put_varint(&m.scratch, OCI_TENSOR_LOCATION, OCI_LOCATION_EXTERNAL);
        oci_wire_put_text(&place, OCI_ENTRY_KEY, "location");
        oci_wire_put_text(&place, OCI_ENTRY_VALUE, places[i]);
        oci_wire_put_message(&m.scratch, OCI_TENSOR_EXTERNAL, &place);
        oci_wire_put_message(&m.graph, OCI_GRAPH_INITIALIZER, &m.scratch);
        oc_buf_clear(&place);
        oc_buf file = finish(&m);
        check_ok(oc_model_new(&model, &err), err);
        check_fails(oc_onnx_parse(model, file.data, file.size, "net.onnx", "/tmp", 0, NULL, &err),
                    err, OC_EFORMAT, "only files beside the model are read");
        oc_model_free(model);
        oc_buf_clear(&file);
    }
}

/* A small network of many kinds of fields, as bytes. */
static oc_buf sample(void) {
    static const int64_t pads[] = {1, 1, 1, 1};
    maker m = {0};
    picture(&m);
    attr_ints(&m, "pads", pads, 4);
    conv(&m, "x", "a");
    node(&m, "Relu", "a", "b");
    node(&m, "GlobalAveragePool", "b", "p");
    node(&m, "Flatten", "p", "f");
    head(&m, "f");
    return finish(&m);
}

/* Never a crash, never more read than is there; most often an error. */
static void damaged_files_are_errors(void **state) {
    oc_buf file = sample();
    (void)state;
    for (size_t size = 0; size < file.size; size++) {
        oc_error err = {0};
        oc_model *model = NULL;
        char *copy = oc_malloc(size);
        memcpy(copy, file.data, size);
        check_ok(oc_model_new(&model, &err), err);
        oc_status status = oc_onnx_parse(model, copy, size, "net.onnx", NULL, 0, NULL, &err);
        assert_int_not_equal(status, OC_OK);
        assert_non_null(strstr(err.message, "net.onnx"));
        oc_model_free(model);
        oc_free(copy);
    }
    oc_buf_clear(&file);
}

static void messages_are_followed_only_so_deep(void **state) {
    oc_buf deep = {0}, outer = {0};
    oc_model *model = NULL;
    oc_error err = {0};
    (void)state;
    for (int i = 0; i < 100; i++) {
        oci_wire_put_message(&outer, OCI_MODEL_GRAPH, &deep);
        oc_buf swap = deep;
        deep = outer;
        outer = swap;
    }
    check_ok(oc_model_new(&model, &err), err);
    check_fails(oc_onnx_parse(model, deep.data, deep.size, "net.onnx", NULL, 0, NULL, &err), err,
                OC_EFORMAT, "opset 0");
    oc_model_free(model);
    oc_buf_clear(&deep);
    oc_buf_clear(&outer);
}

static void running_out_of_memory_leaks_nothing(void **state) {
    oc_buf file = sample();
    (void)state;
    for (uint64_t n = 1; n < 1000; n++) {
        oc_error err = {0};
        oc_model *model = NULL;
        check_ok(oc_model_new(&model, &err), err);
        oc_mem_fail_at(n);
        oc_status status =
            oc_onnx_parse(model, file.data, file.size, "net.onnx", NULL, 0, NULL, &err);
        oc_mem_fail_at(0);
        oc_model_free(model);
        if (status == OC_OK) {
            assert_true(n > 5);
            oc_buf_clear(&file);
            return;
        }
        assert_int_equal(status, OC_ENOMEM);
    }
    fail_msg("never succeeded");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_of_several_nodes_become_one),
        cmocka_unit_test(shapes_of_an_open_batch_are_computed),
        cmocka_unit_test(channels_last_are_turned_with_their_weights),
        cmocka_unit_test(terms_behind_a_layer_become_its_bias),
        cmocka_unit_test(padding_goes_into_the_layer_behind),
        cmocka_unit_test(pixels_are_normalised_by_the_recipe),
        cmocka_unit_test(what_we_write_comes_back),
        cmocka_unit_test(all_that_is_lacking_is_told_at_once),
        cmocka_unit_test(cycles_and_unknown_inputs_are_named),
        cmocka_unit_test(sizes_of_tensors_are_not_believed),
        cmocka_unit_test(windows_of_no_sense_are_refused),
        cmocka_unit_test(values_outside_stay_in_the_folder),
        cmocka_unit_test(damaged_files_are_errors),
        cmocka_unit_test(messages_are_followed_only_so_deep),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
