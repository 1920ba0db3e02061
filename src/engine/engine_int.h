/* The engine seam from below: what an engine provides, and the CPU parts that engines share.
 * Private to `engine`.
 *
 * An engine is one table of hooks. engine.c checks what is common to all (sizes, labels, order of
 * calls) before it calls a hook, so that an engine holds nothing but its own work.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_INT_H
#define OC_ENGINE_INT_H

#include <stdatomic.h>

#include "engine/engine.h"

typedef struct oc_engine_vtable {
    const char *name;
    /* One line for people. */
    oc_status (*describe)(oc_buf *out, oc_error *err);

    /* options are checked, threads is >= 1, the graph takes the size. On failure nothing is left
     * and *out is NULL. */
    oc_status (*plan_new)(oc_plan **out, const oc_graph *graph, const oc_plan_options *options,
                          oc_error *err);
    /* The same options, no plan: what memory() would say of it. */
    oc_status (*measure)(const oc_graph *graph, const oc_plan_options *options, oc_plan_memory *out,
                         oc_error *err);
    void (*plan_free)(oc_plan *plan); /* never NULL */
    oc_plan_memory (*memory)(const oc_plan *plan);

    /* import may be called at any time between two runs; grads and state only in training plans. */
    oc_status (*import)(oc_plan *plan, oc_slot slot, const oc_tensors *set, oc_error *err);
    /* lend: large parameters (oci_param_is_large) that lie as torch stores them become views. */
    oc_status (*export)(const oc_plan *plan, oc_slot slot, oc_tensors *set, bool lend,
                        oc_error *err);
    /* training plans only: where parameter i lies in a slot, as torch stores it; *out NULL = it has
     * another layout. Optimiser state is made when first asked for. */
    oc_status (*lies)(oc_plan *plan, oc_slot slot, int i, float **out, oc_error *err);
    float *(*grads)(oc_plan *plan, size_t *count); /* training plans only */
    float *(*input)(oc_plan *plan);

    /* 1 <= n <= batch (training: n == batch); labels are in range; result is NULL only when targets
     * is; in inference a loss is computed where targets are given. */
    oc_status (*forward)(oc_plan *plan, const float *pixels, int n, uint64_t step,
                         const oc_targets *targets, oc_result *result, oc_error *err);
    const float *(*output)(oc_plan *plan);
    oc_status (*backward)(oc_plan *plan, oc_error *err); /* after a training forward */
    oc_status (*update)(oc_plan *plan, const oc_update *update, oc_error *err); /* after backward */

    const char *(*find_nonfinite)(oc_plan *plan); /* after a forward */
    void (*profile)(oc_plan *plan, bool on);
    size_t (*times)(const oc_plan *plan, oc_op_time *out, size_t max);
} oc_engine_vtable;

/* The first member of each engine's own plan. An engine's plan_new sets `engine` alone; engine.c
 * fills the rest and uses it for its checks. */
struct oc_plan {
    const oc_engine_vtable *engine;
    const char *name; /* of the engine asked for; static */
    oc_mode mode;
    int batch;
    int threads;
    size_t classes;       /* values of the output per item */
    bool has_output;      /* a forward has run */
    bool can_back;        /* a training forward has run, and no backward since */
    bool has_grads;       /* a backward has run, or gradients were imported */
    oc_plan *share;       /* whose weights are used, or NULL */
    atomic_int sharers;   /* plans that use the weights of this one */
    uint64_t network;     /* tells graphs apart */
    oc_observer observer; /* inference: to be called with each node's values; NULL = nobody looks */
    void *observer_ctx;
};

extern const oc_engine_vtable oci_engine_ref;
extern const oc_engine_vtable oci_engine_onednn; /* only where built */
/* The engines of this build, best first, and their names; NULL at the end (builtin_*.c). */
extern const oc_engine_vtable *const oci_engines[];
extern const char *const oci_engine_words[];

/* ---- sampled classes (sampled.c) --------------------------------------------------------------
 */

