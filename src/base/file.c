/* Reading files whole, and mapping them.
 *
 * A path from outside may be a fifo, a device or a folder: files are opened without blocking and
 * looked at before the first read.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/path_int.h"

static const char *kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a fifo";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

/* Open a regular file for reading; *fd and *size are set on success only. */
static oc_status open_regular(const char *path, int *fd, size_t *size, oc_error *err) {
    int opened = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0) {
        int number = errno;
        return oc_fail_errno(err, oci_open_status(number), number, "cannot open %s", path);
    }
    struct stat st;
    oc_status status = OC_OK;
    if (fstat(opened, &st) != 0) {
        status = oc_fail_errno(err, OC_EIO, errno, "cannot open %s", path);
    } else if (!S_ISREG(st.st_mode)) {
        status =
            oc_fail(err, OC_EFORMAT, "%s is %s, not a regular file", path, kind_of(st.st_mode));
    }
    if (status != OC_OK) {
        (void)close(opened);
        return status;
    }
    *fd = opened;
    *size = (size_t)st.st_size;
    return OC_OK;
}

static oc_status too_large(const char *path, size_t found, size_t budget, oc_error *err) {
    return oc_fail(err, OC_ELIMIT, "%s has %zu bytes or more, at most %zu are read", path, found,
                   budget);
}

/* Read to the end of the file; it may have grown or shrunk since its size was asked. */
static oc_status read_all(int fd, const char *path, size_t budget, char **buffer, size_t *capacity,
                          size_t *size, oc_error *err) {
    size_t n = 0;
    for (;;) {
        if (n > budget) return too_large(path, n, budget, err);
        OC_TRY(oc_grow(buffer, capacity, n + 2, 1, err));
        ssize_t got = read(fd, *buffer + n, *capacity - 1 - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return oc_fail_errno(err, OC_EIO, errno, "cannot read %s", path);
        if (got == 0) break;
        n += (size_t)got;
    }
    (*buffer)[n] = '\0';
    *size = n;
    return OC_OK;
}

oc_status oc_file_read_into(const char *path, size_t budget, char **buffer, size_t *capacity,
                            size_t *size, oc_error *err) {
    int fd = -1;
    size_t expected = 0;
    *size = 0;
    OC_TRY(open_regular(path, &fd, &expected, err));
    oc_status status = OC_OK;
    if (expected > budget) {
        status = too_large(path, expected, budget, err);
        goto done;
    }
    OC_GOTO(oc_grow(buffer, capacity, expected + 2, 1, err));
    status = read_all(fd, path, budget, buffer, capacity, size, err);
done:
    (void)close(fd);
    return status;
}

oc_status oc_file_read(const char *path, size_t budget, char **out, size_t *size, oc_error *err) {
    size_t capacity = 0;
    *out = NULL;
    oc_status status = oc_file_read_into(path, budget, out, &capacity, size, err);
    if (status != OC_OK) {
        oc_free(*out);
        *out = NULL;
    }
    return status;
}

oc_status oc_map_open(oc_map *out, const char *path, oc_error *err) {
    static const uint8_t nothing[1] = {0}; /* an empty file cannot be mapped */
    int fd = -1;
    size_t size = 0;
    *out = (oc_map){0};
    OC_TRY(open_regular(path, &fd, &size, err));
    void *data = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    int number = errno;
    (void)close(fd);
    if (data == MAP_FAILED) return oc_fail_errno(err, OC_EIO, number, "cannot map %s", path);
    *out = (oc_map){.data = size == 0 ? nothing : data, .size = size};
    return OC_OK;
}

void oc_map_read_ahead(const oc_map *map) {
    if (map->size == 0) return;
    (void)posix_madvise((void *)(uintptr_t)map->data, map->size, POSIX_MADV_WILLNEED);
}

/* Whole pages alone: what shares a page with a neighbour stays. */
void oc_map_forget(const oc_map *map, const void *from, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)from + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)from + size) / page * page;
    bool within = first >= (uintptr_t)map->data && end <= (uintptr_t)map->data + map->size;
    if (within && first < end) (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void oc_map_close(oc_map *map) {
    if (map->size > 0) (void)munmap((void *)(uintptr_t)map->data, map->size);
    *map = (oc_map){0};
}
