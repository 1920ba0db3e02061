/* A message from the text form of protocol buffers, as people write nets and solvers.
 *
 * One function for each thing that the grammar has: a message is fields; a field is a name and a
 * value, a message in { } or < >, or a list of either in [ ]; `,` or `;` may part them. A field
 * that the type does not know is noted, passed over, and all of them are told together at the end:
 * to leave one out unheard could change the network.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/proto_int.h"
#include "interop/caffe/prototext_int.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_UNKNOWN = 10, NUMBER_BYTES = 64, MAX_TYPE_FIELDS = 96 };

typedef struct parser {
    oci_proto_builder builder;
    oci_lexer lex;
    oc_buf unknown; /* what is to be told of unknown fields */
    size_t unknown_count;
    oc_buf text; /* of the value that is being read */
    int depth;
} parser;

static oc_status parse_fields(parser *p, oci_proto *m, char close, oc_error *err);

/* ---- numbers ------------------------------------------------------------------------------- */

typedef struct range {
    int64_t low, high;
} range;

static range range_of(oci_proto_kind kind) {
    switch (kind) {
    case OCI_PROTO_UINT32:
        return (range){0, UINT32_MAX};
    case OCI_PROTO_INT64:
        return (range){INT64_MIN, INT64_MAX};
    case OCI_PROTO_BOOL:
        return (range){0, 1};
    default:
        return (range){INT32_MIN, INT32_MAX};
    }
}

/* The spelling of the number that is looked at, as a C string; "" when it is too long. */
static const char *spelling(const oci_lexer *lex, char storage[NUMBER_BYTES]) {
    size_t size = lex->size < NUMBER_BYTES ? lex->size : 0;
    memcpy(storage, lex->text, size);
    storage[size] = '\0';
    return storage;
}

static bool read_whole(const oci_lexer *lex, bool minus, range allowed, int64_t *out) {
    char storage[NUMBER_BYTES], *stop = NULL;
    const char *text = spelling(lex, storage);
    errno = 0;
    uint64_t size = strtoull(text, &stop, 0); /* 0x is hexadecimal, 0 in front octal */
    if (*text == '\0' || *stop != '\0' || errno != 0) return false;
    uint64_t most = minus ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (size > most) return false;
    *out = minus ? (int64_t)(0 - size) : (int64_t)size;
    return *out >= allowed.low && *out <= allowed.high;
}

static oc_status parse_whole(parser *p, bool minus, const oci_proto_field *field, int64_t *out,
                             oc_error *err) {
    char what[NUMBER_BYTES * 2];
    range allowed = range_of(field->kind);
    bool number = p->lex.kind == OCI_TOKEN_NUMBER;
    if (number && read_whole(&p->lex, minus, allowed, out)) return OC_OK;
    (void)snprintf(what, sizeof what, "a whole number of %" PRId64 " to %" PRId64 " for %.40s",
                   allowed.low, allowed.high, field->name);
    return oci_lexer_expected(&p->lex, what, err);
}

static bool read_real(const oci_lexer *lex, double *out) {
    if (oci_lexer_is_word(lex, "inf") || oci_lexer_is_word(lex, "infinity")) {
        *out = INFINITY;
        return true;
    }
    if (oci_lexer_is_word(lex, "nan")) {
        *out = NAN;
        return true;
    }
    char storage[NUMBER_BYTES], *stop = NULL;
    const char *text = spelling(lex, storage);
    if (lex->kind != OCI_TOKEN_NUMBER || *text == '\0') return false;
    *out = strtod(text, &stop);
    if (*stop == 'f' || *stop == 'F') stop++;
    return stop > text && *stop == '\0';
}

static oc_status parse_real(parser *p, bool minus, const oci_proto_field *field, double *out,
                            oc_error *err) {
    char what[NUMBER_BYTES];
    if (read_real(&p->lex, out)) {
        double real = minus ? -*out : *out;
        *out = (double)(float)real; /* what Caffe keeps */
        return OC_OK;
    }
    (void)snprintf(what, sizeof what, "a number for %.40s", field->name);
    return oci_lexer_expected(&p->lex, what, err);
}

