/* The face of `model`: a folder that holds everything needed to use, judge and continue a network,
 * and the weights files it is made of.
 *
 *   config.json  classes, recipe, calibration, origin    graph.json  the network, node by node
 *   model.safetensors  weights under torchvision's names    README.md  the card
 *   examples/  a thumbnail for each class
 *   seen.u64  prints of the photos it was trained on, little-endian, ascending
 *
 * Everything read here is hostile: sizes are budgeted, every offset checked before use, errors name
 * file and key.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_MODEL_H
#define OC_MODEL_H

#include "data/data.h"
#include "engine/engine.h"

/* ---- safetensors --------------------------------------------------------------------------------
 */

/* https://github.com/huggingface/safetensors, the format: u64 header size, JSON header, raw
 * little-endian data. Header at most 100 MB; overlaps, holes, out-of-range offsets, duplicate keys
 * and shape products that overflow are OC_EFORMAT. The file stays mapped as long as the handle. */
typedef struct oc_safetensors oc_safetensors;
OC_MUST_CHECK oc_status oc_safetensors_open(oc_safetensors **out, const char *path, oc_error *err);
/* The same from memory, which must outlive the handle (for tests and fuzzing). */
OC_MUST_CHECK oc_status oc_safetensors_parse(oc_safetensors **out, const void *bytes, size_t size,
                                             const char *where, oc_error *err);
void oc_safetensors_close(oc_safetensors *st);
/* Views into the file; alignment is not promised: read through oc_tensor_to_f32. */
const oc_tensors *oc_safetensors_tensors(const oc_safetensors *st);
/* Value of __metadata__[key], or NULL. */
const char *oc_safetensors_metadata(const oc_safetensors *st, const char *key);
/* Atomic (oc_writer). metadata: NULL, or a JSON object of strings. */
OC_MUST_CHECK oc_status oc_safetensors_write(const char *path, const oc_tensors *set,
                                             const json_t *metadata, oc_error *err);

/* ---- graph.json ---------------------------------------------------------------------------------
 */

OC_MUST_CHECK oc_status oc_graph_to_json(const oc_graph *graph, json_t **out, oc_error *err);
OC_MUST_CHECK oc_status oc_graph_from_json(const json_t *o, const char *where, oc_graph **out,
                                           oc_error *err);

/* ---- the folder
 * ---------------------------------------------------------------------------------- */

typedef struct oc_model {
    oc_graph *graph;
    oc_tensors *weights;  /* F32, every parameter of the graph. Of a loaded model only to be read:
                             large ones are where the file is mapped */
    oc_safetensors *file; /* that they are views of, or NULL */
    oc_map map;           /* or a file of another kind: of an imported model */
    char *weights_path; /* a file that holds the weights, which is saved as a link to it instead of
                           `weights`; or NULL */
    oc_classes classes; /* none: the network was cut below its head */
    oc_recipe recipe;
    double temperature; /* logits are divided by it before softmax; 1 = uncalibrated */
    double threshold;   /* 0..1: an answer whose best probability is lower is "unknown"; 0 = none */
    char *arch;         /* name in the zoo, or NULL */
    json_t *origin;     /* object: options, data digest, seed, version, command, date; or NULL */
    json_t *metrics;    /* last evaluation, or NULL */
    uint64_t *seen; /* prints (oc_item) of the photos it was trained on, ascending; NULL = unknown.
                       Saved with the model, loaded by oc_model_load_seen alone */
    size_t seen_count;
} oc_model;

OC_MUST_CHECK oc_status oc_model_new(oc_model **out,
                                     oc_error *err); /* empty; fields filled by hand */
void oc_model_free(oc_model *model);
/* OC_ENOTFOUND when the folder or a file is missing, OC_EFORMAT, OC_EMISMATCH (weights against
 * graph, classes against head), OC_EUNSUPPORTED for one without classes. */
OC_MUST_CHECK oc_status oc_model_load(oc_model **out, const char *folder, oc_error *err);
/* The same, also of a network that was cut below its head and has no classes: to be looked at, and
 * trained on. */
OC_MUST_CHECK oc_status oc_model_load_body(oc_model **out, const char *folder, oc_error *err);
/* Above so many classes a confusion matrix is for a report, not for a file that every start reads.
 */
enum { OC_MAX_STORED_CONFUSION = 300 };
/* The same of a table of all classes. */
enum { OC_MAX_STORED_CLASSES = 10000 };
/* Each file atomically, weights first, config.json last; README.md is written from what is known.
 * What serves auxiliary losses alone is left out of graph and weights.
 * Without metrics an old metrics.json is removed, for it judged other weights, and examples/ with
 * it; above 300 classes
 * the stored metrics go without the confusion matrix, above 10,000 without the table of classes. */
OC_MUST_CHECK oc_status oc_model_save(const oc_model *model, const char *folder, oc_error *err);
/* Thumbnails, <class number>.jpg, that training puts behind a finished model. */
#define OC_EXAMPLES_FOLDER "examples"
/* Those of folder `from`, where it has any, into that of a model of the same classes. */
OC_MUST_CHECK oc_status oc_model_copy_examples(const oc_model *model, const char *from,
                                               const char *to, oc_error *err);
