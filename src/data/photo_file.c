/* The file behind a cache on disk, and how much room there is on disk and in memory.
 *
 *   header (one page) | rows (key, hash of pixels) | pixels of each photo, at planned places
 *
 * Pixels are written before the row that names them, with write(), so that a full disk is an error
 * and not a signal; they are read through a map. What a crash or another program has left behind is
 * found by the hashes. The file has its full length from the start, most of it a hole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "data/photo_cache_int.h"

enum { PAGE = 4096, KEY_BYTES = 8 };

/* In the machine's own byte order: a file from another kind of machine does not match. */
typedef struct header {
    char magic[KEY_BYTES];
    uint64_t digest, count, bytes;
    uint64_t hash; /* of all before */
} header;

static header make_header(uint64_t digest, size_t count, uint64_t bytes) {
    header h = {.magic = {'o', 'c', 'p', 'h', 'o', 't', 'o', '1'}};
    h.digest = digest;
    h.count = count;
    h.bytes = bytes;
    h.hash = oc_hash64(&h, offsetof(header, hash), 0);
    return h;
}

static oc_status write_at(const oci_photo_file *f, uint64_t at, const void *bytes, size_t size,
                          oc_error *err) {
    const char *p = bytes;
    while (size > 0) {
        ssize_t n = pwrite(f->fd, p, size, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return oc_fail_errno(err, OC_EIO, errno, "cannot write %s", f->path);
        p += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return OC_OK;
}

static bool read_at(const oci_photo_file *f, uint64_t at, void *bytes, size_t size) {
    char *p = bytes;
    while (size > 0) {
        ssize_t n = pread(f->fd, p, size, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return true;
}

/* A regular file of our own, not what a link leads to; nobody else's while we have it. */
static oc_status open_locked(oci_photo_file *f, oc_error *err) {
    struct stat st;
    f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (f->fd < 0) return oc_fail_errno(err, OC_EIO, errno, "cannot open %s", f->path);
    if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return oc_fail(err, OC_EIO, "%s: not a regular file; remove it, or choose another folder",
                       f->path);
    if (flock(f->fd, LOCK_EX | LOCK_NB) == 0) return OC_OK;
    if (errno != EWOULDBLOCK) return OC_OK; /* a file system without locks */
    return oc_fail(err, OC_EUSAGE, "%s: another run is using it", f->path);
}

static bool take_over(const oci_photo_file *f, const header *wanted, oci_photo_row *rows) {
    header found;
    struct stat st;
    return fstat(f->fd, &st) == 0 && (uint64_t)st.st_size == f->size &&
           read_at(f, 0, &found, sizeof found) && memcmp(&found, wanted, sizeof found) == 0 &&
           read_at(f, PAGE, rows, (size_t)wanted->count * sizeof *rows);
}

static oc_status begin_anew(const oci_photo_file *f, const header *h, oci_photo_row *rows,
                            oc_error *err) {
    memset(rows, 0, (size_t)h->count * sizeof *rows);
    if (ftruncate(f->fd, 0) != 0 || ftruncate(f->fd, (off_t)f->size) != 0)
        return oc_fail_errno(err, OC_EIO, errno, "cannot make %s %zu bytes long", f->path, f->size);
    return write_at(f, 0, h, sizeof *h, err);
}

oc_status oci_photo_file_open(oci_photo_file *f, const char *path, uint64_t digest, size_t count,
                              uint64_t bytes, oci_photo_row *rows, oc_error *err) {
    header h = make_header(digest, count, bytes);
    size_t table = (count * sizeof *rows + PAGE - 1) / PAGE * PAGE;
    OC_TRY(oc_path_join(f->path, path, "", err));
    f->path[strlen(path)] = '\0';
    f->begin = PAGE + table;
    f->size = (size_t)(f->begin + bytes);
    OC_TRY(open_locked(f, err));
    if (!take_over(f, &h, rows)) OC_TRY(begin_anew(f, &h, rows, err));
    void *map = mmap(NULL, f->size, PROT_READ, MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED) return oc_fail_errno(err, OC_EENV, errno, "cannot map %s", f->path);
    f->map = map;
    return OC_OK;
}

void oci_photo_file_close(oci_photo_file *f, bool remove) {
    if (f->map != NULL) (void)munmap((void *)(uintptr_t)f->map, f->size);
    f->map = NULL;
    if (f->fd < 0) return;
    if (remove) (void)unlink(f->path);
    (void)close(f->fd);
    f->fd = -1;
}

oc_status oci_photo_file_put(oci_photo_file *f, size_t index, const oci_photo_row *row,
                             uint64_t offset, const uint8_t *pixels, size_t bytes, oc_error *err) {
    OC_TRY(write_at(f, f->begin + offset, pixels, bytes, err));
    return write_at(f, PAGE + index * sizeof *row, row, sizeof *row, err);
}

/* ---- room ------------------------------------------------------------------------------------ */

uint64_t oci_disk_room(const char *folder) {
    struct statvfs fs;
    return statvfs(folder, &fs) == 0 ? (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize : 0;
}

/* The number behind `key` in a file of such lines; or, without a key, at its beginning. */
static bool read_number(const char *path, const char *key, uint64_t *out) {
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        size_t skip = strlen(key);
        if (strncmp(line, key, skip) != 0) continue;
        unsigned long long number = 0;
        found = sscanf(line + skip, "%llu", &number) == 1;
        *out = number;
    }
    (void)fclose(file);
    return found;
}

/* What the machine has, and what a job's limit leaves of it (cgroup v2). */
uint64_t oci_memory_room(void) {
    uint64_t room = 0, most = 0, used = 0;
    if (!read_number("/proc/meminfo", "MemAvailable:", &room)) return 0;
    room *= 1024;
    if (read_number("/sys/fs/cgroup/memory.max", "", &most) &&
        read_number("/sys/fs/cgroup/memory.current", "", &used)) {
        uint64_t left = most > used ? most - used : 0;
        room = left < room ? left : room;
    }
    return room;
}
