/* Measures the limits of this machine. No library, no layout, no tiling: what is left is the CPU.
 *
 * The loops of multiply-adds keep CHAINS floats in registers, each waiting for its own last result
 * only: 14 registers of 8 lanes, or 7 of 16, cover a latency of 4 cycles on units that start one or
 * two of them a cycle. (A CPU that starts two of 16 lanes a cycle would need 8, and shows 7/8.) One
 * loop asks for the fused operation, which a CPU without it has to imitate; the other leaves the
 * multiplication and the addition apart. The better one counts. Compilers without OC_SIMD build
 * both for their baseline: then the value is too low.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "peak_int.h"

#include <math.h>
#include <string.h>

enum { CHAINS = 112, SLICES = 6, CHUNK_ROUNDS = 10000, COPY_ROUNDS = 3 };
static const double slice_seconds = 0.05;
static const size_t copy_bytes = (size_t)48 << 20; /* a thread; beyond a last-level cache */

OC_SIMD static float fused(size_t rounds) {
    float chain[CHAINS], sum = 0;
    for (int i = 0; i < CHAINS; i++) chain[i] = (float)i;
    for (size_t round = 0; round < rounds; round++)
        for (int i = 0; i < CHAINS; i++) chain[i] = fmaf(chain[i], 0.999F, 0.5F);
    for (int i = 0; i < CHAINS; i++) sum += chain[i];
    return sum;
}

OC_SIMD static float parted(size_t rounds) {
    float chain[CHAINS], sum = 0;
    for (int i = 0; i < CHAINS; i++) chain[i] = (float)i;
    for (size_t round = 0; round < rounds; round++)
        for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * 0.999F + 0.5F;
    for (int i = 0; i < CHAINS; i++) sum += chain[i];
    return sum;
}

/* One per thread. */
typedef struct lane {
    float (*loop)(size_t rounds);
    float sum; /* read by no one, but so the loop cannot be left out */
    double rounds;
    char *from, *to;
} lane;

static void fma_work(void *ctx, size_t i, int worker) {
    lane *l = (lane *)ctx + i;
    (void)worker;
    double start = oc_clock_seconds();
    for (l->rounds = 0; oc_clock_seconds() - start < slice_seconds; l->rounds += CHUNK_ROUNDS)
        l->sum = l->loop(CHUNK_ROUNDS);
}

static void copy_work(void *ctx, size_t i, int worker) {
    lane *l = (lane *)ctx + i;
    (void)worker;
    for (int round = 0; round < COPY_ROUNDS; round++) memcpy(l->to, l->from, copy_bytes);
}

static void keep_best(double *best, double amount, double seconds) {
    double rate = amount / seconds / 1e9;
    if (rate > *best) *best = rate;
}

static void measure_fma(oci_peak *peak, lane *lanes, size_t threads, float (*loop)(size_t)) {
    double rounds = 0;
    for (size_t i = 0; i < threads; i++) lanes[i].loop = loop;
    double start = oc_clock_seconds();
    oc_parallel_for(threads, (int)threads, fma_work, lanes);
    double spent = oc_clock_seconds() - start;
    for (size_t i = 0; i < threads; i++) rounds += lanes[i].rounds;
    keep_best(&peak->fma_gflops, 2.0 * CHAINS * rounds, spent);
}

static void measure_memory(oci_peak *peak, lane *lanes, size_t threads) {
    double start = oc_clock_seconds();
    oc_parallel_for(threads, (int)threads, copy_work, lanes);
    keep_best(&peak->memory_gbps, 2.0 * COPY_ROUNDS * (double)copy_bytes * (double)threads,
              oc_clock_seconds() - start);
}

static void measure(oci_peak *peak, lane *lanes, size_t threads) {
    for (int slice = 0; slice < SLICES; slice++) {
        measure_fma(peak, lanes, threads, fused);
        measure_fma(peak, lanes, threads, parted);
        measure_memory(peak, lanes, threads);
    }
}

oc_status oci_peak_measure(oci_peak *out, int threads, oc_error *err) {
    size_t count = (size_t)(threads > 0 ? threads : oc_cpu_count());
    oc_status status = OC_OK;
    *out = (oci_peak){0};
    lane *lanes = oc_calloc(count, sizeof *lanes);
    if (!lanes) return oc_fail_nomem(err, count * sizeof *lanes, "the threads to measure");
    for (size_t i = 0; i < count; i++) {
        lanes[i].from = oc_malloc_aligned(copy_bytes);
        lanes[i].to = oc_malloc_aligned(copy_bytes);
        if (!lanes[i].from || !lanes[i].to)
            OC_GOTO(oc_fail_nomem(err, copy_bytes, "a block to copy"));
        memset(lanes[i].from, 1, copy_bytes);
        memset(lanes[i].to, 1, copy_bytes);
    }
    measure(out, lanes, count);
done:
    for (size_t i = 0; i < count; i++) {
        oc_free_aligned(lanes[i].from);
        oc_free_aligned(lanes[i].to);
    }
    oc_free(lanes);
    return status;
}
