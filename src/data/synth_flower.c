/* Draws one flower: layers of petals from the outermost inwards, each petal over its neighbour,
 * then the disc and the stamens.
 *
 * A petal lies along its axis: t runs from 0 at the centre of the flower to 1 at the tip, s across.
 * Its outline is |s| = half_width * t^a (1-t)^b, scaled to 1 at `widest`; the signed distance to
 * it, (|s| - outline) / sqrt(1 + outline'^2), gives edges without stairs at any scale.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "synth_int.h"

static const float pi = 3.14159265f;

typedef struct brush {
    oci_canvas *canvas;
    const oci_species *species;
    const oci_pose *pose;
    float soft; /* of edges, in shares of the radius */
} brush;

typedef struct petal {
    float angle, length, half_width, twist;
    float shade; /* brightness of this one */
    oci_colour base, tip;
    float peak;  /* of t^a (1-t)^b, to divide by */
    float power; /* a */
    uint32_t spot_seed;
} petal;

/* Pixel (x, y) in the flower's own plane, shares of the radius. */
static void to_flower(const oci_pose *pose, int x, int y, float *u, float *v) {
    float dx = ((float)x + 0.5f - pose->x) / pose->radius;
    float dy = ((float)y + 0.5f - pose->y) / pose->radius;
    float ca = cosf(pose->tilt_axis), sa = sinf(pose->tilt_axis);
    float along = dx * ca + dy * sa, across = (dy * ca - dx * sa) / pose->squeeze;
    *u = along * ca - across * sa;
    *v = along * sa + across * ca;
}

static float outline(const oci_species *s, const petal *p, float t) {
    if (t <= 0 || t >= 1) return 0;
    return p->half_width * powf(t, p->power) * powf(1 - t, s->blunt) / p->peak;
}

/* Signed distance from the petal's edge at (t, s), negative inside. */
static float distance(const oci_species *species, const petal *p, float t, float s) {
    const float step = 0.01f;
    if (t <= 0) return hypotf(t, s);
    if (t >= 1) return hypotf(t - 1, s);
    float w = outline(species, p, t);
    float slope = (outline(species, p, t + step) - outline(species, p, t - step)) / (2 * step);
    float d = (fabsf(s) - w) / sqrtf(1 + slope * slope);
    if (species->notch > 0) {
        float bite = species->notch - hypotf(t - 1.04f, s);
        if (bite > d) d = bite;
    }
    return d;
}

/* 0..1 from two numbers and a seed, without order: a dot pattern that sticks to the petal. */
static float hash01(int i, int j, uint32_t seed) {
    uint32_t h = seed ^ ((uint32_t)i * 0x9E3779B1u) ^ ((uint32_t)j * 0x85EBCA77u);
    h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
    h = (h ^ (h >> 12)) * 0x297A2D39u;
    return (float)((h ^ (h >> 15)) >> 8) / 16777216.0f;
}

static float spots(const petal *p, float t, float s) {
    const float cells = 14;
    float a = t * cells, b = (s + 1) * cells;
    int i = (int)floorf(a), j = (int)floorf(b);
    if (hash01(i, j, p->spot_seed) > 0.45f * (1.15f - t)) return 0;
    float dx = a - (float)i - 0.5f, dy = b - (float)j - 0.5f;
    return oci_cover(hypotf(dx, dy) - 0.27f, 0.12f);
}

/* Colour of a petal at (t, s), d inside its edge. */
static oci_colour paint(const brush *b, const petal *p, float t, float s, float d) {
    const oci_species *sp = b->species;
    const oci_colour dark = {0.03f, 0.01f, 0.03f};
    float w = outline(sp, p, t), v = w > 1e-4f ? s / w : 0;
    if (v > 1) v = 1;
    if (v < -1) v = -1;
    oci_colour c = oci_mix(p->base, p->tip, oci_smooth(0.05f, 0.85f, t));
    float lines = 0.5f + 0.5f * cosf(v * 4.5f * pi);
    c = oci_mix(c, p->base, sp->veins * 0.6f * lines * (1 - t));
    if (sp->blotch > 0) {
        float reach = sp->blotch * (1 + 0.25f * lines);
        c = oci_mix(c, dark, 0.85f * (1 - oci_smooth(0.6f * reach, reach, t)));
    }
    if (sp->spots > 0) c = oci_mix(c, dark, 0.8f * sp->spots * spots(p, t, s));
    float across = sinf(p->angle - b->pose->light) * v;
    float light = 0.72f + 0.25f * sqrtf(1 - v * v) + 0.16f * across;
    light *= 0.72f + 0.28f * oci_smooth(0.0f, 0.35f, t);    /* the cup is in shade */
    light *= 1 - 0.22f * expf(fminf(d, 0) / 0.025f);        /* rims turn away */
    light *= 1 - 0.10f * oci_smooth(0.04f, 0.0f, fabsf(s)); /* the fold */
    return oci_scale(c, light * p->shade);
}

static void draw_petal(const brush *b, const petal *p) {
    const oci_pose *pose = b->pose;
    const oci_colour shadow = {0.01f, 0.01f, 0.01f};
    float ca = cosf(p->angle), sa = sinf(p->angle), reach = pose->radius * 1.25f + pose->soft;
    int size = b->canvas->size;
    int y0 = (int)fmaxf(0, pose->y - reach), y1 = (int)fminf((float)size, pose->y + reach + 1);
    int x0 = (int)fmaxf(0, pose->x - reach), x1 = (int)fminf((float)size, pose->x + reach + 1);
    float margin = 0.1f + b->soft;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float u, v;
            to_flower(pose, x, y, &u, &v);
            float t = (u * ca + v * sa) / p->length, s = (v * ca - u * sa) / p->length;
            s -= p->twist * t * t;
            if (t < -margin || t > 1 + margin || fabsf(s) > p->half_width + margin) continue;
            float d = distance(b->species, p, t, s);
            float under = 0.32f * (1 - oci_smooth(0.0f, 0.08f, d)) * oci_smooth(0.0f, 0.2f, t);
            oci_canvas_blend(b->canvas, x, y, shadow, under);
            float cover = oci_cover(d, b->soft);
            if (cover > 0) oci_canvas_blend(b->canvas, x, y, paint(b, p, t, s, d), cover);
        }
}

