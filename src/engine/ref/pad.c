/* A frame of one value around each plane.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ref/ref_int.h"

/* Row y of plane p of the input, seen in the output. */
static size_t inner_row(const ref_call *c, size_t p, size_t y) {
    const oc_attrs *a = &c->node->attrs;
    size_t height = (size_t)c->out_shape.dim[2], width = (size_t)c->out_shape.dim[3];
    return (p * height + y + (size_t)a->pad_top) * width + (size_t)a->pad_left;
}

/* Planes, rows and columns of the input. */
static void sizes_of(const ref_call *c, size_t *planes, size_t *rows, size_t *columns) {
    const oc_shape *in = &c->in_shape[0];
    *planes = (size_t)c->run->n * (size_t)in->dim[1];
    *rows = (size_t)in->dim[2];
    *columns = (size_t)in->dim[3];
}

void ref_pad_forward(const ref_call *c) {
    size_t planes, rows, columns, count = ref_volume(c, &c->out_shape);
    sizes_of(c, &planes, &rows, &columns);
    for (size_t i = 0; i < count; i++) c->out[i] = c->node->attrs.value;
    for (size_t r = 0; r < planes * rows; r++) {
        float *to = c->out + inner_row(c, r / rows, r % rows);
        for (size_t x = 0; x < columns; x++) to[x] = c->in[0][r * columns + x];
    }
}

void ref_pad_backward(const ref_call *c) {
    size_t planes, rows, columns;
    sizes_of(c, &planes, &rows, &columns);
    if (c->din[0] == NULL) return;
    for (size_t r = 0; r < planes * rows; r++) {
        const float *from = c->dout + inner_row(c, r / rows, r % rows);
        for (size_t x = 0; x < columns; x++) c->din[0][r * columns + x] += from[x];
    }
}
