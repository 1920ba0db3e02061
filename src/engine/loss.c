/* Softmax and negative log-likelihood against hard, mixed or smoothed labels.
 *
 * With x shifted by its maximum and lse = log sum exp x, and targets t that sum to 1:
 *   loss = lse - sum t*x,   d loss / d x = exp(x - lse) - t
 * so that no probability is ever divided or taken the logarithm of.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/engine_int.h"

enum {
    ROWS = 256,
    LANES = 8,
    PIECE = 2048
}; /* rows between two sums: their losses stand on the stack */

/* exp(x) = 2^n exp(r) with r = x - n ln 2 within +-ln(2)/2: the shifter rounds to the whole number
 * n and leaves it in its low bits. Below `lowest` the value would not be a normal float. */
static const float lowest = -87.0F, log2_e = 1.44269504F, shifter = 0x1.8p23F,
                   ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;

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

/* The largest value, as far as all are numbers. */
OC_SIMD static float maximum(const float *x, size_t classes) {
    float lane[LANES];
    size_t whole = classes - classes % LANES;
    for (size_t k = 0; k < LANES; k++) lane[k] = k < classes ? x[k] : x[0];
    for (size_t c = 0; c < whole; c += LANES) {
        for (size_t k = 0; k < LANES; k++) lane[k] = x[c + k] > lane[k] ? x[c + k] : lane[k];
    }
    float top = lane[0];
    for (size_t k = 1; k < LANES; k++) top = lane[k] > top ? lane[k] : top;
    for (size_t c = whole; c < classes; c++) top = x[c] > top ? x[c] : top;
    return top;
}

static size_t first_of(float value, const float *x, size_t classes) {
    for (size_t c = 0; c < classes; c++)
        if (x[c] == value) return c;
    return 0;
}

/* exp of x <= 0 to 2 units in the last place; 0 below `lowest`; not a number stays so. */
static inline float exp_below_zero(float x) {
    float clamped = x < lowest ? lowest : x, shifted = clamped * log2_e + shifter;
    float n = shifted - shifter, r = clamped - n * ln2_high - n * ln2_low;
    float p = 1.9875691e-4F;
    p = p * r + 1.3981999e-3F;
    p = p * r + 8.3334519e-3F;
    p = p * r + 4.1665795e-2F;
    p = p * r + 1.6666665e-1F;
    p = p * r + 5.0000001e-1F;
    p = p * r * r + r + 1;
    const union {
        float value;
        uint32_t bits;
    } rounded = {shifted}, power = {.bits = (rounded.bits + 127) << 23};
    return x < lowest ? 0 : p * power.value;
}

OC_SIMD static void exp_row(float *restrict e, const float *restrict x, size_t count, float top) {
    for (size_t c = 0; c < count; c++) e[c] = exp_below_zero(x[c] - top);
}

OC_SIMD static double sum_row(const float *e, size_t count) {
    double lane[LANES] = {0}, sum = 0;
    size_t whole = count - count % LANES;
    for (size_t c = 0; c < whole; c += LANES) {
        for (size_t k = 0; k < LANES; k++) lane[k] += (double)e[c + k];
    }
    for (size_t c = whole; c < count; c++) sum += (double)e[c];
    for (size_t k = 0; k < LANES; k++) sum += lane[k];
    return sum;
}

/* sum over classes of exp(x - top), left in `e` (NULL: nobody wants them), a cached piece at a
 * time. */
static double sum_exp(const float *x, size_t classes, float top, float *e) {
    float unwanted[PIECE];
    double sum = 0;
    for (size_t c = 0; c < classes; c += PIECE) {
        size_t some = classes - c < PIECE ? classes - c : PIECE;
        float *to = e != NULL ? e + c : unwanted;
        exp_row(to, x + c, some, top);
        sum += sum_row(to, some);
    }
    return sum;
}

static double sum_shifted(const float *x, size_t classes, float top) {
    double sum = 0;
    for (size_t c = 0; c < classes; c++) sum += (double)x[c] - (double)top;
    return sum;
}

/* dx holds the exponentials and becomes the gradient of loss / n. */
OC_SIMD static void scale_row(float *dx, size_t classes, float scale, float spread) {
    for (size_t c = 0; c < classes; c++) dx[c] = dx[c] * scale - spread;
}

static void row_gradient(float *dx, size_t classes, const row_target *t, double sum, size_t n) {
    double share = 1 / (double)n;
    scale_row(dx, classes, (float)(share / sum), (float)(share * t->spread));
    dx[t->label] -= (float)(share * t->weight);
    dx[t->label2] -= (float)(share * t->weight2);
}

static double row_loss(const float *x, size_t classes, const row_target *t, float *dx, size_t n,
                       size_t *best) {
    float top = maximum(x, classes);
    *best = first_of(top, x, classes);
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
