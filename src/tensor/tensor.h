/* The face of `tensor`: element types, shapes, views, and a named set of tensors (what a weights
 * file holds). No maths.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TENSOR_H
#define OC_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* X(name, bytes, safetensors' word) */
#define OC_DTYPE_MAP(X)                                                                            \
    X(OC_F32, 4, "F32")                                                                            \
    X(OC_F64, 8, "F64")                                                                            \
    X(OC_F16, 2, "F16")                                                                            \
    X(OC_BF16, 2, "BF16")                                                                          \
    X(OC_I64, 8, "I64")                                                                            \
    X(OC_I32, 4, "I32")                                                                            \
    X(OC_I16, 2, "I16")                                                                            \
    X(OC_I8, 1, "I8")                                                                              \
    X(OC_U8, 1, "U8")                                                                              \
    X(OC_BOOL, 1, "BOOL")

typedef enum oc_dtype {
#define OC_DTYPE_ENUM(name, bytes, word) name,
    OC_DTYPE_MAP(OC_DTYPE_ENUM)
#undef OC_DTYPE_ENUM
        OC_DTYPE_COUNT
} oc_dtype;

size_t oc_dtype_bytes(oc_dtype dtype);
const char *oc_dtype_name(oc_dtype dtype); /* safetensors' word */
bool oc_dtype_parse(const char *word, oc_dtype *out);

enum { OC_MAX_RANK = 6, OC_SHAPE_TEXT = 96 };

typedef struct oc_shape {
    int rank;                 /* 0..OC_MAX_RANK; rank 0 is a scalar */
    int64_t dim[OC_MAX_RANK]; /* outermost first */
} oc_shape;

oc_shape oc_shape_1d(int64_t a);
oc_shape oc_shape_2d(int64_t a, int64_t b);
oc_shape oc_shape_4d(int64_t n, int64_t c, int64_t h, int64_t w);
bool oc_shape_equal(const oc_shape *a, const oc_shape *b);
/* Elements; false when a dimension is negative or the product overflows size_t. */
bool oc_shape_count(const oc_shape *shape, size_t *out);
char *oc_shape_text(char storage[OC_SHAPE_TEXT], const oc_shape *shape); /* "64x3x3x3" */

/* A dense row-major view; who owns data is said where the view is handed out. */
typedef struct oc_tensor {
    oc_dtype dtype;
    oc_shape shape;
    void *data;
} oc_tensor;

size_t oc_tensor_count(const oc_tensor *t); /* elements of a valid tensor */
size_t oc_tensor_bytes(const oc_tensor *t);

/* Convert `count` elements of F32, F64, F16 or BF16 at src (any alignment) to float. */
OC_MUST_CHECK oc_status oc_tensor_to_f32(float *dst, const void *src, oc_dtype dtype, size_t count,
                                         oc_error *err);

/* A named set, in insertion order, found by hash. It owns names and, for tensors made by `_add`,
 * the data; tensors made by `_add_view` borrow theirs (from a mapped file that outlives the set).
 * Not synchronised: build on one thread, then read from any. */
typedef struct oc_tensors oc_tensors;
OC_MUST_CHECK oc_status oc_tensors_new(oc_tensors **out, oc_error *err);
void oc_tensors_free(oc_tensors *set);
/* Zeroed, cache-line aligned. OC_EFORMAT when the name is taken. *out (may be NULL) is borrowed and
 * stays valid as long as the set. */
OC_MUST_CHECK oc_status oc_tensors_add(oc_tensors *set, const char *name, oc_dtype dtype,
                                       const oc_shape *shape, oc_tensor **out, oc_error *err);
OC_MUST_CHECK oc_status oc_tensors_add_view(oc_tensors *set, const char *name,
                                            const oc_tensor *view, oc_error *err);
/* Tensor `name` of the set (OC_ENOTFOUND) becomes a view of `data`, which outlives it; memory of
 * its own is freed. */
OC_MUST_CHECK oc_status oc_tensors_point(oc_tensors *set, const char *name, void *data,
                                         oc_error *err);
bool oc_tensors_all_owned(const oc_tensors *set); /* holds no view */
/* Every view becomes a copy that the set owns. */
OC_MUST_CHECK oc_status oc_tensors_own(oc_tensors *set, oc_error *err);
size_t oc_tensors_count(const oc_tensors *set);
const char *oc_tensors_name(const oc_tensors *set, size_t i);
oc_tensor *oc_tensors_at(const oc_tensors *set, size_t i);
oc_tensor *oc_tensors_find(const oc_tensors *set, const char *name); /* NULL when absent */

#endif
