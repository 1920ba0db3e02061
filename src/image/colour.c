/* Colour changes for augmentation, in place on 8-bit RGB, defined as torchvision's ColorJitter does
 * on 8-bit images: a blend between the image and a degenerate one (black, its mean grey, its own
 * luma), cut off towards zero; hue by way of 8-bit HSV.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <math.h>
#include <string.h>

static size_t pixel_count(const oc_image *img) {
    return (size_t)img->width * (size_t)img->height;
}

/* degenerate + factor * (value - degenerate), cut to 0..255. */
static inline uint8_t blend(int degenerate, int value, float factor) {
    float v = (float)degenerate + factor * (float)(value - degenerate);
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : (int)v);
}

/* Every sample blended with the same degenerate value. */
static void blend_constant(oc_image *img, int degenerate, float factor) {
    uint8_t table[256];
    size_t samples = pixel_count(img) * (size_t)img->channels;
    for (int v = 0; v < 256; v++) table[v] = blend(degenerate, v, factor);
    for (size_t i = 0; i < samples; i++) img->pixels[i] = table[img->pixels[i]];
}

static uint8_t luma_at(const oc_image *img, size_t pixel) {
    const uint8_t *p = img->pixels + pixel * (size_t)img->channels;
    return img->channels >= 3 ? oci_luma(p) : p[0];
}

static int mean_luma(const oc_image *img) {
    size_t count = pixel_count(img);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += luma_at(img, i);
    return count ? (int)((double)sum / (double)count + 0.5) : 0;
}

void oc_image_adjust_brightness(oc_image *img, float factor) {
    blend_constant(img, 0, factor);
}

void oc_image_adjust_contrast(oc_image *img, float factor) {
    blend_constant(img, mean_luma(img), factor);
}

void oc_image_adjust_saturation(oc_image *img, float factor) {
    if (img->channels != 3) return;
    size_t count = pixel_count(img);
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = img->pixels + i * 3;
        int grey = oci_luma(p);
        for (int c = 0; c < 3; c++) p[c] = blend(grey, p[c], factor);
    }
}

/* ---- hue ------------------------------------------------------------------------------------- */

static int max3(int a, int b, int c) {
    int m = a > b ? a : b;
    return m > c ? m : c;
}

static int min3(int a, int b, int c) {
    int m = a < b ? a : b;
    return m < c ? m : c;
}

/* Hexcone model (Smith, "Color gamut transform pairs", 1978), hue and saturation in 0..255. */
static void to_hsv(const uint8_t rgb[3], uint8_t hsv[3]) {
    int high = max3(rgb[0], rgb[1], rgb[2]);
    int range = high - min3(rgb[0], rgb[1], rgb[2]);
    memset(hsv, 0, 2);
    hsv[2] = (uint8_t)high;
    if (range == 0) return;
    float r = (float)(high - rgb[0]) / (float)range;
    float g = (float)(high - rgb[1]) / (float)range;
    float b = (float)(high - rgb[2]) / (float)range;
    float sector = rgb[0] == high ? b - g : rgb[1] == high ? 2 + r - b : 4 + g - r;
    float turns = sector / 6;
    turns -= floorf(turns);
    hsv[0] = (uint8_t)(turns * 255);
    hsv[1] = (uint8_t)((float)range / (float)high * 255);
}

static uint8_t part(float value, float share) {
    float v = floorf(value * (1 - share) + 0.5f);
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void from_hsv(const uint8_t hsv[3], uint8_t rgb[3]) {
    float value = hsv[2], saturation = (float)hsv[1] / 255;
    float sector = (float)hsv[0] * 6 / 255;
    int i = (int)sector;
    float f = sector - (float)i;
    uint8_t v = hsv[2], p = part(value, saturation), q = part(value, saturation * f),
            t = part(value, saturation * (1 - f));
    const uint8_t sextants[6][3] = {{v, t, p}, {q, v, p}, {p, v, t},
                                    {p, q, v}, {t, p, v}, {v, p, q}};
    memcpy(rgb, sextants[i % 6], 3);
}

void oc_image_adjust_hue(oc_image *img, float turns) {
    if (img->channels != 3) return;
    size_t count = pixel_count(img);
    int shift = (int)(turns * 255);
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = img->pixels + i * 3;
        uint8_t hsv[3];
        to_hsv(p, hsv);
        hsv[0] = (uint8_t)(hsv[0] + shift);
        from_hsv(hsv, p);
    }
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
