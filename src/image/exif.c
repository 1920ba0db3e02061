/* The one EXIF tag that moves pixels: orientation (0x0112 of the first directory). Everything else
 * in the block is skipped, and a block that makes no sense means "upright".
 *
 * The block is a TIFF file: byte order mark, 42, offset of a directory; a directory is a count and
 * entries of 12 bytes (tag, type, number of values, value).
 * Source: CIPA DC-008 (EXIF 2.3), TIFF 6.0 section 2.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

enum { TIFF_HEADER = 8, ENTRY_BYTES = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4 };

uint32_t oci_be16(const uint8_t *p) {
    return (uint32_t)p[0] << 8 | p[1];
}

uint32_t oci_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint32_t oci_le16(const uint8_t *p) {
    return (uint32_t)p[1] << 8 | p[0];
}

uint32_t oci_le32(const uint8_t *p) {
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* A TIFF block with its byte order. */
typedef struct tiff {
    oci_bytes block;
    bool big;
} tiff;

static uint32_t read16(const tiff *t, size_t at) {
    return t->big ? oci_be16(t->block.data + at) : oci_le16(t->block.data + at);
}

static uint32_t read32(const tiff *t, size_t at) {
    return t->big ? oci_be32(t->block.data + at) : oci_le32(t->block.data + at);
}

static bool open_tiff(oci_bytes block, tiff *out) {
    if (block.size >= 6 && memcmp(block.data, "Exif\0\0", 6) == 0)
        block = (oci_bytes){block.data + 6, block.size - 6};
    if (block.size < TIFF_HEADER) return false;
    bool big = block.data[0] == 'M' && block.data[1] == 'M';
    bool little = block.data[0] == 'I' && block.data[1] == 'I';
    *out = (tiff){block, big};
    return (big || little) && read16(out, 2) == 42;
}

/* The value of an orientation entry, 1 when it is none of 1..8. */
static int entry_value(const tiff *t, size_t at) {
    uint32_t type = read16(t, at + 2);
    uint32_t value = 0;
    if (read32(t, at + 4) != 1) return 1;
    if (type == TYPE_SHORT) value = read16(t, at + 8);
    if (type == TYPE_LONG) value = read32(t, at + 8);
    return value >= 1 && value <= 8 ? (int)value : 1;
}

int oci_exif_orientation(oci_bytes block) {
    tiff t;
    if (!open_tiff(block, &t)) return 1;
    size_t size = t.block.size;
    size_t directory = read32(&t, 4);
    if (directory > size - 2) return 1;
    size_t count = read16(&t, directory);
    for (size_t i = 0; i < count; i++) {
        size_t at = directory + 2 + i * ENTRY_BYTES;
        if (at > size || size - at < ENTRY_BYTES) return 1;
        if (read16(&t, at) == TAG_ORIENTATION) return entry_value(&t, at);
    }
    return 1;
}
