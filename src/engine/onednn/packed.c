/* Packed convolutions: which shapes, in what portions, on which threads (after Goto & van de Geijn
 * 2008).
 *
 * A result is a row: its samples, (steps, 8) with a step for each block of channels and tap. Six
 * rows are a group. A thread packs some groups, a part of their steps at a time, so that they stay
 * in its second-level cache, then goes through its columns, two blocks of results at a time, whose
 * weights stay in the first-level cache while all groups pass.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/packed.h"

#include <math.h>

#include "engine/onednn/loops.h"

enum {
    MOST_STEPS = 64,     /* at a time: 32 KB of weights */
    MOST_GROUPS = 16,    /* at a time: 192 KB of samples */
    GROUPS_A_THREAD = 8, /* fewer: threads share columns rather than rows */
    LEAST_CHANNELS = 128 /* below, packing costs more than it saves */
};

struct oci_packed {
    const oci_packed_loops *loops;
    oci_pack_source from;
    size_t rows;          /* of one image */
    size_t steps, blocks; /* of all input, and of results */
    size_t image, plane;  /* floats of an image of results, and of one block of its channels */
    int threads;
    bool sum;
    float low, high;
};

bool oci_packed_pays(const oci_conv_shape *s) {
    bool channels = s->in_channels >= LEAST_CHANNELS && s->out_channels >= LEAST_CHANNELS &&
                    s->out_channels % OCI_PACK_LANES == 0;
    bool taps = s->kernel_h <= OCI_PACK_MOST_TAPS / s->kernel_w;
    /* the library's kernels for one tap without a stride are as fast, from a few images on */
    bool gathers = s->kernel_h * s->kernel_w > 1 || s->stride_h > 1 || s->stride_w > 1;
    return channels && taps && gathers && s->groups == 1 && !s->plain_src &&
           oci_dnn_block() == OCI_PACK_LANES && oc_cpu_has_avx2();
}

static oci_pack_source source_of(const oci_conv_shape *s) {
    size_t plane = (size_t)s->in_h * (size_t)s->in_w * OCI_PACK_LANES;
    size_t blocks = ((size_t)s->in_channels + OCI_PACK_LANES - 1) / OCI_PACK_LANES;
    return (oci_pack_source){.h = s->in_h,
                             .w = s->in_w,
                             .out_h = s->out_h,
                             .out_w = s->out_w,
                             .kernel_h = s->kernel_h,
                             .kernel_w = s->kernel_w,
                             .stride_h = s->stride_h,
                             .stride_w = s->stride_w,
                             .dilation_h = s->dilation_h,
                             .dilation_w = s->dilation_w,
                             .pad_top = s->pad_top,
                             .pad_left = s->pad_left,
                             .image = blocks * plane,
                             .plane = plane};
}

oc_status oci_packed_new(oci_packed **out, const oci_conv_shape *s, int threads, oc_error *err) {
    oci_packed *p = *out = oc_calloc(1, sizeof *p);
    if (!p) return oc_fail_nomem(err, sizeof *p, "convolution");
    p->loops = &oci_loops_here()->packed;
    p->from = source_of(s);
    p->rows = (size_t)s->out_h * (size_t)s->out_w;
    p->steps = p->from.image / p->from.plane * (size_t)(s->kernel_h * s->kernel_w);
    p->blocks = (size_t)s->out_channels / OCI_PACK_LANES;
    p->plane = p->rows * OCI_PACK_LANES;
    p->image = p->blocks * p->plane;
    p->threads = threads;
    p->sum = s->sum;
    p->low = s->act != OCI_ACT_NONE ? 0.F : -INFINITY;
    p->high = s->act == OCI_ACT_RELU6 ? 6.F : INFINITY;
    return OC_OK;
}

void oci_packed_free(oci_packed *p) {
    oc_free(p);
}

const char *oci_packed_kernel(const oci_packed *p) {
    return p->loops->name;
}

static size_t pieces(size_t count, size_t most) {
    return (count + most - 1) / most;
}

/* Where piece i of `of` begins, all as equal as can be. */
static size_t start(size_t count, size_t of, size_t i) {
    return count * i / of;
}

static size_t group_floats(const oci_packed *p) {
    size_t steps = p->steps < MOST_STEPS ? p->steps : MOST_STEPS;
    return steps * OCI_PACK_STEP;
}

size_t oci_packed_scratch(const oci_packed *p) {
    return (size_t)p->threads * MOST_GROUPS * group_floats(p);
}

/* ---- one thread's part ------------------------------------------------------------------------
 */

