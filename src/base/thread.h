/* Threads for work that is not matrix maths (that runs on OpenMP inside an engine): a parallel for
 * over items, and how many cores there are.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_THREAD_H
#define OC_BASE_THREAD_H

#include <stddef.h>

#include "base/compat.h"
#include "base/error.h"

/* Cores this process may use (affinity and cgroup quota respected); at least 1. */
int oc_cpu_count(void);

/* Call work(ctx, i, worker) for i in 0..count-1 on up to `threads` threads (0: oc_cpu_count),
 * handing out indices one by one; worker is 0..threads-1. Returns when all are done. Runs on the
 * caller alone when threads cannot be had. */
void oc_parallel_for(size_t count, int threads, void (*work)(void *ctx, size_t i, int worker),
                     void *ctx);

#endif
