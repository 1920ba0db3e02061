/* Convolutions and dense layers: the library's three primitives, our Winograd where that is faster,
 * or for a dense layer a product of matrices (dense.c), run chunk by chunk.
 *
 * Backward over one chunk: the gradient of the output (through batch norm and clip, in scratch),
 * the source (made again if it is derived), weight gradient, data gradient. A chunk's weight
 * gradient is added to those before it, in order.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/dense.h"
#include "engine/onednn/depthwise.h"
#include "engine/onednn/packed.h"
#include "engine/onednn/winograd.h"

/* Winograd: results of 4 x 4 for each reading of the transformed weights. */
enum { LEAST_TRAIN_TILES = 128, LEAST_INFER_TILES = 16 };

/* Primitives for one number of images. */
typedef struct prims {
    oci_conv *forward, *data, *weights;
} prims;

struct oci_conv_unit {
    prims full, rest;        /* for a chunk and for what is left over */
    int weight, bias;        /* parameter numbers; bias -1 = none */
    int bias_node;           /* where the bias comes from: own or folded */
    float *folded_bias;      /* inference with a folded batch norm: (out) */
    oci_reorder *to_data;    /* weights as the data gradient wants them, or NULL */
    oci_reorder *from_grads; /* the weight gradient's own layout to the slab's, or NULL */
    size_t weight_floats, bias_floats;
    /* Winograd instead of primitives: by oci_conv_kind, NULL = not needed. Transformed weights and
     * gradient sums lie in the library's scratch for the length of a pass, a run's scratch behind
     * them. */
    oci_winograd *winograd[3];
    oci_packed *packed;        /* inference: instead of primitives */
    float *kept;               /* inference: transformed weights, made when weights come in */
    bool kept_shared;          /* they are another plan's */
    size_t kept_at[3], run_at; /* floats */
    oci_layout *slab;          /* of weights, where no primitive decides: our own kinds */
    bool dense;
    bool depthwise; /* of our own */
    bool padded;    /* forward reads the source laid into zeros (lay_into_zeros) */
};

oci_conv_shape oci_conv_shape_of(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                 int n) {
    return (oci_conv_shape){
        .n = n,
        .in_channels = in->c,
        .in_h = in->h,
        .in_w = in->w,
        .out_channels = out->c,
        .out_h = out->h,
        .out_w = out->w,
        .groups = a->groups,
        .kernel_h = a->kernel_h,
        .kernel_w = a->kernel_w,
        .stride_h = a->stride_h,
        .stride_w = a->stride_w,
        .dilation_h = a->dilation_h,
        .dilation_w = a->dilation_w,
        .pad_top = a->pad_top,
        .pad_left = a->pad_left,
        .pad_bottom =
            (out->h - 1) * a->stride_h + (a->kernel_h - 1) * a->dilation_h + 1 - in->h - a->pad_top,
        .pad_right = (out->w - 1) * a->stride_w + (a->kernel_w - 1) * a->dilation_w + 1 - in->w -
                     a->pad_left};
}

static oci_conv_shape shape_of(const oci_plan *plan, const oci_unit *unit, int n) {
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const oc_attrs *a = oci_unit_attrs(plan, unit);
    oci_conv_shape s = oci_conv_shape_of(a, in, out, n);
    s.bias = a->bias || unit->folded >= 0;
    s.plain_src = in->plain;
    s.act = out->act;
    s.sum = unit->sum >= 0;
    return s;
}

static void prims_free(prims *p) {
    oci_conv_free(p->forward);
    oci_conv_free(p->data);
    oci_conv_free(p->weights);
}

void oci_conv_unit_free(oci_conv_unit *c) {
    if (!c) return;
    prims_free(&c->full);
    prims_free(&c->rest);
    oci_reorder_free(c->to_data);
    oci_reorder_free(c->from_grads);
    oci_layout_free(c->slab);
    for (int i = 0; i < 3; i++) oci_winograd_free(c->winograd[i]);
    oci_packed_free(c->packed);
    oc_free_aligned(c->folded_bias);
    if (!c->kept_shared) oc_free_aligned(c->kept);
    oc_free(c);
}

