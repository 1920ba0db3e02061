/* Convolutions and dense layers over bytes, by the library's kernels.
 *
 * With x = sx (X - zx), w = sw[o] W and y = sy (Y - zy), levels in capitals, a layer is
 *   Y = zy + bias/sy - k zx sum W + k sum X W  [+ (S - zs) ss/sy]     k = sx sw[o] / sy
 * so that all but the sum of products is one number per output channel. Sources with padding have
 * zx = 0 (int8_fuse.c sees to it).
 *
 * Processors without instructions for it add products in pairs of 16 bits: 255 (W + W') must not
 * pass 32767. Models are made so that it does not (OC_INT8_PAIR), for every processor alike; what
 * breaks that is refused here rather than computed wrong on some.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/onednn/int8.h"

struct oci_byte_conv {
    oci_conv *conv;
    oci_conv_shape shape;
    int weight, bias, step; /* parameter numbers; bias -1 = none */
    bool dense;
    bool shared;          /* what follows is another plan's */
    int8_t *packed;       /* in the library's layout */
    float *scale, *shift; /* (out): k, and the bias as the library takes it */
    size_t rows_at;       /* floats out: where (n, out) of them lie in the library's scratch,
                             before they are padded to blocks; in bytes */
};

oci_conv_shape oci_byte_conv_shape(const oc_node *node, int images, const oci_value *in,
                                   const oci_value *out) {
    const oc_attrs *a = &node->attrs;
    if (node->op == OC_OP_DENSE)
        return (oci_conv_shape){.n = 1,
                                .in_channels = in->c * in->h * in->w,
                                .in_h = 1,
                                .in_w = images,
                                .out_channels = a->out,
                                .out_h = 1,
                                .out_w = images,
                                .groups = 1,
                                .kernel_h = 1,
                                .kernel_w = 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1,
                                .bias = true,
                                .bytes = true};
    oci_conv_shape s = oci_conv_shape_of(a, in, out, images);
    s.bias = s.bytes = true;
    return s;
}

static void set_clip(const oci_value *out, oci_conv_shape *s) {
    if (out->bytes) {
        const oci_levels levels = oci_levels_of(out);
        bool cuts = levels.low > 0 || levels.high < OC_LEVELS - 1;
        s->low = cuts ? levels.low : 0;
        s->high = cuts ? levels.high : 0;
    } else if (out->act != OCI_ACT_NONE) {
        s->high = out->act == OCI_ACT_RELU6 ? 6 : FLT_MAX;
    }
}

static void want_scratch(oci_plan *plan, oci_byte_conv *c) {
    c->rows_at = oci_whole_lines(oci_conv_scratch(c->conv));
    size_t rows = c->shape.float_dst ? (size_t)plan->images * (size_t)c->shape.out_channels : 0;
    size_t bytes = c->rows_at + rows * sizeof(float);
    if (bytes > plan->library_bytes) plan->library_bytes = bytes;
}

/* Weights of a plan that has them in the same layout. */
static bool take_shared(const oci_plan *plan, const oci_unit *unit) {
    oci_byte_conv *c = unit->byte_conv;
    const oci_unit *other = oci_shared_unit(plan, unit);
    const oci_byte_conv *from = other ? other->byte_conv : NULL;
    if (!from || !oci_layout_equal(oci_conv_weights(from->conv), oci_conv_weights(c->conv)))
        return false;
    c->shared = true;
    c->packed = from->packed;
    c->scale = from->scale;
    c->shift = from->shift;
    return true;
}

oc_status oci_byte_conv_init(oci_plan *plan, oci_unit *unit, oc_error *err) {
    oci_byte_conv *c = unit->byte_conv = oc_calloc(1, sizeof *c);
    if (!c) return oc_fail_nomem(err, sizeof *c, "convolution");
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    uint64_t *account = &plan->held.weights;
    size_t floats = (size_t)node->attrs.out * sizeof(float);
    c->weight = node->first_param;
    c->bias = node->attrs.bias ? node->first_param + 1 : -1;
    c->step = node->first_param + node->param_count - 1;
    c->dense = node->op == OC_OP_DENSE;
    c->shape = oci_byte_conv_shape(node, plan->images, in, out);
    c->shape.float_dst = !out->bytes;
    c->shape.sum = unit->sum >= 0;
    c->shape.sum_scale = unit->sum < 0 ? 0 : plan->values[unit->sum].step / out->step;
    set_clip(out, &c->shape);
    OC_TRY(oci_conv_new(&c->conv, plan->dnn, OCI_CONV_FORWARD, &c->shape, NULL, err));
    want_scratch(plan, c);
    if (take_shared(plan, unit)) return OC_OK;
    OC_TRY(oci_take(plan, &c->packed, account, oci_layout_bytes(oci_conv_weights(c->conv)),
                    "weights", err));
    OC_TRY(oci_take(plan, &c->scale, account, floats, "weights", err));
    return oci_take(plan, &c->shift, account, floats, "weights", err);
}