extern const oc_engine_vtable oci_engine_sampled;
/* How many of `classes` a step of such a plan sees; all where nothing is sampled. */
size_t oci_sampled_count(const oc_plan_options *options, size_t classes);
/* plan_new and measure for fewer than all; `engine` does the work. */
OC_MUST_CHECK oc_status oci_sampled_new(oc_plan **out, const char *engine, const oc_graph *graph,
                                        const oc_plan_options *options, size_t classes,
                                        oc_error *err);
OC_MUST_CHECK oc_status oci_sampled_measure(const char *engine, const oc_graph *graph,
                                            const oc_plan_options *options, size_t classes,
                                            oc_plan_memory *out, oc_error *err);

/* ---- names and shapes (common.c) --------------------------------------------------------------
 */

/* The tensor of `set` for this parameter, or OC_EMISMATCH that names what is missing or differs. */
OC_MUST_CHECK oc_status oci_param_find(const oc_tensors *set, const oc_param *param,
                                       const float **out, oc_error *err);
/* The same to write into, added to `set` where it is absent. */
OC_MUST_CHECK oc_status oci_param_place(oc_tensors *set, const oc_param *param, float **out,
                                        oc_error *err);
/* Worth lending and borrowing instead of copying: a megabyte or more. */
bool oci_param_is_large(const oc_param *param);
/* The tensor of `set` for this parameter becomes a view of `data`, and is added where absent. */
OC_MUST_CHECK oc_status oci_param_lend(oc_tensors *set, const oc_param *param, float *data,
                                       oc_error *err);
/* Is parameter i to be trained: its kind has a gradient, and options->trained allows it. */
bool oci_param_is_trained(const oc_graph *graph, const oc_plan_options *options, int i);
/* needed[i] (one per node) := whether a gradient must flow into the output of node i, that is, it
 * or an ancestor holds a trained parameter. False for the input. */
void oci_grad_needed(const oc_graph *graph, const oc_plan_options *options, bool *needed);

/* ---- threads (threads_omp.c or threads_one.c) --------------------------------------------------
 */

/* The calling thread's OpenMP team becomes `threads`; returns what it was. */
int oci_threads_use(int threads);

/* ---- loss (loss.c) -----------------------------------------------------------------------------
 */

/* Softmax and negative log-likelihood of n rows of logits (n, classes), against the targets as
 * engine.h defines them. dlogits (n, classes), may be NULL: gradient of the mean loss. result gets
 * the mean loss (not finite where a logit is not) and the number correct (first of equal maxima).
 * Rows are spread over threads, their losses summed in order: the same bits for any team. */
void oci_softmax_nll(const float *logits, size_t n, size_t classes, const oc_targets *targets,
                     float *dlogits, oc_result *result);

/* ---- update (update.c) -------------------------------------------------------------------------
 */

int oci_optimizer_slots(oc_optimizer o);
/* One optimiser step of engine.h's formulas over w[0..count). g is read as g * grad_scale (clipping
 * or renormalisation); s0, s1: state, NULL where the optimiser has none. Threads share the range.
 */
void oci_update_range(const oc_update *update, float *w, const float *g, float *s0, float *s1,
                      size_t count, float lr_scale, float decay_scale, float grad_scale);
/* Sum of x^2 in double, in chunks of fixed size added in order: the same bits for any team. */
double oci_sum_squares(const float *x, size_t count);
/* The grad_scale of a joint norm (sqrt of the sum of all sums of squares) under update->clip_norm.
 */
float oci_clip_scale(const oc_update *update, double norm);
/* The grad_scale of one node's gradient under update->renormalise: 1/norm, or 1 where that has no
 * value. norm is that of all gradients of the node together. */
float oci_renormalise_scale(double norm);

/* ---- dropout (dropout.c) ------------------------------------------------------------------------
 */

/* keep[i] := 1 with probability 1-p, else 0, over the flat (n, c, h, w) index of node `node` in
 * step `step`. Depends on nothing else; threads share the work. */
void oci_dropout_mask(uint8_t *keep, size_t count, float p, uint64_t seed, int node, uint64_t step);

#endif
