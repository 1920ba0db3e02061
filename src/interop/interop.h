/* The face of `interop`: other people's networks, weights and logs, in and out.
 *
 * What comes in becomes an oc_model like any other: a graph, weights, classes, a recipe; from there
 * on nobody asks where it came from. All files read here are hostile: lengths are checked before
 * use, nesting is bounded, nothing is executed, errors name the file and the place in it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_H
#define OC_INTEROP_H

#include "model/model.h"
#include "zoo/zoo.h"

/* ---- files of weights -------------------------------------------------------------------------
 */

/* A file of named tensors of any kind that is known, told by its content: safetensors, PyTorch's
 * zip (.pth, .pt), Keras' HDF5 (.h5, .weights.h5; "LAYER/kernel", "LAYER/gamma" and so on; needs
 * libhdf5) and its archive of that (.keras). Tensors are views into the mapped file where they lie
 * there as rows, at any alignment. Nothing in a file is executed: what asks for it is refused by
 * name (OC_EUNSUPPORTED). */
typedef struct oc_weights_file oc_weights_file;
OC_MUST_CHECK oc_status oc_weights_file_open(oc_weights_file **out, const char *path,
                                             oc_error *err);
/* The same from memory, which must outlive it (for tests and fuzzing). */
OC_MUST_CHECK oc_status oc_weights_file_parse(oc_weights_file **out, const void *bytes, size_t size,
                                              const char *where, oc_error *err);
void oc_weights_file_close(oc_weights_file *file);
const oc_tensors *oc_weights_file_tensors(const oc_weights_file *file);
const char *oc_weights_file_kind(const oc_weights_file *file); /* "safetensors", "PyTorch", ... */

/* ---- the zoo's networks under other people's names ----------------------------------------------
 */

/* Who named the layers. X(name, word) */
#define OC_NAMING_MAP(X)                                                                           \
    X(OC_NAMING_TORCHVISION, "torchvision") /* ours; Caffe's for nets that torchvision lacks */    \
    X(OC_NAMING_TIMM, "timm")                                                                      \
    X(OC_NAMING_KERAS, "keras")                                                                    \
    X(OC_NAMING_OLD_KERAS, "keras before 2.3")
typedef enum oc_naming {
#define OC_NAMING_ENUM(name, word) name,
    OC_NAMING_MAP(OC_NAMING_ENUM)
#undef OC_NAMING_ENUM
        OC_NAMING_COUNT
} oc_naming;
const char *oc_naming_name(oc_naming naming);

typedef struct oc_pretrained_options {
    const char *arch;   /* the network; NULL = judged by names and shapes */
    const char *prefix; /* taken off the names, and tensors without it left out; NULL = none.
                           "module.", "model.", "backbone.", "_orig_mod." go by themselves */
} oc_pretrained_options;

/* Weights of a network of the zoo, from a file of any kind and under any naming. */
typedef struct oc_pretrained oc_pretrained;
/* OC_EUNSUPPORTED where the network is not given and cannot be told, naming the nearest. */
OC_MUST_CHECK oc_status oc_pretrained_open(oc_pretrained **out, const char *path,
                                           const oc_pretrained_options *options, oc_error *err);
void oc_pretrained_free(oc_pretrained *p);
const oc_arch *oc_pretrained_arch(const oc_pretrained *p);
oc_naming oc_pretrained_naming(const oc_pretrained *p);
const char *oc_pretrained_kind(const oc_pretrained *p); /* of the file */
/* Under our names and in our layout. Borrowed. */
const oc_tensors *oc_pretrained_tensors(const oc_pretrained *p);
int oc_pretrained_classes(const oc_pretrained *p); /* outputs of its head; 0 = it has none */
/* The network as its authors built it, where that is not quite ours: Keras pads at the lower right
 * and has other epsilons, timm and Keras cut MobileNet's activations at 6. Else as oc_arch_build.
 */
OC_MUST_CHECK oc_status oc_pretrained_build(const oc_pretrained *p, oc_graph **out, int channels,
                                            int classes, int height, int width, oc_error *err);
/* How its authors prepare photos. */
oc_recipe oc_pretrained_recipe(const oc_pretrained *p, int width, int height);

/* X(name, word): a parameter of the network, or a tensor of the file that none is made of. */
#define OC_MATCH_MAP(X)                                                                            \
    X(OC_MATCH_TAKEN, "matched")                                                                   \
    X(OC_MATCH_SHAPE, "shape differs")                                                             \
    X(OC_MATCH_MISSING, "missing")                                                                 \
    X(OC_MATCH_UNUSED, "unused")
