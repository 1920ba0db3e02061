/* How much memory a run will take, told and compared with what there is before any of it is taken.
 *
 * Counted is what grows with the network, the batch and the classes: the plans, what a checkpoint
 * copies of them, the best weights, the ring of batches. Cached features keep to a budget of their
 * own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "train/train_int.h"

enum { RING = 4 }; /* batches of pixels: the loader's ring and the one in the plan's hands */

/* The graphs that have plans: of the whole network, or cut below the head. */
typedef struct parts {
    const oc_graph *trained;
    oc_graph *body, *rest; /* a head alone is trained */
    int height, width;     /* of the trained graph's input */
} parts;

static void parts_clear(parts *p) {
    oc_graph_free(p->body);
    oc_graph_free(p->rest);
}

static oc_status parts_init(parts *p, const oci_session *s, oc_error *err) {
    const oc_recipe *r = &s->model->recipe;
    int cut = oc_graph_cut_node(s->model->graph);
    *p = (parts){.trained = s->model->graph, .height = r->height, .width = r->width};
    if (s->settings.tune != OC_TUNE_HEAD || cut <= 0) return OC_OK;
    OC_TRY(oc_graph_split(s->model->graph, cut, r->height, r->width, &p->body, &p->rest, err));
    const oc_attrs *in = &oc_graph_node(p->rest, 0)->attrs;
    p->trained = p->rest;
    p->height = in->height;
    p->width = in->width;
    return OC_OK;
}

static oc_status plan_bytes(const oci_session *s, const oc_graph *graph, oc_mode mode, int height,
                            int width, int batch, uint64_t *weights, uint64_t *values,
                            oc_error *err) {
    bool *trained = NULL;
    if (mode == OC_MODE_TRAIN) OC_TRY(oci_trained_of(&trained, s, err));
    const oc_plan_options options = {.mode = mode,
                                     .batch = batch,
                                     .height = height,
                                     .width = width,
                                     .threads = s->settings.threads,
                                     .borrow = true,
                                     .freeze_stats = s->options->freeze_stats,
                                     .trained = trained,
                                     .recompute = s->options->recompute,
                                     .sample = (float)s->settings.sample_classes};
    oc_plan_memory m;
    int slots = mode == OC_MODE_TRAIN ? oci_slots_of(s->settings.optimizer) : 0;
    oc_status status = oc_plan_measure(s->options->engine, graph, &options, &m, err);
    oc_free(trained);
    if (status != OC_OK) return status;
    *weights += m.weights + (uint64_t)slots * m.slot;
    *values += m.activations + m.scratch;
    return OC_OK;
}

/* All plans of the run at a batch size. */
static oc_status measure_plans(oci_need *need, const oci_session *s, const parts *p, int batch,
                               oc_error *err) {
    const oc_recipe *r = &s->model->recipe;
    uint64_t *w = &need->weights, *v = &need->values;
    need->weights = need->values = 0;
    OC_TRY(plan_bytes(s, p->trained, OC_MODE_TRAIN, p->height, p->width, batch, w, v, err));
    OC_TRY(plan_bytes(s, p->trained, OC_MODE_INFER, p->height, p->width, batch, w, v, err));
    if (p->body != NULL)
        OC_TRY(plan_bytes(s, p->body, OC_MODE_INFER, r->height, r->width, batch, w, v, err));
    need->pixels = (uint64_t)RING * (uint64_t)batch * (uint64_t)r->channels * (uint64_t)r->height *
                   (uint64_t)r->width * sizeof(float);
    return OC_OK;
}

static uint64_t sum(const oci_need *need) {
    return need->weights + need->values + need->pixels + need->kept;
}

/* Parameters of the whole network: all, and those that are copied rather than lent. */
static void count_params(const oc_graph *graph, uint64_t *all, uint64_t *copied) {
    enum { LENT_FROM = 1 << 20 }; /* bytes; as the engines do */
    *all = *copied = 0;
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        size_t count = 0;
        if (!oc_shape_count(&param->shape, &count)) continue;
        uint64_t bytes = count * sizeof(float);
        bool dense = oc_graph_node(graph, param->node)->op == OC_OP_DENSE;
        *all += bytes;
        if (!dense || bytes < LENT_FROM) *copied += bytes;
    }
}

/* The largest batch below `batch` that fits, or 0. */
static oc_status largest_batch(const oci_session *s, const parts *p, int batch, uint64_t kept,
                               uint64_t room, int *out, oc_error *err) {
    int low = 0, high = batch;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        oci_need need = {.kept = kept};
        OC_TRY(measure_plans(&need, s, p, middle, err));
        if (sum(&need) <= room)
            low = middle;
        else
            high = middle;
    }
    *out = low;
    return OC_OK;
}

static oc_status too_much(const oci_need *need, const oci_session *s, const parts *p, int batch,
                          oc_error *err) {
    char all[16], room[16], weights[16], values[16], advice[96];
    int fits = 0;
    OC_TRY(largest_batch(s, p, batch, need->kept, need->room, &fits, err));
    if (fits > 0)
        (void)snprintf(advice, sizeof advice, "--batch %d is the largest that fits%s", fits,
                       s->options->recompute ? "" : "; --recompute needs less");
    else
        (void)snprintf(advice, sizeof advice,
                       "no batch fits: take a smaller --arch, or with very many classes "
                       "--sample-classes 0.1");
    return oc_fail(err, OC_ELIMIT,
                   "training would take %s (%s of weights with gradients and optimiser state, %s "
                   "of activations at batch %d), %s are free: %s",
                   oc_format_bytes(all, sum(need)), oc_format_bytes(weights, need->weights),
                   oc_format_bytes(values, need->values), batch, oc_format_bytes(room, need->room),
                   advice);
}

/* Never more than there are images. */
static int batch_of(const oci_session *s) {
    size_t images = oc_dataset_count(s->data.train_set);
    if (s->settings.iterations > 0) return s->settings.batch;
    return (size_t)s->settings.batch < images ? s->settings.batch : (int)images;
}

oc_status oci_need_measure(oci_need *need, const oci_session *s, oc_error *err) {
    parts p;
    uint64_t all, copied;
    int batch = batch_of(s);
    oc_status status = OC_OK;
    count_params(s->model->graph, &all, &copied);
    *need = (oci_need){.room = s->memory_budget};
    need->kept = copied * (1 + (uint64_t)oci_slots_of(s->settings.optimizer));
    if (all <= s->best_budget) need->kept += all;
    if (s->settings.accumulate > 1) need->kept += all; /* the sum of gradients */
    OC_TRY(parts_init(&p, s, err));
    OC_GOTO(measure_plans(need, s, &p, batch, err));
    if (need->room > 0 && sum(need) > need->room) status = too_much(need, s, &p, batch, err);
done:
    parts_clear(&p);
    return status;
}

void oci_need_tell(const oci_need *need, const oci_session *s) {
    char all[16], weights[16], values[16], room[16];
    oc_info(oci_session_log(s), "memory: %s (weights %s, activations %s) of %s that are free",
            oc_format_bytes(all, sum(need)), oc_format_bytes(weights, need->weights),
            oc_format_bytes(values, need->values), oc_format_bytes(room, need->room));
}
