/* Keras' HDF5 files where libhdf5 was absent from the build: recognised and refused.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/weights/weights_file_int.h"

oc_status oci_h5_read(oc_tensors *set, const char *path, const uint8_t *bytes, size_t size,
                      const char *where, oc_error *err) {
    (void)set;
    (void)path;
    (void)bytes;
    (void)size;
    return oc_fail(
        err, OC_EENV,
        "%s is an HDF5 file, and libhdf5 was not built in: install libhdf5-dev and build "
        "again, or save the weights as safetensors",
        where);
}
