/* Writing files so that a crash leaves the old bytes or the new ones.
 *
 * Bytes go to "<path>.tmp.<pid>" in the same folder; commit forces them to disk, renames, and
 * forces the folder. A path that is there and no regular file (a device, a folder) is refused, for
 * the rename would replace it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

enum { HELD_BYTES = 32 << 10, EAGER_BYTES = 8 << 20 };

struct oc_writer {
    int fd;    /* -1 once closed */
    bool kept; /* committed: nothing to remove */
    size_t held;
    off_t sent; /* bytes of the file so far, less those held */
    char path[OC_PATH_BYTES];
    char temporary[OC_PATH_BYTES];
    char bytes[HELD_BYTES]; /* small pieces on their way */
};

static oc_status name_files(oc_writer *w, const char *path, oc_error *err) {
    if (oc_path_exists(path) && !oc_path_is_file(path)) {
        return oc_fail(err, OC_EUSAGE, "cannot write %s: it is there and no regular file", path);
    }
    OC_TRY(oc_path_join(w->path, "", path, err));
    int n = snprintf(w->temporary, sizeof w->temporary, "%s.tmp.%ld", path, (long)getpid());
    if (n > 0 && n < OC_PATH_BYTES) return OC_OK;
    w->temporary[0] = '\0'; /* cut, it might be the name of a file that is there */
    return oc_fail(err, OC_ELIMIT, "path of %d bytes, at most %d: %.60s...", n, OC_PATH_BYTES - 1,
                   path);
}

oc_status oc_writer_new(oc_writer **out, const char *path, oc_error *err) {
    *out = NULL;
    oc_writer *w = oc_calloc(1, sizeof *w);
    if (w == NULL) return oc_fail_nomem(err, sizeof *w, "a file writer");
    w->fd = -1;
    oc_status status = OC_OK;
    OC_GOTO(name_files(w, path, err));
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        status = oc_fail_errno(err, OC_EIO, errno, "cannot write %s", w->temporary);
        goto done;
    }
    *out = w;
done:
    if (status != OC_OK) oc_writer_free(w);
    return status;
}

static oc_status write_all(int fd, const char *path, const char *bytes, size_t size,
                           oc_error *err) {
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return oc_fail_errno(err, OC_EIO, errno, "cannot write %s", path);
        bytes += n;
        size -= (size_t)n;
    }
    return OC_OK;
}

static oc_status write_held(oc_writer *w, oc_error *err) {
    size_t held = w->held;
    w->held = 0;
    w->sent += (off_t)held;
    return write_all(w->fd, w->path, w->bytes, held, err);
}

/* In parts that the disk begins with while the next is copied; else all would wait for the end. */
static oc_status write_large(oc_writer *w, const char *bytes, size_t size, oc_error *err) {
    while (size > 0) {
        size_t part = size < EAGER_BYTES ? size : EAGER_BYTES;
        OC_TRY(write_all(w->fd, w->path, bytes, part, err));
        (void)posix_fadvise(w->fd, w->sent, (off_t)part, POSIX_FADV_DONTNEED);
        w->sent += (off_t)part;
        bytes += part;
        size -= part;
    }
    return OC_OK;
}

oc_status oc_writer_write(oc_writer *w, const void *bytes, size_t size, oc_error *err) {
    if (size > sizeof w->bytes - w->held) OC_TRY(write_held(w, err));
    if (size > sizeof w->bytes) return write_large(w, bytes, size, err);
    if (size > 0) memcpy(w->bytes + w->held, bytes, size);
    w->held += size;
    return OC_OK;
}

/* Force the folder's entry to disk. Some file systems cannot (EINVAL): the rename stands. */
static oc_status sync_folder(const char *path, oc_error *err) {
    char folder[OC_PATH_BYTES];
    OC_TRY(oc_path_join(folder, "", path, err));
    char *slash = strrchr(folder, '/');
    if (slash == folder) slash++;
    if (slash != NULL) *slash = '\0';
    int fd = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) (void)close(fd);
    if (number == 0 || number == EINVAL || number == EACCES) return OC_OK;
    return oc_fail_errno(err, OC_EIO, number, "cannot sync the folder of %s", path);
}

static oc_status close_synced(oc_writer *w, oc_error *err) {
    int number = fsync(w->fd) != 0 ? errno : 0;
    if (close(w->fd) != 0 && number == 0) number = errno;
    w->fd = -1;
    if (number == 0 || number == EINVAL) return OC_OK;
    return oc_fail_errno(err, OC_EIO, number, "cannot write %s", w->path);
}

oc_status oc_writer_commit(oc_writer *w, oc_error *err) {
    OC_TRY(write_held(w, err));
    OC_TRY(close_synced(w, err));
    if (rename(w->temporary, w->path) != 0) {
        return oc_fail_errno(err, OC_EIO, errno, "cannot rename %s to %s", w->temporary, w->path);
    }
    w->kept = true;
    return sync_folder(w->path, err);
}

void oc_writer_free(oc_writer *w) {
    if (w == NULL) return;
    if (w->fd >= 0) (void)close(w->fd);
    if (!w->kept && w->temporary[0] != '\0') (void)unlink(w->temporary);
    oc_free(w);
}

oc_status oc_file_write(const char *path, const void *bytes, size_t size, oc_error *err) {
    oc_writer *w = NULL;
    OC_TRY(oc_writer_new(&w, path, err));
    oc_status status = OC_OK;
    OC_GOTO(oc_writer_write(w, bytes, size, err));
    OC_GOTO(oc_writer_commit(w, err));
done:
    oc_writer_free(w);
    return status;
}

oc_status oc_file_put(const char *path, const void *bytes, size_t size, oc_error *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0) return oc_fail_errno(err, OC_EIO, errno, "cannot write %s", path);
    oc_status status = write_all(fd, path, bytes, size, err);
    if (close(fd) != 0 && status == OC_OK)
        status = oc_fail_errno(err, OC_EIO, errno, "cannot write %s", path);
    return status;
}

/* ---- another name for a file -------------------------------------------------------------------
 */

static oc_status copy_file(const char *from, const char *to, oc_error *err) {
    oc_map map;
    OC_TRY(oc_map_open(&map, from, err));
    oc_status status = oc_file_write(to, map.data, map.size, err);
    oc_map_close(&map);
    return status;
}

/* Where both names are one file already, rename leaves the temporary one. */
oc_status oc_file_link(const char *from, const char *to, oc_error *err) {
    oc_writer names = {.fd = -1};
    OC_TRY(name_files(&names, to, err));
    (void)unlink(names.temporary);
    if (link(from, names.temporary) != 0) return copy_file(from, to, err);
    if (rename(names.temporary, to) != 0) {
        int number = errno;
        (void)unlink(names.temporary);
        return oc_fail_errno(err, OC_EIO, number, "cannot rename %s to %s", names.temporary, to);
    }
    (void)unlink(names.temporary);
    return sync_folder(to, err);
}
