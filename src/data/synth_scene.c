/* What surrounds a made-up flower: light, blurred spots, leaves, a stem; and the picture as a
 * whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "synth_int.h"

static const float pi = 3.14159265f;

typedef struct mood {
    oci_colour top, bottom, leaf;
} mood;

static const mood moods[] = {
    {{0.05f, 0.14f, 0.03f}, {0.01f, 0.04f, 0.01f}, {0.05f, 0.20f, 0.03f}}, /* deep shade */
    {{0.25f, 0.42f, 0.08f}, {0.06f, 0.20f, 0.03f}, {0.14f, 0.38f, 0.05f}}, /* sunny meadow */
    {{0.30f, 0.45f, 0.70f}, {0.15f, 0.30f, 0.10f}, {0.10f, 0.28f, 0.05f}}, /* under the sky */
    {{0.22f, 0.14f, 0.08f}, {0.07f, 0.05f, 0.03f}, {0.10f, 0.18f, 0.04f}}, /* bare soil */
    {{0.45f, 0.28f, 0.18f}, {0.12f, 0.10f, 0.08f}, {0.16f, 0.22f, 0.06f}}, /* evening */
    {{0.20f, 0.24f, 0.22f}, {0.10f, 0.13f, 0.11f}, {0.10f, 0.22f, 0.10f}}, /* mist */
};

/* Rows and columns of the square of half side `reach` about (x, y), cut to the canvas. */
typedef struct window {
    int x0, x1, y0, y1;
} window;

static window window_about(const oci_canvas *canvas, float x, float y, float reach) {
    float size = (float)canvas->size;
    window w = {(int)fmaxf(0, floorf(x - reach)), (int)fminf(size, ceilf(x + reach) + 1),
                (int)fmaxf(0, floorf(y - reach)), (int)fminf(size, ceilf(y + reach) + 1)};
    return w;
}

/* An out-of-focus point of light or shade. */
static void draw_spot(oci_canvas *canvas, oc_rng *rng, oci_colour c) {
    float size = (float)canvas->size;
    float x = oc_rng_uniform(rng) * size, y = oc_rng_uniform(rng) * size;
    float radius = size * oc_rng_between(rng, 0.03f, 0.16f), soft = 0.35f * radius;
    float strength = oc_rng_between(rng, 0.15f, 0.6f);
    window w = window_about(canvas, x, y, radius + soft);
    for (int j = w.y0; j < w.y1; j++)
        for (int i = w.x0; i < w.x1; i++) {
            float d = hypotf((float)i + 0.5f - x, (float)j + 0.5f - y) - radius;
            oci_canvas_blend(canvas, i, j, c, strength * oci_cover(d, soft));
        }
}

void oci_draw_leaf(oci_canvas *canvas, oc_rng *rng, float x, float y, float length, float angle,
                   float soft) {
    oci_colour green =
        oci_vary(moods[oc_rng_below(rng, sizeof moods / sizeof moods[0])].leaf, rng, 0.25f);
    float width = length * oc_rng_between(rng, 0.10f, 0.22f);
    float bend = oc_rng_between(rng, -0.3f, 0.3f);
    float ca = cosf(angle), sa = sinf(angle);
    window w = window_about(canvas, x, y, length + soft);
    for (int j = w.y0; j < w.y1; j++)
        for (int i = w.x0; i < w.x1; i++) {
            float dx = (float)i + 0.5f - x, dy = (float)j + 0.5f - y;
            float t = (dx * ca + dy * sa) / length, s = dy * ca - dx * sa;
            if (t <= 0 || t >= 1) continue;
            s -= bend * length * t * t;
            float half = width * 2.6f * t * powf(1 - t, 0.8f);
            float cover = oci_cover(fabsf(s) - half, soft);
            if (cover <= 0) continue;
            float rib = 0.35f * oci_cover(fabsf(s) - 0.04f * width, soft + 0.5f);
            float side = 0.06f * sinf(24 * t - 6 * fabsf(s) / width);
            float light = 0.85f + side + (s > 0 ? 0.18f : -0.05f) + rib;
            oci_canvas_blend(canvas, i, j, oci_scale(green, light), cover);
        }
}

void oci_draw_stem(oci_canvas *canvas, oc_rng *rng, float x, float y, float width) {
    float size = (float)canvas->size;
    float lean = oc_rng_between(rng, -0.35f, 0.35f), bow = oc_rng_between(rng, -0.25f, 0.25f);
    oci_colour green = oci_vary((oci_colour){0.10f, 0.24f, 0.05f}, rng, 0.3f);
    for (int j = (int)fmaxf(0, y); j < canvas->size; j++) {
        float t = ((float)j - y) / size;
        float middle = x + size * (lean * t + bow * t * t);
        window w = window_about(canvas, middle, (float)j, width + 2);
        for (int i = w.x0; i < w.x1; i++) {
            float s = ((float)i + 0.5f - middle) / width;
            float cover = oci_cover((fabsf(s) - 1) * width, 0.8f);
            oci_canvas_blend(canvas, i, j, oci_scale(green, 1.05f - 0.35f * s), cover);
        }
    }
}

