/* Packed convolutions against plain sums in double: kernels, strides, pads and dilations, fusing,
 * and that neither threads nor the cut of a batch change a bit.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "conv_problem.h"

#include <math.h>

#include "engine/onednn/packed.h"

_Static_assert((int)LANES == (int)OCI_PACK_LANES, "the kernel has its numbers in other blocks");

/* Of the largest result: sums of at most 1800 products in single precision; a wrong tap is some
 * 1e-1 off. */
static const double TOLERANCE = 1e-5;

static const struct {
    const char *name;
    int n, in, out, h, w, kernel_h, kernel_w, stride, pad, dilation;
} SHAPES[] = {
    {"strided", 2, 16, 24, 9, 14, 3, 3, 2, 1, 1},
    {"one tap", 3, 40, 16, 5, 7, 1, 1, 1, 0, 1},
    {"one strided tap", 2, 16, 32, 7, 6, 1, 1, 2, 0, 1},
    {"one block of results", 1, 24, 8, 6, 6, 3, 3, 1, 1, 1},
    {"one result", 1, 16, 16, 3, 3, 3, 3, 1, 0, 1},
    {"one pixel", 2, 8, 16, 1, 1, 3, 3, 1, 1, 1},
    {"dilated", 1, 16, 16, 9, 8, 3, 3, 1, 2, 2},
    {"uneven kernel", 1, 8, 16, 8, 7, 2, 5, 1, 0, 1},
    {"most taps", 1, 8, 8, 9, 9, 7, 7, 2, 3, 1},
    {"steps in parts", 1, 200, 16, 4, 4, 3, 3, 1, 1, 1},
    {"rows in portions", 1, 8, 8, 60, 40, 1, 1, 1, 0, 1},
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static oci_conv_shape shape_at(size_t i) {
    int stride = SHAPES[i].stride, pad = SHAPES[i].pad, dilation = SHAPES[i].dilation;
    int high = (SHAPES[i].kernel_h - 1) * dilation + 1;
    int wide = (SHAPES[i].kernel_w - 1) * dilation + 1;
    return (oci_conv_shape){.n = SHAPES[i].n,
                            .in_channels = SHAPES[i].in,
                            .in_h = SHAPES[i].h,
                            .in_w = SHAPES[i].w,
                            .out_channels = SHAPES[i].out,
                            .out_h = (SHAPES[i].h + 2 * pad - high) / stride + 1,
                            .out_w = (SHAPES[i].w + 2 * pad - wide) / stride + 1,
                            .groups = 1,
                            .kernel_h = SHAPES[i].kernel_h,
                            .kernel_w = SHAPES[i].kernel_w,
                            .stride_h = stride,
                            .stride_w = stride,
                            .dilation_h = dilation,
                            .dilation_w = dilation,
                            .pad_top = pad,
                            .pad_left = pad,
                            .pad_bottom = pad,
                            .pad_right = pad};
}

/* (out/8, in/8, taps, 8 in, 8 out) */
static size_t weight_at(const oci_conv_shape *s, int k, int c, int tap) {
    size_t block = (size_t)(k / LANES * (s->in_channels / LANES) + c / LANES);
    size_t step = block * (size_t)(s->kernel_h * s->kernel_w) + (size_t)tap;
    return (step * LANES + (size_t)(c % LANES)) * LANES + (size_t)(k % LANES);
}

static double plain_sum(const problem *p, int i, int k, int y, int x) {
    const oci_conv_shape *s = &p->s;
    double sum = 0;
    for (int tap = 0; tap < s->kernel_h * s->kernel_w; tap++) {
        int sy = y * s->stride_h + tap / s->kernel_w * s->dilation_h - s->pad_top;
        int sx = x * s->stride_w + tap % s->kernel_w * s->dilation_w - s->pad_left;
        if (sy < 0 || sy >= s->in_h || sx < 0 || sx >= s->in_w) continue;
        for (int c = 0; c < s->in_channels; c++)
            sum += (double)p->src[at(s->in_channels, s->in_h, s->in_w, i, c, sy, sx)] *
                   (double)p->weights[weight_at(s, k, c, tap)];
    }
    return sum;
}

static double *plain_sums(const problem *p) {
    const oci_conv_shape *s = &p->s;
    double *sums = test_calloc(p->dst_count, sizeof *sums);
    for (int i = 0; i < s->n; i++)
        for (int k = 0; k < s->out_channels; k++)
            for (int y = 0; y < s->out_h; y++)
                for (int x = 0; x < s->out_w; x++)
                    sums[at(s->out_channels, s->out_h, s->out_w, i, k, y, x)] =
                        plain_sum(p, i, k, y, x);
    return sums;
}

static void check_close(const float *got, const double *wanted, size_t count, const char *name) {
    double most = 0, off = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs(wanted[i]));
        double d = fabs((double)got[i] - wanted[i]);
        off = d <= off ? off : d; /* a NaN stays */
    }
    if (!(off <= TOLERANCE * most)) fail_msg("%s: off by %g of %g", name, off, most);
}

