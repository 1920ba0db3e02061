/* A stage: the plans and feeds for one way of training, either the head on features of the frozen
 * body, or the whole network on pixels.
 *
 * Weights travel through the session: a stage takes them from there and exports them back, so that
 * stages follow each other and checkpoints look the same in both.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "train/train_int.h"

void oci_stage_clear(oci_stage *stage) {
    oci_feed_free(stage->train_feed);
    oci_feed_free(stage->val_feed);
    oc_plan_free(stage->body);
    oc_plan_free(stage->train);
    oc_plan_free(stage->judge);
    oci_cache_clear(&stage->train_cache);
    oci_cache_clear(&stage->val_cache);
    oc_graph_free(stage->body_graph);
    oc_graph_free(stage->rest_graph);
    oci_photos_close(stage);
    oc_free_aligned(stage->gathered);
    oc_free(stage->lr_scale);
    oc_free(stage->decay_scale);
    *stage = (oci_stage){0};
}

oc_loader_options oci_stage_loader(const oci_session *s, bool val) {
    const oci_material *m = &s->data;
    return (oc_loader_options){.dataset = val ? m->val_set : m->train_set,
                               .items = val ? m->val : m->train,
                               .count = val ? m->val_count : m->train_count,
                               .recipe = &s->model->recipe,
                               .batch = s->settings.batch,
                               .workers = s->settings.workers};
}

oc_status oci_trained_of(bool **out, const oci_session *s, oc_error *err) {
    const float *rate = s->options->lr_scale;
    size_t count = (size_t)oc_graph_param_count(s->model->graph), fixed = 0;
    *out = NULL;
    for (size_t i = 0; rate != NULL && i < count; i++) fixed += rate[i] == 0;
    if (fixed == 0) return OC_OK;
    *out = oc_calloc(count, sizeof **out);
    if (*out == NULL) return oc_fail_nomem(err, count, "the parameters that are trained");
    for (size_t i = 0; i < count; i++) (*out)[i] = rate[i] != 0;
    return OC_OK;
}

static oc_status make_plan(oc_plan **out, const oci_session *s, const oc_graph *graph, oc_mode mode,
                           int height, int width, oc_error *err) {
    bool *trained = NULL;
    if (mode == OC_MODE_TRAIN) OC_TRY(oci_trained_of(&trained, s, err));
    oc_plan_options options = {.mode = mode,
                               .batch = s->settings.batch,
                               .height = height,
                               .width = width,
                               .threads = s->settings.threads,
                               .seed = s->settings.seed,
                               .borrow = true,
                               .freeze_stats = s->options->freeze_stats,
                               .trained = trained,
                               .recompute = s->options->recompute,
                               .sample = (float)s->settings.sample_classes};
    oc_status status = oc_plan_new(out, s->options->engine, graph, &options, err);
    oc_free(trained);
    return status == OC_OK ? oc_plan_import(*out, OC_SLOT_WEIGHTS, s->weights, err) : status;
}

/* Split the network below its head; `height, width` become those of the features. */
static oc_status split(oci_stage *stage, const oci_session *s, int *height, int *width,
                       oc_error *err) {
    const oc_graph *graph = s->model->graph;
    int cut = oc_graph_cut_node(graph);
    if (cut <= 0) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "the network has nothing below its head to take features from; use --tune "
                       "all");
    }
    OC_TRY(
        oc_graph_split(graph, cut, *height, *width, &stage->body_graph, &stage->rest_graph, err));
    OC_TRY(make_plan(&stage->body, s, stage->body_graph, OC_MODE_INFER, *height, *width, err));
    const oc_attrs *in = &oc_graph_node(stage->rest_graph, 0)->attrs;
    *height = in->height;
    *width = in->width;
    stage->graph = stage->rest_graph;
    stage->feature_width = (size_t)in->channels * (size_t)in->height * (size_t)in->width;
    return OC_OK;
}

/* The session's large weights are from here on those of the training plan, which in a head-only
 * stage has but a part of them. */
static oc_status take_over(oci_stage *stage, oci_session *s, oc_error *err) {
    if (!stage->head_only) {
        oc_tensors_free(s->weights);
        s->weights = NULL;
        OC_TRY(oc_tensors_new(&s->weights, err));
    }
    oc_safetensors_close(s->read[0]);
    s->read[0] = NULL;
    return oci_stage_export(stage, s, err);
}

