/* The species of made-up flowers: shapes crossed with colours. Neighbours in the list share their
 * colour and shapes come back in other colours, so that neither alone tells a species.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "synth_int.h"

typedef struct shape_entry {
    const char *name;
    oci_species form;
} shape_entry;

/* clang-format off */
static const shape_entry shapes[] = {
    {"daisy",    {.petals = 15, .layers = 1, .half_width = 0.125f, .widest = 0.66f, .blunt = 0.40f,
                  .veins = 0.25f, .centre = 0.29f, .heart = {0.85f, 0.50f, 0.03f}}},
    {"aster",    {.petals = 30, .layers = 1, .half_width = 0.050f, .widest = 0.60f, .blunt = 0.60f,
                  .veins = 0.10f, .centre = 0.24f, .heart = {0.75f, 0.33f, 0.02f}}},
    {"poppy",    {.petals = 4, .layers = 1, .half_width = 0.62f, .widest = 0.70f, .blunt = 0.35f,
                  .blotch = 0.30f, .veins = 0.35f, .centre = 0.15f, .stamens = 26,
                  .heart = {0.05f, 0.06f, 0.04f}}},
    {"pansy",    {.petals = 5, .layers = 1, .half_width = 0.46f, .widest = 0.64f, .blunt = 0.38f,
                  .blotch = 0.44f, .veins = 0.55f, .centre = 0.09f,
                  .heart = {0.80f, 0.62f, 0.05f}}},
    {"star",     {.petals = 5, .layers = 1, .half_width = 0.235f, .widest = 0.40f, .blunt = 1.0f,
                  .veins = 0.25f, .centre = 0.13f, .stamens = 5, .heart = {0.55f, 0.50f, 0.12f}}},
    {"lily",     {.petals = 6, .layers = 1, .half_width = 0.19f, .widest = 0.46f, .blunt = 0.85f,
                  .twist = 0.06f, .veins = 0.40f, .spots = 0.85f, .centre = 0.07f, .stamens = 6,
                  .heart = {0.35f, 0.45f, 0.08f}}},
    {"clover",   {.petals = 4, .layers = 1, .half_width = 0.43f, .widest = 0.66f, .blunt = 0.40f,
                  .notch = 0.20f, .veins = 0.20f, .centre = 0.10f,
                  .heart = {0.60f, 0.62f, 0.10f}}},
    {"pinwheel", {.petals = 6, .layers = 1, .half_width = 0.20f, .widest = 0.62f, .blunt = 0.55f,
                  .twist = 0.42f, .veins = 0.15f, .centre = 0.12f,
                  .heart = {0.80f, 0.70f, 0.30f}}},
    {"dahlia",   {.petals = 11, .layers = 3, .half_width = 0.19f, .widest = 0.60f, .blunt = 0.70f,
                  .veins = 0.20f, .centre = 0.10f, .heart = {0.45f, 0.30f, 0.05f}}},
};

typedef struct dye_entry {
    const char *name;
    oci_colour base, tip;
} dye_entry;

static const dye_entry dyes[] = {
    {"lemon",   {0.78f, 0.42f, 0.02f}, {0.90f, 0.78f, 0.10f}},
    {"crimson", {0.33f, 0.01f, 0.03f}, {0.72f, 0.03f, 0.06f}},
    {"violet",  {0.20f, 0.05f, 0.42f}, {0.38f, 0.16f, 0.70f}},
    {"rose",    {0.85f, 0.55f, 0.60f}, {0.85f, 0.22f, 0.38f}},
    {"ivory",   {0.72f, 0.72f, 0.52f}, {0.90f, 0.88f, 0.82f}},
    {"amber",   {0.70f, 0.14f, 0.01f}, {0.90f, 0.38f, 0.02f}},
    {"sky",     {0.60f, 0.72f, 0.88f}, {0.18f, 0.38f, 0.82f}},
    {"coral",   {0.90f, 0.60f, 0.40f}, {0.88f, 0.20f, 0.13f}},
    {"indigo",  {0.05f, 0.03f, 0.22f}, {0.09f, 0.10f, 0.55f}},
    {"magenta", {0.80f, 0.45f, 0.70f}, {0.62f, 0.03f, 0.40f}},
};
/* clang-format on */

enum {
    SHAPES = sizeof shapes / sizeof shapes[0],
    DYES = sizeof dyes / sizeof dyes[0],
    ROUND = 81 /* shape index % 9 and dye (index / 2) % 10 do not meet twice within so many */
};

/* Later rounds bring cultivars: more or fewer petals, another outline, another tint. */
static void breed(oci_species *s, int index) {
    oc_rng rng;
    oc_rng_init(&rng, 0, OC_RNG_SYNTH, 0, (uint64_t)index);
    s->petals += (int)oc_rng_below(&rng, 1 + (uint32_t)s->petals / 2) + 1;
    s->half_width *= oc_rng_between(&rng, 0.7f, 1.2f);
    s->blunt *= oc_rng_between(&rng, 0.8f, 1.3f);
    s->twist += oc_rng_between(&rng, -0.25f, 0.25f);
    s->centre *= oc_rng_between(&rng, 0.7f, 1.4f);
    oci_colour white = {0.9f, 0.9f, 0.88f}, dark = {0.1f, 0.02f, 0.05f};
    s->base = oci_mix(s->base, oc_rng_below(&rng, 2) ? white : dark, 0.5f);
    s->heart = oci_vary(s->heart, &rng, 0.5f);
}

void oci_species_make(oci_species *out, int index) {
    int round = index / ROUND;
    const shape_entry *shape = &shapes[index % ROUND % SHAPES];
    const dye_entry *dye = &dyes[index % ROUND / 2 % DYES];
    *out = shape->form;
    out->base = dye->base;
    out->tip = dye->tip;
    if (round == 0) {
        snprintf(out->name, sizeof out->name, "%s-%s", dye->name, shape->name);
        return;
    }
    snprintf(out->name, sizeof out->name, "%s-%s-%d", dye->name, shape->name, round + 1);
    breed(out, index);
}
