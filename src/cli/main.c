/* The program: finds the command, runs it, turns its status into an exit code. What the commands do
 * is in their own files.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "command_int.h"
#include "spin_int.h"

/* The command line as typed, words with spaces or quotes in single quotes. */
static void join_line(oc_buf *out, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        const char *word = i ? argv[i] : "ocellus";
        bool plain = *word && !strpbrk(word, " \t\n'\"\\$&|;<>()*?[]#~`!{}");
        if (i) oc_buf_puts(out, " ");
        if (plain) {
            oc_buf_puts(out, word);
            continue;
        }
        oc_buf_puts(out, "'");
        for (const char *p = word; *p; p++) {
            if (*p == '\'') oc_buf_puts(out, "'\\'");
            oc_buf_append(out, p, 1);
        }
        oc_buf_puts(out, "'");
    }
}

static bool asks_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static oc_status run_command(const oci_command *command, int argc, char **argv,
                             const oci_term *term, oc_error *err) {
    oc_buf text = {0};
    if (asks_help(argc - 2, argv + 2)) {
        oci_help_one(&text, command, term);
        return oci_print(stdout, &text, err);
    }
    join_line(&text, argc, argv);
    oc_status status = oc_buf_status(&text, err);
    oci_call call = {{command->name, command->options, argc - 2, argv + 2}, term, text.data};
    if (status == OC_OK) status = command->run(&call, err);
    oc_buf_clear(&text);
    return status;
}

static oc_status run(int argc, char **argv, const oci_term *term, oc_error *err) {
    if (argc < 2) {
        oc_buf text = {0};
        oci_help_all(&text, term);
        OC_TRY(oci_print(stderr, &text, err));
        return oc_fail(err, OC_EUSAGE, "no command given");
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        oc_buf text = {0};
        oc_buf_printf(&text, "ocellus %s\n", OC_VERSION);
        return oci_print(stdout, &text, err);
    }
    const char *name = asks_help(1, argv + 1) ? "help" : argv[1];
    const oci_command *command = oci_command_find(name);
    if (command) return run_command(command, argc, argv, term, err);
    if (name[0] == '-')
        return oc_fail(err, OC_EUSAGE, "%s is not a command; usage: ocellus COMMAND ...", name);
    return oci_command_unknown(name, err);
}

int main(int argc, char **argv) {
    oci_spin_briefly(argv);
    oci_term term;
    oci_term_init(&term);
    oc_error err = {0};
    oc_status status = run(argc, argv, &term, &err);
    if (status != OC_OK)
        fprintf(stderr, "%socellus: %s%s\n", oci_paint_code(term.colour_err, OCI_RED),
                err.message[0] ? err.message : oc_status_meaning(status),
                oci_paint_code(term.colour_err, OCI_PLAIN));
    return oc_status_exit_code(status);
}
