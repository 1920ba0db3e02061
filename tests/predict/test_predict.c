/* Prediction: one image, many files, and files that are none.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../model/photos.h"
#include "../model/tiny.h"

#include <math.h>

#include "predict/predict.h"

enum { FILES = 11, CLASSES = 5, TOP = 3, BROKEN = 6 };

/* The same image at another place of a batch may take another order of summation. */
static const float rounding = 1e-5F;

typedef struct fixture {
    char folder[OC_PATH_BYTES];
    char path[FILES][OC_PATH_BYTES];
    const char *paths[FILES];
    oc_model *model;
} fixture;

/* FILES photos of different colours; number BROKEN is text. */
static fixture *set_up(void) {
    fixture *f = oc_calloc(1, sizeof *f);
    assert_non_null(f);
    make_scratch(f->folder);
    for (int i = 0; i < FILES; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%d.jpg", i);
        assert_int_equal(oc_path_join(f->path[i], f->folder, name, NULL), OC_OK);
        photo_file(f->path[i], 20 + i, 30 - i, (uint8_t)(23 * i), (uint8_t)(255 - 20 * i), 90);
        f->paths[i] = f->path[i];
    }
    assert_int_equal(oc_file_write(f->path[BROKEN], "<html>", 6, NULL), OC_OK);
    f->model = tiny_model(CLASSES);
    return f;
}

static void tear_down(fixture *f) {
    drop_scratch(f->folder);
    oc_model_free(f->model);
    oc_free(f);
}

/* What `each` was told, in order. */
typedef struct told {
    const fixture *f;
    int count, stop_at;
    oc_ranked ranked[FILES][TOP];
    bool failed[FILES];
} told;

static bool note(void *ctx, const char *path, const oc_ranked *ranked, int k,
                 const oc_error *error) {
    told *t = ctx;
    assert_string_equal(path, t->f->paths[t->count]);
    assert_int_equal(k, TOP);
    assert_true((ranked == NULL) == (error != NULL));
    t->failed[t->count] = ranked == NULL;
    if (ranked != NULL) memcpy(t->ranked[t->count], ranked, sizeof t->ranked[0]);
    if (error != NULL) assert_true(error->message[0] != '\0');
    t->count++;
    return t->count != t->stop_at;
}

static void run(const fixture *f, int threads, int batch, told *t) {
    oc_predictor *p = NULL;
    oc_error err = {0};
    *t = (told){.f = f};
    check_ok(oc_predictor_new(&p, f->model, "ref", threads, batch, &err), err);
    assert_int_equal(oc_predictor_batch(p), batch);
    check_ok(oc_predict_files(p, f->paths, FILES, TOP, note, t, &err), err);
    oc_predictor_free(p);
    assert_int_equal(t->count, FILES);
}

static void same_ranking(const oc_ranked *a, const oc_ranked *b) {
    for (int i = 0; i < TOP; i++) {
        assert_int_equal(a[i].label, b[i].label);
        assert_true(fabsf(a[i].p - b[i].p) < rounding);
    }
}

static void batch_and_threads_change_nothing(void **state) {
    (void)state;
    fixture *f = set_up();
    told one, other;
    run(f, 1, 1, &one);
    static const int batches[] = {2, 4, FILES, 32};
    for (int i = 0; i < 4; i++) {
        run(f, 3, batches[i], &other);
        for (int k = 0; k < FILES; k++) {
            assert_int_equal(one.failed[k], other.failed[k]);
            if (!one.failed[k]) same_ranking(one.ranked[k], other.ranked[k]);
        }
    }
    tear_down(f);
}

static void a_broken_file_fails_only_itself(void **state) {
    (void)state;
    fixture *f = set_up();
    told t;
    run(f, 2, 4, &t);
    for (int i = 0; i < FILES; i++) assert_int_equal(t.failed[i], i == BROKEN);
    tear_down(f);
}

static void bytes_and_files_agree(void **state) {
    (void)state;
    fixture *f = set_up();
    told t;
    oc_predictor *p = NULL;
    oc_error err = {0};
    run(f, 2, 4, &t);
    check_ok(oc_predictor_new(&p, f->model, "ref", 1, 1, &err), err);
    for (int i = 0; i < FILES; i++) {
        oc_ranked ranked[TOP];
        char *bytes = NULL;
        size_t size = 0;
        check_ok(oc_file_read(f->paths[i], 1 << 20, &bytes, &size, &err), err);
        oc_status status = oc_predict_bytes(p, bytes, size, TOP, ranked, &err);
        oc_free(bytes);
        assert_int_equal(status != OC_OK, t.failed[i]);
        if (status == OC_OK) same_ranking(ranked, t.ranked[i]);
    }
    oc_predictor_free(p);
    tear_down(f);
}

