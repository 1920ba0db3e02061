/* The housekeeping thread. Rows go a few at a time, so that requests do not wait for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/retain_int.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "serve/kept_int.h"

enum { PASS_SECONDS = 3600, AT_ONCE = 20 };

struct oci_retain {
    oci_db *db;
    oci_metrics *metrics;
    int days;
    oc_log log;
    pthread_mutex_t lock;
    pthread_cond_t told;
    pthread_t thread;
    bool running, stop;
};

static bool is_stopping(oci_retain *r) {
    (void)pthread_mutex_lock(&r->lock);
    bool stop = r->stop;
    (void)pthread_mutex_unlock(&r->lock);
    return stop;
}

static void pass(oci_retain *r) {
    oc_error error = {0};
    int64_t removed = 0, all = 0;
    oc_status status = OC_OK;
    do {
        if (r->days > 0) status = oci_kept_purge(r->db, r->days, AT_ONCE, &removed, &error);
        all += removed;
    } while (status == OC_OK && removed > 0 && !is_stopping(r));
    if (status == OC_OK) status = oci_db_tidy(r->db, &error);
    if (status != OC_OK) oc_warn(&r->log, "housekeeping: %s", error.message);
    oci_metrics_count(r->metrics, OCI_COUNT_EXPIRED, (uint64_t)all);
    if (all > 0)
        oc_info(&r->log, "%lld observations older than %d days removed", (long long)all, r->days);
}

static bool wait_for_next(oci_retain *r) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PASS_SECONDS;
    (void)pthread_mutex_lock(&r->lock);
    for (int waited = 0; !r->stop && waited != ETIMEDOUT;)
        waited = pthread_cond_timedwait(&r->told, &r->lock, &until);
    bool stop = r->stop;
    (void)pthread_mutex_unlock(&r->lock);
    return !stop;
}

static void *work(void *ctx) {
    oci_retain *r = ctx;
    do pass(r);
    while (wait_for_next(r));
    return NULL;
}

oc_status oci_retain_new(oci_retain **out, oci_db *db, oci_metrics *metrics, int days,
                         const oc_log *log, oc_error *err) {
    oci_retain *r = oc_calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL) return oc_fail_nomem(err, sizeof *r, "housekeeping");
    r->db = db;
    r->metrics = metrics;
    r->days = days;
    r->log = *log;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->told, NULL);
    int failed = pthread_create(&r->thread, NULL, work, r);
    if (failed) {
        oci_retain_free(r);
        return oc_fail_errno(err, OC_EENV, failed, "a thread for housekeeping");
    }
    r->running = true;
    *out = r;
    return OC_OK;
}

void oci_retain_free(oci_retain *r) {
    if (r == NULL) return;
    (void)pthread_mutex_lock(&r->lock);
    r->stop = true;
    (void)pthread_cond_broadcast(&r->told);
    (void)pthread_mutex_unlock(&r->lock);
    if (r->running) (void)pthread_join(r->thread, NULL);
    (void)pthread_cond_destroy(&r->told);
    (void)pthread_mutex_destroy(&r->lock);
    oc_free(r);
}
