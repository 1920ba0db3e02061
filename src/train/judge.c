/* Judging an epoch on the validation part: is it the best so far, and how certain may it be.
 *
 * The best epoch is the one with the highest accuracy, among equals the one with the lowest loss.
 * Its logits give the temperature (Guo et al. 2017), and with that its metrics.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "train/train_int.h"

/* Logits kept for calibration: at most so many values (1 GiB). */
static const size_t MAX_VALUES = (size_t)256 << 20;

typedef struct verdict {
    float *logits;       /* (kept, classes) */
    int32_t *truth;      /* (kept) */
    oc_prediction *each; /* (kept) */
    size_t kept, room, seen, classes;
    oc_scorer *scorer; /* at temperature 1 */
    oc_score score;
    double started;
} verdict;

static void verdict_clear(verdict *v) {
    oc_free(v->logits);
    oc_free(v->truth);
    oc_free(v->each);
    oc_scorer_free(v->scorer);
    oc_score_clear(&v->score);
}

static oc_status verdict_init(verdict *v, const oci_session *s, oc_error *err) {
    size_t count = s->data.val_count, bytes;
    v->started = oc_clock_seconds();
    v->classes = s->model->classes.count;
    v->room = count < MAX_VALUES / v->classes ? count : MAX_VALUES / v->classes;
    bytes = v->room * v->classes * sizeof(float);
    v->logits = oc_malloc(bytes);
    v->truth = oc_calloc(v->room, sizeof *v->truth);
    v->each = oc_calloc(v->room, sizeof *v->each);
    if (v->logits == NULL || v->truth == NULL || v->each == NULL) {
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

static oc_status take(verdict *v, const oci_batch *batch, oc_plan *plan, oc_error *err) {
    const float *row = oc_plan_output(plan);
    for (int i = 0; i < batch->n; i++, row += v->classes) {
        if (batch->failed != NULL && batch->failed[i]) continue;
        if (!all_finite(row, v->classes)) {
            const char *node = oc_plan_find_nonfinite(plan);
            return oc_fail(err, OC_ENUMERIC,
                           "validation: the network's output is not a finite number (first at "
                           "layer %s); try a lower --lr or --clip-norm 1",
                           node != NULL ? node : "unknown");
        }
        oc_scorer_add(v->scorer, row, 1, batch->targets.label[i]);
        v->seen++;
        if (v->kept == v->room) continue;
        memcpy(v->logits + v->kept * v->classes, row, v->classes * sizeof *row);
        v->each[v->kept].item = batch->item[i];
        v->truth[v->kept++] = batch->targets.label[i];
    }
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
        OC_TRY(take(v, &batch, stage->judge, err));
        oci_meter_phase(&s->meter, "validation", done + (size_t)batch.n, s->data.val_count);
    }
    oci_feed_sleep(stage->val_feed);
    return OC_OK;
}

/* The scores at the temperature. */
static oc_status rescore(verdict *v, double temperature, oc_error *err) {
    oc_scorer *scorer = NULL;
    if (temperature == 1) return OC_OK; /* as they are */
    OC_TRY(oc_scorer_new(&scorer, v->classes, err));
    for (size_t i = 0; i < v->kept; i++) {
        oc_scorer_add(scorer, v->logits + i * v->classes, temperature, v->truth[i]);
    }
    oc_score_clear(&v->score);
    oc_status status = oc_scorer_finish(scorer, &v->score, err);
    oc_scorer_free(scorer);
    return status;
}

/* The most likely class of each image, and its and the true one's probability. */
static void predict(verdict *v, double temperature) {
    for (size_t i = 0; i < v->kept; i++) {
        const float *row = v->logits + i * v->classes;
        size_t top = 0;
        double sum = 0;
        for (size_t c = 1; c < v->classes; c++) top = row[c] > row[top] ? c : top;
        for (size_t c = 0; c < v->classes; c++) sum += exp((row[c] - row[top]) / temperature);
        oc_prediction *p = &v->each[i];
        p->truth = v->truth[i];
        p->label = (int32_t)top;
        p->p = (float)(1 / sum);
        p->p_truth = (float)(exp((row[p->truth] - row[top]) / temperature) / sum);
    }
}

static oc_status put_metrics(verdict *v, oci_session *s, oc_error *err) {
    json_t *metrics = NULL;
    predict(v, s->position.temperature);
    oc_eval eval = {
        .score = v->score, .predictions = v->each, .seconds = oc_clock_seconds() - v->started};
    OC_TRY(oc_eval_json(&eval, s->model, s->data.val_set, &metrics, err));
    if (v->classes > OC_MAX_STORED_CONFUSION) (void)json_object_del(metrics, "confusion");
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
    p->temperature = v->kept < v->seen
                         ? 1 /* the scores could not be made again with another */
                         : oc_fit_temperature(v->logits, v->truth, v->kept, v->classes);
    OC_TRY(oci_best_keep(s, err));
    OC_TRY(rescore(v, p->temperature, err));
    return put_metrics(v, s, err);
}

/* Without a validation part the last epoch is the one to keep. */
static oc_status crown_last(oci_session *s, oc_epoch_summary *summary, oc_error *err) {
    oci_position *p = &s->position;
    summary->val_accuracy = summary->val_loss = NAN;
    summary->best = true;
    p->best_epoch = p->epoch + 1;
    p->best_accuracy = p->best_loss = NAN;
    p->temperature = 1;
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
