/* state.json: what a checkpoint says besides tensors, and whether a run may continue from it.
 *
 * A run may continue only where everything that shapes it is the same: settings, data and network.
 * Threads and engine may change; the bytes at the end then do, too, and the log says so.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/train_int.h"

enum { STATE_FORMAT = 1 };

static const char *engine_of(const oci_session *s) {
    return s->options->engine != NULL ? s->options->engine : oc_engine_names()[0];
}

/* What a given network brings besides its graph and recipe, which the checkpoint has. */
static json_t *net_digest(const oci_session *s) {
    const oc_train_options *o = s->options;
    size_t bytes = (size_t)oc_graph_param_count(s->model->graph) * sizeof(float);
    uint64_t digest = 1;
    char text[24];
    if (o->net == NULL) return json_null();
    if (o->lr_scale != NULL) digest = oc_hash64(o->lr_scale, bytes, digest);
    if (o->decay_scale != NULL) digest = oc_hash64(o->decay_scale, bytes, digest);
    if (o->vary != NULL) {
        const float parts[] = {o->vary->flip, o->vary->crop_shift, o->freeze_stats};
        digest = oc_hash64(parts, sizeof parts, digest);
    }
    (void)snprintf(text, sizeof text, "%016" PRIx64, digest);
    return json_string(text);
}

/* All that must be the same in a run that continues this one. */
static oc_status run_json(const oci_session *s, json_t **out, oc_error *err) {
    char digest[24];
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, s->data.digest);
    OC_TRY(oci_settings_json(&s->settings, out, err));
    const oc_recipe *r = &s->model->recipe;
    json_t *more = json_pack("{s:s, s:s?, s:i, s:i, s:i, s:o}", "data_digest", digest, "arch",
                             s->arch, "classes", (int)s->model->classes.count, "height", r->height,
                             "width", r->width, "net_digest", net_digest(s));
    int rc = more == NULL ? -1 : json_object_update(*out, more);
    json_decref(more);
    return rc == 0 ? OC_OK : oc_fail_nomem(err, 0, "the state of the run");
}

static json_t *position_json(const oci_position *p) {
    return json_pack(
        "{s:i, s:I, s:I, s:I, s:f, s:I, s:I, s:i, s:o, s:o, s:f, s:o, s:f, s:b, s:f, s:I}", "epoch",
        p->epoch, "step", (json_int_t)p->step, "updates", (json_int_t)p->updates, "total",
        (json_int_t)p->total, "loss_sum", p->loss_sum, "correct", (json_int_t)p->correct, "images",
        (json_int_t)p->images, "best_epoch", p->best_epoch, "best_accuracy",
        oc_json_real(p->best_accuracy), "best_loss", oc_json_real(p->best_loss), "temperature",
        p->temperature, "threshold", oc_json_real(p->threshold), "last_loss", p->last_loss,
        "finished", p->finished, "seconds", p->seconds, "log_bytes", (json_int_t)p->log_bytes);
}

oc_status oci_state_json(const oci_session *s, uint64_t generation, json_t **out, oc_error *err) {
    json_t *run = NULL, *recipe = NULL;
    oc_status status = OC_OK;
    OC_GOTO(run_json(s, &run, err));
    OC_GOTO(oc_recipe_to_json(&s->model->recipe, &recipe, err));
    *out = json_pack("{s:i, s:I, s:s, s:s, s:i, s:O, s:O, s:o, s:O?, s:o}", "format", STATE_FORMAT,
                     "generation", (json_int_t)generation, "version", OC_VERSION, "engine",
                     engine_of(s), "threads", s->settings.threads, "run", run, "recipe", recipe,
                     "position", position_json(&s->position), "metrics", s->model->metrics,
                     "examples", oci_examples_json(s));
    if (*out == NULL) status = oc_fail_nomem(err, 0, "the state of the run");
done:
    json_decref(run);
    json_decref(recipe);
    return status;
}

static void put_value(oc_buf *out, const json_t *value) {
    oc_error ignored;
    if (value == NULL) {
        oc_buf_puts(out, "absent");
    } else if (json_is_real(value)) {
        oc_buf_printf(out, "%g", json_real_value(value));
    } else if (oc_json_append(out, value, &ignored) != OC_OK) {
        out->failed = true;
    }
}

/* "lr was 0.05, is 0.1; ..." for every member that differs. */
static oc_status compare_runs(const json_t *was, const json_t *is, const char *where,
                              oc_error *err) {
    oc_buf list = {0};
    const char *key;
    json_t *now;
    json_object_foreach((json_t *)is, key, now) {
        const json_t *then = json_object_get(was, key);
        bool neither = then == NULL && json_is_null(now); /* an older version had no such option */
        if (neither || (then != NULL && json_equal((json_t *)then, now))) continue;
        oc_buf_printf(&list, "%s%s was ", list.size > 0 ? "; " : "", key);
        put_value(&list, then);
        oc_buf_puts(&list, ", is ");
        put_value(&list, now);
    }
    oc_status status = oc_buf_status(&list, err);
    if (status == OC_OK && list.size > 0) {
        status = oc_fail(err, OC_EMISMATCH,
                         "%s: the run that was interrupted differs: %s; give the same options and "
                         "data, or train afresh without --resume",
                         where, list.data);
    }
    oc_buf_clear(&list);
    return status;
}

