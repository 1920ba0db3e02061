/* Arithmetic: with constants (a term or factor for all, or one a channel) and between layers.
 *
 * Exporters write activations that we have as one op in several; they are told by their last node:
 * x * sigmoid(x), x * clip(x + 3, 0, 6) / 6 and the like.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/onnx/ops_int.h"

/* ---- a constant -------------------------------------------------------------------------------
 */

/* Aligned at their last axes, has it one value for each channel and 1 along all others? */
static bool is_per_channel(const oci_value *from, const oci_known *known, int64_t channels) {
    int shift = from->rank - known->shape.rank, at = oci_channel_axis(from);
    if (shift < 0 || at < shift || from->by_pixel || known->count != (size_t)channels) return false;
    return known->shape.dim[at - shift] == channels;
}

oc_status oci_operand_of(oci_import *x, const oci_value *from, const oci_known *known,
                         oci_operand *out, oc_error *err) {
    *out = (oci_operand){.single = known->count == 1 && known->shape.rank <= from->rank};
    if (!out->single && !is_per_channel(from, known, oci_layer_of(x, from)->shape.dim[1]))
        return OC_OK;
    return oci_known_floats(x, known, &out->values, err);
}

static bool near(float a, float b) {
    return fabsf(a - b) <= 1e-6F * (fabsf(b) + 1);
}

static const oci_layer *below(const oci_import *x, const oci_layer *layer) {
    return &x->layers[layer->inputs[0]];
}

static bool is_line(const oci_layer *l, float scale, float shift) {
    return l->op == OC_OP_POWER && l->attrs.exponent == 1 && near(l->attrs.scale, scale) &&
           near(l->attrs.shift, shift);
}

/* clip(x + 3, 0, 6): the layer x, or -1. */
static int below_ramp(const oci_import *x, const oci_layer *l) {
    if (l->op != OC_OP_RELU6 || !is_line(below(x, l), 1, 3)) return -1;
    return below(x, l)->inputs[0];
}

/* y / 6, where y is a ramp, or x times its ramp. */
static oc_status take_sixth(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                            bool *done, oc_error *err) {
    const oci_layer *l = oci_layer_of(x, from);
    oci_value inner = *from;
    *done = true;
    inner.layer = below_ramp(x, l);
    if (inner.layer >= 0) return oci_add_pointwise(x, node, OC_OP_HARD_SIGMOID, NULL, &inner, err);
    for (int k = 0; k < 2 && l->op == OC_OP_MULTIPLY; k++) {
        inner.layer = l->inputs[k];
        if (below_ramp(x, &x->layers[l->inputs[1 - k]]) == inner.layer)
            return oci_add_pointwise(x, node, OC_OP_HARD_SWISH, NULL, &inner, err);
    }
    *done = false;
    return OC_OK;
}

static oc_status add_line(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                          float scale, float shift, float exponent, oc_error *err) {
    const oc_attrs attrs = {.scale = scale, .shift = shift, .exponent = exponent};
    return oci_add_pointwise(x, node, OC_OP_POWER, &attrs, from, err);
}

/* weights NULL = ones; terms NULL = none */
static oc_status add_scale(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                           const float *weights, const float *terms, oc_error *err) {
    const oc_attrs attrs = {.bias = terms != NULL};
    size_t channels = (size_t)oci_layer_of(x, from)->shape.dim[1];
    float *ones = NULL;
    int layer = -1;
    OC_TRY(oci_add_layer(x, node, OC_OP_SCALE, &attrs, &from->layer, 1, &layer, err));
    if (layer < 0) return OC_OK;
    if (weights == NULL) {
        OC_TRY(oci_import_room(x, channels, sizeof *ones, &ones, err));
        for (size_t i = 0; i < channels; i++) ones[i] = 1;
        weights = ones;
    }
    const oci_param_values factor = {.data = weights, .dtype = OC_F32, .count = channels},
                           term = {.data = terms, .dtype = OC_F32, .count = channels};
    x->layers[layer].params[0] = factor;
    x->layers[layer].params[1] = term;
    oci_set_layer(x, node, layer, from);
    return OC_OK;
}

