/* What the kinds of `ocellus export` share: each writes a model as a file of another program.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_EXPORT_INT_H
#define OC_CLI_EXPORT_INT_H

#include "interop/interop.h"

typedef struct oci_export_flags {
    const char *source; /* the model folder */
    const char *out;
    bool external_data, preprocess, softmax; /* onnx */
    int names, dtype;                        /* weights: words; 0 = torchvision, f32 */
    bool json;
} oci_export_flags;

typedef struct oci_export_kind {
    const char *name;
    const char *file; /* how a usage message calls what is written */
    oc_status (*write)(const oci_export_flags *flags, const oc_model *model, oc_error *err);
} oci_export_kind;

extern const oci_export_kind oci_export_onnx, oci_export_weights;

#endif