static void probabilities_fall_and_sum_to_one(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_predictor *p = NULL;
    oc_error err = {0};
    oc_buf photo = {0};
    oc_ranked ranked[CLASSES];
    photo_bytes(&photo, 40, 25, 200, 30, 30);
    check_ok(oc_predictor_new(&p, f->model, NULL, 0, 1, &err), err);
    check_ok(oc_predict_bytes(p, photo.data, photo.size, CLASSES, ranked, &err), err);
    float sum = 0;
    for (int i = 0; i < CLASSES; i++) {
        sum += ranked[i].p;
        if (i > 0) assert_true(ranked[i].p <= ranked[i - 1].p);
    }
    assert_true(fabsf(sum - 1) < rounding);
    oc_predictor_free(p);
    oc_buf_clear(&photo);
    tear_down(f);
}

static void the_caller_may_stop(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_predictor *p = NULL;
    oc_error err = {0};
    told t = {.f = f, .stop_at = 4};
    check_ok(oc_predictor_new(&p, f->model, "ref", 2, 2, &err), err);
    check_fails(oc_predict_files(p, f->paths, FILES, TOP, note, &t, &err), err, OC_ECANCELLED,
                "stopped");
    assert_int_equal(t.count, 4);
    oc_predictor_free(p);
    tear_down(f);
}

static void an_empty_list_is_fine(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_predictor *p = NULL;
    oc_error err = {0};
    told t = {.f = f};
    check_ok(oc_predictor_new(&p, f->model, "ref", 1, 2, &err), err);
    check_ok(oc_predict_files(p, f->paths, 0, TOP, note, &t, &err), err);
    assert_int_equal(t.count, 0);
    oc_predictor_free(p);
    tear_down(f);
}

static void more_answers_than_classes_are_refused(void **state) {
    (void)state;
    fixture *f = set_up();
    oc_predictor *p = NULL;
    oc_error err = {0};
    oc_ranked ranked[CLASSES + 1];
    check_ok(oc_predictor_new(&p, f->model, "ref", 1, 1, &err), err);
    check_fails(oc_predict_bytes(p, "", 0, CLASSES + 1, ranked, &err), err, OC_EUSAGE, "1 to 5");
    check_fails(oc_predict_bytes(p, "", 0, 0, ranked, &err), err, OC_EUSAGE, "top 0");
    oc_predictor_free(p);
    check_fails(oc_predictor_new(&p, f->model, "ref", 1, 0, &err), err, OC_EUSAGE, "batch 0");
    check_fails(oc_predictor_new(&p, f->model, "abacus", 1, 1, &err), err, OC_EENV, "abacus");
    assert_null(p);
    tear_down(f);
}

static bool ignore(void *ctx, const char *path, const oc_ranked *ranked, int k,
                   const oc_error *error) {
    (void)path, (void)ranked, (void)k;
    bool *lacked = ctx;
    *lacked = *lacked || (error != NULL && error->status == OC_ENOMEM);
    return true;
}

/* Either the call fails, or the file does, or nothing needed that piece of memory. */
static void prediction_survives_any_allocation_failing(void **state) {
    (void)state;
    fixture *f = set_up();
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        oc_predictor *p = NULL;
        bool lacked = false;
        uint64_t before = oc_mem_allocations();
        assert_true(n < 2000);
        oc_mem_fail_at(n);
        oc_status status = oc_predictor_new(&p, f->model, "ref", 1, 2, NULL);
        if (status == OC_OK) {
            status = oc_predict_files(p, f->paths, 3, 2, ignore, &lacked, NULL);
            oc_predictor_free(p);
        }
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        done = status == OC_OK && !lacked && oc_mem_allocations() - before < n;
    }
    tear_down(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_and_threads_change_nothing),
        cmocka_unit_test(a_broken_file_fails_only_itself),
        cmocka_unit_test(bytes_and_files_agree),
        cmocka_unit_test(probabilities_fall_and_sum_to_one),
        cmocka_unit_test(the_caller_may_stop),
        cmocka_unit_test(an_empty_list_is_fine),
        cmocka_unit_test(more_answers_than_classes_are_refused),
        cmocka_unit_test(prediction_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
