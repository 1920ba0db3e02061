/* The words of a text-form message, one at a time, with their places. Private to `interop`.
 *
 * Numbers keep their spelling until the field that they belong to is known: 010 is eight for a
 * whole number and ten for a float. Texts next to each other are one.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_CAFFE_PROTOTEXT_INT_H
#define OC_INTEROP_CAFFE_PROTOTEXT_INT_H

#include "base/base.h"

typedef enum oci_token {
    OCI_TOKEN_END,
    OCI_TOKEN_WORD,   /* letters, digits, '_': names, enum words, true, inf */
    OCI_TOKEN_NUMBER, /* begins with a digit or '.'; no sign */
    OCI_TOKEN_TEXT,   /* in quotes */
    OCI_TOKEN_MARK    /* one of { } < > [ ] : , ; - */
} oci_token;

typedef struct oci_lexer {
    const char *at, *end, *line_start;
    const char *where;
    int line;
    /* the token that is looked at */
    oci_token kind;
    const char *text; /* of a text: with its quotes */
    size_t size;
    int token_line, token_column; /* from 1 */
} oci_lexer;

/* The first token is looked at. OC_EFORMAT for anything but text, with file, line and column. */
OC_MUST_CHECK oc_status oci_lexer_open(oci_lexer *lex, const char *text, size_t size,
                                       const char *where, oc_error *err);
OC_MUST_CHECK oc_status oci_lexer_next(oci_lexer *lex, oc_error *err);
bool oci_lexer_is(const oci_lexer *lex, char mark);
bool oci_lexer_is_word(const oci_lexer *lex, const char *word); /* ASCII case ignored */
/* OC_EFORMAT at the token: "file:line:column: expected WHAT, found `token`". */
oc_status oci_lexer_expected(const oci_lexer *lex, const char *what, oc_error *err);
/* What the quotes of the token hold, escapes undone, behind what `out` has; the token stays. */
OC_MUST_CHECK oc_status oci_lexer_unquote(const oci_lexer *lex, oc_buf *out, oc_error *err);

#endif
