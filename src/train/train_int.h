/* What the files of `train` share: the parts of a run and who owns them. Private to `train`.
 *
 *   session  owns everything that lives as long as the run: data, network, weights, position
 *   stage    owns what lives as long as one way of training (head alone, or everything): plans,
 *            feeds, cached features
 *   position is all that a checkpoint has to say besides tensors
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TRAIN_INT_H
#define OC_TRAIN_INT_H

#include "interop/interop.h"
#include "train/settings_int.h"

/* ---- progress: numbers for people (observe.c) --------------------------------------------------
 */

typedef struct oci_meter {
    const oc_train_observer *observer; /* borrowed, never NULL */
    double started;                    /* oc_clock_seconds */
    oc_train_times times;              /* since `started`; other is what is left */
    oc_train_times epoch_times;        /* `times` when the epoch began */
    double epoch_started;
    double mark_time[2]; /* an older and a newer point of the smoothing window */
    uint64_t mark_images[2];
    uint64_t images;           /* trained on since `started` */
    uint64_t epoch_images;     /* `images` when the epoch began, or went on after a resume */
    double validation_seconds; /* of the last validation */
    double phase_started;      /* of what is not training */
} oci_meter;

void oci_meter_init(oci_meter *m, const oc_train_observer *observer);
void oci_meter_start_epoch(oci_meter *m);
/* Seconds since *mark, which becomes now. */
double oci_meter_lap(double *mark);
void oci_meter_count(oci_meter *m, uint64_t images);
double oci_meter_rate(const oci_meter *m); /* images/s over the last 2 to 5 s */
/* Buckets since the start, and since the epoch's start; `other` filled in. */
oc_train_times oci_meter_times(const oci_meter *m);
oc_train_times oci_meter_epoch_times(const oci_meter *m);
/* Begin a phase that is not training; and tell the observer about it: `step` of `steps` images. */
void oci_meter_start_phase(oci_meter *m);
void oci_meter_phase(const oci_meter *m, const char *phase, size_t step, size_t steps);

/* ---- features of the frozen body (features.c) ---------------------------------------------------
 */

/* One row of features per view of an image; images that could not be read are left out. All zero
 * is clearable. */
typedef struct oci_cache {
    float *rows;    /* (views, room, width), the first count of each room in use */
    int32_t *label; /* (count) */
    uint32_t *item; /* (count) index in the dataset */
    size_t count, width, room, views;
} oci_cache;

void oci_cache_clear(oci_cache *cache);

/* ---- batches, of pixels or of features (feed.c) -------------------------------------------------
 */

typedef struct oci_feed_options {
    oc_loader_options loader; /* dataset NULL where features are cached */
    const oci_cache *cache;   /* borrowed */
    oc_plan *body;            /* borrowed; turns pixels into features; NULL = pixels as they are */
    int batch;
    bool shuffle, drop_last;
    float
        smoothing; /* of labels, where features are cached; else the loader's augmentation has it */
    uint64_t seed;
} oci_feed_options;

typedef struct oci_batch {
    const float *input; /* pixels (n, c, h, w) or features (n, width) */
    int n;              /* 0 behind the last batch */
    oc_targets targets;
    const uint32_t *item; /* (n) index in the dataset */
    const bool *failed;   /* (n) not shuffled only: could not be read; NULL = none */
} oci_batch;

typedef struct oci_feed oci_feed;
OC_MUST_CHECK oc_status oci_feed_new(oci_feed **out, const oci_feed_options *options,
                                     oc_error *err);
void oci_feed_free(oci_feed *feed);
size_t oci_feed_batches(const oci_feed *feed); /* in an epoch */
/* Go to batch `first` of an epoch. May be called before that epoch is wanted, so that its first
 * batches are ready then: a feed that stands there already goes on with them. */
OC_MUST_CHECK oc_status oci_feed_start(oci_feed *feed, uint32_t epoch, size_t first, oc_error *err);
/* The next batch, valid until the call after; out->n is 0 behind the last. Adds to *times what was
 * spent waiting for data and in the body's forward. */
OC_MUST_CHECK oc_status oci_feed_next(oci_feed *feed, oci_batch *out, oc_train_times *times,
                                      oc_error *err);
/* Give back the batch that is out. */
void oci_feed_rest(oci_feed *feed);
/* The same; and end the loader's threads until the next start. */
void oci_feed_sleep(oci_feed *feed);
oc_loader_use oci_feed_used(const oci_feed *feed); /* all zero where features are cached */

