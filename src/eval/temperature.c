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

enum { MAX_ROUNDS = 60 };

static const double lowest = 0.05, highest = 20, near_enough = 1e-7;

typedef struct curve {
    const float *logits; /* (n, classes) */
    const int32_t *truth;
    size_t n, classes;
} curve;

/* What the target says of an item's logits: their mean under it, relative to `top`. */
static double target_mean(const float *z, size_t classes, int32_t truth, double top, double doubt) {
    double others = 0;
    for (size_t k = 0; k < classes; k++) others += (double)z[k] - top;
    double right = (double)z[truth] - top;
    if (classes < 2) return right;
    return (1 - doubt) * right + doubt * (others - right) / (double)(classes - 1);
}

/* First and second derivative of the mean loss at b. */
static void derivatives(const curve *c, double b, double *first, double *second) {
    double doubt = 1 / ((double)c->n + 2);
    *first = *second = 0;
    for (size_t i = 0; i < c->n; i++) {
        const float *z = c->logits + i * c->classes;
        double top = (double)z[0], sum = 0, mean = 0, square = 0;
        for (size_t k = 1; k < c->classes; k++) top = fmax(top, (double)z[k]);
        for (size_t k = 0; k < c->classes; k++) {
            double d = (double)z[k] - top, e = exp(b * d);
            sum += e;
            mean += e * d;
            square += e * d * d;
        }
        mean /= sum;
        *first += mean - target_mean(z, c->classes, c->truth[i], top, doubt);
        *second += square / sum - mean * mean;
    }
    *first /= (double)c->n;
    *second /= (double)c->n;
}

/* Mean of -ln p(truth) at b. */
static double loss_at(const curve *c, double b) {
    double loss = 0;
    for (size_t i = 0; i < c->n; i++) {
        const float *z = c->logits + i * c->classes;
        double top = (double)z[0], sum = 0;
        for (size_t k = 1; k < c->classes; k++) top = fmax(top, (double)z[k]);
        for (size_t k = 0; k < c->classes; k++) sum += exp(b * ((double)z[k] - top));
        loss += log(sum) - b * ((double)z[c->truth[i]] - top);
    }
    return loss / (double)c->n;
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

double oc_fit_temperature(const float *logits, const int32_t *truth, size_t n, size_t classes) {
    const curve c = {.logits = logits, .truth = truth, .n = n, .classes = classes};
    if (n == 0 || classes < 2) return 1;
    double b = fit(&c);
    return loss_at(&c, b) < loss_at(&c, 1) ? 1 / b : 1;
}
