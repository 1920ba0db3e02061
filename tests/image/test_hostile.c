/* The door with files that mean harm, or are merely broken: each is an error with words, within
 * its budget, and never a crash. (Run under the sanitizers too.)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

#include <jpeglib.h>

static oc_status decode_bytes(const void *bytes, size_t size, const oc_decode_options *options,
                              oc_error *err) {
    oc_decoder *decoder = new_decoder();
    oc_image out = {0};
    oc_status status = oc_decode(decoder, bytes, size, options, &out, NULL, err);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
    return status;
}

/* ---- not images ------------------------------------------------------------------------------ */

static void what_is_no_image_is_named(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        oc_status status;
        const char *words;
    } cases[] = {
        {"", 0, OC_EFORMAT, "empty file"},
        {"<!DOCTYPE html><title>404</title>", 33, OC_EFORMAT, "HTML"},
        {"\xEF\xBB\xBF\r\n <html>", 12, OC_EFORMAT, "HTML"},
        {"<?xml version='1.0'?><svg/>", 27, OC_EFORMAT, "HTML or XML"},
        {"\0\0\0\0\0\0\0\0", 8, OC_EFORMAT, "8 zero bytes"},
        {"hello, world", 12, OC_EFORMAT, "begins with 0x68 0x65"},
        {"\xFF", 1, OC_EFORMAT, "not an image"},
        {"<", 1, OC_EFORMAT, "not an image"},
        {"GIF89a........", 14, OC_EUNSUPPORTED, "GIF image"},
        {"BM............", 14, OC_EUNSUPPORTED, "BMP image"},
        {"....ftypheic..", 14, OC_EUNSUPPORTED, "HEIC image"},
        {"%PDF-1.4", 8, OC_EUNSUPPORTED, "PDF document"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oc_error err = {0};
        oc_image_info info;
        check_fails(oc_image_probe(cases[i].bytes, cases[i].size, NULL, &info, &err), err,
                    cases[i].status, cases[i].words);
        check_fails(decode_bytes(cases[i].bytes, cases[i].size, NULL, &err), err, cases[i].status,
                    cases[i].words);
    }
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* Bytes of their own length on the heap, so that the sanitizer sees one byte too far. */
static oc_status decode_copy(oc_decoder *decoder, const uint8_t *bytes, size_t size,
                             oc_image *out) {
    uint8_t *copy = oc_malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    oc_status status = oc_decode(decoder, copy, size, &over_white, out, NULL, NULL);
    oc_free(copy);
    return status;
}

static void a_file_cut_anywhere_is_an_error_or_whole(void **state) {
    (void)state;
    fixture f = fixture_open(FIXTURES "decode.bin");
    oc_decoder *decoder = new_decoder();
    oc_image whole = {0}, part = {0};
    for (uint32_t i = 0; i < f.count; i++) {
        decode_fixture d = fixture_next_decode(&f);
        assert_int_equal(decode_copy(decoder, d.file, d.size, &whole), OC_OK);
        for (size_t size = 0; size < d.size; size++) {
            if (decode_copy(decoder, d.file, size, &part) != OC_OK) continue;
            check_same(&part, &whole);
        }
    }
    oc_free(f.bytes);
    oc_image_clear(&whole);
    oc_image_clear(&part);
    oc_decoder_free(decoder);
}

/* Five: a PNG ends in a checksum of four bytes over nothing. */
static void the_end_of_a_file_is_needed(void **state) {
    (void)state;
    static const char *const names[] = {"jpeg-420", "jpeg-progressive", "png-rgb", "png-adam7",
                                        "webp-lossless"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        oc_error err = {0};
        decode_fixture d = fixture_find(&f, names[i]);
        assert_int_equal(decode_bytes(d.file, d.size - 5, NULL, &err), OC_EFORMAT);
        assert_int_equal(decode_bytes(d.file, d.size / 2, NULL, &err), OC_EFORMAT);
        oc_free(f.bytes);
    }
}

static void spoilt_bytes_never_crash(void **state) {
    (void)state;
    fixture f = fixture_open(FIXTURES "decode.bin");
    oc_decoder *decoder = new_decoder();
    oc_image out = {0};
    for (uint32_t i = 0; i < f.count; i++) {
        decode_fixture d = fixture_next_decode(&f);
        uint8_t *copy = oc_malloc(d.size);
        const oc_decode_options small = {.limits = {.max_pixels = 1 << 20}};
        oc_rng rng;
        oc_rng_init(&rng, 7, OC_RNG_TEST, 0, i);
        assert_non_null(copy);
        for (int trial = 0; trial < 60; trial++) {
            memcpy(copy, d.file, d.size);
            for (int n = 0; n < 1 + trial % 4; n++)
                copy[oc_rng_below(&rng, (uint32_t)d.size)] = (uint8_t)oc_rng_u32(&rng);
            oc_status status = oc_decode(decoder, copy, d.size, &small, &out, NULL, NULL);
            if (status == OC_OK) assert_true(image_bytes(&out) <= (size_t)3 << 20);
        }
        oc_free(copy);
    }
    oc_free(f.bytes);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

static void png_checksums_must_hold(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    decode_fixture d = fixture_find(&f, "png-rgb");
    uint8_t *copy = oc_malloc(d.size);
    assert_non_null(copy);
    memcpy(copy, d.file, d.size);
    copy[29] ^= 1; /* of the header chunk */
    check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_EFORMAT, "checksum");
    copy[29] ^= 1;
    copy[d.size - 14] ^= 1; /* of the image data */
    check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_EFORMAT, "checksum");
    oc_free(copy);
    oc_free(f.bytes);
}

