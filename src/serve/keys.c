/* Keys as digests: the one that is given is hashed, and its digest compared with all of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/keys_int.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "serve/secret_int.h"

enum { FILE_BYTES = 4 << 20, MAX_FIELDS = 4, DAY_SECONDS = 86400 };

typedef struct entry {
    oci_digest digest;
    char name[OCI_NAME_BYTES];
    oci_role role;
    int64_t per_day; /* 0 = no bound */
    int64_t day, used;
} entry;

typedef struct entries {
    entry *items;
    size_t count, capacity;
} entries;

struct oci_keys {
    char *path;
    entries all;
    unsigned state; /* counts reloads */
    pthread_mutex_t lock;
};

/* ---- the file ---------------------------------------------------------------------------------
 */

/* Fields of a line, in place, up to a comment; more than MAX_FIELDS count as one more. */
static size_t split(char *line, char *field[MAX_FIELDS]) {
    size_t count = 0;
    for (char *at = line; *at != '\0' && *at != '#' && count <= MAX_FIELDS;) {
        if (isspace((unsigned char)*at)) {
            *at++ = '\0';
            continue;
        }
        if (count < MAX_FIELDS) field[count] = at;
        count++;
        while (*at != '\0' && !isspace((unsigned char)*at)) at++;
    }
    return count;
}

static oc_status read_key(const char *text, oci_digest *out, oc_error *err) {
    static const char mark[] = "sha256:";
    if (!oc_starts_with(text, mark)) return oci_digest_of(text, strlen(text), out, err);
    if (oci_digest_parse(text + sizeof mark - 1, out)) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "sha256: 64 hexadecimal digits are expected behind it");
}

static oc_status read_role(const char *word, oci_role *out, oc_error *err) {
    static const struct {
        const char *word;
        oci_role role;
    } roles[] = {{"user", OCI_USER}, {"expert", OCI_EXPERT}, {"admin", OCI_ADMIN}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(roles[i].word, word) != 0) continue;
        *out = roles[i].role;
        return OC_OK;
    }
    return oc_fail(err, OC_EFORMAT, "role \"%.50s\": user, expert or admin", word);
}

static oc_status read_entry(char *field[MAX_FIELDS], size_t count, entry *out, oc_error *err) {
    if (count < 3 || count > MAX_FIELDS)
        return oc_fail(err, OC_EFORMAT, "%zu fields; KEY NAME ROLE [PER_DAY] are expected", count);
    if (strlen(field[1]) >= OCI_NAME_BYTES || !oc_is_utf8(field[1], strlen(field[1])))
        return oc_fail(err, OC_EFORMAT, "name \"%.80s\": UTF-8, at most %d bytes", field[1],
                       OCI_NAME_BYTES - 1);
    *out = (entry){.per_day = 0};
    (void)snprintf(out->name, sizeof out->name, "%s", field[1]);
    OC_TRY(read_key(field[0], &out->digest, err));
    OC_TRY(read_role(field[2], &out->role, err));
    if (count == MAX_FIELDS && !oc_parse_i64(field[3], 1, INT32_MAX, &out->per_day))
        return oc_fail(err, OC_EFORMAT, "per day \"%.50s\": a number from 1", field[3]);
    return OC_OK;
}

static oc_status add_line(entries *all, char *line, oc_error *err) {
    char *field[MAX_FIELDS] = {NULL};
    size_t count = split(line, field);
    if (count == 0) return OC_OK;
    OC_TRY(oc_grow(&all->items, &all->capacity, all->count + 1, sizeof *all->items, err));
    entry *e = &all->items[all->count];
    OC_TRY(read_entry(field, count, e, err));
    for (size_t i = 0; i < all->count; i++)
        if (oci_digest_same(&all->items[i].digest, &e->digest))
            return oc_fail(err, OC_EFORMAT, "the key of %s stands there already, for %s", e->name,
                           all->items[i].name);
    all->count++;
    return OC_OK;
}

