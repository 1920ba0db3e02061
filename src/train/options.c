/* Options to settings: the one place where training's defaults live.
 *
 * A value comes from, in this order: the option given; the wish of the network's family (training
 * from scratch); the row of the table that fits the start and the optimiser.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <math.h>

#include "train/settings_int.h"

/* By optimiser. epsilon as in torch.optim. */
static const struct optimizer_row {
    double lr, l2, epsilon, rho;
} by_optimizer[OC_OPTIMIZER_COUNT] = {
    [OC_SGD] = {0.05, 1e-4, 0, 0},
    [OC_ADAGRAD] = {0.01, 1e-4, 1e-10, 0},
    [OC_RMSPROP] = {0.001, 1e-4, 1e-8, 0.99},
    [OC_ADAMW] = {0.001, 1e-2, 1e-8, 0},
    [OC_ADAM] = {0.001, 1e-4, 1e-8, 0},
    [OC_ADADELTA] = {1, 1e-4, 1e-6, 0.9},
};
static const double BETA1 = 0.9, BETA2 = 0.999;

/* By schedule; a step in shares of the run. */
static const struct schedule_row {
    double gamma, step;
} by_schedule[OC_SCHEDULE_COUNT] = {
    [OC_SCHEDULE_STEP] = {0.1, 1.0 / 3},     [OC_SCHEDULE_MULTISTEP] = {0.1, 1.0 / 3},
    [OC_SCHEDULE_EXP] = {0.95, 1.0 / 3},     [OC_SCHEDULE_INV] = {0.1, 1.0 / 3},
    [OC_SCHEDULE_SIGMOID] = {-0.2, 1.0 / 2}, [OC_SCHEDULE_COSINE] = {0.1, 1.0 / 3},
    [OC_SCHEDULE_CONSTANT] = {0.1, 1.0 / 3}, [OC_SCHEDULE_POLY] = {0.1, 1.0 / 3},
};

/* By what is trained. Two cached views cost one more pass over the images than one, and gain as
 * much as varying them anew in every epoch does; an epoch over cached features costs next to
 * nothing, so there are many. */
enum { HEAD_VIEWS = 2 };
static const oc_level HEAD_LEVEL = OC_LEVEL_LIGHT;
static const struct start_row {
    int epochs;
    double rate; /* of the optimiser's */
    double warmup_epochs, body_scale, smoothing;
    oc_level level;
} from_scratch = {60, 1, 1, 1, 0, OC_LEVEL_STANDARD},
  by_tune[] = {
      [OC_TUNE_ALL] = {10, 0.4, 0.5, 0.1, 0.1, OC_LEVEL_STANDARD},
      [OC_TUNE_HEAD] = {40, 1, 0, 0.1, 0.1, OC_LEVEL_STANDARD},
      [OC_TUNE_STAGED] = {10, 0.4, 0.5, 0.1, 0.1, OC_LEVEL_STANDARD},
};

enum {
    DEFAULT_BATCH = 32,
    MAX_EPOCHS = 1000000,
    MAX_STEP = INT_MAX,
    MAX_BATCH = 65536,
    MAX_SIZE = 4096
};
static const double DEFAULT_SPLIT = 0.2, DEFAULT_MOMENTUM = 0.9;

void oc_train_options_init(oc_train_options *o) {
    *o = (oc_train_options){.lr = -1,
                            .optimizer = -1,
                            .momentum = -1,
                            .l1 = -1,
                            .l2 = -1,
                            .warmup_epochs = -1,
                            .rho = -1,
                            .beta1 = -1,
                            .beta2 = -1,
                            .epsilon = -1,
                            .augment = -1,
                            .measure_mean = -1,
                            .squash = -1,
                            .filter = -1};
}

const char *oci_tune_name(oc_tune tune) {
    static const char *const names[] = {
        [OC_TUNE_ALL] = "all", [OC_TUNE_HEAD] = "head", [OC_TUNE_STAGED] = "staged"};
    return names[tune];
}

