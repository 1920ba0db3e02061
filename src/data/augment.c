/* Augmentation: the named levels, and what one item draws.
 *
 * All draws of an item are made at once, from its own stream, before its pixels are looked at: what
 * it gets depends on (seed, epoch, item) and the size of the picture alone.
 * Sources: random resized crop, Szegedy et al., "Going deeper with convolutions", 2015; random
 * erasing, Zhong et al. 2020; both with torchvision's constants.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "data/data_int.h"

enum { TRIES = 10 };
static const float LIGHT_CROP = 0.7F;
static const float ERASE_AREA_MIN = 0.02F, ERASE_AREA_MAX = 0.33F, ERASE_RATIO_MIN = 0.3F,
                   ERASE_RATIO_MAX = 3.3F;

static const char *const level_words[] = {
#define LEVEL_WORD(name, word) word,
    OC_LEVEL_MAP(LEVEL_WORD)
#undef LEVEL_WORD
};

const char *oc_level_name(oc_level level) {
    return (int)level >= 0 && level < OC_LEVEL_COUNT ? level_words[level] : "unknown";
}

bool oc_level_parse(const char *word, oc_level *out) {
    for (int i = 0; i < OC_LEVEL_COUNT; i++) {
        if (strcmp(word, level_words[i]) != 0) continue;
        *out = (oc_level)i;
        return true;
    }
    return false;
}

oc_augment oc_augment_level(oc_level level) {
    oc_augment a = {0};
    if (level == OC_LEVEL_NONE) return a;
    a.flip = true;
    a.crop_area_min = level == OC_LEVEL_LIGHT ? LIGHT_CROP : 0.35F;
    a.crop_ratio = 4.0F / 3;
    if (level != OC_LEVEL_STRONG) return a;
    a.brightness = a.contrast = a.saturation = 0.4F;
    a.hue = 0.1F;
    a.rotate_degrees = 15;
    a.erase_p = 0.25F;
    a.mixup_alpha = 0.2F;
    a.cutmix_alpha = 1;
    a.smoothing = 0.1F;
    return a;
}

/* ---- the random resized crop
 * --------------------------------------------------------------------- */

/* Aspect ratio (width / height) whose logarithm is uniform. */
static double draw_ratio(oc_rng *rng, double min, double max) {
    return exp(log(min) + (log(max) - log(min)) * (double)oc_rng_uniform(rng));
}

/* A rectangle of `area` and `ratio` somewhere in width x height; false when it does not fit. */
static bool place(double area, double ratio, int width, int height, oc_rng *rng, oci_rect *out) {
    double w = rint(sqrt(area * ratio)), h = rint(sqrt(area / ratio));
    if (w < 1 || h < 1 || w > width || h > height) return false;
    out->width = (int)w;
    out->height = (int)h;
    out->y = (int)oc_rng_below(rng, (uint32_t)(height - out->height) + 1);
    out->x = (int)oc_rng_below(rng, (uint32_t)(width - out->width) + 1);
    return true;
}

/* The largest centred rectangle whose ratio is allowed. */
static oci_rect centre_crop(double max_ratio, int width, int height) {
    double ratio = (double)width / height;
    oci_rect r = {.width = width, .height = height};
    if (ratio < 1 / max_ratio) r.height = (int)rint(width * max_ratio);
    if (ratio > max_ratio) r.width = (int)rint(height * max_ratio);
    r.x = (width - r.width) / 2;
    r.y = (height - r.height) / 2;
    return r;
}

static oci_rect draw_crop(const oc_augment *a, int width, int height, oc_rng *rng) {
    double max_ratio = a->crop_ratio > 1 ? (double)a->crop_ratio : 1;
    oci_rect r;
    for (int i = 0; i < TRIES; i++) {
        double share = (double)oc_rng_between(rng, a->crop_area_min, 1);
        double area = share * width * height;
        double ratio = draw_ratio(rng, 1 / max_ratio, max_ratio);
        if (place(area, ratio, width, height, rng, &r)) return r;
    }
    return centre_crop(max_ratio, width, height);
}

/* A squashed recipe shows its whole picture; a light crop would take that away for little. */
bool oci_crops(const oc_augment *a, const oc_recipe *recipe) {
    if (a->crop_area_min <= 0) return false;
    return recipe->fit != OC_FIT_SQUASH || a->crop_area_min < LIGHT_CROP;
}

/* ---- the rest
 * -------------------------------------------------------------------------------------- */

static float draw_factor(oc_rng *rng, float amount) {
    return oc_rng_between(rng, amount < 1 ? 1 - amount : 0, 1 + amount);
}

static void draw_jitter(const oc_augment *a, oc_rng *rng, oci_draws *out) {
    for (uint32_t i = 0; i < OCI_JITTERS; i++) out->order[i] = i;
    oc_rng_shuffle(rng, out->order, OCI_JITTERS);
    out->factor[OCI_BRIGHTNESS] = draw_factor(rng, a->brightness);
    out->factor[OCI_CONTRAST] = draw_factor(rng, a->contrast);
    out->factor[OCI_SATURATION] = draw_factor(rng, a->saturation);
    out->factor[OCI_HUE] = oc_rng_between(rng, -a->hue, a->hue);
}

static oci_rect draw_erase(const oc_augment *a, const oc_recipe *recipe, oc_rng *rng) {
    oci_rect r = {0};
    if (!(oc_rng_uniform(rng) < a->erase_p)) return r;
    for (int i = 0; i < TRIES; i++) {
        double share = (double)oc_rng_between(rng, ERASE_AREA_MIN, ERASE_AREA_MAX);
        double area = share * recipe->width * recipe->height;
        double ratio = draw_ratio(rng, (double)ERASE_RATIO_MIN, (double)ERASE_RATIO_MAX);
        if (place(area, ratio, recipe->width, recipe->height, rng, &r)) return r;
    }
    return (oci_rect){0};
}

static void draw_shift(const oc_augment *a, oc_rng *rng, oci_draws *out) {
    out->shifts = a->crop_shift && !out->crops;
    if (!out->shifts) return;
    out->shift_x = oc_rng_uniform(rng);
    out->shift_y = oc_rng_uniform(rng);
}

void oci_draw(const oc_augment *augment, const oc_recipe *recipe, int width, int height,
              oc_rng *rng, oci_draws *out) {
    *out = (oci_draws){.crops = oci_crops(augment, recipe)};
    if (out->crops) out->crop = draw_crop(augment, width, height, rng);
    draw_shift(augment, rng, out);
    out->flip = augment->flip && oc_rng_below(rng, 2) == 1;
    draw_jitter(augment, rng, out);
    out->degrees = oc_rng_between(rng, -augment->rotate_degrees, augment->rotate_degrees);
    out->erase = draw_erase(augment, recipe, rng);
}
