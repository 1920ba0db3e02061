/* The work of `ocellus quantize`: photos to ranges, scores of both models, their speed, the folder.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "quantize_int.h"

#include <string.h>

#include "eval_part_int.h"

enum { FEED_BATCH = 8, ROUNDS = 5 };
static const double ROUND_SECONDS = 0.4;

/* ---- photos to measure ranges on ------------------------------------------------------------ */

typedef struct feed {
    oc_loader *loader;
    const oc_batch *held; /* handed out last */
    size_t done, total;
    const oci_quantize_task *task;
    double start;
} feed;

/* Photos that cannot be read are left out of the batch. */
static int close_gaps(const oc_batch *batch, size_t image) {
    int n = 0;
    for (int i = 0; i < batch->n; i++) {
        if (batch->failed != NULL && batch->failed[i]) continue;
        if (n < i)
            memmove(batch->pixels + (size_t)n * image, batch->pixels + (size_t)i * image,
                    image * sizeof(float));
        n++;
    }
    return n;
}

typedef struct feeding {
    feed *feed;
    size_t image; /* floats */
} feeding;

static oc_status next_photos(void *ctx, const float **pixels, int *n, oc_error *err) {
    feeding *f = ctx;
    feed *from = f->feed;
    for (*n = 0; *n == 0;) {
        if (from->held != NULL) oc_loader_release(from->loader, from->held);
        from->held = NULL;
        if (*from->task->stop) return oc_fail(err, OC_ECANCELLED, "stopped on request");
        OC_TRY(oc_loader_next(from->loader, &from->held, err));
        if (from->held == NULL) return OC_OK;
        *n = close_gaps(from->held, f->image);
        *pixels = from->held->pixels;
        from->done += (size_t)from->held->n;
        oci_progress_count(from->task->progress, "measuring ranges", from->done, from->total,
                           from->start);
    }
    return OC_OK;
}

/* At most `most` of the items, evenly spread. */
static size_t thin_out(uint32_t *items, size_t count, size_t most) {
    if (count <= most) return count;
    for (size_t i = 0; i < most; i++) items[i] = items[i * count / most];
    return most;
}

/* What the model was trained on, where that is in the data; else all of it. */
static oc_status choose_photos(oc_dataset *ds, const oc_model *model, size_t most, uint32_t **items,
                               size_t *count, oc_error *err) {
    oc_buf words = {0};
    oc_status status = oci_eval_choose(ds, model, OCI_WANT_TRAIN, items, count, &words, NULL);
    if (status != OC_OK)
        status = oci_eval_choose(ds, model, OCI_WANT_ALL, items, count, &words, err);
    oc_buf_clear(&words);
    if (status == OC_OK) *count = thin_out(*items, *count, most);
    return status;
}

static oc_status quantize(const oci_quantize_task *task, const oc_model *model, oc_dataset *ds,
                          oc_model **out, size_t *photos, oc_error *err) {
    const oc_recipe *r = &model->recipe;
    feed from = {.task = task, .start = oc_clock_seconds()};
    feeding f = {&from, (size_t)r->channels * (size_t)r->height * (size_t)r->width};
    uint32_t *items = NULL;
    oc_status status = OC_OK;
    OC_GOTO(choose_photos(ds, model, (size_t)task->photos, &items, &from.total, err));
    const oc_loader_options load = {.dataset = ds,
                                    .items = items,
                                    .count = from.total,
                                    .recipe = r,
                                    .batch = FEED_BATCH,
                                    .workers = task->threads};
    OC_GOTO(oc_loader_new(&from.loader, &load, err));
    OC_GOTO(oc_loader_start(from.loader, 0, 0, err));
    const oc_quantize_options how = {.engine = task->engine,
                                     .threads = task->threads,
                                     .batch = FEED_BATCH,
                                     .ranges = (oc_ranges)task->ranges,
                                     .photos = next_photos,
                                     .ctx = &f};
    status = oc_model_quantize(out, model, &how, err);
    *photos = from.total;
done:
    oc_loader_free(from.loader);
    oc_free(items);
    return status;
}