typedef struct range {
    size_t first, end;
} range;

typedef struct work {
    const oci_packed *p;
    const float *src, *weights, *bias;
    float *dst;
    size_t rows, groups; /* of the run */
} work;

typedef struct portion {
    range groups, steps;
    float *packed;                          /* (groups, steps, 2, 6, 4) */
    size_t at[MOST_GROUPS * OCI_PACK_ROWS]; /* of each row, floats from dst */
} portion;

static size_t first_row(const work *w, size_t group) {
    return start(w->rows, w->groups, group);
}

static void place_rows(const work *w, portion *q) {
    const oci_packed *p = w->p;
    for (size_t g = q->groups.first; g < q->groups.end; g++) {
        size_t *at = q->at + (g - q->groups.first) * OCI_PACK_ROWS;
        for (size_t r = first_row(w, g); r < first_row(w, g + 1); r++)
            *at++ = r / p->rows * p->image + r % p->rows * OCI_PACK_LANES;
    }
}

static void pack(const work *w, const portion *q) {
    size_t count = q->steps.end - q->steps.first;
    for (size_t g = q->groups.first; g < q->groups.end; g++) {
        size_t first = first_row(w, g);
        w->p->loops->pack(&w->p->from, w->src,
                          q->packed + (g - q->groups.first) * count * OCI_PACK_STEP, first,
                          (int)(first_row(w, g + 1) - first), q->steps.first, count);
    }
}

/* All groups of the portion by blocks block, block+1. */
static void multiply(const work *w, const portion *q, size_t block, int blocks) {
    const oci_packed *p = w->p;
    bool first = q->steps.first == 0, last = q->steps.end == p->steps;
    size_t count = q->steps.end - q->steps.first, whole = p->steps * OCI_PACK_WEIGHTS;
    oci_pack_product product = {.b = w->weights + block * whole + q->steps.first * OCI_PACK_WEIGHTS,
                                .b_block = blocks > 1 ? whole : 0,
                                .steps = count,
                                .to = w->dst + block * p->plane,
                                .plane = p->plane,
                                .bias = first && w->bias ? w->bias + block * OCI_PACK_LANES : NULL,
                                .add = !first || p->sum,
                                .low = last ? p->low : -INFINITY,
                                .high = last ? p->high : INFINITY,
                                .blocks = blocks};
    for (size_t g = q->groups.first; g < q->groups.end; g++) {
        size_t i = g - q->groups.first;
        product.a = q->packed + i * count * OCI_PACK_STEP;
        product.at = q->at + i * OCI_PACK_ROWS;
        product.rows = (int)(first_row(w, g + 1) - first_row(w, g));
        p->loops->product(&product);
    }
}

static void run_portion(const work *w, portion *q, range blocks) {
    size_t parts = pieces(w->p->steps, MOST_STEPS);
    place_rows(w, q);
    for (size_t i = 0; i < parts; i++) {
        q->steps = (range){start(w->p->steps, parts, i), start(w->p->steps, parts, i + 1)};
        pack(w, q);
        for (size_t k = blocks.first; k < blocks.end; k += 2)
            multiply(w, q, k, k + 1 < blocks.end ? 2 : 1);
    }
}

static void run_part(const work *w, range groups, range blocks, float *scratch) {
    size_t count = groups.end - groups.first, portions = pieces(count, MOST_GROUPS);
    portion q = {.packed = scratch};
    for (size_t i = 0; i < portions; i++) {
        q.groups = (range){groups.first + start(count, portions, i),
                           groups.first + start(count, portions, i + 1)};
        run_portion(w, &q, blocks);
    }
}

void oci_packed_run(const oci_packed *p, int n, const float *src, const float *weights,
                    const float *bias, float *dst, float *scratch) {
    size_t rows = p->rows * (size_t)n, threads = (size_t)p->threads;
    const work w = {p, src, weights, bias, dst, rows, pieces(rows, OCI_PACK_ROWS)};
    bool by_rows = w.groups >= threads * GROUPS_A_THREAD;
    size_t pairs = pieces(p->blocks, 2);
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < threads; t++) {
        range groups = {0, w.groups}, blocks = {0, p->blocks};
        if (by_rows)
            groups = (range){start(w.groups, threads, t), start(w.groups, threads, t + 1)};
        else
            blocks = (range){2 * start(pairs, threads, t), 2 * start(pairs, threads, t + 1)};
        if (blocks.end > p->blocks) blocks.end = p->blocks;
        run_part(&w, groups, blocks, scratch + t * MOST_GROUPS * group_floats(p));
    }
}
