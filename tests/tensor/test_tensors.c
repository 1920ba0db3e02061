/* The named set of tensors.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "tensor/tensor.h"

static oc_tensors *new_set(void) {
    oc_tensors *set = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_new(&set, &err), err);
    return set;
}

static void tensors_are_found_by_name_and_order(void **state) {
    (void)state;
    enum { N = 500 };
    oc_tensors *set = new_set();
    oc_shape shape = oc_shape_2d(2, 3);
    oc_tensor *made[N];
    char name[32];
    oc_error err = {0};
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof name, "layer%d.weight", i);
        check_ok(oc_tensors_add(set, name, OC_F32, &shape, &made[i], &err), err);
    }
    assert_int_equal(oc_tensors_count(set), N);
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof name, "layer%d.weight", i);
        assert_ptr_equal(oc_tensors_find(set, name), made[i]);
        assert_ptr_equal(oc_tensors_at(set, (size_t)i), made[i]);
        assert_string_equal(oc_tensors_name(set, (size_t)i), name);
    }
    assert_null(oc_tensors_find(set, "layer500.weight"));
    oc_tensors_free(set);
}

static void new_tensor_is_zeroed_and_aligned(void **state) {
    (void)state;
    oc_tensors *set = new_set();
    oc_shape shape = oc_shape_4d(3, 5, 7, 1);
    oc_tensor *t = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_add(set, "w", OC_F32, &shape, &t, &err), err);
    assert_int_equal((uintptr_t)t->data % OC_CACHE_LINE, 0);
    for (size_t i = 0; i < oc_tensor_count(t); i++) assert_true(((float *)t->data)[i] == 0);
    oc_tensors_free(set);
}

static void taken_name_is_refused(void **state) {
    (void)state;
    oc_tensors *set = new_set();
    oc_shape shape = oc_shape_1d(1);
    oc_tensor *t = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_add(set, "w", OC_F32, &shape, NULL, &err), err);
    check_fails(oc_tensors_add(set, "w", OC_F32, &shape, &t, &err), err, OC_EFORMAT, "w is there");
    assert_null(t);
    assert_int_equal(oc_tensors_count(set), 1);
    oc_tensors_free(set);
}

static void view_borrows_its_data(void **state) {
    (void)state;
    oc_tensors *set = new_set();
    float data[4] = {1, 2, 3, 4};
    oc_tensor view = {.dtype = OC_F32, .shape = oc_shape_1d(4), .data = data};
    oc_error err = {0};
    check_ok(oc_tensors_add_view(set, "v", &view, &err), err);
    assert_ptr_equal(oc_tensors_find(set, "v")->data, data);
    oc_tensors_free(set);
    assert_true(data[3] == 4);
}

static void impossible_shape_is_told(void **state) {
    (void)state;
    oc_tensors *set = new_set();
    oc_shape huge = oc_shape_2d(1LL << 40, 1LL << 40), negative = oc_shape_1d(-3);
    oc_shape almost = oc_shape_1d(1LL << 62);
    oc_error err = {0};
    check_fails(oc_tensors_add(set, "h", OC_F32, &huge, NULL, &err), err, OC_EFORMAT, "h: imposs");
    check_fails(oc_tensors_add(set, "n", OC_F32, &negative, NULL, &err), err, OC_EFORMAT, "-3");
    check_fails(oc_tensors_add(set, "a", OC_F32, &almost, NULL, &err), err, OC_EFORMAT, "461");
    assert_int_equal(oc_tensors_count(set), 0);
    assert_null(oc_tensors_find(set, "h"));
    oc_tensors_free(set);
    oc_tensors_free(NULL);
}

/* A set of 40 tensors: the table grows on the way. */
static oc_status build(oc_tensors **out) {
    oc_shape shape = oc_shape_1d(2);
    char name[16];
    OC_TRY(oc_tensors_new(out, NULL));
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        OC_TRY(oc_tensors_add(*out, name, OC_F32, &shape, NULL, NULL));
    }
    return OC_OK;
}

static void building_survives_each_failed_allocation(void **state) {
    (void)state;
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_tensors *set = NULL;
        oc_mem_fail_at(n);
        status = build(&set);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        if (status == OC_OK) assert_int_equal(oc_tensors_count(set), 40);
        oc_tensors_free(set);
        assert_true(n < 200);
    }
}

static void a_tensor_may_be_pointed_elsewhere_and_owned_again(void **state) {
    (void)state;
    oc_tensors *set = new_set();
    oc_shape shape = oc_shape_1d(3);
    oc_tensor *t;
    oc_error err = {0};
    float mine[] = {1, 2, 3};
    check_ok(oc_tensors_add(set, "w", OC_F32, &shape, &t, &err), err);
    assert_true(oc_tensors_all_owned(set));
    check_ok(oc_tensors_point(set, "w", t->data, &err), err); /* where it is: still its own */
    assert_true(oc_tensors_all_owned(set));
    check_ok(oc_tensors_point(set, "w", mine, &err), err);
    assert_ptr_equal(t->data, mine);
    assert_false(oc_tensors_all_owned(set));
    oc_mem_fail_at(1);
    check_fails(oc_tensors_own(set, &err), err, OC_ENOMEM, "w");
    check_ok(oc_tensors_own(set, &err), err);
    assert_true(oc_tensors_all_owned(set));
    mine[0] = 9;
    assert_true(((float *)t->data)[0] == 1.F && ((float *)t->data)[2] == 3.F);
    check_fails(oc_tensors_point(set, "v", mine, &err), err, OC_ENOTFOUND, "v");
    oc_tensors_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_found_by_name_and_order),
        cmocka_unit_test(new_tensor_is_zeroed_and_aligned),
        cmocka_unit_test(taken_name_is_refused),
        cmocka_unit_test(view_borrows_its_data),
        cmocka_unit_test(impossible_shape_is_told),
        cmocka_unit_test(building_survives_each_failed_allocation),
        cmocka_unit_test(a_tensor_may_be_pointed_elsewhere_and_owned_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
