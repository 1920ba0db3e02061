/* Two sides of a comparison: a network that is run, or values that another program has recorded.
 * Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_VERIFY_VERIFY_INT_H
#define OC_INTEROP_VERIFY_VERIFY_INT_H

#include "interop/interop.h"

enum { OCI_ANY_OP = -1 };

/* The values of a node, or of a recorded tensor. */
typedef struct oci_values {
    const char *name; /* borrowed */
    int op;           /* oc_op, or OCI_ANY_OP */
    oc_shape shape;   /* of one image */
    size_t volume;    /* of one image */
    float *at;        /* (images at a time, volume); recorded: (images, volume) */
} oci_values;

/* All zero is clearable. */
typedef struct oci_side {
    oci_values *nodes;
    size_t count, output;
    bool ordered;          /* nodes are in the order in which they are computed */
    size_t first;          /* recorded: the image that is looked at first */
    const oc_model *model; /* NULL = recorded */
    oc_graph *graph;       /* the part of the model's that the output depends on */
    oc_plan *plan;         /* tells every node; NULL = a plan is made for each */
    const char *engine;
    int threads, batch, height, width;
    float *pixels; /* (batch, c, h, w) what the network is given */
} oci_side;

/* A network of the model, for `batch` images of the size at a time. "ref" tells every node as it
 * goes; another engine is asked for each node by a network that ends there, so that nothing stays
 * hidden in what it has fused. */
OC_MUST_CHECK oc_status oci_side_model(oci_side *side, const oc_model *model, const char *engine,
                                       int threads, int height, int width, int batch,
                                       oc_error *err);
/* "input", "output" and whatever else the file has, checked; *images gets their number. */
OC_MUST_CHECK oc_status oci_side_recorded(oci_side *side, const oc_safetensors *file,
                                          const char *where, size_t *images, oc_error *err);
/* The values of the first n images of side->pixels. Recorded: nothing to do. */
OC_MUST_CHECK oc_status oci_side_run(oci_side *side, int n, oc_error *err);
const float *oci_side_values(const oci_side *side, size_t node, size_t image);
void oci_side_clear(oci_side *side);

/* The values of one image that a network of this size has. */
OC_MUST_CHECK oc_status oci_side_volume(const oc_model *model, int height, int width, size_t *out,
                                        oc_error *err);

/* Same dimensions but for ones. */
bool oci_same_shape(const oc_shape *a, const oc_shape *b);
/* counterpart[i] := the node of `theirs` that belongs to node i of `ours`, or -1; kind[i] says how
 * it was found. */
OC_MUST_CHECK oc_status oci_pair_up(const oci_side *ours, const oci_side *theirs, int *counterpart,
                                    oc_found *kind, oc_error *err);

/* A made-up photo, the same for the same number: a file's bytes behind what `out` holds. */
OC_MUST_CHECK oc_status oci_golden_photo(uint32_t number, oc_buf *out, oc_error *err);

#endif