/* Ranges of everything that is a number. A negative lower bound of -1 stands for "the default". */
static oc_status check_ranges(const oc_train_options *o, oc_error *err) {
    const struct {
        const char *name;
        double value, min, max;
    } rows[] = {
        {"split", o->split, -1, 0.9},
        {"tune", o->tune, OC_TUNE_ALL, OC_TUNE_STAGED},
        {"epochs", o->epochs, 0, MAX_EPOCHS},
        {"batch", o->batch, 0, MAX_BATCH},
        {"accumulate", o->accumulate, 0, MAX_BATCH},
        {"size", o->size, 0, MAX_SIZE},
        {"lr", o->lr, -1, 1000},
        {"optimizer", o->optimizer, -1, OC_OPTIMIZER_COUNT - 1},
        {"momentum", o->momentum, -1, 0.9999},
        {"l1", o->l1, -1, 10},
        {"l2", o->l2, -1, 10},
        {"schedule", o->schedule, 0, OC_SCHEDULE_COUNT - 1},
        {"step-epochs", o->step_epochs, 0, MAX_STEP},
        {"gamma", o->step_factor, -1000, 1000},
        {"power", o->power, 0, 1000},
        {"rho", o->rho, -1, 1},
        {"beta1", o->beta1, -1, 0.9999},
        {"beta2", o->beta2, -1, 0.9999999},
        {"epsilon", o->epsilon, -1, 1},
        {"warmup", o->warmup_epochs, -1, MAX_EPOCHS},
        {"clip-norm", o->clip_norm, 0, 1e9},
        {"sample-classes", o->sample_classes, 0, 1},
        {"patience", o->patience, 0, MAX_EPOCHS},
        {"augment", o->augment, -1, OC_LEVEL_COUNT - 1},
        {"measure-mean", o->measure_mean, -1, 1},
        {"squash", o->squash, -1, 1},
        {"filter", o->filter, -1, OC_FILTER_BICUBIC},
        {"threads", o->threads, 0, 4096},
        {"workers", o->workers, 0, 4096},
        {"cache", o->cache, OC_KEEP_OFF, OC_KEEP_DISK},
        {"stop-after", o->stop_after_minutes, 0, 1e9},
        {"checkpoint-every", o->checkpoint_minutes, 0, 1e9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].value >= rows[i].min && rows[i].value <= rows[i].max) continue;
        return oc_fail(err, OC_EUSAGE, "--%s is %g, allowed %g to %g%s", rows[i].name,
                       rows[i].value, rows[i].min, rows[i].max,
                       rows[i].min < 0 ? " (-1: the default)" : "");
    }
    return OC_OK;
}

static bool is_rate_factor(oc_schedule_kind kind) {
    return kind == OC_SCHEDULE_STEP || kind == OC_SCHEDULE_MULTISTEP || kind == OC_SCHEDULE_EXP;
}

/* What a kind of schedule needs: a factor of 0..1, marks that rise. */
static oc_status check_schedule(const oc_train_options *o, oc_error *err) {
    const char *word = oci_schedule_name(o->schedule);
    bool is_factor = is_rate_factor(o->schedule);
    if (is_factor && (o->step_factor < 0 || o->step_factor > 1))
        return oc_fail(err, OC_EUSAGE, "--gamma is %g, with --schedule %s allowed 0 to 1",
                       o->step_factor, word);
    if (o->schedule == OC_SCHEDULE_INV && o->step_factor < 0)
        return oc_fail(err, OC_EUSAGE, "--gamma is %g, with --schedule inv allowed from 0",
                       o->step_factor);
    if (o->schedule == OC_SCHEDULE_MULTISTEP && o->step_count == 0)
        return oc_fail(err, OC_EUSAGE, "--schedule multistep needs its marks: --step-at 30,60,80");
    for (size_t i = 0; i < o->step_count; i++) {
        double before = i > 0 ? o->step_at[i - 1] : 0;
        if (o->step_at[i] > before && isfinite(o->step_at[i])) continue;
        return oc_fail(err, OC_EUSAGE, "--step-at: %g behind %g; marks must rise from above 0",
                       o->step_at[i], before);
    }
    return OC_OK;
}

