/* The session: from options to a run that stands ready at its first, or next, step.
 *
 * What fails fast comes first: options, weights, network; then the slow look into every file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "train/train_int.h"

/* Images that mean and deviation are measured on. */
enum { MEASURED_IMAGES = 2000 };
static const uint64_t LOGITS_IN_MEMORY = 256 << 20;
static const uint64_t BEST_IN_MEMORY = 512 << 20; /* bytes; VGG-16 has 550 MB */

const oc_log *oci_session_log(const oci_session *s) {
    return s->meter.observer->log;
}

bool oci_session_interrupted(oci_session *s) {
    const volatile sig_atomic_t *stop = s->meter.observer->stop;
    if (stop != NULL && *stop) s->stopped = true;
    return s->stopped;
}

bool oci_session_should_stop(oci_session *s) {
    double limit = s->options->stop_after_minutes * 60;
    if (limit > 0 && oc_clock_seconds() - s->meter.started >= limit) s->stopped = true;
    return oci_session_interrupted(s);
}

oc_status oci_tensors_copy(oc_tensors *dst, const oc_tensors *src, oc_error *err) {
    for (size_t i = 0; i < oc_tensors_count(src); i++) {
        const char *name = oc_tensors_name(src, i);
        const oc_tensor *from = oc_tensors_at(src, i);
        oc_tensor *to = oc_tensors_find(dst, name);
        if (to == NULL) OC_TRY(oc_tensors_add(dst, name, from->dtype, &from->shape, &to, err));
        OC_PROMISE(to->dtype == from->dtype && oc_shape_equal(&to->shape, &from->shape));
        memcpy(to->data, from->data, oc_tensor_bytes(from));
    }
    return OC_OK;
}

uint64_t oci_tensors_bytes(const oc_tensors *set) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < oc_tensors_count(set); i++)
        bytes += oc_tensor_bytes(oc_tensors_at(set, i));
    return bytes;
}

static oc_status name_arch(oci_session *s, oc_error *err) {
    const oc_arch *arch = s->origin.arch;
    const char *name = arch != NULL              ? arch->name
                       : s->origin.model != NULL ? s->origin.model->arch
                                                 : NULL;
    if (name == NULL) return OC_OK;
    bool has_aux = arch != NULL && arch->without_aux != NULL;
    s->model->arch = oc_strdup(has_aux ? arch->without_aux : name);
    if (s->model->arch == NULL) return oc_fail_nomem(err, strlen(name) + 1, "a name");
    s->arch = arch != NULL ? arch->name : s->model->arch;
    return OC_OK;
}

/* "training its network at 227 x 227: 450 iterations, batch 32, sgd, lr 0.01 (step), seed 0" */
static void tell_net(const oci_session *s) {
    const oci_settings *t = &s->settings;
    const oc_recipe *r = &s->model->recipe;
    char length[64], batches[32] = "";
    (void)snprintf(length, sizeof length, "%d epochs", t->epochs);
    if (t->iterations > 0)
        (void)snprintf(length, sizeof length, "%llu iterations", (unsigned long long)t->iterations);
    if (t->accumulate > 1) (void)snprintf(batches, sizeof batches, " x %d", t->accumulate);
    oc_info(oci_session_log(s),
            "training %s at %d x %d: %s, batch %d%s, %s%s, lr %g (%s), seed %llu",
            s->model->arch != NULL ? s->model->arch : "the network", r->width, r->height, length,
            t->batch, batches, t->nesterov ? "nesterov's " : "", oc_optimizer_name(t->optimizer),
            t->lr, oci_schedule_name(t->schedule), (unsigned long long)t->seed);
}

