/* PGM and PPM: raw grey or colour pixels behind a header of text, 8 bits a sample. What stores of
 * raw pixels (Caffe's) hand on, so that those go through the same door as photos.
 *
 * Source of the format: Netpbm's ppm(5) and pgm(5), the binary forms P5 and P6.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>

enum { MAX_NUMBER = 1 << 24 };

static bool is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_comment(oci_bytes in, size_t at) {
    while (at < in.size && in.data[at] != '\n') at++;
    return at;
}

/* The next whole number from *at on, blanks and comments before it passed over; -1 = none. */
static int next_number(oci_bytes in, size_t *at) {
    int value = 0;
    size_t i = *at;
    while (i < in.size && (is_space(in.data[i]) || in.data[i] == '#'))
        i = in.data[i] == '#' ? skip_comment(in, i) : i + 1;
    size_t first = i;
    for (; i < in.size && in.data[i] >= '0' && in.data[i] <= '9' && value < MAX_NUMBER; i++)
        value = value * 10 + (in.data[i] - '0');
    *at = i;
    return i > first && value < MAX_NUMBER ? value : -1;
}

/* *start = where the pixels begin. */
static oc_status read_header(oci_bytes in, oc_image_info *out, size_t *start, oc_error *err) {
    size_t at = 2;
    *out = (oc_image_info){.format = OC_FORMAT_PNM, .orientation = 1, .bits = 8};
    out->channels = in.data[1] == '6' ? 3 : 1;
    out->width = next_number(in, &at);
    out->height = next_number(in, &at);
    int most = next_number(in, &at);
    if (out->width < 1 || out->height < 1 || at >= in.size || !is_space(in.data[at]))
        return oc_fail(err, OC_EFORMAT, "damaged PNM header: no size of the picture in it");
    if (most != 255)
        return oc_fail(err, OC_EUNSUPPORTED, "PNM with samples up to %d: only 255 is read", most);
    *start = at + 1;
    size_t pixels = (size_t)out->width * (size_t)out->height * (size_t)out->channels;
    if (pixels <= in.size - *start) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "PNM file is cut short: %zu of %zu bytes of pixels",
                   in.size - *start, pixels);
}

oc_status oci_pnm_probe(oci_bytes in, oc_image_info *out, oc_error *err) {
    size_t start = 0;
    return read_header(in, out, &start, err);
}

oc_status oci_pnm_decode(const oci_job *job, oc_error *err) {
    oc_image_info info;
    size_t start = 0;
    int channels = oci_wanted_channels(job->options);
    OC_TRY(read_header(job->in, &info, &start, err));
    OC_TRY(oc_image_reserve(job->dst, info.width, info.height, channels, err));
    size_t count = (size_t)info.width * (size_t)info.height;
    const uint8_t *from = job->in.data + start;
    uint8_t *to = job->dst->pixels;
    if (channels == info.channels) memcpy(to, from, count * (size_t)channels);
    for (size_t i = 0; channels > info.channels && i < count; i++) memset(to + 3 * i, from[i], 3);
    for (size_t i = 0; channels < info.channels && i < count; i++) to[i] = oci_luma(from + 3 * i);
    return OC_OK;
}
