/* Which photos a model was trained on: 8 bytes for each, so that a later evaluation can tell what
 * is new to the model, whatever the photos are called by then.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "model/model_int.h"

enum { PRINT_BYTES = 8, MAX_SEEN_BYTES = 1 << 30 };

static oc_status path_of(char path[OC_PATH_BYTES], const char *folder, oc_error *err) {
    return oc_path_join(path, folder, OCI_SEEN_FILE, err);
}

oc_status oci_seen_save(const oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(path_of(path, folder, err));
    if (model->seen == NULL) return oc_path_remove_tree(path, err); /* of other weights */
    size_t bytes = model->seen_count * PRINT_BYTES;
    unsigned char *out = oc_malloc(bytes + 1);
    if (out == NULL) return oc_fail_nomem(err, bytes, OCI_SEEN_FILE);
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(model->seen[i / PRINT_BYTES] >> 8 * (i % PRINT_BYTES));
    }
    oc_status status = oc_file_write(path, out, bytes, err);
    oc_free(out);
    return status;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void oc_model_set_seen(oc_model *model, uint64_t *prints, size_t count) {
    qsort(prints, count, sizeof *prints, by_value);
    oc_free(model->seen);
    model->seen = prints;
    model->seen_count = count;
}

oc_status oc_model_load_seen(oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES], *bytes = NULL;
    size_t size = 0;
    OC_TRY(path_of(path, folder, err));
    if (!oc_path_exists(path)) return OC_OK;
    OC_TRY(oc_file_read(path, MAX_SEEN_BYTES, &bytes, &size, err));
    size_t count = size / PRINT_BYTES;
    uint64_t *seen = oc_calloc(count + 1, sizeof *seen);
    if (seen == NULL) {
        oc_free(bytes);
        return oc_fail_nomem(err, size, path);
    }
    for (size_t i = 0; i < count * PRINT_BYTES; i++) {
        seen[i / PRINT_BYTES] |= (uint64_t)(unsigned char)bytes[i] << 8 * (i % PRINT_BYTES);
    }
    oc_free(bytes);
    oc_model_set_seen(model, seen, count);
    return OC_OK;
}

bool oc_model_has_seen(const oc_model *model, uint64_t print) {
    return model->seen != NULL && print != 0 &&
           bsearch(&print, model->seen, model->seen_count, sizeof print, by_value) != NULL;
}