static void want_library(oci_plan *plan, const oci_conv *conv) {
    size_t bytes = oci_conv_scratch(conv);
    if (bytes > plan->library_bytes) plan->library_bytes = bytes;
}

/* ---- padding of our own: the library has only its reference kernel for a kernel wider than 7 that
 * strides over padding (AlexNet's first) ---------------------------------------------------------
 */

static bool lacks_kernel(const oci_conv *conv, const oci_conv_shape *s) {
    return s->plain_src && oc_starts_with(oci_conv_kernel(conv), "ref") &&
           (s->pad_top || s->pad_left || s->pad_bottom || s->pad_right);
}

static oci_conv_shape without_padding(oci_conv_shape s) {
    s.in_h += s.pad_top + s.pad_bottom;
    s.in_w += s.pad_left + s.pad_right;
    s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = 0;
    return s;
}

static size_t padded_floats(const oci_conv_shape *s) {
    const oci_conv_shape p = without_padding(*s);
    return (size_t)p.n * (size_t)p.in_channels * (size_t)p.in_h * (size_t)p.in_w;
}

/* src (n, c, h, w) into the middle of dst, whose sides are those of the convolution without
 * padding. */
static void lay_into_zeros(const oci_conv_shape *s, const float *src, float *dst) {
    const oci_conv_shape p = without_padding(*s);
    size_t in_w = (size_t)s->in_w, out_w = (size_t)p.in_w;
    size_t width =
        s->pad_right < 0 ? out_w - (size_t)s->pad_left : in_w; /* what is read of a row */
#pragma omp parallel for schedule(static)
    for (int k = 0; k < s->n * s->in_channels; k++)
        for (int y = 0; y < p.in_h; y++) {
            float *to = dst + ((size_t)k * (size_t)p.in_h + (size_t)y) * out_w;
            int from = y - s->pad_top;
            memset(to, 0, out_w * sizeof *to);
            if (from < 0 || from >= s->in_h) continue;
            memcpy(to + s->pad_left, src + ((size_t)k * (size_t)s->in_h + (size_t)from) * in_w,
                   width * sizeof *to);
        }
}

static oc_status forward_new(oci_plan *plan, oci_conv_unit *c, oci_conv **out, oci_conv_shape s,
                             const oci_layout *weights, oc_error *err) {
    OC_TRY(oci_conv_new(out, plan->dnn, OCI_CONV_FORWARD, &s, weights, err));
    if (!lacks_kernel(*out, &s)) return OC_OK;
    c->padded = true;
    oci_conv_free(*out);
    *out = NULL;
    const oci_conv_shape padded = without_padding(s);
    OC_TRY(oci_conv_new(out, plan->dnn, OCI_CONV_FORWARD, &padded, weights, err));
    size_t bytes = oci_whole_lines(oci_conv_scratch(*out)) + padded_floats(&s) * sizeof(float);
    if (bytes > plan->library_bytes) plan->library_bytes = bytes;
    return OC_OK;
}

/* The main set lets the library choose layouts; the one for the rest takes what was chosen. */
static oc_status prims_new(oci_plan *plan, oci_unit *unit, prims *p, int n, oc_error *err) {
    oci_conv_unit *c = unit->conv;
    oci_conv_shape s = shape_of(plan, unit, n);
    bool main_set = p == &c->full;
    const oci_layout *master = main_set ? NULL : oci_conv_weights(c->full.forward);
    OC_TRY(forward_new(plan, c, &p->forward, s, master, err));
    want_library(plan, p->forward);
    if (unit->back && plan->values[unit->in[0]].wants_grad) {
        OC_TRY(oci_conv_new(&p->data, plan->dnn, OCI_CONV_DATA, &s,
                            main_set ? NULL : oci_conv_weights(c->full.data), err));
        want_library(plan, p->data);
    }
    if (unit->back && unit->to_params) {
        OC_TRY(oci_conv_new(&p->weights, plan->dnn, OCI_CONV_WEIGHTS, &s,
                            main_set ? NULL : oci_conv_weights(c->full.weights), err));
        want_library(plan, p->weights);
    }
    return OC_OK;
}

