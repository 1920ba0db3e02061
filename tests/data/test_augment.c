/* Augmentation: levels, draws, mixing of batches.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "data_test.h"

enum { DRAWS = 2000 };

static oci_draws draw_for(const oc_augment *a, const oc_recipe *recipe, int width, int height,
                          uint64_t item) {
    oc_rng rng;
    oci_draws draws;
    oc_rng_init(&rng, 1, OC_RNG_AUGMENT, 0, item);
    oci_draw(a, recipe, width, height, &rng, &draws);
    return draws;
}

static void levels_have_names(void **state) {
    (void)state;
    oc_level level = OC_LEVEL_NONE;
    assert_string_equal(oc_level_name(OC_LEVEL_STANDARD), "standard");
    assert_true(oc_level_parse("strong", &level));
    assert_int_equal(level, OC_LEVEL_STRONG);
    assert_false(oc_level_parse("Strong ", &level));
}

static void levels_get_stronger(void **state) {
    (void)state;
    oc_augment none = oc_augment_level(OC_LEVEL_NONE), light = oc_augment_level(OC_LEVEL_LIGHT);
    oc_augment standard = oc_augment_level(OC_LEVEL_STANDARD);
    oc_augment strong = oc_augment_level(OC_LEVEL_STRONG);
    assert_true(!none.flip && none.crop_area_min == 0);
    assert_true(light.flip && light.crop_area_min == 0.7F && light.hue == 0);
    assert_true(standard.crop_area_min == 0.35F && standard.crop_ratio == 4.0F / 3);
    assert_true(strong.hue > 0 && strong.rotate_degrees > 0 && strong.erase_p > 0);
    assert_true(strong.mixup_alpha > 0 && strong.cutmix_alpha > 0 && strong.smoothing == 0.1F);
}

static void crops_lie_within_the_picture_and_the_range(void **state) {
    (void)state;
    oc_augment a = oc_augment_level(OC_LEVEL_STANDARD);
    oc_recipe recipe = oc_recipe_default(224, 224);
    double area = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        oci_rect c = draw_for(&a, &recipe, 500, 400, i).crop;
        double ratio = (double)c.width / c.height, share = (double)c.width * c.height / 200000;
        assert_true(c.x >= 0 && c.y >= 0 && c.x + c.width <= 500 && c.y + c.height <= 400);
        assert_true(ratio > 0.745 && ratio < 1.345);
        assert_true(share > 0.345 && share <= 1);
        area += share;
    }
    assert_true(area / DRAWS > 0.5 && area / DRAWS < 0.675); /* large ones fit less often */
}

static void thin_pictures_get_a_centred_crop(void **state) {
    (void)state;
    oc_augment a = oc_augment_level(OC_LEVEL_STANDARD);
    oc_recipe recipe = oc_recipe_default(224, 224);
    oci_rect wide = draw_for(&a, &recipe, 1000, 9, 1).crop;
    assert_int_equal(wide.width, 12);
    assert_int_equal(wide.height, 9);
    assert_int_equal(wide.x, 494);
    oci_rect tall = draw_for(&a, &recipe, 3, 900, 1).crop;
    assert_int_equal(tall.width, 3);
    assert_int_equal(tall.height, 4);
    oci_rect dot = draw_for(&a, &recipe, 1, 1, 1).crop;
    assert_int_equal(dot.width * dot.height, 1);
}

static void squashed_recipe_keeps_its_whole_picture_in_light(void **state) {
    (void)state;
    oc_augment light = oc_augment_level(OC_LEVEL_LIGHT);
    oc_augment standard = oc_augment_level(OC_LEVEL_STANDARD);
    oc_recipe recipe = oc_recipe_default(75, 75);
    assert_true(draw_for(&light, &recipe, 100, 100, 1).crops);
    recipe.fit = OC_FIT_SQUASH;
    assert_false(draw_for(&light, &recipe, 100, 100, 1).crops);
    assert_true(draw_for(&standard, &recipe, 100, 100, 1).crops);
}

static void half_of_the_pictures_are_flipped(void **state) {
    (void)state;
    oc_augment a = oc_augment_level(OC_LEVEL_LIGHT);
    oc_recipe recipe = oc_recipe_default(224, 224);
    int flips = 0;
    for (uint64_t i = 0; i < DRAWS; i++) flips += draw_for(&a, &recipe, 500, 400, i).flip;
    assert_in_range(flips, DRAWS / 2 - 100, DRAWS / 2 + 100);
}

