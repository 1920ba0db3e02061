/* What a Caffe layer of each kind becomes: a row of the table at the end, and a function that reads
 * its parameters.
 *
 * Caffe's own rules are kept: pools round their size up and clip windows at input plus padding
 * (so `ceil` and `count_pad`), a local response norm within a channel has k = 1, a batch norm
 * stores sums and a count that they are divided by (weights.c), an inner product flattens
 * what it reads.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/net_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct row row;

/* What one call needs. */
typedef struct emission {
    oci_caffe_builder *b;
    size_t index;
    const oci_caffe_layer *layer;
    const oci_proto *param; /* of its kind */
    int x;                  /* the node that its first input is */
    bool flat;              /* of that */
    oc_op op;
    oc_error *err;
} emission;

struct row {
    const char *type;
    const char *param; /* the field with its parameters; NULL = none */
    int most;          /* inputs; 0 = any number */
    oc_op op;
    oc_status (*emit)(emission *e);
};

static oc_status refuse(const emission *e, const char *why) {
    char place[OCI_PLACE_BYTES];
    return oc_fail(e->err, OC_EUNSUPPORTED, "%s: %s", oci_caffe_place(place, e->layer), why);
}

static oc_status add(emission *e, const oc_attrs *attrs) {
    int node;
    return oci_caffe_add(e->b, e->index, "", e->op, &e->x, 1, attrs, &node, e->err);
}

static int input_node(const emission *e, int i) {
    return e->b->made[e->layer->bottoms[i].layer].node;
}

/* ---- windows ------------------------------------------------------------------------------- */

/* A whole number as an attribute; what is too large stays too large for every attribute. */
static int32_t size_of(int64_t value) {
    return value > INT32_MAX || value < 0 ? INT32_MAX : (int32_t)value;
}

/* One of a pair: `name`_h or `name`_w where it is there, else of `both`, a field that comes once
 * for both or once for each side (0 = height, 1 = width). */
static int32_t side(const oci_proto *m, const char *name, const char *both, int i,
                    int32_t fallback) {
    char word[32];
    (void)snprintf(word, sizeof word, "%s_%c", name, i == 0 ? 'h' : 'w');
    if (oci_proto_has(m, word)) return size_of(oci_proto_int(m, word));
    const oci_proto_value *v = oci_proto_next(m, both, NULL);
    if (v == NULL) return fallback;
    const oci_proto_value *second = oci_proto_next(m, both, v);
    if (i == 1 && second != NULL) v = second;
    return size_of(v->as.integer);
}

static void read_window(const oci_proto *m, oc_attrs *a) {
    a->kernel_h = side(m, "kernel", "kernel_size", 0, 0);
    a->kernel_w = side(m, "kernel", "kernel_size", 1, 0);
    a->stride_h = side(m, "stride", "stride", 0, 1);
    a->stride_w = side(m, "stride", "stride", 1, 1);
    a->pad_top = a->pad_bottom = side(m, "pad", "pad", 0, 0);
    a->pad_left = a->pad_right = side(m, "pad", "pad", 1, 0);
}

/* ---- layers with weights ------------------------------------------------------------------- */

static oc_init init_of(const oci_proto *m) {
    const char *type = oci_proto_text(oci_proto_sub(m, "weight_filler"), "type");
    if (strcmp(type, "xavier") == 0) return OC_INIT_XAVIER;
    return strcmp(type, "msra") == 0 ? OC_INIT_KAIMING_UNIFORM : OC_INIT_NORMAL_001;
}

static int32_t dilation(const oci_proto *m, int i) {
    const oci_proto_value *v = oci_proto_next(m, "dilation", NULL);
    const oci_proto_value *second = v != NULL ? oci_proto_next(m, "dilation", v) : NULL;
    if (v == NULL) return 1;
    return size_of(i == 1 && second != NULL ? second->as.integer : v->as.integer);
}

static oc_status emit_convolution(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_CONV);
    const oci_proto *m = e->param;
    if (oci_proto_int(m, "axis") != 1) return refuse(e, "axis: only 1, the channels, is read");
    read_window(m, &a);
    a.out = size_of(oci_proto_int(m, "num_output"));
    a.groups = size_of(oci_proto_int(m, "group"));
    a.bias = oci_proto_bool(m, "bias_term");
    a.dilation_h = dilation(m, 0);
    a.dilation_w = dilation(m, 1);
    a.init = (int32_t)init_of(m);
    return add(e, &a);
}

static oc_status emit_inner_product(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_DENSE);
    const oci_proto *m = e->param;
    int64_t axis = oci_proto_int(m, "axis");
    if (axis != 1) return refuse(e, "axis: only 1, all values of a photo, is read");
    a.out = size_of(oci_proto_int(m, "num_output"));
    a.bias = oci_proto_bool(m, "bias_term");
    a.init = (int32_t)init_of(m);
    if (!e->flat) {
        OC_TRY(oci_caffe_add(e->b, e->index, "/flatten", OC_OP_FLATTEN, &e->x, 1, NULL, &e->x,
                             e->err));
    }
    return add(e, &a);
}

