/* Records of an LMDB as they come from outside: whatever the bytes are, what is said of them lies
 * within them.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/store_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    oci_datum d;
    oc_error err = {0};
    oc_status status = oci_datum_parse(bytes, size, &d, &err);
    OC_PROMISE((status == OC_OK) == (err.message[0] == '\0'));
    if (status == OC_OK && d.data != NULL)
        OC_PROMISE(d.data >= bytes && d.size <= size && d.data + d.size <= bytes + size);
    return 0;
}
