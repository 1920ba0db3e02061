/* The loop: step after step, epoch after epoch, with its guards, its checkpoints and its stop.
 *
 * After every step the position says exactly what has been done, so that a checkpoint may be taken
 * between any two steps without a trace in the result. An epoch whose steps are all done but which
 * has not been judged yet is a position like any other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "train/train_int.h"

static const double CHECKPOINT_MINUTES = 5; /* within an epoch, unless told otherwise */
static const double CHECKPOINT_GAP = 5;     /* seconds: epochs shorter than this share one */
static const double STUCK_SHARE = 0.02;     /* of ln(classes) */
enum { JOURNAL_LINES = 20 };                /* for steps, in an epoch */

/* ---- one step -----------------------------------------------------------------------------------
 */

static double rate_now(const oci_stage *stage, const oci_session *s) {
    double lr = stage->head_only ? s->settings.head_lr * stage->rate : s->settings.lr;
    return lr * oci_schedule_factor(&stage->schedule, s->position.updates);
}

static oc_status fail_nonfinite(oci_stage *stage, const oci_session *s, double loss,
                                oc_error *err) {
    const char *node = oc_plan_find_nonfinite(stage->train);
    return oc_fail(err, OC_ENUMERIC,
                   "the loss became %g in epoch %d, step %llu, at learning rate %g (first at layer "
                   "%s); try a lower --lr, or --clip-norm 1",
                   loss, s->position.epoch + 1, (unsigned long long)s->position.step + 1,
                   rate_now(stage, s), node != NULL ? node : "softmax");
}

/* Sum gradients over the ranks; a rank alone has nothing to do. */
static oc_status exchange(oci_stage *stage, oci_session *s, oc_error *err) {
    int size = oc_dist_size(s->dist);
    if (size == 1) return OC_OK;
    size_t count = 0;
    float *grads = oc_plan_grads(stage->train, &count);
    OC_TRY(oc_dist_sum(s->dist, grads, count, err));
    for (size_t i = 0; i < count; i++) grads[i] /= (float)size;
    return OC_OK;
}

static oc_status update(oci_stage *stage, oci_session *s, oc_error *err) {
    const oci_settings *t = &s->settings;
    oc_update u = {.optimizer = t->optimizer,
                   .lr = (float)rate_now(stage, s),
                   .momentum = (float)t->momentum,
                   .nesterov = t->nesterov,
                   .caffe = t->caffe,
                   .rho = (float)t->rho,
                   .beta1 = (float)t->beta1,
                   .beta2 = (float)t->beta2,
                   .epsilon = (float)t->epsilon,
                   .l1 = (float)t->l1,
                   .l2 = (float)t->l2,
                   .lr_scale = stage->lr_scale,
                   .decay_scale = stage->decay_scale,
                   .clip_norm = (float)t->clip_norm,
                   .renormalise = t->renormalise,
                   .step = s->position.updates + 1};
    return oc_plan_update(stage->train, &u, err);
}

static void advance(oci_session *s, const oc_result *result, int n) {
    oci_position *p = &s->position;
    p->loss_sum += result->loss * n;
    p->correct += (uint64_t)result->correct;
    p->images += (uint64_t)n;
    p->step++;
    p->updates++;
    p->total++;
    oci_meter_count(&s->meter, (uint64_t)n);
}

/* Where in the data batch k of the next step lies. An epoch of photos is one of the run, unless
 * that is counted in iterations: then their order goes on, whatever happens in between. */
static void place_of(const oci_stage *stage, const oci_session *s, int k, uint32_t *epoch,
                     size_t *first) {
    const oci_position *p = &s->position;
    uint64_t batches = (uint64_t)s->settings.accumulate;
    *epoch = (uint32_t)p->epoch;
    *first = (size_t)(p->step * batches) + (size_t)k;
    if (s->settings.iterations == 0) return;
    uint64_t at = p->total * batches + (uint64_t)k;
    size_t whole = oci_feed_batches(stage->train_feed);
    *epoch = (uint32_t)(at / whole);
    *first = (size_t)(at % whole);
}

