/* What has a number or two for each channel: scale and bias, and ReLU with trained slopes.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ref/ref_int.h"

enum { WEIGHT, BIAS };

static size_t area_of(const ref_call *c) {
    return (size_t)(c->out_shape.dim[2] * c->out_shape.dim[3]);
}

/* Plane (n, c) p of `channels`: where it starts, and whose it is. */
static size_t planes_of(const ref_call *c) {
    return (size_t)c->run->n * (size_t)c->out_shape.dim[1];
}

void ref_scale_forward(const ref_call *c) {
    size_t area = area_of(c), channels = (size_t)c->out_shape.dim[1];
    bool biased = c->node->attrs.bias;
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < planes_of(c); p++) {
        float weight = c->param[WEIGHT][p % channels];
        float bias = biased ? c->param[BIAS][p % channels] : 0;
        for (size_t i = p * area; i < (p + 1) * area; i++) c->out[i] = c->in[0][i] * weight + bias;
    }
}

/* sum over items and pixels of channel ch of dy * (x, or 1) */
static double channel_sum(const ref_call *c, size_t ch, bool times_x) {
    size_t area = area_of(c), channels = (size_t)c->out_shape.dim[1];
    double sum = 0;
    for (size_t p = ch; p < planes_of(c); p += channels)
        for (size_t i = p * area; i < (p + 1) * area; i++)
            sum += (double)c->dout[i] * (times_x ? (double)c->in[0][i] : 1);
    return sum;
}

void ref_scale_backward(const ref_call *c) {
    size_t area = area_of(c), channels = (size_t)c->out_shape.dim[1];
#pragma omp parallel for schedule(static)
    for (size_t ch = 0; ch < channels; ch++) {
        if (c->dparam[WEIGHT] != NULL) c->dparam[WEIGHT][ch] = (float)channel_sum(c, ch, true);
        if (c->node->attrs.bias && c->dparam[BIAS] != NULL)
            c->dparam[BIAS][ch] = (float)channel_sum(c, ch, false);
        for (size_t p = ch; c->din[0] != NULL && p < planes_of(c); p += channels)
            for (size_t i = p * area; i < (p + 1) * area; i++)
                c->din[0][i] += c->dout[i] * c->param[WEIGHT][ch];
    }
}

/* ---- prelu ---------------------------------------------------------------------------------- */

static size_t slope_of(const ref_call *c, size_t ch) {
    return c->node->attrs.shared ? 0 : ch;
}

void ref_prelu_forward(const ref_call *c) {
    size_t area = area_of(c), channels = (size_t)c->out_shape.dim[1];
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < planes_of(c); p++) {
        float slope = c->param[WEIGHT][slope_of(c, p % channels)];
        for (size_t i = p * area; i < (p + 1) * area; i++)
            c->out[i] = c->in[0][i] > 0 ? c->in[0][i] : slope * c->in[0][i];
    }
}

/* One plane: its part of the slope's gradient; adds to din. */
static double prelu_plane(const ref_call *c, size_t p, float slope) {
    size_t area = area_of(c);
    double sum = 0;
    for (size_t i = p * area; i < (p + 1) * area; i++) {
        bool below = !(c->in[0][i] > 0);
        if (below) sum += (double)c->dout[i] * (double)c->in[0][i];
        if (c->din[0] != NULL) c->din[0][i] += c->dout[i] * (below ? slope : 1);
    }
    return sum;
}

void ref_prelu_backward(const ref_call *c) {
    size_t channels = (size_t)c->out_shape.dim[1];
    double all = 0;
    for (size_t ch = 0; ch < channels; ch++) {
        double sum = 0;
        for (size_t p = ch; p < planes_of(c); p += channels)
            sum += prelu_plane(c, p, c->param[WEIGHT][slope_of(c, ch)]);
        all += sum;
        if (c->dparam[WEIGHT] == NULL) continue;
        c->dparam[WEIGHT][slope_of(c, ch)] = (float)(c->node->attrs.shared ? all : sum);
    }
}