/* `prints`, in any order, become the model's. */
void oc_model_set_seen(oc_model *model, uint64_t *prints, size_t count);
/* Fill `seen` where the folder has it. */
OC_MUST_CHECK oc_status oc_model_load_seen(oc_model *model, const char *folder, oc_error *err);
bool oc_model_has_seen(const oc_model *model, uint64_t print);
bool oc_model_is_folder(const char *path); /* has a config.json of ours and a model.safetensors */
/* An inference plan of the model at its recipe's size, weights imported: what prediction and
 * evaluation run. engine NULL = best; threads 0 = all. The model must outlive the plan, which reads
 * large weights where they are. */
OC_MUST_CHECK oc_status oc_model_plan(const oc_model *model, const char *engine, int threads,
                                      int batch, oc_plan **out, oc_error *err);
/* The same, with the weights of `share` (oc_plan_options), a plan made of this model. */
OC_MUST_CHECK oc_status oc_model_plan_sharing(const oc_model *model, const char *engine,
                                              int threads, int batch, oc_plan *share, oc_plan **out,
                                              oc_error *err);
/* The same, and with its memory for activations: the two are never at work at the same time
 * (oc_plan_options.in_turns). */
OC_MUST_CHECK oc_status oc_model_plan_in_turns(const oc_model *model, const char *engine,
                                               int threads, int batch, oc_plan *with, oc_plan **out,
                                               oc_error *err);

/* ---- int8
 * -------------------------------------------------------------------------------------------- */

/* How the range of a layer's values is chosen from what it gave on photos. X(name, word) */
#define OC_RANGES_MAP(X)                                                                           \
    X(OC_RANGES_PERCENTILE, "percentile") /* all that was seen but for 1 in 10,000 */              \
    X(OC_RANGES_MINMAX, "minmax")         /* all that was seen */                                  \
    X(OC_RANGES_MSE, "mse")               /* least squared error of rounding and cutting */
typedef enum oc_ranges {
#define OC_RANGES_ENUM(name, word) name,
    OC_RANGES_MAP(OC_RANGES_ENUM)
#undef OC_RANGES_ENUM
        OC_RANGES_COUNT
} oc_ranges;

/* The next photos, (n, c, h, w) by the model's recipe, borrowed until the next call; *n = 0 behind
 * the last. */
typedef oc_status (*oc_photos)(void *ctx, const float **pixels, int *n, oc_error *err);

typedef struct oc_quantize_options {
    const char *engine; /* that runs the photos; NULL = best */
    int threads;        /* 0 = all */
    int batch;          /* photos that oc_photos gives at most; 0 = 8 */
    oc_ranges ranges;
    oc_photos photos;
    void *ctx;
} oc_quantize_options;

/* A model that works on bytes: batch norms folded into the layers before them, int8 weights with a
 * step per output channel everywhere but in the first layer, quantize nodes between the layers with
 * ranges measured on photos. The last layer works on floats. OC_EUNSUPPORTED where there is nothing
 * to gain (no layer between the first and the last) or where the model is quantised already;
 * OC_EDATA without photos. Metrics and the list of seen photos are not taken over. Temperature and
 * threshold are: they were fitted on photos held out by training, which the photos given here need
 * not be, and rounding moves probabilities far less than those photos' number leaves open. */
OC_MUST_CHECK oc_status oc_model_quantize(oc_model **out, const oc_model *model,
                                          const oc_quantize_options *options, oc_error *err);
bool oc_graph_is_int8(const oc_graph *graph); /* has int8 weights or quantize nodes */

/* ---- weights into a graph
 * ------------------------------------------------------------------------ */

/* What oc_weights_fit left out of dst, and of src. */
typedef struct oc_left_out {
    bool new_head;  /* the head: missing, or of another shape */
    size_t new_aux; /* parameters that serve auxiliary losses alone, for the same reason */
    size_t unused;  /* tensors of src that nothing asked for */
} oc_left_out;

/* Copy from `src` (any float dtype) what fits graph's parameters into `dst` as F32. A "module."
 * prefix is forgiven, num_batches_tracked ignored. With `allow_new_head`, parameters of the head
 * (oc_graph_head) and of what serves auxiliary losses alone may be missing or of another shape:
 * they are left out of dst, the layer whole. Any other parameter that is missing, of another shape
 * or not finite is OC_EMISMATCH, and the message lists up to ten; so is a batch norm's variance
 * below zero. fit may be NULL. After a failure dst may hold a part. */
OC_MUST_CHECK oc_status oc_weights_fit(const oc_graph *graph, const oc_tensors *src,
                                       bool allow_new_head, oc_tensors *dst, oc_left_out *fit,
                                       oc_error *err);
/* The same with a head that must fit, and F32 tensors of 16 MiB or more not copied: dst gets views
 * of them, so that src must outlive it. */
OC_MUST_CHECK oc_status oc_weights_lend(const oc_graph *graph, const oc_tensors *src,
                                        oc_tensors *dst, oc_error *err);

#endif
