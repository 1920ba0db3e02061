/* The named set of tensors.
 *
 * Entries live in a pool, so that pointers to them stay valid while the list grows; an open-address
 * table of list positions finds them by name. Invariant: the table is at most half full.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tensor/tensor.h"

typedef struct entry {
    oc_tensor tensor;
    const char *name;
    uint64_t hash;
    bool owned; /* tensor.data is ours */
} entry;

struct oc_tensors {
    oc_pool *pool;
    entry **entries; /* in insertion order */
    size_t count, capacity;
    uint32_t *slots;   /* position + 1, 0 = free */
    size_t slot_count; /* a power of two, or 0 */
};

oc_status oc_tensors_new(oc_tensors **out, oc_error *err) {
    *out = NULL;
    oc_tensors *set = oc_calloc(1, sizeof *set);
    if (set == NULL) return oc_fail_nomem(err, sizeof *set, "a set of tensors");
    oc_status status = oc_pool_new(&set->pool, err);
    if (status == OC_OK) {
        *out = set;
    } else {
        oc_free(set);
    }
    return status;
}

void oc_tensors_free(oc_tensors *set) {
    if (set == NULL) return;
    for (size_t i = 0; i < set->count; i++) {
        if (set->entries[i]->owned) oc_free_aligned(set->entries[i]->tensor.data);
    }
    oc_free(set->entries);
    oc_free(set->slots);
    oc_pool_free(set->pool);
    oc_free(set);
}

static void put_slot(oc_tensors *set, size_t position) {
    size_t mask = set->slot_count - 1;
    size_t i = (size_t)set->entries[position]->hash & mask;
    while (set->slots[i] != 0) i = (i + 1) & mask;
    set->slots[i] = (uint32_t)position + 1;
}

/* Room in the table for one more than there are. */
static oc_status grow_slots(oc_tensors *set, oc_error *err) {
    if ((set->count + 1) * 2 <= set->slot_count) return OC_OK;
    size_t slot_count = set->slot_count == 0 ? 64 : set->slot_count * 2;
    uint32_t *slots = oc_calloc(slot_count, sizeof *slots);
    if (slots == NULL) return oc_fail_nomem(err, slot_count * sizeof *slots, "a set of tensors");
    oc_free(set->slots);
    set->slots = slots;
    set->slot_count = slot_count;
    for (size_t i = 0; i < set->count; i++) put_slot(set, i);
    return OC_OK;
}

static entry *find_entry(const oc_tensors *set, const char *name, uint64_t hash) {
    if (set->slot_count == 0) return NULL;
    size_t mask = set->slot_count - 1;
    for (size_t i = (size_t)hash & mask; set->slots[i] != 0; i = (i + 1) & mask) {
        entry *e = set->entries[set->slots[i] - 1];
        if (e->hash == hash && strcmp(e->name, name) == 0) return e;
    }
    return NULL;
}

static uint64_t hash_of(const char *name) {
    return oc_hash64(name, strlen(name), 0);
}

/* Bytes of a tensor whose shape may come from outside. */
static oc_status checked_bytes(const char *name, const oc_tensor *t, size_t *bytes, oc_error *err) {
    char text[OC_SHAPE_TEXT];
    size_t count = 0;
    if (oc_shape_count(&t->shape, &count) && oc_mul_size(count, oc_dtype_bytes(t->dtype), bytes)) {
        return OC_OK;
    }
    return oc_fail(err, OC_EFORMAT, "tensor %s: impossible shape %s (rank %d, at most %d)", name,
                   oc_shape_text(text, &t->shape), t->shape.rank, OC_MAX_RANK);
}

/* A new entry at the end of the list, with *view's type, shape and data. */
static oc_status append(oc_tensors *set, const char *name, const oc_tensor *view, entry **out,
                        oc_error *err) {
    uint64_t hash = hash_of(name);
    if (find_entry(set, name, hash) != NULL) {
        return oc_fail(err, OC_EFORMAT, "tensor %s is there twice", name);
    }
    if (set->count >= UINT32_MAX - 1) {
        return oc_fail(err, OC_ELIMIT, "tensor %s: more than %u tensors", name, UINT32_MAX - 1);
    }
    OC_TRY(oc_grow(&set->entries, &set->capacity, set->count + 1, sizeof(entry *), err));
    OC_TRY(grow_slots(set, err));
    entry *e = oc_pool_alloc(set->pool, sizeof *e);
    char *copy = e == NULL ? NULL : oc_pool_strdup(set->pool, name);
    if (copy == NULL) return oc_fail_nomem(err, sizeof *e + strlen(name) + 1, name);
    *e = (entry){.tensor = *view, .name = copy, .hash = hash};
    set->entries[set->count] = e;
    put_slot(set, set->count++);
    *out = e;
    return OC_OK;
}

oc_status oc_tensors_add(oc_tensors *set, const char *name, oc_dtype dtype, const oc_shape *shape,
                         oc_tensor **out, oc_error *err) {
    oc_tensor made = {.dtype = dtype, .shape = *shape};
    size_t bytes = 0;
    entry *e = NULL;
    if (out != NULL) *out = NULL;
    OC_TRY(checked_bytes(name, &made, &bytes, err));
    made.data = oc_calloc_aligned(bytes);
    if (made.data == NULL) return oc_fail_nomem(err, bytes, name);
    oc_status status = append(set, name, &made, &e, err);
    if (status != OC_OK) {
        oc_free_aligned(made.data);
        return status;
    }
    e->owned = true;
    if (out != NULL) *out = &e->tensor;
    return OC_OK;
}

oc_status oc_tensors_add_view(oc_tensors *set, const char *name, const oc_tensor *view,
                              oc_error *err) {
    size_t bytes = 0;
    entry *e = NULL;
    OC_TRY(checked_bytes(name, view, &bytes, err));
    return append(set, name, view, &e, err);
}

oc_status oc_tensors_point(oc_tensors *set, const char *name, void *data, oc_error *err) {
    entry *e = find_entry(set, name, hash_of(name));
    if (e == NULL) return oc_fail(err, OC_ENOTFOUND, "tensor %s is not in the set", name);
    if (e->owned && e->tensor.data != data) oc_free_aligned(e->tensor.data);
    e->owned = e->owned && e->tensor.data == data;
    e->tensor.data = data;
    return OC_OK;
}

bool oc_tensors_all_owned(const oc_tensors *set) {
    for (size_t i = 0; i < set->count; i++)
        if (!set->entries[i]->owned) return false;
    return true;
}

oc_status oc_tensors_own(oc_tensors *set, oc_error *err) {
    for (size_t i = 0; i < set->count; i++) {
        entry *e = set->entries[i];
        size_t bytes = oc_tensor_bytes(&e->tensor);
        if (e->owned) continue;
        void *copy = oc_malloc_aligned(bytes);
        if (copy == NULL) return oc_fail_nomem(err, bytes, e->name);
        if (bytes > 0) memcpy(copy, e->tensor.data, bytes);
        e->tensor.data = copy;
        e->owned = true;
    }
    return OC_OK;
}

size_t oc_tensors_count(const oc_tensors *set) {
    return set->count;
}

const char *oc_tensors_name(const oc_tensors *set, size_t i) {
    OC_PROMISE(i < set->count);
    return set->entries[i]->name;
}

oc_tensor *oc_tensors_at(const oc_tensors *set, size_t i) {
    OC_PROMISE(i < set->count);
    return &set->entries[i]->tensor;
}

oc_tensor *oc_tensors_find(const oc_tensors *set, const char *name) {
    entry *e = find_entry(set, name, hash_of(name));
    return e == NULL ? NULL : &e->tensor;
}
