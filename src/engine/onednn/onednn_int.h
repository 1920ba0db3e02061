/* The inside of the oneDNN engine: how a graph becomes values and units, and where they live.
 *
 * Two ideas carry it. A value is either stored (the output of a convolution, an addition, a pool)
 * or derived: an affine map per channel and a clip of a stored one, which is what batch norm and
 * ReLU are. Derived values are never stored; whoever reads one makes it again, for the few images
 * at hand, in a scratch buffer that stays in cache. And a unit works through its batch in chunks of
 * a few images, so that what one step of a unit writes the next still finds in cache: convolution
 * then statistics, batch-norm gradient then both convolution gradients. Memory holds one float per
 * convolution output instead of two or three, and moves less than half as often.
 *
 *   fuse.c     graph -> values, units, norms          memory.c   lifetimes -> one arena
 *   weights.c  slabs, layouts, import and export      plan.c     forward, backward, update
 *   recompute.c  what is made again                   kernels.c  loops over blocked floats
 *   conv.c dense.c depthwise.c norm.c add.c pool.c misc.c   the kinds of unit
 *
 * Activations are (n, c/B, h, w, B), B = 8 or 16 lanes; padded lanes are zero in values and
 * gradients alike.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_ONEDNN_INT_H
#define OC_ENGINE_ONEDNN_INT_H

#include "engine/engine_int.h"
#include "engine/onednn/dnn.h"
#include "engine/onednn/row_int.h"

typedef struct oci_value {
    int node; /* of the graph, whose output this is; the last of those that were fused */
    int c, h, w;
    int blocks;   /* c / B, rounded up */
    size_t image; /* floats of one image */
    bool plain;   /* the network's input: (n, c, h, w) */
    int base;     /* the stored value it is read from; itself when stored */
    int norm;     /* derived: its affine map, or -1 */
    oci_act act;  /* derived: clip when read; stored: clip already applied by its unit */
    bool bytes;   /* levels of a quantize node, uint8_t (n, h, w, c); image counts bytes */
    float step;   /* of bytes: level l means step * (l - zero) */
    int zero;
    float *data;                    /* stored: image 0 */
    float *first_data, *again_data; /* training: where data is on the way there, and where it is
                                       made again for the way back */
    /* training */
    bool wants_grad;
    int grad_home; /* value whose gradient memory this shares; itself unless shared */
    float *grad;   /* image 0 */
    int writers;   /* units that add to the gradient ... */
    int written;   /* ... and how many have, in this backward */
} oci_value;

/* Batch norm: y = a x + b per channel. Float arrays are (blocks, OCI_ROW): a block's lanes,
 * repeated when B is 8, as the kernels want them; padded lanes are 0. */
typedef struct oci_norm {
    int node, value; /* value: the derived y */
    int channels, blocks;
    bool batch_stats; /* statistics of the batch; else the running ones */
    float epsilon, momentum;
    int scale, shift, mean, var; /* parameter numbers */
    float *a, *b;
    float *batch_mean, *inv_std;
    float *pivot;      /* subtracted before summing, against cancellation */
    float *p, *q, *r;  /* backward: dx = p dy + q x + r */
    double *sums;      /* (n, blocks, 2, OCI_ROW): per image sum, sum of squares (or of dy, dy x) */
    void *memory;      /* of all arrays */
    double seconds[2]; /* profile: forward, backward */
    uint64_t calls[2];
} oci_norm;

