/* UTF-8 as the messages, the log and the text helpers need it. Private to `base`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_UTF8_INT_H
#define OC_BASE_UTF8_INT_H

#include <stddef.h>

/* Bytes of the well-formed character at text (1..4), or 0 when the first of the `left` bytes starts
 * none: stray or missing continuation, overlong form, surrogate, beyond U+10FFFF. */
size_t oci_utf8_length(const char *text, size_t left);

/* Make a line fit for a terminal, in place: control characters and malformed bytes become '?'. When
 * `cut`, an incomplete last character is dropped instead. */
void oci_utf8_clean(char *line, int cut);

#endif
