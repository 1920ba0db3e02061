/* Decoding a part of a picture: the same pixels as a decode of the whole, the same files refused;
 * and resizing from a part.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

#include <math.h>

#include <jpeglib.h>

/* What a test varies. */
typedef struct kind {
    int components, h, v; /* sampling of the first component */
    J_COLOR_SPACE in, stored;
    bool progressive, arithmetic;
    int restart; /* MCUs between markers */
} kind;

static const kind kinds[] = {
    {3, 1, 1, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 2, 1, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 2, 2, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 1, 2, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 4, 1, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 4, 2, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 1, 4, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 2, 4, JCS_RGB, JCS_YCbCr, false, false, 0},
    {3, 2, 2, JCS_RGB, JCS_YCbCr, true, false, 0},
    {3, 2, 1, JCS_RGB, JCS_YCbCr, true, false, 0},
    {3, 2, 2, JCS_RGB, JCS_YCbCr, false, true, 0},
    {3, 2, 2, JCS_RGB, JCS_YCbCr, false, false, 3},
    {3, 1, 1, JCS_RGB, JCS_RGB, false, false, 0},
    {1, 1, 1, JCS_GRAYSCALE, JCS_GRAYSCALE, false, false, 0},
    {1, 2, 2, JCS_GRAYSCALE, JCS_GRAYSCALE, true, false, 0},
    {4, 1, 1, JCS_CMYK, JCS_CMYK, false, false, 0},
    {4, 2, 2, JCS_CMYK, JCS_YCCK, false, false, 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- files ----------------------------------------------------------------------------------- */

static void write_rows(struct jpeg_compress_struct *cinfo, int width, int height, int channels) {
    oc_image img = {0};
    fill_pattern(&img, width, height, channels);
    while (cinfo->next_scanline < cinfo->image_height) {
        JSAMPROW row = img.pixels + (size_t)cinfo->next_scanline * (size_t)(width * channels);
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    oc_image_clear(&img);
}

/* An EXIF block that says no more than the orientation. */
static void write_orientation(struct jpeg_compress_struct *cinfo, int orientation) {
    uint8_t exif[] = "Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\1\0\0\0\0\0\0";
    exif[24] = (uint8_t)orientation;
    jpeg_write_marker(cinfo, JPEG_APP0 + 1, exif, sizeof exif - 1);
}

static void write_jpeg(const kind *k, int width, int height, int orientation, oc_buf *out) {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &bytes, &size);
    cinfo.image_width = (JDIMENSION)width;
    cinfo.image_height = (JDIMENSION)height;
    cinfo.input_components = k->components;
    cinfo.in_color_space = k->in;
    jpeg_set_defaults(&cinfo);
    jpeg_set_colorspace(&cinfo, k->stored);
    cinfo.comp_info[0].h_samp_factor = k->h;
    cinfo.comp_info[0].v_samp_factor = k->v;
    jpeg_set_quality(&cinfo, 80, TRUE);
    cinfo.arith_code = k->arithmetic;
    cinfo.restart_interval = (unsigned)k->restart;
    if (k->progressive) jpeg_simple_progression(&cinfo);
    jpeg_start_compress(&cinfo, TRUE);
    if (orientation > 1) write_orientation(&cinfo, orientation);
    write_rows(&cinfo, width, height, k->components);
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    out->size = 0;
    oc_buf_append(out, bytes, size);
    free(bytes); /* libjpeg's own malloc */
}

/* ---- the same pixels ------------------------------------------------------------------------- */

/* A span of the full picture in pixels of the scaled one. */
static void scale_span(int *from, int *end, double scale) {
    *from = (int)floor(*from * scale);
    *end = (int)ceil(*end * scale);
}

/* What was asked for is there, as in the whole. */
static void check_inside(const oc_image *whole, const oc_image *part, const oc_place *place,
                         const oc_region *asked, const oc_image_info *info) {
    int x = asked->x, right = asked->x + asked->width;
    int y = asked->y, bottom = asked->y + asked->height;
    size_t channels = (size_t)part->channels;
    assert_int_equal(place->width, whole->width);
    assert_int_equal(place->height, whole->height);
    assert_int_equal(part->channels, whole->channels);
    scale_span(&x, &right, (double)whole->width / info->width);
    scale_span(&y, &bottom, (double)whole->height / info->height);
    assert_true(place->x <= x && place->x + part->width >= right);
    assert_true(place->y <= y && place->y + part->height >= bottom);
    for (; y < bottom; y++) {
        size_t to = (size_t)(y - place->y) * (size_t)part->width + (size_t)(x - place->x);
        size_t from = (size_t)y * (size_t)whole->width + (size_t)x;
        if (memcmp(part->pixels + to * channels, whole->pixels + from * channels,
                   (size_t)(right - x) * channels) != 0)
            fail_msg("row %d of %d x %d at (%d, %d) of %d x %d differs", y, part->width,
                     part->height, place->x, place->y, place->width, place->height);
    }
}

static oc_region draw_region(oc_rng *rng, const oc_image_info *info) {
    oc_region r;
    r.width = 1 + (int)oc_rng_below(rng, (uint32_t)info->width);
    r.height = 1 + (int)oc_rng_below(rng, (uint32_t)info->height);
    r.x = (int)oc_rng_below(rng, (uint32_t)(info->width - r.width) + 1);
    r.y = (int)oc_rng_below(rng, (uint32_t)(info->height - r.height) + 1);
    return r;
}

/* `count` parts of the file against its whole, at the scale that `min_side` leads to. */
static void check_parts(oc_decoder *decoder, const oc_buf *file, int min_side, int channels,
                        int count, oc_rng *rng) {
    oc_image whole = {0}, part = {0};
    oc_image_info info;
    oc_place place;
    oc_error err = {0};
    oc_decode_options options = {
        .channels = channels, .min_width = min_side, .min_height = min_side};
    check_ok(oc_decode(decoder, file->data, file->size, &options, &whole, &info, &err), err);
    for (int i = 0; i < count; i++) {
        options.part = draw_region(rng, &info);
        options.rest_is_known = i % 2;
        check_ok(oc_decode_part(decoder, file->data, file->size, &options, &part, &place, &err),
                 err);
        check_inside(&whole, &part, &place, &options.part, &info);
    }
    oc_image_clear(&whole);
    oc_image_clear(&part);
}

static void a_part_has_the_pixels_of_the_whole(void **state) {
    (void)state;
    enum { PARTS = 8 };
    oc_decoder *decoder = new_decoder();
    oc_buf file = {0};
    oc_rng rng;
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    for (int k = 0; k < KINDS; k++) {
        write_jpeg(&kinds[k], 163, 117, 1, &file);
        for (int min_side = 0; min_side < 60; min_side += 14)
            check_parts(decoder, &file, min_side, 3, PARTS, &rng);
        check_parts(decoder, &file, 0, 1, PARTS, &rng);
    }
    oc_buf_clear(&file);
    oc_decoder_free(decoder);
}

static void a_part_of_a_turned_picture_has_its_pixels(void **state) {
    (void)state;
    enum { PARTS = 24 };
    oc_decoder *decoder = new_decoder();
    oc_buf file = {0};
    oc_rng rng;
    oc_rng_init(&rng, 2, OC_RNG_TEST, 0, 0);
    for (int orientation = 1; orientation <= 8; orientation++) {
        write_jpeg(&kinds[2], 150, 90, orientation, &file);
        check_parts(decoder, &file, 0, 3, PARTS, &rng);
        check_parts(decoder, &file, 30, 3, PARTS, &rng);
    }
    oc_buf_clear(&file);
    oc_decoder_free(decoder);
}

static void a_part_of_a_thin_picture_has_its_pixels(void **state) {
    (void)state;
    static const int sides[][2] = {{1, 1}, {1, 200}, {200, 1}, {17, 16}, {16, 17}, {2, 33}};
    oc_decoder *decoder = new_decoder();
    oc_buf file = {0};
    oc_rng rng;
    oc_rng_init(&rng, 3, OC_RNG_TEST, 0, 0);
    for (int k = 0; k < KINDS; k++) {
        for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
            write_jpeg(&kinds[k], sides[i][0], sides[i][1], 1, &file);
            check_parts(decoder, &file, 0, 3, 6, &rng);
        }
    }
    oc_buf_clear(&file);
    oc_decoder_free(decoder);
}

/* ---- the same refusals ----------------------------------------------------------------------- */

static oc_status decode_middle(oc_decoder *decoder, const oc_buf *file, bool whole, oc_error *err) {
    oc_image out = {0};
    oc_place place;
    oc_decode_options options = {.part = {40, 30, 20, 16}};
    oc_status status =
        whole ? oc_decode(decoder, file->data, file->size, NULL, &out, NULL, err)
              : oc_decode_part(decoder, file->data, file->size, &options, &out, &place, err);
    oc_image_clear(&out);
    return status;
}

static void check_refused_alike(oc_decoder *decoder, const oc_buf *file, size_t at) {
    oc_error whole = {0}, part = {0};
    oc_status a = decode_middle(decoder, file, true, &whole);
    oc_status b = decode_middle(decoder, file, false, &part);
    if (a != b || strcmp(whole.message, part.message) != 0)
        fail_msg("byte %zu: whole \"%s\", part \"%s\"", at, whole.message, part.message);
}

static void damage_outside_of_the_part_is_refused(void **state) {
    (void)state;
    static const int chosen[] = {0, 2, 7, 9, 10, 12, 15};
    oc_decoder *decoder = new_decoder();
    oc_buf file = {0};
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        write_jpeg(&kinds[chosen[i]], 113, 97, 1, &file);
        size_t size = file.size;
        for (size_t cut = 0; cut < size; cut += 61) {
            file.size = cut;
            check_refused_alike(decoder, &file, cut);
        }
        file.size = size;
        for (size_t at = 2; at < size; at += 37) {
            char kept = file.data[at];
            file.data[at] = (char)(at % 3 == 0 ? 0xFF : kept ^ 0x55);
            check_refused_alike(decoder, &file, at);
            file.data[at] = kept;
        }
    }
    oc_buf_clear(&file);
    oc_decoder_free(decoder);
}