typedef enum oc_match {
#define OC_MATCH_ENUM(name, word) name,
    OC_MATCH_MAP(OC_MATCH_ENUM)
#undef OC_MATCH_ENUM
        OC_MATCH_COUNT
} oc_match;
const char *oc_match_name(oc_match match);

typedef struct oc_match_line {
    oc_match match;
    const char *name;            /* of the parameter; NULL where unused */
    const char *source;          /* in the file; NULL where missing */
    const oc_shape *want, *have; /* of the parameter; of the tensor in our layout. NULL = none */
} oc_match_line;

/* A line a parameter in the order of the graph, then one a tensor that is not used. Borrows from
 * graph and weights. All zero is clearable. */
typedef struct oc_match_report {
    oc_match_line *lines;
    size_t count;
    size_t of[OC_MATCH_COUNT]; /* how many there are of each */
} oc_match_report;
OC_MUST_CHECK oc_status oc_match_report_make(oc_match_report *out, const oc_graph *graph,
                                             const oc_pretrained *p, oc_error *err);
void oc_match_report_clear(oc_match_report *report);

/* Graph's weights under the names of `naming`, as views or copies in its layout: for writing.
 * OC_EUNSUPPORTED for a naming that has no names for this network, or none that we write; and for a
 * network that is built otherwise than the one of that name. */
OC_MUST_CHECK oc_status oc_naming_apply(oc_tensors **out, const oc_graph *graph,
                                        const oc_tensors *weights, const char *arch,
                                        oc_naming naming, oc_error *err);
/* F32 tensors of src as F16 or BF16, to the nearest, ties to even; others as views. OC_ENUMERIC for
 * a number beyond F16. */
OC_MUST_CHECK oc_status oc_tensors_round(oc_tensors **out, const oc_tensors *src, oc_dtype dtype,
                                         oc_error *err);

/* ---- Caffe's solver ---------------------------------------------------------------------------
 */

/* How the rate falls over the iterations: SGDSolver::GetLearningRate. X(name, lr_policy) */
#define OC_CAFFE_POLICY_MAP(X)                                                                     \
    X(OC_CAFFE_FIXED, "fixed")                                                                     \
    X(OC_CAFFE_STEP, "step")                                                                       \
    X(OC_CAFFE_EXP, "exp")                                                                         \
    X(OC_CAFFE_INV, "inv")                                                                         \
    X(OC_CAFFE_MULTISTEP, "multistep")                                                             \
    X(OC_CAFFE_POLY, "poly")                                                                       \
    X(OC_CAFFE_SIGMOID, "sigmoid")
typedef enum oc_caffe_policy {
#define OC_CAFFE_POLICY_ENUM(name, word) name,
    OC_CAFFE_POLICY_MAP(OC_CAFFE_POLICY_ENUM)
#undef OC_CAFFE_POLICY_ENUM
        OC_CAFFE_POLICY_COUNT
} oc_caffe_policy;

/* A data layer: ImageData (a list `path label`) or Data (an LMDB). */
typedef struct oc_caffe_photos {
    const char *source; /* the list, or the folder of the LMDB; NULL = there is none */
    const char *root;   /* before each path of the list; "" = nothing */
    bool is_lmdb;
    int batch;
} oc_caffe_photos;

/* A solver.prototxt with the net that it names: all that a training run needs, and nothing of how
 * it is run. Texts are owned by it. */
typedef struct oc_caffe_solver {
    oc_optimizer optimizer;
    bool nesterov;
    double base_lr, momentum, momentum2, rms_decay, delta, weight_decay;
    bool l1;     /* the decay is of the absolute values */
    double clip; /* norm of the gradients of a batch; 0 = off */
    oc_caffe_policy policy;
    double gamma, power; /* 0 = not given, as the next ones */
    int stepsize;
    const double *stepvalues;
    size_t stepvalue_count;
    int max_iter, test_interval, snapshot, iter_size;
    int64_t seed; /* below 0 = none */
    oc_caffe_photos train, test;
    oc_recipe recipe;    /* of both phases: resize, crop in the centre, mean, scale, BGR */
    oc_augment vary;     /* what the training phase adds: mirror, crops anywhere */
    const char *weights; /* of the solver itself, to begin with; NULL = none */
    /* from oc_caffe_solver_net on: */
    oc_model *model;                     /* graph, weights, recipe, classes */
    const float *lr_scale, *decay_scale; /* one per parameter of the graph: lr_mult, decay_mult */
    bool freeze_stats;                   /* use_global_stats */
    const struct oci_proto *net;         /* private, as the pool */
    oc_pool *pool;
} oc_caffe_solver;

