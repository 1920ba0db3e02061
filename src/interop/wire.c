/* Reading and writing the wire format of protocol buffers.
 *
 * Every length is checked against what is left of its own message, so that a field cannot reach
 * beyond its parent. Groups (types 3 and 4), which no format here uses, are refused.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/wire_int.h"

#include <inttypes.h>
#include <string.h>

enum { VARINT_BYTES = 10 };

oci_wire oci_wire_open(const void *bytes, size_t size, const char *where) {
    const uint8_t *at = bytes;
    return (oci_wire){.start = at, .at = at, .end = size > 0 ? at + size : at, .where = where};
}

static size_t offset_of(const oci_wire *w, const uint8_t *at) {
    return (size_t)(at - w->start);
}

static oc_status damaged(const oci_wire *w, const char *what, oc_error *err) {
    return oc_fail(err, OC_EFORMAT, "%s: %s at byte %zu: damaged, truncated, or of another format",
                   w->where, what, offset_of(w, w->at));
}

/* ---- reading ------------------------------------------------------------------------------- */

static oc_status read_varint(oci_wire *w, uint64_t *out, oc_error *err) {
    uint64_t value = 0;
    const uint8_t *p = w->at;
    for (int i = 0; i < VARINT_BYTES; i++, p++) {
        if (p == w->end) return damaged(w, "a number is cut off", err);
        uint64_t bits = *p & 0x7F;
        if (i == VARINT_BYTES - 1 && bits > 1) break;
        value |= bits << (7 * i);
        if (*p & 0x80) continue;
        w->at = p + 1;
        *out = value;
        return OC_OK;
    }
    return damaged(w, "a number of more than 64 bits", err);
}

static oc_status read_fixed(oci_wire *w, size_t size, uint64_t *out, oc_error *err) {
    if ((size_t)(w->end - w->at) < size) return damaged(w, "a number is cut off", err);
    *out = 0;
    for (size_t i = 0; i < size; i++) *out |= (uint64_t)w->at[i] << (8 * i);
    w->at += size;
    return OC_OK;
}

static oc_status read_bytes(oci_wire *w, oci_wire_field *f, oc_error *err) {
    uint64_t size = 0;
    const uint8_t *head = w->at;
    OC_TRY(read_varint(w, &size, err));
    size_t left = (size_t)(w->end - w->at);
    if (size > left) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: field %" PRIu32 " at byte %zu says %" PRIu64
                       " bytes, %zu are left: damaged or truncated",
                       w->where, f->number, offset_of(w, head), size, left);
    }
    f->bytes = w->at;
    f->size = (size_t)size;
    w->at += size;
    return OC_OK;
}

static oc_status read_value(oci_wire *w, oci_wire_field *f, oc_error *err) {
    switch (f->type) {
    case OCI_WIRE_VARINT:
        return read_varint(w, &f->value, err);
    case OCI_WIRE_FIXED64:
        return read_fixed(w, 8, &f->value, err);
    case OCI_WIRE_BYTES:
        return read_bytes(w, f, err);
    case OCI_WIRE_FIXED32:
        return read_fixed(w, 4, &f->value, err);
    }
    return damaged(w, "a field of no known type", err);
}

