/* The face of `engine`: a graph and a batch size in, a plan out; a plan runs forward, backward,
 * update. Above this seam nobody knows which library multiplies the matrices.
 *
 * Engines: "ref" (plain loops; the truth in tests) and "onednn" (the default where built).
 * All values that cross the seam are plain: pixels (n, c, h, w) and logits (n, classes) in float,
 * weights under their names in torch's layout. Inside, an engine keeps its own layouts.
 *
 * Threads: a plan is used by one thread at a time; different plans by different threads at once.
 * The maths itself runs on OpenMP threads, `threads` of them. Steady state (forward, backward,
 * update after the first of each) allocates nothing.
 *
 * A processor without AVX-512 or AVX2 runs the same plans, slower; ONEDNN_MAX_CPU_ISA=SSE41 (or
 * AVX, AVX2) makes a newer one compute as it would. SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_H
#define OC_ENGINE_H

#include "nn/nn.h"

typedef enum oc_mode {
    OC_MODE_INFER, /* batch norm folded, dropout the identity, activations share memory */
    OC_MODE_TRAIN
} oc_mode;

typedef struct oc_plan oc_plan;

typedef struct oc_plan_options {
    oc_mode mode;
    int batch;           /* n of the plan, >= 1 */
    int height, width;   /* of the input */
    int threads;         /* 0 = all cores */
    uint64_t seed;       /* of dropout */
    bool freeze_stats;   /* train: batch norms use and keep their running statistics */
    bool borrow;         /* infer: the set given to oc_plan_import outlives the plan unchanged, so
                            that large matrices may be read where they are instead of copied */
    oc_plan *share;      /* infer: use the weights of this plan where both want them alike, instead
                            of a copy: a plan for inference of the same engine and graph, whose
                            weights have been imported and stay as they are. It lives on until all
                            that share are freed, in any order. Import the same set. */
    bool in_turns;       /* infer, with share: the two are never at work at the same time, so that
                            this one uses that one's memory for activations where it suffices */
    bool recompute;      /* train: keep fewer activations and make them again on the way back: the
                            same bits in less memory, about a third slower */
    float sample;        /* train: share of the classes that a step sees (oc_plan_classes), 0..1; 0
                            = all, as 1 */
    const bool *trained; /* train: one per parameter of the graph, false = no gradient, fixed;
                            NULL = all that can be. Copied. Nothing below the first trained
                            parameter is back-propagated. */
} oc_plan_options;

/* Plans that share weights may be used, made and freed by different threads at once.
 * `engine` is "ref", "onednn" or NULL for the best one built in; OC_EENV with the list of what is
 * there for another. The graph is copied as far as needed: what serves auxiliary losses alone is
 * left out of an inference plan. Weights start at zero: set them. */
OC_MUST_CHECK oc_status oc_plan_new(oc_plan **out, const char *engine, const oc_graph *graph,
                                    const oc_plan_options *options, oc_error *err);
void oc_plan_free(oc_plan *plan);

/* Names of the engines built in, best first, NULL-terminated; static. */
const char *const *oc_engine_names(void);
/* One line for people: "oneDNN 2.6.3, OpenMP, AVX2". */
OC_MUST_CHECK oc_status oc_engine_describe(const char *engine, oc_buf *out, oc_error *err);

const char *oc_plan_engine(const oc_plan *plan);
/* Bytes the plan holds: weights and their companions, and activations. */
typedef struct oc_plan_memory {
    uint64_t weights;     /* parameters, gradients, statistics, optimiser state as far as in use */
    uint64_t activations; /* values and their gradients, input and output */
    uint64_t scratch;     /* what one operation needs while it runs */
    uint64_t slot;        /* what the first update adds to weights, for each state slot of the
                             optimiser; 0 where it is there from the start */
} oc_plan_memory;
oc_plan_memory oc_plan_memory_use(const oc_plan *plan);
uint64_t oc_plan_memory_sum(const oc_plan_memory *m, int slots);
/* What such a plan would hold, found out without taking it. Fails as oc_plan_new does, but for want
 * of memory. */
OC_MUST_CHECK oc_status oc_plan_measure(const char *engine, const oc_graph *graph,
                                        const oc_plan_options *options, oc_plan_memory *out,
                                        oc_error *err);

/* ---- values in and out ------------------------------------------------------------------------
 */

