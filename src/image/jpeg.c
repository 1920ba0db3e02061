/* JPEG through libjpeg-turbo: baseline, progressive, grey, RGB, YCbCr, CMYK and YCCK (both as Adobe
 * writes them, inverted).
 *
 * libjpeg reports errors by a call that must not return: we jump back to guarded(). What the jump
 * leaves behind is in oci_jpeg only, never in locals. A warning of the codec is an error here: it
 * means that some pixels are made up. The progress monitor, which libjpeg calls for every row of
 * every scan, keeps the scan and time budgets; it looks at the clock at every sixteenth.
 * Full-size output equals Pillow's on the same libjpeg: slow integer DCT, fancy upsampling.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum { ROWS_AT_ONCE = 16, SCALE_ONE = 8, ROWS_A_LOOK = 16 };

/* Upsampling of chroma looks at the neighbours of a pixel: at the edge of a window they are not
 * those of the whole image. So many pixels more are decoded on each side; they also cover that a
 * scaled side is rounded up. */
enum { EDGE = 2 };

struct oci_jpeg {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const oci_job *job; /* of the decode in progress */
    oc_image *rows;     /* where the rows go: job->dst, or job->wide for CMYK */
    oc_region window;   /* of the scaled image: what is decoded */
    int rows_seen;      /* by keep_budget, in this decode */
    oc_status status;   /* of the failure that jumped */
    char message[JMSG_LENGTH_MAX + 160];
};

/* ---- failures -------------------------------------------------------------------------------- */

static oc_status status_of(int code) {
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return OC_ENOMEM;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
        return OC_EUNSUPPORTED;
    default:
        return OC_EFORMAT;
    }
}

static void fail_and_jump(j_common_ptr cinfo) {
    oci_jpeg *jpeg = cinfo->client_data;
    char words[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, words);
    jpeg->status = status_of(cinfo->err->msg_code);
    snprintf(jpeg->message, sizeof jpeg->message, "%s: %s%s",
             jpeg->status == OC_EFORMAT ? "damaged JPEG" : "JPEG", words,
             jpeg->status == OC_EFORMAT ? "; copy or export the file again" : "");
    longjmp(jpeg->escape, 1);
}

static void on_message(j_common_ptr cinfo, int level) {
    if (level < 0) fail_and_jump(cinfo);
}

static void keep_budget(j_common_ptr common) {
    oci_jpeg *jpeg = common->client_data;
    const oci_budget *budget = jpeg->job->budget;
    if (jpeg->cinfo.input_scan_number > budget->max_scans) {
        jpeg->status = OC_ELIMIT;
        snprintf(jpeg->message, sizeof jpeg->message,
                 "progressive JPEG with more than %d scans: save it again as an ordinary JPEG",
                 budget->max_scans);
        longjmp(jpeg->escape, 1);
    }
    if (jpeg->rows_seen++ % ROWS_A_LOOK == 0 && oci_budget_late(budget)) {
        oc_error late;
        jpeg->status = oci_fail_late(&late, budget, "JPEG");
        snprintf(jpeg->message, sizeof jpeg->message, "%.200s", late.message);
        longjmp(jpeg->escape, 1);
    }
}

