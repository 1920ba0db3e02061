/* One number that makes probabilities honest: the temperature (Guo, Pleiss, Sun, Weinberger, "On
 * calibration of modern neural networks", ICML 2017).
 *
 * With b = 1/T the mean of -ln p(truth) over an item's logits z is log sum exp(b z) - b z_truth,
 * convex in b: Newton's method within a bracket that shrinks. Where it would leave the bracket, the
 * bracket is halved instead.
 *
 * On a small set that is classified without a mistake the optimum is T = 0, which no evidence
 * supports. So the truth counts 1 - 1/(n+2) and the other classes share the rest, as Platt did for
 * two classes ("Probabilistic outputs for support vector machines", 1999). That doubt asks for a
 * high T where gaps between logits are large, so a T that does not lower the loss without it is not
 * taken.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "eval/eval.h"

enum { MAX_ROUNDS = 60, SOME = 256 };
enum { MANY_VALUES = 1 << 18 }; /* logits that are worth starting threads for */

static const double lowest = 0.05, highest = 20, near_enough = 1e-7;

typedef struct curve {
    const float *logits; /* (n, classes) */
    const int32_t *truth;
    size_t n, classes;
    int threads;
    double doubt;
} curve;

/* One item's part of a sum over all, made by several threads. */
typedef struct term {
    double first, second;
} term;

typedef struct terms {
    const curve *curve;
    double b;
    size_t from; /* item of term[0] */
    term term[SOME];
} terms;

/* Sum of what `make` makes of each item, in the items' order: the same for any team. */
static term sum_terms(const curve *c, double b, void (*make)(void *ctx, size_t i, int worker)) {
    terms t = {.curve = c, .b = b};
    term sum = {0, 0};
    for (t.from = 0; t.from < c->n; t.from += SOME) {
        size_t some = c->n - t.from < SOME ? c->n - t.from : SOME;
        oc_parallel_for(some, some * c->classes < MANY_VALUES ? 1 : c->threads, make, &t);
        for (size_t i = 0; i < some; i++) {
            sum.first += t.term[i].first;
            sum.second += t.term[i].second;
        }
    }
    return sum;
}

/* What the target says of an item's logits: their mean under it, relative to `top`. */
static double target_mean(const float *z, size_t classes, int32_t truth, double top, double doubt) {
    double others = 0;
    for (size_t k = 0; k < classes; k++) others += (double)z[k] - top;
    double right = (double)z[truth] - top;
    if (classes < 2) return right;
    return (1 - doubt) * right + doubt * (others - right) / (double)(classes - 1);
}

static double largest(const float *z, size_t classes) {
    float top = z[0];
    for (size_t k = 1; k < classes; k++) top = z[k] > top ? z[k] : top;
    return (double)top;
}

static void derive(void *ctx, size_t i, int worker) {
    (void)worker;
    terms *t = ctx;
    const curve *c = t->curve;
    size_t item = t->from + i;
    const float *z = c->logits + item * c->classes;
    double top = largest(z, c->classes), sum = 0, mean = 0, square = 0;
    for (size_t k = 0; k < c->classes; k++) {
        double d = (double)z[k] - top, e = exp(t->b * d);
        sum += e;
        mean += e * d;
        square += e * d * d;
    }
    mean /= sum;
    t->term[i].first = mean - target_mean(z, c->classes, c->truth[item], top, c->doubt);
    t->term[i].second = square / sum - mean * mean;
}

/* First and second derivative of the mean loss at b. */
static void derivatives(const curve *c, double b, double *first, double *second) {
    term sum = sum_terms(c, b, derive);
    *first = sum.first / (double)c->n;
    *second = sum.second / (double)c->n;
}

static void lose(void *ctx, size_t i, int worker) {
    (void)worker;
    terms *t = ctx;
    const curve *c = t->curve;
    const float *z = c->logits + (t->from + i) * c->classes;
    double top = largest(z, c->classes), sum = 0;
    for (size_t k = 0; k < c->classes; k++) sum += exp(t->b * ((double)z[k] - top));
    t->term[i] = (term){log(sum) - t->b * ((double)z[c->truth[t->from + i]] - top), 0};
}

/* Mean of -ln p(truth) at b. */
static double loss_at(const curve *c, double b) {
    return sum_terms(c, b, lose).first / (double)c->n;
}

/* Where the loss with doubt is least. */
static double fit(const curve *c) {
    double low = 1 / highest, high = 1 / lowest, b = 1;
    for (int round = 0; round < MAX_ROUNDS && high - low > near_enough; round++) {
        double first = 0, second = 0;
        derivatives(c, b, &first, &second);
        if (!isfinite(first) || !isfinite(second)) return 1; /* logits that are not finite */
        if (first > 0) {
            high = b;
        } else {
            low = b;
        }
        double next = second > 0 ? b - first / second : low;
        if (!(next > low && next < high)) next = sqrt(low * high);
        if (fabs(next - b) < near_enough * b) return next;
        b = next;
    }
    return b;
}

double oc_fit_temperature(const float *logits, const int32_t *truth, size_t n, size_t classes,
                          int threads) {
    const curve c = {.logits = logits,
                     .truth = truth,
                     .n = n,
                     .classes = classes,
                     .threads = threads,
                     .doubt = 1 / ((double)n + 2)};
    if (n == 0 || classes < 2) return 1;
    double b = fit(&c);
    return loss_at(&c, b) < loss_at(&c, 1) ? 1 / b : 1;
}
