/* Local response normalisation across channels (Krizhevsky et al. 2012, torch's scaling):
 *   y_i = x_i * s_i^-beta,   s_i = k + alpha/size * sum over the window around i of x_j^2
 * and since x_j stands in all s_i whose window holds j:
 *   dx_j = dy_j * s_j^-beta - 2*alpha*beta/size * x_j * sum over the window of dy_i x_i
 * s_i^(-beta-1)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/ref/ref_int.h"

/* One position of one item: channel i is at [i * step]. */
typedef struct column {
    const float *x, *dy;
    size_t channels, step;
} column;

static size_t window_first(size_t i, size_t half) {
    return i < half ? 0 : i - half;
}
static size_t window_end(size_t i, size_t half, size_t channels) {
    return i + half + 1 < channels ? i + half + 1 : channels;
}

static double scale_at(const oc_attrs *a, const column *c, size_t i) {
    size_t half = (size_t)a->size / 2;
    double sum = 0;
    for (size_t j = window_first(i, half); j < window_end(i, half, c->channels); j++) {
        sum += (double)c->x[j * c->step] * (double)c->x[j * c->step];
    }
    return (double)a->k + (double)a->alpha / a->size * sum;
}

static column column_at(const ref_call *c, size_t position) {
    size_t channels = (size_t)c->out_shape.dim[1];
    size_t step = (size_t)(c->out_shape.dim[2] * c->out_shape.dim[3]);
    size_t at = position / step * channels * step + position % step;
    return (column){.x = c->in[0] + at, .dy = c->dout + at, .channels = channels, .step = step};
}

/* (n, h, w) positions of the run. */
static size_t positions(const ref_call *c) {
    return ref_volume(c, &c->out_shape) / (size_t)c->out_shape.dim[1];
}

void ref_lrn_forward(const ref_call *c) {
    const oc_attrs *a = &c->node->attrs;
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < positions(c); p++) {
        column line = column_at(c, p);
        float *y = c->out + (line.x - c->in[0]);
        for (size_t i = 0; i < line.channels; i++) {
            double scale = pow(scale_at(a, &line, i), -(double)a->beta);
            y[i * line.step] = (float)((double)line.x[i * line.step] * scale);
        }
    }
}

static double gradient_at(const oc_attrs *a, const column *c, size_t j) {
    size_t half = (size_t)a->size / 2;
    double beta = (double)a->beta, sum = 0;
    for (size_t i = window_first(j, half); i < window_end(j, half, c->channels); i++) {
        sum += (double)c->dy[i * c->step] * (double)c->x[i * c->step] *
               pow(scale_at(a, c, i), -beta - 1);
    }
    return (double)c->dy[j * c->step] * pow(scale_at(a, c, j), -beta) -
           2 * (double)a->alpha * beta / a->size * (double)c->x[j * c->step] * sum;
}

void ref_lrn_backward(const ref_call *c) {
    if (c->din[0] == NULL) return;
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < positions(c); p++) {
        column line = column_at(c, p);
        float *dx = c->din[0] + (line.x - c->in[0]);
        for (size_t i = 0; i < line.channels; i++) {
            dx[i * line.step] += (float)gradient_at(&c->node->attrs, &line, i);
        }
    }
}
