/* Fuzz target: the JPEG, PNG and WebP door. The first byte chooses the options, the rest is the
 * file. What decodes must be within the limits; a part of it must be refused or have the pixels of
 * the whole, as the whole is refused or not.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "image/image.h"

enum { MAX_PIXELS = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A part that depends on the first byte and the picture. */
static oc_region choose_part(uint8_t byte, const oc_image_info *info) {
    oc_region part = {.x = info->width * (byte >> 3 & 3) / 5, .y = info->height * (byte >> 5) / 9};
    part.width = (info->width - part.x + 1) / 2;
    part.height = (info->height - part.y + 1) / 2;
    return part;
}

/* One row of the part; it is at full size. */
static void check_row(const oc_image *whole, const oc_image *out, const oc_place *place,
                      const oc_region *part, int y) {
    size_t channels = (size_t)whole->channels;
    size_t from = (size_t)y * (size_t)whole->width + (size_t)part->x;
    size_t to = (size_t)(y - place->y) * (size_t)out->width + (size_t)(part->x - place->x);
    OC_PROMISE(memcmp(whole->pixels + from * channels, out->pixels + to * channels,
                      (size_t)part->width * channels) == 0);
}

static void check_part(oc_decoder *decoder, const uint8_t *bytes, size_t size,
                       oc_decode_options options, oc_status wanted, const oc_image *whole) {
    oc_image out = {0};
    oc_place place;
    oc_error err = {0};
    oc_status status = oc_decode_part(decoder, bytes, size, &options, &out, &place, &err);
    OC_PROMISE(status == wanted || status == OC_ELIMIT || wanted == OC_ELIMIT);
    bool full = options.min_width == 0;
    for (int y = 0; status == OC_OK && wanted == OC_OK && full && y < options.part.height; y++)
        check_row(whole, &out, &place, &options.part, options.part.y + y);
    oc_image_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    oc_decode_options options = {
        .channels = data[0] & 1 ? 1 : 3,
        .alpha = data[0] & 2 ? OC_ALPHA_DROP : OC_ALPHA_COMPOSITE,
        .min_width = data[0] & 4 ? 16 : 0,
        .min_height = data[0] & 4 ? 16 : 0,
        .limits = {.max_pixels = MAX_PIXELS, .max_seconds = 5},
    };
    oc_decoder *decoder = NULL;
    oc_image out = {0};
    oc_image_info info;
    oc_error err = {0};
    if (oc_decoder_new(&decoder, &err) != OC_OK) return 0;
    oc_status status = oc_decode(decoder, data + 1, size - 1, &options, &out, &info, &err);
    OC_PROMISE(status != OC_OK || (size_t)out.width * (size_t)out.height <= MAX_PIXELS);
    OC_PROMISE(status != OC_OK || out.channels == options.channels);
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    if (oc_image_probe(data + 1, size - 1, &options.limits, &info, NULL) == OC_OK) {
        options.part = choose_part(data[0], &info);
        check_part(decoder, data + 1, size - 1, options, status, &out);
    }
    oc_image_clear(&out);
    oc_decoder_free(decoder);
    return 0;
}