/* Terms a channel go into the layer before where that has some itself. */
static oc_status add_terms(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                           const float *terms, oc_error *err) {
    int layer = -1;
    OC_TRY(oci_merge_bias(x, node, from->layer, terms, &layer, err));
    if (layer < 0) return add_scale(x, node, from, NULL, terms, err);
    oci_set_layer(x, node, layer, from);
    return OC_OK;
}

/* ---- with a constant ---------------------------------------------------------------------------
 */

typedef enum arithmetic { PLUS, MINUS, TIMES, OVER } arithmetic;

/* f(a) for each of the operand's values, in the pool. */
static oc_status changed(oci_import *x, const oci_operand *operand, size_t count, arithmetic op,
                         const float **out, oc_error *err) {
    float *values = NULL;
    *out = operand->values;
    if (op == PLUS || op == TIMES) return OC_OK;
    OC_TRY(oci_import_room(x, count, sizeof *values, &values, err));
    for (size_t i = 0; i < count; i++)
        values[i] = op == MINUS ? -operand->values[i] : 1 / operand->values[i];
    *out = values;
    return OC_OK;
}

/* layer op constant */
static oc_status with_constant(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                               const oci_known *known, arithmetic op, oc_error *err) {
    oci_operand operand = {0};
    const float *values = NULL;
    bool done = false;
    OC_TRY(oci_operand_of(x, from, known, &operand, err));
    if (operand.values == NULL)
        return oci_lack(x, node, "a constant that is neither one number nor one a channel");
    size_t channels = (size_t)oci_layer_of(x, from)->shape.dim[1];
    OC_TRY(changed(x, &operand, operand.single ? 1 : channels, op, &values, err));
    bool factor = op == TIMES || op == OVER;
    if (!operand.single)
        return factor ? add_scale(x, node, from, values, NULL, err)
                      : add_terms(x, node, from, values, err);
    if (factor && near(values[0], 1.F / 6)) {
        OC_TRY(take_sixth(x, node, from, &done, err));
        if (done) return OC_OK;
    }
    return add_line(x, node, from, factor ? values[0] : 1, factor ? 0 : values[0], 1, err);
}

/* constant - layer, constant / layer: of one number. */
static oc_status from_constant(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                               const oci_known *known, arithmetic op, oc_error *err) {
    oci_operand operand = {0};
    OC_TRY(oci_operand_of(x, from, known, &operand, err));
    if (operand.values == NULL || !operand.single || op == OVER)
        return oci_lack(x, node, "a constant that is not one number, or divided by a layer");
    return add_line(x, node, from, -1, operand.values[0], 1, err);
}

/* ---- between layers ----------------------------------------------------------------------------
 */

/* "nchw" for a value of those axes, as oci_is_laid takes it; false where axes of size 1 have no
 * name. */
static bool order_of(const oci_value *value, char order[OC_MAX_RANK + 1]) {
    for (int i = 0; i < value->rank; i++) {
        if (value->axis[i] >= OCI_ONE) return false;
        order[i] = "nchw"[value->axis[i]];
    }
    order[value->rank] = '\0';
    return true;
}

static bool alike(const oci_import *x, const oci_value *a, const oci_value *b) {
    char order[OC_MAX_RANK + 1];
    if (a->by_pixel != b->by_pixel || a->rank != b->rank) return false;
    return (order_of(a, order) && oci_is_laid(x, b, order)) ||
           memcmp(a->axis, b->axis, (size_t)a->rank * sizeof *a->axis) == 0;
}

static bool is_gate(const oci_import *x, const oci_value *value, const oci_value *of) {
    const oc_shape *s = &oci_layer_of(x, value)->shape;
    return s->dim[2] == 1 && s->dim[3] == 1 && alike(x, of, value);
}

static oc_status add_two(oci_import *x, const oci_onnx_node *node, oc_op op, const oci_value *a,
                         const oci_value *b, oc_error *err) {
    const oc_attrs none = {0};
    const int inputs[] = {a->layer, b->layer};
    int layer = -1;
    bool same = oc_shape_equal(&oci_layer_of(x, a)->shape, &oci_layer_of(x, b)->shape);
    if (!alike(x, a, b) || (!same && !(op == OC_OP_MULTIPLY && is_gate(x, b, a))))
        return oci_lack(x, node, "two values of different shapes");
    OC_TRY(oci_add_layer(x, node, op, &none, inputs, 2, &layer, err));
    oci_set_layer(x, node, layer, a);
    return OC_OK;
}

