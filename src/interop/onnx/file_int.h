/* Writing a made graph as a file of ONNX. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_FILE_INT_H
#define OC_INTEROP_ONNX_FILE_INT_H

#include "interop/onnx/emit_int.h"

typedef struct oci_onnx_file {
    const char *path;
    const char *graph_name;
    const oc_buf *ends; /* fields of GraphProto: inputs and outputs */
    const oc_buf *tail; /* fields of ModelProto: metadata */
    bool external;      /* values of 1024 bytes and more go to PATH.data */
} oci_onnx_file;

/* Values are written straight from where they lie. Where all of them make the file larger than
 * the 2 GB that the format allows, they go to PATH.data in any case. */
OC_MUST_CHECK oc_status oci_onnx_write(const oci_onnx_file *file, oci_emit *graph, oc_error *err);

#endif
