/* Made-up photos for comparisons: soft blobs of colour, so that every channel and place of a
 * network has something to do.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/verify/verify_int.h"

enum { BLOBS_ACROSS = 24, BLOBS_DOWN = 18, WIDTH = 320, HEIGHT = 240 };

static oc_status paint(oc_image *small, oc_image *out, uint32_t number, oc_error *err) {
    const oc_resize how = {.full_width = WIDTH, .full_height = HEIGHT, .filter = OC_FILTER_BICUBIC};
    oc_resizer resizer = {0};
    oc_rng rng;
    OC_TRY(oc_image_reserve(small, BLOBS_ACROSS, BLOBS_DOWN, 3, err));
    oc_rng_init(&rng, 1, OC_RNG_SYNTH, 0, number);
    for (int i = 0; i < BLOBS_ACROSS * BLOBS_DOWN * 3; i++)
        small->pixels[i] = (uint8_t)oc_rng_below(&rng, 256);
    oc_status status = oc_image_resize(&resizer, small, &how, out, err);
    oc_resizer_clear(&resizer);
    return status;
}

oc_status oci_golden_photo(uint32_t number, oc_buf *out, oc_error *err) {
    oc_image small = {0}, img = {0};
    oc_status status = paint(&small, &img, number, err);
    if (status == OC_OK) status = oc_encode_png(&img, out, err);
    oc_image_clear(&small);
    oc_image_clear(&img);
    return status;
}
