/* Options of a command as a table: parsing, help, shell completions and the man page all read it,
 * so that none of them can differ from what is accepted.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_OPTIONS_INT_H
#define OC_CLI_OPTIONS_INT_H

#include "base/base.h"

typedef enum oci_kind {
    OCI_FLAG, /* bool; takes no value */
    OCI_INT,  /* int, min..max */
    OCI_U64,  /* uint64_t, min..max */
    OCI_REAL, /* double, min..max, finite */
    OCI_TEXT, /* const char *, borrowed from argv */
    OCI_PATH, /* the same; completions offer files */
    OCI_WORD  /* int: index into words */
} oci_kind;

typedef struct oci_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* "-o"; 0 = none */
    oci_kind kind;
    size_t offset;     /* of the target in the command's struct of flags */
    const char *value; /* how help calls the value: "N" */
    double min, max;
    const char *const *words; /* OCI_WORD: NULL at the end */
    const char *help;
} oci_option;

/* What was typed behind the name of a command. Parsing moves positional arguments to the front:
 * afterwards argv[0..count-1] are those. */
typedef struct oci_args {
    const char *command; /* for messages */
    const oci_option *options;
    int count;
    char **argv;
} oci_args;

/* Store values into `flags`, the command's struct, filled with defaults before. OC_EUSAGE for an
 * unknown option (with a suggestion), a missing value, a value out of range. "--" ends options; "-"
 * alone is positional. Later options win. */
OC_MUST_CHECK oc_status oci_options_parse(oci_args *args, void *flags, oc_error *err);

/* OC_EUSAGE unless fewest <= count <= most (most < 0: any number); `usage` is shown in the message.
 */
OC_MUST_CHECK oc_status oci_args_expect(const oci_args *args, int fewest, int most,
                                        const char *usage, oc_error *err);

/* The place of `text` among `words`, NULL at the end, whatever the case of letters; else OC_EUSAGE,
 * which lists them behind `what` and the text, and suggests the nearest. */
OC_MUST_CHECK oc_status oci_word_find(int *out, const char *what, const char *text,
                                      const char *const *words, oc_error *err);

/* One line an option, wrapped to `width` columns. */
void oci_options_help(const oci_option *options, int width, oc_buf *out);

/* "--epochs N" or "-o, --out MODEL" for a listing; storage is returned. */
char *oci_option_title(const oci_option *option, char storage[96]);

/* Append `text` wrapped at spaces, continuation lines indented; the caller stands at `column`. */
void oci_wrap(oc_buf *out, const char *text, int column, int indent, int width);

#endif
