/* A load on a server: many connections that post photos, and some that misbehave.
 *
 *   load PORT [key=value ...] FILE...
 *     connections=8   at once, a thread each; keep-alive
 *     seconds=5       how long, or
 *     requests=N      how many
 *     rate=R          requests a second over all, whether answers come or not (0: as fast as they
 * do) bad=PERCENT     of requests that are cancelled, dripped, oversized or garbage
 *     path=/v1/identify
 *
 * Prints one JSON object: answers by status, rate of good ones, latencies of good ones.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

enum { MOST_FILES = 256, MOST_TIMES = 1 << 20, STATUSES = 600, HEAD = 4096, ANSWER_SECONDS = 30 };

typedef struct file {
    char *bytes;
    size_t size;
} file;

typedef struct load {
    int port, connections, bad;
    long requests;
    double seconds, rate;
    const char *path;
    file files[MOST_FILES];
    size_t file_count;
    double begun;
    atomic_long next, good, lost, spoiled; /* lost: no answer came */
    atomic_long status[STATUSES];
    atomic_long timed;
    double *times;
} load;

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void rest(double seconds) {
    struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    if (seconds > 0) (void)nanosleep(&t, NULL);
}

static int dial(int port) {
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval wait = {.tv_sec = ANSWER_SECONDS};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s < 0) return -1;
    (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (connect(s, (struct sockaddr *)&to, sizeof to) == 0) return s;
    (void)close(s);
    return -1;
}