static void the_rest_is_left_alone_where_it_is_known(void **state) {
    (void)state;
    oc_decoder *decoder = new_decoder();
    oc_buf file = {0};
    oc_image out = {0};
    oc_place place;
    oc_error err = {0};
    oc_decode_options options = {.part = {40, 0, 20, 16}, .rest_is_known = true};
    write_jpeg(&kinds[2], 113, 97, 1, &file);
    file.size = file.size * 3 / 4;
    check_ok(oc_decode_part(decoder, file.data, file.size, &options, &out, &place, &err), err);
    options.rest_is_known = false;
    check_fails(oc_decode_part(decoder, file.data, file.size, &options, &out, &place, &err), err,
                OC_EFORMAT, "damaged JPEG");
    oc_buf_clear(&file);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

static void a_part_outside_of_the_picture_is_refused(void **state) {
    (void)state;
    static const oc_region bad[] = {{-1, 0, 2, 2}, {0, -1, 2, 2}, {0, 0, 41, 2},
                                    {0, 0, 2, 31}, {39, 0, 2, 2}, {0, 29, 2, 2},
                                    {0, 0, -3, 2}, {0, 0, 2, 0},  {INT32_MAX, 0, 2, 2}};
    oc_decoder *decoder = new_decoder();
    oc_buf file = {0};
    write_jpeg(&kinds[2], 40, 30, 1, &file);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        oc_image out = {0};
        oc_place place;
        oc_error err = {0};
        oc_decode_options options = {.part = bad[i]};
        check_fails(oc_decode_part(decoder, file.data, file.size, &options, &out, &place, &err),
                    err, OC_EUSAGE, "is not inside the picture of 40 x 30");
        oc_image_clear(&out);
    }
    oc_buf_clear(&file);
    oc_decoder_free(decoder);
}

