/* Pixels out: JPEG (4:2:0) and PNG, appended to a growing buffer.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <spng.h>

static oc_status check(const oc_image *img, oc_error *err) {
    if (!img->pixels) return oc_fail(err, OC_EUSAGE, "encoding of an empty image");
    return OC_OK;
}

/* ---- JPEG ------------------------------------------------------------------------------------ */

enum { CHUNK_BYTES = 16 << 10, JPEG_MAX_SIDE = 65500 };

typedef struct jpeg_out {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf escape;
    const oc_image *img;
    int quality;
    oc_buf *to;
    char message[JMSG_LENGTH_MAX];
    uint8_t chunk[CHUNK_BYTES];
} jpeg_out;

static void fail_and_jump(j_common_ptr cinfo) {
    jpeg_out *out = cinfo->client_data;
    cinfo->err->format_message(cinfo, out->message);
    longjmp(out->escape, 1);
}

static void ignore_message(j_common_ptr cinfo, int level) {
    (void)cinfo;
    (void)level;
}

static void begin_chunk(j_compress_ptr cinfo) {
    jpeg_out *out = cinfo->client_data;
    out->destination.next_output_byte = out->chunk;
    out->destination.free_in_buffer = CHUNK_BYTES;
}

static boolean flush_chunk(j_compress_ptr cinfo) {
    jpeg_out *out = cinfo->client_data;
    oc_buf_append(out->to, out->chunk, CHUNK_BYTES);
    begin_chunk(cinfo);
    return TRUE;
}

static void end_chunks(j_compress_ptr cinfo) {
    jpeg_out *out = cinfo->client_data;
    oc_buf_append(out->to, out->chunk, CHUNK_BYTES - out->destination.free_in_buffer);
}

static void write_jpeg(jpeg_out *out) {
    struct jpeg_compress_struct *cinfo = &out->cinfo;
    size_t stride = (size_t)out->img->width * (size_t)out->img->channels;
    jpeg_create_compress(cinfo);
    cinfo->dest = &out->destination;
    cinfo->image_width = (JDIMENSION)out->img->width;
    cinfo->image_height = (JDIMENSION)out->img->height;
    cinfo->input_components = out->img->channels;
    cinfo->in_color_space = out->img->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(cinfo);
    jpeg_set_quality(cinfo, out->quality, TRUE);
    jpeg_start_compress(cinfo, TRUE);
    while (cinfo->next_scanline < cinfo->image_height) {
        JSAMPROW row = out->img->pixels + cinfo->next_scanline * stride;
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
}

static oc_status run_jpeg(jpeg_out *out, oc_error *err) {
    if (setjmp(out->escape))
        return oc_fail(err, OC_EINTERNAL, "JPEG encoder: %.200s", out->message);
    write_jpeg(out);
    return oc_buf_status(out->to, err);
}

oc_status oc_encode_jpeg(const oc_image *img, int quality, oc_buf *to, oc_error *err) {
    OC_TRY(check(img, err));
    if (img->channels != 1 && img->channels != 3)
        return oc_fail(err, OC_EUSAGE, "JPEG of %d channels: 1 and 3 can be written",
                       img->channels);
    if (img->width > JPEG_MAX_SIDE || img->height > JPEG_MAX_SIDE)
        return oc_fail(err, OC_ELIMIT, "JPEG of %d x %d: sides of at most %d can be written",
                       img->width, img->height, JPEG_MAX_SIDE);
    jpeg_out *out = oc_calloc(1, sizeof *out);
    if (!out) return oc_fail_nomem(err, sizeof *out, "a JPEG encoder");
    out->img = img;
    out->quality = quality < 1 ? 1 : quality > 100 ? 100 : quality;
    out->to = to;
    out->cinfo.err = jpeg_std_error(&out->errors);
    out->errors.error_exit = fail_and_jump;
    out->errors.emit_message = ignore_message;
    out->cinfo.client_data = out;
    out->destination.init_destination = begin_chunk;
    out->destination.empty_output_buffer = flush_chunk;
    out->destination.term_destination = end_chunks;
    oc_status status = run_jpeg(out, err);
    jpeg_destroy_compress(&out->cinfo);
    oc_free(out);
    return status;
}

/* ---- PNG ------------------------------------------------------------------------------------- */

static int append_bytes(spng_ctx *png, void *to, void *bytes, size_t size) {
    (void)png;
    oc_buf_append(to, bytes, size);
    return ((oc_buf *)to)->failed ? SPNG_IO_ERROR : 0;
}

static int write_png(spng_ctx *png, const oc_image *img, oc_buf *to) {
    static const uint8_t colour_types[] = {
        [1] = SPNG_COLOR_TYPE_GRAYSCALE,
        [2] = SPNG_COLOR_TYPE_GRAYSCALE_ALPHA,
        [3] = SPNG_COLOR_TYPE_TRUECOLOR,
        [4] = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA,
    };
    struct spng_ihdr header = {.width = (uint32_t)img->width,
                               .height = (uint32_t)img->height,
                               .bit_depth = 8,
                               .color_type = colour_types[img->channels]};
    size_t bytes = (size_t)img->width * (size_t)img->height * (size_t)img->channels;
    int code = spng_set_png_stream(png, append_bytes, to);
    if (!code) code = spng_set_ihdr(png, &header);
    if (!code)
        code = spng_encode_image(png, img->pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    return code;
}

oc_status oc_encode_png(const oc_image *img, oc_buf *to, oc_error *err) {
    OC_TRY(check(img, err));
    struct spng_alloc gate = {oc_malloc, oc_realloc, oc_calloc, oc_free};
    spng_ctx *png = spng_ctx_new2(&gate, SPNG_CTX_ENCODER);
    if (!png) return oc_fail(err, OC_ENOMEM, "out of memory for a PNG encoder");
    int code = write_png(png, img, to);
    spng_ctx_free(png);
    OC_TRY(oc_buf_status(to, err));
    if (code == SPNG_EMEM || code == SPNG_EZLIB_INIT)
        return oc_fail(err, OC_ENOMEM, "out of memory in the PNG encoder");
    if (code) return oc_fail(err, OC_EINTERNAL, "PNG encoder: %s", spng_strerror(code));
    return OC_OK;
}
