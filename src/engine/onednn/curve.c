/* Activations that are neither ReLU nor ReLU6: loops over whole rows of blocked floats. Padded
 * lanes are computed like the others and then made zero again.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/onednn/onednn_int.h"

/* An op's numbers: slope; alpha, beta; low, high; scale, shift, exponent. */
typedef struct curve {
    float a, b, e;
} curve;

/* dst = f(x), or dst = g f'(x), where y = f(x). */
typedef void curve_loop(float *dst, const float *x, const float *y, const float *g, curve k,
                        size_t count);

static inline float clip(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

/* e^x to 2 units in the last place, in a form that compilers make vectors of (Cody & Waite 1980:
 * x = n ln 2 + r, and a polynomial for e^r). Beyond the range of floats it stays at its ends. */
static inline float exp_of(float x) {
    x = clip(x, -87.F, 88.F);
    float n = rintf(x * 1.44269504F);
    float r = x - n * 0.693359375F + n * 2.12194440e-4F;
    float p = 1.3981999e-3F;
    p = p * r + 8.3334519e-3F;
    p = p * r + 4.1665796e-2F;
    p = p * r + 1.6666665e-1F;
    p = p * r + 5.0000001e-1F;
    p = p * r * r + r + 1.F;
    int32_t bits = ((int32_t)n + 127) * (1 << 23);
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline float sigmoid(float x) {
    return 1.F / (1.F + exp_of(-x));
}

#define LOOP(name, result)                                                                         \
    OC_SIMD static void name(float *dst, const float *x, const float *y, const float *g, curve k,  \
                             size_t count) {                                                       \
        (void)x, (void)y, (void)g, (void)k;                                                        \
        for (size_t i = 0; i < count; i++) dst[i] = (result);                                      \
    }

LOOP(sigmoid_value, sigmoid(x[i]))
LOOP(sigmoid_slope, g[i] * y[i] * (1.F - y[i]))
LOOP(tanh_value, tanhf(x[i]))
LOOP(tanh_slope, g[i] * (1.F - y[i] * y[i]))
LOOP(leaky_value, x[i] > 0.F ? x[i] : k.a * x[i])
LOOP(leaky_slope, x[i] > 0.F ? g[i] : k.a * g[i])
LOOP(hard_sigmoid_value, clip(k.a *x[i] + k.b, 0.F, 1.F))
LOOP(hard_sigmoid_slope, y[i] > 0.F && y[i] < 1.F ? g[i] * k.a : 0.F)
LOOP(hard_swish_value, x[i] * clip(x[i] * (1.F / 6.F) + 0.5F, 0.F, 1.F))
LOOP(hard_swish_slope, x[i] <= -3.F ? 0.F : g[i] * (x[i] >= 3.F ? 1.F : x[i] * (1.F / 3.F) + 0.5F))
LOOP(silu_value, x[i] * sigmoid(x[i]))
LOOP(silu_slope, g[i] * sigmoid(x[i]) * (1.F + x[i] - y[i]))
LOOP(clip_value, clip(x[i], k.a, k.b))
LOOP(clip_slope, x[i] > k.a && x[i] < k.b ? g[i] : 0.F)
LOOP(line_value, k.a *x[i] + k.b)
LOOP(line_slope, g[i] * k.a)
LOOP(power_value, powf(k.a *x[i] + k.b, k.e))
LOOP(power_slope, k.e == 0.F ? 0.F : g[i] * k.e * k.a * powf(k.a * x[i] + k.b, k.e - 1.F))

typedef struct curve_kind {
    oc_op op;
    curve_loop *value, *slope;
} curve_kind;

static const curve_kind KINDS[] = {{OC_OP_SIGMOID, sigmoid_value, sigmoid_slope},
                                   {OC_OP_TANH, tanh_value, tanh_slope},
                                   {OC_OP_LEAKY_RELU, leaky_value, leaky_slope},
                                   {OC_OP_HARD_SIGMOID, hard_sigmoid_value, hard_sigmoid_slope},
                                   {OC_OP_HARD_SWISH, hard_swish_value, hard_swish_slope},
                                   {OC_OP_SILU, silu_value, silu_slope},
                                   {OC_OP_CLIP, clip_value, clip_slope},
                                   {OC_OP_POWER, power_value, power_slope}};
enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

static const curve_kind *kind_of(oc_op op) {
    for (int i = 0; i < KIND_COUNT; i++)
        if (KINDS[i].op == op) return &KINDS[i];
    return NULL;
}

bool oci_is_curve(oc_op op) {
    return kind_of(op) != NULL;
}

static curve numbers_of(const oc_node *node) {
    const oc_attrs *a = &node->attrs;
    switch (node->op) {
    case OC_OP_LEAKY_RELU:
        return (curve){a->slope, 0, 0};
    case OC_OP_HARD_SIGMOID:
        return (curve){a->alpha, a->beta, 0};
    case OC_OP_CLIP:
        return (curve){a->low, a->high, 0};
    case OC_OP_POWER:
        return (curve){a->scale, a->shift, a->exponent};
    default:
        return (curve){0};
    }
}

/* The unit's loop; most powers are straight lines. */
static curve_loop *loop_of(const oc_node *node, bool forward) {
    const curve_kind *kind = kind_of(node->op);
    if (node->op == OC_OP_POWER && node->attrs.exponent == 1)
        return forward ? line_value : line_slope;
    return forward ? kind->value : kind->slope;
}

static void zero_padding(const oci_value *v, float *image, int lanes) {
    size_t row = v->image / (size_t)v->blocks;
    float *last = image + v->image - row;
    if (v->c % lanes == 0) return;
    for (size_t at = 0; at < row; at += (size_t)lanes)
        for (int l = v->c % lanes; l < lanes; l++) last[at + (size_t)l] = 0;
}

static void run(const oci_plan *plan, const oci_unit *unit, bool forward, float *dst,
                const float *x, const float *y, const float *g, int n) {
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    const oci_value *out = &plan->values[unit->out];
    const curve k = numbers_of(node);
    curve_loop *loop = loop_of(node, forward);
    size_t row = out->image / (size_t)out->blocks;
    int rows = n * out->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) {
        size_t at = (size_t)i * row;
        loop(dst + at, x + at, y + at, g + at, k, row);
        if (i % out->blocks == out->blocks - 1)
            zero_padding(out, dst + at + row - out->image, plan->lanes);
    }
}

oc_status oci_curve_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    const float *x = oci_read(plan, unit->in[0], first, n);
    run(plan, unit, true, out->data + (size_t)first * out->image, x, x, x, n);
    return OC_OK;
}

oc_status oci_curve_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    const float *g = oci_incoming(plan, unit, first, n);
    const float *x = oci_read(plan, unit->in[0], first, n);
    float *target = oci_grad_target(plan, unit->in[0], first);
    run(plan, unit, false, target, x, out->data + (size_t)first * out->image, g, n);
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}
