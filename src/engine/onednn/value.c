/* Reading values and routing gradients, a few images at a time (onednn_int.h has the idea).
 *
 * The gradient of a value with several readers is written by the first of them in backward order
 * and added to by the others; when the last one commits a chunk, and the value derives from a norm,
 * the norm's sums are taken while the chunk is in cache.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/onednn_int.h"

oci_map oci_map_of(const oci_plan *plan, int value) {
    int norm = plan->values[value].norm;
    if (norm < 0) return (oci_map){plan->ones, plan->zeros, 0};
    return (oci_map){plan->norms[norm].a, plan->norms[norm].b, OCI_ROW};
}

const float *oci_read_row(oci_plan *plan, int value, int first, int i) {
    const oci_value *v = &plan->values[value];
    size_t row = v->image / (size_t)v->blocks, at = (size_t)i * row;
    const float *x = plan->values[v->base].data + (size_t)first * v->image + at;
    if (v->base == value) return x;
    oci_map map = oci_map_of(plan, value);
    size_t m = (size_t)(i % v->blocks) * map.stride;
    float *y = plan->read_scratch + at;
    oci_row_affine(y, x, (oci_row_map){map.a + m, map.b + m, oci_clip_of(v->act)}, row);
    return y;
}

const float *oci_read(oci_plan *plan, int value, int first, int n) {
    const oci_value *v = &plan->values[value];
    if (v->plain) return plan->pixels + (size_t)first * v->image;
    if (v->base == value) return v->data + (size_t)first * v->image;
    const oci_watch watch = oci_watch_start(plan);
    int rows = n * v->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) (void)oci_read_row(plan, value, first, i);
    oci_watch_norm(plan, v->norm, watch);
    return plan->read_scratch;
}

float *oci_grad_target(oci_plan *plan, int value, int first) {
    oci_value *v = &plan->values[value];
    return v->written ? plan->sum_scratch : v->grad + (size_t)first * v->image;
}

void oci_grad_commit(oci_plan *plan, int value, int first, int n, const float *target) {
    oci_value *v = &plan->values[value];
    float *grad = v->grad + (size_t)first * v->image;
    if (v->written) {
        size_t row = v->image / (size_t)v->blocks;
        int rows = n * v->blocks;
#pragma omp parallel for
        for (int i = 0; i < rows; i++)
            oci_row_accumulate(grad + (size_t)i * row, target + (size_t)i * row, row);
    }
    const oci_watch watch = oci_watch_start(plan);
    if (v->norm >= 0 && v->written + 1 == v->writers)
        oci_norm_reduce(plan, &plan->norms[v->norm], grad, first, n);
    oci_watch_norm(plan, v->norm, watch);
}

int oci_repeats(const oci_unit *unit, int k) {
    int earlier = 0;
    for (int i = 0; i < k; i++) earlier += unit->in[i] == unit->in[k];
    return earlier;
}

void oci_grads_written(oci_plan *plan, const oci_unit *unit) {
    for (int i = 0; i < unit->in_count; i++)
        if (plan->values[unit->in[i]].wants_grad) plan->values[unit->in[i]].written++;
}

/* Back through an affine map with its norm's coefficients, and through its clip. */
static void through_map(oci_plan *plan, const oci_value *y, int row, float *dx, const float *dy,
                        const float *x, size_t count) {
    const oci_norm *norm = y->norm < 0 ? NULL : &plan->norms[y->norm];
    oci_map map = oci_map_of(plan, (int)(y - plan->values));
    size_t m = (size_t)(row % y->blocks) * map.stride;
    if (norm)
        oci_row_norm_grad(dx, dy, x, (oci_row_map){map.a + m, map.b + m, oci_clip_of(y->act)},
                          norm->p + m, norm->q + m, norm->r + m, count);
    else
        oci_row_mask(dx, dy, x, oci_clip_of(y->act), count);
}

const float *oci_incoming_row(oci_plan *plan, const oci_unit *unit, int first, int i) {
    const oci_value *v = &plan->values[unit->through];
    size_t row = v->image / (size_t)v->blocks, at = (size_t)i * row;
    const float *dy = v->grad + (size_t)first * v->image + at;
    if (v->base == unit->through && v->act == OCI_ACT_NONE) return dy;
    const float *x = plan->values[v->base].data + (size_t)first * v->image + at;
    through_map(plan, v, i, plan->grad_scratch + at, dy, x, row);
    return plan->grad_scratch + at;
}

const float *oci_incoming(oci_plan *plan, const oci_unit *unit, int first, int n) {
    const oci_value *v = &plan->values[unit->through];
    if (v->base == unit->through && v->act == OCI_ACT_NONE)
        return v->grad + (size_t)first * v->image;
    const oci_watch watch = oci_watch_start(plan);
    int rows = n * v->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++) (void)oci_incoming_row(plan, unit, first, i);
    oci_watch_norm(plan, v->norm, watch);
    return plan->grad_scratch;
}

void oci_value_to_plain(oci_plan *plan, int value, float *plain) {
    const oci_value *v = &plan->values[value];
    size_t hw = (size_t)v->h * (size_t)v->w;
    for (int i = 0; i < plan->images; i++) {
        const float *from = oci_read(plan, value, i, 1);
        float *to = plain + (size_t)i * (size_t)v->c * hw;
        if (v->plain)
            memcpy(to, from, v->image * sizeof *to);
        else
            oci_unblock_image(to, from, v->c, hw, plan->lanes);
    }
}

void oci_grad_from_plain(oci_plan *plan, int value, const float *plain) {
    oci_value *v = &plan->values[value];
    size_t hw = (size_t)v->h * (size_t)v->w;
    for (int i = 0; i < plan->images; i++) {
        float *to = oci_grad_target(plan, value, i);
        oci_block_image(to, plain + (size_t)i * (size_t)v->c * hw, v->c, hw, plan->lanes);
        oci_grad_commit(plan, value, i, 1, to);
    }
    v->written++;
}
