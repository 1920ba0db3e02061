/* PNG through libspng: every depth, colour type and interlace; 16-bit samples keep their high byte,
 * as Pillow does. Checksums of all chunks must hold.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <spng.h>
#include <string.h>

enum {
    SIGNATURE_BYTES = 8,
    CHUNK_HEAD = 8,  /* length, type */
    CHUNK_FRAME = 12 /* head and checksum */
};
enum { MAX_CHUNK_BYTES = 16 << 20, MAX_CHUNKS_BYTES = 32 << 20 }; /* other than image data */

/* ---- header ---------------------------------------------------------------------------------- */

static int channels_of(int colour_type) {
    switch (colour_type) {
    case SPNG_COLOR_TYPE_GRAYSCALE:
        return 1;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
    case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA:
        return 4;
    default:
        return 3;
    }
}

/* Chunks behind the header: transparency and orientation. Damage is left to the decoder. */
static void scan_chunks(oci_bytes in, oc_image_info *out) {
    for (size_t at = SIGNATURE_BYTES; in.size - at >= CHUNK_FRAME;) {
        const uint8_t *chunk = in.data + at;
        size_t length = oci_be32(chunk);
        if (length > in.size - at - CHUNK_FRAME) return;
        if (memcmp(chunk + 4, "tRNS", 4) == 0) out->alpha = true;
        if (memcmp(chunk + 4, "eXIf", 4) == 0)
            out->orientation = oci_exif_orientation((oci_bytes){chunk + CHUNK_HEAD, length});
        at += length + CHUNK_FRAME;
    }
}

oc_status oci_png_probe(oci_bytes in, oc_image_info *out, oc_error *err) {
    enum { HEADER_END = SIGNATURE_BYTES + CHUNK_FRAME + 13 };
    *out = (oc_image_info){.format = OC_FORMAT_PNG, .orientation = 1};
    if (in.size < HEADER_END)
        return oc_fail(err, OC_EFORMAT,
                       "PNG header is cut short: %zu bytes, at least %d; copy or export it again",
                       in.size, HEADER_END);
    const uint8_t *header = in.data + SIGNATURE_BYTES;
    uint32_t width = oci_be32(header + CHUNK_HEAD), height = oci_be32(header + CHUNK_HEAD + 4);
    if (oci_be32(header) != 13 || memcmp(header + 4, "IHDR", 4) != 0)
        return oc_fail(err, OC_EFORMAT, "damaged PNG: the first chunk is not a header");
    if (width > INT32_MAX || height > INT32_MAX)
        return oc_fail(err, OC_EFORMAT, "damaged PNG header: %lu x %lu pixels",
                       (unsigned long)width, (unsigned long)height);
    out->width = (int)width;
    out->height = (int)height;
    out->bits = header[CHUNK_HEAD + 8];
    out->channels = channels_of(header[CHUNK_HEAD + 9]);
    out->alpha = out->channels == 4;
    scan_chunks(in, out);
    return OC_OK;
}

/* Deflate makes at most 1032 bytes of one; a pixel has at least one sample. A header that claims
 * more is told before memory is taken for it. */
static oc_status check_plausible(const oci_job *job, oc_error *err) {
    const oc_image_info *stored = job->stored;
    enum { MAX_RATIO = 1032 };
    uint64_t row = ((uint64_t)stored->width * (uint64_t)stored->bits + 7) / 8;
    if (row * (uint64_t)stored->height / MAX_RATIO <= job->in.size) return OC_OK;
    return oc_fail(err, OC_EFORMAT,
                   "damaged PNG: %d x %d pixels cannot be in %zu bytes; copy or export it again",
                   stored->width, stored->height, job->in.size);
}

/* ---- decode ---------------------------------------------------------------------------------- */

static oc_status fail_spng(oc_error *err, int code) {
    if (code == SPNG_EMEM || code == SPNG_EZLIB_INIT)
        return oc_fail(err, OC_ENOMEM, "out of memory in the PNG decoder");
    if (code == SPNG_ECHUNK_LIMITS)
        return oc_fail(err, OC_ELIMIT,
                       "PNG with more than %d bytes of metadata in a chunk, or %d in all: save it "
                       "again without",
                       MAX_CHUNK_BYTES, MAX_CHUNKS_BYTES);
    return oc_fail(err, OC_EFORMAT, "damaged PNG: %s; copy or export the file again",
                   code == SPNG_IO_EOF ? "it ends too early" : spng_strerror(code));
}

static oc_status open_context(const oci_job *job, spng_ctx **out, oc_error *err) {
    struct spng_alloc gate = {oc_malloc, oc_realloc, oc_calloc, oc_free};
    *out = spng_ctx_new2(&gate, 0);
    if (!*out) return oc_fail(err, OC_ENOMEM, "out of memory for a PNG decoder");
    int code = spng_set_crc_action(*out, SPNG_CRC_ERROR, SPNG_CRC_ERROR);
    if (!code) code = spng_set_chunk_limits(*out, MAX_CHUNK_BYTES, MAX_CHUNKS_BYTES);
    if (!code) code = spng_set_png_buffer(*out, job->in.data, job->in.size);
    return code ? fail_spng(err, code) : OC_OK;
}

/* All rows (of all passes where the file is interlaced) into `to`, then the rest of the file. */
static oc_status read_rows(spng_ctx *png, const oci_job *job, int format, oc_image *to,
                           oc_error *err) {
    size_t stride = (size_t)to->width * (size_t)to->channels;
    int flags = SPNG_DECODE_PROGRESSIVE | (to->channels == 4 ? SPNG_DECODE_TRNS : 0);
    int code = spng_decode_image(png, NULL, 0, format, flags);
    while (!code) {
        struct spng_row_info row = {0};
        if (oci_budget_late(job->budget)) return oci_fail_late(err, job->budget, "PNG");
        code = spng_get_row_info(png, &row);
        if (!code) code = spng_decode_row(png, to->pixels + row.row_num * stride, stride);
    }
    if (code == SPNG_EOI) code = spng_decode_chunks(png);
    return code ? fail_spng(err, code) : OC_OK;
}

static oc_status decode(spng_ctx *png, const oci_job *job, oc_error *err) {
    int width = job->stored->width, height = job->stored->height;
    int channels = oci_wanted_channels(job->options);
    bool blend = job->stored->alpha && job->options->alpha == OC_ALPHA_COMPOSITE;
    if (channels == 3 && !blend) {
        OC_TRY(oc_image_reserve(job->dst, width, height, 3, err));
        return read_rows(png, job, SPNG_FMT_RGB8, job->dst, err);
    }
    OC_TRY(oc_image_reserve(job->wide, width, height, 4, err));
    OC_TRY(read_rows(png, job, SPNG_FMT_RGBA8, job->wide, err));
    OC_TRY(oc_image_reserve(job->dst, width, height, channels, err));
    oci_flatten_rgba(job->wide->pixels, (size_t)width * (size_t)height, job->options, channels,
                     job->dst->pixels);
    return OC_OK;
}

/* zlib takes its window late, and libspng calls that failure a broken stream. */
oc_status oci_png_decode(const oci_job *job, oc_error *err) {
    spng_ctx *png = NULL;
    OC_TRY(check_plausible(job, err));
    uint64_t failures = oc_mem_failures();
    oc_status status = open_context(job, &png, err);
    if (status == OC_OK) status = decode(png, job, err);
    spng_ctx_free(png);
    if (status == OC_EFORMAT && oc_mem_failures() > failures) return fail_spng(err, SPNG_EMEM);
    return status;
}