static oc_status emit_prelu(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_PRELU);
    a.shared = oci_proto_bool(e->param, "channel_shared");
    return add(e, &a);
}

static bool by_channel(const oci_proto *m) {
    return oci_proto_int(m, "axis") == 1 && oci_proto_int(m, "num_axes") == 1;
}

/* The Scale that alone reads layer i, or NULL. */
static const oci_caffe_layer *scale_behind(const oci_caffe_builder *b, size_t i) {
    const oci_caffe_network *net = b->net;
    if (net->layers[i].readers != 1) return NULL;
    for (size_t k = i + 1; k < net->count; k++) {
        const oci_caffe_layer *next = &net->layers[k];
        if (!next->needed || !oci_caffe_is(next, "Scale") || next->bottom_count != 1) continue;
        if (next->bottoms[0].layer == (int)i)
            return by_channel(oci_caffe_param_of(next, "scale_param")) ? next : NULL;
    }
    return NULL;
}

static oc_status emit_batch_norm(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_BATCH_NORM);
    const oci_caffe_layer *scale = scale_behind(e->b, e->index);
    a.epsilon = (float)oci_proto_real(e->param, "eps");
    a.momentum = 1 - (float)oci_proto_real(e->param, "moving_average_fraction");
    OC_TRY(add(e, &a));
    e->b->origins[e->b->made[e->index].node].scale = scale;
    if (scale != NULL) e->b->made[scale - e->b->net->layers].normalise = e->layer;
    return OC_OK;
}

/* A Scale that reads two blobs multiplies them: a gate. */
static oc_status emit_gate(emission *e) {
    const int inputs[] = {e->x, input_node(e, 1)};
    int node;
    if (oci_proto_bool(e->param, "bias_term")) return refuse(e, "two inputs and a bias");
    return oci_caffe_add(e->b, e->index, "", OC_OP_MULTIPLY, inputs, 2, NULL, &node, e->err);
}

static oc_status emit_scale(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_SCALE);
    oci_caffe_made *made = &e->b->made[e->index];
    if (e->layer->bottom_count == 2) return emit_gate(e);
    if (made->normalise != NULL) { /* the batch norm does it */
        made->node = e->x;
        return OC_OK;
    }
    if (!by_channel(e->param)) return refuse(e, "axis, num_axes: only a value a channel is read");
    a.bias = oci_proto_bool(e->param, "bias_term");
    return add(e, &a);
}

static oc_status emit_bias(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_SCALE);
    if (!by_channel(e->param)) return refuse(e, "axis, num_axes: only a value a channel is read");
    a.bias = 1;
    return add(e, &a);
}

/* ---- pools and norms ----------------------------------------------------------------------- */

static oc_status emit_pooling(emission *e) {
    const oci_proto *m = e->param;
    bool max = oci_proto_int(m, "pool") == 0;
    if (oci_proto_int(m, "pool") > 1) return refuse(e, "stochastic pooling");
    if (oci_proto_bool(m, "global_pooling")) {
        e->op = max ? OC_OP_GLOBAL_MAX_POOL : OC_OP_GLOBAL_POOL;
        OC_TRY(add(e, NULL));
        e->b->made[e->index].flat = true;
        return OC_OK;
    }
    e->op = max ? OC_OP_MAX_POOL : OC_OP_AVG_POOL;
    oc_attrs a = oc_attrs_default(e->op);
    read_window(m, &a);
    a.ceil = oci_proto_int(m, "round_mode") == 0;
    a.count_pad = 1;
    return add(e, &a);
}

static oc_status emit_lrn(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_LRN);
    a.size = size_of(oci_proto_int(e->param, "local_size"));
    a.alpha = (float)oci_proto_real(e->param, "alpha");
    a.beta = (float)oci_proto_real(e->param, "beta");
    a.within = oci_proto_int(e->param, "norm_region") == 1;
    a.k = a.within ? 1 : (float)oci_proto_real(e->param, "k");
    return add(e, &a);
}

/* ---- values one by one --------------------------------------------------------------------- */

static oc_status emit_plain(emission *e) {
    return add(e, NULL);
}

static oc_status emit_relu(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_LEAKY_RELU);
    a.slope = (float)oci_proto_real(e->param, "negative_slope");
    if (a.slope == 0) return add(e, NULL);
    e->op = OC_OP_LEAKY_RELU;
    return add(e, &a);
}

static oc_status emit_dropout(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_DROPOUT);
    a.p = (float)oci_proto_real(e->param, "dropout_ratio");
    return add(e, &a);
}