/* "fine-tuning mobilenet_v2 (weights.safetensors) at 224 x 224, 10 epochs, batch 32, ..." */
static void tell_plan(const oci_session *s, const char *engine) {
    const oci_settings *t = &s->settings;
    const oc_recipe *r = &s->model->recipe;
    if (s->options->net != NULL) {
        tell_net(s);
        oc_info(oci_session_log(s), "%s, %d threads", engine, t->threads);
        return;
    }
    oc_info(oci_session_log(s),
            "%s %s%s%s at %d x %d: %d epochs, batch %d, %s, lr %g%s, augmentation %s, seed %llu",
            t->scratch ? "training" : "fine-tuning",
            s->arch != NULL ? s->arch : "the model's network",
            t->scratch ? " from scratch" : " from ", t->scratch ? "" : s->options->from, r->width,
            r->height, t->epochs, t->batch, oc_optimizer_name(t->optimizer),
            t->tune == OC_TUNE_HEAD ? t->head_lr : t->lr,
            t->body_scale < 1 && t->tune != OC_TUNE_HEAD ? " (head; body a tenth)" : "",
            oc_level_name(t->tune == OC_TUNE_HEAD ? t->head_level : t->level),
            (unsigned long long)t->seed);
    oc_info(oci_session_log(s), "%s, %d threads", engine, t->threads);
}

static oc_status tell(const oci_session *s, oc_error *err) {
    oc_buf engine = {0};
    oc_status status = oc_engine_describe(s->options->engine, &engine, err);
    if (status == OC_OK) status = oc_buf_status(&engine, err);
    if (status == OC_OK) tell_plan(s, engine.data);
    oc_buf_clear(&engine);
    return status;
}

/* Network, weights, recipe as far as it is known without looking at images. */
static oc_status build(oci_session *s, bool *measure, oc_error *err) {
    const oc_classes *classes = oc_dataset_classes(s->data.train_set);
    bool head_kept = false;
    oci_need need;
    OC_TRY(oc_model_new(&s->model, err));
    OC_TRY(oc_tensors_new(&s->model->weights, err));
    OC_TRY(oc_classes_copy(classes, &s->model->classes, err));
    OC_TRY(name_arch(s, err));
    OC_TRY(
        oci_recipe_choose(&s->model->recipe, measure, &s->origin, &s->settings, s->options, err));
    OC_TRY(oci_net_graph(&s->model->graph, &s->origin, classes, &s->model->recipe, err));
    OC_TRY(oci_need_measure(&need, s, err));
    OC_TRY(oci_net_weights(&s->weights, &head_kept, s->model->graph, &s->origin, classes,
                           s->settings.seed, oci_session_log(s), err));
    if (head_kept) oci_settings_keep_head(&s->settings, s->options);
    OC_TRY(tell(s, err));
    oci_need_tell(&need, s);
    return OC_OK;
}

/* A step has no more images than there are. */
static void fit_batches(oci_settings *t, size_t images, const oc_log *log) {
    if (t->iterations > 0) return; /* there the photos begin again where they end */
    if ((size_t)t->batch > images) {
        oc_warn(log, "batch %d is more than the %zu training images: reduced to %zu", t->batch,
                images, images);
        t->batch = (int)images;
    }
    size_t most = images / (size_t)t->batch;
    if ((size_t)t->accumulate <= most) return;
    oc_warn(log, "--accumulate %d: %zu training images are %zu batches of %d: reduced to %zu",
            t->accumulate, images, most, t->batch, most);
    t->accumulate = (int)most;
}

/* Judged as often as told, else each time that every photo has been seen. */
static void count_iterations(oci_session *s) {
    oci_settings *t = &s->settings;
    size_t photos = (size_t)t->batch * (size_t)t->accumulate;
    if (t->iterations == 0) return;
    if (t->judge_every == 0) oci_settings_count(t, (s->data.train_count + photos - 1) / photos);
    oc_info(oci_session_log(s), "judged after every %llu iterations, here called an epoch",
            (unsigned long long)t->judge_every);
}

static oc_status sort_data(oci_session *s, oc_error *err) {
    const oc_log *log = oci_session_log(s);
    oci_meter_start_phase(&s->meter);
    oci_meter_phase(&s->meter, "scan", 0, oc_dataset_count(s->data.train_set));
    OC_TRY(oci_material_sort(&s->data, s->options, &s->settings, log, err));
    OC_TRY(oci_material_remember(&s->data, s->model, log, err));
    fit_batches(&s->settings, s->data.train_count, log);
    count_iterations(s);
    return OC_OK;
}

