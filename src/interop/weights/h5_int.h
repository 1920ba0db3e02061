/* What the two sides of reading HDF5 say to one another. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_WEIGHTS_H5_INT_H
#define OC_INTEROP_WEIGHTS_H5_INT_H

#include "interop/weights/weights_file_int.h"

/* Bounds of a file: members of its groups; bytes of tensors, in multiples of its own. */
enum { OCI_H5_OBJECTS = 100000, OCI_H5_TIMES = 4 };

/* In the child: read the file (as oci_h5_read has it) and send its tensors to fd (h5.c). */
OC_MUST_CHECK oc_status oci_h5_send(int fd, const char *path, const uint8_t *bytes, size_t size,
                                    const char *where, oc_error *err);
/* One F32 tensor; values are `bytes` long. */
OC_MUST_CHECK oc_status oci_h5_send_tensor(int fd, const char *name, const oc_shape *shape,
                                           const float *values, size_t bytes, oc_error *err);

/* In the parent: what a child sends of a file of `size` bytes, into `set`. A child that reads a
 * hostile file may send anything. OC_EFORMAT where it says so, sends nonsense or breaks off;
 * OC_ENOMEM. */
OC_MUST_CHECK oc_status oci_h5_take(oc_tensors *set, int fd, size_t size, const char *where,
                                    oc_error *err);

#endif
