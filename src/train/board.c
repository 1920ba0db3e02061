/* The run as TensorBoard shows it: curves over steps, histograms, settings.
 *
 * The step of everything is the number of steps done in all, so that a run that was stopped goes on
 * where its checkpoint stands: what a former file says of later steps is void from then on.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "train/train_int.h"

/* Points of a curve in an epoch, so that one of forty epochs has the thousand points that
 * TensorBoard keeps of it. */
enum { POINTS = 25 };

/* What people compare runs by; the HPARAMS page sorts it by name. */
static json_t *first_settings(const oci_session *s) {
    const oci_settings *t = &s->settings;
    bool head = t->tune == OC_TUNE_HEAD;
    return json_pack("{s:s?, s:f, s:i, s:s, s:s, s:i, s:i, s:i, s:I}", "arch", s->arch,
                     "learning_rate", head ? t->head_lr : t->lr, "batch", t->batch, "optimizer",
                     oc_optimizer_name(t->optimizer), "augment",
                     oc_level_name(head ? t->head_level : t->level), "epochs", t->epochs,
                     "input_side", s->model->recipe.width, "classes", (int)s->model->classes.count,
                     "train_images", (json_int_t)s->data.train_count);
}

static oc_status put_settings(oci_session *s, oc_error *err) {
    static const char *const metrics[] = {"accuracy/validation_best", "accuracy/validation",
                                          "loss/validation", "accuracy/train", "loss/train"};
    json_t *rest = NULL, *settings = first_settings(s);
    oc_status status = OC_OK;
    OC_GOTO(oci_settings_json(&s->settings, &rest, err));
    if (settings == NULL || json_object_update_missing(settings, rest) != 0)
        OC_GOTO(oc_fail_nomem(err, 0, "the settings of the run"));
    status = oc_events_hparams(s->board.events, settings, metrics,
                               sizeof metrics / sizeof metrics[0], err);
done:
    json_decref(rest);
    json_decref(settings);
    return status;
}

oc_status oci_board_open(oci_session *s, oc_error *err) {
    const char *folder = s->options->out;
    if (!s->resumed) OC_TRY(oc_events_remove(folder, err));
    if (s->options->board == OC_BOARD_OFF || s->position.finished) return OC_OK;
    uint64_t from = s->resumed ? s->position.total + 1 : 0;
    OC_TRY(oc_events_open(&s->board.events, folder, from, err));
    return s->resumed ? OC_OK : put_settings(s, err);
}

void oci_board_close(oci_session *s) {
    oc_events_close(s->board.events);
    s->board.events = NULL;
}

/* ---- curves -----------------------------------------------------------------------------------
 */

static oc_status put_point(oci_session *s, double lr, oc_error *err) {
    oci_board *b = &s->board;
    const oc_train_times *now = &s->meter.times, *then = &b->times;
    double data = now->data - then->data;
    double spent = data + now->forward - then->forward + now->backward - then->backward +
                   now->update - then->update;
    double images = (double)b->images, seconds = spent > 0 ? spent : 1e-9;
    const oc_scalar points[] = {{"loss/train", b->loss / images},
                                {"accuracy/train", (double)b->correct / images},
                                {"learning_rate", lr},
                                {"speed/images_per_second", images / seconds},
                                {"speed/share_waiting_for_data", data / seconds}};
    OC_TRY(oc_events_scalars(b->events, s->position.total, points, sizeof points / sizeof points[0],
                             err));
    *b = (oci_board){.events = b->events, .times = *now};
    return OC_OK;
}

static oc_status put_histograms(const oci_session *s, const oc_tensors *set, const char *group,
                                const oc_tensors *trained, oc_error *err) {
    char tag[OC_NAME_BYTES + 64];
    for (size_t i = 0; i < oc_tensors_count(trained); i++) {
        const char *name = oc_tensors_name(trained, i);
        const oc_tensor *t = oc_tensors_find(set, name);
        (void)snprintf(tag, sizeof tag, "%s/%s", group, name);
        OC_TRY(oc_events_histogram(s->board.events, s->position.total, tag, t->data,
                                   oc_tensor_count(t), err));
    }
    return OC_OK;
}

/* Of the weights after the step and of the gradients that it was made of. */
static oc_status look_inside(const oci_stage *stage, const oci_session *s, oc_error *err) {
    oc_tensors *weights = NULL, *gradients = NULL;
    oc_status status = OC_OK;
    OC_GOTO(oc_tensors_new(&weights, err));
    OC_GOTO(oc_tensors_new(&gradients, err));
    OC_GOTO(oc_plan_lend(stage->train, OC_SLOT_WEIGHTS, weights, err));
    OC_GOTO(oc_plan_lend(stage->train, OC_SLOT_GRADS, gradients, err));
    OC_GOTO(put_histograms(s, weights, "weights", gradients, err));
    status = put_histograms(s, gradients, "gradients", gradients, err);
done:
    oc_tensors_free(weights);
    oc_tensors_free(gradients);
    return status;
}

oc_status oci_board_step(const oci_stage *stage, oci_session *s, double lr, const oc_result *result,
                         oc_error *err) {
    oci_board *b = &s->board;
    if (b->events == NULL) return OC_OK;
    int images = s->settings.batch * s->settings.accumulate, histograms = s->options->histograms;
    b->loss += result->loss * images;
    b->correct += (uint64_t)result->correct;
    b->images += (uint64_t)images;
    if (s->position.step % (stage->steps / POINTS + 1) == 0) OC_TRY(put_point(s, lr, err));
    if (histograms == 0 || s->position.total % (uint64_t)histograms != 0) return OC_OK;
    return look_inside(stage, s, err);
}

oc_status oci_board_epoch(oci_session *s, const oc_epoch_summary *summary, oc_error *err) {
    const oc_scalar points[] = {{"epoch", summary->epoch},
                                {"loss/validation", summary->val_loss},
                                {"accuracy/validation", summary->val_accuracy},
                                {"accuracy/validation_best", s->position.best_accuracy}};
    if (s->board.events == NULL) return OC_OK;
    size_t count = isfinite(summary->val_loss) ? sizeof points / sizeof points[0] : 1;
    return oc_events_scalars(s->board.events, s->position.total, points, count, err);
}

oc_status oci_board_finish(oci_session *s, oc_error *err) {
    return s->board.events != NULL ? oc_events_success(s->board.events, err) : OC_OK;
}
