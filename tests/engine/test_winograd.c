/* Winograd convolutions against plain sums in double: forward, both gradients, odd shapes, fusing,
 * and that neither threads nor the cut of a batch change a bit.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "conv_problem.h"

#include <math.h>

#include "engine/onednn/winograd.h"

_Static_assert((int)LANES == (int)OCI_WINO_LANES, "the kernel has its numbers in other blocks");

/* Of the largest result: sums of at most 1152 products in single precision, transformed there and
 * back; the direct sum in single precision is about 1.5e-6 off, a wrong tap some 1e-1. */
static const double TOLERANCE = 1e-5;

/* n, channels, size and pads; the result's size follows */
static oci_conv_shape shape(int n, int in, int out, int h, int w, int top, int left, int bottom,
                            int right) {
    return (oci_conv_shape){.n = n,
                            .in_channels = in,
                            .in_h = h,
                            .in_w = w,
                            .out_channels = out,
                            .out_h = h + top + bottom - 2,
                            .out_w = w + left + right - 2,
                            .groups = 1,
                            .kernel_h = 3,
                            .kernel_w = 3,
                            .stride_h = 1,
                            .stride_w = 1,
                            .dilation_h = 1,
                            .dilation_w = 1,
                            .pad_top = top,
                            .pad_left = left,
                            .pad_bottom = bottom,
                            .pad_right = right};
}

