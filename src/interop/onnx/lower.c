/* Ops of whole rows and of single values: dense layers, norms, activations, what joins two.
 *
 * An op that ONNX lacks is made of several nodes, called NODE:part; the last one has the node's own
 * name, so that values can be compared name by name.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/onnx/lower_int.h"

static const oc_node *node_at(const oci_lowering *l, int index) {
    return oc_graph_node(l->graph, index);
}

static int64_t channels_of(const oci_lowering *l, const oc_node *node) {
    return l->shapes[node->inputs[0]].dim[1];
}

const char *oci_lower_input(oci_lowering *l, const oc_node *node, int k, int rank) {
    static const int64_t spatial[] = {2, 3};
    const oci_lowered *from = &l->values[node->inputs[k]];
    const char part[] = {'i', 'n', (char)('0' + k % 10), (char)('0' + k / 10), 0};
    if (from->rank == rank) return from->name;
    const char *name = oci_emit_name(l->emit, node->name, part);
    if (rank == 4) {
        const char *axes = oci_emit_indices(l->emit, oci_emit_name(l->emit, name, "axes"), spatial,
                                            sizeof spatial / sizeof *spatial);
        return oci_emit_simple(l->emit, "Unsqueeze", name, from->name, axes);
    }
    oci_emit_begin(l->emit, "Flatten", name);
    oci_emit_input(l->emit, from->name);
    oci_emit_int(l->emit, "axis", 1);
    return oci_emit_end(l->emit, name);
}

const float *oci_lower_values(const oci_lowering *l, const oc_param *param) {
    const oc_tensor *t = oc_tensors_find(l->weights, param->name);
    OC_PROMISE(t != NULL && t->dtype == OC_F32);
    return t->data;
}

static const oc_param *param_of(const oci_lowering *l, const oc_node *node, oc_param_kind kind) {
    for (int i = 0; i < node->param_count; i++) {
        const oc_param *param = oc_graph_param(l->graph, node->first_param + i);
        if (param->kind == kind) return param;
    }
    return NULL;
}

/* An initializer of the parameter under its own name, with `shape` or its own. */
static const char *put_param(oci_lowering *l, const oc_param *param, const oc_shape *shape) {
    return oci_emit_floats(l->emit, param->name, shape != NULL ? shape : &param->shape,
                           oci_lower_values(l, param));
}

const char *oci_lower_weight(oci_lowering *l, const oc_node *node) {
    const oc_param *weight = param_of(l, node, OC_PARAM_WEIGHT);
    const oc_param *step = param_of(l, node, OC_PARAM_STEP);
    if (step == NULL) return put_param(l, weight, NULL);
    const char *whole = oci_emit_int8(l->emit, weight->name, &weight->shape,
                                      oci_lower_values(l, weight), oci_lower_values(l, step));
    const char *name = oci_emit_name(l->emit, node->name, "weight");
    oci_emit_begin(l->emit, "DequantizeLinear", name);
    oci_emit_input(l->emit, whole);
    oci_emit_input(l->emit, put_param(l, step, NULL));
    oci_emit_int(l->emit, "axis", 0);
    return oci_emit_end(l->emit, name);
}

const char *oci_lower_times(oci_lowering *l, const char *name, const char *x, float factor) {
    if (factor == 1) return x;
    return oci_emit_simple(l->emit, "Mul", name, x, oci_emit_scalar(l->emit, factor));
}

const char *oci_lower_plus(oci_lowering *l, const char *name, const char *x, float term) {
    if (term == 0) return x;
    return oci_emit_simple(l->emit, "Add", name, x, oci_emit_scalar(l->emit, term));
}

/* ---- layers -------------------------------------------------------------------------------- */

static void lower_dense(oci_lowering *l, const oc_node *node) {
    const char *x = oci_lower_input(l, node, 0, 2), *weight = oci_lower_weight(l, node);
    oci_emit_begin(l->emit, "Gemm", node->name);
    oci_emit_input(l->emit, x);
    oci_emit_input(l->emit, weight);
    if (node->attrs.bias)
        oci_emit_input(l->emit, put_param(l, param_of(l, node, OC_PARAM_BIAS), NULL));
    oci_emit_int(l->emit, "transB", 1);
    (void)oci_emit_end(l->emit, node->name);
}

static void lower_batch_norm(oci_lowering *l, const oc_node *node, const char *x) {
    oci_emit_begin(l->emit, "BatchNormalization", node->name);
    oci_emit_input(l->emit, x);
    for (int i = 0; i < node->param_count; i++)
        oci_emit_input(l->emit,
                       put_param(l, oc_graph_param(l->graph, node->first_param + i), NULL));
    oci_emit_float(l->emit, "epsilon", node->attrs.epsilon);
    (void)oci_emit_end(l->emit, node->name);
}

