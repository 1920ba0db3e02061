/* ONNX files for tests, made with the wire format's own writer, a field at a time; and what comes
 * of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_ONNX_MAKER_H
#define OC_TESTS_ONNX_MAKER_H

#include "../engine/harness.h"

#include "interop/interop.h"
#include "interop/onnx/onnx_int.h"
#include "interop/wire_int.h"

enum { SIDE = 8, CLASSES = 4 };

typedef struct maker {
    oc_buf graph, node, scratch, inner;
} maker;

static inline void tensor(maker *m, const char *name, int type, const int64_t *dims, size_t rank,
                          const void *raw, size_t bytes) {
    for (size_t i = 0; i < rank; i++)
        oci_wire_put_varint(&m->scratch, OCI_TENSOR_DIMS, (uint64_t)dims[i]);
    oci_wire_put_varint(&m->scratch, OCI_TENSOR_TYPE, (uint64_t)type);
    oci_wire_put_text(&m->scratch, OCI_TENSOR_NAME, name);
    if (raw != NULL) oci_wire_put_bytes(&m->scratch, OCI_TENSOR_RAW, raw, bytes);
    oci_wire_put_message(&m->graph, OCI_GRAPH_INITIALIZER, &m->scratch);
}

/* Floats 0.01, 0.02, ... */
static inline void weights(maker *m, const char *name, const int64_t *dims, size_t rank) {
    static float values[4096];
    size_t count = 1;
    for (size_t i = 0; i < rank; i++) count *= (size_t)dims[i];
    assert_true(count <= sizeof values / sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = 0.01F * (float)(i % 17 + 1);
    tensor(m, name, OCI_ONNX_FLOAT, dims, rank, values, count * sizeof *values);
}

static inline void ints(maker *m, const char *name, const int64_t *values, size_t count) {
    const int64_t dims[] = {(int64_t)count};
    tensor(m, name, OCI_ONNX_INT64, dims, 1, values, count * sizeof *values);
}

static inline void number(maker *m, const char *name, float value) {
    tensor(m, name, OCI_ONNX_FLOAT, NULL, 0, &value, sizeof value);
}

static inline void attr_ints(maker *m, const char *name, const int64_t *values, size_t count) {
    oci_wire_put_text(&m->scratch, OCI_ATTR_NAME, name);
    for (size_t i = 0; i < count; i++)
        oci_wire_put_varint(&m->scratch, OCI_ATTR_INTS, (uint64_t)values[i]);
    oci_wire_put_message(&m->node, OCI_NODE_ATTRIBUTE, &m->scratch);
}

static inline void attr_int(maker *m, const char *name, int64_t value) {
    oci_wire_put_text(&m->scratch, OCI_ATTR_NAME, name);
    oci_wire_put_varint(&m->scratch, OCI_ATTR_I, (uint64_t)value);
    oci_wire_put_message(&m->node, OCI_NODE_ATTRIBUTE, &m->scratch);
}

/* Attributes stand before; inputs are parted by spaces. */
static inline void node(maker *m, const char *op, const char *inputs, const char *output) {
    while (*inputs != '\0') {
        size_t size = strcspn(inputs, " ");
        oci_wire_put_bytes(&m->node, OCI_NODE_INPUT, inputs, size);
        inputs += size + (inputs[size] == ' ');
    }
    oci_wire_put_text(&m->node, OCI_NODE_OUTPUT, output);
    oci_wire_put_text(&m->node, OCI_NODE_OP, op);
    oci_wire_put_text(&m->node, OCI_NODE_NAME, output);
    oci_wire_put_message(&m->graph, OCI_GRAPH_NODE, &m->node);
}

/* -1 = a dimension that is open */
static inline void value(maker *m, uint32_t field, const char *name, int type, const int64_t *dims,
                         size_t rank) {
    oc_buf shape = {0}, outer = {0};
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] >= 0) oci_wire_put_varint(&m->scratch, OCI_DIM_VALUE, (uint64_t)dims[i]);
        oci_wire_put_message(&shape, OCI_SHAPE_DIM, &m->scratch);
    }
    oci_wire_put_varint(&m->inner, OCI_TENSOR_TYPE_ELEM, (uint64_t)type);
    oci_wire_put_message(&m->inner, OCI_TENSOR_TYPE_SHAPE, &shape);
    oci_wire_put_message(&outer, OCI_TYPE_TENSOR, &m->inner);
    oci_wire_put_text(&m->scratch, OCI_VALUE_NAME, name);
    oci_wire_put_message(&m->scratch, OCI_VALUE_TYPE, &outer);
    oci_wire_put_message(&m->graph, field, &m->scratch);
    oc_buf_clear(&shape);
    oc_buf_clear(&outer);
}

