/* Shapes: what each node gives for what it gets, the smallest input a net can take, and how many
 * multiply-adds that costs. No values.
 *
 * Windows are torch's: out = floor((in + pads - span) / stride) + 1, or with `ceil` the quotient
 * rounded up, less one when the last window would start behind the input and its left padding.
 * A size that does not fit is h = w = 0 and spreads to all that follows; it becomes an error where
 * a caller asks for shapes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

#include <stdio.h>

enum { LARGEST_TRIED = 4096 };
static const size_t MAX_ACTIVATION = (size_t)1 << 40; /* elements of one output */

static int64_t window(int64_t in, int kernel, int stride, int before, int after, int dilation,
                      bool round_up) {
    if (in <= 0) return 0;
    int64_t room = in + before + after - ((int64_t)dilation * (kernel - 1) + 1);
    if (round_up) room += stride - 1;
    if (room < 0) return 0;
    int64_t out = room / stride + 1;
    return round_up && (out - 1) * stride >= in + before ? out - 1 : out;
}

/* (h, w) of a conv (dilated, never rounded up) or a pool (the reverse). */
static void window_both(const oc_attrs *a, bool conv, const oc_shape *in, oc_shape *out) {
    int dilation_h = conv ? a->dilation_h : 1, dilation_w = conv ? a->dilation_w : 1;
    bool round_up = !conv && a->ceil;
    out->dim[2] = window(in->dim[2], a->kernel_h, a->stride_h, a->pad_top, a->pad_bottom,
                         dilation_h, round_up);
    out->dim[3] = window(in->dim[3], a->kernel_w, a->stride_w, a->pad_left, a->pad_right,
                         dilation_w, round_up);
}

static oc_status infer_conv(const oc_node *node, const oc_shape *in, oc_shape *out, oc_error *err) {
    const oc_attrs *a = &node->attrs;
    if (in->dim[1] % a->groups != 0) {
        return oc_fail(err, OC_EFORMAT,
                       "conv '%s' has %d groups but gets %lld channels: not a multiple", node->name,
                       a->groups, (long long)in->dim[1]);
    }
    out->dim[1] = a->out;
    window_both(a, true, in, out);
    return OC_OK;
}

static void infer_dense(const oc_node *node, const oc_shape *in, int64_t features, oc_shape *out) {
    bool fits = in->dim[2] == 1 && in->dim[3] == 1 && (features == 0 || features == in->dim[1]);
    *out = oc_shape_4d(in->dim[0], node->attrs.out, fits, fits);
}

/* add, maximum, multiply: two of one shape; the second of multiply may be one value a channel. */
static oc_status infer_two(const oc_node *node, const oc_shape *in, oc_shape *out, oc_error *err) {
    if (in[0].dim[1] != in[1].dim[1] && in[0].dim[1] != 0 && in[1].dim[1] != 0) {
        return oc_fail(err, OC_EFORMAT, "%s '%s' gets %lld and %lld channels: they must agree",
                       oc_op_name(node->op), node->name, (long long)in[0].dim[1],
                       (long long)in[1].dim[1]);
    }
    bool gate = node->op == OC_OP_MULTIPLY && in[1].dim[2] == 1 && in[1].dim[3] == 1;
    if (!gate && !oc_shape_equal(&in[0], &in[1])) out->dim[2] = out->dim[3] = 0;
    return OC_OK;
}

static void infer_pad(const oc_attrs *a, const oc_shape *in, oc_shape *out) {
    if (in->dim[2] == 0) return;
    out->dim[2] = in->dim[2] + a->pad_top + a->pad_bottom;
    out->dim[3] = in->dim[3] + a->pad_left + a->pad_right;
}

static void infer_concat(const oc_node *node, const oc_shape *in, oc_shape *out) {
    bool fits = true, known = true;
    int64_t channels = 0;
    for (int i = 0; i < node->input_count; i++) {
        fits = fits && in[i].dim[2] == in[0].dim[2] && in[i].dim[3] == in[0].dim[3];
        known = known && in[i].dim[1] != 0;
        channels += in[i].dim[1];
    }
    out->dim[1] = known ? channels : 0;
    if (!fits) out->dim[2] = out->dim[3] = 0;
}

static void infer_flatten(const oc_shape *in, oc_shape *out) {
    int64_t all = in->dim[1] * in->dim[2] * in->dim[3];
    *out = oc_shape_4d(in->dim[0], all, all != 0, all != 0);
}

