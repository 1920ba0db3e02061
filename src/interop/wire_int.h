/* The wire format of protocol buffers, read where it lies and written: what ONNX, Caffe and
 * TensorBoard files are made of (https://protobuf.dev/programming-guides/encoding). Private to
 * `interop`.
 *
 * A reader is a cursor over one message; nested messages are cursors of their own, at most
 * OCI_WIRE_DEPTH deep. Nothing is copied: bytes point into the file. A general library would copy
 * every tensor of a file before the first is looked at, and follow a hostile file as deep as it
 * says; this one is a page.
 *
 * Threads: a cursor belongs to one. Errors are OC_EFORMAT and name file and offset.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_WIRE_INT_H
#define OC_INTEROP_WIRE_INT_H

#include "base/base.h"

enum { OCI_WIRE_DEPTH = 32 };

typedef enum oci_wire_type {
    OCI_WIRE_VARINT = 0,
    OCI_WIRE_FIXED64 = 1,
    OCI_WIRE_BYTES = 2, /* text, bytes, a message, or packed numbers */
    OCI_WIRE_FIXED32 = 5
} oci_wire_type;

typedef struct oci_wire {
    const uint8_t *start; /* of the file, for messages */
    const uint8_t *at, *end;
    const char *where; /* the file's name */
    int depth;
} oci_wire;

typedef struct oci_wire_field {
    uint32_t number;
    oci_wire_type type;
    uint64_t value;       /* of a number, as it is on the wire */
    const uint8_t *bytes; /* of OCI_WIRE_BYTES */
    size_t size;
} oci_wire_field;

/* The bytes must outlive the cursor and all that it gives. */
oci_wire oci_wire_open(const void *bytes, size_t size, const char *where);
/* The next field into *out; *more is false behind the last. */
OC_MUST_CHECK oc_status oci_wire_next(oci_wire *w, oci_wire_field *out, bool *more, oc_error *err);
/* OC_EFORMAT naming `what` unless the field has this type. */
OC_MUST_CHECK oc_status oci_wire_expect(const oci_wire *w, const oci_wire_field *f,
                                        oci_wire_type type, const char *what, oc_error *err);
/* The message that field f of w is. */
OC_MUST_CHECK oc_status oci_wire_enter(const oci_wire *w, const oci_wire_field *f, const char *what,
                                       oci_wire *out, oc_error *err);
/* A varint that is not more than 64 bits long, from packed ones; *more as above. */
OC_MUST_CHECK oc_status oci_wire_varint(oci_wire *w, uint64_t *out, bool *more, oc_error *err);
/* A copy of a text field in `pool`: UTF-8, no NUL within. */
OC_MUST_CHECK oc_status oci_wire_text(const oci_wire *w, const oci_wire_field *f, const char *what,
                                      oc_pool *pool, const char **out, oc_error *err);
float oci_wire_float(const oci_wire_field *f); /* of OCI_WIRE_FIXED32 */
float oci_wire_float_at(const uint8_t *bytes); /* little-endian, any alignment */

/* Writing: fields go behind what the buffer holds; a failure stays in the buffer (oc_buf_status).
 */
void oci_wire_put_varint(oc_buf *out, uint32_t number, uint64_t value);
void oci_wire_put_float(oc_buf *out, uint32_t number, float value);
void oci_wire_put_double(oc_buf *out, uint32_t number, double value);
void oci_wire_put_bytes(oc_buf *out, uint32_t number, const void *bytes, size_t size);
void oci_wire_put_text(oc_buf *out, uint32_t number, const char *text);
/* A message made before; its buffer is emptied for the next one, its failure handed on. */
void oci_wire_put_message(oc_buf *out, uint32_t number, oc_buf *message);
/* Key and length of `size` bytes that the caller writes behind: for what is too large to copy. */
void oci_wire_put_head(oc_buf *out, uint32_t number, size_t size);
void oci_wire_put_packed(oc_buf *out, uint32_t number, const int64_t *values, size_t count);

#endif
