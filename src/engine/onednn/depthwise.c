/* Depthwise convolutions plane by plane (depthwise.h): which shapes, which floats a plane is about,
 * on which threads.
 *
 * Each plane's weight gradient is kept apart and they are added in image order.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/depthwise.h"

#include <string.h>

#include "engine/onednn/loops.h"

enum { MOST_PAD = 2, MOST_STRIDE = 2 };

/* A pass over all planes of a unit. */
typedef struct pass {
    oci_plan *plan;
    const oci_unit *unit;
    const oci_value *in, *out;
    const oci_depth_loops *loops;
    oci_depth_plane plane;
    size_t kernel;            /* floats of a block's weights */
    float *weights, *partial; /* (blocks, 9, lanes), (images, blocks, 9, lanes) */
    float *rings;             /* one for each thread */
} pass;

static bool in_reach(int pad) {
    return pad <= MOST_PAD; /* below zero: the last pixels are not read */
}

bool oci_depthwise_takes(const oci_plan *plan, const oci_unit *unit, const oci_conv_shape *s) {
    const oci_value *in = &plan->values[unit->in[0]];
    bool depthwise = s->groups == s->in_channels && s->groups == s->out_channels && s->groups > 1;
    bool window = s->kernel_h == OCI_DEPTH_SIDE && s->kernel_w == OCI_DEPTH_SIDE &&
                  s->dilation_h == 1 && s->dilation_w == 1 && s->stride_h == s->stride_w &&
                  s->stride_h <= MOST_STRIDE && in_reach(s->pad_top) && in_reach(s->pad_left) &&
                  in_reach(s->pad_bottom) && in_reach(s->pad_right);
    return plan->face.mode == OC_MODE_TRAIN && depthwise && window && !s->bias && !s->plain_src &&
           s->act == OCI_ACT_NONE && in->writers <= 1;
}

static pass pass_of(oci_plan *plan, const oci_unit *unit) {
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    pass w = {.plan = plan,
              .unit = unit,
              .in = in,
              .out = out,
              .loops = &oci_loops_here()->depthwise,
              .plane = {.in_h = in->h,
                        .in_w = in->w,
                        .out_h = out->h,
                        .out_w = out->w,
                        .stride = a->stride_h,
                        .pad_top = a->pad_top,
                        .pad_left = a->pad_left,
                        .lanes = plan->lanes},
              .kernel = OCI_DEPTH_TAPS * (size_t)plan->lanes,
              .weights = plan->library_scratch};
    size_t kernels = (size_t)in->blocks * w.kernel;
    if (!w.weights) return w;
    w.partial = w.weights + kernels;
    w.rings = w.partial + (size_t)plan->images * kernels;
    return w;
}

size_t oci_depthwise_scratch(const oci_plan *plan, const oci_unit *unit) {
    const pass w = pass_of((oci_plan *)plan, unit);
    size_t kernels = (size_t)w.in->blocks * w.kernel;
    size_t floats = kernels * ((size_t)plan->images + 1) +
                    (size_t)plan->options.threads * oci_depth_ring(&w.plane);
    return floats * sizeof(float);
}

const char *oci_depthwise_kernel(void) {
    return oci_loops_here()->depthwise.name;
}

/* plain (c, 9) to (blocks, 9, lanes), each kernel turned by 180 degrees if wanted. */
static void pack(const pass *w, const float *plain, bool turned) {
    int lanes = w->plane.lanes;
    memset(w->weights, 0, (size_t)w->in->blocks * w->kernel * sizeof *w->weights);
    for (int c = 0; c < w->in->c; c++)
        for (int k = 0; k < OCI_DEPTH_TAPS; k++) {
            int tap = turned ? OCI_DEPTH_TAPS - 1 - k : k;
            w->weights[(size_t)(c / lanes) * w->kernel + (size_t)(k * lanes + c % lanes)] =
                plain[(size_t)c * OCI_DEPTH_TAPS + (size_t)tap];
        }
}

/* Plane i of images * blocks. */
typedef void each_plane(const pass *w, size_t i, float *ring);

static void all_planes(const pass *w, each_plane *each) {
    size_t planes = (size_t)w->plan->images * (size_t)w->in->blocks,
           ring = oci_depth_ring(&w->plane);
    size_t parts = (size_t)w->plan->options.threads;
#pragma omp parallel for schedule(static)
    for (size_t part = 0; part < parts; part++) {
        float *own = w->rings + part * ring;
        memset(own, 0, ring * sizeof *own);
        for (size_t i = planes * part / parts; i < planes * (part + 1) / parts; i++)
            each(w, i, own);
    }
}

