/* A step of an exchange that a desk's thread takes, so that no event thread waits for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/server_int.h"

static void take(void *ctx) {
    oci_exchange *x = ctx;
    oc_error error = {0};
    if (oci_http_is_closing(x->server->http))
        (void)oci_refuse_stopping(x);
    else if (x->aside.step(x, &error) != OC_OK)
        oci_answer_error(x, &error);
    oci_wake(x);
}

static oc_status go_on(oci_exchange *x, oc_error *err) {
    return x->status != 0 ? OC_OK : x->aside.then(x, err);
}

void oci_aside(oci_exchange *x, oci_desk *desk, oci_step step, oci_step then) {
    x->aside.task = (oci_task){.run = take, .ctx = x};
    x->aside.step = step;
    x->aside.then = then;
    oci_wait(x, go_on);
    oci_desk_put(desk, &x->aside.task);
}
