/* Winograd convolutions: which shapes, in what portions, on which threads (Lavin & Gray 2016).
 *
 * A run goes through its tiles in portions whose points stay in cache: transform source tiles to
 * points, multiply 36 times with the transformed weights, transform back. The gradient of the data
 * is the same with kernels turned and channels swapped. The gradient of the weights multiplies
 * points of the source with points of the result's gradient, over tiles; the 36 sums stay in
 * "kept", and only the end of a batch transforms them back.
 *
 * Every sum is made by one thread in one order, whatever the number of threads.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/winograd.h"

#include <math.h>

#include "engine/onednn/loops.h"

enum {
    LINE = 16,                /* floats of a cache line */
    GROUP = 8,                /* tiles that a thread transforms at a time */
    LEAST_CHANNELS = 32,      /* below, the transforms cost more than they save */
    LEAST_TILES = 128,        /* for each reading of the transformed weights */
    PORTION_FLOATS = 6 << 18, /* points of a portion, in the caches of all cores */
    DEEPEST_PAD = 2
};

struct oci_winograd {
    const oci_wino_loops *loops;
    oci_conv_kind kind;
    oci_wino_side from, to; /* WEIGHTS: source, result's gradient */
    size_t tiles;           /* of one image */
    size_t portion;         /* tiles at a time */
    int depth, columns;     /* channels of from and to */
    oci_wino_kernels kernels;
    size_t kept_point; /* floats between points of the weights */
    bool sum;
    float low, high;
};

static bool is_square_3(const oci_conv_shape *s) {
    return s->kernel_h == 3 && s->kernel_w == 3 && s->stride_h == 1 && s->stride_w == 1 &&
           s->dilation_h == 1 && s->dilation_w == 1 && s->groups == 1;
}

bool oci_winograd_pays(const oci_conv_shape *s) {
    bool channels = s->in_channels >= LEAST_CHANNELS && s->out_channels >= LEAST_CHANNELS &&
                    s->in_channels % OCI_WINO_PANEL == 0 && s->out_channels % OCI_WINO_PANEL == 0;
    bool pads = s->pad_top >= 0 && s->pad_top <= DEEPEST_PAD && s->pad_left >= 0 &&
                s->pad_left <= DEEPEST_PAD;
    return is_square_3(s) && channels && pads && !s->plain_src && oci_dnn_block() == OCI_WINO_LANES;
}

static size_t tiles_along(int results) {
    return (size_t)(results + OCI_WINO_OUT - 1) / OCI_WINO_OUT;
}

size_t oci_winograd_tiles(const oci_conv_shape *s) {
    return tiles_along(s->out_h) * tiles_along(s->out_w);
}

/* Strides of an odd number of lines spread over all sets of a cache. */
static size_t odd_lines(size_t floats) {
    return ((floats + LINE - 1) / LINE | 1) * LINE;
}

static oci_wino_side side_of(int channels, int h, int w, int pad_top, int pad_left) {
    oci_wino_side side = {.blocks = channels / OCI_WINO_LANES,
                          .h = h,
                          .w = w,
                          .pad_top = pad_top,
                          .pad_left = pad_left,
                          .image = (size_t)channels * (size_t)h * (size_t)w,
                          .row = odd_lines((size_t)channels)};
    return side;
}

static void set_shape(oci_winograd *w, const oci_conv_shape *s) {
    size_t whole = (size_t)s->in_channels * OCI_WINO_TAPS;
    if (w->kind == OCI_CONV_DATA) {
        w->from = side_of(s->out_channels, s->out_h, s->out_w, 2 - s->pad_top, 2 - s->pad_left);
        w->to = side_of(s->in_channels, s->in_h, s->in_w, 0, 0);
        w->kernels = (oci_wino_kernels){.lane = OCI_WINO_TAPS, .step = whole, .turned = true};
        w->depth = s->out_channels;
        w->columns = s->in_channels;
    } else {
        w->from = side_of(s->in_channels, s->in_h, s->in_w, s->pad_top, s->pad_left);
        w->to = side_of(s->out_channels, s->out_h, s->out_w, 0, 0);
        w->kernels = (oci_wino_kernels){.lane = whole, .step = OCI_WINO_TAPS};
        w->depth = s->in_channels;
        w->columns = s->out_channels;
    }
    size_t high = tiles_along(w->to.h), wide = tiles_along(w->to.w);
    w->from.tiles_h = w->to.tiles_h = (int)high;
    w->from.tiles_w = w->to.tiles_w = (int)wide;
    w->tiles = high * wide;
    w->kept_point = odd_lines((size_t)w->depth * (size_t)w->columns);
}