static oc_status next_batch(oci_stage *stage, oci_session *s, int k, oci_batch *batch,
                            oc_error *err) {
    uint32_t epoch = 0;
    size_t first = 0;
    place_of(stage, s, k, &epoch, &first);
    if (s->settings.iterations > 0 && first == 0)
        OC_TRY(oci_feed_start(stage->train_feed, epoch, first, err));
    OC_TRY(oci_feed_next(stage->train_feed, batch, &s->meter.times, err));
    if (batch->n > 0) return OC_OK;
    return oc_fail(err, OC_EINTERNAL, "the data ended in step %llu of %zu",
                   (unsigned long long)s->position.step, oci_stage_steps(stage, s));
}

/* Forward and backward of batch k of the step. */
static oc_status run_batch(oci_stage *stage, oci_session *s, int k, oc_result *result,
                           oc_error *err) {
    oc_train_times *times = &s->meter.times;
    uint64_t key = s->position.total * (uint64_t)s->settings.accumulate + (uint64_t)k;
    oci_batch batch;
    OC_TRY(next_batch(stage, s, k, &batch, err));
    double mark = oc_clock_seconds();
    OC_TRY(oc_plan_forward(stage->train, batch.input, batch.n, key, &batch.targets, result, err));
    times->forward += oci_meter_lap(&mark);
    if (!isfinite(result->loss)) return fail_nonfinite(stage, s, result->loss, err);
    OC_TRY(oc_plan_backward(stage->train, err));
    times->backward += oci_meter_lap(&mark);
    return OC_OK;
}

/* Batch k's gradients to the sum of those before; behind the last, the plan gets their mean. */
static void gather(oci_stage *stage, int k, int batches) {
    size_t count = 0;
    float *grads = oc_plan_grads(stage->train, &count), *sum = stage->gathered;
    float share = 1.0F / (float)batches;
    if (k == 0)
        memcpy(sum, grads, count * sizeof *sum);
    else if (k + 1 < batches)
        for (size_t i = 0; i < count; i++) sum[i] += grads[i];
    else
        for (size_t i = 0; i < count; i++) grads[i] = (sum[i] + grads[i]) * share;
}

static oc_status run_step(oci_stage *stage, oci_session *s, oc_result *result, oc_error *err) {
    int batches = s->settings.accumulate;
    *result = (oc_result){0};
    for (int k = 0; k < batches; k++) {
        oc_result part;
        OC_TRY(run_batch(stage, s, k, &part, err));
        result->loss += part.loss / batches;
        result->correct += part.correct;
        if (batches > 1) gather(stage, k, batches);
    }
    double mark = oc_clock_seconds();
    OC_TRY(exchange(stage, s, err));
    OC_TRY(update(stage, s, err));
    s->meter.times.update += oci_meter_lap(&mark);
    advance(s, result, batches * s->settings.batch);
    return OC_OK;
}

/* ---- telling
 * -------------------------------------------------------------------------------------- */

static double mean_loss(const oci_position *p) {
    return p->images > 0 ? p->loss_sum / (double)p->images : 0;
}

static double accuracy(const oci_position *p) {
    return p->images > 0 ? (double)p->correct / (double)p->images : 0;
}

static double seconds_left(const oci_stage *stage, const oci_session *s, double rate) {
    const oci_position *p = &s->position;
    double epochs = s->settings.epochs - p->epoch;
    double steps = epochs * (double)stage->steps - (double)p->step;
    if (s->settings.iterations > 0) steps = (double)s->settings.iterations - (double)p->total;
    double validation = epochs * s->meter.validation_seconds;
    return rate > 0 ? steps * s->settings.batch * s->settings.accumulate / rate + validation : 0;
}

static void show_step(const oci_stage *stage, const oci_session *s, double lr) {
    const oc_train_observer *o = s->meter.observer;
    const oci_position *p = &s->position;
    if (o->step == NULL) return;
    double rate = oci_meter_rate(&s->meter);
    oc_train_progress now = {.epoch = p->epoch + 1,
                             .epochs = s->settings.epochs,
                             .step = (size_t)p->step,
                             .steps = oci_stage_steps(stage, s),
                             .images_per_second = rate,
                             .loss = mean_loss(p),
                             .accuracy = accuracy(p),
                             .lr = lr,
                             .eta_seconds = seconds_left(stage, s, rate),
                             .times = oci_meter_times(&s->meter),
                             .phase = stage->phase};
    o->step(o->ctx, &now);
}

