/* Text: a growing buffer, strict number parsing, small string helpers, suggestions.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_TEXT_H
#define OC_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compat.h"
#include "base/error.h"

/* Growing byte buffer, always NUL-terminated once written to. All zero is empty and clearable.
 * A failed append sets `failed` and keeps what was there: check once, with oc_buf_status. */
typedef struct oc_buf {
    char *data;
    size_t size;
    size_t capacity;
    bool failed;
} oc_buf;

void oc_buf_append(oc_buf *buf, const void *bytes, size_t size);
void oc_buf_puts(oc_buf *buf, const char *text);
void oc_buf_printf(oc_buf *buf, const char *format, ...) OC_PRINTF(2, 3);
void oc_buf_html(oc_buf *buf, const char *text); /* escaped for HTML text and attributes */
void oc_buf_base64(oc_buf *buf, const void *bytes, size_t size); /* RFC 4648, no line breaks */
void oc_buf_clear(oc_buf *buf);
OC_MUST_CHECK oc_status oc_buf_status(const oc_buf *buf, oc_error *err);

/* Whole-string parsing: false when there is anything else in it, or it is out of range. */
bool oc_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out);
bool oc_parse_f64(const char *text, double min, double max, double *out); /* finite only */

bool oc_starts_with(const char *text, const char *prefix);
bool oc_ends_with(const char *text, const char *suffix); /* ASCII case ignored */
bool oc_equal_nocase(const char *a, const char *b);      /* ASCII */
bool oc_is_utf8(const char *text, size_t size);
char *oc_trim(char *text); /* in place; returns the start */

/* Order in which a person would sort names: runs of digits by value, then bytes. For qsort use. */
int oc_natural_compare(const char *a, const char *b);

/* The closest of `count` candidates by edit distance (Damerau-Levenshtein), or NULL when none is
 * near enough to be a likely slip. */
const char *oc_suggest(const char *word, const char *const *candidates, size_t count);
/* The same where at most `limit` edits are a likely slip. */
const char *oc_suggest_within(const char *word, const char *const *candidates, size_t count,
                              size_t limit);

/* "1.2 GB", "870 kB" (powers of 1000) and "1 h 02 min", "3.4 s" into the caller's storage; returns
 * storage. */
char *oc_format_bytes(char storage[16], uint64_t bytes);
char *oc_format_seconds(char storage[24], double seconds);

#endif
