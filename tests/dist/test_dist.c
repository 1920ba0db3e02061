/* The lone rank.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "dist/dist.h"

static void lone_rank_is_the_first_of_one(void **state) {
    (void)state;
    static const char *const names[] = {NULL, "alone"};
    for (int i = 0; i < 2; i++) {
        oc_dist *dist = NULL;
        oc_error err = {0};
        check_ok(oc_dist_new(&dist, names[i], &err), err);
        assert_int_equal(oc_dist_rank(dist), 0);
        assert_int_equal(oc_dist_size(dist), 1);
        oc_dist_free(dist);
    }
    oc_dist_free(NULL);
}

static void sum_over_one_rank_changes_nothing(void **state) {
    (void)state;
    oc_dist *dist = NULL;
    float values[] = {1, -2, 3};
    const float same[] = {1, -2, 3};
    oc_error err = {0};
    check_ok(oc_dist_new(&dist, NULL, &err), err);
    check_ok(oc_dist_sum(dist, values, 3, &err), err);
    assert_memory_equal(values, same, sizeof same);
    oc_dist_free(dist);
}

static void lone_rank_agrees_with_itself(void **state) {
    (void)state;
    oc_dist *dist = NULL;
    oc_error err = {0};
    check_ok(oc_dist_new(&dist, NULL, &err), err);
    check_ok(oc_dist_agree(dist, OC_OK, &err), err);
    assert_int_equal(oc_dist_agree(dist, OC_EIO, &err), OC_EIO);
    oc_dist_free(dist);
}

static void unknown_backend_is_not_built_in(void **state) {
    (void)state;
    oc_dist *dist = NULL;
    oc_error err = {0};
    check_fails(oc_dist_new(&dist, "mpi", &err), err, OC_EENV, "not built in");
    assert_null(dist);
}

static void new_survives_a_failed_allocation(void **state) {
    (void)state;
    oc_dist *dist = NULL;
    oc_error err = {0};
    oc_mem_fail_at(1);
    check_fails(oc_dist_new(&dist, NULL, &err), err, OC_ENOMEM, "ranks");
    assert_null(dist);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lone_rank_is_the_first_of_one),
        cmocka_unit_test(sum_over_one_rank_changes_nothing),
        cmocka_unit_test(lone_rank_agrees_with_itself),
        cmocka_unit_test(unknown_backend_is_not_built_in),
        cmocka_unit_test(new_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