static const struct {
    const char *name;
    int n, in, out, h, w, top, left, bottom, right;
} SHAPES[] = {
    {"padded", 2, 32, 48, 13, 17, 1, 1, 1, 1},
    {"unpadded", 1, 64, 32, 7, 7, 0, 0, 0, 0},
    {"whole tiles", 2, 16, 16, 8, 12, 1, 1, 1, 1},
    {"odd pads", 3, 16, 32, 6, 5, 2, 0, 1, 1},
    {"one pixel", 2, 32, 16, 1, 1, 1, 1, 1, 1},
    {"one result", 1, 16, 16, 3, 3, 0, 0, 0, 0},
    {"one row", 1, 16, 16, 1, 23, 1, 1, 1, 1},
    {"deep pads", 2, 16, 16, 4, 3, 2, 2, 2, 2},
    {"deep", 1, 128, 128, 6, 6, 1, 1, 1, 1},
    {"several portions", 2, 16, 16, 150, 121, 1, 1, 1, 1},
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static oci_conv_shape shape_at(size_t i) {
    return shape(SHAPES[i].n, SHAPES[i].in, SHAPES[i].out, SHAPES[i].h, SHAPES[i].w, SHAPES[i].top,
                 SHAPES[i].left, SHAPES[i].bottom, SHAPES[i].right);
}

/* What a product of source, weight and result has to do with each of the three. */
typedef void visit(const problem *p, double *sums, size_t src, size_t weight, size_t dst);

static void visit_forward(const problem *p, double *sums, size_t src, size_t weight, size_t dst) {
    sums[dst] += (double)p->src[src] * (double)p->weights[weight];
}
static void visit_data(const problem *p, double *sums, size_t src, size_t weight, size_t dst) {
    sums[src] += (double)p->dst[dst] * (double)p->weights[weight];
}
static void visit_weights(const problem *p, double *sums, size_t src, size_t weight, size_t dst) {
    sums[weight] += (double)p->dst[dst] * (double)p->src[src];
}

static void visit_taps(const problem *p, double *sums, visit *f, int i, int y, int x, int tap) {
    const oci_conv_shape *s = &p->s;
    int sy = y + tap / 3 - s->pad_top, sx = x + tap % 3 - s->pad_left;
    if (sy < 0 || sy >= s->in_h || sx < 0 || sx >= s->in_w) return;
    for (int k = 0; k < s->out_channels; k++)
        for (int c = 0; c < s->in_channels; c++)
            f(p, sums, at(s->in_channels, s->in_h, s->in_w, i, c, sy, sx),
              (size_t)((k * s->in_channels + c) * 9 + tap),
              at(s->out_channels, s->out_h, s->out_w, i, k, y, x));
}

/* The plain sums of one kind, `count` of them. */
static double *plain_sums(const problem *p, visit *f, size_t count) {
    double *sums = test_calloc(count, sizeof *sums);
    for (int i = 0; i < p->s.n; i++)
        for (int y = 0; y < p->s.out_h; y++)
            for (int x = 0; x < p->s.out_w; x++)
                for (int tap = 0; tap < 9; tap++) visit_taps(p, sums, f, i, y, x, tap);
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

/* An object with its kept weights and scratch. */
typedef struct bench {
    oci_winograd *w;
    float *kept, *scratch;
} bench;

static void open_bench(bench *b, oci_conv_kind kind, const oci_conv_shape *s) {
    oc_error err = {0};
    check_ok(oci_winograd_new(&b->w, kind, s, &err), err);
    b->kept = oc_malloc_aligned(oci_winograd_kept(b->w) * sizeof(float));
    b->scratch = oc_malloc_aligned(oci_winograd_scratch(b->w) * sizeof(float));
    assert_non_null(b->kept);
    assert_non_null(b->scratch);
}

static void close_bench(bench *b) {
    oci_winograd_free(b->w);
    oc_free_aligned(b->kept);
    oc_free_aligned(b->scratch);
}

/* Forward or data gradient of the whole batch, `step` images at a time. */
static void run(const problem *p, oci_conv_kind kind, int step, const float *bias, float *to) {
    bench b;
    bool forward = kind == OCI_CONV_FORWARD;
    size_t n = (size_t)p->s.n, src = p->src_count / n, dst = p->dst_count / n;
    open_bench(&b, kind, &p->s);
    oci_winograd_prepare(b.w, p->weights, b.kept);
    for (int i = 0; i < p->s.n; i += step)
        oci_winograd_run(b.w, step, forward ? p->src + (size_t)i * src : p->dst + (size_t)i * dst,
                         bias, to + (size_t)i * (forward ? dst : src), b.kept, b.scratch);
    close_bench(&b);
}

static void gather(const problem *p, int step, float *weights) {
    bench b;
    size_t n = (size_t)p->s.n, src = p->src_count / n, dst = p->dst_count / n;
    open_bench(&b, OCI_CONV_WEIGHTS, &p->s);
    for (int i = 0; i < p->s.n; i += step)
        oci_winograd_gather(b.w, step, i == 0, p->src + (size_t)i * src, p->dst + (size_t)i * dst,
                            b.kept, b.scratch);
    oci_winograd_finish(b.w, b.kept, weights);
    close_bench(&b);
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

/* ---- agreement --------------------------------------------------------------------------------
 */

static void forward_is_the_plain_sum(void **state) {
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        problem p;
        open_problem(&p, shape_at(i));
        float *got = guarded(p.dst_count);
        double *wanted = plain_sums(&p, visit_forward, p.dst_count);
        run(&p, OCI_CONV_FORWARD, p.s.n, NULL, got);
        check_close(got, wanted, p.dst_count, SHAPES[i].name);
        check_guard(got, p.dst_count);
        test_free(got);
        test_free(wanted);
        close_problem(&p);
    }
}

static void data_gradient_is_the_plain_sum(void **state) {
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        problem p;
        open_problem(&p, shape_at(i));
        float *got = guarded(p.src_count);
        double *wanted = plain_sums(&p, visit_data, p.src_count);
        run(&p, OCI_CONV_DATA, p.s.n, NULL, got);
        check_close(got, wanted, p.src_count, SHAPES[i].name);
        check_guard(got, p.src_count);
        test_free(got);
        test_free(wanted);
        close_problem(&p);
    }
}

static void weight_gradient_is_the_plain_sum(void **state) {
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        problem p;
        open_problem(&p, shape_at(i));
        float *got = guarded(p.weight_count);
        double *wanted = plain_sums(&p, visit_weights, p.weight_count);
        gather(&p, 1, got);
        check_close(got, wanted, p.weight_count, SHAPES[i].name);
        gather(&p, p.s.n, got);
        check_close(got, wanted, p.weight_count, SHAPES[i].name);
        check_guard(got, p.weight_count);
        test_free(got);
        test_free(wanted);
        close_problem(&p);
    }
}