static oc_status parse_bool(parser *p, bool minus, const oci_proto_field *field, int64_t *out,
                            oc_error *err) {
    static const char *const yes[] = {"true", "t"}, *const no[] = {"false", "f"};
    for (size_t i = 0; i < 2 && !minus; i++) {
        *out = oci_lexer_is_word(&p->lex, yes[i]);
        if (*out != 0 || oci_lexer_is_word(&p->lex, no[i])) return OC_OK;
    }
    if (!minus && p->lex.kind == OCI_TOKEN_NUMBER) return parse_whole(p, minus, field, out, err);
    char what[NUMBER_BYTES];
    (void)snprintf(what, sizeof what, "true or false for %.40s", field->name);
    return oci_lexer_expected(&p->lex, what, err);
}

static oc_status parse_enum(parser *p, bool minus, const oci_proto_field *field, int64_t *out,
                            oc_error *err) {
    oc_buf words = {0};
    const oci_proto_word *word = field->words;
    if (p->lex.kind == OCI_TOKEN_NUMBER) return parse_whole(p, minus, field, out, err);
    for (; word->name != NULL; word++) {
        bool same =
            strlen(word->name) == p->lex.size && strncmp(word->name, p->lex.text, p->lex.size) == 0;
        if (same && p->lex.kind == OCI_TOKEN_WORD && !minus) {
            *out = word->value;
            return OC_OK;
        }
    }
    oc_buf_printf(&words, "one of");
    for (word = field->words; word->name != NULL; word++) oc_buf_printf(&words, " %s", word->name);
    oc_buf_printf(&words, " for %s", field->name);
    oc_status status = oc_buf_status(&words, err);
    if (status == OC_OK) status = oci_lexer_expected(&p->lex, words.data, err);
    oc_buf_clear(&words);
    return status;
}

/* ---- texts --------------------------------------------------------------------------------- */

/* Several in quotes behind each other are one; the token behind them is looked at afterwards. */
static oc_status parse_text(parser *p, const oci_proto_field *field, const char **out,
                            oc_error *err) {
    char what[NUMBER_BYTES];
    (void)snprintf(what, sizeof what, "a text in quotes for %.40s", field->name);
    if (p->lex.kind != OCI_TOKEN_TEXT) return oci_lexer_expected(&p->lex, what, err);
    oci_lexer first = p->lex;
    p->text.size = 0;
    while (p->lex.kind == OCI_TOKEN_TEXT) {
        OC_TRY(oci_lexer_unquote(&p->lex, &p->text, err));
        OC_TRY(oci_lexer_next(&p->lex, err));
    }
    size_t size = p->text.size;
    if (size > 0 && (memchr(p->text.data, 0, size) != NULL || !oc_is_utf8(p->text.data, size)))
        return oci_lexer_expected(&first, "a text in UTF-8 without zero bytes", err);
    char *copy = oc_pool_alloc(p->builder.pool, size + 1);
    if (copy == NULL) return oc_fail_nomem(err, size + 1, field->name);
    if (size > 0) memcpy(copy, p->text.data, size);
    *out = copy;
    return OC_OK;
}

/* ---- what nobody knows or asks for --------------------------------------------------------- */

static void note_unknown(parser *p, const oci_proto *m) {
    const char *names[MAX_TYPE_FIELDS];
    char word[NUMBER_BYTES];
    size_t count = m->type->count < MAX_TYPE_FIELDS ? m->type->count : MAX_TYPE_FIELDS;
    p->unknown_count++;
    if (p->unknown_count > MAX_UNKNOWN) return;
    for (size_t i = 0; i < count; i++) names[i] = m->type->fields[i].name;
    (void)spelling(&p->lex, word);
    const char *near = oc_suggest(word, names, count);
    oc_buf_printf(&p->unknown, "%s%d:%d: %s in %s", p->unknown_count > 1 ? "; " : "",
                  p->lex.token_line, p->lex.token_column, *word != '\0' ? word : "a long name",
                  m->type->name);
    if (near != NULL) oc_buf_printf(&p->unknown, " (did you mean %s?)", near);
}

static bool opens(const oci_lexer *lex) {
    return oci_lexer_is(lex, '{') || oci_lexer_is(lex, '<') || oci_lexer_is(lex, '[');
}

static bool closes(const oci_lexer *lex) {
    return oci_lexer_is(lex, '}') || oci_lexer_is(lex, '>') || oci_lexer_is(lex, ']');
}

