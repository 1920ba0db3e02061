/* Ops that look at windows of a plane: convolutions, pools, padding, local response.
 *
 * The size of the input is fixed, so every window's place is known: a size that is rounded up
 * becomes padding at the end, which all runtimes read alike, while they differ in what they make of
 * ONNX's own ceil_mode.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/onnx/lower_int.h"

/* A window along both axes; ends beyond `pad_end` are `over`. */
typedef struct frame {
    int64_t kernel[2], stride[2], dilation[2], before[2], after[2];
    int64_t over[2]; /* how far the last window reaches beyond the padding */
} frame;

static int64_t at_least_0(int64_t value) {
    return value > 0 ? value : 0;
}

static frame frame_of(const oci_lowering *l, int index) {
    const oc_node *node = oc_graph_node(l->graph, index);
    const oc_attrs *a = &node->attrs;
    const oc_shape *in = &l->shapes[node->inputs[0]], *out = &l->shapes[index];
    frame f = {.kernel = {a->kernel_h, a->kernel_w},
               .stride = {a->stride_h, a->stride_w},
               .dilation = {a->dilation_h, a->dilation_w},
               .before = {a->pad_top, a->pad_left},
               .after = {a->pad_bottom, a->pad_right}};
    for (int i = 0; i < 2; i++) {
        int64_t reach = (out->dim[2 + i] - 1) * f.stride[i] + f.kernel[i];
        f.over[i] = at_least_0(reach - f.before[i] - in->dim[2 + i] - f.after[i]);
    }
    return f;
}

static void put_frame(oci_lowering *l, const frame *f, bool padded) {
    const int64_t pads[] = {padded ? f->before[0] : 0, padded ? f->before[1] : 0,
                            f->over[0] + (padded ? f->after[0] : 0),
                            f->over[1] + (padded ? f->after[1] : 0)};
    oci_emit_ints(l->emit, "kernel_shape", f->kernel, 2);
    oci_emit_ints(l->emit, "strides", f->stride, 2);
    oci_emit_ints(l->emit, "pads", pads, 4);
}

static void lower_conv(oci_lowering *l, int index, const char *x) {
    const oc_node *node = oc_graph_node(l->graph, index);
    frame f = frame_of(l, index);
    f.over[0] = f.over[1] = 0;
    const char *weight = oci_lower_weight(l, node);
    oci_emit_begin(l->emit, "Conv", node->name);
    oci_emit_input(l->emit, x);
    oci_emit_input(l->emit, weight);
    if (node->attrs.bias) {
        const oc_param *bias = oc_graph_param(l->graph, node->first_param + 1);
        oci_emit_input(
            l->emit, oci_emit_floats(l->emit, bias->name, &bias->shape, oci_lower_values(l, bias)));
    }
    put_frame(l, &f, true);
    oci_emit_ints(l->emit, "dilations", f.dilation, 2);
    oci_emit_int(l->emit, "group", node->attrs.groups);
    (void)oci_emit_end(l->emit, node->name);
}

static void lower_max_pool(oci_lowering *l, int index, const char *x) {
    const oc_node *node = oc_graph_node(l->graph, index);
    frame f = frame_of(l, index);
    oci_emit_begin(l->emit, "MaxPool", node->name);
    oci_emit_input(l->emit, x);
    put_frame(l, &f, true);
    (void)oci_emit_end(l->emit, node->name);
}

/* pads: top, left, bottom, right */
static const char *emit_pad(oci_lowering *l, const char *name, const char *x, const int64_t pads[4],
                            float value) {
    const int64_t all[] = {0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]};
    const char *indices = oci_emit_indices(l->emit, oci_emit_name(l->emit, name, "pads"), all, 8);
    const char *constant = oci_emit_scalar(l->emit, value);
    oci_emit_begin(l->emit, "Pad", name);
    oci_emit_input(l->emit, x);
    oci_emit_input(l->emit, indices);
    oci_emit_input(l->emit, constant);
    return oci_emit_end(l->emit, name);
}

static void emit_average(oci_lowering *l, const char *name, const char *x, const frame *f,
                         bool padded, bool count_pad) {
    oci_emit_begin(l->emit, "AveragePool", name);
    oci_emit_input(l->emit, x);
    put_frame(l, f, padded);
    oci_emit_int(l->emit, "count_include_pad", count_pad);
    (void)oci_emit_end(l->emit, name);
}

/* Padding counts in the divisor, what lies beyond it does not: where both occur, the padding
 * becomes values of the input. */
static void lower_avg_pool(oci_lowering *l, int index, const char *x) {
    const oc_node *node = oc_graph_node(l->graph, index);
    frame f = frame_of(l, index);
    bool over = f.over[0] > 0 || f.over[1] > 0;
    if (!over || !node->attrs.count_pad) {
        emit_average(l, node->name, x, &f, true, node->attrs.count_pad && !over);
        return;
    }
    const int64_t pads[] = {f.before[0], f.before[1], f.after[0], f.after[1]};
    if (pads[0] + pads[1] + pads[2] + pads[3] > 0)
        x = emit_pad(l, oci_emit_name(l->emit, node->name, "padded"), x, pads, 0);
    emit_average(l, node->name, x, &f, false, false);
}

/* ---- pools to a size ------------------------------------------------------------------------ */

