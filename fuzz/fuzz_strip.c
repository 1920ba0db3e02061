/* Taking metadata off: what comes out is the same kind of file, of the same size and orientation,
 * has nothing left to take off, and its pixels are those of what went in.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const oc_decode_options small = {
    .channels = 3, .limits = {.max_pixels = 1 << 16, .max_scans = 10, .max_seconds = 1}};

static void check_header(const uint8_t *bytes, size_t size, const oc_buf *out) {
    oc_image_info before, after;
    OC_PROMISE(oc_image_probe(bytes, size, NULL, &before, NULL) == OC_OK);
    if (oc_image_probe(out->data, out->size, NULL, &after, NULL) != OC_OK) return; /* was cut off */
    OC_PROMISE(before.format == after.format && before.orientation == after.orientation);
    OC_PROMISE(before.width == after.width && before.height == after.height);
}

/* libwebp reads beyond a chunk that is too short for its picture; such a picture breaks, or becomes
 * another one. (test_strip holds whole WebP files to their pixels.) */
static bool may_break(const uint8_t *bytes, size_t size) {
    oc_image_info info;
    return oc_image_probe(bytes, size, NULL, &info, NULL) == OC_OK && info.format == OC_FORMAT_WEBP;
}

static void check_pixels(const uint8_t *bytes, size_t size, const oc_buf *out) {
    oc_decoder *decoder = NULL;
    oc_image before = {0}, after = {0};
    if (oc_decoder_new(&decoder, NULL) != OC_OK) return;
    if (oc_decode(decoder, bytes, size, &small, &before, NULL, NULL) == OC_OK) {
        bool good = oc_decode(decoder, out->data, out->size, &small, &after, NULL, NULL) == OC_OK;
        bool whole = !may_break(bytes, size);
        OC_PROMISE(good || !whole);
        OC_PROMISE(!good || (before.width == after.width && before.height == after.height));
        OC_PROMISE(!good || !whole ||
                   memcmp(before.pixels, after.pixels,
                          (size_t)before.width * (size_t)before.height * 3) == 0);
    }
    oc_image_clear(&before);
    oc_image_clear(&after);
    oc_decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    oc_buf out = {0}, again = {0};
    if (oc_image_strip(bytes, size, &out, NULL) == OC_OK) {
        check_header(bytes, size, &out);
        check_pixels(bytes, size, &out);
        if (oc_image_strip(out.data, out.size, &again, NULL) == OC_OK)
            OC_PROMISE(again.size == out.size && memcmp(again.data, out.data, out.size) == 0);
    }
    oc_buf_clear(&out);
    oc_buf_clear(&again);
    return 0;
}