/* Run `work`, which may leave by the jump. */
static oc_status guarded(oci_jpeg *jpeg, void (*work)(oci_jpeg *jpeg), oc_error *err) {
    if (setjmp(jpeg->escape)) return oc_fail(err, jpeg->status, "%s", jpeg->message);
    work(jpeg);
    return OC_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void create(oci_jpeg *jpeg) {
    jpeg_create_decompress(&jpeg->cinfo);
}

oc_status oci_jpeg_new(oci_jpeg **out, oc_error *err) {
    *out = NULL;
    oci_jpeg *jpeg = oc_calloc(1, sizeof *jpeg);
    if (!jpeg) return oc_fail_nomem(err, sizeof *jpeg, "a JPEG decoder");
    jpeg->cinfo.err = jpeg_std_error(&jpeg->errors);
    jpeg->errors.error_exit = fail_and_jump;
    jpeg->errors.emit_message = on_message;
    jpeg->cinfo.client_data = jpeg;
    oc_status status = guarded(jpeg, create, err);
    if (status != OC_OK) {
        oci_jpeg_free(jpeg);
        return status;
    }
    jpeg->progress.progress_monitor = keep_budget;
    jpeg->cinfo.progress = &jpeg->progress;
    *out = jpeg;
    return OC_OK;
}

void oci_jpeg_free(oci_jpeg *jpeg) {
    if (!jpeg) return;
    jpeg_destroy_decompress(&jpeg->cinfo);
    oc_free(jpeg);
}

/* ---- decode ---------------------------------------------------------------------------------- */

static void read_header(oci_jpeg *jpeg) {
    oci_bytes in = jpeg->job->in;
    jpeg_mem_src(&jpeg->cinfo, in.data, in.size);
    jpeg_read_header(&jpeg->cinfo, TRUE);
}

/* Each Huffman-coded block takes at least one bit. A header that claims more blocks than the file
 * has bits is told before anything is allocated for them. */
static oc_status check_plausible(const oci_jpeg *jpeg, oc_error *err) {
    const struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    const oc_image_info *stored = jpeg->job->stored;
    uint64_t blocks = 0;
    for (int i = 0; i < cinfo->num_components; i++) {
        const jpeg_component_info *c = &cinfo->comp_info[i];
        blocks += (uint64_t)c->width_in_blocks * c->height_in_blocks;
    }
    if ((int64_t)cinfo->image_width != stored->width ||
        (int64_t)cinfo->image_height != stored->height)
        return oc_fail(err, OC_EFORMAT, "damaged JPEG: two frame headers that disagree");
    if (!cinfo->arith_code && blocks / 8 > jpeg->job->in.size)
        return oc_fail(err, OC_EFORMAT,
                       "damaged JPEG: %d x %d pixels cannot be in %zu bytes; copy or export the "
                       "file again",
                       stored->width, stored->height, jpeg->job->in.size);
    return OC_OK;
}

static int scaled(int side, int numerator) {
    return (int)(((int64_t)side * numerator + SCALE_ONE - 1) / SCALE_ONE);
}

/* The smallest n of n/8 that leaves both sides at least as large as asked. Only powers of two: they
 * have SIMD kernels, and the others are slower than decoding at the next power. */
static int choose_scale(const oci_job *job) {
    const oc_image_info *stored = job->stored;
    bool turned = stored->orientation >= 5;
    int min_width = turned ? job->options->min_height : job->options->min_width;
    int min_height = turned ? job->options->min_width : job->options->min_height;
    if (min_width <= 0 && min_height <= 0) return SCALE_ONE;
    for (int n = 1; n < SCALE_ONE; n *= 2)
        if (scaled(stored->width, n) >= min_width && scaled(stored->height, n) >= min_height)
            return n;
    return SCALE_ONE;
}

static bool is_cmyk(const struct jpeg_decompress_struct *cinfo) {
    return cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK;
}

static void choose_output(oci_jpeg *jpeg) {
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    bool grey = oci_wanted_channels(jpeg->job->options) == 1;
    cinfo->out_color_space = is_cmyk(cinfo) ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    cinfo->dct_method = JDCT_ISLOW;
    cinfo->do_fancy_upsampling = TRUE;
    cinfo->scale_num = (unsigned)choose_scale(jpeg->job);
    cinfo->scale_denom = SCALE_ONE;
    jpeg_calc_output_dimensions(cinfo);
}

/* [*from, *from + *size) in pixels of the scaled side, widened by the edge. */
static void scale_span(int *from, int *size, int side, unsigned numerator) {
    int64_t begin = (int64_t)*from * numerator / SCALE_ONE - EDGE;
    int64_t end = scaled(*from + *size, (int)numerator) + EDGE;
    begin = begin < 0 ? 0 : begin;
    end = end > side ? side : end;
    *from = (int)begin;
    *size = (int)(end - begin);
}

/* Where chroma has less than half of the rows or columns, libjpeg-turbo 2.1 makes wrong pixels of a
 * window, or loses its way in the file. Sampling that is not one of the usual kinds gets the whole.
 */
static bool can_leave_any(const struct jpeg_decompress_struct *cinfo) {
    const jpeg_component_info *first = &cinfo->comp_info[0];
    for (int i = 1; i < cinfo->num_components; i++) {
        const jpeg_component_info *c = &cinfo->comp_info[i];
        bool single = c->h_samp_factor == 1 && c->v_samp_factor == 1;
        bool same =
            c->h_samp_factor == first->h_samp_factor && c->v_samp_factor == first->v_samp_factor;
        if (!single && !same) return false;
    }
    return first->h_samp_factor <= 2 && first->v_samp_factor <= 2;
}

/* What of the scaled image is to be decoded. */
static oc_region choose_window(const oci_jpeg *jpeg) {
    const struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    int width = (int)cinfo->output_width, height = (int)cinfo->output_height;
    oc_region r = jpeg->job->part;
    if (r.width == 0 || !can_leave_any(cinfo)) return (oc_region){0, 0, width, height};
    scale_span(&r.x, &r.width, width, cinfo->scale_num);
    scale_span(&r.y, &r.height, height, cinfo->scale_num);
    return r;
}

static void leave_columns(oci_jpeg *jpeg) {
    JDIMENSION x = (JDIMENSION)jpeg->window.x, width = (JDIMENSION)jpeg->window.width;
    jpeg_crop_scanline(&jpeg->cinfo, &x, &width); /* x moves to where a block begins */
    jpeg->window.x = (int)x;
    jpeg->window.width = (int)width;
}

static void start(oci_jpeg *jpeg) {
    jpeg->window = choose_window(jpeg);
    jpeg_start_decompress(&jpeg->cinfo);
    if (jpeg->window.width < (int)jpeg->cinfo.output_width) leave_columns(jpeg);
}

/* Read over the rows that are left: their entropy coding is checked, no pixels are made. To skip to
 * the very end would leave it unread. */
static void check_rest(struct jpeg_decompress_struct *cinfo) {
    JDIMENSION last = cinfo->output_height - 1;
    if (cinfo->output_scanline > last) return;
    size_t bytes = (size_t)cinfo->output_width * (size_t)cinfo->output_components;
    JSAMPROW row = cinfo->mem->alloc_large((j_common_ptr)cinfo, JPOOL_IMAGE, bytes);
    if (cinfo->output_scanline < last) jpeg_skip_scanlines(cinfo, last - cinfo->output_scanline);
    jpeg_read_scanlines(cinfo, &row, 1);
}

static void read_rows(oci_jpeg *jpeg) {
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    size_t stride = (size_t)jpeg->rows->width * (size_t)jpeg->rows->channels;
    JDIMENSION first = (JDIMENSION)jpeg->window.y, end = first + (JDIMENSION)jpeg->window.height;
    if (first > 0) jpeg_skip_scanlines(cinfo, first);
    while (cinfo->output_scanline < end) {
        JSAMPROW rows[ROWS_AT_ONCE];
        JDIMENSION left = end - cinfo->output_scanline;
        JDIMENSION count = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = jpeg->rows->pixels + (cinfo->output_scanline - first + i) * stride;
        jpeg_read_scanlines(cinfo, rows, count);
    }
    if (jpeg->job->options->rest_is_known && end < cinfo->output_height) return;
    check_rest(cinfo);
    jpeg_finish_decompress(cinfo);
}

static oc_status decode(oci_jpeg *jpeg, oc_error *err) {
    const oci_job *job = jpeg->job;
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    int channels = oci_wanted_channels(job->options);
    OC_TRY(guarded(jpeg, read_header, err));
    OC_TRY(check_plausible(jpeg, err));
    OC_TRY(guarded(jpeg, choose_output, err));
    *job->place =
        (oc_place){.width = (int)cinfo->output_width, .height = (int)cinfo->output_height};
    OC_TRY(guarded(jpeg, start, err));
    const oc_region *window = &jpeg->window;
    job->place->x = window->x;
    job->place->y = window->y;
    bool cmyk = is_cmyk(cinfo);
    jpeg->rows = cmyk ? job->wide : job->dst;
    OC_TRY(oc_image_reserve(jpeg->rows, window->width, window->height, cmyk ? 4 : channels, err));
    OC_TRY(guarded(jpeg, read_rows, err));
    if (!cmyk) return OC_OK;
    OC_TRY(oc_image_reserve(job->dst, window->width, window->height, channels, err));
    oci_flatten_cmyk(job->wide->pixels, (size_t)window->width * (size_t)window->height, channels,
                     job->dst->pixels);
    return OC_OK;
}

oc_status oci_jpeg_decode(oci_jpeg *jpeg, const oci_job *job, oc_error *err) {
    jpeg->job = job;
    jpeg->rows_seen = 0;
    oc_status status = decode(jpeg, err);
    jpeg_abort_decompress(&jpeg->cinfo);
    jpeg->job = NULL;
    return status;
}