/* ---- budgets --------------------------------------------------------------------------------- */

/* Overwrite two big-endian 16-bit sides in the frame header of a JPEG. */
static void set_jpeg_size(uint8_t *jpeg, size_t size, int width, int height) {
    for (size_t i = 0; i + 9 < size; i++) {
        if (jpeg[i] != 0xFF || (jpeg[i + 1] != 0xC0 && jpeg[i + 1] != 0xC2)) continue;
        jpeg[i + 5] = (uint8_t)(height >> 8), jpeg[i + 6] = (uint8_t)height;
        jpeg[i + 7] = (uint8_t)(width >> 8), jpeg[i + 8] = (uint8_t)width;
        return;
    }
    fail_msg("no frame header");
}

static void huge_headers_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    static const char *const names[] = {"jpeg-420", "jpeg-progressive"};
    for (size_t i = 0; i < 2; i++) {
        fixture f;
        oc_error err = {0};
        decode_fixture d = fixture_find(&f, names[i]);
        uint8_t *copy = oc_malloc(d.size);
        assert_non_null(copy);
        memcpy(copy, d.file, d.size);
        set_jpeg_size(copy, d.size, 60000, 60000);
        check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_ELIMIT, "60000 x 60000");
        set_jpeg_size(copy, d.size, 14000, 14000); /* within the limit, but not in these bytes */
        uint64_t before = oc_peak_rss_bytes();
        check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_EFORMAT, "cannot be in");
        assert_true(oc_peak_rss_bytes() - before < 64u << 20);
        set_jpeg_size(copy, d.size, 100, 0);
        check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_EFORMAT, "100 x 0");
        oc_free(copy);
        oc_free(f.bytes);
    }
}

static void huge_png_headers_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    decode_fixture d = fixture_find(&f, "png-rgb");
    uint8_t *copy = oc_malloc(d.size);
    assert_non_null(copy);
    memcpy(copy, d.file, d.size);
    copy[18] = copy[22] = 60000 >> 8, copy[19] = copy[23] = 60000 & 255;
    check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_ELIMIT, "60000 x 60000");
    copy[18] = copy[22] = 14000 >> 8, copy[19] = copy[23] = 14000 & 255;
    check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_EFORMAT, "cannot be in");
    copy[16] = 0xFF;
    check_fails(decode_bytes(copy, d.size, NULL, &err), err, OC_EFORMAT, "damaged PNG header");
    oc_free(copy);
    oc_free(f.bytes);
}

