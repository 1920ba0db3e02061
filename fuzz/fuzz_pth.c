/* Fuzzing the reader of PyTorch's files, its zip and its pickle: whatever the bytes, nothing beside
 * them is read, and what it accepts can be read to the last byte.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>

#include "interop/interop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    oc_weights_file *file = NULL;
    oc_error err = {0};
    oc_status status = oc_weights_file_parse(&file, data, size, "fuzz", &err);
    OC_PROMISE((status == OC_OK) == (file != NULL));
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    if (file == NULL) return 0;
    const oc_tensors *set = oc_weights_file_tensors(file);
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const oc_tensor *t = oc_tensors_at(set, i);
        (void)oc_hash64(t->data, oc_tensor_bytes(t), 0);
    }
    oc_weights_file_close(file);
    return 0;
}
