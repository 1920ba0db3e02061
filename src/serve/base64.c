/* Base64 (RFC 4648, section 4), read strictly.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/base64_int.h"

/* The six bits of a digit, or -1. */
static int value_of(char digit) {
    if (digit >= 'A' && digit <= 'Z') return digit - 'A';
    if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9') return digit - '0' + 52;
    if (digit == '+') return 62;
    return digit == '/' ? 63 : -1;
}

/* Four digits, the last `padding` of them '=', to 3 - padding bytes. */
static bool read_group(const char *group, size_t padding, unsigned char *out) {
    unsigned bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? value_of(group[i]) : 0;
        if (value < 0) return false;
        bits = bits << 6 | (unsigned)value;
    }
    const unsigned left_over = (1u << (8 * padding)) - 1;
    for (size_t i = 0; i < 3 - padding; i++) out[i] = (unsigned char)(bits >> (16 - 8 * i));
    return (bits & left_over) == 0;
}

bool oci_base64_decode(const char *text, size_t size, void *out, size_t *bytes) {
    unsigned char *at = out;
    size_t padding = 0;
    if (size % 4 != 0) return false;
    while (size > 0 && padding < 2 && text[size - 1 - padding] == '=') padding++;
    for (size_t i = 0; i < size; i += 4) {
        size_t here = i + 4 == size ? padding : 0;
        if (!read_group(text + i, here, at)) return false;
        at += 3 - here;
    }
    *bytes = (size_t)(at - (unsigned char *)out);
    return true;
}
