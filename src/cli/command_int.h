/* A command: one file with one entry in the table of main.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_COMMAND_INT_H
#define OC_CLI_COMMAND_INT_H

#include "options_int.h"
#include "term_int.h"

typedef struct oci_call {
    oci_args args; /* behind the command's name; parse with oci_options_parse */
    const oci_term *term;
    const char *line; /* the whole command line as typed, for the record */
} oci_call;

typedef struct oci_command {
    const char *name;
    const char *summary;   /* one line */
    const char *arguments; /* "MODEL IMAGE|DIR|- ..." */
    const char *details;   /* paragraphs parted by newlines; NULL = none */
    const char *examples;  /* lines; NULL = none */
    const oci_option *options;
    oc_status (*run)(oci_call *call, oc_error *err);
} oci_command;

extern const oci_command oci_cmd_train, oci_cmd_eval, oci_cmd_predict, oci_cmd_synth, oci_cmd_data,
    oci_cmd_info, oci_cmd_doctor, oci_cmd_bench, oci_cmd_import, oci_cmd_export, oci_cmd_quantize,
    oci_cmd_verify, oci_cmd_serve, oci_cmd_export_observations, oci_cmd_completion, oci_cmd_help;

/* All commands in the order of the listing, NULL at the end. */
extern const oci_command *const oci_commands[];
const oci_command *oci_command_find(const char *name); /* NULL when there is none */
/* OC_EUSAGE with a suggestion. */
oc_status oci_command_unknown(const char *name, oc_error *err);
/* The listing of all commands; the help of one. */
void oci_help_all(oc_buf *out, const oci_term *term);
void oci_help_one(oc_buf *out, const oci_command *command, const oci_term *term);

/* Shell completions and the man page, from the tables (complete.c, manual.c). */
void oci_complete_bash(oc_buf *out);
void oci_complete_zsh(oc_buf *out);
void oci_complete_fish(oc_buf *out);
void oci_manual(oc_buf *out);

#endif
