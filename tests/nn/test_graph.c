/* Graphs: what may be added, what is refused, copies, and memory that runs out.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "nn/nn.h"

static oc_graph *empty(void) {
    oc_error err = {0};
    oc_graph *graph = NULL;
    check_ok(oc_graph_new(&graph, &err), err);
    return graph;
}

static oc_graph *with_input(int channels, int side) {
    oc_build b = {.graph = empty()};
    assert_int_equal(oc_build_input(&b, channels, side, side), 0);
    return b.graph;
}

static oc_status add(oc_graph *g, oc_op op, const char *name, int input, const oc_attrs *attrs,
                     oc_error *err) {
    return oc_graph_add(g, op, name, &input, 1, attrs, NULL, err);
}

static void words_of_ops_are_read_back(void **state) {
    (void)state;
    for (int i = 0; i < OC_OP_COUNT; i++) {
        oc_op op = OC_OP_COUNT;
        assert_true(oc_op_parse(oc_op_name((oc_op)i), &op));
        assert_int_equal(op, i);
    }
    oc_op op = OC_OP_COUNT;
    assert_false(oc_op_parse("convolution", &op));
    assert_string_equal(oc_op_name((oc_op)-1), "unknown");
    assert_string_equal(oc_op_name(OC_OP_COUNT), "unknown");
}

static void defaults_are_within_their_ranges(void **state) {
    (void)state;
    for (int i = 0; i < OC_OP_COUNT; i++) {
        size_t count;
        const oc_field *fields = oc_op_fields((oc_op)i, &count);
        oc_attrs attrs = oc_attrs_default((oc_op)i);
        for (size_t k = 0; k < count; k++) {
            double value = oc_field_get(&fields[k], &attrs);
            assert_true(value >= fields[k].min && value <= fields[k].max);
            assert_true(fabs(value - fields[k].fallback) <= 1e-6 * fabs(fields[k].fallback));
        }
    }
}

static void every_field_is_checked_against_its_range(void **state) {
    (void)state;
    for (int i = 0; i < OC_OP_COUNT; i++) {
        size_t count;
        const oc_field *fields = oc_op_fields((oc_op)i, &count);
        for (size_t k = 0; k < count; k++) {
            oc_graph *g = i == OC_OP_INPUT ? empty() : with_input(4, 16);
            oc_attrs attrs = oc_attrs_default((oc_op)i);
            oc_error err = {0};
            oc_field_set(&fields[k], &attrs, fields[k].min - 1 - fabs(fields[k].min));
            int zero = 0, inputs = i == OC_OP_INPUT ? 0 : 1;
            check_fails(oc_graph_add(g, (oc_op)i, "x", &zero, inputs, &attrs, NULL, &err), err,
                        OC_EFORMAT, fields[k].name);
            if (fields[k].is_float) {
                oc_field_set(&fields[k], &attrs, NAN);
                check_fails(oc_graph_add(g, (oc_op)i, "x", &zero, inputs, &attrs, NULL, &err), err,
                            OC_EFORMAT, fields[k].name);
            }
            oc_graph_free(g);
        }
    }
}

static void bad_names_are_refused(void **state) {
    (void)state;
    oc_graph *g = with_input(3, 8);
    oc_error err = {0};
    char longest[OC_NAME_BYTES + 1];
    memset(longest, 'n', sizeof longest);
    longest[OC_NAME_BYTES] = '\0';
    check_fails(add(g, OC_OP_RELU, "", 0, NULL, &err), err, OC_EFORMAT, "0 bytes");
    check_fails(add(g, OC_OP_RELU, NULL, 0, NULL, &err), err, OC_EFORMAT, "name");
    check_fails(add(g, OC_OP_RELU, longest, 0, NULL, &err), err, OC_EFORMAT, "128 bytes");
    check_fails(add(g, OC_OP_RELU, "\xff\xfe", 0, NULL, &err), err, OC_EFORMAT, "UTF-8");
    check_fails(add(g, OC_OP_RELU, "input", 0, NULL, &err), err, OC_EFORMAT, "both named 'input'");
    longest[OC_NAME_BYTES - 1] = '\0';
    check_ok(add(g, OC_OP_BATCH_NORM, longest, 0, NULL, &err), err);
    assert_int_equal(strlen(oc_graph_param(g, 2)->name),
                     OC_NAME_BYTES - 1 + strlen(".running_mean"));
    oc_graph_free(g);
}

static void inputs_must_stand_before_their_reader(void **state) {
    (void)state;
    oc_graph *g = with_input(3, 8);
    oc_error err = {0};
    int two[] = {0, 0}, many[OC_MAX_INPUTS + 1] = {0};
    check_fails(add(g, OC_OP_RELU, "r", 1, NULL, &err), err, OC_EFORMAT, "reads node 1");
    check_fails(add(g, OC_OP_RELU, "r", -1, NULL, &err), err, OC_EFORMAT, "reads node -1");
    check_fails(oc_graph_add(g, OC_OP_RELU, "r", two, 2, NULL, NULL, &err), err, OC_EFORMAT,
                "2 inputs");
    check_fails(oc_graph_add(g, OC_OP_ADD, "a", two, 1, NULL, NULL, &err), err, OC_EFORMAT,
                "1 inputs");
    check_fails(oc_graph_add(g, OC_OP_CONCAT, "c", many, OC_MAX_INPUTS + 1, NULL, NULL, &err), err,
                OC_EFORMAT, "17 inputs");
    check_fails(oc_graph_add(g, OC_OP_INPUT, "i", NULL, 0, NULL, NULL, &err), err, OC_EFORMAT,
                "the first node, and no other, is the input");
    check_fails(add(g, (oc_op)99, "x", 0, NULL, &err), err, OC_EFORMAT, "no op 99");
    assert_int_equal(oc_graph_node_count(g), 1);
    oc_graph_free(g);
    g = empty();
    check_fails(add(g, OC_OP_RELU, "r", 0, NULL, &err), err, OC_EFORMAT, "first node");
    oc_graph_free(g);
}

static void channels_that_do_not_fit_are_refused(void **state) {
    (void)state;
    oc_graph *g = with_input(6, 8);
    oc_error err = {0};
    oc_attrs conv = oc_attrs_default(OC_OP_CONV);
    conv.out = 8, conv.groups = 4;
    check_fails(add(g, OC_OP_CONV, "c", 0, &conv, &err), err, OC_EFORMAT, "6 channels");
    conv.out = 7, conv.groups = 3;
    check_fails(add(g, OC_OP_CONV, "c", 0, &conv, &err), err, OC_EFORMAT, "7 outputs in 3 groups");
    conv.out = 9;
    check_ok(add(g, OC_OP_CONV, "c", 0, &conv, &err), err);
    int both[] = {0, 1};
    check_fails(oc_graph_add(g, OC_OP_ADD, "a", both, 2, NULL, NULL, &err), err, OC_EFORMAT,
                "6 and 9 channels");
    oc_attrs lrn = oc_attrs_default(OC_OP_LRN);
    lrn.size = 4;
    check_fails(add(g, OC_OP_LRN, "l", 0, &lrn, &err), err, OC_EFORMAT, "odd");
    oc_attrs pool = oc_attrs_default(OC_OP_MAX_POOL);
    pool.kernel_h = pool.kernel_w = 2, pool.pad_right = 2;
    check_fails(add(g, OC_OP_MAX_POOL, "p", 0, &pool, &err), err, OC_EFORMAT, "smaller than");
    oc_graph_free(g);
}

static void sizes_beyond_all_measure_are_refused(void **state) {
    (void)state;
    oc_graph *g = with_input(1 << 20, 4);
    oc_error err = {0};
    int many[OC_MAX_INPUTS] = {0};
    oc_attrs conv = oc_attrs_default(OC_OP_CONV);
    conv.out = 1 << 24, conv.kernel_h = conv.kernel_w = 4;
    check_fails(add(g, OC_OP_CONV, "c", 0, &conv, &err), err, OC_ELIMIT, "'c.weight' would be");
    check_ok(oc_graph_add(g, OC_OP_CONCAT, "once", many, OC_MAX_INPUTS, NULL, NULL, &err), err);
    for (int i = 0; i < OC_MAX_INPUTS; i++) many[i] = 1;
    check_fails(oc_graph_add(g, OC_OP_CONCAT, "twice", many, 2, NULL, NULL, &err), err, OC_ELIMIT,
                "'twice'");
    check_fails(add(g, OC_OP_FLATTEN, "f", 1, NULL, &err), err, OC_ELIMIT, "'f'");
    oc_graph_free(g);
}

static void attributes_that_an_op_does_not_read_become_zero(void **state) {
    (void)state;
    oc_graph *g = with_input(3, 8);
    oc_error err = {0};
    oc_attrs attrs;
    memset(&attrs, 0x7f, sizeof attrs);
    check_ok(add(g, OC_OP_RELU, "r", 0, &attrs, &err), err);
    const oc_attrs zero = {0};
    assert_memory_equal(&oc_graph_node(g, 1)->attrs, &zero, sizeof zero);
    oc_graph_free(g);
}

static void parameters_are_named_and_shaped_as_in_torch(void **state) {
    (void)state;
    oc_build b = {.graph = with_input(6, 10)};
    int x = oc_build_conv(&b, 0, "conv", 8, 3, 1, 1, 2, true, OC_INIT_XAVIER);
    x = oc_build_batch_norm(&b, x, "bn");
    x = oc_build_flatten(&b, x, "flat");
    x = oc_build_dense(&b, x, "fc", 5, OC_INIT_XAVIER);
    check_ok(b.status, b.error);
    static const char *const WANTED[][2] = {{"conv.weight", "8x3x3x3"}, {"conv.bias", "8"},
                                            {"bn.weight", "8"},         {"bn.bias", "8"},
                                            {"bn.running_mean", "8"},   {"bn.running_var", "8"},
                                            {"fc.weight", "5x800"},     {"fc.bias", "5"}};
    assert_int_equal(oc_graph_param_count(b.graph), 8);
    for (int i = 0; i < 8; i++) {
        const oc_param *p = oc_graph_param(b.graph, i);
        char text[OC_SHAPE_TEXT];
        assert_string_equal(p->name, WANTED[i][0]);
        assert_string_equal(oc_shape_text(text, &p->shape), WANTED[i][1]);
        assert_int_equal(oc_param_trained(p->kind), i != 4 && i != 5);
    }
    assert_int_equal(oc_graph_param(b.graph, 0)->fan_in, 27);
    assert_int_equal(oc_graph_param(b.graph, 0)->fan_out, 72);
    assert_int_equal(oc_graph_node(b.graph, x)->first_param, 6);
    assert_int_equal(oc_graph_channels(b.graph, 3), 800);
    oc_graph_free(b.graph);
}

static void first_failure_of_a_build_sticks(void **state) {
    (void)state;
    oc_build b = {.graph = with_input(3, 8)};
    assert_int_equal(oc_build_conv(&b, 0, "", 8, 3, 1, 1, 1, true, OC_INIT_XAVIER), -1);
    assert_int_equal(oc_build_act(&b, 0, "fine", OC_OP_RELU), -1);
    assert_int_equal(b.status, OC_EFORMAT);
    assert_non_null(strstr(b.error.message, "0 bytes"));
    assert_int_equal(oc_graph_node_count(b.graph), 1);
    oc_graph_free(b.graph);
}

static oc_graph *small_net(void) {
    oc_build b = {.graph = with_input(3, 12)};
    int x = oc_build_conv(&b, 0, "conv", 8, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_batch_norm(&b, x, "bn");
    x = oc_build_act(&b, x, "relu", OC_OP_RELU);
    x = oc_build_global_pool(&b, x, "pool");
    x = oc_build_flatten(&b, x, "flat");
    x = oc_build_dropout(&b, x, "drop", 0.2F);
    (void)oc_build_dense(&b, x, "fc", 10, OC_INIT_NORMAL_001);
    check_ok(b.status, b.error);
    return b.graph;
}

static void copy_is_equal_and_independent(void **state) {
    (void)state;
    oc_graph *g = small_net(), *copy = NULL;
    oc_error err = {0};
    check_ok(oc_graph_copy(g, &copy, &err), err);
    assert_int_equal(oc_graph_node_count(copy), oc_graph_node_count(g));
    for (int i = 0; i < oc_graph_node_count(g); i++) {
        const oc_node *a = oc_graph_node(g, i), *z = oc_graph_node(copy, i);
        assert_ptr_not_equal(a->name, z->name);
        assert_string_equal(a->name, z->name);
        assert_memory_equal(&a->attrs, &z->attrs, sizeof a->attrs);
        assert_int_equal(oc_graph_find(copy, a->name), i);
    }
    oc_graph_free(g);
    assert_string_equal(oc_graph_param(copy, 0)->name, "conv.weight");
    assert_int_equal(oc_graph_find(copy, "absent"), -1);
    oc_graph_free(copy);
}

static void out_of_memory_leaves_nothing_behind(void **state) {
    (void)state;
    oc_graph *g = small_net();
    oc_status status = OC_ENOMEM;
    uint64_t n = 1;
    for (; status != OC_OK && n < 200; n++) {
        oc_graph *copy = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_graph_copy(g, &copy, &err);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        assert_true((status == OC_OK) == (copy != NULL));
        oc_graph_free(copy);
    }
    assert_int_equal(status, OC_OK);
    assert_true(n > 3);
    oc_graph_free(g);
}

static void failed_addition_changes_nothing(void **state) {
    (void)state;
    oc_graph *g = small_net();
    int nodes = oc_graph_node_count(g), params = oc_graph_param_count(g);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK && n < 20; n++) {
        oc_error err = {0};
        char name[OC_NAME_BYTES];
        memset(name, 'x', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        oc_mem_fail_at(n);
        status = add(g, OC_OP_BATCH_NORM, name, 2, NULL, &err);
        oc_mem_fail_at(0);
        assert_int_equal(oc_graph_node_count(g), nodes + (status == OC_OK));
        assert_int_equal(oc_graph_param_count(g), params + 4 * (status == OC_OK));
    }
    assert_int_equal(status, OC_OK);
    oc_graph_free(g);
}

/* Larger than what one thread fills at a time: as if drawn from start to end. */
static void large_parameters_are_drawn_as_if_in_one_go(void **state) {
    (void)state;
    oc_error err = {0};
    oc_tensors *set = NULL;
    oc_build b = {.graph = with_input(3, 1)};
    oc_rng rng;
    int x = oc_build_dense(&b, 0, "wide", 1000, OC_INIT_KAIMING_UNIFORM);
    (void)oc_build_dense(&b, x, "head", 600, OC_INIT_NORMAL_001);
    check_ok(b.status, b.error);
    check_ok(oc_tensors_new(&set, &err), err);
    check_ok(oc_graph_init(b.graph, 9, set, &err), err);
    const float *values = oc_tensors_find(set, "head.weight")->data;
    oc_rng_init(&rng, 9, OC_RNG_INIT, 0, oc_hash64("head.weight", 11, 0));
    for (size_t i = 0; i < 600000; i++) {
        float wanted = (float)(0.01 * (double)oc_rng_normal(&rng));
        if (i % 1009 == 0 || i == 262144) assert_true(values[i] == wanted);
    }
    oc_tensors_free(set);
    oc_graph_free(b.graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_ops_are_read_back),
        cmocka_unit_test(defaults_are_within_their_ranges),
        cmocka_unit_test(every_field_is_checked_against_its_range),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(inputs_must_stand_before_their_reader),
        cmocka_unit_test(channels_that_do_not_fit_are_refused),
        cmocka_unit_test(sizes_beyond_all_measure_are_refused),
        cmocka_unit_test(attributes_that_an_op_does_not_read_become_zero),
        cmocka_unit_test(parameters_are_named_and_shaped_as_in_torch),
        cmocka_unit_test(first_failure_of_a_build_sticks),
        cmocka_unit_test(copy_is_equal_and_independent),
        cmocka_unit_test(out_of_memory_leaves_nothing_behind),
        cmocka_unit_test(failed_addition_changes_nothing),
        cmocka_unit_test(large_parameters_are_drawn_as_if_in_one_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
