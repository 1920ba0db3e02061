/* Batches for a plan: pixels from the loader, pixels turned into features by the frozen body, or
 * rows of cached features. To the loop all three look the same.
 *
 * The order of cached rows is drawn as the loader draws that of images, so that both ways of tuning
 * a head see the same batches.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "train/train_int.h"

struct oci_feed {
    oci_feed_options options;
    oc_loader *loader;
    const oc_batch *held; /* the loader's, to be released */
    uint32_t *order;      /* cached: (count) rows in this epoch's order */
    bool begun;           /* an epoch is under way: number `epoch`, batch `next` to come */
    uint32_t epoch;
    size_t next;
    float *rows;    /* cached: (batch, width) */
    int32_t *label; /* cached: (batch) */
    uint32_t *item; /* cached: (batch) */
};

void oci_feed_rest(oci_feed *feed) {
    if (feed->loader != NULL && feed->held != NULL) oc_loader_release(feed->loader, feed->held);
    feed->held = NULL;
}

void oci_feed_sleep(oci_feed *feed) {
    oci_feed_rest(feed);
    feed->begun = false;
    oc_loader_rest(feed->loader);
}

oc_loader_use oci_feed_used(const oci_feed *feed) {
    return feed->loader != NULL ? oc_loader_used(feed->loader) : (oc_loader_use){0};
}

void oci_feed_free(oci_feed *feed) {
    if (feed == NULL) return;
    oci_feed_rest(feed);
    oc_loader_free(feed->loader);
    oc_free(feed->order);
    oc_free(feed->rows);
    oc_free(feed->label);
    oc_free(feed->item);
    oc_free(feed);
}

static oc_status open_cached(oci_feed *feed, oc_error *err) {
    const oci_cache *cache = feed->options.cache;
    size_t batch = (size_t)feed->options.batch;
    size_t floats = batch * cache->width;
    feed->order = oc_calloc(cache->count, sizeof *feed->order);
    feed->rows = oc_calloc(floats, sizeof *feed->rows);
    feed->label = oc_calloc(batch, sizeof *feed->label);
    feed->item = oc_calloc(batch, sizeof *feed->item);
    if (feed->order == NULL || feed->rows == NULL || feed->label == NULL || feed->item == NULL) {
        return oc_fail_nomem(err, floats * sizeof *feed->rows, "a batch of features");
    }
    return OC_OK;
}

oc_status oci_feed_new(oci_feed **out, const oci_feed_options *options, oc_error *err) {
    *out = NULL;
    oci_feed *feed = oc_calloc(1, sizeof *feed);
    if (feed == NULL) return oc_fail_nomem(err, sizeof *feed, "a feed of batches");
    feed->options = *options;
    oc_status status = OC_OK;
    if (options->cache != NULL) {
        OC_GOTO(open_cached(feed, err));
    } else {
        oc_loader_options loader = options->loader;
        loader.batch = options->batch;
        loader.shuffle = options->shuffle;
        loader.drop_last = options->drop_last;
        loader.seed = options->seed;
        OC_GOTO(oc_loader_new(&feed->loader, &loader, err));
    }
    *out = feed;
done:
    if (status != OC_OK) oci_feed_free(feed);
    return status;
}

/* As the loader counts: with drop_last full batches, but at least one, filled up by repeating. */
size_t oci_feed_batches(const oci_feed *feed) {
    if (feed->loader != NULL) return oc_loader_batches(feed->loader);
    size_t count = feed->options.cache->count, batch = (size_t)feed->options.batch;
    if (!feed->options.drop_last) return (count + batch - 1) / batch;
    return count < batch ? 1 : count / batch;
}

static void draw_order(oci_feed *feed, uint32_t epoch) {
    size_t count = feed->options.cache->count;
    for (size_t i = 0; i < count; i++) feed->order[i] = (uint32_t)i;
    if (!feed->options.shuffle) return;
    oc_rng rng;
    oc_rng_init(&rng, feed->options.seed, OC_RNG_SHUFFLE, epoch, 0);
    oc_rng_shuffle(&rng, feed->order, count);
}

oc_status oci_feed_start(oci_feed *feed, uint32_t epoch, size_t first, oc_error *err) {
    bool there = feed->begun && feed->epoch == epoch && feed->next == first;
    oci_feed_rest(feed);
    if (there) return OC_OK;
    feed->begun = false;
    if (feed->loader != NULL) OC_TRY(oc_loader_start(feed->loader, epoch, first, err));
    feed->next = first;
    feed->epoch = epoch;
    feed->begun = true;
    if (feed->loader == NULL) draw_order(feed, epoch);
    return OC_OK;
}

/* Which of an image's cached versions this epoch sees. */
static size_t draw_view(const oci_feed *feed, size_t row) {
    const oci_cache *cache = feed->options.cache;
    if (cache->views == 1) return 0;
    oc_rng rng;
    oc_rng_init(&rng, feed->options.seed, OC_RNG_AUGMENT, feed->epoch, cache->item[row]);
    return oc_rng_below(&rng, (uint32_t)cache->views);
}

static void gather(oci_feed *feed, oci_batch *out) {
    const oci_cache *cache = feed->options.cache;
    if (feed->next >= oci_feed_batches(feed)) return;
    size_t begin = feed->next++ * (size_t)feed->options.batch;
    size_t n = (size_t)feed->options.batch;
    if (!feed->options.drop_last && n > cache->count - begin) n = cache->count - begin;
    for (size_t i = 0; i < n; i++) {
        size_t row = feed->order[(begin + i) % cache->count];
        size_t view = draw_view(feed, row);
        memcpy(feed->rows + i * cache->width,
               cache->rows + (view * cache->room + row) * cache->width,
               cache->width * sizeof *feed->rows);
        feed->label[i] = cache->label[row];
        feed->item[i] = cache->item[row];
    }
    *out = (oci_batch){.input = feed->rows,
                       .n = (int)n,
                       .targets = {.label = feed->label, .smoothing = feed->options.smoothing},
                       .item = feed->item};
}

/* The loader's batch, its pixels replaced by the body's features where there is a body. */
static oc_status load(oci_feed *feed, oci_batch *out, oc_train_times *times, oc_error *err) {
    double mark = oc_clock_seconds();
    OC_TRY(oc_loader_next(feed->loader, &feed->held, err));
    times->data += oci_meter_lap(&mark);
    const oc_batch *b = feed->held;
    if (b == NULL) return OC_OK;
    feed->next++;
    *out = (oci_batch){.input = b->pixels,
                       .n = b->n,
                       .targets = {b->label, b->label2, b->mix, b->smoothing},
                       .item = b->item,
                       .failed = b->failed};
    if (feed->options.body == NULL) return OC_OK;
    OC_TRY(oc_plan_forward(feed->options.body, b->pixels, b->n, 0, NULL, NULL, err));
    out->input = oc_plan_output(feed->options.body);
    times->forward += oci_meter_lap(&mark);
    return OC_OK;
}

oc_status oci_feed_next(oci_feed *feed, oci_batch *out, oc_train_times *times, oc_error *err) {
    *out = (oci_batch){0};
    oci_feed_rest(feed);
    if (feed->loader != NULL) return load(feed, out, times, err);
    gather(feed, out);
    return OC_OK;
}
