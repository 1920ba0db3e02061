/* POST /v2/models/M/infer: tensors in, tensors out.
 *
 * A request may have more images than a batch: they go through the queue one batch after another,
 * so that a large request never has more of the queue than a batch, and others get their turn. Long
 * JSON is read and written by the clerk.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "serve/server_int.h"

enum { LONG_JSON = 64 << 10, MANY_VALUES = 500 }; /* less takes less than a change of threads */

typedef struct inference {
    oci_exchange *x;
    oci_served *served; /* given back when this is freed */
    oci_oip_model model;
    oci_oip_request in;
    size_t json_size;
    size_t done; /* images */
    oci_job job;
    float *probabilities; /* (n, classes) */
    oc_status *status;    /* (batch) */
    oc_error *errors;     /* (batch) */
} inference;

static void free_inference(void *work) {
    inference *f = work;
    oci_models_give(f->x->server->models, f->served);
    oci_oip_clear(&f->in);
    oc_free(f->probabilities);
    oc_free(f->status);
    oc_free(f->errors);
    oc_free(f);
}

/* ---- reading ---- */

static oc_status json_size_of(const oci_exchange *x, size_t *out, oc_error *err) {
    const char *text = oci_header_in(x, "Inference-Header-Content-Length");
    int64_t size = 0;
    *out = x->body.size;
    if (text == NULL) return OC_OK;
    if (!oc_parse_i64(text, 0, (int64_t)x->body.size, &size))
        return oc_fail(err, OC_EUSAGE,
                       "Inference-Header-Content-Length is \"%.50s\", the request has %zu bytes",
                       text, x->body.size);
    *out = (size_t)size;
    return OC_OK;
}

/* Encoded photos are looked at before they wait: one that cannot be read fails the request. */
static oc_status look_at_images(const inference *f, oc_error *err) {
    const oc_image_limits limits = {.max_pixels = f->x->server->options.max_pixels};
    for (size_t i = 0; f->in.images != NULL && i < f->in.n; i++) {
        oc_image_info info;
        oc_status status =
            oc_image_probe(f->in.images[i].data, f->in.images[i].size, &limits, &info, err);
        if (status != OC_OK) return oc_error_context(err, status, "image %zu", i);
    }
    return OC_OK;
}

static oc_status make_room(inference *f, oc_error *err) {
    size_t batch = (size_t)oci_queue_batch(f->served->queue), classes = f->model.classes->count;
    f->probabilities = oc_calloc(f->in.n, classes * sizeof(float));
    f->status = oc_calloc(batch, sizeof *f->status);
    f->errors = oc_calloc(batch, sizeof *f->errors);
    if (f->probabilities && f->status && f->errors) return OC_OK;
    return oc_fail_nomem(err, f->in.n * classes * sizeof(float), "an inference");
}

/* ---- through the queue ---- */

static oc_status take_batch(oci_exchange *x, oc_error *err);

static void put_batch(inference *f) {
    const oc_recipe *r = f->model.recipe;
    size_t floats = (size_t)r->channels * (size_t)r->height * (size_t)r->width;
    size_t batch = (size_t)oci_queue_batch(f->served->queue), left = f->in.n - f->done;
    f->job = (oci_job){.images = f->in.images != NULL ? f->in.images + f->done : NULL,
                       .pixels = f->in.pixels != NULL ? f->in.pixels + f->done * floats : NULL,
                       .n = left < batch ? left : batch,
                       .probabilities = f->probabilities + f->done * f->model.classes->count,
                       .status = f->status,
                       .errors = f->errors};
    oci_submit(f->x, f->served, &f->job, take_batch);
}

static oc_status answer(oci_exchange *x, oc_error *err) {
    const inference *f = x->work;
    size_t json_size = 0;
    char text[32];
    x->answer.size = 0;
    OC_TRY(oci_oip_write(&f->in, &f->model, f->probabilities, &x->answer, &json_size, err));
    bool binary = json_size < x->answer.size;
    (void)snprintf(text, sizeof text, "%zu", json_size);
    if (binary) oci_answer_header(x, "Inference-Header-Content-Length", text);
    x->answer_type = binary ? "application/octet-stream" : "application/json";
    x->status = 200;
    return OC_OK;
}

/* A batch is back: on with the next. */
static oc_status take_batch(oci_exchange *x, oc_error *err) {
    inference *f = x->work;
    if (x->status != 0) return OC_OK;
    for (size_t i = 0; i < f->job.n; i++) {
        if (f->status[i] == OC_OK) continue;
        *err = f->errors[i];
        return oc_error_context(err, f->status[i], "image %zu", f->done + i);
    }
    f->done += f->job.n;
    if (f->done < f->in.n)
        put_batch(f);
    else if (f->in.n * f->model.classes->count > MANY_VALUES)
        oci_aside(x, x->server->clerk, answer, NULL);
    else
        return answer(x, err);
    return OC_OK;
}

static oc_status begin(oci_exchange *x, oc_error *err) {
    (void)err;
    put_batch(x->work);
    return OC_OK;
}

static oc_status read_request(oci_exchange *x, oc_error *err) {
    inference *f = x->work;
    OC_TRY(oci_oip_read(&f->in, &f->model, x->body.data != NULL ? x->body.data : "", x->body.size,
                        f->json_size, err));
    OC_TRY(look_at_images(f, err));
    return make_room(f, err);
}

oc_status oci_run_oip_infer(oci_exchange *x, oc_error *err) {
    oci_served *served = NULL;
    const char *encoding = oci_header_in(x, "Content-Encoding");
    OC_TRY(oci_oip_take(x, &served, err));
    inference *f = oc_calloc(1, sizeof *f);
    if (f == NULL) {
        oci_models_give(x->server->models, served);
        return oc_fail_nomem(err, sizeof *f, "an inference");
    }
    f->x = x;
    f->served = served;
    f->model = oci_oip_model_of(served);
    x->work = f;
    x->free_work = free_inference;
    if (encoding != NULL && !oc_equal_nocase(encoding, "identity"))
        return oc_fail(err, OC_EUNSUPPORTED, "Content-Encoding %.50s: send the body as it is",
                       encoding);
    OC_TRY(json_size_of(x, &f->json_size, err));
    if (f->json_size > LONG_JSON) {
        oci_aside(x, x->server->clerk, read_request, begin);
        return OC_OK;
    }
    OC_TRY(read_request(x, err));
    return begin(x, err);
}
