/* Activations that other frameworks' networks bring along: each value alone, derivatives in terms
 * of the input x. At a corner the slope is that of the flat side.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/ref/ref_int.h"

static double clip(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double value(const oc_node *node, double x) {
    const oc_attrs *a = &node->attrs;
    switch (node->op) {
    case OC_OP_LEAKY_RELU:
        return x > 0 ? x : (double)a->slope * x;
    case OC_OP_HARD_SIGMOID:
        return clip((double)a->alpha * x + (double)a->beta, 0, 1);
    case OC_OP_HARD_SWISH:
        return x * clip(x / 6 + 0.5, 0, 1);
    case OC_OP_SILU:
        return x * sigmoid(x);
    case OC_OP_CLIP:
        return clip(x, (double)a->low, (double)a->high);
    default:
        return pow((double)a->shift + (double)a->scale * x, (double)a->exponent);
    }
}

static double slope(const oc_node *node, double x) {
    const oc_attrs *a = &node->attrs;
    double y = value(node, x), s;
    switch (node->op) {
    case OC_OP_LEAKY_RELU:
        return x > 0 ? 1 : (double)a->slope;
    case OC_OP_HARD_SIGMOID:
        return y > 0 && y < 1 ? (double)a->alpha : 0;
    case OC_OP_HARD_SWISH:
        return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
    case OC_OP_SILU:
        s = sigmoid(x);
        return s + y * (1 - s);
    case OC_OP_CLIP:
        return x > (double)a->low && x < (double)a->high;
    default:
        if (a->exponent == 0) return 0;
        return (double)a->exponent * (double)a->scale *
               pow((double)a->shift + (double)a->scale * x, (double)a->exponent - 1);
    }
}

void ref_pointwise_forward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++) c->out[i] = (float)value(c->node, (double)c->in[0][i]);
}

void ref_pointwise_backward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    if (c->din[0] == NULL) return;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        c->din[0][i] += (float)((double)c->dout[i] * slope(c->node, (double)c->in[0][i]));
}
