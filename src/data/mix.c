/* Mixup and cutmix over a finished batch: item i is mixed with item n-1-i, in place.
 *
 * Sources: Zhang et al., "mixup: beyond empirical risk minimization", 2018; Yun et al., "CutMix",
 * 2019. One share and one box for the batch, as both papers' code does.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "data/data_int.h"

/* Gamma(shape, 1): Marsaglia and Tsang, "A simple method for generating gamma variables", 2000,
 * with their boost for shape < 1. */
static double draw_gamma(oc_rng *rng, double shape) {
    double boost = 1;
    if (shape < 1) {
        boost = pow(1 - (double)oc_rng_uniform(rng), 1 / shape);
        shape += 1;
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = (double)oc_rng_normal(rng), v = 1 + c * x;
        double u = 1 - (double)oc_rng_uniform(rng);
        if (v <= 0) continue;
        v = v * v * v;
        if (log(u) < x * x / 2 + d - d * v + d * log(v)) return boost * d * v;
    }
}

float oci_draw_beta(oc_rng *rng, float alpha) {
    double a = draw_gamma(rng, (double)alpha), b = draw_gamma(rng, (double)alpha);
    return a + b > 0 ? (float)(a / (a + b)) : 0.5F;
}

/* a and b become share * a + (1 - share) * b, and the other way round. */
static OC_SIMD void blend(float *a, float *b, size_t count, float share) {
    for (size_t i = 0; i < count; i++) {
        float x = a[i], y = b[i];
        a[i] = share * x + (1 - share) * y;
        b[i] = share * y + (1 - share) * x;
    }
}

/* Exchange the box of two images of (channels, height, width). */
static void exchange(const oci_mixable *m, float *a, float *b, oci_rect box) {
    for (int c = 0; c < m->channels; c++) {
        for (int y = box.y; y < box.y + box.height; y++) {
            size_t row = ((size_t)c * (size_t)m->height + (size_t)y) * (size_t)m->width;
            float *p = a + row + box.x, *q = b + row + box.x;
            for (int x = 0; x < box.width; x++) {
                float kept = p[x];
                p[x] = q[x];
                q[x] = kept;
            }
        }
    }
}

/* A box of about 1 - share of the picture around a uniform centre, cut at the edges. */
static oci_rect draw_box(const oci_mixable *m, float share, oc_rng *rng) {
    double side = sqrt(1 - (double)share);
    int half_w = (int)(m->width * side) / 2, half_h = (int)(m->height * side) / 2;
    int x = (int)oc_rng_below(rng, (uint32_t)m->width);
    int y = (int)oc_rng_below(rng, (uint32_t)m->height);
    int left = x > half_w ? x - half_w : 0, top = y > half_h ? y - half_h : 0;
    int right = x + half_w < m->width ? x + half_w : m->width;
    int bottom = y + half_h < m->height ? y + half_h : m->height;
    return (oci_rect){left, top, right - left, bottom - top};
}

static float *image_of(const oci_mixable *m, int i) {
    size_t size = (size_t)m->channels * (size_t)m->height * (size_t)m->width;
    return m->pixels + (size_t)i * size;
}

static float cutmix(const oci_mixable *m, float alpha, oc_rng *rng) {
    oci_rect box = draw_box(m, oci_draw_beta(rng, alpha), rng);
    for (int i = 0; i < m->n / 2; i++) exchange(m, image_of(m, i), image_of(m, m->n - 1 - i), box);
    double area = (double)box.width * box.height;
    return (float)(1 - area / ((double)m->width * m->height));
}

static float mixup(const oci_mixable *m, float alpha, oc_rng *rng) {
    float share = oci_draw_beta(rng, alpha);
    size_t size = (size_t)m->channels * (size_t)m->height * (size_t)m->width;
    for (int i = 0; i < m->n / 2; i++)
        blend(image_of(m, i), image_of(m, m->n - 1 - i), size, share);
    return share;
}

bool oci_mix_batch(const oci_mixable *batch, const oc_augment *augment, oc_rng *rng) {
    bool can_mixup = augment->mixup_alpha > 0, can_cutmix = augment->cutmix_alpha > 0;
    if (!can_mixup && !can_cutmix) return false;
    bool cuts = can_cutmix && (!can_mixup || oc_rng_below(rng, 2) == 1);
    float share =
        cuts ? cutmix(batch, augment->cutmix_alpha, rng) : mixup(batch, augment->mixup_alpha, rng);
    for (int i = 0; i < batch->n; i++) {
        batch->label2[i] = batch->label[batch->n - 1 - i];
        batch->mix[i] = share;
    }
    return true;
}
