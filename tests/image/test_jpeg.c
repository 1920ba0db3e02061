/* Kinds of JPEG that Pillow does not write: YCCK, plain RGB, arithmetic coding, two components; and
 * warnings of the codec, which are errors here.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

#include <jpeglib.h>

enum { SIDE = 32 };
/* 8-bit DCT at quality 100, four components through two conversions. */
enum { GREY_LEVELS_OF_COMPRESSION = 6 };

/* What a test varies. */
typedef struct recipe {
    int components;
    J_COLOR_SPACE in, stored;
    bool arithmetic;
} recipe;

/* Samples are constant: 40, 80, 120, 160. */
static void write_jpeg(const recipe *r, oc_buf *out) {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t row[SIDE * 4];
    JSAMPROW rows = row;
    for (int i = 0; i < SIDE * r->components; i++) row[i] = (uint8_t)(40 * (i % r->components + 1));
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &bytes, &size);
    cinfo.image_width = cinfo.image_height = SIDE;
    cinfo.input_components = r->components;
    cinfo.in_color_space = r->in;
    jpeg_set_defaults(&cinfo);
    jpeg_set_colorspace(&cinfo, r->stored);
    jpeg_set_quality(&cinfo, 100, TRUE);
    cinfo.arith_code = r->arithmetic;
    jpeg_start_compress(&cinfo, TRUE);
    while (cinfo.next_scanline < SIDE) jpeg_write_scanlines(&cinfo, &rows, 1);
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    oc_buf_append(out, bytes, size);
    free(bytes); /* libjpeg's own malloc */
}

static void check_colour(const recipe *r, const int wanted[3]) {
    oc_buf file = {0};
    oc_image out = {0};
    oc_error err = {0};
    oc_decoder *decoder = new_decoder();
    write_jpeg(r, &file);
    check_ok(oc_decode(decoder, file.data, file.size, NULL, &out, NULL, &err), err);
    assert_int_equal(out.channels, 3);
    for (size_t i = 0; i < image_bytes(&out); i++)
        assert_true(abs(out.pixels[i] - wanted[i % 3]) <= GREY_LEVELS_OF_COMPRESSION);
    oc_buf_clear(&file);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

static void cmyk_and_ycck_are_inverted_as_adobe_writes_them(void **state) {
    (void)state;
    /* stored c' = 255 - ink, so R = c' * k' / 255 */
    const int wanted[3] = {40 * 160 / 255, 80 * 160 / 255, 120 * 160 / 255};
    check_colour(&(recipe){4, JCS_CMYK, JCS_CMYK, false}, wanted);
    check_colour(&(recipe){4, JCS_CMYK, JCS_YCCK, false}, wanted);
}

static void rgb_without_conversion_is_read(void **state) {
    (void)state;
    check_colour(&(recipe){3, JCS_RGB, JCS_RGB, false}, (const int[3]){40, 80, 120});
}

static void arithmetic_coding_is_read(void **state) {
    (void)state;
    check_colour(&(recipe){3, JCS_RGB, JCS_YCbCr, true}, (const int[3]){40, 80, 120});
}

static void check_refused(const void *bytes, size_t size, oc_status wanted, const char *words) {
    oc_decoder *decoder = new_decoder();
    oc_image out = {0};
    oc_error err = {0};
    check_fails(oc_decode(decoder, bytes, size, NULL, &out, NULL, &err), err, wanted, words);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

static uint8_t *frame_of(oc_buf *file) {
    for (size_t i = 0; i + 10 < file->size; i++) {
        uint8_t *p = (uint8_t *)file->data + i;
        if (p[0] == 0xFF && p[1] == 0xC0) return p;
    }
    fail_msg("no frame header");
    return NULL;
}

static void other_depths_counts_and_processes_are_refused(void **state) {
    (void)state;
    oc_buf file = {0};
    write_jpeg(&(recipe){3, JCS_RGB, JCS_YCbCr, false}, &file);
    uint8_t *frame = frame_of(&file);
    frame[4] = 12;
    check_refused(file.data, file.size, OC_EUNSUPPORTED, "12 bits");
    frame[4] = 8;
    frame[9] = 2;
    check_refused(file.data, file.size, OC_EUNSUPPORTED, "2 components");
    frame[9] = 3;
    frame[1] = 0xC3; /* lossless */
    check_refused(file.data, file.size, OC_EUNSUPPORTED, "Unsupported JPEG process");
    oc_buf_clear(&file);
}

static void a_warning_of_the_codec_is_an_error(void **state) {
    (void)state;
    oc_buf file = {0}, longer = {0};
    write_jpeg(&(recipe){3, JCS_RGB, JCS_YCbCr, false}, &file);
    oc_buf_append(&longer, file.data, file.size - 2);
    oc_buf_append(&longer, "extra bytes\xFF\xD9", 13);
    check_refused(longer.data, longer.size, OC_EFORMAT, "extraneous bytes");
    oc_buf_clear(&file);
    oc_buf_clear(&longer);
}

static void bytes_behind_the_end_are_no_matter(void **state) {
    (void)state;
    oc_buf file = {0};
    oc_decoder *decoder = new_decoder();
    oc_image out = {0};
    oc_error err = {0};
    write_jpeg(&(recipe){3, JCS_RGB, JCS_YCbCr, false}, &file);
    oc_buf_append(&file, "a video of the camera", 21);
    check_ok(oc_decode(decoder, file.data, file.size, NULL, &out, NULL, &err), err);
    oc_buf_clear(&file);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

static void frames_that_disagree_are_refused(void **state) {
    (void)state;
    oc_buf file = {0}, two = {0};
    write_jpeg(&(recipe){3, JCS_RGB, JCS_YCbCr, false}, &file);
    uint8_t *frame = frame_of(&file);
    size_t at = (size_t)(frame - (uint8_t *)file.data), length = 2 + 17;
    oc_buf_append(&two, file.data, at + length);
    oc_buf_append(&two, frame, file.size - at);
    check_refused(two.data, two.size, OC_EFORMAT, "damaged JPEG");
    oc_buf_clear(&file);
    oc_buf_clear(&two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cmyk_and_ycck_are_inverted_as_adobe_writes_them),
        cmocka_unit_test(rgb_without_conversion_is_read),
        cmocka_unit_test(arithmetic_coding_is_read),
        cmocka_unit_test(other_depths_counts_and_processes_are_refused),
        cmocka_unit_test(a_warning_of_the_codec_is_an_error),
        cmocka_unit_test(bytes_behind_the_end_are_no_matter),
        cmocka_unit_test(frames_that_disagree_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
