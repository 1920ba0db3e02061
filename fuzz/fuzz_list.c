/* Lists and tables as they come from outside: whatever the bytes are, reading them ends with a data
 * set or with an error that has words.
 *
 * The first byte chooses the label column. Files are only asked for, never opened.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "data/data_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_items(const oc_dataset *ds) {
    for (size_t i = 0; i < oc_dataset_count(ds); i++) {
        const oc_item *item = oc_dataset_item(ds, i);
        OC_PROMISE(item->label >= 0 && (size_t)item->label < oc_dataset_classes(ds)->count);
        OC_PROMISE(strlen(item->path) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const char *const columns[] = {NULL, "1", "2", "coarse", "species"};
    if (size == 0) return 0;
    oc_dataset_options options = {.label_column =
                                      columns[bytes[0] % (sizeof columns / sizeof *columns)]};
    oci_builder b = {.options = &options};
    oc_error err = {0};
    if (oci_dataset_new(&b.ds, "list", NULL, &err) != OC_OK) return 0;
    oc_status status =
        oci_parse_list(&b, bytes + 1, size - 1, "list", "/nonexistent", OC_PART_NONE, &err);
    if (status == OC_OK) status = oci_builder_finish(&b, &err);
    OC_PROMISE((status == OC_OK) == (err.message[0] == '\0'));
    if (status == OC_OK && oc_dataset_split(b.ds, 0.5, 1, &err) == OC_OK) check_items(b.ds);
    oci_builder_clear(&b);
    oc_dataset_free(b.ds);
    return 0;
}
