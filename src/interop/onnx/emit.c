/* Nodes and initializers of an ONNX graph, one after the other.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/onnx/emit_int.h"
#include "interop/wire_int.h"

oc_status oci_emit_init(oci_emit *e, oc_error *err) {
    *e = (oci_emit){0};
    return oc_pool_new(&e->pool, err);
}

void oci_emit_clear(oci_emit *e) {
    oc_pool_free(e->pool);
    oc_buf_clear(&e->nodes);
    oc_buf_clear(&e->node);
    oc_buf_clear(&e->attr);
    oc_free(e->initializers);
}

void oci_emit_fail(oci_emit *e, oc_status status, const oc_error *error) {
    if (e->status != OC_OK) return;
    e->status = status;
    e->error = *error;
}

oc_status oci_emit_status(const oci_emit *e, oc_error *err) {
    if (e->status == OC_OK) return oc_buf_status(&e->nodes, err);
    if (err != NULL) *err = e->error;
    return e->status;
}

static void fail_nomem(oci_emit *e, size_t bytes) {
    oc_error error = {0};
    oci_emit_fail(e, oc_fail_nomem(&error, bytes, "an ONNX graph"), &error);
}

/* ---- nodes --------------------------------------------------------------------------------- */

void oci_emit_begin(oci_emit *e, const char *op, const char *name) {
    e->node.size = 0;
    oci_wire_put_text(&e->node, OCI_NODE_OP, op);
    oci_wire_put_text(&e->node, OCI_NODE_NAME, name);
}

void oci_emit_input(oci_emit *e, const char *value) {
    oci_wire_put_text(&e->node, OCI_NODE_INPUT, value);
}

static void put_attr(oci_emit *e, int type) {
    oci_wire_put_varint(&e->attr, OCI_ATTR_TYPE, (uint64_t)type);
    oci_wire_put_message(&e->node, OCI_NODE_ATTRIBUTE, &e->attr);
}

void oci_emit_int(oci_emit *e, const char *attr, int64_t value) {
    oci_wire_put_text(&e->attr, OCI_ATTR_NAME, attr);
    oci_wire_put_varint(&e->attr, OCI_ATTR_I, (uint64_t)value);
    put_attr(e, OCI_TYPE_INT);
}

void oci_emit_float(oci_emit *e, const char *attr, float value) {
    oci_wire_put_text(&e->attr, OCI_ATTR_NAME, attr);
    oci_wire_put_float(&e->attr, OCI_ATTR_F, value);
    put_attr(e, OCI_TYPE_FLOAT);
}

void oci_emit_ints(oci_emit *e, const char *attr, const int64_t *values, size_t count) {
    oci_wire_put_text(&e->attr, OCI_ATTR_NAME, attr);
    for (size_t i = 0; i < count; i++)
        oci_wire_put_varint(&e->attr, OCI_ATTR_INTS, (uint64_t)values[i]);
    put_attr(e, OCI_TYPE_INTS);
}

const char *oci_emit_end(oci_emit *e, const char *name) {
    oci_wire_put_text(&e->node, OCI_NODE_OUTPUT, name);
    oci_wire_put_message(&e->nodes, OCI_GRAPH_NODE, &e->node);
    return name;
}

const char *oci_emit_simple(oci_emit *e, const char *op, const char *name, const char *a,
                            const char *b) {
    oci_emit_begin(e, op, name);
    oci_emit_input(e, a);
    if (b != NULL) oci_emit_input(e, b);
    return oci_emit_end(e, name);
}

/* ---- initializers -------------------------------------------------------------------------- */

const char *oci_emit_name(oci_emit *e, const char *name, const char *part) {
    size_t size = strlen(name) + strlen(part) + 2;
    char *text = oc_pool_alloc(e->pool, size);
    if (text == NULL) {
        fail_nomem(e, size);
        return name;
    }
    (void)snprintf(text, size, "%s:%s", name, part);
    return text;
}

static const char *add(oci_emit *e, const oci_initializer *initializer) {
    oc_error error = {0};
    if (e->status != OC_OK) return initializer->name;
    oc_status status =
        oc_grow(&e->initializers, &e->capacity, e->count + 1, sizeof *e->initializers, &error);
    if (status != OC_OK) {
        oci_emit_fail(e, status, &error);
        return initializer->name;
    }
    e->initializers[e->count] = *initializer;
    e->count++;
    return initializer->name;
}

static size_t values_of(const oc_shape *shape) {
    size_t count = 0;
    return oc_shape_count(shape, &count) ? count : 0;
}

const char *oci_emit_floats(oci_emit *e, const char *name, const oc_shape *shape,
                            const float *data) {
    const oci_initializer initializer = {.name = name,
                                         .type = OCI_ONNX_FLOAT,
                                         .shape = *shape,
                                         .data = data,
                                         .bytes = values_of(shape) * sizeof *data};
    return add(e, &initializer);
}

const char *oci_emit_int8(oci_emit *e, const char *name, const oc_shape *shape, const float *data,
                          const float *step) {
    const oci_initializer initializer = {.name = name,
                                         .type = OCI_ONNX_INT8,
                                         .shape = *shape,
                                         .data = data,
                                         .bytes = values_of(shape),
                                         .step = step};
    return add(e, &initializer);
}

static const char *find(const oci_emit *e, const char *name) {
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->initializers[i].name, name) == 0) return e->initializers[i].name;
    return NULL;
}

/* A copy of some bytes in the pool. */
static const void *keep(oci_emit *e, const void *bytes, size_t size) {
    void *copy = oc_pool_alloc(e->pool, size);
    if (copy == NULL) {
        fail_nomem(e, size);
        return NULL;
    }
    memcpy(copy, bytes, size);
    return copy;
}

/* A scalar under a name that tells its value. */
static const char *add_scalar(oci_emit *e, const char *name, int type, const void *value,
                              size_t bytes) {
    const char *known = find(e, name);
    if (known != NULL) return known;
    const char *kept = keep(e, name, strlen(name) + 1);
    if (kept == NULL) return "";
    const oci_initializer initializer = {
        .name = kept, .type = type, .data = keep(e, value, bytes), .bytes = bytes};
    return add(e, &initializer);
}

const char *oci_emit_scalar(oci_emit *e, float value) {
    char name[48];
    (void)snprintf(name, sizeof name, "constant:%.9g", (double)value);
    return add_scalar(e, name, OCI_ONNX_FLOAT, &value, sizeof value);
}

const char *oci_emit_level(oci_emit *e, uint8_t value) {
    char name[32];
    (void)snprintf(name, sizeof name, "level:%d", value);
    return add_scalar(e, name, OCI_ONNX_UINT8, &value, sizeof value);
}

const char *oci_emit_indices(oci_emit *e, const char *name, const int64_t *values, size_t count) {
    const oci_initializer initializer = {.name = name,
                                         .type = OCI_ONNX_INT64,
                                         .shape = oc_shape_1d((int64_t)count),
                                         .data = keep(e, values, count * sizeof *values),
                                         .bytes = count * sizeof *values};
    return add(e, &initializer);
}

float *oci_emit_room(oci_emit *e, size_t count) {
    float *room = oc_pool_alloc(e->pool, count * sizeof *room);
    if (room == NULL) fail_nomem(e, count * sizeof *room);
    return room;
}
