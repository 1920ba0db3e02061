/* Resize and crop in one: a horizontal pass over the rows that the window needs, then a vertical
 * one. Weights come from coefficients.c, the inner loops from resize_rows.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

#include <string.h>

/* Work storage kept between calls. */
typedef struct work {
    oci_axis x, y;   /* in pixels of src */
    oc_image narrow; /* (rows needed, width of the window, channels) */
} work;

void oc_resizer_clear(oc_resizer *resizer) {
    work *w = resizer->impl;
    if (!w) return;
    oci_axis_clear(&w->x);
    oci_axis_clear(&w->y);
    oc_image_clear(&w->narrow);
    oc_free(w);
    resizer->impl = NULL;
}

static oc_status get_work(oc_resizer *resizer, work **out, oc_error *err) {
    if (!resizer->impl) resizer->impl = oc_calloc(1, sizeof **out);
    *out = resizer->impl;
    return *out ? OC_OK : oc_fail_nomem(err, sizeof **out, "resize tables");
}

/* ---- the request ----------------------------------------------------------------------------- */

/* `how` with "all 0 = the whole" filled in. */
static oc_resize filled_in(const oc_resize *how, const oc_image *src) {
    oc_resize r = *how;
    if (r.src_place.width == 0 && r.src_place.height == 0) {
        r.src_place.width = src->width;
        r.src_place.height = src->height;
    }
    if (r.box_x == 0 && r.box_y == 0 && r.box_width == 0 && r.box_height == 0) {
        r.box_width = r.src_place.width;
        r.box_height = r.src_place.height;
    }
    if (r.x == 0 && r.y == 0 && r.width == 0 && r.height == 0) {
        r.width = r.full_width;
        r.height = r.full_height;
    }
    return r;
}

/* A box may stick out by what float arithmetic leaves behind, not more. Written so that a NaN is
 * outside. */
static bool box_inside(double from, double size, int limit) {
    const double slack = 1e-3;
    return from >= 0 && from < limit && size > 0 && from + size <= limit + slack;
}

static bool window_inside(int from, int size, int limit) {
    return from >= 0 && size >= 1 && size <= limit && from <= limit - size;
}

static oc_status check(const oc_resize *r, const oc_image *src, oc_error *err) {
    const oc_place *all = &r->src_place;
    if (!src->pixels) return oc_fail(err, OC_EUSAGE, "resize of an empty image");
    if (!window_inside(all->x, src->width, all->width) ||
        !window_inside(all->y, src->height, all->height))
        return oc_fail(err, OC_EUSAGE,
                       "resize of a part of %d x %d at (%d, %d): not inside %d x %d", src->width,
                       src->height, all->x, all->y, all->width, all->height);
    if (!box_inside(r->box_x, r->box_width, all->width) ||
        !box_inside(r->box_y, r->box_height, all->height))
        return oc_fail(err, OC_EUSAGE,
                       "resize box %g x %g at (%g, %g) is not inside the image of %d x %d",
                       r->box_width, r->box_height, r->box_x, r->box_y, all->width, all->height);
    if (!window_inside(r->x, r->width, r->full_width) ||
        !window_inside(r->y, r->height, r->full_height))
        return oc_fail(err, OC_EUSAGE,
                       "window %d x %d at (%d, %d) is not inside the resized image of %d x %d",
                       r->width, r->height, r->x, r->y, r->full_width, r->full_height);
    return OC_OK;
}

static float box_end(double from, double size, int limit) {
    double end = from + size;
    return (float)(end > limit ? limit : end);
}

/* Tables in pixels of the larger image become ones in pixels of the `size` that are there. */
static oc_status shift(oci_axis *axis, int begin, int size, oc_error *err) {
    if (axis->low < begin || axis->high > begin + size)
        return oc_fail(err, OC_EUSAGE,
                       "resize needs pixels %d to %d of a side, there are %d to %d of them",
                       axis->low, axis->high - 1, begin, begin + size - 1);
    oci_axis_shift(axis, -begin);
    return OC_OK;
}

