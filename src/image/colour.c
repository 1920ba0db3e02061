/* Colour changes for augmentation, in place on 8-bit RGB, defined as torchvision's ColorJitter does
 * on 8-bit images: a blend between the image and a degenerate one (black, its mean grey, its own
 * luma), cut off towards zero; hue by way of 8-bit HSV.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

static size_t pixel_count(const oc_image *img) {
    return (size_t)img->width * (size_t)img->height;
}

/* degenerate + factor * (value - degenerate), cut to 0..255. */
static inline uint8_t blend(int degenerate, int value, float factor) {
    float v = (float)degenerate + factor * (float)(value - degenerate);
    v = v > 0 ? v : 0;
    return (uint8_t)(int)(v < 255 ? v : 255);
}

/* Every sample blended with the same degenerate value. */
static void blend_constant(oc_image *img, int degenerate, float factor) {
    uint8_t table[256];
    size_t samples = pixel_count(img) * (size_t)img->channels;
    for (int v = 0; v < 256; v++) table[v] = blend(degenerate, v, factor);
    for (size_t i = 0; i < samples; i++) img->pixels[i] = table[img->pixels[i]];
}

OC_SIMD static uint64_t sum_luma(const uint8_t *rgb, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += oci_luma(rgb + 3 * i);
    return sum;
}

static uint64_t sum_samples(const uint8_t *grey, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += grey[i];
    return sum;
}

static int mean_luma(const oc_image *img) {
    size_t count = pixel_count(img);
    uint64_t sum =
        img->channels == 3 ? sum_luma(img->pixels, count) : sum_samples(img->pixels, count);
    return (int)((double)sum / (double)(count ? count : 1) + 0.5);
}

void oc_image_adjust_brightness(oc_image *img, float factor) {
    blend_constant(img, 0, factor);
}

void oc_image_adjust_contrast(oc_image *img, float factor) {
    if (img->channels != 1 && img->channels != 3) return;
    blend_constant(img, mean_luma(img), factor);
}

OC_SIMD static void saturate(uint8_t *rgb, size_t count, float factor) {
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = rgb + 3 * i;
        int grey = oci_luma(p);
        uint8_t r = blend(grey, p[0], factor), g = blend(grey, p[1], factor);
        uint8_t b = blend(grey, p[2], factor);
        p[0] = r;
        p[1] = g;
        p[2] = b;
    }
}

void oc_image_adjust_saturation(oc_image *img, float factor) {
    if (img->channels == 3) saturate(img->pixels, pixel_count(img), factor);
}

/* ---- hue ------------------------------------------------------------------------------------- */

/* The hexcone model (Smith, "Color gamut transform pairs", 1978) with hue, saturation and value in
 * 0..255, the first two cut to integers. Without branches, so that it vectorises. */
static inline void to_hsv(float r, float g, float b, int *hue, float *saturation, float *value) {
    float high = r > g ? r : g, low = r < g ? r : g;
    high = high > b ? high : b;
    low = low < b ? low : b;
    float range = high - low;
    float scale = range > 0 ? range : 1;
    float to_r = (high - r) / scale, to_g = (high - g) / scale, to_b = (high - b) / scale;
    float sector = g == high ? 2 + to_r - to_b : 4 + to_g - to_r;
    sector = r == high ? to_b - to_g : sector;
    float turns = sector / 6;
    turns = turns < 0 ? turns + 1 : turns;
    *hue = range > 0 ? (int)(turns * 255) : 0;
    *saturation = (float)(int)(range / (high > 0 ? high : 1) * 255);
    *value = high;
}

/* One primary: `offset` sextants from its peak, it falls from value to value * (1 - saturation),
 * stays there, and rises again. */
static inline uint8_t primary(float sector, float offset, float saturation, float value) {
    float k = sector + offset;
    k = k >= 6 ? k - 6 : k;
    float share = k < 4 - k ? k : 4 - k;
    share = share > 0 ? share : 0;
    share = share < 1 ? share : 1;
    return (uint8_t)(int)(value * (1 - saturation * share) + 0.5f);
}

OC_SIMD static void shift_hue(uint8_t *rgb, size_t count, int shift) {
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = rgb + 3 * i;
        int hue;
        float saturation, value;
        to_hsv(p[0], p[1], p[2], &hue, &saturation, &value);
        float sector = (float)((hue + shift) & 255) * 6 / 255;
        sector = sector < 6 ? sector : 0;
        uint8_t r = primary(sector, 5, saturation / 255, value);
        uint8_t g = primary(sector, 3, saturation / 255, value);
        uint8_t b = primary(sector, 1, saturation / 255, value);
        p[0] = r;
        p[1] = g;
        p[2] = b;
    }
}

void oc_image_adjust_hue(oc_image *img, float turns) {
    if (img->channels == 3) shift_hue(img->pixels, pixel_count(img), (int)(turns * 255) & 255);
}

/* ---- mirror ---------------------------------------------------------------------------------- */

static void flip_row(uint8_t *row, int width, size_t channels) {
    uint8_t *left = row, *right = row + (size_t)(width - 1) * channels;
    for (; left < right; left += channels, right -= channels) {
        uint8_t kept[4];
        memcpy(kept, left, channels);
        memcpy(left, right, channels);
        memcpy(right, kept, channels);
    }
}

void oc_image_flip(oc_image *img) {
    size_t stride = (size_t)img->width * (size_t)img->channels;
    for (int y = 0; y < img->height; y++)
        flip_row(img->pixels + (size_t)y * stride, img->width, (size_t)img->channels);
}
