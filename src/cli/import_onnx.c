/* `ocellus import onnx M.onnx`: what PyTorch, timm, Keras and our own export write.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "import_int.h"

static oc_status read_onnx(const oci_import_flags *flags, oc_model *model, oc_error *err) {
    return oc_onnx_import(model, flags->source, flags->size, flags->log, err);
}

const oci_import_kind oci_import_onnx = {.name = "onnx", .needs = "FILE.onnx", .read = read_onnx};
