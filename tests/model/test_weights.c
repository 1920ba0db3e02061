/* Weights into a graph: what fits is copied, a head of another shape is left out when allowed,
 * everything else is told at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <math.h>

/* The weights of a tiny network of `classes`, every name behind `prefix`. */
static oc_tensors *tiny_weights(int classes, const char *prefix) {
    oc_graph *graph = tiny_graph(classes);
    oc_tensors *plain = NULL, *set = NULL;
    assert_int_equal(oc_tensors_new(&plain, NULL), OC_OK);
    assert_int_equal(oc_tensors_new(&set, NULL), OC_OK);
    assert_int_equal(oc_graph_init(graph, TINY_SEED, plain, NULL), OC_OK);
    for (size_t i = 0; i < oc_tensors_count(plain); i++) {
        char name[256];
        oc_tensor *t = NULL;
        const oc_tensor *from = oc_tensors_at(plain, i);
        (void)snprintf(name, sizeof name, "%s%s", prefix, oc_tensors_name(plain, i));
        assert_int_equal(oc_tensors_add(set, name, OC_F32, &from->shape, &t, NULL), OC_OK);
        memcpy(t->data, from->data, oc_tensor_bytes(from));
    }
    oc_tensors_free(plain);
    oc_graph_free(graph);
    return set;
}

static oc_tensors *empty_set(void) {
    oc_tensors *set = NULL;
    assert_int_equal(oc_tensors_new(&set, NULL), OC_OK);
    return set;
}

static void all_parameters_are_copied(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(3);
    oc_tensors *src = tiny_weights(3, ""), *dst = empty_set();
    oc_left_out left = {0};
    oc_error err = {0};
    check_ok(oc_weights_fit(graph, src, true, dst, &left, &err), err);
    assert_false(left.new_head);
    assert_int_equal(left.unused, 0);
    assert_int_equal(oc_tensors_count(dst), oc_graph_param_count(graph));
    const oc_tensor *a = oc_tensors_find(src, "body.0.weight");
    const oc_tensor *b = oc_tensors_find(dst, "body.0.weight");
    assert_memory_equal(a->data, b->data, oc_tensor_bytes(a));
    oc_tensors_free(src);
    oc_tensors_free(dst);
    oc_graph_free(graph);
}

static void module_prefix_and_batch_counts_are_forgiven(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(3);
    oc_tensors *src = tiny_weights(3, "module."), *dst = empty_set();
    oc_shape scalar = {0}, one = oc_shape_1d(1);
    oc_left_out left = {0};
    oc_error err = {0};
    check_ok(oc_tensors_add(src, "module.body.1.num_batches_tracked", OC_I64, &scalar, NULL, &err),
             err);
    check_ok(oc_tensors_add(src, "aux.weight", OC_F32, &one, NULL, &err), err);
    check_ok(oc_weights_fit(graph, src, false, dst, &left, &err), err);
    assert_int_equal(left.unused, 1);
    assert_non_null(oc_tensors_find(dst, "head.bias"));
    oc_tensors_free(src);
    oc_tensors_free(dst);
    oc_graph_free(graph);
}

static void half_precision_is_widened(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(3);
    oc_tensors *src = tiny_weights(3, ""), *half = empty_set(), *dst = empty_set();
    oc_error err = {0};
    for (size_t i = 0; i < oc_tensors_count(src); i++) {
        const oc_tensor *t = oc_tensors_at(src, i);
        oc_tensor *h = NULL;
        check_ok(oc_tensors_add(half, oc_tensors_name(src, i), OC_BF16, &t->shape, &h, &err), err);
        for (size_t k = 0; k < oc_tensor_count(t);
             k++) { /* bfloat16 is the upper half of a float */
            memcpy((char *)h->data + 2 * k, (const char *)t->data + 4 * k + 2, 2);
        }
    }
    check_ok(oc_weights_fit(graph, half, false, dst, NULL, &err), err);
    const float *wide = oc_tensors_find(dst, "head.weight")->data;
    const float *exact = oc_tensors_find(src, "head.weight")->data;
    for (int k = 0; k < 12; k++) assert_true(fabsf(wide[k] - exact[k]) <= fabsf(exact[k]) / 128);
    oc_tensors_free(src);
    oc_tensors_free(half);
    oc_tensors_free(dst);
    oc_graph_free(graph);
}

static void a_head_of_another_shape_is_left_out_whole(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(5);
    oc_tensors *src = tiny_weights(3, ""), *dst = empty_set();
    oc_left_out left = {0};
    oc_error err = {0};
    check_ok(oc_weights_fit(graph, src, true, dst, &left, &err), err);
    assert_true(left.new_head);
    assert_int_equal(left.unused, 2);
    assert_null(oc_tensors_find(dst, "head.weight"));
    assert_null(oc_tensors_find(dst, "head.bias"));
    assert_non_null(oc_tensors_find(dst, "body.1.running_var"));
    oc_tensors_free(src);
    oc_tensors_free(dst);
    oc_graph_free(graph);
}