/* The whole batch, `step` images at a time. */
static void run(const problem *p, int threads, int step, const float *bias, float *to) {
    oc_error err = {0};
    oci_packed *packed;
    size_t n = (size_t)p->s.n, src = p->src_count / n, dst = p->dst_count / n;
    int before = oci_threads_use(threads);
    check_ok(oci_packed_new(&packed, &p->s, threads, &err), err);
    float *scratch = oc_malloc_aligned(oci_packed_scratch(packed) * sizeof *scratch);
    assert_non_null(scratch);
    for (int i = 0; i < p->s.n; i += step)
        oci_packed_run(packed, step, p->src + (size_t)i * src, p->weights, bias,
                       to + (size_t)i * dst, scratch);
    oc_free_aligned(scratch);
    oci_packed_free(packed);
    oci_threads_use(before);
}

/* Floats behind the results, which nobody may touch. */
static float *guarded(size_t count) {
    float *x = test_malloc((count + GUARD) * sizeof *x);
    for (size_t i = 0; i < count + GUARD; i++) x[i] = 12345;
    return x;
}

static void check_guard(const float *x, size_t count) {
    for (size_t i = count; i < count + GUARD; i++) assert_true(x[i] == 12345);
}

static void a_result_is_the_plain_sum(void **state) {
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        problem p;
        open_problem(&p, shape_at(i));
        float *got = guarded(p.dst_count);
        double *wanted = plain_sums(&p);
        run(&p, 2, p.s.n, NULL, got);
        check_close(got, wanted, p.dst_count, SHAPES[i].name);
        check_guard(got, p.dst_count);
        test_free(got);
        test_free(wanted);
        close_problem(&p);
    }
}

/* Of a sum in one part, and of one in several. */
static void bias_sum_and_clip_are_fused(void **state) {
    (void)state;
    for (size_t shape = 0; shape < SHAPE_COUNT; shape += 9) {
        problem p;
        open_problem(&p, shape_at(shape));
        p.s.sum = true;
        p.s.act = OCI_ACT_RELU6;
        float *got = guarded(p.dst_count);
        memcpy(got, p.dst, p.dst_count * sizeof *got);
        double *wanted = plain_sums(&p);
        size_t plane = (size_t)p.s.out_h * (size_t)p.s.out_w * LANES, low = 0, high = 0;
        for (size_t i = 0; i < p.dst_count; i++) {
            size_t channel = i / plane * LANES % (size_t)p.s.out_channels + i % LANES;
            double v = wanted[i] + (double)p.dst[i] + (double)p.bias[channel];
            low += v < 0;
            high += v > 6;
            wanted[i] = fmin(fmax(v, 0), 6);
        }
        assert_true(low > 0 && high > 0);
        run(&p, 1, p.s.n, p.bias, got);
        check_close(got, wanted, p.dst_count, SHAPES[shape].name);
        test_free(got);
        test_free(wanted);
        close_problem(&p);
    }
}

static void a_nan_passes_the_clip(void **state) {
    (void)state;
    problem p;
    open_problem(&p, shape_at(4));
    p.s.act = OCI_ACT_RELU;
    p.src[0] = NAN;
    float *got = guarded(p.dst_count);
    run(&p, 1, p.s.n, NULL, got);
    for (size_t i = 0; i < p.dst_count; i++) assert_true(isnan(got[i]));
    test_free(got);
    close_problem(&p);
}

