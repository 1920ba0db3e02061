/* Reading HDF5 in a process apart. On damaged files libhdf5 goes round for ever, reads and writes
 * beside its buffers and forgets memory (1.10, which Debian 12 has); so a child does all of it,
 * with bounded time and memory, and sends plain tensors through a pipe. Whatever happens to the
 * child is an error here that names the file.
 *
 * The caller may have threads: libhdf5 is entered in children only, so that in each it is new and
 * none of its locks is held; beside it a child allocates, which the C library keeps possible
 * behind fork(), and else does plain system calls. No programs are started.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interop/weights/h5_int.h"

enum {
    MAX_TEXT = 1024,           /* of a name or a message */
    SILENCE_MS = 60000,        /* how long a child may say nothing: a slow disk */
    BYTES_A_SECOND = 32 << 20, /* that a child reads at least, of processor time */
    MEMORY_TIMES = 16,         /* of the file: its image, and what is unpacked and converted */
    MEMORY_BEYOND = 256 << 20
};

/* What stands before a name and the values of a tensor, or before the message at the end. Both
 * sides are one program, so that it goes as it lies in memory. */
typedef struct head {
    uint32_t is_end, text_size;
    int32_t status, rank; /* of the end; of a tensor */
    int64_t dim[OC_MAX_RANK];
} head;

/* ---- the child's side -----------------------------------------------------------------------
 */

static bool write_all(int fd, const void *data, size_t size) {
    const char *p = data;
    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

oc_status oci_h5_send_tensor(int fd, const char *name, const oc_shape *shape, const float *values,
                             size_t bytes, oc_error *err) {
    head h = {.text_size = (uint32_t)strlen(name), .rank = shape->rank};
    for (int i = 0; i < shape->rank; i++) h.dim[i] = shape->dim[i];
    if (write_all(fd, &h, sizeof h) && write_all(fd, name, h.text_size) &&
        write_all(fd, values, bytes))
        return OC_OK;
    return oc_fail_errno(err, OC_EIO, errno, "%s: sending a tensor", name);
}

/* Address space that is mapped now; 0 = unknown. */
static uint64_t mapped_bytes(void) {
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0) (void)close(fd);
    long page = sysconf(_SC_PAGESIZE);
    return n > 0 && page > 0 ? strtoull(text, NULL, 10) * (uint64_t)page : 0;
}

static void lower(int which, uint64_t value) {
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value}, now;
    if (getrlimit(which, &now) == 0 && now.rlim_max < limit.rlim_max) limit = now;
    (void)setrlimit(which, &limit);
}

/* A crash is quiet: no handlers of the program, no core, none of the C library's last words. */
static void confine(size_t size) {
    static const int CRASHES[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE};
    uint64_t mapped = mapped_bytes();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (size_t i = 0; i < sizeof CRASHES / sizeof *CRASHES; i++) (void)signal(CRASHES[i], SIG_DFL);
    if (null >= 0) (void)dup2(null, STDERR_FILENO);
    lower(RLIMIT_CORE, 0);
    lower(RLIMIT_FSIZE, 0);
    lower(RLIMIT_CPU, 1 + size / BYTES_A_SECOND);
    if (mapped > 0) lower(RLIMIT_AS, mapped + (uint64_t)size * MEMORY_TIMES + MEMORY_BEYOND);
}

/* Does not return. */
static void be_child(int fd, const char *path, const uint8_t *bytes, size_t size,
                     const char *where) {
    oc_error err = {0};
    confine(size);
    head end = {.is_end = 1, .status = (int32_t)oci_h5_send(fd, path, bytes, size, where, &err)};
    end.text_size = (uint32_t)strlen(err.message);
    _exit(write_all(fd, &end, sizeof end) && write_all(fd, err.message, end.text_size) ? 0 : 1);
}

/* ---- the parent's side ----------------------------------------------------------------------
 */

/* Exactly `size` bytes; false where the child broke off or says nothing. */
static bool read_all(int fd, void *data, size_t size) {
    char *p = data;
    while (size > 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, SILENCE_MS);
        ssize_t n = ready > 0 ? read(fd, p, size) : ready;
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static oc_status broke_off(const char *where, oc_error *err) {
    return oc_fail(err, OC_EFORMAT,
                   "%s: libhdf5 crashed, hung or ran out of memory on it: damaged HDF5: copy it "
                   "again",
                   where);
}

static bool read_text(int fd, const head *h, char text[MAX_TEXT]) {
    if (h->text_size >= MAX_TEXT || !read_all(fd, text, h->text_size)) return false;
    text[h->text_size] = '\0';
    return strlen(text) == h->text_size;
}

static bool shape_of(const head *h, oc_shape *shape) {
    if (h->rank < 0 || h->rank > OC_MAX_RANK) return false;
    shape->rank = h->rank;
    for (int i = 0; i < h->rank; i++) {
        if (h->dim[i] < 0) return false;
        shape->dim[i] = h->dim[i];
    }
    return true;
}

static oc_status take_tensor(oc_tensors *set, int fd, const head *h, uint64_t *left,
                             const char *where, oc_error *err) {
    char name[MAX_TEXT];
    oc_shape shape = {0};
    oc_tensor *made = NULL;
    size_t count = 0, bytes = 0;
    if (!shape_of(h, &shape) || !oc_shape_count(&shape, &count) ||
        !oc_mul_size(count, sizeof(float), &bytes) || bytes > *left || !read_text(fd, h, name))
        return broke_off(where, err);
    *left -= bytes;
    oc_status status = oc_tensors_add(set, name, OC_F32, &shape, &made, err);
    if (status != OC_OK) return oc_error_context(err, status, "%s", where);
    return read_all(fd, made->data, bytes) ? OC_OK : broke_off(where, err);
}

static oc_status take_end(int fd, const head *h, const char *where, oc_error *err) {
    char message[MAX_TEXT];
    if (!read_text(fd, h, message)) return broke_off(where, err);
    if (h->status == OC_OK) return OC_OK;
    if (h->status == OC_ENOMEM) return oc_fail(err, OC_ENOMEM, "%s", message);
    return message[0] != '\0' ? oc_fail(err, OC_EFORMAT, "%s", message) : broke_off(where, err);
}

oc_status oci_h5_take(oc_tensors *set, int fd, size_t size, const char *where, oc_error *err) {
    uint64_t left = (uint64_t)size * OCI_H5_TIMES;
    for (int i = 0; i <= OCI_H5_OBJECTS; i++) {
        head h;
        if (!read_all(fd, &h, sizeof h)) break;
        if (h.is_end) return take_end(fd, &h, where, err);
        OC_TRY(take_tensor(set, fd, &h, &left, where, err));
    }
    return broke_off(where, err);
}

oc_status oci_h5_read(oc_tensors *set, const char *path, const uint8_t *bytes, size_t size,
                      const char *where, oc_error *err) {
    int ends[2];
    if (pipe(ends) != 0) return oc_fail_errno(err, OC_EIO, errno, "%s: a pipe to read by", where);
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        be_child(ends[1], path, bytes, size, where);
    }
    int why = errno;
    oc_status status = OC_OK;
    (void)close(ends[1]);
    if (child < 0) OC_GOTO(oc_fail_errno(err, OC_EIO, why, "%s: a process to read it in", where));
    status = oci_h5_take(set, ends[0], size, where, err);
    (void)kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
done:
    (void)close(ends[0]);
    return status;
}
