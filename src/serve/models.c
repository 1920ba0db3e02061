/* Names, loaded models, and the thread that replaces them.
 *
 * The watcher compares config.json's identity (inode, size, time), which a save writes last, by
 * atomic rename: a folder that is half written shows the old one. Old models are freed by the
 * watcher as well, once nobody uses them, so that no request ever waits for that.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/models_int.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOOK_SECONDS = 2, CARD_BYTES = 1 << 20 };

/* What tells one state of a folder from the next. */
typedef struct stamp {
    uint64_t inode, size;
    struct timespec changed;
    bool there;
} stamp;

typedef struct entry {
    char *name, *folder;
    oci_served *current;
    stamp seen;
} entry;

struct oci_models {
    entry *entries;
    size_t count;
    oci_queue_options queue;
    oc_log log;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* asked to reload or stop, or a model was given back */
    pthread_t watcher;
    bool watching, stopping, reload;
    oci_served *retired; /* the watcher's */
};

/* ---- a loaded model ---------------------------------------------------------------------------
 */

static void free_served(oci_served *s) {
    if (s == NULL) return;
    oci_queue_free(s->queue);
    oc_model_free(s->model);
    oc_free(s->card);
    oc_free(s);
}

/* The card is for people to read: a folder without one is served as well. */
static char *read_card(const char *folder) {
    char path[OC_PATH_BYTES];
    char *card = NULL;
    size_t size = 0;
    if (oc_path_join(path, folder, "README.md", NULL) != OC_OK) return NULL;
    if (oc_file_read(path, CARD_BYTES, &card, &size, NULL) != OC_OK) return NULL;
    if (oc_is_utf8(card, size)) return card;
    oc_free(card);
    return NULL;
}

static oc_status load(oci_models *m, const entry *e, oci_served **out, oc_error *err) {
    oc_status status = OC_OK;
    oci_served *s = oc_calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL) return oc_fail_nomem(err, sizeof *s, e->name);
    s->name = e->name;
    s->folder = e->folder;
    OC_GOTO(oc_model_load(&s->model, e->folder, err));
    OC_GOTO(oci_queue_new(&s->queue, s->model, &m->queue, err));
    s->card = read_card(e->folder);
    *out = s;
    return OC_OK;
done:
    free_served(s);
    return status;
}

static stamp stamp_of(const char *folder) {
    char path[OC_PATH_BYTES];
    struct stat st;
    if (oc_path_join(path, folder, "config.json", NULL) != OC_OK || stat(path, &st) != 0)
        return (stamp){0};
    return (stamp){.inode = (uint64_t)st.st_ino,
                   .size = (uint64_t)st.st_size,
                   .changed = st.st_mtim,
                   .there = true};
}

static bool same_stamp(stamp a, stamp b) {
    return a.there == b.there && a.inode == b.inode && a.size == b.size &&
           a.changed.tv_sec == b.changed.tv_sec && a.changed.tv_nsec == b.changed.tv_nsec;
}

/* ---- watching ---------------------------------------------------------------------------------
 */

/* Free the old models that nobody uses any more. A client may be slow to take its answer: nobody
 * waits for it. */
static void retire(oci_models *m) {
    for (oci_served **at = &m->retired; *at != NULL;) {
        oci_served *old = *at;
        (void)pthread_mutex_lock(&m->lock);
        bool used = old->users > 0;
        (void)pthread_mutex_unlock(&m->lock);
        if (used) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        free_served(old);
    }
}

static void replace(oci_models *m, entry *e, stamp now) {
    oc_error error = {0};
    oci_served *fresh = NULL;
    e->seen = now;
    if (!now.there) {
        oc_warn(&m->log, "%s: the folder %s is gone; the model loaded from it is still served",
                e->name, e->folder);
        return;
    }
    if (load(m, e, &fresh, &error) != OC_OK) {
        oc_warn(&m->log, "%s: not replaced, the old model is still served: %s", e->name,
                error.message);
        return;
    }
    (void)pthread_mutex_lock(&m->lock);
    oci_served *old = e->current;
    e->current = fresh;
    (void)pthread_mutex_unlock(&m->lock);
    oc_info(&m->log, "%s: loaded again from %s: %zu classes, before %zu", e->name, e->folder,
            fresh->model->classes.count, old->model->classes.count);
    old->next = m->retired;
    m->retired = old;
}

static void *watch(void *ctx) {
    oci_models *m = ctx;
    for (;;) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_SECONDS;
        (void)pthread_mutex_lock(&m->lock);
        int waited = 0;
        while (!m->stopping && !m->reload && waited != ETIMEDOUT)
            waited = pthread_cond_timedwait(&m->changed, &m->lock, &until);
        bool stop = m->stopping, all = m->reload;
        m->reload = false;
        (void)pthread_mutex_unlock(&m->lock);
        if (stop) return NULL;
        for (size_t i = 0; i < m->count; i++) {
            stamp now = stamp_of(m->entries[i].folder);
            if (all || !same_stamp(now, m->entries[i].seen)) replace(m, &m->entries[i], now);
        }
        retire(m);
    }
}