/* Where the backward primitives like other layouts than forward: the ways between, and room for the
 * copies, which last as long as the backward pass of one layer. */
static oc_status copies_new(oci_plan *plan, oci_conv_unit *c, oc_error *err) {
    const oci_layout *master = oci_conv_weights(c->full.forward);
    if (c->full.data && !oci_layout_equal(master, oci_conv_weights(c->full.data))) {
        const oci_layout *l = oci_conv_weights(c->full.data);
        OC_TRY(oci_reorder_new(&c->to_data, plan->dnn, master, l, err));
        oci_at_least(&plan->turned_floats, oci_layout_bytes(l) / sizeof(float));
    }
    if (!c->full.weights) return OC_OK;
    const oci_layout *g = oci_conv_weights(c->full.weights);
    c->weight_floats = oci_layout_bytes(g) / sizeof(float);
    if (!oci_layout_equal(master, g)) {
        OC_TRY(oci_reorder_new(&c->from_grads, plan->dnn, g, master, err));
        oci_at_least(&plan->gathered_floats, c->weight_floats);
    }
    oci_at_least(&plan->weight_floats, c->weight_floats + OCI_ROW + c->bias_floats);
    return OC_OK;
}

/* Inference may have too few tiles at a time to pay for reading the transformed weights. */
static bool takes_winograd(const oci_plan *plan, const oci_conv_shape *s) {
    bool enough = plan->face.mode == OC_MODE_TRAIN ||
                  oci_winograd_tiles(s) * (size_t)plan->images >= LEAST_INFER_TILES;
    return enough && oci_winograd_pays(s);
}

/* Inference: transformed weights of its own, or those of a plan that has the same. */
static oc_status keep_new(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_conv_unit *c = unit->conv;
    const oci_unit *other = oci_shared_unit(plan, unit);
    size_t floats = c->run_at;
    c->run_at = 0;
    if (other && other->conv->kept &&
        oci_winograd_kept(other->conv->winograd[OCI_CONV_FORWARD]) == floats) {
        c->kept = other->conv->kept;
        c->kept_shared = true;
        return OC_OK;
    }
    return oci_take(plan, &c->kept, &plan->held.weights, floats * sizeof(float),
                    "transformed weights", err);
}

static oc_status winograd_new(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_conv_unit *c = unit->conv;
    oci_conv_shape s = shape_of(plan, unit, unit->chunk);
    bool wanted[] = {[OCI_CONV_FORWARD] = true,
                     [OCI_CONV_DATA] = unit->back && plan->values[unit->in[0]].wants_grad,
                     [OCI_CONV_WEIGHTS] = unit->back && unit->to_params};
    size_t scratch = 0;
    for (int kind = 0; kind < 3; kind++) {
        if (!wanted[kind]) continue;
        OC_TRY(oci_winograd_new(&c->winograd[kind], (oci_conv_kind)kind, &s, err));
        size_t run = oci_winograd_scratch(c->winograd[kind]);
        if (run > scratch) scratch = run;
        /* forward's are gone when the backward pass needs room for its two; of those, one chunk has
         * done with the gradient's before it makes the data's */
        bool both = kind == OCI_CONV_WEIGHTS && unit->chunk < plan->images;
        c->kept_at[kind] = both ? c->run_at : 0;
        size_t end = c->kept_at[kind] + oci_winograd_kept(c->winograd[kind]);
        if (end > c->run_at) c->run_at = end;
    }
    if (plan->face.mode == OC_MODE_INFER) OC_TRY(keep_new(plan, unit, err));
    size_t bytes = (c->run_at + scratch) * sizeof(float);
    if (bytes > plan->library_bytes) plan->library_bytes = bytes;
    return oci_layout_plain(&c->slab, s.out_channels, s.in_channels, 1, s.kernel_h, s.kernel_w,
                            err);
}