static oc_status fill_axes(work *w, const oc_resize *r, const oc_image *src, oc_error *err) {
    const oc_place *all = &r->src_place;
    oci_axis_request x = {.source = all->width,
                          .from = (float)r->box_x,
                          .to = box_end(r->box_x, r->box_width, all->width),
                          .full = r->full_width,
                          .begin = r->x,
                          .count = r->width,
                          .flip = r->flip,
                          .filter = r->filter};
    oci_axis_request y = {.source = all->height,
                          .from = (float)r->box_y,
                          .to = box_end(r->box_y, r->box_height, all->height),
                          .full = r->full_height,
                          .begin = r->y,
                          .count = r->height,
                          .filter = r->filter};
    OC_TRY(oci_axis_fill(&w->x, &x, err));
    OC_TRY(oci_axis_fill(&w->y, &y, err));
    OC_TRY(shift(&w->x, all->x, src->width, err));
    return shift(&w->y, all->y, src->height, err);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static const uint8_t *row_of(const oc_image *img, int y) {
    return img->pixels + (size_t)y * (size_t)img->width * (size_t)img->channels;
}

/* Rows first_row.. of src along x into dst. The fast loop reads a little behind its rows, so the
 * last row of the image is never given to it. */
static void horizontal(const oci_axis *x, bool fast, const oc_image *src, int first_row,
                       oc_image *dst) {
    size_t channels = (size_t)src->channels;
    size_t src_stride = (size_t)src->width * channels, dst_stride = (size_t)dst->width * channels;
    int y = 0;
    if (fast && src_stride >= OCI_OVERREAD) {
        int rows =
            dst->height < src->height - 1 - first_row ? dst->height : src->height - 1 - first_row;
        y = oci_rows_horizontal3_fast(x, row_of(src, first_row), src_stride, rows, dst->pixels,
                                      dst_stride);
    }
    for (; y < dst->height; y++)
        oci_row_horizontal(x, row_of(src, first_row + y), src->channels,
                           dst->pixels + (size_t)y * dst_stride);
}

static void copy_rows(const oci_axis *x, const oc_image *src, int first_row, oc_image *dst) {
    size_t channels = (size_t)src->channels, row_bytes = (size_t)dst->width * channels;
    for (int y = 0; y < dst->height; y++)
        memcpy(dst->pixels + (size_t)y * row_bytes,
               row_of(src, first_row + y) + (size_t)x->copy_from * channels, row_bytes);
}

static oc_status along_x(oci_axis *x, const oc_image *src, int first_row, oc_image *dst,
                         oc_error *err) {
    bool fast = oci_resize_is_fast() && src->channels == 3;
    if (x->identity) {
        copy_rows(x, src, first_row, dst);
        return OC_OK;
    }
    if (fast) OC_TRY(oci_axis_pair(x, err));
    horizontal(x, fast, src, first_row, dst);
    return OC_OK;
}

/* Row 0 of `narrow` is row y->low of the source. */
static oc_status along_y(oci_axis *y, const oc_image *narrow, oc_image *dst, oc_error *err) {
    size_t row_bytes = (size_t)dst->width * (size_t)dst->channels;
    bool fast = oci_resize_is_fast();
    if (fast) OC_TRY(oci_axis_pair(y, err));
    for (int i = 0; i < dst->height; i++) {
        const uint8_t *from = row_of(narrow, y->first[i] - y->low);
        uint8_t *to = dst->pixels + (size_t)i * row_bytes;
        size_t done = fast ? oci_row_vertical_fast(y, i, from, row_bytes, row_bytes, to) : 0;
        oci_row_vertical(y, i, from + done, row_bytes, row_bytes - done, to + done);
    }
    return OC_OK;
}

oc_status oc_image_resize(oc_resizer *resizer, const oc_image *src, const oc_resize *how,
                          oc_image *dst, oc_error *err) {
    work *w = NULL;
    oc_resize r = filled_in(how, src);
    OC_PROMISE(src != dst);
    OC_TRY(check(&r, src, err));
    OC_TRY(get_work(resizer, &w, err));
    OC_TRY(fill_axes(w, &r, src, err));
    OC_TRY(oc_image_reserve(dst, r.width, r.height, src->channels, err));
    if (w->y.identity) return along_x(&w->x, src, w->y.copy_from, dst, err);
    OC_TRY(oc_image_reserve(&w->narrow, r.width, w->y.high - w->y.low, src->channels, err));
    OC_TRY(along_x(&w->x, src, w->y.low, &w->narrow, err));
    return along_y(&w->y, &w->narrow, dst, err);
}