/* Paths in it are looked for as they stand, then below the solver's folder. OC_EFORMAT for text
 * that is none, and OC_EUNSUPPORTED for what is not done here, with file and line; OC_ENOTFOUND. */
OC_MUST_CHECK oc_status oc_caffe_solver_read(oc_caffe_solver **out, const char *path,
                                             const oc_log *log, oc_error *err);
/* Its net, once: the graph of the training phase; weights of the .caffemodel `weights` (NULL = the
 * solver's own, or none) by the layers' names, others by their fillers and the seed; classes called
 * by the lines of `names`, or by their numbers. What may be wrong with a net or its weights is told
 * as `import` tells it. */
OC_MUST_CHECK oc_status oc_caffe_solver_net(oc_caffe_solver *solver, const char *weights,
                                            const char *names, uint64_t seed, const oc_log *log,
                                            oc_error *err);
void oc_caffe_solver_free(oc_caffe_solver *solver);

/* ---- class names ------------------------------------------------------------------------------
 */

/* A line a class, in the order of the network's outputs: "tench", or a synset and names for people,
 * "n01440764 tench, Tinca tinca" (then the synset is the label and the outside id). A name that
 * comes again gets its line's number behind it. OC_EFORMAT for an empty file, a line that is no
 * text or too long. */
OC_MUST_CHECK oc_status oc_labels_read(oc_classes *out, const char *path, oc_error *err);
/* "0", "1", ...: for a network whose outputs nobody has named. */
OC_MUST_CHECK oc_status oc_labels_numbered(oc_classes *out, size_t count, oc_error *err);

/* ---- Caffe -------------------------------------------------------------------------------------
 */

typedef struct oc_caffe_files {
    const char *net;       /* deploy.prototxt; also a train_val.prototxt, as it tests */
    const char *weights;   /* .caffemodel */
    const char *mean_file; /* .binaryproto, or NULL: then mean, in the network's order */
    float mean[3];
    bool has_mean;     /* mean holds something */
    bool rgb;          /* the network's order; Caffe's own is BGR */
    int width, height; /* of the input; 0 = as the net says */
} oc_caffe_files;

/* Graph, weights and recipe of a Caffe classifier into an empty model: pixels 0..255, BGR, the mean
 * subtracted. Large weights are views of the mapped file at any alignment, good for saving the
 * model; oc_tensors_own makes them fit for a plan. Nodes are called like their layers, of the old
 * form or the new. OC_EUNSUPPORTED lists the layers that have no counterpart; OC_EMISMATCH the
 * weights that do not fit; OC_EFORMAT, OC_ELIMIT name file and place. */
OC_MUST_CHECK oc_status oc_caffe_import(oc_model *model, const oc_caffe_files *files,
                                        const oc_log *log, oc_error *err);

/* ---- TensorBoard ------------------------------------------------------------------------------
 */

/* A file of records that TensorBoard reads (docs/03-interop.md). Each call below writes its records
 * to the file at once; scalars take no memory once the first have been written. One thread. */
typedef struct oc_events oc_events;
/* Begin a new file in `folder`, whose name sorts behind those that are there. `from` > 0: it goes
 * on with a run, and what earlier files say of step `from` and later ones is void. */
OC_MUST_CHECK oc_status oc_events_open(oc_events **out, const char *folder, uint64_t from,
                                       oc_error *err);
void oc_events_close(oc_events *e);
/* All event files of the folder: those of a run that a new one replaces. */
OC_MUST_CHECK oc_status oc_events_remove(const char *folder, oc_error *err);

typedef struct oc_scalar {
    const char *tag; /* "loss/train": what stands before the slash is the page's group */
    double value;
} oc_scalar;
OC_MUST_CHECK oc_status oc_events_scalars(oc_events *e, uint64_t step, const oc_scalar *scalars,
                                          size_t count, oc_error *err);
/* Of `count` values; those that are not finite are left out. */
OC_MUST_CHECK oc_status oc_events_histogram(oc_events *e, uint64_t step, const char *tag,
                                            const float *values, size_t count, oc_error *err);
/* As a PNG; or with `quality` 1..100 as a JPEG, for photos. */
OC_MUST_CHECK oc_status oc_events_image(oc_events *e, uint64_t step, const char *tag,
                                        const oc_image *img, int quality, oc_error *err);
/* The settings of the run, for the HPARAMS page: an object's texts, numbers and truth values; what
 * else it has is left out; and the tags of the scalars that runs are compared by. Then, at its end,
 * that it went well. */
OC_MUST_CHECK oc_status oc_events_hparams(oc_events *e, const json_t *values,
                                          const char *const *metrics, size_t count, oc_error *err);
