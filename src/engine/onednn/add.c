/* Addition of two values, each taken through its own affine map on the way: the tail of a residual
 * block (batch norm, add, clip) is one loop.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/onednn_int.h"

/* An operand without a clip can be read from its base through its map; one with a clip is made. */
typedef struct operand {
    const float *x;
    oci_map map;
} operand;

static operand operand_of(oci_plan *plan, int value, int first, int n) {
    const oci_value *v = &plan->values[value];
    if (v->base != value && v->act == OCI_ACT_NONE)
        return (operand){plan->values[v->base].data + (size_t)first * v->image,
                         oci_map_of(plan, value)};
    return (operand){oci_read(plan, value, first, n), {plan->ones, plan->zeros, 0}};
}

oc_status oci_add_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const oci_value *z = &plan->values[unit->out];
    operand s = operand_of(plan, unit->in[0], first, n),
            t = operand_of(plan, unit->in[1], first, n);
    oci_clip clip = oci_clip_of(z->act);
    size_t row = z->image / (size_t)z->blocks;
    float *out = z->data + (size_t)first * z->image;
#pragma omp parallel for collapse(2)
    for (int i = 0; i < n; i++)
        for (int k = 0; k < z->blocks; k++) {
            size_t at = (size_t)i * z->image + (size_t)k * row;
            const float *b1 = s.map.b + (size_t)k * s.map.stride;
            const float *b2 = t.map.b + (size_t)k * t.map.stride;
            float b[OCI_ROW];
            for (int l = 0; l < OCI_ROW; l++) b[l] = b1[l] + b2[l];
            oci_row_add(out + at, s.x + at, s.map.a + (size_t)k * s.map.stride, t.x + at,
                        (oci_row_map){t.map.a + (size_t)k * t.map.stride, b, clip}, row);
        }
    return OC_OK;
}

static void copy_rows(const oci_value *v, float *to, const float *from, int n) {
    size_t row = v->image / (size_t)v->blocks;
    int rows = n * v->blocks;
#pragma omp parallel for
    for (int i = 0; i < rows; i++)
        memcpy(to + (size_t)i * row, from + (size_t)i * row, row * sizeof *to);
}

oc_status oci_pass_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    (void)err;
    const float *g = oci_incoming(plan, unit, first, n);
    const float *last = NULL;
    for (int i = 0; i < unit->in_count; i++) {
        oci_value *v = &plan->values[unit->in[i]];
        if (!v->wants_grad) continue;
        int again = oci_repeats(unit, i);
        v->written += again;
        float *target = oci_grad_target(plan, unit->in[i], first);
        if (target != g && target != last) copy_rows(v, target, g, n);
        oci_grad_commit(plan, unit->in[i], first, n, target);
        v->written -= again;
        last = target;
    }
    return OC_OK;
}
