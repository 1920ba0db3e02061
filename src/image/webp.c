/* WebP through libwebp: still images, lossy and lossless, with or without alpha. Animations are
 * refused.
 *
 * The file is handed over in slices, so that the clock is looked at between them.
 * Source of the container: Google, "WebP Container Specification" (RIFF).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <string.h>
#include <webp/decode.h>

enum { RIFF_HEAD = 12, CHUNK_HEAD = 8, SLICE_BYTES = 64 << 10, SLICES = 16 };

/* ---- header ---------------------------------------------------------------------------------- */

/* The bytes that the RIFF header counts; nothing behind them belongs to the image. */
static oc_status riff_size(oci_bytes in, size_t *size, oc_error *err) {
    size_t claimed = in.size >= RIFF_HEAD ? (size_t)oci_le32(in.data + 4) + CHUNK_HEAD : RIFF_HEAD;
    if (claimed > in.size)
        return oc_fail(err, OC_EFORMAT,
                       "WebP file is cut short: %zu of %zu bytes; copy or export it again", in.size,
                       claimed);
    *size = claimed;
    return OC_OK;
}

/* libwebp takes a bare bitstream in the place of the first chunk; the container knows no such
 * thing. */
static bool begins_with_chunk(oci_bytes in) {
    static const char first[][5] = {"VP8X", "VP8 ", "VP8L"};
    for (size_t i = 0; i < sizeof first / sizeof *first && in.size >= RIFF_HEAD + CHUNK_HEAD; i++)
        if (memcmp(in.data + RIFF_HEAD, first[i], 4) == 0) return true;
    return false;
}

static int find_orientation(oci_bytes in) {
    for (size_t at = RIFF_HEAD; at <= in.size && in.size - at >= CHUNK_HEAD;) {
        const uint8_t *chunk = in.data + at;
        size_t length = oci_le32(chunk + 4);
        if (length > in.size - at - CHUNK_HEAD) return 1;
        if (memcmp(chunk, "EXIF", 4) == 0)
            return oci_exif_orientation((oci_bytes){chunk + CHUNK_HEAD, length});
        at += CHUNK_HEAD + length + (length & 1);
    }
    return 1;
}

oc_status oci_webp_probe(oci_bytes in, oc_image_info *out, oc_error *err) {
    WebPBitstreamFeatures features;
    size_t size = 0;
    *out = (oc_image_info){.format = OC_FORMAT_WEBP, .orientation = 1, .bits = 8};
    OC_TRY(riff_size(in, &size, err));
    if (!begins_with_chunk((oci_bytes){in.data, size}) ||
        WebPGetFeatures(in.data, size, &features) != VP8_STATUS_OK)
        return oc_fail(err, OC_EFORMAT,
                       "damaged WebP header: not readable; copy or export the file again");
    if (features.has_animation)
        return oc_fail(err, OC_EUNSUPPORTED,
                       "animated WebP: only still images are read; save one of its frames");
    out->width = features.width;
    out->height = features.height;
    out->alpha = features.has_alpha;
    out->channels = features.has_alpha ? 4 : 3;
    out->orientation = find_orientation((oci_bytes){in.data, size});
    return OC_OK;
}

/* ---- decode ---------------------------------------------------------------------------------- */

static oc_status fail_webp(oc_error *err, VP8StatusCode code) {
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return oc_fail(err, OC_ENOMEM, "out of memory in the WebP decoder");
    return oc_fail(err, OC_EFORMAT, "damaged WebP: %s; copy or export the file again",
                   code == VP8_STATUS_SUSPENDED ? "it ends too early"
                                                : "image data is not readable");
}

static oc_status feed(WebPIDecoder *webp, const oci_job *job, size_t size, oc_error *err) {
    size_t step = size / SLICES > SLICE_BYTES ? size / SLICES : SLICE_BYTES;
    VP8StatusCode code = VP8_STATUS_SUSPENDED;
    for (size_t given = 0; given < size && code == VP8_STATUS_SUSPENDED;) {
        if (oci_budget_late(job->budget)) return oci_fail_late(err, job->budget, "WebP");
        given = size - given > step ? given + step : size;
        code = WebPIUpdate(webp, job->in.data, given);
    }
    return code == VP8_STATUS_OK ? OC_OK : fail_webp(err, code);
}

/* Rows of RGB or RGBA. */
static oc_status read_rows(const oci_job *job, oc_image *to, int channels, oc_error *err) {
    size_t size = 0;
    int width = job->stored->width, height = job->stored->height;
    WebPDecoderConfig config;
    OC_TRY(riff_size(job->in, &size, err));
    OC_TRY(oc_image_reserve(to, width, height, channels, err));
    if (!WebPInitDecoderConfig(&config))
        return oc_fail(err, OC_EENV, "libwebp is another version than this program was built for");
    config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = to->pixels;
    config.output.u.RGBA.stride = width * channels;
    config.output.u.RGBA.size = (size_t)config.output.u.RGBA.stride * (size_t)height;
    WebPIDecoder *webp = WebPIDecode(NULL, 0, &config);
    if (!webp) return oc_fail(err, OC_ENOMEM, "out of memory for a WebP decoder");
    oc_status status = feed(webp, job, size, err);
    WebPIDelete(webp);
    return status;
}

oc_status oci_webp_decode(const oci_job *job, oc_error *err) {
    int channels = oci_wanted_channels(job->options);
    bool blend = job->stored->alpha && job->options->alpha == OC_ALPHA_COMPOSITE;
    if (channels == 3 && !blend) return read_rows(job, job->dst, 3, err);
    OC_TRY(read_rows(job, job->wide, 4, err));
    OC_TRY(oc_image_reserve(job->dst, job->wide->width, job->wide->height, channels, err));
    oci_flatten_rgba(job->wide->pixels, (size_t)job->wide->width * (size_t)job->wide->height,
                     job->options, channels, job->dst->pixels);
    return OC_OK;
}