/* Averages of `in` values by shares of `out`, as a matrix: (out, in), or (in, out) turned. */
static const char *share_matrix(oci_lowering *l, const char *name, int64_t in, int64_t out,
                                bool turned) {
    const oc_shape shape = turned ? oc_shape_2d(in, out) : oc_shape_2d(out, in);
    float *matrix = oci_emit_room(l->emit, (size_t)(in * out));
    for (int64_t o = 0; matrix != NULL && o < out; o++) {
        int64_t first = o * in / out, end = ((o + 1) * in + out - 1) / out;
        for (int64_t i = first; i < end; i++)
            matrix[turned ? i * out + o : o * in + i] = 1 / (float)(end - first);
    }
    return oci_emit_floats(l->emit, name, &shape, matrix);
}

/* Shares that do not divide the plane: rows by one matrix, columns by another. */
static void lower_shares(oci_lowering *l, const oc_node *node, const char *x, const oc_shape *in) {
    const char *rows = share_matrix(l, oci_emit_name(l->emit, node->name, "row_shares"), in->dim[2],
                                    node->attrs.out_h, false);
    const char *columns = share_matrix(l, oci_emit_name(l->emit, node->name, "column_shares"),
                                       in->dim[3], node->attrs.out_w, true);
    const char *half =
        oci_emit_simple(l->emit, "MatMul", oci_emit_name(l->emit, node->name, "rows"), rows, x);
    (void)oci_emit_simple(l->emit, "MatMul", node->name, half, columns);
}

static void lower_adaptive(oci_lowering *l, int index, const char *x) {
    const oc_node *node = oc_graph_node(l->graph, index);
    const oc_shape *in = &l->shapes[node->inputs[0]];
    int64_t h = in->dim[2], w = in->dim[3], oh = node->attrs.out_h, ow = node->attrs.out_w;
    const frame whole = {.kernel = {h / oh, w / ow}, .stride = {h / oh, w / ow}};
    if (h == oh && w == ow) {
        (void)oci_emit_simple(l->emit, "Identity", node->name, x, NULL);
    } else if (oh == 1 && ow == 1) {
        (void)oci_emit_simple(l->emit, "GlobalAveragePool", node->name, x, NULL);
    } else if (h % oh == 0 && w % ow == 0) {
        emit_average(l, node->name, x, &whole, true, false);
    } else {
        lower_shares(l, node, x, in);
    }
}

/* ---- local response ------------------------------------------------------------------------- */

static void lower_lrn_across(oci_lowering *l, const oc_node *node, const char *x) {
    oci_emit_begin(l->emit, "LRN", node->name);
    oci_emit_input(l->emit, x);
    oci_emit_int(l->emit, "size", node->attrs.size);
    oci_emit_float(l->emit, "alpha", node->attrs.alpha);
    oci_emit_float(l->emit, "beta", node->attrs.beta);
    oci_emit_float(l->emit, "bias", node->attrs.k);
    (void)oci_emit_end(l->emit, node->name);
}

/* x (k + alpha * mean of x^2 over the window)^-beta */
static void lower_lrn_within(oci_lowering *l, const oc_node *node, const char *x) {
    oci_emit *e = l->emit;
    const oc_attrs *a = &node->attrs;
    int64_t half = a->size / 2;
    const frame f = {.kernel = {a->size, a->size},
                     .stride = {1, 1},
                     .before = {half, half},
                     .after = {half, half}};
    const char *square = oci_emit_simple(e, "Mul", oci_emit_name(e, node->name, "square"), x, x);
    const char *mean = oci_emit_name(e, node->name, "mean");
    emit_average(l, mean, square, &f, true, true);
    const char *sum = oci_lower_times(l, oci_emit_name(e, node->name, "weighed"), mean, a->alpha);
    sum = oci_lower_plus(l, oci_emit_name(e, node->name, "sum"), sum, a->k);
    const char *factor = oci_emit_simple(e, "Pow", oci_emit_name(e, node->name, "factor"), sum,
                                         oci_emit_scalar(e, -a->beta));
    (void)oci_emit_simple(e, "Mul", node->name, x, factor);
}

/* ---- by op --------------------------------------------------------------------------------- */

void oci_lower_window(oci_lowering *l, int index) {
    const oc_node *node = oc_graph_node(l->graph, index);
    const oc_attrs *a = &node->attrs;
    const char *x = oci_lower_input(l, node, 0, 4);
    const int64_t pads[] = {a->pad_top, a->pad_left, a->pad_bottom, a->pad_right};
    switch (node->op) {
    case OC_OP_CONV:
        lower_conv(l, index, x);
        break;
    case OC_OP_MAX_POOL:
        lower_max_pool(l, index, x);
        break;
    case OC_OP_AVG_POOL:
        lower_avg_pool(l, index, x);
        break;
    case OC_OP_GLOBAL_POOL:
        (void)oci_emit_simple(l->emit, "GlobalAveragePool", node->name, x, NULL);
        break;
    case OC_OP_GLOBAL_MAX_POOL:
        (void)oci_emit_simple(l->emit, "GlobalMaxPool", node->name, x, NULL);
        break;
    case OC_OP_ADAPTIVE_POOL:
        lower_adaptive(l, index, x);
        break;
    case OC_OP_PAD:
        (void)emit_pad(l, node->name, x, pads, a->value);
        break;
    default:
        (a->within ? lower_lrn_within : lower_lrn_across)(l, node, x);
        break;
    }
}