void oci_byte_conv_free(oci_byte_conv *c) {
    if (!c) return;
    oci_conv_free(c->conv);
    if (!c->shared) {
        oc_free_aligned(c->packed);
        oc_free_aligned(c->scale);
        oc_free_aligned(c->shift);
    }
    oc_free(c);
}

const char *oci_byte_conv_kernel(const oci_unit *unit) {
    return oci_conv_kernel(unit->byte_conv->conv);
}

/* ---- weights -------------------------------------------------------------------------------- */

/* Weights as they come, in torch's order, and what they become. */
typedef struct source {
    const float *weight, *bias, *step;
    size_t filter; /* weights of one output channel */
    size_t area;   /* weights of one input channel of it */
    int8_t *whole; /* (out, filter), of a dense layer pixel by pixel, as its source lies */
} source;

static oc_status whole_number(const oc_node *node, float w, float step, int8_t *out,
                              oc_error *err) {
    float q = rintf(w / step);
    if (fabsf(q) <= OC_INT8_MOST && fabsf(w / step - q) < 0.01F) {
        *out = (int8_t)q;
        return OC_OK;
    }
    return oc_fail(err, OC_EMISMATCH,
                   "%s: a weight of %g is not a whole number up to %d of its step %g, as int8 asks",
                   node->name, (double)w, OC_INT8_MOST, (double)step);
}

static int clipped_sum(int a, int b, int sign) {
    a *= sign;
    b *= sign;
    return (a > 0 ? a : 0) + (b > 0 ? b : 0);
}

/* Neighbouring input channels at the same tap, as the kernels pair them. */
static oc_status check_pairs(const oc_node *node, const source *s, size_t o, oc_error *err) {
    const int8_t *w = s->whole + o * s->filter;
    size_t channels = s->filter / s->area;
    for (size_t c = 0; c + 1 < channels; c += 2)
        for (size_t t = 0; t < s->area; t++) {
            int a = w[c * s->area + t], b = w[(c + 1) * s->area + t];
            if (clipped_sum(a, b, 1) <= OC_INT8_PAIR && clipped_sum(a, b, -1) <= OC_INT8_PAIR)
                continue;
            return oc_fail(err, OC_EMISMATCH,
                           "%s: int8 weights %d and %d of neighbouring input channels: sums of "
                           "one sign must not pass %d, or 16 bits overflow; quantize again",
                           node->name, a, b, OC_INT8_PAIR);
        }
    return OC_OK;
}

/* Dense over (c, h, w) from (h, w, c): weight (c, p) to (p, c) in each filter. */
static void to_pixel_order(const source *s, const oci_value *in, int8_t *turned, size_t o) {
    size_t hw = (size_t)in->h * (size_t)in->w, channels = (size_t)in->c;
    const int8_t *from = s->whole + o * s->filter;
    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < hw; p++) turned[p * channels + c] = from[c * hw + p];
    memcpy(s->whole + o * s->filter, turned, s->filter);
}

static oc_status whole_numbers(const oci_plan *plan, const oci_unit *unit, source *s,
                               oc_error *err) {
    const oc_node *node = oc_graph_node(plan->graph, unit->node);
    const oci_value *in = &plan->values[unit->in[0]];
    size_t out = (size_t)node->attrs.out;
    bool turns = unit->byte_conv->dense && in->h * in->w > 1;
    int8_t *turned = s->whole + out * s->filter;
    for (size_t o = 0; o < out; o++) {
        for (size_t i = o * s->filter; i < (o + 1) * s->filter; i++)
            OC_TRY(whole_number(node, s->weight[i], s->step[o], &s->whole[i], err));
        if (turns) to_pixel_order(s, in, turned, o);
        OC_TRY(check_pairs(node, s, o, err));
    }
    return OC_OK;
}

