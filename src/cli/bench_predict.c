/* Times prediction whole: from the bytes of photos in memory to probabilities, one at a time and in
 * batches. This is the loop that `ocellus serve` is measured against.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "bench_int.h"
#include "predict/predict.h"

static const size_t file_budget = (size_t)64 << 20;
enum { MOST_LATENCIES = 100000 };

typedef struct loop {
    oc_image_bytes images[OCI_BENCH_PHOTOS];
    size_t count;
    oc_predictor *predictor;
    int batch;
    float *probabilities; /* (batch, classes) */
    oc_status *status;
    oc_error *errors;
} loop;

static oc_status read_all(loop *l, const oci_paths *paths, oc_error *err) {
    for (size_t i = 0; i < paths->count && l->count < OCI_BENCH_PHOTOS; i++) {
        char *bytes = NULL;
        size_t size = 0;
        OC_TRY(oc_file_read(paths->items[i], file_budget, &bytes, &size, err));
        l->images[l->count++] = (oc_image_bytes){bytes, size};
    }
    if (l->count > 0) return OC_OK;
    return oc_fail(err, OC_EDATA, "there is no photo to measure with");
}

static oc_status set_up(loop *l, const oc_model *model, const oci_bench_task *task, oc_error *err) {
    size_t batch = (size_t)task->batch, classes = model->classes.count;
    l->batch = task->batch;
    l->probabilities = oc_calloc(batch * classes, sizeof *l->probabilities);
    l->status = oc_calloc(batch, sizeof *l->status);
    l->errors = oc_calloc(batch, sizeof *l->errors);
    if (!l->probabilities || !l->status || !l->errors)
        return oc_fail_nomem(err, batch * classes * sizeof(float), "probabilities");
    return oc_predictor_new(&l->predictor, model, task->engine, task->threads, task->batch, err);
}

static void clear(loop *l) {
    oc_predictor_free(l->predictor);
    for (size_t i = 0; i < l->count; i++) oc_free((void *)(uintptr_t)l->images[i].data);
    oc_free(l->probabilities);
    oc_free(l->status);
    oc_free(l->errors);
}

/* n photos from the `at`-th on, round and round. */
static oc_status step(loop *l, size_t at, size_t n, oc_error *err) {
    oc_image_bytes images[OCI_BENCH_PHOTOS] = {0};
    for (size_t i = 0; i < n; i++) images[i] = l->images[(at + i) % l->count];
    OC_TRY(oc_predict_probabilities(l->predictor, images, n, l->probabilities, l->status, l->errors,
                                    err));
    for (size_t i = 0; i < n; i++)
        if (l->status[i] != OC_OK) return oc_fail(err, l->status[i], "%s", l->errors[i].message);
    return OC_OK;
}

static oc_status time_batches(loop *l, double seconds, double *rate, oc_error *err) {
    double begun = oc_clock_seconds(), spent = 0;
    size_t done = 0;
    for (; spent < seconds; spent = oc_clock_seconds() - begun) {
        OC_TRY(step(l, done, (size_t)l->batch, err));
        done += (size_t)l->batch;
    }
    *rate = (double)done / spent;
    return OC_OK;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static oc_status time_single(loop *l, double seconds, oci_predict_speed *out, oc_error *err) {
    oc_status status = OC_OK;
    size_t n = 0;
    double *took = oc_calloc(MOST_LATENCIES, sizeof *took), until = oc_clock_seconds() + seconds;
    if (took == NULL) return oc_fail_nomem(err, MOST_LATENCIES * sizeof *took, "times");
    while (n < MOST_LATENCIES && (n == 0 || oc_clock_seconds() < until)) {
        double begun = oc_clock_seconds();
        OC_GOTO(step(l, n, 1, err));
        took[n++] = oc_clock_seconds() - begun;
    }
    qsort(took, n, sizeof *took, by_value);
    out->median_seconds = took[n / 2];
    out->p99_seconds = took[n * 99 / 100];
done:
    oc_free(took);
    return status;
}

oc_status oci_bench_predict(oci_predict_speed *out, const oc_model *model, const oci_paths *paths,
                            const oci_bench_task *task, oc_error *err) {
    loop l = {0};
    oc_status status = OC_OK;
    double rate = 0, seconds = task->seconds * task->reps / 2;
    *out = (oci_predict_speed){0};
    if (task->batch > OCI_BENCH_PHOTOS)
        return oc_fail(err, OC_EUSAGE, "--batch %d: with photos at most %d", task->batch,
                       OCI_BENCH_PHOTOS);
    OC_GOTO(read_all(&l, paths, err));
    OC_GOTO(set_up(&l, model, task, err));
    OC_GOTO(step(&l, 0, (size_t)l.batch, err));
    OC_GOTO(step(&l, 0, 1, err));
    OC_GOTO(time_batches(&l, seconds, &rate, err));
    OC_GOTO(time_single(&l, seconds, out, err));
    out->photos = l.count;
    out->rate = rate;
done:
    clear(&l);
    return status;
}
