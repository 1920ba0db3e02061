/* From a file's bytes to the floats a network eats: the one path that training, evaluation,
 * prediction and serving take.
 *
 *   header -> draws and geometry -> decode at the scale that suffices -> resize, crop and flip in
 *   one -> colour -> rotation -> normalise -> erase
 *
 * Everything is thought of in the picture's full size as displayed; only at the end is the box
 * mapped to the pixels that the decoder gave.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "data/render_int.h"

oc_status oc_renderer_new(oc_renderer **out, const oc_recipe *recipe, const oc_image_limits *limits,
                          oc_error *err) {
    *out = NULL;
    OC_TRY(oci_recipe_check(recipe, "recipe", err));
    oc_renderer *r = oc_calloc(1, sizeof *r);
    if (r == NULL) return oc_fail_nomem(err, sizeof *r, "a renderer");
    r->recipe = *recipe;
    if (limits != NULL) r->limits = *limits;
    oc_norm_table_fill(&r->table, recipe->channels, recipe->bgr, recipe->unit, recipe->mean,
                       recipe->std);
    oc_status status = oc_decoder_new(&r->decoder, err);
    if (status == OC_OK) {
        *out = r;
    } else {
        oc_renderer_free(r);
    }
    return status;
}

void oc_renderer_free(oc_renderer *r) {
    if (r == NULL) return;
    oc_decoder_free(r->decoder);
    oc_resizer_clear(&r->resizer);
    oc_image_clear(&r->decoded);
    oc_image_clear(&r->sized);
    oc_image_clear(&r->rotated);
    oc_image_clear(&r->kept);
    oc_free(r->bytes);
    oc_free(r);
}

void oc_renderer_trust(oc_renderer *r, bool known) {
    r->trusts = known;
}

bool oci_is_fatal(oc_status status) {
    return status == OC_ENOMEM || status == OC_EINTERNAL || status == OC_EENV;
}

/* ---- geometry -------------------------------------------------------------------------------- */

/* The first pixel of a window of `size` somewhere in `full`. */
static int shifted(float share, int full, int size) {
    int most = full - size;
    int at = (int)((double)share * (most + 1));
    return at < most ? at : most;
}

oc_status oci_choose_view(const oc_recipe *recipe, int width, int height, const oci_draws *draws,
                          oci_view *view, oc_error *err) {
    if (!oci_view_of(recipe, width, height, view)) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "picture of %d x %d: too thin to be shown to a network", width, height);
    }
    if (draws != NULL && draws->shifts) {
        view->x = shifted(draws->shift_x, view->full_width, recipe->width);
        view->y = shifted(draws->shift_y, view->full_height, recipe->height);
    }
    if (draws == NULL || !draws->crops) return OC_OK;
    *view =
        (oci_view){.box = draws->crop, .full_width = recipe->width, .full_height = recipe->height};
    return OC_OK;
}

oc_status oc_recipe_window(const oc_recipe *recipe, int width, int height, oc_window *out,
                           oc_error *err) {
    oci_view view;
    OC_TRY(oci_choose_view(recipe, width, height, NULL, &view, err));
    *out = (oc_window){.left = (double)view.x / view.full_width,
                       .top = (double)view.y / view.full_height,
                       .right = (double)(view.x + recipe->width) / view.full_width,
                       .bottom = (double)(view.y + recipe->height) / view.full_height};
    return OC_OK;
}

/* How long the picture's side must be for `full` pixels to come out of `box` without enlarging. */
static int needed_side(int side, int box, int full) {
    double needed = ceil((double)side * full / box);
    return needed < side ? (int)needed : side;
}

/* A view keeps a window of the resized box: the part of the picture that it is made of. */
static void narrow_span(const oc_renderer *r, int *from, int *size, int full, int begin, int count,
                        int side) {
    double scale = (double)*size / full;
    int margin = oc_resize_margin(r->recipe.filter, *size, full);
    int first = (int)floor(*from + begin * scale) - margin;
    int end = (int)ceil(*from + (begin + count) * scale) + margin;
    *from = first < 0 ? 0 : first;
    *size = (end > side ? side : end) - *from;
}

