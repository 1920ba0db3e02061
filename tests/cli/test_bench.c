/* What `ocellus bench` measures: it counts, it does not invent, and it survives lack of memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "../check.h"
#include "cli/bench_int.h"
#include "cli/peak_int.h"

enum { SIZE = 66 }; /* the smallest that the network takes */

static oci_bench_task tiny(oc_mode mode) {
    oci_bench_task task = {.mode = mode,
                           .batch = 1,
                           .size = SIZE,
                           .threads = 1,
                           .reps = 2,
                           .engine = "ref",
                           .layers = true};
    assert_int_equal(oc_zoo_find("thesis", &task.arch, NULL), OC_OK);
    return task;
}

static void the_median_of_even_counts_is_between_the_middle_two(void **state) {
    (void)state;
    double odd[] = {5, 1, 3}, even[] = {4, 1, 8, 2};
    oci_spread three = oci_spread_of(odd, 3), four = oci_spread_of(even, 4);
    assert_true(three.median == 3 && three.min == 1 && three.max == 5);
    assert_true(four.median == 3 && four.min == 1 && four.max == 8);
}

static void training_counts_three_times_the_operations(void **state) {
    (void)state;
    oci_bench train, infer;
    oci_bench_task task = tiny(OC_MODE_TRAIN);
    assert_int_equal(oci_bench_run(&train, &task, NULL), OC_OK);
    task = tiny(OC_MODE_INFER);
    assert_int_equal(oci_bench_run(&infer, &task, NULL), OC_OK);
    assert_true(infer.flops == 2.0 * (double)infer.macs * task.batch);
    assert_true(train.flops == 3 * infer.flops);
    assert_true(train.backward > 0 && train.update > 0);
    assert_true(infer.backward == 0 && infer.update == 0);
    assert_true(infer.rate.min <= infer.rate.median && infer.rate.median <= infer.rate.max);
    oci_bench_clear(&train);
    oci_bench_clear(&infer);
}

/* Forward once, backward twice: the reference does not part its backward pass. */
static void layers_add_up_to_the_operations_of_a_step(void **state) {
    (void)state;
    oci_bench b;
    oci_bench_task task = tiny(OC_MODE_TRAIN);
    assert_int_equal(oci_bench_run(&b, &task, NULL), OC_OK);
    double forward = 0, backward = 0;
    for (size_t i = 0; i < b.layer_count; i++) {
        forward += b.layers[i].flops[OCI_FORWARD];
        backward += b.layers[i].flops[OCI_BACK_DATA] + b.layers[i].flops[OCI_BACK_WEIGHTS];
        assert_true(b.layers[i].seconds[OCI_FORWARD] >= 0);
    }
    assert_true(forward * 3 == b.flops);
    assert_true(backward == 2 * forward);
    oci_bench_clear(&b);
}

static void a_size_the_network_cannot_take_is_told(void **state) {
    (void)state;
    oci_bench b;
    oc_error err = {0};
    oci_bench_task task = tiny(OC_MODE_INFER);
    task.size = 1;
    assert_int_not_equal(oci_bench_run(&b, &task, &err), OC_OK);
    assert_true(err.message[0] != '\0');
    oci_bench_clear(&b);
}

static void the_peak_is_positive_and_lack_of_memory_is_told(void **state) {
    (void)state;
    oci_peak peak;
    assert_int_equal(oci_peak_measure(&peak, 1, NULL), OC_OK);
    assert_true(peak.fma_gflops > 0 && peak.memory_gbps > 0);
    for (uint64_t n = 1; n <= 3; n++) {
        oc_mem_fail_at(n);
        assert_int_equal(oci_peak_measure(&peak, 1, NULL), OC_ENOMEM);
        oc_mem_fail_at(0);
    }
}

static void every_failing_allocation_of_a_run_is_survived(void **state) {
    (void)state;
    oci_bench_task task = tiny(OC_MODE_INFER);
    task.reps = 1;
    oc_status status = OC_ENOMEM;
    uint64_t n = 1;
    for (; status == OC_ENOMEM; n++) {
        oci_bench b;
        oc_mem_fail_at(n);
        status = oci_bench_run(&b, &task, NULL);
        oc_mem_fail_at(0);
        oci_bench_clear(&b);
    }
    assert_int_equal(status, OC_OK);
    assert_true(n > 10);
}

static void no_photo_and_no_image_are_errors(void **state) {
    (void)state;
    oci_photo_speed speed;
    oci_paths paths = {0};
    oc_error err = {0};
    assert_int_equal(oci_paths_add(&paths, OC_SOURCE_DIR "/LICENSE", NULL), OC_OK);
    assert_int_not_equal(oci_bench_photos(&speed, &paths, SIZE, 0.01, &err), OC_OK);
    assert_non_null(strstr(err.message, "LICENSE"));
    oci_paths_clear(&paths);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_of_even_counts_is_between_the_middle_two),
        cmocka_unit_test(training_counts_three_times_the_operations),
        cmocka_unit_test(layers_add_up_to_the_operations_of_a_step),
        cmocka_unit_test(a_size_the_network_cannot_take_is_told),
        cmocka_unit_test(the_peak_is_positive_and_lack_of_memory_is_told),
        cmocka_unit_test(every_failing_allocation_of_a_run_is_survived),
        cmocka_unit_test(no_photo_and_no_image_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