/* ---- scores --------------------------------------------------------------------------------- */

typedef struct scoring {
    const oci_quantize_task *task;
    const char *what;
    double start;
} scoring;

static bool on_progress(void *ctx, size_t done, size_t total) {
    scoring *s = ctx;
    oci_progress_count(s->task->progress, s->what, done, total, s->start);
    return !*s->task->stop;
}

static oc_status score(const oci_quantize_task *task, const char *what, const oc_model *model,
                       oc_dataset *ds, const uint32_t *items, size_t count, oc_eval *out,
                       oc_error *err) {
    scoring s = {task, what, oc_clock_seconds()};
    const oc_eval_options o = {
        .engine = task->engine, .threads = task->threads, .progress = on_progress, .ctx = &s};
    return oc_eval_run(out, model, ds, items, count, &o, err);
}

static double agreement(const oc_eval *a, const oc_eval *b) {
    size_t same = 0;
    for (size_t i = 0; i < a->score.n && i < b->score.n; i++)
        same += a->predictions[i].label == b->predictions[i].label;
    return a->score.n ? (double)same / (double)a->score.n : 0;
}

static oc_status score_both(const oci_quantize_task *task, const oc_model *before,
                            const oc_model *after, oc_dataset *ds, oci_quantize_result *out,
                            json_t **metrics, oc_error *err) {
    uint32_t *items = NULL;
    size_t count = 0;
    oc_buf words = {0};
    oc_eval a = {0}, b = {0};
    oc_status status = OC_OK;
    OC_GOTO(oci_eval_choose(ds, before, -1, &items, &count, &words, err));
    OC_GOTO(oc_buf_status(&words, err));
    oci_progress_say(task->progress, OCI_PLAIN, "%s", words.data);
    OC_GOTO(score(task, "scoring before", before, ds, items, count, &a, err));
    OC_GOTO(score(task, "scoring after", after, ds, items, count, &b, err));
    out->before.accuracy = a.score.accuracy;
    out->after.accuracy = b.score.accuracy;
    out->scored = (size_t)b.score.n;
    out->agreement = agreement(&a, &b);
    status = oc_eval_json(&b, after, ds, metrics, err);
done:
    oc_eval_clear(&a);
    oc_eval_clear(&b);
    oc_buf_clear(&words);
    oc_free(items);
    return status;
}

/* ---- speed ---------------------------------------------------------------------------------- */

/* Images a second over at least ROUND_SECONDS; the pixels do not matter. */
static oc_status rate_of(oc_plan *plan, int batch, double *best, oc_error *err) {
    double start = oc_clock_seconds(), seconds = 0;
    int steps = 0;
    while (seconds < ROUND_SECONDS) {
        OC_TRY(oc_plan_forward(plan, NULL, batch, 0, NULL, NULL, err));
        steps++;
        seconds = oc_clock_seconds() - start;
    }
    double rate = (double)steps * batch / seconds;
    if (rate > *best) *best = rate;
    return OC_OK;
}