static oc_status infer_by_op(const oc_node *node, const oc_shape *in, int64_t features,
                             oc_shape *out, oc_error *err) {
    switch (node->op) {
    case OC_OP_CONV:
        return infer_conv(node, in, out, err);
    case OC_OP_DENSE:
        infer_dense(node, in, features, out);
        return OC_OK;
    case OC_OP_MAX_POOL:
    case OC_OP_AVG_POOL:
        window_both(&node->attrs, false, in, out);
        return OC_OK;
    case OC_OP_GLOBAL_POOL:
    case OC_OP_GLOBAL_MAX_POOL:
        out->dim[2] = out->dim[3] = in->dim[2] > 0;
        return OC_OK;
    case OC_OP_ADAPTIVE_POOL:
        out->dim[2] = in->dim[2] > 0 ? node->attrs.out_h : 0;
        out->dim[3] = in->dim[3] > 0 ? node->attrs.out_w : 0;
        return OC_OK;
    case OC_OP_ADD:
    case OC_OP_MAXIMUM:
    case OC_OP_MULTIPLY:
        return infer_two(node, in, out, err);
    case OC_OP_PAD:
        infer_pad(&node->attrs, in, out);
        return OC_OK;
    case OC_OP_CONCAT:
        infer_concat(node, in, out);
        return OC_OK;
    case OC_OP_FLATTEN:
        infer_flatten(in, out);
        return OC_OK;
    default:
        return OC_OK; /* the rest keep their input's shape */
    }
}

oc_status oci_infer(const oc_node *node, const oc_shape *inputs, int64_t features, oc_shape *out,
                    oc_error *err) {
    *out = inputs[0];
    OC_TRY(infer_by_op(node, inputs, features, out, err));
    if (out->dim[2] == 0 || out->dim[3] == 0) out->dim[2] = out->dim[3] = 0;
    if (out->dim[1] <= OCI_MAX_CHANNELS && out->dim[2] <= OCI_MAX_SIDE &&
        out->dim[3] <= OCI_MAX_SIDE) {
        return OC_OK;
    }
    char text[OC_SHAPE_TEXT];
    return oc_fail(err, OC_ELIMIT, "%s '%s' gives %s: at most %d channels of %d x %d are allowed",
                   oc_op_name(node->op), node->name, oc_shape_text(text, out), OCI_MAX_CHANNELS,
                   OCI_MAX_SIDE, OCI_MAX_SIDE);
}

oc_status oc_op_shape(oc_op op, const char *name, const oc_attrs *attrs, const oc_shape *inputs,
                      int count, oc_shape *out, oc_error *err) {
    oc_node node = {.name = name, .op = op, .input_count = count};
    OC_TRY(oci_attrs_check(op, name, attrs, &node.attrs, err));
    return oci_infer(&node, inputs, 0, out, err);
}

/* Inputs that a dense layer's weights were made for; 0 for other ops or where unknown. */
static int64_t features_of(const oc_graph *graph, const oc_node *node) {
    if (node->op != OC_OP_DENSE) return 0;
    return graph->params[node->first_param].shape.dim[1];
}

/* *bad: the first node that the size does not fit, or -1. */
static oc_status infer_all(const oc_graph *graph, const oc_shape *input, oc_shape *shapes, int *bad,
                           oc_error *err) {
    *bad = -1;
    for (int i = 0; i < (int)graph->count; i++) {
        const oc_node *node = &graph->records[i].node;
        oc_shape in[OC_MAX_INPUTS];
        for (int k = 0; k < node->input_count; k++) in[k] = shapes[node->inputs[k]];
        if (i == 0) {
            shapes[0] = *input;
        } else {
            OC_TRY(oci_infer(node, in, features_of(graph, node), &shapes[i], err));
        }
        if (shapes[i].dim[2] == 0) {
            *bad = i;
            return OC_OK;
        }
    }
    return OC_OK;
}

static oc_shape input_shape(const oc_graph *graph, int n, int h, int w) {
    return oc_shape_4d(n, graph->records[0].node.attrs.channels, h, w);
}

/* The first side from `from` on, in steps of `step` (1 or -1), at which every node has an output; 0
 * when there is none. */