/* x times what follows from x alone. */
static oc_status times_self(oci_import *x, const oci_onnx_node *node, const oci_value *a,
                            const oci_value *b, bool *done, oc_error *err) {
    const oci_layer *gate = oci_layer_of(x, b);
    int op = -1;
    if (gate->input_count == 1 && gate->inputs[0] == a->layer) {
        if (gate->op == OC_OP_SIGMOID) op = OC_OP_SILU;
        if (gate->op == OC_OP_HARD_SIGMOID && near(gate->attrs.alpha, 1.F / 6) &&
            near(gate->attrs.beta, 0.5F))
            op = OC_OP_HARD_SWISH;
    }
    *done = op >= 0;
    return *done ? oci_add_pointwise(x, node, op, NULL, a, err) : OC_OK;
}

static oc_status times(oci_import *x, const oci_onnx_node *node, const oci_value *a,
                       const oci_value *b, oc_error *err) {
    bool done = false;
    OC_TRY(times_self(x, node, a, b, &done, err));
    if (!done) OC_TRY(times_self(x, node, b, a, &done, err));
    if (done) return OC_OK;
    const oc_shape *s = &oci_layer_of(x, a)->shape, *t = &oci_layer_of(x, b)->shape;
    bool turned = !oc_shape_equal(s, t) && is_gate(x, a, b);
    return add_two(x, node, OC_OP_MULTIPLY, turned ? b : a, turned ? a : b, err);
}

static oc_status minus(oci_import *x, const oci_onnx_node *node, const oci_value *a,
                       const oci_value *b, oc_error *err) {
    const oc_attrs negative = {.scale = -1, .exponent = 1};
    oci_value turned = *b;
    OC_TRY(oci_add_layer(x, node, OC_OP_POWER, &negative, &b->layer, 1, &turned.layer, err));
    return turned.layer < 0 ? OC_OK : add_two(x, node, OC_OP_ADD, a, &turned, err);
}

static oc_status arithmetic_of(oci_import *x, const oci_onnx_node *node, arithmetic op,
                               oc_error *err) {
    const oci_value *a = oci_input_of(x, node, 0), *b = oci_input_of(x, node, 1);
    if (b == NULL || node->input_count != 2) return oci_lack(x, node, "needs two inputs");
    bool turned = a->kind == OCI_VALUE_KNOWN;
    if (turned && (op == MINUS || op == OVER)) return from_constant(x, node, b, &a->known, op, err);
    if (turned) return with_constant(x, node, b, &a->known, op, err);
    if (b->kind == OCI_VALUE_KNOWN) return with_constant(x, node, a, &b->known, op, err);
    if (op == PLUS) return add_two(x, node, OC_OP_ADD, a, b, err);
    if (op == TIMES) return times(x, node, a, b, err);
    return op == MINUS ? minus(x, node, a, b, err) : oci_lack(x, node, "divides by a layer");
}

static oc_status take_add(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return arithmetic_of(x, node, PLUS, err);
}
static oc_status take_sub(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return arithmetic_of(x, node, MINUS, err);
}
static oc_status take_mul(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return arithmetic_of(x, node, TIMES, err);
}
static oc_status take_div(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return arithmetic_of(x, node, OVER, err);
}

/* ---- the larger, powers ------------------------------------------------------------------------
 */

/* Max or Min with one number: a limit. */
static oc_status take_limit(oci_import *x, const oci_onnx_node *node, bool lower, oc_error *err) {
    const oci_value *a = oci_input_of(x, node, 0), *b = oci_input_of(x, node, 1);
    const float *value = NULL;
    oc_attrs attrs = {.low = -1e30F, .high = 1e30F};
    const oci_value *known = a->kind == OCI_VALUE_KNOWN ? a : b, *from = known == a ? b : a;
    if (known->known.count != 1) return oci_lack(x, node, "a limit that is not one number");
    OC_TRY(oci_known_floats(x, &known->known, &value, err));
    if (lower && *value == 0) return oci_add_pointwise(x, node, OC_OP_RELU, NULL, from, err);
    *(lower ? &attrs.low : &attrs.high) = *value;
    const oci_layer *l = oci_layer_of(x, from);
    if (!lower && *value == 6 && l->op == OC_OP_RELU) {
        oci_value inner = *from;
        inner.layer = l->inputs[0];
        return oci_add_pointwise(x, node, OC_OP_RELU6, NULL, &inner, err);
    }
    return oci_add_pointwise(x, node, OC_OP_CLIP, &attrs, from, err);
}

