/* Which of the page's languages a visitor reads.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/words_int.h"

#include <string.h>

#include "base/base.h"

/* Of "pt-BR" the "pt" is looked for. */
static const oci_language *find(const char *tag, size_t size) {
    char code[4] = "";
    if (size == 0 || size >= sizeof code) return NULL;
    memcpy(code, tag, size);
    for (const oci_language *one = oci_languages; one->code != NULL; one++)
        if (oc_equal_nocase(one->code, code)) return one;
    return NULL;
}

const oci_language *oci_language_of(const char *wanted) {
    const oci_language *found = NULL;
    const char *tag = wanted != NULL ? wanted : "";
    while (*tag != '\0' && found == NULL) {
        tag += strspn(tag, ", \t");
        found = find(tag, strcspn(tag, "-,; \t"));
        tag += strcspn(tag, ",");
    }
    return found != NULL ? found : find("en", 2);
}
