/* Convolutions and dense layers: the library's three primitives, run chunk by chunk.
 *
 * Backward over one chunk: the gradient of the output (through batch norm and clip, in scratch),
 * the source (made again if it is derived), weight gradient, data gradient. A chunk's weight
 * gradient is added to those before it, in order.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "engine/onednn/onednn_int.h"

/* Primitives for one number of images. */
typedef struct prims {
    oci_conv *forward, *data, *weights;
} prims;

struct oci_conv_unit {
    prims full, rest;     /* for a chunk and for what is left over */
    int weight, bias;     /* parameter numbers; bias -1 = none */
    int bias_node;        /* where the bias comes from: own or folded */
    float *folded_bias;   /* inference with a folded batch norm: (out) */
    oci_reorder *to_data; /* weights as the data gradient wants them, or NULL */
    float *data_weights;
    oci_reorder *from_grads; /* the weight gradient's own layout to the slab's, or NULL */
    float *own_grads;
    oci_layout *data_layout, *grad_layout;
    size_t weight_floats, bias_floats;
};

static oci_conv_shape shape_of(const oci_plan *plan, const oci_unit *unit, int n) {
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    const oc_attrs *a = &node->attrs;
    bool dense = node->op == OC_OP_DENSE;
    oci_conv_shape s = {.n = n,
                        .in_channels = in->c,
                        .in_h = in->h,
                        .in_w = in->w,
                        .out_channels = out->c,
                        .out_h = out->h,
                        .out_w = out->w,
                        .groups = dense ? 1 : a->groups,
                        .kernel_h = dense ? in->h : a->kernel_h,
                        .kernel_w = dense ? in->w : a->kernel_w,
                        .stride_h = dense ? 1 : a->stride_h,
                        .stride_w = dense ? 1 : a->stride_w,
                        .dilation_h = dense ? 1 : a->dilation_h,
                        .dilation_w = dense ? 1 : a->dilation_w,
                        .bias = a->bias || unit->folded >= 0,
                        .plain_src = in->plain,
                        .act = out->act,
                        .sum = unit->sum >= 0};
    if (dense) return s;
    /* right and bottom padding exactly as far as the last window reaches */
    s.pad_top = a->pad_top;
    s.pad_left = a->pad_left;
    s.pad_bottom =
        (out->h - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1 - in->h - s.pad_top;
    s.pad_right =
        (out->w - 1) * s.stride_w + (s.kernel_w - 1) * s.dilation_w + 1 - in->w - s.pad_left;
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
    oci_layout_free(c->data_layout);
    oci_layout_free(c->grad_layout);
    oc_free_aligned(c->data_weights);
    oc_free_aligned(c->own_grads);
    oc_free_aligned(c->folded_bias);
    oc_free(c);
}

static void want_library(oci_plan *plan, const oci_conv *conv) {
    size_t bytes = oci_conv_scratch(conv);
    if (bytes > plan->library_bytes) plan->library_bytes = bytes;
}

/* The main set lets the library choose layouts; the one for the rest takes what was chosen. */
static oc_status prims_new(oci_plan *plan, oci_unit *unit, prims *p, int n, oc_error *err) {
    oci_conv_unit *c = unit->conv;
    oci_conv_shape s = shape_of(plan, unit, n);
    bool main_set = p == &c->full;
    const oci_layout *master = main_set ? NULL : oci_conv_weights(c->full.forward);
    OC_TRY(oci_conv_new(&p->forward, plan->dnn, OCI_CONV_FORWARD, &s, master, err));
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

static oc_status floats_new(float **out, size_t bytes, const char *what, oc_error *err) {
    *out = oc_malloc_aligned(bytes);
    if (!*out) return oc_fail_nomem(err, bytes, what);
    memset(*out, 0, bytes);
    return OC_OK;
}

/* Where the backward primitives like other layouts than forward: copies and the ways between. */
static oc_status copies_new(oci_plan *plan, oci_conv_unit *c, oc_error *err) {
    const oci_layout *master = oci_conv_weights(c->full.forward);
    if (c->full.data && !oci_layout_equal(master, oci_conv_weights(c->full.data))) {
        const oci_layout *l = oci_conv_weights(c->full.data);
        OC_TRY(oci_reorder_new(&c->to_data, plan->dnn, master, l, err));
        OC_TRY(floats_new(&c->data_weights, oci_layout_bytes(l), "transposed weights", err));
    }
    if (!c->full.weights) return OC_OK;
    const oci_layout *g = oci_conv_weights(c->full.weights);
    c->weight_floats = oci_layout_bytes(g) / sizeof(float);
    if (!oci_layout_equal(master, g)) {
        OC_TRY(oci_reorder_new(&c->from_grads, plan->dnn, g, master, err));
        OC_TRY(floats_new(&c->own_grads, oci_layout_bytes(g), "weight gradient", err));
    }
    size_t room = c->weight_floats + OCI_ROW + c->bias_floats;
    if (room > plan->weight_floats) plan->weight_floats = room;
    return OC_OK;
}

oc_status oci_conv_unit_init(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_conv_unit *c = unit->conv = oc_calloc(1, sizeof *c);
    if (!c) return oc_fail_nomem(err, sizeof *c, "convolution");
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    c->weight = node->first_param;
    c->bias = node->attrs.bias ? node->first_param + 1 : -1;
    c->bias_floats = (size_t)node->attrs.out;
    OC_TRY(prims_new(plan, unit, &c->full, unit->chunk, err));
    int rest = plan->images % unit->chunk;
    if (rest) OC_TRY(prims_new(plan, unit, &c->rest, rest, err));
    if (unit->folded >= 0)
        OC_TRY(floats_new(&c->folded_bias, c->bias_floats * sizeof(float), "folded bias", err));
    return copies_new(plan, c, err);
}

const oci_layout *oci_conv_unit_layout(const oci_unit *unit) {
    return oci_conv_weights(unit->conv->full.forward);
}

const char *oci_conv_unit_kernel(const oci_unit *unit, int what) {
    const prims *p = &unit->conv->full;
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
    const float *src = oci_read(plan, unit->in[0], first, n);
    return oci_conv_run(prims_for(unit, n)->forward, src,
                        plan->weights + plan->places[c->weight].offset, bias_of(plan, c),
                        out->data + (size_t)first * out->image, plan->library_scratch, err);
}

oc_status oci_conv_prepare(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_conv_unit *c = unit->conv;
    if (!c->to_data) return OC_OK;
    return oci_reorder_run(c->to_data, plan->weights + plan->places[c->weight].offset,
                           c->data_weights, err);
}

/* The chunk's weight and bias gradients: the first chunk writes, the others add, the last one
 * brings the sum into the slab's layout. */
static oc_status weight_gradient(oci_plan *plan, oci_unit *unit, const float *g, int first, int n,
                                 oc_error *err) {
    oci_conv_unit *c = unit->conv;
    float *slab = plan->grads + plan->places[c->weight].offset;
    float *sum = c->own_grads ? c->own_grads : slab;
    float *bias_sum = c->bias < 0 ? NULL : plan->grads + plan->places[c->bias].offset;
    float *dw = first ? plan->weight_scratch : sum;
    float *db = first ? plan->weight_scratch + (c->weight_floats + OCI_ROW - 1) / OCI_ROW * OCI_ROW
                      : bias_sum;
    double start = plan->profiling ? oc_clock_seconds() : 0;
    const float *src = oci_read(plan, unit->in[0], first, n);
    OC_TRY(oci_conv_run(prims_for(unit, n)->weights, src, dw, db, g, plan->library_scratch, err));
    if (first) oci_accumulate(sum, dw, c->weight_floats);
    if (first && bias_sum) oci_accumulate(bias_sum, db, c->bias_floats);
    if (c->from_grads && first + n == plan->images)
        OC_TRY(oci_reorder_run(c->from_grads, sum, slab, err));
    if (plan->profiling) unit->seconds[2] += oc_clock_seconds() - start;
    return OC_OK;
}

static oc_status data_gradient(oci_plan *plan, oci_unit *unit, const float *g, int first, int n,
                               oc_error *err) {
    const oci_conv_unit *c = unit->conv;
    float *target = oci_grad_target(plan, unit->in[0], first);
    const float *w =
        c->data_weights ? c->data_weights : plan->weights + plan->places[c->weight].offset;
    OC_TRY(oci_conv_run(prims_for(unit, n)->data, target, w, NULL, g, plan->library_scratch, err));
    oci_grad_commit(plan, unit->in[0], first, n, target);
    return OC_OK;
}

oc_status oci_conv_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    if (first == 0) OC_TRY(oci_conv_prepare(plan, unit, err));
    const float *g = oci_incoming(plan, unit, first, n);
    if (unit->to_params) OC_TRY(weight_gradient(plan, unit, g, first, n, err));
    if (plan->values[unit->in[0]].wants_grad) OC_TRY(data_gradient(plan, unit, g, first, n, err));
    return OC_OK;
}
