/* What the tests of blocked convolutions share: a problem of drawn numbers, and where a number of
 * an image in blocks of eight channels lies.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_CONV_PROBLEM_H
#define OC_TESTS_CONV_PROBLEM_H

#include "../check.h"

#include "engine/engine_int.h"
#include "engine/onednn/loops.h"

enum { LANES = 8, GUARD = 64 };

typedef struct problem {
    oci_conv_shape s;
    float *src, *weights, *bias, *dst; /* blocked, as the kernel wants them, (out), blocked */
    size_t src_count, dst_count, weight_count;
} problem;

static inline float *random_floats(size_t count, uint64_t seed, float low) {
    oc_rng rng;
    oc_rng_init(&rng, seed, OC_RNG_TEST, 0, 0);
    float *x = test_malloc((count + GUARD) * sizeof *x);
    for (size_t i = 0; i < count + GUARD; i++) x[i] = oc_rng_between(&rng, low, 1);
    return x;
}

static inline void open_problem(problem *p, oci_conv_shape s) {
    size_t n = (size_t)s.n, in = (size_t)s.in_channels, out = (size_t)s.out_channels;
    *p = (problem){.s = s};
    p->src_count = n * in * (size_t)s.in_h * (size_t)s.in_w;
    p->dst_count = n * out * (size_t)s.out_h * (size_t)s.out_w;
    p->weight_count = out * in * (size_t)(s.kernel_h * s.kernel_w);
    p->src = random_floats(p->src_count, 1, -0.2F);
    p->dst = random_floats(p->dst_count, 2, -1);
    p->weights = random_floats(p->weight_count, 3, -1);
    p->bias = random_floats(out, 4, -3);
}

static inline void close_problem(problem *p) {
    test_free(p->src);
    test_free(p->dst);
    test_free(p->weights);
    test_free(p->bias);
}

/* Of image i's channel k at (y, x), where images are (c, h, w). */
static inline size_t at(int c, int h, int w, int i, int k, int y, int x) {
    size_t block = (size_t)(i * (c / LANES) + k / LANES);
    return ((block * (size_t)h + (size_t)y) * (size_t)w + (size_t)x) * LANES + (size_t)(k % LANES);
}

#endif
