/* The loader's face: threads and a ring of batches, made once; epochs begun, batches handed out and
 * taken back.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <string.h>

#include "data/loader_int.h"
#include "data/photo_cache_int.h"
#include "data/render_int.h"

enum { DEFAULT_DEPTH = 3, MAX_WORKERS = 256, MAX_DEPTH = 1024 };

/* ---- life ------------------------------------------------------------------------------------ */

static oc_status check_options(const oc_loader_options *o, oc_error *err) {
    if (o->count == 0) {
        return oc_fail(err, OC_EDATA, "%s: no images to load", oc_dataset_source(o->dataset));
    }
    if (o->count > UINT32_MAX || o->batch < 1 || o->workers < 0 || o->workers > MAX_WORKERS ||
        o->depth < 0 || o->depth > MAX_DEPTH) {
        return oc_fail(err, OC_EUSAGE,
                       "loader: batch %d (1 or more), workers %d (0 to %d), depth %d (0 to %d)",
                       o->batch, o->workers, MAX_WORKERS, o->depth, MAX_DEPTH);
    }
    if (o->cache != NULL && !oci_photo_cache_fits(o->cache, o))
        return oc_fail(err, OC_EUSAGE, "loader: the cache is one of other photos or crops");
    return oci_recipe_check(o->recipe, "recipe", err);
}

static oc_status new_slot(oc_loader *l, int number, oc_error *err) {
    oci_slot *s = &l->slots[number];
    size_t n = l->sampler.batch, bytes = 0;
    if (!oc_mul_size(n, l->image_floats * sizeof(float), &bytes)) bytes = SIZE_MAX;
    s->pixels = oc_malloc_aligned(bytes);
    s->label = oc_calloc(n, sizeof *s->label);
    s->label2 = oc_calloc(n, sizeof *s->label2);
    s->mix = oc_calloc(n, sizeof *s->mix);
    s->item = oc_calloc(n, sizeof *s->item);
    s->failed = oc_calloc(n, sizeof *s->failed);
    s->order = oc_calloc(n, sizeof *s->order);
    if (s->pixels == NULL || s->label == NULL || s->label2 == NULL || s->mix == NULL ||
        s->item == NULL || s->failed == NULL || s->order == NULL) {
        return oc_fail_nomem(err, bytes, "a batch of images");
    }
    s->face = (oc_batch){
        .pixels = s->pixels,
        .label = s->label,
        .item = s->item,
        .failed = s->failed,
        .smoothing = l->augment == NULL ? 0 : l->augment->smoothing,
        .slot = number,
    };
    return OC_OK;
}

static void clear_slot(oci_slot *s) {
    oc_free_aligned(s->pixels);
    oc_free(s->label);
    oc_free(s->label2);
    oc_free(s->mix);
    oc_free(s->item);
    oc_free(s->failed);
    oc_free(s->order);
}

/* Signals are for the caller's threads. Fewer threads than asked for are enough. */
static oc_status start_threads(oc_loader *l, oc_error *err) {
    sigset_t all, before;
    int failed = 0;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (l->thread_count < l->worker_count && failed == 0) {
        oci_worker *w = &l->workers[l->thread_count];
        failed = pthread_create(&w->thread, NULL, oci_loader_work, w);
        if (failed == 0) l->thread_count++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (l->thread_count > 0) return OC_OK;
    return oc_fail_errno(err, OC_EENV, failed, "cannot start a thread to load images");
}

static oc_status build(oc_loader *l, const oc_loader_options *o, oc_error *err) {
    OC_TRY(oci_sampler_init(&l->sampler, o, err));
    l->slots = oc_calloc((size_t)l->depth, sizeof *l->slots);
    l->workers = oc_calloc((size_t)l->worker_count, sizeof *l->workers);
    if (l->slots == NULL || l->workers == NULL) {
        return oc_fail_nomem(err, (size_t)l->depth * sizeof *l->slots, "a ring of batches");
    }
    for (int i = 0; i < l->depth; i++) OC_TRY(new_slot(l, i, err));
    for (int i = 0; i < l->worker_count; i++) {
        l->workers[i].loader = l;
        OC_TRY(oc_renderer_new(&l->workers[i].renderer, &l->recipe, &o->limits, err));
        l->workers[i].renderer->store = o->dataset->store;
    }
    return OC_OK;
}

oc_status oc_loader_new(oc_loader **out, const oc_loader_options *options, oc_error *err) {
    const oc_loader_options *o = options;
    *out = NULL;
    OC_TRY(check_options(o, err));
    oc_loader *l = oc_calloc(1, sizeof *l);
    if (l == NULL) return oc_fail_nomem(err, sizeof *l, "a loader");
    l->ds = o->dataset;
    l->recipe = *o->recipe;
    if (o->augment != NULL) {
        l->augment_storage = *o->augment;
        l->augment = &l->augment_storage;
    }
    l->evaluates = !o->shuffle && !o->drop_last;
    l->seed = o->seed;
    l->image_floats =
        (size_t)l->recipe.channels * (size_t)l->recipe.height * (size_t)l->recipe.width;
    l->depth = o->depth == 0 ? DEFAULT_DEPTH : o->depth;
    l->cache = o->cache;
    l->paces = o->workers == 0;
    l->worker_count = l->paces ? oci_loader_most_workers() : o->workers;
    l->use.workers = l->paces ? oci_loader_first_workers() : o->workers;
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_cond_init(&l->work, NULL);
    (void)pthread_cond_init(&l->ready, NULL);
    (void)pthread_cond_init(&l->idle, NULL);
    oc_status status = build(l, o, err);
    if (status == OC_OK) {
        *out = l;
    } else {
        oc_loader_free(l);
    }
    return status;
}

static void stop_threads(oc_loader *l) {
    (void)pthread_mutex_lock(&l->lock);
    l->quit = true;
    (void)pthread_cond_broadcast(&l->work);
    (void)pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->thread_count; i++) (void)pthread_join(l->workers[i].thread, NULL);
    l->thread_count = 0;
    l->quit = false;
}

