/* The gate to the heap, checked sizes, pools.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "base/machine_int.h"

static void nth_allocation_fails_once(void **state) {
    (void)state;
    oc_mem_fail_at(2);
    void *a = oc_malloc(8), *b = oc_malloc(8), *c = oc_malloc(8);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c);
    oc_free(a);
    oc_free(c);
}

static void every_door_of_the_gate_is_counted(void **state) {
    (void)state;
    uint64_t before = oc_mem_allocations();
    void *p[] = {oc_malloc(1), oc_calloc(1, 1), oc_realloc(NULL, 1), oc_strdup("x")};
    void *aligned = oc_malloc_aligned(1);
    assert_int_equal(oc_mem_allocations() - before, 5);
    for (size_t i = 0; i < 4; i++) oc_free(p[i]);
    oc_free_aligned(aligned);
}

static void every_refusal_is_counted(void **state) {
    (void)state;
    uint64_t before = oc_mem_failures();
    for (int door = 0; door < 4; door++) {
        oc_mem_fail_at(1);
        assert_null(door == 0   ? oc_malloc(8)
                    : door == 1 ? oc_calloc(1, 8)
                    : door == 2 ? oc_realloc(NULL, 8)
                                : oc_malloc_aligned(8));
    }
    oc_free(oc_malloc(8));
    assert_int_equal(oc_mem_failures() - before, 4);
}

static void disarmed_gate_lets_all_through(void **state) {
    (void)state;
    oc_mem_fail_at(1);
    oc_mem_fail_at(0);
    void *p = oc_malloc(1);
    assert_non_null(p);
    oc_free(p);
}

static void zero_sizes_are_valid(void **state) {
    (void)state;
    void *p[] = {oc_malloc(0), oc_calloc(0, 8), oc_calloc(8, 0), oc_realloc(NULL, 0)};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(p[i]);
        oc_free(p[i]);
    }
    oc_free(NULL);
}

static void overflowing_calloc_is_null(void **state) {
    (void)state;
    assert_null(oc_calloc(SIZE_MAX / 2, 3));
}

static void strndup_stops_at_the_limit_or_the_end(void **state) {
    (void)state;
    char *cut = oc_strndup("flower", 3), *whole = oc_strndup("ab", 9);
    assert_string_equal(cut, "flo");
    assert_string_equal(whole, "ab");
    oc_free(cut);
    oc_free(whole);
}

static void aligned_memory_is_aligned(void **state) {
    (void)state;
    const size_t sizes[] = {0, 1, 100, 4 << 20};
    for (size_t i = 0; i < 4; i++) {
        void *p = oc_malloc_aligned(sizes[i]);
        size_t align = sizes[i] >= 4 << 20 ? 2 << 20 : OC_CACHE_LINE;
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % align, 0);
        oc_free_aligned(p);
    }
}

static void checked_arithmetic_refuses_overflow(void **state) {
    (void)state;
    size_t out = 7;
    assert_false(oc_mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_false(oc_add_size(SIZE_MAX, 1, &out));
    assert_int_equal(out, 7);
    assert_true(oc_mul_size(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(oc_mul_size(5, 0, &out));
    assert_int_equal(out, 0);
    assert_true(oc_add_size(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
}

static void grow_keeps_contents_and_doubles(void **state) {
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    oc_error err = {0};
    for (int i = 0; i < 1000; i++) {
        check_ok(oc_grow(&items, &capacity, (size_t)i + 1, sizeof *items, &err), err);
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(items[i], i);
    assert_in_range(capacity, 1000, 2000);
    oc_free(items);
}

static void failed_grow_changes_nothing(void **state) {
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    oc_error err = {0};
    check_ok(oc_grow(&items, &capacity, 3, sizeof *items, &err), err);
    int *kept = items;
    size_t had = capacity;
    check_fails(oc_grow(&items, &capacity, SIZE_MAX / 2, sizeof *items, &err), err, OC_ENOMEM,
                "out of memory");
    oc_mem_fail_at(1);
    check_fails(oc_grow(&items, &capacity, had + 1, sizeof *items, &err), err, OC_ENOMEM, "bytes");
    assert_ptr_equal(items, kept);
    assert_int_equal(capacity, had);
    oc_free(items);
}

static void pool_pieces_are_zeroed_aligned_and_apart(void **state) {
    (void)state;
    oc_pool *pool = NULL;
    unsigned char *pieces[400];
    oc_error err = {0};
    check_ok(oc_pool_new(&pool, &err), err);
    for (size_t i = 0; i < 400; i++) {
        size_t bytes = i % 50 == 49 ? 20000 : i;
        pieces[i] = oc_pool_alloc(pool, bytes);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t k = 0; k < bytes; k++) assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i % 255) + 1, bytes);
    }
    for (size_t i = 1; i < 400; i++) assert_int_equal(pieces[i][0], i % 255 + 1);
    assert_string_equal(oc_pool_strdup(pool, "iris"), "iris");
    oc_pool_free(pool);
}

static void pool_survives_failed_allocations(void **state) {
    (void)state;
    oc_pool *pool = NULL;
    oc_error err = {0};
    oc_mem_fail_at(1);
    check_fails(oc_pool_new(&pool, &err), err, OC_ENOMEM, "pool");
    assert_null(pool);
    check_ok(oc_pool_new(&pool, &err), err);
    oc_mem_fail_at(1);
    assert_null(oc_pool_alloc(pool, 8));
    assert_null(oc_pool_alloc(pool, SIZE_MAX - 3));
    assert_null(oc_pool_alloc(pool, SIZE_MAX - 40));
    assert_non_null(oc_pool_alloc(pool, 8));
    oc_pool_free(pool);
    oc_pool_free(NULL);
}

/* Memory that was used and given back before is the one that would show. */
static void zeroed_aligned_memory_is_zero(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 4096, (4 << 20) - 1, (4 << 20) + 3, 6 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int round = 0; round < 3; round++) {
            unsigned char *p = oc_calloc_aligned(sizes[i]);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % OC_CACHE_LINE, 0);
            for (size_t k = 0; k < sizes[i]; k += sizes[i] < 8192 ? 1 : 509)
                assert_int_equal(p[k], 0);
            assert_int_equal(p[sizes[i] - 1], 0);
            memset(p, 0xA5, sizes[i]);
            oc_free_aligned(p);
        }
    }
    oc_mem_fail_at(1);
    assert_null(oc_calloc_aligned(64));
}