/* A network that is brought along leaves nothing to choose. */
static oc_status check_net(const oc_train_options *o, oc_error *err) {
    int fixed = 0, params = o->net != NULL ? oc_graph_param_count(o->net->graph) : 0;
    if (o->net == NULL) return OC_OK;
    for (int i = 0; o->lr_scale != NULL && i < params; i++) fixed += o->lr_scale[i] == 0;
    if (fixed == params)
        return oc_fail(err, OC_EUSAGE,
                       "every parameter of the network has a rate of 0 (lr_mult), so that there "
                       "is nothing to train");
    if (o->arch == NULL && o->from == NULL && o->tune == OC_TUNE_ALL) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "a network that is given is trained as it is: leave out --arch, --from and "
                   "--tune");
}

static oc_status check_words(const oc_train_options *o, oc_error *err) {
    if (o->accumulate > 1 && o->sample_classes > 0) {
        return oc_fail(err, OC_EUSAGE,
                       "--accumulate %d with --sample-classes: each batch has other classes, whose "
                       "gradients do not add up; take a larger --batch, with --recompute if memory "
                       "is short",
                       o->accumulate);
    }
    if (o->data == NULL) {
        return oc_fail(err, OC_EUSAGE, "no data to train on: name a folder, a list or a CSV");
    }
    if (o->out == NULL) {
        return oc_fail(err, OC_EUSAGE, "no folder for the model: give -o MODEL");
    }
    if (o->tune != OC_TUNE_ALL && o->from == NULL) {
        return oc_fail(err, OC_EUSAGE,
                       "--tune %s needs weights to start from: give --from WEIGHTS|MODEL, or "
                       "leave --tune out to train from scratch",
                       oci_tune_name(o->tune));
    }
    return OC_OK;
}

static double given_or(double given, double fallback) {
    return given >= 0 ? given : fallback;
}

static oc_optimizer pick_optimizer(const oc_train_options *o, const oc_arch_hints *hints) {
    oc_optimizer wish = OC_SGD;
    if (hints != NULL && hints->optimizer != NULL && !oc_optimizer_parse(hints->optimizer, &wish)) {
        OC_PROMISE(!"a hint names an optimiser that exists");
    }
    return o->optimizer >= 0 ? (oc_optimizer)o->optimizer : wish;
}

/* Step size and regularisation. A family's rate belongs to the family's optimiser. */
static void resolve_update(oci_settings *s, const oc_train_options *o, const oc_arch_hints *hints,
                           const struct start_row *start) {
    s->optimizer = pick_optimizer(o, hints);
    const struct optimizer_row *row = &by_optimizer[s->optimizer];
    bool same = hints != NULL &&
                pick_optimizer(&(oc_train_options){.optimizer = -1}, hints) == s->optimizer;
    double lr = same && hints->lr > 0 ? (double)hints->lr : row->lr;
    double l2 = same && hints->l2 > 0 ? (double)hints->l2 : row->l2;
    double momentum = same && hints->momentum > 0 ? (double)hints->momentum : DEFAULT_MOMENTUM;
    s->lr = given_or(o->lr, lr * start->rate);
    s->head_lr = given_or(o->lr, lr);
    s->l1 = given_or(o->l1, 0);
    s->l2 = given_or(o->l2, l2);
    s->momentum = given_or(o->momentum, momentum);
    s->nesterov = o->nesterov;
    s->epsilon = given_or(o->epsilon, row->epsilon);
    s->rho = given_or(o->rho, row->rho);
    s->beta1 = given_or(o->beta1, BETA1);
    s->beta2 = given_or(o->beta2, BETA2);
    s->caffe = o->caffe;
    s->clip_norm = o->clip_norm;
    s->sample_classes = o->sample_classes < 1 ? o->sample_classes : 0;
    s->renormalise = hints != NULL && hints->renormalise;
}

