/* Dense layers as products of matrices: the images' values (n, in) by the rows of the weights.
 *
 * A row of weights lies in the order of the values of its source, so that activations are used as
 * they are; what pads a block of channels is zero on both sides and stays so. The library's
 * convolutions, which could do the same, reach a tenth of the speed when the kernel covers the
 * whole source.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/onednn/dense.h"

static oci_product product_of(const oci_plan *plan, const oci_unit *unit, int n) {
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    return (oci_product){.m = (size_t)n, .n = (size_t)out->c, .k = in->image};
}

oc_status oci_dense_layout(const oci_plan *plan, const oci_unit *unit, oci_layout **out,
                           oc_error *err) {
    const oci_value *in = &plan->values[unit->in[0]];
    return oci_layout_rows(out, plan->values[unit->out].c, in->c, in->h, in->w, in->plain, err);
}

/* Bias, activation, and zeros behind the last channel. A NaN is in no range and stays. */
static void finish(const oci_value *out, const float *bias, float *dst, int n) {
    float low = out->act == OCI_ACT_NONE ? -INFINITY : 0;
    float high = out->act == OCI_ACT_RELU6 ? 6 : INFINITY;
    size_t row = out->image, used = (size_t)out->c;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
        float *x = dst + (size_t)i * row;
        for (size_t k = 0; k < used; k++) {
            float v = x[k] + (bias ? bias[k] : 0);
            x[k] = v < low ? low : v > high ? high : v;
        }
        for (size_t k = used; k < row; k++) x[k] = 0;
    }
}

oc_status oci_dense_forward(const oci_plan *plan, const oci_unit *unit, int n, const float *src,
                            const float *weights, const float *bias, float *dst, oc_error *err) {
    const oci_value *out = &plan->values[unit->out];
    oci_product p = product_of(plan, unit, n);
    p.a = src, p.a_row = p.k;
    p.b = weights, p.b_row = p.k, p.flip_b = true;
    p.c = dst, p.c_row = out->image, p.add = unit->sum >= 0;
    OC_TRY(oci_product_run(&p, err));
    finish(out, bias, dst, n);
    return OC_OK;
}

oc_status oci_dense_data(const oci_plan *plan, const oci_unit *unit, int n, const float *g,
                         const float *weights, float *to, oc_error *err) {
    const oci_product p = product_of(plan, unit, n);
    const oci_product back = {.m = p.m,
                              .n = p.k,
                              .k = p.n,
                              .a = g,
                              .a_row = plan->values[unit->out].image,
                              .b = weights,
                              .b_row = p.k,
                              .c = to,
                              .c_row = p.k};
    return oci_product_run(&back, err);
}

oc_status oci_dense_weights(const oci_plan *plan, const oci_unit *unit, int n, bool add,
                            const float *src, const float *g, float *to, oc_error *err) {
    const oci_product p = product_of(plan, unit, n);
    const oci_product back = {.m = p.n,
                              .n = p.k,
                              .k = p.m,
                              .a = g,
                              .a_row = plan->values[unit->out].image,
                              .flip_a = true,
                              .b = src,
                              .b_row = p.k,
                              .c = to,
                              .c_row = p.k,
                              .add = add};
    return oci_product_run(&back, err);
}
