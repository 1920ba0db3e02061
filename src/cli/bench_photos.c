/* Times photos on their way in, from the bytes of a file to the network's input, on one core.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "bench_int.h"
#include "data/data.h"

static const size_t file_budget = (size_t)64 << 20;

typedef struct photos {
    char *bytes[OCI_BENCH_PHOTOS];
    size_t sizes[OCI_BENCH_PHOTOS];
    size_t count;
} photos;

static oc_status read_all(photos *p, const oci_paths *paths, oc_error *err) {
    for (size_t i = 0; i < paths->count && p->count < OCI_BENCH_PHOTOS; i++) {
        OC_TRY(oc_file_read(paths->items[i], file_budget, &p->bytes[p->count], &p->sizes[p->count],
                            err));
        p->count++;
    }
    return OC_OK;
}

/* As training does before its first step: a photo that is whole may be left half read later. */
static oc_status look_into_all(const photos *p, const oci_paths *paths, oc_error *err) {
    const oc_decode_options options = {.min_width = 1, .min_height = 1};
    oc_decoder *decoder = NULL;
    oc_image image = {0};
    oc_status status = oc_decoder_new(&decoder, err);
    for (size_t i = 0; i < p->count && status == OC_OK; i++) {
        status = oc_decode(decoder, p->bytes[i], p->sizes[i], &options, &image, NULL, err);
        if (status != OC_OK) status = oc_error_context(err, status, "%s", paths->items[i]);
    }
    oc_image_clear(&image);
    oc_decoder_free(decoder);
    return status;
}

/* Whole rounds over all photos, so that large and small ones have their share. */
static oc_status time_kind(double *rate, const photos *p, oc_renderer *renderer,
                           const oc_augment *augment, const oci_paths *paths, float *planes,
                           double seconds, oc_error *err) {
    double start = oc_clock_seconds(), spent = 0;
    oc_rng rng;
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    for (int round = 1; spent < seconds; round++) {
        for (size_t i = 0; i < p->count; i++) {
            oc_status status =
                oc_render(renderer, p->bytes[i], p->sizes[i], augment, &rng, planes, err);
            if (status != OC_OK) return oc_error_context(err, status, "%s", paths->items[i]);
        }
        spent = oc_clock_seconds() - start;
        *rate = (double)p->count * round / spent;
    }
    return OC_OK;
}

oc_status oci_bench_photos(oci_photo_speed *out, const oci_paths *paths, int size, double seconds,
                           oc_error *err) {
    const oc_recipe recipe = oc_recipe_default(size, size);
    const oc_augment augment = oc_augment_level(OC_LEVEL_STANDARD);
    const size_t bytes = (size_t)3 * (size_t)size * (size_t)size * sizeof(float);
    photos p = {0};
    oc_renderer *renderer = NULL;
    oc_status status = OC_OK;
    *out = (oci_photo_speed){0};
    float *planes = oc_malloc_aligned(bytes);
    if (!planes) OC_GOTO(oc_fail_nomem(err, bytes, "the rendered photo"));
    OC_GOTO(read_all(&p, paths, err));
    OC_GOTO(oc_renderer_new(&renderer, &recipe, NULL, err));
    OC_GOTO(time_kind(&out->plain, &p, renderer, NULL, paths, planes, seconds, err));
    OC_GOTO(look_into_all(&p, paths, err));
    oc_renderer_trust(renderer, true);
    OC_GOTO(time_kind(&out->varied, &p, renderer, &augment, paths, planes, seconds, err));
    out->photos = p.count;
done:
    oc_renderer_free(renderer);
    for (size_t i = 0; i < p.count; i++) oc_free(p.bytes[i]);
    oc_free_aligned(planes);
    return status;
}
