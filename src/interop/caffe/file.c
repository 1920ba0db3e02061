/* Caffe's files as trees.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"

enum { MAX_TEXT_BYTES = 64 << 20 };

oc_status oci_caffe_read_text(const oci_proto_type *type, const char *path, oc_pool *pool,
                              const oci_proto **out, oc_error *err) {
    char *text = NULL;
    size_t size = 0;
    OC_TRY(oc_file_read(path, MAX_TEXT_BYTES, &text, &size, err));
    oc_status status = oci_proto_parse_text(type, text, size, path, pool, out, err);
    oc_free(text);
    return status;
}