static void set_portion(oci_winograd *w, int n) {
    size_t all = w->tiles * (size_t)n;
    size_t fit = PORTION_FLOATS / (OCI_WINO_POINTS * (w->from.row + w->to.row));
    w->portion = fit < LEAST_TILES ? LEAST_TILES : fit;
    if (w->portion > all) w->portion = all;
    w->from.point = odd_lines(w->portion * w->from.row);
    w->to.point = odd_lines(w->portion * w->to.row);
}

oc_status oci_winograd_new(oci_winograd **out, oci_conv_kind kind, const oci_conv_shape *shape,
                           oc_error *err) {
    oci_winograd *w = *out = oc_calloc(1, sizeof *w);
    if (!w) return oc_fail_nomem(err, sizeof *w, "convolution");
    w->loops = &oci_loops_here()->winograd;
    w->kind = kind;
    bool forward = kind == OCI_CONV_FORWARD;
    w->sum = forward && shape->sum;
    w->low = forward && shape->act != OCI_ACT_NONE ? 0.F : -INFINITY;
    w->high = forward && shape->act == OCI_ACT_RELU6 ? 6.F : INFINITY;
    set_shape(w, shape);
    set_portion(w, shape->n);
    return OC_OK;
}

void oci_winograd_free(oci_winograd *w) {
    oc_free(w);
}

const char *oci_winograd_kernel(const oci_winograd *w) {
    return w->loops->name;
}

size_t oci_winograd_kept(const oci_winograd *w) {
    return OCI_WINO_POINTS * w->kept_point;
}

size_t oci_winograd_scratch(const oci_winograd *w) {
    return OCI_WINO_POINTS * (w->from.point + w->to.point);
}

/* ---- steps, each spread over the threads ----------------------------------------------------- */

typedef void to_points(const oci_wino_side *s, const float *x, float *points, oci_wino_range r);

static oci_wino_range group_of(oci_wino_range all, size_t g) {
    size_t at = g * GROUP, left = all.count - at;
    return (oci_wino_range){all.base, all.first + at, left < GROUP ? left : GROUP};
}

static void make_points(to_points *transform, const oci_wino_side *side, const float *x,
                        float *points, oci_wino_range all) {
    size_t groups = (all.count + GROUP - 1) / GROUP;
#pragma omp parallel for schedule(static)
    for (size_t g = 0; g < groups; g++) transform(side, x, points, group_of(all, g));
}

static void make_results(const oci_winograd *w, const float *points, const float *bias, float *to,
                         oci_wino_range all) {
    oci_wino_finish finish = {bias, w->sum, w->low, w->high};
    size_t groups = (all.count + GROUP - 1) / GROUP;
#pragma omp parallel for schedule(static)
    for (size_t g = 0; g < groups; g++)
        w->loops->result(&w->to, to, points, group_of(all, g), &finish);
}

/* (tiles, depth) (depth, columns) -> (tiles, columns), at each point. */
static void multiply(const oci_winograd *w, const float *from, const float *kept, float *to,
                     size_t tiles) {
    size_t depth = (size_t)w->depth;
    int panels = w->columns / OCI_WINO_PANEL;
#pragma omp parallel for collapse(2) schedule(static)
    for (int point = 0; point < OCI_WINO_POINTS; point++)
        for (int k = 0; k < panels; k++) {
            size_t at = (size_t)point, column = (size_t)k * OCI_WINO_PANEL;
            oci_wino_product p = {.c = to + at * w->to.point + column,
                                  .a = from + at * w->from.point,
                                  .b = kept + at * w->kept_point + column * depth,
                                  .c_row = w->to.row,
                                  .a_row = w->from.row,
                                  .a_step = 1,
                                  .b_step = OCI_WINO_PANEL,
                                  .rows = tiles,
                                  .depth = depth};
            w->loops->product(&p);
        }
}