/* Past brackets and all that they hold, which is not looked at closely. */
static oc_status skip_brackets(parser *p, oc_error *err) {
    int depth = 0;
    do {
        if (p->lex.kind == OCI_TOKEN_END) return oci_lexer_expected(&p->lex, "a bracket", err);
        if (opens(&p->lex)) depth++;
        if (closes(&p->lex)) depth--;
        OC_TRY(oci_lexer_next(&p->lex, err));
    } while (depth > 0);
    return OC_OK;
}

/* Past the value of a field, whatever it is. */
static oc_status skip_value(parser *p, oc_error *err) {
    if (oci_lexer_is(&p->lex, ':')) OC_TRY(oci_lexer_next(&p->lex, err));
    if (opens(&p->lex)) return skip_brackets(p, err);
    if (oci_lexer_is(&p->lex, '-')) OC_TRY(oci_lexer_next(&p->lex, err));
    if (p->lex.kind == OCI_TOKEN_END || p->lex.kind == OCI_TOKEN_MARK)
        return oci_lexer_expected(&p->lex, "a value", err);
    oci_token kind = p->lex.kind;
    do OC_TRY(oci_lexer_next(&p->lex, err));
    while (kind == OCI_TOKEN_TEXT && p->lex.kind == OCI_TOKEN_TEXT);
    return OC_OK;
}

static oc_status unknown_fields(const parser *p, oc_error *err) {
    OC_TRY(oc_buf_status(&p->unknown, err));
    if (p->unknown_count == 0) return OC_OK;
    char more[64] = "";
    if (p->unknown_count > MAX_UNKNOWN)
        (void)snprintf(more, sizeof more, "; and %zu more", p->unknown_count - MAX_UNKNOWN);
    return oc_fail(err, OC_EFORMAT, "%s: unknown fields, at %s%s", p->lex.where, p->unknown.data,
                   more);
}

/* ---- fields -------------------------------------------------------------------------------- */

static oc_status parse_message(parser *p, const oci_proto_field *field, oci_proto **out,
                               oc_error *err) {
    char close = oci_lexer_is(&p->lex, '<') ? '>' : '}';
    if (!oci_lexer_is(&p->lex, '<') && !oci_lexer_is(&p->lex, '{'))
        return oci_lexer_expected(&p->lex, "{ behind a message's name", err);
    OC_TRY(oci_proto_begin(&p->builder, field->type, out, err));
    (*out)->line = p->lex.token_line;
    (*out)->column = p->lex.token_column;
    if (p->depth == OCI_PROTO_DEPTH) {
        return oc_fail(err, OC_ELIMIT, "%s:%d:%d: messages within messages, deeper than %d",
                       p->lex.where, p->lex.token_line, p->lex.token_column, OCI_PROTO_DEPTH);
    }
    OC_TRY(oci_lexer_next(&p->lex, err));
    p->depth++;
    OC_TRY(parse_fields(p, *out, close, err));
    p->depth--;
    return OC_OK;
}

/* A number, a word or a truth value: one token, with a sign perhaps. */
static oc_status parse_token(parser *p, const oci_proto_field *field, oci_proto_value *v,
                             oc_error *err) {
    bool minus = oci_lexer_is(&p->lex, '-');
    if (minus) OC_TRY(oci_lexer_next(&p->lex, err));
    if (field->kind == OCI_PROTO_FLOAT)
        OC_TRY(parse_real(p, minus, field, &v->as.real, err));
    else if (field->kind == OCI_PROTO_BOOL)
        OC_TRY(parse_bool(p, minus, field, &v->as.integer, err));
    else if (field->kind == OCI_PROTO_ENUM)
        OC_TRY(parse_enum(p, minus, field, &v->as.integer, err));
    else
        OC_TRY(parse_whole(p, minus, field, &v->as.integer, err));
    return oci_lexer_next(&p->lex, err);
}

static oc_status parse_value(parser *p, oci_proto *m, const oci_proto_field *field, oc_error *err) {
    oci_proto_value *v = NULL;
    OC_TRY(oci_proto_add(&p->builder, m, field, &v, err));
    v->line = p->lex.token_line;
    v->column = p->lex.token_column;
    switch (field->kind) {
    case OCI_PROTO_MESSAGE:
        return parse_message(p, field, &v->as.message, err);
    case OCI_PROTO_TEXT:
        return parse_text(p, field, &v->as.text, err);
    case OCI_PROTO_OPAQUE:
        return skip_value(p, err);
    case OCI_PROTO_BYTES:
    case OCI_PROTO_FLOATS:
    case OCI_PROTO_DOUBLES:
        return oci_lexer_expected(&p->lex, "no weights: they are read from binary files alone",
                                  err);
    default:
        return parse_token(p, field, v, err);
    }
}

