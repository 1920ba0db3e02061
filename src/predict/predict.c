/* One model, images in, ranked names out.
 *
 * One image goes straight from its bytes into the plan's input. A list of files runs as a pipeline
 * of two packs: a thread decodes the next one (itself in parallel over files) while the plan runs
 * the present one. Reports come in the order of the list, on the caller's thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <string.h>

#include "predict/predict_int.h"

/* ---- life ---- */

static oc_status make_renderers(oc_predictor *p, int count, oc_error *err) {
    const oc_image_limits limits = {0};
    for (int i = 0; i < count; i++) {
        if (p->renderer[i] != NULL) continue;
        OC_TRY(oc_renderer_new(&p->renderer[i], &p->model->recipe, &limits, err));
    }
    return OC_OK;
}

static oc_status set_up(oc_predictor *p, const char *engine, int threads, oc_plan *share,
                        bool in_turns, oc_error *err) {
    const oc_recipe *recipe = &p->model->recipe;
    p->workers = threads > 0 ? threads : oc_cpu_count();
    p->image_floats = (size_t)recipe->channels * (size_t)recipe->height * (size_t)recipe->width;
    p->renderer = oc_calloc((size_t)p->workers, sizeof(oc_renderer *));
    if (p->renderer == NULL) return oc_fail_nomem(err, sizeof(oc_renderer *), "a predictor");
    OC_TRY(make_renderers(p, 1, err));
    p->threads = threads;
    return in_turns
               ? oc_model_plan_in_turns(p->model, engine, threads, p->batch, share, &p->plan, err)
               : oc_model_plan_sharing(p->model, engine, threads, p->batch, share, &p->plan, err);
}

static oc_status new_predictor(oc_predictor **out, const oc_model *model, const char *engine,
                               int threads, int batch, oc_plan *share, bool in_turns,
                               oc_error *err) {
    *out = NULL;
    if (batch < 1 || threads < 0) {
        return oc_fail(err, OC_EUSAGE, "batch %d, threads %d: at least 1 and 0", batch, threads);
    }
    oc_predictor *p = oc_calloc(1, sizeof *p);
    if (p == NULL) return oc_fail_nomem(err, sizeof *p, "a predictor");
    p->model = model;
    p->batch = batch;
    oc_status status = set_up(p, engine, threads, share, in_turns, err);
    if (status == OC_OK) {
        *out = p;
    } else {
        oc_predictor_free(p);
    }
    return status;
}

oc_status oc_predictor_new(oc_predictor **out, const oc_model *model, const char *engine,
                           int threads, int batch, oc_error *err) {
    return new_predictor(out, model, engine, threads, batch, NULL, false, err);
}

oc_status oc_predictor_share(oc_predictor **out, const oc_predictor *with, oc_error *err) {
    return new_predictor(out, with->model, oc_plan_engine(with->plan), with->threads, with->batch,
                         with->plan, false, err);
}

oc_status oc_predictor_in_turns(oc_predictor **out, const oc_predictor *with, int threads,
                                int batch, oc_error *err) {
    return new_predictor(out, with->model, oc_plan_engine(with->plan), threads, batch, with->plan,
                         true, err);
}

static void clear_pack(oci_pack *pack) {
    oc_free_aligned(pack->pixels);
    oc_free(pack->status);
    oc_free(pack->error);
}

void oc_predictor_free(oc_predictor *p) {
    if (p == NULL) return;
    for (int i = 0; p->renderer != NULL && i < p->workers; i++) oc_renderer_free(p->renderer[i]);
    oc_free(p->renderer);
    oci_plans_free(p);
    clear_pack(&p->pack[0]);
    clear_pack(&p->pack[1]);
    oc_free(p);
}

int oc_predictor_batch(const oc_predictor *p) {
    return p->batch;
}

/* ---- one image ---- */

static oc_status check_k(const oc_predictor *p, int k, oc_error *err) {
    if (k >= 1 && (size_t)k <= p->model->classes.count) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "top %d asked for, the model has %zu classes: take 1 to %zu", k,
                   p->model->classes.count, p->model->classes.count);
}

static oc_status not_finite(oc_error *err) {
    return oc_fail(err, OC_ENUMERIC,
                   "the network's output is not finite for this image: the "
                   "weights overflow, train with a lower --lr");
}

/* Rank the i-th row of a plan's output. */
static oc_status rank_row(const oc_predictor *p, oc_plan *plan, size_t i, int k, oc_ranked *ranked,
                          oc_error *err) {
    size_t classes = p->model->classes.count;
    const float *logits = oc_plan_output(plan) + i * classes;
    bool finite = oci_rank(logits, classes, p->model->temperature, k, ranked);
    return finite ? OC_OK : not_finite(err);
}

