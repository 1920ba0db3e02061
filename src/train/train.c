/* oc_train: open a session, run its stages, tell the outcome.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "train/train_int.h"

/* One stage, unless it is behind us. */
static oc_status run_stage(oci_session *s, int first, int end, bool head_only, oc_error *err) {
    if (s->stopped || s->position.finished || s->position.epoch >= end) return OC_OK;
    oci_stage stage;
    oc_status status = OC_OK;
    OC_GOTO(oci_stage_open(&stage, s, first, end, head_only, err));
    if (!s->stopped) OC_GOTO(oci_loop_run(&stage, s, err));
    status = oci_stage_leave(&stage, s, err);
done:
    oci_stage_clear(&stage);
    return status;
}

/* The head first where that is asked for, then everything. */
static oc_status run_stages(oci_session *s, oc_error *err) {
    int head = s->settings.head_epochs;
    if (head > 0) OC_TRY(run_stage(s, 0, head, true, err));
    return run_stage(s, head, s->settings.epochs, false, err);
}

static void fill_result(const oci_session *s, oc_train_result *r) {
    const oci_position *p = &s->position;
    oc_train_times times = oci_meter_times(&s->meter);
    double training = times.data + times.forward + times.backward + times.update;
    *r = (oc_train_result){.epochs_done = p->epoch,
                           .best_epoch = p->best_epoch,
                           .best_accuracy = p->best_epoch > 0 ? p->best_accuracy : NAN,
                           .best_loss = p->best_epoch > 0 ? p->best_loss : NAN,
                           .final_loss = p->epoch > 0 ? p->last_loss : NAN,
                           .temperature = p->best_epoch > 0 ? p->temperature : 1,
                           .threshold = p->best_epoch > 0 ? p->threshold : 0,
                           .seconds = s->earlier_seconds + oc_clock_seconds() - s->meter.started,
                           .images_per_second =
                               training > 0 ? (double)s->meter.images / training : 0,
                           .train_images = s->data.train_count,
                           .val_images = s->data.val_count,
                           .classes = s->model->classes.count,
                           .rejected = oci_material_rejected(&s->data),
                           .times = times,
                           .bottleneck = oci_bottleneck_name(oci_bottleneck_of(&times, &s->use)),
                           .peak_rss = oc_peak_rss_bytes(),
                           .steps_done = p->total,
                           .stopped = s->stopped};
}

oc_status oc_train(const oc_train_options *options, const oc_train_observer *observer,
                   oc_train_result *result, oc_error *err) {
    oci_session s = {.journal.fd = -1, .lock = -1};
    oc_status status = OC_OK;
    OC_GOTO(oci_session_open(&s, options, observer, err));
    s.last_checkpoint = oc_clock_seconds();
    OC_GOTO(run_stages(&s, err));
    fill_result(&s, result);
    oci_bottleneck_sum_up(&s, &result->times);
    if (s.position.finished) oci_photos_remove(&s);
    if (s.position.finished) OC_GOTO(oci_examples_write(&s, err));
    if (s.position.finished) OC_GOTO(oci_board_finish(&s, err));
done:
    oci_session_clear(&s);
    return status;
}