static oc_status read_lines(const char *path, char *text, size_t size, entries *all,
                            oc_error *err) {
    size_t number = 1;
    if (memchr(text, '\0', size) != NULL)
        return oc_fail(err, OC_EFORMAT, "%s: a NUL byte in it: is this a text file?", path);
    for (char *line = text; line != NULL; number++) {
        char *next = strchr(line, '\n');
        if (next != NULL) *next++ = '\0';
        oc_status status = add_line(all, line, err);
        if (status != OC_OK) return oc_error_context(err, status, "%s:%zu", path, number);
        line = next;
    }
    if (all->count > 0) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: no key in it, so nobody could come in", path);
}

static oc_status read_file(const char *path, entries *all, oc_error *err) {
    char *text = NULL;
    size_t size = 0;
    OC_TRY(oc_file_read(path, FILE_BYTES, &text, &size, err));
    oc_status status = read_lines(path, text, size, all, err);
    oc_free(text);
    return status;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void inherit(entries *fresh, const entries *old) {
    for (size_t i = 0; i < fresh->count; i++)
        for (size_t k = 0; k < old->count; k++) {
            if (!oci_digest_same(&fresh->items[i].digest, &old->items[k].digest)) continue;
            fresh->items[i].day = old->items[k].day;
            fresh->items[i].used = old->items[k].used;
        }
}

oc_status oci_keys_reload(oci_keys *keys, oc_error *err) {
    entries fresh = {0};
    oc_status status = read_file(keys->path, &fresh, err);
    (void)pthread_mutex_lock(&keys->lock);
    if (status == OC_OK) {
        entries old = keys->all;
        inherit(&fresh, &old);
        keys->all = fresh;
        keys->state++;
        fresh = old;
    }
    (void)pthread_mutex_unlock(&keys->lock);
    oc_free(fresh.items);
    return status;
}

oc_status oci_keys_new(oci_keys **out, const char *path, oc_error *err) {
    oc_status status = OC_OK;
    oci_keys *keys = oc_calloc(1, sizeof *keys);
    *out = NULL;
    if (keys == NULL) return oc_fail_nomem(err, sizeof *keys, path);
    (void)pthread_mutex_init(&keys->lock, NULL);
    keys->path = oc_strdup(path);
    if (keys->path == NULL) OC_GOTO(oc_fail_nomem(err, strlen(path), path));
    OC_GOTO(oci_keys_reload(keys, err));
    *out = keys;
    return OC_OK;
done:
    oci_keys_free(keys);
    return status;
}

void oci_keys_free(oci_keys *keys) {
    if (keys == NULL) return;
    oc_free(keys->all.items);
    oc_free(keys->path);
    (void)pthread_mutex_destroy(&keys->lock);
    oc_free(keys);
}

/* ---- use --------------------------------------------------------------------------------------
 */

bool oci_keys_find(oci_keys *keys, const char *key, oci_holder *out) {
    oci_digest digest = {{0}};
    size_t found = SIZE_MAX;
    if (oci_digest_of(key, strlen(key), &digest, NULL) != OC_OK) return false;
    (void)pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->all.count; i++)
        if (oci_digest_same(&keys->all.items[i].digest, &digest)) found = i;
    if (found != SIZE_MAX) {
        const entry *e = &keys->all.items[found];
        *out = (oci_holder){.index = found, .state = keys->state, .role = e->role};
        memcpy(out->name, e->name, sizeof out->name);
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return found != SIZE_MAX;
}

bool oci_keys_charge(oci_keys *keys, const oci_holder *holder, double now, double *retry) {
    const int64_t day = (int64_t)floor(now / DAY_SECONDS);
    bool good = true;
    *retry = (double)(day + 1) * DAY_SECONDS - now;
    (void)pthread_mutex_lock(&keys->lock);
    if (holder->state == keys->state) { /* else it was read again in between: once is free */
        entry *e = &keys->all.items[holder->index];
        if (e->day != day) e->used = 0;
        e->day = day;
        good = e->per_day == 0 || e->used < e->per_day;
        if (good) e->used++;
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return good;
}
