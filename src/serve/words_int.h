/* The page's words in its languages, for what the server itself writes as a page (names_page.c).
 * The texts are those of web/src/words/catalogue.json: cmake/words.cmake reads the keys below and
 * makes the table. Private to `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_WORDS_INT_H
#define OC_SERVE_WORDS_INT_H

/* clang-format off */
#define OCI_WORD_MAP(X)                    \
    X(FAILED, "find.failed")               \
    X(NEXT, "find.next")                   \
    X(PHOTO, "find.photo") /* with {n} */  \
    X(UNKNOWN, "find.unknown")             \
    X(UNKNOWN_HINT, "find.unknownHint")    \
    X(ALMOST, "sure.almost")               \
    X(LIKELY, "sure.likely")               \
    X(POSSIBLE, "sure.possible")           \
    X(UNSURE, "sure.unsure")               \
    X(UNLIKELY, "sure.unlikely")
/* clang-format on */

typedef enum {
#define X(name, key) OCI_WORD_##name,
    OCI_WORD_MAP(X)
#undef X
        OCI_WORDS
} oci_word;

typedef struct oci_language {
    const char *code; /* "ar"; NULL in the last row */
    const char *dir;  /* "ltr" or "rtl" */
    const char *words[OCI_WORDS];
} oci_language;

extern const oci_language oci_languages[];

/* The first language that is there of a list as Accept-Language has it ("pt-BR, en;q=0.5": its
 * order counts, its weights do not); English where none is, or wanted is NULL. */
const oci_language *oci_language_of(const char *wanted);

#endif
