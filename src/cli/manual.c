/* The man page, written from the tables of commands and options (man(7) macros).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "command_int.h"
#include "ocellus/status.h"

/* Text for roff: backslashes and dashes escaped, no line begins with a control character. */
static void roff(const char *text, oc_buf *out) {
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\'')) oc_buf_puts(out, "\\&");
        if (*text == '\\')
            oc_buf_puts(out, "\\e");
        else if (*text == '-')
            oc_buf_puts(out, "\\-");
        else
            oc_buf_append(out, text, 1);
        line_start = *text == '\n';
    }
}

static void option(const oci_option *o, oc_buf *out) {
    char title[96];
    oc_buf_puts(out, ".TP\n.B ");
    roff(oci_option_title(o, title), out);
    oc_buf_puts(out, "\n");
    roff(o->help, out);
    for (size_t i = 0; o->kind == OCI_WORD && o->words[i]; i++)
        oc_buf_printf(out, "%s%s", i ? ", " : ": ", o->words[i]);
    oc_buf_puts(out, "\n");
}

static void command(const oci_command *c, oc_buf *out) {
    oc_buf_printf(out, ".SH \"OCELLUS %s\"\n.B ocellus %s\n", c->name, c->name);
    roff(c->arguments, out);
    oc_buf_puts(out, "\n.PP\n");
    roff(c->summary, out);
    oc_buf_puts(out, ".\n");
    for (const char *p = c->details; p && *p;) {
        size_t size = strcspn(p, "\n");
        char line[1024];
        if (size >= sizeof line) size = sizeof line - 1;
        memcpy(line, p, size);
        line[size] = '\0';
        oc_buf_puts(out, ".PP\n");
        roff(line, out);
        oc_buf_puts(out, "\n");
        p += size + (p[size] == '\n');
    }
    for (const oci_option *o = c->options; o && o->name; o++) option(o, out);
    if (!c->examples) return;
    oc_buf_puts(out, ".PP\nExamples:\n.PP\n.nf\n");
    roff(c->examples, out);
    oc_buf_puts(out, ".fi\n");
}

static void exit_codes(oc_buf *out) {
    oc_buf_puts(out, ".SH EXIT STATUS\n"
                     ".TP\n.B 0\nall that was asked was done\n"
                     ".TP\n.B 1\nthe command line is wrong\n"
                     ".TP\n.B 2\nthe input is wrong or does not allow what was asked\n"
                     ".TP\n.B 3\nthe environment: files, memory, a part that is not built in, a "
                     "stop on request\n"
                     ".TP\n.B 4\na mistake of the program itself\n");
}

void oci_manual(oc_buf *out) {
    oc_buf_printf(out,
                  ".\\\" Written by `ocellus completion man`; change the tables instead.\n"
                  ".TH OCELLUS 1 \"\" \"ocellus %s\" \"User Commands\"\n",
                  OC_VERSION);
    oc_buf_puts(out, ".SH NAME\nocellus \\- from a folder of photos to a trained, measured "
                     "classifier\n.SH SYNOPSIS\n");
    for (size_t i = 0; oci_commands[i]; i++) {
        oc_buf_printf(out, "%s.B ocellus %s\n", i ? ".br\n" : "", oci_commands[i]->name);
        roff(oci_commands[i]->arguments, out);
        oc_buf_puts(out, "\n");
    }
    oc_buf_puts(out, ".SH DESCRIPTION\n"
                     "Results go to standard output, words and progress to standard error. "
                     "Unknown options are errors.\n"
                     "Colour is left out where NO_COLOR is set or the output is no terminal.\n");
    for (size_t i = 0; oci_commands[i]; i++) command(oci_commands[i], out);
    exit_codes(out);
    oc_buf_puts(out, ".SH FILES\nA model is a folder: config.json (classes, recipe, origin), "
                     "graph.json, model.safetensors, README.md, metrics.json, log.jsonl, "
                     "events.out.tfevents.* (for TensorBoard), "
                     "checkpoint/.\n");
}
