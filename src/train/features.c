/* Features of the frozen body, computed once: of every image as it is, and of a few varied versions
 * of it among which an epoch draws.
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

static oc_status reserve(oci_cache *cache, size_t count, size_t views, size_t width,
                         oc_error *err) {
    size_t rows, floats, bytes = SIZE_MAX;
    if (oc_mul_size(count, views, &rows) && oc_mul_size(rows, width, &floats)) {
        (void)oc_mul_size(floats, sizeof(float), &bytes);
    }
    *cache = (oci_cache){.width = width, .room = count, .views = views};
    cache->rows = oc_malloc_aligned(bytes);
    cache->label = oc_calloc(count, sizeof *cache->label);
    cache->item = oc_calloc(count, sizeof *cache->item);
    if (cache->rows == NULL || cache->label == NULL || cache->item == NULL) {
        return oc_fail_nomem(err, bytes, "cached features");
    }
    return OC_OK;
}

static float *row_at(const oci_cache *cache, size_t view, size_t row) {
    return cache->rows + (view * cache->room + row) * cache->width;
}

/* The first view decides which images there are; where a later one fails, the first stands in. *row
 * is the next one of this view. */
static void keep(oci_cache *cache, const oci_batch *batch, size_t view, size_t *row) {
    for (int i = 0; i < batch->n; i++) {
        const float *src = batch->input + (size_t)i * cache->width;
        bool failed = batch->failed != NULL && batch->failed[i];
        if (view == 0 && !failed) {
            cache->label[cache->count] = batch->targets.label[i];
            cache->item[cache->count++] = batch->item[i];
        }
        if (*row >= cache->count || cache->item[*row] != batch->item[i]) continue;
        if (failed) src = row_at(cache, 0, *row);
        memcpy(row_at(cache, view, (*row)++), src, cache->width * sizeof *src);
    }
}

/* One view of one part of the data through the body. */
static oc_status fill_view(oci_cache *cache, oci_stage *stage, oci_session *s, bool val,
                           size_t view, oc_error *err) {
    oc_augment varied = oc_augment_level(s->settings.head_level);
    oci_feed_options options = {.loader = oci_stage_loader(s, val),
                                .body = stage->body,
                                .batch = s->settings.batch,
                                .seed = s->settings.seed};
    if (view > 0) options.loader.augment = &varied;
    size_t count = options.loader.count, row = 0;
    oci_feed *feed = NULL;
    oci_batch batch;
    oc_status status = OC_OK;
    OC_GOTO(oci_feed_new(&feed, &options, err));
    OC_GOTO(oci_feed_start(feed, (uint32_t)view, 0, err));
    for (size_t done = 0; !oci_session_interrupted(s); done += (size_t)batch.n) {
        OC_GOTO(oci_feed_next(feed, &batch, &s->meter.times, err));
        if (batch.n == 0) break;
        OC_PROMISE(done + (size_t)batch.n <= count);
        keep(cache, &batch, view, &row);
        oci_meter_phase(&s->meter, "features", view * count + done + (size_t)batch.n,
                        cache->views * count);
    }
done:
    oci_feed_free(feed);
    return status;
}

static oc_status fill(oci_cache *cache, oci_stage *stage, oci_session *s, bool val, size_t views,
                      oc_error *err) {
    size_t count = val ? s->data.val_count : s->data.train_count;
    OC_TRY(reserve(cache, count, views, stage->feature_width, err));
    oci_meter_start_phase(&s->meter);
    for (size_t v = 0; v < views && !s->stopped; v++) {
        OC_TRY(fill_view(cache, stage, s, val, v, err));
    }
    return OC_OK;
}

/* Bytes of both caches; SIZE_MAX when not countable. */
static size_t bytes_needed(const oci_stage *stage, const oci_session *s) {
    size_t rows = s->data.train_count * (size_t)s->settings.head_views + s->data.val_count;
    size_t bytes = SIZE_MAX, floats;
    if (oc_mul_size(rows, stage->feature_width, &floats)) {
        (void)oc_mul_size(floats, sizeof(float), &bytes);
    }
    return bytes;
}

oc_status oci_features_cache(oci_stage *stage, oci_session *s, bool *cached, oc_error *err) {
    char need[16], budget[16];
    size_t bytes = bytes_needed(stage, s);
    *cached = false;
    if (s->settings.head_views == 0) return OC_OK;
    (void)oc_format_bytes(need, bytes);
    (void)oc_format_bytes(budget, s->feature_budget);
    if (bytes > s->feature_budget) {
        oc_warn(oci_session_log(s),
                "features would take %s, more than a quarter of the memory (%s): they are computed "
                "anew in every epoch; --epochs 10 may do",
                need, budget);
        return OC_OK;
    }
    oc_info(oci_session_log(s), "computing features once: %zu values an image, %d views, %s",
            stage->feature_width, s->settings.head_views, need);
    OC_TRY(fill(&stage->train_cache, stage, s, false, (size_t)s->settings.head_views, err));
    if (s->data.val_count > 0 && !s->stopped) {
        OC_TRY(fill(&stage->val_cache, stage, s, true, 1, err));
    }
    if (!s->stopped && stage->train_cache.count == 0) {
        return oc_fail(err, OC_EDATA, "none of the %zu training images can be read",
                       s->data.train_count);
    }
    oc_plan_free(stage->body);
    stage->body = NULL;
    *cached = true;
    return OC_OK;
}
