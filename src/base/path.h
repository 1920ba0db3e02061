/* Files and folders: join, list, read whole with a budget, write so that a crash leaves the old or
 * the new, map.
 *
 * Every message names the path. Paths are bytes; "~/" at the start is expanded from $HOME by
 * oc_path_expand alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_PATH_H
#define OC_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compat.h"
#include "base/error.h"

enum { OC_PATH_BYTES = 4096 };

/* a/b into storage; an absolute b stands alone. OC_ELIMIT when it does not fit. */
OC_MUST_CHECK oc_status oc_path_join(char storage[OC_PATH_BYTES], const char *a, const char *b,
                                     oc_error *err);
OC_MUST_CHECK oc_status oc_path_expand(char storage[OC_PATH_BYTES], const char *path,
                                       oc_error *err);
const char *oc_path_base(const char *path);      /* behind the last '/' */
const char *oc_path_extension(const char *path); /* behind the last '.' of the base, or "" */

bool oc_path_is_dir(const char *path);
bool oc_path_is_file(const char *path); /* regular file, links followed */
bool oc_path_exists(const char *path);

/* mkdir -p. */
OC_MUST_CHECK oc_status oc_path_make_dirs(const char *path, oc_error *err);
/* rm -r, within one folder; a missing path is fine. */
OC_MUST_CHECK oc_status oc_path_remove_tree(const char *path, oc_error *err);

/* Names in a folder in natural order, without "." and ".."; hidden ones (leading dot) only when
 * asked. Free with oc_path_list_free. */
typedef struct oc_path_list {
    char **names;
    size_t count;
} oc_path_list;
OC_MUST_CHECK oc_status oc_path_list_dir(const char *path, bool hidden, oc_path_list *out,
                                         oc_error *err);
void oc_path_list_free(oc_path_list *list);

/* Read a regular file whole, at most `budget` bytes (OC_ELIMIT beyond; OC_EFORMAT for a fifo,
 * device or folder; never blocks on one). *out gets one NUL behind the bytes and belongs to the
 * caller (oc_free). */
OC_MUST_CHECK oc_status oc_file_read(const char *path, size_t budget, char **out, size_t *size,
                                     oc_error *err);
/* As above into storage that the caller keeps between calls: *buffer of *capacity bytes grows as
 * needed. Used on the hot path of the loader. */
OC_MUST_CHECK oc_status oc_file_read_into(const char *path, size_t budget, char **buffer,
                                          size_t *capacity, size_t *size, oc_error *err);

/* Write beside, fsync, rename, fsync the folder: after a crash the path holds the old bytes or the
 * new ones, never a part. */
OC_MUST_CHECK oc_status oc_file_write(const char *path, const void *bytes, size_t size,
                                      oc_error *err);

/* Written in place and not forced to disk: for what a crash may take, since it can be made again.
 */
OC_MUST_CHECK oc_status oc_file_put(const char *path, const void *bytes, size_t size,
                                    oc_error *err);

/* `to` becomes another name of the file `from`, or a copy of it where the file system has no such
 * thing; what was at `to` is replaced as above. */
OC_MUST_CHECK oc_status oc_file_link(const char *from, const char *to, oc_error *err);

/* The same for content that comes in pieces. `_commit` renames; `_free` without commit removes the
 * temporary file. */
typedef struct oc_writer oc_writer;
OC_MUST_CHECK oc_status oc_writer_new(oc_writer **out, const char *path, oc_error *err);
OC_MUST_CHECK oc_status oc_writer_write(oc_writer *w, const void *bytes, size_t size,
                                        oc_error *err);
OC_MUST_CHECK oc_status oc_writer_commit(oc_writer *w, oc_error *err);
void oc_writer_free(oc_writer *w);

/* Read-only map of a whole regular file. */
typedef struct oc_map {
    const uint8_t *data;
    size_t size;
} oc_map;
OC_MUST_CHECK oc_status oc_map_open(oc_map *out, const char *path, oc_error *err);
void oc_map_close(oc_map *map);
/* All of it will be read soon: the disk begins at once. */
void oc_map_read_ahead(const oc_map *map);
/* A part of the map will not be needed soon: its memory may go; reading it again reads the file. */
void oc_map_forget(const oc_map *map, const void *from, size_t size);

#endif
