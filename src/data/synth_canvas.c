/* A square of linear light to draw made-up pictures on, and its way to 8-bit pixels.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "synth_int.h"

oci_colour oci_mix(oci_colour a, oci_colour b, float share) {
    return (oci_colour){a.r + share * (b.r - a.r), a.g + share * (b.g - a.g),
                        a.b + share * (b.b - a.b)};
}

oci_colour oci_scale(oci_colour c, float factor) {
    return (oci_colour){c.r * factor, c.g * factor, c.b * factor};
}

oci_colour oci_vary(oci_colour c, oc_rng *rng, float amount) {
    c.r *= oc_rng_between(rng, 1 - amount, 1 + amount);
    c.g *= oc_rng_between(rng, 1 - amount, 1 + amount);
    c.b *= oc_rng_between(rng, 1 - amount, 1 + amount);
    return c;
}

float oci_smooth(float from, float to, float x) {
    float t = (x - from) / (to - from);
    if (t <= 0) return 0;
    if (t >= 1) return 1;
    return t * t * (3 - 2 * t);
}

float oci_cover(float d, float soft) {
    return 1 - oci_smooth(-soft, soft, d);
}

oc_status oci_canvas_init(oci_canvas *canvas, int size, oc_error *err) {
    size_t side = (size_t)size;
    *canvas = (oci_canvas){.size = size};
    canvas->rgb = oc_calloc(side * side * 3, sizeof(float));
    canvas->row = oc_calloc(side * 3, sizeof(float));
    if (canvas->rgb && canvas->row) return OC_OK;
    oci_canvas_clear(canvas);
    return oc_fail_nomem(err, side * side * 3 * sizeof(float), "a canvas");
}

void oci_canvas_clear(oci_canvas *canvas) {
    oc_free(canvas->rgb);
    oc_free(canvas->row);
    *canvas = (oci_canvas){0};
}

static float *pixel(const oci_canvas *canvas, int x, int y) {
    return canvas->rgb + 3 * ((size_t)y * (size_t)canvas->size + (size_t)x);
}

void oci_canvas_blend(oci_canvas *canvas, int x, int y, oci_colour c, float alpha) {
    float *p = pixel(canvas, x, y);
    p[0] += alpha * (c.r - p[0]);
    p[1] += alpha * (c.g - p[1]);
    p[2] += alpha * (c.b - p[2]);
}

enum { MAX_TAPS = 65 };

/* One line of `count` pixels, `step` floats apart, through the kernel. */
static void blur_line(const oci_canvas *canvas, float *line, size_t step, const float *kernel,
                      int reach) {
    int size = canvas->size;
    for (int i = 0; i < size; i++) {
        float sum[3] = {0, 0, 0};
        for (int k = -reach; k <= reach; k++) {
            int at = i + k < 0 ? 0 : i + k >= size ? size - 1 : i + k;
            const float *p = line + (size_t)at * step;
            for (int c = 0; c < 3; c++) sum[c] += kernel[k + reach] * p[c];
        }
        memcpy(canvas->row + 3 * i, sum, sizeof sum);
    }
    for (int i = 0; i < size; i++)
        memcpy(line + (size_t)i * step, canvas->row + 3 * i, 3 * sizeof(float));
}

void oci_canvas_blur(oci_canvas *canvas, float sigma) {
    if (sigma < 0.1f) return;
    float kernel[MAX_TAPS], sum = 0;
    int reach = (int)ceilf(2.5f * sigma);
    if (reach > MAX_TAPS / 2) reach = MAX_TAPS / 2;
    for (int k = -reach; k <= reach; k++)
        sum += kernel[k + reach] = expf(-0.5f * (float)(k * k) / (sigma * sigma));
    for (int k = 0; k <= 2 * reach; k++) kernel[k] /= sum;
    for (int i = 0; i < canvas->size; i++) blur_line(canvas, pixel(canvas, 0, i), 3, kernel, reach);
    for (int i = 0; i < canvas->size; i++)
        blur_line(canvas, pixel(canvas, i, 0), 3 * (size_t)canvas->size, kernel, reach);
}

/* The sRGB curve (IEC 61966-2-1). */
static float srgb(float linear) {
    if (linear <= 0.0031308f) return 12.92f * linear;
    return 1.055f * powf(linear, 1 / 2.4f) - 0.055f;
}

oc_status oci_canvas_develop(oci_canvas *canvas, oc_rng *rng, oc_image *out, oc_error *err) {
    int size = canvas->size;
    OC_TRY(oc_image_reserve(out, size, size, 3, err));
    float exposure = oc_rng_between(rng, 0.62f, 1.30f), warmth = oc_rng_between(rng, -0.10f, 0.10f);
    float gain[3] = {exposure * (1 + warmth), exposure, exposure * (1 - warmth)};
    float vignette = oc_rng_between(rng, 0.0f, 0.45f), grain = oc_rng_between(rng, 0.004f, 0.028f);
    float half = 0.5f * (float)size;
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            const float *p = pixel(canvas, x, y);
            float dx = ((float)x + 0.5f - half) / half, dy = ((float)y + 0.5f - half) / half;
            float fall = 1 - vignette * 0.5f * (dx * dx + dy * dy);
            uint8_t *q = out->pixels + 3 * ((size_t)y * (size_t)size + (size_t)x);
            for (int c = 0; c < 3; c++) {
                float v = srgb(p[c] * gain[c] * fall) + grain * oc_rng_normal(rng);
                q[c] = (uint8_t)(v <= 0 ? 0 : v >= 1 ? 255 : v * 255 + 0.5f);
            }
        }
    }
    return OC_OK;
}