/* scale and shift of each output channel. */
static void set_numbers(const oci_plan *plan, const oci_unit *unit, const source *s) {
    oci_byte_conv *c = unit->byte_conv;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    float unit_out = out->bytes ? out->step : 1, zero = out->bytes ? (float)out->zero : 0;
    if (unit->sum >= 0) zero -= c->shape.sum_scale * (float)plan->values[unit->sum].zero;
    for (int o = 0; o < c->shape.out_channels; o++) {
        int64_t sum = 0;
        for (size_t i = 0; i < s->filter; i++) sum += s->whole[(size_t)o * s->filter + i];
        c->scale[o] = in->step * s->step[o] / unit_out;
        float bias = s->bias ? s->bias[o] / unit_out : 0;
        bias += zero - c->scale[o] * (float)(sum * in->zero);
        c->shift[o] = oci_byte_bias(bias, c->scale[o]);
    }
}

static oc_status find_source(const oci_plan *plan, const oci_byte_conv *c, const oc_tensors *set,
                             source *s, oc_error *err) {
    size_t count = 0;
    const oc_param *weight = oc_graph_param(plan->graph, c->weight);
    OC_TRY(oci_param_find(set, weight, &s->weight, err));
    OC_TRY(oci_param_find(set, oc_graph_param(plan->graph, c->step), &s->step, err));
    if (c->bias >= 0)
        OC_TRY(oci_param_find(set, oc_graph_param(plan->graph, c->bias), &s->bias, err));
    if (!oc_shape_count(&weight->shape, &count))
        return oc_fail(err, OC_ELIMIT, "%s: too large", weight->name);
    s->filter = count / (size_t)c->shape.out_channels;
    s->area = c->dense ? 1 : (size_t)c->shape.kernel_h * (size_t)c->shape.kernel_w;
    return OC_OK;
}

static oc_status take_weights(oci_plan *plan, oci_unit *unit, const oc_tensors *set,
                              oc_error *err) {
    oci_byte_conv *c = unit->byte_conv;
    source s = {0};
    OC_TRY(find_source(plan, c, set, &s, err));
    size_t bytes = ((size_t)c->shape.out_channels + 1) * s.filter; /* one more to turn in */
    s.whole = oc_malloc(bytes);
    if (!s.whole) return oc_fail_nomem(err, bytes, "int8 weights");
    oc_status status = whole_numbers(plan, unit, &s, err);
    if (status == OC_OK) {
        set_numbers(plan, unit, &s);
        status = oci_byte_conv_pack(c->conv, &c->shape, s.whole, c->packed, err);
    }
    oc_free(s.whole);
    return status;
}

oc_status oci_byte_conv_import(oci_plan *plan, oci_unit *unit, const oc_tensors *set,
                               oc_error *err) {
    oci_byte_conv *c = unit->byte_conv;
    oci_conv *scaled = NULL;
    if (!c->shared) OC_TRY(take_weights(plan, unit, set, err));
    /* the library keeps the scales in the primitive */
    c->shape.scale = c->scale;
    OC_TRY(oci_conv_new(&scaled, plan->dnn, OCI_CONV_FORWARD, &c->shape, oci_conv_weights(c->conv),
                        err));
    bool fits = oci_conv_scratch(scaled) <= oci_conv_scratch(c->conv);
    oci_conv_free(fits ? c->conv : scaled);
    if (!fits) return oc_fail(err, OC_EINTERNAL, "a convolution wants more scratch than it said");
    c->conv = scaled;
    return OC_OK;
}

/* ---- running -------------------------------------------------------------------------------- */

/* (n, out) to floats in blocks, the rest of the last one zeros. */
static void rows_to_value(const oci_value *out, const float *rows, float *to, int n) {
    size_t used = (size_t)out->c;
    for (int i = 0; i < n; i++) {
        float *image = to + (size_t)i * out->image;
        memcpy(image, rows + (size_t)i * used, used * sizeof *to);
        memset(image + used, 0, (out->image - used) * sizeof *to);
    }
}

oc_status oci_byte_conv_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err) {
    oci_byte_conv *c = unit->byte_conv;
    const oci_value *in = &plan->values[unit->in[0]], *out = &plan->values[unit->out];
    const uint8_t *src = (const uint8_t *)in->data + (size_t)first * in->image;
    void *scratch = plan->library_scratch;
    if (out->bytes) {
        uint8_t *dst = (uint8_t *)out->data + (size_t)first * out->image;
        return oci_conv_run(c->conv, src, c->packed, c->shift, dst, scratch, err);
    }
    float *rows = (float *)(void *)((char *)scratch + c->rows_at);
    OC_TRY(oci_conv_run(c->conv, src, c->packed, c->shift, rows, scratch, err));
    rows_to_value(out, rows, out->data + (size_t)first * out->image, n);
    return OC_OK;
}
