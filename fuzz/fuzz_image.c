/* Fuzz target: the JPEG, PNG and WebP door. The first byte chooses the options, the rest is the
 * file. What decodes must be within the limits.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image.h"

enum { MAX_PIXELS = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    oc_image_clear(&out);
    oc_decoder_free(decoder);
    return 0;
}