static oc_status tell_step(const oci_stage *stage, oci_session *s, double lr,
                           const oc_result *result, oc_error *err) {
    show_step(stage, s, lr);
    OC_TRY(oci_board_step(stage, s, lr, result, err));
    size_t every = stage->steps / JOURNAL_LINES + 1;
    if (s->position.step % every != 0) return OC_OK;
    return oci_journal_step(&s->journal, &s->position, lr, result->loss, oci_meter_rate(&s->meter),
                            err);
}

/* ---- checkpoints
 * ------------------------------------------------------------------------------------ */

static double seconds_between(const oci_session *s) {
    double minutes = s->options->checkpoint_minutes;
    return 60 * (minutes > 0 ? minutes : CHECKPOINT_MINUTES);
}

static bool is_due(const oci_session *s, double seconds) {
    uint64_t every = s->options->snapshot_every;
    bool counted = every > 0 && s->position.total % every == 0 && s->position.total > s->snapshot;
    return counted || oc_clock_seconds() - s->last_checkpoint >= seconds;
}

/* The folder first: a finished checkpoint promises that the model is there. */
static oc_status checkpoint(oci_stage *stage, oci_session *s, oc_error *err) {
    s->position.seconds = s->earlier_seconds + oc_clock_seconds() - s->meter.started;
    OC_TRY(oci_stage_export(stage, s, err));
    OC_TRY(oci_stage_export_slots(stage, s, err));
    if (s->position.best_epoch > 0 || s->stopped) OC_TRY(oci_folder_save(s, err));
    s->snapshot = s->position.total;
    return oci_checkpoint_write(s, err);
}

/* ---- one epoch
 * ---------------------------------------------------------------------------------------- */

/* The steps that are left of this epoch; at least one, so that every run gets on. */
static oc_status run_steps(oci_stage *stage, oci_session *s, oc_error *err) {
    oci_position *p = &s->position;
    size_t steps = oci_stage_steps(stage, s), first = 0;
    uint32_t epoch = 0;
    if (p->step >= steps) return OC_OK;
    place_of(stage, s, 0, &epoch, &first);
    OC_TRY(oci_feed_start(stage->train_feed, epoch, first, err));
    do {
        oc_result result;
        double lr = rate_now(stage, s);
        if (is_due(s, seconds_between(s))) OC_TRY(checkpoint(stage, s, err));
        if (p->step + 1 == steps && stage->val_feed != NULL)
            OC_TRY(oci_feed_start(stage->val_feed, 0, 0, err));
        OC_TRY(run_step(stage, s, &result, err));
        OC_TRY(oc_dist_size(s->dist) > 1 ? oc_dist_agree(s->dist, OC_OK, err) : OC_OK);
        OC_TRY(tell_step(stage, s, lr, &result, err));
    } while (!oci_session_should_stop(s) && p->step < steps);
    oci_feed_rest(stage->train_feed);
    return OC_OK;
}

/* The mean over an epoch is that of a beginner; what was held out was judged at its end. */
static void warn_stuck(const oci_stage *stage, const oci_session *s,
                       const oc_epoch_summary *summary) {
    size_t classes = s->model->classes.count;
    bool judged = isfinite(summary->val_loss);
    if (!judged) (void)oc_plan_classes(stage->train, &classes);
    double guess = log((double)classes);
    double loss = judged ? summary->val_loss : summary->train_loss;
    if (s->position.epoch != 0 || fabs(loss - guess) > STUCK_SHARE * guess) return;
    oc_warn(
        oci_session_log(s),
        "after the first epoch the loss is %.3f, that of guessing among %zu classes (%.3f): the "
        "network has learned nothing yet. Try another --lr (a tenth, or ten times), start from "
        "pretrained weights with --from, or check the labels with `ocellus data`",
        loss, classes, guess);
}

