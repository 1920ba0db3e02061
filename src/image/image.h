/* The face of `image`: bytes in, upright 8-bit pixels out; resize, colour, encode. The one place
 * where pixels are made, for training and for serving alike.
 *
 * Images are interleaved rows of 8-bit samples, top row first, sRGB as stored (no colour
 * management). What comes in is hostile: every decoder works within oc_image_limits.
 *
 * Threads: no shared state; one oc_decoder per thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_IMAGE_H
#define OC_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* ---- pixels ---------------------------------------------------------------------------------- */

typedef struct oc_image {
    uint8_t *pixels; /* (height, width, channels) */
    int width;
    int height;
    int channels;    /* 1 grey, 3 RGB, 4 RGBA (straight alpha) */
    size_t capacity; /* bytes at pixels: oc_image_reserve grows it, never shrinks */
} oc_image;

/* All zero is an empty, clearable image. Reserve keeps the storage from call to call; contents are
 * undefined afterwards. */
OC_MUST_CHECK oc_status oc_image_reserve(oc_image *img, int width, int height, int channels,
                                         oc_error *err);
void oc_image_clear(oc_image *img);

/* ---- the door -------------------------------------------------------------------------------- */

typedef enum oc_image_format {
    OC_FORMAT_UNKNOWN,
    OC_FORMAT_JPEG,
    OC_FORMAT_PNG,
    OC_FORMAT_WEBP,
    OC_FORMAT_PNM /* raw pixels from a store; files are not looked for under its names */
} oc_image_format;

typedef struct oc_image_limits {
    uint64_t max_bytes;  /* of the file; 0 = 256 MiB */
    uint64_t max_pixels; /* width x height in the header; 0 = 200 million */
    int max_scans;       /* of a progressive JPEG; 0 = 100 */
    double max_seconds;  /* of one decode; 0 = 10 */
} oc_image_limits;

typedef struct oc_image_info {
    oc_image_format format;
    int width, height; /* as displayed: orientation applied */
    int channels;      /* in the file: 1, 3, 4 (CMYK says 4) */
    bool alpha;
    int orientation; /* EXIF 1..8; 1 when absent or nonsense */
    int bits;        /* per sample */
} oc_image_info;

const char *oc_image_format_name(oc_image_format format); /* "JPEG" */
bool oc_image_is_name(const char *path);                  /* has an extension that we read */

/* Header only. Looks at the bytes, never at the name; says "HTML" or "empty file" where it is. */
OC_MUST_CHECK oc_status oc_image_probe(const void *bytes, size_t size,
                                       const oc_image_limits *limits, oc_image_info *out,
                                       oc_error *err);

typedef struct oc_region {
    int x, y, width, height;
} oc_region;

typedef enum oc_alpha { OC_ALPHA_COMPOSITE, OC_ALPHA_DROP } oc_alpha;

typedef struct oc_decode_options {
    /* 1 or 3; 0 means 3. Grey is luma: a JPEG's own Y, else ITU-R 601 weights. */
    int channels;
    oc_alpha alpha; /* composite over `background` (all zero: black), or drop the channel */
    uint8_t background[3];
    /* JPEG only: decode at the smallest DCT scale of 1/8, 2/8, 4/8 and 8/8 at which the displayed
     * image is still at least this large on both sides; 0 = no bound, both 0 = full size. (The
     * scales between have no SIMD and take longer than the next larger one.) Other formats ignore
     * it. */
    int min_width, min_height;
    oc_image_limits limits;
    /* Only this part of the picture is needed, in pixels of its full size as displayed; width 0 =
     * all of it. A JPEG's other rows and columns are then not made (their bytes are still read and
     * checked); other formats give the whole. oc_decode_part tells what came. */
    oc_region part;
    /* With `part`: leave what comes behind its last row unread. Damage there goes unnoticed, so
     * this is for files that were decoded whole before. */
    bool rest_is_known;
} oc_decode_options;

