/* The inner loops of winograd.c (loops.h says how they are compiled).
 *
 * The interpolation points are 0, +-3/4, +-3/2 and infinity: exact in binary, and so close to 1
 * that powers up to the fifth neither grow nor vanish. Measured over 256 channels the largest error
 * is 2e-6 of the largest result, against 9e-6 with the usual 0, +-1, +-2 and 1.2e-6 of the direct
 * sum. (Lavin and Gray 2016; on points: Barabasz et al. 2018.)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_WINOGRAD_LOOPS_H
#define OC_ENGINE_WINOGRAD_LOOPS_H

#include <string.h>

#include "engine/onednn/lanes.h"
#include "engine/onednn/winograd_int.h"

enum { IN = OCI_WINO_IN, OUT = OCI_WINO_OUT, TAPS = OCI_WINO_TAPS };

#define A1 0.75F /* the points */
#define B1 1.5F
#define A2 (A1 * A1)
#define B2 (B1 * B1)
#define N0 (A2 * B2) /* products of differences between points */
#define NA (2 * A2 * (A2 - B2))
#define NB (2 * B2 * (B2 - A2))

/* ---- transforms along one axis --------------------------------------------------------------- */

/* B' (6 x 6): rows are the products of (x - q) over the other points q. */
static inline void source_axis(vec r[IN], const vec d[IN]) {
    vec even_a = d[4] - B2 * d[2], odd_a = A1 * (d[3] - B2 * d[1]);
    vec even_b = d[4] - A2 * d[2], odd_b = B1 * (d[3] - A2 * d[1]);
    r[0] = N0 * d[0] + (d[4] - (A2 + B2) * d[2]);
    r[1] = even_a + odd_a;
    r[2] = even_a - odd_a;
    r[3] = even_b + odd_b;
    r[4] = even_b - odd_b;
    r[5] = N0 * d[1] + (d[5] - (A2 + B2) * d[3]);
}

/* A' (4 x 6): powers 0..3 of the points. */
static inline void result_axis(vec y[OUT], const vec m[IN]) {
    vec sum_a = m[1] + m[2], diff_a = m[1] - m[2];
    vec sum_b = m[3] + m[4], diff_b = m[3] - m[4];
    y[0] = m[0] + sum_a + sum_b;
    y[1] = A1 * diff_a + B1 * diff_b;
    y[2] = A2 * sum_a + B2 * sum_b;
    y[3] = m[5] + A1 * A2 * diff_a + B1 * B2 * diff_b;
}

/* A (6 x 4). */
static inline void gradient_axis(vec r[IN], const vec g[OUT]) {
    vec even_a = g[0] + A2 * g[2], odd_a = A1 * (g[1] + A2 * g[3]);
    vec even_b = g[0] + B2 * g[2], odd_b = B1 * (g[1] + B2 * g[3]);
    r[0] = g[0];
    r[1] = even_a + odd_a;
    r[2] = even_a - odd_a;
    r[3] = even_b + odd_b;
    r[4] = even_b - odd_b;
    r[5] = g[3];
}

/* G (6 x 3): powers 0..2 of the points over their products of differences. */
static inline void weights_axis(vec u[IN], const vec w[3]) {
    vec even_a = (w[0] + A2 * w[2]) * (1 / NA), odd_a = (A1 / NA) * w[1];
    vec even_b = (w[0] + B2 * w[2]) * (1 / NB), odd_b = (B1 / NB) * w[1];
    u[0] = w[0] * (1 / N0);
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = w[2];
}

/* G' (3 x 6). */
static inline void weight_gradient_axis(vec w[3], const vec u[IN]) {
    vec sum_a = (1 / NA) * (u[1] + u[2]), diff_a = u[1] - u[2];
    vec sum_b = (1 / NB) * (u[3] + u[4]), diff_b = u[3] - u[4];
    w[0] = u[0] * (1 / N0) + sum_a + sum_b;
    w[1] = (A1 / NA) * diff_a + (B1 / NB) * diff_b;
    w[2] = u[5] + A2 * sum_a + B2 * sum_b;
}

