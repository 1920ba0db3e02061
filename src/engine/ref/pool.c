/* Pooling in plain loops: the largest value of a window, its mean, the mean of a whole plane, or
 * means over a plane cut into a given number of windows.
 *
 * A window is cut to the input for the maximum; of equal values the first wins, and a NaN wins over
 * all. The mean's divisor counts the padding when count_pad is set, but never what a window of a
 * rounded-up size reads beyond the padding.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/ref/ref_int.h"

typedef struct span {
    int64_t first, end; /* rows (or columns) of the input inside the window */
    int64_t length;     /* rows of the window inside input and padding */
} span;

static span span_of(int64_t o, int kernel, int stride, int before, int after, int64_t in) {
    int64_t first = o * stride - before, end = first + kernel;
    if (end > in + after) end = in + after;
    span s = {.length = end - first};
    s.first = first < 0 ? 0 : first;
    s.end = end < in ? end : in;
    return s;
}

/* The windows of output position i of a plane of ow columns. */
static void spans_of(const ref_call *c, int64_t i, span *rows, span *columns) {
    const oc_attrs *a = &c->node->attrs;
    const oc_shape *in = &c->in_shape[0];
    int64_t ow = c->out_shape.dim[3];
    *rows = span_of(i / ow, a->kernel_h, a->stride_h, a->pad_top, a->pad_bottom, in->dim[2]);
    *columns = span_of(i % ow, a->kernel_w, a->stride_w, a->pad_left, a->pad_right, in->dim[3]);
}

static int64_t largest(const float *x, int64_t width, span rows, span columns) {
    int64_t best = rows.first * width + columns.first;
    for (int64_t y = rows.first; y < rows.end; y++) {
        for (int64_t z = columns.first; z < columns.end; z++) {
            int64_t at = y * width + z;
            if (x[at] > x[best] || (isnan(x[at]) && !isnan(x[best]))) best = at;
        }
    }
    return best;
}

/* Planes, that is (n, c) pairs, of this run, and values in a plane. */
static int64_t planes(const ref_call *c) {
    return c->run->n * c->out_shape.dim[1];
}
static int64_t area(const oc_shape *s) {
    return s->dim[2] * s->dim[3];
}

void ref_max_pool_forward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]), out = area(&c->out_shape);
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        const float *x = c->in[0] + p * in;
        for (int64_t i = 0; i < out; i++) {
            span rows, columns;
            spans_of(c, i, &rows, &columns);
            int64_t best = largest(x, c->in_shape[0].dim[3], rows, columns);
            c->out[p * out + i] = x[best];
            c->chosen[p * out + i] = (int32_t)best;
        }
    }
}

void ref_max_pool_backward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]), out = area(&c->out_shape);
    if (c->din[0] == NULL) return;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        float *din = c->din[0] + p * in;
        for (int64_t i = 0; i < out; i++) din[c->chosen[p * out + i]] += c->dout[p * out + i];
    }
}

static double divisor(const ref_call *c, span rows, span columns) {
    if (c->node->attrs.count_pad) return (double)(rows.length * columns.length);
    return (double)((rows.end - rows.first) * (columns.end - columns.first));
}

void ref_avg_pool_forward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]), out = area(&c->out_shape), width = c->in_shape[0].dim[3];
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        const float *x = c->in[0] + p * in;
        for (int64_t i = 0; i < out; i++) {
            span rows, columns;
            spans_of(c, i, &rows, &columns);
            double sum = 0;
            for (int64_t y = rows.first; y < rows.end; y++) {
                for (int64_t z = columns.first; z < columns.end; z++)
                    sum += (double)x[y * width + z];
            }
            c->out[p * out + i] = (float)(sum / divisor(c, rows, columns));
        }
    }
}

void ref_avg_pool_backward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]), out = area(&c->out_shape), width = c->in_shape[0].dim[3];
    if (c->din[0] == NULL) return;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        float *din = c->din[0] + p * in;
        for (int64_t i = 0; i < out; i++) {
            span rows, columns;
            spans_of(c, i, &rows, &columns);
            float share = (float)((double)c->dout[p * out + i] / divisor(c, rows, columns));
            for (int64_t y = rows.first; y < rows.end; y++) {
                for (int64_t z = columns.first; z < columns.end; z++) din[y * width + z] += share;
            }
        }
    }
}

void ref_global_pool_forward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]);
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        double sum = 0;
        for (int64_t i = 0; i < in; i++) sum += (double)c->in[0][p * in + i];
        c->out[p] = (float)(sum / (double)in);
    }
}

void ref_global_pool_backward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]);
    if (c->din[0] == NULL) return;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        float share = (float)((double)c->dout[p] / (double)in);
        for (int64_t i = 0; i < in; i++) c->din[0][p * in + i] += share;
    }
}

/* Rows (or columns) that output position o of `count` averages. */
static span share_of(int64_t o, int64_t count, int64_t in) {
    span s = {.first = o * in / count, .end = ((o + 1) * in + count - 1) / count};
    s.length = s.end - s.first;
    return s;
}

static void shares_of(const ref_call *c, int64_t i, span *rows, span *columns) {
    const oc_shape *in = &c->in_shape[0], *out = &c->out_shape;
    *rows = share_of(i / out->dim[3], out->dim[2], in->dim[2]);
    *columns = share_of(i % out->dim[3], out->dim[3], in->dim[3]);
}

/* out = sum of the window / its area */
void ref_adaptive_pool_forward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]), out = area(&c->out_shape), width = c->in_shape[0].dim[3];
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        const float *x = c->in[0] + p * in;
        for (int64_t i = 0; i < out; i++) {
            span rows, columns;
            double sum = 0;
            shares_of(c, i, &rows, &columns);
            for (int64_t y = rows.first; y < rows.end; y++) {
                for (int64_t z = columns.first; z < columns.end; z++)
                    sum += (double)x[y * width + z];
            }
            c->out[p * out + i] = (float)(sum / (double)(rows.length * columns.length));
        }
    }
}

/* Each value of a window gets dout / its area; windows may overlap. */
void ref_adaptive_pool_backward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]), out = area(&c->out_shape), width = c->in_shape[0].dim[3];
    if (c->din[0] == NULL) return;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes(c); p++) {
        float *din = c->din[0] + p * in;
        for (int64_t i = 0; i < out; i++) {
            span rows, columns;
            shares_of(c, i, &rows, &columns);
            float share =
                (float)((double)c->dout[p * out + i] / (double)(rows.length * columns.length));
            for (int64_t y = rows.first; y < rows.end; y++) {
                for (int64_t z = columns.first; z < columns.end; z++) din[y * width + z] += share;
            }
        }
    }
}

/* The whole plane is one window. */
static int64_t largest_of_plane(const ref_call *c, int64_t plane) {
    const oc_shape *in = &c->in_shape[0];
    const span rows = {.end = in->dim[2]}, columns = {.end = in->dim[3]};
    return largest(c->in[0] + plane * area(in), in->dim[3], rows, columns);
}

void ref_global_max_pool_forward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]);
    for (int64_t p = 0; p < planes(c); p++) c->out[p] = c->in[0][p * in + largest_of_plane(c, p)];
}

void ref_global_max_pool_backward(const ref_call *c) {
    int64_t in = area(&c->in_shape[0]);
    if (c->din[0] == NULL) return;
    for (int64_t p = 0; p < planes(c); p++)
        c->din[0][p * in + largest_of_plane(c, p)] += c->dout[p];
}