static void bytes_and_pixels_are_limited_as_asked(void **state) {
    (void)state;
    fixture f = fixture_open(FIXTURES "decode.bin");
    for (uint32_t i = 0; i < f.count; i++) {
        decode_fixture d = fixture_next_decode(&f);
        uint64_t pixels = (uint64_t)d.width * (uint64_t)d.height;
        oc_error err = {0};
        oc_decode_options options = {.limits = {.max_pixels = pixels, .max_bytes = d.size}};
        check_ok(decode_bytes(d.file, d.size, &options, &err), err);
        options.limits.max_pixels = pixels - 1;
        check_fails(decode_bytes(d.file, d.size, &options, &err), err, OC_ELIMIT, "pixels");
        options.limits.max_pixels = pixels;
        options.limits.max_bytes = d.size - 1;
        check_fails(decode_bytes(d.file, d.size, &options, &err), err, OC_ELIMIT, "bytes");
    }
    oc_free(f.bytes);
}

static void time_is_limited_in_every_format(void **state) {
    (void)state;
    static const char *const names[] = {"jpeg-420", "jpeg-progressive", "png-rgb", "webp-lossy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        oc_error err = {0};
        decode_fixture d = fixture_find(&f, names[i]);
        const oc_decode_options hurry = {.limits = {.max_seconds = 1e-9}};
        check_fails(decode_bytes(d.file, d.size, &hurry, &err), err, OC_ELIMIT, "to decode");
        oc_free(f.bytes);
    }
}

/* A grey progressive JPEG whose only coefficient is sent in as many scans as there are: one DC
 * scan, then `scans - 1` of AC coefficients, which a script may repeat by refinement. */
static void many_scans(int scans, oc_buf *out) {
    enum { PIXELS = 16 };
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    jpeg_scan_info script[800];
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t row[PIXELS] = {0, 200, 30, 90};
    JSAMPROW rows = row;
    int used = 0;
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &bytes, &size);
    cinfo.image_width = cinfo.image_height = PIXELS;
    cinfo.input_components = 1;
    cinfo.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&cinfo);
    script[used++] = (jpeg_scan_info){.comps_in_scan = 1, .Ah = 0, .Al = 0};
    for (int ac = 1; ac < 64; ac++)
        for (int bit = 9; bit >= 0; bit--)
            if (used < scans)
                script[used++] = (jpeg_scan_info){.comps_in_scan = 1,
                                                  .Ss = ac,
                                                  .Se = ac,
                                                  .Ah = bit == 9 ? 0 : bit + 1,
                                                  .Al = bit};
    cinfo.scan_info = script;
    cinfo.num_scans = used;
    jpeg_start_compress(&cinfo, TRUE);
    while (cinfo.next_scanline < PIXELS) jpeg_write_scanlines(&cinfo, &rows, 1);
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    oc_buf_append(out, bytes, size);
    free(bytes); /* libjpeg's own malloc */
}

static void five_hundred_scans_are_refused(void **state) {
    (void)state;
    oc_buf file = {0};
    oc_error err = {0};
    many_scans(500, &file);
    check_fails(decode_bytes(file.data, file.size, NULL, &err), err, OC_ELIMIT, "100 scans");
    const oc_decode_options patient = {.limits = {.max_scans = 500}};
    check_ok(decode_bytes(file.data, file.size, &patient, &err), err);
    oc_buf_clear(&file);
}

static void ten_scans_are_fine(void **state) {
    (void)state;
    oc_buf file = {0};
    oc_error err = {0};
    many_scans(10, &file);
    check_ok(decode_bytes(file.data, file.size, NULL, &err), err);
    oc_buf_clear(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_image_is_named),
        cmocka_unit_test(a_file_cut_anywhere_is_an_error_or_whole),
        cmocka_unit_test(the_end_of_a_file_is_needed),
        cmocka_unit_test(spoilt_bytes_never_crash),
        cmocka_unit_test(png_checksums_must_hold),
        cmocka_unit_test(huge_headers_are_refused_before_memory_is_taken),
        cmocka_unit_test(huge_png_headers_are_refused_before_memory_is_taken),
        cmocka_unit_test(bytes_and_pixels_are_limited_as_asked),
        cmocka_unit_test(time_is_limited_in_every_format),
        cmocka_unit_test(five_hundred_scans_are_refused),
        cmocka_unit_test(ten_scans_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
