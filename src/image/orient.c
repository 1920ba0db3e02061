/* Turns a stored image upright: the eight EXIF orientations.
 *
 * Each is a walk over the source with two signed steps, one per destination column and one per
 * destination row. Tiles keep both sides in cache where columns become rows.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

enum { TILE = 32 };

/* Source pixel of destination (x, y): start + x * right + y * down, in pixels. */
typedef struct walk {
    ptrdiff_t start, right, down;
} walk;

static walk walk_of(int orientation, ptrdiff_t w, ptrdiff_t h) {
    ptrdiff_t last_row = (h - 1) * w;
    switch (orientation) {
    case 2:
        return (walk){w - 1, -1, w};
    case 3:
        return (walk){last_row + w - 1, -1, -w};
    case 4:
        return (walk){last_row, 1, -w};
    case 5:
        return (walk){0, w, 1};
    case 6:
        return (walk){last_row, -w, 1};
    case 7:
        return (walk){last_row + w - 1, -w, -1};
    case 8:
        return (walk){w - 1, w, -1};
    default:
        return (walk){0, 1, w};
    }
}

/* ---- regions --------------------------------------------------------------------------------- */

static bool is_turned(int orientation) {
    return orientation >= 5;
}

/* Mirror a region of the stored picture where its orientation does; its own inverse. */
static oc_region mirrored(oc_region r, int orientation, int width, int height) {
    bool across = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    if (across) r.x = width - r.x - r.width;
    if (down) r.y = height - r.y - r.height;
    return r;
}

static oc_region swapped(oc_region r) {
    return (oc_region){.x = r.y, .y = r.x, .width = r.height, .height = r.width};
}

oc_region oci_region_displayed(oc_region stored, int orientation, int width, int height) {
    oc_region r = mirrored(stored, orientation, width, height);
    return is_turned(orientation) ? swapped(r) : r;
}

oc_region oci_region_stored(oc_region displayed, int orientation, int width, int height) {
    oc_region r = is_turned(orientation) ? swapped(displayed) : displayed;
    return mirrored(r, orientation, width, height);
}

/* ---- pixels ---------------------------------------------------------------------------------- */

static void copy_span(const uint8_t *src, ptrdiff_t step, int channels, int count, uint8_t *dst) {
    for (int x = 0; x < count; x++) {
        for (int c = 0; c < channels; c++) dst[c] = src[c];
        src += step * channels;
        dst += channels;
    }
}

static void copy_tile(const oc_image *src, walk way, oc_image *dst, int x0, int y0) {
    ptrdiff_t channels = src->channels;
    int x1 = x0 + TILE < dst->width ? x0 + TILE : dst->width;
    int y1 = y0 + TILE < dst->height ? y0 + TILE : dst->height;
    for (int y = y0; y < y1; y++) {
        ptrdiff_t from = way.start + x0 * way.right + y * way.down;
        ptrdiff_t to = (ptrdiff_t)y * dst->width + x0;
        copy_span(src->pixels + from * channels, way.right, (int)channels, x1 - x0,
                  dst->pixels + to * channels);
    }
}

oc_status oci_orient(const oc_image *src, int orientation, oc_image *dst, oc_error *err) {
    bool turned = is_turned(orientation);
    int width = turned ? src->height : src->width;
    int height = turned ? src->width : src->height;
    OC_TRY(oc_image_reserve(dst, width, height, src->channels, err));
    walk way = walk_of(orientation, src->width, src->height);
    for (int y = 0; y < height; y += TILE)
        for (int x = 0; x < width; x += TILE) copy_tile(src, way, dst, x, y);
    return OC_OK;
}
