/* Judging an epoch on the validation part: is it the best so far, and how certain may it be.
 *
 * The best epoch is the one with the highest accuracy, among equals the one with the lowest loss.
 * Its logits give the temperature (Guo et al. 2017), and with that the threshold of "unknown" and
 * the metrics.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "train/train_int.h"

typedef struct verdict {
    float *logits;  /* (kept, classes): all, or an even sample where they are too many */
    int32_t *truth; /* (kept) */
    uint32_t *item; /* (kept) in the validation set */
    size_t kept, room, seen, classes, count;
    int threads;
    oc_scorer *scorer; /* at temperature 1 */
    oc_score score;
    double started;
} verdict;

static void verdict_clear(verdict *v) {
    oc_free(v->logits);
    oc_free(v->truth);
    oc_free(v->item);
    oc_scorer_free(v->scorer);
    oc_score_clear(&v->score);
}

static oc_status verdict_init(verdict *v, const oci_session *s, oc_error *err) {
    size_t row, bytes;
    v->started = oc_clock_seconds();
    v->threads = s->settings.threads;
    v->classes = s->model->classes.count;
    v->count = s->data.val_count;
    row = v->classes * sizeof(float);
    v->room = s->logit_budget / row > 0 ? s->logit_budget / row : 1;
    if (v->count < v->room) v->room = v->count;
    bytes = v->room * row;
    v->logits = oc_malloc(bytes);
    v->truth = oc_calloc(v->room, sizeof *v->truth);
    v->item = oc_calloc(v->room, sizeof *v->item);
    if (v->logits == NULL || v->truth == NULL || v->item == NULL) {
        return oc_fail_nomem(err, bytes, "the logits of the validation part");
    }
    return oc_scorer_new(&v->scorer, v->classes, err);
}

static bool all_finite(const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) return false;
    }
    return true;
}

static oc_status fail_nonfinite(oc_plan *plan, oc_error *err) {
    const char *node = oc_plan_find_nonfinite(plan);
    return oc_fail(err, OC_ENUMERIC,
                   "validation: the network's output is not a finite number (first at layer %s); "
                   "try a lower --lr or --clip-norm 1",
                   node != NULL ? node : "unknown");
}

/* Photo `i` of the validation part, if the sample falls on it: `room` of `count`, evenly. */
static void keep(verdict *v, size_t i, const float *row, int32_t truth, uint32_t item) {
    bool chosen = (i + 1) * v->room / v->count > i * v->room / v->count;
    if (!chosen || v->kept == v->room) return;
    memcpy(v->logits + v->kept * v->classes, row, v->classes * sizeof *row);
    v->truth[v->kept] = truth;
    v->item[v->kept++] = item;
}

/* The rows of a batch whose first item is number `first`. */
static oc_status take(verdict *v, const oci_batch *batch, size_t first, oc_plan *plan,
                      oc_error *err) {
    const float *rows = oc_plan_output(plan);
    for (size_t i = 0; i < (size_t)batch->n; i++) {
        const float *row = rows + i * v->classes;
        if (batch->failed != NULL && batch->failed[i]) continue;
        if (!all_finite(row, v->classes)) return fail_nonfinite(plan, err);
        keep(v, first + i, row, batch->targets.label[i], batch->item[i]);
        v->seen++;
    }
    oc_scorer_add_rows(v->scorer, rows, (size_t)batch->n, 1, batch->targets.label, batch->failed,
                       v->threads);
    return OC_OK;
}

/* All of the validation part through the plan; s->stopped when interrupted. */
static oc_status run(verdict *v, oci_stage *stage, oci_session *s, oc_error *err) {
    oci_batch batch;
    oc_train_times ignored = {0};
    OC_TRY(oc_plan_import(stage->judge, OC_SLOT_WEIGHTS, s->weights, err));
    OC_TRY(oci_feed_start(stage->val_feed, 0, 0, err));
    oci_meter_start_phase(&s->meter);
    for (size_t done = 0; !oci_session_interrupted(s); done += (size_t)batch.n) {
        OC_TRY(oci_feed_next(stage->val_feed, &batch, &ignored, err));
        if (batch.n == 0) break;
        OC_TRY(oc_plan_forward(stage->judge, batch.input, batch.n, 0, NULL, NULL, err));
        OC_TRY(take(v, &batch, done, stage->judge, err));
        oci_meter_phase(&s->meter, "validation", done + (size_t)batch.n, s->data.val_count);
    }
    oci_feed_sleep(stage->val_feed);
    return OC_OK;
}