static oc_status emit_power(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_POWER);
    a.exponent = (float)oci_proto_real(e->param, "power");
    a.scale = (float)oci_proto_real(e->param, "scale");
    a.shift = (float)oci_proto_real(e->param, "shift");
    return add(e, &a);
}

static oc_status emit_clip(emission *e) {
    oc_attrs a = oc_attrs_default(OC_OP_CLIP);
    a.low = (float)oci_proto_real(e->param, "min");
    a.high = (float)oci_proto_real(e->param, "max");
    return add(e, &a);
}

static oc_status emit_swish(emission *e) {
    if (oci_proto_real(e->param, "beta") != 1) return refuse(e, "beta: only 1 is read");
    return add(e, NULL);
}

/* ---- shapes -------------------------------------------------------------------------------- */

static oc_status emit_flatten(emission *e) {
    const oci_proto *m = e->param;
    int64_t end = oci_proto_int(m, "end_axis");
    if (oci_proto_int(m, "axis") != 1 || (end != -1 && end != 3))
        return refuse(e, "axis, end_axis: only all values of a photo, 1 to -1, are read");
    OC_TRY(add(e, NULL));
    e->b->made[e->index].flat = true;
    return OC_OK;
}

/* The i-th size that a Reshape asks for; 1 behind the last one. */
static int64_t asked(const oci_proto *shape, int i) {
    const oci_proto_value *v = oci_proto_next(shape, "dim", NULL);
    for (; v != NULL && i > 0; i--) v = oci_proto_next(shape, "dim", v);
    return v != NULL ? v->as.integer : 1;
}

/* The forms that change nothing here: {0, -1[, 1, 1]} flattens, {0, 0, 0, 0} copies, {0, N, 1, 1}
 * of what is flat copies too, as a wrong N shows later. */
static oc_status emit_reshape(emission *e) {
    const oci_proto *shape = oci_proto_sub(e->param, "shape");
    size_t rank = oci_proto_count(shape, "dim");
    bool whole = oci_proto_int(e->param, "axis") == 0 && oci_proto_int(e->param, "num_axes") == -1;
    bool ones = asked(shape, 2) == 1 && asked(shape, 3) == 1;
    bool batch = asked(shape, 0) == 0 || asked(shape, 0) == -1;
    if (!whole || !batch || rank < 2 || rank > 4)
        return refuse(e, "only a reshape to one row of values a photo is read");
    if (rank == 4 && asked(shape, 1) == 0 && asked(shape, 2) == 0 && asked(shape, 3) == 0) {
        e->b->made[e->index] = e->b->made[e->layer->bottoms[0].layer];
        return OC_OK;
    }
    if (!ones || (asked(shape, 1) != -1 && !e->flat))
        return refuse(e, "only a reshape to one row of values a photo is read");
    OC_TRY(add(e, NULL));
    e->b->made[e->index].flat = true;
    return OC_OK;
}

static oc_status emit_copy(emission *e) {
    bool flat = e->flat;
    e->b->made[e->index].node = e->x;
    e->b->made[e->index].flat = flat;
    return OC_OK;
}

/* ---- several inputs ------------------------------------------------------------------------ */

static oc_status emit_concat(emission *e) {
    const char *field = oci_proto_has(e->param, "concat_dim") ? "concat_dim" : "axis";
    int64_t axis = oci_proto_int(e->param, field);
    if (axis != 1 && axis != -3) return refuse(e, "axis: only 1, the channels, is read");
    int inputs[OC_MAX_INPUTS], count = 0, part = 0;
    bool flat = true;
    for (int i = 0; i < e->layer->bottom_count; i++) {
        flat = flat && e->b->made[e->layer->bottoms[i].layer].flat;
        if (count == OC_MAX_INPUTS) { /* what is joined so far becomes the first of the next */
            char suffix[32];
            (void)snprintf(suffix, sizeof suffix, "/part%d", ++part);
            OC_TRY(oci_caffe_add(e->b, e->index, suffix, OC_OP_CONCAT, inputs, count, NULL,
                                 &inputs[0], e->err));
            count = 1;
        }
        inputs[count++] = input_node(e, i);
    }
    int node;
    OC_TRY(oci_caffe_add(e->b, e->index, "", OC_OP_CONCAT, inputs, count, NULL, &node, e->err));
    e->b->made[e->index].flat = flat;
    return OC_OK;
}

/* Input i times its coefficient. */
static oc_status weighed(emission *e, int i, int *out) {
    const oci_proto_value *v = oci_proto_next(e->param, "coeff", NULL);
    for (int k = 0; v != NULL && k < i; k++) v = oci_proto_next(e->param, "coeff", v);
    *out = input_node(e, i);
    if (v == NULL || v->as.real == 1) return OC_OK;
    char suffix[32];
    oc_attrs a = oc_attrs_default(OC_OP_POWER);
    (void)snprintf(suffix, sizeof suffix, "/coeff%d", i);
    a.scale = (float)v->as.real;
    return oci_caffe_add(e->b, e->index, suffix, OC_OP_POWER, out, 1, &a, out, e->err);
}

