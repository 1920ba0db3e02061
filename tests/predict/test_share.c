/* Weights in memory once: plans, predictors and classifiers that share them, on several threads.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../model/photos.h"
#include "../model/tiny.h"

#include <pthread.h>

#include "ocellus/ocellus.h"
#include "predict/predict.h"

enum { CLASSES = 4, BATCH = 5, THREADS = 3, ROUNDS = 4, TOP = 2 };

/* The same image at another place of a batch may take another order of summation. */
static const float rounding = 1e-5F;

typedef struct photo {
    char *bytes;
    size_t size;
} photo;

static photo photo_of(const char *folder, int i) {
    char path[OC_PATH_BYTES], name[32];
    oc_error err = {0};
    photo p = {0};
    (void)snprintf(name, sizeof name, "%d.jpg", i);
    check_ok(oc_path_join(path, folder, name, &err), err);
    photo_file(path, 20 + i, 30 - i, (uint8_t)(50 * i), (uint8_t)(255 - 40 * i), 90);
    check_ok(oc_file_read(path, 1 << 20, &p.bytes, &p.size, &err), err);
    return p;
}

typedef struct fixture {
    char folder[OC_PATH_BYTES];
    oc_model *model;
    photo photos[BATCH];
    oc_image_bytes images[BATCH];
} fixture;

static fixture *set_up(void) {
    fixture *f = oc_calloc(1, sizeof *f);
    assert_non_null(f);
    make_scratch(f->folder);
    f->model = tiny_model(CLASSES);
    for (int i = 0; i < BATCH; i++) {
        f->photos[i] = photo_of(f->folder, i);
        f->images[i] = (oc_image_bytes){f->photos[i].bytes, f->photos[i].size};
    }
    return f;
}

static void tear_down(fixture *f) {
    for (int i = 0; i < BATCH; i++) oc_free(f->photos[i].bytes);
    drop_scratch(f->folder);
    oc_model_free(f->model);
    oc_free(f);
}

static oc_predictor *predictor_of(const fixture *f, const char *engine) {
    oc_error err = {0};
    oc_predictor *p = NULL;
    check_ok(oc_predictor_new(&p, f->model, engine, 1, BATCH, &err), err);
    return p;
}

/* The best answers for the first n images. */
static void answers(oc_predictor *p, const fixture *f, size_t n, oc_ranked ranked[BATCH * TOP]) {
    oc_status status[BATCH];
    oc_error errors[BATCH] = {{0}}, err = {0};
    check_ok(oc_predict_images(p, f->images, n, TOP, ranked, status, errors, &err), err);
    for (size_t i = 0; i < n; i++) check_ok(status[i], errors[i]);
}

static void check_same(const oc_ranked *a, const oc_ranked *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(a[i].label, b[i].label);
        assert_float_equal(a[i].p, b[i].p, rounding);
    }
}

static void every_size_gives_the_same_answers(void **state) {
    (void)state;
    fixture *f = set_up();
    for (size_t e = 0; oc_engine_names()[e] != NULL; e++) {
        oc_predictor *p = predictor_of(f, oc_engine_names()[e]);
        oc_ranked whole[BATCH * TOP], some[BATCH * TOP], one[TOP];
        oc_error err = {0};
        answers(p, f, BATCH, whole);
        for (size_t n = 1; n <= BATCH; n++) {
            answers(p, f, n, some);
            check_same(some, whole, n * TOP);
        }
        check_ok(oc_predict_bytes(p, f->photos[2].bytes, f->photos[2].size, TOP, one, &err), err);
        check_same(one, whole + 2 * TOP, TOP);
        oc_predictor_free(p);
    }
    tear_down(f);
}