/* ---- fusing -----------------------------------------------------------------------------------
 */

static void bias_sum_and_clip_are_fused(void **state) {
    (void)state;
    problem p;
    open_problem(&p, shape_at(0));
    p.s.sum = true;
    p.s.act = OCI_ACT_RELU6;
    float *got = guarded(p.dst_count);
    memcpy(got, p.dst, p.dst_count * sizeof *got);
    double *wanted = plain_sums(&p, visit_forward, p.dst_count);
    size_t plane = (size_t)p.s.out_h * (size_t)p.s.out_w * LANES, low = 0, high = 0;
    for (size_t i = 0; i < p.dst_count; i++) {
        size_t channel = i / plane * LANES % (size_t)p.s.out_channels + i % LANES;
        double v = wanted[i] + (double)p.dst[i] + (double)p.bias[channel];
        low += v < 0;
        high += v > 6;
        wanted[i] = fmin(fmax(v, 0), 6);
    }
    assert_true(low > 0 && high > 0);
    run(&p, OCI_CONV_FORWARD, p.s.n, p.bias, got);
    check_close(got, wanted, p.dst_count, "fused");
    test_free(got);
    test_free(wanted);
    close_problem(&p);
}

static void a_nan_passes_the_clip(void **state) {
    (void)state;
    problem p;
    open_problem(&p, shape_at(5));
    p.s.act = OCI_ACT_RELU;
    p.src[0] = NAN;
    float *got = guarded(p.dst_count);
    run(&p, OCI_CONV_FORWARD, p.s.n, NULL, got);
    for (size_t i = 0; i < p.dst_count; i++) assert_true(isnan(got[i]));
    test_free(got);
    close_problem(&p);
}

/* ---- the same bits ----------------------------------------------------------------------------
 */

static void results_do_not_depend_on_threads(void **state) {
    (void)state;
    problem p;
    open_problem(&p, shape_at(0));
    float *one = guarded(p.weight_count + p.dst_count + p.src_count);
    float *three = guarded(p.weight_count + p.dst_count + p.src_count);
    for (int threads = 1; threads <= 3; threads += 2) {
        float *to = threads == 1 ? one : three;
        int before = oci_threads_use(threads);
        run(&p, OCI_CONV_FORWARD, p.s.n, NULL, to);
        run(&p, OCI_CONV_DATA, p.s.n, NULL, to + p.dst_count);
        gather(&p, p.s.n, to + p.dst_count + p.src_count);
        oci_threads_use(before);
    }
    size_t count = p.weight_count + p.dst_count + p.src_count;
    assert_memory_equal(one, three, count * sizeof *one);
    test_free(one);
    test_free(three);
    close_problem(&p);
}

static void results_do_not_depend_on_the_cut_of_the_batch(void **state) {
    (void)state;
    problem p;
    open_problem(&p, shape_at(3));
    float *whole = guarded(p.dst_count), *single = guarded(p.dst_count);
    run(&p, OCI_CONV_FORWARD, p.s.n, NULL, whole);
    run(&p, OCI_CONV_FORWARD, 1, NULL, single);
    assert_memory_equal(whole, single, p.dst_count * sizeof *whole);
    test_free(whole);
    test_free(single);
    close_problem(&p);
}

/* ---- the two builds of the loops --------------------------------------------------------------
 */

static void check_near(const float *a, const float *b, size_t count, const char *what) {
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-4F * fmaxf(1, fabsf(b[i]))))
            fail_msg("%s[%zu]: %g, plain %g", what, i, (double)a[i], (double)b[i]);
}

