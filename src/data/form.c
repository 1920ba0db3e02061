/* The form in which a decoded photo is kept for later epochs, and the way from it to the network's
 * input.
 *
 * Where crops are drawn, the form is the whole picture, its shorter side just so long that the
 * smallest crop still has the input's pixels: input side / sqrt(smallest share of the area). Where
 * none are drawn it is the input itself, before mirroring and colour; where a window is drawn, the
 * resized picture that it is cut from. The first is resampled once
 * more than a photo that is decoded for its crop alone (a little softer); the others give the same
 * pixels. In all cases every item goes by its form, whether it is kept or not, so that what a run
 * sees does not depend on what there was room for.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "data/photo_cache_int.h"
#include "data/render_int.h"

oci_form oci_form_of(const oc_recipe *recipe, const oc_augment *augment) {
    oci_form form = {.side = 0};
    if (augment == NULL) return form;
    form.resized = augment->crop_shift && !oci_crops(augment, recipe);
    if (!oci_crops(augment, recipe)) return form;
    int larger = recipe->width > recipe->height ? recipe->width : recipe->height;
    form.side = (int)ceil(larger / sqrt((double)augment->crop_area_min));
    return form;
}

void oci_form_size(const oci_form *form, const oc_recipe *recipe, int width, int height,
                   int *form_width, int *form_height) {
    int shorter = width < height ? width : height;
    oci_view view;
    if (form->resized && oci_view_of(recipe, width, height, &view)) {
        *form_width = view.full_width;
        *form_height = view.full_height;
        return;
    }
    *form_width = form->side == 0 ? recipe->width : width;
    *form_height = form->side == 0 ? recipe->height : height;
    if (form->side == 0 || shorter <= form->side) return;
    *form_width = (int)rint((double)width * form->side / shorter);
    *form_height = (int)rint((double)height * form->side / shorter);
}

/* ---- to the form ----------------------------------------------------------------------------- */

/* The whole picture in the form's size. */
static oc_status shrink(oc_renderer *r, const oci_form *form, const void *bytes, size_t size,
                        const oc_image_info *info, oc_error *err) {
    int width = 0, height = 0;
    oc_place place;
    oci_form_size(form, &r->recipe, info->width, info->height, &width, &height);
    int least_width = width < info->width ? width : info->width;
    int least_height = height < info->height ? height : info->height;
    OC_TRY(oci_decode_at(r, bytes, size, least_width, least_height, (oc_region){0}, &place, err));
    oc_resize how = {.full_width = width, .full_height = height, .filter = r->recipe.filter};
    return oc_image_resize(&r->resizer, &r->decoded, &how, &r->kept, err);
}

static oc_status make_input(oc_renderer *r, const void *bytes, size_t size,
                            const oc_image_info *info, const oci_view *view, oc_error *err) {
    oci_source source = {.pixels = &r->decoded, .width = info->width, .height = info->height};
    OC_TRY(oci_decode_view(r, bytes, size, info, view, &source.place, err));
    return oci_resize_view(r, &source, view, false, &r->kept, err);
}

oc_status oci_form_make(oc_renderer *r, const oci_form *form, const void *bytes, size_t size,
                        oci_kept *out, oc_error *err) {
    oc_image_info info;
    oci_view view;
    OC_TRY(oc_image_probe(bytes, size, &r->limits, &info, err));
    OC_TRY(oci_choose_view(&r->recipe, info.width, info.height, NULL, &view, err));
    bool input = form->side == 0 && !form->resized;
    OC_TRY(input ? make_input(r, bytes, size, &info, &view, err)
                 : shrink(r, form, bytes, size, &info, err));
    *out = (oci_kept){.pixels = r->kept.pixels, .width = info.width, .height = info.height};
    return OC_OK;
}

/* ---- from the form --------------------------------------------------------------------------- */

/* Borrowed pixels as an image. They are only read. */
static oc_image as_image(const oc_renderer *r, const oci_form *form, const oci_kept *kept) {
    oc_image img = {.pixels = (uint8_t *)(uintptr_t)kept->pixels, .channels = r->recipe.channels};
    oci_form_size(form, &r->recipe, kept->width, kept->height, &img.width, &img.height);
    return img;
}

static oc_status crop_form(oc_renderer *r, const oc_image *img, const oci_kept *kept,
                           const oci_draws *draws, oc_error *err) {
    oci_view view;
    oci_source source = {.pixels = img,
                         .place = {.width = img->width, .height = img->height},
                         .width = kept->width,
                         .height = kept->height};
    OC_TRY(oci_choose_view(&r->recipe, kept->width, kept->height, draws, &view, err));
    return oci_resize_view(r, &source, &view, draws->flip, &r->sized, err);
}

/* The input's window of the form; all of it where the form is the input. */
static oc_status cut_input(oc_renderer *r, const oci_form *form, const oc_image *img,
                           const oci_kept *kept, const oci_draws *draws, oc_error *err) {
    oci_view view = {.x = 0};
    const oc_recipe *recipe = &r->recipe;
    size_t pixel = (size_t)img->channels, row = pixel * (size_t)recipe->width;
    if (form->resized)
        OC_TRY(oci_choose_view(recipe, kept->width, kept->height, draws, &view, err));
    OC_TRY(oc_image_reserve(&r->sized, recipe->width, recipe->height, img->channels, err));
    for (int y = 0; y < recipe->height; y++) {
        size_t at = (size_t)(view.y + y) * (size_t)img->width + (size_t)view.x;
        memcpy(r->sized.pixels + (size_t)y * row, img->pixels + at * pixel, row);
    }
    if (draws != NULL && draws->flip) oc_image_flip(&r->sized);
    return OC_OK;
}

oc_status oci_form_render(oc_renderer *r, const oci_form *form, const oci_kept *kept,
                          const oc_augment *augment, oc_rng *rng, float *planes, oc_error *err) {
    oci_draws drawn, *draws = NULL;
    oc_image img = as_image(r, form, kept);
    if (augment != NULL) {
        draws = &drawn;
        oci_draw(augment, &r->recipe, kept->width, kept->height, rng, draws);
    }
    if (form->side != 0) OC_PROMISE(draws != NULL && draws->crops);
    OC_TRY(form->side == 0 ? cut_input(r, form, &img, kept, draws, err)
                           : crop_form(r, &img, kept, draws, err));
    return oci_finish_render(r, draws, planes, err);
}

oc_status oci_render_kept(oc_renderer *r, oc_photo_cache *cache, size_t index, const char *path,
                          const oc_augment *augment, oc_rng *rng, float *planes, oc_error *err) {
    const oci_form *form = oci_photo_cache_form(cache);
    oci_kept kept;
    size_t size = 0;
    if (!oci_photo_cache_find(cache, index, &kept)) {
        OC_TRY(oci_read_photo(r, path, &size, err));
        OC_TRY(oci_form_make(r, form, r->bytes, size, &kept, err));
        oci_photo_cache_put(cache, index, &kept);
    }
    oc_status status = oci_form_render(r, form, &kept, augment, rng, planes, err);
    oci_let_go_of_giants(r);
    return status;
}
