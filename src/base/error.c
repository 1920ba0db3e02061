/* Filling an oc_error: formatted, cut at a character, safe to show on a terminal.
 *
 * The text is always put together beside err first, since an argument may be err's own message.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8_int.h"

/* Append to a message; returns the length it would have had. */
static OC_PRINTF(3, 0) size_t
    put(char text[OC_ERROR_BYTES], size_t used, const char *format, va_list args) {
    if (used >= OC_ERROR_BYTES) return used;
    int n = vsnprintf(text + used, OC_ERROR_BYTES - used, format, args);
    return n < 0 ? used : used + (size_t)n;
}

static OC_PRINTF(3, 4) size_t
    puts_format(char text[OC_ERROR_BYTES], size_t used, const char *format, ...) {
    va_list args;
    va_start(args, format);
    used = put(text, used, format, args);
    va_end(args);
    return used;
}

static oc_status store(oc_error *err, oc_status status, char text[OC_ERROR_BYTES], size_t used) {
    oci_utf8_clean(text, used >= OC_ERROR_BYTES);
    err->status = status;
    memcpy(err->message, text, OC_ERROR_BYTES);
    return status;
}

oc_status oc_fail(oc_error *err, oc_status status, const char *format, ...) {
    if (err == NULL) return status;
    char text[OC_ERROR_BYTES] = "";
    va_list args;
    va_start(args, format);
    size_t used = put(text, 0, format, args);
    va_end(args);
    return store(err, status, text, used);
}

static const char *what_to_try(int number) {
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return " (free some space there or choose another folder)";
    case EACCES:
    case EPERM:
        return " (check its owner and rights with ls -l)";
    case ENOENT:
        return " (check the spelling)";
    case EMFILE:
        return " (raise the limit: ulimit -n)";
    case EROFS:
        return " (choose a folder that can be written)";
    default:
        return "";
    }
}

oc_status oc_fail_errno(oc_error *err, oc_status status, int number, const char *format, ...) {
    if (err == NULL) return status;
    char text[OC_ERROR_BYTES] = "";
    char words[128];
    if (strerror_r(number, words, sizeof words) != 0) {
        (void)snprintf(words, sizeof words, "error %d", number);
    }
    va_list args;
    va_start(args, format);
    size_t used = put(text, 0, format, args);
    va_end(args);
    used = puts_format(text, used, ": %s%s", words, what_to_try(number));
    return store(err, status, text, used);
}

oc_status oc_error_context(oc_error *err, oc_status status, const char *format, ...) {
    if (err == NULL) return status;
    char text[OC_ERROR_BYTES] = "";
    va_list args;
    va_start(args, format);
    size_t used = put(text, 0, format, args);
    va_end(args);
    used = puts_format(text, used, ": %s", err->message);
    return store(err, status, text, used);
}

void oc_broken_promise(const char *what, const char *file, int line) {
    (void)fprintf(stderr, "ocellus: broken promise: %s (%s:%d); please report this\n", what, file,
                  line);
    abort();
}
