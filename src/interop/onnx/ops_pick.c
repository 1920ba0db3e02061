/* Ops that pick channels: slices, splits, lists of indices, and the shuffle of a ShuffleNet.
 *
 * Which channel of its input each of a layer's own is, is a list. What picks from picked channels
 * is one list again, and a convolution behind one gets weights for all channels, zeros for those
 * that it does not see. What is left of them in the end are convolutions of zeros and ones, which
 * compute exactly.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/onnx/ops_int.h"

enum { MOST_VALUES = 1 << 25 }; /* of all lists and weights that are made here */

/* Is there room for so many more? A small file may ask for much by repeating itself. */
static bool spend(oci_import *x, int64_t a, int64_t b) {
    if (a > MOST_VALUES / b || x->picked + (size_t)(a * b) > MOST_VALUES) return false;
    x->picked += (size_t)(a * b);
    return true;
}

/* ---- picking -----------------------------------------------------------------------------------
 */

static oc_status make_list(oci_import *x, int64_t count, int32_t **out, oc_error *err) {
    if (!spend(x, count, 1))
        return oc_fail(err, OC_ELIMIT, "%s: picks %lld channels: too many", x->where,
                       (long long)count);
    return oci_import_room(x, (size_t)count, sizeof **out, out, err);
}

/* Output k of the node: channels picks[0..count-1] of the value. The list is in the pool. */
static oc_status pick(oci_import *x, const oci_onnx_node *node, size_t k, const oci_value *from,
                      int32_t *picks, int64_t count, oc_error *err) {
    const oci_layer *below = oci_layer_of(x, from);
    oc_attrs attrs = oc_attrs_default(OC_OP_CONV);
    int input = from->layer, layer = -1;
    for (int64_t i = 0; below->picks != NULL && i < count; i++) picks[i] = below->picks[picks[i]];
    if (below->picks != NULL) input = below->inputs[0];
    attrs.out = (int32_t)count;
    attrs.kernel_h = attrs.kernel_w = attrs.stride_h = attrs.stride_w = 1;
    attrs.bias = 0;
    OC_TRY(oci_add_layer(x, node, OC_OP_CONV, &attrs, &input, 1, &layer, err));
    if (layer < 0) return OC_OK;
    x->layers[layer].picks = picks;
    oci_set_output(x, node, k, layer, from);
    return OC_OK;
}

/* Channels first, first + step, ... */
static oc_status pick_range(oci_import *x, const oci_onnx_node *node, size_t k,
                            const oci_value *from, int64_t first, int64_t step, int64_t count,
                            oc_error *err) {
    int32_t *picks = NULL;
    OC_TRY(make_list(x, count, &picks, err));
    for (int64_t i = 0; i < count; i++) picks[i] = (int32_t)(first + i * step);
    return pick(x, node, k, from, picks, count, err);
}

/* Is axis `axis` of the value, counted from its end where it is below 0, that of its channels? */
static bool is_channels(const oci_value *from, int64_t axis) {
    if (from->kind != OCI_VALUE_LAYER || from->by_pixel) return false;
    return oci_channel_axis(from) >= 0 &&
           (axis < 0 ? axis + from->rank : axis) == oci_channel_axis(from);
}

/* ---- parts of a shuffle -------------------------------------------------------------------------
 */

bool oci_parts_channels(const oci_import *x, const oci_value *from, const int64_t *sizes, int rank,
                        oci_value *out) {
    static const oci_axis parted[] = {OCI_N, OCI_GROUP, OCI_MEMBER, OCI_H, OCI_W};
    const oc_shape *s = &oci_layer_of(x, from)->shape;
    *out = *from;
    if (rank != 5 || from->groups > 0 || !oci_is_laid(x, from, "nchw")) return false;
    if (sizes[0] != x->batch || sizes[3] != s->dim[2] || sizes[4] != s->dim[3]) return false;
    if (sizes[1] < 2 || sizes[2] < 2 || sizes[1] * sizes[2] != s->dim[1]) return false;
    memcpy(out->axis, parted, sizeof parted);
    out->rank = rank;
    out->groups = sizes[1];
    return true;
}

