/* The inner loops of resize for x86 processors with AVX2. This file uses intrinsics and is built
 * with -mavx2; its plain twin is resize_rows.c, and both give the same bits.
 *
 * Samples are 8 bits and weights 24, so that 16 x 16 -> 32 bit multiply-add of neighbouring taps
 * (madd) does not fit at once. A weight is split into weight = high * 4096 + low with low in
 * 0..4095; the two sums are exact in 32 bits (up to OCI_MAX_SPLIT_TAPS taps) and joined at the end.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

#include <string.h>

#include <immintrin.h>

enum { SPLIT_BITS = 12, BLOCK_TAPS = 4, ROWS = 4 };

/* ---- along x --------------------------------------------------------------------------------- */

/* Two rows, one in each half: 16 bytes from the same place of both. */
static inline __m256i load_pair(const uint8_t *a, const uint8_t *b) {
    __m128i low = _mm_loadu_si128((const __m128i *)a);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), _mm_loadu_si128((const __m128i *)b),
                                   1);
}

static inline __m256i madd_add(__m256i sum, __m256i samples, int32_t weights) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(samples, _mm256_set1_epi32(weights)));
}

static inline void store3(uint8_t *dst, uint32_t rgb) {
    memcpy(dst, &rgb, 2);
    dst[2] = (uint8_t)(rgb >> 16);
}

/* Join the sums, round, clip; one pixel to each row. */
static inline void finish_pair(__m256i low, __m256i high, uint8_t *a, uint8_t *b) {
    __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, SPLIT_BITS), low);
    sum = _mm256_add_epi32(sum, _mm256_set1_epi32(OCI_WEIGHT_HALF));
    sum = _mm256_srai_epi32(sum, OCI_WEIGHT_BITS);
    sum = _mm256_packs_epi32(sum, sum);
    sum = _mm256_packus_epi16(sum, sum);
    store3(a, (uint32_t)_mm_cvtsi128_si32(_mm256_castsi256_si128(sum)));
    store3(b, (uint32_t)_mm_cvtsi128_si32(_mm256_extracti128_si256(sum, 1)));
}

/* Four rows at once, so that weights and branches are shared. */
static void four_rows(const oci_axis *axis, const uint8_t *src, size_t stride, uint8_t *dst,
                      size_t dst_stride) {
    const __m256i first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
    const __m256i second = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
    for (int x = 0; x < axis->count; x++, dst += 3) {
        const int32_t *w = axis->split + (size_t)x * (size_t)axis->split_stride;
        const uint8_t *p = src + (size_t)axis->first[x] * 3;
        __m256i low_a = _mm256_setzero_si256(), high_a = low_a, low_b = low_a, high_b = low_a;
        for (int t = 0; t < axis->used[x]; t += BLOCK_TAPS, p += 3 * BLOCK_TAPS, w += BLOCK_TAPS) {
            __m256i a = load_pair(p, p + stride);
            __m256i b = load_pair(p + 2 * stride, p + 3 * stride);
            __m256i a0 = _mm256_shuffle_epi8(a, first), a1 = _mm256_shuffle_epi8(a, second);
            __m256i b0 = _mm256_shuffle_epi8(b, first), b1 = _mm256_shuffle_epi8(b, second);
            low_a = madd_add(madd_add(low_a, a0, w[0]), a1, w[2]);
            high_a = madd_add(madd_add(high_a, a0, w[1]), a1, w[3]);
            low_b = madd_add(madd_add(low_b, b0, w[0]), b1, w[2]);
            high_b = madd_add(madd_add(high_b, b0, w[1]), b1, w[3]);
        }
        finish_pair(low_a, high_a, dst, dst + dst_stride);
        finish_pair(low_b, high_b, dst + 2 * dst_stride, dst + 3 * dst_stride);
    }
}

int oci_rows_horizontal3_fast(const oci_axis *axis, const uint8_t *src, size_t src_stride, int rows,
                              uint8_t *dst, size_t dst_stride) {
    int y = 0;
    for (; y + ROWS <= rows; y += ROWS, src += ROWS * src_stride, dst += ROWS * dst_stride)
        four_rows(axis, src, src_stride, dst, dst_stride);
    return y;
}

/* ---- along y --------------------------------------------------------------------------------- */

enum { COLUMNS = 32 };

static inline __m256i weigh8(__m256i sum, const uint8_t *src, __m256i weight) {
    __m256i samples = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)src));
    return _mm256_add_epi32(sum, _mm256_mullo_epi32(samples, weight));
}

/* packs and packus work within halves; the permutation puts the eight groups of four in order. */
static inline void store32(uint8_t *dst, __m256i a, __m256i b, __m256i c, __m256i d) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i ab = _mm256_packs_epi32(_mm256_srai_epi32(a, OCI_WEIGHT_BITS),
                                    _mm256_srai_epi32(b, OCI_WEIGHT_BITS));
    __m256i cd = _mm256_packs_epi32(_mm256_srai_epi32(c, OCI_WEIGHT_BITS),
                                    _mm256_srai_epi32(d, OCI_WEIGHT_BITS));
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order);
    _mm256_storeu_si256((__m256i *)dst, bytes);
}

size_t oci_row_vertical_fast(const int32_t *weight, int used, const uint8_t *src, size_t stride,
                             size_t count, uint8_t *dst) {
    size_t x = 0;
    for (; x + COLUMNS <= count; x += COLUMNS) {
        const uint8_t *row = src + x;
        __m256i a = _mm256_set1_epi32(OCI_WEIGHT_HALF), b = a, c = a, d = a;
        for (int t = 0; t < used; t++, row += stride) {
            __m256i w = _mm256_set1_epi32(weight[t]);
            a = weigh8(a, row, w);
            b = weigh8(b, row + 8, w);
            c = weigh8(c, row + 16, w);
            d = weigh8(d, row + 24, w);
        }
        store32(dst + x, a, b, c, d);
    }
    return x;
}
