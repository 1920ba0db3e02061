/* A list of sockets and a thread that shuts those that are late, once a second.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/deadlines_int.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

struct oci_deadline {
    struct oci_deadline *next, **at;
    int socket;
    double when; /* oc_clock_seconds */
    bool receiving;
};

struct oci_deadlines {
    pthread_mutex_t lock;
    pthread_cond_t ending;
    oci_deadline *first;
    pthread_t sweeper;
    bool sweeping, stop;
};

oci_deadline *oci_deadline_add(oci_deadlines *d, int socket, double seconds) {
    oci_deadline *c = oc_calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->socket = socket;
    c->when = oc_clock_seconds() + seconds;
    (void)pthread_mutex_lock(&d->lock);
    c->next = d->first;
    c->at = &d->first;
    if (c->next != NULL) c->next->at = &c->next;
    d->first = c;
    (void)pthread_mutex_unlock(&d->lock);
    return c;
}

void oci_deadline_set(oci_deadlines *d, oci_deadline *c, double seconds, bool receiving) {
    if (c == NULL) return;
    (void)pthread_mutex_lock(&d->lock);
    c->when = oc_clock_seconds() + seconds;
    c->receiving = receiving;
    (void)pthread_mutex_unlock(&d->lock);
}

void oci_deadline_remove(oci_deadlines *d, oci_deadline *c) {
    if (c == NULL) return;
    (void)pthread_mutex_lock(&d->lock);
    *c->at = c->next;
    if (c->next != NULL) c->next->at = c->at;
    (void)pthread_mutex_unlock(&d->lock);
    oc_free(c);
}

/* Has the peer closed its side, with nothing left to read? */
static bool is_gone(int socket) {
    char byte;
    return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void *sweep(void *ctx) {
    oci_deadlines *d = ctx;
    (void)pthread_mutex_lock(&d->lock);
    while (!d->stop) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        (void)pthread_cond_timedwait(&d->ending, &d->lock, &until);
        double now = oc_clock_seconds();
        for (const oci_deadline *c = d->first; c != NULL; c = c->next)
            if (c->when < now || (c->receiving && is_gone(c->socket)))
                (void)shutdown(c->socket, SHUT_RDWR);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return NULL;
}

oc_status oci_deadlines_new(oci_deadlines **out, oc_error *err) {
    oci_deadlines *d = oc_calloc(1, sizeof *d);
    *out = NULL;
    if (d == NULL) return oc_fail_nomem(err, sizeof *d, "deadlines");
    (void)pthread_mutex_init(&d->lock, NULL);
    (void)pthread_cond_init(&d->ending, NULL);
    int failed = pthread_create(&d->sweeper, NULL, sweep, d);
    d->sweeping = failed == 0;
    if (failed != 0) {
        oci_deadlines_free(d);
        return oc_fail_errno(err, OC_EENV, failed, "a thread for deadlines");
    }
    *out = d;
    return OC_OK;
}

void oci_deadlines_free(oci_deadlines *d) {
    if (d == NULL) return;
    (void)pthread_mutex_lock(&d->lock);
    d->stop = true;
    (void)pthread_cond_broadcast(&d->ending);
    (void)pthread_mutex_unlock(&d->lock);
    if (d->sweeping) (void)pthread_join(d->sweeper, NULL);
    (void)pthread_cond_destroy(&d->ending);
    (void)pthread_mutex_destroy(&d->lock);
    oc_free(d);
}