static float *kept_of(const oci_plan *plan, const oci_conv_unit *c, oci_conv_kind kind) {
    return c->kept ? c->kept : (float *)plan->library_scratch + c->kept_at[kind];
}

void oci_conv_keep(oci_plan *plan, const oci_unit *unit) {
    const oci_conv_unit *c = unit->conv;
    if (c->kept && !c->kept_shared)
        oci_winograd_prepare(c->winograd[OCI_CONV_FORWARD], oci_weights_at(plan, c->weight),
                             c->kept);
}

static float *run_scratch(const oci_plan *plan, const oci_conv_unit *c) {
    return (float *)plan->library_scratch + c->run_at;
}

static oc_status depthwise_new(oci_plan *plan, oci_unit *unit, oc_error *err) {
    size_t bytes = oci_depthwise_scratch(plan, unit);
    int channels = plan->values[unit->out].c;
    unit->conv->depthwise = unit->alone = true;
    unit->chunk = plan->images;
    if (bytes > plan->library_bytes) plan->library_bytes = bytes;
    return oci_layout_plain(&unit->conv->slab, channels, channels, channels, 3, 3, err);
}

static oc_status packed_new(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_conv_unit *c = unit->conv;
    const oci_conv_shape s = shape_of(plan, unit, unit->chunk);
    OC_TRY(oci_packed_new(&c->packed, &s, plan->options.threads, err));
    oci_at_least(&plan->library_bytes, oci_packed_scratch(c->packed) * sizeof(float));
    return oci_layout_blocks(&c->slab, s.out_channels, s.in_channels, s.kernel_h, s.kernel_w, err);
}

oc_status oci_conv_unit_init(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_conv_unit *c = unit->conv = oc_calloc(1, sizeof *c);
    if (!c) return oc_fail_nomem(err, sizeof *c, "convolution");
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    c->weight = node->first_param;
    c->bias = node->attrs.bias ? node->first_param + 1 : -1;
    c->bias_floats = (size_t)node->attrs.out;
    if (unit->folded >= 0)
        OC_TRY(oci_take(plan, &c->folded_bias, &plan->held.weights, c->bias_floats * sizeof(float),
                        "folded bias", err));
    if (node->op == OC_OP_DENSE) {
        c->dense = true;
        unit->chunk = plan->images; /* weights outweigh what they are applied to */
        return oci_dense_layout(plan, unit, &c->slab, err);
    }
    oci_conv_shape s = shape_of(plan, unit, 1);
    if (oci_depthwise_takes(plan, unit, &s)) return depthwise_new(plan, unit, err);
    if (takes_winograd(plan, &s)) {
        size_t tiles = oci_winograd_tiles(&s);
        int least = (int)((LEAST_TRAIN_TILES + tiles - 1) / tiles);
        while (unit->chunk < least && unit->chunk < plan->images) unit->chunk++;
        while (plan->images % unit->chunk) unit->chunk++;
        return winograd_new(plan, unit, err);
    }
    if (plan->face.mode == OC_MODE_INFER && oci_packed_pays(&s)) return packed_new(plan, unit, err);
    OC_TRY(prims_new(plan, unit, &c->full, unit->chunk, err));
    int rest = plan->images % unit->chunk;
    if (rest) OC_TRY(prims_new(plan, unit, &c->rest, rest, err));
    return copies_new(plan, c, err);
}

const oci_layout *oci_conv_unit_layout(const oci_unit *unit) {
    return unit->conv->slab ? unit->conv->slab : oci_conv_weights(unit->conv->full.forward);
}

const char *oci_conv_unit_kernel(const oci_unit *unit, int what) {
    const prims *p = &unit->conv->full;
    if (unit->conv->dense) return "gemm";
    if (unit->conv->depthwise) return oci_depthwise_kernel();
    if (unit->conv->packed) return oci_packed_kernel(unit->conv->packed);
    if (unit->conv->winograd[what]) return oci_winograd_kernel(unit->conv->winograd[what]);
    const oci_conv *conv = what == 0 ? p->forward : what == 1 ? p->data : p->weights;
    return conv ? oci_conv_kernel(conv) : "";
}