typedef enum oc_slot {
    OC_SLOT_WEIGHTS, /* parameters and statistics */
    OC_SLOT_GRADS,   /* of the last backward */
    OC_SLOT_STATE_0, /* optimiser: momentum, first moment, or sum of squares */
    OC_SLOT_STATE_1  /* optimiser: second moment */
} oc_slot;

/* Copy from `set` (F32, graph's names and shapes; OC_EMISMATCH names what is missing or differs).
 * Only trained parameters have grads and state; others are ignored there. */
OC_MUST_CHECK oc_status oc_plan_import(oc_plan *plan, oc_slot slot, const oc_tensors *set,
                                       oc_error *err);
/* Copy into `set`, adding tensors that are not there yet. Bit-exact both ways. */
OC_MUST_CHECK oc_status oc_plan_export(const oc_plan *plan, oc_slot slot, oc_tensors *set,
                                       oc_error *err);
/* The same without copying what is large and lies in the plan as torch stores it: such tensors of
 * `set` become views of the plan's memory, valid until the plan is freed and changing with it. */
OC_MUST_CHECK oc_status oc_plan_lend(const oc_plan *plan, oc_slot slot, oc_tensors *set,
                                     oc_error *err);
/* All gradients as one range, for a collective; NULL in an inference plan. */
float *oc_plan_grads(oc_plan *plan, size_t *count);

/* ---- running ----------------------------------------------------------------------------------
 */

/* Where the caller writes the next batch's pixels, (batch, c, h, w): writing here saves a copy.
 * Contents are undefined after each forward. */
float *oc_plan_input(oc_plan *plan);

/* What the classes of a batch should have been. Target of item i, over C classes:
 *   t = (1-s) * (mix*onehot(label) + (1-mix)*onehot(label2)) + s/C   with s = smoothing
 * (Szegedy et al. 2016 label smoothing; Zhang et al. 2018 mixup; Yun et al. 2019 CutMix). */
typedef struct oc_targets {
    const int32_t *label;  /* (n) 0..C-1 */
    const int32_t *label2; /* (n) or NULL */
    const float *mix;      /* (n) 0..1, or NULL = all 1 */
    float smoothing;       /* 0..1 */
} oc_targets;

typedef struct oc_result {
    double loss; /* mean over the batch of -sum t log softmax(logits), log-sum-exp in float */
    double aux;  /* training: the sum of weight * the same of each auxiliary loss, which is not in
                    `loss`; gradients are those of loss + aux */
    int correct; /* items whose largest logit is at `label` */
} oc_result;

/* Forward over the first n items (n <= batch; a training plan takes full batches only). pixels NULL
 * = what was written at oc_plan_input. Training: `step` keys dropout (and must not repeat),
 * targets and result are needed; inference: both may be NULL. */
OC_MUST_CHECK oc_status oc_plan_forward(oc_plan *plan, const float *pixels, int n, uint64_t step,
                                        const oc_targets *targets, oc_result *result,
                                        oc_error *err);
/* The graph's output of the last forward, (n, c, h, w) plain; borrowed, until the next call. */
const float *oc_plan_output(oc_plan *plan);
/* Sampled classes (An et al., "Partial FC", 2021 and 2022): with options.sample a training step
 * sees the classes of its labels and as many others, drawn without bias by (seed, step), as make up
 * that share, and no fewer than 2 * batch. Output, loss, correct and smoothing are over those
 * alone. Gradients of the head's other rows are zero, and an update leaves these rows and their
 * optimiser state as they are: neither decay nor momentum moves them before they are drawn again.
 * oc_plan_grads has the drawn rows alone, one behind the other, so that a sum over ranks needs the
 * same classes in all. The network must end in a dense layer that reads one value a channel, and
 * have no auxiliary loss, else OC_EUNSUPPORTED.
 *
 * The classes of the last forward, ascending, in the order of the output's values, borrowed; before
 * the first forward *count is right and the classes are not. NULL where nothing is sampled. */
const int32_t *oc_plan_classes(const oc_plan *plan, size_t *count);
/* Gradients of the mean loss, auxiliary ones included, of the last forward. Replaces the previous
 * ones. */
OC_MUST_CHECK oc_status oc_plan_backward(oc_plan *plan, oc_error *err);

