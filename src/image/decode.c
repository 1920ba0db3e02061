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
    default:
        return oci_webp_decode(job, err);
    }
}

oc_status oc_decode(oc_decoder *decoder, const void *bytes, size_t size,
                    const oc_decode_options *options, oc_image *out, oc_image_info *info,
                    oc_error *err) {
    const oc_decode_options defaults = {0};
    if (!options) options = &defaults;
    oci_budget budget = oci_budget_start(&options->limits);
    oc_image_info stored;
    oci_bytes in = {bytes, size};
    OC_TRY(oci_probe_stored(in, &budget, &stored, err));
    bool turn = stored.orientation != 1;
    oci_job job = {.in = in,
                   .options = options,
                   .budget = &budget,
                   .stored = &stored,
                   .wide = &decoder->wide,
                   .dst = turn ? &decoder->turned : out};
    OC_TRY(run_codec(decoder, &job, err));
    if (turn) OC_TRY(oci_orient(&decoder->turned, stored.orientation, out, err));
    if (info) *info = oci_displayed(stored);
    return OC_OK;
}
