/* A message from its bytes: fields by number, runs of numbers left where they lie.
 *
 * Numbers of a repeated field may come packed (one run) or one by one, each behind a key: those are
 * one run too as long as they follow each other at equal distance, so that the tree stays small
 * whatever the file holds. Of a field that should come once the last one counts.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/proto_int.h"
#include "interop/wire_int.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static oc_status read_message(oci_proto_builder *b, oci_wire *w, oci_proto *m, oc_error *err);

static const oci_proto_field *find_number(const oci_proto_type *type, uint32_t number) {
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].number == number) return &type->fields[i];
    return NULL;
}

/* ---- one value ----------------------------------------------------------------------------- */

static oc_status store_integer(const oci_wire *w, oci_proto_value *v, uint64_t bits,
                               oc_error *err) {
    int64_t value = (int64_t)bits;
    int64_t low = INT64_MIN, high = INT64_MAX;
    if (v->field->kind == OCI_PROTO_INT32 || v->field->kind == OCI_PROTO_ENUM) {
        low = INT32_MIN;
        high = INT32_MAX;
    }
    if (v->field->kind == OCI_PROTO_UINT32) low = 0, high = UINT32_MAX;
    if (v->field->kind == OCI_PROTO_BOOL) value = bits != 0;
    if (value < low || value > high) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: %s before byte %zu is %" PRId64 ", allowed are %" PRId64 " to %" PRId64,
                       w->where, v->field->name, (size_t)(w->at - w->start), value, low, high);
    }
    v->as.integer = value;
    return OC_OK;
}

static oc_status add_integer(oci_proto_builder *b, const oci_wire *w, oci_proto *m,
                             const oci_proto_field *field, uint64_t bits, oc_error *err) {
    oci_proto_value *v = NULL;
    OC_TRY(oci_proto_add(b, m, field, &v, err));
    return store_integer(w, v, bits, err);
}

static oc_status add_real(oci_proto_builder *b, oci_proto *m, const oci_proto_field *field,
                          float real, oc_error *err) {
    oci_proto_value *v = NULL;
    OC_TRY(oci_proto_add(b, m, field, &v, err));
    v->as.real = (double)real;
    return OC_OK;
}

/* Whole numbers packed behind one key. */
static oc_status add_packed_integers(oci_proto_builder *b, const oci_wire *w,
                                     const oci_wire_field *f, oci_proto *m,
                                     const oci_proto_field *field, oc_error *err) {
    oci_wire packed;
    OC_TRY(oci_wire_enter(w, f, field->name, &packed, err));
    for (;;) {
        uint64_t bits = 0;
        bool more = false;
        OC_TRY(oci_wire_varint(&packed, &bits, &more, err));
        if (!more) return OC_OK;
        OC_TRY(add_integer(b, &packed, m, field, bits, err));
    }
}

static oc_status check_whole(const oci_wire *w, const oci_wire_field *f,
                             const oci_proto_field *field, size_t size, oc_error *err) {
    if (f->size % size == 0) return OC_OK;
    return oc_fail(err, OC_EFORMAT,
                   "%s: %s at byte %zu has %zu bytes, which is no whole count of numbers of %zu "
                   "bytes: damaged",
                   w->where, field->name, (size_t)(f->bytes - w->start), f->size, size);
}

static oc_status add_packed_reals(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                                  oci_proto *m, const oci_proto_field *field, oc_error *err) {
    OC_TRY(check_whole(w, f, field, sizeof(float), err));
    for (size_t i = 0; i < f->size; i += sizeof(float))
        OC_TRY(add_real(b, m, field, oci_wire_float_at(f->bytes + i), err));
    return OC_OK;
}

static oc_status read_integer(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                              oci_proto *m, const oci_proto_field *field, oc_error *err) {
    if (field->repeated && f->type == OCI_WIRE_BYTES)
        return add_packed_integers(b, w, f, m, field, err);
    OC_TRY(oci_wire_expect(w, f, OCI_WIRE_VARINT, field->name, err));
    return add_integer(b, w, m, field, f->value, err);
}

static oc_status read_real(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                           oci_proto *m, const oci_proto_field *field, oc_error *err) {
    if (field->repeated && f->type == OCI_WIRE_BYTES)
        return add_packed_reals(b, w, f, m, field, err);
    OC_TRY(oci_wire_expect(w, f, OCI_WIRE_FIXED32, field->name, err));
    return add_real(b, m, field, oci_wire_float(f), err);
}

/* ---- runs of numbers ----------------------------------------------------------------------- */