/* Decoder state that is worth keeping between images (work buffers). */
typedef struct oc_decoder oc_decoder;
OC_MUST_CHECK oc_status oc_decoder_new(oc_decoder **out, oc_error *err);
void oc_decoder_free(oc_decoder *decoder);

/* Decode, turn upright, convert to the channels asked for. Any damage, warnings of the codec
 * included, is an error: half an image does not train. `out` is reused; info (may be NULL) tells
 * the size of the original. */
OC_MUST_CHECK oc_status oc_decode(oc_decoder *decoder, const void *bytes, size_t size,
                                  const oc_decode_options *options, oc_image *out,
                                  oc_image_info *info, oc_error *err);

/* Where pixels lie in a larger image: theirs is (x, y), the image would be width x height. All zero
 * = they are all of it. */
typedef struct oc_place {
    int x, y, width, height;
} oc_place;

/* The same; `out` holds the pixels that options->part covers, bit for bit those that a decode of
 * the whole gives there, and some around them, which may differ; *place says where in the whole it
 * lies. A file is refused when, and as, oc_decode refuses it (but for rest_is_known). OC_EUSAGE for
 * a part that is not inside the picture. */
OC_MUST_CHECK oc_status oc_decode_part(oc_decoder *decoder, const void *bytes, size_t size,
                                       const oc_decode_options *options, oc_image *out,
                                       oc_place *place, oc_error *err);

/* ---- resize ---------------------------------------------------------------------------------- */

typedef enum oc_filter { OC_FILTER_NEAREST, OC_FILTER_BILINEAR, OC_FILTER_BICUBIC } oc_filter;
const char *oc_filter_name(oc_filter filter); /* "nearest", "bilinear", "bicubic" */
bool oc_filter_parse(const char *word, oc_filter *out);

/* Antialiased separable resampling as Pillow's Image.resize does it (triangle a=1 support 1,
 * Keys cubic a=-0.5 support 2, both scaled by the shrink factor; 8-bit passes; Keys 1981): results
 * agree with Pillow's to the last grey level or one.
 *
 * The box of src (in pixels, may be fractional) becomes a virtual full_width x full_height image,
 * of which the window (x, y, width, height) is computed: resize and crop in one pass, with the
 * same pixels as doing one after the other. flip mirrors the window left to right. src and dst
 * differ. OC_EUSAGE for a box or window that is not inside.
 *
 * src may be a part of a larger image, as oc_decode_part gives it: then src_place says which, the
 * box is in pixels of the larger one, and the result is what all of it would give. OC_EUSAGE where
 * pixels would be read that src lacks; oc_resize_margin tells how many there must be. */
typedef struct oc_resize {
    double box_x, box_y, box_width, box_height; /* inside src; all 0 = the whole */
    int full_width, full_height;
    int x, y, width, height; /* inside the full image; all 0 = the whole */
    oc_filter filter;
    bool flip;
    oc_place src_place;
} oc_resize;

/* How far a box of `box` pixels that becomes `full` is read beyond its ends, at most; whether the
 * pixels are those of the file or of a decode that suffices (oc_decode_options.min_width). */
int oc_resize_margin(oc_filter filter, double box, int full);

/* Work storage kept between calls (coefficients, the intermediate rows). All zero is clearable. */
typedef struct oc_resizer {
    void *impl;
} oc_resizer;
void oc_resizer_clear(oc_resizer *resizer);
OC_MUST_CHECK oc_status oc_image_resize(oc_resizer *resizer, const oc_image *src,
                                        const oc_resize *how, oc_image *dst, oc_error *err);

/* ---- geometry and colour, for augmentation --------------------------------------------------- */

/* Rotate about the centre by `degrees` counter-clockwise, bilinear, same size, outside = fill. src
 * and dst differ. OC_EUSAGE for an empty image or an angle that is not finite. */
OC_MUST_CHECK oc_status oc_image_rotate(const oc_image *src, float degrees, const uint8_t fill[3],
                                        oc_image *dst, oc_error *err);