oc_status oci_join_parts(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                         const int64_t *sizes, int rank, oc_error *err) {
    const oc_shape *s = &oci_layer_of(x, from)->shape;
    int64_t groups = from->groups, members = s->dim[1] / groups;
    bool shuffled = from->rank == 5 && from->axis[1] == OCI_MEMBER && from->axis[2] == OCI_GROUP &&
                    from->axis[3] == OCI_H && from->axis[4] == OCI_W;
    if (!shuffled || rank != 4 || sizes[0] != x->batch || sizes[1] != s->dim[1] ||
        sizes[2] != s->dim[2])
        return oci_lack(x, node, "moves channels in other ways than shuffling them");
    oci_value whole = {.kind = OCI_VALUE_LAYER, .layer = from->layer, .rank = 4};
    const oci_axis planes[] = {OCI_N, OCI_C, OCI_H, OCI_W};
    memcpy(whole.axis, planes, sizeof planes);
    int32_t *picks = NULL;
    OC_TRY(make_list(x, s->dim[1], &picks, err));
    for (int64_t i = 0; i < groups * members; i++)
        picks[i] = (int32_t)(i % groups * members + i / groups);
    return pick(x, node, 0, &whole, picks, groups * members, err);
}

/* ---- ops ----------------------------------------------------------------------------------------
 */

/* Three channels turned around: at the front of a network a recipe's order. */
static bool is_reversal(int64_t channels, int64_t first, int64_t step, int64_t count) {
    return channels == 3 && first == 2 && step == -1 && count == 3;
}

static oc_status take_range(oci_import *x, const oci_onnx_node *node, const oci_value *from,
                            int64_t first, int64_t step, int64_t count, oc_error *err) {
    if (is_reversal(oci_layer_of(x, from)->shape.dim[1], first, step, count))
        return oci_add_pointwise(x, node, OCI_OP_REVERSE, NULL, from, err);
    return pick_range(x, node, 0, from, first, step, count, err);
}

static oc_status take_gather(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0), *at = oci_input_of(x, node, 1);
    int32_t *picks = NULL;
    if (at == NULL || at->kind != OCI_VALUE_KNOWN || !at->known.whole || at->known.count < 1 ||
        at->known.shape.rank != 1 || !is_channels(from, oci_attr_int(node, "axis", 0)))
        return oci_lack(x, node, "picks something other than channels");
    int64_t channels = oci_layer_of(x, from)->shape.dim[1];
    bool turned = at->known.count == 3;
    OC_TRY(make_list(x, (int64_t)at->known.count, &picks, err));
    for (size_t i = 0; i < at->known.count; i++) {
        int64_t index = at->known.ints[i];
        index = index < 0 ? index + channels : index;
        if (index < 0 || index >= channels)
            return oci_lack(x, node, "channel %lld of %lld", (long long)at->known.ints[i],
                            (long long)channels);
        picks[i] = (int32_t)index;
        turned = turned && index == 2 - (int64_t)i;
    }
    if (turned) return take_range(x, node, from, 2, -1, 3, err);
    return pick(x, node, 0, from, picks, (int64_t)at->known.count, err);
}

/* An end of a slice within 0..size, as ONNX counts. */
static int64_t clamped(int64_t at, int64_t size, int64_t least, int64_t most) {
    if (at < 0) at = at < -size ? -1 : at + size;
    return at < least ? least : at > most ? most : at;
}

static oc_status take_slice(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    const int64_t *axes = NULL, *steps = NULL, *starts = NULL, *ends = NULL;
    size_t axis_count = 0, step_count = 0, start_count = 0, end_count = 0;
    OC_TRY(oci_ints_of(x, node, "starts", 1, &starts, &start_count, err));
    OC_TRY(oci_ints_of(x, node, "ends", 2, &ends, &end_count, err));
    OC_TRY(oci_ints_of(x, node, "axes", 3, &axes, &axis_count, err));
    OC_TRY(oci_ints_of(x, node, "steps", 4, &steps, &step_count, err));
    int64_t step = step_count == 1 ? steps[0] : 1;
    if (start_count != 1 || end_count != 1 || axis_count != 1 || step_count > 1 ||
        (step != 1 && step != -1) || !is_channels(from, axes[0]))
        return oci_lack(x, node, "cuts something other than a range of channels");
    int64_t channels = oci_layer_of(x, from)->shape.dim[1], first, end;
    if (step > 0) {
        first = clamped(starts[0], channels, 0, channels);
        end = clamped(ends[0], channels, 0, channels);
    } else {
        first = clamped(starts[0], channels, -1, channels - 1);
        end = clamped(ends[0], channels, -1, channels - 1);
    }
    int64_t count = (end - first) * step;
    if (count < 1) return oci_lack(x, node, "leaves no channel of %lld", (long long)channels);
    return take_range(x, node, from, first, step, count, err);
}

