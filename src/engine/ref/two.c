/* Two values met value by value: product, also by a gate of one number a channel, and maximum.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ref/ref_int.h"

/* Values of in[0] that one of in[1] stands for. */
static size_t reach_of(const ref_call *c) {
    size_t all = ref_item(&c->in_shape[0]), other = ref_item(&c->in_shape[1]);
    return all / other;
}

void ref_multiply_forward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape), reach = reach_of(c);
    for (size_t i = 0; i < count; i++) c->out[i] = c->in[0][i] * c->in[1][i / reach];
}

void ref_multiply_backward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape), reach = reach_of(c);
    if (c->din[0] != NULL)
        for (size_t i = 0; i < count; i++) c->din[0][i] += c->dout[i] * c->in[1][i / reach];
    if (c->din[1] == NULL) return;
    for (size_t k = 0; k < count / reach; k++) {
        double sum = 0;
        for (size_t i = k * reach; i < (k + 1) * reach; i++)
            sum += (double)c->dout[i] * (double)c->in[0][i];
        c->din[1][k] += (float)sum;
    }
}

/* Of equal values the first is taken. */
static bool takes_first(const ref_call *c, size_t i) {
    return c->in[0][i] >= c->in[1][i];
}

void ref_maximum_forward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    for (size_t i = 0; i < count; i++) c->out[i] = c->in[takes_first(c, i) ? 0 : 1][i];
}

void ref_maximum_backward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    for (size_t i = 0; i < count; i++) {
        float *din = c->din[takes_first(c, i) ? 0 : 1];
        if (din != NULL) din[i] += c->dout[i];
    }
}
