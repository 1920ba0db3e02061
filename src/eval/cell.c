/* Text in the cells of a terminal table: its width, and cutting or padding it to one.
 *
 * Widths are those that terminals agree on: East Asian wide and emoji 2, combining marks 0, the
 * rest 1 (after Unicode's EastAsianWidth, by ranges).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval_int.h"

/* The character at *text, and step behind it; '?' for a malformed byte or a control character. */
static uint32_t next_character(const char **text) {
    const unsigned char *p = (const unsigned char *)*text;
    int more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC0 ? 1 : 0;
    uint32_t c = more == 3 ? p[0] & 7U : more == 2 ? p[0] & 15U : more == 1 ? p[0] & 31U : p[0];
    *text += 1;
    if (more == 0) return c < 0x20 || c >= 0x7F ? '?' : c;
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) return '?'; /* also stops at the end */
        c = c << 6 | (p[i] & 0x3FU);
    }
    *text += more;
    return c < 0xA0 ? '?' : c;
}

typedef struct range {
    uint32_t first, last;
} range;

static bool is_within(uint32_t c, const range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    }
    return false;
}

static size_t width_of(uint32_t c) {
    static const range none[] = {{0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},
                                 {0x610, 0x61A},   {0x64B, 0x65F},   {0x200B, 0x200F},
                                 {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
    static const range two[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},  {0x3041, 0xA4CF},
                                {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},  {0xFE30, 0xFE6F},
                                {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F},
                                {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    if (is_within(c, none, sizeof none / sizeof *none)) return 0;
    return is_within(c, two, sizeof two / sizeof *two) ? 2 : 1;
}

size_t oci_text_columns(const char *text) {
    size_t columns = 0;
    while (*text != '\0') columns += width_of(next_character(&text));
    return columns;
}

void oci_text_cell(oc_buf *out, const char *text, size_t columns) {
    bool cut = oci_text_columns(text) > columns;
    size_t room = cut && columns > 0 ? columns - 1 : columns, used = 0;
    while (*text != '\0') {
        const char *start = text;
        uint32_t c = next_character(&text);
        size_t width = width_of(c);
        if (used + width > room) break;
        if (c == '?') {
            oc_buf_puts(out, "?");
        } else {
            oc_buf_append(out, start, (size_t)(text - start));
        }
        used += width;
    }
    if (cut && columns > 0) {
        oc_buf_puts(out, "\xE2\x80\xA6"); /* an ellipsis */
        used++;
    }
    for (; used < columns; used++) oc_buf_puts(out, " ");
}
