/* Counter-based randomness: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3", SC 2011). A stream is keyed by (seed, stream, item), so what an item draws
 * does not depend on which thread asks, or when.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_RNG_H
#define OC_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct oc_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t word[4]; /* the current block */
    int used;         /* words of it already given out; 4 = none left */
} oc_rng;

/* Stream numbers for the parts of the program, so that no two share one. */
enum {
    OC_RNG_SPLIT = 1,
    OC_RNG_SHUFFLE,
    OC_RNG_AUGMENT,
    OC_RNG_MIX,
    OC_RNG_INIT,
    OC_RNG_DROPOUT,
    OC_RNG_SYNTH,
    OC_RNG_TEST,
    OC_RNG_CLASSES
};

/* key = (seed, stream); counter = (item, epoch). */
void oc_rng_init(oc_rng *rng, uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t item);
/* As if a fresh rng had given out so many words already. */
void oc_rng_skip(oc_rng *rng, uint64_t words);
uint32_t oc_rng_u32(oc_rng *rng);
void oc_rng_fill(oc_rng *rng, uint32_t *out, size_t count); /* as so many calls of oc_rng_u32 */
uint32_t oc_rng_below(oc_rng *rng, uint32_t n);             /* 0..n-1, unbiased; n >= 1 */
float oc_rng_uniform(oc_rng *rng);                          /* [0, 1) */
float oc_rng_between(oc_rng *rng, float low, float high);
float oc_rng_normal(oc_rng *rng); /* mean 0, deviation 1 (Box-Muller) */
/* Fisher-Yates over `count` indices. */
void oc_rng_shuffle(oc_rng *rng, uint32_t *items, size_t count);

/* 64-bit digest of bytes (XXH3-64), for data digests and cache keys; not for secrets. */
uint64_t oc_hash64(const void *bytes, size_t size, uint64_t seed);

#endif
