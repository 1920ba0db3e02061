/* Ops that move no value, or all of a row: axes turned, taken away, put in, flattened.
 *
 * Our layers know (n, c, h, w) alone. A value remembers what each of its axes is in these, so that
 * most of these ops add no layer at all.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/onnx/ops_int.h"

static const char NO_LAYER[] = "of a constant that is no list of sizes";

/* ---- turning ------------------------------------------------------------------------------------
 */

static oc_status take_transpose(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    const oci_onnx_attr *perm = oci_attr(node, "perm");
    (void)err;
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "%s", NO_LAYER);
    oci_value result = *from;
    if (perm != NULL && perm->int_count != (size_t)from->rank)
        return oci_lack(x, node, "of %zu axes, the value has %d", perm->int_count, from->rank);
    for (int i = 0; i < from->rank; i++) {
        int64_t at = perm != NULL ? perm->ints[i] : from->rank - 1 - i;
        if (at < 0 || at >= from->rank) return oci_lack(x, node, "of axis %lld", (long long)at);
        result.axis[i] = from->axis[at];
    }
    if (result.axis[0] != OCI_N || from->by_pixel)
        return oci_lack(x, node, "moves the batch to another axis");
    oci_set_alias(x, node, &result);
    return OC_OK;
}

/* ---- axes of one
 * ---------------------------------------------------------------------------------- */

static oc_status take_squeeze(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    const int64_t *axes = NULL;
    size_t count = 0;
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "%s", NO_LAYER);
    oci_value result = *from;
    OC_TRY(oci_ints_of(x, node, "axes", 1, &axes, &count, err));
    result.rank = 0;
    for (int i = 0; i < from->rank; i++) {
        bool one = oci_axis_size(x, from, from->axis[i]) == 1;
        bool drop = count == 0 && one && from->axis[i] != OCI_N;
        for (size_t k = 0; k < count; k++) drop |= axes[k] == i || axes[k] == i - from->rank;
        if (drop && (!one || from->axis[i] == OCI_N || from->axis[i] == OCI_C))
            return oci_lack(x, node, "of the batch, the channels, or an axis above 1");
        if (!drop) result.axis[result.rank++] = from->axis[i];
    }
    oci_set_alias(x, node, &result);
    return OC_OK;
}

static oc_status take_unsqueeze(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    const int64_t *axes = NULL;
    size_t count = 0;
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "%s", NO_LAYER);
    oci_value result = *from;
    OC_TRY(oci_ints_of(x, node, "axes", 1, &axes, &count, err));
    if (count > (size_t)(OC_MAX_RANK - from->rank) || from->by_pixel)
        return oci_lack(x, node, "more than %d axes", OC_MAX_RANK);
    int at = 0;
    result.rank = from->rank + (int)count;
    for (int i = 0; i < result.rank; i++) {
        bool fresh = false;
        for (size_t k = 0; k < count; k++) fresh |= axes[k] == i || axes[k] == i - result.rank;
        if (!fresh && at == from->rank) return oci_lack(x, node, "axes that it has not");
        result.axis[i] = fresh ? OCI_ONE : from->axis[at++];
    }
    if (at != from->rank) return oci_lack(x, node, "an axis twice");
    oci_set_alias(x, node, &result);
    return OC_OK;
}

/* ---- flattening
 * ----------------------------------------------------------------------------------- */

/* To a row: nothing where there is one value a channel. */
static oc_status flatten(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                         oc_error *err) {
    oci_value row = {.rank = 2, .made = true, .axis = {OCI_N, OCI_C}, .by_pixel = from->by_pixel};
    const oc_shape *s = &oci_layer_of(x, from)->shape;
    const oc_attrs none = {0};
    int layer = -1;
    if (s->dim[2] == 1 && s->dim[3] == 1) {
        row.kind = OCI_VALUE_LAYER;
        row.layer = from->layer;
        oci_set_alias(x, node, &row);
        return OC_OK;
    }
    bool planes = oci_is_laid(x, from, "nchw"), pixels = oci_is_laid(x, from, "nhwc");
    if (!planes && !pixels) return oci_lack(x, node, "of axes in another order");
    row.by_pixel = !planes;
    OC_TRY(oci_add_layer(x, node, OC_OP_FLATTEN, &none, &from->layer, 1, &layer, err));
    oci_set_layer(x, node, layer, &row);
    return OC_OK;
}

static oc_status take_flatten(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    int64_t axis = oci_attr_int(node, "axis", 1);
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "%s", NO_LAYER);
    axis = axis < 0 ? axis + from->rank : axis;
    if (axis != 1 || from->axis[0] != OCI_N)
        return oci_lack(x, node, "from axis %lld", (long long)axis);
    return flatten(x, node, from, err);
}

