/* Opening a data set: which kind of source it is, and reading it.
 *
 * A folder with a train.txt is read through its lists, even where it has train/ and val/ too: the
 * lists carry the labels that their authors meant.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/store_int.h"

static const struct {
    const char *name;
    oc_part part;
} folder_lists[] = {{"train.txt", OC_PART_TRAIN},
                    {"val.txt", OC_PART_VAL},
                    {"valid.txt", OC_PART_VAL},
                    {"validation.txt", OC_PART_VAL},
                    {"test.txt", OC_PART_TEST}};
enum { FOLDER_LISTS = sizeof folder_lists / sizeof *folder_lists };

static bool has_lists(const char *folder) {
    char path[OC_PATH_BYTES];
    return oc_path_join(path, folder, folder_lists[0].name, NULL) == OC_OK && oc_path_is_file(path);
}

static oc_status read_lists(oci_builder *b, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    for (size_t i = 0; i < FOLDER_LISTS; i++) {
        OC_TRY(oc_path_join(path, folder, folder_lists[i].name, err));
        if (!oc_path_is_file(path)) continue;
        oc_info(&b->ds->log, "reading the list %s", path);
        OC_TRY(oci_read_list(b, path, folder_lists[i].part, err));
    }
    return OC_OK;
}

static oc_status read_class_folders(oci_builder *b, const char *folder, oc_error *err) {
    if (b->options->names != NULL) {
        char path[OC_PATH_BYTES];
        OC_TRY(oc_path_expand(path, b->options->names, err));
        OC_TRY(oci_names_read(&b->names, path, NULL, err));
    }
    return oci_read_folder(b, folder, err);
}

static oc_status read_source(oci_builder *b, const char *source, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(oc_path_expand(path, source, err));
    if (oci_store_is(path)) return oci_read_store(b, path, err);
    if (oc_path_is_dir(path)) {
        return has_lists(path) ? read_lists(b, path, err) : read_class_folders(b, path, err);
    }
    if (oc_path_exists(path)) return oci_read_list(b, path, OC_PART_NONE, err);
    return oc_fail(err, OC_ENOTFOUND,
                   "%s does not exist: expected a folder with a folder per class, a list of `path "
                   "label` lines, or a CSV with a header",
                   source);
}

oc_status oc_dataset_open(oc_dataset **out, const char *source, const oc_dataset_options *options,
                          oc_error *err) {
    static const oc_dataset_options none = {0};
    oci_builder b = {.options = options == NULL ? &none : options};
    *out = NULL;
    OC_TRY(oci_dataset_new(&b.ds, source, b.options->log, err));
    oc_status status = OC_OK;
    OC_GOTO(read_source(&b, source, err));
    status = oci_builder_finish(&b, err);
done:
    oci_builder_clear(&b);
    if (status == OC_OK) {
        *out = b.ds;
    } else {
        oc_dataset_free(b.ds);
    }
    return status;
}
