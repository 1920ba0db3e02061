/* Storage of an image, and the words for formats and filters.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

oc_status oc_image_reserve(oc_image *img, int width, int height, int channels, oc_error *err) {
    size_t bytes = 0;
    if (width < 1 || height < 1 || channels < 1 || channels > 4)
        return oc_fail(err, OC_EUSAGE,
                       "image of %d x %d with %d channels: sides must be at least 1, channels 1..4",
                       width, height, channels);
    if (!oc_mul_size((size_t)width, (size_t)height, &bytes) ||
        !oc_mul_size(bytes, (size_t)channels, &bytes))
        return oc_fail(err, OC_ELIMIT, "image of %d x %d with %d channels: larger than memory",
                       width, height, channels);
    if (bytes > img->capacity) {
        oc_image_clear(img);
        img->pixels = oc_malloc_aligned(bytes);
        if (!img->pixels) return oc_fail_nomem(err, bytes, "pixels of an image");
        img->capacity = bytes;
    }
    img->width = width;
    img->height = height;
    img->channels = channels;
    return OC_OK;
}

void oc_image_clear(oc_image *img) {
    oc_free_aligned(img->pixels);
    *img = (oc_image){0};
}

const char *oc_image_format_name(oc_image_format format) {
    switch (format) {
    case OC_FORMAT_JPEG:
        return "JPEG";
    case OC_FORMAT_PNG:
        return "PNG";
    case OC_FORMAT_WEBP:
        return "WebP";
    case OC_FORMAT_PNM:
        return "PNM";
    case OC_FORMAT_UNKNOWN:
        break;
    }
    return "unknown";
}

bool oc_image_is_name(const char *path) {
    static const char *const extensions[] = {"jpg", "jpeg", "jpe", "jfif", "png", "webp"};
    const char *extension = oc_path_extension(path);
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (oc_equal_nocase(extension, extensions[i])) return true;
    return false;
}

static const char *const filter_names[] = {"nearest", "bilinear", "bicubic"};

const char *oc_filter_name(oc_filter filter) {
    bool known = (unsigned)filter < sizeof filter_names / sizeof *filter_names;
    return known ? filter_names[filter] : "unknown";
}

bool oc_filter_parse(const char *word, oc_filter *out) {
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++) {
        if (!oc_equal_nocase(word, filter_names[i])) continue;
        *out = (oc_filter)i;
        return true;
    }
    return false;
}
