/* Metadata off a JPEG: of its segments those are kept that make pixels; EXIF, XMP, IPTC, comments,
 * makers' notes, thumbnails and whatever lies behind the image go.
 *
 * Source: ITU-T T.81, annex B; JFIF 1.02; ICC.1 annex B.4; Adobe technical note 5116.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

enum {
    SOI = 0xD8,
    EOI = 0xD9,
    SOS = 0xDA,
    FIRST_RST = 0xD0,
    LAST_RST = 0xD7,
    FIRST_IMAGE = 0xC0, /* frames, tables, scans: 0xC0 .. 0xDF */
    LAST_IMAGE = 0xDF,
    APP0 = 0xE0,
    APP2 = 0xE2,
    APP14 = 0xEE,
    JFIF_BYTES = 14 /* without a thumbnail */
};

static bool begins(oci_bytes body, const char *word, size_t size) {
    return body.size >= size && memcmp(body.data, word, size) == 0;
}

/* The JFIF header says how samples lie; a thumbnail in it goes. */
static void put_jfif(oci_bytes body, oc_buf *out) {
    static const uint8_t head[4] = {0xFF, APP0, 0, JFIF_BYTES + 2};
    oc_buf_append(out, head, sizeof head);
    oc_buf_append(out, body.data, JFIF_BYTES - 2);
    oc_buf_append(out, "\0", 2);
}

static bool is_kept(int marker, oci_bytes body) {
    if (marker >= FIRST_IMAGE && marker <= LAST_IMAGE) return true;
    if (marker == APP2) return begins(body, "ICC_PROFILE", 12);
    return marker == APP14 && begins(body, "Adobe", 5);
}

/* Where the next marker begins, or the end. Within a scan 0xFF is followed by 0, or by a restart.
 */
static size_t find_marker(oci_bytes in, size_t at) {
    for (; at + 1 < in.size; at++) {
        int next = in.data[at + 1];
        bool scan = next == 0 || next == 0xFF || (next >= FIRST_RST && next <= LAST_RST);
        if (in.data[at] == 0xFF && !scan) return at;
    }
    return in.size;
}

static void put_orientation(int orientation, oc_buf *out) {
    uint8_t segment[10 + OCI_EXIF_BYTES] = {0xFF, 0xE1, 0, 8 + OCI_EXIF_BYTES, 'E', 'x', 'i', 'f'};
    oci_exif_block(orientation, segment + 10);
    oc_buf_append(out, segment, sizeof segment);
}

void oci_jpeg_strip(oci_bytes in, int orientation, oc_buf *out) {
    bool in_scan = false;
    oc_buf_append(out, in.data, 2);
    if (orientation != 1) put_orientation(orientation, out);
    for (size_t at = 2; at < in.size;) {
        size_t marker_at = find_marker(in, at);
        if (in_scan) oc_buf_append(out, in.data + at, marker_at - at);
        if (in.size - marker_at < 2) return;
        int marker = in.data[marker_at + 1];
        at = marker_at + 2;
        if (marker == EOI) oc_buf_append(out, in.data + marker_at, 2);
        if (marker == EOI || marker == SOI || in.size - at < 2) return;
        size_t length = oci_be16(in.data + at);
        if (length < 2 || length > in.size - at) return;
        oci_bytes body = {in.data + at + 2, length - 2};
        at += length;
        if (marker == APP0 && begins(body, "JFIF", 5) && body.size >= JFIF_BYTES)
            put_jfif(body, out);
        else if (is_kept(marker, body))
            oc_buf_append(out, in.data + marker_at, at - marker_at);
        in_scan = marker == SOS;
    }
}