typedef enum oci_kind {
    OCI_UNIT_BLOCK, /* plain input to blocked */
    OCI_UNIT_CONV,
    OCI_UNIT_COPY,   /* a derived value, stored */
    OCI_UNIT_DERIVE, /* nothing forward; the gradient's way from a derived value to a shared base */
    OCI_UNIT_ADD,
    OCI_UNIT_POOL,
    OCI_UNIT_GLOBAL_POOL,
    OCI_UNIT_CONCAT,
    OCI_UNIT_DROPOUT,
    OCI_UNIT_LRN,
    OCI_UNIT_CURVE, /* sigmoid, tanh and their kin */
    OCI_UNIT_SOFTMAX,
    OCI_UNIT_ADAPTIVE_POOL,
    OCI_UNIT_BY_REF,   /* the reference engine's loops over plain copies */
    OCI_UNIT_AUX_LOSS, /* out holds the gradient of the weighted loss */
    /* inference over bytes (int8.h) */
    OCI_UNIT_QUANTIZE, /* floats to bytes */
    OCI_UNIT_RESTORE,  /* bytes to floats */
    OCI_UNIT_BYTE_CONV,
    OCI_UNIT_BYTE_ADD,
    OCI_UNIT_BYTE_MAX_POOL,
    OCI_UNIT_BYTE_GLOBAL_POOL, /* to floats */
    OCI_UNIT_BYTE_CONCAT,
    OCI_UNIT_COUNT
} oci_kind;

typedef struct oci_conv_unit oci_conv_unit;
typedef struct oci_byte_conv oci_byte_conv;

typedef struct oci_unit {
    oci_kind kind;
    int node;              /* for names, attributes and errors */
    int in[OC_MAX_INPUTS]; /* values */
    int in_count;
    int out;        /* stored value; of DERIVE: the base */
    int through;    /* value whose gradient comes in: out, or what alone derives from it */
    int gathers;    /* norm whose statistics are gathered from out, or -1 */
    int chunk;      /* images at a time */
    bool alone;     /* makes its input, gathers, and takes gradients through norms by itself: the
                       whole batch at once, without the plan's scratch */
    bool back;      /* takes part in backward */
    bool to_params; /* its own parameters are trained */
    int again;      /* training: unit before whose backward this one is run again, or -1 */
    int folded;     /* inference, conv: batch norm node folded into the weights, or -1 */
    bool flat;      /* by ref: the input is seen through a flatten */
    int sum;        /* inference, conv: value whose memory out shares and adds to, or -1 */
    oci_conv_unit *conv;
    oci_byte_conv *byte_conv;
    oci_lrn *lrn[2];   /* for a full chunk and for the rest */
    uint8_t *side;     /* dropout: keep mask; max pool: chosen taps; lrn: workspace */
    size_t side_image; /* bytes of it for one image */
    double seconds[3]; /* profile: forward, backward data, backward weights; without norms */
    uint64_t calls[3];
    uint64_t macs; /* multiply-adds of one call */
} oci_unit;

/* Where a parameter lives in the slabs, in floats. */
typedef struct oci_place {
    size_t offset, count; /* count: padded to whole cache lines */
    bool trained;
    bool borrowed;      /* inference: read where it lies, at `lent`; nothing in the slab */
    const float *lent;  /* from import on */
    bool shared;        /* in the plan that this one shares weights with */
    bool elsewhere;     /* not in the slabs: a convolution of bytes has its own copy */
    oci_layout *layout; /* convolution weights: the engine's; NULL = as torch stores it */
    oci_layout *plain;
    oci_reorder *in, *out;
} oci_place;

