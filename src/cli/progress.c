/* Progress and words on standard error.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "progress_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double tty_period = 0.1, line_period = 5.0;
enum { BAR_CELLS = 20 };

bool oci_progress_due(oci_progress *p) {
    double now = oc_clock_seconds();
    double period = p->term->err_tty ? tty_period : line_period;
    if (p->next_seconds == 0 && !p->term->err_tty) p->next_seconds = now + period;
    if (now < p->next_seconds) return false;
    p->next_seconds = now + period;
    return true;
}

/* Bytes of the longest start of `text` that takes at most `columns`. */
static int fitting(const char *text, int columns) {
    int seen = 0;
    size_t i = 0;
    for (; text[i]; i++) {
        seen += ((unsigned char)text[i] & 0xC0) != 0x80;
        if (seen > columns) break;
    }
    return (int)i;
}

void oci_progress_show(oci_progress *p, oc_buf *line) {
    if (!line->failed && line->data) {
        if (p->term->err_tty) {
            int bytes = fitting(line->data, p->term->width - 1);
            fprintf(stderr, "\r\033[K%.*s", bytes, line->data);
            p->drawn = true;
        } else {
            fprintf(stderr, "%s\n", line->data);
        }
        fflush(stderr);
    }
    oc_buf_clear(line);
}

void oci_progress_wipe(oci_progress *p) {
    if (p->drawn) fputs("\r\033[K", stderr);
    p->drawn = false;
}

void oci_progress_say(oci_progress *p, oci_paint paint, const char *format, ...) {
    oci_progress_wipe(p);
    fputs(oci_paint_code(p->term->colour_err, paint), stderr);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "%s\n", oci_paint_code(p->term->colour_err, OCI_PLAIN));
    fflush(stderr);
}

void oci_progress_log(void *ctx, oc_log_level level, const char *line) {
    if (level == OC_LOG_WARN)
        oci_progress_say(ctx, OCI_YELLOW, "warning: %s", line);
    else
        oci_progress_say(ctx, OCI_PLAIN, "%s", line);
}

void oci_progress_count(oci_progress *p, const char *what, size_t done, size_t total,
                        double start) {
    if (!oci_progress_due(p) || total == 0) return;
    double share = (double)done / (double)total, spent = oc_clock_seconds() - start;
    char eta[24] = "?", rate[32];
    if (done) oc_format_seconds(eta, spent / share - spent);
    oc_buf line = {0};
    oc_buf_printf(&line, "%s ", what);
    if (p->term->err_tty) oci_bar(&line, share, BAR_CELLS, p->term->utf8);
    oc_buf_printf(&line, "%3.0f%%  %zu of %zu  %s images/s  ETA %s", 100 * share, done, total,
                  oci_format_rate(rate, spent > 0 ? (double)done / spent : 0.0), eta);
    oci_progress_show(p, &line);
}