/* ---- the data (material.c) ----------------------------------------------------------------------
 */

typedef struct oci_material {
    oc_dataset *train_set; /* owned */
    oc_dataset *val_set;   /* owned when it is another than train_set */
    uint32_t *train, *val; /* indices into them */
    size_t train_count, val_count;
    uint64_t digest; /* of both, and of who is held out */
} oci_material;

/* Open; then look into the files, apply the rule for rejects and split. All zero is clearable. */
OC_MUST_CHECK oc_status oci_material_open(oci_material *m, const oc_train_options *o,
                                          const oc_log *log, oc_error *err);
OC_MUST_CHECK oc_status oci_material_sort(oci_material *m, const oc_train_options *o,
                                          const oci_settings *s, const oc_log *log, oc_error *err);
/* Tell the model what it is trained on, and the user what is also judged on. */
OC_MUST_CHECK oc_status oci_material_remember(const oci_material *m, oc_model *model,
                                              const oc_log *log, oc_error *err);
size_t oci_material_rejected(const oci_material *m);
void oci_material_clear(oci_material *m);

/* ---- the network (net.c, recipe.c)
 * ----------------------------------------------------------------- */

/* Where a run starts from. All zero is clearable. */
typedef struct oci_origin {
    oc_model *model;     /* of a folder, or the options', or NULL */
    bool lent;           /* model is the options' */
    oc_pretrained *file; /* a weights file, or NULL */
    const oc_arch *arch; /* NULL only where the model's own graph is used and the zoo does not
                            know it */
    const char *cut;     /* layer that a new head is put on, or NULL */
    bool own_graph;      /* the model's graph is trained on, not one of the zoo's */
} oci_origin;

OC_MUST_CHECK oc_status oci_origin_open(oci_origin *origin, const oc_train_options *o,
                                        oc_error *err);
void oci_origin_clear(oci_origin *origin);

/* The recipe before anything is measured. *measure is set when mean and std are to be measured. */
OC_MUST_CHECK oc_status oci_recipe_choose(oc_recipe *out, bool *measure, const oci_origin *origin,
                                          const oci_settings *s, const oc_train_options *o,
                                          oc_error *err);
/* Graph for `classes` at the recipe's size. */
OC_MUST_CHECK oc_status oci_net_graph(oc_graph **graph, const oci_origin *origin,
                                      const oc_classes *classes, const oc_recipe *recipe,
                                      oc_error *err);
/* Weights for all its parameters. *head_kept is set when no part of the head is new. */
OC_MUST_CHECK oc_status oci_net_weights(oc_tensors **weights, bool *head_kept,
                                        const oc_graph *graph, const oci_origin *origin,
                                        const oc_classes *classes, uint64_t seed, const oc_log *log,
                                        oc_error *err);

/* ---- position
 * --------------------------------------------------------------------------------------- */

typedef struct oci_position {
    int epoch;        /* epochs that are done */
    uint64_t step;    /* steps done of the one under way */
    uint64_t updates; /* updates by the stage's optimiser */
    uint64_t total;   /* updates of the run; keys dropout */
    double loss_sum;  /* over the images of this epoch so far */
    uint64_t correct, images;
    int best_epoch; /* from 1; 0 = none yet */
    double best_accuracy, best_loss, temperature, threshold;
    double last_loss; /* training loss of the last whole epoch */
    bool finished;
    double seconds;     /* spent by this run and those that it continues */
    uint64_t log_bytes; /* of log.jsonl when the checkpoint was written */
} oci_position;

/* ---- log.jsonl (log.c)
 * -------------------------------------------------------------------------------- */

typedef struct oci_journal {
    int fd; /* -1 when closed */
    oc_buf line;
    char path[OC_PATH_BYTES];
} oci_journal;

/* Open for appending, cut to its first `keep` bytes. */
OC_MUST_CHECK oc_status oci_journal_open(oci_journal *j, const char *folder, uint64_t keep,
                                         oc_error *err);
void oci_journal_close(oci_journal *j);
OC_MUST_CHECK oc_status oci_journal_step(oci_journal *j, const oci_position *p, double lr,
                                         double loss, double rate, oc_error *err);
OC_MUST_CHECK oc_status oci_journal_epoch(oci_journal *j, const oc_epoch_summary *s, oc_error *err);
OC_MUST_CHECK oc_status oci_journal_size(oci_journal *j, uint64_t *bytes, oc_error *err);

/* ---- TensorBoard (board.c, board_pictures.c)
 * ---------------------------------------------------------------------------- */

