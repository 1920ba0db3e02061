/* The face of `train`: the loop that turns a data set and a graph into a model folder.
 *
 * A run is a pure function of (data, options, seed, threads, machine): stopping it anywhere - by
 * signal, by --stop-after, by kill -9 - and resuming gives the same bytes at the end.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TRAIN_H
#define OC_TRAIN_H

#include <signal.h>

#include "data/data.h"
#include "dist/dist.h"
#include "engine/engine.h"
#include "eval/eval.h"
#include "interop/interop.h"
#include "model/model.h"
#include "zoo/zoo.h"

typedef enum oc_tune {
    OC_TUNE_ALL,   /* everything; a fresh head at 10 x the learning rate of the body */
    OC_TUNE_HEAD,  /* the head alone, on features of the frozen body */
    OC_TUNE_STAGED /* the head for the first epochs, then all */
} oc_tune;

/* How the learning rate falls. Time t runs in epochs, or, in a run of so many iterations, in those
 * (then these are Caffe's lr_policy), T is the run's length, s step_every, g gamma, p power:
 *   cosine  (1 + cos(pi t/T)) / 2      step       g^floor(t/s)        exp      g^t
 *   poly    (1 - t/T)^p                multistep  g^(marks passed)    inv      (1 + g t)^-p
 *   constant  1                                                       sigmoid  1/(1+exp(-g(t-s)))
 * cosine and poly begin behind the warm-up. X(name, word) */
#define OC_SCHEDULE_MAP(X)                                                                         \
    X(OC_SCHEDULE_COSINE, "cosine")                                                                \
    X(OC_SCHEDULE_STEP, "step")                                                                    \
    X(OC_SCHEDULE_CONSTANT, "constant")                                                            \
    X(OC_SCHEDULE_POLY, "poly")                                                                    \
    X(OC_SCHEDULE_MULTISTEP, "multistep")                                                          \
    X(OC_SCHEDULE_EXP, "exp")                                                                      \
    X(OC_SCHEDULE_INV, "inv")                                                                      \
    X(OC_SCHEDULE_SIGMOID, "sigmoid")
typedef enum oc_schedule_kind {
#define OC_SCHEDULE_ENUM(name, word) name,
    OC_SCHEDULE_MAP(OC_SCHEDULE_ENUM)
#undef OC_SCHEDULE_ENUM
        OC_SCHEDULE_COUNT
} oc_schedule_kind;

/* What goes to TensorBoard's event files. X(name, word) */
#define OC_BOARD_MAP(X)                                                                            \
    X(OC_BOARD_ALL, "all")                                                                         \
    X(OC_BOARD_NO_PHOTOS, "no-photos") /* all but the mistakes, which show held-out photos */      \
    X(OC_BOARD_OFF, "off")
typedef enum oc_board {
#define OC_BOARD_ENUM(name, word) name,
    OC_BOARD_MAP(OC_BOARD_ENUM)
#undef OC_BOARD_ENUM
} oc_board;

