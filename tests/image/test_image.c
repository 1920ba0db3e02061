/* Storage, names, normalising and encoding.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

#include <math.h>

/* ---- storage and names ----------------------------------------------------------------------- */

static void reserve_keeps_its_storage_when_smaller_is_asked(void **state) {
    (void)state;
    oc_image img = {0};
    assert_int_equal(oc_image_reserve(&img, 100, 50, 3, NULL), OC_OK);
    uint8_t *pixels = img.pixels;
    uint64_t before = oc_mem_allocations();
    assert_int_equal(oc_image_reserve(&img, 10, 500, 3, NULL), OC_OK);
    assert_int_equal(oc_image_reserve(&img, 20, 20, 1, NULL), OC_OK);
    assert_ptr_equal(img.pixels, pixels);
    assert_int_equal(oc_mem_allocations(), before);
    assert_int_equal(img.width, 20);
    oc_image_clear(&img);
    assert_null(img.pixels);
    oc_image_clear(&img);
}

static void reserve_refuses_what_is_no_image(void **state) {
    (void)state;
    oc_image img = {0};
    oc_error err = {0};
    check_fails(oc_image_reserve(&img, 0, 5, 3, &err), err, OC_EUSAGE, "0 x 5");
    check_fails(oc_image_reserve(&img, 5, -1, 3, &err), err, OC_EUSAGE, "5 x -1");
    check_fails(oc_image_reserve(&img, 5, 5, 5, &err), err, OC_EUSAGE, "5 channels");
    assert_int_not_equal(oc_image_reserve(&img, INT32_MAX, INT32_MAX, 4, &err), OC_OK);
    assert_null(img.pixels);
}

static void a_failed_reserve_leaves_a_clearable_image(void **state) {
    (void)state;
    oc_image img = {0};
    oc_error err = {0};
    assert_int_equal(oc_image_reserve(&img, 4, 4, 3, NULL), OC_OK);
    oc_mem_fail_at(1);
    check_fails(oc_image_reserve(&img, 400, 400, 3, &err), err, OC_ENOMEM, "pixels");
    oc_mem_fail_at(0);
    assert_int_equal(oc_image_reserve(&img, 4, 4, 3, NULL), OC_OK);
    oc_image_clear(&img);
}

static void image_names_are_told_by_extension(void **state) {
    (void)state;
    static const char *const yes[] = {"a.jpg", "A.JPG", "x/y.JpEg", "p.png", "w.webp", "a.b.jfif"};
    static const char *const no[] = {"a.gif", "jpg", "a.jpg.txt", "a.", "", "x.jpg/readme"};
    for (size_t i = 0; i < 6; i++) assert_true(oc_image_is_name(yes[i]));
    for (size_t i = 0; i < 6; i++) assert_false(oc_image_is_name(no[i]));
}

static void filters_have_names_both_ways(void **state) {
    (void)state;
    for (int f = OC_FILTER_NEAREST; f <= OC_FILTER_BICUBIC; f++) {
        oc_filter parsed = OC_FILTER_NEAREST;
        assert_true(oc_filter_parse(oc_filter_name((oc_filter)f), &parsed));
        assert_int_equal(parsed, f);
    }
    oc_filter kept = OC_FILTER_BICUBIC;
    assert_false(oc_filter_parse("lanczos", &kept));
    assert_int_equal(kept, OC_FILTER_BICUBIC);
}

/* ---- normalise ------------------------------------------------------------------------------- */

/* Of values up to 2.7: two roundings, and those of scale and offset. */
static const float ROUNDING = 5e-7f;

static void planes_hold_the_formula(void **state) {
    (void)state;
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
    enum { W = 13, H = 5, N = W * H };
    oc_image img = {0};
    oc_norm_table table;
    float planes[3 * N];
    fill_pattern(&img, W, H, 3);
    for (int bgr = 0; bgr < 2; bgr++) {
        oc_norm_table_fill(&table, 3, bgr, 255, mean, std);
        oc_image_normalise(&img, &table, planes);
        for (int i = 0; i < N; i++)
            for (int c = 0; c < 3; c++) {
                float wanted = ((float)img.pixels[i * 3 + c] / 255 - mean[c]) / std[c];
                float got = planes[(bgr ? 2 - c : c) * N + i];
                assert_true(fabsf(wanted - got) <= ROUNDING);
            }
    }
    oc_image_clear(&img);
}

static void planes_are_the_tables_to_the_bit(void **state) {
    (void)state;
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
    enum { MOST = 300 };
    oc_image img = {0};
    oc_norm_table table;
    float planes[3 * MOST];
    oc_norm_table_fill(&table, 3, false, 255, mean, std);
    for (int n = 1; n <= MOST; n += 7) {
        fill_pattern(&img, n, 1, 3);
        oc_image_normalise(&img, &table, planes);
        for (int i = 0; i < n; i++)
            for (int c = 0; c < 3; c++)
                assert_memory_equal(&table.value[c][img.pixels[i * 3 + c]], &planes[c * n + i],
                                    sizeof(float));
    }
    oc_image_clear(&img);
}

static void grey_has_one_plane_and_unit_one_keeps_bytes(void **state) {
    (void)state;
    static const float mean[3] = {0}, std[3] = {1, 1, 1};
    oc_image img = {0};
    oc_norm_table table;
    float plane[12];
    fill_pattern(&img, 4, 3, 1);
    oc_norm_table_fill(&table, 1, false, 1, mean, std);
    oc_image_normalise(&img, &table, plane);
    for (int i = 0; i < 12; i++) assert_true(plane[i] == (float)img.pixels[i]);
    oc_image_clear(&img);
}

/* ---- encode ---------------------------------------------------------------------------------- */