/* Lengthen the run that ends right before the key of the number at `at`. */
static bool join_run(oci_proto *m, const oci_proto_field *field, const uint8_t *at, size_t size) {
    oci_proto_value *v = m->last;
    if (v == NULL || v->field != field) return false;
    oci_proto_run *run = &v->as.run;
    if (run->count == 0) return false;
    const uint8_t *before = run->bytes + (run->count - 1) * run->stride;
    size_t stride = (size_t)(at - before);
    if (run->count > 1 && stride != run->stride) return false;
    if (stride <= size || stride > size + 2) return false; /* a key of one or two bytes between */
    run->stride = stride;
    run->count++;
    return true;
}

static oc_status read_run(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                          oci_proto *m, const oci_proto_field *field, oc_error *err) {
    size_t size = field->kind == OCI_PROTO_FLOATS ? sizeof(float) : sizeof(double);
    oci_proto_value *v = NULL;
    if (f->type == OCI_WIRE_BYTES) {
        OC_TRY(check_whole(w, f, field, size, err));
        OC_TRY(oci_proto_add(b, m, field, &v, err));
        v->as.run = (oci_proto_run){f->bytes, f->size / size, size};
        return OC_OK;
    }
    bool floats = field->kind == OCI_PROTO_FLOATS;
    OC_TRY(oci_wire_expect(w, f, floats ? OCI_WIRE_FIXED32 : OCI_WIRE_FIXED64, field->name, err));
    const uint8_t *at = w->at - size;
    if (join_run(m, field, at, size)) return OC_OK;
    OC_TRY(oci_proto_add(b, m, field, &v, err));
    v->as.run = (oci_proto_run){at, 1, size};
    return OC_OK;
}

/* ---- messages ------------------------------------------------------------------------------ */

static oc_status read_child(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                            oci_proto *m, const oci_proto_field *field, oc_error *err) {
    oci_wire inner;
    OC_TRY(oci_wire_enter(w, f, field->name, &inner, err));
    oci_proto *child = NULL;
    oci_proto_value *v = NULL;
    OC_TRY(oci_proto_begin(b, field->type, &child, err));
    OC_TRY(oci_proto_add(b, m, field, &v, err));
    v->as.message = child;
    return read_message(b, &inner, child, err);
}

static oc_status read_view(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                           oci_proto *m, const oci_proto_field *field, oc_error *err) {
    oci_proto_value *v = NULL;
    OC_TRY(oci_wire_expect(w, f, OCI_WIRE_BYTES, field->name, err));
    OC_TRY(oci_proto_add(b, m, field, &v, err));
    v->as.run = (oci_proto_run){f->bytes, f->size, 1};
    return OC_OK;
}

static oc_status read_text(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                           oci_proto *m, const oci_proto_field *field, oc_error *err) {
    oci_proto_value *v = NULL;
    const char *text = NULL;
    OC_TRY(oci_wire_text(w, f, field->name, b->pool, &text, err));
    OC_TRY(oci_proto_add(b, m, field, &v, err));
    v->as.text = text;
    return OC_OK;
}

static oc_status read_field(oci_proto_builder *b, const oci_wire *w, const oci_wire_field *f,
                            oci_proto *m, const oci_proto_field *field, oc_error *err) {
    switch (field->kind) {
    case OCI_PROTO_FLOAT:
        return read_real(b, w, f, m, field, err);
    case OCI_PROTO_TEXT:
        return read_text(b, w, f, m, field, err);
    case OCI_PROTO_MESSAGE:
        return read_child(b, w, f, m, field, err);
    case OCI_PROTO_BYTES:
    case OCI_PROTO_OPAQUE:
        return read_view(b, w, f, m, field, err);
    case OCI_PROTO_FLOATS:
    case OCI_PROTO_DOUBLES:
        return read_run(b, w, f, m, field, err);
    default:
        return read_integer(b, w, f, m, field, err);
    }
}

static oc_status read_message(oci_proto_builder *b, oci_wire *w, oci_proto *m, oc_error *err) {
    for (;;) {
        oci_wire_field f;
        bool more = false;
        OC_TRY(oci_wire_next(w, &f, &more, err));
        if (!more) return OC_OK;
        const oci_proto_field *field = find_number(m->type, f.number);
        if (field != NULL) OC_TRY(read_field(b, w, &f, m, field, err));
    }
}

oc_status oci_proto_parse_bytes(const oci_proto_type *type, const void *bytes, size_t size,
                                const char *where, oc_pool *pool, const oci_proto **out,
                                oc_error *err) {
    oci_proto_builder b = {.pool = pool, .where = oc_pool_strdup(pool, where)};
    if (b.where == NULL) return oc_fail_nomem(err, strlen(where), "a file's name");
    oci_proto *m = NULL;
    oci_wire w = oci_wire_open(bytes, size, b.where);
    OC_TRY(oci_proto_begin(&b, type, &m, err));
    OC_TRY(read_message(&b, &w, m, err));
    *out = m;
    return OC_OK;
}