static void check_product(const oci_wino_loops *fast, const float *a, const float *b, size_t rows) {
    enum { DEPTH = 19 };
    float got[16 * 16] = {0}, plain[16 * 16] = {0};
    for (int add = 0; add < 2; add++) {
        oci_wino_product p = {.a = a,
                              .b = b,
                              .c_row = 16,
                              .a_row = DEPTH,
                              .a_step = 1,
                              .b_step = 16,
                              .rows = rows,
                              .depth = DEPTH,
                              .add = add};
        p.c = got;
        fast->product(&p);
        p.c = plain;
        oci_loops_plain.winograd.product(&p);
    }
    check_near(got, plain, rows * 16, "product");
    double twice = 0;
    for (size_t k = 0; k < DEPTH; k++) twice += 2 * (double)a[k] * (double)b[k * 16];
    assert_true(fabs((double)got[0] - twice) < 1e-4);
    if (rows < 16) assert_true(got[rows * 16] == 0);
}

static void fast_loops_do_what_the_plain_ones_do(void **state) {
    (void)state;
    const oci_wino_loops *fast = &oci_loops_here()->winograd;
    float *x = random_floats(4096, 5, -1);
    float got[36 * 16], plain[36 * 16];
    oci_wino_kernels k = {.lane = 9, .step = 9 * 16, .turned = true};
    oci_wino_side s = {.blocks = 2, .h = 6, .w = 6, .tiles_h = 1, .tiles_w = 1, .image = 576};
    oci_wino_range all = {0, 0, 1};
    s.row = s.point = 16;
    fast->source(&s, x, got, all);
    oci_loops_plain.winograd.source(&s, x, plain, all);
    check_near(got, plain, sizeof got / sizeof *got, "source");
    fast->gradient(&s, x, got, all);
    oci_loops_plain.winograd.gradient(&s, x, plain, all);
    check_near(got, plain, sizeof got / sizeof *got, "gradient");
    fast->weights(x, k, got, 16, 1);
    oci_loops_plain.winograd.weights(x, k, plain, 16, 1);
    check_near(got, plain, sizeof got / sizeof *got, "weights");
    for (size_t rows = 1; rows <= 16; rows++) check_product(fast, x, x + 512, rows);
    test_free(x);
}

/* ---- edges ------------------------------------------------------------------------------------
 */

static void other_shapes_are_left_to_the_library(void **state) {
    (void)state;
    oci_conv_shape good = shape(2, 64, 64, 14, 14, 1, 1, 1, 1), s;
    assert_int_equal(oci_winograd_pays(&good), oci_dnn_block() == LANES);
    s = good, s.kernel_h = 5;
    assert_false(oci_winograd_pays(&s));
    s = good, s.stride_w = 2;
    assert_false(oci_winograd_pays(&s));
    s = good, s.dilation_h = 2;
    assert_false(oci_winograd_pays(&s));
    s = good, s.groups = 2;
    assert_false(oci_winograd_pays(&s));
    s = good, s.in_channels = 72;
    assert_false(oci_winograd_pays(&s));
    s = good, s.out_channels = 16;
    assert_false(oci_winograd_pays(&s));
    s = good, s.pad_left = 3;
    assert_false(oci_winograd_pays(&s));
    s = good, s.plain_src = true;
    assert_false(oci_winograd_pays(&s));
}

static void no_memory_is_told(void **state) {
    (void)state;
    oci_conv_shape s = shape_at(0);
    oci_winograd *w = NULL;
    oc_error err = {0};
    oc_mem_fail_at(1);
    check_fails(oci_winograd_new(&w, OCI_CONV_FORWARD, &s, &err), err, OC_ENOMEM, "convolution");
    oc_mem_fail_at(0);
    assert_null(w);
    oci_winograd_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_is_the_plain_sum),
        cmocka_unit_test(data_gradient_is_the_plain_sum),
        cmocka_unit_test(weight_gradient_is_the_plain_sum),
        cmocka_unit_test(bias_sum_and_clip_are_fused),
        cmocka_unit_test(a_nan_passes_the_clip),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(results_do_not_depend_on_the_cut_of_the_batch),
        cmocka_unit_test(fast_loops_do_what_the_plain_ones_do),
        cmocka_unit_test(other_shapes_are_left_to_the_library),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