static void decode_back(const oc_buf *file, int channels, oc_image *out) {
    oc_decoder *decoder = new_decoder();
    oc_error err = {0};
    const oc_decode_options options = {.channels = channels, .alpha = OC_ALPHA_DROP};
    check_ok(oc_decode(decoder, file->data, file->size, &options, out, NULL, &err), err);
    oc_decoder_free(decoder);
}

static void png_comes_back_to_the_bit(void **state) {
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        oc_image img = {0}, back = {0};
        oc_buf file = {0};
        fill_pattern(&img, 61, 40, channels);
        assert_int_equal(oc_encode_png(&img, &file, NULL), OC_OK);
        decode_back(&file, channels, &back);
        check_same(&img, &back);
        oc_buf_clear(&file);
        oc_image_clear(&img);
        oc_image_clear(&back);
    }
}

static void png_keeps_alpha(void **state) {
    (void)state;
    oc_image img = {0}, back = {0};
    oc_buf file = {0};
    oc_image_info info;
    fill_pattern(&img, 9, 4, 4);
    assert_int_equal(oc_encode_png(&img, &file, NULL), OC_OK);
    assert_int_equal(oc_image_probe(file.data, file.size, NULL, &info, NULL), OC_OK);
    assert_true(info.alpha);
    decode_back(&file, 3, &back);
    for (int i = 0; i < 9 * 4; i++) assert_memory_equal(img.pixels + 4 * i, back.pixels + 3 * i, 3);
    oc_buf_clear(&file);
    oc_image_clear(&img);
    oc_image_clear(&back);
}

static void jpeg_comes_back_alike_and_better_with_quality(void **state) {
    (void)state;
    oc_image img = {0}, back = {0};
    double error[2] = {0};
    size_t size[2] = {0};
    assert_int_equal(oc_image_reserve(&img, 100, 80, 3, NULL), OC_OK);
    for (int y = 0; y < 80; y++)
        for (int x = 0; x < 300; x++) img.pixels[y * 300 + x] = (uint8_t)(x / 3 + y + x % 3 * 20);
    for (int i = 0; i < 2; i++) {
        oc_buf file = {0};
        assert_int_equal(oc_encode_jpeg(&img, i ? 95 : 5, &file, NULL), OC_OK);
        decode_back(&file, 3, &back);
        for (size_t p = 0; p < image_bytes(&img); p++)
            error[i] += abs(img.pixels[p] - back.pixels[p]);
        size[i] = file.size;
        oc_buf_clear(&file);
    }
    assert_true(error[1] / (double)image_bytes(&img) < 2);
    assert_true(error[1] < error[0]);
    assert_true(size[1] > size[0]);
    oc_image_clear(&img);
    oc_image_clear(&back);
}

static void encoding_appends(void **state) {
    (void)state;
    oc_image img = {0};
    oc_buf file = {0};
    fill_pattern(&img, 300, 300, 3); /* more than one chunk of output */
    oc_buf_puts(&file, "before");
    assert_int_equal(oc_encode_jpeg(&img, 100, &file, NULL), OC_OK);
    assert_memory_equal(file.data, "before\xFF\xD8\xFF", 9);
    assert_memory_equal(file.data + file.size - 2, "\xFF\xD9", 2);
    assert_true(file.size > 40000);
    oc_buf_clear(&file);
    oc_image_clear(&img);
}

static void what_cannot_be_written_is_refused(void **state) {
    (void)state;
    oc_image img = {0};
    oc_buf file = {0};
    oc_error err = {0};
    check_fails(oc_encode_png(&img, &file, &err), err, OC_EUSAGE, "empty");
    check_fails(oc_encode_jpeg(&img, 90, &file, &err), err, OC_EUSAGE, "empty");
    fill_pattern(&img, 4, 4, 4);
    check_fails(oc_encode_jpeg(&img, 90, &file, &err), err, OC_EUSAGE, "4 channels");
    assert_int_equal(oc_image_reserve(&img, 70000, 1, 1, NULL), OC_OK);
    check_fails(oc_encode_jpeg(&img, 90, &file, &err), err, OC_ELIMIT, "70000 x 1");
    oc_image_clear(&img);
    oc_buf_clear(&file);
}

static void encoders_survive_any_allocation_failing(void **state) {
    (void)state;
    oc_image img = {0};
    fill_pattern(&img, 64, 64, 3);
    for (int png = 0; png < 2; png++) {
        oc_status status = OC_ENOMEM;
        for (uint64_t n = 1; status != OC_OK; n++) {
            oc_buf file = {0};
            assert_true(n < 100);
            oc_mem_fail_at(n);
            status = png ? oc_encode_png(&img, &file, NULL) : oc_encode_jpeg(&img, 9, &file, NULL);
            oc_mem_fail_at(0);
            assert_true(status == OC_OK || status == OC_ENOMEM);
            oc_buf_clear(&file);
        }
    }
    oc_image_clear(&img);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserve_keeps_its_storage_when_smaller_is_asked),
        cmocka_unit_test(reserve_refuses_what_is_no_image),
        cmocka_unit_test(a_failed_reserve_leaves_a_clearable_image),
        cmocka_unit_test(image_names_are_told_by_extension),
        cmocka_unit_test(filters_have_names_both_ways),
        cmocka_unit_test(planes_hold_the_formula),
        cmocka_unit_test(planes_are_the_tables_to_the_bit),
        cmocka_unit_test(grey_has_one_plane_and_unit_one_keeps_bytes),
        cmocka_unit_test(png_comes_back_to_the_bit),
        cmocka_unit_test(png_keeps_alpha),
        cmocka_unit_test(jpeg_comes_back_alike_and_better_with_quality),
        cmocka_unit_test(encoding_appends),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(encoders_survive_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
