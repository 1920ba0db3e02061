/* The renderer: bytes to the network's input.
 *
 * Pictures here are a ramp: red grows to the right, green downward; so a pixel tells where it came
 * from.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "data_test.h"

/* Grey levels: JPEG at quality 90 and resampling of a ramp. */
static const float NEAR = 6;

/* 0..255 floats, no mean. */
static oc_recipe plain_recipe(int width, int height) {
    oc_recipe r = oc_recipe_default(width, height);
    r.unit = 1;
    for (int c = 0; c < 3; c++) {
        r.mean[c] = 0;
        r.std[c] = 1;
    }
    return r;
}

/* The planes of a photo of width x height; the caller frees them. */
static float *render_photo(const oc_recipe *recipe, int width, int height,
                           const oc_augment *augment, uint64_t item) {
    oc_buf jpeg = {0};
    oc_error err = {0};
    oc_renderer *r = NULL;
    oc_rng rng;
    float *planes = calloc((size_t)(3 * recipe->width * recipe->height), sizeof *planes);
    encode_photo(&jpeg, width, height, 3);
    oc_rng_init(&rng, 1, OC_RNG_AUGMENT, 0, item);
    check_ok(oc_renderer_new(&r, recipe, NULL, &err), err);
    check_ok(oc_render(r, jpeg.data, jpeg.size, augment, &rng, planes, &err), err);
    oc_renderer_free(r);
    oc_buf_clear(&jpeg);
    return planes;
}

/* What the renderer gives without leaving rows and columns of the file out. */
static void render_whole(const oc_recipe *recipe, const oc_buf *jpeg, oc_image *out) {
    oc_decoder *decoder = NULL;
    oc_resizer resizer = {0};
    oc_image whole = {0};
    oc_image_info info;
    oci_view v;
    oc_error err = {0};
    check_ok(oc_decoder_new(&decoder, &err), err);
    check_ok(oc_image_probe(jpeg->data, jpeg->size, NULL, &info, &err), err);
    assert_true(oci_view_of(recipe, info.width, info.height, &v));
    oc_decode_options options = {.min_width = v.full_width, .min_height = v.full_height};
    check_ok(oc_decode(decoder, jpeg->data, jpeg->size, &options, &whole, NULL, &err), err);
    oc_resize how = {.full_width = v.full_width,
                     .full_height = v.full_height,
                     .x = v.x,
                     .y = v.y,
                     .width = recipe->width,
                     .height = recipe->height,
                     .filter = recipe->filter};
    check_ok(oc_image_resize(&resizer, &whole, &how, out, &err), err);
    oc_decoder_free(decoder);
    oc_resizer_clear(&resizer);
    oc_image_clear(&whole);
}

static void leaving_out_what_is_not_seen_changes_no_pixel(void **state) {
    (void)state;
    static const int sizes[][2] = {{400, 90}, {90, 400}, {301, 227}, {130, 131}, {33, 200}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int filter = OC_FILTER_NEAREST; filter <= OC_FILTER_BICUBIC; filter++) {
            oc_recipe recipe = plain_recipe(40, 32);
            oc_buf jpeg = {0};
            oc_image wanted = {0};
            recipe.filter = (oc_filter)filter;
            encode_photo(&jpeg, sizes[i][0], sizes[i][1], 3);
            render_whole(&recipe, &jpeg, &wanted);
            float *planes = render_photo(&recipe, sizes[i][0], sizes[i][1], NULL, 0);
            for (int at = 0; at < 40 * 32; at++)
                for (int c = 0; c < 3; c++)
                    assert_true((float)wanted.pixels[3 * at + c] == planes[c * 40 * 32 + at]);
            free(planes);
            oc_image_clear(&wanted);
            oc_buf_clear(&jpeg);
        }
    }
}

static float at(const oc_recipe *recipe, const float *planes, int c, int y, int x) {
    return planes[(c * recipe->height + y) * recipe->width + x];
}

static void check_near(float found, double expected) {
    if (fabs((double)found - expected) > (double)NEAR)
        fail_msg("%g, not %g", (double)found, expected);
}