static void smaller_plans_add_no_weights(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_ranked ranked[BATCH * TOP];
    for (size_t e = 0; oc_engine_names()[e] != NULL; e++) {
        oc_predictor *p = predictor_of(f, oc_engine_names()[e]), *q = NULL;
        oc_error err = {0};
        uint64_t alone = oc_predictor_memory(p).weights;
        answers(p, f, 1, ranked);
        answers(p, f, 3, ranked);
        check_ok(oc_predictor_share(&q, p, &err), err);
        /* small vectors, of biases and batch norms, are each plan's own */
        assert_true(oc_predictor_memory(p).weights < 2 * alone);
        assert_true(oc_predictor_memory(q).weights < alone);
        oc_predictor_free(p);
        answers(q, f, BATCH, ranked); /* outlives the one that it shares with */
        oc_predictor_free(q);
    }
    tear_down(f);
}

static void predictors_that_take_turns_do_not_mix(void **state) {
    (void)state;
    fixture *f = set_up();
    for (size_t e = 0; oc_engine_names()[e] != NULL; e++) {
        oc_predictor *p = predictor_of(f, oc_engine_names()[e]), *q = NULL;
        oc_ranked whole[BATCH * TOP], again[BATCH * TOP], one[BATCH * TOP];
        oc_error err = {0};
        answers(p, f, BATCH, whole);
        check_ok(oc_predictor_in_turns(&q, p, 2, 1, &err), err);
        assert_int_equal(oc_predictor_batch(q), 1);
        for (int round = 0; round < ROUNDS; round++) {
            answers(q, f, 1, one);
            answers(p, f, BATCH - 1, again); /* a smaller plan, which takes turns as well */
            check_same(one, whole, TOP);
            check_same(again, whole, (BATCH - 1) * TOP);
        }
        assert_true(oc_predictor_memory(q).activations < oc_predictor_memory(p).activations / 2);
        oc_predictor_free(p);
        answers(q, f, 1, one); /* outlives the one that it takes turns with */
        check_same(one, whole, TOP);
        oc_predictor_free(q);
    }
    tear_down(f);
}

static void a_size_that_was_seen_allocates_no_plan(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_predictor *p = predictor_of(f, NULL);
    oc_ranked ranked[BATCH * TOP];
    answers(p, f, 1, ranked);
    answers(p, f, 1, ranked);
    uint64_t before = oc_mem_allocations();
    answers(p, f, 1, ranked);
    uint64_t one = oc_mem_allocations() - before;
    answers(p, f, 2, ranked);
    before = oc_mem_allocations();
    answers(p, f, 1, ranked);
    assert_int_equal(oc_mem_allocations() - before, one); /* decoding's alone */
    oc_predictor_free(p);
    tear_down(f);
}

static void a_bad_image_fails_only_itself(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_predictor *p = predictor_of(f, NULL);
    oc_ranked whole[BATCH * TOP], ranked[BATCH * TOP];
    oc_status status[BATCH];
    oc_error errors[BATCH] = {{0}}, err = {0};
    answers(p, f, BATCH, whole);
    f->images[1] = (oc_image_bytes){"<html>", 6};
    check_ok(oc_predict_images(p, f->images, 3, TOP, ranked, status, errors, &err), err);
    assert_int_equal(status[1], OC_EFORMAT);
    assert_int_equal(errors[1].status, OC_EFORMAT);
    check_same(ranked, whole, TOP);
    check_same(ranked + 2 * TOP, whole + 2 * TOP, TOP);
    check_fails(oc_predict_images(p, f->images, BATCH + 1, TOP, ranked, status, errors, &err), err,
                OC_EUSAGE, "1 to 5");
    check_fails(oc_predict_images(p, f->images, 0, TOP, ranked, status, errors, &err), err,
                OC_EUSAGE, "1 to 5");
    oc_predictor_free(p);
    tear_down(f);
}

/* ---- threads -------------------------------------------------------------------------------- */

typedef struct worker {
    const fixture *f;
    oc_predictor *p;
    const oc_ranked *wanted;
    int wrong;
} worker;

static void *work(void *ctx) {
    worker *w = ctx;
    oc_ranked ranked[BATCH * TOP];
    oc_status status[BATCH];
    oc_error errors[BATCH], err = {0};
    for (int r = 0; r < ROUNDS; r++)
        for (size_t n = 1; n <= BATCH; n++) {
            if (oc_predict_images(w->p, w->f->images, n, TOP, ranked, status, errors, &err) !=
                OC_OK)
                w->wrong++;
            for (size_t i = 0; i < n * TOP; i++) w->wrong += ranked[i].label != w->wanted[i].label;
        }
    oc_predictor_free(w->p);
    return NULL;
}

