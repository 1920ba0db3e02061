/* The data set: what a source found, kept in a fixed order, and what was taken out of it again.
 *
 * Items never move and are never removed: a bad one is marked. Marks and reasons are behind a lock,
 * since the loader's threads make them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "data/store_int.h"

/* ---- life ------------------------------------------------------------------------------------ */

oc_status oci_dataset_new(oc_dataset **out, const char *source, const oc_log *log, oc_error *err) {
    *out = NULL;
    oc_dataset *ds = oc_calloc(1, sizeof *ds);
    if (ds == NULL) return oc_fail_nomem(err, sizeof *ds, "a data set");
    oc_status status = OC_OK;
    (void)pthread_mutex_init(&ds->lock, NULL);
    if (log != NULL) ds->log = *log;
    ds->source = oc_strdup(source);
    if (ds->source == NULL) {
        status = oc_fail_nomem(err, strlen(source) + 1, "the name of a data set");
        goto done;
    }
    status = oc_pool_new(&ds->pool, err);
done:
    if (status != OC_OK) {
        oc_dataset_free(ds);
        ds = NULL;
    }
    *out = ds;
    return status;
}

void oc_dataset_free(oc_dataset *ds) {
    if (ds == NULL) return;
    (void)pthread_mutex_destroy(&ds->lock);
    oc_classes_clear(&ds->classes);
    oc_pool_free(ds->pool);
    oc_free(ds->rejects);
    oc_free(ds->items);
    oci_store_free(ds->store);
    oc_free(ds->source);
    oc_free(ds);
}

/* ---- looking --------------------------------------------------------------------------------- */

size_t oc_dataset_count(const oc_dataset *ds) {
    return ds->count;
}

const oc_item *oc_dataset_item(const oc_dataset *ds, size_t i) {
    return &ds->items[i].face;
}

const oc_classes *oc_dataset_classes(const oc_dataset *ds) {
    return &ds->classes;
}

const char *oc_dataset_source(const oc_dataset *ds) {
    return ds->source;
}

static uint64_t hash_text(const char *text, uint64_t seed) {
    return oc_hash64(text, strlen(text), seed);
}

uint64_t oc_dataset_digest(const oc_dataset *ds) {
    uint64_t digest = 0;
    for (size_t i = 0; i < ds->count; i++) {
        const oci_item *item = &ds->items[i];
        struct stat st;
        uint64_t size =
            ds->store == NULL && stat(item->face.path, &st) == 0 ? (uint64_t)st.st_size : 0;
        digest = hash_text(item->face.path + item->rel, digest);
        digest = hash_text(ds->classes.items[item->face.label].label, digest);
        digest = oc_hash64(&size, sizeof size, digest);
    }
    return digest;
}

oc_status oc_dataset_part(const oc_dataset *ds, oc_part part, uint32_t **items, size_t *count,
                          oc_error *err) {
    *items = NULL;
    *count = 0;
    uint32_t *found = oc_malloc(ds->count * sizeof *found);
    if (found == NULL) return oc_fail_nomem(err, ds->count * sizeof *found, "a part of the data");
    size_t n = 0;
    for (size_t i = 0; i < ds->count; i++) {
        const oc_item *item = &ds->items[i].face;
        if (item->part == part && !item->rejected) found[n++] = (uint32_t)i;
    }
    *items = found;
    *count = n;
    return OC_OK;
}

/* ---- rejects --------------------------------------------------------------------------------- */

/* With the lock held. When memory is out the list lacks one; the item stays marked all the same. */
static void add_reject(oc_dataset *ds, const char *path, const char *reason) {
    oc_reject *reject = oc_pool_alloc(ds->pool, sizeof *reject);
    if (reject == NULL) return;
    reject->path = oc_pool_strdup(ds->pool, path);
    reject->reason = oc_pool_strdup(ds->pool, reason);
    if (reject->path == NULL || reject->reason == NULL) return;
    if (oc_grow(&ds->rejects, &ds->reject_capacity, ds->reject_count + 1, sizeof(oc_reject *),
                NULL) != OC_OK) {
        return;
    }
    ds->rejects[ds->reject_count++] = reject;
}

void oc_dataset_reject(oc_dataset *ds, size_t i, const char *reason) {
    oc_item *item = &ds->items[i].face;
    (void)pthread_mutex_lock(&ds->lock);
    if (!item->rejected) {
        item->rejected = true;
        add_reject(ds, item->path, reason);
    }
    (void)pthread_mutex_unlock(&ds->lock);
}

