/* Colour changes and rotation: the cases with known answers. (Agreement with torchvision on photos
 * was checked by hand: blends to the bit, hue and rotation within 6 and 2 grey levels.)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

#include <math.h>

static void set_pixels(oc_image *img, int width, int height, const uint8_t *rgb) {
    assert_int_equal(oc_image_reserve(img, width, height, 3, NULL), OC_OK);
    memcpy(img->pixels, rgb, image_bytes(img));
}

static void factor_one_changes_nothing(void **state) {
    (void)state;
    oc_image img = {0}, kept = {0};
    fill_pattern(&img, 50, 31, 3);
    fill_pattern(&kept, 50, 31, 3);
    oc_image_adjust_brightness(&img, 1);
    oc_image_adjust_contrast(&img, 1);
    oc_image_adjust_saturation(&img, 1);
    check_same(&img, &kept);
    oc_image_clear(&img);
    oc_image_clear(&kept);
}

static void brightness_scales_and_clips(void **state) {
    (void)state;
    oc_image img = {0};
    set_pixels(&img, 2, 1, (const uint8_t[]){0, 10, 101, 128, 200, 255});
    oc_image_adjust_brightness(&img, 1.5f);
    assert_memory_equal(img.pixels, ((const uint8_t[]){0, 15, 151, 192, 255, 255}), 6);
    oc_image_adjust_brightness(&img, 0);
    assert_memory_equal(img.pixels, ((const uint8_t[]){0, 0, 0, 0, 0, 0}), 6);
    oc_image_clear(&img);
}

static void contrast_zero_is_the_mean_grey(void **state) {
    (void)state;
    oc_image img = {0};
    set_pixels(&img, 2, 1, (const uint8_t[]){0, 0, 0, 255, 255, 255});
    oc_image_adjust_contrast(&img, 0);
    for (int i = 0; i < 6; i++) assert_int_equal(img.pixels[i], 128); /* 127.5 rounds up */
    set_pixels(&img, 2, 1, (const uint8_t[]){100, 100, 100, 200, 200, 200});
    oc_image_adjust_contrast(&img, 2);
    assert_memory_equal(img.pixels, ((const uint8_t[]){50, 50, 50, 250, 250, 250}), 6);
    oc_image_clear(&img);
}

static void saturation_zero_is_luma(void **state) {
    (void)state;
    oc_image img = {0};
    set_pixels(&img, 3, 1, (const uint8_t[]){255, 0, 0, 0, 255, 0, 0, 0, 255});
    oc_image_adjust_saturation(&img, 0);
    assert_memory_equal(img.pixels, ((const uint8_t[]){76, 76, 76, 150, 150, 150, 29, 29, 29}), 9);
    oc_image_clear(&img);
}

static void hue_of_a_third_turns_red_to_green_to_blue(void **state) {
    (void)state;
    oc_image img = {0};
    set_pixels(&img, 2, 1, (const uint8_t[]){255, 0, 0, 90, 90, 90});
    oc_image_adjust_hue(&img, 1.0f / 3);
    assert_memory_equal(img.pixels, ((const uint8_t[]){0, 255, 0, 90, 90, 90}), 6);
    oc_image_adjust_hue(&img, 1.0f / 3);
    assert_memory_equal(img.pixels, ((const uint8_t[]){0, 0, 255, 90, 90, 90}), 6);
    oc_image_adjust_hue(&img, 1.0f / 3);
    assert_memory_equal(img.pixels, ((const uint8_t[]){255, 0, 0, 90, 90, 90}), 6);
    oc_image_clear(&img);
}

static void hue_keeps_value_for_every_colour(void **state) {
    (void)state;
    oc_image img = {0}, kept = {0};
    fill_pattern(&kept, 64, 64, 3);
    for (float turns = -0.5f; turns <= 0.5f; turns += 0.125f) {
        fill_pattern(&img, 64, 64, 3);
        oc_image_adjust_hue(&img, turns);
        for (size_t i = 0; i < image_bytes(&img); i += 3) {
            const uint8_t *a = kept.pixels + i, *b = img.pixels + i;
            int before = a[0] > a[1] ? a[0] : a[1], after = b[0] > b[1] ? b[0] : b[1];
            before = before > a[2] ? before : a[2];
            after = after > b[2] ? after : b[2];
            assert_int_equal(before, after);
        }
    }
    oc_image_clear(&img);
    oc_image_clear(&kept);
}

static void flip_twice_is_nothing_and_once_is_mirrored(void **state) {
    (void)state;
    for (int channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
        oc_image img = {0}, kept = {0};
        fill_pattern(&img, 7, 3, channels);
        fill_pattern(&kept, 7, 3, channels);
        oc_image_flip(&img);
        assert_memory_equal(img.pixels, kept.pixels + 6 * channels, (size_t)channels);
        oc_image_flip(&img);
        check_same(&img, &kept);
        oc_image_clear(&img);
        oc_image_clear(&kept);
    }
}

/* ---- rotation -------------------------------------------------------------------------------- */

static const uint8_t fill[3] = {10, 20, 30};

static void rotation_by_nothing_is_a_copy(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    fill_pattern(&src, 33, 20, 3);
    assert_int_equal(oc_image_rotate(&src, 0, fill, &dst, NULL), OC_OK);
    check_same(&src, &dst);
    assert_int_equal(oc_image_rotate(&src, 360, fill, &dst, NULL), OC_OK);
    check_same(&src, &dst);
    oc_image_clear(&src);
    oc_image_clear(&dst);
}

static void rotation_is_counter_clockwise(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    fill_pattern(&src, 16, 16, 3);
    assert_int_equal(oc_image_rotate(&src, 90, fill, &dst, NULL), OC_OK);
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 16; x++) /* the right column becomes the top row */
            assert_memory_equal(dst.pixels + (y * 16 + x) * 3, src.pixels + (x * 16 + 15 - y) * 3,
                                3);
    oc_image_clear(&src);
    oc_image_clear(&dst);
}

static void corners_are_filled(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    fill_pattern(&src, 40, 40, 3);
    assert_int_equal(oc_image_rotate(&src, 45, fill, &dst, NULL), OC_OK);
    assert_memory_equal(dst.pixels, fill, 3);
    assert_memory_equal(dst.pixels + image_bytes(&dst) - 3, fill, 3);
    oc_image_clear(&src);
    oc_image_clear(&dst);
}

static void angles_that_are_no_number_are_refused(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    oc_error err = {0};
    fill_pattern(&src, 4, 4, 3);
    check_fails(oc_image_rotate(&src, NAN, fill, &dst, &err), err, OC_EUSAGE, "finite");
    oc_image_clear(&src);
    check_fails(oc_image_rotate(&src, 1, fill, &dst, &err), err, OC_EUSAGE, "empty");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factor_one_changes_nothing),
        cmocka_unit_test(brightness_scales_and_clips),
        cmocka_unit_test(contrast_zero_is_the_mean_grey),
        cmocka_unit_test(saturation_zero_is_luma),
        cmocka_unit_test(hue_of_a_third_turns_red_to_green_to_blue),
        cmocka_unit_test(hue_keeps_value_for_every_colour),
        cmocka_unit_test(flip_twice_is_nothing_and_once_is_mirrored),
        cmocka_unit_test(rotation_by_nothing_is_a_copy),
        cmocka_unit_test(rotation_is_counter_clockwise),
        cmocka_unit_test(corners_are_filled),
        cmocka_unit_test(angles_that_are_no_number_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