static oc_status parse_list(parser *p, oci_proto *m, const oci_proto_field *field, oc_error *err) {
    if (!field->repeated)
        return oci_lexer_expected(&p->lex, "one value: only repeated fields take a list", err);
    OC_TRY(oci_lexer_next(&p->lex, err));
    while (!oci_lexer_is(&p->lex, ']')) {
        OC_TRY(parse_value(p, m, field, err));
        if (oci_lexer_is(&p->lex, ']')) break;
        if (!oci_lexer_is(&p->lex, ',')) return oci_lexer_expected(&p->lex, ", or ]", err);
        OC_TRY(oci_lexer_next(&p->lex, err));
        if (oci_lexer_is(&p->lex, ']')) return oci_lexer_expected(&p->lex, "a value", err);
    }
    return oci_lexer_next(&p->lex, err);
}

static oc_status check_once(const parser *p, const oci_proto *m, const oci_proto_field *field,
                            oc_error *err) {
    if (field->repeated) return OC_OK;
    for (const oci_proto_value *v = m->first; v != NULL; v = v->next) {
        if (v->field != field) continue;
        return oc_fail(err, OC_EFORMAT, "%s:%d:%d: %s comes a second time; the first is in line %d",
                       p->lex.where, p->lex.token_line, p->lex.token_column, field->name, v->line);
    }
    return OC_OK;
}

static bool is_message(const oci_proto_field *field) {
    return field->kind == OCI_PROTO_MESSAGE || field->kind == OCI_PROTO_OPAQUE;
}

static oc_status parse_field(parser *p, oci_proto *m, oc_error *err) {
    if (p->lex.kind != OCI_TOKEN_WORD) return oci_lexer_expected(&p->lex, "a field's name", err);
    const oci_proto_field *field = oci_proto_find(m->type, p->lex.text, p->lex.size);
    if (field == NULL) {
        note_unknown(p, m);
        OC_TRY(oci_lexer_next(&p->lex, err));
        return skip_value(p, err);
    }
    OC_TRY(check_once(p, m, field, err));
    OC_TRY(oci_lexer_next(&p->lex, err));
    if (oci_lexer_is(&p->lex, ':'))
        OC_TRY(oci_lexer_next(&p->lex, err));
    else if (!is_message(field))
        return oci_lexer_expected(&p->lex, ": behind the name", err);
    if (oci_lexer_is(&p->lex, '[') && field->kind != OCI_PROTO_OPAQUE)
        return parse_list(p, m, field, err);
    return parse_value(p, m, field, err);
}

/* Fields up to `close`, which is passed, or to the end of the file where close is 0. */
static oc_status parse_fields(parser *p, oci_proto *m, char close, oc_error *err) {
    while (close != 0 ? !oci_lexer_is(&p->lex, close) : p->lex.kind != OCI_TOKEN_END) {
        OC_TRY(parse_field(p, m, err));
        if (oci_lexer_is(&p->lex, ',') || oci_lexer_is(&p->lex, ';'))
            OC_TRY(oci_lexer_next(&p->lex, err));
    }
    return close != 0 ? oci_lexer_next(&p->lex, err) : OC_OK;
}

static oc_status parse_all(parser *p, const oci_proto_type *type, const char *text, size_t size,
                           const oci_proto **out, oc_error *err) {
    oci_proto *m = NULL;
    OC_TRY(oci_lexer_open(&p->lex, text, size, p->builder.where, err));
    OC_TRY(oci_proto_begin(&p->builder, type, &m, err));
    m->line = m->column = 1;
    OC_TRY(parse_fields(p, m, 0, err));
    OC_TRY(unknown_fields(p, err));
    *out = m;
    return OC_OK;
}

oc_status oci_proto_parse_text(const oci_proto_type *type, const char *text, size_t size,
                               const char *where, oc_pool *pool, const oci_proto **out,
                               oc_error *err) {
    parser p = {.builder = {.pool = pool, .where = oc_pool_strdup(pool, where)}};
    if (p.builder.where == NULL) return oc_fail_nomem(err, strlen(where), "a file's name");
    oc_status status = parse_all(&p, type, text, size, out, err);
    oc_buf_clear(&p.unknown);
    oc_buf_clear(&p.text);
    return status;
}