/* A number, or NaN where the file says null. */
static oc_status get_real(const json_t *o, const char *key, const char *where, double *out,
                          oc_error *err) {
    *out = NAN;
    if (!oc_json_has(o, key)) return OC_OK;
    return oc_json_get_real(o, key, where, -1e300, 1e300, out, err);
}

static oc_status get_count(const json_t *o, const char *key, const char *where, uint64_t *out,
                           oc_error *err) {
    int64_t value = 0;
    OC_TRY(oc_json_get_int(o, key, where, 0, INT64_MAX, &value, err));
    *out = (uint64_t)value;
    return OC_OK;
}

static oc_status get_counts(const json_t *o, const char *where, oci_position *p, oc_error *err) {
    const struct {
        const char *key;
        uint64_t *value;
    } rows[] = {{"step", &p->step},       {"updates", &p->updates}, {"total", &p->total},
                {"correct", &p->correct}, {"images", &p->images},   {"log_bytes", &p->log_bytes}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OC_TRY(get_count(o, rows[i].key, where, rows[i].value, err));
    }
    return OC_OK;
}

static oc_status get_reals(const json_t *o, const char *where, oci_position *p, oc_error *err) {
    const struct {
        const char *key;
        double *value;
    } rows[] = {{"loss_sum", &p->loss_sum},   {"best_accuracy", &p->best_accuracy},
                {"best_loss", &p->best_loss}, {"temperature", &p->temperature},
                {"threshold", &p->threshold}, {"last_loss", &p->last_loss},
                {"seconds", &p->seconds}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OC_TRY(get_real(o, rows[i].key, where, rows[i].value, err));
    }
    return OC_OK;
}

static oc_status get_position(const json_t *o, const char *where, int epochs, oci_position *p,
                              oc_error *err) {
    int64_t epoch = 0, best = 0;
    OC_TRY(oc_json_get_int(o, "epoch", where, 0, epochs, &epoch, err));
    OC_TRY(oc_json_get_int(o, "best_epoch", where, 0, epoch, &best, err));
    OC_TRY(oc_json_get_bool(o, "finished", where, &p->finished, err));
    OC_TRY(get_counts(o, where, p, err));
    p->epoch = (int)epoch;
    p->best_epoch = (int)best;
    OC_TRY(get_reals(o, where, p, err));
    if (isnan(p->threshold)) p->threshold = 0; /* an older version had none */
    return OC_OK;
}

/* What may differ, and is told. */
static oc_status warn_machine(const oci_session *s, const json_t *state, const char *where,
                              oc_error *err) {
    const char *engine = NULL;
    int64_t threads = 0;
    OC_TRY(oc_json_get_string(state, "engine", where, &engine, err));
    OC_TRY(oc_json_get_int(state, "threads", where, 1, INT_MAX, &threads, err));
    if (threads == s->settings.threads && strcmp(engine, engine_of(s)) == 0) return OC_OK;
    oc_warn(oci_session_log(s),
            "continuing on %s with %d threads what began on %s with %d: the result is as good, "
            "but not the same bytes",
            engine_of(s), s->settings.threads, engine, (int)threads);
    return OC_OK;
}

oc_status oci_state_apply(oci_session *s, const json_t *state, const char *where, oc_error *err) {
    json_t *was = NULL, *recipe = NULL, *position = NULL, *is = NULL;
    int64_t format = 0;
    oc_status status = OC_OK;
    OC_GOTO(oc_json_get_int(state, "format", where, STATE_FORMAT, STATE_FORMAT, &format, err));
    OC_GOTO(oc_json_get_object(state, "run", where, &was, err));
    OC_GOTO(oc_json_get_object(state, "recipe", where, &recipe, err));
    OC_GOTO(oc_json_get_object(state, "position", where, &position, err));
    OC_GOTO(run_json(s, &is, err));
    OC_GOTO(compare_runs(was, is, where, err));
    OC_GOTO(warn_machine(s, state, where, err));
    OC_GOTO(get_position(position, where, s->settings.epochs, &s->position, err));
    OC_GOTO(oc_recipe_from_json(recipe, where, &s->model->recipe, err));
    json_decref(s->model->metrics);
    s->model->metrics = json_incref(json_object_get(state, "metrics"));
    if (json_is_null(s->model->metrics)) s->model->metrics = NULL;
    status = oci_examples_apply(s, json_object_get(state, "examples"), err);
done:
    json_decref(is);
    return status;
}