static oc_status open_plans(oci_stage *stage, oci_session *s, oc_error *err) {
    int height = s->model->recipe.height, width = s->model->recipe.width;
    stage->graph = s->model->graph;
    if (stage->head_only) {
        OC_TRY(oc_tensors_own(s->weights, err)); /* a checkpoint's file is closed, the body stays */
        OC_TRY(split(stage, s, &height, &width, err));
    }
    OC_TRY(make_plan(&stage->train, s, stage->graph, OC_MODE_TRAIN, height, width, err));
    OC_TRY(take_over(stage, s, err));
    if (s->data.val_count == 0) return OC_OK;
    return make_plan(&stage->judge, s, stage->graph, OC_MODE_INFER, height, width, err);
}

/* What the options say of each parameter. */
static void take_scales(oci_stage *stage, const oci_session *s, size_t count) {
    const oc_train_options *o = s->options;
    if (o->lr_scale != NULL) memcpy(stage->lr_scale, o->lr_scale, count * sizeof(float));
    if (o->decay_scale != NULL) memcpy(stage->decay_scale, o->decay_scale, count * sizeof(float));
}

/* Heads learn at the full rate, auxiliary ones from their first layer on; what is below them may be
 * slower. Decay is for weights: not for biases and batch norms. */
static oc_status open_scales(oci_stage *stage, const oci_session *s, oc_error *err) {
    size_t count = (size_t)oc_graph_param_count(stage->graph);
    size_t nodes = (size_t)oc_graph_node_count(stage->graph);
    int head = oc_graph_head(stage->graph);
    bool *serves = oc_calloc(nodes, sizeof *serves);
    if (serves == NULL) return oc_fail_nomem(err, nodes, "the layers' rates");
    (void)oc_graph_serves(stage->graph, serves);
    stage->lr_scale = oc_calloc(count, sizeof *stage->lr_scale);
    stage->decay_scale = oc_calloc(count, sizeof *stage->decay_scale);
    bool whole = stage->lr_scale != NULL && stage->decay_scale != NULL;
    for (size_t i = 0; whole && i < count; i++) {
        const oc_param *param = oc_graph_param(stage->graph, (int)i);
        bool full = stage->head_only || param->node == head || !serves[param->node];
        stage->lr_scale[i] = full ? 1.0F : (float)s->settings.body_scale;
        stage->decay_scale[i] = param->kind == OC_PARAM_WEIGHT ? 1.0F : 0.0F;
    }
    oc_free(serves);
    if (whole) take_scales(stage, s, count);
    return whole ? OC_OK : oc_fail_nomem(err, count * sizeof(float), "the parameters' rates");
}

static oc_status open_train_feed(oci_stage *stage, oci_session *s, bool cached, oc_error *err) {
    const oci_settings *t = &s->settings;
    oc_augment augment = oc_augment_level(stage->head_only ? t->head_level : t->level);
    if (s->options->vary != NULL) augment = *s->options->vary;
    if (augment.smoothing < (float)t->smoothing) augment.smoothing = (float)t->smoothing;
    oci_feed_options feed = {.loader = oci_stage_loader(s, false),
                             .cache = cached ? &stage->train_cache : NULL,
                             .body = stage->body,
                             .batch = t->batch,
                             .shuffle = true,
                             .drop_last = true,
                             .smoothing = augment.smoothing,
                             .seed = t->seed};
    feed.loader.augment = &augment;
    if (!stage->head_only)
        OC_TRY(oci_photos_open(stage, s, &augment, err));
    else if (s->options->cache != OC_KEEP_OFF && s->settings.tune == OC_TUNE_HEAD)
        oc_info(oci_session_log(s), "--cache is of no use to a head alone: no photos are kept");
    feed.loader.cache = stage->train_photos;
    OC_TRY(oci_feed_new(&stage->train_feed, &feed, err));
    stage->steps = oci_feed_batches(stage->train_feed) / (size_t)t->accumulate;
    if (t->iterations > 0) stage->steps = (size_t)t->judge_every;
    return OC_OK;
}

/* Room for the sum of gradients of the batches before the last of a step. */
static oc_status open_gathered(oci_stage *stage, const oci_session *s, oc_error *err) {
    size_t count = 0;
    if (s->settings.accumulate == 1) return OC_OK;
    (void)oc_plan_grads(stage->train, &count);
    stage->gathered = oc_malloc_aligned(count * sizeof(float));
    return stage->gathered ? OC_OK : oc_fail_nomem(err, count * sizeof(float), "gradients");
}