static void threads_share_weights(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_error err = {0};
    oc_ranked wanted[BATCH * TOP];
    worker w[THREADS];
    pthread_t thread[THREADS];
    oc_predictor *first = predictor_of(f, NULL);
    answers(first, f, BATCH, wanted);
    for (int i = 0; i < THREADS; i++) {
        w[i] = (worker){.f = f, .wanted = wanted};
        check_ok(oc_predictor_share(&w[i].p, i == 0 ? first : w[i - 1].p, &err), err);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
    oc_predictor_free(first);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(w[i].wrong, 0);
    }
    tear_down(f);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void other_networks_and_engines_do_not_share(void **state) {
    (void)state;
    oc_error err = {0};
    oc_model *a = tiny_model(3), *b = tiny_model(4);
    oc_plan *plan = NULL, *other = NULL;
    check_ok(oc_model_plan(a, "ref", 1, 1, &plan, &err), err);
    check_fails(oc_model_plan_sharing(b, "ref", 1, 1, plan, &other, &err), err, OC_EUSAGE,
                "different networks");
    if (strcmp(oc_engine_names()[0], "ref") != 0)
        check_fails(oc_model_plan_sharing(a, oc_engine_names()[0], 1, 1, plan, &other, &err), err,
                    OC_EUSAGE, "different engines");
    const oc_plan_options train = {.mode = OC_MODE_TRAIN,
                                   .batch = 1,
                                   .height = TINY_SIDE,
                                   .width = TINY_SIDE,
                                   .threads = 1,
                                   .share = plan};
    check_fails(oc_plan_new(&other, "ref", a->graph, &train, &err), err, OC_EUSAGE, "trains");
    assert_null(other);
    oc_plan_free(plan);
    oc_model_free(a);
    oc_model_free(b);
}

static void running_out_of_memory_leaves_nothing(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_predictor *p = predictor_of(f, NULL), *q = NULL;
    oc_ranked ranked[BATCH * TOP];
    for (uint64_t n = 1;; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = oc_predictor_share(&q, p, &err);
        oc_mem_fail_at(0);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_null(q);
    }
    oc_predictor_free(p);
    answers(q, f, 2, ranked);
    oc_predictor_free(q);
    tear_down(f);
}

static void classifiers_share_a_model(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_error err = {0};
    oc_classifier *one = NULL, *two = NULL;
    oc_guess a, b;
    int n = 0;
    check_ok(oc_model_save(f->model, f->folder, &err), err);
    /* OpenMP's threads are unknown to the thread sanitizer */
    const oc_classifier_options options = {.threads = 1};
    check_ok(oc_classifier_open(&one, f->folder, &options, &err), err);
    check_ok(oc_classify_bytes(one, f->photos[1].bytes, f->photos[1].size, 1, &a, &n, &err), err);
    check_ok(oc_classifier_share(&two, one, &err), err);
    oc_classifier_close(one);
    check_ok(oc_classify_bytes(two, f->photos[1].bytes, f->photos[1].size, 1, &b, &n, &err), err);
    assert_string_equal(a.label, b.label);
    assert_int_equal(oc_classifier_classes(two), CLASSES);
    oc_classifier_close(two);
    tear_down(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_gives_the_same_answers),
        cmocka_unit_test(smaller_plans_add_no_weights),
        cmocka_unit_test(predictors_that_take_turns_do_not_mix),
        cmocka_unit_test(a_size_that_was_seen_allocates_no_plan),
        cmocka_unit_test(a_bad_image_fails_only_itself),
        cmocka_unit_test(threads_share_weights),
        cmocka_unit_test(other_networks_and_engines_do_not_share),
        cmocka_unit_test(running_out_of_memory_leaves_nothing),
        cmocka_unit_test(classifiers_share_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
