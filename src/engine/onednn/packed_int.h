/* What packed.c asks of its inner loops (packed_loops.h): shapes and jobs, which know neither
 * graphs nor plans.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_PACKED_INT_H
#define OC_ENGINE_PACKED_INT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    OCI_PACK_LANES = 8,                                 /* channels of a block of activations */
    OCI_PACK_ROWS = 6,                                  /* results of a channel at a time */
    OCI_PACK_STEP = OCI_PACK_ROWS * OCI_PACK_LANES,     /* floats of a step of a group */
    OCI_PACK_WEIGHTS = OCI_PACK_LANES * OCI_PACK_LANES, /* of a step of a block of results */
    OCI_PACK_MOST_TAPS = 49
};

/* Where a result finds its samples: row r is result r of all images, one after the other. A step is
 * one tap of the kernel in one block of channels; taps come first. */
typedef struct oci_pack_source {
    int h, w, out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    size_t image, plane; /* floats of an image, and of one block of its channels */
} oci_pack_source;

/* Part of a sum over the steps: results of 1 to OCI_PACK_ROWS rows in one or two blocks. */
typedef struct oci_pack_product {
    const float *a;    /* as packed */
    const float *b;    /* (steps, 8, 8): of each channel, what it adds to the block's results */
    size_t b_block;    /* floats to the weights of the second block */
    size_t steps;      /* how many */
    float *to;         /* the first block */
    const size_t *at;  /* of each row, floats from `to` */
    size_t plane;      /* floats from a block to the next */
    const float *bias; /* (blocks, 8) to be added, or NULL */
    bool add;          /* to what is there */
    float low, high;   /* clip */
    int rows, blocks;
} oci_pack_product;

typedef struct oci_packed_loops {
    const char *name;
    /* rows first..first+rows-1, steps step..step+count-1: to (count, 2, OCI_PACK_ROWS, 4), each
     * half of a step's channels for itself, so that the product's addresses are short */
    void (*pack)(const oci_pack_source *s, const float *src, float *to, size_t first, int rows,
                 size_t step, size_t count);
    void (*product)(const oci_pack_product *p);
} oci_packed_loops;

#endif
