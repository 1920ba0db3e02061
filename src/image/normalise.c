/* Pixels to the floats a network eats. A table lookup, so that training and serving, and every
 * machine, see the same bits.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image.h"

void oc_norm_table_fill(oc_norm_table *table, int channels, bool bgr, float unit,
                        const float mean[3], const float std[3]) {
    *table = (oc_norm_table){.channels = channels, .bgr = bgr};
    for (int c = 0; c < channels && c < 3; c++)
        for (int v = 0; v < 256; v++) table->value[c][v] = ((float)v / unit - mean[c]) / std[c];
}

static void plane(const uint8_t *src, size_t step, size_t count, const float table[256],
                  float *dst) {
    for (size_t i = 0; i < count; i++) dst[i] = table[src[i * step]];
}

/* Three planes in one walk: each pixel is read once. */
static void planes3(const uint8_t *src, size_t count, const oc_norm_table *table, float *dst) {
    float *r = dst + (table->bgr ? 2 * count : 0);
    float *g = dst + count;
    float *b = dst + (table->bgr ? 0 : 2 * count);
    for (size_t i = 0; i < count; i++, src += 3) {
        r[i] = table->value[0][src[0]];
        g[i] = table->value[1][src[1]];
        b[i] = table->value[2][src[2]];
    }
}

void oc_image_normalise(const oc_image *img, const oc_norm_table *table, float *planes) {
    size_t count = (size_t)img->width * (size_t)img->height;
    OC_PROMISE(img->channels == table->channels);
    if (img->channels == 3) {
        planes3(img->pixels, count, table, planes);
        return;
    }
    for (int c = 0; c < img->channels; c++)
        plane(img->pixels + c, (size_t)img->channels, count, table->value[c],
              planes + (size_t)c * count);
}
