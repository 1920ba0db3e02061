/* Channels picked in an ONNX file: what is left of slices, splits and shuffles, and what is
 * refused.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "onnx_maker.h"

/* 3 channels, picked as the node says, a mean of each, 4 scores. */
static void end(maker *m, const char *from) {
    node(m, "GlobalAveragePool", from, "p");
    node(m, "Flatten", "p", "f");
    head(m, "f");
}

static void slice(maker *m, const char *name, int64_t start, int64_t stop, int64_t step) {
    const int64_t starts[] = {start}, ends[] = {stop}, axes[] = {1}, steps[] = {step};
    char inputs[64];
    ints(m, "starts", starts, 1);
    ints(m, "ends", ends, 1);
    ints(m, "axes", axes, 1);
    ints(m, "steps", steps, 1);
    (void)snprintf(inputs, sizeof inputs, "%s starts ends axes steps", name);
    node(m, "Slice", inputs, "cut");
}

static void a_list_becomes_a_convolution_of_zeros_and_ones(void **state) {
    static const oc_op ops[] = {OC_OP_INPUT, OC_OP_CONV, OC_OP_CONV, OC_OP_GLOBAL_POOL,
                                OC_OP_DENSE};
    static const int64_t order[] = {1, -1, 1};
    static const float wanted[] = {0, 1, 0, 0, 0, 1, 0, 1, 0};
    maker m = {0};
    (void)state;
    picture(&m);
    conv(&m, "x", "a");
    ints(&m, "order", order, 3);
    attr_int(&m, "axis", 1);
    node(&m, "Gather", "a order", "b");
    end(&m, "b");
    oc_model *model = take(&m);
    check_ops(model, ops, 5);
    assert_memory_equal(oc_tensors_find(model->weights, "b.weight")->data, wanted, sizeof wanted);
    oc_model_free(model);
}

static void a_convolution_behind_lists_sees_all_channels(void **state) {
    static const oc_op ops[] = {OC_OP_INPUT, OC_OP_CONV, OC_OP_CONV, OC_OP_GLOBAL_POOL,
                                OC_OP_DENSE};
    static const int64_t order[] = {2, 0, 1}, kernel[] = {3, 1, 1, 1};
    maker m = {0};
    (void)state;
    picture(&m);
    conv(&m, "x", "a");
    ints(&m, "order", order, 3);
    attr_int(&m, "axis", 1);
    node(&m, "Gather", "a order", "b");
    slice(&m, "b", 1, 2, 1);
    weights(&m, "k.weight", kernel, 4);
    node(&m, "Conv", "cut k.weight", "c");
    end(&m, "c");
    oc_model *model = take(&m);
    const float *w = oc_tensors_find(model->weights, "k.weight")->data;
    check_ops(model, ops, 5);
    for (int o = 0; o < 3; o++)
        for (int c = 0; c < 3; c++)
            assert_float_equal(w[o * 3 + c], c == 0 ? 0.01F * (float)(o + 1) : 0, 1e-7);
    oc_model_free(model);
}

static void what_is_no_part_of_the_channels_is_refused(void **state) {
    static const int64_t beyond[] = {0, 3}, sizes[] = {2, 2}, parted[] = {-1, 3, 2, SIDE, SIDE},
                         two[] = {6, 3, 1, 1};
    maker m = {0};
    (void)state;
    picture(&m);
    slice(&m, "x", 2, 2, 1);
    end(&m, "cut");
    refuse(&m, OC_EUNSUPPORTED, "leaves no channel of 3");
    picture(&m);
    slice(&m, "x", INT64_MIN, INT64_MAX, INT64_MIN);
    end(&m, "cut");
    refuse(&m, OC_EUNSUPPORTED, "cuts something other than a range of channels");
    picture(&m);
    ints(&m, "at", beyond, 2);
    attr_int(&m, "axis", 1);
    node(&m, "Gather", "x at", "a");
    end(&m, "a");
    refuse(&m, OC_EUNSUPPORTED, "channel 3 of 3");
    picture(&m);
    ints(&m, "sizes", sizes, 1);
    attr_int(&m, "axis", 1);
    node(&m, "Split", "x sizes", "a");
    end(&m, "a");
    refuse(&m, OC_EUNSUPPORTED, "leaves channels over");
    picture(&m);
    weights(&m, "two.weight", two, 4);
    node(&m, "Conv", "x two.weight", "a");
    ints(&m, "parted", parted, 5);
    node(&m, "Reshape", "a parted", "b");
    node(&m, "Relu", "b", "c");
    end(&m, "c");
    refuse(&m, OC_EUNSUPPORTED, "of channels that are parted in groups");
}

