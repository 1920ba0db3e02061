/* Small letters and flat colours.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "image/image.h"

enum { WIDTH = 40, HEIGHT = 20 };
static const uint8_t white[3] = {255, 255, 255};

static oc_image paper(void) {
    oc_image img = {0};
    oc_error err = {0};
    check_ok(oc_image_reserve(&img, WIDTH, HEIGHT, 3, &err), err);
    oc_image_fill(&img, (oc_region){0, 0, WIDTH, HEIGHT}, white);
    return img;
}

static oc_image text(const char *words, int x, int y, oc_pen pen) {
    oc_image img = paper();
    oc_image_text(&img, x, y, &pen, words, 100);
    return img;
}

static int dots(const oc_image *img) {
    int count = 0;
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) count += img->pixels[3 * i] != 255;
    return count;
}

static void assert_same_picture(const char *a, const char *b) {
    oc_image x = text(a, 1, 1, (oc_pen){.scale = 1}), y = text(b, 1, 1, (oc_pen){.scale = 1});
    assert_memory_equal(x.pixels, y.pixels, (size_t)WIDTH * HEIGHT * 3);
    oc_image_clear(&x);
    oc_image_clear(&y);
}

static void letters_lose_their_marks_and_strangers_become_question_marks(void **state) {
    (void)state;
    assert_same_picture("Fr\xC3\xBChling \xC5\xBD", "Fruhling Z");
    assert_same_picture("\xE6\xA1\x9C x \xFF", "? x ?");
    assert_int_equal(oc_text_letters("\xE6\xA1\x9C\xC3\xBC-"), 3);
}

static void a_larger_pen_draws_the_same_letter_larger(void **state) {
    (void)state;
    oc_image one = text("e", 0, 0, (oc_pen){.scale = 1}),
             two = text("e", 0, 0, (oc_pen){.scale = 2});
    assert_int_equal(dots(&two), 4 * dots(&one));
    oc_image up = text("e", 0, HEIGHT, (oc_pen){.scale = 1, .upwards = true});
    assert_int_equal(dots(&up), dots(&one));
    oc_image_clear(&one);
    oc_image_clear(&two);
    oc_image_clear(&up);
}

static void long_text_is_cut_with_two_dots(void **state) {
    (void)state;
    oc_image cut = paper(), dotted = text("ab..", 0, 0, (oc_pen){.scale = 1});
    oc_image_text(&cut, 0, 0, &(oc_pen){.scale = 1}, "abcdefgh", 4);
    assert_memory_equal(cut.pixels, dotted.pixels, (size_t)WIDTH * HEIGHT * 3);
    oc_image_clear(&cut);
    oc_image_clear(&dotted);
}

static void what_lies_outside_is_cut_off(void **state) {
    (void)state;
    const int places[][2] = {{-500, -500}, {-3, -3}, {WIDTH - 2, HEIGHT - 2}, {WIDTH, HEIGHT}};
    for (int i = 0; i < 4; i++) {
        oc_image img = text("M~|", places[i][0], places[i][1], (oc_pen){.scale = 3});
        oc_image stamp = paper();
        oc_image_text(&img, places[i][0], places[i][1], &(oc_pen){.scale = 2, .upwards = true},
                      "gj", 9);
        oc_image_paste(&img, places[i][0], places[i][1], &stamp);
        oc_image_clear(&stamp);
        oc_image_clear(&img);
    }
}

static void a_pasted_image_keeps_its_pixels(void **state) {
    (void)state;
    oc_image img = paper(), stamp = paper();
    const uint8_t red[3] = {200, 0, 0};
    oc_image_fill(&stamp, (oc_region){0, 0, WIDTH, HEIGHT}, red);
    oc_image_paste(&img, WIDTH - 3, -(HEIGHT - 2), &stamp);
    assert_int_equal(dots(&img), 3 * 2);
    oc_image_clear(&img);
    oc_image_clear(&stamp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_lose_their_marks_and_strangers_become_question_marks),
        cmocka_unit_test(a_larger_pen_draws_the_same_letter_larger),
        cmocka_unit_test(long_text_is_cut_with_two_dots),
        cmocka_unit_test(what_lies_outside_is_cut_off),
        cmocka_unit_test(a_pasted_image_keeps_its_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
