/* Pixels to the floats a network eats: value * scale + offset, rounded after each, so that training
 * and serving, and every machine, see the same bits.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

/* Two statements, so that no compiler makes one rounding of it. */
static float apply(float scale, float offset, int pixel) {
    float product = (float)pixel * scale;
    return product + offset;
}

void oc_norm_table_fill(oc_norm_table *table, int channels, bool bgr, float unit,
                        const float mean[3], const float std[3]) {
    *table = (oc_norm_table){.channels = channels, .bgr = bgr};
    for (int c = 0; c < channels && c < 3; c++) {
        table->scale[c] = (float)(1 / ((double)unit * (double)std[c]));
        table->offset[c] = (float)(-(double)mean[c] / (double)std[c]);
        for (int v = 0; v < 256; v++)
            table->value[c][v] = apply(table->scale[c], table->offset[c], v);
    }
}

static void plane(const uint8_t *src, size_t step, size_t count, const float table[256],
                  float *dst) {
    for (size_t i = 0; i < count; i++) dst[i] = table[src[i * step]];
}

/* Three planes in one walk: each pixel is read once. */
static void planes3(const uint8_t *src, size_t count, const oc_norm_table *table, float *dst) {
    float *const planes[3] = {dst + (table->bgr ? 2 * count : 0), dst + count,
                              dst + (table->bgr ? 0 : 2 * count)};
    size_t i = 0;
    if (oci_resize_is_fast())
        i = oci_normalise3_fast(src, count, table->scale, table->offset, planes);
    for (src += 3 * i; i < count; i++, src += 3)
        for (int c = 0; c < 3; c++) planes[c][i] = table->value[c][src[c]];
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
