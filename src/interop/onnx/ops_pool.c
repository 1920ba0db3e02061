/* Windows and pools, local response, padding.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/onnx/ops_int.h"

/* ---- windows --------------------------------------------------------------------------------- */

/* A size of a file as an attribute of ours, whose range is checked later. */
static int32_t narrow(int64_t value) {
    return value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

/* `count` ints of an attribute, or the fallback for each where it is absent. */
static bool ints_or(const oci_onnx_node *node, const char *name, size_t count, int64_t fallback,
                    int64_t *out) {
    const oci_onnx_attr *attr = oci_attr(node, name);
    if (attr != NULL && attr->int_count != count) return false;
    for (size_t i = 0; i < count; i++) {
        out[i] = attr != NULL ? narrow(attr->ints[i]) : fallback;
        if (out[i] < 0 || out[i] > OCI_WINDOW_MOST) return false;
    }
    return true;
}

/* Padding so that ceil(in / stride) windows fit; the odd one at the end, or at the start. */
static void pad_same(const oci_value *from, const oci_import *x, const int64_t kernel[2],
                     const int64_t stride[2], const int64_t dilation[2], bool upper,
                     int64_t pads[4]) {
    for (int i = 0; i < 2; i++) {
        int64_t in = oci_layer_of(x, from)->shape.dim[2 + i];
        int64_t out = (in + stride[i] - 1) / stride[i];
        int64_t all = (out - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - in;
        if (all < 0) all = 0;
        pads[i] = upper ? all / 2 : all - all / 2;
        pads[2 + i] = all - pads[i];
    }
}

oc_status oci_take_window(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                          const int64_t *kernel, oc_attrs *attrs, bool *fits) {
    int64_t size[2] = {0}, stride[2], dilation[2], pads[4];
    const char *rule = oci_attr_text(node, "auto_pad");
    *fits = false;
    if (!oci_is_laid(x, from, "nchw")) return oci_lack(x, node, "reads no (n, c, h, w)");
    if (!ints_or(node, "kernel_shape", 2, 1, size) || !ints_or(node, "strides", 2, 1, stride) ||
        !ints_or(node, "dilations", 2, 1, dilation) || !ints_or(node, "pads", 4, 0, pads))
        return oci_lack(x, node, "a window that is not two-dimensional, of 0 to %d",
                        (int)OCI_WINDOW_MOST);
    if (kernel != NULL) {
        size[0] = kernel[0] <= OCI_WINDOW_MOST ? kernel[0] : 0;
        size[1] = kernel[1] <= OCI_WINDOW_MOST ? kernel[1] : 0;
    }
    if (size[0] < 1 || size[1] < 1 || stride[0] < 1 || stride[1] < 1)
        return oci_lack(x, node, "windows or strides of 0, or above %d", (int)OCI_WINDOW_MOST);
    bool upper = strcmp(rule, "SAME_UPPER") == 0;
    if (upper || strcmp(rule, "SAME_LOWER") == 0)
        pad_same(from, x, size, stride, dilation, upper, pads);
    else if (strcmp(rule, "VALID") == 0)
        memset(pads, 0, sizeof pads);
    attrs->kernel_h = (int32_t)size[0];
    attrs->kernel_w = (int32_t)size[1];
    attrs->stride_h = (int32_t)stride[0];
    attrs->stride_w = (int32_t)stride[1];
    attrs->dilation_h = (int32_t)dilation[0];
    attrs->dilation_w = (int32_t)dilation[1];
    attrs->pad_top = (int32_t)pads[0];
    attrs->pad_left = (int32_t)pads[1];
    attrs->pad_bottom = (int32_t)pads[2];
    attrs->pad_right = (int32_t)pads[3];
    *fits = true;
    return OC_OK;
}

/* ---- pools -------------------------------------------------------------------------------------
 */

static oc_status add_pool(oci_import *x, const oci_onnx_node *node, oc_op op, oc_attrs *attrs,
                          int below, oc_error *err) {
    int layer = -1;
    attrs->ceil = oci_attr_int(node, "ceil_mode", 0) != 0;
    if (attrs->dilation_h != 1 || attrs->dilation_w != 1)
        return oci_lack(x, node, "a pool with dilations");
    attrs->dilation_h = attrs->dilation_w = 0;
    OC_TRY(oci_add_layer(x, node, op, attrs, &below, 1, &layer, err));
    oci_set_layer(x, node, layer, NULL);
    return OC_OK;
}

static oc_status take_max_pool(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    oc_attrs attrs = oc_attrs_default(OC_OP_MAX_POOL);
    bool fits = false;
    OC_TRY(oci_take_window(x, node, from, NULL, &attrs, &fits));
    return fits ? add_pool(x, node, OC_OP_MAX_POOL, &attrs, from->layer, err) : OC_OK;
}

/* Zeros around what it reads are padding that counts, where the pool has none that does not. */
static int unpad(const oci_import *x, int layer, oc_attrs *a) {
    const oci_layer *pad = &x->layers[layer];
    const oc_attrs *p = &pad->attrs;
    bool own = a->pad_top + a->pad_left + a->pad_bottom + a->pad_right > 0;
    if (pad->op != OC_OP_PAD || p->value != 0 || (own && !a->count_pad)) return layer;
    if (a->pad_top + p->pad_top >= a->kernel_h || a->pad_bottom + p->pad_bottom >= a->kernel_h ||
        a->pad_left + p->pad_left >= a->kernel_w || a->pad_right + p->pad_right >= a->kernel_w)
        return layer;
    a->pad_top += p->pad_top;
    a->pad_left += p->pad_left;
    a->pad_bottom += p->pad_bottom;
    a->pad_right += p->pad_right;
    a->count_pad = 1;
    return pad->inputs[0];
}

static oc_status take_average_pool(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    oc_attrs attrs = oc_attrs_default(OC_OP_AVG_POOL);
    bool fits = false;
    OC_TRY(oci_take_window(x, node, from, NULL, &attrs, &fits));
    if (!fits) return OC_OK;
    attrs.count_pad = oci_attr_int(node, "count_include_pad", 0) != 0;
    int below = unpad(x, from->layer, &attrs);
    return add_pool(x, node, OC_OP_AVG_POOL, &attrs, below, err);
}

static oc_status take_global(oci_import *x, const oci_onnx_node *node, oc_op op, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    if (!oci_is_laid(x, from, "nchw")) return oci_lack(x, node, "reads no (n, c, h, w)");
    return oci_add_pointwise(x, node, op, NULL, from, err);
}

static oc_status take_global_average(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return take_global(x, node, OC_OP_GLOBAL_POOL, err);
}

static oc_status take_global_max(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return take_global(x, node, OC_OP_GLOBAL_MAX_POOL, err);
}

/* ---- means over axes ---------------------------------------------------------------------------
 */

/* Which axes a reduction takes away; false where it takes more than height and width. */
static bool reduced_axes(oci_import *x, const oci_value *from, const int64_t *axes, size_t count,
                         bool gone[OC_MAX_RANK]) {
    for (size_t k = 0; k < count; k++) {
        int64_t at = axes[k] < 0 ? axes[k] + from->rank : axes[k];
        if (at < 0 || at >= from->rank || from->axis[at] == OCI_N || from->axis[at] == OCI_C)
            return false;
        gone[at] = true;
    }
    (void)x;
    return count > 0;
}

static bool takes(const oci_value *from, const bool gone[OC_MAX_RANK], oci_axis axis) {
    for (int i = 0; i < from->rank; i++)
        if (from->axis[i] == axis) return gone[i];
    return false;
}

static oc_status add_mean(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                          bool rows, bool columns, int *layer, oc_error *err) {
    const oc_shape *s = &oci_layer_of(x, from)->shape;
    const oc_attrs adaptive = {.out_h = rows ? 1 : narrow(s->dim[2]),
                               .out_w = columns ? 1 : narrow(s->dim[3])};
    const oc_attrs none = {0};
    bool whole = adaptive.out_h == 1 && adaptive.out_w == 1;
    return oci_add_layer(x, node, whole ? OC_OP_GLOBAL_POOL : OC_OP_ADAPTIVE_POOL,
                         whole ? &none : &adaptive, &from->layer, 1, layer, err);
}

static oc_status take_reduce(oci_import *x, const oci_onnx_node *node, bool mean, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    const int64_t *axes = NULL;
    size_t count = 0;
    bool gone[OC_MAX_RANK] = {false};
    oci_value result = *from;
    int layer = -1;
    OC_TRY(oci_ints_of(x, node, "axes", 1, &axes, &count, err));
    if (from->kind != OCI_VALUE_LAYER || from->by_pixel ||
        !reduced_axes(x, from, axes, count, gone))
        return oci_lack(x, node, "over axes other than height and width");
    bool rows = takes(from, gone, OCI_H), columns = takes(from, gone, OCI_W);
    if (mean) {
        OC_TRY(add_mean(x, node, from, rows, columns, &layer, err));
    } else if (rows && columns) {
        const oc_attrs none = {0};
        OC_TRY(oci_add_layer(x, node, OC_OP_GLOBAL_MAX_POOL, &none, &from->layer, 1, &layer, err));
    } else {
        return oci_lack(x, node, "over one of height and width");
    }
    if (oci_attr_int(node, "keepdims", 1) == 0) {
        result.rank = 0;
        for (int i = 0; i < from->rank; i++)
            if (!gone[i]) result.axis[result.rank++] = from->axis[i];
    }
    oci_set_layer(x, node, layer, &result);
    return OC_OK;
}

static oc_status take_reduce_mean(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return take_reduce(x, node, true, err);
}

static oc_status take_reduce_max(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return take_reduce(x, node, false, err);
}

/* ---- pools to a size, as our export writes them ------------------------------------------------
 */

/* Is the matrix that of shares of `in` by `out`? */
static bool are_shares(const float *matrix, int64_t in, int64_t out, bool turned) {
    for (int64_t o = 0; o < out; o++) {
        int64_t first = o * in / out, end = ((o + 1) * in + out - 1) / out;
        for (int64_t i = 0; i < in; i++) {
            float wanted = i >= first && i < end ? 1 / (float)(end - first) : 0;
            float found = matrix[turned ? i * out + o : o * in + i];
            if (!(fabsf(found - wanted) < 1e-6F)) return false;
        }
    }
    return true;
}

oc_status oci_take_shares(oci_import *x, const oci_onnx_node *node, bool *done, oc_error *err) {
    bool rows = oci_input_known(x, node, 0);
    const oci_value *from = oci_input_of(x, node, rows ? 1 : 0),
                    *by = oci_input_of(x, node, rows ? 0 : 1);
    const float *matrix = NULL;
    *done = false;
    if (by == NULL || from == NULL || by->kind != OCI_VALUE_KNOWN || by->known.whole ||
        by->known.shape.rank != 2 || !oci_is_laid(x, from, "nchw"))
        return OC_OK;
    const oci_layer *below = oci_layer_of(x, from);
    const oc_shape *s = &below->shape, *m = &by->known.shape;
    int64_t in = m->dim[rows ? 1 : 0], out = m->dim[rows ? 0 : 1];
    if (in != s->dim[rows ? 2 : 3] || out < 1 || out > OCI_WINDOW_MOST) return OC_OK;
    OC_TRY(oci_known_floats(x, &by->known, &matrix, err));
    if (!are_shares(matrix, in, out, !rows)) return OC_OK;
    oc_attrs attrs = {.out_h = narrow(rows ? out : s->dim[2]),
                      .out_w = narrow(rows ? s->dim[3] : out)};
    int layer = -1, input = from->layer;
    if (below->op == OC_OP_ADAPTIVE_POOL && !rows &&
        below->attrs.out_w == x->layers[below->inputs[0]].shape.dim[3])
        input = below->inputs[0]; /* rows and columns in one */
    OC_TRY(oci_add_layer(x, node, OC_OP_ADAPTIVE_POOL, &attrs, &input, 1, &layer, err));
    oci_set_layer(x, node, layer, NULL);
    *done = true;
    return OC_OK;
}

/* ---- local response, padding --------------------------------------------------------------------
 */

static oc_status take_lrn(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    oc_attrs attrs = oc_attrs_default(OC_OP_LRN);
    if (!oci_is_laid(x, from, "nchw")) return oci_lack(x, node, "reads no (n, c, h, w)");
    attrs.size = narrow(oci_attr_int(node, "size", 0));
    attrs.alpha = oci_attr_float(node, "alpha", 1e-4F);
    attrs.beta = oci_attr_float(node, "beta", 0.75F);
    attrs.k = oci_attr_float(node, "bias", 1);
    return oci_add_pointwise(x, node, OC_OP_LRN, &attrs, from, err);
}

/* How much is added before and behind the axis; 0 where the value has it not. */
static bool pads_of(const oci_value *from, const int64_t *pads, oci_axis axis, int32_t *before,
                    int32_t *after) {
    *before = *after = 0;
    for (int i = 0; i < from->rank; i++) {
        if (from->axis[i] != axis) continue;
        *before = narrow(pads[i]);
        *after = narrow(pads[from->rank + i]);
    }
    return *before >= 0 && *after >= 0;
}

static oc_status take_pad(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0), *value = oci_input_of(x, node, 2);
    const char *mode = oci_attr_text(node, "mode");
    const int64_t *pads = NULL;
    size_t count = 0;
    const float *constant = NULL;
    oc_attrs attrs = {.value = oci_attr_float(node, "value", 0)};
    OC_TRY(oci_ints_of(x, node, "pads", 1, &pads, &count, err));
    if (mode[0] != '\0' && strcmp(mode, "constant") != 0)
        return oci_lack(x, node, "mode %.20s, only constant is there", mode);
    if (from->kind != OCI_VALUE_LAYER || count != 2 * (size_t)from->rank || from->by_pixel ||
        oci_input_of(x, node, 3) != NULL)
        return oci_lack(x, node, "pads that are computed, or of chosen axes");
    if (value != NULL && value->kind == OCI_VALUE_KNOWN && value->known.count == 1) {
        OC_TRY(oci_known_floats(x, &value->known, &constant, err));
        attrs.value = *constant;
    }
    int64_t spatial = 0, all = 0;
    for (size_t i = 0; i < count; i++) all += narrow(pads[i]) != 0;
    for (size_t i = 0; i < count; i++) {
        oci_axis axis = from->axis[i % (size_t)from->rank];
        spatial += narrow(pads[i]) != 0 && (axis == OCI_H || axis == OCI_W);
    }
    if (spatial != all || !pads_of(from, pads, OCI_H, &attrs.pad_top, &attrs.pad_bottom) ||
        !pads_of(from, pads, OCI_W, &attrs.pad_left, &attrs.pad_right))
        return oci_lack(x, node, "cuts, or pads other than height and width");
    if (all == 0) {
        oci_set_alias(x, node, from);
        return OC_OK;
    }
    return oci_add_pointwise(x, node, OC_OP_PAD, &attrs, from, err);
}

const oci_onnx_op oci_ops_pool[] = {{"MaxPool", take_max_pool},
                                    {"AveragePool", take_average_pool},
                                    {"GlobalAveragePool", take_global_average},
                                    {"GlobalMaxPool", take_global_max},
                                    {"ReduceMean", take_reduce_mean},
                                    {"ReduceMax", take_reduce_max},
                                    {"LRN", take_lrn},
                                    {"Pad", take_pad},
                                    {NULL, NULL}};
