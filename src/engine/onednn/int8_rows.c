/* Loops over rows of bytes, plain C that compilers turn into vector code.
 *
 * Rounding to the nearest, ties to even, as the library's kernels and the reference round: adding
 * 1.5 * 2^23 leaves a float no bits below one, and its lowest byte is then the whole number.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/int8.h"

static const float ROUNDER = 12582912.F; /* 1.5 * 2^23 */

/* x in 0..255, or a NaN, which becomes `low`. */
static inline uint8_t rounded(float x, float low, float high) {
    x = x > low ? x : low;
    x = x < high ? x : high;
    x += ROUNDER;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint8_t)bits;
}

oci_levels oci_levels_of(const oci_value *v) {
    float zero = (float)v->zero, most = OC_LEVELS - 1;
    oci_levels l = {v->act == OCI_ACT_NONE ? 0 : zero, most};
    if (v->act == OCI_ACT_RELU6 && zero + 6 / v->step < most) l.high = zero + 6 / v->step;
    return l;
}

static inline void pixels_to_bytes(uint8_t *to, size_t stride, const float *from, int lanes,
                                   int used, size_t pixels, float inverse, int zero) {
    float high = OC_LEVELS - 1;
    for (size_t i = 0; i < pixels; i++, from += lanes, to += stride)
        for (int l = 0; l < used; l++) to[l] = rounded(from[l] * inverse + (float)zero, 0, high);
}

/* Whole blocks have sizes that the compiler knows. */
OC_SIMD void oci_row_to_bytes(uint8_t *restrict to, size_t stride, const float *restrict from,
                              int lanes, int used, size_t pixels, float inverse, int zero) {
    if (lanes == 8 && used == 8)
        pixels_to_bytes(to, stride, from, 8, 8, pixels, inverse, zero);
    else if (lanes == 16 && used == 16)
        pixels_to_bytes(to, stride, from, 16, 16, pixels, inverse, zero);
    else
        pixels_to_bytes(to, stride, from, lanes, used, pixels, inverse, zero);
}

static inline void pixels_from_bytes(float *to, int lanes, const uint8_t *from, size_t stride,
                                     int used, size_t pixels, float step, int zero) {
    for (size_t i = 0; i < pixels; i++, from += stride, to += lanes) {
        for (int l = 0; l < used; l++) to[l] = step * (float)((int)from[l] - zero);
        for (int l = used; l < lanes; l++) to[l] = 0;
    }
}

OC_SIMD void oci_row_from_bytes(float *restrict to, int lanes, const uint8_t *restrict from,
                                size_t stride, int used, size_t pixels, float step, int zero) {
    if (lanes == 8 && used == 8)
        pixels_from_bytes(to, 8, from, stride, 8, pixels, step, zero);
    else if (lanes == 16 && used == 16)
        pixels_from_bytes(to, 16, from, stride, 16, pixels, step, zero);
    else
        pixels_from_bytes(to, lanes, from, stride, used, pixels, step, zero);
}

OC_SIMD void oci_row_add_bytes(uint8_t *restrict z, const uint8_t *restrict x,
                               const uint8_t *restrict y, float a, float b, float c,
                               oci_levels levels, size_t count) {
    for (size_t i = 0; i < count; i++)
        z[i] = rounded(a * (float)x[i] + b * (float)y[i] + c, levels.low, levels.high);
}

OC_SIMD void oci_row_max_bytes(uint8_t *restrict best, const uint8_t *restrict x, size_t count) {
    for (size_t i = 0; i < count; i++) best[i] = x[i] > best[i] ? x[i] : best[i];
}

OC_SIMD void oci_row_sum_bytes(int32_t *restrict sum, const uint8_t *restrict x, size_t count) {
    for (size_t i = 0; i < count; i++) sum[i] += x[i];
}
