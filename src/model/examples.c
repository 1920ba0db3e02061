/* examples/ of a model folder: small photos, one a class, named by its number.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "model/model_int.h"

enum { MOST_BYTES = 1 << 20 };

oc_status oci_examples_remove(const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(oc_path_join(path, folder, OC_EXAMPLES_FOLDER, err));
    return oc_path_remove_tree(path, err);
}

/* One photo, where `from` has it. */
static oc_status copy_one(const char *from, const char *to, size_t class, oc_error *err) {
    char name[32], path[OC_PATH_BYTES];
    char *bytes = NULL;
    size_t size = 0;
    (void)snprintf(name, sizeof name, "%zu.jpg", class);
    OC_TRY(oc_path_join(path, from, name, err));
    if (!oc_path_is_file(path)) return OC_OK;
    OC_TRY(oc_file_read(path, MOST_BYTES, &bytes, &size, err));
    oc_status status = oc_path_join(path, to, name, err);
    if (status == OC_OK) status = oc_file_put(path, bytes, size, err);
    oc_free(bytes);
    return status;
}

oc_status oc_model_copy_examples(const oc_model *model, const char *from, const char *to,
                                 oc_error *err) {
    char source[OC_PATH_BYTES], target[OC_PATH_BYTES];
    OC_TRY(oc_path_join(source, from, OC_EXAMPLES_FOLDER, err));
    OC_TRY(oc_path_join(target, to, OC_EXAMPLES_FOLDER, err));
    if (!oc_path_is_dir(source)) return OC_OK;
    OC_TRY(oc_path_make_dirs(target, err));
    for (size_t c = 0; c < model->classes.count; c++) OC_TRY(copy_one(source, target, c, err));
    return OC_OK;
}
