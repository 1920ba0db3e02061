/* Softmax and negative log-likelihood against hard, mixed or smoothed labels.
 *
 * With x shifted by its maximum and lse = log sum exp x, and targets t that sum to 1:
 *   loss = lse - sum t*x,   d loss / d x = exp(x - lse) - t
 * so that no probability is ever divided or taken the logarithm of.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/engine_int.h"

enum { ROWS = 256 }; /* handled between two sums: their losses stand on the stack */

typedef struct row_target {
    size_t label, label2;
    double weight, weight2, spread; /* spread: every class's share of the smoothing */
} row_target;

static row_target target_of(const oc_targets *targets, size_t i, size_t classes) {
    double s = (double)targets->smoothing;
    double mix = targets->mix == NULL ? 1 : (double)targets->mix[i];
    row_target t = {.label = (size_t)targets->label[i], .spread = s / (double)classes};
    t.label2 = targets->label2 == NULL ? t.label : (size_t)targets->label2[i];
    t.weight = (1 - s) * mix;
    t.weight2 = (1 - s) * (1 - mix);
    return t;
}

static size_t first_maximum(const float *x, size_t classes) {
    size_t best = 0;
    for (size_t c = 1; c < classes; c++) best = x[c] > x[best] ? c : best;
    return best;
}

/* sum over classes of exp(x - top), left in `e` where that is wanted. */
static double sum_exp(const float *x, size_t classes, float top, float *e) {
    double sum = 0;
    for (size_t c = 0; c < classes; c++) {
        float value = expf(x[c] - top);
        sum += (double)value;
        if (e != NULL) e[c] = value;
    }
    return sum;
}

static double sum_shifted(const float *x, size_t classes, float top) {
    double sum = 0;
    for (size_t c = 0; c < classes; c++) sum += (double)x[c] - (double)top;
    return sum;
}

/* dx holds the exponentials and becomes the gradient of loss / n. */
static void row_gradient(float *dx, size_t classes, const row_target *t, double sum, size_t n) {
    double share = 1 / (double)n;
    float scale = (float)(share / sum), spread = (float)(share * t->spread);
    for (size_t c = 0; c < classes; c++) dx[c] = dx[c] * scale - spread;
    dx[t->label] -= (float)(share * t->weight);
    dx[t->label2] -= (float)(share * t->weight2);
}

static double row_loss(const float *x, size_t classes, const row_target *t, float *dx, size_t n,
                       size_t *best) {
    *best = first_maximum(x, classes);
    float top = x[*best];
    double sum = sum_exp(x, classes, top, dx);
    if (dx != NULL) row_gradient(dx, classes, t, sum, n);
    double loss = log(sum) - t->weight * ((double)x[t->label] - (double)top);
    if (t->weight2 != 0) loss -= t->weight2 * ((double)x[t->label2] - (double)top);
    if (t->spread != 0) loss -= t->spread * sum_shifted(x, classes, top);
    return loss;
}

void oci_softmax_nll(const float *logits, size_t n, size_t classes, const oc_targets *targets,
                     float *dlogits, oc_result *result) {
    double total = 0;
    int correct = 0;
    for (size_t first = 0; first < n; first += ROWS) {
        double losses[ROWS];
        size_t rows = n - first < ROWS ? n - first : ROWS;
#pragma omp parallel for schedule(static) reduction(+ : correct) if (rows * classes > 4096)
        for (size_t r = 0; r < rows; r++) {
            size_t i = first + r, best;
            row_target t = target_of(targets, i, classes);
            float *dx = dlogits == NULL ? NULL : dlogits + i * classes;
            losses[r] = row_loss(logits + i * classes, classes, &t, dx, n, &best);
            correct += best == t.label;
        }
        for (size_t r = 0; r < rows; r++) total += losses[r];
    }
    *result = (oc_result){.loss = total / (double)n, .correct = correct};
}
