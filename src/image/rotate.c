/* Small rotations for augmentation: bilinear, same size, outside filled.
 *
 * Each destination pixel is looked up in the source by the inverse rotation about the centre, in
 * fixed point with 16 fractional bits, so that every machine makes the same pixels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <math.h>

enum { FRACTION = 16, WEIGHT = 8, ONE = 1 << WEIGHT };

/* A source position along one axis: the pixel at or below, its neighbour inside the image, and the
 * neighbour's weight in 0..ONE. */
typedef struct tap {
    int near, far;
    uint32_t weight;
} tap;

/* `at` is the position of a pixel centre; false when it lies outside. */
static bool find_tap(int64_t at, int limit, tap *out) {
    if (at < -(1 << (FRACTION - 1)) || at >= ((int64_t)limit << FRACTION) - (1 << (FRACTION - 1)))
        return false;
    int64_t pixel = at >> FRACTION;
    out->near = pixel < 0 ? 0 : (int)pixel;
    out->far = pixel + 1 < limit ? (int)pixel + 1 : limit - 1;
    out->weight = (uint32_t)(at >> (FRACTION - WEIGHT)) & (ONE - 1);
    return true;
}

static void mix(const oc_image *src, tap x, tap y, uint8_t *dst) {
    size_t channels = (size_t)src->channels, width = (size_t)src->width;
    const uint8_t *top = src->pixels + (size_t)y.near * width * channels;
    const uint8_t *bottom = src->pixels + (size_t)y.far * width * channels;
    size_t left = (size_t)x.near * channels, right = (size_t)x.far * channels;
    for (size_t c = 0; c < channels; c++) {
        uint32_t up = top[left + c] * (ONE - x.weight) + top[right + c] * x.weight;
        uint32_t down = bottom[left + c] * (ONE - x.weight) + bottom[right + c] * x.weight;
        dst[c] =
            (uint8_t)((up * (ONE - y.weight) + down * y.weight + (ONE * ONE) / 2) / (ONE * ONE));
    }
}

static int64_t to_fixed(double v) {
    return (int64_t)floor(v * (1 << FRACTION) + 0.5);
}

static void rotate_row(const oc_image *src, double sine, double cosine, int y, const uint8_t *fill,
                       uint8_t *dst) {
    double dx = 0.5 - src->width / 2.0, dy = y + 0.5 - src->height / 2.0;
    int64_t at_x = to_fixed(dx * cosine - dy * sine + src->width / 2.0 - 0.5);
    int64_t at_y = to_fixed(dx * sine + dy * cosine + src->height / 2.0 - 0.5);
    int64_t step_x = to_fixed(cosine), step_y = to_fixed(sine);
    for (int x = 0; x < src->width; x++, dst += src->channels) {
        tap across, down;
        if (find_tap(at_x, src->width, &across) && find_tap(at_y, src->height, &down))
            mix(src, across, down, dst);
        else
            for (int c = 0; c < src->channels; c++) dst[c] = fill[c < 3 ? c : 2];
        at_x += step_x;
        at_y += step_y;
    }
}

oc_status oc_image_rotate(const oc_image *src, float degrees, const uint8_t fill[3], oc_image *dst,
                          oc_error *err) {
    static const double degree = 3.14159265358979323846 / 180;
    if (!src->pixels) return oc_fail(err, OC_EUSAGE, "rotation of an empty image");
    if (!isfinite(degrees))
        return oc_fail(err, OC_EUSAGE, "rotation by %g degrees: must be finite", (double)degrees);
    OC_PROMISE(src != dst);
    OC_TRY(oc_image_reserve(dst, src->width, src->height, src->channels, err));
    double sine = sin(degrees * degree), cosine = cos(degrees * degree);
    size_t stride = (size_t)src->width * (size_t)src->channels;
    for (int y = 0; y < src->height; y++)
        rotate_row(src, sine, cosine, y, fill, dst->pixels + (size_t)y * stride);
    return OC_OK;
}
