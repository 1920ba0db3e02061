/* Local response normalisation across channels (Krizhevsky et al. 2012, torch's scaling):
 *   y_i = x_i * s_i^-beta,   s_i = k + alpha/size * sum over the window around i of x_j^2
 * and since x_j stands in all s_i whose window holds j:
 *   dx_j = dy_j * s_j^-beta - 2*alpha*beta/size * x_j * sum over the window of dy_i x_i
 * s_i^(-beta-1)
 *
 * Within channels (Caffe's WITHIN_CHANNEL) the window is size x size pixels of the plane, cut at
 * its edge, and alpha is shared by size^2.
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
    const float *dy = c->dout == NULL ? NULL : c->dout + at;
    return (column){.x = c->in[0] + at, .dy = dy, .channels = channels, .step = step};
}

/* (n, h, w) positions of the run. */
static size_t positions(const ref_call *c) {
    return ref_volume(c, &c->out_shape) / (size_t)c->out_shape.dim[1];
}

static void across_forward(const ref_call *c) {
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

static void across_backward(const ref_call *c) {
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < positions(c); p++) {
        column line = column_at(c, p);
        float *dx = c->din[0] + (line.x - c->in[0]);
        for (size_t i = 0; i < line.channels; i++) {
            dx[i * line.step] += (float)gradient_at(&c->node->attrs, &line, i);
        }
    }
}

/* ---- within channels ------------------------------------------------------------------------ */

/* One plane of one item. */
typedef struct plane {
    const float *x, *dy;
    size_t height, width;
} plane;

static plane plane_at(const ref_call *c, size_t p) {
    size_t height = (size_t)c->out_shape.dim[2], width = (size_t)c->out_shape.dim[3];
    size_t at = p * height * width;
    return (plane){c->in[0] + at, c->dout == NULL ? NULL : c->dout + at, height, width};
}

static double window_scale(const oc_attrs *a, const plane *p, size_t row, size_t col) {
    size_t half = (size_t)a->size / 2;
    double sum = 0;
    for (size_t y = window_first(row, half); y < window_end(row, half, p->height); y++)
        for (size_t x = window_first(col, half); x < window_end(col, half, p->width); x++)
            sum += (double)p->x[y * p->width + x] * (double)p->x[y * p->width + x];
    return (double)a->k + (double)a->alpha / ((double)a->size * a->size) * sum;
}

static double window_gradient(const oc_attrs *a, const plane *p, size_t row, size_t col) {
    size_t half = (size_t)a->size / 2, at = row * p->width + col;
    double beta = (double)a->beta, sum = 0;
    for (size_t y = window_first(row, half); y < window_end(row, half, p->height); y++)
        for (size_t x = window_first(col, half); x < window_end(col, half, p->width); x++)
            sum += (double)p->dy[y * p->width + x] * (double)p->x[y * p->width + x] *
                   pow(window_scale(a, p, y, x), -beta - 1);
    return (double)p->dy[at] * pow(window_scale(a, p, row, col), -beta) -
           2 * (double)a->alpha * beta / ((double)a->size * a->size) * (double)p->x[at] * sum;
}

static void within(const ref_call *c, bool forward) {
    const oc_attrs *a = &c->node->attrs;
    size_t planes = (size_t)c->run->n * (size_t)c->out_shape.dim[1];
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < planes; k++) {
        plane p = plane_at(c, k);
        size_t area = p.height * p.width;
        for (size_t i = 0; i < area; i++) {
            size_t row = i / p.width, col = i % p.width;
            if (forward) {
                double scale = pow(window_scale(a, &p, row, col), -(double)a->beta);
                c->out[k * area + i] = (float)((double)p.x[i] * scale);
            } else {
                c->din[0][k * area + i] += (float)window_gradient(a, &p, row, col);
            }
        }
    }
}

void ref_lrn_forward(const ref_call *c) {
    c->node->attrs.within ? within(c, true) : across_forward(c);
}

void ref_lrn_backward(const ref_call *c) {
    if (c->din[0] == NULL) return;
    c->node->attrs.within ? within(c, false) : across_backward(c);
}