static void results_depend_on_neither_threads_nor_the_cut_of_the_batch(void **state) {
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        problem p;
        open_problem(&p, shape_at(i));
        float *one = guarded(p.dst_count), *three = guarded(p.dst_count);
        run(&p, 1, p.s.n, NULL, one);
        run(&p, 3, 1, NULL, three);
        assert_memory_equal(one, three, p.dst_count * sizeof *one);
        test_free(one);
        test_free(three);
        close_problem(&p);
    }
}

/* The loops for any processor, beside those for this one. */
static void the_plain_loops_agree(void **state) {
    (void)state;
    problem p;
    open_problem(&p, shape_at(0));
    const oci_pack_source from = {.h = p.s.in_h,
                                  .w = p.s.in_w,
                                  .out_h = p.s.out_h,
                                  .out_w = p.s.out_w,
                                  .kernel_h = 3,
                                  .kernel_w = 3,
                                  .stride_h = 2,
                                  .stride_w = 2,
                                  .dilation_h = 1,
                                  .dilation_w = 1,
                                  .pad_top = 1,
                                  .pad_left = 1,
                                  .image = p.src_count / (size_t)p.s.n,
                                  .plane = (size_t)(p.s.in_h * p.s.in_w) * LANES};
    enum { STEPS = 18 };
    float packed[2][STEPS * OCI_PACK_STEP] = {{0}}, sums[2][2 * OCI_PACK_STEP] = {{0}};
    const size_t rows[OCI_PACK_ROWS] = {0, 8, 16, 24, 32, 40};
    const oci_packed_loops *loops[] = {&oci_loops_plain.packed, &oci_loops_here()->packed};
    for (int i = 0; i < 2; i++) {
        loops[i]->pack(&from, p.src, packed[i], 1, OCI_PACK_ROWS, 0, STEPS);
        const oci_pack_product product = {.a = packed[i],
                                          .b = p.weights,
                                          .b_block = STEPS * OCI_PACK_WEIGHTS,
                                          .steps = STEPS,
                                          .to = sums[i],
                                          .at = rows,
                                          .plane = OCI_PACK_STEP,
                                          .low = -INFINITY,
                                          .high = INFINITY,
                                          .rows = OCI_PACK_ROWS,
                                          .blocks = 2};
        loops[i]->product(&product);
    }
    assert_memory_equal(packed[0], packed[1], sizeof packed[0]);
    for (size_t i = 0; i < 2 * OCI_PACK_STEP; i++)
        assert_true(fabsf(sums[0][i] - sums[1][i]) <= 1e-4F); /* of sums near 10 */
    close_problem(&p);
}

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    const oci_conv_shape s = shape_at(0);
    oc_error err = {0};
    oci_packed *packed;
    oc_mem_fail_at(1);
    oc_status status = oci_packed_new(&packed, &s, 2, &err);
    oc_mem_fail_at(0);
    assert_int_equal(status, OC_ENOMEM);
    oci_packed_free(packed);
}

static void only_wide_kernels_that_gather_are_taken(void **state) {
    (void)state;
    oci_conv_shape s = shape_at(0);
    bool here = oci_dnn_block() == LANES && oc_cpu_has_avx2();
    s.in_channels = s.out_channels = 128;
    assert_true(oci_packed_pays(&s) == here);
    s.groups = 128;
    assert_false(oci_packed_pays(&s));
    s.groups = 1, s.out_channels = 129;
    assert_false(oci_packed_pays(&s));
    s.out_channels = 128, s.kernel_h = 8, s.kernel_w = 7;
    assert_false(oci_packed_pays(&s));
    s.kernel_h = s.kernel_w = s.stride_h = s.stride_w = 1;
    assert_false(oci_packed_pays(&s));
    s.stride_w = 2;
    assert_true(oci_packed_pays(&s) == here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_the_plain_sum),
        cmocka_unit_test(bias_sum_and_clip_are_fused),
        cmocka_unit_test(a_nan_passes_the_clip),
        cmocka_unit_test(results_depend_on_neither_threads_nor_the_cut_of_the_batch),
        cmocka_unit_test(the_plain_loops_agree),
        cmocka_unit_test(running_out_of_memory_is_told),
        cmocka_unit_test(only_wide_kernels_that_gather_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
