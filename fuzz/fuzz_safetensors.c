/* Fuzzing the reader of weights files: whatever the bytes, it reads nothing beside them, and what
 * it accepts can be read to the last byte.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

enum { SOME = 4096 };

/* Touch every element of t, in pieces. */
static void read_all(const oc_tensor *t) {
    float values[SOME];
    size_t count = oc_tensor_count(t), size = oc_dtype_bytes(t->dtype);
    for (size_t at = 0; at < count; at += SOME) {
        size_t n = count - at < SOME ? count - at : SOME;
        (void)oc_hash64((const char *)t->data + at * size, n * size, 0);
        (void)!oc_tensor_to_f32(values, (const char *)t->data + at * size, t->dtype, n, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    oc_safetensors *st = NULL;
    oc_error err = {0};
    oc_status status = oc_safetensors_parse(&st, data, size, "fuzz", &err);
    OC_PROMISE((status == OC_OK) == (st != NULL));
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    if (st == NULL) return 0;
    const oc_tensors *set = oc_safetensors_tensors(st);
    for (size_t i = 0; i < oc_tensors_count(set); i++) read_all(oc_tensors_at(set, i));
    (void)oc_safetensors_metadata(st, "format");
    oc_safetensors_close(st);
    return 0;
}
