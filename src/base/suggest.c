/* "did you mean": the nearest candidate by edit distance.
 *
 * Damerau-Levenshtein in its optimal-string-alignment form: insert, delete, replace and swap of
 * neighbours cost one each. Three rows of the table are kept.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/text.h"

enum { LONGEST = 63 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Words longer than LONGEST are as far as can be. */
static size_t edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return SIZE_MAX;
    size_t rows[3][LONGEST + 1] = {{0}};
    for (size_t j = 0; j <= m; j++) rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = smaller(replaced, 1 + smaller(above[j], row[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *oc_suggest_within(const char *word, const char *const *candidates, size_t count,
                              size_t limit) {
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, candidates[i]);
        if (distance > limit || distance >= strlen(candidates[i])) continue;
        if (best == NULL || distance < limit) {
            best = candidates[i];
            limit = distance;
        }
    }
    return best;
}

const char *oc_suggest(const char *word, const char *const *candidates, size_t count) {
    return oc_suggest_within(word, candidates, count, 1 + strlen(word) / 4); /* a slip */
}