static int side_that_works(const oc_graph *graph, int from, int step) {
    int found = 0;
    oc_shape *shapes = graph->count == 0 ? NULL : oc_calloc(graph->count, sizeof *shapes);
    for (int side = from; shapes != NULL && found == 0 && side > 0 && side <= LARGEST_TRIED;
         side += step) {
        oc_shape input = input_shape(graph, 1, side, side);
        int bad;
        if (infer_all(graph, &input, shapes, &bad, NULL) == OC_OK && bad < 0) found = side;
    }
    oc_free(shapes);
    return found;
}

int oc_graph_smallest(const oc_graph *graph) {
    return side_that_works(graph, 1, 1);
}

/* Where branches halve the sides in different ways, sizes that work and others take turns. */
static void advise_size(const oc_graph *graph, int side, char out[160]) {
    int smallest = oc_graph_smallest(graph);
    int below = side_that_works(graph, side, -1), above = side_that_works(graph, side + 1, 1);
    if (smallest == 0) {
        (void)snprintf(out, 160, "no square input up to %d works", LARGEST_TRIED);
    } else if (below == 0) {
        (void)snprintf(out, 160, "the smallest square input that works is %dx%d", smallest,
                       smallest);
    } else if (above > 0) {
        (void)snprintf(out, 160, "%dx%d and %dx%d work", below, below, above, above);
    } else {
        (void)snprintf(out, 160, "%dx%d works", below, below);
    }
}

static oc_status fail_too_small(const oc_graph *graph, const oc_shape *shapes, int bad, int h,
                                int w, oc_error *err) {
    const oc_node *node = &graph->records[bad].node;
    const oc_shape *in = &shapes[node->inputs[0]];
    char advice[160];
    advise_size(graph, h < w ? h : w, advice);
    if (node->op == OC_OP_DENSE && features_of(graph, node) != 0) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "an input of %dx%d does not fit: dense '%s' was made for %lld values and "
                       "gets %lldx%lldx%lld; %s",
                       h, w, node->name, (long long)features_of(graph, node), (long long)in->dim[1],
                       (long long)in->dim[2], (long long)in->dim[3], advice);
    }
    return oc_fail(err, OC_EUNSUPPORTED,
                   "an input of %dx%d does not fit: %s '%s' cannot work on what reaches it, "
                   "%lldx%lldx%lld (channels, height, width); %s",
                   h, w, oc_op_name(node->op), node->name, (long long)in->dim[1],
                   (long long)in->dim[2], (long long)in->dim[3], advice);
}

static oc_status check_volume(const oc_graph *graph, const oc_shape *shapes, oc_error *err) {
    for (size_t i = 0; i < graph->count; i++) {
        size_t count;
        if (oc_shape_count(&shapes[i], &count) && count <= MAX_ACTIVATION) continue;
        char text[OC_SHAPE_TEXT];
        return oc_fail(err, OC_ELIMIT,
                       "node '%s' would give %s values: try a smaller batch or size",
                       graph->records[i].node.name, oc_shape_text(text, &shapes[i]));
    }
    return OC_OK;
}

oc_status oc_graph_shapes(const oc_graph *graph, int n, int h, int w, oc_shape *shapes,
                          oc_error *err) {
    if (graph->count == 0) return oc_fail(err, OC_EUSAGE, "an empty graph has no shapes");
    if (n < 1 || h < 1 || w < 1 || h > OCI_MAX_SIDE || w > OCI_MAX_SIDE) {
        return oc_fail(err, OC_EUSAGE,
                       "a batch of %d images of %dx%d: each must be at least 1, sides at most %d",
                       n, h, w, OCI_MAX_SIDE);
    }
    oc_shape input = input_shape(graph, n, h, w);
    int bad;
    OC_TRY(infer_all(graph, &input, shapes, &bad, err));
    if (bad >= 0) return fail_too_small(graph, shapes, bad, h, w, err);
    return check_volume(graph, shapes, err);
}

uint64_t oc_graph_macs(const oc_graph *graph, int i, const oc_shape *shapes) {
    const oc_node *node = &graph->records[i].node;
    if (node->op != OC_OP_CONV && node->op != OC_OP_DENSE) return 0;
    const oc_shape *weights = &graph->params[node->first_param].shape, *out = &shapes[i];
    uint64_t macs = (uint64_t)out->dim[0] * (uint64_t)out->dim[2] * (uint64_t)out->dim[3];
    for (int d = 0; d < weights->rank; d++) macs *= (uint64_t)weights->dim[d];
    return macs;
}