static void view_is_torchvisions(void **state) {
    (void)state;
    oc_recipe r = oc_recipe_default(224, 224);
    oci_view v;
    assert_true(oci_view_of(&r, 690, 500, &v));
    assert_int_equal(v.full_width, 353);
    assert_int_equal(v.full_height, 256);
    assert_int_equal(v.x, 64); /* 64.5, half to even */
    assert_int_equal(v.y, 16);
    assert_true(oci_view_of(&r, 500, 691, &v));
    assert_int_equal(v.full_height, 353);
    assert_true(oci_view_of(&r, 100, 101, &v));
    assert_int_equal(v.full_width, 256);
    assert_int_equal(v.full_height, 258);
    r.fit = OC_FIT_SQUASH;
    assert_true(oci_view_of(&r, 690, 500, &v));
    assert_int_equal(v.full_width, 224);
    assert_int_equal(v.x, 0);
}

static void centre_crop_shows_the_centre(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(64, 64);
    recipe.resize_side = 80;
    float *planes = render_photo(&recipe, 640, 320, NULL, 0);
    /* 160 x 80 after the resize: columns 48..111 and rows 8..71 remain */
    check_near(at(&recipe, planes, 0, 32, 0), 255 * 48.5 / 160);
    check_near(at(&recipe, planes, 0, 32, 63), 255 * 111.5 / 160);
    check_near(at(&recipe, planes, 1, 0, 32), 255 * 8.5 / 80);
    check_near(at(&recipe, planes, 1, 63, 32), 255 * 71.5 / 80);
    check_near(at(&recipe, planes, 2, 5, 5), 3 * 37);
    free(planes);
}

static void squash_shows_everything(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(64, 48);
    recipe.fit = OC_FIT_SQUASH;
    float *planes = render_photo(&recipe, 640, 320, NULL, 0);
    check_near(at(&recipe, planes, 0, 24, 0), 2);
    check_near(at(&recipe, planes, 0, 24, 63), 253);
    check_near(at(&recipe, planes, 1, 47, 10), 252);
    free(planes);
}

/* Caffe's transformer: the picture is resized out of shape, and (full - crop) / 2 cut away. */
static void squash_with_a_margin_shows_its_centre(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(64, 32);
    recipe.fit = OC_FIT_SQUASH;
    recipe.resize_width = 99;
    recipe.resize_height = 40;
    float *planes = render_photo(&recipe, 640, 320, NULL, 0);
    check_near(at(&recipe, planes, 0, 16, 0), 255 * 17.5 / 99); /* 35 / 2 rounded down */
    check_near(at(&recipe, planes, 0, 16, 63), 255 * 80.5 / 99);
    check_near(at(&recipe, planes, 1, 0, 10), 255 * 4.5 / 40);
    check_near(at(&recipe, planes, 1, 31, 10), 255 * 35.5 / 40);
    free(planes);
}

/* Wherever the window lies it is one of the resized picture, and it comes to lie everywhere. */
static void shifted_window_shows_the_place_it_drew(void **state) {
    (void)state;
    enum { ITEMS = 60, PLACES = 9 };
    oc_recipe recipe = plain_recipe(32, 32);
    oc_augment augment = {.flip = true, .crop_shift = true};
    bool seen[PLACES] = {0};
    recipe.fit = OC_FIT_SQUASH;
    recipe.resize_width = recipe.resize_height = 32 + PLACES - 1;
    for (uint64_t item = 0; item < ITEMS; item++) {
        oc_rng rng;
        oci_draws d;
        oc_rng_init(&rng, 1, OC_RNG_AUGMENT, 0, item);
        oci_draw(&augment, &recipe, 400, 300, &rng, &d);
        int x = (int)(d.shift_x * PLACES), y = (int)(d.shift_y * PLACES);
        assert_true(d.shifts && x >= 0 && x < PLACES && y >= 0 && y < PLACES);
        seen[x] = true;
        float *planes = render_photo(&recipe, 400, 300, &augment, item);
        check_near(at(&recipe, planes, 0, 16, d.flip ? 31 : 0), 255 * (x + 0.5) / 40);
        check_near(at(&recipe, planes, 1, 0, 16), 255 * (y + 0.5) / 40);
        free(planes);
    }
    for (int i = 0; i < PLACES; i++) assert_true(seen[i]);
}

