/* What the kinds of `ocellus import` share: each reads its files into a model; classes and recipe
 * options, saving and telling are common.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_IMPORT_INT_H
#define OC_CLI_IMPORT_INT_H

#include "interop/interop.h"

typedef struct oci_import_flags {
    const char *source; /* the file behind the kind; NULL = none */
    const char *out, *labels, *arch, *prefix, *cut;
    const char *net, *weights;            /* of Caffe */
    const char *mean, *std;               /* as typed */
    int size, resize, fit, filter, order; /* 0 and -1 = not given */
    double unit;                          /* 0 = not given */
    const oc_log *log;
    bool json, report;
    json_t *extra; /* object: what a kind adds to the result of --json */
} oci_import_flags;

/* A kind fills graph and weights, and what its files say of classes, recipe and origin. What they
 * do not say stays empty: no classes; a recipe of no width. */
typedef struct oci_import_kind {
    const char *name;
    const char *needs; /* what stands behind the name in a usage message; NULL = nothing */
    bool reads_mean;   /* --mean is the kind's own to read */
    oc_status (*read)(const oci_import_flags *flags, oc_model *model, oc_error *err);
} oci_import_kind;

/* Where --cut names a layer, the graph ends there. */
OC_MUST_CHECK oc_status oci_import_cut(const oci_import_flags *flags, oc_graph **graph,
                                       oc_error *err);

extern const oci_import_kind oci_import_weights, oci_import_caffe, oci_import_onnx;

#endif
