/* The queue: every job is answered once, with its own rows, whatever it is batched with.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../model/photos.h"
#include "../model/tiny.h"

#include <pthread.h>
#include <semaphore.h>

#include "serve/queue_int.h"

enum { CLASSES = 5, PHOTOS = 6, JOBS = 60, THREADS = 3 };

static const float rounding = 1e-5F; /* another place in a batch, another order of summation */

typedef struct fixture {
    oc_model *model;
    oci_metrics *metrics;
    oc_buf photo[PHOTOS];
    float expected[PHOTOS][CLASSES];
} fixture;

static void predict_alone(fixture *f) {
    oc_predictor *p = NULL;
    oc_error err = {0};
    check_ok(oc_predictor_new(&p, f->model, "ref", 1, 1, &err), err);
    for (int i = 0; i < PHOTOS; i++) {
        const oc_image_bytes one = {f->photo[i].data, f->photo[i].size};
        oc_status status = OC_OK;
        check_ok(oc_predict_probabilities(p, &one, 1, f->expected[i], &status, &err, &err), err);
        assert_int_equal(status, OC_OK);
    }
    oc_predictor_free(p);
}

static fixture *set_up(void) {
    fixture *f = oc_calloc(1, sizeof *f);
    assert_non_null(f);
    f->model = tiny_model(CLASSES);
    assert_int_equal(oci_metrics_new(&f->metrics, NULL), OC_OK);
    for (int i = 0; i < PHOTOS; i++)
        photo_bytes(&f->photo[i], 20 + i, 30, (uint8_t)(40 * i), (uint8_t)(250 - 30 * i), 90);
    predict_alone(f);
    return f;
}

static void tear_down(fixture *f) {
    for (int i = 0; i < PHOTOS; i++) oc_buf_clear(&f->photo[i]);
    oc_model_free(f->model);
    oci_metrics_free(f->metrics);
    oc_free(f);
}

static oci_queue_options options_of(const fixture *f, int workers, int limit) {
    return (oci_queue_options){.engine = "ref",
                               .threads = workers,
                               .workers = workers,
                               .batch = 8,
                               .limit = limit,
                               .latency = 1,
                               .metrics = f->metrics};
}

/* A job of one to three photos, and who waits for it. */
typedef struct asked {
    oci_job job;
    oc_image_bytes images[3];
    int photo[3];
    float probabilities[3][CLASSES];
    oc_status status[3];
    oc_error errors[3];
    sem_t done;
} asked;

static void tell(void *ctx) {
    (void)sem_post(&((asked *)ctx)->done);
}

static void ask(const fixture *f, asked *a, int number) {
    (void)sem_init(&a->done, 0, 0);
    a->job = (oci_job){.images = a->images,
                       .n = (size_t)(1 + number % 3),
                       .probabilities = a->probabilities[0],
                       .status = a->status,
                       .errors = a->errors,
                       .done = tell,
                       .ctx = a};
    for (size_t i = 0; i < a->job.n; i++) {
        a->photo[i] = (number + (int)i) % PHOTOS;
        a->images[i] = (oc_image_bytes){f->photo[a->photo[i]].data, f->photo[a->photo[i]].size};
    }
}

static void check_answer(const fixture *f, asked *a) {
    while (sem_wait(&a->done) != 0) {
    }
    for (size_t i = 0; i < a->job.n; i++) {
        assert_int_equal(a->status[i], OC_OK);
        for (int c = 0; c < CLASSES; c++)
            assert_float_equal(a->probabilities[i][c], f->expected[a->photo[i]][c], rounding);
    }
    (void)sem_destroy(&a->done);
}

typedef struct crowd {
    const fixture *f;
    oci_queue *queue;
    int refused;
} crowd;

static void *come(void *ctx) {
    crowd *c = ctx;
    for (int i = 0; i < JOBS; i++) {
        asked a;
        oc_error err = {0};
        double retry = -1;
        ask(c->f, &a, i);
        while (oci_queue_put(c->queue, &a.job, &retry, &err) != OC_OK) {
            if (err.status != OC_ELIMIT || retry < 0) return NULL;
            c->refused++;
        }
        check_answer(c->f, &a);
    }
    return c;
}