static void small_pictures_are_enlarged(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(64, 64);
    float *planes = render_photo(&recipe, 5, 3, NULL, 0);
    check_near(at(&recipe, planes, 2, 32, 32), 3 * 37);
    free(planes);
    planes = render_photo(&recipe, 1, 1, NULL, 0);
    check_near(at(&recipe, planes, 2, 0, 63), 3 * 37);
    free(planes);
}

static void mean_deviation_unit_and_order_are_applied(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(32, 32), scaled = recipe;
    scaled.unit = 255;
    scaled.bgr = true;
    scaled.mean[0] = 0.25F;
    scaled.std[0] = 0.5F;
    float *plain = render_photo(&recipe, 100, 100, NULL, 0);
    float *planes = render_photo(&scaled, 100, 100, NULL, 0);
    float red = at(&recipe, plain, 0, 9, 20), blue = at(&recipe, plain, 2, 9, 20);
    assert_true(fabsf(at(&scaled, planes, 2, 9, 20) - (red / 255 - 0.25F) / 0.5F) < 1e-5F);
    assert_true(fabsf(at(&scaled, planes, 0, 9, 20) - blue / 255) < 1e-5F);
    free(plain);
    free(planes);
}

static void grey_recipe_has_one_plane(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(32, 32);
    recipe.channels = 1;
    oc_augment strong = oc_augment_level(OC_LEVEL_STRONG);
    float *planes = render_photo(&recipe, 100, 100, NULL, 0);
    double luma = 0.299 * 128 + 0.587 * 128 + 0.114 * 111;
    check_near(at(&recipe, planes, 0, 16, 16), luma);
    assert_true(planes[32 * 32] == 0);
    free(planes);
    planes = render_photo(&recipe, 100, 100, &strong, 0);
    assert_true(planes[32 * 32] == 0);
    free(planes);
}

/* The box that was drawn is where the pixels come from, also when the JPEG is decoded smaller. */
static void random_crop_shows_the_box_it_drew(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(32, 32);
    oc_augment augment = oc_augment_level(OC_LEVEL_STANDARD);
    for (uint64_t item = 0; item < 20; item++) {
        oc_rng rng;
        oci_draws d;
        oc_rng_init(&rng, 1, OC_RNG_AUGMENT, 0, item);
        oci_draw(&augment, &recipe, 600, 450, &rng, &d);
        float *planes = render_photo(&recipe, 600, 450, &augment, item);
        double left = 255 * (d.crop.x + d.crop.width / 64.0) / 600;
        double right = 255 * (d.crop.x + d.crop.width * 63 / 64.0) / 600;
        check_near(at(&recipe, planes, 0, 16, 0), d.flip ? right : left);
        check_near(at(&recipe, planes, 0, 16, 31), d.flip ? left : right);
        check_near(at(&recipe, planes, 1, 0, 16), 255 * (d.crop.y + d.crop.height / 64.0) / 450);
        free(planes);
    }
}

static void erased_box_is_the_mean(void **state) {
    (void)state;
    oc_recipe recipe = oc_recipe_default(64, 64);
    oc_augment augment = {.erase_p = 1};
    float *planes = render_photo(&recipe, 100, 100, &augment, 4);
    int zeros = 0;
    for (int i = 0; i < 64 * 64; i++) zeros += planes[i] == 0;
    assert_in_range(zeros, 64 * 64 * 2 / 100, 64 * 64 * 34 / 100);
    free(planes);
}

