/* A graph of ONNX in the making: nodes as bytes, initializers as references to where their values
 * lie. Private to `interop`.
 *
 * Calls do nothing after a failure, which oci_emit_status tells. Names and values of initializers
 * are borrowed until the emitter is cleared, unless said otherwise.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_EMIT_INT_H
#define OC_INTEROP_ONNX_EMIT_INT_H

#include "interop/onnx/onnx_int.h"
#include "tensor/tensor.h"

typedef struct oci_initializer {
    const char *name;
    int type; /* OCI_ONNX_FLOAT .. */
    oc_shape shape;
    const void *data;  /* of that type; of floats where steps is set */
    size_t bytes;      /* of the initializer */
    const float *step; /* int8: value = whole number * step[row], one a row of dimension 0 */
    uint64_t offset;   /* in the file of weights, where it goes there */
} oci_initializer;

typedef struct oci_emit {
    oc_pool *pool; /* for names and small values */
    oc_buf nodes;  /* fields of GraphProto */
    oc_buf node, attr;
    oci_initializer *initializers;
    size_t count, capacity;
    oc_status status;
    oc_error error;
} oci_emit;

OC_MUST_CHECK oc_status oci_emit_init(oci_emit *e, oc_error *err);
void oci_emit_clear(oci_emit *e);
OC_MUST_CHECK oc_status oci_emit_status(const oci_emit *e, oc_error *err);
void oci_emit_fail(oci_emit *e, oc_status status, const oc_error *error);

/* A node: begin, its inputs in order, output and attributes, end. */
void oci_emit_begin(oci_emit *e, const char *op, const char *name);
void oci_emit_input(oci_emit *e, const char *value);
void oci_emit_int(oci_emit *e, const char *attr, int64_t value);
void oci_emit_float(oci_emit *e, const char *attr, float value);
void oci_emit_ints(oci_emit *e, const char *attr, const int64_t *values, size_t count);
/* Its only output gets the node's name, which is returned. */
const char *oci_emit_end(oci_emit *e, const char *name);
/* The whole of a node of one or two inputs (second NULL = one) and no attributes. */
const char *oci_emit_simple(oci_emit *e, const char *op, const char *name, const char *a,
                            const char *b);

/* "NAME:part", in the pool. */
const char *oci_emit_name(oci_emit *e, const char *name, const char *part);
/* An initializer whose floats lie at `data`. Returns its name. */
const char *oci_emit_floats(oci_emit *e, const char *name, const oc_shape *shape,
                            const float *data);
/* The same, kept as whole numbers: data / step[row]. */
const char *oci_emit_int8(oci_emit *e, const char *name, const oc_shape *shape, const float *data,
                          const float *step);
/* Small values, copied. Scalars of one value are one initializer. */
const char *oci_emit_scalar(oci_emit *e, float value);
const char *oci_emit_level(oci_emit *e, uint8_t value); /* a uint8 scalar */
const char *oci_emit_indices(oci_emit *e, const char *name, const int64_t *values, size_t count);
/* Zeroed floats for an initializer, in the pool; NULL after a failure. */
float *oci_emit_room(oci_emit *e, size_t count);

#endif