/* In place on RGB (grey images: brightness and contrast only). Factors, finite, as torchvision's
 * ColorJitter defines them: 1 = unchanged; hue in turns (-0.5..0.5). */
void oc_image_adjust_brightness(oc_image *img, float factor);
void oc_image_adjust_contrast(oc_image *img, float factor);
void oc_image_adjust_saturation(oc_image *img, float factor);
void oc_image_adjust_hue(oc_image *img, float turns);
void oc_image_flip(oc_image *img); /* left to right, in place */

/* plane of channel c at (y, x) = (pixel / unit - mean[c]) / std[c], computed as pixel * scale[c] +
 * offset[c], that is value[c][pixel]: fill the table once, apply it to every image. c counts
 * channels as the image has them (RGB), and so do mean and std; `bgr` only turns the order of the
 * planes. Planes are (channels, height, width). The image must have the table's channels. */
typedef struct oc_norm_table {
    float scale[3], offset[3];
    float value[3][256];
    int channels;
    bool bgr;
} oc_norm_table;
/* unit = 255 for inputs in 0..1, 1 for inputs in 0..255. */
void oc_norm_table_fill(oc_norm_table *table, int channels, bool bgr, float unit,
                        const float mean[3], const float std[3]);
void oc_image_normalise(const oc_image *img, const oc_norm_table *table, float *planes);

/* ---- drawing --------------------------------------------------------------------------------- */

/* On RGB images; what lies outside is cut off. */
void oc_image_fill(oc_image *img, oc_region area, const uint8_t colour[3]);
/* `from`, RGB, with its upper left corner at (x, y). */
void oc_image_paste(oc_image *img, int x, int y, const oc_image *from);

enum { OC_LETTER_WIDTH = 6, OC_LETTER_HEIGHT = 9 }; /* with the gap behind; times the scale */
typedef struct oc_pen {
    uint8_t colour[3];
    int scale;    /* pixels a dot, >= 1 */
    bool upwards; /* the text runs from bottom to top */
} oc_pen;
/* UTF-8 text in plain Latin letters (marks are left out, the rest is '?') from (x, y): its upper
 * left corner, upwards its lower left one. Of a longer text `most` letters, the last two dots. */
void oc_image_text(oc_image *img, int x, int y, const oc_pen *pen, const char *text, size_t most);
size_t oc_text_letters(const char *text); /* that it takes */

/* ---- thumbnails ------------------------------------------------------------------------------ */

/* What they are made with, kept from one to the next. All zero is ready and clearable. */
typedef struct oc_thumbnailer {
    oc_decoder *decoder;
    oc_resizer resizer;
    oc_image full;
    char *bytes; /* of the file; `capacity` of them */
    size_t capacity;
} oc_thumbnailer;
/* The centre of the photo in a file as a square of `side` pixels, RGB, on white where it is
 * transparent. Fails as reading, oc_decode and oc_image_resize do. */
OC_MUST_CHECK oc_status oc_thumbnail(oc_thumbnailer *t, const char *path, int side, oc_image *out,
                                     oc_error *err);
void oc_thumbnailer_clear(oc_thumbnailer *t);

/* ---- out ------------------------------------------------------------------------------------- */

/* Append a JPEG (quality 1..100) or PNG to buf: thumbnails of reports, made-up data. */
OC_MUST_CHECK oc_status oc_encode_jpeg(const oc_image *img, int quality, oc_buf *out,
                                       oc_error *err);
OC_MUST_CHECK oc_status oc_encode_png(const oc_image *img, oc_buf *out, oc_error *err);

/* Append the file without its metadata (place, time, camera, comments, thumbnails): JPEG, PNG or
 * WebP with the very same pixels, upright as before. OC_EUNSUPPORTED for other formats, else as
 * oc_image_probe. Damage behind the header is kept as it is, or cut off. */
OC_MUST_CHECK oc_status oc_image_strip(const void *bytes, size_t size, oc_buf *out, oc_error *err);

#endif
