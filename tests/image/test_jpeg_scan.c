/* JPEG scans that we read ourselves give the pixels of libjpeg's own reader.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

#include <jpeglib.h>

/* What a test varies. */
typedef struct kind {
    int width, height, channels;
    int h, v; /* sampling factors of luma; chroma has 1 */
    int quality;
    bool noise, optimal;
    unsigned restart; /* MCUs between restarts; 0: none */
} kind;

static void fill_rows(oc_image *img, const kind *k) {
    fill_pattern(img, k->width, k->height, k->channels);
    uint32_t state = 1;
    for (size_t i = 0; k->noise && i < image_bytes(img); i++) {
        state = state * 1664525u + 1013904223u;
        img->pixels[i] = (uint8_t)(state >> 24);
    }
}

static void write_jpeg(const kind *k, oc_buf *out) {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    oc_image img = {0};
    fill_rows(&img, k);
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &bytes, &size);
    cinfo.image_width = (JDIMENSION)k->width;
    cinfo.image_height = (JDIMENSION)k->height;
    cinfo.input_components = k->channels;
    cinfo.in_color_space = k->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, k->quality, TRUE);
    cinfo.comp_info[0].h_samp_factor = k->h;
    cinfo.comp_info[0].v_samp_factor = k->v;
    cinfo.optimize_coding = k->optimal;
    cinfo.restart_interval = k->restart;
    jpeg_start_compress(&cinfo, TRUE);
    while (cinfo.next_scanline < cinfo.image_height) {
        JSAMPROW row = img.pixels + (size_t)cinfo.next_scanline * (size_t)(k->width * k->channels);
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    oc_buf_append(out, bytes, size);
    free(bytes); /* libjpeg's own malloc */
    oc_image_clear(&img);
}

static void read_by_libjpeg(const oc_buf *file, int channels, oc_image *out) {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    oc_error err = {0};
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, (const unsigned char *)file->data, file->size);
    jpeg_read_header(&cinfo, TRUE);
    cinfo.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&cinfo);
    check_ok(
        oc_image_reserve(out, (int)cinfo.output_width, (int)cinfo.output_height, channels, &err),
        err);
    while (cinfo.output_scanline < cinfo.output_height) {
        JSAMPROW row =
            out->pixels + (size_t)cinfo.output_scanline * cinfo.output_width * (size_t)channels;
        jpeg_read_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_decompress(&cinfo);
    jpeg_destroy_decompress(&cinfo);
}

static void check_kind(oc_decoder *decoder, const kind *k) {
    oc_buf file = {0};
    oc_image ours = {0}, theirs = {0};
    oc_error err = {0};
    write_jpeg(k, &file);
    for (int channels = 1; channels <= 3; channels += 2) {
        const oc_decode_options options = {.channels = channels};
        read_by_libjpeg(&file, channels, &theirs);
        check_ok(oc_decode(decoder, file.data, file.size, &options, &ours, NULL, &err), err);
        check_same(&ours, &theirs);
    }
    oc_buf_clear(&file);
    oc_image_clear(&ours);
    oc_image_clear(&theirs);
}

static void pixels_are_those_of_libjpegs_reader(void **state) {
    static const int samplings[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}};
    static const int qualities[] = {1, 40, 75, 95, 100};
    oc_decoder *decoder = new_decoder();
    (void)state;
    for (size_t s = 0; s < sizeof samplings / sizeof *samplings; s++)
        for (size_t q = 0; q < sizeof qualities / sizeof *qualities; q++)
            for (int bits = 0; bits < 8; bits++) {
                kind k = {.width = 97 + 3 * (int)s, .height = 71, .channels = 3};
                k.h = samplings[s][0], k.v = samplings[s][1];
                k.quality = qualities[q];
                k.noise = bits & 1, k.optimal = bits & 2, k.restart = bits & 4 ? 5 : 0;
                check_kind(decoder, &k);
            }
    oc_decoder_free(decoder);
}

static void grey_and_tiny_pictures_are_read(void **state) {
    oc_decoder *decoder = new_decoder();
    (void)state;
    for (int side = 1; side < 20; side++) {
        check_kind(decoder, &(kind){side, 20 - side, 1, 1, 1, 90, true, false, 0});
        check_kind(decoder, &(kind){side, 20 - side, 3, 2, 2, 90, true, true, 0});
    }
    oc_decoder_free(decoder);
}

/* More bytes than lie in the window at a time, many of them 0xFF. */
static void a_long_scan_is_read_window_by_window(void **state) {
    oc_decoder *decoder = new_decoder();
    (void)state;
    check_kind(decoder, &(kind){640, 480, 3, 1, 1, 100, true, false, 0});
    check_kind(decoder, &(kind){640, 480, 3, 2, 2, 100, true, true, 0});
    oc_decoder_free(decoder);
}

static void a_scan_that_is_cut_is_refused(void **state) {
    oc_decoder *decoder = new_decoder();
    oc_buf file = {0};
    oc_image out = {0};
    (void)state;
    write_jpeg(&(kind){320, 240, 3, 2, 2, 95, true, false, 0}, &file);
    uint8_t *bytes = (uint8_t *)file.data;
    for (size_t size = file.size - 16; size > file.size / 2; size -= file.size / 64) {
        oc_error err = {0};
        bytes[size] = 0xFF;
        bytes[size + 1] = 0xD9;
        check_fails(oc_decode(decoder, file.data, size + 2, NULL, &out, NULL, &err), err,
                    OC_EFORMAT, "damaged JPEG");
    }
    oc_buf_clear(&file);
    oc_image_clear(&out);
    oc_decoder_free(decoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_those_of_libjpegs_reader),
        cmocka_unit_test(grey_and_tiny_pictures_are_read),
        cmocka_unit_test(a_long_scan_is_read_window_by_window),
        cmocka_unit_test(a_scan_that_is_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