float *oci_conv_folded_bias(const oci_unit *unit) {
    return unit->conv->folded_bias;
}

static const prims *prims_for(const oci_unit *unit, int n) {
    return n == unit->chunk ? &unit->conv->full : &unit->conv->rest;
}

static const float *bias_of(const oci_plan *plan, const oci_conv_unit *c) {
    if (c->folded_bias) return c->folded_bias;
    return c->bias < 0 ? NULL : plan->weights + plan->places[c->bias].offset;
}

oc_status oci_conv_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    const oci_conv_unit *c = unit->conv;
    const oci_value *out = &plan->values[unit->out];
    const float *weights = oci_weights_at(plan, c->weight);
    if (c->depthwise) {
        oci_depthwise_forward(plan, unit, weights);
        return OC_OK;
    }
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *dst = out->data + (size_t)first * out->image;
    const oci_winograd *w = c->winograd[OCI_CONV_FORWARD];
    if (!weights)
        return oc_fail(err, OC_EUSAGE, "a plan that borrows its weights runs before any came in");
    if (c->dense) return oci_dense_forward(plan, unit, n, src, weights, bias_of(plan, c), dst, err);
    if (w) {
        float *kept = kept_of(plan, c, OCI_CONV_FORWARD);
        if (first == 0 && !c->kept) oci_winograd_prepare(w, weights, kept);
        oci_winograd_run(w, n, src, bias_of(plan, c), dst, kept, run_scratch(plan, c));
        return OC_OK;
    }
    if (c->packed) {
        oci_packed_run(c->packed, n, src, weights, bias_of(plan, c), dst, plan->library_scratch);
        return OC_OK;
    }
    oci_conv *conv = prims_for(unit, n)->forward;
    if (c->padded) {
        const oci_conv_shape s = shape_of(plan, unit, n);
        float *padded =
            (float *)((char *)plan->library_scratch + oci_whole_lines(oci_conv_scratch(conv)));
        lay_into_zeros(&s, src, padded);
        src = padded;
    }
    return oci_conv_run(conv, src, weights, bias_of(plan, c), dst, plan->library_scratch, err);
}

/* The weights as the data gradient wants them. */
static oc_status prepare_data(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_conv_unit *c = unit->conv;
    if (c->winograd[OCI_CONV_DATA])
        oci_winograd_prepare(c->winograd[OCI_CONV_DATA],
                             plan->weights + plan->places[c->weight].offset,
                             kept_of(plan, c, OCI_CONV_DATA));
    if (!c->to_data) return OC_OK;
    return oci_reorder_run(c->to_data, plan->weights + plan->places[c->weight].offset,
                           plan->turned_scratch, err);
}

/* Sums of g (n, blocks, hw, lanes) over images and pixels, added to those of the chunks before. */
static void bias_gradient(const oci_plan *plan, const oci_value *out, const float *g, bool set,
                          int n, float *sums) {
    size_t row = out->image / (size_t)out->blocks;
    int lanes = plan->lanes;
#pragma omp parallel for
    for (int k = 0; k < out->blocks; k++) {
        double s1[OCI_ROW] = {0}, s2[OCI_ROW] = {0};
        for (int i = 0; i < n; i++)
            oci_row_moments(g + (size_t)i * out->image + (size_t)k * row, plan->zeros, row, s1, s2);
        for (int l = lanes; l < OCI_ROW; l++) s1[l % lanes] += s1[l];
        for (int l = 0; l < lanes && k * lanes + l < out->c; l++) {
            float *sum = sums + k * lanes + l;
            *sum = (float)s1[l] + (set ? 0.F : *sum);
        }
    }
}