typedef struct oci_plan {
    oc_plan face; /* first */
    oc_graph *graph;
    oc_plan_options options;
    bool *trained;
    oci_dnn *dnn;
    int lanes;  /* B */
    int images; /* of a run: the batch in training, a part of it in inference */

    oci_value *values;
    int value_count;
    int *value_of; /* per graph node, -1 = none */
    int *bytes_of; /* the same, as bytes */
    oci_unit *units;
    int unit_count;
    oci_norm *norms;
    int norm_count;

    oci_place *places; /* per parameter */
    size_t slab;       /* floats in each slab */
    float *weights, *grads, *state[2];
    float *arena;
    size_t arena_floats;
    float *input;        /* (batch, c, h, w) */
    const float *pixels; /* of this run: input, or the caller's */
    float *output;       /* (batch, c, h, w) plain */
    float *output_grad;  /* the same */
    size_t output_image;
    uint64_t step;             /* keys dropout */
    const oc_targets *targets; /* of this run; NULL outside of one */
    double aux;                /* sum of the weighted auxiliary losses of this run */

    /* scratch, each for one chunk */
    float *read_scratch;     /* a derived value */
    float *grad_scratch;     /* the gradient that comes into a unit */
    float *sum_scratch;      /* a gradient to be added to what is there */
    float *weight_scratch;   /* a chunk's weight gradient */
    float *turned_scratch;   /* a layer's weights as its data gradient wants them */
    float *gathered_scratch; /* its weight gradient as the library gives it */
    float *plain_scratch;    /* what by_ref.c copies */
    void *library_scratch;
    size_t read_floats, grad_floats, sum_floats, weight_floats, turned_floats, gathered_floats,
        plain_floats;
    size_t library_bytes;
    float ones[OCI_ROW], zeros[OCI_ROW]; /* the identity as an affine map */
    oc_plan_memory held;                 /* all that oci_take gave */
    bool measuring; /* only count: oci_take gives nothing, and the plan never runs */
    bool profiling;
    bool going_back;     /* in backward: profile.c asks */
    double norm_seconds; /* profile: of all norms so far */
    double loss_seconds;
    uint64_t loss_calls;
    bool looking; /* a forward that must leave no trace in the running statistics */
} oci_plan;

/* `bytes` of zeroed memory for *out_pp, counted in *account, a member of plan->held. Nothing where
 * the plan is only measured, or has it already. OC_ENOMEM names `what`. */
OC_MUST_CHECK oc_status oci_take(oci_plan *plan, void *out_pp, uint64_t *account, size_t bytes,
                                 const char *what, oc_error *err);

static inline void oci_at_least(size_t *size, size_t need) {
    if (need > *size) *size = need;
}
static inline size_t oci_whole_lines(size_t bytes) {
    return (bytes + OC_CACHE_LINE - 1) / OC_CACHE_LINE * OC_CACHE_LINE;
}

/* ---- fuse.c -----------------------------------------------------------------------------------
 */

/* Fill values, units and norms. shapes: of every node at plan->images. */
OC_MUST_CHECK oc_status oci_fuse(oci_plan *plan, const oc_shape *shapes, oc_error *err);
const char *oci_unit_name(const oci_plan *plan, const oci_unit *unit);
const oc_attrs *oci_unit_attrs(const oci_plan *plan, const oci_unit *unit);

/* ---- recompute.c -----------------------------------------------------------------------------
 */

/* Set every unit's `again`. */
void oci_recompute_choose(oci_plan *plan);
/* Before a forward pass; and before the backward of unit `back`. */
void oci_recompute_begin(oci_plan *plan);
OC_MUST_CHECK oc_status oci_recompute_before(oci_plan *plan, int back, oc_error *err);

/* ---- memory.c ---------------------------------------------------------------------------------
 */

/* Lay out the arena, point values at it, allocate scratch and side buffers. */
OC_MUST_CHECK oc_status oci_place_values(oci_plan *plan, oc_error *err);

/* ---- weights.c --------------------------------------------------------------------------------
 */

/* Offsets of all parameters, slabs allocated; convolution layouts are set before. */
OC_MUST_CHECK oc_status oci_weights_place(oci_plan *plan, oc_error *err);
void oci_weights_free(oci_plan *plan);
OC_MUST_CHECK oc_status oci_weights_import(oci_plan *plan, oc_slot slot, const oc_tensors *set,
                                           oc_error *err);
OC_MUST_CHECK oc_status oci_weights_export(const oci_plan *plan, oc_slot slot, oc_tensors *set,
                                           bool lend, oc_error *err);
OC_MUST_CHECK oc_status oci_weights_lie(oci_plan *plan, oc_slot slot, int param, float **out,
                                        oc_error *err);
/* The plan whose weights this one uses, or NULL. */
static inline const oci_plan *oci_sharing(const oci_plan *plan) {
    return (const oci_plan *)plan->options.share;
}
/* The unit of that plan that does the same, or NULL. */
/* The plan that this one takes turns with, whose arena and scratch it uses where they suffice (the
 * pointers are the same); NULL = none. */