/* Sizes as they are told, or even ones of which the last may be smaller. */
static int64_t part_size(const int64_t *sizes, size_t told, size_t k, size_t parts, int64_t all,
                         int64_t done) {
    if (told > 0) return sizes[k];
    int64_t even = (all + (int64_t)parts - 1) / (int64_t)parts;
    return even < all - done ? even : all - done;
}

static oc_status take_split(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *from = oci_input_of(x, node, 0);
    const int64_t *sizes = NULL;
    size_t told = 0, parts = node->output_count;
    int64_t done = 0;
    OC_TRY(oci_ints_of(x, node, "split", 1, &sizes, &told, err));
    if (!is_channels(from, oci_attr_int(node, "axis", 0)) || parts < 1 ||
        (told > 0 && told != parts) || (told == 0 && oci_input_of(x, node, 1) != NULL))
        return oci_lack(x, node, "parts something other than channels");
    const oci_value whole = *from;
    int64_t channels = oci_layer_of(x, from)->shape.dim[1];
    for (size_t k = 0; k < parts; k++) {
        int64_t count = part_size(sizes, told, k, parts, channels, done);
        if (count < 1 || count > channels - done)
            return oci_lack(x, node, "%lld channels into such parts", (long long)channels);
        OC_TRY(pick_range(x, node, k, &whole, done, 1, count, err));
        done += count;
    }
    return done == channels ? OC_OK : oci_lack(x, node, "leaves channels over");
}

const oci_onnx_op oci_ops_pick[] = {
    {"Gather", take_gather}, {"Slice", take_slice}, {"Split", take_split}, {NULL, NULL}};

/* ---- what becomes of them
 * ------------------------------------------------------------------------
 */

oc_status oci_unpick(oci_import *x, int layer, const oci_known *weight, oci_param_values *values,
                     int *below, oc_error *err) {
    const oci_layer *picked = &x->layers[layer];
    const oc_shape *w = &weight->shape; /* (out, picked, kh, kw) */
    const float *old = NULL;
    float *all = NULL;
    if (picked->picks == NULL) return OC_OK;
    int64_t area = w->dim[2] * w->dim[3], seen = w->dim[1];
    int64_t channels = x->layers[picked->inputs[0]].shape.dim[1];
    if (!spend(x, w->dim[0], channels * area)) return OC_OK;
    size_t count = (size_t)(w->dim[0] * channels * area);
    OC_TRY(oci_known_floats(x, weight, &old, err));
    OC_TRY(oci_import_room(x, count, sizeof *all, &all, err));
    for (int64_t o = 0; o < w->dim[0]; o++)
        for (int64_t k = 0; k < seen; k++)
            for (int64_t i = 0; i < area; i++)
                all[(o * channels + picked->picks[k]) * area + i] += old[(o * seen + k) * area + i];
    *values = (oci_param_values){.data = all, .dtype = OC_F32, .count = count};
    *below = picked->inputs[0];
    return OC_OK;
}

oc_status oci_fill_picks(oci_import *x, oc_error *err) {
    for (size_t l = 0; l < x->layer_count; l++) {
        oci_layer *layer = &x->layers[l];
        if (!layer->serves || layer->picks == NULL) continue;
        size_t out = (size_t)layer->shape.dim[1],
               in = (size_t)x->layers[layer->inputs[0]].shape.dim[1];
        float *weights = NULL;
        if (!spend(x, (int64_t)out, (int64_t)in))
            return oc_fail(err, OC_ELIMIT, "%s: '%s' picks %zu channels of %zu: too large",
                           x->where, layer->name, out, in);
        OC_TRY(oci_import_room(x, out * in, sizeof *weights, &weights, err));
        for (size_t o = 0; o < out; o++) weights[o * in + (size_t)layer->picks[o]] = 1;
        layer->params[0] = (oci_param_values){.data = weights, .dtype = OC_F32, .count = out * in};
    }
    return OC_OK;
}
