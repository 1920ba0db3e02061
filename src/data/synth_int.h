/* Made-up flowers: species, canvas, drawing, spoiling. Private to synth*.c.
 *
 * Lengths on the canvas are pixels, lengths inside a flower are shares of its radius; colours are
 * linear red, green, blue, 0..1.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_SYNTH_INT_H
#define OC_DATA_SYNTH_INT_H

#include "data/data.h"

typedef struct oci_colour {
    float r, g, b;
} oci_colour;

oci_colour oci_mix(oci_colour a, oci_colour b, float share); /* share 0 = a, 1 = b */
oci_colour oci_scale(oci_colour c, float factor);
oci_colour oci_vary(oci_colour c, oc_rng *rng,
                    float amount); /* each part times 1-amount..1+amount */
/* 0 at `from`, 1 at `to`, smooth between (Hermite). */
float oci_smooth(float from, float to, float x);
/* Coverage of a pixel at signed distance d of an edge, softened over `soft`. */
float oci_cover(float d, float soft);

/* ---- species ---- */

typedef struct oci_species {
    char name[64]; /* "crimson-poppy" */
    int petals;    /* in a layer */
    int layers;
    float half_width; /* of a petal */
    float widest;     /* where along the petal, 0..1 */
    float blunt;      /* 0.35 blunt .. 1 pointed: exponent of the tip */
    float notch;      /* radius of the bite out of the tip; 0 = none */
    float twist;      /* sideways bend */
    float blotch;     /* share of the petal that is dark at its base */
    float veins;      /* strength of lines along the petal, 0..1 */
    float spots;      /* the same of dots */
    float centre;     /* radius of the disc */
    int stamens;
    oci_colour base, tip, heart; /* petal near the centre, at its end; disc */
} oci_species;

/* Species number `index` of an endless list that depends on nothing else: sets drawn with different
 * seeds show the same kinds. */
void oci_species_make(oci_species *out, int index);

/* ---- canvas ---- */

typedef struct oci_canvas {
    float *rgb; /* (size, size, 3) */
    float *row; /* (size, 3) work row of blur */
    int size;
} oci_canvas;

OC_MUST_CHECK oc_status oci_canvas_init(oci_canvas *canvas, int size, oc_error *err);
void oci_canvas_clear(oci_canvas *canvas);
void oci_canvas_blend(oci_canvas *canvas, int x, int y, oci_colour c, float alpha);
void oci_canvas_blur(oci_canvas *canvas, float sigma); /* Gaussian, edges repeated */
/* Light, vignette, grain, 8 bit. */
OC_MUST_CHECK oc_status oci_canvas_develop(oci_canvas *canvas, oc_rng *rng, oc_image *out,
                                           oc_error *err);

/* ---- drawing ---- */

typedef struct oci_pose {
    float x, y, radius; /* pixels */
    float angle;        /* of the first petal */
    float tilt_axis;    /* direction in which the flower is foreshortened ... */
    float squeeze;      /* ... to this share, 0.5..1 */
    float soft;         /* width of edges in pixels: out of focus when large */
    float light;        /* direction */
} oci_pose;

void oci_draw_background(oci_canvas *canvas, oc_rng *rng);
void oci_draw_leaf(oci_canvas *canvas, oc_rng *rng, float x, float y, float length, float angle,
                   float soft);
void oci_draw_stem(oci_canvas *canvas, oc_rng *rng, float x, float y, float width);
void oci_draw_flower(oci_canvas *canvas, const oci_species *species, const oci_pose *pose,
                     oc_rng *rng);
/* A whole picture of species number `index`; `blur` in pixels on top. */
OC_MUST_CHECK oc_status oci_draw_picture(oci_canvas *canvas, int index, float blur, oc_rng *rng,
                                         oc_image *out, oc_error *err);

/* ---- very many classes (synth_pool.c) ---- */

/* The set of options->pool pictures under many names; the options are checked. */
OC_MUST_CHECK oc_status oci_synth_pool(const char *out, const oc_synth_options *o, oc_error *err);

/* ---- spoiling ---- */

/* X(name, word in spoiled.csv) */
#define OCI_SPOIL_MAP(X)                                                                           \
    X(OCI_SPOIL_NONE, "none")                                                                      \
    X(OCI_SPOIL_CORRUPT, "corrupt")                                                                \
    X(OCI_SPOIL_TRUNCATED, "truncated")                                                            \
    X(OCI_SPOIL_MISLABELLED, "mislabelled")                                                        \
    X(OCI_SPOIL_DUPLICATE, "duplicate")                                                            \
    X(OCI_SPOIL_BLURRED, "blurred")
typedef enum oci_spoil {
#define OCI_SPOIL_ENUM(name, word) name,
    OCI_SPOIL_MAP(OCI_SPOIL_ENUM)
#undef OCI_SPOIL_ENUM
        OCI_SPOIL_COUNT
} oci_spoil;

/* Choose what happens to each of `count` files: about fraction * count of them, kinds in turn. */
void oci_spoil_choose(oci_spoil *kinds, size_t count, double fraction, uint64_t seed);
/* Damage an encoded file in place, so that no decoder accepts it. */
void oci_spoil_bytes(oc_buf *file, oci_spoil kind, oc_rng *rng);
const char *oci_spoil_name(oci_spoil kind);

#endif
