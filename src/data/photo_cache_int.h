/* The cache of decoded photos from inside: its form, its entries, its file.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_PHOTO_CACHE_INT_H
#define OC_DATA_PHOTO_CACHE_INT_H

#include <stdatomic.h>

#include "data/data_int.h"

/* ---- the form (form.c) ----------------------------------------------------------------------- */

typedef struct oci_form {
    int side;     /* shorter side at most; 0 = the network's input itself, or */
    bool resized; /* the resized picture of which the input is a window */
} oci_form;

/* A photo in its form. */
typedef struct oci_kept {
    const uint8_t *pixels; /* (height, width, channels) of the form's size; borrowed */
    int width, height;     /* of the photo, as displayed */
} oci_kept;

oci_form oci_form_of(const oc_recipe *recipe, const oc_augment *augment);
/* The form's size of a photo of width x height. */
void oci_form_size(const oci_form *form, const oc_recipe *recipe, int width, int height,
                   int *form_width, int *form_height);
/* From a file's bytes; the pixels live in the renderer until its next photo. */
OC_MUST_CHECK oc_status oci_form_make(oc_renderer *r, const oci_form *form, const void *bytes,
                                      size_t size, oci_kept *out, oc_error *err);
/* As oc_render, from the form. augment must be the one that the form is of. */
OC_MUST_CHECK oc_status oci_form_render(oc_renderer *r, const oci_form *form, const oci_kept *kept,
                                        const oc_augment *augment, oc_rng *rng, float *planes,
                                        oc_error *err);
/* Item `index` of the cache's list, from the cache or else from its file. */
OC_MUST_CHECK oc_status oci_render_kept(oc_renderer *r, oc_photo_cache *cache, size_t index,
                                        const char *path, const oc_augment *augment, oc_rng *rng,
                                        float *planes, oc_error *err);

/* ---- entries (photo_cache.c): safe from any thread --------------------------------------------
 */

const oci_form *oci_photo_cache_form(const oc_photo_cache *cache);
/* Whether it is one of these items, recipe and augment. */
bool oci_photo_cache_fits(const oc_photo_cache *cache, const oc_loader_options *loader);
/* False where it is not kept. */
bool oci_photo_cache_find(oc_photo_cache *cache, size_t index, oci_kept *out);
/* Keep it, if there is room; pixels are copied. */
void oci_photo_cache_put(oc_photo_cache *cache, size_t index, const oci_kept *kept);

/* ---- the file (photo_file.c) ----------------------------------------------------------------- */

/* One entry in the file's table. */
typedef struct oci_photo_row {
    uint64_t key;  /* of the photo's file as it was; 0 = nothing is kept */
    uint64_t hash; /* of the pixels */
} oci_photo_row;

typedef struct oci_photo_file {
    int fd; /* -1 = none */
    const uint8_t *map;
    size_t size;
    uint64_t begin; /* of the pixels */
    char path[OC_PATH_BYTES];
} oci_photo_file;

/* Make or take over the file of `count` entries and `bytes` of pixels, and lock it; rows gets what
 * it holds (all zero where it is new, of another kind, or damaged). OC_EUSAGE where another run
 * holds it. */
OC_MUST_CHECK oc_status oci_photo_file_open(oci_photo_file *f, const char *path, uint64_t digest,
                                            size_t count, uint64_t bytes, oci_photo_row *rows,
                                            oc_error *err);
void oci_photo_file_close(oci_photo_file *f, bool remove);
/* Pixels first, then the row that says so. */
OC_MUST_CHECK oc_status oci_photo_file_put(oci_photo_file *f, size_t index,
                                           const oci_photo_row *row, uint64_t offset,
                                           const uint8_t *pixels, size_t bytes, oc_error *err);
/* Bytes that could still be written below `folder`. */
uint64_t oci_disk_room(const char *folder);
/* Bytes of memory that are free for a program to take. */
uint64_t oci_memory_room(void);

#endif