/* ---- resize from a part ---------------------------------------------------------------------- */

static void cut(const oc_image *src, const oc_region *r, oc_image *dst) {
    oc_error err = {0};
    check_ok(oc_image_reserve(dst, r->width, r->height, src->channels, &err), err);
    size_t row = (size_t)(r->width * src->channels);
    for (int y = 0; y < r->height; y++)
        memcpy(dst->pixels + (size_t)y * row,
               src->pixels + (size_t)(((r->y + y) * src->width + r->x) * src->channels), row);
}

static void widen(int *from, int *size, int by, int side) {
    int end = *from + *size + by;
    *from = *from > by ? *from - by : 0;
    *size = (end < side ? end : side) - *from;
}

static void check_resize(const oc_image *src, oc_resizer *resizer, oc_resize how, oc_region box) {
    oc_image part = {0}, a = {0}, b = {0};
    oc_error err = {0};
    how.box_x = box.x;
    how.box_y = box.y;
    how.box_width = box.width;
    how.box_height = box.height;
    check_ok(oc_image_resize(resizer, src, &how, &a, &err), err);
    widen(&box.x, &box.width, oc_resize_margin(how.filter, box.width, how.full_width), src->width);
    widen(&box.y, &box.height, oc_resize_margin(how.filter, box.height, how.full_height),
          src->height);
    cut(src, &box, &part);
    how.src_place = (oc_place){box.x, box.y, src->width, src->height};
    check_ok(oc_image_resize(resizer, &part, &how, &b, &err), err);
    check_same(&a, &b);
    oc_image_clear(&part);
    oc_image_clear(&a);
    oc_image_clear(&b);
}