static oc_region part_of(const oc_renderer *r, const oc_image_info *info, const oci_view *view) {
    oc_region part = {view->box.x, view->box.y, view->box.width, view->box.height};
    narrow_span(r, &part.x, &part.width, view->full_width, view->x, r->recipe.width, info->width);
    narrow_span(r, &part.y, &part.height, view->full_height, view->y, r->recipe.height,
                info->height);
    return part;
}

oc_status oci_decode_at(oc_renderer *r, const void *bytes, size_t size, int width, int height,
                        oc_region part, oc_place *place, oc_error *err) {
    const oc_recipe *recipe = &r->recipe;
    oc_decode_options options = {
        .channels = recipe->channels,
        .alpha = recipe->alpha,
        .background = {recipe->background[0], recipe->background[1], recipe->background[2]},
        .min_width = width,
        .min_height = height,
        .limits = r->limits,
        .part = part,
        .rest_is_known = r->trusts,
    };
    return oc_decode_part(r->decoder, bytes, size, &options, &r->decoded, place, err);
}

oc_status oci_decode_view(oc_renderer *r, const void *bytes, size_t size, const oc_image_info *info,
                          const oci_view *view, oc_place *place, oc_error *err) {
    int width = needed_side(info->width, view->box.width, view->full_width);
    int height = needed_side(info->height, view->box.height, view->full_height);
    return oci_decode_at(r, bytes, size, width, height, part_of(r, info, view), place, err);
}

oc_status oci_resize_view(oc_renderer *r, const oci_source *source, const oci_view *view, bool flip,
                          oc_image *dst, oc_error *err) {
    double sx = (double)source->place.width / source->width;
    double sy = (double)source->place.height / source->height;
    oc_resize how = {
        .box_x = view->box.x * sx,
        .box_y = view->box.y * sy,
        .box_width = view->box.width * sx,
        .box_height = view->box.height * sy,
        .full_width = view->full_width,
        .full_height = view->full_height,
        .x = view->x,
        .y = view->y,
        .width = r->recipe.width,
        .height = r->recipe.height,
        .filter = r->recipe.filter,
        .flip = flip,
        .src_place = source->place,
    };
    return oc_image_resize(&r->resizer, source->pixels, &how, dst, err);
}

/* ---- colour, rotation, erasing --------------------------------------------------------------- */

static void jitter(oc_image *img, const oci_draws *draws) {
    for (int i = 0; i < OCI_JITTERS; i++) {
        float factor = draws->factor[draws->order[i]];
        switch ((oci_jitter)draws->order[i]) {
        case OCI_BRIGHTNESS:
            if (factor != 1) oc_image_adjust_brightness(img, factor);
            break;
        case OCI_CONTRAST:
            if (factor != 1) oc_image_adjust_contrast(img, factor);
            break;
        case OCI_SATURATION:
            if (factor != 1) oc_image_adjust_saturation(img, factor);
            break;
        case OCI_HUE:
            if (factor != 0 && img->channels == 3) oc_image_adjust_hue(img, factor);
            break;
        }
    }
}

