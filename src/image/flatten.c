/* Four channels to the one or three that were asked for: alpha over a background, CMYK to RGB,
 * colour to grey.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

/* a * b / 255, rounded to nearest, for a and b in 0..255. */
static uint32_t mul255(uint32_t a, uint32_t b) {
    uint32_t t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

int oci_wanted_channels(const oc_decode_options *options) {
    return options->channels == 1 ? 1 : 3;
}

static void put(const uint8_t rgb[3], int channels, uint8_t *dst) {
    if (channels == 1) {
        dst[0] = oci_luma(rgb);
        return;
    }
    for (int c = 0; c < 3; c++) dst[c] = rgb[c];
}

void oci_flatten_rgba(const uint8_t *rgba, size_t count, const oc_decode_options *options,
                      int channels, uint8_t *dst) {
    bool drop = options->alpha == OC_ALPHA_DROP;
    const uint8_t *background = options->background;
    for (size_t i = 0; i < count; i++, rgba += 4, dst += channels) {
        uint32_t a = drop ? 255 : rgba[3];
        uint8_t rgb[3];
        for (int c = 0; c < 3; c++) {
            uint32_t v = rgba[c] * a + background[c] * (255 - a) + 128;
            rgb[c] = (uint8_t)(((v >> 8) + v) >> 8);
        }
        put(rgb, channels, dst);
    }
}

void oci_flatten_cmyk(const uint8_t *cmyk, size_t count, int channels, uint8_t *dst) {
    for (size_t i = 0; i < count; i++, cmyk += 4, dst += channels) {
        uint32_t white = cmyk[3];
        uint8_t rgb[3];
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(white - mul255(255u - cmyk[c], white));
        put(rgb, channels, dst);
    }
}
