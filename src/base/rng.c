/* Philox 4x32-10 and what is drawn from it; XXH3 for digests.
 *
 * The stream number goes into the key, (block, epoch, item) into the counter: 2^32 blocks of four
 * words for each.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/rng.h"

#include <math.h>

#include <xxhash.h>

#include "base/rng_int.h"

enum { PHILOX_ROUNDS = 10 };

/* Multipliers and Weyl increments of the paper, section 3.3. */
static const uint32_t PHILOX_M0 = 0xD2511F53, PHILOX_M1 = 0xCD9E8D57;
static const uint32_t PHILOX_W0 = 0x9E3779B9, PHILOX_W1 = 0xBB67AE85;

void oci_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0;
        uint64_t p1 = (uint64_t)PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void oc_rng_init(oc_rng *rng, uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t item) {
    *rng = (oc_rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32) ^ stream * PHILOX_W0},
        .counter = {0, epoch, (uint32_t)item, (uint32_t)(item >> 32)},
        .used = 4,
    };
}

void oc_rng_skip(oc_rng *rng, uint64_t words) {
    rng->counter[0] += (uint32_t)(words / 4);
    for (uint64_t i = 0; i < words % 4; i++) (void)oc_rng_u32(rng);
}

uint32_t oc_rng_u32(oc_rng *rng) {
    if (rng->used == 4) {
        oci_philox(rng->word, rng->counter, rng->key);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->word[rng->used++];
}

void oc_rng_fill(oc_rng *rng, uint32_t *out, size_t count) {
    size_t i = 0;
    for (; i < count && rng->used < 4; i++) out[i] = oc_rng_u32(rng);
    for (; i + 4 <= count; i += 4, rng->counter[0]++) oci_philox(out + i, rng->counter, rng->key);
    for (; i < count; i++) out[i] = oc_rng_u32(rng);
}

/* Multiply-shift with rejection: Lemire, "Fast random integer generation in an interval", 2019. */
uint32_t oc_rng_below(oc_rng *rng, uint32_t n) {
    uint64_t product = (uint64_t)oc_rng_u32(rng) * n;
    if ((uint32_t)product < n) {
        uint32_t threshold = (0u - n) % n;
        while ((uint32_t)product < threshold) product = (uint64_t)oc_rng_u32(rng) * n;
    }
    return (uint32_t)(product >> 32);
}

float oc_rng_uniform(oc_rng *rng) {
    return (float)(oc_rng_u32(rng) >> 8) * 0x1p-24F;
}

float oc_rng_between(oc_rng *rng, float low, float high) {
    return low + (high - low) * oc_rng_uniform(rng);
}

float oc_rng_normal(oc_rng *rng) {
    const double two_pi = 6.283185307179586;
    double radius = ((double)(oc_rng_u32(rng)) + 1.0) * 0x1p-32; /* (0, 1]: its log is finite */
    double turn = (double)oc_rng_u32(rng) * 0x1p-32;
    return (float)(sqrt(-2.0 * log(radius)) * cos(two_pi * turn));
}

void oc_rng_shuffle(oc_rng *rng, uint32_t *items, size_t count) {
    for (size_t i = count; i > 1; i--) {
        uint32_t j = oc_rng_below(rng, (uint32_t)i);
        uint32_t kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

uint64_t oc_hash64(const void *bytes, size_t size, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, size, seed);
}