/* ---- tiles ------------------------------------------------------------------------------------
 */

typedef struct place {
    size_t image;
    int y, x; /* of the tile */
} place;

static inline place place_of(const oci_wino_side *s, size_t tile) {
    size_t row = tile / (size_t)s->tiles_w;
    return (place){row / (size_t)s->tiles_h, (int)(row % (size_t)s->tiles_h),
                   (int)(tile % (size_t)s->tiles_w)};
}

static inline void next_place(const oci_wino_side *s, place *p) {
    if (++p->x < s->tiles_w) return;
    p->x = 0;
    if (++p->y < s->tiles_h) return;
    p->y = 0;
    p->image++;
}

/* The part of a tile's samples that exists, clipped to the image: rows y0..y1-1, columns x0..x1-1
 * of the tile. */
typedef struct window {
    int top, left; /* sample 0 of the tile, in the image */
    int y0, y1, x0, x1;
} window;

static inline window window_of(const oci_wino_side *s, place p, int size) {
    window w = {.top = p.y * OUT - s->pad_top, .left = p.x * OUT - s->pad_left};
    w.y0 = w.top < 0 ? -w.top : 0;
    w.x0 = w.left < 0 ? -w.left : 0;
    w.y1 = s->h - w.top < size ? s->h - w.top : size;
    w.x1 = s->w - w.left < size ? s->w - w.left : size;
    return w;
}

static inline bool is_whole(window w, int size) {
    return w.y0 == 0 && w.x0 == 0 && w.y1 == size && w.x1 == size;
}

/* A tile's samples (size, size, 8) with zeros where the image ends. */
static inline void clipped_tile(float *tile, const float *plane, int w, window win, int size) {
    memset(tile, 0, (size_t)(size * size * L) * sizeof *tile);
    if (win.x1 <= win.x0) return;
    size_t bytes = (size_t)(win.x1 - win.x0) * L * sizeof *tile;
    for (int y = win.y0; y < win.y1; y++) {
        size_t at = (size_t)(win.top + y) * (size_t)w + (size_t)(win.left + win.x0);
        memcpy(tile + (y * size + win.x0) * L, plane + at * L, bytes);
    }
}

/* What a transform of one tile is: samples with `row` floats between rows, to points. */
typedef void tile_to_points(const float *x, size_t row, float *points, size_t point);

static inline void source_tile(const float *x, size_t row, float *points, size_t point) {
    vec half[IN][IN];
    for (int j = 0; j < IN; j++) {
        vec d[IN], r[IN];
        for (int i = 0; i < IN; i++) d[i] = load(x + (size_t)i * row + (size_t)(j * L));
        source_axis(r, d);
        for (int i = 0; i < IN; i++) half[i][j] = r[i];
    }
    for (int i = 0; i < IN; i++) {
        vec r[IN];
        source_axis(r, half[i]);
        for (int j = 0; j < IN; j++) store(points + (size_t)(i * IN + j) * point, r[j]);
    }
}

static inline void gradient_tile(const float *x, size_t row, float *points, size_t point) {
    vec half[IN][OUT];
    for (int j = 0; j < OUT; j++) {
        vec d[OUT], r[IN];
        for (int i = 0; i < OUT; i++) d[i] = load(x + (size_t)i * row + (size_t)(j * L));
        gradient_axis(r, d);
        for (int i = 0; i < IN; i++) half[i][j] = r[i];
    }
    for (int i = 0; i < IN; i++) {
        vec r[IN];
        gradient_axis(r, half[i]);
        for (int j = 0; j < IN; j++) store(points + (size_t)(i * IN + j) * point, r[j]);
    }
}

