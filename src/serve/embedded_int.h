/* Files that are part of the program: the web page (web/dist) and the description of the API. The
 * build makes the tables (cmake/embed.cmake). Private to `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_EMBEDDED_INT_H
#define OC_SERVE_EMBEDDED_INT_H

#include <stddef.h>

typedef struct oci_embedded {
    const char *path;           /* "/assets/index.js"; NULL in the last row */
    const char *tag;            /* hexadecimal digits that change with the bytes */
    const unsigned char *bytes; /* (size) */
    size_t size;
    const unsigned char *packed; /* (packed_size), gzip; or NULL */
    size_t packed_size;
} oci_embedded;

extern const oci_embedded oci_embedded_page[]; /* none where the tree has no web/dist */
extern const oci_embedded oci_embedded_api[];  /* "/openapi.json" */

/* "/" is index.html; NULL where the page has no such file. */
const oci_embedded *oci_page_find(const char *path);
/* The path of the page's style sheet, or NULL. */
const char *oci_page_stylesheet(void);

#endif
