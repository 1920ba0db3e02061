/* Words of the text form of protocol buffers.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/prototext_int.h"

#include <limits.h>
#include <string.h>

enum { SHOWN_BYTES = 40 };

static const char marks[] = "{}<>[]:,;-";

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int column_of(const oci_lexer *lex, const char *at) {
    ptrdiff_t column = at - lex->line_start + 1;
    return column < INT_MAX ? (int)column : INT_MAX;
}

static oc_status damaged(const oci_lexer *lex, const char *at, const char *what, oc_error *err) {
    return oc_fail(err, OC_EFORMAT, "%s:%d:%d: %s", lex->where, lex->line, column_of(lex, at),
                   what);
}

static void skip_blank(oci_lexer *lex) {
    for (; lex->at < lex->end; lex->at++) {
        char c = *lex->at;
        if (c == '#') {
            const char *stop = memchr(lex->at, '\n', (size_t)(lex->end - lex->at));
            lex->at = stop != NULL ? stop : lex->end;
            if (stop == NULL) return;
            c = '\n';
        }
        if (c == '\n') {
            if (lex->line < INT_MAX) lex->line++;
            lex->line_start = lex->at + 1;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\v' && c != '\f') {
            return;
        }
    }
}

static oc_status take_quoted(oci_lexer *lex, oc_error *err) {
    const char *p = lex->at + 1;
    char quote = *lex->at;
    for (; p < lex->end && *p != quote && *p != '\n'; p++)
        if (*p == '\\' && p + 1 < lex->end) p++;
    if (p >= lex->end || *p != quote)
        return damaged(lex, lex->at, "a text in quotes has no end on its line", err);
    lex->kind = OCI_TOKEN_TEXT;
    lex->at = p + 1;
    return OC_OK;
}

/* A sign belongs to a number only inside its exponent. */
static void take_number(oci_lexer *lex) {
    const char *p = lex->at;
    bool hex = lex->end - p > 1 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    for (; p < lex->end; p++) {
        bool sign = (*p == '-' || *p == '+') && !hex && (p[-1] == 'e' || p[-1] == 'E');
        if (!is_digit(*p) && !is_letter(*p) && *p != '.' && !sign) break;
    }
    lex->kind = OCI_TOKEN_NUMBER;
    lex->at = p;
}

static void take_word(oci_lexer *lex) {
    const char *p = lex->at;
    while (p < lex->end && (is_letter(*p) || is_digit(*p))) p++;
    lex->kind = OCI_TOKEN_WORD;
    lex->at = p;
}

oc_status oci_lexer_next(oci_lexer *lex, oc_error *err) {
    skip_blank(lex);
    lex->text = lex->at;
    lex->token_line = lex->line;
    lex->token_column = column_of(lex, lex->at);
    lex->kind = OCI_TOKEN_END;
    if (lex->at < lex->end) {
        char c = *lex->at;
        if (is_letter(c)) {
            take_word(lex);
        } else if (is_digit(c) || c == '.') {
            take_number(lex);
        } else if (c == '"' || c == '\'') {
            OC_TRY(take_quoted(lex, err));
        } else if (c != '\0' && strchr(marks, c) != NULL) {
            lex->kind = OCI_TOKEN_MARK;
            lex->at++;
        } else {
            return oc_fail(err, OC_EFORMAT,
                           "%s:%d:%d: the byte 0x%02x has no meaning here; is this a text file?",
                           lex->where, lex->line, lex->token_column, (unsigned)(uint8_t)c);
        }
    }
    lex->size = (size_t)(lex->at - lex->text);
    return OC_OK;
}

oc_status oci_lexer_open(oci_lexer *lex, const char *text, size_t size, const char *where,
                         oc_error *err) {
    static const char mark[] = "\xEF\xBB\xBF"; /* that some editors put in front of UTF-8 */
    if (size >= 3 && memcmp(text, mark, 3) == 0) text += 3, size -= 3;
    *lex = (oci_lexer){.at = text, .line_start = text, .where = where, .line = 1};
    lex->end = size > 0 ? text + size : text;
    return oci_lexer_next(lex, err);
}

bool oci_lexer_is(const oci_lexer *lex, char mark) {
    return lex->kind == OCI_TOKEN_MARK && *lex->text == mark;
}

bool oci_lexer_is_word(const oci_lexer *lex, const char *word) {
    if (lex->kind != OCI_TOKEN_WORD || strlen(word) != lex->size) return false;
    for (size_t i = 0; i < lex->size; i++)
        if ((lex->text[i] | 0x20) != (word[i] | 0x20)) return false;
    return true;
}

oc_status oci_lexer_expected(const oci_lexer *lex, const char *what, oc_error *err) {
    if (lex->kind == OCI_TOKEN_END) {
        return oc_fail(err, OC_EFORMAT, "%s:%d:%d: expected %s, found the end of the file",
                       lex->where, lex->token_line, lex->token_column, what);
    }
    int shown = lex->size < SHOWN_BYTES ? (int)lex->size : SHOWN_BYTES;
    return oc_fail(err, OC_EFORMAT, "%s:%d:%d: expected %s, found `%.*s`%s", lex->where,
                   lex->token_line, lex->token_column, what, shown, lex->text,
                   lex->size > SHOWN_BYTES ? "..." : "");
}

/* ---- escapes ------------------------------------------------------------------------------- */

static int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* Up to `most` digits of `base` at *p; -1 when there is none. */
static int take_digits(const char **p, const char *end, int base, int most) {
    int value = -1;
    for (int i = 0; i < most && *p < end; i++, (*p)++) {
        int digit = hex_value(**p);
        if (digit < 0 || digit >= base) break;
        value = (value < 0 ? 0 : value) * base + digit;
    }
    return value;
}

/* The byte that the escape behind a backslash means; *p moves behind it. -1 for none. */
static int take_escape(const char **p, const char *end) {
    static const char names[] = "abfnrtv\\'\"?", values[] = "\a\b\f\n\r\t\v\\'\"?";
    const char *found = strchr(names, **p);
    if (found != NULL && **p != '\0') {
        (*p)++;
        return (unsigned char)values[found - names];
    }
    if (**p == 'x' || **p == 'X') {
        (*p)++;
        return take_digits(p, end, 16, 2);
    }
    int value = take_digits(p, end, 8, 3);
    return value > UCHAR_MAX ? -1 : value;
}

oc_status oci_lexer_unquote(const oci_lexer *lex, oc_buf *out, oc_error *err) {
    const char *p = lex->text + 1, *end = lex->text + lex->size - 1;
    while (p < end) {
        const char *stop = memchr(p, '\\', (size_t)(end - p));
        if (stop == NULL) stop = end;
        oc_buf_append(out, p, (size_t)(stop - p));
        if (stop == end) break;
        p = stop + 1;
        int byte = p < end ? take_escape(&p, end) : -1;
        if (byte < 0) return damaged(lex, stop, "an escape that nobody knows", err);
        char c = (char)byte;
        oc_buf_append(out, &c, 1);
    }
    return oc_buf_status(out, err);
}
