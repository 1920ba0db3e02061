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
                           .classes = 10,
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
    for (size_t i = 0; i < b.layers.count; i++) {
        const oci_pass_time *pass = b.layers.items[i].pass;
        forward += pass[OCI_FORWARD].flops;
        backward += pass[OCI_BACK_DATA].flops + pass[OCI_BACK_WEIGHTS].flops;
        assert_true(pass[OCI_FORWARD].seconds >= 0);
    }
    assert_true(forward * 3 == b.flops);
    assert_true(backward == 2 * forward);
    oci_bench_clear(&b);
}

static const oci_layer_time *layer_of_kind(const oci_rooflines *layers, const char *kind) {
    for (size_t i = 0; i < layers->count; i++)
        if (strcmp(layers->items[i].kind, kind) == 0) return &layers->items[i];
    fail_msg("no layer of kind %s", kind);
    return NULL;
}

static void a_step_is_split_without_rest(void **state) {
    (void)state;
    const oci_peak peak = {.fma_gflops = 100, .memory_gbps = 10};
    oci_bench b;
    oci_bench_task task = tiny(OC_MODE_TRAIN);
    assert_int_equal(oci_bench_run(&b, &task, NULL), OC_OK);
    oci_rooflines_judge(&b.layers, &peak);
    double layers = 0, kinds = 0;
    for (size_t i = 0; i < b.layers.count; i++) layers += b.layers.items[i].seconds;
    for (size_t i = 0; i < b.layers.kind_count; i++) kinds += b.layers.kinds[i].seconds;
    assert_float_equal(layers, b.layers.total.seconds, 1e-9F);
    assert_float_equal(kinds, b.layers.total.seconds, 1e-9F);
    assert_true(layer_of_kind(&b.layers, "update")->seconds > 0);
    assert_true(layer_of_kind(&b.layers, "other")->seconds >= 0);
    oci_bench_clear(&b);
}

/* The bytes of a dense layer: weights, input and output, and none of them twice. */
static void a_roofline_is_the_slower_of_the_two_limits(void **state) {
    (void)state;
    const oci_peak slow_memory = {.fma_gflops = 1e9, .memory_gbps = 1};
    const oci_peak slow_maths = {.fma_gflops = 1, .memory_gbps = 1e9};
    oci_bench b;
    oci_bench_task task = tiny(OC_MODE_INFER);
    assert_int_equal(oci_bench_run(&b, &task, NULL), OC_OK);
    oci_rooflines_judge(&b.layers, &slow_memory);
    const oci_layer_time *conv = layer_of_kind(&b.layers, "conv");
    assert_true(conv->pass[OCI_FORWARD].by_memory);
    assert_float_equal(conv->bound, conv->pass[OCI_FORWARD].bytes / 1e9, 1e-9F);
    oci_rooflines_judge(&b.layers, &slow_maths);
    conv = layer_of_kind(&b.layers, "conv");
    assert_false(conv->pass[OCI_FORWARD].by_memory);
    assert_float_equal(conv->bound, conv->pass[OCI_FORWARD].flops / 1e9, 1e-9F);
    for (size_t i = 1; i < b.layers.count; i++)
        assert_true(b.layers.items[i - 1].lost >= b.layers.items[i].lost);
    oci_bench_clear(&b);
}

static void a_layer_moves_its_inputs_outputs_and_parameters_once(void **state) {
    (void)state;
    oci_bench b;
    oci_bench_task task = tiny(OC_MODE_INFER);
    oc_shape shapes[64];
    assert_int_equal(oci_bench_run(&b, &task, NULL), OC_OK);
    assert_int_equal(oc_graph_shapes(b.graph, 1, SIZE, SIZE, shapes, NULL), OC_OK);
    const oci_layer_time *dense = layer_of_kind(&b.layers, "dense");
    int node = oc_graph_find(b.graph, dense->name);
    size_t in = 0, out = 0;
    assert_true(oc_shape_count(&shapes[oc_graph_node(b.graph, node)->inputs[0]], &in));
    assert_true(oc_shape_count(&shapes[node], &out));
    assert_true(dense->pass[OCI_FORWARD].bytes == 4.0 * (double)(in + out + in * out + out));
    oci_bench_clear(&b);
}

static void the_table_of_layers_fits_a_line_of_120(void **state) {
    (void)state;
    const oci_peak peak = {.fma_gflops = 100, .memory_gbps = 10};
    oci_bench b;
    oc_buf out = {0};
    oci_bench_task task = tiny(OC_MODE_TRAIN);
    assert_int_equal(oci_bench_run(&b, &task, NULL), OC_OK);
    oci_rooflines_judge(&b.layers, &peak);
    oci_rooflines_text(&b.layers, &peak, true, &out);
    assert_false(out.failed);
    for (const char *line = out.data, *end; (end = strchr(line, '\n')); line = end + 1)
        assert_in_range((uintmax_t)(end - line), 0, 120);
    assert_non_null(strstr(out.data, "by kind"));
    assert_non_null(strstr(out.data, "update"));
    oc_buf_clear(&out);
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
        cmocka_unit_test(a_step_is_split_without_rest),
        cmocka_unit_test(a_roofline_is_the_slower_of_the_two_limits),
        cmocka_unit_test(a_layer_moves_its_inputs_outputs_and_parameters_once),
        cmocka_unit_test(the_table_of_layers_fits_a_line_of_120),
        cmocka_unit_test(a_size_the_network_cannot_take_is_told),
        cmocka_unit_test(the_peak_is_positive_and_lack_of_memory_is_told),
        cmocka_unit_test(every_failing_allocation_of_a_run_is_survived),
        cmocka_unit_test(no_photo_and_no_image_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