static void jobs_of_many_threads_get_their_own_rows(void **state) {
    fixture *f = set_up();
    crowd crowds[THREADS];
    pthread_t threads[THREADS];
    oci_queue *q = NULL;
    oc_error err = {0};
    (void)state;
    const oci_queue_options options = options_of(f, 2, 8);
    check_ok(oci_queue_new(&q, f->model, &options, &err), err);
    for (int i = 0; i < THREADS; i++) {
        crowds[i] = (crowd){.f = f, .queue = q};
        assert_int_equal(pthread_create(&threads[i], NULL, come, &crowds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_ptr_equal(good, &crowds[i]);
    }
    assert_int_equal(oci_queue_waiting(q), 0);
    oci_queue_free(q);
    tear_down(f);
}

/* ---- explanations -----------------------------------------------------------------------------
 */

enum { LABEL = 3, TURNS = 8 };

/* The picture of each photo, made alone. */
static void explain_alone(const fixture *f, oc_buf pictures[PHOTOS]) {
    oc_explainer *e = NULL;
    oc_error err = {0};
    check_ok(oc_explainer_new(&e, f->model, "ref", 1, &err), err);
    for (int i = 0; i < PHOTOS; i++)
        check_ok(oc_explain(e, f->photo[i].data, f->photo[i].size, LABEL, &pictures[i], &err), err);
    oc_explainer_free(e);
}

/* The same photos again, to be explained. */
static void ask_why(asked *a, oc_buf pictures[3]) {
    a->job.probabilities = NULL;
    a->job.pictures = pictures;
    a->job.label = LABEL;
    (void)sem_init(&a->done, 0, 0);
}

static void clear_pictures(oc_buf *pictures, int count) {
    for (int i = 0; i < count; i++) oc_buf_clear(&pictures[i]);
}

typedef struct curious {
    const fixture *f;
    oci_queue *queue;
    const oc_buf *expected; /* (PHOTOS) */
} curious;

/* Name and explain in turns, while others do the same. */
static void *wonder(void *ctx) {
    curious *c = ctx;
    for (int i = 0; i < TURNS; i++) {
        asked a;
        oc_buf pictures[3] = {{0}};
        double retry = 0;
        ask(c->f, &a, i);
        if (oci_queue_put(c->queue, &a.job, &retry, NULL) != OC_OK) return NULL;
        check_answer(c->f, &a);
        ask_why(&a, pictures);
        if (oci_queue_put(c->queue, &a.job, &retry, NULL) != OC_OK) return NULL;
        while (sem_wait(&a.done) != 0) {
        }
        for (size_t k = 0; k < a.job.n; k++) {
            const oc_buf *wanted = &c->expected[a.photo[k]];
            bool same = a.status[k] == OC_OK && pictures[k].size == wanted->size &&
                        memcmp(pictures[k].data, wanted->data, wanted->size) == 0;
            if (!same) return NULL;
        }
        (void)sem_destroy(&a.done);
        clear_pictures(pictures, 3);
    }
    return c;
}

static void explanations_run_among_other_jobs(void **state) {
    fixture *f = set_up();
    oc_buf expected[PHOTOS] = {{0}};
    pthread_t threads[THREADS];
    oci_queue *q = NULL;
    oc_error err = {0};
    (void)state;
    explain_alone(f, expected);
    const oci_queue_options options = options_of(f, 2, 100);
    check_ok(oci_queue_new(&q, f->model, &options, &err), err);
    curious c = {f, q, expected};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wonder, &c), 0);
    for (int i = 0; i < THREADS; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_ptr_equal(good, &c);
    }
    oci_queue_free(q);
    clear_pictures(expected, PHOTOS);
    tear_down(f);
}

static void a_photo_that_cannot_be_explained_costs_itself(void **state) {
    fixture *f = set_up();
    oc_buf pictures[3] = {{0}};
    asked a;
    oci_queue *q = NULL;
    oc_error err = {0};
    double retry = 0;
    (void)state;
    const oci_queue_options options = options_of(f, 1, 8);
    check_ok(oci_queue_new(&q, f->model, &options, &err), err);
    ask(f, &a, 2); /* three photos */
    ask_why(&a, pictures);
    a.images[1].size /= 2;
    check_ok(oci_queue_put(q, &a.job, &retry, &err), err);
    while (sem_wait(&a.done) != 0) {
    }
    assert_true(a.status[0] == OC_OK && pictures[0].size > 0);
    assert_true(a.status[1] != OC_OK && pictures[1].size == 0);
    assert_true(a.errors[1].message[0] != '\0');
    assert_true(a.status[2] == OC_OK && pictures[2].size > 0);
    (void)sem_destroy(&a.done);
    clear_pictures(pictures, 3);
    oci_queue_free(q);
    tear_down(f);
}