static bool send_all(int s, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(s, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Head and body of an answer; its status, or 0. *keep: the connection may go on. */
static int read_answer(int s, bool *keep) {
    char head[HEAD + 1];
    size_t have = 0;
    char *end = NULL;
    *keep = false;
    while (end == NULL) {
        ssize_t got = have < HEAD ? recv(s, head + have, HEAD - have, 0) : 0;
        if (got <= 0) return 0;
        have += (size_t)got;
        head[have] = '\0';
        end = strstr(head, "\r\n\r\n");
    }
    const char *length = strstr(head, "Content-Length: ");
    size_t left = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
    size_t came = have - (size_t)(end + 4 - head);
    left = left > came ? left - came : 0;
    while (left > 0) {
        char sink[1 << 14];
        ssize_t got = recv(s, sink, left < sizeof sink ? left : sizeof sink, 0);
        if (got <= 0) return 0;
        left -= (size_t)got;
    }
    *keep = strstr(head, "Connection: close") == NULL;
    return (int)strtol(head + 9, NULL, 10);
}

static bool send_head(int s, const load *l, size_t size) {
    char head[512];
    int n = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     l->path, size);
    return send_all(s, head, (size_t)n);
}

/* One that misbehaves, on a connection of its own. */
static void misbehave(load *l, long number, const file *f) {
    bool keep = false;
    int s = dial(l->port);
    if (s < 0) return;
    atomic_fetch_add(&l->spoiled, 1);
    switch (number % 5) {
    case 0: /* gone in the middle of the body */
        (void)(send_head(s, l, f->size) && send_all(s, f->bytes, f->size / 2));
        break;
    case 1: /* gone before the answer */
        (void)(send_head(s, l, f->size) && send_all(s, f->bytes, f->size));
        break;
    case 2: /* a byte, and another one */
        (void)send_head(s, l, f->size);
        for (int i = 0; i < 3 && send_all(s, f->bytes + i, 1); i++) rest(0.3);
        break;
    case 3: /* announces more than anybody takes */
        if (send_head(s, l, (size_t)1 << 40)) (void)read_answer(s, &keep);
        break;
    default: /* no HTTP */
        (void)(send_all(s, f->bytes, f->size < 2000 ? f->size : 2000) && read_answer(s, &keep));
    }
    (void)close(s);
}

static void count(load *l, int status, double took) {
    if (status <= 0 || status >= STATUSES) {
        atomic_fetch_add(&l->lost, 1);
        return;
    }
    atomic_fetch_add(&l->status[status], 1);
    if (status != 200) return;
    atomic_fetch_add(&l->good, 1);
    long at = atomic_fetch_add(&l->timed, 1);
    if (at < MOST_TIMES) l->times[at] = took;
}

static void post(load *l, int *s, const file *f) {
    bool keep = false;
    double begun = now();
    if (*s < 0) *s = dial(l->port);
    int status = 0;
    if (*s >= 0 && send_head(*s, l, f->size)) {
        (void)send_all(*s, f->bytes, f->size); /* refused early: the answer is there to be read */
        status = read_answer(*s, &keep);
    }
    count(l, status, now() - begun);
    if (!keep && *s >= 0) {
        (void)close(*s);
        *s = -1;
    }
}

static void *client(void *ctx) {
    load *l = ctx;
    int s = -1;
    for (;;) {
        long number = atomic_fetch_add(&l->next, 1);
        if (l->requests > 0 ? number >= l->requests : now() - l->begun > l->seconds) break;
        if (l->rate > 0) rest(l->begun + (double)number / l->rate - now());
        const file *f = &l->files[(size_t)number % l->file_count];
        if (number % 100 < l->bad)
            misbehave(l, number, f);
        else
            post(l, &s, f);
    }
    if (s >= 0) (void)close(s);
    return NULL;
}

static bool read_file(load *l, const char *path) {
    FILE *in = fopen(path, "rb");
    file *f = &l->files[l->file_count];
    if (in == NULL || l->file_count == MOST_FILES) return false;
    (void)fseek(in, 0, SEEK_END);
    f->size = (size_t)ftell(in);
    (void)fseek(in, 0, SEEK_SET);
    f->bytes = malloc(f->size + 1);
    bool good = f->bytes != NULL && fread(f->bytes, 1, f->size, in) == f->size;
    (void)fclose(in);
    l->file_count++;
    return good;
}

static bool read_word(load *l, const char *word) {
    const char *value = strchr(word, '=') + 1;
    double number = 0;
    if (strncmp(word, "path=", 5) == 0) {
        l->path = value;
        return true;
    }
    if (!oc_parse_f64(value, 0, 1e9, &number)) return false;
    if (strncmp(word, "connections=", 12) == 0)
        l->connections = (int)number;
    else if (strncmp(word, "seconds=", 8) == 0)
        l->seconds = number;
    else if (strncmp(word, "requests=", 9) == 0)
        l->requests = (long)number;
    else if (strncmp(word, "rate=", 5) == 0)
        l->rate = number;
    else if (strncmp(word, "bad=", 4) == 0)
        l->bad = (int)number;
    else
        return false;
    return true;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(load *l, double took) {
    long n = l->timed < MOST_TIMES ? l->timed : MOST_TIMES;
    qsort(l->times, (size_t)n, sizeof *l->times, by_value);
    printf("{\"seconds\": %.3f, \"good\": %ld, \"rate\": %.2f, \"lost\": %ld, \"bad\": %ld", took,
           l->good, (double)l->good / took, l->lost, l->spoiled);
    if (n > 0)
        printf(", \"median_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f", 1e3 * l->times[n / 2],
               1e3 * l->times[n * 99 / 100], 1e3 * l->times[n - 1]);
    for (int i = 0; i < STATUSES; i++)
        if (l->status[i] > 0) printf(", \"%d\": %ld", i, l->status[i]);
    printf("}\n");
}

int main(int argc, char **argv) {
    load *l = calloc(1, sizeof *l);
    pthread_t threads[4096];
    int64_t port = 0;
    if (l == NULL || argc < 3 || !oc_parse_i64(argv[1], 1, 65535, &port)) {
        (void)fprintf(stderr, "usage: load PORT [key=value ...] FILE...\n");
        return 1;
    }
    l->port = (int)port;
    l->connections = 8;
    l->seconds = 5;
    l->path = "/v1/identify";
    l->times = malloc(MOST_TIMES * sizeof *l->times);
    for (int i = 2; i < argc; i++) {
        if (strchr(argv[i], '=') != NULL ? read_word(l, argv[i]) : read_file(l, argv[i])) continue;
        (void)fprintf(stderr, "load: cannot use %s\n", argv[i]);
        return 1;
    }
    if (l->file_count == 0 || l->connections < 1 || l->connections > 4096 || l->times == NULL)
        return 1;
    l->begun = now();
    for (int i = 0; i < l->connections; i++)
        if (pthread_create(&threads[i], NULL, client, l) != 0) return 1;
    for (int i = 0; i < l->connections; i++) (void)pthread_join(threads[i], NULL);
    print(l, now() - l->begun);
    for (size_t i = 0; i < l->file_count; i++) free(l->files[i].bytes);
    free(l->times);
    free(l);
    return 0;
}
