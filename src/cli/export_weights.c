/* `ocellus export weights MODEL -o FILE.safetensors`: weights alone, under the names that PyTorch's
 * programs know.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "export_int.h"

static oc_status check_float(const oc_model *model, const char *source, oc_error *err) {
    if (!oc_graph_is_int8(model->graph)) return OC_OK;
    return oc_fail(
        err, OC_EUNSUPPORTED,
        "%s is a quantised model, which no program of PyTorch's can take: export the one "
        "that it was made from",
        source);
}

static oc_status write_rounded(const oci_export_flags *flags, const oc_tensors *named,
                               oc_error *err) {
    static const oc_dtype DTYPES[] = {OC_F32, OC_F16, OC_BF16};
    oc_tensors *rounded = NULL;
    if (flags->dtype <= 0) return oc_safetensors_write(flags->out, named, NULL, err);
    OC_TRY(oc_tensors_round(&rounded, named, DTYPES[flags->dtype], err));
    oc_status status = oc_safetensors_write(flags->out, rounded, NULL, err);
    oc_tensors_free(rounded);
    return status;
}

static oc_status write_weights(const oci_export_flags *flags, const oc_model *model,
                               oc_error *err) {
    oc_tensors *named = NULL;
    oc_naming naming = flags->names > 0 ? OC_NAMING_TIMM : OC_NAMING_TORCHVISION;
    OC_TRY(check_float(model, flags->source, err));
    OC_TRY(oc_naming_apply(&named, model->graph, model->weights, model->arch, naming, err));
    oc_status status = write_rounded(flags, named, err);
    oc_tensors_free(named);
    return status;
}

const oci_export_kind oci_export_weights = {
    .name = "weights", .file = "FILE.safetensors", .write = write_weights};
