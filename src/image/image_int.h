/* What the files of this room share, and no other room sees: the budget of one decode, the headers
 * our own parsers read, the codecs, and the pixel loops of resize.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_IMAGE_INT_H
#define OC_IMAGE_INT_H

#include "image/image.h"

/* ---- budget ---------------------------------------------------------------------------------- */

/* oc_image_limits with the defaults filled in, and the instant at which the decode must end. */
typedef struct oci_budget {
    uint64_t max_bytes;
    uint64_t max_pixels;
    int max_scans;
    double max_seconds;
    double deadline; /* of oc_clock_seconds */
} oci_budget;

oci_budget oci_budget_start(const oc_image_limits *limits); /* NULL: all defaults */
bool oci_budget_late(const oci_budget *budget);
oc_status oci_fail_late(oc_error *err, const oci_budget *budget, const char *format_name);
OC_MUST_CHECK oc_status oci_check_pixels(const oci_budget *budget, const char *format_name,
                                         uint64_t width, uint64_t height, oc_error *err);

/* ---- bytes from outside ---------------------------------------------------------------------- */

typedef struct oci_bytes {
    const uint8_t *data;
    size_t size;
} oci_bytes;

uint32_t oci_be16(const uint8_t *p);
uint32_t oci_be32(const uint8_t *p);
uint32_t oci_le16(const uint8_t *p);
uint32_t oci_le32(const uint8_t *p);

/* Orientation 1..8 in a TIFF structure (what an EXIF block holds, with or without "Exif\0\0" in
 * front); 1 when there is none or it is nonsense. Never reads outside the block. */
int oci_exif_orientation(oci_bytes block);

/* Headers, as stored (before orientation). Each walks the container itself, allocates nothing and
 * never reads outside the bytes. */
OC_MUST_CHECK oc_status oci_jpeg_probe(oci_bytes in, oc_image_info *out, oc_error *err);
OC_MUST_CHECK oc_status oci_png_probe(oci_bytes in, oc_image_info *out, oc_error *err);
OC_MUST_CHECK oc_status oci_webp_probe(oci_bytes in, oc_image_info *out, oc_error *err);
OC_MUST_CHECK oc_status oci_pnm_probe(oci_bytes in, oc_image_info *out, oc_error *err);

/* The smallest block that says an orientation. */
enum { OCI_EXIF_BYTES = 26 };
void oci_exif_block(int orientation, uint8_t out[OCI_EXIF_BYTES]);
/* A JPEG without its metadata, behind what `out` holds; the header has been probed. */
void oci_jpeg_strip(oci_bytes in, int orientation, oc_buf *out);

/* Format, limits, size as stored and orientation; oc_image_probe and oc_decode stand on it. */
OC_MUST_CHECK oc_status oci_probe_stored(oci_bytes in, const oci_budget *budget, oc_image_info *out,
                                         oc_error *err);
/* The same with the sides that the viewer sees. */
oc_image_info oci_displayed(oc_image_info stored);

/* ---- codecs ---------------------------------------------------------------------------------- */

/* One decode on its way: everything a codec needs, borrowed for the call. */
typedef struct oci_job {
    oci_bytes in;
    const oc_decode_options *options;
    const oci_budget *budget;
    const oc_image_info *stored; /* what the header said, before orientation */
    oc_region part;              /* as stored, full size; width 0 = the whole */
    oc_image *wide;              /* scratch: four channels before conversion */
    oc_image *dst;               /* gets options->channels, not yet upright */
    oc_place *place;             /* of dst, as stored; to be set where it is not the whole */
} oci_job;

typedef struct oci_jpeg oci_jpeg; /* libjpeg's decompressor, kept between images */
OC_MUST_CHECK oc_status oci_jpeg_new(oci_jpeg **out, oc_error *err);
void oci_jpeg_free(oci_jpeg *jpeg);
OC_MUST_CHECK oc_status oci_jpeg_decode(oci_jpeg *jpeg, const oci_job *job, oc_error *err);
OC_MUST_CHECK oc_status oci_png_decode(const oci_job *job, oc_error *err);
OC_MUST_CHECK oc_status oci_webp_decode(const oci_job *job, oc_error *err);
OC_MUST_CHECK oc_status oci_pnm_decode(const oci_job *job, oc_error *err);

/* ---- pixels ---------------------------------------------------------------------------------- */

/* A region of a picture whose sides as stored are width x height, as displayed, and back. */
oc_region oci_region_displayed(oc_region stored, int orientation, int width, int height);
oc_region oci_region_stored(oc_region displayed, int orientation, int width, int height);

/* dst = src turned upright from EXIF orientation 1..8; any channel count. src and dst differ. */
OC_MUST_CHECK oc_status oci_orient(const oc_image *src, int orientation, oc_image *dst,
                                   oc_error *err);

/* ITU-R 601 luma in 16-bit fixed point, the weights of Pillow's convert("L"). */
static inline uint8_t oci_luma(const uint8_t *rgb) {
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 32768u) >> 16);
}

/* dst (count, channels) from RGBA (count, 4): composited over the background or alpha dropped, then
 * luma where channels is 1. */
void oci_flatten_rgba(const uint8_t *rgba, size_t count, const oc_decode_options *options,
                      int channels, uint8_t *dst);
/* dst (count, channels) from inverted CMYK (count, 4), as Adobe writes it. */
void oci_flatten_cmyk(const uint8_t *cmyk, size_t count, int channels, uint8_t *dst);
/* The dots of a letter (glyphs.c). */
uint64_t oci_glyph(uint32_t code);
/* The channels a caller asked for: 1 or 3. */
int oci_wanted_channels(const oc_decode_options *options);

#endif