/* A record of the run in event files, never an input to it. */
typedef struct oci_board {
    oc_events *events; /* NULL = nothing is written */
    /* Since the last point of the curves: */
    double loss; /* over the images */
    uint64_t correct, images;
    oc_train_times times; /* of the meter, then */
} oci_board;

/* ---- what the run waits for (bottleneck.c) -----------------------------------------------------
 */

typedef enum oci_bottleneck { OCI_ON_COMPUTE, OCI_ON_DECODE, OCI_ON_DISK } oci_bottleneck;
const char *oci_bottleneck_name(oci_bottleneck kind); /* "compute", "decode", "disk" */
oc_loader_use oci_use_since(const oc_loader_use *now, const oc_loader_use *then);
/* From the times of an epoch or a run, and what the loader did in it. */
oci_bottleneck oci_bottleneck_of(const oc_train_times *times, const oc_loader_use *use);

/* ---- the session (session.c)
 * --------------------------------------------------------------------------- */

typedef struct oci_session {
    const oc_train_options *options; /* borrowed */
    oci_meter meter;
    oci_settings settings;
    uint64_t feature_budget; /* bytes that cached features may take */
    oci_material data;
    oci_origin origin;
    oc_model *model;     /* what the folder will hold; its weights are the best epoch's. The graph
                            in it is the one that is trained */
    const char *arch;    /* the network that is trained; NULL = unknown to the zoo. The model's is
                            what is left without auxiliary heads */
    oc_tensors *weights; /* current, every parameter; refreshed by oci_stage_export. While a stage
                            is open, large ones are views of its plan's memory */
    oc_tensors *slot[2]; /* optimiser state, as read from or about to go to a checkpoint */
    bool slots_read;     /* slot holds what a checkpoint held: the stage is to import it */
    oc_safetensors *read[2]; /* a checkpoint's weights and slots, while views of them are in use */
    uint64_t memory_budget;  /* bytes that the run may take; 0 = unknown */
    uint64_t logit_budget;   /* bytes of validation logits that are kept for calibration */
    uint64_t best_budget;    /* bytes of best weights that are kept in memory; more are on disk */
    oc_dist *dist;
    oci_position position;
    oci_journal journal;
    oci_board board;
    uint32_t *examples;     /* (classes) photos of the validation set that stand for the classes, or
                               OCI_NO_EXAMPLE; NULL = none chosen */
    int lock;               /* of the folder; -1 = none */
    uint64_t generation;    /* of the checkpoint on disk; 0 = none */
    int best_on_disk;       /* epoch whose weights checkpoint/best-N.safetensors holds */
    int best_saved;         /* epoch whose weights the model folder holds; -1 = none of this run */
    uint64_t snapshot;      /* position.total of the last checkpoint that this run wrote */
    double last_checkpoint; /* oc_clock_seconds */
    double earlier_seconds; /* spent by the runs that this one continues */
    oc_loader_use use;      /* of all training feeds so far */
    bool resumed, stopped;
} oci_session;

/* After an epoch in which the network waited: for what, and what would help; unless that was `told`
 * before. */
void oci_bottleneck_tell(const oci_session *s, const oc_train_times *times,
                         const oc_loader_use *use, oci_bottleneck *told);
/* At the end of a run: where its time went. */
void oci_bottleneck_sum_up(const oci_session *s, const oc_train_times *times);

/* Everything up to the first step: options, data, network, folder, checkpoint. All zero, with
 * journal.fd -1, is clearable. */
OC_MUST_CHECK oc_status oci_session_open(oci_session *s, const oc_train_options *options,
                                         const oc_train_observer *observer, oc_error *err);
void oci_session_clear(oci_session *s);
/* Stop asked for, by signal; and by signal or time. What leaves no checkpoint asks the first alone,
 * or a run with a short limit would begin it again and again. */
bool oci_session_interrupted(oci_session *s);
bool oci_session_should_stop(oci_session *s);
const oc_log *oci_session_log(const oci_session *s);
/* src's values into dst, which gets the tensors that it lacks. */
OC_MUST_CHECK oc_status oci_tensors_copy(oc_tensors *dst, const oc_tensors *src, oc_error *err);
uint64_t oci_tensors_bytes(const oc_tensors *set);

/* ---- memory (memory.c)
 * ----------------------------------------------------------------------------------- */

