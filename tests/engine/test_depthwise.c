/* The inner loops of depthwise convolutions, fast and plain, against the definition: results,
 * gradients and the sums of the batch norms on either side, over sizes, strides and paddings.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/onednn/loops.h"

enum { SIDE = 24, MOST = SIDE * SIDE * 16, TAPS = OCI_DEPTH_TAPS };

/* Sums of at most 600 terms near 1, in float. */
static const double TOLERANCE = 2e-4;

typedef struct depth_case {
    oci_depth_plane plane;
    float x[MOST], y[MOST], dy[MOST], dx[MOST];
    float weights[TAPS * 16], turned[TAPS * 16], dw[TAPS * 16];
    float rows[7][OCI_ROW]; /* a, b of the input; a, b, p, q, r of the result */
    float pivot[OCI_ROW];
    double s1[OCI_ROW], s2[OCI_ROW];
    float ring[2 * OCI_DEPTH_RING * (SIDE + 8) * 16];
} depth_case;

static const oci_depth_loops *both[2];

static int choose_both(void **state) {
    (void)state;
    both[0] = &oci_loops_plain.depthwise, both[1] = &oci_loops_here()->depthwise;
    return 0;
}

/* Eighths from -1 to 1: exact in float, so that no clip is a matter of rounding. */
static float eighth(oc_rng *rng) {
    return (float)((int)oc_rng_below(rng, 17) - 8) / 8;
}

/* Of a row of 16, the second half repeats the first where a pixel has 8 lanes. */
static void fill_row(oc_rng *rng, float *row, int lanes, float offset) {
    for (int l = 0; l < OCI_ROW; l++) row[l] = l < lanes ? eighth(rng) + offset : row[l - lanes];
}

static void fill(oc_rng *rng, depth_case *c) {
    const oci_depth_plane *p = &c->plane;
    int lanes = p->lanes, in = p->in_h * p->in_w, out = p->out_h * p->out_w;
    for (int i = 0; i < (in > out ? in : out) * lanes; i++) {
        c->x[i] = eighth(rng), c->y[i] = eighth(rng), c->dy[i] = eighth(rng);
        c->dx[i] = 99; /* to be overwritten */
    }
    for (int k = 0; k < 7; k++) fill_row(rng, c->rows[k], lanes, k % 2 ? 1.F / 128 : 0);
    fill_row(rng, c->pivot, lanes, 0);
    for (int i = 0; i < TAPS * lanes; i++) {
        c->weights[i] = eighth(rng);
        c->turned[(TAPS - 1 - i / lanes) * lanes + i % lanes] = c->weights[i];
    }
}

/* pads: top, left, bottom, right */
static depth_case *make(int h, int w, int stride, const int pads[4], int lanes) {
    depth_case *c = test_calloc(1, sizeof *c);
    c->plane = (oci_depth_plane){.in_h = h,
                                 .in_w = w,
                                 .out_h = (h + pads[0] + pads[2] - 3) / stride + 1,
                                 .out_w = (w + pads[1] + pads[3] - 3) / stride + 1,
                                 .stride = stride,
                                 .pad_top = pads[0],
                                 .pad_left = pads[1],
                                 .lanes = lanes};
    assert_true(oci_depth_ring(&c->plane) <= sizeof c->ring / sizeof *c->ring);
    oc_rng rng;
    oc_rng_init(&rng, 7, OC_RNG_TEST, (uint32_t)(h * 100 + w), (uint64_t)(stride * 100 + lanes));
    fill(&rng, c);
    return c;
}

static oci_row_map map_of(const float *a, const float *b) {
    return (oci_row_map){a, b, {0, 0.75F}};
}

static void forward(const oci_depth_loops *loops, depth_case *c, bool sums) {
    oci_depth_forward f = {.x = c->x,
                           .map = map_of(c->rows[0], c->rows[1]),
                           .weights = c->weights,
                           .y = c->y,
                           .ring = c->ring};
    if (sums) f.sums = (oci_depth_sums){c->pivot, c->s1, c->s2};
    loops->forward(&c->plane, &f);
}