/* Without a primitive of the library. */
static oc_status own_weight_gradient(oci_plan *plan, oci_unit *unit, const float *g, int first,
                                     int n, oc_error *err) {
    const oci_conv_unit *c = unit->conv;
    const oci_winograd *w = c->winograd[OCI_CONV_WEIGHTS];
    const float *src = oci_read(plan, unit->in[0], first, n);
    float *to = plan->grads + plan->places[c->weight].offset;
    if (c->bias >= 0)
        bias_gradient(plan, &plan->values[unit->out], g, first == 0, n,
                      plan->grads + plan->places[c->bias].offset);
    if (c->dense) return oci_dense_weights(plan, unit, n, first > 0, src, g, to, err);
    float *kept = kept_of(plan, c, OCI_CONV_WEIGHTS);
    oci_winograd_gather(w, n, first == 0, src, g, kept, run_scratch(plan, c));
    if (first + n == plan->images) oci_winograd_finish(w, kept, to);
    return OC_OK;
}

/* The chunk's weight and bias gradients: the first chunk writes, the others add, the last one
 * brings the sum into the slab's layout. */
static oc_status weight_gradient(oci_plan *plan, oci_unit *unit, const float *g, int first, int n,
                                 oc_error *err) {
    oci_conv_unit *c = unit->conv;
    float *slab = plan->grads + plan->places[c->weight].offset;
    float *sum = c->from_grads ? plan->gathered_scratch : slab;
    float *bias_sum = c->bias < 0 ? NULL : plan->grads + plan->places[c->bias].offset;
    float *dw = first ? plan->weight_scratch : sum;
    float *db = first ? plan->weight_scratch + (c->weight_floats + OCI_ROW - 1) / OCI_ROW * OCI_ROW
                      : bias_sum;
    const oci_watch watch = oci_watch_start(plan);
    if (c->dense || c->winograd[OCI_CONV_WEIGHTS]) {
        OC_TRY(own_weight_gradient(plan, unit, g, first, n, err));
        unit->seconds[2] += oci_watch_seconds(plan, watch);
        return OC_OK;
    }
    const float *src = oci_read(plan, unit->in[0], first, n);
    OC_TRY(oci_conv_run(prims_for(unit, n)->weights, src, dw, db, g, plan->library_scratch, err));
    if (first) oci_accumulate(sum, dw, c->weight_floats);
    if (first && bias_sum) oci_accumulate(bias_sum, db, c->bias_floats);
    if (c->from_grads && first + n == plan->images)
        OC_TRY(oci_reorder_run(c->from_grads, sum, slab, err));
    unit->seconds[2] += oci_watch_seconds(plan, watch);
    return OC_OK;
}

static oc_status data_gradient(oci_plan *plan, oci_unit *unit, const float *g, int first, int n,
                               oc_error *err) {
    const oci_conv_unit *c = unit->conv;
    if (first == 0) OC_TRY(prepare_data(plan, unit, err));
    float *target = oci_grad_target(plan, unit->in[0], first);
    const oci_winograd *winograd = c->winograd[OCI_CONV_DATA];
    const float *w =
        c->to_data ? plan->turned_scratch : plan->weights + plan->places[c->weight].offset;
    if (c->dense)
        OC_TRY(oci_dense_data(plan, unit, n, g, w, target, err));
    else if (winograd)
        oci_winograd_run(winograd, n, g, NULL, target, kept_of(plan, c, OCI_CONV_DATA),
                         run_scratch(plan, c));
    else
        OC_TRY(
            oci_conv_run(prims_for(unit, n)->data, target, w, NULL, g, plan->library_scratch, err));
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}

oc_status oci_conv_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    const oci_conv_unit *c = unit->conv;
    if (c->depthwise) {
        size_t at = plan->places[c->weight].offset;
        oci_depthwise_backward(plan, unit, plan->weights + at, plan->grads + at);
        return OC_OK;
    }
    const float *g = oci_incoming(plan, unit, first, n);
    if (unit->to_params) OC_TRY(weight_gradient(plan, unit, g, first, n, err));
    if (plan->values[unit->in[0]].wants_grad) OC_TRY(data_gradient(plan, unit, g, first, n, err));
    return OC_OK;
}
