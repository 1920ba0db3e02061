/* The face of `zoo`: networks by name. One file per family; each names its layers as torchvision
 * does, or for nets that it lacks as their published Caffe model does, and travels with the recipe
 * it is trained with.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ZOO_H
#define OC_ZOO_H

#include "nn/nn.h"

/* How the family wants to be trained from scratch, where it differs from the general defaults; all
 * zero = no wishes. Words are those of the command line. */
typedef struct oc_arch_hints {
    const char *optimizer; /* "sgd" */
    float lr, momentum, l2;
    bool renormalise;  /* each layer's gradient divided by its norm */
    bool squash;       /* resize without keeping the aspect ratio, no crop */
    bool measure_mean; /* mean and std measured on the training set, stored in the model */
} oc_arch_hints;

typedef struct oc_arch {
    const char *name;    /* "mobilenet_v2" */
    const char *summary; /* one line with its source (paper) */
    int size;            /* the usual input side */
    int depth;           /* of families that come in several */
    float width;         /* factor on all channels, of families that have one */
    void (*layers)(oc_build *b, const struct oc_arch *arch, int classes); /* for oc_arch_build */
    const char *without_aux; /* of one with auxiliary heads: the name of what is left without them;
                                else NULL */
    oc_arch_hints hints;
} oc_arch;

/* The network for `classes` outputs and height x width inputs of `channels`. The graph is the
 * caller's. OC_EUNSUPPORTED for a size that it cannot take, naming the smallest that it can. */
OC_MUST_CHECK oc_status oc_arch_build(const oc_arch *arch, oc_graph **out, int channels,
                                      int classes, int height, int width, oc_error *err);

/* All of them, in the order of listings; *count entries, static. */
const oc_arch *oc_zoo_all(size_t *count);
/* By its name, case and separators aside, or by one of other catalogues ("inception_v1",
 * "mobilenetv2_050"). OC_ENOTFOUND with a suggestion. Borrowed. */
OC_MUST_CHECK oc_status oc_zoo_find(const char *name, const oc_arch **out, oc_error *err);
/* Whose layers a weights file holds, judged by tensor names and shapes, or NULL. */
const oc_arch *oc_zoo_recognise(const oc_tensors *weights);

#endif