oc_status oc_predict_bytes(oc_predictor *p, const void *bytes, size_t size, int k,
                           oc_ranked *ranked, oc_error *err) {
    oc_plan *plan = NULL;
    OC_TRY(check_k(p, k, err));
    OC_TRY(oci_plans_get(p, 1, &plan, err));
    OC_TRY(oc_render(p->renderer[0], bytes, size, NULL, NULL, oc_plan_input(plan), err));
    OC_TRY(oc_plan_forward(plan, NULL, 1, 0, NULL, NULL, err));
    return rank_row(p, plan, 0, k, ranked, err);
}

/* ---- many files ---- */

/* Room for what is told of each image. */
static oc_status make_pack(oc_predictor *p, oci_pack *pack, oc_error *err) {
    size_t batch = (size_t)p->batch;
    if (pack->status == NULL) pack->status = oc_calloc(batch, sizeof *pack->status);
    if (pack->error == NULL) pack->error = oc_calloc(batch, sizeof *pack->error);
    if (pack->status != NULL && pack->error != NULL) return OC_OK;
    return oc_fail_nomem(err, batch * sizeof *pack->error, "a batch of images");
}

/* The same, and pixels of its own, so that one is decoded while another runs. */
static oc_status make_full_pack(oc_predictor *p, oci_pack *pack, oc_error *err) {
    size_t bytes = 0;
    OC_TRY(make_pack(p, pack, err));
    if (pack->pixels == NULL &&
        oc_mul_size((size_t)p->batch, p->image_floats * sizeof(float), &bytes))
        pack->pixels = oc_malloc_aligned(bytes);
    pack->into = pack->pixels;
    return pack->pixels != NULL ? OC_OK : oc_fail_nomem(err, bytes, "a batch of images");
}

/* A job for the decoding thread. */
typedef struct decoding {
    oc_predictor *p;
    oci_pack *pack;
    pthread_t thread;
    bool running; /* on a thread of its own */
} decoding;

static void decode_one(void *ctx, size_t i, int worker) {
    decoding *d = ctx;
    oci_pack *pack = d->pack;
    float *planes = pack->into + i * d->p->image_floats;
    oc_renderer *r = d->p->renderer[worker];
    pack->status[i] = pack->paths != NULL
                          ? oc_render_file(r, pack->paths[i], NULL, NULL, planes, &pack->error[i])
                          : oc_render(r, pack->images[i].data, pack->images[i].size, NULL, NULL,
                                      planes, &pack->error[i]);
    if (pack->status[i] != OC_OK) memset(planes, 0, d->p->image_floats * sizeof(float));
}

static void *decode_pack(void *ctx) {
    decoding *d = ctx;
    oc_parallel_for(d->pack->n, d->p->workers, decode_one, d);
    return NULL;
}

/* Begin with the files paths[0..n-1]; without a thread to be had, they are done at once. */
static void start(decoding *d, const char *const *paths, size_t n) {
    d->pack->paths = paths;
    d->pack->n = n;
    d->running = n > 0 && pthread_create(&d->thread, NULL, decode_pack, d) == 0;
    if (!d->running) (void)decode_pack(d);
}

static void wait_for(decoding *d) {
    if (d->running) (void)pthread_join(d->thread, NULL);
    d->running = false;
}

typedef struct reporting {
    int k;
    oc_ranked *ranked; /* (k) */
    oc_predict_each each;
    void *ctx;
} reporting;

static bool report(oc_predictor *p, const oci_pack *pack, size_t i, const reporting *r) {
    oc_error error = {0};
    if (pack->status[i] != OC_OK) {
        return r->each(r->ctx, pack->paths[i], NULL, r->k, &pack->error[i]);
    }
    if (rank_row(p, p->plan, i, r->k, r->ranked, &error) != OC_OK) {
        return r->each(r->ctx, pack->paths[i], NULL, r->k, &error);
    }
    return r->each(r->ctx, pack->paths[i], r->ranked, r->k, NULL);
}

static oc_status run_pack(oc_predictor *p, const oci_pack *pack, const reporting *r,
                          oc_error *err) {
    bool any = false;
    for (size_t i = 0; i < pack->n; i++) any = any || pack->status[i] == OC_OK;
    if (any) OC_TRY(oc_plan_forward(p->plan, pack->pixels, (int)pack->n, 0, NULL, NULL, err));
    for (size_t i = 0; i < pack->n; i++) {
        if (!report(p, pack, i, r)) return oc_fail(err, OC_ECANCELLED, "stopped on request");
    }
    return OC_OK;
}

/* ---- several images ---- */

static oc_status check_n(const oc_predictor *p, size_t n, oc_error *err) {
    if (n >= 1 && n <= (size_t)p->batch) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "%zu images at once: this predictor takes 1 to %d", n, p->batch);
}

