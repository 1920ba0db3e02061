/* Text of help from the tables: titles of options, wrapping, listings. Nothing is printed here.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "options_int.h"

enum { TITLE_COLUMN = 28 };

char *oci_option_title(const oci_option *option, char storage[96]) {
    char letter[8] = "";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(storage, 96, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
    return storage;
}

void oci_wrap(oc_buf *out, const char *text, int column, int indent, int width) {
    int at = column;
    bool first = true;
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (!first && at + 1 + word > width) {
            oc_buf_printf(out, "\n%*s", indent, "");
            at = indent;
            first = true;
        }
        oc_buf_printf(out, "%s%.*s", first ? "" : " ", word, text);
        at += word + (first ? 0 : 1);
        first = false;
        text += word;
        text += strspn(text, " ");
    }
    oc_buf_puts(out, "\n");
}

static void one_option(const oci_option *o, int width, oc_buf *out) {
    char title[96];
    int used = (int)strlen(oci_option_title(o, title));
    oc_buf_printf(out, "  %s", title);
    if (used + 4 > TITLE_COLUMN)
        oc_buf_printf(out, "\n%*s", TITLE_COLUMN, "");
    else
        oc_buf_printf(out, "%*s", TITLE_COLUMN - used - 2, "");
    oc_buf text = {0};
    oc_buf_puts(&text, o->help);
    for (size_t i = 0; o->kind == OCI_WORD && o->words[i]; i++)
        oc_buf_printf(&text, "%s%s", i ? ", " : ": ", o->words[i]);
    oci_wrap(out, text.failed ? o->help : text.data, TITLE_COLUMN, TITLE_COLUMN, width);
    oc_buf_clear(&text);
}

void oci_options_help(const oci_option *options, int width, oc_buf *out) {
    if (width < TITLE_COLUMN + 24) width = TITLE_COLUMN + 24;
    if (width > 100) width = 100;
    for (const oci_option *o = options; o && o->name; o++) one_option(o, width, out);
}
