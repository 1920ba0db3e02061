/* Heat on a photo: colours from dark violet over red to yellow, half transparent, over the light of
 * what the network was shown; the rest dim.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "predict/predict_int.h"

enum { STOPS = 5 };

static const double strength = 0.5; /* of the colour, against the photo */
static const double dim = 0.45;     /* what is left of the light outside */

/* Rising lightness, so that it can be read without colour as well. */
static const double stops[STOPS][3] = {
    {10, 5, 40}, {95, 20, 110}, {195, 55, 75}, {250, 145, 20}, {252, 250, 140}};

static double between(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

static void colour_of(double heat, double colour[3]) {
    double at = between(heat, 0, 1) * (STOPS - 1);
    int i = at < STOPS - 2 ? (int)at : STOPS - 2;
    for (int c = 0; c < 3; c++)
        colour[c] = stops[i][c] + (at - i) * (stops[i + 1][c] - stops[i][c]);
}

/* Two neighbours among `count` cells at share 0..1 of their length, and the weight of the second.
 */
typedef struct spot {
    int first, second;
    double weight;
} spot;

static spot spot_at(double share, int count) {
    double at = between(share * count - 0.5, 0, count - 1);
    int first = (int)at;
    return (spot){first, first + 1 < count ? first + 1 : first, at - first};
}

static double heat_at(const oc_heat *heat, double x, double y) {
    spot col = spot_at(x, heat->width), row = spot_at(y, heat->height);
    const float *top = heat->values + (size_t)row.first * (size_t)heat->width;
    const float *bottom = heat->values + (size_t)row.second * (size_t)heat->width;
    double above = (1 - col.weight) * (double)top[col.first] + col.weight * (double)top[col.second];
    double below =
        (1 - col.weight) * (double)bottom[col.first] + col.weight * (double)bottom[col.second];
    return (1 - row.weight) * above + row.weight * below;
}

static double grey_of(const uint8_t *p) {
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

/* The photo's own colours would be taken for heat: its light alone stays. */
static void paint(uint8_t *p, double heat) {
    double colour[3], grey = grey_of(p);
    colour_of(heat, colour);
    for (int c = 0; c < 3; c++)
        p[c] = (uint8_t)lround((1 - strength) * grey + strength * colour[c]);
}

static void fade(uint8_t *p) {
    double grey = grey_of(p);
    for (int c = 0; c < 3; c++) p[c] = (uint8_t)lround(dim * grey);
}

void oci_paint_heat(oc_image *photo, const oc_heat *heat, const oc_window *window) {
    uint8_t *p = photo->pixels;
    for (int y = 0; y < photo->height; y++) {
        double v = ((y + 0.5) / photo->height - window->top) / (window->bottom - window->top);
        for (int x = 0; x < photo->width; x++, p += 3) {
            double u = ((x + 0.5) / photo->width - window->left) / (window->right - window->left);
            if (u >= 0 && u <= 1 && v >= 0 && v <= 1)
                paint(p, heat_at(heat, u, v));
            else
                fade(p);
        }
    }
}
