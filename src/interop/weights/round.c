/* Weights in half the bytes: F32 rounded to the nearest F16 or BF16, ties to even.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/interop.h"

static const uint32_t SMALLEST_NORMAL_HALF = 0x38800000; /* 2^-14 */
enum { HALF_INFINITY = 0x7C00 };

static uint16_t half_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7FFFFFFF;
    if (bits < SMALLEST_NORMAL_HALF) /* a multiple of 2^-24 */
        return (uint16_t)(sign | (uint16_t)lrintf(fabsf(value) * 0x1p24F));
    uint32_t rounded = (bits + 0xFFF + (bits >> 13 & 1) - (112U << 23)) >> 13;
    return (uint16_t)(sign | (rounded < HALF_INFINITY ? rounded : HALF_INFINITY));
}

static uint16_t brain_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static oc_status round_one(oc_tensors *out, const char *name, const oc_tensor *t, oc_dtype dtype,
                           oc_error *err) {
    oc_tensor *made = NULL;
    const float *from = t->data;
    if (t->dtype != OC_F32) return oc_tensors_add_view(out, name, t, err);
    OC_TRY(oc_tensors_add(out, name, dtype, &t->shape, &made, err));
    uint16_t *to = made->data;
    for (size_t i = 0; i < oc_tensor_count(t); i++) {
        to[i] = dtype == OC_F16 ? half_of(from[i]) : brain_of(from[i]);
        if (dtype != OC_F16 || (to[i] & HALF_INFINITY) != HALF_INFINITY) continue;
        return oc_fail(err, OC_ENUMERIC,
                       "%s holds %g, more than a number of 16 bits can (65504): write BF16 or F32",
                       name, (double)from[i]);
    }
    return OC_OK;
}

oc_status oc_tensors_round(oc_tensors **out, const oc_tensors *src, oc_dtype dtype, oc_error *err) {
    OC_TRY(oc_tensors_new(out, err));
    oc_status status = OC_OK;
    for (size_t i = 0; status == OC_OK && i < oc_tensors_count(src); i++)
        status = round_one(*out, oc_tensors_name(src, i), oc_tensors_at(src, i), dtype, err);
    if (status == OC_OK) return OC_OK;
    oc_tensors_free(*out);
    *out = NULL;
    return status;
}
