/* Decoded photos kept for later epochs: which there is room for, where each lies, and who may read
 * or write it.
 *
 * Places are planned before the first photo, from the sizes that the scan has seen: photo i lies
 * behind those before it, as long as they fit within the limit. An entry goes EMPTY -> BUSY (one
 * thread writes it) -> READY, and stays; what a file from an earlier run holds is FOUND until its
 * hash has been checked. The states are all that threads share.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "data/photo_cache_int.h"

enum { EMPTY, FOUND, BUSY, READY };

typedef struct entry {
    uint64_t offset;   /* of the pixels, behind those before */
    uint8_t *own;      /* RAM: the pixels */
    int width, height; /* of the photo, as displayed */
    _Atomic uint8_t state;
} entry;

struct oc_photo_cache {
    oc_keep keep;
    oci_form form;
    oc_recipe recipe;
    entry *entries;      /* (count) */
    oci_photo_row *rows; /* (count) DISK: key of each photo, hash of what the file holds */
    uint64_t *keys;      /* (count) DISK: of the photos' files as they are now */
    size_t count, fit;   /* entries; those that there is room for, which come first */
    uint64_t needed, room;
    oci_photo_file file;
    atomic_size_t kept;
    atomic_bool full;     /* nothing more is written */
    pthread_mutex_t lock; /* over what follows */
    oc_error trouble;
};

const oci_form *oci_photo_cache_form(const oc_photo_cache *cache) {
    return &cache->form;
}

int oc_photo_cache_side(const oc_recipe *recipe, const oc_augment *augment) {
    return oci_form_of(recipe, augment).side;
}

bool oci_photo_cache_fits(const oc_photo_cache *cache, const oc_loader_options *loader) {
    const oc_recipe *a = &cache->recipe, *b = loader->recipe;
    oci_form form = oci_form_of(b, loader->augment);
    return cache->count == loader->count && a->width == b->width && a->height == b->height &&
           a->channels == b->channels && form.side == cache->form.side &&
           form.resized == cache->form.resized;
}

/* ---- the plan -------------------------------------------------------------------------------- */

static size_t bytes_of(const oc_photo_cache *c, int width, int height) {
    int w = 0, h = 0;
    oci_form_size(&c->form, &c->recipe, width, height, &w, &h);
    return (size_t)w * (size_t)h * (size_t)c->recipe.channels;
}

uint64_t oc_photo_cache_limit(oc_keep keep, const char *folder) {
    return keep == OC_KEEP_RAM ? oci_memory_room() / 2 : oci_disk_room(folder) / 10 * 9;
}

static uint64_t choose_limit(const oc_photo_cache_options *o) {
    char folder[OC_PATH_BYTES] = ".";
    if (o->limit > 0) return o->limit;
    if (o->keep == OC_KEEP_RAM) return oc_photo_cache_limit(o->keep, NULL);
    const char *slash = strrchr(o->path, '/');
    if (slash != NULL)
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - o->path) + 1, o->path);
    return oc_photo_cache_limit(o->keep, folder);
}

