/* Shapes: made, compared, counted, told.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "tensor/tensor.h"

oc_shape oc_shape_1d(int64_t a) {
    return (oc_shape){.rank = 1, .dim = {a}};
}

oc_shape oc_shape_2d(int64_t a, int64_t b) {
    return (oc_shape){.rank = 2, .dim = {a, b}};
}

oc_shape oc_shape_4d(int64_t n, int64_t c, int64_t h, int64_t w) {
    return (oc_shape){.rank = 4, .dim = {n, c, h, w}};
}

bool oc_shape_equal(const oc_shape *a, const oc_shape *b) {
    bool equal = a->rank == b->rank;
    for (int i = 0; equal && i < a->rank; i++) equal = a->dim[i] == b->dim[i];
    return equal;
}

bool oc_shape_count(const oc_shape *shape, size_t *out) {
    if (shape->rank < 0 || shape->rank > OC_MAX_RANK) return false;
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 0 || !oc_mul_size(count, (size_t)shape->dim[i], &count)) return false;
    }
    *out = count;
    return true;
}

char *oc_shape_text(char storage[OC_SHAPE_TEXT], const oc_shape *shape) {
    (void)snprintf(storage, OC_SHAPE_TEXT, "scalar");
    size_t used = 0;
    for (int i = 0; i < shape->rank && i < OC_MAX_RANK && used < OC_SHAPE_TEXT; i++) {
        int n = snprintf(storage + used, OC_SHAPE_TEXT - used, "%s%" PRId64, i == 0 ? "" : "x",
                         shape->dim[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return storage;
}
