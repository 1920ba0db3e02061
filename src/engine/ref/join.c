/* What moves values about rather than computing them: sum, concatenation, flattening; softmax at
 * the end of a net that only infers; the gradient of an auxiliary loss.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/ref/ref_int.h"

void ref_add_forward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    for (size_t i = 0; i < count; i++) c->out[i] = c->in[0][i] + c->in[1][i];
}

static void add_to(float *sum, const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) sum[i] += values[i];
}

void ref_add_backward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    if (c->din[0] != NULL) add_to(c->din[0], c->dout, count);
    if (c->din[1] != NULL) add_to(c->din[1], c->dout, count);
}

/* The channels of input k of item n stand together in the output: where, and how many values. */
static size_t slice(const ref_call *c, int k, size_t n, size_t *count) {
    size_t at = n * ref_item(&c->out_shape);
    for (int i = 0; i < k; i++) at += ref_item(&c->in_shape[i]);
    *count = ref_item(&c->in_shape[k]);
    return at;
}

void ref_concat_forward(const ref_call *c) {
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        for (int k = 0; k < c->node->input_count; k++) {
            size_t count, at = slice(c, k, n, &count);
            memcpy(c->out + at, c->in[k] + n * count, count * sizeof *c->out);
        }
    }
}

void ref_concat_backward(const ref_call *c) {
    for (size_t n = 0; n < (size_t)c->run->n; n++) {
        for (int k = 0; k < c->node->input_count; k++) {
            size_t count, at = slice(c, k, n, &count);
            if (c->din[k] != NULL) add_to(c->din[k] + n * count, c->dout + at, count);
        }
    }
}

void ref_flatten_forward(const ref_call *c) {
    memcpy(c->out, c->in[0], ref_volume(c, &c->out_shape) * sizeof *c->out);
}

void ref_flatten_backward(const ref_call *c) {
    if (c->din[0] != NULL) add_to(c->din[0], c->dout, ref_volume(c, &c->out_shape));
}

/* Over the channels of one position: value i is at [i * step]. */
static void softmax_column(const float *x, float *y, size_t channels, size_t step) {
    float top = x[0];
    double sum = 0;
    for (size_t i = 1; i < channels; i++) top = x[i * step] > top ? x[i * step] : top;
    for (size_t i = 0; i < channels; i++) sum += exp((double)(x[i * step] - top));
    for (size_t i = 0; i < channels; i++) {
        y[i * step] = (float)(exp((double)(x[i * step] - top)) / sum);
    }
}

void ref_softmax_forward(const ref_call *c) {
    size_t channels = (size_t)c->out_shape.dim[1];
    size_t step = (size_t)(c->out_shape.dim[2] * c->out_shape.dim[3]);
    for (size_t p = 0; p < (size_t)c->run->n * step; p++) {
        size_t at = p / step * channels * step + p % step;
        softmax_column(c->in[0] + at, c->out + at, channels, step);
    }
}

/* d (weight * loss) = weight * d loss, where dout holds d loss / d logits. */
void ref_aux_loss_backward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    float weight = c->node->attrs.weight;
    if (c->din[0] == NULL) return;
    for (size_t i = 0; i < count; i++) c->din[0][i] += weight * c->dout[i];
}
