/* The parallel for and the count of cores.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "base/thread_int.h"

enum { ITEMS = 5000 };

typedef struct tally {
    int times[ITEMS];
    int threads;
    bool worker_out_of_range;
} tally;

static void count_item(void *ctx, size_t i, int worker) {
    tally *t = ctx;
    t->times[i]++; /* each item belongs to one worker: no lock, and TSan agrees */
    if (worker < 0 || worker >= t->threads) t->worker_out_of_range = true;
}

static void each_item_is_done_once(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 7, 1000};
    for (size_t k = 0; k < 4; k++) {
        tally t = {.threads = threads[k]};
        oc_parallel_for(ITEMS, threads[k], count_item, &t);
        for (size_t i = 0; i < ITEMS; i++) assert_int_equal(t.times[i], 1);
        assert_false(t.worker_out_of_range);
    }
}

static void default_threads_are_the_cores(void **state) {
    (void)state;
    tally t = {.threads = oc_cpu_count()};
    assert_true(t.threads >= 1);
    oc_parallel_for(ITEMS, 0, count_item, &t);
    for (size_t i = 0; i < ITEMS; i++) assert_int_equal(t.times[i], 1);
    assert_false(t.worker_out_of_range);
}

static void no_items_is_no_work(void **state) {
    (void)state;
    oc_parallel_for(0, 4, count_item, NULL);
}

static void quota_is_rounded_up(void **state) {
    (void)state;
    assert_int_equal(oci_cpus_by_quota("max 100000\n"), 0);
    assert_int_equal(oci_cpus_by_quota("150000 100000\n"), 2);
    assert_int_equal(oci_cpus_by_quota("200000 100000"), 2);
    assert_int_equal(oci_cpus_by_quota("5000 100000"), 1);
    assert_int_equal(oci_cpus_by_quota("9223372036854775807 1"), 0);
    assert_int_equal(oci_cpus_by_quota("100 0"), 0);
    assert_int_equal(oci_cpus_by_quota(""), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_done_once),
        cmocka_unit_test(default_threads_are_the_cores),
        cmocka_unit_test(no_items_is_no_work),
        cmocka_unit_test(quota_is_rounded_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
