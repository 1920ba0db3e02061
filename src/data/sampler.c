/* The order of an epoch: a permutation by (seed, epoch), cut into batches.
 *
 * Position in an epoch is one number: any batch can be named without those before it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "data/data_int.h"

static size_t count_batches(const oci_sampler *s) {
    size_t full = s->count / s->batch;
    if (s->drop_last) return full > 0 ? full : 1;
    return full + (s->count % s->batch != 0);
}

oc_status oci_sampler_init(oci_sampler *s, const oc_loader_options *options, oc_error *err) {
    *s = (oci_sampler){
        .count = options->count,
        .batch = (size_t)options->batch,
        .shuffle = options->shuffle,
        .drop_last = options->drop_last,
        .seed = options->seed,
    };
    size_t bytes = s->count * sizeof *s->items;
    s->items = oc_malloc(bytes);
    s->order = oc_malloc(bytes);
    if (s->items == NULL || s->order == NULL)
        return oc_fail_nomem(err, bytes, "the order of items");
    memcpy(s->items, options->items, bytes);
    s->batches = count_batches(s);
    oci_sampler_begin(s, 0);
    return OC_OK;
}

void oci_sampler_clear(oci_sampler *s) {
    oc_free(s->items);
    oc_free(s->order);
    *s = (oci_sampler){0};
}

void oci_sampler_begin(oci_sampler *s, uint32_t epoch) {
    oc_rng rng;
    for (size_t i = 0; i < s->count; i++) s->order[i] = (uint32_t)i;
    if (!s->shuffle) return;
    oc_rng_init(&rng, s->seed, OC_RNG_SHUFFLE, epoch, 0);
    oc_rng_shuffle(&rng, s->order, s->count);
}

size_t oci_sampler_size(const oci_sampler *s, size_t batch) {
    size_t left = s->count - batch * s->batch;
    return s->drop_last || left > s->batch ? s->batch : left;
}

uint32_t oci_sampler_at(const oci_sampler *s, size_t i, uint32_t *repeat) {
    *repeat = (uint32_t)(i / s->count);
    return s->order[i % s->count];
}