static void resize_from_a_part_is_resize_from_the_whole(void **state) {
    (void)state;
    oc_image src = {0};
    oc_resizer resizer = {0};
    oc_rng rng;
    oc_rng_init(&rng, 4, OC_RNG_TEST, 0, 0);
    fill_pattern(&src, 331, 257, 3);
    oc_image_info info = {.width = 331, .height = 257};
    for (int i = 0; i < 60; i++) {
        oc_resize how = {.full_width = 1 + (int)oc_rng_below(&rng, 150),
                         .full_height = 1 + (int)oc_rng_below(&rng, 150),
                         .filter = (oc_filter)(i % 3),
                         .flip = i % 2};
        check_resize(&src, &resizer, how, draw_region(&rng, &info));
    }
    oc_image_clear(&src);
    oc_resizer_clear(&resizer);
}

static void resize_refuses_a_part_that_lacks_pixels(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    oc_resizer resizer = {0};
    oc_error err = {0};
    oc_resize how = {.full_width = 10,
                     .full_height = 10,
                     .box_width = 60,
                     .box_height = 60,
                     .filter = OC_FILTER_BILINEAR,
                     .src_place = {0, 0, 100, 100}};
    fill_pattern(&src, 59, 80, 3);
    check_fails(oc_image_resize(&resizer, &src, &how, &dst, &err), err, OC_EUSAGE,
                "there are 0 to 58");
    how.src_place.width = 58;
    check_fails(oc_image_resize(&resizer, &src, &how, &dst, &err), err, OC_EUSAGE,
                "not inside 58 x 100");
    oc_image_clear(&src);
    oc_image_clear(&dst);
    oc_resizer_clear(&resizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_has_the_pixels_of_the_whole),
        cmocka_unit_test(a_part_of_a_turned_picture_has_its_pixels),
        cmocka_unit_test(a_part_of_a_thin_picture_has_its_pixels),
        cmocka_unit_test(damage_outside_of_the_part_is_refused),
        cmocka_unit_test(the_rest_is_left_alone_where_it_is_known),
        cmocka_unit_test(a_part_outside_of_the_picture_is_refused),
        cmocka_unit_test(resize_from_a_part_is_resize_from_the_whole),
        cmocka_unit_test(resize_refuses_a_part_that_lacks_pixels),
    };
    return cmocka_run_group_tests_name("image part", tests, NULL, NULL);
}