static void backward(const oci_depth_loops *loops, depth_case *c, bool dx, bool dw, bool sums) {
    oci_depth_backward b = {.x = c->x,
                            .map = map_of(c->rows[0], c->rows[1]),
                            .y = c->y,
                            .dy = c->dy,
                            .out_map = map_of(c->rows[2], c->rows[3]),
                            .p = c->rows[4],
                            .q = c->rows[5],
                            .r = c->rows[6],
                            .weights = c->plane.stride == 1 ? c->turned : c->weights,
                            .dx = dx ? c->dx : NULL,
                            .dw = dw ? c->dw : NULL,
                            .ring = c->ring};
    if (sums) b.sums = (oci_depth_sums){c->pivot, c->s1, c->s2};
    loops->backward(&c->plane, &b);
}

/* ---- the definition -------------------------------------------------------------------------- */

static double mapped(const float *a, const float *b, float x, int l) {
    return (double)a[l] * (double)x + (double)b[l];
}

/* The input that tap k of result (y, x) reads: its place, or -1 in the padding. */
static int place(const oci_depth_plane *p, int y, int x, int k, int l) {
    int row = y * p->stride + k / 3 - p->pad_top, column = x * p->stride + k % 3 - p->pad_left;
    if (row < 0 || row >= p->in_h || column < 0 || column >= p->in_w) return -1;
    return (row * p->in_w + column) * p->lanes + l;
}

static double input(const depth_case *c, int at, int l) {
    double v = mapped(c->rows[0], c->rows[1], c->x[at], l);
    return v < 0 ? 0 : v > 0.75 ? 0.75 : v;
}

/* The gradient of result i. */
static double gradient(const depth_case *c, int i, int l) {
    double v = mapped(c->rows[2], c->rows[3], c->y[i], l);
    double m = v > 0 && v < 0.75 ? (double)c->dy[i] : 0;
    return (double)c->rows[4][l] * m + (double)c->rows[5][l] * (double)c->y[i] +
           (double)c->rows[6][l];
}

static void check(double got, double wanted, const depth_case *c, const char *what, int i) {
    if (fabs(got - wanted) <= TOLERANCE * fmax(1, fabs(wanted))) return;
    fail_msg("%dx%d stride %d lanes %d: %s %d is %g, wanted %g", c->plane.in_h, c->plane.in_w,
             c->plane.stride, c->plane.lanes, what, i, got, wanted);
}

static void check_sums(const depth_case *c, const double *s1, const double *s2) {
    int lanes = c->plane.lanes;
    for (int l = 0; l < lanes; l++) {
        double got[2] = {0, 0};
        for (int twin = l; twin < OCI_ROW; twin += lanes)
            got[0] += c->s1[twin], got[1] += c->s2[twin];
        check(got[0], s1[l], c, "sum", l);
        check(got[1], s2[l], c, "second sum", l);
    }
}

static void check_forward(const depth_case *c) {
    const oci_depth_plane *p = &c->plane;
    double s1[OCI_ROW] = {0}, s2[OCI_ROW] = {0};
    for (int i = 0; i < p->out_h * p->out_w * p->lanes; i++) {
        int l = i % p->lanes, x = i / p->lanes % p->out_w, y = i / p->lanes / p->out_w;
        double sum = 0;
        for (int k = 0; k < TAPS; k++) {
            int at = place(p, y, x, k, l);
            if (at >= 0) sum += (double)c->weights[k * p->lanes + l] * input(c, at, l);
        }
        check((double)c->y[i], sum, c, "result", i);
        double d = (double)c->y[i] - (double)c->pivot[l];
        s1[l] += d, s2[l] += d * d;
    }
    check_sums(c, s1, s2);
}

/* What the definition gives for dx and dw. */
static void gradients(const depth_case *c, double *dx, double *dw) {
    const oci_depth_plane *p = &c->plane;
    for (int i = 0; i < p->out_h * p->out_w * p->lanes; i++) {
        int l = i % p->lanes, x = i / p->lanes % p->out_w, y = i / p->lanes / p->out_w;
        double g = gradient(c, i, l);
        for (int k = 0; k < TAPS; k++) {
            int at = place(p, y, x, k, l);
            if (at < 0) continue;
            dx[at] += g * (double)c->weights[k * p->lanes + l];
            dw[k * p->lanes + l] += g * input(c, at, l);
        }
    }
}

