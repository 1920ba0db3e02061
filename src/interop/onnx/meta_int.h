/* What a model of ours says of itself in an ONNX file's metadata. Private to `interop`.
 *
 *   labels              a JSON array of the outputs' names, for clients
 *   preprocessing       the same as the recipe, for people
 *   size, mean, std ... its numbers
 *   ocellus.recipe, ocellus.temperature, ocellus.threshold, ocellus.arch, ocellus.displays,
 *   ocellus.ids         what makes the same model of it again
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_META_INT_H
#define OC_INTEROP_ONNX_META_INT_H

#include "model/model.h"

/* Fields of ModelProto behind what `out` holds. in_graph: the graph normalises the pixels. */
OC_MUST_CHECK oc_status oci_onnx_put_metadata(oc_buf *out, const oc_model *model, bool in_graph,
                                              oc_error *err);

typedef struct oci_onnx_entry {
    const char *key, *value;
} oci_onnx_entry;

/* Recipe, classes, temperature, threshold and name of the network from the entries, where they are
 * ours; nothing changes where they are another program's. OC_EFORMAT for ours that are damaged. */
OC_MUST_CHECK oc_status oci_onnx_take_metadata(oc_model *model, const char *where,
                                               const oci_onnx_entry *entries, size_t count,
                                               oc_error *err);

#endif
