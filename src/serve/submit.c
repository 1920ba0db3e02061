/* A request's photos into the queue of their model, and the request to sleep meanwhile.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/server_int.h"

static void wake(void *ctx) {
    oci_wake(ctx);
}

/* From oci_wait on the exchange waits, so that a full queue has to wake it as well. */
void oci_submit(oci_exchange *x, oci_served *served, oci_job *job, oci_step then) {
    oc_error error = {0};
    double retry = 0;
    job->done = wake;
    job->ctx = x;
    oci_wait(x, then);
    if (oci_queue_put(served->queue, job, &retry, &error) == OC_OK) return;
    (void)oci_refuse(x, 503, "%s", error.message);
    oci_retry_after(x, retry);
    oci_wake(x);
}
