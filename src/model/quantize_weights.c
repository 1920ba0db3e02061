/* Weights to whole numbers of a step, symmetric, a step per output channel.
 *
 * Whole numbers go up to OC_INT8_MOST, and two of one sign that belong to neighbouring input
 * channels add up to OC_INT8_PAIR at most (nn.h says why). The step that keeps every weight inside
 * is the start; smaller ones, which cut the largest weights and round all others finer, are tried,
 * and the one with the least squared error is taken.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "model/model_int.h"

enum { TRIES = 9 };

/* One filter: (channels, area) weights, read in pairs of channels. */
typedef struct filter {
    float *weights;
    size_t channels, area;
} filter;

typedef struct pair {
    float *a, *b; /* b NULL: a channel without a neighbour */
} pair;

static size_t pair_count(const filter *f) {
    return (f->channels + 1) / 2 * f->area;
}

static pair pair_at(const filter *f, size_t i) {
    size_t channel = i / f->area * 2;
    float *a = f->weights + channel * f->area + i % f->area;
    return (pair){a, channel + 1 < f->channels ? a + f->area : NULL};
}

static int limited(float x) {
    float most = OC_INT8_MOST;
    return (int)rintf(x > most ? most : x < -most ? -most : x);
}

/* Two whole numbers near x and y whose sum of one sign keeps within the bound: the one that was
 * rounded up more gives way. */
static void round_pair(float x, float y, int *p, int *q) {
    *p = limited(x);
    *q = limited(y);
    if (*p * *q <= 0) return;
    int sign = *p > 0 ? 1 : -1;
    while ((*p + *q) * sign > OC_INT8_PAIR) {
        float up_p = ((float)*p - x) * (float)sign, up_q = ((float)*q - y) * (float)sign;
        *(up_p > up_q ? p : q) -= sign;
    }
}

static float same_sign_sum(float a, float b) {
    return a * b > 0 ? fabsf(a + b) : fmaxf(fabsf(a), fabsf(b));
}

/* The step that keeps everything inside both bounds, but for rounding. */
static float widest_step(const filter *f) {
    float step = 0;
    for (size_t i = 0; i < pair_count(f); i++) {
        pair p = pair_at(f, i);
        float b = p.b ? *p.b : 0;
        step = fmaxf(step, fmaxf(fabsf(*p.a), fabsf(b)) / OC_INT8_MOST);
        step = fmaxf(step, same_sign_sum(*p.a, b) / OC_INT8_PAIR);
    }
    return step;
}

static double error_of(const filter *f, float step) {
    double sum = 0;
    for (size_t i = 0; i < pair_count(f); i++) {
        pair p = pair_at(f, i);
        int a, b;
        float x = *p.a / step, y = p.b ? *p.b / step : 0;
        round_pair(x, y, &a, &b);
        double da = (double)(x - (float)a), db = (double)(y - (float)b);
        sum += da * da + db * db;
    }
    return sum * (double)step * (double)step;
}

static float best_step(const filter *f) {
    float widest = widest_step(f), best = widest;
    if (!(widest > 1e-25F)) return 1; /* zeros */
    double least = error_of(f, widest);
    for (int i = 1; i < TRIES; i++) {
        float step = widest * (1 - 0.06F * (float)i);
        double error = error_of(f, step);
        if (error >= least) continue;
        least = error;
        best = step;
    }
    return best;
}

static void to_steps(const filter *f, float step) {
    for (size_t i = 0; i < pair_count(f); i++) {
        pair p = pair_at(f, i);
        int a, b;
        round_pair(*p.a / step, p.b ? *p.b / step : 0, &a, &b);
        *p.a = (float)a * step;
        if (p.b) *p.b = (float)b * step;
    }
}

typedef struct work {
    float *weights, *step;
    size_t channels, area;
} work;

static void one_filter(void *ctx, size_t o, int worker) {
    (void)worker;
    const work *w = ctx;
    filter f = {w->weights + o * w->channels * w->area, w->channels, w->area};
    w->step[o] = best_step(&f);
    to_steps(&f, w->step[o]);
}

void oci_quantize_weights(float *weights, size_t out, size_t channels, size_t area, float *step) {
    work w = {weights, step, channels, area};
    oc_parallel_for(out, 0, one_filter, &w);
}