static void free_memory_is_within_the_limits_of_a_group(void **state) {
    (void)state;
    assert_true(oci_group_free(1000, 400, 100) == 700); /* cached files give way */
    assert_true(oci_group_free(1000, 400, 900) == 1000);
    assert_true(oci_group_free(1000, 4000, 100) == 0);
    assert_true(oc_free_memory() > 1 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nth_allocation_fails_once),
        cmocka_unit_test(every_door_of_the_gate_is_counted),
        cmocka_unit_test(every_refusal_is_counted),
        cmocka_unit_test(disarmed_gate_lets_all_through),
        cmocka_unit_test(zero_sizes_are_valid),
        cmocka_unit_test(overflowing_calloc_is_null),
        cmocka_unit_test(strndup_stops_at_the_limit_or_the_end),
        cmocka_unit_test(aligned_memory_is_aligned),
        cmocka_unit_test(checked_arithmetic_refuses_overflow),
        cmocka_unit_test(grow_keeps_contents_and_doubles),
        cmocka_unit_test(failed_grow_changes_nothing),
        cmocka_unit_test(pool_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(pool_survives_failed_allocations),
        cmocka_unit_test(zeroed_aligned_memory_is_zero),
        cmocka_unit_test(free_memory_is_within_the_limits_of_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