/* Bytes that a run takes. */
typedef struct oci_need {
    uint64_t weights; /* of all plans, with gradients and optimiser state */
    uint64_t values;  /* activations and scratch */
    uint64_t pixels;  /* batches on their way */
    uint64_t kept;    /* copies for checkpoints, the best weights */
    uint64_t room;    /* there is; 0 = unknown */
} oci_need;

/* Once the graph is there, and before any weight is. OC_ELIMIT where it cannot fit, naming the
 * largest batch that would. */
OC_MUST_CHECK oc_status oci_need_measure(oci_need *need, const oci_session *s, oc_error *err);
void oci_need_tell(const oci_need *need, const oci_session *s);

/* ---- the folder (folder.c)
 * ------------------------------------------------------------------------------- */

/* Check that `out` may be written: absent, empty, or a model folder, and another than `from`. */
OC_MUST_CHECK oc_status oci_folder_check(const char *out, const char *from, oc_error *err);
/* Make it and lock it for this run: *lock is to be closed at its end. OC_EUSAGE where another run
 * holds it. */
OC_MUST_CHECK oc_status oci_folder_lock(const char *out, int *lock, oc_error *err);
/* Clear it of a former run's checkpoint and log. */
OC_MUST_CHECK oc_status oci_folder_begin(const char *out, const oc_log *log, oc_error *err);
/* What the origin object of config.json says. */
OC_MUST_CHECK oc_status oci_folder_origin(oci_session *s, oc_error *err);
/* Save the best weights, or the current ones where no epoch has been judged yet. */
OC_MUST_CHECK oc_status oci_folder_save(oci_session *s, oc_error *err);

/* ---- checkpoints (checkpoint.c, state.c)
 * -------------------------------------------------------------------- */

/* The current weights become the best: a copy in s->model, or a file of the checkpoint where they
 * are large. position.best_epoch is theirs already. */
OC_MUST_CHECK oc_status oci_best_keep(oci_session *s, oc_error *err);
/* s->weights and s->slot must be current. */
OC_MUST_CHECK oc_status oci_checkpoint_write(oci_session *s, oc_error *err);
/* *found false when there is none. Fills position, weights, slots, recipe and the best epoch. */
OC_MUST_CHECK oc_status oci_checkpoint_read(oci_session *s, bool *found, oc_error *err);

/* state.json: new reference; and back, with OC_EMISMATCH listing what differs from this run. */
OC_MUST_CHECK oc_status oci_state_json(const oci_session *s, uint64_t generation, json_t **out,
                                       oc_error *err);
OC_MUST_CHECK oc_status oci_state_apply(oci_session *s, const json_t *state, const char *where,
                                        oc_error *err);

/* ---- a stage (stage.c)
 * ----------------------------------------------------------------------------------------- */

typedef struct oci_stage {
    const char *phase; /* "head" or "train" */
    int first, end;    /* epochs [first, end) */
    bool head_only;
    oc_graph *body_graph;   /* head_only: owned */
    oc_graph *rest_graph;   /* head_only: owned */
    const oc_graph *graph;  /* the one that is trained: whole, or rest */
    oc_plan *body;          /* head_only: features of the frozen part */
    oc_plan *train, *judge; /* judge: an inference plan of the same graph */
    size_t feature_width;
    oci_cache train_cache, val_cache;
    oci_feed *train_feed, *val_feed;
    oc_photo_cache *train_photos, *val_photos; /* NULL = none */
    bool photos_told;                          /* that no more are kept */
    oc_loader_use used;                        /* by train_feed, when the epoch began */
    oci_bottleneck told;
    float *lr_scale, *decay_scale; /* one per parameter of graph */
    float *gathered;               /* sum of gradients of a step's batches so far; NULL where a step
                                      has one */
    double rate;                   /* of head_lr, head_only */
    oci_schedule schedule;
    size_t steps; /* in an epoch; of iterations, the last may have fewer (oci_stage_steps) */
} oci_stage;
/* Steps of the epoch that the position is in. */
size_t oci_stage_steps(const oci_stage *stage, const oci_session *s);

/* All zero is clearable. Where a stop is asked for meanwhile, s->stopped is set and the stage is
 * not complete. */
OC_MUST_CHECK oc_status oci_stage_open(oci_stage *stage, oci_session *s, int first, int end,
                                       bool head_only, oc_error *err);