static void check_backward(const depth_case *c) {
    const oci_depth_plane *p = &c->plane;
    double *dx = test_calloc(MOST, sizeof *dx), dw[TAPS * 16] = {0};
    double s1[OCI_ROW] = {0}, s2[OCI_ROW] = {0};
    gradients(c, dx, dw);
    for (int i = 0; i < TAPS * p->lanes; i++) check((double)c->dw[i], dw[i], c, "weight", i);
    for (int i = 0; i < p->in_h * p->in_w * p->lanes; i++) {
        int l = i % p->lanes;
        double v = mapped(c->rows[0], c->rows[1], c->x[i], l);
        check((double)c->dx[i], dx[i], c, "gradient", i);
        double m = v > 0 && v < 0.75 ? (double)c->dx[i] : 0;
        s1[l] += m, s2[l] += m * ((double)c->x[i] - (double)c->pivot[l]);
    }
    check_sums(c, s1, s2);
    test_free(dx);
}

/* ---- the claims ------------------------------------------------------------------------------ */

static const int sizes[][2] = {{1, 1}, {1, 6}, {7, 7}, {8, 5}, {12, 13}, {21, 22}};
static const int pads[][4] = {{1, 1, 1, 1}, {0, 0, 0, 0}, {0, 1, 2, 0}, {2, 2, 0, 1}, {0, 0, 1, 1}};

typedef void one_case(const oci_depth_loops *loops, depth_case *c);

/* Every size under every padding that leaves a window; of the lanes and the two builds each. */
static void all_cases(one_case *run) {
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t q = 0; q < sizeof pads / sizeof *pads; q++)
            for (int k = 0; k < 8; k++) {
                int h = sizes[s][0], w = sizes[s][1];
                if (h + pads[q][0] + pads[q][2] < 3 || w + pads[q][1] + pads[q][3] < 3) continue;
                depth_case *c = make(h, w, 1 + k % 2, pads[q], k & 4 ? 16 : 8);
                run(both[k / 2 % 2], c);
                test_free(c);
            }
}

static void run_forward(const oci_depth_loops *loops, depth_case *c) {
    forward(loops, c, true);
    check_forward(c);
}

static void run_backward(const oci_depth_loops *loops, depth_case *c) {
    backward(loops, c, true, true, true);
    check_backward(c);
}

static void results_and_their_sums_are_as_defined(void **state) {
    (void)state;
    all_cases(run_forward);
}

static void gradients_and_their_sums_are_as_defined(void **state) {
    (void)state;
    all_cases(run_backward);
}

static void a_ring_serves_one_plane_after_another(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        depth_case *c = make(13, 9, 1 + k % 2, pads[0], 8),
                   *again = make(13, 9, 1 + k % 2, pads[0], 8);
        backward(both[k / 2], c, true, true, true);
        for (int i = 0; i < MOST; i++) c->x[i] = again->dy[i] + 3; /* another plane in between */
        backward(both[k / 2], c, true, true, true);
        memcpy(c->x, again->x, sizeof c->x);
        memset(c->s1, 0, sizeof c->s1);
        memset(c->s2, 0, sizeof c->s2);
        backward(both[k / 2], c, true, true, true);
        check_backward(c);
        test_free(c);
        test_free(again);
    }
}

static void what_is_not_wanted_changes_nothing_else(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        depth_case *all = make(9, 10, 1 + k % 2, pads[0], 8),
                   *c = make(9, 10, 1 + k % 2, pads[0], 8);
        backward(both[k / 2], all, true, true, true);
        backward(both[k / 2], c, true, false, false);
        assert_memory_equal(c->dx, all->dx, sizeof c->dx);
        assert_true(c->dw[0] == 0 && c->s1[0] == 0);
        memset(c->dx, 0, sizeof c->dx);
        backward(both[k / 2], c, false, true, false);
        assert_memory_equal(c->dw, all->dw, sizeof c->dw);
        assert_true(c->dx[0] == 0 && c->s1[0] == 0);
        forward(both[k / 2], c, false);
        assert_true(c->s1[0] == 0);
        test_free(all);
        test_free(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_and_their_sums_are_as_defined),
        cmocka_unit_test(gradients_and_their_sums_are_as_defined),
        cmocka_unit_test(a_ring_serves_one_plane_after_another),
        cmocka_unit_test(what_is_not_wanted_changes_nothing_else),
    };
    return cmocka_run_group_tests(tests, choose_both, NULL);
}