static void draw_layer(const brush *b, int layer, const oci_colour tint[2], oc_rng *rng) {
    const oci_species *sp = b->species;
    float shrink = 1 - 0.27f * (float)layer;
    float turn = b->pose->angle + (layer % 2 ? pi / (float)sp->petals : 0);
    float power = sp->blunt * sp->widest / (1 - sp->widest);
    for (int k = 0; k < sp->petals; k++) {
        petal p = {
            .angle =
                turn + 2 * pi * ((float)k + oc_rng_between(rng, -0.09f, 0.09f)) / (float)sp->petals,
            .length = shrink * oc_rng_between(rng, 0.90f, 1.03f),
            .half_width = sp->half_width * oc_rng_between(rng, 0.90f, 1.10f),
            .twist = sp->twist + oc_rng_between(rng, -0.05f, 0.05f),
            .shade = oc_rng_between(rng, 0.86f, 1.10f) * (1 - 0.06f * (float)layer),
            .base = tint[0],
            .tip = tint[1],
            .peak = powf(sp->widest, power) * powf(1 - sp->widest, sp->blunt),
            .power = power,
            .spot_seed = oc_rng_u32(rng),
        };
        draw_petal(b, &p);
    }
}

static void draw_disc(const brush *b, oci_colour heart, oc_rng *rng) {
    const oci_pose *pose = b->pose;
    float radius = b->species->centre * oc_rng_between(rng, 0.92f, 1.08f);
    uint32_t seed = oc_rng_u32(rng);
    float reach = pose->radius * radius * 1.2f + pose->soft, size = (float)b->canvas->size;
    int y0 = (int)fmaxf(0, pose->y - reach), y1 = (int)fminf(size, pose->y + reach + 1);
    int x0 = (int)fmaxf(0, pose->x - reach), x1 = (int)fminf(size, pose->x + reach + 1);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float u, v;
            to_flower(pose, x, y, &u, &v);
            float r = hypotf(u, v) / radius;
            float cover = oci_cover((r - 1) * radius, b->soft);
            if (cover <= 0) continue;
            int ring = (int)(r * 7),
                cell = (int)floorf((atan2f(v, u) + pi) * (float)(2 + ring * 2));
            float grain = 0.72f + 0.5f * hash01(ring, cell, seed);
            float dome = 0.75f + 0.35f * (1 - r * r) +
                         0.25f * (u * cosf(pose->light) + v * sinf(pose->light)) / radius;
            float rim = 1 - 0.35f * oci_smooth(0.75f, 1.0f, r);
            oci_canvas_blend(b->canvas, x, y, oci_scale(heart, grain * dome * rim), cover);
        }
}

/* A filament from the disc outwards with an anther at its end. */
static void draw_stamen(const brush *b, float angle, float length, oci_colour anther) {
    const oci_pose *pose = b->pose;
    const oci_colour filament = {0.55f, 0.55f, 0.35f};
    float ca = cosf(angle), sa = sinf(angle), head = 0.035f;
    float reach = pose->radius * (length + 0.1f), size = (float)b->canvas->size;
    int y0 = (int)fmaxf(0, pose->y - reach), y1 = (int)fminf(size, pose->y + reach + 1);
    int x0 = (int)fmaxf(0, pose->x - reach), x1 = (int)fminf(size, pose->x + reach + 1);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float u, v;
            to_flower(pose, x, y, &u, &v);
            float t = u * ca + v * sa, s = v * ca - u * sa;
            float along = t < 0 ? -t : t > length ? t - length : 0;
            float line = oci_cover(hypotf(along, s) - 0.008f, b->soft);
            oci_canvas_blend(b->canvas, x, y, filament, 0.7f * line);
            float dot = oci_cover(hypotf(t - length, s) - head, b->soft);
            oci_canvas_blend(b->canvas, x, y, anther, dot);
        }
}

void oci_draw_flower(oci_canvas *canvas, const oci_species *species, const oci_pose *pose,
                     oc_rng *rng) {
    brush b = {canvas, species, pose, pose->soft / pose->radius};
    float fade = oc_rng_between(rng, 0.0f, 0.18f);
    const oci_colour pale = {0.75f, 0.72f, 0.68f};
    oci_colour tint[2] = {oci_vary(oci_mix(species->base, pale, fade), rng, 0.16f),
                          oci_vary(oci_mix(species->tip, pale, fade), rng, 0.16f)};
    for (int layer = 0; layer < species->layers; layer++) draw_layer(&b, layer, tint, rng);
    draw_disc(&b, oci_vary(species->heart, rng, 0.15f), rng);
    oci_colour anther = oci_mix(species->heart, (oci_colour){0.5f, 0.25f, 0.02f}, 0.5f);
    for (int k = 0; k < species->stamens; k++)
        draw_stamen(&b, pose->angle + 2 * pi * ((float)k + 0.5f) / (float)species->stamens,
                    species->centre + oc_rng_between(rng, 0.05f, 0.16f), anther);
}
