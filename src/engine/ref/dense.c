/* The dense layer in plain loops: out = w x + b, weights (out, in).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ref/ref_int.h"

void ref_dense_forward(const ref_call *c) {
    size_t in = ref_item(&c->in_shape[0]), out = ref_item(&c->out_shape);
#pragma omp parallel for collapse(2) schedule(static)
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        for (size_t o = 0; o < out; o++) {
            const float *x = c->in[0] + n * in, *w = c->param[0] + o * in;
            double sum = c->node->attrs.bias ? (double)c->param[1][o] : 0;
            for (size_t i = 0; i < in; i++) sum += (double)x[i] * (double)w[i];
            c->out[n * out + o] = (float)sum;
        }
    }
}

static void backward_weights(const ref_call *c, size_t in, size_t out) {
#pragma omp parallel for schedule(static)
    for (size_t o = 0; o < out; o++) {
        for (size_t i = 0; i < in; i++) {
            double sum = 0;
            for (size_t n = 0; n < (size_t)c->run->n; n++) {
                sum += (double)c->dout[n * out + o] * (double)c->in[0][n * in + i];
            }
            c->dparam[0][o * in + i] = (float)sum;
        }
    }
}

static void backward_bias(const ref_call *c, size_t out) {
    for (size_t o = 0; o < out; o++) {
        double sum = 0;
        for (size_t n = 0; n < (size_t)c->run->n; n++) sum += (double)c->dout[n * out + o];
        c->dparam[1][o] = (float)sum;
    }
}

static void backward_data(const ref_call *c, size_t in, size_t out) {
#pragma omp parallel for collapse(2) schedule(static)
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        for (size_t i = 0; i < in; i++) {
            double sum = 0;
            for (size_t o = 0; o < out; o++) {
                sum += (double)c->dout[n * out + o] * (double)c->param[0][o * in + i];
            }
            c->din[0][n * in + i] += (float)sum;
        }
    }
}

void ref_dense_backward(const ref_call *c) {
    size_t in = ref_item(&c->in_shape[0]), out = ref_item(&c->out_shape);
    if (c->dparam[0] != NULL) backward_weights(c, in, out);
    if (c->dparam[1] != NULL) backward_bias(c, out);
    if (c->din[0] != NULL) backward_data(c, in, out);
}
