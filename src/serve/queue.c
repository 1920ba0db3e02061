/* Batching: a bounded queue and the workers that empty it.
 *
 * Under load each worker runs batches of its own on its share of the threads: nobody waits for
 * anybody, so that a thread that is taken away by other work holds up its own batch alone. A photo
 * that comes alone is run on all threads, by the first worker, while the others wait.
 *
 * A batch is bounded in photos and in time: what a photo costs is measured as batches run (an
 * exponential mean), and no more are taken than should end within the latency asked for.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/queue_int.h"

#include <pthread.h>
#include <string.h>

static const double COST_WEIGHT = 0.1; /* of the last batch in the mean cost of a photo */

typedef struct worker {
    oci_queue *queue;
    oc_predictor *predictor;
    oc_predictor
        *wide; /* with all threads, for a photo alone: the first worker's, where it helps */
    oc_explainer *explainer; /* made when an explanation is asked for */
    int threads;
    bool alone; /* the present batch is a photo alone */
    pthread_t thread;
    bool running; /* there is a thread to join */
    bool ready;   /* `started` says whether it can work */
    oc_status started;
    oc_error error;
    oc_image_bytes *images; /* (batch) */
    float *pixels;          /* (batch, c, h, w), made when pixels come */
    float *probabilities;   /* (batch, classes) */
    oc_status *status;      /* (batch) */
    oc_error *errors;       /* (batch) */
} worker;

struct oci_queue {
    oci_queue_options options;
    const oc_model *model;
    size_t classes, image_floats;
    worker *workers;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    oci_job *first, **last;
    size_t waiting;         /* photos */
    double cost;            /* of a worker's seconds a photo, 0 = not known yet */
    int busy;               /* workers */
    bool first_busy, alone; /* the first worker is; it runs a photo alone */
    bool closing;
};

/* ---- a worker ---------------------------------------------------------------------------------
 */

/* Photos that a batch may have: as many as leave the other idle workers theirs, by their number and
 * by the time that they take. */
static size_t most_photos(const oci_queue *q) {
    size_t idle = (size_t)(q->options.workers - q->busy), batch = (size_t)q->options.batch;
    size_t fair = (q->waiting + idle - 1) / idle;
    if (fair < batch) batch = fair;
    if (q->cost <= 0) return batch;
    double fit = q->options.latency / q->cost;
    if (fit >= (double)batch) return batch;
    return fit < 1 ? 1 : (size_t)fit;
}

/* Jobs of one kind run together, but for explanations. */
static bool joins(const oci_job *job, const oci_job *first) {
    return first->pictures == NULL && job->pictures == NULL &&
           (job->images != NULL) == (first->images != NULL);
}

/* Take jobs that go together from the front; the first is taken whatever it costs. */
static oci_job *take(oci_queue *q, size_t most, size_t *photos) {
    oci_job *head = q->first, *tail = head;
    *photos = head->n;
    while (tail->next != NULL && joins(tail->next, head) && *photos + tail->next->n <= most) {
        tail = tail->next;
        *photos += tail->n;
    }
    q->first = tail->next;
    if (q->first == NULL) q->last = &q->first;
    tail->next = NULL;
    q->waiting -= *photos;
    return head;
}

/* The first worker goes first, so that it is the one that has a photo alone. */
static bool may_begin(const worker *w) {
    const oci_queue *q = w->queue;
    return q->first != NULL && !q->alone && (w == q->workers || q->first_busy);
}

static void begin(worker *w, const oci_job *job) {
    oci_queue *q = w->queue;
    w->alone = w->wide != NULL && q->busy == 0 && q->waiting == 1 && job->pictures == NULL;
    q->busy++;
    if (w != q->workers) return;
    q->first_busy = true;
    q->alone = w->alone;
}

static void end(worker *w) {
    oci_queue *q = w->queue;
    (void)pthread_mutex_lock(&q->lock);
    q->busy--;
    if (w == q->workers) q->first_busy = q->alone = false;
    (void)pthread_cond_broadcast(&q->filled);
    (void)pthread_mutex_unlock(&q->lock);
}

