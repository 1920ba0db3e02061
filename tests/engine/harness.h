/* From a case to a graph, weights, a batch and plans; comparing sets of tensors.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_ENGINE_HARNESS_H
#define OC_TESTS_ENGINE_HARNESS_H

#include "../check.h"

#include "cases.h"
#include "engine/engine.h"

/* A case made ready: graph, weights, a batch that keeps clear of the corners of ReLU, ReLU6 and
 * max pools, labels. */
typedef struct bench {
    const engine_case *spec;
    oc_graph *graph;
    oc_tensors *weights;
    float *pixels; /* (n, c, h, w) */
    size_t pixel_count;
    int32_t *labels; /* (n) */
    size_t classes;
    bool *trained;  /* one per parameter, or NULL */
    int threads;    /* of plans made from here on; 2 at first */
    bool recompute; /* the same; false at first */
} bench;

void bench_open(bench *b, const engine_case *spec);
void bench_close(bench *b);
/* Other pixels and labels. */
void bench_next_batch(bench *b, uint64_t seed);

/* A plan of the case with b's weights. */
oc_plan *bench_plan(const bench *b, const char *engine, oc_mode mode);
/* Forward and backward of b's batch; the result. */
oc_result bench_forward(const bench *b, oc_plan *plan, uint64_t step);
oc_result bench_step(const bench *b, oc_plan *plan, uint64_t step);
oc_tensors *export_slot(const oc_plan *plan, oc_slot slot);

/* Largest difference of two ranges, relative to the largest value of `wanted` (or to 1e-3 where
 * that is smaller). */
double difference(const float *got, const float *wanted, size_t count);
/* Fails where tensors of the two sets differ by more than `tolerance`, as above. */
void check_sets_close(const oc_tensors *got, const oc_tensors *wanted, double tolerance,
                      const char *what);

#endif
