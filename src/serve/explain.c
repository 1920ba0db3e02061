/* identify?explain=1: a picture for each photo that shows where it looks like the name that won.
 *
 * Made by the model's workers, in a second turn in their queue, when the name is known. What goes
 * wrong here costs the picture, never the answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/identify_int.h"

static void wake(void *ctx) {
    oci_wake(((oci_identification *)ctx)->x);
}

/* The job of the photos that were used; its results go to `then` through the identification. */
static void prepare(oci_identification *d) {
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->photos[i].status != OC_OK) continue;
        d->photo_of[n] = i;
        d->images[n++] = d->photos[i].bytes;
    }
    d->job = (oci_job){.images = d->images,
                       .n = n,
                       .pictures = d->pictures,
                       .label = d->best[0].label,
                       .status = d->status,
                       .errors = d->errors,
                       .done = wake,
                       .ctx = d};
}

static oc_status take_pictures(oci_exchange *x, oc_error *err) {
    oci_identification *d = x->work;
    for (size_t i = 0; i < d->job.n; i++) {
        oci_photo *photo = &d->photos[d->photo_of[i]];
        photo->picture = d->pictures[i];
        d->pictures[i] = (oc_buf){0};
        photo->explained = d->status[i];
        photo->explain_error = d->errors[i];
    }
    return d->explained(x, err);
}

bool oci_explain_start(oci_identification *d, oci_step then) {
    oc_error error = {0};
    double retry = 0;
    if (!d->explain) return false;
    d->explained = then;
    prepare(d);
    oci_wait(d->x, take_pictures);
    oc_status status = oci_queue_put(d->served->queue, &d->job, &retry, &error);
    if (status == OC_OK) return true;
    for (size_t i = 0; i < d->job.n; i++) {
        d->status[i] = status;
        d->errors[i] = error;
    }
    oci_wake(d->x);
    return true;
}

static json_t *refusal_json(const oci_photo *photo) {
    const oc_error *e = &photo->explain_error;
    int http = e->status == OC_ELIMIT ? 503 : oc_status_http(e->status); /* the queue was full */
    return json_pack("{s:n, s:o}", "explain", "explain_error",
                     oci_problem_json(http, oc_status_name(e->status), e->message));
}

json_t *oci_explain_json(const oci_photo *photo) {
    oc_buf url = {0};
    if (photo->explained != OC_OK) return refusal_json(photo);
    oc_buf_puts(&url, "data:image/png;base64,");
    oc_buf_base64(&url, photo->picture.data, photo->picture.size);
    json_t *o = url.failed ? NULL : json_pack("{s:s}", "explain", url.data);
    oc_buf_clear(&url);
    return o;
}
