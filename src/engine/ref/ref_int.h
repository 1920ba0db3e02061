/* The reference engine from inside: one call record per node, one pair of functions per op.
 *
 * Every activation keeps its own storage, in plain (n, c, h, w); sums are taken in double. Slow,
 * and easy to believe.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_REF_INT_H
#define OC_ENGINE_REF_INT_H

#include "engine/engine_int.h"

/* What all nodes of a run share. */
typedef struct ref_run {
    int n;             /* items in this batch */
    bool training;     /* dropout drops, batch norm uses the batch's statistics */
    bool freeze_stats; /* training: batch norm uses its running statistics after all */
    bool replay;       /* the same batch again: leave running statistics alone */
    uint64_t seed, step;
} ref_run;

enum { REF_MAX_PARAMS = 4 };

/* One node with everything it reads and writes; shapes have the plan's batch. */
typedef struct ref_call {
    const oc_node *node;
    int index; /* of the node */
    const ref_run *run;
    oc_shape in_shape[OC_MAX_INPUTS], out_shape; /* (n, c, h, w) */
    const float *in[OC_MAX_INPUTS];
    float *out;
    float *din[OC_MAX_INPUTS];     /* gradients are added; NULL where none is wanted */
    float *dout;                   /* read only, but for the loss's; NULL where none flows */
    float *param[REF_MAX_PARAMS];  /* weight, bias, mean, variance */
    float *dparam[REF_MAX_PARAMS]; /* gradients are written; NULL where it is fixed */
    uint8_t *keep;                 /* dropout: (n, c, h, w), 1 = kept */
    int32_t *chosen;               /* max pool: (n, c, oh, ow), index of the maximum in (h, w) */
    double *stats;                 /* batch norm: (2, c), mean and 1/deviation in use */
    double seconds[2];             /* forward, backward */
    uint64_t times[2];
} ref_call;

/* forward fills c->out; backward reads c->dout, adds to c->din, writes c->dparam. */
typedef void ref_function(const ref_call *c);
ref_function ref_conv_forward, ref_conv_backward;
ref_function ref_dense_forward, ref_dense_backward;
ref_function ref_max_pool_forward, ref_max_pool_backward;
ref_function ref_avg_pool_forward, ref_avg_pool_backward;
ref_function ref_global_pool_forward, ref_global_pool_backward;
ref_function ref_adaptive_pool_forward, ref_adaptive_pool_backward;
ref_function ref_batch_norm_forward, ref_batch_norm_backward;
ref_function ref_activation_forward, ref_activation_backward;
ref_function ref_dropout_forward, ref_dropout_backward;
ref_function ref_lrn_forward, ref_lrn_backward;
ref_function ref_add_forward, ref_add_backward;
ref_function ref_concat_forward, ref_concat_backward;
ref_function ref_flatten_forward, ref_flatten_backward;
ref_function ref_softmax_forward;
ref_function ref_aux_loss_backward;
ref_function ref_quantize_forward;
ref_function ref_pointwise_forward, ref_pointwise_backward;
ref_function ref_scale_forward, ref_scale_backward;
ref_function ref_prelu_forward, ref_prelu_backward;
ref_function ref_multiply_forward, ref_multiply_backward;
ref_function ref_maximum_forward, ref_maximum_backward;
ref_function ref_pad_forward, ref_pad_backward;
ref_function ref_global_max_pool_forward, ref_global_max_pool_backward;

/* The functions of an op, NULL where there is nothing to do (run.c). */
typedef struct ref_op {
    ref_function *forward, *backward;
} ref_op;
const ref_op *ref_op_of(oc_op op);

/* Values of one item, and of the whole batch of this run. */
static inline size_t ref_item(const oc_shape *s) {
    return (size_t)(s->dim[1] * s->dim[2] * s->dim[3]);
}
static inline size_t ref_volume(const ref_call *c, const oc_shape *s) {
    return (size_t)c->run->n * ref_item(s);
}

typedef struct ref_plan {
    oc_plan base; /* first */
    oc_graph *graph;
    ref_run run;
    ref_call *calls;  /* one per node */
    oc_shape *shapes; /* one per node, for a full batch */
    int count;
    bool profile;

    /* Slabs of floats: trained parameters first, in the graph's order, then all others. */
    size_t *offset; /* one per parameter: its place in each slab */
    bool *trained;
    size_t trained_values, all_values;
    float *weights;  /* all_values */
    bool shares;     /* they are another plan's */
    float *grads;    /* trained_values; NULL for inference, as are the states */
    float *state[2]; /* trained_values */

    float *values; /* all activations */
    size_t value_count;
    float *gradients; /* of the activations that need one */
    size_t gradient_values;
    char *extra; /* keep, chosen, stats */
    size_t extra_bytes;
    bool measuring; /* sizes alone: no memory is taken, and the plan never runs */
} ref_plan;

/* run.c */
oc_status ref_forward(oc_plan *plan, const float *pixels, int n, uint64_t step,
                      const oc_targets *targets, oc_result *result, oc_error *err);
oc_status ref_backward(oc_plan *plan, oc_error *err);
oc_status ref_update(oc_plan *plan, const oc_update *update, oc_error *err);
const char *ref_find_nonfinite(oc_plan *plan);
size_t ref_times(const oc_plan *plan, oc_op_time *out, size_t max);

#endif