/* Two blocks of channels at a time, so that a cache line of points is written at once. */
static inline void tiles_to_points(const oci_wino_side *s, const float *x, float *points,
                                   oci_wino_range r, int size, tile_to_points *transform) {
    size_t plane = (size_t)s->h * (size_t)s->w * L, row = (size_t)s->w * L;
    float tile[IN * IN * L];
    for (int k = 0; k < s->blocks; k += 2) {
        place p = place_of(s, r.first);
        for (size_t t = r.first; t < r.first + r.count; t++, next_place(s, &p)) {
            window win = window_of(s, p, size);
            float *to = points + (t - r.base) * s->row + (size_t)(k * L);
            for (int b = 0; b < 2; b++) {
                const float *from = x + p.image * s->image + (size_t)(k + b) * plane;
                if (is_whole(win, size)) {
                    size_t at = (size_t)win.top * row + (size_t)(win.left * L);
                    transform(from + at, row, to + b * L, s->point);
                } else {
                    clipped_tile(tile, from, s->w, win, size);
                    transform(tile, (size_t)(size * L), to + b * L, s->point);
                }
            }
        }
    }
}

static void source(const oci_wino_side *s, const float *x, float *points, oci_wino_range r) {
    tiles_to_points(s, x, points, r, IN, source_tile);
}

static void gradient(const oci_wino_side *s, const float *x, float *points, oci_wino_range r) {
    tiles_to_points(s, x, points, r, OUT, gradient_tile);
}

static inline void result_tile(vec y[OUT][OUT], const float *points, size_t point) {
    vec half[OUT][IN];
    for (int j = 0; j < IN; j++) {
        vec m[IN], r[OUT];
        for (int i = 0; i < IN; i++) m[i] = load(points + (size_t)(i * IN + j) * point);
        result_axis(r, m);
        for (int i = 0; i < OUT; i++) half[i][j] = r[i];
    }
    for (int i = 0; i < OUT; i++) result_axis(y[i], half[i]);
}

static inline void finish_tile(float *x, size_t row, vec y[OUT][OUT], window win, vec bias,
                               const oci_wino_finish *f) {
    for (int i = 0; i < win.y1; i++)
        for (int j = 0; j < win.x1; j++) {
            float *to = x + (size_t)i * row + (size_t)(j * L);
            vec v = y[i][j] + bias;
            if (f->sum) v += load(to);
            store(to, clip(v, f->low, f->high));
        }
}