void oci_stage_clear(oci_stage *stage);
/* Before it is cleared: weights that others go on with become the session's own. */
OC_MUST_CHECK oc_status oci_stage_leave(const oci_stage *stage, oci_session *s, oc_error *err);
/* The plan's weights into s->weights; and the optimiser's state into s->slot. */
OC_MUST_CHECK oc_status oci_stage_export(oci_stage *stage, oci_session *s, oc_error *err);
OC_MUST_CHECK oc_status oci_stage_export_slots(oci_stage *stage, oci_session *s, oc_error *err);
int oci_slots_of(oc_optimizer optimizer); /* how many an optimiser keeps */
/* One for each parameter of the whole network, false = fixed by a rate of 0; *out NULL where none
 * is. The caller frees it. */
OC_MUST_CHECK oc_status oci_trained_of(bool **out, const oci_session *s, oc_error *err);
/* Sets rate; of a run that goes on, to what it was. (rate.c) */
OC_MUST_CHECK oc_status oci_stage_slow_down(oci_stage *stage, oci_session *s, oc_error *err);
/* Fill both caches of a head-only stage; false in *cached where they do not fit. */
OC_MUST_CHECK oc_status oci_features_cache(oci_stage *stage, oci_session *s, bool *cached,
                                           oc_error *err);
/* Loader options for `items`, without augmentation. */
oc_loader_options oci_stage_loader(const oci_session *s, bool val);

/* ---- decoded photos (photos.c) -----------------------------------------------------------------
 */

/* Make both caches where --cache asks for them, and tell what they take; `augment` is that of the
 * training feed. */
OC_MUST_CHECK oc_status oci_photos_open(oci_stage *stage, oci_session *s, const oc_augment *augment,
                                        oc_error *err);
void oci_photos_close(oci_stage *stage);
/* Warn once where no more can be kept. */
void oci_photos_tell(oci_stage *stage, const oci_session *s);
/* Remove the files of a finished run. */
void oci_photos_remove(const oci_session *s);

/* Where the run is to be recorded: open a file for it, behind those of the run that it continues or
 * in the place of a former one's. */
OC_MUST_CHECK oc_status oci_board_open(oci_session *s, oc_error *err);
void oci_board_close(oci_session *s);
/* After each step: a point of each curve now and then; histograms where they are asked for. */
OC_MUST_CHECK oc_status oci_board_step(const oci_stage *stage, oci_session *s, double lr,
                                       const oc_result *result, oc_error *err);
OC_MUST_CHECK oc_status oci_board_epoch(oci_session *s, const oc_epoch_summary *summary,
                                        oc_error *err);
OC_MUST_CHECK oc_status oci_board_finish(oci_session *s, oc_error *err);

/* What validation has seen of the best epoch so far. */
typedef struct oci_judged {
    const uint32_t *confusion; /* (classes, classes) row = truth; NULL = too many */
    const float *logits;       /* (count, classes) of all held-out photos, or a sample */
    const int32_t *truth;      /* (count) */
    const uint32_t *item;      /* (count) in the validation set */
    size_t count, classes;
} oci_judged;
/* The confusion matrix and some mistakes. */
OC_MUST_CHECK oc_status oci_board_pictures(oci_session *s, const oci_judged *judged, oc_error *err);

/* ---- examples (examples.c) ----------------------------------------------------------------------
 */

#define OCI_NO_EXAMPLE UINT32_MAX
/* The photos that stand for the classes, from what validation has seen of the best epoch. */
OC_MUST_CHECK oc_status oci_examples_choose(oci_session *s, const oci_judged *judged,
                                            oc_error *err);
/* The choice as a checkpoint keeps it: new reference; and back. */
json_t *oci_examples_json(const oci_session *s);
OC_MUST_CHECK oc_status oci_examples_apply(oci_session *s, const json_t *array, oc_error *err);
/* At the end of a run: the folder of their thumbnails, or none where none is wanted. */
OC_MUST_CHECK oc_status oci_examples_write(const oci_session *s, oc_error *err);

/* ---- judging (judge.c)
 * -------------------------------------------------------------------------------------------- */

/* Validate s->weights. When they are the best so far: temperature, metrics and s->model's weights
 * follow, and *best is set. summary gets the numbers. On a stop s->stopped is set and nothing else
 * changes. */
OC_MUST_CHECK oc_status oci_judge_epoch(oci_stage *stage, oci_session *s, oc_epoch_summary *summary,
                                        oc_error *err);

/* ---- the loop (loop.c)
 * --------------------------------------------------------------------------------------------- */

/* Train all epochs of the stage that are left. */
OC_MUST_CHECK oc_status oci_loop_run(oci_stage *stage, oci_session *s, oc_error *err);

#endif
