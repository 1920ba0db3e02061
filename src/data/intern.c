/* Texts to dense numbers: a pool of copies and an open-addressed table of their hashes.
 *
 * Invariant: at most half of the slots are taken, so that a probe always ends.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "data/data_int.h"

enum { FIRST_SLOTS = 64 };

void oci_intern_clear(oci_intern *t) {
    oc_pool_free(t->pool);
    oc_free(t->text);
    oc_free(t->slot);
    *t = (oci_intern){0};
}

/* The slot that holds text, or the free one where it belongs. */
static size_t probe(const oci_intern *t, const char *text) {
    size_t at = (size_t)oc_hash64(text, strlen(text), 0) & (t->slots - 1);
    while (t->slot[at] != 0 && strcmp(t->text[t->slot[at] - 1], text) != 0) {
        at = (at + 1) & (t->slots - 1);
    }
    return at;
}

bool oci_intern_find(const oci_intern *t, const char *text, uint32_t *number) {
    if (t->slots == 0) return false;
    size_t at = probe(t, text);
    if (t->slot[at] == 0) return false;
    *number = t->slot[at] - 1;
    return true;
}

static oc_status widen(oci_intern *t, oc_error *err) {
    size_t slots = t->slots == 0 ? FIRST_SLOTS : t->slots * 2;
    uint32_t *slot = oc_calloc(slots, sizeof *slot);
    if (slot == NULL) return oc_fail_nomem(err, slots * sizeof *slot, "a table of names");
    oc_free(t->slot);
    t->slot = slot;
    t->slots = slots;
    for (uint32_t i = 0; i < t->count; i++) t->slot[probe(t, t->text[i])] = i + 1;
    return OC_OK;
}

oc_status oci_intern_add(oci_intern *t, const char *text, uint32_t *number, bool *fresh,
                         oc_error *err) {
    bool known = oci_intern_find(t, text, number);
    if (fresh != NULL) *fresh = !known;
    if (known) return OC_OK;
    if (t->count >= UINT32_MAX - 1) return oc_fail(err, OC_ELIMIT, "more than 4 billion names");
    if (t->pool == NULL) OC_TRY(oc_pool_new(&t->pool, err));
    if (2 * (t->count + 1) > t->slots) OC_TRY(widen(t, err));
    OC_TRY(oc_grow(&t->text, &t->capacity, t->count + 1, sizeof *t->text, err));
    const char *copy = oc_pool_strdup(t->pool, text);
    if (copy == NULL) return oc_fail_nomem(err, strlen(text) + 1, "a name");
    t->text[t->count] = copy;
    *number = (uint32_t)t->count++;
    t->slot[probe(t, text)] = *number + 1;
    return OC_OK;
}