static inline void picture(maker *m) {
    static const int64_t dims[] = {-1, 3, SIDE, SIDE};
    value(m, OCI_GRAPH_INPUT, "x", OCI_ONNX_FLOAT, dims, 4);
}

/* Inputs (n, 3) -> CLASSES scores "y". */
static inline void head(maker *m, const char *from) {
    static const int64_t dims[] = {CLASSES, 3};
    char inputs[64];
    weights(m, "fc.weight", dims, 2);
    attr_int(m, "transB", 1);
    (void)snprintf(inputs, sizeof inputs, "%s fc.weight", from);
    node(m, "Gemm", inputs, "y");
    value(m, OCI_GRAPH_OUTPUT, "y", OCI_ONNX_FLOAT, NULL, 0);
}

/* The whole file; the maker is empty again. */
static inline oc_buf finish(maker *m) {
    oc_buf file = {0};
    oci_wire_put_varint(&file, OCI_MODEL_IR, 8);
    oci_wire_put_varint(&m->scratch, OCI_OPSET_VERSION, 15);
    oci_wire_put_message(&file, OCI_MODEL_OPSET, &m->scratch);
    oci_wire_put_message(&file, OCI_MODEL_GRAPH, &m->graph);
    assert_false(file.failed);
    oc_buf_clear(&m->graph);
    oc_buf_clear(&m->node);
    oc_buf_clear(&m->scratch);
    oc_buf_clear(&m->inner);
    return file;
}

static inline oc_model *take(maker *m) {
    oc_model *model = NULL;
    oc_error err = {0};
    oc_buf file = finish(m);
    check_ok(oc_model_new(&model, &err), err);
    check_ok(oc_onnx_parse(model, file.data, file.size, "net.onnx", NULL, 0, NULL, &err), err);
    oc_buf_clear(&file);
    return model;
}

static inline void refuse(maker *m, oc_status wanted, const char *part) {
    oc_model *model = NULL;
    oc_error err = {0};
    oc_buf file = finish(m);
    check_ok(oc_model_new(&model, &err), err);
    check_fails(oc_onnx_parse(model, file.data, file.size, "net.onnx", NULL, 0, NULL, &err), err,
                wanted, part);
    oc_model_free(model);
    oc_buf_clear(&file);
}
static inline const oc_node *find(const oc_model *model, const char *name) {
    int i = oc_graph_find(model->graph, name);
    if (i < 0) fail_msg("no node '%s'", name);
    return oc_graph_node(model->graph, i);
}

static inline void check_ops(const oc_model *model, const oc_op *ops, int count) {
    for (int i = 0; i < count && i < oc_graph_node_count(model->graph); i++)
        assert_string_equal(oc_op_name(oc_graph_node(model->graph, i)->op), oc_op_name(ops[i]));
    assert_int_equal(oc_graph_node_count(model->graph), count);
}

static inline void conv(maker *m, const char *from, const char *to) {
    static const int64_t dims[] = {3, 3, 3, 3};
    char inputs[64];
    weights(m, "body.0.weight", dims, 4);
    (void)snprintf(inputs, sizeof inputs, "%s body.0.weight", from);
    node(m, "Conv", inputs, to);
}

#endif