/* (c) beside values of that rank: (c, 1, 1) or (c). */
static oc_shape per_channel(int64_t channels, int rank) {
    oc_shape shape = oc_shape_1d(channels);
    while (shape.rank < rank - 1) shape.dim[shape.rank++] = 1;
    return shape;
}

static void lower_scale(oci_lowering *l, const oc_node *node, const char *x, int rank) {
    oc_shape shape = per_channel(channels_of(l, node), rank);
    const oc_param *bias = param_of(l, node, OC_PARAM_SHIFT);
    const char *factor = put_param(l, param_of(l, node, OC_PARAM_SCALE), &shape);
    if (bias == NULL) {
        (void)oci_emit_simple(l->emit, "Mul", node->name, x, factor);
        return;
    }
    const char *product = oci_emit_name(l->emit, node->name, "product");
    (void)oci_emit_simple(l->emit, "Mul", product, x, factor);
    (void)oci_emit_simple(l->emit, "Add", node->name, product, put_param(l, bias, &shape));
}

static void lower_prelu(oci_lowering *l, const oc_node *node, const char *x, int rank) {
    const oc_param *slope = param_of(l, node, OC_PARAM_SLOPE);
    oc_shape shape = per_channel(slope->shape.dim[0], rank);
    (void)oci_emit_simple(l->emit, "PRelu", node->name, x, put_param(l, slope, &shape));
}

/* ---- single values ------------------------------------------------------------------------- */

static void lower_with(oci_lowering *l, const char *op, const oc_node *node, const char *x,
                       const char *first, float a, const char *second, float b) {
    oci_emit_begin(l->emit, op, node->name);
    oci_emit_input(l->emit, x);
    oci_emit_float(l->emit, first, a);
    if (second != NULL) oci_emit_float(l->emit, second, b);
    (void)oci_emit_end(l->emit, node->name);
}

static void lower_clip(oci_lowering *l, const oc_node *node, const char *x, float low, float high) {
    const char *from = oci_emit_scalar(l->emit, low), *to = oci_emit_scalar(l->emit, high);
    oci_emit_begin(l->emit, "Clip", node->name);
    oci_emit_input(l->emit, x);
    oci_emit_input(l->emit, from);
    oci_emit_input(l->emit, to);
    (void)oci_emit_end(l->emit, node->name);
}

static void lower_silu(oci_lowering *l, const oc_node *node, const char *x) {
    const char *gate = oci_emit_name(l->emit, node->name, "gate");
    (void)oci_emit_simple(l->emit, "Sigmoid", gate, x, NULL);
    (void)oci_emit_simple(l->emit, "Mul", node->name, x, gate);
}

/* (shift + scale x)^exponent */
static void lower_power(oci_lowering *l, const oc_node *node, const char *x) {
    const oc_attrs *a = &node->attrs;
    x = oci_lower_times(l, oci_emit_name(l->emit, node->name, "scaled"), x, a->scale);
    x = oci_lower_plus(l, oci_emit_name(l->emit, node->name, "shifted"), x, a->shift);
    if (a->exponent == 1) {
        (void)oci_emit_simple(l->emit, "Identity", node->name, x, NULL);
    } else {
        (void)oci_emit_simple(l->emit, "Pow", node->name, x, oci_emit_scalar(l->emit, a->exponent));
    }
}

static void lower_quantize(oci_lowering *l, const oc_node *node, const char *x) {
    const char *step = oci_emit_scalar(l->emit, node->attrs.step);
    const char *zero = oci_emit_level(l->emit, (uint8_t)node->attrs.zero);
    const char *level = oci_emit_name(l->emit, node->name, "level");
    oci_emit_begin(l->emit, "QuantizeLinear", level);
    oci_emit_input(l->emit, x);
    oci_emit_input(l->emit, step);
    oci_emit_input(l->emit, zero);
    (void)oci_emit_end(l->emit, level);
    oci_emit_begin(l->emit, "DequantizeLinear", node->name);
    oci_emit_input(l->emit, level);
    oci_emit_input(l->emit, step);
    oci_emit_input(l->emit, zero);
    (void)oci_emit_end(l->emit, node->name);
}