const oci_plan *oci_in_turns_with(const oci_plan *plan);
const oci_unit *oci_shared_unit(const oci_plan *plan, const oci_unit *unit);
/* Where a parameter's weights are. */
static inline const float *oci_weights_at(const oci_plan *plan, int param) {
    while (plan->places[param].shared) plan = oci_sharing(plan);
    const oci_place *p = &plan->places[param];
    return p->borrowed ? p->lent : plan->weights + p->offset;
}
OC_MUST_CHECK oc_status oci_weights_update(oci_plan *plan, const oc_update *update, oc_error *err);

/* ---- values and gradients (value.c)
 * -------------------------------------------------------------- */

/* Images first..first+n-1 of a value, blocked (plain for the input): in place, or made in scratch.
 */
const float *oci_read(oci_plan *plan, int value, int first, int n);
/* The same of one plane: row i of those n * blocks, of which several threads may read each its own.
 * Not of the network's input. */
const float *oci_read_row(oci_plan *plan, int value, int first, int i);
/* The affine map that makes `value` from its base; block k's row of 16 is a + k*stride. */
typedef struct oci_map {
    const float *a, *b;
    size_t stride;
} oci_map;
oci_map oci_map_of(const oci_plan *plan, int value);
/* Where to write the gradient of a value for these images: straight in, or into scratch when others
 * have written before; then commit. */
float *oci_grad_target(oci_plan *plan, int value, int first);
void oci_grad_commit(oci_plan *plan, int value, int first, int n, const float *target);
/* Gradient of unit->out for these images: that of `through`, taken back through clip and norm. */
const float *oci_incoming(oci_plan *plan, const oci_unit *unit, int first, int n);
const float *oci_incoming_row(oci_plan *plan, const oci_unit *unit, int first, int i);
/* How many earlier inputs of a unit are the same value as input k: each of them has written to its
 * gradient before. */
int oci_repeats(const oci_unit *unit, int k);
/* After the last chunk of a unit's backward: each input's gradient has one more writer done. */
void oci_grads_written(oci_plan *plan, const oci_unit *unit);
/* Blocked values or gradients of a whole run to plain ones, and back. */
void oci_value_to_plain(oci_plan *plan, int value, float *plain);
void oci_grad_from_plain(oci_plan *plan, int value, const float *plain);

/* ---- norm.c ------------------------------------------------------------------------------------
 */

OC_MUST_CHECK oc_status oci_norm_init(oci_plan *plan, oci_norm *norm, oc_error *err);
void oci_norm_clear(oci_norm *norm);
void oci_norm_begin(oci_plan *plan, oci_norm *norm); /* before gathering */
/* Where the sums of an image's block lie, cleared: 16 of the one kind, 16 of the other. */
double *oci_norm_sums(const oci_norm *norm, int image, int block);
void oci_norm_gather(oci_plan *plan, oci_norm *norm, int first, int n);
void oci_norm_finish(oci_plan *plan, oci_norm *norm);  /* a, b, running statistics */
void oci_norm_running(oci_plan *plan, oci_norm *norm); /* a, b from the running ones */
void oci_norm_reduce(oci_plan *plan, oci_norm *norm, const float *dy, int first, int n);
void oci_norm_backward(oci_plan *plan, oci_norm *norm); /* p, q, r; scale, shift grads */

/* ---- profile.c --------------------------------------------------------------------------------
 */

/* A stretch of time in which norms may have worked, too: their share counts for them alone. */
typedef struct oci_watch {
    double start, norms;
} oci_watch;
oci_watch oci_watch_start(const oci_plan *plan);
double oci_watch_seconds(const oci_plan *plan, oci_watch watch); /* 0 unless profiling */
/* The time since was spent for this norm (-1: for none, and stays with the unit). */
void oci_watch_norm(oci_plan *plan, int norm, oci_watch watch);
size_t oci_plan_times(const oci_plan *plan, oc_op_time *out, size_t max);

