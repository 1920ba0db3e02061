/* The inner loops of max pools, fast and plain, against the definition: values, taps, the way back,
 * NaNs and equals.
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

enum { MOST = 24 * 24 * 16 };

typedef struct pool_case {
    oci_pool_plane plane;
    float from[MOST], to[MOST], back[MOST];
    oci_tap taps[MOST];
} pool_case;

static const oci_pool_loops *both[2];

static int choose_both(void **state) {
    (void)state;
    both[0] = &oci_loops_plain.pool, both[1] = &oci_loops_here()->pool;
    return 0;
}

static pool_case make(int side, int kernel, int stride, int pad, int lanes) {
    pool_case c = {.plane = {.in_h = side,
                             .in_w = side + 2,
                             .kernel_h = kernel,
                             .kernel_w = kernel,
                             .stride_h = stride,
                             .stride_w = stride,
                             .pad_top = pad,
                             .pad_left = pad,
                             .lanes = lanes}};
    c.plane.out_h = (side + 2 * pad - kernel) / stride + 1;
    c.plane.out_w = (side + 2 + 2 * pad - kernel) / stride + 1;
    oc_rng rng;
    oc_rng_init(&rng, 7, OC_RNG_TEST, (uint32_t)side, (uint64_t)(kernel * 100 + lanes));
    for (int i = 0; i < MOST; i++) c.from[i] = (float)((int)oc_rng_below(&rng, 9) - 4);
    return c;
}

static size_t at(const oci_pool_plane *p, int y, int x, int l) {
    return ((size_t)y * (size_t)p->in_w + (size_t)x) * (size_t)p->lanes + (size_t)l;
}

/* The tap of the first largest value of a window, a NaN above all. */
static int winner(const pool_case *c, int y, int x, int l) {
    const oci_pool_plane *p = &c->plane;
    int best = -1;
    float most = 0;
    for (int k = 0; k < p->kernel_h * p->kernel_w; k++) {
        int iy = y * p->stride_h - p->pad_top + k / p->kernel_w;
        int ix = x * p->stride_w - p->pad_left + k % p->kernel_w;
        if (iy < 0 || iy >= p->in_h || ix < 0 || ix >= p->in_w) continue;
        float v = c->from[at(p, iy, ix, l)];
        if (best < 0 || v > most || (isnan(v) && !isnan(most))) best = k, most = v;
    }
    return best;
}

static void check_forward(const pool_case *c) {
    const oci_pool_plane *p = &c->plane;
    for (int i = 0; i < p->out_h * p->out_w * p->lanes; i++) {
        int l = i % p->lanes, x = i / p->lanes % p->out_w, y = i / p->lanes / p->out_w;
        int k = winner(c, y, x, l);
        float v = c->from[at(p, y * p->stride_h - p->pad_top + k / p->kernel_w,
                             x * p->stride_w - p->pad_left + k % p->kernel_w, l)];
        assert_int_equal(c->taps[i], k);
        assert_true(c->to[i] == v || (isnan(c->to[i]) && isnan(v)));
    }
}

static void check_backward(const pool_case *c) {
    const oci_pool_plane *p = &c->plane;
    static float wanted[MOST];
    memset(wanted, 0, sizeof wanted);
    for (int i = 0; i < p->out_h * p->out_w * p->lanes; i++) {
        int l = i % p->lanes, x = i / p->lanes % p->out_w, y = i / p->lanes / p->out_w;
        int k = c->taps[i];
        wanted[at(p, y * p->stride_h - p->pad_top + k / p->kernel_w,
                  x * p->stride_w - p->pad_left + k % p->kernel_w, l)] += c->from[i];
    }
    assert_memory_equal(c->back, wanted, (size_t)(p->in_h * p->in_w * p->lanes) * sizeof(float));
}

static const int shapes[][4] = {/* side, kernel, stride, padding */
                                {12, 3, 2, 0}, {12, 3, 1, 1}, {11, 2, 2, 0},
                                {13, 3, 2, 1}, {9, 5, 3, 2},  {7, 1, 1, 0}};

static void windows_give_their_first_largest_value(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int k = 0; k < 4; k++) {
            pool_case c =
                make(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3], k < 2 ? 8 : 16);
            c.from[0] = c.from[40] = c.from[41] = NAN;
            both[k % 2]->largest(&c.plane, c.from, c.to, c.taps);
            check_forward(&c);
            memset(c.to, 0, sizeof c.to);
            both[k % 2]->largest(&c.plane, c.from, c.to, NULL);
            check_forward(&c);
        }
}

static void gradients_go_to_the_winners_alone(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int k = 0; k < 4; k++) {
            pool_case c =
                make(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3], k < 2 ? 8 : 16);
            for (int i = 0; i < MOST; i++) c.back[i] = 99; /* to be overwritten */
            both[k % 2]->largest(&c.plane, c.from, c.to, c.taps);
            both[k % 2]->to_winners(&c.plane, c.from, c.taps, c.back);
            check_backward(&c);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_give_their_first_largest_value),
        cmocka_unit_test(gradients_go_to_the_winners_alone),
    };
    return cmocka_run_group_tests(tests, choose_both, NULL);
}
