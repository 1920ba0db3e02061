/* Thumbnails: the centre of a photo as a square, storage kept from one to the next.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

enum { SIDE = 8 };

/* A picture, black but for its centre, a square that is white, as a PNG. */
static void write_photo(const char *path, int width, int height) {
    static const uint8_t black[3] = {0}, white[3] = {255, 255, 255};
    oc_image img = {0};
    oc_buf file = {0};
    oc_error err = {0};
    int side = width < height ? width : height;
    check_ok(oc_image_reserve(&img, width, height, 3, &err), err);
    oc_image_fill(&img, (oc_region){0, 0, width, height}, black);
    oc_image_fill(&img, (oc_region){(width - side) / 2, (height - side) / 2, side, side}, white);
    check_ok(oc_encode_png(&img, &file, &err), err);
    check_ok(oc_file_write(path, file.data, file.size, &err), err);
    oc_buf_clear(&file);
    oc_image_clear(&img);
}

/* But for what the filter takes in from beyond the square. */
static void check_white(const oc_image *img) {
    assert_int_equal(img->width, SIDE);
    assert_int_equal(img->height, SIDE);
    for (size_t i = 0; i < image_bytes(img); i++) assert_true(img->pixels[i] > 200);
}

typedef struct photo {
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
} photo;

static photo begin(void) {
    photo p;
    make_scratch(p.folder);
    assert_int_equal(oc_path_join(p.path, p.folder, "photo.png", NULL), OC_OK);
    return p;
}

static void the_centre_is_kept_of_wide_and_of_tall_photos(void **state) {
    (void)state;
    photo p = begin();
    oc_thumbnailer t = {0};
    oc_image out = {0};
    oc_error err = {0};
    static const int sizes[][2] = {{90, 20}, {20, 90}, {24, 24}, {1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        write_photo(p.path, sizes[i][0], sizes[i][1]);
        check_ok(oc_thumbnail(&t, p.path, SIDE, &out, &err), err);
        check_white(&out);
    }
    oc_image_clear(&out);
    oc_thumbnailer_clear(&t);
    drop_scratch(p.folder);
}

static void a_photo_that_cannot_be_read_costs_itself(void **state) {
    (void)state;
    photo p = begin();
    oc_thumbnailer t = {0};
    oc_image out = {0};
    oc_error err = {0};
    assert_int_equal(oc_file_write(p.path, "no photo", 8, NULL), OC_OK);
    assert_int_equal(oc_thumbnail(&t, p.path, SIDE, &out, &err), OC_EFORMAT);
    check_fails(oc_thumbnail(&t, "nowhere.png", SIDE, &out, &err), err, OC_ENOTFOUND, "nowhere");
    write_photo(p.path, 30, 20);
    check_ok(oc_thumbnail(&t, p.path, SIDE, &out, &err), err);
    check_white(&out);
    oc_image_clear(&out);
    oc_thumbnailer_clear(&t);
    drop_scratch(p.folder);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    photo p = begin();
    write_photo(p.path, 30, 20);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_thumbnailer t = {0};
        oc_image out = {0};
        assert_true(n < 200);
        oc_mem_fail_at(n);
        status = oc_thumbnail(&t, p.path, SIDE, &out, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        oc_image_clear(&out);
        oc_thumbnailer_clear(&t);
    }
    drop_scratch(p.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_centre_is_kept_of_wide_and_of_tall_photos),
        cmocka_unit_test(a_photo_that_cannot_be_read_costs_itself),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