static void jitter_stays_in_its_range_and_its_order_varies(void **state) {
    (void)state;
    oc_augment a = oc_augment_level(OC_LEVEL_STRONG);
    oc_recipe recipe = oc_recipe_default(224, 224);
    int first[OCI_JITTERS] = {0}, erased = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        oci_draws d = draw_for(&a, &recipe, 300, 300, i);
        first[d.order[0]]++;
        assert_true(d.factor[OCI_BRIGHTNESS] >= 0.6F && d.factor[OCI_BRIGHTNESS] <= 1.4F);
        assert_true(fabsf(d.factor[OCI_HUE]) <= 0.1F);
        assert_true(fabsf(d.degrees) <= 15);
        assert_true(d.erase.x + d.erase.width <= 224 && d.erase.y + d.erase.height <= 224);
        erased += d.erase.width > 0;
    }
    for (int j = 0; j < OCI_JITTERS; j++) assert_in_range(first[j], 400, 600);
    assert_in_range(erased, 400, 600);
}

/* ---- mixing ---------------------------------------------------------------------------------- */

static void beta_has_its_mean_and_deviation(void **state) {
    (void)state;
    static const float alphas[] = {0.2F, 1, 4};
    for (size_t k = 0; k < 3; k++) {
        oc_rng rng;
        double sum = 0, square = 0, alpha = (double)alphas[k];
        oc_rng_init(&rng, 3, OC_RNG_TEST, 0, k);
        for (int i = 0; i < 20000; i++) {
            double v = (double)oci_draw_beta(&rng, alphas[k]);
            assert_true(v >= 0 && v <= 1);
            sum += v;
            square += v * v;
        }
        double mean = sum / 20000, variance = square / 20000 - mean * mean;
        assert_true(fabs(mean - 0.5) < 0.01);
        assert_true(fabs(variance - 1 / (4 * (2 * alpha + 1))) < 0.005);
    }
}

enum { MIX_N = 5, MIX_SIDE = 8, MIX_SIZE = 3 * MIX_SIDE * MIX_SIDE };

typedef struct mix_case {
    float pixels[MIX_N * MIX_SIZE], mix[MIX_N];
    int32_t label[MIX_N], label2[MIX_N];
    bool mixed;
} mix_case;

/* A batch whose image i is i everywhere. */
static void mix_numbers(mix_case *m, oc_augment a, uint64_t batch) {
    oc_rng rng;
    oc_rng_init(&rng, 5, OC_RNG_MIX, 0, batch);
    for (int i = 0; i < MIX_N; i++) {
        m->label[i] = i;
        for (int k = 0; k < MIX_SIZE; k++) m->pixels[i * MIX_SIZE + k] = (float)i;
    }
    oci_mixable batch_of = {m->pixels, MIX_N, 3, MIX_SIDE, MIX_SIDE, m->label, m->label2, m->mix};
    m->mixed = oci_mix_batch(&batch_of, &a, &rng);
}

/* Each image's mean is what its labels and shares say, whichever way it was mixed. */
static void check_shares(const mix_case *m) {
    assert_true(m->mixed);
    for (int i = 0; i < MIX_N; i++) {
        double sum = 0, share = (double)m->mix[i];
        for (int k = 0; k < MIX_SIZE; k++) sum += (double)m->pixels[i * MIX_SIZE + k];
        assert_int_equal(m->label2[i], MIX_N - 1 - i);
        double expected = share * m->label[i] + (1 - share) * m->label2[i];
        assert_true(fabs(sum / MIX_SIZE - expected) < 1e-4);
    }
}

static void mixup_and_cutmix_share_as_they_say(void **state) {
    (void)state;
    mix_case m;
    bool between = false, whole = false;
    for (uint64_t b = 0; b < 50; b++) {
        mix_numbers(&m, (oc_augment){.mixup_alpha = 0.4F}, b);
        check_shares(&m);
        mix_numbers(&m, (oc_augment){.cutmix_alpha = 1}, b);
        check_shares(&m);
        for (int k = 0; k < MIX_SIZE; k++) assert_true(m.pixels[k] == 0 || m.pixels[k] == 4);
        mix_numbers(&m, oc_augment_level(OC_LEVEL_STRONG), b);
        check_shares(&m);
        bool blended = false;
        for (int k = 0; k < MIX_SIZE; k++) blended |= m.pixels[k] != 0 && m.pixels[k] != 4;
        between |= blended;
        whole |= !blended;
    }
    assert_true(between && whole);
}

static void nothing_asked_mixes_nothing(void **state) {
    (void)state;
    mix_case m;
    mix_numbers(&m, (oc_augment){.flip = true}, 1);
    assert_false(m.mixed);
    assert_true(m.pixels[0] == 0 && m.pixels[4 * MIX_SIZE] == 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(levels_get_stronger),
        cmocka_unit_test(crops_lie_within_the_picture_and_the_range),
        cmocka_unit_test(thin_pictures_get_a_centred_crop),
        cmocka_unit_test(squashed_recipe_keeps_its_whole_picture_in_light),
        cmocka_unit_test(half_of_the_pictures_are_flipped),
        cmocka_unit_test(jitter_stays_in_its_range_and_its_order_varies),
        cmocka_unit_test(beta_has_its_mean_and_deviation),
        cmocka_unit_test(mixup_and_cutmix_share_as_they_say),
        cmocka_unit_test(nothing_asked_mixes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
