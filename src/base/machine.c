/* How much memory is to be had: what the kernel says is available, and what the limits of our
 * control groups (version 2) leave.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine_int.h"
#include "base/mem.h"

enum { GROUP_BYTES = 1024, LINE_BYTES = 256 };

/* The number behind the line's first word, where that is `key`. */
static bool take_number(const char *line, const char *key, uint64_t *out) {
    size_t length = strlen(key);
    char *end = NULL;
    if (strncmp(line, key, length) != 0) return false;
    uint64_t value = strtoull(line + length, &end, 10);
    if (end == line + length) return false;
    *out = value;
    return true;
}

/* The same of the first such line of a file; false where there is none. */
static bool number_in(const char *path, const char *key, uint64_t *out) {
    char line[LINE_BYTES];
    FILE *file = fopen(path, "re");
    bool found = false;
    if (file == NULL) return false;
    while (!found && fgets(line, sizeof line, file) != NULL) found = take_number(line, key, out);
    (void)fclose(file);
    return found;
}

uint64_t oci_group_free(uint64_t most, uint64_t used, uint64_t cached) {
    uint64_t held = used > cached ? used - cached : 0;
    return most > held ? most - held : 0;
}

/* What the limit of the group in `folder` leaves; UINT64_MAX where it has none. Cached files give
 * way. */
static uint64_t free_in_group(const char *folder) {
    char path[GROUP_BYTES + 64];
    uint64_t most = 0, used = 0, cached = 0;
    (void)snprintf(path, sizeof path, "%s/memory.max", folder);
    if (!number_in(path, "", &most)) return UINT64_MAX;
    (void)snprintf(path, sizeof path, "%s/memory.current", folder);
    if (!number_in(path, "", &used)) return UINT64_MAX;
    (void)snprintf(path, sizeof path, "%s/memory.stat", folder);
    (void)number_in(path, "file ", &cached);
    return oci_group_free(most, used, cached);
}

/* Of our group and each one above it. */
static uint64_t free_in_groups(void) {
    char line[GROUP_BYTES] = "", folder[GROUP_BYTES + 32];
    uint64_t least = UINT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool got = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL) (void)fclose(file);
    if (!got || strncmp(line, "0::/", 4) != 0) return least;
    char *group = line + 3;
    group[strcspn(group, "\n")] = '\0';
    for (char *slash = group + strlen(group); slash != NULL; slash = strrchr(group, '/')) {
        *slash = '\0';
        (void)snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", group);
        uint64_t here = free_in_group(folder);
        if (here < least) least = here;
    }
    return least;
}

uint64_t oc_free_memory(void) {
    uint64_t available = 0, swap = 0;
    if (!number_in("/proc/meminfo", "MemAvailable:", &available)) return 0;
    (void)number_in("/proc/meminfo", "SwapFree:", &swap);
    uint64_t machine = (available + swap) * 1024, groups = free_in_groups();
    return machine < groups ? machine : groups;
}
