/* Parameters: which ones an op has, what they are called, how large they are.
 *
 * Shapes, order and names are torch's, so that weight files can be read as they are.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

bool oc_param_trained(oc_param_kind kind) {
    return kind != OC_PARAM_MEAN && kind != OC_PARAM_VAR && kind != OC_PARAM_STEP;
}

const char *oci_param_suffix(oc_param_kind kind) {
    switch (kind) {
    case OC_PARAM_BIAS:
    case OC_PARAM_SHIFT:
        return ".bias";
    case OC_PARAM_MEAN:
        return ".running_mean";
    case OC_PARAM_VAR:
        return ".running_var";
    case OC_PARAM_STEP:
        return ".weight_scale";
    default:
        return ".weight";
    }
}

/* Fans as torch counts them: the weights' own dimensions, whatever the groups. */
static int layer_params(const oc_attrs *a, oc_shape weight, int64_t area, oc_param *params) {
    int64_t fan_in = weight.dim[1] * area, fan_out = weight.dim[0] * area;
    params[0] =
        (oc_param){.kind = OC_PARAM_WEIGHT, .shape = weight, .fan_in = fan_in, .fan_out = fan_out};
    params[1] = (oc_param){
        .kind = OC_PARAM_BIAS, .shape = oc_shape_1d(a->out), .fan_in = fan_in, .fan_out = fan_out};
    int count = a->bias ? 2 : 1;
    if (a->int8)
        params[count++] = (oc_param){
            .kind = OC_PARAM_STEP, .shape = oc_shape_1d(a->out), .fan_in = 1, .fan_out = 1};
    return count;
}

/* The first `count` of those that work on whole channels. */
static int channel_params(int64_t channels, int count, oc_param *params) {
    static const oc_param_kind KINDS[OCI_MAX_PARAMS] = {OC_PARAM_SCALE, OC_PARAM_SHIFT,
                                                        OC_PARAM_MEAN, OC_PARAM_VAR};
    for (int i = 0; i < count; i++) {
        params[i] =
            (oc_param){.kind = KINDS[i], .shape = oc_shape_1d(channels), .fan_in = 1, .fan_out = 1};
    }
    return count;
}

int oci_node_params(const oc_node *node, int64_t channels, oc_param params[OCI_MAX_PARAMS]) {
    const oc_attrs *a = &node->attrs;
    if (node->op == OC_OP_CONV) {
        oc_shape weight = oc_shape_4d(a->out, channels / a->groups, a->kernel_h, a->kernel_w);
        return layer_params(a, weight, (int64_t)a->kernel_h * a->kernel_w, params);
    }
    if (node->op == OC_OP_DENSE) {
        return layer_params(a, oc_shape_2d(a->out, channels), 1, params);
    }
    if (node->op == OC_OP_PRELU) {
        params[0] = (oc_param){.kind = OC_PARAM_SLOPE,
                               .shape = oc_shape_1d(a->shared ? 1 : channels),
                               .fan_in = 1,
                               .fan_out = 1};
        return 1;
    }
    if (node->op == OC_OP_SCALE) return channel_params(channels, a->bias ? 2 : 1, params);
    return node->op == OC_OP_BATCH_NORM ? channel_params(channels, OCI_MAX_PARAMS, params) : 0;
}
