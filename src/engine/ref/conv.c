/* Convolution in plain loops: dilated, grouped, padded on each side as it likes.
 *
 * With o = output row, k = kernel row: input row = o*stride - pad_top + k*dilation; columns alike.
 * Weights are (out, in/groups, kh, kw).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ref/ref_int.h"

/* Sizes as the loops use them. */
typedef struct conv_sizes {
    int64_t ic, ih, iw, oc, oh, ow, kh, kw;
    int64_t group_in, group_out; /* channels of one group */
} conv_sizes;

static conv_sizes sizes_of(const ref_call *c) {
    const oc_attrs *a = &c->node->attrs;
    const int64_t *in = c->in_shape[0].dim, *out = c->out_shape.dim;
    return (conv_sizes){.ic = in[1],
                        .ih = in[2],
                        .iw = in[3],
                        .oc = out[1],
                        .oh = out[2],
                        .ow = out[3],
                        .kh = a->kernel_h,
                        .kw = a->kernel_w,
                        .group_in = in[1] / a->groups,
                        .group_out = out[1] / a->groups};
}

/* One output value. x: the first channel of the group in one item, (group_in, ih, iw); w:
 * (group_in, kh, kw); top, left: input position under kernel (0, 0). */
static double dot(const conv_sizes *s, const oc_attrs *a, const float *x, const float *w,
                  int64_t top, int64_t left) {
    double sum = 0;
    for (int64_t i = 0; i < s->group_in; i++) {
        for (int64_t ky = 0; ky < s->kh; ky++) {
            int64_t y = top + ky * a->dilation_h;
            if (y < 0 || y >= s->ih) continue;
            for (int64_t kx = 0; kx < s->kw; kx++) {
                int64_t column = left + kx * a->dilation_w;
                if (column < 0 || column >= s->iw) continue;
                sum += (double)x[(i * s->ih + y) * s->iw + column] *
                       (double)w[(i * s->kh + ky) * s->kw + kx];
            }
        }
    }
    return sum;
}

void ref_conv_forward(const ref_call *c) {
    const oc_attrs *a = &c->node->attrs;
    const conv_sizes s = sizes_of(c);
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t n = 0; n < c->run->n; n++) {
        for (int64_t o = 0; o < s.oc; o++) {
            int64_t first = o / s.group_out * s.group_in;
            const float *x = c->in[0] + (n * s.ic + first) * s.ih * s.iw;
            const float *w = c->param[0] + o * s.group_in * s.kh * s.kw;
            float *out = c->out + (n * s.oc + o) * s.oh * s.ow;
            double bias = a->bias ? (double)c->param[1][o] : 0;
            for (int64_t y = 0; y < s.oh; y++) {
                for (int64_t z = 0; z < s.ow; z++) {
                    int64_t top = y * a->stride_h - a->pad_top;
                    int64_t left = z * a->stride_w - a->pad_left;
                    out[y * s.ow + z] = (float)(bias + dot(&s, a, x, w, top, left));
                }
            }
        }
    }
}

/* The output row (or column) that reads input position `at` through kernel position k, or -1. */
static int64_t reader(int64_t at, int64_t k, int pad, int dilation, int stride, int64_t outputs) {
    int64_t from = at + pad - k * dilation;
    if (from < 0 || from % stride != 0) return -1;
    return from / stride < outputs ? from / stride : -1;
}

/* The gradient at one input position: over all outputs that read it. d: the first output channel of
 * the group in one item; w: that channel's weights for this input channel. */
static double dot_back(const conv_sizes *s, const oc_attrs *a, const float *d, const float *w,
                       int64_t y, int64_t x) {
    double sum = 0;
    int64_t filter = s->group_in * s->kh * s->kw; /* from one output channel to the next */
    for (int64_t ky = 0; ky < s->kh; ky++) {
        int64_t oy = reader(y, ky, a->pad_top, a->dilation_h, a->stride_h, s->oh);
        if (oy < 0) continue;
        for (int64_t kx = 0; kx < s->kw; kx++) {
            int64_t ox = reader(x, kx, a->pad_left, a->dilation_w, a->stride_w, s->ow);
            if (ox < 0) continue;
            for (int64_t o = 0; o < s->group_out; o++) {
                sum += (double)d[(o * s->oh + oy) * s->ow + ox] *
                       (double)w[o * filter + ky * s->kw + kx];
            }
        }
    }
    return sum;
}

static void backward_data(const ref_call *c) {
    const oc_attrs *a = &c->node->attrs;
    const conv_sizes s = sizes_of(c);
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t n = 0; n < c->run->n; n++) {
        for (int64_t i = 0; i < s.ic; i++) {
            int64_t first = i / s.group_in * s.group_out;
            const float *d = c->dout + (n * s.oc + first) * s.oh * s.ow;
            const float *w = c->param[0] + (first * s.group_in + i % s.group_in) * s.kh * s.kw;
            float *din = c->din[0] + (n * s.ic + i) * s.ih * s.iw;
            for (int64_t y = 0; y < s.ih; y++) {
                for (int64_t x = 0; x < s.iw; x++) {
                    din[y * s.iw + x] += (float)dot_back(&s, a, d, w, y, x);
                }
            }
        }
    }
}

/* The gradient of one weight (o, i, ky, kx): over the batch and all positions. */
static double weight_sum(const ref_call *c, const conv_sizes *s, int64_t o, int64_t i, int64_t ky,
                         int64_t kx) {
    const oc_attrs *a = &c->node->attrs;
    int64_t channel = o / s->group_out * s->group_in + i;
    double sum = 0;
    for (int64_t n = 0; n < c->run->n; n++) {
        const float *x = c->in[0] + (n * s->ic + channel) * s->ih * s->iw;
        const float *d = c->dout + (n * s->oc + o) * s->oh * s->ow;
        for (int64_t oy = 0; oy < s->oh; oy++) {
            int64_t y = oy * a->stride_h - a->pad_top + ky * a->dilation_h;
            if (y < 0 || y >= s->ih) continue;
            for (int64_t ox = 0; ox < s->ow; ox++) {
                int64_t column = ox * a->stride_w - a->pad_left + kx * a->dilation_w;
                if (column < 0 || column >= s->iw) continue;
                sum += (double)d[oy * s->ow + ox] * (double)x[y * s->iw + column];
            }
        }
    }
    return sum;
}

static void backward_weights(const ref_call *c) {
    const conv_sizes s = sizes_of(c);
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t o = 0; o < s.oc; o++) {
        for (int64_t i = 0; i < s.group_in; i++) {
            float *dw = c->dparam[0] + (o * s.group_in + i) * s.kh * s.kw;
            for (int64_t ky = 0; ky < s.kh; ky++) {
                for (int64_t kx = 0; kx < s.kw; kx++) {
                    dw[ky * s.kw + kx] = (float)weight_sum(c, &s, o, i, ky, kx);
                }
            }
        }
    }
}

static void backward_bias(const ref_call *c) {
    const conv_sizes s = sizes_of(c);
    for (int64_t o = 0; o < s.oc; o++) {
        double sum = 0;
        for (int64_t n = 0; n < c->run->n; n++) {
            const float *d = c->dout + (n * s.oc + o) * s.oh * s.ow;
            for (int64_t i = 0; i < s.oh * s.ow; i++) sum += (double)d[i];
        }
        c->dparam[1][o] = (float)sum;
    }
}

void ref_conv_backward(const ref_call *c) {
    if (c->dparam[0] != NULL) backward_weights(c);
    if (c->dparam[1] != NULL) backward_bias(c);
    if (c->din[0] != NULL) backward_data(c);
}
