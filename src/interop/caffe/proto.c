/* The tree of a message: growing it, asking it. Reading text and bytes is prototext.c's and
 * proto_bytes.c's.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/proto_int.h"

#include <stdio.h>
#include <string.h>

const oci_proto_field *oci_proto_find(const oci_proto_type *type, const char *name, size_t size) {
    for (size_t i = 0; i < type->count; i++) {
        const char *known = type->fields[i].name;
        if (strncmp(known, name, size) == 0 && known[size] == '\0') return &type->fields[i];
    }
    return NULL;
}

oc_status oci_proto_begin(oci_proto_builder *b, const oci_proto_type *type, oci_proto **out,
                          oc_error *err) {
    *out = oc_pool_alloc(b->pool, sizeof **out);
    if (*out == NULL) return oc_fail_nomem(err, sizeof **out, type->name);
    (*out)->type = type;
    (*out)->where = b->where;
    return OC_OK;
}

oc_status oci_proto_add(oci_proto_builder *b, oci_proto *m, const oci_proto_field *field,
                        oci_proto_value **out, oc_error *err) {
    if (b->values == OCI_PROTO_MAX_VALUES) {
        return oc_fail(err, OC_ELIMIT, "%s: more than %d values; no network has so many", b->where,
                       OCI_PROTO_MAX_VALUES);
    }
    oci_proto_value *v = oc_pool_alloc(b->pool, sizeof *v);
    if (v == NULL) return oc_fail_nomem(err, sizeof *v, field->name);
    v->field = field;
    if (m->last != NULL) m->last->next = v;
    if (m->first == NULL) m->first = v;
    m->last = v;
    b->values++;
    *out = v;
    return OC_OK;
}

/* ---- asking -------------------------------------------------------------------------------- */

static const oci_proto_field *field_of(const oci_proto *m, const char *name) {
    const oci_proto_field *field = oci_proto_find(m->type, name, strlen(name));
    OC_PROMISE(field != NULL);
    return field;
}

static const oci_proto_value *last_of(const oci_proto *m, const oci_proto_field *field) {
    const oci_proto_value *found = NULL;
    for (const oci_proto_value *v = m->first; v != NULL; v = v->next)
        if (v->field == field) found = v;
    return found;
}

const oci_proto_value *oci_proto_next(const oci_proto *m, const char *name,
                                      const oci_proto_value *after) {
    const oci_proto_field *field = field_of(m, name);
    const oci_proto_value *v = after != NULL ? after->next : m->first;
    while (v != NULL && v->field != field) v = v->next;
    return v;
}

bool oci_proto_has(const oci_proto *m, const char *name) {
    return oci_proto_next(m, name, NULL) != NULL;
}

size_t oci_proto_count(const oci_proto *m, const char *name) {
    const oci_proto_field *field = field_of(m, name);
    size_t count = 0;
    for (const oci_proto_value *v = m->first; v != NULL; v = v->next) count += v->field == field;
    return count;
}

int64_t oci_proto_int(const oci_proto *m, const char *name) {
    const oci_proto_field *field = field_of(m, name);
    OC_PROMISE(field->kind <= OCI_PROTO_BOOL || field->kind == OCI_PROTO_ENUM);
    const oci_proto_value *v = last_of(m, field);
    return v != NULL ? v->as.integer : (int64_t)field->fallback;
}

bool oci_proto_bool(const oci_proto *m, const char *name) {
    return oci_proto_int(m, name) != 0;
}

double oci_proto_real(const oci_proto *m, const char *name) {
    const oci_proto_field *field = field_of(m, name);
    if (field->kind != OCI_PROTO_FLOAT) return (double)oci_proto_int(m, name);
    const oci_proto_value *v = last_of(m, field);
    return v != NULL ? v->as.real : field->fallback;
}

const char *oci_proto_text(const oci_proto *m, const char *name) {
    const oci_proto_field *field = field_of(m, name);
    OC_PROMISE(field->kind == OCI_PROTO_TEXT);
    const oci_proto_value *v = last_of(m, field);
    if (v != NULL) return v->as.text;
    return field->text != NULL ? field->text : "";
}

const char *oci_proto_word_of(const oci_proto *m, const char *name) {
    const oci_proto_field *field = field_of(m, name);
    OC_PROMISE(field->kind == OCI_PROTO_ENUM);
    int64_t value = oci_proto_int(m, name);
    for (const oci_proto_word *word = field->words; word->name != NULL; word++)
        if (word->value == value) return word->name;
    return "?";
}

const oci_proto *oci_proto_sub(const oci_proto *m, const char *name) {
    const oci_proto_field *field = field_of(m, name);
    OC_PROMISE(field->kind == OCI_PROTO_MESSAGE);
    const oci_proto_value *v = last_of(m, field);
    return v != NULL ? v->as.message : &field->type->none;
}

char *oci_proto_place(char storage[OCI_PLACE_BYTES], const oci_proto *m) {
    const char *where = m->where != NULL ? m->where : "the file";
    size_t size = strlen(where); /* of a long path the end says more */
    if (size > OCI_PLACE_BYTES - 32) where += size - (OCI_PLACE_BYTES - 32);
    if (m->line == 0)
        (void)snprintf(storage, OCI_PLACE_BYTES, "%s", where);
    else
        (void)snprintf(storage, OCI_PLACE_BYTES, "%s:%d:%d", where, m->line, m->column);
    return storage;
}