/* Decode n images and run them; pack[0] then says which could be read. */
static oc_status run_images(oc_predictor *p, const oc_image_bytes *images, size_t n, oc_plan **plan,
                            oc_error *err) {
    decoding job = {.p = p, .pack = &p->pack[0]};
    OC_TRY(check_n(p, n, err));
    OC_TRY(oci_plans_get(p, n, plan, err));
    OC_TRY(make_renderers(p, n > 1 ? p->workers : 1, err));
    OC_TRY(make_pack(p, &p->pack[0], err));
    p->pack[0].into = oc_plan_input(*plan);
    p->pack[0].paths = NULL;
    p->pack[0].images = images;
    p->pack[0].n = n;
    (void)decode_pack(&job);
    return oc_plan_forward(*plan, NULL, (int)n, 0, NULL, NULL, err);
}

oc_status oc_predict_images(oc_predictor *p, const oc_image_bytes *images, size_t n, int k,
                            oc_ranked *ranked, oc_status *status, oc_error *errors, oc_error *err) {
    oc_plan *plan = NULL;
    OC_TRY(check_k(p, k, err));
    OC_TRY(run_images(p, images, n, &plan, err));
    for (size_t i = 0; i < n; i++) {
        status[i] = p->pack[0].status[i];
        if (status[i] == OC_OK)
            status[i] = rank_row(p, plan, i, k, ranked + i * (size_t)k, &errors[i]);
        else
            errors[i] = p->pack[0].error[i];
    }
    return OC_OK;
}

/* Row i of what the plan gave, as probabilities. */
static oc_status softmax_row(const oc_predictor *p, oc_plan *plan, size_t i, float *probabilities,
                             oc_error *err) {
    size_t classes = p->model->classes.count;
    const float *logits = oc_plan_output(plan) + i * classes;
    bool finite = oci_softmax(logits, classes, p->model->temperature, probabilities + i * classes);
    return finite ? OC_OK : not_finite(err);
}

oc_status oc_predict_probabilities(oc_predictor *p, const oc_image_bytes *images, size_t n,
                                   float *probabilities, oc_status *status, oc_error *errors,
                                   oc_error *err) {
    oc_plan *plan = NULL;
    OC_TRY(run_images(p, images, n, &plan, err));
    for (size_t i = 0; i < n; i++) {
        status[i] = p->pack[0].status[i];
        if (status[i] == OC_OK)
            status[i] = softmax_row(p, plan, i, probabilities, &errors[i]);
        else
            errors[i] = p->pack[0].error[i];
    }
    return OC_OK;
}

oc_status oc_predict_pixels(oc_predictor *p, const float *pixels, size_t n, float *probabilities,
                            oc_status *status, oc_error *errors, oc_error *err) {
    oc_plan *plan = NULL;
    OC_TRY(check_n(p, n, err));
    OC_TRY(oci_plans_get(p, n, &plan, err));
    OC_TRY(oc_plan_forward(plan, pixels, (int)n, 0, NULL, NULL, err));
    for (size_t i = 0; i < n; i++) status[i] = softmax_row(p, plan, i, probabilities, &errors[i]);
    return OC_OK;
}

/* ---- a list of files ---- */

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static oc_status run_files(oc_predictor *p, const char *const *paths, size_t count,
                           const reporting *r, oc_error *err) {
    decoding job[2] = {{.p = p, .pack = &p->pack[0]}, {.p = p, .pack = &p->pack[1]}};
    size_t batch = (size_t)p->batch;
    oc_status status = OC_OK;
    start(&job[0], paths, smaller(batch, count));
    for (size_t at = 0, turn = 0; at < count && status == OC_OK; turn = !turn) {
        size_t next = at + job[turn].pack->n;
        wait_for(&job[turn]);
        if (next < count) start(&job[!turn], paths + next, smaller(batch, count - next));
        status = run_pack(p, job[turn].pack, r, err);
        at = next;
    }
    wait_for(&job[0]);
    wait_for(&job[1]);
    return status;
}

oc_status oc_predict_files(oc_predictor *p, const char *const *paths, size_t count, int k,
                           oc_predict_each each, void *ctx, oc_error *err) {
    reporting r = {.k = k, .each = each, .ctx = ctx};
    oc_status status = OC_OK;
    OC_TRY(check_k(p, k, err));
    r.ranked = oc_calloc((size_t)k, sizeof *r.ranked);
    if (r.ranked == NULL) return oc_fail_nomem(err, (size_t)k * sizeof *r.ranked, "a ranking");
    OC_GOTO(make_renderers(p, count > 1 ? p->workers : 1, err));
    OC_GOTO(make_full_pack(p, &p->pack[0], err));
    if (count > (size_t)p->batch) OC_GOTO(make_full_pack(p, &p->pack[1], err));
    status = run_files(p, paths, count, &r, err);
done:
    oc_free(r.ranked);
    return status;
}