/* Continue what is there, or clear the folder. */
static oc_status take_folder(oci_session *s, oc_error *err) {
    const oc_log *log = oci_session_log(s);
    if (s->options->resume) OC_TRY(oci_checkpoint_read(s, &s->resumed, err));
    if (!s->resumed) {
        if (s->options->resume)
            oc_info(log, "%s: nothing to resume, starting afresh", s->options->out);
        OC_TRY(oci_folder_begin(s->options->out, log, err));
    } else if (s->position.finished) {
        oc_info(log, "%s: this run is finished", s->options->out);
    } else {
        oc_info(log, "resuming in epoch %d of %d, step %llu", s->position.epoch + 1,
                s->settings.epochs, (unsigned long long)s->position.step);
    }
    s->earlier_seconds = s->position.seconds;
    return oci_journal_open(&s->journal, s->options->out, s->position.log_bytes, err);
}

static oc_status measure_colours(oci_session *s, oc_error *err) {
    oc_recipe *r = &s->model->recipe;
    OC_TRY(oc_dataset_measure(s->data.train_set, s->data.train, s->data.train_count,
                              MEASURED_IMAGES, s->settings.threads, r, err));
    oc_info(oci_session_log(s), "measured mean %.3f %.3f %.3f, deviation %.3f %.3f %.3f",
            (double)r->mean[0], (double)r->mean[1], (double)r->mean[2], (double)r->std[0],
            (double)r->std[1], (double)r->std[2]);
    return OC_OK;
}

static uint64_t quarter_of_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes / 4 : 0;
}

oc_status oci_session_open(oci_session *s, const oc_train_options *options,
                           const oc_train_observer *observer, oc_error *err) {
    static const oc_train_observer nobody;
    bool measure = false;
    s->options = options;
    s->best_saved = -1;
    s->feature_budget = quarter_of_memory();
    s->memory_budget = options->memory_limit > 0 ? options->memory_limit : oc_free_memory();
    s->logit_budget = options->logits_in_memory > 0 ? options->logits_in_memory : LOGITS_IN_MEMORY;
    s->best_budget = options->best_in_memory > 0 ? options->best_in_memory : BEST_IN_MEMORY;
    oci_meter_init(&s->meter, observer != NULL ? observer : &nobody);
    OC_TRY(oci_settings_resolve(&s->settings, options, NULL, err));
    OC_TRY(oci_folder_check(options->out, options->from, err));
    OC_TRY(oci_origin_open(&s->origin, options, err));
    const oc_arch *arch = s->origin.arch;
    OC_TRY(oci_settings_resolve(&s->settings, options, arch != NULL ? &arch->hints : NULL, err));
    OC_TRY(oci_material_open(&s->data, options, oci_session_log(s), err));
    OC_TRY(oci_folder_lock(options->out, &s->lock, err));
    OC_TRY(build(s, &measure, err));
    oci_settings_keep_photos(&s->settings, options, &s->model->recipe);
    OC_TRY(sort_data(s, err));
    OC_TRY(oc_dist_new(&s->dist, NULL, err));
    OC_TRY(take_folder(s, err));
    if (measure && !s->resumed) OC_TRY(measure_colours(s, err));
    oci_origin_clear(&s->origin);
    OC_TRY(oci_board_open(s, err));
    return oci_folder_origin(s, err);
}

void oci_session_clear(oci_session *s) {
    oci_journal_close(&s->journal);
    oci_board_close(s);
    if (s->lock >= 0) (void)close(s->lock);
    oc_free(s->examples);
    oc_dist_free(s->dist);
    for (int k = 0; k < 2; k++) oc_tensors_free(s->slot[k]);
    oc_tensors_free(s->weights);
    for (int k = 0; k < 2; k++) oc_safetensors_close(s->read[k]);
    oc_model_free(s->model);
    oci_origin_clear(&s->origin);
    oci_material_clear(&s->data);
}
