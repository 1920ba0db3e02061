/* Shapes: torch's window arithmetic, sizes that do not fit, the smallest that does, multiply-adds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "nn/nn.h"

static oc_graph *with_input(int channels, int height, int width) {
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &b.error), b.error);
    (void)oc_build_input(&b, channels, height, width);
    return b.graph;
}

/* Output side of one square window over `in`. */
static int64_t side(oc_op op, int in, int kernel, int stride, int pad, int dilation, int ceil) {
    oc_graph *g = with_input(1, in, in);
    oc_error err = {0};
    oc_attrs a = oc_attrs_default(op);
    a.kernel_h = a.kernel_w = kernel;
    a.stride_h = a.stride_w = stride;
    a.pad_top = a.pad_left = a.pad_bottom = a.pad_right = pad;
    a.dilation_h = a.dilation_w = op == OC_OP_CONV ? dilation : 0;
    a.ceil = ceil;
    int zero = 0;
    check_ok(oc_graph_add(g, op, "w", &zero, 1, &a, NULL, &err), err);
    oc_shape shapes[2];
    oc_status status = oc_graph_shapes(g, 1, in, in, shapes, NULL);
    assert_int_equal(shapes[1].dim[2], shapes[1].dim[3]);
    oc_graph_free(g);
    return status == OC_OK ? shapes[1].dim[2] : -1;
}

static void convolution_sizes_are_torchs(void **state) {
    (void)state;
    assert_int_equal(side(OC_OP_CONV, 224, 7, 2, 3, 1, 0), 112);
    assert_int_equal(side(OC_OP_CONV, 224, 3, 2, 0, 1, 0), 111);
    assert_int_equal(side(OC_OP_CONV, 75, 4, 2, 0, 1, 0), 36);
    assert_int_equal(side(OC_OP_CONV, 10, 3, 1, 2, 2, 0), 10);
    assert_int_equal(side(OC_OP_CONV, 5, 2, 4, 0, 1, 0), 1);
    assert_int_equal(side(OC_OP_CONV, 1, 5, 1, 2, 1, 0), 1);
    assert_int_equal(side(OC_OP_CONV, 4, 5, 1, 0, 1, 0), -1);
}

/* torch.nn.MaxPool2d(kernel, stride, pad, ceil_mode) on (1, 1, in, in). */
static void pool_sizes_are_torchs(void **state) {
    (void)state;
    static const int WANTED[][6] = {
        /* in, kernel, stride, pad, floor, ceil; -1 where torch raises */
        {111, 3, 2, 0, 55, 55}, {112, 3, 2, 0, 55, 56}, {8, 3, 2, 0, 3, 4}, {7, 2, 2, 0, 3, 4},
        {6, 2, 2, 0, 3, 3},     {7, 3, 2, 1, 4, 4},     {8, 3, 2, 1, 4, 5}, {2, 3, 2, 0, -1, 1},
        {1, 3, 2, 0, -1, -1},   {5, 2, 3, 1, 2, 2},     {4, 2, 3, 1, 2, 2}, {5, 1, 2, 0, 3, 3},
        {6, 1, 2, 0, 3, 3},     {6, 2, 4, 0, 2, 2},     {5, 2, 4, 0, 1, 2}, {3, 4, 4, 2, 1, 2}};
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        const int *w = WANTED[i];
        assert_int_equal(side(OC_OP_MAX_POOL, w[0], w[1], w[2], w[3], 1, 0), w[4]);
        assert_int_equal(side(OC_OP_MAX_POOL, w[0], w[1], w[2], w[3], 1, 1), w[5]);
        assert_int_equal(side(OC_OP_AVG_POOL, w[0], w[1], w[2], w[3], 1, 1), w[5]);
    }
}

static void pads_may_differ_by_side(void **state) {
    (void)state;
    oc_graph *g = with_input(2, 8, 9);
    oc_error err = {0};
    oc_attrs a = oc_attrs_default(OC_OP_CONV);
    a.out = 3, a.kernel_h = 3, a.kernel_w = 2, a.stride_w = 2, a.pad_top = 1, a.pad_right = 1;
    int zero = 0;
    check_ok(oc_graph_add(g, OC_OP_CONV, "c", &zero, 1, &a, NULL, &err), err);
    oc_shape shapes[2];
    check_ok(oc_graph_shapes(g, 5, 8, 9, shapes, &err), err);
    oc_shape wanted = oc_shape_4d(5, 3, 7, 5);
    assert_true(oc_shape_equal(&shapes[1], &wanted));
    oc_graph_free(g);
}

/* conv 5 without padding, twice, with a pool between. */
static oc_graph *deep(int side_made_for) {
    oc_build b = {.graph = with_input(3, side_made_for, side_made_for)};
    int x = oc_build_conv(&b, 0, "first", 4, 5, 1, 0, 1, true, OC_INIT_XAVIER);
    x = oc_build_max_pool(&b, x, "halve", 2, 2, 0, false);
    x = oc_build_conv(&b, x, "second", 4, 5, 1, 0, 1, true, OC_INIT_XAVIER);
    x = oc_build_flatten(&b, x, "flat");
    (void)oc_build_dense(&b, x, "fc", 2, OC_INIT_XAVIER);
    check_ok(b.status, b.error);
    return b.graph;
}

