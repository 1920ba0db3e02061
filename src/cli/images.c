/* Collects the images that a command line names: files, folders walked through, standard input.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "images_int.h"

#include <errno.h>
#include <string.h>

#include "image/image.h"

enum { MAX_DEPTH = 32 }; /* of folders: a loop of links ends there */

oc_status oci_paths_add(oci_paths *paths, const char *path, oc_error *err) {
    OC_TRY(oc_grow(&paths->items, &paths->capacity, paths->count + 1, sizeof *paths->items, err));
    char *copy = oc_strdup(path);
    if (!copy) return oc_fail_nomem(err, strlen(path), "a path");
    paths->items[paths->count++] = copy;
    return OC_OK;
}

void oci_paths_clear(oci_paths *paths) {
    for (size_t i = 0; i < paths->count; i++) oc_free(paths->items[i]);
    oc_free(paths->items);
    *paths = (oci_paths){0};
}

static oc_status walk(oci_paths *paths, const char *folder, int depth, oc_error *err) {
    oc_path_list names = {0};
    OC_TRY(oc_path_list_dir(folder, false, &names, err));
    oc_status status = OC_OK;
    for (size_t i = 0; i < names.count; i++) {
        char path[OC_PATH_BYTES];
        OC_GOTO(oc_path_join(path, folder, names.names[i], err));
        if (oc_path_is_dir(path)) {
            if (depth < MAX_DEPTH) OC_GOTO(walk(paths, path, depth + 1, err));
        } else if (oc_image_is_name(path)) {
            OC_GOTO(oci_paths_add(paths, path, err));
        }
    }
done:
    oc_path_list_free(&names);
    return status;
}

oc_status oci_paths_collect(oci_paths *paths, const char *path, oc_error *err) {
    if (!oc_path_is_dir(path)) return oci_paths_add(paths, path, err);
    size_t before = paths->count;
    OC_TRY(walk(paths, path, 0, err));
    if (paths->count > before) return OC_OK;
    return oc_fail(err, OC_EDATA,
                   "%s: no images in this folder (looked for .jpg .jpeg .png .webp, also in the "
                   "folders below)",
                   path);
}

oc_status oci_read_line(FILE *stream, char line[OC_PATH_BYTES], bool *end, oc_error *err) {
    size_t size = 0;
    int c = getc(stream);
    for (; c != EOF && c != '\n' && c != '\0' && size < OC_PATH_BYTES - 1; c = getc(stream))
        line[size++] = (char)c;
    line[size] = '\0';
    *end = c == EOF;
    if (ferror(stream)) return oc_fail_errno(err, OC_EIO, errno, "reading standard input");
    if (c == EOF || c == '\n' || c == '\0') return OC_OK;
    return oc_fail(err, OC_ELIMIT,
                   "standard input: a line longer than %d bytes is no path: %.40s...",
                   OC_PATH_BYTES - 2, line);
}

oc_status oci_read_stream(FILE *stream, size_t budget, oc_buf *out, oc_error *err) {
    char block[65536];
    size_t got = 0;
    while ((got = fread(block, 1, sizeof block, stream)) > 0) {
        if (out->size + got > budget)
            return oc_fail(err, OC_ELIMIT, "standard input: more than %zu bytes", budget);
        oc_buf_append(out, block, got);
    }
    if (ferror(stream)) return oc_fail_errno(err, OC_EIO, errno, "reading standard input");
    return oc_buf_status(out, err);
}
