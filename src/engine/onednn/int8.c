/* The small units over bytes: in and out of bytes, addition, pools, concatenation.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/int8.h"

#include <string.h>

static uint8_t *bytes_at(const oci_plan *plan, int value, int image) {
    const oci_value *v = &plan->values[value];
    return (uint8_t *)v->data + (size_t)image * v->image;
}

/* ---- in and out ----------------------------------------------------------------------------- */

/* The network's input is a plane a channel. */
static void plain_to_bytes(const oci_value *out, uint8_t *to, const float *from) {
    size_t hw = (size_t)out->h * (size_t)out->w, stride = (size_t)out->c;
    for (size_t c = 0; c < stride; c++)
        oci_row_to_bytes(to + c, stride, from + c * hw, 1, 1, hw, 1 / out->step, out->zero);
}

oc_status oci_quantize_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const float *src = oci_read(plan, unit->in[0], first, n);
    uint8_t *dst = bytes_at(plan, unit->out, first);
    size_t row = (size_t)out->w, stride = (size_t)out->c;
    int lanes = plan->lanes, rows = out->h;
    if (in->plain) {
#pragma omp parallel for schedule(static)
        for (int i = 0; i < n; i++)
            plain_to_bytes(out, dst + (size_t)i * out->image, src + (size_t)i * in->image);
        return OC_OK;
    }
#pragma omp parallel for collapse(2) schedule(static)
    for (int i = 0; i < n; i++)
        for (int y = 0; y < rows; y++)
            for (int k = 0; k < in->blocks; k++) {
                const float *from = src + (size_t)i * in->image +
                                    ((size_t)k * (size_t)rows + (size_t)y) * row * (size_t)lanes;
                uint8_t *to =
                    dst + (size_t)i * out->image + (size_t)y * row * stride + (size_t)(k * lanes);
                int used = out->c - k * lanes < lanes ? out->c - k * lanes : lanes;
                oci_row_to_bytes(to, stride, from, lanes, used, row, 1 / out->step, out->zero);
            }
    return OC_OK;
}

oc_status oci_restore_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const uint8_t *src = bytes_at(plan, unit->in[0], first);
    float *dst = out->data + (size_t)first * out->image;
    size_t row = (size_t)in->w, stride = (size_t)in->c;
    int lanes = plan->lanes, rows = in->h;
#pragma omp parallel for collapse(2) schedule(static)
    for (int i = 0; i < n; i++)
        for (int y = 0; y < rows; y++)
            for (int k = 0; k < out->blocks; k++) {
                float *to = dst + (size_t)i * out->image +
                            ((size_t)k * (size_t)rows + (size_t)y) * row * (size_t)lanes;
                const uint8_t *from =
                    src + (size_t)i * in->image + (size_t)y * row * stride + (size_t)(k * lanes);
                int used = in->c - k * lanes < lanes ? in->c - k * lanes : lanes;
                oci_row_from_bytes(to, lanes, from, stride, used, row, in->step, in->zero);
            }
    return OC_OK;
}

/* ---- addition: z = sx (x - zx) + sy (y - zy), in levels of z -------------------------------- */

oc_status oci_byte_add_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *x = &plan->values[unit->in[0]], *y = &plan->values[unit->in[1]];
    const oci_value *z = &plan->values[unit->out];
    float a = x->step / z->step, b = y->step / z->step;
    float c = (float)z->zero - a * (float)x->zero - b * (float)y->zero;
    const uint8_t *from_x = bytes_at(plan, unit->in[0], first);
    const uint8_t *from_y = bytes_at(plan, unit->in[1], first);
    uint8_t *to = bytes_at(plan, unit->out, first);
    oci_levels levels = oci_levels_of(z);
    size_t row = (size_t)z->w * (size_t)z->c;
    int rows = n * z->h;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < rows; i++) {
        size_t at = (size_t)i * row;
        oci_row_add_bytes(to + at, from_x + at, from_y + at, a, b, c, levels, row);
    }
    return OC_OK;
}

/* ---- pools ---------------------------------------------------------------------------------- */

/* One row of the output: the maximum over the part of each window that lies inside. */
static void max_pool_row(const oc_attrs *a, const oci_value *in, const oci_value *out, int y,
                         const uint8_t *src, uint8_t *dst) {
    size_t c = (size_t)in->c;
    int top = y * a->stride_h - a->pad_top;
    for (int x = 0; x < out->w; x++, dst += c) {
        int left = x * a->stride_w - a->pad_left;
        memset(dst, 0, c);
        for (int iy = top < 0 ? 0 : top; iy < top + a->kernel_h && iy < in->h; iy++)
            for (int ix = left < 0 ? 0 : left; ix < left + a->kernel_w && ix < in->w; ix++)
                oci_row_max_bytes(dst, src + ((size_t)iy * (size_t)in->w + (size_t)ix) * c, c);
    }
}

oc_status oci_byte_max_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n,
                                    oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    const uint8_t *src = bytes_at(plan, unit->in[0], first);
    uint8_t *dst = bytes_at(plan, unit->out, first);
    size_t row = (size_t)out->w * (size_t)out->c;
#pragma omp parallel for collapse(2) schedule(static)
    for (int i = 0; i < n; i++)
        for (int y = 0; y < out->h; y++)
            max_pool_row(a, in, out, y, src + (size_t)i * in->image,
                         dst + (size_t)i * out->image + (size_t)y * row);
    return OC_OK;
}

enum { SUMMED = 64 }; /* channels at a time */

/* Channels c..c+count of one image: their mean, in floats. */
static void mean_of(const oci_value *in, const uint8_t *src, int c, int count, float *dst) {
    int32_t sum[SUMMED] = {0}, hw = in->h * in->w;
    for (int i = 0; i < hw; i++)
        oci_row_sum_bytes(sum, src + (size_t)i * (size_t)in->c + (size_t)c, (size_t)count);
    for (int k = 0; k < count; k++)
        dst[c + k] = in->step * ((float)sum[k] / (float)hw - (float)in->zero);
}

oc_status oci_byte_global_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n,
                                       oc_error *err) {
    (void)err;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const uint8_t *src = bytes_at(plan, unit->in[0], first);
    float *dst = out->data + (size_t)first * out->image;
    int parts = (in->c + SUMMED - 1) / SUMMED;
#pragma omp parallel for collapse(2) schedule(static)
    for (int i = 0; i < n; i++)
        for (int p = 0; p < parts; p++) {
            int c = p * SUMMED, count = in->c - c < SUMMED ? in->c - c : SUMMED;
            mean_of(in, src + (size_t)i * in->image, c, count, dst + (size_t)i * out->image);
        }
    for (int i = 0; i < n; i++)
        memset(dst + (size_t)i * out->image + in->c, 0, (out->image - (size_t)in->c) * sizeof *dst);
    return OC_OK;
}

/* ---- concatenation of values with the same levels -------------------------------------------- */

oc_status oci_byte_concat_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *out = &plan->values[unit->out];
    size_t hw = (size_t)out->h * (size_t)out->w, whole = (size_t)out->c, at = 0;
    int pixels = n * (int)hw;
    uint8_t *dst = bytes_at(plan, unit->out, first);
    for (int k = 0; k < unit->in_count; k++) {
        const uint8_t *src = bytes_at(plan, unit->in[k], first);
        size_t part = (size_t)plan->values[unit->in[k]].c;
#pragma omp parallel for schedule(static)
        for (int i = 0; i < pixels; i++)
            memcpy(dst + (size_t)i * whole + at, src + (size_t)i * part, part);
        at += part;
    }
    return OC_OK;
}
