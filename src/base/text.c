/* Text: strict numbers, small comparisons, the order of names, quantities for people.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8_int.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int lower(char c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

bool oc_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out) {
    const char *digits = *text == '-' || *text == '+' ? text + 1 : text;
    if (!is_digit(*digits)) return false; /* strtoll would skip leading blanks */
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max) return false;
    *out = value;
    return true;
}

bool oc_parse_f64(const char *text, double min, double max, double *out) {
    if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text)) return false;
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < min || value > max) return false;
    *out = value;
    return true;
}

bool oc_equal_nocase(const char *a, const char *b) {
    while (*a != '\0' && lower(*a) == lower(*b)) a++, b++;
    return lower(*a) == lower(*b);
}

bool oc_starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool oc_ends_with(const char *text, const char *suffix) {
    size_t n = strlen(text), k = strlen(suffix);
    return n >= k && oc_equal_nocase(text + n - k, suffix);
}

bool oc_is_utf8(const char *text, size_t size) {
    for (size_t i = 0; i < size;) {
        size_t n = oci_utf8_length(text + i, size - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

char *oc_trim(char *text) {
    while (is_space(*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && is_space(text[n - 1])) n--;
    text[n] = '\0';
    return text;
}

/* Compare the runs of digits at *a and *b by value and step behind them. */
static int compare_runs(const char **a, const char **b) {
    while (**a == '0') ++*a;
    while (**b == '0') ++*b;
    const char *p = *a, *q = *b;
    while (is_digit(*p)) p++;
    while (is_digit(*q)) q++;
    size_t n = (size_t)(p - *a), m = (size_t)(q - *b);
    int order = n != m ? (n < m ? -1 : 1) : memcmp(*a, *b, n);
    *a = p, *b = q;
    return order;
}

int oc_natural_compare(const char *a, const char *b) {
    const char *p = a, *q = b;
    while (*p != '\0' && *q != '\0') {
        int order;
        if (is_digit(*p) && is_digit(*q)) {
            order = compare_runs(&p, &q);
        } else {
            order = (unsigned char)*p++ - (unsigned char)*q++;
        }
        if (order != 0) return order;
    }
    if (*p != *q) return *p == '\0' ? -1 : 1;
    return strcmp(a, b); /* "a01" and "a1" are equal by value, and still two names */
}

char *oc_format_bytes(char storage[16], uint64_t bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.5 && unit < 6; unit++) value /= 1000;
    int decimals = unit > 0 && value < 9.95 ? 1 : 0;
    (void)snprintf(storage, 16, "%.*f %s", decimals, value, units[unit]);
    return storage;
}

char *oc_format_seconds(char storage[24], double seconds) {
    if (!(seconds >= 0)) seconds = 0;
    if (seconds > 3.6e9) seconds = 3.6e9; /* a million hours */
    if (seconds < 0.9995) {
        (void)snprintf(storage, 24, "%.0f ms", seconds * 1e3);
    } else if (seconds < 59.95) {
        (void)snprintf(storage, 24, "%.1f s", seconds);
    } else if (seconds < 3599.5) {
        unsigned whole = (unsigned)lround(seconds);
        (void)snprintf(storage, 24, "%u min %02u s", whole / 60, whole % 60);
    } else {
        unsigned minutes = (unsigned)lround(seconds / 60);
        (void)snprintf(storage, 24, "%u h %02u min", minutes / 60, minutes % 60);
    }
    return storage;
}
