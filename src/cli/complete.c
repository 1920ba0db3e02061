/* Shell completions for bash, zsh and fish, written from the tables of commands and options.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "command_int.h"

static void words_of(const oci_option *o, const char *separator, oc_buf *out) {
    for (size_t i = 0; o->words[i]; i++)
        oc_buf_printf(out, "%s%s", i ? separator : "", o->words[i]);
}

/* Text inside single quotes of a shell. */
static void quoted(const char *text, const char *escaped_quote, oc_buf *out) {
    for (; *text; text++) {
        if (*text == '\'')
            oc_buf_puts(out, escaped_quote);
        else
            oc_buf_append(out, text, 1);
    }
}

/* ---- bash ---- */

static void bash_command(const oci_command *c, oc_buf *out) {
    oc_buf_printf(out, "    %s)\n        options=\"--help", c->name);
    for (const oci_option *o = c->options; o && o->name; o++) oc_buf_printf(out, " --%s", o->name);
    oc_buf_puts(out, "\"\n        case \"$previous\" in\n");
    for (const oci_option *o = c->options; o && o->name; o++) {
        if (o->kind == OCI_FLAG) continue;
        oc_buf_printf(out, "        --%s", o->name);
        if (o->letter) oc_buf_printf(out, " | -%c", o->letter);
        oc_buf_puts(out, ") ");
        if (o->kind == OCI_WORD) {
            oc_buf_puts(out, "COMPREPLY=($(compgen -W \"");
            words_of(o, " ", out);
            oc_buf_puts(out, "\" -- \"$current\")); return ;;\n");
        } else {
            oc_buf_puts(out, o->kind == OCI_PATH
                                 ? "COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
                                 : "return ;;\n");
        }
    }
    oc_buf_puts(out, "        esac ;;\n");
}

void oci_complete_bash(oc_buf *out) {
    oc_buf_puts(out, "# bash completion of ocellus, written by `ocellus completion bash`\n"
                     "_ocellus() {\n"
                     "    local current=${COMP_WORDS[COMP_CWORD]} options=\n"
                     "    local previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "    if ((COMP_CWORD == 1)); then\n"
                     "        COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; oci_commands[i]; i++) oc_buf_printf(out, "%s ", oci_commands[i]->name);
    oc_buf_puts(out, "--version --help\" -- \"$current\"))\n        return\n    fi\n"
                     "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; oci_commands[i]; i++) bash_command(oci_commands[i], out);
    oc_buf_puts(out, "    esac\n"
                     "    if [[ $current == -* ]]; then\n"
                     "        COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
                     "    else\n"
                     "        COMPREPLY=($(compgen -f -- \"$current\"))\n"
                     "    fi\n"
                     "}\n"
                     "complete -o filenames -F _ocellus ocellus\n");
}

/* ---- zsh ---- */

static void zsh_text(const char *text, oc_buf *out) {
    for (; *text; text++) {
        if (*text == '\'')
            oc_buf_puts(out, "'\\''");
        else if (strchr("[]:\\", *text))
            oc_buf_printf(out, "\\%c", *text);
        else
            oc_buf_append(out, text, 1);
    }
}

static void zsh_option(const oci_option *o, oc_buf *out) {
    oc_buf_printf(out, " \\\n            '--%s%s[", o->name, o->kind == OCI_FLAG ? "" : "=");
    zsh_text(o->help, out);
    oc_buf_puts(out, "]");
    if (o->kind == OCI_WORD) {
        oc_buf_printf(out, ":%s:(", o->name);
        words_of(o, " ", out);
        oc_buf_puts(out, ")");
    } else if (o->kind == OCI_PATH) {
        oc_buf_printf(out, ":%s:_files", o->name);
    } else if (o->kind != OCI_FLAG) {
        oc_buf_printf(out, ":%s: ", o->name);
    }
    oc_buf_puts(out, "'");
}

void oci_complete_zsh(oc_buf *out) {
    oc_buf_puts(out, "#compdef ocellus\n# zsh completion, written by `ocellus completion zsh`\n"
                     "_ocellus() {\n"
                     "    if ((CURRENT == 2)); then\n"
                     "        local -a commands\n"
                     "        commands=(");
    for (size_t i = 0; oci_commands[i]; i++) {
        oc_buf_printf(out, "\n            '%s:", oci_commands[i]->name);
        zsh_text(oci_commands[i]->summary, out);
        oc_buf_puts(out, "'");
    }
    oc_buf_puts(out, ")\n        _describe command commands\n        return\n    fi\n"
                     "    local command=$words[2]\n"
                     "    shift words; ((CURRENT--))\n"
                     "    case $command in\n");
    for (size_t i = 0; oci_commands[i]; i++) {
        oc_buf_printf(out, "    %s)\n        _arguments '--help[tell what it takes]'",
                      oci_commands[i]->name);
        for (const oci_option *o = oci_commands[i]->options; o && o->name; o++) zsh_option(o, out);
        oc_buf_puts(out, " '*:file:_files' ;;\n");
    }
    oc_buf_puts(out, "    esac\n}\n_ocellus \"$@\"\n");
}

/* ---- fish ---- */

static void fish_option(const oci_command *c, const oci_option *o, oc_buf *out) {
    oc_buf_printf(out, "complete -c ocellus -n '__fish_seen_subcommand_from %s' -l %s", c->name,
                  o->name);
    if (o->letter) oc_buf_printf(out, " -s %c", o->letter);
    if (o->kind == OCI_WORD) {
        oc_buf_puts(out, " -xa '");
        words_of(o, " ", out);
        oc_buf_puts(out, "'");
    } else if (o->kind == OCI_PATH) {
        oc_buf_puts(out, " -rF");
    } else if (o->kind != OCI_FLAG) {
        oc_buf_puts(out, " -x");
    }
    oc_buf_puts(out, " -d '");
    quoted(o->help, "\\'", out);
    oc_buf_puts(out, "'\n");
}

void oci_complete_fish(oc_buf *out) {
    oc_buf_puts(out, "# fish completion of ocellus, written by `ocellus completion fish`\n");
    for (size_t i = 0; oci_commands[i]; i++) {
        const oci_command *c = oci_commands[i];
        oc_buf_printf(out, "complete -c ocellus -n __fish_use_subcommand -xa %s -d '", c->name);
        quoted(c->summary, "\\'", out);
        oc_buf_puts(out, "'\n");
        for (const oci_option *o = c->options; o && o->name; o++) fish_option(c, o, out);
    }
}
