/* What the tests of this room share: the pattern image, the fixture files of make_fixtures.py, the
 * files in ../shared.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_IMAGE_TEST_H
#define OC_IMAGE_TEST_H

#include "../check.h"
#include "image/image.h"

#ifndef OC_SOURCE_DIR /* the build says where the checkout is */
#define OC_SOURCE_DIR "."
#endif
#define FIXTURES OC_SOURCE_DIR "/tests/image/fixtures/"
#define SHARED   OC_SOURCE_DIR "/../shared/data/"

/* The same as pattern() of make_fixtures.py. */
static inline void fill_pattern(oc_image *img, int width, int height, int channels) {
    oc_error err = {0};
    check_ok(oc_image_reserve(img, width, height, channels, &err), err);
    uint8_t *p = img->pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++) {
                int edge = (x / 5 + y / 7) % 2 ? 90 : 0;
                *p++ = (uint8_t)((x * 7 + y * 13 + c * 29 + x * y / 3 + edge) % 256);
            }
}

static inline size_t image_bytes(const oc_image *img) {
    return (size_t)img->width * (size_t)img->height * (size_t)img->channels;
}

/* Largest difference of two images of the same shape. */
static inline int max_difference(const oc_image *img, const uint8_t *pixels) {
    int worst = 0;
    for (size_t i = 0; i < image_bytes(img); i++) {
        int d = abs(img->pixels[i] - pixels[i]);
        if (d > worst) worst = d;
    }
    return worst;
}

static inline void check_same(const oc_image *a, const oc_image *b) {
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    assert_memory_equal(a->pixels, b->pixels, image_bytes(a));
}

/* ---- fixtures -------------------------------------------------------------------------------- */

/* A fixture file, read front to back. */
typedef struct fixture {
    char *bytes;
    size_t size, at;
    uint32_t count;
} fixture;

static inline const void *fixture_take(fixture *f, size_t bytes) {
    assert_true(bytes <= f->size - f->at);
    const void *p = f->bytes + f->at;
    f->at += bytes;
    return p;
}

static inline uint32_t fixture_u32(fixture *f) {
    const uint8_t *p = fixture_take(f, 4);
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline float fixture_f32(fixture *f) {
    uint32_t bits = fixture_u32(f);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline fixture fixture_open(const char *path) {
    enum { MAGIC_AND_VERSION = 20 };
    fixture f = {0};
    oc_error err = {0};
    check_ok(oc_file_read(path, 1 << 20, &f.bytes, &f.size, &err), err);
    assert_memory_equal(fixture_take(&f, MAGIC_AND_VERSION), "OCFXPillow", 10);
    f.count = fixture_u32(&f);
    assert_true(f.count > 0);
    return f;
}

/* One file of decode.bin and what Pillow makes of it: upright RGB over white. */
typedef struct decode_fixture {
    const char *name;
    const uint8_t *file;
    size_t size;
    int width, height;
    const uint8_t *pixels;
} decode_fixture;

static inline decode_fixture fixture_next_decode(fixture *f) {
    decode_fixture d = {.name = fixture_take(f, 24)};
    d.size = fixture_u32(f);
    d.width = (int)fixture_u32(f);
    d.height = (int)fixture_u32(f);
    assert_int_equal(fixture_u32(f), 3);
    d.file = fixture_take(f, d.size);
    d.pixels = fixture_take(f, (size_t)d.width * (size_t)d.height * 3);
    return d;
}

/* The entry of that name; f stays open and owns it. */
static inline decode_fixture fixture_find(fixture *f, const char *name) {
    *f = fixture_open(FIXTURES "decode.bin");
    for (uint32_t i = 0; i < f->count; i++) {
        decode_fixture d = fixture_next_decode(f);
        if (strcmp(d.name, name) == 0) return d;
    }
    fail_msg("no fixture %s", name);
    return (decode_fixture){0};
}

/* ---- decoding -------------------------------------------------------------------------------- */

static inline oc_decoder *new_decoder(void) {
    oc_decoder *decoder = NULL;
    oc_error err = {0};
    check_ok(oc_decoder_new(&decoder, &err), err);
    return decoder;
}

/* Over white, as the fixtures are. */
static const oc_decode_options over_white = {.background = {255, 255, 255}};

#endif