/* ---- units --------------------------------------------------------------------------------------
 */

/* What a kind of unit does with images first..first+n-1. forward NULL: nothing to do. */
typedef struct oci_unit_ops {
    oc_status (*forward)(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
    oc_status (*backward)(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
} oci_unit_ops;
const oci_unit_ops *oci_unit_ops_of(oci_kind kind);

OC_MUST_CHECK oc_status oci_conv_unit_init(oci_plan *plan, oci_unit *unit, oc_error *err);
void oci_conv_unit_free(oci_conv_unit *conv);
const oci_layout *oci_conv_unit_layout(const oci_unit *unit);
const char *oci_conv_unit_kernel(const oci_unit *unit, int what); /* 0 forward, 1 data, 2 weights */
/* A convolution from `in` to `out`, n images: sizes alone. Right and bottom padding are exactly as
 * far as the last window reaches. */
oci_conv_shape oci_conv_shape_of(const oc_attrs *a, const oci_value *in, const oci_value *out,
                                 int n);
oc_status oci_conv_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_conv_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
/* After weights came in: what an inference plan makes of them once and for all. */
void oci_conv_keep(oci_plan *plan, const oci_unit *unit);
float *oci_conv_folded_bias(const oci_unit *unit); /* NULL unless a batch norm is folded in */
oc_status oci_add_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
/* The incoming gradient to every input: additions, copies, derived values of a shared base. */
oc_status oci_pass_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_pool_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_global_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_global_pool_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_adaptive_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_adaptive_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
bool oci_is_curve(oc_op op);
oc_status oci_curve_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_curve_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
bool oci_is_by_ref(const oc_node *node);
size_t oci_by_ref_scratch(const oci_plan *plan, const oci_unit *unit); /* floats */
oc_status oci_by_ref_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_by_ref_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_aux_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_aux_backward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
/* OC_EUNSUPPORTED for a window too large to remember its winner. */
OC_MUST_CHECK oc_status oci_pool_check(const oc_node *node, oc_error *err);
size_t oci_pool_side(const oci_plan *plan, const oci_unit *unit); /* bytes for one image */
OC_MUST_CHECK oc_status oci_lrn_unit_init(oci_plan *plan, oci_unit *unit, oc_error *err);

/* ---- kernels.c: loops over rows of blocked floats
 * --------------------------------------------------- */

/* `count` floats, a whole number of eights; a, b, p, ... hold 16 lanes each, repeated when B is 8.
 */
oci_clip oci_clip_of(oci_act act);
/* y = clip(a x + b) */
void oci_row_affine(float *y, const float *x, oci_row_map map, size_t count);
/* z = clip(a1 x1 + a x2 + b) */
void oci_row_add(float *z, const float *x1, const float *a1, const float *x2, oci_row_map map,
                 size_t count);
/* s1 += sum (x - pivot), s2 += sum (x - pivot)^2, 16 doubles each */
void oci_row_moments(const float *x, const float *pivot, size_t count, double *s1, double *s2);
/* m = dy where a x + b is strictly inside the clip, else 0;  s1 += sum m, s2 += sum m (x - pivot)
 */
void oci_row_grad_moments(const float *dy, const float *x, oci_row_map map, const float *pivot,
                          size_t count, double *s1, double *s2);
/* dx = p m + q x + r, m as above */
void oci_row_norm_grad(float *dx, const float *dy, const float *x, oci_row_map map, const float *p,
                       const float *q, const float *r, size_t count);
/* dx = dy where y is strictly inside the clip, else 0 */
void oci_row_mask(float *dx, const float *dy, const float *y, oci_clip clip, size_t count);
/* dst += src, any count; the first spreads it over threads */
void oci_accumulate(float *dst, const float *src, size_t count);
void oci_row_accumulate(float *dst, const float *src, size_t count);
/* (c, hw) of one image from and to blocks */
void oci_block_image(float *blocked, const float *plain, int c, size_t hw, int lanes);
void oci_unblock_image(float *plain, const float *blocked, int c, size_t hw, int lanes);

#endif