static bool one_is_known(const oci_import *x, const oci_onnx_node *node) {
    return node->input_count == 2 && oci_input_known(x, node, 0) != oci_input_known(x, node, 1);
}

static oc_status take_max(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *a = oci_input_of(x, node, 0), *b = oci_input_of(x, node, 1);
    if (one_is_known(x, node)) return take_limit(x, node, true, err);
    if (node->input_count != 2 || a->kind != OCI_VALUE_LAYER || b->kind != OCI_VALUE_LAYER)
        return oci_lack(x, node, "of other than two values");
    return add_two(x, node, OC_OP_MAXIMUM, a, b, err);
}

static oc_status take_min(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    if (one_is_known(x, node)) return take_limit(x, node, false, err);
    return oci_lack(x, node, "of other than a value and a number");
}

static oc_status take_power(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    const float *exponent = NULL;
    if (from->kind != OCI_VALUE_LAYER || !oci_input_known(x, node, 1) ||
        oci_input_of(x, node, 1)->known.count != 1)
        return oci_lack(x, node, "an exponent that is not one number");
    OC_TRY(oci_known_floats(x, &oci_input_of(x, node, 1)->known, &exponent, err));
    return add_line(x, node, from, 1, 0, *exponent, err);
}

static oc_status take_sqrt(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "of a constant");
    return add_line(x, node, from, 1, 0, 0.5F, err);
}

static oc_status take_neg(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "of a constant");
    return add_line(x, node, from, -1, 0, 1, err);
}

/* ---- concatenation ------------------------------------------------------------------------------
 */

/* Parts of at most as many inputs as a layer of ours may have, joined in turn. */
static oc_status join(oci_import *x, const oci_onnx_node *node, int *layer, oc_error *err) {
    const oc_attrs none = {0};
    int inputs[OC_MAX_INPUTS], count = 0;
    for (size_t k = 0; k < node->input_count; k++) {
        inputs[count++] = oci_input_of(x, node, k)->layer;
        if (count < OC_MAX_INPUTS && k + 1 < node->input_count) continue;
        OC_TRY(oci_add_layer(x, node, OC_OP_CONCAT, &none, inputs, count, layer, err));
        if (*layer < 0) return OC_OK;
        inputs[0] = *layer;
        count = 1;
    }
    return OC_OK;
}

static oc_status take_concat(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *first = oci_input_of(x, node, 0);
    int64_t axis = oci_attr_int(node, "axis", 1);
    int layer = -1;
    for (size_t k = 0; k < node->input_count; k++) {
        const oci_value *value = oci_input_of(x, node, k);
        if (value == NULL || value->kind != OCI_VALUE_LAYER || first->kind != OCI_VALUE_LAYER ||
            value->by_pixel || !alike(x, first, value))
            return oci_lack(x, node, "joins constants, or values of different axes");
    }
    axis = axis < 0 ? axis + first->rank : axis;
    if (axis != oci_channel_axis(first))
        return oci_lack(x, node, "along axis %lld", (long long)axis);
    if (node->input_count == 1) {
        oci_set_alias(x, node, first);
        return OC_OK;
    }
    OC_TRY(join(x, node, &layer, err));
    oci_set_layer(x, node, layer, first);
    return OC_OK;
}

const oci_onnx_op oci_ops_join[] = {{"Add", take_add}, {"Sum", take_add},       {"Sub", take_sub},
                                    {"Mul", take_mul}, {"Div", take_div},       {"Max", take_max},
                                    {"Min", take_min}, {"Pow", take_power},     {"Sqrt", take_sqrt},
                                    {"Neg", take_neg}, {"Concat", take_concat}, {NULL, NULL}};