static const float *plane_at(const float *data, const oci_value *v, size_t i) {
    return data + i * (v->image / (size_t)v->blocks);
}

/* The map that makes block k of a value from its base. */
static oci_row_map map_at(const pass *w, int value, size_t k) {
    oci_map map = oci_map_of(w->plan, value);
    return (oci_row_map){map.a + k * map.stride, map.b + k * map.stride,
                         oci_clip_of(w->plan->values[value].act)};
}

static oci_depth_sums sums_at(const oci_norm *norm, const float *pivot, size_t i) {
    size_t blocks = (size_t)norm->blocks;
    double *sums = oci_norm_sums(norm, (int)(i / blocks), (int)(i % blocks));
    return (oci_depth_sums){pivot + i % blocks * OCI_ROW, sums, sums + OCI_ROW};
}

static void plane_forward(const pass *w, size_t i, float *ring) {
    const oci_plan *plan = w->plan;
    size_t k = i % (size_t)w->in->blocks;
    oci_depth_forward f = {.x = plane_at(plan->values[w->in->base].data, w->in, i),
                           .map = map_at(w, w->unit->in[0], k),
                           .weights = w->weights + k * w->kernel,
                           .y = (float *)plane_at(w->out->data, w->out, i),
                           .ring = ring};
    const oci_norm *norm = w->unit->gathers < 0 ? NULL : &plan->norms[w->unit->gathers];
    if (norm) f.sums = sums_at(norm, norm->pivot, i);
    w->loops->forward(&w->plane, &f);
}

void oci_depthwise_forward(oci_plan *plan, const oci_unit *unit, const float *weights) {
    const pass w = pass_of(plan, unit);
    pack(&w, weights, false);
    all_planes(&w, plane_forward);
}

static void plane_backward(const pass *w, size_t i, float *ring) {
    const oci_plan *plan = w->plan;
    size_t k = i % (size_t)w->in->blocks;
    const oci_value *through = &plan->values[w->unit->through];
    oci_depth_backward b = {.x = plane_at(plan->values[w->in->base].data, w->in, i),
                            .map = map_at(w, w->unit->in[0], k),
                            .y = plane_at(w->out->data, w->out, i),
                            .dy = plane_at(through->grad, through, i),
                            .out_map = map_at(w, w->unit->through, k),
                            .p = plan->ones,
                            .q = plan->zeros,
                            .r = plan->zeros,
                            .weights = w->weights + k * w->kernel,
                            .dw = w->unit->to_params ? w->partial + i * w->kernel : NULL,
                            .ring = ring};
    if (through->norm >= 0) {
        const oci_norm *after = &plan->norms[through->norm];
        b.p = after->p + k * OCI_ROW, b.q = after->q + k * OCI_ROW, b.r = after->r + k * OCI_ROW;
    }
    const oci_norm *before = w->in->norm < 0 ? NULL : &plan->norms[w->in->norm];
    if (w->in->wants_grad) b.dx = (float *)plane_at(w->in->grad, w->in, i);
    if (w->in->wants_grad && before) b.sums = sums_at(before, before->batch_mean, i);
    w->loops->backward(&w->plane, &b);
}

/* The planes' weight gradients, added up, to (c, 9). */
static void add_up(const pass *w, float *plain) {
    int lanes = w->plane.lanes, blocks = w->in->blocks;
#pragma omp parallel for
    for (int k = 0; k < blocks; k++) {
        float *sum = w->partial + (size_t)k * w->kernel;
        for (int i = 1; i < w->plan->images; i++)
            oci_row_accumulate(sum, sum + (size_t)(i * blocks) * w->kernel, w->kernel);
        for (int l = 0; l < lanes && k * lanes + l < w->in->c; l++)
            for (int tap = 0; tap < OCI_DEPTH_TAPS; tap++)
                plain[(k * lanes + l) * OCI_DEPTH_TAPS + tap] = sum[tap * lanes + l];
    }
}

void oci_depthwise_backward(oci_plan *plan, const oci_unit *unit, const float *weights,
                            float *gradient) {
    const pass w = pass_of(plan, unit);
    pack(&w, weights, w.plane.stride == 1);
    all_planes(&w, plane_backward);
    if (unit->to_params) add_up(&w, gradient);
}
