/* What kind of file this is, told by its first bytes: the formats we read go to their own header
 * parser, the others get words that help.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <inttypes.h>
#include <string.h>

/* Magic bytes at an offset. Formats we read have no words; others say what the file is. */
typedef struct magic {
    size_t at, size;
    const char *bytes;
    oc_image_format format;
    const char *words;
} magic;

static const magic magics[] = {
    {0, 3, "\xFF\xD8\xFF", OC_FORMAT_JPEG, NULL},
    {0, 8, "\x89PNG\r\n\x1A\n", OC_FORMAT_PNG, NULL},
    {8, 4, "WEBP", OC_FORMAT_WEBP, NULL},
    {0, 3, "P5\n", OC_FORMAT_PNM, NULL},
    {0, 3, "P6\n", OC_FORMAT_PNM, NULL},
    {0, 4, "GIF8", OC_FORMAT_UNKNOWN, "GIF image"},
    {0, 2, "BM", OC_FORMAT_UNKNOWN, "BMP image"},
    {0, 4, "II*\0", OC_FORMAT_UNKNOWN, "TIFF image"},
    {0, 4, "MM\0*", OC_FORMAT_UNKNOWN, "TIFF image"},
    {4, 8, "ftypheic", OC_FORMAT_UNKNOWN, "HEIC image"},
    {4, 8, "ftypmif1", OC_FORMAT_UNKNOWN, "HEIF image"},
    {4, 8, "ftypavif", OC_FORMAT_UNKNOWN, "AVIF image"},
    {4, 4, "ftyp", OC_FORMAT_UNKNOWN, "video (ISO media)"},
    {0, 2, "\xFF\x0A", OC_FORMAT_UNKNOWN, "JPEG XL image"},
    {0, 4, "\xFF\x4F\xFF\x51", OC_FORMAT_UNKNOWN, "JPEG 2000 image"},
    {0, 4, "8BPS", OC_FORMAT_UNKNOWN, "Photoshop file"},
    {0, 5, "%PDF-", OC_FORMAT_UNKNOWN, "PDF document"},
    {0, 4, "PK\x03\x04", OC_FORMAT_UNKNOWN, "zip archive"},
    {0, 2, "\x1F\x8B", OC_FORMAT_UNKNOWN, "gzip archive"},
};

static const magic *find_magic(oci_bytes in) {
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const magic *m = &magics[i];
        if (in.size >= m->at + m->size && memcmp(in.data + m->at, m->bytes, m->size) == 0) return m;
    }
    return NULL;
}

static bool is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Text that begins with '<', a byte order mark and blanks in front allowed. */
static bool is_markup(oci_bytes in) {
    size_t i = in.size >= 3 && memcmp(in.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < in.size && is_space(in.data[i])) i++;
    if (i + 1 >= in.size || in.data[i] != '<') return false;
    uint8_t next = in.data[i + 1];
    return next == '!' || next == '?' || (next >= 'A' && next <= 'Z') ||
           (next >= 'a' && next <= 'z');
}

static bool all_zero(oci_bytes in) {
    for (size_t i = 0; i < in.size; i++)
        if (in.data[i]) return false;
    return true;
}

static oc_status fail_unknown(oci_bytes in, const magic *known, oc_error *err) {
    if (known)
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: JPEG, PNG and WebP are read; convert it to one of them", known->words);
    if (is_markup(in))
        return oc_fail(err, OC_EFORMAT,
                       "HTML or XML text, not an image (often the error page of a download): fetch "
                       "the file again");
    if (all_zero(in))
        return oc_fail(err, OC_EFORMAT,
                       "%zu zero bytes, not an image (a download or copy that never finished)",
                       in.size);
    return oc_fail(err, OC_EFORMAT,
                   "not an image that is known: it begins with 0x%02X 0x%02X; JPEG, PNG and WebP "
                   "are read",
                   in.data[0], in.size > 1 ? in.data[1] : 0);
}

oc_status oci_probe_stored(oci_bytes in, const oci_budget *budget, oc_image_info *out,
                           oc_error *err) {
    *out = (oc_image_info){0};
    if (in.size == 0) return oc_fail(err, OC_EFORMAT, "empty file: 0 bytes");
    if (in.size > budget->max_bytes)
        return oc_fail(err, OC_ELIMIT, "image file of %zu bytes: at most %" PRIu64 " are read",
                       in.size, budget->max_bytes);
    const magic *m = find_magic(in);
    if (!m || m->words) return fail_unknown(in, m, err);
    switch (m->format) {
    case OC_FORMAT_JPEG:
        OC_TRY(oci_jpeg_probe(in, out, err));
        break;
    case OC_FORMAT_PNG:
        OC_TRY(oci_png_probe(in, out, err));
        break;
    case OC_FORMAT_PNM:
        OC_TRY(oci_pnm_probe(in, out, err));
        break;
    default:
        OC_TRY(oci_webp_probe(in, out, err));
        break;
    }
    return oci_check_pixels(budget, oc_image_format_name(out->format), (uint64_t)out->width,
                            (uint64_t)out->height, err);
}

oc_image_info oci_displayed(oc_image_info stored) {
    if (stored.orientation >= 5) {
        int width = stored.width;
        stored.width = stored.height;
        stored.height = width;
    }
    return stored;
}

oc_status oc_image_probe(const void *bytes, size_t size, const oc_image_limits *limits,
                         oc_image_info *out, oc_error *err) {
    oci_budget budget = oci_budget_start(limits);
    OC_TRY(oci_probe_stored((oci_bytes){bytes, size}, &budget, out, err));
    *out = oci_displayed(*out);
    return OC_OK;
}
