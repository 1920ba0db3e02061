/* A server's life: models first, then the port; the port first, then the models.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "serve/server_int.h"

/* ---- options ----------------------------------------------------------------------------------
 */

static oc_status keep_text(oc_pool *pool, const char **text, oc_error *err) {
    if (*text == NULL) return OC_OK;
    *text = oc_pool_strdup(pool, *text);
    return *text != NULL ? OC_OK : oc_fail_nomem(err, 0, "the server's options");
}

static oc_status check(const oc_serve_options *o, oc_error *err) {
    if (o->model_count < 1) return oc_fail(err, OC_EUSAGE, "no model to serve");
    if ((o->tls_cert == NULL) != (o->tls_key == NULL))
        return oc_fail(err, OC_EUSAGE, "TLS needs both a certificate and a key");
    if (o->port < 0 || o->port > 65535)
        return oc_fail(err, OC_EUSAGE, "port %d: 0 to 65535", o->port);
    if (o->open_review && (o->keys != NULL || o->trust_proxy))
        return oc_fail(err, OC_EUSAGE,
                       "--open-review is for a server without --keys and without --trust-proxy: "
                       "with keys experts have one, behind a proxy everybody seems to be here");
    int batch = o->batch > 0 ? o->batch : OCI_MAX_IMAGES;
    if (batch < OCI_MAX_IMAGES)
        return oc_fail(err, OC_EUSAGE, "a batch of %d: a request may have %d photos, take as many",
                       batch, OCI_MAX_IMAGES);
    if (o->queue > 0 && o->queue < batch)
        return oc_fail(err, OC_EUSAGE, "a queue of %d photos is shorter than a batch of %d",
                       o->queue, batch);
    return OC_OK;
}

static oc_status keep_options(oc_server *s, const oc_serve_options *options, oc_error *err) {
    oc_serve_options *o = &s->options;
    *o = *options;
    if (o->address == NULL) o->address = "127.0.0.1";
    if (o->max_body == 0) o->max_body = (uint64_t)32 << 20;
    if (o->max_pixels == 0) o->max_pixels = 50 * 1000 * 1000;
    if (o->max_memory == 0) o->max_memory = (uint64_t)256 << 20;
    if (o->max_uploads == 0) o->max_uploads = (uint64_t)128 << 20;
    if (o->connections == 0) o->connections = 1000;
    if (o->patience <= 0) o->patience = 60;
    if (o->burst <= 0) o->burst = o->per_minute;
    OC_TRY(keep_text(s->pool, &o->engine, err));
    OC_TRY(keep_text(s->pool, &o->address, err));
    OC_TRY(keep_text(s->pool, &o->tls_cert, err));
    OC_TRY(keep_text(s->pool, &o->tls_key, err));
    OC_TRY(keep_text(s->pool, &o->db, err));
    OC_TRY(keep_text(s->pool, &o->keys, err));
    return keep_text(s->pool, &o->origins, err);
}

static oc_status open_doors(oc_server *s, oc_error *err) {
    const oc_serve_options *o = &s->options;
    if (o->keys != NULL) OC_TRY(oci_keys_new(&s->keys, o->keys, err));
    if (o->per_minute > 0) OC_TRY(oci_limits_new(&s->limits, o->per_minute, o->burst, err));
    if (o->db == NULL) {
        if (o->retain_days > 0 || o->open_review)
            oc_warn(&o->log, "without --db nothing is kept: there is nothing to %s",
                    o->open_review ? "review" : "retain");
        return OC_OK;
    }
    OC_TRY(oci_db_open(&s->db, o->db, true, err));
    OC_TRY(oci_db_open(&s->reader, o->db, false, err));
    OC_TRY(oci_desk_new(&s->scribe, 1, err));
    return oci_retain_new(&s->retain, s->db, s->metrics, o->retain_days, &o->log, err);
}

/* ---- life -------------------------------------------------------------------------------------
 */

enum { CLERKS = 4 };

static oc_status new_uploads(oc_server *s, oc_error *err) {
    enum { MOST = 1000, AN_HOUR = 3600 };
    const oci_uploads_limits limits = {.one = s->options.max_body,
                                       .all = s->options.max_uploads,
                                       .count = MOST,
                                       .seconds = AN_HOUR};
    return oci_uploads_new(&s->uploads, &limits, err);
}

oc_status oc_server_start(oc_server **out, const oc_serve_options *options, oc_error *err) {
    oc_status status = OC_OK;
    oc_server *s = NULL;
    *out = NULL;
    OC_TRY(check(options, err));
    s = oc_calloc(1, sizeof *s);
    if (s == NULL) return oc_fail_nomem(err, sizeof *s, "a server");
    atomic_init(&s->draining, false);
    OC_GOTO(oc_pool_new(&s->pool, err));
    OC_GOTO(keep_options(s, options, err));
    OC_GOTO(oci_metrics_new(&s->metrics, err));
    OC_GOTO(oci_desk_new(&s->clerk, oc_cpu_count() < CLERKS ? oc_cpu_count() : CLERKS, err));
    OC_GOTO(open_doors(s, err));
    OC_GOTO(oci_models_new(&s->models, &s->options, s->metrics, err));
    s->options.models = NULL; /* the caller's; oci_models has its own copy */
    OC_GOTO(new_uploads(s, err));
    OC_GOTO(oci_http_new(&s->http, s, err));
    *out = s;
    return OC_OK;
done:
    oc_server_free(s);
    return status;
}

int oc_server_port(const oc_server *server) {
    return oci_http_port(server->http);
}

void oc_server_reload(oc_server *server) {
    oc_error error = {0};
    oci_models_reload(server->models);
    if (server->keys != NULL && oci_keys_reload(server->keys, &error) != OC_OK)
        oc_warn(&server->options.log, "the old keys go on: %s", error.message);
}

void oc_server_drain(oc_server *server, double seconds) {
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    double until = oc_clock_seconds() + seconds;
    atomic_store(&server->draining, true);
    oci_http_quiesce(server->http);
    while (oci_metrics_flying(server->metrics) > 0 && oc_clock_seconds() < until)
        (void)nanosleep(&pause, NULL);
}

void oc_server_free(oc_server *s) {
    if (s == NULL) return;
    oci_http_free(s->http);
    oci_models_free(s->models);
    oci_uploads_free(s->uploads);
    oci_retain_free(s->retain);
    oci_desk_free(s->scribe);
    oci_desk_free(s->clerk);
    oci_db_close(s->reader);
    oci_db_close(s->db);
    oci_keys_free(s->keys);
    oci_limits_free(s->limits);
    oci_metrics_free(s->metrics);
    oc_pool_free(s->pool);
    oc_free(s);
}
