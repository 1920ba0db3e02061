/* What every engine needs to know of a graph's parameters: where they are in a set, which of them
 * are trained, and how far down a gradient must flow.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine_int.h"

enum { LARGE_VALUES = 1 << 18 };

static oc_status check_tensor(const oc_tensor *tensor, const oc_param *param, oc_error *err) {
    if (tensor->dtype == OC_F32 && oc_shape_equal(&tensor->shape, &param->shape)) return OC_OK;
    char found[OC_SHAPE_TEXT], wanted[OC_SHAPE_TEXT];
    return oc_fail(err, OC_EMISMATCH, "tensor '%s' is %s %s: the network needs F32 %s", param->name,
                   oc_dtype_name(tensor->dtype), oc_shape_text(found, &tensor->shape),
                   oc_shape_text(wanted, &param->shape));
}

oc_status oci_param_find(const oc_tensors *set, const oc_param *param, const float **out,
                         oc_error *err) {
    const oc_tensor *tensor = oc_tensors_find(set, param->name);
    if (tensor == NULL) {
        char wanted[OC_SHAPE_TEXT];
        return oc_fail(err, OC_EMISMATCH, "tensor '%s' (F32 %s) is missing from a set of %zu",
                       param->name, oc_shape_text(wanted, &param->shape), oc_tensors_count(set));
    }
    OC_TRY(check_tensor(tensor, param, err));
    *out = tensor->data;
    return OC_OK;
}

oc_status oci_param_place(oc_tensors *set, const oc_param *param, float **out, oc_error *err) {
    oc_tensor *tensor = oc_tensors_find(set, param->name);
    if (tensor == NULL) {
        OC_TRY(oc_tensors_add(set, param->name, OC_F32, &param->shape, &tensor, err));
    }
    OC_TRY(check_tensor(tensor, param, err));
    *out = tensor->data;
    return OC_OK;
}

bool oci_param_is_large(const oc_param *param) {
    size_t count = 0;
    return oc_shape_count(&param->shape, &count) && count >= LARGE_VALUES;
}

oc_status oci_param_lend(oc_tensors *set, const oc_param *param, float *data, oc_error *err) {
    const oc_tensor *tensor = oc_tensors_find(set, param->name);
    const oc_tensor view = {.dtype = OC_F32, .shape = param->shape, .data = data};
    if (tensor == NULL) return oc_tensors_add_view(set, param->name, &view, err);
    OC_TRY(check_tensor(tensor, param, err));
    return oc_tensors_point(set, param->name, data, err);
}

bool oci_param_is_trained(const oc_graph *graph, const oc_plan_options *options, int i) {
    return options->mode == OC_MODE_TRAIN && oc_param_trained(oc_graph_param(graph, i)->kind) &&
           (options->trained == NULL || options->trained[i]);
}

void oci_grad_needed(const oc_graph *graph, const oc_plan_options *options, bool *needed) {
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        needed[i] = false;
        for (int k = 0; k < node->input_count; k++) needed[i] |= needed[node->inputs[k]];
        for (int k = 0; k < node->param_count; k++) {
            needed[i] |= oci_param_is_trained(graph, options, node->first_param + k);
        }
    }
}