static void result(const oci_wino_side *s, float *x, const float *points, oci_wino_range r,
                   const oci_wino_finish *f) {
    size_t plane = (size_t)s->h * (size_t)s->w * L, row = (size_t)s->w * L;
    for (int k = 0; k < s->blocks; k += 2) {
        place p = place_of(s, r.first);
        for (size_t t = r.first; t < r.first + r.count; t++, next_place(s, &p)) {
            window win = window_of(s, p, OUT);
            const float *from = points + (t - r.base) * s->row + (size_t)(k * L);
            size_t at = p.image * s->image + (size_t)win.top * row + (size_t)(win.left * L);
            for (int b = 0; b < 2; b++) {
                vec y[OUT][OUT], bias = {0};
                if (f->bias) bias = load(f->bias + (k + b) * L);
                result_tile(y, from + b * L, s->point);
                finish_tile(x + at + (size_t)(k + b) * plane, row, y, win, bias, f);
            }
        }
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

/* 16 kernels side by side to (9, 16), in the order of the taps, and back. */
static inline void gather_taps(float taps[TAPS][OCI_WINO_PANEL], const float *w, size_t lane,
                               bool turned) {
    for (int l = 0; l < OCI_WINO_PANEL; l++)
        for (int t = 0; t < TAPS; t++)
            taps[t][l] = w[(size_t)l * lane + (size_t)(turned ? TAPS - 1 - t : t)];
}

static inline void scatter_taps(float *w, float taps[TAPS][OCI_WINO_PANEL], size_t lane) {
    for (int l = 0; l < OCI_WINO_PANEL; l++)
        for (int t = 0; t < TAPS; t++) w[(size_t)l * lane + (size_t)t] = taps[t][l];
}

static void weights(const float *w, oci_wino_kernels k, float *u, size_t point, size_t count) {
    float taps[TAPS][OCI_WINO_PANEL];
    for (size_t c = 0; c < count; c++, w += k.step, u += OCI_WINO_PANEL) {
        gather_taps(taps, w, k.lane, k.turned);
        for (int b = 0; b < OCI_WINO_PANEL; b += L) {
            vec half[IN][3];
            for (int j = 0; j < 3; j++) {
                vec column[3] = {load(taps[j] + b), load(taps[3 + j] + b), load(taps[6 + j] + b)};
                vec r[IN];
                weights_axis(r, column);
                for (int i = 0; i < IN; i++) half[i][j] = r[i];
            }
            for (int i = 0; i < IN; i++) {
                vec r[IN];
                weights_axis(r, half[i]);
                for (int j = 0; j < IN; j++) store(u + (size_t)(i * IN + j) * point + b, r[j]);
            }
        }
    }
}

static void weight_gradient(float *w, oci_wino_kernels k, const float *u, size_t point, size_t row,
                            size_t count) {
    float taps[TAPS][OCI_WINO_PANEL];
    for (size_t c = 0; c < count; c++, w += k.step, u += row) {
        for (int b = 0; b < OCI_WINO_PANEL; b += L) {
            vec half[3][IN];
            for (int j = 0; j < IN; j++) {
                vec column[IN], r[3];
                for (int i = 0; i < IN; i++) column[i] = load(u + (size_t)(i * IN + j) * point + b);
                weight_gradient_axis(r, column);
                for (int i = 0; i < 3; i++) half[i][j] = r[i];
            }
            for (int i = 0; i < 3; i++) {
                vec r[3];
                weight_gradient_axis(r, half[i]);
                for (int j = 0; j < 3; j++) store(taps[3 * i + j] + b, r[j]);
            }
        }
        scatter_taps(w, taps, k.lane);
    }
}

/* ---- the product -----------------------------------------------------------------------------
 */

/* `rows` x 16 sums in registers; rows is a constant where it is inlined. */
static OC_ALWAYS_INLINE void product_rows(const oci_wino_product *p, size_t first, int rows) {
    vec sum[6][2];
    const float *a = p->a + first * p->a_row, *b = p->b;
    float *c = p->c + first * p->c_row;
    size_t a_row = p->a_row, a_step = p->a_step, b_step = p->b_step, c_row = p->c_row;
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = (vec){0};
    for (size_t k = p->depth; k; k--, a += a_step, b += b_step) {
        vec b0 = load(b), b1 = load(b + L);
        for (int r = 0; r < rows; r++) {
            float value = a[(size_t)r * a_row];
            sum[r][0] += value * b0;
            sum[r][1] += value * b1;
        }
    }
    for (int r = 0; r < rows; r++) {
        float *to = c + (size_t)r * c_row;
        if (p->add) {
            sum[r][0] += load(to);
            sum[r][1] += load(to + L);
        }
        store(to, sum[r][0]);
        store(to + L, sum[r][1]);
    }
}

static void product_some(const oci_wino_product *p, size_t first, size_t rows) {
    switch (rows) {
    case 1:
        product_rows(p, first, 1);
        break;
    case 2:
        product_rows(p, first, 2);
        break;
    case 3:
        product_rows(p, first, 3);
        break;
    case 4:
        product_rows(p, first, 4);
        break;
    case 5:
        product_rows(p, first, 5);
        break;
    default:
        product_rows(p, first, 6);
    }
}

/* Groups of six rows, evened out: 64 rows are nine sixes and two fives. */
static void product(const oci_wino_product *p) {
    size_t groups = (p->rows + 5) / 6, few = p->rows / groups, more = p->rows % groups;
    for (size_t g = 0, first = 0; g < groups; g++) {
        size_t rows = few + (g < more);
        product_some(p, first, rows);
        first += rows;
    }
}

#endif
