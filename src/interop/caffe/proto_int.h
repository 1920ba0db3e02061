/* A protocol buffers message as a tree of named values, whether it came as text or as bytes: what
 * Caffe's nets and solvers are. Private to `interop`.
 *
 * A schema is a table: a type lists its fields; every getter takes a field's name, and a name that
 * the type does not have is a broken promise of ours. What is absent has its default, a message
 * that is absent is an empty one, so that
 *     oci_proto_int(oci_proto_sub(layer, "convolution_param"), "num_output")
 * needs no check of its own. Runs of numbers (weights) are never copied: they stay views into the
 * bytes, which must outlive the tree. Everything else lives in the caller's pool.
 *
 * Threads: build on one, read from any.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_CAFFE_PROTO_INT_H
#define OC_INTEROP_CAFFE_PROTO_INT_H

#include "base/base.h"

enum { OCI_PROTO_DEPTH = 32, OCI_PROTO_MAX_VALUES = 4 << 20, OCI_PLACE_BYTES = 512 };

typedef enum oci_proto_kind {
    OCI_PROTO_INT32,
    OCI_PROTO_UINT32,
    OCI_PROTO_INT64,
    OCI_PROTO_BOOL,
    OCI_PROTO_FLOAT,
    OCI_PROTO_ENUM,
    OCI_PROTO_TEXT,
    OCI_PROTO_BYTES,   /* a view */
    OCI_PROTO_MESSAGE, /* of field->type */
    OCI_PROTO_FLOATS,  /* many floats: views, each a run; only in bytes */
    OCI_PROTO_DOUBLES, /* likewise */
    OCI_PROTO_OPAQUE   /* a message that nobody asks for: skipped, only its presence is known */
} oci_proto_kind;

typedef struct oci_proto_word {
    const char *name; /* NULL ends a list */
    int32_t value;
} oci_proto_word;

typedef struct oci_proto_type oci_proto_type;

typedef struct oci_proto_field {
    uint32_t number;
    const char *name;
    oci_proto_kind kind;
    bool repeated;
    double fallback;             /* number, bool, enum */
    const char *text;            /* fallback of text; NULL = "" */
    const oci_proto_word *words; /* of an enum */
    const oci_proto_type *type;  /* of a message */
} oci_proto_field;

typedef struct oci_proto_value oci_proto_value;

typedef struct oci_proto {
    const oci_proto_type *type;
    const char *where; /* the file's name */
    int line, column;  /* of its beginning, from 1; 0 in bytes */
    oci_proto_value *first, *last;
} oci_proto;

struct oci_proto_type {
    const char *name;
    const oci_proto_field *fields;
    size_t count;
    oci_proto none; /* an empty one of this type */
};

/* `count` numbers of 4 or 8 bytes, little-endian, `stride` bytes apart. */
typedef struct oci_proto_run {
    const uint8_t *bytes;
    size_t count, stride;
} oci_proto_run;

struct oci_proto_value {
    const oci_proto_field *field;
    oci_proto_value *next; /* of the message, in the file's order */
    int line, column;      /* 0 in bytes */
    union {
        int64_t integer; /* whole numbers, bool, enum */
        double real;
        const char *text;
        oci_proto *message;
        oci_proto_run run; /* also of bytes: stride 1 */
    } as;
};

/* A message of `type` from text (the .prototxt form) or from bytes into `pool`. `text` need not end
 * in NUL. OC_EFORMAT and OC_ELIMIT name file, line and column, or file and offset. In text, fields
 * that the type does not have are an error that lists up to ten of them, each with its place and
 * the name it may have meant; in bytes they are passed over. */
OC_MUST_CHECK oc_status oci_proto_parse_text(const oci_proto_type *type, const char *text,
                                             size_t size, const char *where, oc_pool *pool,
                                             const oci_proto **out, oc_error *err);
OC_MUST_CHECK oc_status oci_proto_parse_bytes(const oci_proto_type *type, const void *bytes,
                                              size_t size, const char *where, oc_pool *pool,
                                              const oci_proto **out, oc_error *err);

/* ---- what a message says ------------------------------------------------------------------- */

bool oci_proto_has(const oci_proto *m, const char *name);
size_t oci_proto_count(const oci_proto *m, const char *name); /* of a repeated field */
/* The value, the last one of a repeated field, or the default. */
int64_t oci_proto_int(const oci_proto *m, const char *name); /* also of an enum */
bool oci_proto_bool(const oci_proto *m, const char *name);
double oci_proto_real(const oci_proto *m, const char *name); /* of any number */
const char *oci_proto_text(const oci_proto *m, const char *name);
const char *oci_proto_word_of(const oci_proto *m, const char *name); /* of an enum; "?" unknown */
const oci_proto *oci_proto_sub(const oci_proto *m, const char *name);
/* The first value of a field behind `after` (NULL = from the beginning), or NULL. */
const oci_proto_value *oci_proto_next(const oci_proto *m, const char *name,
                                      const oci_proto_value *after);
/* "net.prototxt:12:3", or the name alone of what came as bytes; storage is returned. */
char *oci_proto_place(char storage[OCI_PLACE_BYTES], const oci_proto *m);

/* ---- for the two parsers ------------------------------------------------------------------- */

typedef struct oci_proto_builder {
    oc_pool *pool;
    const char *where;
    size_t values;
} oci_proto_builder;

const oci_proto_field *oci_proto_find(const oci_proto_type *type, const char *name, size_t size);
OC_MUST_CHECK oc_status oci_proto_begin(oci_proto_builder *b, const oci_proto_type *type,
                                        oci_proto **out, oc_error *err);
/* Append an empty value. OC_ELIMIT beyond OCI_PROTO_MAX_VALUES. */
OC_MUST_CHECK oc_status oci_proto_add(oci_proto_builder *b, oci_proto *m,
                                      const oci_proto_field *field, oci_proto_value **out,
                                      oc_error *err);

#endif
