/* What the terminal can show: width, colour, UTF-8; and the words that go to standard error.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_TERM_INT_H
#define OC_CLI_TERM_INT_H

#include <stdio.h>

#include "base/base.h"

typedef struct oci_term {
    bool err_tty;    /* progress may be redrawn in place */
    bool colour_out; /* NO_COLOR and TERM=dumb respected */
    bool colour_err;
    bool utf8;
    int width; /* columns of the terminal, else 80 */
} oci_term;

void oci_term_init(oci_term *term);

/* Escape sequences, or "" where colour is not wanted. */
typedef enum oci_paint { OCI_PLAIN, OCI_BOLD, OCI_DIM, OCI_GREEN, OCI_YELLOW, OCI_RED } oci_paint;
const char *oci_paint_code(bool colour, oci_paint paint);

/* A bar of `cells` columns, `share` 0..1 of it filled, in eighths of a cell where UTF-8 allows. */
void oci_bar(oc_buf *out, double share, int cells, bool utf8);

/* "0.83", "8.3", "83", "834" images a second; returns storage. */
char *oci_format_rate(char storage[32], double per_second);

/* A name or path from outside: control characters become '?', so that it stays a name. */
void oci_put_plain(oc_buf *out, const char *text);
/* Columns that a UTF-8 text takes, one a code point (wide scripts come out narrow). */
int oci_columns(const char *text);
/* The text, cut at `columns` with an ellipsis, padded to it with spaces. */
void oci_put_padded(oc_buf *out, const char *text, int columns, bool utf8);

/* Print what buf holds and clear it; OC_EIO where the stream cannot take it, OC_ENOMEM where the
 * buffer had failed. */
OC_MUST_CHECK oc_status oci_print(FILE *stream, oc_buf *buf, oc_error *err);
/* A JSON value on one line of standard output. Takes the reference; NULL is OC_ENOMEM. */
OC_MUST_CHECK oc_status oci_print_json(json_t *value, oc_error *err);

#endif
