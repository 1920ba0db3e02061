/* Small squares of photos, for people to look at: the centre of each, upright.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/train_int.h"

enum { PHOTO_BYTES = 256 << 20 };

void oci_thumbnails_clear(oci_thumbnails *t) {
    oc_decoder_free(t->decoder);
    oc_resizer_clear(&t->resizer);
    oc_image_clear(&t->full);
    oc_image_clear(&t->photo);
    oc_free(t->bytes);
}

oc_status oci_thumbnails_make(oci_thumbnails *t, const char *path, int side, oc_error *err) {
    const oc_decode_options options = {
        .background = {255, 255, 255}, .min_width = side, .min_height = side};
    oc_resize how = {.full_width = side, .full_height = side, .filter = OC_FILTER_BICUBIC};
    size_t size = 0;
    if (t->decoder == NULL) OC_TRY(oc_decoder_new(&t->decoder, err));
    OC_TRY(oc_file_read_into(path, PHOTO_BYTES, &t->bytes, &t->capacity, &size, err));
    OC_TRY(oc_decode(t->decoder, t->bytes, size, &options, &t->full, NULL, err));
    double width = t->full.width, height = t->full.height;
    how.box_width = how.box_height = width < height ? width : height;
    how.box_x = (width - how.box_width) / 2;
    how.box_y = (height - how.box_height) / 2;
    return oc_image_resize(&t->resizer, &t->full, &how, &t->photo, err);
}
