/* `ocellus export onnx MODEL -o M.onnx`: for ONNX Runtime, browsers, phones.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "export_int.h"

static oc_status write_onnx(const oci_export_flags *f, const oc_model *model, oc_error *err) {
    const oc_onnx_options options = {
        .external_data = f->external_data, .preprocess = f->preprocess, .softmax = f->softmax};
    return oc_onnx_export(model, f->out, &options, err);
}

const oci_export_kind oci_export_onnx = {.name = "onnx", .file = "M.onnx", .write = write_onnx};
