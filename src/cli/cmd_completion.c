/* `ocellus completion bash|zsh|fish|man`: what a shell or man(1) wants to know.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "command_int.h"

static const char arguments[] = "bash|zsh|fish|man";

typedef struct dialect {
    const char *name;
    void (*write)(oc_buf *out);
} dialect;

static const dialect dialects[] = {{"bash", oci_complete_bash},
                                   {"zsh", oci_complete_zsh},
                                   {"fish", oci_complete_fish},
                                   {"man", oci_manual}};

static oc_status run(oci_call *call, oc_error *err) {
    OC_TRY(oci_options_parse(&call->args, NULL, err));
    OC_TRY(oci_args_expect(&call->args, 1, 1, arguments, err));
    const char *name = call->args.argv[0];
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        if (strcmp(dialects[i].name, name) != 0) continue;
        oc_buf out = {0};
        dialects[i].write(&out);
        return oci_print(stdout, &out, err);
    }
    return oc_fail(err, OC_EUSAGE, "completion %s: expected bash, zsh, fish or man", name);
}

const oci_command oci_cmd_completion = {
    .name = "completion",
    .summary = "completions for a shell, or the man page",
    .arguments = arguments,
    .examples = "  ocellus completion bash > ~/.local/share/bash-completion/completions/ocellus\n"
                "  ocellus completion fish > ~/.config/fish/completions/ocellus.fish\n"
                "  ocellus completion man | man -l -\n",
    .run = run};
