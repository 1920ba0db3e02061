/* How many cores there are for us, and a parallel for.
 *
 * The C library shows CPU sets only to those who ask for its own extensions.
 * SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread_int.h"

enum { MAX_THREADS = 256, CPU_SETS = 16 }; /* 16 sets of 1024 CPUs */

static int cpus_by_affinity(void) {
    cpu_set_t sets[CPU_SETS];
    memset(sets, 0, sizeof sets);
    if (sched_getaffinity(0, sizeof sets, sets) != 0) return 1;
    int n = CPU_COUNT_S(sizeof sets, sets);
    return n < 1 ? 1 : n;
}

int oci_cpus_by_quota(const char *cpu_max) {
    long long quota = 0, period = 0;
    char *end = NULL;
    quota = strtoll(cpu_max, &end, 10); /* "max 100000" where there is no quota */
    if (end == cpu_max || quota <= 0) return 0;
    period = strtoll(end, NULL, 10);
    if (period <= 0) return 0;
    long long cpus = quota / period + (quota % period != 0);
    return cpus > MAX_THREADS ? 0 : (int)cpus;
}

/* The first bytes of a small system file; false where there is none. */
static bool read_line(const char *path, char *line, size_t size) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    bool got = fgets(line, (int)size, file) != NULL;
    (void)fclose(file);
    return got;
}

static int smaller_quota(int cpus, int quota) {
    return quota > 0 && quota < cpus ? quota : cpus;
}

/* The quota of our control group and of each one above it (cgroup v2). */
static int cpus_by_cgroup(int cpus) {
    enum { GROUP_BYTES = 1024 };
    char line[GROUP_BYTES], path[GROUP_BYTES + 64], value[64];
    if (!read_line("/proc/self/cgroup", line, sizeof line)) return cpus;
    if (strncmp(line, "0::/", 4) != 0) return cpus;
    char *group = line + 3;
    group[strcspn(group, "\n")] = '\0';
    for (char *slash = group + strlen(group); slash != NULL; slash = strrchr(group, '/')) {
        *slash = '\0';
        (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
        if (read_line(path, value, sizeof value)) {
            cpus = smaller_quota(cpus, oci_cpus_by_quota(value));
        }
    }
    return cpus;
}

int oc_cpu_count(void) {
    return cpus_by_cgroup(cpus_by_affinity());
}

typedef struct shared_work {
    void (*work)(void *ctx, size_t i, int worker);
    void *ctx;
    size_t count;
    _Atomic size_t next;
} shared_work;

typedef struct worker_args {
    shared_work *shared;
    int worker;
} worker_args;

static void *run_worker(void *arg) {
    const worker_args *args = arg;
    shared_work *s = args->shared;
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->count;) {
        s->work(s->ctx, i, args->worker);
    }
    return NULL;
}

void oc_parallel_for(size_t count, int threads, void (*work)(void *ctx, size_t i, int worker),
                     void *ctx) {
    shared_work shared = {.work = work, .ctx = ctx, .count = count};
    worker_args args[MAX_THREADS];
    pthread_t helper[MAX_THREADS];
    if (threads <= 0) threads = oc_cpu_count();
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if ((size_t)threads > count) threads = (int)count;
    int helpers = 0;
    for (; helpers < threads - 1; helpers++) {
        args[helpers] = (worker_args){&shared, helpers + 1};
        if (pthread_create(&helper[helpers], NULL, run_worker, &args[helpers]) != 0) break;
    }
    worker_args own = {&shared, 0};
    (void)run_worker(&own);
    for (int i = 0; i < helpers; i++) (void)pthread_join(helper[i], NULL);
}