static void lower_axis1(oci_lowering *l, const oc_node *node, const char *op, int rank) {
    const char *inputs[OC_MAX_INPUTS];
    for (int k = 0; k < node->input_count; k++) inputs[k] = oci_lower_input(l, node, k, rank);
    oci_emit_begin(l->emit, op, node->name);
    for (int k = 0; k < node->input_count; k++) oci_emit_input(l->emit, inputs[k]);
    oci_emit_int(l->emit, "axis", 1);
    (void)oci_emit_end(l->emit, node->name);
}

static void lower_two(oci_lowering *l, const oc_node *node, const char *op, int rank) {
    const char *a = oci_lower_input(l, node, 0, rank), *b = oci_lower_input(l, node, 1, rank);
    (void)oci_emit_simple(l->emit, op, node->name, a, b);
}

/* ---- by op --------------------------------------------------------------------------------- */

/* Ops that ONNX has under a name of its own, without attributes. */
static const char *plain_op(oc_op op) {
    switch (op) {
    case OC_OP_RELU:
        return "Relu";
    case OC_OP_SIGMOID:
        return "Sigmoid";
    case OC_OP_TANH:
        return "Tanh";
    case OC_OP_HARD_SWISH:
        return "HardSwish";
    default:
        return NULL;
    }
}

static const char *op_of_two(oc_op op) {
    if (op == OC_OP_ADD) return "Add";
    if (op == OC_OP_MAXIMUM) return "Max";
    return op == OC_OP_MULTIPLY ? "Mul" : NULL;
}

static void lower_pointwise(oci_lowering *l, const oc_node *node, const char *x, int rank) {
    const oc_attrs *a = &node->attrs;
    switch (node->op) {
    case OC_OP_BATCH_NORM:
        lower_batch_norm(l, node, x);
        break;
    case OC_OP_SCALE:
        lower_scale(l, node, x, rank);
        break;
    case OC_OP_PRELU:
        lower_prelu(l, node, x, rank);
        break;
    case OC_OP_RELU6:
        lower_clip(l, node, x, 0, 6);
        break;
    case OC_OP_CLIP:
        lower_clip(l, node, x, a->low, a->high);
        break;
    case OC_OP_LEAKY_RELU:
        lower_with(l, "LeakyRelu", node, x, "alpha", a->slope, NULL, 0);
        break;
    case OC_OP_HARD_SIGMOID:
        lower_with(l, "HardSigmoid", node, x, "alpha", a->alpha, "beta", a->beta);
        break;
    case OC_OP_SILU:
        lower_silu(l, node, x);
        break;
    case OC_OP_POWER:
        lower_power(l, node, x);
        break;
    case OC_OP_QUANTIZE:
        lower_quantize(l, node, x);
        break;
    default:
        (void)oci_emit_simple(l->emit, plain_op(node->op), node->name, x, NULL);
        break;
    }
}

static bool is_window(oc_op op) {
    return op == OC_OP_CONV || op == OC_OP_MAX_POOL || op == OC_OP_AVG_POOL ||
           op == OC_OP_GLOBAL_POOL || op == OC_OP_GLOBAL_MAX_POOL || op == OC_OP_ADAPTIVE_POOL ||
           op == OC_OP_LRN || op == OC_OP_PAD;
}

/* Inputs of different rank are all brought to four dimensions. */
static int common_rank(const oci_lowering *l, const oc_node *node) {
    int rank = 2;
    for (int k = 0; k < node->input_count; k++)
        if (l->values[node->inputs[k]].rank == 4) rank = 4;
    return rank;
}

void oci_lower_node(oci_lowering *l, int index) {
    const oc_node *node = node_at(l, index);
    oci_lowered *value = &l->values[index];
    int rank = common_rank(l, node);
    *value = (oci_lowered){.name = node->name, .rank = rank};
    if (is_window(node->op)) {
        oci_lower_window(l, index);
        value->rank = 4;
    } else if (node->op == OC_OP_DROPOUT) {
        *value = l->values[node->inputs[0]];
    } else if (node->op == OC_OP_DENSE) {
        lower_dense(l, node);
        value->rank = 2;
    } else if (node->op == OC_OP_FLATTEN) {
        lower_axis1(l, node, "Flatten", rank);
        value->rank = 2;
    } else if (node->op == OC_OP_CONCAT) {
        lower_axis1(l, node, "Concat", rank);
    } else if (node->op == OC_OP_SOFTMAX) {
        lower_axis1(l, node, "Softmax", rank);
    } else if (op_of_two(node->op) != NULL) {
        lower_two(l, node, op_of_two(node->op), rank);
    } else {
        lower_pointwise(l, node, oci_lower_input(l, node, 0, rank), rank);
    }
}
