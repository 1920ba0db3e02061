/* UTF-8: the length of a character, and lines made safe to show.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8_int.h"

#include <stdbool.h>
#include <string.h>

/* The second byte carries what rules out overlong forms, surrogates and values beyond U+10FFFF
 * (Unicode 15, table 3-7). */
static bool second_byte_fits(unsigned char first, unsigned char second) {
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

static size_t length_by_first_byte(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

size_t oci_utf8_length(const char *text, size_t left) {
    const unsigned char *p = (const unsigned char *)text;
    size_t n = left == 0 ? 0 : length_by_first_byte(p[0]);
    if (n == 0 || n > left) return 0;
    if (n > 1 && !second_byte_fits(p[0], p[1])) return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    return n;
}

/* C0, DEL and C1 (U+0080..U+009F): what a terminal may obey. */
static bool is_control(const unsigned char *p, size_t n) {
    if (n == 1) return p[0] < 0x20 || p[0] == 0x7F;
    return n == 2 && p[0] == 0xC2 && p[1] < 0xA0;
}

/* Where a character begins that the end of the line cut off, or the end. */
static size_t whole_part(const char *line, size_t size) {
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        unsigned char c = (unsigned char)line[size - back];
        if ((c & 0xC0) == 0x80) continue;
        return length_by_first_byte(c) > back ? size - back : size;
    }
    return size;
}

void oci_utf8_clean(char *line, int cut) {
    size_t size = strlen(line);
    if (cut) size = whole_part(line, size);
    line[size] = '\0';
    for (size_t i = 0; i < size;) {
        size_t n = oci_utf8_length(line + i, size - i);
        size_t step = n == 0 ? 1 : n;
        if (n == 0 || is_control((const unsigned char *)line + i, n)) memset(line + i, '?', step);
        i += step;
    }
}
