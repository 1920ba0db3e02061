/* Between pool.c, which knows values and threads, and the inner loops of max pools, which know
 * neither.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_POOL_INT_H
#define OC_ENGINE_POOL_INT_H

#include <stddef.h>
#include <stdint.h>

/* Which value of its window was the largest: row * kernel width + column. */
typedef uint16_t oci_tap;

/* A plane of one block of channels, pixels of `lanes` floats (8 or 16), and the windows over it. */
typedef struct oci_pool_plane {
    int in_h, in_w, out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int lanes;
} oci_pool_plane;

typedef struct oci_pool_loops {
    /* to: the largest of each window, taps (NULL: not wanted) where it was, the first of equals. A
     * NaN is larger than all. */
    void (*largest)(const oci_pool_plane *p, const float *from, float *to, oci_tap *taps);
    /* from: the gradient of the results. to: that of the plane. */
    void (*to_winners)(const oci_pool_plane *p, const float *from, const oci_tap *taps, float *to);
} oci_pool_loops;

#endif
