/* What the readers of weights files share. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_WEIGHTS_WEIGHTS_FILE_INT_H
#define OC_INTEROP_WEIGHTS_WEIGHTS_FILE_INT_H

#include "interop/interop.h"

/* Each fills `set`, which is empty, with the file's tensors under the file's names: views into
 * `bytes` where they lie there as rows, copies elsewhere. */

/* PyTorch's zip (pth.c). */
OC_MUST_CHECK oc_status oci_pth_read(oc_tensors *set, const uint8_t *bytes, size_t size,
                                     const char *where, oc_error *err);

/* Keras' HDF5 (h5.c; h5_none.c where the library is missing), from the file `path`, or where that
 * is NULL from memory. Copies; names are "LAYER/kernel", "LAYER/gamma" and so on. */
OC_MUST_CHECK oc_status oci_h5_read(oc_tensors *set, const char *path, const uint8_t *bytes,
                                    size_t size, const char *where, oc_error *err);

/* The kind of a file that `import weights` reads, by its first bytes; NULL = none. */
const char *oci_weights_kind(const uint8_t *bytes, size_t size);

#endif