/* ---- reshaping
 * ------------------------------------------------------------------------------------ */

/* *product *= by, of sizes; false where that is too large. */
static bool multiply(int64_t *product, int64_t by) {
    if (by < 0 || (by > 0 && *product > INT64_MAX / by)) return false;
    *product *= by;
    return true;
}

/* Sizes that a reshape asks for: 0 = as it is, -1 = the rest. False where they do not fit. */
static bool wanted_sizes(const oci_import *x, const oci_value *from, const oci_known *target,
                         bool zero_is_zero, int64_t sizes[OC_MAX_RANK]) {
    int64_t all = 1, given = 1;
    int open = -1;
    for (int i = 0; i < from->rank; i++)
        if (!multiply(&all, oci_axis_size(x, from, from->axis[i]))) return false;
    for (size_t i = 0; i < target->count; i++) {
        int64_t size = target->ints[i];
        if (size == 0 && !zero_is_zero && (int)i < from->rank)
            size = oci_axis_size(x, from, from->axis[i]);
        if (size == -1) open = (int)i;
        if (size < -1 || size == 0 || size > all) return false;
        sizes[i] = size;
        if (size > 0 && !multiply(&given, size)) return false;
    }
    if (open >= 0) sizes[open] = all / given;
    return open >= 0 ? all % given == 0 : given == all;
}

/* The same axes, with and without some of size 1? Then *out has them. */
static bool only_ones_differ(const oci_import *x, const oci_value *from, const int64_t *sizes,
                             int rank, oci_value *out) {
    int at = 0;
    *out = *from;
    out->rank = rank;
    for (int i = 0; i < rank; i++) {
        while (at < from->rank && sizes[i] != oci_axis_size(x, from, from->axis[at])) {
            if (oci_axis_size(x, from, from->axis[at]) != 1) return false;
            at++;
        }
        if (at < from->rank) {
            out->axis[i] = from->axis[at++];
        } else if (sizes[i] == 1) {
            out->axis[i] = OCI_ONE;
        } else {
            return false;
        }
    }
    for (; at < from->rank; at++)
        if (oci_axis_size(x, from, from->axis[at]) != 1) return false;
    return rank > 0 && out->axis[0] == OCI_N;
}

/* (n, f) or (n, f, 1, 1) -> (n, 1, 1, f) and the like: ones before the channels. */
static bool is_row_among_ones(const oci_import *x, const oci_value *from, const int64_t *sizes,
                              int rank, oci_value *out) {
    const oc_shape *s = &oci_layer_of(x, from)->shape;
    int places = 0;
    *out = *from;
    out->rank = rank;
    if (s->dim[2] != 1 || s->dim[3] != 1 || rank < 2 || sizes[0] != x->batch) return false;
    for (int i = 0; i < rank; i++) out->axis[i] = i == 0 ? OCI_N : OCI_ONE;
    for (int i = 1; i < rank; i++) {
        if (sizes[i] != s->dim[1] || places > 0) continue;
        out->axis[i] = OCI_C;
        places++;
    }
    return places == 1;
}

static oc_status take_reshape(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0), *target = oci_input_of(x, node, 1);
    int64_t sizes[OC_MAX_RANK];
    oci_value result;
    if (from->kind != OCI_VALUE_LAYER) return oci_lack(x, node, "%s", NO_LAYER);
    if (target == NULL || target->kind != OCI_VALUE_KNOWN || !target->known.whole ||
        target->known.count > OC_MAX_RANK)
        return oci_lack(x, node, "to a shape that is computed");
    int rank = (int)target->known.count;
    if (!wanted_sizes(x, from, &target->known, oci_attr_int(node, "allowzero", 0) != 0, sizes))
        return oci_lack(x, node, "to a shape of another size");
    if (from->groups > 0) return oci_join_parts(x, node, from, sizes, rank, err);
    if (only_ones_differ(x, from, sizes, rank, &result) ||
        oci_parts_channels(x, from, sizes, rank, &result) ||
        (!from->by_pixel && is_row_among_ones(x, from, sizes, rank, &result))) {
        oci_set_alias(x, node, &result);
        return OC_OK;
    }
    if (rank == 2 && from->axis[0] == OCI_N && sizes[0] == x->batch)
        return flatten(x, node, from, err);
    return oci_lack(x, node, "moves values in other ways than flattening");
}

const oci_onnx_op oci_ops_shape[] = {{"Transpose", take_transpose}, {"Squeeze", take_squeeze},
                                     {"Unsqueeze", take_unsqueeze}, {"Flatten", take_flatten},
                                     {"Reshape", take_reshape},     {NULL, NULL}};
