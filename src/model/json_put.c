/* Building JSON with one check a member.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "model/model_int.h"

oc_status oci_json_put(json_t *o, const char *key, json_t *value, oc_error *err) {
    if (json_object_set_new(o, key, value) == 0) return OC_OK;
    return oc_fail(err, OC_ENOMEM, "out of memory, or no UTF-8, for the JSON member \"%s\"", key);
}

oc_status oci_json_push(json_t *array, json_t *value, oc_error *err) {
    if (json_array_append_new(array, value) == 0) return OC_OK;
    return oc_fail(err, OC_ENOMEM, "out of memory, or no UTF-8, for entry %zu of a JSON array",
                   json_array_size(array));
}
