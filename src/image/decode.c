/* The door: bytes from outside become upright pixels with the channels asked for.
 *
 * The header is read by our own parsers first (probe.c); a codec runs only on files that pass the
 * limits. It writes straight into the result unless the image has to be turned.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

struct oc_decoder {
    oci_jpeg *jpeg;
    oc_image wide;   /* four channels before conversion */
    oc_image turned; /* before orientation */
};

oc_status oc_decoder_new(oc_decoder **out, oc_error *err) {
    *out = NULL;
    oc_decoder *decoder = oc_calloc(1, sizeof *decoder);
    if (!decoder) return oc_fail_nomem(err, sizeof *decoder, "an image decoder");
    oc_status status = oci_jpeg_new(&decoder->jpeg, err);
    if (status != OC_OK) {
        oc_decoder_free(decoder);
        return status;
    }
    *out = decoder;
    return OC_OK;
}

void oc_decoder_free(oc_decoder *decoder) {
    if (!decoder) return;
    oci_jpeg_free(decoder->jpeg);
    oc_image_clear(&decoder->wide);
    oc_image_clear(&decoder->turned);
    oc_free(decoder);
}

static oc_status run_codec(oc_decoder *decoder, const oci_job *job, oc_error *err) {
    switch (job->stored->format) {
    case OC_FORMAT_JPEG:
        return oci_jpeg_decode(decoder->jpeg, job, err);
    case OC_FORMAT_PNG:
        return oci_png_decode(job, err);
    case OC_FORMAT_PNM:
        return oci_pnm_decode(job, err);
    default:
        return oci_webp_decode(job, err);
    }
}

/* The part as stored; the whole (width 0) where none was asked for. */
static oc_status find_part(const oc_decode_options *options, const oc_image_info *stored,
                           oc_region *out, oc_error *err) {
    const oc_region *part = &options->part;
    oc_image_info shown = oci_displayed(*stored);
    *out = (oc_region){0};
    if (part->width == 0) return OC_OK;
    if (part->x < 0 || part->y < 0 || part->width < 1 || part->height < 1 ||
        part->x > shown.width - part->width || part->y > shown.height - part->height)
        return oc_fail(err, OC_EUSAGE,
                       "part of %d x %d at (%d, %d) is not inside the picture of %d x %d",
                       part->width, part->height, part->x, part->y, shown.width, shown.height);
    *out = oci_region_stored(*part, stored->orientation, stored->width, stored->height);
    return OC_OK;
}

/* The place of what was decoded, in the picture as displayed. */
static oc_place displayed_place(const oc_place *place, const oc_image *decoded, int orientation) {
    oc_region lies = {place->x, place->y, decoded->width, decoded->height};
    bool turned = orientation >= 5;
    oc_region r = oci_region_displayed(lies, orientation, place->width, place->height);
    return (oc_place){.x = r.x,
                      .y = r.y,
                      .width = turned ? place->height : place->width,
                      .height = turned ? place->width : place->height};
}

/* Work buffers are kept from image to image, but not those of a giant. */
static void let_go_of_giants(oc_decoder *decoder) {
    enum { GIANT_BYTES = 32 << 20 };
    if (decoder->wide.capacity > GIANT_BYTES) oc_image_clear(&decoder->wide);
    if (decoder->turned.capacity > GIANT_BYTES) oc_image_clear(&decoder->turned);
}

static oc_status decode(oc_decoder *decoder, oci_bytes in, const oc_decode_options *options,
                        oc_image *out, oc_place *place, oc_image_info *info, oc_error *err) {
    oci_budget budget = oci_budget_start(&options->limits);
    oc_image_info stored;
    oc_region part;
    oc_place lies = {0};
    OC_TRY(oci_probe_stored(in, &budget, &stored, err));
    OC_TRY(find_part(options, &stored, &part, err));
    bool turn = stored.orientation != 1;
    oc_image *dst = turn ? &decoder->turned : out;
    oci_job job = {.in = in,
                   .options = options,
                   .budget = &budget,
                   .stored = &stored,
                   .part = part,
                   .wide = &decoder->wide,
                   .dst = dst,
                   .place = &lies};
    OC_TRY(run_codec(decoder, &job, err));
    if (lies.width == 0) lies = (oc_place){.width = dst->width, .height = dst->height};
    *place = displayed_place(&lies, dst, stored.orientation);
    if (turn) OC_TRY(oci_orient(dst, stored.orientation, out, err));
    if (info) *info = oci_displayed(stored);
    return OC_OK;
}

oc_status oc_decode_part(oc_decoder *decoder, const void *bytes, size_t size,
                         const oc_decode_options *options, oc_image *out, oc_place *place,
                         oc_error *err) {
    oc_status status = decode(decoder, (oci_bytes){bytes, size}, options, out, place, NULL, err);
    let_go_of_giants(decoder);
    return status;
}

oc_status oc_decode(oc_decoder *decoder, const void *bytes, size_t size,
                    const oc_decode_options *options, oc_image *out, oc_image_info *info,
                    oc_error *err) {
    oc_decode_options whole = options ? *options : (oc_decode_options){0};
    oc_place ignored;
    whole.part = (oc_region){0};
    oc_status status = decode(decoder, (oci_bytes){bytes, size}, &whole, out, &ignored, info, err);
    let_go_of_giants(decoder);
    return status;
}
