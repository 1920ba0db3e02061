/* Token buckets in a table of sets: an address belongs to one set, and takes there the place of the
 * bucket that has been left alone longest. The hash has a secret seed, so that nobody can choose
 * addresses that push each other out.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/limits_int.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "serve/serve.h"

enum { SETS = 4096, WAYS = 8 };

typedef struct bucket {
    uint64_t key; /* of the address; 0 = free */
    double tokens, last;
} bucket;

struct oci_limits {
    bucket *buckets; /* (SETS, WAYS) */
    double rate;     /* tokens a second */
    double burst;
    uint64_t seed;
    pthread_mutex_t lock;
};

static uint64_t key_of(const oci_limits *l, const char *address) {
    uint8_t bytes[16] = {0};
    size_t size = 0;
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (inet_pton(AF_INET, address, bytes) == 1)
        size = 4;
    else if (inet_pton(AF_INET6, address, bytes) == 1)
        size = memcmp(bytes, mapped, sizeof mapped) == 0 ? 16 : 8;
    if (size == 16) memmove(bytes, bytes + 12, size = 4);
    uint64_t key = oc_hash64(bytes, size, l->seed);
    return key != 0 ? key : 1;
}

/* Its bucket, or the one of its set that has been left alone longest, made its own and full. */
static bucket *bucket_of(oci_limits *l, uint64_t key, double now) {
    bucket *set = &l->buckets[key % SETS * WAYS], *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key) return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].last < oldest->last)) oldest = &set[i];
    }
    *oldest = (bucket){key, l->burst, now};
    return oldest;
}

bool oci_limits_take(oci_limits *l, const char *address, double now, double *retry) {
    (void)pthread_mutex_lock(&l->lock);
    bucket *b = bucket_of(l, key_of(l, address), now);
    b->tokens += (now - b->last) * l->rate;
    if (b->tokens > l->burst) b->tokens = l->burst;
    b->last = now;
    bool good = b->tokens >= 1;
    if (good) b->tokens -= 1;
    *retry = good ? 0 : (1 - b->tokens) / l->rate;
    (void)pthread_mutex_unlock(&l->lock);
    return good;
}

oc_status oci_limits_new(oci_limits **out, int per_minute, int burst, oc_error *err) {
    oc_status status = OC_OK;
    oci_limits *l = oc_calloc(1, sizeof *l);
    *out = NULL;
    if (l == NULL) return oc_fail_nomem(err, sizeof *l, "the limits");
    (void)pthread_mutex_init(&l->lock, NULL);
    l->rate = per_minute / 60.0;
    l->burst = burst;
    l->buckets = oc_calloc((size_t)SETS * WAYS, sizeof *l->buckets);
    if (l->buckets == NULL) OC_GOTO(oc_fail_nomem(err, sizeof *l->buckets * SETS, "the limits"));
    if (getrandom(&l->seed, sizeof l->seed, 0) != (ssize_t)sizeof l->seed)
        OC_GOTO(oc_fail(err, OC_EENV, "no random numbers for the table of limits"));
    *out = l;
    return OC_OK;
done:
    oci_limits_free(l);
    return status;
}

void oci_limits_free(oci_limits *l) {
    if (l == NULL) return;
    oc_free(l->buckets);
    (void)pthread_mutex_destroy(&l->lock);
    oc_free(l);
}

bool oc_limit_parse(const char *text, int *per_minute, int *burst) {
    enum { MOST = 1000000 };
    char first[16];
    int64_t minute = 0, once = 0;
    size_t size = strcspn(text, ":");
    if (size >= sizeof first) return false;
    (void)snprintf(first, sizeof first, "%.*s", (int)size, text);
    if (!oc_parse_i64(first, 1, MOST, &minute)) return false;
    once = minute;
    if (text[size] == ':' && !oc_parse_i64(text + size + 1, 1, MOST, &once)) return false;
    *per_minute = (int)minute;
    *burst = (int)once;
    return true;
}