/* Two at a time, from the left. */
static oc_status emit_eltwise(emission *e) {
    static const oc_op ops[] = {OC_OP_MULTIPLY, OC_OP_ADD, OC_OP_MAXIMUM};
    int64_t operation = oci_proto_int(e->param, "operation");
    size_t coefficients = oci_proto_count(e->param, "coeff");
    int count = e->layer->bottom_count, pair[2];
    if (operation < 0 || operation > 2) return refuse(e, "an operation that nobody knows");
    if (count < 2) return refuse(e, "fewer than two inputs");
    if (coefficients > 0 && (operation != 1 || coefficients != (size_t)count))
        return refuse(e, "coeff: one for each input of a SUM is allowed");
    OC_TRY(weighed(e, 0, &pair[0]));
    for (int i = 1; i < count; i++) {
        char suffix[32] = "";
        OC_TRY(weighed(e, i, &pair[1]));
        if (i + 1 < count) (void)snprintf(suffix, sizeof suffix, "/%d", i);
        OC_TRY(
            oci_caffe_add(e->b, e->index, suffix, ops[operation], pair, 2, NULL, &pair[0], e->err));
    }
    return OC_OK;
}

/* ---- the table ----------------------------------------------------------------------------- */

static const row rows[] = {
    {"Convolution", "convolution_param", 1, OC_OP_CONV, emit_convolution},
    {"InnerProduct", "inner_product_param", 1, OC_OP_DENSE, emit_inner_product},
    {"Pooling", "pooling_param", 1, OC_OP_MAX_POOL, emit_pooling},
    {"LRN", "lrn_param", 1, OC_OP_LRN, emit_lrn},
    {"ReLU", "relu_param", 1, OC_OP_RELU, emit_relu},
    {"PReLU", "prelu_param", 1, OC_OP_PRELU, emit_prelu},
    {"Sigmoid", NULL, 1, OC_OP_SIGMOID, emit_plain},
    {"TanH", NULL, 1, OC_OP_TANH, emit_plain},
    {"Dropout", "dropout_param", 1, OC_OP_DROPOUT, emit_dropout},
    {"Concat", "concat_param", 0, OC_OP_CONCAT, emit_concat},
    {"Eltwise", "eltwise_param", 0, OC_OP_ADD, emit_eltwise},
    {"BatchNorm", "batch_norm_param", 1, OC_OP_BATCH_NORM, emit_batch_norm},
    {"Scale", "scale_param", 2, OC_OP_SCALE, emit_scale},
    {"Bias", "bias_param", 1, OC_OP_SCALE, emit_bias},
    {"Flatten", "flatten_param", 1, OC_OP_FLATTEN, emit_flatten},
    {"Reshape", "reshape_param", 1, OC_OP_FLATTEN, emit_reshape},
    {"Power", "power_param", 1, OC_OP_POWER, emit_power},
    {"Clip", "clip_param", 1, OC_OP_CLIP, emit_clip},
    {"Swish", "swish_param", 1, OC_OP_SILU, emit_swish},
    {"Split", NULL, 1, OC_OP_INPUT, emit_copy},
};

static const row *row_of(const oci_caffe_layer *layer) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (oci_caffe_is(layer, rows[i].type)) return &rows[i];
    return NULL;
}

bool oci_caffe_can(const oci_caffe_layer *layer) {
    return row_of(layer) != NULL;
}

/* Ops that keep (n, c, 1, 1) what is so. */
static bool keeps_shape(oc_op op) {
    return op != OC_OP_CONV && op != OC_OP_MAX_POOL && op != OC_OP_AVG_POOL;
}

oc_status oci_caffe_emit(oci_caffe_builder *b, size_t i, oc_error *err) {
    const oci_caffe_layer *layer = &b->net->layers[i];
    const row *r = row_of(layer);
    emission e = {.b = b, .index = i, .layer = layer, .op = r->op, .err = err};
    if (layer->bottom_count == 0) return refuse(&e, "no input");
    if (r->most > 0 && layer->bottom_count > r->most) return refuse(&e, "too many inputs");
    if (layer->top_count != 1 && r->emit != emit_copy) return refuse(&e, "not one output");
    if (r->param != NULL) e.param = oci_caffe_param_of(layer, r->param);
    e.x = input_node(&e, 0);
    e.flat = b->made[layer->bottoms[0].layer].flat;
    b->made[i].flat = r->op == OC_OP_DENSE || (e.flat && keeps_shape(r->op));
    return r->emit(&e);
}
