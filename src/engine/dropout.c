/* Which values dropout keeps, the same for every engine and any number of threads.
 *
 * Each chunk of the flat index has a random stream of its own, keyed by (seed, node, step, chunk).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine_int.h"

enum { CHUNK = 4096, CHUNK_BITS = 24 };

static void fill_chunk(uint8_t *keep, size_t count, uint32_t threshold, oc_rng *rng) {
    uint32_t draws[256];
    for (size_t i = 0, n; i < count; i += n) {
        n = count - i < 256 ? count - i : 256;
        oc_rng_fill(rng, draws, n);
        for (size_t k = 0; k < n; k++) keep[i + k] = draws[k] >= threshold;
    }
}

void oci_dropout_mask(uint8_t *keep, size_t count, float p, uint64_t seed, int node,
                      uint64_t step) {
    uint32_t threshold = (uint32_t)((double)p * 0x1p32); /* p < 1 */
    size_t chunks = (count + CHUNK - 1) / CHUNK;
#pragma omp parallel for schedule(static) if (chunks > 1)
    for (size_t c = 0; c < chunks; c++) {
        size_t first = c * CHUNK;
        oc_rng rng;
        oc_rng_init(&rng, seed, OC_RNG_DROPOUT, (uint32_t)node, (step << CHUNK_BITS) + c);
        fill_chunk(keep + first, count - first < CHUNK ? count - first : CHUNK, threshold, &rng);
    }
}