/* (depth, tiles) (tiles, columns) -> (depth, columns), at each point. */
static void multiply_over_tiles(const oci_winograd *w, const float *from, const float *to,
                                float *kept, size_t tiles, bool add) {
    size_t columns = (size_t)w->columns;
    int panels = w->columns / OCI_WINO_PANEL;
#pragma omp parallel for collapse(2) schedule(static)
    for (int point = 0; point < OCI_WINO_POINTS; point++)
        for (int k = 0; k < panels; k++) {
            size_t at = (size_t)point, column = (size_t)k * OCI_WINO_PANEL;
            oci_wino_product p = {.c = kept + at * w->kept_point + column,
                                  .a = from + at * w->from.point,
                                  .b = to + at * w->to.point + column,
                                  .c_row = columns,
                                  .a_row = 1,
                                  .a_step = w->from.row,
                                  .b_step = w->to.row,
                                  .rows = (size_t)w->depth,
                                  .depth = tiles,
                                  .add = add};
            w->loops->product(&p);
        }
}

/* ---- runs ------------------------------------------------------------------------------------
 */

void oci_winograd_prepare(const oci_winograd *w, const float *weights, float *kept) {
    int panels = w->columns / OCI_WINO_PANEL, parts = w->depth / OCI_WINO_PANEL;
#pragma omp parallel for collapse(2) schedule(static)
    for (int k = 0; k < panels; k++)
        for (int part = 0; part < parts; part++) {
            size_t column = (size_t)k * OCI_WINO_PANEL, first = (size_t)part * OCI_WINO_PANEL;
            w->loops->weights(weights + column * w->kernels.lane + first * w->kernels.step,
                              w->kernels, kept + column * (size_t)w->depth + first * OCI_WINO_PANEL,
                              w->kept_point, OCI_WINO_PANEL);
        }
}

void oci_winograd_run(const oci_winograd *w, int n, const float *from, const float *bias, float *to,
                      const float *kept, float *scratch) {
    size_t tiles = w->tiles * (size_t)n;
    float *source = scratch, *result = scratch + OCI_WINO_POINTS * w->from.point;
    for (size_t first = 0; first < tiles; first += w->portion) {
        size_t left = tiles - first, count = left < w->portion ? left : w->portion;
        oci_wino_range all = {first, first, count};
        make_points(w->loops->source, &w->from, from, source, all);
        multiply(w, source, kept, result, count);
        make_results(w, result, bias, to, all);
    }
}

void oci_winograd_gather(const oci_winograd *w, int n, bool first_run, const float *source,
                         const float *gradient, float *kept, float *scratch) {
    size_t tiles = w->tiles * (size_t)n;
    float *a = scratch, *b = scratch + OCI_WINO_POINTS * w->from.point;
    for (size_t first = 0; first < tiles; first += w->portion) {
        size_t left = tiles - first, count = left < w->portion ? left : w->portion;
        oci_wino_range all = {first, first, count};
        make_points(w->loops->source, &w->from, source, a, all);
        make_points(w->loops->gradient, &w->to, gradient, b, all);
        multiply_over_tiles(w, a, b, kept, count, !first_run || first > 0);
    }
}

void oci_winograd_finish(const oci_winograd *w, const float *kept, float *weights) {
    int panels = w->columns / OCI_WINO_PANEL, parts = w->depth / OCI_WINO_PANEL;
    size_t columns = (size_t)w->columns;
#pragma omp parallel for collapse(2) schedule(static)
    for (int k = 0; k < panels; k++)
        for (int part = 0; part < parts; part++) {
            size_t column = (size_t)k * OCI_WINO_PANEL, first = (size_t)part * OCI_WINO_PANEL;
            w->loops->weight_gradient(weights + column * w->kernels.lane + first * w->kernels.step,
                                      w->kernels, kept + first * columns + column, w->kept_point,
                                      columns, OCI_WINO_PANEL);
        }
}
