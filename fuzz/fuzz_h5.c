/* Fuzzing what stands between HDF5 and us. Bytes that begin as HDF5 are a file, which a child reads
 * with libhdf5 and may crash or hang on; others are what a child sends. Whatever they are, this
 * process goes on, and what is accepted can be read to the last byte.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "interop/weights/h5_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Through a pipe, which holds less than PIPE_BYTES. */
static oc_status take(oc_tensors *set, const uint8_t *data, size_t size, oc_error *err) {
    enum { PIPE_BYTES = 1 << 16 };
    int ends[2];
    if (size >= PIPE_BYTES) return oc_fail(err, OC_ELIMIT, "more than a pipe holds");
    OC_PROMISE(pipe(ends) == 0);
    OC_PROMISE(write(ends[1], data, size) == (ssize_t)size);
    (void)close(ends[1]);
    oc_status status = oci_h5_take(set, ends[0], size, "fuzz", err);
    (void)close(ends[0]);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    oc_tensors *set = NULL;
    oc_error err = {0};
    bool is_file = size > 8 && memcmp(data, "\x89HDF\r\n\x1A\n", 8) == 0;
    OC_PROMISE(oc_tensors_new(&set, &err) == OC_OK);
    oc_status status =
        is_file ? oci_h5_read(set, NULL, data, size, "fuzz", &err) : take(set, data, size, &err);
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const oc_tensor *t = oc_tensors_at(set, i);
        (void)oc_hash64(t->data, oc_tensor_bytes(t), 0);
    }
    oc_tensors_free(set);
    return 0;
}