static void auxiliary_heads_may_be_missing_or_be_for_other_classes(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph_with_aux(3), *other = tiny_graph_with_aux(5);
    oc_tensors *plain = tiny_weights(3, ""), *of_other = empty_set();
    oc_tensors *dst = empty_set(), *dst2 = empty_set();
    oc_left_out left = {0};
    oc_error err = {0};
    check_ok(oc_weights_fit(graph, plain, true, dst, &left, &err), err);
    assert_false(left.new_head);
    assert_int_equal(left.new_aux, 4);
    assert_int_equal(left.unused, 0);
    assert_null(oc_tensors_find(dst, "aux.0.weight"));
    check_fails(oc_weights_fit(graph, plain, false, dst2, NULL, &err), err, OC_EMISMATCH,
                "aux.0.weight is missing");
    check_ok(oc_graph_init(other, TINY_SEED, of_other, &err), err);
    check_ok(oc_weights_fit(graph, of_other, true, dst2, &left, &err), err);
    assert_true(left.new_head);
    assert_int_equal(left.new_aux, 2);
    assert_int_equal(left.unused, 4);
    assert_non_null(oc_tensors_find(dst2, "aux.0.bias"));
    assert_null(oc_tensors_find(dst2, "aux.1.bias"));
    oc_graph_free(graph);
    oc_graph_free(other);
    oc_tensors_free(plain);
    oc_tensors_free(of_other);
    oc_tensors_free(dst);
    oc_tensors_free(dst2);
}

static void a_head_of_another_shape_is_told_when_not_allowed(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(5);
    oc_tensors *src = tiny_weights(3, ""), *dst = empty_set();
    oc_error err = {0};
    oc_status status = oc_weights_fit(graph, src, false, dst, NULL, &err);
    check_fails(status, err, OC_EMISMATCH, "head.weight is 3x4, the network has 5x4");
    assert_non_null(strstr(err.message, "head.bias is 3, the network has 5"));
    assert_int_equal(oc_tensors_count(dst), 0);
    oc_tensors_free(src);
    oc_tensors_free(dst);
    oc_graph_free(graph);
}

static void at_most_ten_mismatches_are_listed(void **state) {
    (void)state;
    oc_build b = {0};
    oc_tensors *src = empty_set(), *dst = empty_set();
    oc_error err = {0};
    assert_int_equal(oc_graph_new(&b.graph, NULL), OC_OK);
    int x = oc_build_input(&b, 3, 8, 8);
    for (int i = 0; i < 14; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "layer.%d", i);
        x = oc_build_conv(&b, x, name, 3, 1, 1, 0, 1, false, OC_INIT_XAVIER);
    }
    check_ok(b.status, b.error);
    check_fails(oc_weights_fit(b.graph, src, false, dst, NULL, &err), err, OC_EMISMATCH,
                "14 of 14 parameters");
    assert_non_null(strstr(err.message, "layer.9.weight is missing"));
    assert_null(strstr(err.message, "layer.10"));
    assert_non_null(strstr(err.message, "..."));
    oc_tensors_free(src);
    oc_tensors_free(dst);
    oc_graph_free(b.graph);
}

static void poison(const char *name, float value, const char *part) {
    oc_graph *graph = tiny_graph(3);
    oc_tensors *src = tiny_weights(3, ""), *dst = empty_set();
    oc_error err = {0};
    ((float *)oc_tensors_find(src, name)->data)[1] = value;
    check_fails(oc_weights_fit(graph, src, true, dst, NULL, &err), err, OC_EMISMATCH, part);
    assert_non_null(strstr(err.message, name));
    oc_tensors_free(src);
    oc_tensors_free(dst);
    oc_graph_free(graph);
}

static void values_that_are_not_finite_are_refused(void **state) {
    (void)state;
    poison("body.0.weight", NAN, "not-a-number");
    poison("head.bias", INFINITY, "infinity");
    poison("body.1.running_var", -1, "variance below zero");
}

static void integers_are_no_weights(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(3);
    oc_tensors *src = empty_set(), *dst = empty_set();
    oc_error err = {0};
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *p = oc_graph_param(graph, i);
        check_ok(oc_tensors_add(src, p->name, OC_I32, &p->shape, NULL, &err), err);
    }
    check_fails(oc_weights_fit(graph, src, false, dst, NULL, &err), err, OC_EMISMATCH,
                "is I32, not floating point");
    oc_tensors_free(src);
    oc_tensors_free(dst);
    oc_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parameters_are_copied),
        cmocka_unit_test(module_prefix_and_batch_counts_are_forgiven),
        cmocka_unit_test(half_precision_is_widened),
        cmocka_unit_test(a_head_of_another_shape_is_left_out_whole),
        cmocka_unit_test(a_head_of_another_shape_is_told_when_not_allowed),
        cmocka_unit_test(auxiliary_heads_may_be_missing_or_be_for_other_classes),
        cmocka_unit_test(at_most_ten_mismatches_are_listed),
        cmocka_unit_test(values_that_are_not_finite_are_refused),
        cmocka_unit_test(integers_are_no_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
