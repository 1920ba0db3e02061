/* The header of a JPEG file: frame size, components, depth, EXIF orientation. Walks the markers up
 * to the first scan without decoding, so that limits hold before libjpeg sees a byte.
 *
 * Source: ITU-T T.81, annex B.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

enum {
    EOI = 0xD9,
    SOS = 0xDA,
    APP1 = 0xE1,
    FIRST_SOF = 0xC0,
    LAST_SOF = 0xCF,
    DHT = 0xC4,
    JPG = 0xC8,
    DAC = 0xCC
};

/* One marker segment: its code, and the bytes behind the length. */
typedef struct segment {
    int marker;
    oci_bytes body;
} segment;

static bool is_frame(int marker) {
    bool in_range = marker >= FIRST_SOF && marker <= LAST_SOF;
    return in_range && marker != DHT && marker != JPG && marker != DAC;
}

static bool has_body(int marker) {
    return marker != 0x01 && !(marker >= 0xD0 && marker <= EOI);
}

/* The segment at *at; moves *at behind it. */
static oc_status next_segment(oci_bytes in, size_t *at, segment *out, oc_error *err) {
    size_t i = *at;
    while (i + 1 < in.size && in.data[i] == 0xFF && in.data[i + 1] == 0xFF) i++;
    if (i + 2 > in.size)
        return oc_fail(err, OC_EFORMAT,
                       "JPEG header is cut short after %zu bytes: copy or export the file again",
                       in.size);
    if (in.data[i] != 0xFF)
        return oc_fail(err, OC_EFORMAT,
                       "damaged JPEG header: byte %zu is 0x%02X where a marker (0xFF) must be", i,
                       in.data[i]);
    *out = (segment){.marker = in.data[i + 1]};
    *at = i + 2;
    if (!has_body(out->marker)) return OC_OK;
    size_t left = in.size - *at;
    size_t length = left >= 2 ? oci_be16(in.data + *at) : 0;
    if (length < 2 || length > left)
        return oc_fail(err, OC_EFORMAT,
                       "JPEG header is cut short: marker 0x%02X at byte %zu claims %zu bytes, "
                       "%zu are left",
                       out->marker, i, length, left);
    out->body = (oci_bytes){in.data + *at + 2, length - 2};
    *at += length;
    return OC_OK;
}

static oc_status read_frame(oci_bytes body, oc_image_info *out, oc_error *err) {
    if (body.size < 6)
        return oc_fail(err, OC_EFORMAT, "damaged JPEG header: frame of %zu bytes, at least 6",
                       body.size);
    out->bits = body.data[0];
    out->height = (int)oci_be16(body.data + 1);
    out->width = (int)oci_be16(body.data + 3);
    out->channels = body.data[5];
    if (out->bits != 8)
        return oc_fail(err, OC_EUNSUPPORTED,
                       "JPEG with %d bits a sample: only 8 are decoded; convert it to 8 bits",
                       out->bits);
    if (out->channels != 1 && out->channels != 3 && out->channels != 4)
        return oc_fail(err, OC_EUNSUPPORTED,
                       "JPEG with %d components: 1 (grey), 3 (colour) or 4 (CMYK) are decoded",
                       out->channels);
    return OC_OK;
}

static bool is_exif(const segment *s) {
    return s->marker == APP1 && s->body.size >= 6 && memcmp(s->body.data, "Exif\0\0", 6) == 0;
}

oc_status oci_jpeg_probe(oci_bytes in, oc_image_info *out, oc_error *err) {
    bool exif_seen = false, frame_seen = false;
    segment s = {0};
    *out = (oc_image_info){.format = OC_FORMAT_JPEG, .orientation = 1};
    for (size_t at = 0; s.marker != SOS;) {
        OC_TRY(next_segment(in, &at, &s, err));
        if (s.marker == EOI)
            return oc_fail(err, OC_EFORMAT, "JPEG without image data: it ends at byte %zu", at);
        if (is_frame(s.marker)) {
            OC_TRY(read_frame(s.body, out, err));
            frame_seen = true;
        }
        if (is_exif(&s) && !exif_seen) {
            out->orientation = oci_exif_orientation(s.body);
            exif_seen = true;
        }
    }
    if (!frame_seen)
        return oc_fail(err, OC_EFORMAT, "damaged JPEG header: a scan begins before any frame");
    return OC_OK;
}
