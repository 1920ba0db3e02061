/* Paths and folders: join, expand, ask, make, remove, list.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path_int.h"
#include "base/text.h"

oc_status oci_open_status(int number) {
    if (number == ENOENT || number == ENOTDIR) return OC_ENOTFOUND;
    return number == ENXIO ? OC_EFORMAT : OC_EIO; /* ENXIO: a socket */
}

oc_status oc_path_join(char storage[OC_PATH_BYTES], const char *a, const char *b, oc_error *err) {
    size_t n = strlen(a);
    bool alone = *b == '/' || n == 0;
    const char *slash = alone || *b == '\0' || a[n - 1] == '/' ? "" : "/";
    int size = snprintf(storage, OC_PATH_BYTES, "%s%s%s", alone ? "" : a, slash, b);
    if (size >= 0 && size < OC_PATH_BYTES) return OC_OK;
    return oc_fail(err, OC_ELIMIT, "path of %d bytes, at most %d: %.60s... and %.60s...", size,
                   OC_PATH_BYTES - 1, a, b);
}

oc_status oc_path_expand(char storage[OC_PATH_BYTES], const char *path, oc_error *err) {
    bool at_home = strcmp(path, "~") == 0 || oc_starts_with(path, "~/");
    if (!at_home) return oc_path_join(storage, "", path, err);
    const char *home = getenv("HOME");
    if (home == NULL || *home == '\0') {
        return oc_fail(err, OC_EENV, "%s: HOME is not set (write the path out)", path);
    }
    return oc_path_join(storage, home, path[1] == '\0' ? "" : path + 2, err);
}

const char *oc_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

const char *oc_path_extension(const char *path) {
    const char *base = oc_path_base(path);
    const char *dot = strrchr(base, '.');
    return dot == NULL || dot == base ? "" : dot + 1;
}

bool oc_path_is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool oc_path_is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool oc_path_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

static oc_status make_dir(const char *path, oc_error *err) {
    if (mkdir(path, 0777) == 0) return OC_OK;
    int number = errno;
    if (number == EEXIST && oc_path_is_dir(path)) return OC_OK;
    return oc_fail_errno(err, OC_EIO, number, "cannot make the folder %s", path);
}

oc_status oc_path_make_dirs(const char *path, oc_error *err) {
    char part[OC_PATH_BYTES];
    OC_TRY(oc_path_join(part, "", path, err));
    for (char *slash = strchr(part + 1, '/'); *part != '\0' && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        OC_TRY(make_dir(part, err));
        *slash = '/';
    }
    return make_dir(part, err);
}

static bool is_dot_name(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Add a copy of name to the list. */
static oc_status list_add(oc_path_list *list, size_t *capacity, const char *name, oc_error *err) {
    OC_TRY(oc_grow(&list->names, capacity, list->count + 1, sizeof *list->names, err));
    char *copy = oc_strdup(name);
    if (copy == NULL) return oc_fail_nomem(err, strlen(name) + 1, "a list of names");
    list->names[list->count++] = copy;
    return OC_OK;
}

static int by_name(const void *a, const void *b) {
    return oc_natural_compare(*(char *const *)a, *(char *const *)b);
}

oc_status oc_path_list_dir(const char *path, bool hidden, oc_path_list *out, oc_error *err) {
    *out = (oc_path_list){0};
    DIR *dir = opendir(path);
    int number = errno;
    if (dir == NULL) {
        return oc_fail_errno(err, oci_open_status(number), number, "cannot list %s", path);
    }
    oc_status status = OC_OK;
    size_t capacity = 0;
    for (errno = 0;; errno = 0) {
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) break;
        if (is_dot_name(entry->d_name) || (*entry->d_name == '.' && !hidden)) continue;
        OC_GOTO(list_add(out, &capacity, entry->d_name, err));
    }
    if (errno != 0) status = oc_fail_errno(err, OC_EIO, errno, "cannot list %s", path);
    if (out->count > 1) qsort(out->names, out->count, sizeof *out->names, by_name);
done:
    (void)closedir(dir);
    if (status != OC_OK) oc_path_list_free(out);
    return status;
}

void oc_path_list_free(oc_path_list *list) {
    for (size_t i = 0; i < list->count; i++) oc_free(list->names[i]);
    oc_free(list->names);
    *list = (oc_path_list){0};
}