void oci_draw_background(oci_canvas *canvas, oc_rng *rng) {
    const mood *m = &moods[oc_rng_below(rng, sizeof moods / sizeof moods[0])];
    oci_colour top = oci_vary(m->top, rng, 0.3f), bottom = oci_vary(m->bottom, rng, 0.3f);
    float size = (float)canvas->size, slant = oc_rng_between(rng, -0.5f, 0.5f);
    for (int j = 0; j < canvas->size; j++)
        for (int i = 0; i < canvas->size; i++) {
            float t = (float)j / size + slant * ((float)i / size - 0.5f);
            oci_canvas_blend(canvas, i, j, oci_mix(top, bottom, oci_smooth(-0.1f, 1.1f, t)), 1);
        }
    int spots = 5 + (int)oc_rng_below(rng, 10);
    for (int k = 0; k < spots; k++) {
        oci_colour tint = oci_mix(k % 3 ? m->leaf : top, bottom, oc_rng_uniform(rng));
        draw_spot(canvas, rng, oci_scale(oci_vary(tint, rng, 0.4f), k % 4 ? 0.9f : 2.2f));
    }
    int leaves = (int)oc_rng_below(rng, 8);
    for (int k = 0; k < leaves; k++)
        oci_draw_leaf(canvas, rng, oc_rng_uniform(rng) * size, oc_rng_uniform(rng) * size,
                      size * oc_rng_between(rng, 0.3f, 0.9f), oc_rng_uniform(rng) * 2 * pi,
                      0.01f * size);
    oci_canvas_blur(canvas, size * oc_rng_between(rng, 0.004f, 0.022f));
}

/* Size and place as share of the canvas; the nearer, the sharper. */
static oci_pose random_pose(const oci_canvas *canvas, oc_rng *rng, float radius, float spread,
                            float soft) {
    float size = (float)canvas->size;
    oci_pose pose = {
        .x = size * (0.5f + oc_rng_between(rng, -spread, spread)),
        .y = size * (0.5f + oc_rng_between(rng, -spread, spread)),
        .radius = size * radius,
        .angle = oc_rng_uniform(rng) * 2 * pi,
        .tilt_axis = oc_rng_uniform(rng) * pi,
        .squeeze = 1 - 0.42f * oc_rng_uniform(rng) * oc_rng_uniform(rng) - 0.03f,
        .soft = soft,
        .light = oc_rng_uniform(rng) * 2 * pi,
    };
    return pose;
}

/* Company: more of the same kind out of focus, now and then a stranger. */
static void draw_company(oci_canvas *canvas, const oci_species *own, int index, oc_rng *rng) {
    float size = (float)canvas->size;
    int others = (int)oc_rng_below(rng, 3);
    for (int k = 0; k < others; k++) {
        oci_pose pose = random_pose(canvas, rng, oc_rng_between(rng, 0.07f, 0.17f), 0.55f,
                                    size * oc_rng_between(rng, 0.008f, 0.025f));
        oci_draw_flower(canvas, own, &pose, rng);
    }
    if (oc_rng_uniform(rng) > 0.2f) return;
    oci_species stranger;
    oci_species_make(&stranger, index + 1 + (int)oc_rng_below(rng, 7));
    oci_pose pose = random_pose(canvas, rng, oc_rng_between(rng, 0.05f, 0.10f), 0.55f,
                                size * oc_rng_between(rng, 0.010f, 0.025f));
    oci_draw_flower(canvas, &stranger, &pose, rng);
}

oc_status oci_draw_picture(oci_canvas *canvas, int index, float blur, oc_rng *rng, oc_image *out,
                           oc_error *err) {
    oci_species species;
    oci_species_make(&species, index);
    float size = (float)canvas->size;
    oci_draw_background(canvas, rng);
    draw_company(canvas, &species, index, rng);
    oci_pose pose = random_pose(canvas, rng, oc_rng_between(rng, 0.20f, 0.46f), 0.14f, 0.7f);
    if (oc_rng_uniform(rng) < 0.7f)
        oci_draw_stem(canvas, rng, pose.x, pose.y, 0.012f * size + 0.5f);
    if (oc_rng_uniform(rng) < 0.5f)
        oci_draw_leaf(canvas, rng, pose.x, pose.y + 0.2f * size, 0.5f * size,
                      oc_rng_between(rng, -0.4f, 1.0f) * pi, 0.9f);
    oci_draw_flower(canvas, &species, &pose, rng);
    if (oc_rng_uniform(rng) < 0.12f) /* something in front */
        oci_draw_leaf(canvas, rng, oc_rng_uniform(rng) * size, size, 0.7f * size,
                      oc_rng_between(rng, -0.8f, -0.2f) * pi, 0.03f * size);
    oci_canvas_blur(canvas, blur + oc_rng_between(rng, 0.2f, 0.8f) * size / 128);
    return oci_canvas_develop(canvas, rng, out, err);
}
