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
 * subtracted. Nodes are called like their layers, of the old form or the new. OC_EUNSUPPORTED lists
 * the layers that have no counterpart; OC_EMISMATCH the weights that do not fit; OC_EFORMAT,
 * OC_ELIMIT name file and place. */
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

#endif