static void rotation_fills_the_corners_with_the_mean(void **state) {
    (void)state;
    oc_recipe recipe = plain_recipe(64, 64);
    recipe.mean[2] = 20;
    oc_augment augment = {.rotate_degrees = 90};
    float *planes = render_photo(&recipe, 100, 100, &augment, 2);
    check_near(at(&recipe, planes, 2, 0, 0), 0);
    check_near(at(&recipe, planes, 2, 32, 32), 111 - 20);
    free(planes);
}

static void same_stream_draws_the_same_pixels(void **state) {
    (void)state;
    oc_recipe recipe = oc_recipe_default(32, 32);
    oc_augment strong = oc_augment_level(OC_LEVEL_STRONG);
    size_t bytes = 3 * 32 * 32 * sizeof(float);
    float *a = render_photo(&recipe, 90, 70, &strong, 5),
          *b = render_photo(&recipe, 90, 70, &strong, 5);
    float *c = render_photo(&recipe, 90, 70, &strong, 6);
    assert_memory_equal(a, b, bytes);
    assert_int_not_equal(memcmp(a, c, bytes), 0);
    free(a);
    free(b);
    free(c);
}

static void failure_names_the_file_once(void **state) {
    scratch *s = *state;
    oc_renderer *r = NULL;
    oc_error err = {0};
    oc_recipe recipe = oc_recipe_default(8, 8);
    char path[OC_PATH_BYTES];
    float planes[3 * 8 * 8];
    put_text(s, "page.jpg", "<html></html>");
    path_in(s, "page.jpg", path);
    check_ok(oc_renderer_new(&r, &recipe, NULL, &err), err);
    check_fails(oc_render_file(r, path, NULL, NULL, planes, &err), err, OC_EFORMAT, path);
    assert_non_null(strstr(err.message, "HTML"));
    path_in(s, "gone.jpg", path);
    check_fails(oc_render_file(r, path, NULL, NULL, planes, &err), err, OC_ENOTFOUND, path);
    assert_null(strstr(strstr(err.message, path) + 1, path));
    oc_renderer_free(r);
}

static void too_thin_a_picture_is_refused(void **state) {
    (void)state;
    oc_recipe r = oc_recipe_default(224, 224);
    oci_view v;
    assert_true(oci_view_of(&r, 1, 60000, &v));
    assert_false(oci_view_of(&r, 1, 2000000000, &v));
}

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    oc_recipe recipe = oc_recipe_default(32, 32);
    oc_augment strong = oc_augment_level(OC_LEVEL_STRONG);
    oc_buf jpeg = {0};
    float planes[3 * 32 * 32];
    encode_photo(&jpeg, 60, 50, 3);
    for (uint64_t n = 1;; n++) {
        oc_renderer *r = NULL;
        oc_rng rng;
        oc_rng_init(&rng, 1, OC_RNG_AUGMENT, 0, 0);
        oc_mem_fail_at(n);
        oc_status status = oc_renderer_new(&r, &recipe, NULL, NULL);
        if (status == OC_OK) {
            status = oc_render(r, jpeg.data, jpeg.size, &strong, &rng, planes, NULL);
        }
        oc_mem_fail_at(0);
        oc_renderer_free(r);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 100);
    }
    oc_buf_clear(&jpeg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaving_out_what_is_not_seen_changes_no_pixel),
        cmocka_unit_test(view_is_torchvisions),
        cmocka_unit_test(centre_crop_shows_the_centre),
        cmocka_unit_test(squash_shows_everything),
        cmocka_unit_test(squash_with_a_margin_shows_its_centre),
        cmocka_unit_test(shifted_window_shows_the_place_it_drew),
        cmocka_unit_test(small_pictures_are_enlarged),
        cmocka_unit_test(mean_deviation_unit_and_order_are_applied),
        cmocka_unit_test(grey_recipe_has_one_plane),
        cmocka_unit_test(random_crop_shows_the_box_it_drew),
        cmocka_unit_test(erased_box_is_the_mean),
        cmocka_unit_test(rotation_fills_the_corners_with_the_mean),
        cmocka_unit_test(same_stream_draws_the_same_pixels),
        scratch_test(failure_names_the_file_once),
        cmocka_unit_test(too_thin_a_picture_is_refused),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
