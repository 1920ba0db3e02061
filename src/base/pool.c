/* Pool: a list of zeroed chunks, cut from the front, freed together.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/mem.h"

enum { CHUNK_BYTES = 16 << 10, POOL_ALIGN = 16 };

typedef struct chunk {
    struct chunk *next;
    size_t size; /* of bytes[] */
    size_t used;
    _Alignas(POOL_ALIGN) unsigned char bytes[];
} chunk;

struct oc_pool {
    chunk *first; /* the one that is being cut */
};

oc_status oc_pool_new(oc_pool **out, oc_error *err) {
    *out = oc_calloc(1, sizeof **out);
    return *out == NULL ? oc_fail_nomem(err, sizeof **out, "a pool") : OC_OK;
}

void oc_pool_free(oc_pool *pool) {
    if (pool == NULL) return;
    for (chunk *c = pool->first; c != NULL;) {
        chunk *next = c->next;
        oc_free(c);
        c = next;
    }
    oc_free(pool);
}

/* A large piece gets a chunk of its own behind the first, which goes on being cut. */
static chunk *add_chunk(oc_pool *pool, size_t bytes) {
    size_t size = bytes > CHUNK_BYTES / 4 ? bytes : CHUNK_BYTES;
    size_t total = 0;
    if (!oc_add_size(sizeof(chunk), size, &total)) return NULL;
    chunk *c = oc_calloc(1, total);
    if (c == NULL) return NULL;
    c->size = size;
    chunk **link = size == bytes && pool->first != NULL ? &pool->first->next : &pool->first;
    c->next = *link;
    *link = c;
    return c;
}

void *oc_pool_alloc(oc_pool *pool, size_t bytes) {
    size_t padded = 0;
    if (!oc_add_size(bytes == 0 ? 1 : bytes, POOL_ALIGN - 1, &padded)) return NULL;
    padded &= ~(size_t)(POOL_ALIGN - 1);
    chunk *c = pool->first;
    if (c == NULL || c->size - c->used < padded) c = add_chunk(pool, padded);
    if (c == NULL) return NULL;
    void *p = c->bytes + c->used;
    c->used += padded;
    return p;
}

char *oc_pool_strdup(oc_pool *pool, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = oc_pool_alloc(pool, size);
    if (copy != NULL) memcpy(copy, text, size);
    return copy;
}
