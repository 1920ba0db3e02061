/* What a thread of the loader does: claim the next item of the oldest unfinished batch, render it
 * into its place, and, as the last one of a batch, mix it and hand it over.
 *
 * What an item draws is keyed by (seed, epoch, item), what a batch draws by (seed, epoch, batch); a
 * bad item in training gives way to the next good one in the caller's order. So neither the number
 * of threads nor who is first changes a byte.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "data/loader_int.h"
#include "data/photo_cache_int.h"
#include "data/render_int.h"

typedef struct task {
    oci_slot *slot;
    int place; /* in the batch */
    uint32_t epoch;
} task;

/* ---- claiming, with the lock held ------------------------------------------------------------ */

static int falling(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* Pixels of the photo in the high half, its place in the low one; largest first. */
static void order_places(const oc_loader *l, oci_slot *slot) {
    const oci_sampler *s = &l->sampler;
    for (int i = 0; i < slot->face.n; i++) {
        uint32_t repeat = 0;
        uint32_t at = oci_sampler_at(s, slot->batch * s->batch + (size_t)i, &repeat);
        const oc_item *item = &l->ds->items[s->items[at]].face;
        uint64_t pixels = (uint64_t)item->width * (uint64_t)item->height;
        slot->order[i] = (pixels < UINT32_MAX ? pixels : UINT32_MAX) << 32 | (uint32_t)i;
    }
    qsort(slot->order, (size_t)slot->face.n, sizeof *slot->order, falling);
}

static void begin_batch(oc_loader *l, oci_slot *slot) {
    int n = (int)oci_sampler_size(&l->sampler, l->next_batch);
    slot->state = OCI_FILLING;
    slot->batch = l->next_batch;
    slot->left = n;
    slot->face.n = n;
    l->next_item = 0;
    order_places(l, slot);
}

/* False when there is nothing to do at the moment. */
static bool claim(oc_loader *l, task *out) {
    if (!l->started || l->fatal.status != OC_OK || l->next_batch >= l->sampler.batches ||
        l->active >= l->use.workers)
        return false;
    oci_slot *slot = &l->slots[l->next_batch % (size_t)l->depth];
    if (slot->state == OCI_FREE) begin_batch(l, slot);
    if (slot->state != OCI_FILLING || slot->batch != l->next_batch) return false;
    *out =
        (task){.slot = slot, .place = (int)(uint32_t)slot->order[l->next_item], .epoch = l->epoch};
    if (++l->next_item == slot->face.n) {
        l->next_batch++;
        l->next_item = 0;
    }
    l->active++;
    return true;
}

/* Wait for something to do; false when it is time to end. */
static bool wait_for_task(oc_loader *l, task *out) {
    (void)pthread_mutex_lock(&l->lock);
    bool got = false;
    while (!l->quit && !(got = claim(l, out))) (void)pthread_cond_wait(&l->work, &l->lock);
    (void)pthread_mutex_unlock(&l->lock);
    return got;
}

static void note_fatal(oc_loader *l, const oc_error *told) {
    (void)pthread_mutex_lock(&l->lock);
    if (l->fatal.status == OC_OK) l->fatal = *told;
    (void)pthread_cond_broadcast(&l->ready);
    (void)pthread_mutex_unlock(&l->lock);
}

/* ---- one item -------------------------------------------------------------------------------- */

static oc_status render(oci_worker *w, uint32_t at, const oc_item *item, oc_rng *rng, float *planes,
                        oc_error *told) {
    const oc_loader *l = w->loader;
    oc_renderer_trust(w->renderer, item->whole);
    if (l->cache == NULL)
        return oci_render_path(w->renderer, item->path, l->augment, rng, planes, told);
    return oci_render_kept(w->renderer, l->cache, at, item->path, l->augment, rng, planes, told);
}

/* Render items[at] into its place; false when it is bad (and now rejected). */
static bool try_item(oci_worker *w, const task *t, uint32_t at, uint64_t key, float *planes,
                     oc_error *told) {
    oc_loader *l = w->loader;
    uint32_t item = l->sampler.items[at];
    const char *path = l->ds->items[item].face.path;
    char reason[OCI_REASON_BYTES];
    oc_rng rng;
    t->slot->item[t->place] = item;
    t->slot->label[t->place] = l->ds->items[item].face.label;
    if (oci_dataset_is_rejected(l->ds, item)) return false;
    oc_rng_init(&rng, l->seed, OC_RNG_AUGMENT, t->epoch, key);
    oc_status status = render(w, at, &l->ds->items[item].face, &rng, planes, told);
    if (status == OC_OK) return true;
    if (oci_is_fatal(status)) return false;
    oci_reason(reason, told->message, path);
    oc_dataset_reject(l->ds, item, reason);
    told->status = OC_OK;
    return false;
}

static void fill_place(oci_worker *w, const task *t) {
    oc_loader *l = w->loader;
    oci_sampler *s = &l->sampler;
    uint32_t repeat = 0;
    uint32_t at = oci_sampler_at(s, t->slot->batch * s->batch + (size_t)t->place, &repeat);
    uint64_t key = s->items[at] | (uint64_t)repeat << 32;
    float *planes = t->slot->pixels + (size_t)t->place * l->image_floats;
    size_t tries = l->evaluates ? 1 : s->count;
    oc_error told = {0};
    bool good = false;
    for (size_t i = 0; i < tries && !good && told.status == OC_OK; i++) {
        good = try_item(w, t, (uint32_t)((at + i) % s->count), key, planes, &told);
    }
    t->slot->failed[t->place] = !good;
    if (good) return;
    memset(planes, 0, l->image_floats * sizeof *planes);
    if (told.status == OC_OK && !l->evaluates) {
        (void)oc_fail(&told, OC_EDATA, "%s: none of the %zu images can be read (first: %s)",
                      l->ds->source, s->count, l->ds->items[s->items[0]].face.path);
    }
    if (told.status != OC_OK) note_fatal(l, &told);
}

/* ---- one batch ------------------------------------------------------------------------------- */

static void mix_batch(const oc_loader *l, oci_slot *slot, uint32_t epoch) {
    oci_mixable batch = {.pixels = slot->pixels,
                         .n = slot->face.n,
                         .channels = l->recipe.channels,
                         .height = l->recipe.height,
                         .width = l->recipe.width,
                         .label = slot->label,
                         .label2 = slot->label2,
                         .mix = slot->mix};
    oc_rng rng;
    bool mixed = false;
    if (l->augment != NULL) {
        oc_rng_init(&rng, l->seed, OC_RNG_MIX, epoch, slot->batch);
        mixed = oci_mix_batch(&batch, l->augment, &rng);
    }
    slot->face.label2 = mixed ? slot->label2 : NULL;
    slot->face.mix = mixed ? slot->mix : NULL;
}

/* True for the thread that finishes the last item of the batch. */
static bool is_last(oc_loader *l, oci_slot *slot) {
    (void)pthread_mutex_lock(&l->lock);
    bool last = --slot->left == 0;
    (void)pthread_mutex_unlock(&l->lock);
    return last;
}

static void finish(oci_worker *w, oci_slot *slot, bool last) {
    oc_loader *l = w->loader;
    (void)pthread_mutex_lock(&l->lock);
    l->use.photos++;
    l->use.busy += w->busy;
    l->use.reading += w->reading;
    if (last) {
        slot->state = OCI_READY;
        (void)pthread_cond_broadcast(&l->ready);
    }
    if (--l->active == 0) (void)pthread_cond_broadcast(&l->idle);
    (void)pthread_mutex_unlock(&l->lock);
}

void *oci_loader_work(void *arg) {
    oci_worker *w = arg;
    oc_loader *l = w->loader;
    task t;
    (void)prctl(PR_SET_NAME, "ocellus-load");
    while (wait_for_task(l, &t)) {
        double began = oc_clock_seconds(), read = w->renderer->reading;
        fill_place(w, &t);
        bool last = is_last(l, t.slot);
        if (last) mix_batch(l, t.slot, t.epoch);
        w->busy = oc_clock_seconds() - began;
        w->reading = w->renderer->reading - read;
        finish(w, t.slot, last);
    }
    return NULL;
}