/* The recipe's mean colour: what is zero after normalising. */
static void mean_colour(const oc_recipe *recipe, uint8_t colour[3]) {
    for (int c = 0; c < 3; c++) {
        float v = rintf(recipe->mean[c] * recipe->unit);
        colour[c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

/* *out = the image to normalise: sized, or rotated. */
static oc_status vary(oc_renderer *r, const oci_draws *draws, const oc_image **out, oc_error *err) {
    uint8_t fill[3];
    *out = &r->sized;
    if (draws == NULL) return OC_OK;
    jitter(&r->sized, draws);
    if (draws->degrees == 0) return OC_OK;
    mean_colour(&r->recipe, fill);
    *out = &r->rotated;
    return oc_image_rotate(&r->sized, draws->degrees, fill, &r->rotated, err);
}

/* Zero, the mean, in a box of (channels, height, width). */
static void erase(const oc_recipe *recipe, oci_rect box, float *planes) {
    for (int c = 0; c < recipe->channels; c++) {
        for (int y = box.y; y < box.y + box.height; y++) {
            size_t row = ((size_t)c * (size_t)recipe->height + (size_t)y) * (size_t)recipe->width;
            for (int x = box.x; x < box.x + box.width; x++) planes[row + (size_t)x] = 0;
        }
    }
}

oc_status oci_finish_render(oc_renderer *r, const oci_draws *draws, float *planes, oc_error *err) {
    const oc_image *ready = NULL;
    OC_TRY(vary(r, draws, &ready, err));
    oc_image_normalise(ready, &r->table, planes);
    if (draws != NULL) erase(&r->recipe, draws->erase, planes);
    return OC_OK;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static oc_status render(oc_renderer *r, const void *bytes, size_t size, const oc_augment *augment,
                        oc_rng *rng, float *planes, oc_error *err) {
    oc_image_info info;
    oci_view view;
    oci_draws drawn, *draws = NULL;
    OC_TRY(oc_image_probe(bytes, size, &r->limits, &info, err));
    if (augment != NULL) {
        draws = &drawn;
        oci_draw(augment, &r->recipe, info.width, info.height, rng, draws);
    }
    oci_source source = {.pixels = &r->decoded, .width = info.width, .height = info.height};
    OC_TRY(oci_choose_view(&r->recipe, info.width, info.height, draws, &view, err));
    OC_TRY(oci_decode_view(r, bytes, size, &info, &view, &source.place, err));
    OC_TRY(oci_resize_view(r, &source, &view, draws != NULL && draws->flip, &r->sized, err));
    return oci_finish_render(r, draws, planes, err);
}

void oci_let_go_of_giants(oc_renderer *r) {
    enum { GIANT_BYTES = 32 << 20 };
    if (r->decoded.capacity > GIANT_BYTES) oc_image_clear(&r->decoded);
    if (r->kept.capacity > GIANT_BYTES) oc_image_clear(&r->kept);
    if (r->capacity <= GIANT_BYTES) return;
    oc_free(r->bytes);
    r->bytes = NULL;
    r->capacity = 0;
}

oc_status oc_render(oc_renderer *r, const void *bytes, size_t size, const oc_augment *augment,
                    oc_rng *rng, float *planes, oc_error *err) {
    oc_status status = render(r, bytes, size, augment, rng, planes, err);
    if (bytes != r->bytes) oci_let_go_of_giants(r); /* else the bytes are still the caller's */
    return status;
}

oc_status oci_read_photo(oc_renderer *r, const char *path, size_t *size, oc_error *err) {
    size_t budget = r->limits.max_bytes == 0 ? (size_t)256 << 20 : (size_t)r->limits.max_bytes;
    double began = oc_clock_seconds();
    oc_status status = oci_store_read(r->store, path, budget, &r->bytes, &r->capacity, size, err);
    r->reading += oc_clock_seconds() - began;
    return status;
}

oc_status oci_render_path(oc_renderer *r, const char *path, const oc_augment *augment, oc_rng *rng,
                          float *planes, oc_error *err) {
    size_t size = 0;
    OC_TRY(oci_read_photo(r, path, &size, err));
    oc_status status = oc_render(r, r->bytes, size, augment, rng, planes, err);
    oci_let_go_of_giants(r);
    return status;
}

oc_status oc_render_file(oc_renderer *r, const char *path, const oc_augment *augment, oc_rng *rng,
                         float *planes, oc_error *err) {
    char reason[OCI_REASON_BYTES];
    oc_error told = {0};
    oc_status status = oci_render_path(r, path, augment, rng, planes, &told);
    if (status == OC_OK) return OC_OK;
    oci_reason(reason, told.message, path);
    return oc_fail(err, status, "%s: %s", path, reason);
}
