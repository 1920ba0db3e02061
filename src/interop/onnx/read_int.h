/* An ONNX file in memory: nodes, initializers, inputs, outputs, metadata, checked for form but not
 * for sense. Private to `interop`.
 *
 * Texts and lists live in the document's pool; large values stay where the file is mapped.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_READ_INT_H
#define OC_INTEROP_ONNX_READ_INT_H

#include "interop/onnx/meta_int.h"
#include "interop/onnx/onnx_int.h"
#include "interop/wire_int.h"
#include "tensor/tensor.h"

/* Values of a tensor: raw bytes of its type, or one of the lists. */
typedef struct oci_onnx_tensor {
    const char *name;
    int type; /* OCI_ONNX_FLOAT .. */
    oc_shape shape;
    size_t count; /* elements of shape */
    const uint8_t *raw;
    size_t raw_bytes;
    const float *floats;
    const double *doubles;
    const int64_t *ints; /* int64_data or int32_data */
    size_t listed;       /* entries of the one that is there */
    bool external;
    const char *location;
    uint64_t offset, length; /* length 0 = what the shape needs */
} oci_onnx_tensor;

typedef struct oci_onnx_attr {
    const char *name;
    int64_t i;
    float f;
    const char *text; /* "" = none */
    const int64_t *ints;
    size_t int_count;
    const oci_onnx_tensor *tensor;
} oci_onnx_attr;

typedef struct oci_onnx_node {
    const char *op, *name, *domain; /* "" = none */
    const char **inputs, **outputs; /* "" = left out */
    size_t input_count, output_count;
    oci_onnx_attr *attrs;
    size_t attr_count;
} oci_onnx_node;

typedef struct oci_onnx_value {
    const char *name;
    int type;
    oc_shape shape; /* -1 = not fixed */
    bool known;     /* has a shape at all */
} oci_onnx_value;

typedef struct oci_onnx_map {
    const char *location;
    oc_map map;
} oci_onnx_map;

typedef struct oci_onnx_doc {
    const char *where;
    oc_pool *pool;
    oci_onnx_node *nodes;
    oci_onnx_tensor *initializers;
    oci_onnx_value *inputs, *outputs;
    oci_onnx_entry *entries;
    size_t node_count, initializer_count, input_count, output_count, entry_count;
    int64_t opset;
    oci_onnx_map *maps; /* files of external values, opened once each */
    size_t map_count, map_room;
} oci_onnx_doc;

/* The bytes must outlive the document. folder: where files of external values may lie; NULL = none
 * may. OC_EFORMAT, OC_ELIMIT. A cleared document may be cleared again. */
OC_MUST_CHECK oc_status oci_onnx_read(oci_onnx_doc *out, const void *bytes, size_t size,
                                      const char *where, oc_error *err);
void oci_onnx_doc_clear(oci_onnx_doc *doc);
/* Where external values of the tensor lie: a file of `folder` itself, neither elsewhere nor by
 * way of "..". Sets raw. */
OC_MUST_CHECK oc_status oci_onnx_bring(oci_onnx_doc *doc, const char *folder, oci_onnx_tensor *t,
                                       oc_error *err);
/* A TensorProto. */
OC_MUST_CHECK oc_status oci_onnx_read_tensor(oci_onnx_doc *doc, const oci_wire *w,
                                             oci_onnx_tensor *out, oc_error *err);

/* ---- lists in messages ---------------------------------------------------------------------- */

/* How often field `number` occurs in the message. */
OC_MUST_CHECK oc_status oci_onnx_count(oci_wire w, uint32_t number, size_t *out, oc_error *err);
/* All values of a repeated number, packed or not, into the document's pool. */
OC_MUST_CHECK oc_status oci_onnx_ints(oci_onnx_doc *doc, oci_wire w, uint32_t number,
                                      const int64_t **out, size_t *count, oc_error *err);

#endif