/* In turns, so that what else the machine does meets both alike; the best round counts. */
static oc_status time_both(const oci_quantize_task *task, const oc_model *before,
                           const oc_model *after, oci_quantize_result *out, oc_error *err) {
    oc_plan *a = NULL, *b = NULL;
    const oc_recipe *r = &before->recipe;
    size_t bytes = (size_t)task->batch * (size_t)r->channels * (size_t)r->height *
                   (size_t)r->width * sizeof(float);
    oc_status status = OC_OK;
    OC_GOTO(oc_model_plan(before, task->engine, task->threads, task->batch, &a, err));
    OC_GOTO(oc_model_plan(after, task->engine, task->threads, task->batch, &b, err));
    for (int i = 0; i <= ROUNDS; i++) {
        memset(oc_plan_input(a), 0, bytes);
        memset(oc_plan_input(b), 0, bytes);
        if (i == 1) out->before.rate = out->after.rate = 0; /* the first round warms up */
        OC_GOTO(rate_of(a, task->batch, &out->before.rate, err));
        OC_GOTO(rate_of(b, task->batch, &out->after.rate, err));
    }
done:
    oc_plan_free(a);
    oc_plan_free(b);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static oc_status weights_size(const char *folder, uint64_t *bytes, oc_error *err) {
    char path[OC_PATH_BYTES];
    oc_map map = {0};
    OC_TRY(oc_path_join(path, folder, "model.safetensors", err));
    OC_TRY(oc_map_open(&map, path, err));
    *bytes = map.size;
    oc_map_close(&map);
    return OC_OK;
}

static oc_status open_data(const char *source, const oc_model *known, int threads, oc_dataset **ds,
                           oc_error *err) {
    const oc_dataset_options how = {.known = known != NULL ? &known->classes : NULL};
    const oc_scan_options scan = {.threads = threads};
    OC_TRY(oc_dataset_open(ds, source, &how, err));
    return oc_dataset_scan(*ds, &scan, err);
}

static oc_status check_drop(const oci_quantize_task *task, const oci_quantize_result *r,
                            oc_error *err) {
    double drop = 100 * (r->before.accuracy - r->after.accuracy);
    if (drop <= task->max_drop + 1e-9) return OC_OK;
    return oc_fail(err, OC_EDATA,
                   "int8 takes %.2f points of accuracy (%.2f %% to %.2f %% over %zu photos), more "
                   "than --max-drop %g: nothing was written; try more --photos, another --ranges, "
                   "or allow it",
                   drop, 100 * r->before.accuracy, 100 * r->after.accuracy, r->scored,
                   task->max_drop);
}

static oc_status record(oc_model *after, const oci_quantize_result *r, json_t **metrics,
                        oc_error *err) {
    json_t *q = json_object_get(after->origin, "quantization");
    after->metrics = *metrics;
    *metrics = NULL;
    if (json_object_set_new(q, "accuracy_before", json_real(r->before.accuracy)) == 0 &&
        json_object_set_new(q, "accuracy_after", json_real(r->after.accuracy)) == 0)
        return OC_OK;
    return oc_fail_nomem(err, 0, "a model's record");
}

static oc_status make(oci_quantize_result *out, const oci_quantize_task *task,
                      const oc_model *before, oc_model **after, json_t **metrics, oc_error *err) {
    oc_dataset *ds = NULL, *held_out = NULL;
    oc_status status = OC_OK;
    OC_GOTO(open_data(task->data, task->eval ? NULL : before, task->threads, &ds, err));
    OC_GOTO(quantize(task, before, ds, after, &out->photos, err));
    if (task->eval) OC_GOTO(open_data(task->eval, before, task->threads, &held_out, err));
    status = score_both(task, before, *after, held_out ? held_out : ds, out, metrics, err);
done:
    oc_dataset_free(ds);
    oc_dataset_free(held_out);
    return status;
}

oc_status oci_quantize_run(oci_quantize_result *out, const oci_quantize_task *task, oc_error *err) {
    oc_model *before = NULL, *after = NULL;
    json_t *metrics = NULL;
    oc_status status = OC_OK;
    OC_GOTO(oc_model_load(&before, task->folder, err));
    OC_GOTO(oc_model_load_seen(before, task->folder, err));
    OC_GOTO(make(out, task, before, &after, &metrics, err));
    OC_GOTO(check_drop(task, out, err));
    OC_GOTO(time_both(task, before, after, out, err));
    OC_GOTO(record(after, out, &metrics, err));
    OC_GOTO(oc_model_save(after, task->out, err));
    OC_GOTO(oc_model_copy_examples(after, task->folder, task->out, err));
    OC_GOTO(weights_size(task->folder, &out->before.bytes, err));
    status = weights_size(task->out, &out->after.bytes, err);
done:
    json_decref(metrics);
    oc_model_free(before);
    oc_model_free(after);
    return status;
}
