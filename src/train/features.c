/* Features of the frozen body, computed once: where nothing is augmented they are the same in every
 * epoch.
 *
 * They are kept in memory while they fit into the session's budget (a quarter of the machine's); a
 * larger set is run through the body anew in every epoch, and the log says so.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "train/train_int.h"

void oci_cache_clear(oci_cache *cache) {
    oc_free_aligned(cache->rows);
    oc_free(cache->label);
    oc_free(cache->item);
    *cache = (oci_cache){0};
}

static oc_status reserve(oci_cache *cache, size_t count, size_t width, oc_error *err) {
    size_t floats = 0, bytes = SIZE_MAX;
    if (oc_mul_size(count, width, &floats)) (void)oc_mul_size(floats, sizeof(float), &bytes);
    cache->rows = oc_malloc_aligned(bytes);
    cache->label = oc_calloc(count, sizeof *cache->label);
    cache->item = oc_calloc(count, sizeof *cache->item);
    cache->width = width;
    if (cache->rows == NULL || cache->label == NULL || cache->item == NULL) {
        return oc_fail_nomem(err, bytes, "cached features");
    }
    return OC_OK;
}

static void keep(oci_cache *cache, const oci_batch *batch) {
    for (int i = 0; i < batch->n; i++) {
        if (batch->failed != NULL && batch->failed[i]) continue;
        memcpy(cache->rows + cache->count * cache->width, batch->input + (size_t)i * cache->width,
               cache->width * sizeof(float));
        cache->label[cache->count] = batch->targets.label[i];
        cache->item[cache->count++] = batch->item[i];
    }
}

/* Run one part of the data through the body. */
static oc_status fill(oci_cache *cache, oci_stage *stage, oci_session *s, bool val, oc_error *err) {
    oci_feed_options options = {
        .loader = oci_stage_loader(s, val), .body = stage->body, .batch = s->settings.batch};
    size_t count = options.loader.count;
    oci_feed *feed = NULL;
    oci_batch batch;
    oc_status status = OC_OK;
    OC_GOTO(reserve(cache, count, stage->feature_width, err));
    OC_GOTO(oci_feed_new(&feed, &options, err));
    OC_GOTO(oci_feed_start(feed, 0, 0, err));
    oci_meter_start_phase(&s->meter);
    for (size_t done = 0; !oci_session_should_stop(s); done += (size_t)batch.n) {
        OC_GOTO(oci_feed_next(feed, &batch, &s->meter.times, err));
        if (batch.n == 0) break;
        OC_PROMISE(cache->count + (size_t)batch.n <= count);
        keep(cache, &batch);
        oci_meter_phase(&s->meter, "features", done + (size_t)batch.n, count);
    }
done:
    oci_feed_free(feed);
    return status;
}

/* Bytes of both caches; SIZE_MAX when not countable. */
static size_t bytes_needed(const oci_stage *stage, const oci_session *s) {
    size_t rows = s->data.train_count + s->data.val_count, bytes = SIZE_MAX, floats;
    if (oc_mul_size(rows, stage->feature_width, &floats)) {
        (void)oc_mul_size(floats, sizeof(float), &bytes);
    }
    return bytes;
}

oc_status oci_features_cache(oci_stage *stage, oci_session *s, bool *cached, oc_error *err) {
    char need[16], budget[16];
    size_t bytes = bytes_needed(stage, s);
    *cached = false;
    if (s->settings.head_level != OC_LEVEL_NONE) return OC_OK;
    (void)oc_format_bytes(need, bytes);
    (void)oc_format_bytes(budget, s->feature_budget);
    if (bytes > s->feature_budget) {
        oc_warn(oci_session_log(s),
                "features would take %s, more than a quarter of the memory (%s): they are computed "
                "anew in every epoch",
                need, budget);
        return OC_OK;
    }
    oc_info(oci_session_log(s), "computing features once: %zu values an image, %s",
            stage->feature_width, need);
    OC_TRY(fill(&stage->train_cache, stage, s, false, err));
    if (s->data.val_count > 0 && !s->stopped) OC_TRY(fill(&stage->val_cache, stage, s, true, err));
    if (!s->stopped && stage->train_cache.count == 0) {
        return oc_fail(err, OC_EDATA, "none of the %zu training images can be read",
                       s->data.train_count);
    }
    oc_plan_free(stage->body);
    stage->body = NULL;
    *cached = true;
    return OC_OK;
}