static oc_status open_val_feed(oci_stage *stage, const oci_session *s, bool cached, oc_error *err) {
    if (s->data.val_count == 0) return OC_OK;
    oci_feed_options feed = {.loader = oci_stage_loader(s, true),
                             .cache = cached ? &stage->val_cache : NULL,
                             .body = stage->body,
                             .batch = s->settings.batch,
                             .seed = s->settings.seed};
    feed.loader.cache = stage->val_photos;
    return oci_feed_new(&stage->val_feed, &feed, err);
}

/* Optimiser state from the checkpoint, when this is the stage it was written in. */
static oc_status take_slots(oci_stage *stage, oci_session *s, oc_error *err) {
    for (int k = 0; k < 2; k++) {
        bool there = s->slots_read && s->position.updates > 0 && oc_tensors_count(s->slot[k]) > 0;
        if (there) OC_TRY(oc_plan_import(stage->train, OC_SLOT_STATE_0 + k, s->slot[k], err));
        oc_tensors_free(s->slot[k]);
        s->slot[k] = NULL;
    }
    oc_safetensors_close(s->read[1]);
    s->read[1] = NULL;
    s->slots_read = false;
    return OC_OK;
}

static void tell_sample(const oci_stage *stage, const oci_session *s) {
    size_t count = 0;
    if (oc_plan_classes(stage->train, &count) == NULL) return;
    oc_info(oci_session_log(s),
            "a step sees %zu of the %zu classes: training loss and accuracy are over those alone, "
            "held-out photos are judged over all",
            count, s->model->classes.count);
}

oc_status oci_stage_open(oci_stage *stage, oci_session *s, int first, int end, bool head_only,
                         oc_error *err) {
    bool cached = false;
    *stage = (oci_stage){
        .phase = head_only ? "head" : "train", .first = first, .end = end, .head_only = head_only};
    OC_TRY(open_plans(stage, s, err));
    OC_TRY(open_scales(stage, s, err));
    OC_TRY(take_slots(stage, s, err));
    tell_sample(stage, s);
    if (head_only) OC_TRY(oci_features_cache(stage, s, &cached, err));
    if (s->stopped) return OC_OK;
    OC_TRY(open_gathered(stage, s, err));
    OC_TRY(open_train_feed(stage, s, cached, err));
    OC_TRY(open_val_feed(stage, s, cached, err));
    OC_TRY(oci_stage_slow_down(stage, s, err));
    stage->schedule = oci_schedule_make(&s->settings, end - first, stage->steps);
    return OC_OK;
}

oc_status oci_stage_export(oci_stage *stage, oci_session *s, oc_error *err) {
    return oc_plan_lend(stage->train, OC_SLOT_WEIGHTS, s->weights, err);
}

size_t oci_stage_steps(const oci_stage *stage, const oci_session *s) {
    const oci_settings *t = &s->settings;
    if (t->iterations == 0) return stage->steps;
    uint64_t before = (uint64_t)s->position.epoch * t->judge_every;
    uint64_t left = before < t->iterations ? t->iterations - before : 0;
    return left < stage->steps ? (size_t)left : stage->steps;
}

int oci_slots_of(oc_optimizer optimizer) {
    static const int slots[] = {
#define SLOTS(name, word, count) [name] = (count),
        OC_OPTIMIZER_MAP(SLOTS)
#undef SLOTS
    };
    return slots[optimizer];
}

oc_status oci_stage_export_slots(oci_stage *stage, oci_session *s, oc_error *err) {
    for (int k = 0; k < oci_slots_of(s->settings.optimizer); k++) {
        if (s->slot[k] == NULL) OC_TRY(oc_tensors_new(&s->slot[k], err));
        OC_TRY(oc_plan_lend(stage->train, OC_SLOT_STATE_0 + k, s->slot[k], err));
    }
    return OC_OK;
}

oc_status oci_stage_leave(const oci_stage *stage, oci_session *s, oc_error *err) {
    for (int k = 0; k < 2; k++) {
        oc_tensors_free(s->slot[k]);
        s->slot[k] = NULL;
    }
    if (stage->end < s->settings.epochs && !s->stopped) return oc_tensors_own(s->weights, err);
    oc_tensors_free(s->weights);
    s->weights = NULL;
    return OC_OK;
}