/* The next batch, or NULL when the queue is closing and empty. */
static oci_job *wait_for_jobs(worker *w, size_t *photos) {
    oci_queue *q = w->queue;
    oci_job *jobs = NULL;
    (void)pthread_mutex_lock(&q->lock);
    while (!may_begin(w) && !(q->closing && q->first == NULL))
        (void)pthread_cond_wait(&q->filled, &q->lock);
    if (q->first != NULL) {
        size_t most = most_photos(q);
        begin(w, q->first);
        jobs = take(q, most, photos);
        if (q->first != NULL) (void)pthread_cond_broadcast(&q->filled);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return jobs;
}

static oc_predictor *predictor_of(const worker *w) {
    return w->alone ? w->wide : w->predictor;
}

static oc_status run_encoded(worker *w, const oci_job *jobs, size_t photos, oc_error *err) {
    size_t at = 0;
    for (const oci_job *job = jobs; job != NULL; job = job->next) {
        memcpy(w->images + at, job->images, job->n * sizeof *job->images);
        at += job->n;
    }
    return oc_predict_probabilities(predictor_of(w), w->images, photos, w->probabilities, w->status,
                                    w->errors, err);
}

static oc_status run_pixels(worker *w, const oci_job *jobs, size_t photos, oc_error *err) {
    const size_t floats = w->queue->image_floats;
    const float *pixels = jobs->pixels;
    if (jobs->next != NULL) {
        size_t at = 0;
        if (w->pixels == NULL)
            w->pixels = oc_malloc_aligned((size_t)w->queue->options.batch * floats * sizeof(float));
        if (w->pixels == NULL) return oc_fail_nomem(err, floats * sizeof(float), "a batch");
        for (const oci_job *job = jobs; job != NULL; job = job->next) {
            memcpy(w->pixels + at * floats, job->pixels, job->n * floats * sizeof(float));
            at += job->n;
        }
        pixels = w->pixels;
    }
    return oc_predict_pixels(predictor_of(w), pixels, photos, w->probabilities, w->status,
                             w->errors, err);
}

/* Each job gets its rows. */
static void hand_out(worker *w, oci_job *jobs, double begun) {
    const size_t classes = w->queue->classes;
    double ended = oc_clock_seconds();
    size_t at = 0;
    for (oci_job *job = jobs, *next = NULL; job != NULL; job = next) {
        next = job->next; /* a job that is done is no longer ours */
        for (size_t i = 0; i < job->n; i++) {
            job->status[i] = w->status[at + i];
            if (job->status[i] != OC_OK) job->errors[i] = w->errors[at + i];
        }
        memcpy(job->probabilities, w->probabilities + at * classes,
               job->n * classes * sizeof(float));
        at += job->n;
        job->begun = begun;
        job->ended = ended;
        oci_metrics_job(w->queue->options.metrics, begun - job->queued, ended - begun);
        job->done(job->ctx);
    }
}

static void run_batch(worker *w, oci_job *jobs, size_t photos) {
    oci_queue *q = w->queue;
    oc_error error = {0};
    double begun = oc_clock_seconds();
    oc_status status = jobs->images != NULL ? run_encoded(w, jobs, photos, &error)
                                            : run_pixels(w, jobs, photos, &error);
    for (size_t i = 0; status != OC_OK && i < photos; i++) {
        w->status[i] = status;
        w->errors[i] = error;
    }
    double cost = (oc_clock_seconds() - begun) / (double)photos;
    (void)pthread_mutex_lock(&q->lock);
    q->cost = q->cost > 0 ? q->cost + COST_WEIGHT * (cost - q->cost) : cost;
    (void)pthread_mutex_unlock(&q->lock);
    oci_metrics_batch(q->options.metrics, photos);
    hand_out(w, jobs, begun);
}

static oc_status make_explainer(worker *w, oc_error *err) {
    const oci_queue *q = w->queue;
    if (w->explainer != NULL) return OC_OK;
    return oc_explainer_new(&w->explainer, q->model, q->options.engine, w->threads, err);
}

/* One photo after the other: explanations are rare, and need a gradient each. */
static void run_explaining(worker *w, oci_job *job) {
    oc_error error = {0};
    job->begun = oc_clock_seconds();
    oc_status status = make_explainer(w, &error);
    for (size_t i = 0; i < job->n; i++) {
        job->status[i] = status;
        job->errors[i] = error;
        if (status == OC_OK)
            job->status[i] = oc_explain(w->explainer, job->images[i].data, job->images[i].size,
                                        job->label, &job->pictures[i], &job->errors[i]);
    }
    job->ended = oc_clock_seconds();
    job->done(job->ctx);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void clear_worker(worker *w) {
    oc_predictor_free(w->wide);
    oc_predictor_free(w->predictor);
    oc_explainer_free(w->explainer);
    oc_free(w->images);
    oc_free_aligned(w->pixels);
    oc_free(w->probabilities);
    oc_free(w->status);
    oc_free(w->errors);
}

/* The plans that every load needs are there before the first request: for a photo alone and for a
 * whole batch. */
static oc_status warm_up(worker *w, oc_error *err) {
    const oci_queue *q = w->queue;
    const size_t batch = (size_t)q->options.batch;
    float *zeros = oc_calloc_aligned(batch * q->image_floats * sizeof(float));
    if (zeros == NULL) return oc_fail_nomem(err, q->image_floats * sizeof(float), "a batch");
    oc_predictor *single = w->wide != NULL ? w->wide : w->predictor;
    oc_status status =
        oc_predict_pixels(single, zeros, 1, w->probabilities, w->status, w->errors, err);
    if (status == OC_OK)
        status = oc_predict_pixels(w->predictor, zeros, batch, w->probabilities, w->status,
                                   w->errors, err);
    oc_free_aligned(zeros);
    return status;
}

static oc_status set_up(worker *w, oc_error *err) {
    oci_queue *q = w->queue;
    const size_t batch = (size_t)q->options.batch;
    int threads = q->options.threads / q->options.workers;
    w->threads = threads > 0 ? threads : 1;
    w->images = oc_calloc(batch, sizeof *w->images);
    w->probabilities = oc_calloc(batch * q->classes, sizeof *w->probabilities);
    w->status = oc_calloc(batch, sizeof *w->status);
    w->errors = oc_calloc(batch, sizeof *w->errors);
    if (!w->images || !w->probabilities || !w->status || !w->errors)
        return oc_fail_nomem(err, batch * q->classes * sizeof(float), "a worker");
    if (w == q->workers)
        OC_TRY(oc_predictor_new(&w->predictor, q->model, q->options.engine, w->threads,
                                q->options.batch, err));
    else
        OC_TRY(oc_predictor_share(&w->predictor, q->workers[0].predictor, err));
    if (w == q->workers && w->threads < q->options.threads)
        OC_TRY(oc_predictor_in_turns(&w->wide, w->predictor, q->options.threads, 1, err));
    return warm_up(w, err);
}

/* A worker sets itself up on its own thread: threads of the maths belong to the thread that first
 * calls for them, and with more of them about than cores, OpenMP would put them all to sleep
 * between layers instead of letting them wait awake (half the speed of a single photo). */
static void report_start(worker *w) {
    oci_queue *q = w->queue;
    oc_error error = {0};
    oc_status status = set_up(w, &error);
    (void)pthread_mutex_lock(&q->lock);
    w->started = status;
    w->error = error;
    w->ready = true;
    (void)pthread_cond_broadcast(&q->filled);
    (void)pthread_mutex_unlock(&q->lock);
}

static void *work(void *ctx) {
    worker *w = ctx;
    size_t photos = 0;
    report_start(w);
    if (w->started != OC_OK) return NULL;
    for (oci_job *jobs = NULL; (jobs = wait_for_jobs(w, &photos)) != NULL;) {
        if (jobs->pictures != NULL)
            run_explaining(w, jobs);
        else
            run_batch(w, jobs, photos);
        end(w);
    }
    return NULL;
}

static oc_status start_worker(oci_queue *q, worker *w, oc_error *err) {
    w->queue = q;
    int failed = pthread_create(&w->thread, NULL, work, w);
    if (failed) return oc_fail_errno(err, OC_EENV, failed, "a worker thread");
    w->running = true;
    (void)pthread_mutex_lock(&q->lock);
    while (!w->ready) (void)pthread_cond_wait(&q->filled, &q->lock);
    (void)pthread_mutex_unlock(&q->lock);
    if (w->started != OC_OK && err != NULL) *err = w->error;
    return w->started;
}

oc_status oci_queue_new(oci_queue **out, const oc_model *model, const oci_queue_options *options,
                        oc_error *err) {
    oc_status status = OC_OK;
    oci_queue *q = oc_calloc(1, sizeof *q);
    *out = NULL;
    if (q == NULL) return oc_fail_nomem(err, sizeof *q, "a queue");
    q->options = *options;
    q->model = model;
    q->classes = model->classes.count;
    q->image_floats =
        (size_t)model->recipe.channels * (size_t)model->recipe.height * (size_t)model->recipe.width;
    q->last = &q->first;
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->filled, NULL);
    q->workers = oc_calloc((size_t)options->workers, sizeof *q->workers);
    if (q->workers == NULL) OC_GOTO(oc_fail_nomem(err, sizeof *q->workers, "workers"));
    for (int i = 0; i < options->workers; i++) OC_GOTO(start_worker(q, &q->workers[i], err));
    *out = q;
    return OC_OK;
done:
    oci_queue_free(q);
    return status;
}

void oci_queue_free(oci_queue *q) {
    if (q == NULL) return;
    (void)pthread_mutex_lock(&q->lock);
    q->closing = true;
    (void)pthread_cond_broadcast(&q->filled);
    (void)pthread_mutex_unlock(&q->lock);
    for (int i = 0; q->workers != NULL && i < q->options.workers; i++)
        if (q->workers[i].running) (void)pthread_join(q->workers[i].thread, NULL);
    for (int i = 0; q->workers != NULL && i < q->options.workers; i++) clear_worker(&q->workers[i]);
    oc_free(q->workers);
    (void)pthread_cond_destroy(&q->filled);
    (void)pthread_mutex_destroy(&q->lock);
    oc_free(q);
}

/* ---- use --------------------------------------------------------------------------------------
 */

oc_status oci_queue_put(oci_queue *q, oci_job *job, double *retry, oc_error *err) {
    job->next = NULL;
    job->queued = oc_clock_seconds();
    (void)pthread_mutex_lock(&q->lock);
    size_t waiting = q->waiting;
    bool room = !q->closing && waiting + job->n <= (size_t)q->options.limit;
    *retry = (double)waiting * q->cost / q->options.workers;
    if (room) {
        *q->last = job;
        q->last = &job->next;
        q->waiting += job->n;
        (void)pthread_cond_broadcast(&q->filled);
    }
    (void)pthread_mutex_unlock(&q->lock);
    if (room) return OC_OK;
    return oc_fail(err, OC_ELIMIT, "%zu photos wait already and %d may: try again a little later",
                   waiting, q->options.limit);
}

bool oci_queue_is_full(oci_queue *q, double *retry) {
    (void)pthread_mutex_lock(&q->lock);
    bool full = q->waiting >= (size_t)q->options.limit;
    *retry = (double)q->waiting * q->cost / q->options.workers;
    (void)pthread_mutex_unlock(&q->lock);
    return full;
}

int oci_queue_batch(const oci_queue *q) {
    return q->options.batch;
}

size_t oci_queue_waiting(oci_queue *q) {
    (void)pthread_mutex_lock(&q->lock);
    size_t waiting = q->waiting;
    (void)pthread_mutex_unlock(&q->lock);
    return waiting;
}
