/* The one gate to the heap. Everything above `base` allocates here, so that a test can count
 * allocations and let the n-th one fail.
 *
 * Threads: all functions may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_MEM_H
#define OC_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compat.h"
#include "base/error.h"

/* NULL when memory is out or count*size overflows. Zero sizes give a valid, freeable pointer. */
void *oc_malloc(size_t bytes);
void *oc_calloc(size_t count, size_t size);
void *oc_realloc(void *p, size_t bytes);
char *oc_strdup(const char *text);
char *oc_strndup(const char *text, size_t bytes);
void oc_free(void *p);

/* Aligned to OC_CACHE_LINE (2 MiB and transparent huge pages from 4 MiB on); contents undefined.
 * Free with oc_free_aligned. */
void *oc_malloc_aligned(size_t bytes);
void *oc_calloc_aligned(size_t bytes); /* zeroed; large ones take memory only where written to */
void oc_free_aligned(void *p);

/* Fill err with OC_ENOMEM naming `what` and the bytes asked for. */
oc_status oc_fail_nomem(oc_error *err, size_t bytes, const char *what);

/* Checked arithmetic for sizes that come from outside: false on overflow, *out untouched. */
bool oc_mul_size(size_t a, size_t b, size_t *out);
bool oc_add_size(size_t a, size_t b, size_t *out);

/* Grow *items (element size `size`) so that `need` elements fit; doubles. On failure nothing
 * changes. */
OC_MUST_CHECK oc_status oc_grow(void *items_pp, size_t *capacity, size_t need, size_t size,
                                oc_error *err);

/* Pool: many small allocations, one free. For things that live as long as a model or a request. */
typedef struct oc_pool oc_pool;
OC_MUST_CHECK oc_status oc_pool_new(oc_pool **out, oc_error *err);
void oc_pool_free(oc_pool *pool);                      /* NULL is fine */
void *oc_pool_alloc(oc_pool *pool, size_t bytes);      /* zeroed, 16-byte aligned, or NULL */
char *oc_pool_strdup(oc_pool *pool, const char *text); /* or NULL */

/* Bytes that this process may still take: free, cached or swap, within the limits of its control
 * groups; 0 = unknown. */
uint64_t oc_free_memory(void);

/* Allocations that failed so far in the process: for libraries that allocate here and do not tell a
 * failure from a bad file. */
uint64_t oc_mem_failures(void);

/* For a process that lives on, before its threads begin: what is freed goes back to the system
 * rather than into a store of each thread. */
void oc_heap_settle(void);

/* For tests only. Allocations so far in the process; and: the n-th allocation from now (1 = the
 * next) fails, once; 0 disarms. These counters are the gate's own state, and atomic. */
uint64_t oc_mem_allocations(void);
void oc_mem_fail_at(uint64_t n);

#endif
