/* Metadata off, pixels untouched: where a photo was taken, by whom and with what goes, and so does
 * every chunk that is not known to matter for the pixels. Nothing is decoded or encoded again.
 *
 * What is kept is listed, never what is dropped, so that a format's next hiding place is dropped as
 * well. The orientation moves pixels and stays, alone in a block of its own.
 * Sources: PNG 1.2 section 5.3 (chunks), "WebP Container Specification" (RIFF), CIPA DC-008 (EXIF).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

/* A TIFF file of one directory with one entry: tag 0x0112, one SHORT. */
void oci_exif_block(int orientation, uint8_t out[OCI_EXIF_BYTES]) {
    static const uint8_t block[OCI_EXIF_BYTES] = {'M', 'M', 0,    42, 0, 0, 0, 8, 0,
                                                  1,   1,   0x12, 0,  3, 0, 0, 0, 1};
    memcpy(out, block, sizeof block);
    out[19] = (uint8_t)orientation;
}

static bool is_one_of(const char (*names)[5], size_t count, const uint8_t *name) {
    for (size_t i = 0; i < count; i++)
        if (memcmp(names[i], name, 4) == 0) return true;
    return false;
}

/* ---- PNG ------------------------------------------------------------------------------------- */

enum { PNG_SIGNATURE = 8, PNG_HEAD = 8, PNG_FRAME = 12 };

static void put_be32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* CRC-32 of ISO 3309, as PNG has it; for a few bytes. */
static uint32_t crc32_of(const uint8_t *p, size_t size) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void put_png_orientation(int orientation, oc_buf *out) {
    uint8_t chunk[PNG_FRAME + OCI_EXIF_BYTES] = {0};
    put_be32(chunk, OCI_EXIF_BYTES);
    memcpy(chunk + 4, "eXIf", 4);
    oci_exif_block(orientation, chunk + PNG_HEAD);
    put_be32(chunk + PNG_HEAD + OCI_EXIF_BYTES, crc32_of(chunk + 4, 4 + OCI_EXIF_BYTES));
    oc_buf_append(out, chunk, sizeof chunk);
}

static void strip_png(oci_bytes in, int orientation, oc_buf *out) {
    static const char kept[][5] = {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "bKGD",
                                   "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP"};
    bool ended = false;
    oc_buf_append(out, in.data, PNG_SIGNATURE);
    for (size_t at = PNG_SIGNATURE; !ended && in.size - at >= PNG_FRAME;) {
        const uint8_t *chunk = in.data + at;
        size_t length = oci_be32(chunk);
        if (length > in.size - at - PNG_FRAME) return;
        if (is_one_of(kept, sizeof kept / sizeof *kept, chunk + 4))
            oc_buf_append(out, chunk, length + PNG_FRAME);
        if (at == PNG_SIGNATURE && orientation != 1) put_png_orientation(orientation, out);
        ended = memcmp(chunk + 4, "IEND", 4) == 0;
        at += length + PNG_FRAME;
    }
}

/* ---- WebP ------------------------------------------------------------------------------------ */

enum { RIFF_HEAD = 12, RIFF_CHUNK = 8, VP8X_EXIF = 0x08, VP8X_XMP = 0x04 };

static void put_le32(uint8_t *to, size_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static void put_webp_chunk(const uint8_t *chunk, size_t length, int orientation, oc_buf *out) {
    size_t flags = out->size + RIFF_CHUNK;
    oc_buf_append(out, chunk, RIFF_CHUNK + length);
    if (length & 1) oc_buf_append(out, "", 1);
    if (out->failed || length == 0 || memcmp(chunk, "VP8X", 4) != 0) return;
    uint8_t flag = (uint8_t)out->data[flags];
    flag = (uint8_t)(flag & ~(VP8X_EXIF | VP8X_XMP));
    out->data[flags] = (char)(orientation != 1 ? flag | VP8X_EXIF : flag);
}

static void put_webp_orientation(int orientation, oc_buf *out) {
    uint8_t chunk[RIFF_CHUNK + OCI_EXIF_BYTES] = {'E', 'X', 'I', 'F'};
    put_le32(chunk + 4, OCI_EXIF_BYTES);
    oci_exif_block(orientation, chunk + RIFF_CHUNK);
    oc_buf_append(out, chunk, sizeof chunk);
}

static void strip_webp(oci_bytes in, int orientation, oc_buf *out) {
    static const char kept[][5] = {"VP8X", "ICCP", "ALPH", "VP8 ", "VP8L"};
    size_t start = out->size, end = (size_t)oci_le32(in.data + 4) + RIFF_CHUNK;
    if (end < in.size) in.size = end;
    oc_buf_append(out, in.data, RIFF_HEAD);
    for (size_t at = RIFF_HEAD; at < in.size && in.size - at >= RIFF_CHUNK;) {
        const uint8_t *chunk = in.data + at;
        size_t length = oci_le32(chunk + 4);
        if (length > in.size - at - RIFF_CHUNK) break;
        if (is_one_of(kept, sizeof kept / sizeof *kept, chunk))
            put_webp_chunk(chunk, length, orientation, out);
        at += RIFF_CHUNK + length + (length & 1);
    }
    if (orientation != 1) put_webp_orientation(orientation, out);
    if (!out->failed) put_le32((uint8_t *)out->data + start + 4, out->size - start - RIFF_CHUNK);
}

/* ---- the face -------------------------------------------------------------------------------- */

oc_status oc_image_strip(const void *bytes, size_t size, oc_buf *out, oc_error *err) {
    oci_budget budget = oci_budget_start(NULL);
    oci_bytes in = {bytes, size};
    oc_image_info info;
    OC_TRY(oci_probe_stored(in, &budget, &info, err));
    switch (info.format) {
    case OC_FORMAT_JPEG:
        oci_jpeg_strip(in, info.orientation, out);
        break;
    case OC_FORMAT_PNG:
        strip_png(in, info.orientation, out);
        break;
    case OC_FORMAT_WEBP:
        strip_webp(in, info.orientation, out);
        break;
    default:
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: metadata is taken off JPEG, PNG and WebP; send one of them",
                       oc_image_format_name(info.format));
    }
    return oc_buf_status(out, err);
}
