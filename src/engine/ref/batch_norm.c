/* Batch normalisation (Ioffe & Szegedy 2015), as torch does it: y = scale * (x - mean) / sqrt(var +
 * epsilon) + shift, over the batch's biased variance in training and the running one otherwise;
 * what is stored is the unbiased variance. Of a single value the variance is 0.
 *
 * With h = (x - mean) / deviation and m values a channel, where mean and deviation depend on x:
 *   dx = scale / deviation * (dy - mean(dy) - h * mean(dy * h))
 * and where they are constants: dx = scale / deviation * dy.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/ref/ref_int.h"

enum { SCALE, SHIFT, MEAN, VAR };

static bool uses_batch(const ref_call *c) {
    return c->run->training && !c->run->freeze_stats;
}

/* Values of channel ch, item n. */
static size_t plane_at(const ref_call *c, size_t n, size_t ch) {
    const int64_t *d = c->out_shape.dim;
    return (n * (size_t)d[1] + ch) * (size_t)(d[2] * d[3]);
}
static size_t plane_size(const ref_call *c) {
    return (size_t)(c->out_shape.dim[2] * c->out_shape.dim[3]);
}

static double mean_of(const ref_call *c, size_t ch) {
    double sum = 0;
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        const float *x = c->in[0] + plane_at(c, n, ch);
        for (size_t i = 0; i < plane_size(c); i++) sum += (double)x[i];
    }
    return sum / (double)((size_t)c->run->n * plane_size(c));
}

static double variance_of(const ref_call *c, size_t ch, double mean) {
    double sum = 0;
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        const float *x = c->in[0] + plane_at(c, n, ch);
        for (size_t i = 0; i < plane_size(c); i++) {
            sum += ((double)x[i] - mean) * ((double)x[i] - mean);
        }
    }
    return sum / (double)((size_t)c->run->n * plane_size(c));
}

static void move_average(float *running, double now, double share) {
    *running = (float)((1 - share) * (double)*running + share * now);
}

/* The batch's mean and variance of a channel, and what they do to the running ones. */
static void measure(const ref_call *c, size_t ch, double *mean, double *variance) {
    double count = (double)((size_t)c->run->n * plane_size(c));
    double share = (double)c->node->attrs.momentum;
    *mean = mean_of(c, ch);
    *variance = variance_of(c, ch, *mean);
    if (c->run->replay) return;
    move_average(&c->param[MEAN][ch], *mean, share);
    move_average(&c->param[VAR][ch], *variance * (count > 1 ? count / (count - 1) : 1), share);
}

static void normalise(const ref_call *c, size_t ch, double mean, double inverse) {
    double scale = (double)c->param[SCALE][ch], shift = (double)c->param[SHIFT][ch];
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        size_t at = plane_at(c, n, ch);
        for (size_t i = at; i < at + plane_size(c); i++) {
            c->out[i] = (float)(((double)c->in[0][i] - mean) * inverse * scale + shift);
        }
    }
}

void ref_batch_norm_forward(const ref_call *c) {
    size_t channels = (size_t)c->out_shape.dim[1];
#pragma omp parallel for schedule(static)
    for (size_t ch = 0; ch < channels; ch++) {
        double mean = (double)c->param[MEAN][ch], variance = (double)c->param[VAR][ch];
        if (uses_batch(c)) measure(c, ch, &mean, &variance);
        double inverse = 1 / sqrt(variance + (double)c->node->attrs.epsilon);
        c->stats[ch] = mean;
        c->stats[channels + ch] = inverse;
        normalise(c, ch, mean, inverse);
    }
}

typedef struct channel_sums {
    double dy, dyh; /* sums of dy and of dy * h */
} channel_sums;

static channel_sums sums_of(const ref_call *c, size_t ch, double mean, double inverse) {
    channel_sums s = {0};
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        size_t at = plane_at(c, n, ch);
        for (size_t i = at; i < at + plane_size(c); i++) {
            double dy = (double)c->dout[i];
            s.dy += dy;
            s.dyh += dy * ((double)c->in[0][i] - mean) * inverse;
        }
    }
    return s;
}

static void backward_data(const ref_call *c, size_t ch, double mean, double inverse,
                          channel_sums s) {
    double count = uses_batch(c) ? (double)((size_t)c->run->n * plane_size(c)) : INFINITY;
    double factor = (double)c->param[SCALE][ch] * inverse;
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        size_t at = plane_at(c, n, ch);
        for (size_t i = at; i < at + plane_size(c); i++) {
            double h = ((double)c->in[0][i] - mean) * inverse;
            double dx = factor * ((double)c->dout[i] - s.dy / count - h * s.dyh / count);
            c->din[0][i] += (float)dx;
        }
    }
}

void ref_batch_norm_backward(const ref_call *c) {
    size_t channels = (size_t)c->out_shape.dim[1];
#pragma omp parallel for schedule(static)
    for (size_t ch = 0; ch < channels; ch++) {
        double mean = c->stats[ch], inverse = c->stats[channels + ch];
        channel_sums s = sums_of(c, ch, mean, inverse);
        if (c->dparam[SCALE] != NULL) c->dparam[SCALE][ch] = (float)s.dyh;
        if (c->dparam[SHIFT] != NULL) c->dparam[SHIFT][ch] = (float)s.dy;
        if (c->din[0] != NULL) backward_data(c, ch, mean, inverse, s);
    }
}
