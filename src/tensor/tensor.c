/* Element types, the size of a tensor, and conversion to float.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tensor/tensor.h"

#include <string.h>

typedef struct dtype_row {
    size_t bytes;
    const char *word;
} dtype_row;

static const dtype_row rows[OC_DTYPE_COUNT] = {
#define DTYPE_ROW(name, bytes, word) {bytes, word},
    OC_DTYPE_MAP(DTYPE_ROW)
#undef DTYPE_ROW
};

size_t oc_dtype_bytes(oc_dtype dtype) {
    OC_PROMISE((unsigned)dtype < OC_DTYPE_COUNT);
    return rows[dtype].bytes;
}

const char *oc_dtype_name(oc_dtype dtype) {
    OC_PROMISE((unsigned)dtype < OC_DTYPE_COUNT);
    return rows[dtype].word;
}

bool oc_dtype_parse(const char *word, oc_dtype *out) {
    for (int i = 0; i < OC_DTYPE_COUNT; i++) {
        if (strcmp(word, rows[i].word) != 0) continue;
        *out = (oc_dtype)i;
        return true;
    }
    return false;
}

size_t oc_tensor_count(const oc_tensor *t) {
    size_t count = 0;
    OC_PROMISE(oc_shape_count(&t->shape, &count));
    return count;
}

size_t oc_tensor_bytes(const oc_tensor *t) {
    size_t bytes = 0;
    OC_PROMISE(oc_mul_size(oc_tensor_count(t), oc_dtype_bytes(t->dtype), &bytes));
    return bytes;
}

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16. A subnormal is its fraction times 2^-24, exact in float. */
static float float_of_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 0x1F, fraction = half & 0x3FF;
    if (exponent == 0) {
        float small = (float)fraction * 0x1p-24F;
        return sign != 0 ? -small : small;
    }
    if (exponent == 0x1F) return float_of_bits(sign | 0x7F800000 | fraction << 13);
    return float_of_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

static void from_f64(float *dst, const unsigned char *src, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, src + i * sizeof value, sizeof value);
        dst[i] = (float)value;
    }
}

static void from_f16(float *dst, const unsigned char *src, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, src + i * sizeof half, sizeof half);
        dst[i] = float_of_half(half);
    }
}

/* bfloat16 is the upper half of a float. */
static void from_bf16(float *dst, const unsigned char *src, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint16_t upper;
        memcpy(&upper, src + i * sizeof upper, sizeof upper);
        dst[i] = float_of_bits((uint32_t)upper << 16);
    }
}

oc_status oc_tensor_to_f32(float *dst, const void *src, oc_dtype dtype, size_t count,
                           oc_error *err) {
    switch (dtype) {
    case OC_F32:
        if (count > 0) memcpy(dst, src, count * sizeof *dst);
        return OC_OK;
    case OC_F64:
        from_f64(dst, src, count);
        return OC_OK;
    case OC_F16:
        from_f16(dst, src, count);
        return OC_OK;
    case OC_BF16:
        from_bf16(dst, src, count);
        return OC_OK;
    default:
        return oc_fail(err, OC_EUNSUPPORTED,
                       "elements of type %s cannot be weights, expected F32, F64, F16 or BF16",
                       oc_dtype_name(dtype));
    }
}