/* Entries of photos whose size is not known take no room and are never kept. */
static void plan(oc_photo_cache *c, const oc_photo_cache_options *o) {
    uint64_t limit = choose_limit(o);
    for (size_t i = 0; i < c->count; i++) {
        const oc_item *item = oc_dataset_item(o->dataset, o->items[i]);
        entry *e = &c->entries[i];
        e->offset = c->needed;
        e->width = item->width;
        e->height = item->height;
        if (item->width > 0) c->needed += bytes_of(c, item->width, item->height);
        if (c->needed > limit) continue;
        c->fit = i + 1;
        c->room = c->needed;
    }
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Everything that pixels depend on besides the photo's file. */
static uint64_t digest_of(const oc_photo_cache *c) {
    const oc_recipe *r = &c->recipe;
    const int64_t parts[] = {2, /* of this layout and of the pixels that the image room makes */
                             c->form.side,
                             c->form.resized,
                             r->width,
                             r->height,
                             r->channels,
                             r->fit,
                             r->resize_side,
                             r->resize_width,
                             r->resize_height,
                             r->filter,
                             r->alpha,
                             r->background[0],
                             r->background[1],
                             r->background[2]};
    uint64_t digest = oc_hash64(parts, sizeof parts, 0);
    for (size_t i = 0; i < c->fit; i++) {
        const int64_t place[] = {(int64_t)c->entries[i].offset, c->entries[i].width,
                                 c->entries[i].height};
        digest = oc_hash64(place, sizeof place, digest);
    }
    return digest;
}

/* Of a photo's file: its name, size, time and what the scan has seen of it; 0 = it is gone. */
static uint64_t key_of(const oc_dataset *ds, const oc_item *item) {
    struct stat st;
    if (stat(ds->store != NULL ? ds->source : item->path, &st) != 0) return 0;
    const int64_t parts[] = {(int64_t)item->print, (int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
                             (int64_t)st.st_mtim.tv_nsec};
    return oc_hash64(item->path, strlen(item->path), oc_hash64(parts, sizeof parts, 0)) | 1;
}

static oc_status open_file(oc_photo_cache *c, const oc_photo_cache_options *o, oc_error *err) {
    if (c->fit == 0) return OC_OK;
    c->rows = oc_calloc(c->fit, sizeof *c->rows);
    c->keys = oc_calloc(c->fit, sizeof *c->keys);
    if (c->rows == NULL || c->keys == NULL)
        return oc_fail_nomem(err, c->fit * sizeof *c->rows, "the table of kept photos");
    OC_TRY(oci_photo_file_open(&c->file, o->path, digest_of(c), c->fit, c->room, c->rows, err));
    for (size_t i = 0; i < c->fit; i++) {
        c->keys[i] = key_of(o->dataset, oc_dataset_item(o->dataset, o->items[i]));
        bool same = c->keys[i] != 0 && c->rows[i].key == c->keys[i];
        c->entries[i].state = same ? FOUND : EMPTY;
    }
    return OC_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

oc_status oc_photo_cache_new(oc_photo_cache **out, const oc_photo_cache_options *options,
                             oc_error *err) {
    const oc_photo_cache_options *o = options;
    oc_status status = OC_OK;
    *out = NULL;
    oc_photo_cache *c = oc_calloc(1, sizeof *c);
    if (c == NULL) return oc_fail_nomem(err, sizeof *c, "a cache of photos");
    (void)pthread_mutex_init(&c->lock, NULL);
    c->file.fd = -1;
    c->keep = o->keep;
    c->recipe = *o->recipe;
    c->form = oci_form_of(o->recipe, o->augment);
    c->count = o->count;
    c->entries = oc_calloc(o->count, sizeof *c->entries);
    if (c->entries == NULL)
        OC_GOTO(oc_fail_nomem(err, o->count * sizeof *c->entries, "a cache of photos"));
    plan(c, o);
    if (o->keep == OC_KEEP_DISK) OC_GOTO(open_file(c, o, err));
    *out = c;
done:
    if (status != OC_OK) oc_photo_cache_free(c, false);
    return status;
}

void oc_photo_cache_free(oc_photo_cache *cache, bool done) {
    if (cache == NULL) return;
    oci_photo_file_close(&cache->file, done);
    for (size_t i = 0; i < cache->fit && cache->entries != NULL; i++)
        oc_free_aligned(cache->entries[i].own);
    oc_free(cache->entries);
    oc_free(cache->rows);
    oc_free(cache->keys);
    (void)pthread_mutex_destroy(&cache->lock);
    oc_free(cache);
}

oc_photo_cache_use oc_photo_cache_used(oc_photo_cache *cache) {
    oc_photo_cache_use use = {.needed = cache->needed,
                              .room = cache->room,
                              .photos = cache->count,
                              .fit = cache->fit,
                              .kept = atomic_load(&cache->kept),
                              .side = cache->form.side};
    (void)pthread_mutex_lock(&cache->lock);
    use.trouble = cache->trouble;
    (void)pthread_mutex_unlock(&cache->lock);
    return use;
}

/* ---- entries --------------------------------------------------------------------------------- */

static const uint8_t *pixels_of(const oc_photo_cache *c, const entry *e) {
    return c->keep == OC_KEEP_RAM ? e->own : c->file.map + c->file.begin + e->offset;
}

/* Only one thread gets true. */
static bool claim(entry *e, uint8_t from) {
    return atomic_compare_exchange_strong(&e->state, &from, BUSY);
}

/* What an earlier run has left: ready if its pixels are what was written. */
static void check_found(oc_photo_cache *c, size_t index, entry *e) {
    if (!claim(e, FOUND)) return;
    uint64_t hash = oc_hash64(pixels_of(c, e), bytes_of(c, e->width, e->height), 0);
    bool good = hash == c->rows[index].hash;
    if (good) atomic_fetch_add(&c->kept, 1);
    atomic_store(&e->state, good ? READY : EMPTY);
}

bool oci_photo_cache_find(oc_photo_cache *cache, size_t index, oci_kept *out) {
    if (index >= cache->fit) return false;
    entry *e = &cache->entries[index];
    if (atomic_load(&e->state) == FOUND) check_found(cache, index, e);
    if (atomic_load(&e->state) != READY) return false;
    *out = (oci_kept){.pixels = pixels_of(cache, e), .width = e->width, .height = e->height};
    return true;
}

static void note_trouble(oc_photo_cache *c, const oc_error *told) {
    atomic_store(&c->full, true);
    (void)pthread_mutex_lock(&c->lock);
    if (c->trouble.status == OC_OK) c->trouble = *told;
    (void)pthread_mutex_unlock(&c->lock);
}

static oc_status store(oc_photo_cache *c, size_t index, entry *e, const oci_kept *kept,
                       oc_error *err) {
    size_t bytes = bytes_of(c, e->width, e->height);
    if (c->keep == OC_KEEP_DISK) {
        oci_photo_row row = {c->keys[index], oc_hash64(kept->pixels, bytes, 0)};
        return oci_photo_file_put(&c->file, index, &row, e->offset, kept->pixels, bytes, err);
    }
    e->own = oc_malloc_aligned(bytes);
    if (e->own == NULL) return oc_fail_nomem(err, bytes, "a decoded photo");
    memcpy(e->own, kept->pixels, bytes);
    return OC_OK;
}

/* A photo whose size is not the one that was planned for has changed since the scan. */
void oci_photo_cache_put(oc_photo_cache *cache, size_t index, const oci_kept *kept) {
    oc_error told = {0};
    if (index >= cache->fit || atomic_load(&cache->full)) return;
    entry *e = &cache->entries[index];
    if (kept->width != e->width || kept->height != e->height || !claim(e, EMPTY)) return;
    oc_status status = store(cache, index, e, kept, &told);
    if (status != OC_OK) note_trouble(cache, &told);
    if (status == OC_OK) atomic_fetch_add(&cache->kept, 1);
    atomic_store(&e->state, status == OC_OK ? READY : EMPTY);
}
