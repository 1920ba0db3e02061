/* Resize against Pillow's output, against itself (window, flip, plain and fast loops), and with
 * requests that make no sense.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"
#include "image_test.h"

#include <math.h>

/* DESIGN.md allows one grey level; weights of 16 bits where Pillow has 22 leave so few that differ.
 */
enum { GREY_LEVELS_FROM_PILLOW = 1, MOST_DIFFERING_PERCENT = 2 };

static void resize_agrees_with_pillow(void **state) {
    (void)state;
    fixture f = fixture_open(FIXTURES "resize.bin");
    oc_image src = {0}, dst = {0};
    oc_resizer resizer = {0};
    oc_error err = {0};
    size_t differing = 0, all = 0;
    for (uint32_t i = 0; i < f.count; i++) {
        int w = (int)fixture_u32(&f), h = (int)fixture_u32(&f), c = (int)fixture_u32(&f);
        float left = fixture_f32(&f), upper = fixture_f32(&f);
        float right = fixture_f32(&f), lower = fixture_f32(&f);
        oc_resize how = {.box_x = left, .box_y = upper};
        how.box_width = (double)right - left;
        how.box_height = (double)lower - upper;
        how.full_width = (int)fixture_u32(&f);
        how.full_height = (int)fixture_u32(&f);
        how.filter = (oc_filter)fixture_u32(&f);
        size_t bytes = (size_t)how.full_width * (size_t)how.full_height * (size_t)c;
        const uint8_t *wanted = fixture_take(&f, bytes);
        fill_pattern(&src, w, h, c);
        check_ok(oc_image_resize(&resizer, &src, &how, &dst, &err), err);
        assert_int_equal(image_bytes(&dst), bytes);
        int worst = max_difference(&dst, wanted);
        if (worst > GREY_LEVELS_FROM_PILLOW)
            fail_msg("case %u (%s %dx%dx%d to %dx%d) differs by %d", i, oc_filter_name(how.filter),
                     w, h, c, how.full_width, how.full_height, worst);
        for (size_t at = 0; at < bytes; at++) differing += dst.pixels[at] != wanted[at];
        all += bytes;
    }
    if (100 * differing > MOST_DIFFERING_PERCENT * all)
        fail_msg("%zu of %zu samples differ from Pillow's", differing, all);
    oc_free(f.bytes);
    oc_image_clear(&src);
    oc_image_clear(&dst);
    oc_resizer_clear(&resizer);
}

/* ---- against itself -------------------------------------------------------------------------- */

static void crop(const oc_image *src, int x, int y, int width, int height, oc_image *dst) {
    assert_int_equal(oc_image_reserve(dst, width, height, src->channels, NULL), OC_OK);
    size_t channels = (size_t)src->channels, row = (size_t)width * channels;
    for (int i = 0; i < height; i++)
        memcpy(dst->pixels + (size_t)i * row,
               src->pixels + ((size_t)(y + i) * (size_t)src->width + (size_t)x) * channels, row);
}

static void check_window(oc_filter filter, int full_width, int full_height, const int window[4]) {
    oc_image src = {0}, whole = {0}, part = {0}, wanted = {0};
    oc_resizer resizer = {0};
    oc_error err = {0};
    oc_resize how = {.full_width = full_width, .full_height = full_height, .filter = filter};
    fill_pattern(&src, 61, 43, 3);
    check_ok(oc_image_resize(&resizer, &src, &how, &whole, &err), err);
    how.x = window[0], how.y = window[1], how.width = window[2], how.height = window[3];
    check_ok(oc_image_resize(&resizer, &src, &how, &part, &err), err);
    crop(&whole, window[0], window[1], window[2], window[3], &wanted);
    check_same(&part, &wanted);
    how.flip = true;
    check_ok(oc_image_resize(&resizer, &src, &how, &part, &err), err);
    oc_image_flip(&wanted);
    check_same(&part, &wanted);
    oc_image_clear(&src);
    oc_image_clear(&whole);
    oc_image_clear(&part);
    oc_image_clear(&wanted);
    oc_resizer_clear(&resizer);
}

