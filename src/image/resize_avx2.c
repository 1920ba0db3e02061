/* The inner loops of resize and normalise for x86 processors with AVX2. This file uses intrinsics
 * and is built with -mavx2; its plain twins are resize_rows.c and normalise.c, and both give the
 * same bits.
 *
 * Samples are widened to 16 bits, where one instruction (madd) multiplies those of two neighbouring
 * taps with their weights and adds the products in 32 bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

#include <string.h>

#include <immintrin.h>

enum { BLOCK_BYTES = 4 * 3, ROWS = 4 };

/* Two places, one in each half: 16 bytes of both. */
static inline __m256i load_pair(const uint8_t *a, const uint8_t *b) {
    __m128i low = _mm_loadu_si128((const __m128i *)a);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), _mm_loadu_si128((const __m128i *)b),
                                   1);
}

static inline __m256i madd_add(__m256i sum, __m256i samples, __m256i weights) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(samples, weights));
}

/* ---- along x --------------------------------------------------------------------------------- */

/* One pixel into the low bytes of four words: rows 0 and 2 in the low half, 1 and 3 in the high. */
static inline __m256i clip_rows(__m256i a, __m256i b, __m128i bits) {
    __m256i words = _mm256_packs_epi32(_mm256_sra_epi32(a, bits), _mm256_sra_epi32(b, bits));
    return _mm256_packus_epi16(words, words);
}

/* `bytes` is 3, or 4 where a pixel follows that will be written later. */
static inline void store_rows(__m256i pixel, uint8_t *dst, size_t stride, size_t bytes) {
    __m128i even = _mm256_castsi256_si128(pixel), odd = _mm256_extracti128_si256(pixel, 1);
    const int rgb[ROWS] = {_mm_cvtsi128_si32(even), _mm_cvtsi128_si32(odd),
                           _mm_extract_epi32(even, 1), _mm_extract_epi32(odd, 1)};
    for (size_t row = 0; row < ROWS; row++) memcpy(dst + row * stride, &rgb[row], bytes);
}

/* What the loops need of an axis, in locals: a store of bytes may change anything that lies in
 * memory, as the compiler sees it. */
typedef struct taps {
    const int *first;
    const int32_t *pair;
    size_t pair_stride;
    __m256i half;
    __m128i bits;
} taps;

/* One pixel of four rows, so that weights are shared; `pairs` of taps, those that are not used with
 * weight 0. */
static inline __m256i weigh_rows(const taps *k, int x, const uint8_t *src, size_t stride,
                                 int pairs) {
    const __m256i first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
    const __m256i second = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
    const uint8_t *p = src + (size_t)k->first[x] * 3;
    const int32_t *w = k->pair + (size_t)x * k->pair_stride;
    __m256i sum_a = k->half, sum_b = k->half;
    for (int i = 0; i < pairs; i += 2, p += BLOCK_BYTES) {
        __m256i a = load_pair(p, p + stride);
        __m256i b = load_pair(p + 2 * stride, p + 3 * stride);
        __m256i weights = _mm256_set1_epi32(w[i]);
        sum_a = madd_add(sum_a, _mm256_shuffle_epi8(a, first), weights);
        sum_b = madd_add(sum_b, _mm256_shuffle_epi8(b, first), weights);
        if (i + 1 == pairs) break;
        weights = _mm256_set1_epi32(w[i + 1]);
        sum_a = madd_add(sum_a, _mm256_shuffle_epi8(a, second), weights);
        sum_b = madd_add(sum_b, _mm256_shuffle_epi8(b, second), weights);
    }
    return clip_rows(sum_a, sum_b, k->bits);
}

/* `pairs` 0: as many as each pixel uses. */
static inline void four_rows(const oci_axis *axis, const uint8_t *src, size_t stride, uint8_t *dst,
                             size_t dst_stride, int pairs) {
    const taps k = {.first = axis->first,
                    .pair = axis->pair,
                    .pair_stride = (size_t)axis->pair_stride,
                    .half = _mm256_set1_epi32(1 << (axis->bits - 1)),
                    .bits = _mm_cvtsi32_si128(axis->bits)};
    const int *used = axis->used;
    const int last = axis->count - 1;
    for (int x = 0; x < last; x++, dst += 3) {
        int own = pairs > 0 ? pairs : (used[x] + 1) / 2;
        store_rows(weigh_rows(&k, x, src, stride, own), dst, dst_stride, 4);
    }
    int own = pairs > 0 ? pairs : (used[last] + 1) / 2;
    store_rows(weigh_rows(&k, last, src, stride, own), dst, dst_stride, 3);
}

/* The usual numbers of taps have loops of their own, without a branch that depends on the pixel:
 * its guesses would cost as much as the arithmetic. They may read 25 bytes too far. */