void oc_loader_free(oc_loader *loader) {
    oc_loader *l = loader;
    if (l == NULL) return;
    stop_threads(l);
    for (int i = 0; i < l->worker_count && l->workers != NULL; i++) {
        oc_renderer_free(l->workers[i].renderer);
    }
    for (int i = 0; i < l->depth && l->slots != NULL; i++) clear_slot(&l->slots[i]);
    oc_free(l->workers);
    oc_free(l->slots);
    oci_sampler_clear(&l->sampler);
    (void)pthread_mutex_destroy(&l->lock);
    (void)pthread_cond_destroy(&l->work);
    (void)pthread_cond_destroy(&l->ready);
    (void)pthread_cond_destroy(&l->idle);
    oc_free(l);
}

size_t oc_loader_batches(const oc_loader *loader) {
    return loader->sampler.batches;
}

oc_loader_use oc_loader_used(oc_loader *loader) {
    (void)pthread_mutex_lock(&loader->lock);
    oc_loader_use use = loader->use;
    (void)pthread_mutex_unlock(&loader->lock);
    return use;
}

/* ---- epochs and batches
 * -------------------------------------------------------------------------- */

oc_status oc_loader_start(oc_loader *loader, uint32_t epoch, size_t first, oc_error *err) {
    oc_loader *l = loader;
    if (first > l->sampler.batches) {
        return oc_fail(err, OC_EUSAGE, "loader: batch %zu of an epoch that has %zu", first,
                       l->sampler.batches);
    }
    (void)pthread_mutex_lock(&l->lock);
    l->started = false;
    while (l->active > 0) (void)pthread_cond_wait(&l->idle, &l->lock);
    for (int i = 0; i < l->depth; i++) l->slots[i].state = OCI_FREE;
    oci_sampler_begin(&l->sampler, epoch);
    l->epoch = epoch;
    l->next_batch = l->next_out = first;
    l->next_item = 0;
    l->fatal = (oc_error){0};
    l->started = true;
    l->paced = l->use;
    l->paced_at = oc_clock_seconds();
    l->paced_batches = 0;
    (void)pthread_cond_broadcast(&l->work);
    (void)pthread_mutex_unlock(&l->lock);
    return l->thread_count > 0 ? OC_OK : start_threads(l, err);
}

void oc_loader_rest(oc_loader *loader) {
    if (loader == NULL) return;
    (void)pthread_mutex_lock(&loader->lock);
    loader->started = false;
    (void)pthread_mutex_unlock(&loader->lock);
    stop_threads(loader);
}

/* With the lock held. */
static void wait_until_ready(oc_loader *l, const oci_slot *slot) {
    if (slot->state == OCI_READY || l->fatal.status != OC_OK) return;
    double began = oc_clock_seconds();
    while (slot->state != OCI_READY && l->fatal.status == OC_OK) {
        (void)pthread_cond_wait(&l->ready, &l->lock);
    }
    l->use.waited += oc_clock_seconds() - began;
}

/* With the lock held. */
static oc_status take(oc_loader *l, const oc_batch **out, oc_error *err) {
    oci_slot *slot = &l->slots[l->next_out % (size_t)l->depth];
    if (!l->started) return oc_fail(err, OC_EUSAGE, "loader: no epoch was started");
    if (l->next_out >= l->sampler.batches) return OC_OK;
    if (slot->state == OCI_HELD) {
        return oc_fail(err, OC_EUSAGE, "loader: %d batches are held: release one before the next",
                       l->depth);
    }
    wait_until_ready(l, slot);
    if (slot->state != OCI_READY) return oc_fail(err, l->fatal.status, "%s", l->fatal.message);
    slot->state = OCI_HELD;
    l->next_out++;
    oci_loader_pace(l);
    *out = &slot->face;
    return OC_OK;
}

oc_status oc_loader_next(oc_loader *loader, const oc_batch **out, oc_error *err) {
    *out = NULL;
    (void)pthread_mutex_lock(&loader->lock);
    oc_status status = take(loader, out, err);
    (void)pthread_mutex_unlock(&loader->lock);
    return status;
}

void oc_loader_release(oc_loader *loader, const oc_batch *batch) {
    if (batch == NULL) return;
    (void)pthread_mutex_lock(&loader->lock);
    oci_slot *slot = &loader->slots[batch->slot];
    if (slot->state == OCI_HELD) slot->state = OCI_FREE;
    (void)pthread_cond_broadcast(&loader->work);
    (void)pthread_mutex_unlock(&loader->lock);
}
