/* One list of tasks, and who takes them.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/desk_int.h"

#include <pthread.h>

enum { MOST_THREADS = 8 };

struct oci_desk {
    oci_task *first, **last;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_t threads[MOST_THREADS];
    int running;
    bool closing;
};

/* The next task, or NULL when there are none and none will come. */
static oci_task *next_task(oci_desk *s) {
    (void)pthread_mutex_lock(&s->lock);
    while (s->first == NULL && !s->closing) (void)pthread_cond_wait(&s->filled, &s->lock);
    oci_task *task = s->first;
    if (task != NULL) s->first = task->next;
    if (s->first == NULL) s->last = &s->first;
    (void)pthread_mutex_unlock(&s->lock);
    return task;
}

static void *work(void *ctx) {
    for (oci_task *task = NULL; (task = next_task(ctx)) != NULL;) task->run(task->ctx);
    return NULL;
}

oc_status oci_desk_new(oci_desk **out, int threads, oc_error *err) {
    OC_PROMISE(threads > 0 && threads <= MOST_THREADS);
    oci_desk *s = oc_calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL) return oc_fail_nomem(err, sizeof *s, "a thread for work");
    s->last = &s->first;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->filled, NULL);
    for (; s->running < threads; s->running++) {
        int failed = pthread_create(&s->threads[s->running], NULL, work, s);
        if (failed == 0) continue;
        oci_desk_free(s);
        return oc_fail_errno(err, OC_EENV, failed, "a thread for work");
    }
    *out = s;
    return OC_OK;
}

void oci_desk_put(oci_desk *s, oci_task *task) {
    task->next = NULL;
    (void)pthread_mutex_lock(&s->lock);
    *s->last = task;
    s->last = &task->next;
    (void)pthread_cond_signal(&s->filled);
    (void)pthread_mutex_unlock(&s->lock);
}

void oci_desk_free(oci_desk *s) {
    if (s == NULL) return;
    (void)pthread_mutex_lock(&s->lock);
    s->closing = true;
    (void)pthread_cond_broadcast(&s->filled);
    (void)pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->running; i++) (void)pthread_join(s->threads[i], NULL);
    (void)pthread_cond_destroy(&s->filled);
    (void)pthread_mutex_destroy(&s->lock);
    oc_free(s);
}
