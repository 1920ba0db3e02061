/* rm -r: a folder and what is in it.
 *
 * Works from open folders (openat, unlinkat) and never follows a link, so that nothing outside the
 * tree can be reached, even when somebody changes it meanwhile.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

enum { DEEPEST = 64 };

/* errno-style results: 0, or what went wrong first. */
static int empty_folder(int parent, const char *name, int depth);

static int remove_entry(int folder, const char *name, int depth) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return errno;
    int number = empty_folder(folder, name, depth + 1);
    if (number != 0) return number;
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

static int empty_folder(int parent, const char *name, int depth) {
    if (depth > DEEPEST) return ELOOP;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int number = errno;
        (void)close(fd);
        return number;
    }
    int number = 0;
    for (const struct dirent *entry; number == 0 && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        number = remove_entry(fd, entry->d_name, depth);
    }
    (void)closedir(dir); /* closes fd too */
    return number;
}

oc_status oc_path_remove_tree(const char *path, oc_error *err) {
    int number = remove_entry(AT_FDCWD, path, 0);
    if (number == 0) return OC_OK;
    return oc_fail_errno(err, OC_EIO, number, "cannot remove %s", path);
}
