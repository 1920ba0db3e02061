/* ONNX as it is on disk: the numbers of its messages' fields and types (onnx/onnx.proto). Private
 * to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_ONNX_INT_H
#define OC_INTEROP_ONNX_ONNX_INT_H

/* Written: what ONNX Runtime reads since 1.10 (2021), in browsers and on phones too. */
enum { OCI_ONNX_IR = 8, OCI_ONNX_OPSET = 15 };

enum {
    OCI_MODEL_IR = 1,
    OCI_MODEL_PRODUCER = 2,
    OCI_MODEL_PRODUCER_VERSION = 3,
    OCI_MODEL_GRAPH = 7,
    OCI_MODEL_OPSET = 8,
    OCI_MODEL_METADATA = 14
};
enum { OCI_OPSET_DOMAIN = 1, OCI_OPSET_VERSION = 2 };
enum { OCI_ENTRY_KEY = 1, OCI_ENTRY_VALUE = 2 };
enum {
    OCI_GRAPH_NODE = 1,
    OCI_GRAPH_NAME = 2,
    OCI_GRAPH_INITIALIZER = 5,
    OCI_GRAPH_INPUT = 11,
    OCI_GRAPH_OUTPUT = 12
};
enum {
    OCI_NODE_INPUT = 1,
    OCI_NODE_OUTPUT = 2,
    OCI_NODE_NAME = 3,
    OCI_NODE_OP = 4,
    OCI_NODE_ATTRIBUTE = 5,
    OCI_NODE_DOMAIN = 7
};
enum {
    OCI_ATTR_NAME = 1,
    OCI_ATTR_F = 2,
    OCI_ATTR_I = 3,
    OCI_ATTR_S = 4,
    OCI_ATTR_T = 5,
    OCI_ATTR_FLOATS = 7,
    OCI_ATTR_INTS = 8,
    OCI_ATTR_TYPE = 20
};
/* Values of OCI_ATTR_TYPE. */
enum { OCI_TYPE_FLOAT = 1, OCI_TYPE_INT = 2, OCI_TYPE_STRING = 3, OCI_TYPE_INTS = 7 };
enum {
    OCI_TENSOR_DIMS = 1,
    OCI_TENSOR_TYPE = 2,
    OCI_TENSOR_FLOATS = 4,
    OCI_TENSOR_INT32S = 5,
    OCI_TENSOR_INT64S = 7,
    OCI_TENSOR_NAME = 8,
    OCI_TENSOR_RAW = 9,
    OCI_TENSOR_DOUBLES = 10,
    OCI_TENSOR_EXTERNAL = 13,
    OCI_TENSOR_LOCATION = 14
};
enum { OCI_LOCATION_EXTERNAL = 1 };
/* Types of elements. */
enum {
    OCI_ONNX_FLOAT = 1,
    OCI_ONNX_UINT8 = 2,
    OCI_ONNX_INT8 = 3,
    OCI_ONNX_INT32 = 6,
    OCI_ONNX_INT64 = 7,
    OCI_ONNX_BOOL = 9,
    OCI_ONNX_FLOAT16 = 10,
    OCI_ONNX_DOUBLE = 11,
    OCI_ONNX_BFLOAT16 = 16
};
enum { OCI_VALUE_NAME = 1, OCI_VALUE_TYPE = 2 };
enum { OCI_TYPE_TENSOR = 1, OCI_TENSOR_TYPE_ELEM = 1, OCI_TENSOR_TYPE_SHAPE = 2 };
enum { OCI_SHAPE_DIM = 1, OCI_DIM_VALUE = 1, OCI_DIM_PARAM = 2 };

/* Keys of a model's metadata. */
#define OCI_META_RECIPE      "ocellus.recipe"
#define OCI_META_TEMPERATURE "ocellus.temperature"
#define OCI_META_THRESHOLD   "ocellus.threshold"
#define OCI_META_ARCH        "ocellus.arch"
#define OCI_META_LABELS      "labels"
#define OCI_META_DISPLAYS    "ocellus.displays"
#define OCI_META_IDS         "ocellus.ids"

#endif