static void resolve_schedule(oci_settings *s, const oc_train_options *o) {
    const struct schedule_row *row = &by_schedule[o->schedule];
    double length = s->iterations > 0 ? (double)s->iterations : (double)s->epochs;
    int part = (int)ceil(length * row->step - 1e-9);
    s->schedule = o->schedule;
    s->step_epochs = o->step_epochs > 0 ? o->step_epochs : part > 0 ? part : 1;
    s->step_factor = o->step_factor < 0 || o->step_factor > 0 ? o->step_factor : row->gamma;
    s->power = o->power > 0 ? o->power : 1;
    s->step_at = o->step_at;
    s->step_count = o->schedule == OC_SCHEDULE_MULTISTEP ? o->step_count : 0;
}

/* Where the run is counted in iterations, as many of them as lie between two judgements are an
 * epoch; of those without a number there are as many as it takes to see each photo once, which is
 * known with the data (oci_settings_count). */
static void resolve_length(oci_settings *s, const oc_train_options *o,
                           const struct start_row *row) {
    s->epochs = o->epochs > 0 ? o->epochs : row->epochs;
    s->iterations = o->iterations;
    s->judge_every = o->iterations > 0 ? o->judge_every : 0;
    if (s->judge_every > 0) oci_settings_count(s, s->judge_every);
    s->head_epochs = s->tune == OC_TUNE_HEAD ? s->epochs : 0;
    if (s->tune == OC_TUNE_STAGED) s->head_epochs = s->epochs < 8 ? 1 : s->epochs / 4;
    s->warmup_epochs = given_or(o->warmup_epochs, row->warmup_epochs);
    s->patience = o->patience;
    resolve_schedule(s, o);
}

void oci_settings_count(oci_settings *s, uint64_t judge_every) {
    uint64_t every = judge_every < s->iterations ? judge_every : s->iterations;
    uint64_t epochs = every > 0 ? (s->iterations + every - 1) / every : 1;
    if (s->iterations == 0) return;
    s->judge_every = every;
    s->epochs = epochs < (uint64_t)INT_MAX ? (int)epochs : INT_MAX;
}

static void resolve_pictures(oci_settings *s, const oc_train_options *o, const oc_arch_hints *hints,
                             const struct start_row *row) {
    s->batch = o->batch > 0 ? o->batch : DEFAULT_BATCH;
    s->accumulate = o->accumulate > 0 ? o->accumulate : 1;
    s->size = o->size;
    s->level = o->augment >= 0 ? (oc_level)o->augment : row->level;
    s->head_level = o->augment >= 0 ? (oc_level)o->augment : HEAD_LEVEL;
    s->head_views = o->augment < 0 ? HEAD_VIEWS : o->augment == OC_LEVEL_NONE;
    s->smoothing = o->augment == OC_LEVEL_NONE ? 0 : row->smoothing;
    s->squash = o->squash < 0 && hints != NULL && hints->squash ? 1 : o->squash;
    bool measure = hints != NULL && hints->measure_mean && o->mean == NULL;
    s->measure_mean = o->measure_mean < 0 && measure ? 1 : o->measure_mean;
    s->filter = o->filter;
}

oc_status oci_settings_resolve(oci_settings *out, const oc_train_options *options,
                               const oc_arch_hints *hints, oc_error *err) {
    OC_TRY(check_ranges(options, err));
    OC_TRY(check_words(options, err));
    OC_TRY(check_schedule(options, err));
    OC_TRY(check_net(options, err));
    oci_settings s = {.scratch = options->from == NULL,
                      .tune = options->tune,
                      .seed = options->seed,
                      .workers = options->workers};
    const struct start_row *row = s.scratch ? &from_scratch : &by_tune[s.tune];
    resolve_update(&s, options, s.scratch ? hints : NULL, row);
    s.body_scale = row->body_scale;
    resolve_length(&s, options, row);
    resolve_pictures(&s, options, hints, row);
    s.split = options->split > 0 || options->split < 0 ? options->split : DEFAULT_SPLIT;
    s.threads = options->threads > 0 ? options->threads : oc_cpu_count();
    *out = s;
    return OC_OK;
}

void oci_settings_keep_head(oci_settings *s, const oc_train_options *options) {
    if (s->tune == OC_TUNE_HEAD) return;
    if (options->lr < 0) s->lr *= s->body_scale;
    s->body_scale = 1;
}

