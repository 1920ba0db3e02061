/* The reader of tables, the reader of lines, and files of class names.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "data/data_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Fields lie behind each other in the record's buffer. */
static void check_fields(const oci_csv *csv) {
    size_t used = 0;
    OC_PROMISE(csv->fields >= 1 && csv->fields <= OCI_MAX_FIELDS);
    for (size_t i = 0; i < csv->fields; i++) used += strlen(csv->field[i]) + 1;
    OC_PROMISE(used == csv->used && used <= OCI_LINE_BYTES);
}

static void read_records(const uint8_t *bytes, size_t size) {
    oci_csv csv;
    bool got = true;
    if (oci_csv_open(&csv, bytes, size, "table", NULL) != OC_OK) return;
    csv.separator = oci_csv_guess_separator(&csv);
    while (oci_csv_next(&csv, &got, NULL) == OC_OK && got) check_fields(&csv);
    oci_csv_close(&csv);
}

static void read_lines(const uint8_t *bytes, size_t size) {
    oci_csv csv;
    char *line = NULL;
    if (oci_csv_open(&csv, bytes, size, "lines", NULL) != OC_OK) return;
    while (oci_csv_next_line(&csv, &line, NULL) == OC_OK && line != NULL) {
        OC_PROMISE(*line != '\0' && strlen(line) < OCI_LINE_BYTES);
    }
    oci_csv_close(&csv);
}

static void read_names(const uint8_t *bytes, size_t size) {
    oci_names names;
    oc_error err = {0};
    if (oci_names_parse(&names, bytes, size, "names", NULL, &err) != OC_OK) {
        OC_PROMISE(err.message[0] != '\0');
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        const oci_name *name = &names.items[i];
        OC_PROMISE(oci_names_by_id(&names, name->id) == name);
        OC_PROMISE(oci_names_by_label(&names, name->label) == name);
    }
    oci_names_clear(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    read_records(bytes, size);
    read_lines(bytes, size);
    read_names(bytes, size);
    return 0;
}
