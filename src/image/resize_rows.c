/* The two inner loops of resize in plain C, for every machine and as the truth for faster ones.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

static inline uint8_t clip(int32_t sum, int bits) {
    int32_t v = sum >> bits;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void row3(const oci_axis *axis, const uint8_t *src, uint8_t *dst) {
    const int32_t half = 1 << (axis->bits - 1);
    for (int x = 0; x < axis->count; x++, dst += 3) {
        const uint8_t *p = src + (size_t)axis->first[x] * 3;
        const int32_t *weight = axis->weight + (size_t)x * (size_t)axis->taps;
        int32_t r = half, g = half, b = half;
        for (int t = 0; t < axis->used[x]; t++, p += 3) {
            r += p[0] * weight[t];
            g += p[1] * weight[t];
            b += p[2] * weight[t];
        }
        dst[0] = clip(r, axis->bits);
        dst[1] = clip(g, axis->bits);
        dst[2] = clip(b, axis->bits);
    }
}

static void row_any(const oci_axis *axis, const uint8_t *src, int channels, uint8_t *dst) {
    for (int x = 0; x < axis->count; x++) {
        const int32_t *weight = axis->weight + (size_t)x * (size_t)axis->taps;
        for (int c = 0; c < channels; c++) {
            const uint8_t *p = src + (size_t)axis->first[x] * (size_t)channels + c;
            int32_t sum = 1 << (axis->bits - 1);
            for (int t = 0; t < axis->used[x]; t++) sum += p[t * channels] * weight[t];
            *dst++ = clip(sum, axis->bits);
        }
    }
}

void oci_row_horizontal(const oci_axis *axis, const uint8_t *src, int channels, uint8_t *dst) {
    if (channels == 3)
        row3(axis, src, dst);
    else
        row_any(axis, src, channels, dst);
}

enum { BLOCK = 256 };

OC_SIMD void oci_row_vertical(const oci_axis *axis, int row, const uint8_t *src, size_t stride,
                              size_t count, uint8_t *dst) {
    const int32_t *weight = axis->weight + (size_t)row * (size_t)axis->taps;
    const int used = axis->used[row], bits = axis->bits;
    for (size_t begin = 0; begin < count; begin += BLOCK) {
        size_t length = count - begin < BLOCK ? count - begin : BLOCK;
        int32_t sum[BLOCK];
        for (size_t i = 0; i < length; i++) sum[i] = 1 << (bits - 1);
        for (int t = 0; t < used; t++) {
            const uint8_t *samples = src + (size_t)t * stride + begin;
            int32_t w = weight[t];
            for (size_t i = 0; i < length; i++) sum[i] += samples[i] * w;
        }
        for (size_t i = 0; i < length; i++) dst[begin + i] = clip(sum[i], bits);
    }
}