void oci_models_reload(oci_models *m) {
    (void)pthread_mutex_lock(&m->lock);
    m->reload = true;
    (void)pthread_cond_broadcast(&m->changed);
    (void)pthread_mutex_unlock(&m->lock);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static bool name_is_good(const char *name) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *name != '\0' && *name != '.' && name[strspn(name, letters)] == '\0';
}

static oc_status add(oci_models *m, const oc_serve_model *model, oc_error *err) {
    entry *e = &m->entries[m->count];
    if (!name_is_good(model->name))
        return oc_fail(err, OC_EUSAGE,
                       "the model name \"%s\": letters, digits, '.', '_' and '-' only; give one as "
                       "NAME=FOLDER",
                       model->name);
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->entries[i].name, model->name) == 0)
            return oc_fail(err, OC_EUSAGE,
                           "two models are called %s: give one another name, as NAME=FOLDER",
                           model->name);
    m->count++;
    e->name = oc_strdup(model->name);
    e->folder = oc_strdup(model->folder);
    if (e->name == NULL || e->folder == NULL) return oc_fail_nomem(err, 0, "a model's name");
    e->seen = stamp_of(e->folder);
    return load(m, e, &e->current, err);
}

static oci_queue_options queue_options(const oc_serve_options *o, oci_metrics *metrics) {
    enum { BATCH = 8, QUEUED_BATCHES = 8, WORKERS = 4 };
    int batch = o->batch > 0 ? o->batch : BATCH;
    int threads = o->threads > 0 ? o->threads : oc_cpu_count();
    int workers = threads < WORKERS ? threads : WORKERS;
    return (oci_queue_options){.engine = o->engine,
                               .threads = threads,
                               .workers = o->workers > 0 ? o->workers : workers,
                               .batch = batch,
                               .limit = o->queue > 0 ? o->queue : QUEUED_BATCHES * batch,
                               .latency = o->latency > 0 ? o->latency : 0.25,
                               .metrics = metrics};
}

oc_status oci_models_new(oci_models **out, const oc_serve_options *options, oci_metrics *metrics,
                         oc_error *err) {
    oc_status status = OC_OK;
    oci_models *m = oc_calloc(1, sizeof *m);
    *out = NULL;
    if (m == NULL) return oc_fail_nomem(err, sizeof *m, "the models");
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_cond_init(&m->changed, NULL);
    m->log = options->log;
    m->queue = queue_options(options, metrics);
    m->entries = oc_calloc(options->model_count, sizeof *m->entries);
    if (m->entries == NULL) OC_GOTO(oc_fail_nomem(err, sizeof *m->entries, "the models"));
    for (size_t i = 0; i < options->model_count; i++) OC_GOTO(add(m, &options->models[i], err));
    int failed = pthread_create(&m->watcher, NULL, watch, m);
    if (failed) OC_GOTO(oc_fail_errno(err, OC_EENV, failed, "a thread that watches the models"));
    m->watching = true;
    *out = m;
    return OC_OK;
done:
    oci_models_free(m);
    return status;
}

void oci_models_free(oci_models *m) {
    if (m == NULL) return;
    (void)pthread_mutex_lock(&m->lock);
    m->stopping = true;
    (void)pthread_cond_broadcast(&m->changed);
    (void)pthread_mutex_unlock(&m->lock);
    if (m->watching) (void)pthread_join(m->watcher, NULL);
    retire(m);
    for (size_t i = 0; i < m->count; i++) {
        free_served(m->entries[i].current);
        oc_free(m->entries[i].name);
        oc_free(m->entries[i].folder);
    }
    oc_free(m->entries);
    (void)pthread_cond_destroy(&m->changed);
    (void)pthread_mutex_destroy(&m->lock);
    oc_free(m);
}

/* ---- use --------------------------------------------------------------------------------------
 */

size_t oci_models_count(const oci_models *m) {
    return m->count;
}

oci_served *oci_models_take_at(oci_models *m, size_t i) {
    (void)pthread_mutex_lock(&m->lock);
    oci_served *s = m->entries[i].current;
    s->users++;
    (void)pthread_mutex_unlock(&m->lock);
    return s;
}

oci_served *oci_models_take(oci_models *m, const char *name) {
    if (name == NULL) return oci_models_take_at(m, 0);
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->entries[i].name, name) == 0) return oci_models_take_at(m, i);
    return NULL;
}

void oci_models_give(oci_models *m, oci_served *s) {
    (void)pthread_mutex_lock(&m->lock);
    if (--s->users == 0) (void)pthread_cond_broadcast(&m->changed);
    (void)pthread_mutex_unlock(&m->lock);
}

void oci_models_names(oci_models *m, oc_buf *out) {
    for (size_t i = 0; i < m->count; i++)
        oc_buf_printf(out, "%s%s", i > 0 ? ", " : "", m->entries[i].name);
}
