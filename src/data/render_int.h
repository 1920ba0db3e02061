/* The renderer from inside: what render.c and form.c share.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_RENDER_INT_H
#define OC_DATA_RENDER_INT_H

#include "data/store_int.h"

struct oc_renderer {
    oc_recipe recipe;
    oc_image_limits limits;
    oc_norm_table table;
    oc_decoder *decoder;
    oc_resizer resizer;
    const oci_store *store; /* that photos are read from; NULL = from files */
    bool trusts;            /* files were decoded whole before */
    oc_image decoded, sized, rotated;
    oc_image kept; /* a photo in the form that is kept */
    char *bytes;   /* of the file, kept between calls */
    size_t capacity;
    double reading; /* seconds spent on reading files so far */
};

/* Pixels of (a part of) a picture that is width x height in full, as displayed. */
typedef struct oci_source {
    const oc_image *pixels;
    oc_place place; /* of the pixels, in the picture at their scale */
    int width, height;
} oci_source;

/* The view of the recipe, or of what was drawn. */
OC_MUST_CHECK oc_status oci_choose_view(const oc_recipe *recipe, int width, int height,
                                        const oci_draws *draws, oci_view *view, oc_error *err);
/* Decode at the scale that suffices for width x height pixels of the whole picture; of it `part`
 * (width 0: all). */
OC_MUST_CHECK oc_status oci_decode_at(oc_renderer *r, const void *bytes, size_t size, int width,
                                      int height, oc_region part, oc_place *place, oc_error *err);
/* The same for what a view needs of the picture. */
OC_MUST_CHECK oc_status oci_decode_view(oc_renderer *r, const void *bytes, size_t size,
                                        const oc_image_info *info, const oci_view *view,
                                        oc_place *place, oc_error *err);
OC_MUST_CHECK oc_status oci_resize_view(oc_renderer *r, const oci_source *source,
                                        const oci_view *view, bool flip, oc_image *dst,
                                        oc_error *err);
/* From r->sized on: colour, rotation, normalise, erase. draws may be NULL. */
OC_MUST_CHECK oc_status oci_finish_render(oc_renderer *r, const oci_draws *draws, float *planes,
                                          oc_error *err);
/* The file's bytes into r->bytes. */
OC_MUST_CHECK oc_status oci_read_photo(oc_renderer *r, const char *path, size_t *size,
                                       oc_error *err);
/* Buffers are kept from photo to photo, but one giant shall not fill the memory for the rest of a
 * run. */
void oci_let_go_of_giants(oc_renderer *r);

#endif