static oc_status tell_epoch(const oci_stage *stage, oci_session *s, const oc_epoch_summary *summary,
                            oc_error *err) {
    const oc_train_observer *o = s->meter.observer;
    if (o->epoch != NULL) o->epoch(o->ctx, summary);
    warn_stuck(stage, s, summary);
    OC_TRY(oci_board_epoch(s, summary, err));
    return oci_journal_epoch(&s->journal, summary, err);
}

static bool runs_out_of_patience(const oci_stage *stage, const oci_session *s) {
    const oci_settings *t = &s->settings;
    if (t->patience == 0 || stage->judge == NULL || stage->end < t->epochs) return false;
    return s->position.epoch - s->position.best_epoch >= t->patience;
}

/* On to the next epoch. */
static void turn(oci_stage *stage, oci_session *s) {
    oci_position *p = &s->position;
    p->last_loss = mean_loss(p);
    p->epoch++;
    p->step = 0;
    p->loss_sum = 0;
    p->correct = p->images = 0;
    if (p->epoch == stage->end) p->updates = 0;
    p->finished = p->epoch >= s->settings.epochs;
    if (p->finished || !runs_out_of_patience(stage, s)) return;
    p->finished = true;
    oc_info(oci_session_log(s), "no better epoch in the last %d: stopping early",
            s->settings.patience);
}

/* What the loader did in this epoch. */
static oc_loader_use count_use(oci_stage *stage, oci_session *s) {
    oc_loader_use now = oci_feed_used(stage->train_feed);
    oc_loader_use use = oci_use_since(&now, &stage->used);
    stage->used = now;
    s->use.busy += use.busy;
    s->use.reading += use.reading;
    return use;
}

/* Judge the epoch, tell, and turn to the next. */
static oc_status end_epoch(oci_stage *stage, oci_session *s, oc_error *err) {
    oci_position *p = &s->position;
    double spent = oc_clock_seconds() - s->meter.epoch_started;
    uint64_t images = s->meter.images - s->meter.epoch_images;
    oc_epoch_summary summary = {.epoch = p->epoch + 1,
                                .epochs = s->settings.epochs,
                                .train_loss = mean_loss(p),
                                .train_accuracy = accuracy(p),
                                .images_per_second = spent > 0 ? (double)images / spent : 0,
                                .lr = rate_now(stage, s)};
    oc_loader_use use = count_use(stage, s);
    OC_TRY(oci_stage_export(stage, s, err));
    if (p->epoch + 1 < stage->end && s->settings.iterations == 0)
        OC_TRY(oci_feed_start(stage->train_feed, (uint32_t)p->epoch + 1, 0, err));
    OC_TRY(oci_judge_epoch(stage, s, &summary, err));
    if (s->stopped) return OC_OK;
    summary.times = oci_meter_epoch_times(&s->meter);
    summary.bottleneck = oci_bottleneck_name(oci_bottleneck_of(&summary.times, &use));
    summary.workers = use.workers;
    summary.seconds = oc_clock_seconds() - s->meter.epoch_started;
    OC_TRY(tell_epoch(stage, s, &summary, err));
    oci_bottleneck_tell(s, &summary.times, &use, &stage->told);
    oci_photos_tell(stage, s);
    turn(stage, s);
    return OC_OK;
}

oc_status oci_loop_run(oci_stage *stage, oci_session *s, oc_error *err) {
    double gap = seconds_between(s) < CHECKPOINT_GAP ? seconds_between(s) : CHECKPOINT_GAP;
    while (s->position.epoch < stage->end && !s->position.finished) {
        oci_meter_start_epoch(&s->meter);
        OC_TRY(run_steps(stage, s, err));
        if (!s->stopped) OC_TRY(end_epoch(stage, s, err));
        bool last = s->position.epoch == stage->end || s->position.finished;
        if (s->stopped || last || is_due(s, gap)) OC_TRY(checkpoint(stage, s, err));
        if (s->stopped) break;
    }
    return OC_OK;
}