OC_MUST_CHECK oc_status oc_events_success(oc_events *e, oc_error *err);

/* A picture of the (classes, classes) counts, row = truth, with the classes' names: of all up to 50
 * classes, else of the 40 that are most often part of a mistake. */
OC_MUST_CHECK oc_status oc_confusion_draw(oc_image *out, const uint32_t *counts,
                                          const oc_classes *classes, oc_error *err);

/* ---- ONNX --------------------------------------------------------------------------------------
 */

typedef struct oc_onnx_options {
    bool external_data; /* values go to PATH.data; they do above 2 GB in any case */
    bool preprocess;    /* the graph takes bytes (n, height, width, channels), RGB, of the recipe's
                           size and does the rest of the recipe */
    bool softmax;       /* a second output, "probabilities": softmax of the logits over the model's
                           temperature */
} oc_onnx_options;

/* The model's network for inference at its recipe's size, batches of any size: opset 15. The input
 * has the input node's name, the output is "logits" (n, classes); other values and initializers
 * have our names. Recipe, temperature and classes stand in the metadata. options NULL = none. */
OC_MUST_CHECK oc_status oc_onnx_export(const oc_model *model, const char *path,
                                       const oc_onnx_options *options, oc_error *err);

/* The classifier in an ONNX file into an empty model: graph, weights, and as far as the file tells
 * recipe (a recipe of no width else), classes, temperature. side: of an input that the file leaves
 * open; 0 = 224. Softmax at the end is taken off, what a recipe can hold at the front becomes one.
 * OC_EUNSUPPORTED tells every kind of node that we cannot represent with the first of each, and log
 * (NULL = nobody) has all of them; OC_EFORMAT, OC_ELIMIT, OC_EMISMATCH. */
OC_MUST_CHECK oc_status oc_onnx_import(oc_model *model, const char *path, int side,
                                       const oc_log *log, oc_error *err);
/* The same from memory. folder: where values outside the file may lie; NULL = nowhere. */
OC_MUST_CHECK oc_status oc_onnx_parse(oc_model *model, const void *bytes, size_t size,
                                      const char *where, const char *folder, int side,
                                      const oc_log *log, oc_error *err);

/* ---- verify -----------------------------------------------------------------------------------
 */

/* How a node found the one that it is compared with. */
typedef enum oc_found {
    OC_FOUND_NONE,
    OC_FOUND_NAME,
    OC_FOUND_ORDER, /* by order and shape, among those whose names have no match */
    OC_FOUND_SHAPE  /* by name, but of another shape: it differs, without a measure */
} oc_found;

typedef struct oc_verify_row {
    const char *name, *op;       /* of our node */
    const char *theirs;          /* name on the other side; NULL = none */
    oc_shape shape, their_shape; /* of one image */
    oc_found match;
    double
        difference; /* the largest over all images and values; infinite where there is no number */
    double largest; /* value of the other side, without its sign */
} oc_verify_row;
double oc_verify_share(const oc_verify_row *row); /* difference / largest; 0 where none differs */

/* All zero is clearable. */
typedef struct oc_verification {
    oc_verify_row *rows; /* (count) a node each, in order */
    size_t count, their_count;
    oc_verify_row output; /* of both, whatever their names */
    int first;            /* row that is beyond the tolerance, or -1 */
    size_t images, same_class;
    bool agrees; /* the outputs are within the tolerance */
    char *names; /* storage */
} oc_verification;

typedef struct oc_verify_options {
    const char *engine; /* of the model's side; NULL = "ref", which the other side always runs on */
    int threads;        /* 0 = all */
    const char *const *photos; /* files; NULL = two made-up ones */
    size_t photo_count;
    double tolerance; /* of the share */
} oc_verify_options;

/* Run both on the same photos, each prepared by its own recipe. OC_EMISMATCH where the outputs have
 * another shape. A difference is no failure. */
OC_MUST_CHECK oc_status oc_verify_models(oc_verification *out, const oc_model *model,
                                         const oc_model *other, const oc_verify_options *options,
                                         oc_error *err);
/* The same against values recorded elsewhere: tensors "input" (n, c, h, w), which the model gets as
 * it is, "output" (n, ...) and layers (n, ...) under their names, in the order of the lines of
 * metadata "order", without which names alone count. OC_EFORMAT, OC_EMISMATCH and OC_ENUMERIC name
 * the file and the tensor. */
OC_MUST_CHECK oc_status oc_verify_recorded(oc_verification *out, const oc_model *model,
                                           const oc_safetensors *file, const char *where,
                                           const oc_verify_options *options, oc_error *err);
void oc_verification_clear(oc_verification *v);

#endif
