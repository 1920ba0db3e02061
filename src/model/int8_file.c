/* Int8 weights on their way between file and memory.
 *
 * A file holds whole numbers (I8, torch's shape) and beside them NAME.weight_scale (F32), a step
 * per output channel. In memory weights are floats, the products of the two, so that every engine
 * can run them; the whole numbers come back by division, exactly.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "model/model_int.h"

static const float SMALLEST_STEP = 1e-30F, LARGEST_STEP = 1e30F;

bool oc_graph_is_int8(const oc_graph *graph) {
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        if (node->attrs.int8 || node->op == OC_OP_QUANTIZE) return true;
    }
    return false;
}

bool oci_is_int8_weight(const oc_graph *graph, const oc_param *param) {
    return param->kind == OC_PARAM_WEIGHT && oc_graph_node(graph, param->node)->attrs.int8;
}

/* Written so that a NaN is none. */
static bool is_step(float step) {
    return step >= SMALLEST_STEP && step <= LARGEST_STEP;
}

oc_status oci_int8_to_f32(const oc_param *param, const oc_tensor *whole, const oc_tensor *step,
                          float *dst, oc_error *err) {
    size_t out = (size_t)param->shape.dim[0], count = oc_tensor_count(whole);
    const int8_t *from = whole->data;
    for (size_t o = 0; o < out; o++) {
        float s = 0;
        OC_TRY(oc_tensor_to_f32(&s, (const char *)step->data + o * oc_dtype_bytes(step->dtype),
                                step->dtype, 1, err));
        if (!is_step(s)) {
            return oc_fail(err, OC_EMISMATCH,
                           "%s: the step of output channel %zu is %g: %g to %g is allowed",
                           param->name, o, (double)s, (double)SMALLEST_STEP, (double)LARGEST_STEP);
        }
        for (size_t i = o * (count / out); i < (o + 1) * (count / out); i++) {
            if (from[i] < -OC_INT8_MOST) {
                return oc_fail(err, OC_EMISMATCH, "%s: value %zu is %d: -%d to %d is allowed",
                               param->name, i, from[i], OC_INT8_MOST, OC_INT8_MOST);
            }
            dst[i] = (float)from[i] * s;
        }
    }
    return OC_OK;
}

/* ---- writing ---- */

static oc_status add_whole(const oc_param *param, const oc_tensor *weight, const oc_tensor *step,
                           oc_tensors *out, oc_error *err) {
    oc_tensor *whole = NULL;
    OC_TRY(oc_tensors_add(out, param->name, OC_I8, &param->shape, &whole, err));
    size_t count = oc_tensor_count(whole), filter = count / (size_t)param->shape.dim[0];
    const float *w = weight->data, *s = step->data;
    int8_t *to = whole->data;
    for (size_t i = 0; i < count; i++) {
        float q = rintf(w[i] / s[i / filter]);
        if (!(fabsf(q) <= OC_INT8_MOST)) {
            return oc_fail(err, OC_EMISMATCH, "%s: value %zu, %g, is beyond %d steps of %g",
                           param->name, i, (double)w[i], OC_INT8_MOST, (double)s[i / filter]);
        }
        to[i] = (int8_t)q;
    }
    return OC_OK;
}

static const oc_tensor *step_of(const oc_graph *graph, const oc_param *weight,
                                const oc_tensors *set) {
    const oc_node *node = oc_graph_node(graph, weight->node);
    const oc_param *step = oc_graph_param(graph, node->first_param + node->param_count - 1);
    return oc_tensors_find(set, step->name);
}

static oc_status pack_all(const oc_graph *graph, const oc_tensors *weights, oc_tensors *out,
                          oc_error *err) {
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        const oc_tensor *from = oc_tensors_find(weights, param->name);
        if (from == NULL) return oc_fail(err, OC_EMISMATCH, "tensor %s is missing", param->name);
        if (!oci_is_int8_weight(graph, param)) {
            OC_TRY(oc_tensors_add_view(out, param->name, from, err));
            continue;
        }
        const oc_tensor *step = step_of(graph, param, weights);
        if (step == NULL) return oc_fail(err, OC_EMISMATCH, "%s has no steps", param->name);
        OC_TRY(add_whole(param, from, step, out, err));
    }
    return OC_OK;
}

oc_status oci_int8_pack(const oc_graph *graph, const oc_tensors *weights, oc_tensors **out,
                        oc_error *err) {
    oc_tensors *set = NULL;
    *out = NULL;
    OC_TRY(oc_tensors_new(&set, err));
    oc_status status = pack_all(graph, weights, set, err);
    if (status == OC_OK) {
        *out = set;
    } else {
        oc_tensors_free(set);
    }
    return status;
}
