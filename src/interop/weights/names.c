/* The rules of all catalogues, and what their names and shapes mean.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/weights/names_int.h"

static const oci_names TORCHVISION = {.naming = OC_NAMING_TORCHVISION, .family = ""};

const char *oc_naming_name(oc_naming naming) {
#define OC_NAMING_WORD(name, word) word,
    static const char *const words[] = {OC_NAMING_MAP(OC_NAMING_WORD)};
#undef OC_NAMING_WORD
    return words[naming];
}

static const oci_names *find(const oci_names *list, size_t count, oc_naming naming,
                             const oc_arch *arch) {
    for (size_t i = 0; i < count; i++)
        if (list[i].naming == naming && oc_starts_with(arch->name, list[i].family)) return &list[i];
    return NULL;
}

const oci_names *oci_names_of(oc_naming naming, const oc_arch *arch) {
    if (naming == OC_NAMING_TORCHVISION) return &TORCHVISION;
    if (naming == OC_NAMING_TIMM) return find(oci_timm_names, oci_timm_count, naming, arch);
    return find(oci_keras_names, oci_keras_count, naming, arch);
}

bool oci_names_are_keras(const oci_names *names) {
    return names->naming == OC_NAMING_KERAS || names->naming == OC_NAMING_OLD_KERAS;
}

/* ---- parts of names -------------------------------------------------------------------------
 */

bool oci_v2_block(const char *ours, int *block, oci_part *part) {
    int layer = 0, inner = -1, found;
    found = sscanf(ours, "features.%d.conv.%d.%d", block, &layer, &inner);
    if (found < 2 || *block < 1 || *block > 17) return false;
    int base = *block == 1 ? 1 : 0; /* the first block does not widen */
    if (found == 3) {
        *part = (oci_part)(2 * (layer + base) + inner);
        return layer + base <= 1 && inner >= 0 && inner <= 1;
    }
    *part = layer + base == 2 ? OCI_PW : OCI_PW_BN;
    return layer + base == 2 || layer + base == 3;
}

bool oci_v1_block(const char *ours, int *block, oci_part *part) {
    static const char *const STAGES[] = {"conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv4_1",
                                         "conv4_2", "conv5_1", "conv5_2", "conv5_3", "conv5_4",
                                         "conv5_5", "conv5_6", "conv6"};
    static const char *const PARTS[] = {"/dw", "/dw/bn", "/sep", "/sep/bn"};
    const char *slash = strchr(ours, '/');
    for (int i = 0; slash != NULL && i < 13; i++) {
        if ((size_t)(slash - ours) != strlen(STAGES[i])) continue;
        if (strncmp(ours, STAGES[i], (size_t)(slash - ours)) != 0) continue;
        for (int k = 0; k < 4; k++) {
            if (strcmp(slash, PARTS[k]) != 0) continue;
            *block = i + 1;
            *part = (oci_part)(OCI_DW + k);
            return true;
        }
    }
    return false;
}

/* ---- parameters -----------------------------------------------------------------------------
 */

static const char *keras_suffix(oc_param_kind kind) {
    switch (kind) {
    case OC_PARAM_WEIGHT:
        return "kernel";
    case OC_PARAM_BIAS:
        return "bias";
    case OC_PARAM_SCALE:
        return "gamma";
    case OC_PARAM_SHIFT:
        return "beta";
    case OC_PARAM_MEAN:
        return "moving_mean";
    case OC_PARAM_VAR:
        return "moving_variance";
    default:
        return NULL;
    }
}

bool oci_names_param(const oci_names *names, const oc_graph *graph, const oc_param *param,
                     char out[OC_NAME_BYTES]) {
    char layer[OC_NAME_BYTES];
    const char *ours = oc_graph_node(graph, param->node)->name;
    const char *suffix = param->name + strlen(ours); /* ".weight" */
    if (names->layer == NULL) {
        (void)snprintf(out, OC_NAME_BYTES, "%s", param->name);
        return true;
    }
    if (!names->layer(layer, ours)) return false;
    bool keras = oci_names_are_keras(names);
    if (keras && keras_suffix(param->kind) == NULL) return false;
    int n = keras ? snprintf(out, OC_NAME_BYTES, "%s/%s", layer, keras_suffix(param->kind))
                  : snprintf(out, OC_NAME_BYTES, "%s%s", layer, suffix);
    return n > 0 && n < OC_NAME_BYTES;
}

/* Outputs of a kernel (h, w, in, out), or (h, w, in, times) of a depthwise one, or (in, out). */
static bool fits_keras(const oc_graph *graph, const oc_param *param, const oc_tensor *found) {
    const oc_shape *s = &found->shape;
    bool deep = oc_graph_node(graph, param->node)->attrs.groups > 1;
    if (param->kind != OC_PARAM_WEIGHT) return s->rank == 1 && s->dim[0] == param->shape.dim[0];
    if (s->rank != 4) return s->rank == 2 && s->dim[1] == param->shape.dim[0];
    if (deep && param->shape.rank == 4)
        return s->dim[3] > 0 && s->dim[2] == param->shape.dim[0] / s->dim[3];
    return s->dim[3] == param->shape.dim[0];
}

bool oci_names_fits(const oci_names *names, const oc_graph *graph, const oc_param *param,
                    const oc_tensor *found) {
    if (oci_names_are_keras(names)) return fits_keras(graph, param, found);
    bool as_conv = names->naming == OC_NAMING_TIMM && param->shape.rank == 2 &&
                   found->shape.rank == 4; /* a dense layer that is a convolution there */
    return (as_conv || found->shape.rank == param->shape.rank) &&
           (param->shape.rank == 0 || found->shape.dim[0] == param->shape.dim[0]);
}