static void what_waits_is_answered_before_the_queue_ends(void **state) {
    fixture *f = set_up();
    asked waiting[4];
    oci_queue *q = NULL;
    oc_error err = {0};
    double retry = 0;
    (void)state;
    const oci_queue_options options = options_of(f, 1, 16);
    check_ok(oci_queue_new(&q, f->model, &options, &err), err);
    for (int i = 0; i < 4; i++) {
        ask(f, &waiting[i], i);
        check_ok(oci_queue_put(q, &waiting[i].job, &retry, &err), err);
    }
    oci_queue_free(q);
    for (int i = 0; i < 4; i++) check_answer(f, &waiting[i]);
    tear_down(f);
}

/* Its `done` is held up, and with it the only worker. */
static void hold_up(void *ctx) {
    asked *a = ctx;
    while (sem_wait(&a->done) != 0) {
    }
}

static void a_full_queue_refuses_and_says_when_to_come_back(void **state) {
    fixture *f = set_up();
    asked slow, fit[8], late;
    oci_queue *q = NULL;
    oc_error err = {0};
    double retry = -1;
    (void)state;
    const oci_queue_options options = options_of(f, 1, 8);
    check_ok(oci_queue_new(&q, f->model, &options, &err), err);
    ask(f, &slow, 0);
    slow.job.done = hold_up;
    check_ok(oci_queue_put(q, &slow.job, &retry, &err), err);
    while (oci_queue_waiting(q) > 0) {
    } /* until the worker has taken it */
    for (int i = 0; i < 8; i++) {
        ask(f, &fit[i], 0);
        check_ok(oci_queue_put(q, &fit[i].job, &retry, &err), err);
    }
    assert_true(oci_queue_is_full(q, &retry));
    ask(f, &late, 0);
    check_fails(oci_queue_put(q, &late.job, &retry, &err), err, OC_ELIMIT, "8 photos wait already");
    assert_true(retry >= 0);
    (void)sem_post(&slow.done);
    for (int i = 0; i < 8; i++) check_answer(f, &fit[i]);
    oci_queue_free(q);
    tear_down(f);
}

static void a_photo_that_is_none_fails_alone(void **state) {
    fixture *f = set_up();
    asked a;
    oci_queue *q = NULL;
    oc_error err = {0};
    double retry = 0;
    (void)state;
    const oci_queue_options options = options_of(f, 1, 8);
    check_ok(oci_queue_new(&q, f->model, &options, &err), err);
    ask(f, &a, 2); /* three photos */
    a.images[1] = (oc_image_bytes){"<html>", 6};
    check_ok(oci_queue_put(q, &a.job, &retry, &err), err);
    while (sem_wait(&a.done) != 0) {
    }
    assert_int_equal(a.status[0], OC_OK);
    assert_int_not_equal(a.status[1], OC_OK);
    assert_non_null(strstr(a.errors[1].message, "HTML"));
    assert_int_equal(a.status[2], OC_OK);
    for (int c = 0; c < CLASSES; c++)
        assert_float_equal(a.probabilities[2][c], f->expected[a.photo[2]][c], rounding);
    oci_queue_free(q);
    tear_down(f);
}

static void lack_of_memory_is_told_and_leaks_nothing(void **state) {
    fixture *f = set_up();
    (void)state;
    const oci_queue_options options = options_of(f, 2, 8);
    for (uint64_t n = 1;; n++) {
        oci_queue *q = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = oci_queue_new(&q, f->model, &options, &err);
        oc_mem_fail_at(0);
        if (status == OC_OK) {
            oci_queue_free(q);
            break;
        }
        assert_int_equal(status, OC_ENOMEM);
        assert_null(q);
    }
    tear_down(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_of_many_threads_get_their_own_rows),
        cmocka_unit_test(explanations_run_among_other_jobs),
        cmocka_unit_test(a_photo_that_cannot_be_explained_costs_itself),
        cmocka_unit_test(what_waits_is_answered_before_the_queue_ends),
        cmocka_unit_test(a_full_queue_refuses_and_says_when_to_come_back),
        cmocka_unit_test(a_photo_that_is_none_fails_alone),
        cmocka_unit_test(lack_of_memory_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
