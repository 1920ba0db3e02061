/* Fuzz target: the EXIF orientation parser.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int orientation = oci_exif_orientation((oci_bytes){data, size});
    OC_PROMISE(orientation >= 1 && orientation <= 8);
    return 0;
}