/* A list of n channels of n, again and again: n^2 weights each. */
static void lists_are_bounded_together(void **state) {
    enum { WIDE = 1200, TIMES = 40 };
    static const int64_t kernel[] = {WIDE, 3, 1, 1}, last[] = {CLASSES, WIDE / 2, 1, 1};
    static int64_t order[WIDE];
    static float grey[WIDE * 3];
    char from[16] = "a", to[16];
    maker m = {0};
    (void)state;
    for (int i = 0; i < WIDE; i++) order[i] = WIDE - 1 - i;
    picture(&m);
    tensor(&m, "w", OCI_ONNX_FLOAT, kernel, 4, grey, sizeof grey);
    node(&m, "Conv", "x w", "a");
    ints(&m, "order", order, WIDE);
    for (int i = 0; i < TIMES; i++) {
        char inputs[32];
        (void)snprintf(inputs, sizeof inputs, "%s order", from);
        attr_int(&m, "axis", 1);
        (void)snprintf(to, sizeof to, "g%d", i);
        node(&m, "Gather", inputs, to);
        (void)snprintf(from, sizeof from, "r%d", i);
        node(&m, "Relu", to, from);
    }
    tensor(&m, "u", OCI_ONNX_FLOAT, last, 4, grey, CLASSES * WIDE / 2 * sizeof *grey);
    node(&m, "GlobalAveragePool", from, "p");
    attr_int(&m, "group", 2);
    node(&m, "Conv", "p u", "y");
    value(&m, OCI_GRAPH_OUTPUT, "y", OCI_ONNX_FLOAT, NULL, 0);
    refuse(&m, OC_ELIMIT, "picks 1200 channels of 1200: too large");
}

static void running_out_of_memory_leaks_nothing(void **state) {
    static const int64_t order[] = {2, 0, 1}, kernel[] = {3, 3, 1, 1};
    oc_status status = OC_ENOMEM;
    maker m = {0};
    (void)state;
    picture(&m);
    conv(&m, "x", "a");
    ints(&m, "order", order, 3);
    attr_int(&m, "axis", 1);
    node(&m, "Gather", "a order", "b");
    weights(&m, "k.weight", kernel, 4);
    node(&m, "Conv", "b k.weight", "c");
    attr_int(&m, "axis", 1);
    node(&m, "Gather", "c order", "d");
    end(&m, "d");
    oc_buf file = finish(&m);
    for (uint64_t n = 1; n < 1000 && status != OC_OK; n++) {
        oc_error err = {0};
        oc_model *model = NULL;
        check_ok(oc_model_new(&model, &err), err);
        oc_mem_fail_at(n);
        status = oc_onnx_parse(model, file.data, file.size, "net.onnx", NULL, 0, NULL, &err);
        oc_mem_fail_at(0);
        assert_true(status == OC_ENOMEM || (status == OC_OK && n > 5));
        oc_model_free(model);
    }
    assert_int_equal(status, OC_OK);
    oc_buf_clear(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_becomes_a_convolution_of_zeros_and_ones),
        cmocka_unit_test(a_convolution_behind_lists_sees_all_channels),
        cmocka_unit_test(what_is_no_part_of_the_channels_is_refused),
        cmocka_unit_test(lists_are_bounded_together),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