/* Zero, NULL or negative where said = the default, which depends on the rest (options.c). */
typedef struct oc_train_options {
    const char *data; /* DATA of the command line */
    const char *val;  /* validation DATA; NULL = the source's own, or a split */
    double split;     /* share of each class held out; 0 = 0.2, below 0 = nothing */
    oc_dataset_options dataset;
    bool allow_rejects; /* go on with more than 20 % rejected */
    const char *out;    /* the model folder */
    const char *arch;   /* NULL = that of `from`, else "mobilenet_v2" */
    const char *from;   /* file of weights or model folder; NULL = from scratch */
    const char *prefix; /* taken off the names of a file's tensors (oc_pretrained_options) */
    const char *cut;    /* layer of `from` that a new head is put on; NULL = the last one's input */
    oc_tune tune;       /* matters with `from` */
    int epochs;         /* 0 = 10 with `from`, 60 without */
    int accumulate;     /* batches whose mean gradient makes an update; 0 = 1 */
    bool recompute;     /* make activations again rather than keep them: less memory, slower */
    int batch;          /* 0 = 32; never more than there are training images */
    int size;           /* 0 = the architecture's */
    double lr;          /* < 0 = default; of the head when a body is fine-tuned: body 1/10 */
    int optimizer;      /* -1 = default, else oc_optimizer */
    double momentum;    /* < 0 = default */
    bool nesterov;
    double l1, l2; /* < 0 = default */
    oc_schedule_kind schedule;
    int step_epochs;       /* step: every so many; sigmoid: the middle; 0 = a third, half */
    double step_factor;    /* gamma; 0 = 0.1, exp 0.95, inv 0.1, sigmoid -0.2 */
    double power;          /* poly, inv; 0 = 1 */
    const double *step_at; /* multistep: the marks, rising; borrowed */
    size_t step_count;
    double warmup_epochs; /* linear from 0; < 0 = default */
    double clip_norm;     /* 0 = off */
    double rho;           /* rmsprop, adadelta; < 0 = default, as the next three */
    double beta1, beta2;  /* adam, adamw */
    double epsilon;
    bool caffe;              /* Caffe's formulas (oc_update) */
    double sample_classes;   /* share of the classes that a step sees, others stand still
                                (oc_plan_options.sample); training loss and accuracy are over
                                those; 0 or 1 = all */
    int patience;            /* early stopping: epochs without a better one; 0 = off */
    uint64_t iterations;     /* > 0: so many updates instead of epochs, judged after every ... */
    uint64_t judge_every;    /* ... so many, which are called an epoch; the order of the photos
                                goes on across; 0 = as many as there are batches of photos */
    uint64_t snapshot_every; /* updates between checkpoints, besides the others; 0 = no others */
    const oc_model *net;     /* borrowed: trained as it is, instead of `arch` and `from`: its graph,
                                recipe and classes, and what it has of weights (others are drawn).
                                Lists are numbered (oc_dataset_options) */
    const float *lr_scale, *decay_scale; /* with net: one per parameter of its graph; rate 0 =
                                            fixed; NULL = as otherwise */
    bool freeze_stats;                   /* batch norms keep their statistics */
    const char *val_root;                /* dataset.root of `val` */
    const oc_augment *vary;              /* instead of a level; borrowed */
    int augment;                         /* -1 = default, else oc_level */
    int measure_mean;        /* 1 = mean and std from the training set; 0 = ImageNet's; -1 =
                                default */
    const float *mean, *std; /* given: three each */
    int squash;              /* -1 default, 0, 1 */
    int filter;              /* -1 default, else oc_filter */
    uint64_t seed;
    int threads;          /* 0 = all */
    int workers;          /* loader; 0 = chosen, and chosen anew while the run goes on */
    oc_keep cache;        /* decoded photos are kept for later epochs */
    uint64_t cache_limit; /* bytes; 0 = half of the free memory, nine tenths of the free disk */
    const char *engine;
    bool resume;
    double stop_after_minutes; /* 0 = never */
    double checkpoint_minutes; /* between checkpoints within an epoch; 0 = 5. An epoch ends in
                                  one, too, unless the last is less than 5 s old */
    uint64_t memory_limit;     /* bytes that the run may take; 0 = what is free */
    uint64_t logits_in_memory; /* bytes of validation logits that are kept for calibration; an even
                                  sample where they are more; 0 = 256 MiB */
    uint64_t best_in_memory;   /* bytes of weights up to which the best epoch's are kept in memory
                                  rather than on disk; 0 = 512 MiB */
    const char *command;       /* as typed, for the record */
    oc_board board;
    bool no_examples; /* no thumbnails of photos in the model folder */
    int histograms;   /* of weights and gradients for TensorBoard, every so many steps; 0 = none */
} oc_train_options;
void oc_train_options_init(oc_train_options *o); /* all defaults */

/* Where the wall clock went, in seconds. */
typedef struct oc_train_times {
    double data, forward, backward, update, validation, other;
} oc_train_times;

typedef struct oc_train_progress {
    int epoch, epochs;        /* from 1 */
    size_t step, steps;       /* in this epoch */
    double images_per_second; /* over the last seconds */
    double loss;              /* running mean of this epoch */
    double accuracy;          /* of this epoch so far */
    double lr;
    double eta_seconds;
    oc_train_times times; /* since the start of this run */
    const char *phase;    /* "head", "train", "features", "validation", "scan" */
} oc_train_progress;

typedef struct oc_epoch_summary {
    int epoch, epochs;
    double train_loss, train_accuracy;
    double val_accuracy, val_loss; /* NaN when there is no validation part */
    double seconds, images_per_second, lr;
    bool best;              /* so far */
    oc_train_times times;   /* of this epoch */
    const char *bottleneck; /* "compute", "decode" or "disk" */
    int workers;            /* threads that loaded photos at its end, at most */
} oc_epoch_summary;

/* Called on the training thread. Any may be NULL. */
typedef struct oc_train_observer {
    void (*step)(void *ctx, const oc_train_progress *p);
    void (*epoch)(void *ctx, const oc_epoch_summary *s);
    const oc_log *log;                 /* words: what was found, what was decided */
    const volatile sig_atomic_t *stop; /* set by a signal handler: finish the step, checkpoint */
    void *ctx;
} oc_train_observer;

typedef struct oc_train_result {
    int epochs_done, best_epoch;
    double best_accuracy, best_loss, final_loss, temperature, threshold;
    double seconds, images_per_second;
    size_t train_images, val_images, classes, rejected;
    oc_train_times times;
    const char *bottleneck; /* as in oc_epoch_summary */
    uint64_t peak_rss;
    uint64_t steps_done; /* in all, also by the runs that this one continues */
    bool stopped;        /* before the last epoch: by request or time */
} oc_train_result;

/* Train. On OC_OK the folder `out` holds the best model on validation (the last one when there is
 * none), its card, metrics.json, log.jsonl, TensorBoard's event files, checkpoint/, and, of a run
 * that is finished, examples/: a thumbnail of a photo of each class, for up to 2,000 classes. A
 * stop on request is OC_OK with result->stopped. */
OC_MUST_CHECK oc_status oc_train(const oc_train_options *options, const oc_train_observer *observer,
                                 oc_train_result *result, oc_error *err);
json_t *oc_train_result_json(const oc_train_result *r); /* new reference, or NULL */

#endif