/* The scores at the temperature. Where but a sample was kept, what depends on the temperature is
 * the sample's. */
static oc_status rescore(verdict *v, double temperature, oc_error *err) {
    oc_scorer *scorer = NULL;
    oc_score score = {0};
    oc_status status = OC_OK;
    if (temperature == 1) return OC_OK; /* as they are */
    OC_TRY(oc_scorer_new(&scorer, v->classes, err));
    oc_scorer_add_rows(scorer, v->logits, v->kept, temperature, v->truth, NULL, v->threads);
    OC_GOTO(oc_scorer_finish(scorer, &score, err));
    v->score.nll = score.nll;
    v->score.ece = score.ece;
    memcpy(v->score.bin, score.bin, sizeof score.bin);
done:
    oc_score_clear(&score);
    oc_scorer_free(scorer);
    return status;
}

static oc_status put_metrics(verdict *v, oci_session *s, oc_error *err) {
    json_t *metrics = NULL;
    oc_eval eval = {.score = v->score, .seconds = oc_clock_seconds() - v->started};
    bool many = v->classes > OC_MAX_STORED_CLASSES;
    if (many) eval.score.classes = 0; /* rows that would be taken out again */
    OC_TRY(oc_eval_json(&eval, s->model, s->data.val_set, &metrics, err));
    if (v->classes > OC_MAX_STORED_CONFUSION) (void)json_object_del(metrics, "confusion");
    if (many) (void)json_object_del(metrics, "per_class");
    if (many) (void)json_object_del(metrics, "labels");
    json_decref(s->model->metrics);
    s->model->metrics = metrics;
    return OC_OK;
}

static bool is_better(const oci_position *p, double accuracy, double loss) {
    if (p->best_epoch == 0 || accuracy > p->best_accuracy) return true;
    return accuracy >= p->best_accuracy && loss < p->best_loss;
}

/* Make this epoch the best. */
static oc_status crown(verdict *v, oci_session *s, oc_error *err) {
    oci_position *p = &s->position;
    p->best_epoch = p->epoch + 1;
    p->best_accuracy = v->score.accuracy;
    p->best_loss = v->score.nll;
    p->temperature = oc_fit_temperature(v->logits, v->truth, v->kept, v->classes, v->threads);
    OC_TRY(oc_fit_threshold(&p->threshold, v->logits, v->truth, v->kept, v->classes, p->temperature,
                            v->threads, err));
    OC_TRY(oci_best_keep(s, err));
    OC_TRY(rescore(v, p->temperature, err));
    OC_TRY(put_metrics(v, s, err));
    const oci_judged judged = {v->score.confusion, v->logits, v->truth, v->item, v->kept,
                               v->classes};
    OC_TRY(oci_examples_choose(s, &judged, err));
    return oci_board_pictures(s, &judged, err);
}

/* Without a validation part the last epoch is the one to keep. */
static oc_status crown_last(oci_session *s, oc_epoch_summary *summary, oc_error *err) {
    oci_position *p = &s->position;
    summary->val_accuracy = summary->val_loss = NAN;
    summary->best = true;
    p->best_epoch = p->epoch + 1;
    p->best_accuracy = p->best_loss = NAN;
    p->temperature = 1;
    p->threshold = 0;
    return oci_best_keep(s, err);
}

oc_status oci_judge_epoch(oci_stage *stage, oci_session *s, oc_epoch_summary *summary,
                          oc_error *err) {
    if (stage->judge == NULL) return crown_last(s, summary, err);
    verdict v = {0};
    oc_status status = OC_OK;
    double mark = oc_clock_seconds();
    OC_GOTO(verdict_init(&v, s, err));
    OC_GOTO(run(&v, stage, s, err));
    if (s->stopped) goto done;
    if (v.seen == 0) {
        OC_GOTO(oc_fail(err, OC_EDATA, "none of the %zu validation images can be read",
                        s->data.val_count));
    }
    OC_GOTO(oc_scorer_finish(v.scorer, &v.score, err));
    summary->val_accuracy = v.score.accuracy;
    summary->val_loss = v.score.nll;
    summary->best = is_better(&s->position, v.score.accuracy, v.score.nll);
    if (summary->best) OC_GOTO(crown(&v, s, err));
done:
    verdict_clear(&v);
    s->meter.validation_seconds = oci_meter_lap(&mark);
    s->meter.times.validation += s->meter.validation_seconds;
    return status;
}
