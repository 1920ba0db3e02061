/* The growing byte buffer.
 *
 * Invariant: data is NULL, or holds `size` bytes and a NUL behind them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Make room for `more` bytes and the NUL. */
static bool reserve(oc_buf *buf, size_t more) {
    size_t need = 0;
    bool fits = oc_add_size(buf->size, more, &need) && oc_add_size(need, 1, &need) &&
                oc_grow(&buf->data, &buf->capacity, need, 1, NULL) == OC_OK;
    if (!fits) buf->failed = true;
    return fits;
}

void oc_buf_append(oc_buf *buf, const void *bytes, size_t size) {
    if (buf->failed || !reserve(buf, size)) return;
    if (size > 0) memcpy(buf->data + buf->size, bytes, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void oc_buf_puts(oc_buf *buf, const char *text) {
    oc_buf_append(buf, text, strlen(text));
}

void oc_buf_printf(oc_buf *buf, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0) buf->failed = true;
    if (!buf->failed && reserve(buf, (size_t)n)) {
        (void)vsnprintf(buf->data + buf->size, (size_t)n + 1, format, again);
        buf->size += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void oc_buf_html(oc_buf *buf, const char *text) {
    for (;;) {
        size_t plain = strcspn(text, "&<>\"'");
        oc_buf_append(buf, text, plain);
        text += plain;
        switch (*text++) {
        case '&':
            oc_buf_puts(buf, "&amp;");
            break;
        case '<':
            oc_buf_puts(buf, "&lt;");
            break;
        case '>':
            oc_buf_puts(buf, "&gt;");
            break;
        case '"':
            oc_buf_puts(buf, "&quot;");
            break;
        case '\'':
            oc_buf_puts(buf, "&#39;");
            break;
        default:
            return;
        }
    }
}

void oc_buf_base64(oc_buf *buf, const void *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t v = (uint32_t)p[i] << 16;
        if (left > 1) v |= (uint32_t)p[i + 1] << 8;
        if (left > 2) v |= p[i + 2];
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=',
                        left > 2 ? digits[v & 63] : '='};
        oc_buf_append(buf, four, sizeof four);
    }
}

void oc_buf_clear(oc_buf *buf) {
    oc_free(buf->data);
    *buf = (oc_buf){0};
}

oc_status oc_buf_status(const oc_buf *buf, oc_error *err) {
    return buf->failed ? oc_fail_nomem(err, buf->size, "a growing text") : OC_OK;
}
