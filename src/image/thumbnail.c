/* Small squares of photos, for people to look at: reports, TensorBoard.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

enum { FILE_BYTES = 256 << 20 };

static oc_status read_photo(oc_thumbnailer *t, const char *path, int side, oc_error *err) {
    const oc_decode_options options = {
        .background = {255, 255, 255}, .min_width = side, .min_height = side};
    size_t size = 0;
    OC_TRY(oc_file_read_into(path, FILE_BYTES, &t->bytes, &t->capacity, &size, err));
    if (t->decoder == NULL) OC_TRY(oc_decoder_new(&t->decoder, err));
    return oc_decode(t->decoder, t->bytes, size, &options, &t->full, NULL, err);
}

oc_status oc_thumbnail(oc_thumbnailer *t, const char *path, int side, oc_image *out,
                       oc_error *err) {
    OC_TRY(read_photo(t, path, side, err));
    double width = t->full.width, height = t->full.height;
    double box = width < height ? width : height;
    const oc_resize how = {.box_x = (width - box) / 2,
                           .box_y = (height - box) / 2,
                           .box_width = box,
                           .box_height = box,
                           .full_width = side,
                           .full_height = side,
                           .filter = OC_FILTER_BICUBIC};
    return oc_image_resize(&t->resizer, &t->full, &how, out, err);
}

void oc_thumbnailer_clear(oc_thumbnailer *t) {
    oc_decoder_free(t->decoder);
    oc_resizer_clear(&t->resizer);
    oc_image_clear(&t->full);
    oc_free(t->bytes);
    *t = (oc_thumbnailer){0};
}
