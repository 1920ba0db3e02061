/* What works on each value alone: activations and dropout. A NaN stays a NaN.
 *
 * The derivatives are written in terms of the output y.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/ref/ref_int.h"

static float activate(oc_op op, float x) {
    switch (op) {
    case OC_OP_RELU:
        return x < 0 ? 0 : x;
    case OC_OP_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case OC_OP_SIGMOID:
        return (float)(1 / (1 + exp(-(double)x)));
    default:
        return (float)tanh((double)x);
    }
}

/* At the corners of ReLU and ReLU6 the slope is 0. */
static float slope(oc_op op, float y) {
    switch (op) {
    case OC_OP_RELU:
        return y > 0;
    case OC_OP_RELU6:
        return y > 0 && y < 6;
    case OC_OP_SIGMOID:
        return y * (1 - y);
    default:
        return 1 - y * y;
    }
}

void ref_activation_forward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++) c->out[i] = activate(c->node->op, c->in[0][i]);
}

void ref_activation_backward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    if (c->din[0] == NULL) return;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++) c->din[0][i] += c->dout[i] * slope(c->node->op, c->out[i]);
}

/* ---- dropout (Srivastava et al. 2014), survivors scaled so that the mean stays ----------------
 */

static float survivor_scale(const ref_call *c) {
    return 1 / (1 - c->node->attrs.p);
}

void ref_dropout_forward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    if (!c->run->training) {
        memcpy(c->out, c->in[0], count * sizeof *c->out);
        return;
    }
    float scale = survivor_scale(c);
    oci_dropout_mask(c->keep, count, c->node->attrs.p, c->run->seed, c->index, c->run->step);
    for (size_t i = 0; i < count; i++) c->out[i] = c->keep[i] ? c->in[0][i] * scale : 0;
}

void ref_dropout_backward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    if (c->din[0] == NULL) return;
    float scale = survivor_scale(c);
    for (size_t i = 0; i < count; i++) c->din[0][i] += c->keep[i] ? c->dout[i] * scale : 0;
}