static void four_rows_by_taps(const oci_axis *axis, const uint8_t *src, size_t stride, uint8_t *dst,
                              size_t dst_stride) {
    switch ((axis->most + 1) / 2) {
    case 0:
    case 1:
    case 2:
        four_rows(axis, src, stride, dst, dst_stride, 2);
        break;
    case 3:
        four_rows(axis, src, stride, dst, dst_stride, 3);
        break;
    case 4:
        four_rows(axis, src, stride, dst, dst_stride, 4);
        break;
    default:
        four_rows(axis, src, stride, dst, dst_stride, 0);
    }
}

int oci_rows_horizontal3_fast(const oci_axis *axis, const uint8_t *src, size_t src_stride, int rows,
                              uint8_t *dst, size_t dst_stride) {
    int y = 0;
    for (; y + ROWS <= rows; y += ROWS, src += ROWS * src_stride, dst += ROWS * dst_stride)
        four_rows_by_taps(axis, src, src_stride, dst, dst_stride);
    return y;
}

/* ---- along y --------------------------------------------------------------------------------- */

enum { COLUMNS = 32 };

/* Sums of 32 columns; the groups of eight lie as unpacking within halves leaves them, and as
 * packing within halves takes them. */
typedef struct sums {
    __m256i a, b, c, d;
} sums;

static inline void add_two_rows(sums *s, const uint8_t *row, const uint8_t *next, __m256i weights) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i p = _mm256_loadu_si256((const __m256i *)row);
    __m256i q = _mm256_loadu_si256((const __m256i *)next);
    __m256i low = _mm256_unpacklo_epi8(p, q), high = _mm256_unpackhi_epi8(p, q);
    s->a = madd_add(s->a, _mm256_unpacklo_epi8(low, zero), weights);
    s->b = madd_add(s->b, _mm256_unpackhi_epi8(low, zero), weights);
    s->c = madd_add(s->c, _mm256_unpacklo_epi8(high, zero), weights);
    s->d = madd_add(s->d, _mm256_unpackhi_epi8(high, zero), weights);
}

static inline void store32(uint8_t *dst, const sums *s, __m128i bits) {
    __m256i ab = _mm256_packs_epi32(_mm256_sra_epi32(s->a, bits), _mm256_sra_epi32(s->b, bits));
    __m256i cd = _mm256_packs_epi32(_mm256_sra_epi32(s->c, bits), _mm256_sra_epi32(s->d, bits));
    _mm256_storeu_si256((__m256i *)dst, _mm256_packus_epi16(ab, cd));
}

/* The partner of an odd last row is that row itself, with weight 0. */
size_t oci_row_vertical_fast(const oci_axis *axis, int row, const uint8_t *src, size_t stride,
                             size_t count, uint8_t *dst) {
    const int32_t *pair = axis->pair + (size_t)row * (size_t)axis->pair_stride;
    const __m256i half = _mm256_set1_epi32(1 << (axis->bits - 1));
    const __m128i bits = _mm_cvtsi32_si128(axis->bits);
    const int used = axis->used[row];
    size_t x = 0;
    for (; x + COLUMNS <= count; x += COLUMNS) {
        const uint8_t *p = src + x;
        sums s = {half, half, half, half};
        for (int t = 0; t < used; t += 2, p += 2 * stride)
            add_two_rows(&s, p, t + 1 < used ? p + stride : p, _mm256_set1_epi32(pair[t / 2]));
        store32(dst + x, &s, bits);
    }
    return x;
}

/* ---- to floats ------------------------------------------------------------------------------- */

enum { PIXELS = 8, READ_PIXELS = 10 }; /* the second load reads 28 bytes from the first pixel on */

static inline void convert8(__m256i rgb, __m256i which, float scale, float offset, float *dst) {
    __m256 value = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(rgb, which));
    value = _mm256_add_ps(_mm256_mul_ps(value, _mm256_set1_ps(scale)), _mm256_set1_ps(offset));
    _mm256_storeu_ps(dst, value);
}

size_t oci_normalise3_fast(const uint8_t *rgb, size_t count, const float scale[3],
                           const float offset[3], float *const planes[3]) {
    const __m256i red = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1));
    const __m256i green = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1));
    const __m256i blue = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1));
    size_t i = 0;
    for (; i + READ_PIXELS <= count; i += PIXELS) {
        __m256i eight = load_pair(rgb + 3 * i, rgb + 3 * i + 12);
        convert8(eight, red, scale[0], offset[0], planes[0] + i);
        convert8(eight, green, scale[1], offset[1], planes[1] + i);
        convert8(eight, blue, scale[2], offset[2], planes[2] + i);
    }
    return i;
}