/* X(name, word, state slots) */
#define OC_OPTIMIZER_MAP(X)                                                                        \
    X(OC_SGD, "sgd", 1)                                                                            \
    X(OC_ADAGRAD, "adagrad", 1)                                                                    \
    X(OC_RMSPROP, "rmsprop", 1)                                                                    \
    X(OC_ADAMW, "adamw", 2)                                                                        \
    X(OC_ADAM, "adam", 2)                                                                          \
    X(OC_ADADELTA, "adadelta", 2)
typedef enum oc_optimizer {
#define OC_OPTIMIZER_ENUM(name, word, slots) name,
    OC_OPTIMIZER_MAP(OC_OPTIMIZER_ENUM)
#undef OC_OPTIMIZER_ENUM
        OC_OPTIMIZER_COUNT
} oc_optimizer;
const char *oc_optimizer_name(oc_optimizer o);
bool oc_optimizer_parse(const char *word, oc_optimizer *out);

/* One optimiser step; the formulas are torch.optim's, so that runs can be compared:
 *   g += l2*w (all but adamw) + l1*sign(w);  adamw: w -= lr*l2*w (decoupled)
 *   sgd      v = momentum*v + g;  w -= lr*(nesterov ? g + momentum*v : v)   (first step: v = g)
 *   adagrad  s += g^2;            w -= lr*g/(sqrt(s)+eps)
 *   rmsprop  s = rho*s+(1-rho)g^2; w -= lr*g/(sqrt(s)+eps)
 *   adam, adamw  m,s moments with beta1, beta2, bias-corrected;  w -= lr*m^/(sqrt(s^)+eps)
 *   adadelta s = rho*s+(1-rho)g^2; u = g*sqrt((d+eps)/(s+eps)); d = rho*d+(1-rho)u^2;  w -= lr*u
 * and, with `caffe`, those of Caffe's solvers where they differ:
 *   sgd      v = momentum*v + lr*g;  w -= nesterov ? lr*g + momentum*v : v
 *   adam     w -= lr*sqrt(1-beta2^step)/(1-beta1^step) * m/(sqrt(s)+eps) */
typedef struct oc_update {
    oc_optimizer optimizer;
    float lr;       /* >= 0 */
    float momentum; /* sgd */
    bool nesterov;
    bool caffe;         /* sgd, adam: Caffe's formula; a velocity then has the rate in it */
    float rho;          /* rmsprop, adadelta */
    float beta1, beta2; /* adam, adamw */
    float epsilon;
    float l1, l2;
    const float *lr_scale;    /* one per parameter of the graph, or NULL = all 1 */
    const float *decay_scale; /* multiplies l1 and l2; one per parameter, or NULL = all 1 */
    float clip_norm;  /* > 0: scale all gradients so that their joint L2 norm is at most so */
    bool renormalise; /* divide each node's gradient by its L2 norm (DL4J's
                         RenormalizeL2PerLayer), before l1 and l2; not
                         together with clip_norm */
    uint64_t step;    /* 1 for the first update */
} oc_update;
OC_MUST_CHECK oc_status oc_plan_update(oc_plan *plan, const oc_update *update, oc_error *err);

/* ---- looking inside ----------------------------------------------------------------------------
 */

/* Run the last batch forward once more, checking every node's output and the parameters: the name
 * of the first node with an infinity or NaN, or NULL. Borrowed. */
const char *oc_plan_find_nonfinite(oc_plan *plan);

/* The values of node `node`, `count` of them in any order, zeros of padding among them. */
typedef void (*oc_observer)(void *ctx, int node, const float *values, size_t count);
/* Call `observer` in each forward of an inference plan, on the caller's thread, with the values of
 * every node as they are made; not with those of nodes that the engine has folded into the next
 * one. NULL = no longer. */
void oc_plan_observe(oc_plan *plan, oc_observer observer, void *ctx);

/* Seconds so far in one primitive of the plan, for `bench --layers` and doctor. */
typedef struct oc_op_time {
    const char *node;   /* borrowed; "loss" stands for the loss over the graph's output */
    const char *what;   /* "forward", "backward data", "backward weights", "update" ... static */
    const char *kernel; /* the library's name for the implementation, or "own"; borrowed */
    double seconds;
    uint64_t calls;
    uint64_t macs; /* per call */
} oc_op_time;
/* Timing is off until switched on; costs two clock reads an op. */
void oc_plan_profile(oc_plan *plan, bool on);
/* Up to max entries; returns how many there are. */
size_t oc_plan_times(const oc_plan *plan, oc_op_time *out, size_t max);

#endif
