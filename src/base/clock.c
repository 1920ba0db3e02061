/* Time and the peak of memory, asked of the system.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <sys/resource.h>
#include <time.h>

double oc_clock_seconds(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double oc_clock_wall(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

char *oc_clock_utc(char storage[32]) {
    time_t now = time(NULL);
    struct tm parts = {.tm_mday = 1};
    (void)gmtime_r(&now, &parts);
    if (strftime(storage, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) storage[0] = '\0';
    return storage;
}

uint64_t oc_peak_rss_bytes(void) {
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024; /* Linux counts in KiB */
}
