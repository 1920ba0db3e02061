/* The terminal's manners, measured once at the start, and printing that notices failure.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "term_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool wants_utf8(void) {
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (!value || !*value) continue;
        return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8") ||
               strstr(value, "utf-8");
    }
    return false;
}

static bool wants_colour(int fd) {
    const char *off = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    return isatty(fd) && !(off && *off) && kind && strcmp(kind, "dumb") != 0;
}

static int columns_of(int fd) {
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
    return 0;
}

void oci_term_init(oci_term *term) {
    *term = (oci_term){.utf8 = wants_utf8(),
                       .err_tty = isatty(STDERR_FILENO) != 0,
                       .colour_out = wants_colour(STDOUT_FILENO),
                       .colour_err = wants_colour(STDERR_FILENO)};
    term->width = columns_of(STDERR_FILENO);
    if (!term->width) term->width = columns_of(STDOUT_FILENO);
    if (!term->width) term->width = 80;
}

const char *oci_paint_code(bool colour, oci_paint paint) {
    static const char *const code[] = {"\033[0m",  "\033[1m",  "\033[2m",
                                       "\033[32m", "\033[33m", "\033[31m"};
    return colour ? code[paint] : "";
}

void oci_bar(oc_buf *out, double share, int cells, bool utf8) {
    static const char *const part[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (!(share > 0)) share = 0;
    if (share > 1) share = 1;
    int eighths = (int)(share * cells * 8 + 0.5);
    for (int i = 0; i < cells; i++, eighths -= 8) {
        if (eighths >= 8)
            oc_buf_puts(out, utf8 ? "█" : "#");
        else if (utf8)
            oc_buf_puts(out, part[eighths > 0 ? eighths : 0]);
        else
            oc_buf_puts(out, eighths >= 4 ? "-" : " ");
    }
}

char *oci_format_rate(char storage[32], double per_second) {
    int digits = per_second < 1 ? 2 : per_second < 20 ? 1 : 0;
    snprintf(storage, 32, "%.*f", digits, per_second);
    return storage;
}

int oci_columns(const char *text) {
    int columns = 0;
    for (; *text; text++) columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

static void put_plain_bytes(oc_buf *out, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        bool control = (unsigned char)text[i] < 0x20 || text[i] == 0x7F;
        oc_buf_append(out, control ? "?" : &text[i], 1);
    }
}

void oci_put_plain(oc_buf *out, const char *text) {
    put_plain_bytes(out, text, strlen(text));
}

void oci_put_padded(oc_buf *out, const char *text, int columns, bool utf8) {
    int have = oci_columns(text);
    if (have <= columns) {
        oci_put_plain(out, text);
        oc_buf_printf(out, "%*s", columns - have, "");
        return;
    }
    size_t bytes = 0;
    for (int seen = 0; text[bytes]; bytes++) {
        seen += ((unsigned char)text[bytes] & 0xC0) != 0x80;
        if (seen >= columns) break;
    }
    put_plain_bytes(out, text, bytes);
    oc_buf_puts(out, utf8 ? "…" : ".");
}

oc_status oci_print(FILE *stream, oc_buf *buf, oc_error *err) {
    oc_status status = oc_buf_status(buf, err);
    if (status == OC_OK && buf->size &&
        (fwrite(buf->data, 1, buf->size, stream) != buf->size || fflush(stream) != 0))
        status = oc_fail_errno(err, OC_EIO, errno, "writing to standard %s",
                               stream == stdout ? "output" : "error");
    oc_buf_clear(buf);
    return status;
}

oc_status oci_print_json(json_t *value, oc_error *err) {
    if (!value) return oc_fail_nomem(err, 0, "the JSON result");
    oc_buf line = {0};
    oc_status status = oc_json_append_digits(&line, value, OC_JSON_DECIMAL, err);
    json_decref(value);
    oc_buf_puts(&line, "\n");
    if (status == OC_OK) return oci_print(stdout, &line, err);
    oc_buf_clear(&line);
    return status;
}
