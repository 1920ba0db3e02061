/* Log lines: formatted here, written by the caller's sink.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8_int.h"

enum { LINE_BYTES = 2048 };

static OC_PRINTF(3, 0) void send(const oc_log *log, oc_log_level level, const char *format,
                                 va_list args) {
    if (log == NULL || log->write == NULL) return;
    char line[LINE_BYTES] = "";
    int n = vsnprintf(line, sizeof line, format, args);
    oci_utf8_clean(line, n >= LINE_BYTES);
    log->write(log->ctx, level, line);
}

void oc_info(const oc_log *log, const char *format, ...) {
    va_list args;
    va_start(args, format);
    send(log, OC_LOG_INFO, format, args);
    va_end(args);
}

void oc_warn(const oc_log *log, const char *format, ...) {
    va_list args;
    va_start(args, format);
    send(log, OC_LOG_WARN, format, args);
    va_end(args);
}