void oci_dataset_note_reject(oc_dataset *ds, const char *path, const char *reason) {
    (void)pthread_mutex_lock(&ds->lock);
    add_reject(ds, path, reason);
    (void)pthread_mutex_unlock(&ds->lock);
}

bool oci_dataset_is_rejected(oc_dataset *ds, size_t i) {
    (void)pthread_mutex_lock(&ds->lock);
    bool rejected = ds->items[i].face.rejected;
    (void)pthread_mutex_unlock(&ds->lock);
    return rejected;
}

/* The lock behind a const data set: looking changes nothing that a caller can see. */
static pthread_mutex_t *lock_of(const oc_dataset *ds) {
    return &((oc_dataset *)(uintptr_t)ds)->lock;
}

size_t oc_dataset_reject_count(const oc_dataset *ds) {
    (void)pthread_mutex_lock(lock_of(ds));
    size_t count = ds->reject_count;
    (void)pthread_mutex_unlock(lock_of(ds));
    return count;
}

const oc_reject *oc_dataset_rejected(const oc_dataset *ds, size_t i) {
    (void)pthread_mutex_lock(lock_of(ds));
    const oc_reject *reject = ds->rejects[i];
    (void)pthread_mutex_unlock(lock_of(ds));
    return reject;
}

void oci_reason(char storage[OCI_REASON_BYTES], const char *message, const char *path) {
    const char *found = *path == '\0' ? NULL : strstr(message, path);
    size_t before = found == NULL ? 0 : (size_t)(found - message);
    const char *rest = found == NULL ? message : found + strlen(path);
    while (before > 0 && message[before - 1] == ' ') before--;
    if (before == 0) rest += strspn(rest, ": ");
    size_t n = before < OCI_REASON_BYTES - 1 ? before : OCI_REASON_BYTES - 1;
    memcpy(storage, message, n);
    size_t left = OCI_REASON_BYTES - 1 - n;
    size_t tail = strlen(rest) < left ? strlen(rest) : left;
    memcpy(storage + n, rest, tail);
    storage[n + tail] = '\0';
}

/* ---- the line at the start ------------------------------------------------------------------- */

/* "1,234,567" */
static char *format_count(char storage[32], size_t n) {
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%zu", n), at = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) storage[at++] = ',';
        storage[at++] = digits[i];
    }
    storage[at] = '\0';
    return storage;
}

typedef struct class_count {
    size_t all, good;
} class_count;

/* The class with the fewest (sign 1) or most (sign -1) good items among those that have any. */
static size_t extreme_class(const class_count *counts, size_t n, int sign) {
    size_t best = n;
    for (size_t c = 0; c < n; c++) {
        if (counts[c].all == 0) continue;
        bool better = best == n || (sign > 0 ? counts[c].good < counts[best].good
                                             : counts[c].good > counts[best].good);
        if (better) best = c;
    }
    return best;
}

static void tell_extreme(const oc_dataset *ds, const class_count *counts, int sign, oc_buf *out) {
    char number[32];
    size_t c = extreme_class(counts, ds->classes.count, sign);
    if (c == ds->classes.count) return;
    oc_buf_printf(out, "%s %s %s", sign > 0 ? " (smallest" : ", largest",
                  ds->classes.items[c].label, format_count(number, counts[c].good));
    if (sign < 0) oc_buf_puts(out, ")");
}

oc_status oc_dataset_summary(const oc_dataset *ds, oc_buf *out, oc_error *err) {
    class_count *counts = oc_calloc(ds->classes.count, sizeof *counts);
    if (counts == NULL) return oc_fail_nomem(err, sizeof *counts, "a summary");
    size_t good = 0, present = 0;
    for (size_t i = 0; i < ds->count; i++) {
        const oc_item *item = &ds->items[i].face;
        class_count *count = &counts[item->label];
        if (count->all++ == 0) present++;
        if (item->rejected) continue;
        count->good++;
        good++;
    }
    char a[32], b[32];
    oc_buf_printf(out, "%s image%s, %s class%s", format_count(a, good), good == 1 ? "" : "s",
                  format_count(b, present), present == 1 ? "" : "es");
    tell_extreme(ds, counts, 1, out);
    tell_extreme(ds, counts, -1, out);
    oc_buf_printf(out, ", %s rejected", format_count(a, oc_dataset_reject_count(ds)));
    oc_free(counts);
    return oc_buf_status(out, err);
}
