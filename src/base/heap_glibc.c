/* glibc keeps an arena of free memory for each thread, and raises the size from which a block goes
 * back to the system whenever a larger one is freed. For a process that lives on that is memory
 * lost.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>

#include "base/mem.h"

void oc_heap_settle(void) {
    enum { ARENAS = 2, LARGE = 256 << 10 };
    (void)mallopt(M_ARENA_MAX, ARENAS);
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
}
