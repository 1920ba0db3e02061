/* The gate to the heap, checked size arithmetic, and pools.
 *
 * The gate's counters are the only mutable globals of the library: tests count allocations and let
 * the n-th fail. They are atomic.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20 };

static _Atomic uint64_t allocations;
static _Atomic uint64_t failures;
static _Atomic uint64_t fail_in; /* allocations until the one that fails; 0 = none */

/* Count one allocation; true when it is the one that has to fail, or beyond what an object can
 * have. */
static bool gate_refuses(size_t bytes) {
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    uint64_t left = atomic_load_explicit(&fail_in, memory_order_relaxed);
    while (left != 0 && !atomic_compare_exchange_weak(&fail_in, &left, left - 1)) {
    }
    return left == 1 || bytes > PTRDIFF_MAX;
}

static void *counted(void *p) {
    if (p == NULL) atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
    return p;
}

uint64_t oc_mem_failures(void) {
    return atomic_load(&failures);
}

uint64_t oc_mem_allocations(void) {
    return atomic_load(&allocations);
}

void oc_mem_fail_at(uint64_t n) {
    atomic_store(&fail_in, n);
}

void *oc_malloc(size_t bytes) {
    return counted(gate_refuses(bytes) ? NULL : malloc(bytes == 0 ? 1 : bytes));
}

void *oc_calloc(size_t count, size_t size) {
    size_t bytes = SIZE_MAX;
    (void)oc_mul_size(count, size, &bytes);
    return counted(gate_refuses(bytes) ? NULL : calloc(1, bytes == 0 ? 1 : bytes));
}

void *oc_realloc(void *p, size_t bytes) {
    return counted(gate_refuses(bytes) ? NULL : realloc(p, bytes == 0 ? 1 : bytes));
}

char *oc_strndup(const char *text, size_t bytes) {
    size_t size = strnlen(text, bytes);
    char *copy = oc_malloc(size + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *oc_strdup(const char *text) {
    return oc_strndup(text, strlen(text));
}

void oc_free(void *p) {
    free(p);
}

void *oc_malloc_aligned(size_t bytes) {
    bool huge = bytes >= HUGE_FROM;
    void *p = NULL;
    if (gate_refuses(bytes) ||
        posix_memalign(&p, huge ? HUGE_PAGE : OC_CACHE_LINE, bytes == 0 ? 1 : bytes) != 0)
        return counted(NULL);
    if (huge) (void)madvise(p, bytes, MADV_HUGEPAGE); /* advice: a refusal costs speed only */
    return p;
}

/* Large ones begin a page; the kernel hands out zeros when such pages are next touched. */
void *oc_calloc_aligned(size_t bytes) {
    char *p = oc_malloc_aligned(bytes);
    if (p == NULL) return NULL;
    size_t whole = bytes >= HUGE_FROM ? bytes / HUGE_PAGE * HUGE_PAGE : 0;
    if (whole > 0 && madvise(p, whole, MADV_DONTNEED) != 0) whole = 0;
    memset(p + whole, 0, bytes - whole);
    return p;
}

void oc_free_aligned(void *p) {
    free(p);
}

oc_status oc_fail_nomem(oc_error *err, size_t bytes, const char *what) {
    return oc_fail(err, OC_ENOMEM, "out of memory: %zu bytes for %s (try a smaller batch or size)",
                   bytes, what);
}

bool oc_mul_size(size_t a, size_t b, size_t *out) {
    if (b != 0 && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

bool oc_add_size(size_t a, size_t b, size_t *out) {
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}

oc_status oc_grow(void *items_pp, size_t *capacity, size_t need, size_t size, oc_error *err) {
    if (need <= *capacity) return OC_OK;
    size_t doubled = *capacity > SIZE_MAX / 2 ? SIZE_MAX : *capacity * 2;
    size_t want = need > doubled ? need : doubled;
    if (want < 8) want = 8;
    size_t bytes = 0;
    if (!oc_mul_size(want, size, &bytes)) return oc_fail_nomem(err, SIZE_MAX, "a growing list");
    void *items = NULL;
    memcpy(&items, items_pp, sizeof items); /* the caller's pointer may be of any object type */
    items = oc_realloc(items, bytes);
    if (items == NULL) return oc_fail_nomem(err, bytes, "a growing list");
    memcpy(items_pp, &items, sizeof items);
    *capacity = want;
    return OC_OK;
}
