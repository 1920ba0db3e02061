/* The images that a command line names.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_IMAGES_INT_H
#define OC_CLI_IMAGES_INT_H

#include <stdio.h>

#include "base/base.h"

/* A growing list of paths. All zero is empty and clearable. */
typedef struct oci_paths {
    char **items;
    size_t count, capacity;
} oci_paths;

OC_MUST_CHECK oc_status oci_paths_add(oci_paths *paths, const char *path, oc_error *err);
/* `path` itself, or where it is a folder the images below it in natural order. OC_EDATA for a
 * folder without any. */
OC_MUST_CHECK oc_status oci_paths_collect(oci_paths *paths, const char *path, oc_error *err);
void oci_paths_clear(oci_paths *paths);

/* The next line of `stream`, which a newline or a NUL ends, without its end, or with *end set and
 * nothing in it behind the last. OC_ELIMIT for a line that is longer than a path may be; OC_EIO. */
OC_MUST_CHECK oc_status oci_read_line(FILE *stream, char line[OC_PATH_BYTES], bool *end,
                                      oc_error *err);

/* All of `stream`, at most `budget` bytes (OC_ELIMIT). */
OC_MUST_CHECK oc_status oci_read_stream(FILE *stream, size_t budget, oc_buf *out, oc_error *err);

#endif
