/* The values of a Python pickle, as torch.save writes one. Private to `interop`.
 *
 * A pickle is a program for a stack machine that may call any function of Python. This machine has
 * no functions: it builds plain values, and knows by name the few constructors that a file of
 * weights needs (pickle_call.c), as shapes of data. Anything else that is called is an error with
 * its name; nothing is ever executed.
 *
 * Values are numbers into one table, so that neither depth nor cycles cost anything. Their count is
 * bounded, and no more than the bytes of the pickle.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_WEIGHTS_PICKLE_INT_H
#define OC_INTEROP_WEIGHTS_PICKLE_INT_H

#include "tensor/tensor.h"

typedef enum oci_py_kind {
    OCI_PY_NONE,
    OCI_PY_BOOL,
    OCI_PY_INT,
    OCI_PY_FLOAT,
    OCI_PY_TEXT, /* bytes, too */
    OCI_PY_TUPLE,
    OCI_PY_LIST, /* sets, too */
    OCI_PY_DICT, /* keys and values in turn */
    OCI_PY_GLOBAL,
    OCI_PY_STORAGE,
    OCI_PY_TENSOR,
    OCI_PY_OTHER /* of no use to us */
} oci_py_kind;

typedef uint32_t oci_py; /* a value's number; 0 = none */

typedef struct oci_py_value {
    oci_py_kind kind;
    uint32_t size; /* of a text in bytes, of a tuple, list or dict in members */
    union {
        int64_t number;   /* bool, int */
        const char *text; /* into the pickle, no NUL at the end; a global's: "module name" */
        struct {          /* members, a chain of cells */
            uint32_t first, last;
        } chain;
        uint32_t index; /* of a storage or tensor in its table */
    } as;
} oci_py_value;

/* A file of raw elements within the archive. */
typedef struct oci_py_storage {
    oc_dtype dtype;
    const char *key; /* its file's name is data/KEY; into the pickle, key_size bytes */
    uint32_t key_size;
    int64_t count; /* elements, as the pickle says */
} oci_py_storage;

/* A view of a storage: element (i, j, ...) is number offset + i*stride[0] + j*stride[1] + ... */
typedef struct oci_py_tensor {
    uint32_t storage; /* in the table of storages */
    int64_t offset;
    oc_shape shape;
    int64_t stride[OC_MAX_RANK];
} oci_py_tensor;

typedef struct oci_py_cell {
    oci_py value;
    uint32_t next; /* 0 = the last */
} oci_py_cell;

typedef struct oci_pickle {
    const char *where; /* the file's name */
    const uint8_t *start, *at, *end;
    oci_py_value *values; /* number 0 is no value */
    size_t value_count, value_room;
    oci_py_cell *cells; /* number 0 is no cell */
    size_t cell_count, cell_room;
    oci_py_storage *storages;
    size_t storage_count, storage_room;
    oci_py_tensor *tensors;
    size_t tensor_count, tensor_room;
    oci_py *stack; /* 0 = a mark */
    size_t depth, stack_room;
    oci_py *memo; /* 0 = nothing there */
    size_t memo_count, memo_room;
    oc_pool *names; /* of globals that the pickle has in two pieces */
    oci_py result;
} oci_pickle;

/* Read to the end; `bytes` must outlive it. OC_EFORMAT for what is no pickle or a damaged one,
 * OC_EUNSUPPORTED for one that calls what we do not know, OC_ELIMIT for one of too many values. All
 * zero is clearable. */
OC_MUST_CHECK oc_status oci_pickle_read(oci_pickle *p, const uint8_t *bytes, size_t size,
                                        const char *where, oc_error *err);
void oci_pickle_clear(oci_pickle *p);
const oci_py_value *oci_py_at(const oci_pickle *p, oci_py value);
bool oci_py_is(const oci_py_value *value, const char *text); /* this text or global? */

/* Between pickle.c and pickle_call.c. */
OC_MUST_CHECK oc_status oci_py_new(oci_pickle *p, const oci_py_value *value, oci_py *out,
                                   oc_error *err);
/* What constructor `callable` makes of the tuple `args`. */
OC_MUST_CHECK oc_status oci_py_call(oci_pickle *p, const oci_py_value *callable,
                                    const oci_py_value *args, oci_py *out, oc_error *err);
/* The storage that torch means by a persistent id. */
OC_MUST_CHECK oc_status oci_py_persistent(oci_pickle *p, const oci_py_value *id, oci_py *out,
                                          oc_error *err);
OC_MUST_CHECK oc_status oci_py_damaged(const oci_pickle *p, const char *what, oc_error *err);

#endif
