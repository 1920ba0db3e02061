/* Scoring a model on labelled photos: loader in, inference plan, scorer; one prediction kept per
 * item.
 *
 * The items run in the order given, so that the result does not depend on threads. A file that
 * cannot be decoded is rejected in the dataset by the loader and counted nowhere here.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval_int.h"

enum { DEFAULT_BATCH = 32 };

/* What a run works with. */
typedef struct run {
    const oc_model *model;
    oc_plan *plan;
    oc_loader *loader;
    oc_scorer *scorer;
    oc_prediction *predictions; /* (count) */
    oci_verdict *verdict;       /* (batch) */
    size_t count, done, scored;
} run;

static oc_status check_items(const oc_model *model, const oc_dataset *ds, const uint32_t *items,
                             size_t count, oc_error *err) {
    size_t classes = model->classes.count;
    if (count == 0) {
        return oc_fail(err, OC_EDATA, "%s: no images to score in this part of the data",
                       oc_dataset_source(ds));
    }
    for (size_t i = 0; i < count; i++) {
        const oc_item *item = oc_dataset_item(ds, items[i]);
        if (item->label >= 0 && (size_t)item->label < classes) continue;
        return oc_fail(err, OC_EMISMATCH, "%s: class number %d, the model has %zu classes",
                       item->path, item->label, classes);
    }
    return OC_OK;
}

static oc_status open_loader(run *r, oc_dataset *ds, const uint32_t *items, int batch,
                             const oc_eval_options *options, oc_error *err) {
    const oc_loader_options how = {.dataset = ds,
                                   .items = items,
                                   .count = r->count,
                                   .recipe = &r->model->recipe,
                                   .batch = batch,
                                   .workers = options->threads,
                                   .limits = options->limits};
    OC_TRY(oc_loader_new(&r->loader, &how, err));
    return oc_loader_start(r->loader, 0, 0, err);
}

static oc_status set_up(run *r, oc_dataset *ds, const uint32_t *items,
                        const oc_eval_options *options, oc_error *err) {
    int batch = options->batch > 0 ? options->batch : DEFAULT_BATCH;
    if ((size_t)batch > r->count) batch = (int)r->count;
    r->predictions = oc_calloc(r->count, sizeof *r->predictions);
    if (r->predictions == NULL) {
        return oc_fail_nomem(err, r->count * sizeof *r->predictions, "predictions");
    }
    r->verdict = oc_calloc((size_t)batch, sizeof *r->verdict);
    if (r->verdict == NULL) return oc_fail_nomem(err, sizeof *r->verdict, "a batch of scores");
    OC_TRY(oc_scorer_new(&r->scorer, r->model->classes.count, err));
    OC_TRY(oc_model_plan(r->model, options->engine, options->threads, batch, &r->plan, err));
    return open_loader(r, ds, items, batch, options, err);
}

static void score_batch(run *r, const oc_batch *batch, int threads) {
    oci_judge_rows(oc_plan_output(r->plan), (size_t)batch->n, r->model->classes.count,
                   r->model->temperature, batch->label, batch->failed, threads, r->verdict);
    for (int i = 0; i < batch->n; i++) {
        if (batch->failed != NULL && batch->failed[i]) continue;
        const oci_verdict v = r->verdict[i];
        oci_scorer_count(r->scorer, &v, batch->label[i]);
        r->predictions[r->scored++] = (oc_prediction){.item = batch->item[i],
                                                      .truth = batch->label[i],
                                                      .label = v.label,
                                                      .p = (float)v.p,
                                                      .p_truth = (float)v.p_truth};
    }
    r->done += (size_t)batch->n;
}

static oc_status score_all(run *r, const oc_eval_options *options, oc_error *err) {
    const oc_batch *batch = NULL;
    for (;;) {
        OC_TRY(oc_loader_next(r->loader, &batch, err));
        if (batch == NULL) return OC_OK;
        oc_status status = oc_plan_forward(r->plan, batch->pixels, batch->n, 0, NULL, NULL, err);
        if (status == OC_OK) score_batch(r, batch, options->threads);
        oc_loader_release(r->loader, batch);
        if (status != OC_OK) return status;
        if (options->progress == NULL || options->progress(options->ctx, r->done, r->count)) {
            continue;
        }
        return oc_fail(err, OC_ECANCELLED, "stopped after %zu of %zu images", r->done, r->count);
    }
}

static void tear_down(run *r) {
    oc_loader_free(r->loader);
    oc_plan_free(r->plan);
    oc_scorer_free(r->scorer);
    oc_free(r->predictions);
    oc_free(r->verdict);
}

oc_status oc_eval_run(oc_eval *out, const oc_model *model, oc_dataset *ds, const uint32_t *items,
                      size_t count, const oc_eval_options *options, oc_error *err) {
    static const oc_eval_options defaults = {0};
    run r = {.model = model, .count = count};
    double began = oc_clock_seconds();
    oc_status status = OC_OK;
    *out = (oc_eval){0};
    if (options == NULL) options = &defaults;
    OC_GOTO(check_items(model, ds, items, count, err));
    OC_GOTO(set_up(&r, ds, items, options, err));
    OC_GOTO(score_all(&r, options, err));
    if (r.scored == 0) {
        status = oc_fail(err, OC_EDATA, "%s: none of the %zu images could be read",
                         oc_dataset_source(ds), count);
        goto done;
    }
    OC_GOTO(oc_scorer_finish(r.scorer, &out->score, err));
    out->predictions = r.predictions;
    r.predictions = NULL;
    out->seconds = oc_clock_seconds() - began;
done:
    tear_down(&r);
    return status;
}

void oc_eval_clear(oc_eval *e) {
    oc_score_clear(&e->score);
    oc_free(e->predictions);
    *e = (oc_eval){0};
}
