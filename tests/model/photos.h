/* Small JPEG files of one colour each, for the tests of prediction and evaluation.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_PHOTOS_H
#define OC_TESTS_PHOTOS_H

#include "../check.h"

#include "image/image.h"

/* A width x height JPEG of the colour, behind what out holds. */
static inline void photo_bytes(oc_buf *out, int width, int height, uint8_t r, uint8_t g,
                               uint8_t b) {
    oc_image img = {0};
    oc_error err = {0};
    check_ok(oc_image_reserve(&img, width, height, 3, &err), err);
    for (int i = 0; i < width * height; i++) {
        img.pixels[3 * i] = r;
        img.pixels[3 * i + 1] = g;
        img.pixels[3 * i + 2] = b;
    }
    check_ok(oc_encode_jpeg(&img, 90, out, &err), err);
    oc_image_clear(&img);
}

static inline void photo_file(const char *path, int width, int height, uint8_t r, uint8_t g,
                              uint8_t b) {
    oc_buf bytes = {0};
    oc_error err = {0};
    photo_bytes(&bytes, width, height, r, g, b);
    check_ok(oc_file_write(path, bytes.data, bytes.size, &err), err);
    oc_buf_clear(&bytes);
}

#endif