oc_status oci_wire_next(oci_wire *w, oci_wire_field *out, bool *more, oc_error *err) {
    uint64_t key = 0;
    *out = (oci_wire_field){0};
    *more = w->at < w->end;
    if (!*more) return OC_OK;
    OC_TRY(read_varint(w, &key, err));
    if (key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
        return damaged(w, "a field without a valid number", err);
    out->number = (uint32_t)(key >> 3);
    out->type = (oci_wire_type)(key & 7);
    return read_value(w, out, err);
}

oc_status oci_wire_expect(const oci_wire *w, const oci_wire_field *f, oci_wire_type type,
                          const char *what, oc_error *err) {
    if (f->type == type) return OC_OK;
    return oc_fail(err, OC_EFORMAT,
                   "%s: %s (field %" PRIu32 ") before byte %zu has wire type %d, %d was expected",
                   w->where, what, f->number, offset_of(w, w->at), (int)f->type, (int)type);
}

oc_status oci_wire_enter(const oci_wire *w, const oci_wire_field *f, const char *what,
                         oci_wire *out, oc_error *err) {
    OC_TRY(oci_wire_expect(w, f, OCI_WIRE_BYTES, what, err));
    if (w->depth + 1 > OCI_WIRE_DEPTH) {
        return oc_fail(err, OC_ELIMIT, "%s: %s at byte %zu is nested deeper than %d messages",
                       w->where, what, offset_of(w, f->bytes), OCI_WIRE_DEPTH);
    }
    *out = *w;
    out->at = f->bytes;
    out->end = f->bytes + f->size;
    out->depth++;
    return OC_OK;
}

oc_status oci_wire_varint(oci_wire *w, uint64_t *out, bool *more, oc_error *err) {
    *more = w->at < w->end;
    return *more ? read_varint(w, out, err) : OC_OK;
}

oc_status oci_wire_text(const oci_wire *w, const oci_wire_field *f, const char *what, oc_pool *pool,
                        const char **out, oc_error *err) {
    OC_TRY(oci_wire_expect(w, f, OCI_WIRE_BYTES, what, err));
    const char *text = (const char *)f->bytes;
    if (f->size > 0 && (memchr(text, 0, f->size) != NULL || !oc_is_utf8(text, f->size))) {
        return oc_fail(err, OC_EFORMAT, "%s: %s at byte %zu is no text", w->where, what,
                       offset_of(w, f->bytes));
    }
    char *copy = oc_pool_alloc(pool, f->size + 1);
    if (copy == NULL) return oc_fail_nomem(err, f->size + 1, what);
    if (f->size > 0) memcpy(copy, text, f->size);
    *out = copy;
    return OC_OK;
}

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float oci_wire_float(const oci_wire_field *f) {
    return float_of_bits((uint32_t)f->value);
}

float oci_wire_float_at(const uint8_t *bytes) {
    return float_of_bits((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                         (uint32_t)bytes[3] << 24);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void put_number(oc_buf *out, uint64_t value) {
    uint8_t bytes[VARINT_BYTES];
    size_t size = 0;
    do {
        bytes[size] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        size++;
        value >>= 7;
    } while (value > 0);
    oc_buf_append(out, bytes, size);
}

static void put_key(oc_buf *out, uint32_t number, oci_wire_type type) {
    put_number(out, (uint64_t)number << 3 | (uint64_t)type);
}

static void put_fixed(oc_buf *out, uint64_t bits, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(bits >> (8 * i));
    oc_buf_append(out, bytes, size);
}

void oci_wire_put_varint(oc_buf *out, uint32_t number, uint64_t value) {
    put_key(out, number, OCI_WIRE_VARINT);
    put_number(out, value);
}

void oci_wire_put_float(oc_buf *out, uint32_t number, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(out, number, OCI_WIRE_FIXED32);
    put_fixed(out, bits, sizeof bits);
}

void oci_wire_put_double(oc_buf *out, uint32_t number, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(out, number, OCI_WIRE_FIXED64);
    put_fixed(out, bits, sizeof bits);
}

void oci_wire_put_head(oc_buf *out, uint32_t number, size_t size) {
    put_key(out, number, OCI_WIRE_BYTES);
    put_number(out, size);
}

void oci_wire_put_bytes(oc_buf *out, uint32_t number, const void *bytes, size_t size) {
    oci_wire_put_head(out, number, size);
    if (size > 0) oc_buf_append(out, bytes, size);
}

void oci_wire_put_text(oc_buf *out, uint32_t number, const char *text) {
    oci_wire_put_bytes(out, number, text, strlen(text));
}

void oci_wire_put_message(oc_buf *out, uint32_t number, oc_buf *message) {
    oci_wire_put_bytes(out, number, message->data, message->size);
    out->failed |= message->failed;
    message->size = 0;
}

void oci_wire_put_packed(oc_buf *out, uint32_t number, const int64_t *values, size_t count) {
    oc_buf packed = {0};
    for (size_t i = 0; i < count; i++) put_number(&packed, (uint64_t)values[i]);
    oci_wire_put_message(out, number, &packed);
    oc_buf_clear(&packed);
}