static void size_too_small_names_node_and_smallest(void **state) {
    (void)state;
    oc_graph *g = deep(14);
    oc_error err = {0};
    oc_shape shapes[6];
    check_ok(oc_graph_shapes(g, 1, 14, 14, shapes, &err), err);
    assert_int_equal(oc_graph_smallest(g), 14);
    check_fails(oc_graph_shapes(g, 1, 13, 13, shapes, &err), err, OC_EUNSUPPORTED,
                "conv 'second' cannot work on what reaches it, 4x4x4");
    assert_non_null(strstr(err.message, "13x13"));
    assert_non_null(strstr(err.message, "smallest square input that works is 14x14"));
    check_fails(oc_graph_shapes(g, 1, 18, 18, shapes, &err), err, OC_EUNSUPPORTED,
                "dense 'fc' was made for 4 values");
    oc_graph_free(g);
}

/* The size of the graph decides the size of what is behind a flatten; a size that is too small for
 * the net gives an error where shapes are asked for, not before. */
static void net_too_deep_for_its_size_can_be_built(void **state) {
    (void)state;
    oc_graph *g = deep(6);
    oc_error err = {0};
    oc_shape shapes[6];
    check_fails(oc_graph_shapes(g, 1, 6, 6, shapes, &err), err, OC_EUNSUPPORTED, "14x14");
    assert_int_equal(oc_graph_channels(g, 4), 0);
    oc_graph_free(g);
}

static void net_without_flatten_takes_any_size(void **state) {
    (void)state;
    oc_build b = {.graph = with_input(3, 32, 32)};
    int x = oc_build_conv(&b, 0, "c", 7, 3, 2, 1, 1, true, OC_INIT_XAVIER);
    x = oc_build_flatten(&b, oc_build_global_pool(&b, x, "p"), "f");
    (void)oc_build_dense(&b, x, "fc", 2, OC_INIT_XAVIER);
    oc_shape shapes[5];
    oc_error err = {0};
    check_ok(oc_graph_shapes(b.graph, 4, 1, 777, shapes, &err), err);
    oc_shape wanted = oc_shape_4d(4, 2, 1, 1);
    assert_true(oc_shape_equal(&shapes[4], &wanted));
    assert_int_equal(oc_graph_smallest(b.graph), 1);
    oc_graph_free(b.graph);
}

static void sides_that_must_agree_are_checked(void **state) {
    (void)state;
    oc_build b = {.graph = with_input(4, 9, 9)};
    int small = oc_build_max_pool(&b, 0, "small", 2, 2, 0, false);
    int large = oc_build_max_pool(&b, 0, "large", 2, 2, 0, true);
    (void)oc_build_add(&b, small, large, "sum");
    check_ok(b.status, b.error);
    oc_shape shapes[4];
    oc_error err = {0};
    check_ok(oc_graph_shapes(b.graph, 1, 8, 8, shapes, &err), err);
    check_fails(oc_graph_shapes(b.graph, 1, 9, 9, shapes, &err), err, OC_EUNSUPPORTED, "'sum'");
    oc_graph_free(b.graph);
}

static void impossible_requests_are_refused(void **state) {
    (void)state;
    oc_graph *g = with_input(3, 8, 8), *none = NULL;
    oc_error err = {0};
    oc_shape shape;
    check_fails(oc_graph_shapes(g, 0, 8, 8, &shape, &err), err, OC_EUSAGE, "batch of 0");
    check_fails(oc_graph_shapes(g, 1, -8, 8, &shape, &err), err, OC_EUSAGE, "-8x8");
    check_fails(oc_graph_shapes(g, 1, 1 << 20, 8, &shape, &err), err, OC_EUSAGE, "1048576x8");
    check_fails(oc_graph_shapes(g, 1 << 30, 1 << 17, 1 << 17, &shape, &err), err, OC_ELIMIT,
                "'input'");
    check_ok(oc_graph_new(&none, &err), err);
    check_fails(oc_graph_shapes(none, 1, 8, 8, &shape, &err), err, OC_EUSAGE, "empty");
    assert_int_equal(oc_graph_smallest(none), 0);
    oc_graph_free(none);
    oc_graph_free(g);
}

static void multiply_adds_are_counted(void **state) {
    (void)state;
    oc_build b = {.graph = with_input(8, 10, 10)};
    int x = oc_build_conv(&b, 0, "c", 16, 3, 1, 1, 4, true, OC_INIT_XAVIER);
    int y = oc_build_act(&b, x, "r", OC_OP_RELU);
    int z = oc_build_dense(&b, oc_build_flatten(&b, y, "f"), "fc", 5, OC_INIT_XAVIER);
    oc_shape shapes[5];
    oc_error err = {0};
    check_ok(oc_graph_shapes(b.graph, 3, 10, 10, shapes, &err), err);
    assert_int_equal(oc_graph_macs(b.graph, x, shapes), 3 * 100 * 16 * 2 * 9);
    assert_int_equal(oc_graph_macs(b.graph, y, shapes), 0);
    assert_int_equal(oc_graph_macs(b.graph, z, shapes), 3 * 1600 * 5);
    oc_graph_free(b.graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_sizes_are_torchs),
        cmocka_unit_test(pool_sizes_are_torchs),
        cmocka_unit_test(pads_may_differ_by_side),
        cmocka_unit_test(size_too_small_names_node_and_smallest),
        cmocka_unit_test(net_too_deep_for_its_size_can_be_built),
        cmocka_unit_test(net_without_flatten_takes_any_size),
        cmocka_unit_test(sides_that_must_agree_are_checked),
        cmocka_unit_test(impossible_requests_are_refused),
        cmocka_unit_test(multiply_adds_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
