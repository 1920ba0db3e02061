/* The door with files that are as they should be: against Pillow's output, scaled, grey, with and
 * without alpha, reused.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

/* Codec versions may round differently; with the versions the fixtures were made with, 0. */
enum { GREY_LEVELS_BETWEEN_CODECS = 2 };

static void every_fixture_decodes_to_pillows_pixels(void **state) {
    (void)state;
    fixture f = fixture_open(FIXTURES "decode.bin");
    oc_decoder *decoder = new_decoder();
    oc_image out = {0};
    oc_error err = {0};
    for (uint32_t i = 0; i < f.count; i++) {
        decode_fixture d = fixture_next_decode(&f);
        oc_image_info info;
        oc_status status = oc_decode(decoder, d.file, d.size, &over_white, &out, &info, &err);
        if (status != OC_OK) fail_msg("%s: %s", d.name, err.message);
        assert_int_equal(out.width, d.width);
        assert_int_equal(out.height, d.height);
        assert_int_equal(info.width, d.width);
        assert_int_equal(info.height, d.height);
        if (max_difference(&out, d.pixels) > GREY_LEVELS_BETWEEN_CODECS)
            fail_msg("%s differs by %d", d.name, max_difference(&out, d.pixels));
    }
    oc_free(f.bytes);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

static void all_orientations_show_the_same_upright_size(void **state) {
    (void)state;
    fixture f = fixture_open(FIXTURES "decode.bin");
    for (uint32_t i = 0; i < f.count; i++) {
        decode_fixture d = fixture_next_decode(&f);
        const char *digit = strstr(d.name, "-exif-");
        oc_image_info info;
        assert_int_equal(oc_image_probe(d.file, d.size, NULL, &info, NULL), OC_OK);
        assert_int_equal(info.orientation, digit ? digit[6] - '0' : 1);
        assert_int_equal(info.width, d.width);
        assert_int_equal(info.height, d.height);
    }
    oc_free(f.bytes);
}

static void check_probe(const char *name, oc_image_info wanted) {
    fixture f;
    decode_fixture d = fixture_find(&f, name);
    oc_image_info info;
    assert_int_equal(oc_image_probe(d.file, d.size, NULL, &info, NULL), OC_OK);
    assert_int_equal(info.format, wanted.format);
    assert_int_equal(info.channels, wanted.channels);
    assert_int_equal(info.alpha, wanted.alpha);
    assert_int_equal(info.bits, wanted.bits);
    oc_free(f.bytes);
}

static void probe_tells_what_is_in_the_file(void **state) {
    (void)state;
    check_probe("jpeg-420", (oc_image_info){.format = OC_FORMAT_JPEG, .channels = 3, .bits = 8});
    check_probe("jpeg-grey", (oc_image_info){.format = OC_FORMAT_JPEG, .channels = 1, .bits = 8});
    check_probe("jpeg-cmyk", (oc_image_info){.format = OC_FORMAT_JPEG, .channels = 4, .bits = 8});
    check_probe("png-sixteen", (oc_image_info){.format = OC_FORMAT_PNG, .channels = 1, .bits = 16});
    check_probe("png-bilevel", (oc_image_info){.format = OC_FORMAT_PNG, .channels = 1, .bits = 1});
    check_probe("png-rgba",
                (oc_image_info){.format = OC_FORMAT_PNG, .channels = 4, .alpha = true, .bits = 8});
    check_probe("png-palette-trns",
                (oc_image_info){.format = OC_FORMAT_PNG, .channels = 3, .alpha = true, .bits = 4});
    check_probe("webp-alpha",
                (oc_image_info){.format = OC_FORMAT_WEBP, .channels = 4, .alpha = true, .bits = 8});
}

/* ---- options --------------------------------------------------------------------------------- */

static void decode_named(const char *name, const oc_decode_options *options, oc_image *out) {
    fixture f;
    decode_fixture d = fixture_find(&f, name);
    oc_decoder *decoder = new_decoder();
    oc_error err = {0};
    check_ok(oc_decode(decoder, d.file, d.size, options, out, NULL, &err), err);
    oc_decoder_free(decoder);
    oc_free(f.bytes);
}

static void grey_has_one_channel_in_every_format(void **state) {
    (void)state;
    static const char *const names[] = {"jpeg-420",    "jpeg-grey",     "jpeg-cmyk",
                                        "jpeg-exif-6", "png-rgb",       "png-rgba",
                                        "png-adam7",   "webp-lossless", "webp-alpha"};
    const oc_decode_options grey = {.channels = 1, .background = {255, 255, 255}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        oc_image one = {0}, three = {0};
        decode_named(names[i], &grey, &one);
        decode_named(names[i], &over_white, &three);
        assert_int_equal(one.channels, 1);
        assert_int_equal(one.width, three.width);
        for (size_t p = 0; p < image_bytes(&one); p++) {
            const uint8_t *rgb = three.pixels + 3 * p;
            /* a JPEG's own Y differs where its RGB was clipped to 0..255 */
            double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
            assert_true(luma - one.pixels[p] < 40 && one.pixels[p] - luma < 40);
            if (strncmp(names[i], "jpeg", 4) != 0)
                assert_true(luma - one.pixels[p] < 1 && one.pixels[p] - luma < 1);
        }
        oc_image_clear(&one);
        oc_image_clear(&three);
    }
}

static void alpha_shows_the_background_or_is_dropped(void **state) {
    (void)state;
    static const char *const names[] = {"png-rgba", "webp-alpha"};
    for (size_t i = 0; i < 2; i++) {
        oc_image dropped = {0}, black = {0}, white = {0}, plain = {0};
        decode_named(names[i], &(oc_decode_options){.alpha = OC_ALPHA_DROP}, &dropped);
        decode_named(names[i], &(oc_decode_options){0}, &black);
        decode_named(names[i], &over_white, &white);
        decode_named("png-rgb", &(oc_decode_options){0}, &plain);
        check_same(&dropped, &plain);
        assert_true(memcmp(black.pixels, white.pixels, image_bytes(&white)) != 0);
        for (size_t p = 0; p < image_bytes(&white); p++) {
            assert_true(black.pixels[p] <= dropped.pixels[p]);
            assert_true(white.pixels[p] >= dropped.pixels[p]);
        }
        oc_image_clear(&dropped);
        oc_image_clear(&black);
        oc_image_clear(&white);
        oc_image_clear(&plain);
    }
}

static void encode_photo(int width, int height, oc_buf *out) {
    oc_image img = {0};
    fill_pattern(&img, width, height, 3);
    assert_int_equal(oc_encode_jpeg(&img, 90, out, NULL), OC_OK);
    oc_image_clear(&img);
}

static void jpeg_is_scaled_no_further_than_asked(void **state) {
    (void)state;
    static const int cases[][4] = {/* min width, min height, result */
                                   {0, 0, 801, 403},     {801, 403, 801, 403}, {401, 0, 401, 202},
                                   {402, 0, 801, 403},   {0, 202, 401, 202},   {200, 101, 201, 101},
                                   {201, 102, 401, 202}, {1, 1, 101, 51},      {5000, 1, 801, 403}};
    oc_buf file = {0};
    oc_image out = {0};
    oc_decoder *decoder = new_decoder();
    encode_photo(801, 403, &file);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oc_decode_options options = {.min_width = cases[i][0], .min_height = cases[i][1]};
        oc_image_info info;
        assert_int_equal(oc_decode(decoder, file.data, file.size, &options, &out, &info, NULL),
                         OC_OK);
        assert_int_equal(out.width, cases[i][2]);
        assert_int_equal(out.height, cases[i][3]);
        assert_int_equal(info.width, 801);
    }
    oc_buf_clear(&file);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void decoder_works_after_a_failure(void **state) {
    (void)state;
    fixture f;
    decode_fixture d = fixture_find(&f, "jpeg-progressive");
    oc_decoder *decoder = new_decoder();
    oc_image out = {0};
    for (size_t cut = 1; cut <= d.size; cut *= 2) {
        assert_int_not_equal(oc_decode(decoder, d.file, d.size - cut, NULL, &out, NULL, NULL),
                             OC_OK);
        assert_int_equal(oc_decode(decoder, d.file, d.size, NULL, &out, NULL, NULL), OC_OK);
        assert_true(max_difference(&out, d.pixels) <= GREY_LEVELS_BETWEEN_CODECS);
    }
    oc_free(f.bytes);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

static oc_status decode_once(const decode_fixture *d) {
    oc_decoder *decoder = NULL;
    oc_image out = {0};
    oc_status status = oc_decoder_new(&decoder, NULL);
    if (status == OC_OK)
        status = oc_decode(decoder, d->file, d->size, &over_white, &out, NULL, NULL);
    else
        assert_null(decoder);
    oc_decoder_free(decoder);
    oc_image_clear(&out);
    return status;
}

static void decode_survives_any_allocation_failing(void **state) {
    (void)state;
    static const char *const names[] = {"jpeg-exif-5", "jpeg-cmyk", "png-rgba", "png-palette-trns",
                                        "webp-alpha"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        decode_fixture d = fixture_find(&f, names[i]);
        oc_status status = OC_ENOMEM;
        for (uint64_t n = 1; status != OC_OK; n++) {
            assert_true(n < 200);
            oc_mem_fail_at(n);
            status = decode_once(&d);
            oc_mem_fail_at(0);
            assert_true(status == OC_OK || status == OC_ENOMEM);
        }
        oc_free(f.bytes);
    }
}

static void a_second_jpeg_allocates_nothing_of_ours(void **state) {
    (void)state;
    fixture f;
    decode_fixture d = fixture_find(&f, "jpeg-420");
    oc_decoder *decoder = new_decoder();
    oc_image out = {0};
    assert_int_equal(oc_decode(decoder, d.file, d.size, NULL, &out, NULL, NULL), OC_OK);
    uint64_t before = oc_mem_allocations();
    assert_int_equal(oc_decode(decoder, d.file, d.size, NULL, &out, NULL, NULL), OC_OK);
    assert_int_equal(oc_mem_allocations(), before);
    oc_free(f.bytes);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_decodes_to_pillows_pixels),
        cmocka_unit_test(all_orientations_show_the_same_upright_size),
        cmocka_unit_test(probe_tells_what_is_in_the_file),
        cmocka_unit_test(grey_has_one_channel_in_every_format),
        cmocka_unit_test(alpha_shows_the_background_or_is_dropped),
        cmocka_unit_test(jpeg_is_scaled_no_further_than_asked),
        cmocka_unit_test(decoder_works_after_a_failure),
        cmocka_unit_test(decode_survives_any_allocation_failing),
        cmocka_unit_test(a_second_jpeg_allocates_nothing_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