static void window_and_flip_are_crop_and_mirror(void **state) {
    (void)state;
    static const int windows[][4] = {{0, 0, 5, 5}, {3, 7, 20, 11}, {29, 19, 1, 1}, {0, 19, 30, 1}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (int filter = OC_FILTER_NEAREST; filter <= OC_FILTER_BICUBIC; filter++) {
            check_window((oc_filter)filter, 30, 20, windows[i]);
            check_window((oc_filter)filter, 61, 20, windows[i]);
            check_window((oc_filter)filter, 30, 43, windows[i]);
            check_window((oc_filter)filter, 90, 80, windows[i]);
        }
}

static void same_size_is_a_copy(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    oc_resizer resizer = {0};
    fill_pattern(&src, 61, 43, 3);
    for (int filter = OC_FILTER_NEAREST; filter <= OC_FILTER_BICUBIC; filter++) {
        oc_resize how = {.full_width = 61, .full_height = 43, .filter = (oc_filter)filter};
        assert_int_equal(oc_image_resize(&resizer, &src, &how, &dst, NULL), OC_OK);
        check_same(&src, &dst);
    }
    oc_image_clear(&src);
    oc_image_clear(&dst);
    oc_resizer_clear(&resizer);
}

static void resize_keeps_constant_colour(void **state) {
    (void)state;
    static const uint8_t colour[3] = {255, 0, 117};
    oc_image src = {0}, dst = {0};
    oc_resizer resizer = {0};
    assert_int_equal(oc_image_reserve(&src, 333, 77, 3, NULL), OC_OK);
    for (size_t i = 0; i < image_bytes(&src); i++) src.pixels[i] = colour[i % 3];
    for (int side = 1; side < 400; side += 37) {
        oc_resize how = {.full_width = side, .full_height = 400 - side};
        how.filter = side % 2 ? OC_FILTER_BICUBIC : OC_FILTER_BILINEAR;
        assert_int_equal(oc_image_resize(&resizer, &src, &how, &dst, NULL), OC_OK);
        for (size_t i = 0; i < image_bytes(&dst); i++)
            assert_int_equal(dst.pixels[i], colour[i % 3]);
    }
    oc_image_clear(&src);
    oc_image_clear(&dst);
    oc_resizer_clear(&resizer);
}

/* ---- the fast loops and their plain twins ---------------------------------------------------- */

static void check_twins(int source, int full, oc_filter filter) {
    enum { ROWS = 9 };
    oc_image src = {0}, plain = {0}, fast = {0};
    oci_axis axis = {0};
    oci_axis_request request = {
        .source = source, .to = (float)source, .full = full, .count = full, .filter = filter};
    fill_pattern(&src, source, ROWS + 1, 3);
    assert_int_equal(oci_axis_fill(&axis, &request, NULL), OC_OK);
    assert_int_equal(oci_axis_pair(&axis, NULL), OC_OK);
    assert_int_equal(oc_image_reserve(&plain, full, ROWS, 3, NULL), OC_OK);
    assert_int_equal(oc_image_reserve(&fast, full, ROWS, 3, NULL), OC_OK);
    size_t in = (size_t)source * 3, out = (size_t)full * 3;
    for (size_t y = 0; y < ROWS; y++)
        oci_row_horizontal(&axis, src.pixels + y * in, 3, plain.pixels + y * out);
    int done = oci_rows_horizontal3_fast(&axis, src.pixels, in, ROWS, fast.pixels, out);
    assert_true(done >= ROWS - 3 && done <= ROWS);
    assert_memory_equal(plain.pixels, fast.pixels, (size_t)done * out);
    int row = full / 2;
    oc_image tall = {0};
    fill_pattern(&tall, 41, source, 3);
    const uint8_t *from = tall.pixels + (size_t)axis.first[row] * 41 * 3;
    oci_row_vertical(&axis, row, from, 41 * 3, 41 * 3, plain.pixels);
    size_t columns = oci_row_vertical_fast(&axis, row, from, 41 * 3, 41 * 3, fast.pixels);
    assert_true(columns <= 41 * 3 && 41 * 3 - columns < 32);
    assert_memory_equal(plain.pixels, fast.pixels, columns);
    oc_image_clear(&tall);
    oci_axis_clear(&axis);
    oc_image_clear(&src);
    oc_image_clear(&plain);
    oc_image_clear(&fast);
}

static void fast_loops_give_the_bits_of_the_plain_ones(void **state) {
    (void)state;
    if (!oci_resize_is_fast()) skip();
    for (int filter = OC_FILTER_NEAREST; filter <= OC_FILTER_BICUBIC; filter++) {
        check_twins(64, 64, (oc_filter)filter);
        check_twins(257, 300, (oc_filter)filter);
        check_twins(500, 501, (oc_filter)filter);
        check_twins(2000, 2001, (oc_filter)filter);
    }
}

/* ---- requests that make no sense, and memory ------------------------------------------------- */

static void boxes_and_windows_outside_are_refused(void **state) {
    (void)state;
    static const oc_resize wrong[] = {
        {.full_width = 0, .full_height = 5},
        {.full_width = 5, .full_height = -1},
        {.full_width = 5, .full_height = 5, .x = 3, .width = 3, .height = 1},
        {.full_width = 5, .full_height = 5, .x = -1, .width = 3, .height = 1},
        {.full_width = 5, .full_height = 5, .x = INT32_MAX, .width = INT32_MAX, .height = 1},
        {.full_width = 5, .full_height = 5, .box_width = 65, .box_height = 4},
        {.full_width = 5, .full_height = 5, .box_x = -1, .box_width = 4, .box_height = 4},
        {.full_width = 5, .full_height = 5, .box_x = 10, .box_width = 0, .box_height = 4},
        {.full_width = 5, .full_height = 5, .box_width = NAN, .box_height = 4},
        {.full_width = 5, .full_height = 5, .box_width = INFINITY, .box_height = 4},
    };
    oc_image src = {0}, dst = {0};
    oc_resizer resizer = {0};
    oc_error err = {0};
    fill_pattern(&src, 64, 48, 3);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_fails(oc_image_resize(&resizer, &src, &wrong[i], &dst, &err), err, OC_EUSAGE,
                    "is not inside");
    oc_image empty = {0};
    check_fails(oc_image_resize(&resizer, &empty, &wrong[0], &dst, &err), err, OC_EUSAGE, "empty");
    oc_image_clear(&src);
    oc_resizer_clear(&resizer);
}

static void tiny_boxes_give_pixels(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    oc_resizer resizer = {0};
    fill_pattern(&src, 64, 48, 3);
    oc_resize how = {63.999, 47.999, 0.0005, 0.0005, 3, 3, 0, 0, 0, 0, OC_FILTER_BICUBIC,
                     false,  {0}};
    assert_int_equal(oc_image_resize(&resizer, &src, &how, &dst, NULL), OC_OK);
    assert_int_equal(dst.width, 3);
    oc_image_clear(&src);
    oc_image_clear(&dst);
    oc_resizer_clear(&resizer);
}

static void resize_survives_any_allocation_failing(void **state) {
    (void)state;
    oc_image src = {0};
    fill_pattern(&src, 64, 48, 3);
    oc_resize how = {.full_width = 23, .full_height = 17, .filter = OC_FILTER_BILINEAR};
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_image dst = {0};
        oc_resizer resizer = {0};
        assert_true(n < 50);
        oc_mem_fail_at(n);
        status = oc_image_resize(&resizer, &src, &how, &dst, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        oc_image_clear(&dst);
        oc_resizer_clear(&resizer);
    }
    oc_image_clear(&src);
}

static void a_second_resize_of_the_same_kind_allocates_nothing(void **state) {
    (void)state;
    oc_image src = {0}, dst = {0};
    oc_resizer resizer = {0};
    fill_pattern(&src, 64, 48, 3);
    oc_resize how = {.full_width = 23, .full_height = 17, .filter = OC_FILTER_BICUBIC};
    assert_int_equal(oc_image_resize(&resizer, &src, &how, &dst, NULL), OC_OK);
    uint64_t before = oc_mem_allocations();
    assert_int_equal(oc_image_resize(&resizer, &src, &how, &dst, NULL), OC_OK);
    assert_int_equal(oc_mem_allocations(), before);
    oc_image_clear(&src);
    oc_image_clear(&dst);
    oc_resizer_clear(&resizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resize_agrees_with_pillow),
        cmocka_unit_test(window_and_flip_are_crop_and_mirror),
        cmocka_unit_test(same_size_is_a_copy),
        cmocka_unit_test(resize_keeps_constant_colour),
        cmocka_unit_test(fast_loops_give_the_bits_of_the_plain_ones),
        cmocka_unit_test(boxes_and_windows_outside_are_refused),
        cmocka_unit_test(tiny_boxes_give_pixels),
        cmocka_unit_test(resize_survives_any_allocation_failing),
        cmocka_unit_test(a_second_resize_of_the_same_kind_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