void oci_settings_keep_photos(oci_settings *s, const oc_train_options *options,
                              const oc_recipe *recipe) {
    oc_augment augment = oc_augment_level(s->level);
    bool cropped = options->cache != OC_KEEP_OFF && s->tune != OC_TUNE_HEAD;
    s->kept_side = cropped ? oc_photo_cache_side(recipe, &augment) : 0;
}

/* What was left to the recipe (-1) or has no part in the run is null. */
static json_t *choice(int value, const char *no, const char *yes) {
    return value < 0 ? json_null() : json_string(value ? yes : no);
}

static json_t *count_or_null(uint64_t count) {
    return count > 0 ? json_integer((json_int_t)count) : json_null();
}

static bool is_powered(oc_schedule_kind kind) {
    return kind == OC_SCHEDULE_POLY || kind == OC_SCHEDULE_INV;
}

static json_t *marks_json(const oci_settings *s) {
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < s->step_count; i++)
        (void)json_array_append_new(list, json_real(s->step_at[i]));
    return list;
}

/* What only other formulas than torch's defaults need; older checkpoints have none of it. */
static int put_formula(json_t *o, const oci_settings *s) {
    if (!s->caffe) return 0;
    return json_object_set_new(o, "caffe", json_true()) |
           json_object_set_new(o, "rho", json_real(s->rho)) |
           json_object_set_new(o, "beta1", json_real(s->beta1)) |
           json_object_set_new(o, "beta2", json_real(s->beta2)) |
           json_object_set_new(o, "epsilon", json_real(s->epsilon));
}

oc_status oci_settings_json(const oci_settings *s, json_t **out, oc_error *err) {
    *out = json_pack(
        "{s:b, s:s, s:i, s:i, s:i, s:o, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:b, s:s, s:i, "
        "s:f, s:f, s:f, s:o, s:i, s:s?, s:s?, s:i, s:f, s:o, s:o, s:s?, s:f, s:I, s:o, s:i, s:o, "
        "s:o, s:o, s:o}",
        "scratch", s->scratch, "tune", oci_tune_name(s->tune), "epochs", s->epochs, "head_epochs",
        s->head_epochs, "batch", s->batch, "size",
        s->size > 0 ? json_integer(s->size) : json_null(), "optimizer",
        oc_optimizer_name(s->optimizer), "lr", s->lr, "head_lr", s->head_lr, "body_scale",
        s->body_scale, "momentum", s->momentum, "l1", s->l1, "l2", s->l2, "nesterov", s->nesterov,
        "renormalise", s->renormalise, "schedule", oci_schedule_name(s->schedule), "step_epochs",
        s->step_epochs, "step_factor", s->step_factor, "warmup_epochs", s->warmup_epochs,
        "clip_norm", s->clip_norm, "sample_classes",
        s->sample_classes > 0 ? json_real(s->sample_classes) : json_null(), "patience", s->patience,
        "augment", s->tune == OC_TUNE_HEAD ? NULL : oc_level_name(s->level), "head_augment",
        s->head_epochs > 0 ? oc_level_name(s->head_level) : NULL, "head_views", s->head_views,
        "label_smoothing", s->smoothing, "mean", choice(s->measure_mean, "imagenet", "measured"),
        "fit", choice(s->squash, "crop", "squash"), "filter",
        s->filter < 0 ? NULL : oc_filter_name((oc_filter)s->filter), "split", s->split, "seed",
        (json_int_t)s->seed, "kept_side",
        s->kept_side > 0 ? json_integer(s->kept_side) : json_null(), "accumulate", s->accumulate,
        "iterations", count_or_null(s->iterations), "judge_every", count_or_null(s->judge_every),
        "power", is_powered(s->schedule) ? json_real(s->power) : json_null(), "step_at",
        s->step_count > 0 ? marks_json(s) : json_null());
    if (*out != NULL && put_formula(*out, s) != 0) {
        json_decref(*out);
        *out = NULL;
    }
    return *out == NULL ? oc_fail_nomem(err, 0, "the settings of the run") : OC_OK;
}
