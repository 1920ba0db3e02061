/* The table of commands, and how they are listed and looked up.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "command_int.h"

const oci_command *const oci_commands[] = {&oci_cmd_train,
                                           &oci_cmd_eval,
                                           &oci_cmd_predict,
                                           &oci_cmd_serve,
                                           &oci_cmd_data,
                                           &oci_cmd_info,
                                           &oci_cmd_import,
                                           &oci_cmd_export,
                                           &oci_cmd_quantize,
                                           &oci_cmd_verify,
                                           &oci_cmd_export_observations,
                                           &oci_cmd_synth,
                                           &oci_cmd_doctor,
                                           &oci_cmd_bench,
                                           &oci_cmd_completion,
                                           &oci_cmd_help,
                                           NULL};

const oci_command *oci_command_find(const char *name) {
    for (size_t i = 0; oci_commands[i]; i++)
        if (strcmp(oci_commands[i]->name, name) == 0) return oci_commands[i];
    return NULL;
}

oc_status oci_command_unknown(const char *name, oc_error *err) {
    enum { MOST = 32 };
    const char *names[MOST];
    size_t count = 0;
    for (; oci_commands[count] && count < MOST; count++) names[count] = oci_commands[count]->name;
    const char *near = oc_suggest(name, names, count);
    if (near)
        return oc_fail(err, OC_EUSAGE, "unknown command \"%s\"; did you mean %s?", name, near);
    return oc_fail(err, OC_EUSAGE, "unknown command \"%s\"; `ocellus help` lists them", name);
}

void oci_help_all(oc_buf *out, const oci_term *term) {
    const char *bold = oci_paint_code(term->colour_out, OCI_BOLD);
    const char *plain = oci_paint_code(term->colour_out, OCI_PLAIN);
    oc_buf_printf(out,
                  "%socellus %s%s: from a folder of photos to a trained, measured classifier\n\n",
                  bold, OC_VERSION, plain);
    oc_buf_puts(out, "usage: ocellus COMMAND ...\n\n");
    for (size_t i = 0; oci_commands[i]; i++) {
        oc_buf_printf(out, "  %s%-20s%s", bold, oci_commands[i]->name, plain);
        oci_wrap(out, oci_commands[i]->summary, 22, 22, term->width < 60 ? 60 : term->width);
    }
    oc_buf_puts(out, "\nfirst steps with a folder that holds one folder of photos per class:\n"
                     "  ocellus data PHOTOS\n"
                     "  ocellus train PHOTOS -o MODEL --from WEIGHTS.safetensors\n"
                     "  ocellus eval MODEL PHOTOS --report report.html\n"
                     "\n`ocellus help COMMAND` tells the rest.\n");
}

static void paragraphs(oc_buf *out, const char *text, int width) {
    while (*text) {
        size_t size = strcspn(text, "\n");
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)size, text);
        oci_wrap(out, line, 0, 0, width);
        text += size + (text[size] == '\n');
    }
}

void oci_help_one(oc_buf *out, const oci_command *command, const oci_term *term) {
    int width = term->width < 60 ? 60 : term->width > 100 ? 100 : term->width;
    const char *bold = oci_paint_code(term->colour_out, OCI_BOLD);
    const char *plain = oci_paint_code(term->colour_out, OCI_PLAIN);
    oc_buf_printf(out, "%socellus %s%s: %s\n\n", bold, command->name, plain, command->summary);
    oc_buf_printf(out, "usage: ocellus %s %s\n", command->name, command->arguments);
    if (command->details) {
        oc_buf_puts(out, "\n");
        paragraphs(out, command->details, width);
    }
    if (command->options) {
        oc_buf_printf(out, "\n%soptions%s\n", bold, plain);
        oci_options_help(command->options, width, out);
    }
    if (command->examples) oc_buf_printf(out, "\n%sexamples%s\n%s", bold, plain, command->examples);
}
