/* Tables as a source: a CSV with a header that has a column of paths and one of labels, and perhaps
 * one that says train, val or test, and one that names a group.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "data/data_int.h"

enum { ABSENT = OCI_MAX_FIELDS };

/* ---- the header
 * ---------------------------------------------------------------------------------- */

static size_t find_column(const oci_csv *csv, const char *name) {
    for (size_t c = 0; c < csv->fields; c++) {
        if (oc_equal_nocase(csv->field[c], name)) return c;
    }
    return ABSENT;
}

/* The first of several usual names that is there. */
static size_t find_usual(const oci_csv *csv, const char *const *names) {
    size_t column = ABSENT;
    for (; *names != NULL && column == ABSENT; names++) column = find_column(csv, *names);
    return column;
}

static oc_status fail_column(const oci_csv *csv, const char *what, const char *name,
                             oc_error *err) {
    oc_buf known = {0};
    for (size_t c = 0; c < csv->fields; c++) {
        oc_buf_printf(&known, "%s%s", c == 0 ? "" : ", ", csv->field[c]);
    }
    oc_status status = oc_buf_status(&known, err);
    if (status == OC_OK) {
        status = oc_fail(err, OC_EUSAGE, "%s:%" PRIu64 ": no %s column %s: the header has %s",
                         csv->where, csv->line, what, name, known.data);
    }
    oc_buf_clear(&known);
    return status;
}

/* By name, or by number behind the path. */
static oc_status find_label(oci_table *table, const oci_csv *csv, const char *column,
                            oc_error *err) {
    static const char *const usual[] = {"label",    "class",       "category", "species",
                                        "class_id", "category_id", NULL};
    int64_t n = 0;
    table->label = column == NULL ? find_usual(csv, usual) : find_column(csv, column);
    if (table->label != ABSENT) return OC_OK;
    if (column != NULL && oc_parse_i64(column, 1, OCI_MAX_FIELDS - 1, &n)) {
        size_t number = table->path + (size_t)n;
        if (number < csv->fields) {
            table->label = number;
            return OC_OK;
        }
    }
    return fail_column(csv, "label", column == NULL ? "(label, class, category)" : column, err);
}

oc_status oci_table_header(oci_table *table, oci_csv *csv, const oc_dataset_options *options,
                           oc_error *err) {
    static const char *const paths[] = {"path",       "image",      "file", "filename",
                                        "file_name",  "filepath",   "img",  "file_path",
                                        "image_path", "image_file", NULL};
    static const char *const splits[] = {"split", "part", "subset", "set", NULL};
    oci_csv start = *csv;
    oc_error ignored = {0};
    bool got = false;
    csv->separator = oci_csv_guess_separator(csv);
    oc_status status = oci_csv_next(csv, &got, &ignored);
    *table = (oci_table){.columns = csv->fields};
    table->path = find_usual(csv, paths);
    if (status != OC_OK || !got || csv->fields < 2 || table->path == ABSENT) {
        *csv = start;
        return OC_OK;
    }
    table->found = true;
    table->split = find_usual(csv, splits);
    table->group =
        find_column(csv, options->group_column == NULL ? "group" : options->group_column);
    if (options->group_column != NULL && table->group == ABSENT) {
        return fail_column(csv, "group", options->group_column, err);
    }
    return find_label(table, csv, options->label_column, err);
}

/* ---- the rows
 * ------------------------------------------------------------------------------------ */

typedef struct row {
    const char *path, *label;
    oc_part part;
    uint32_t group;
} row;

/* A part that the list itself has (`val.txt`) stands where the table says none. */
static oc_status read_part(const oci_table *table, const oci_csv *csv, oc_part *part,
                           oc_error *err) {
    const char *word = table->split == ABSENT ? "" : csv->field[table->split];
    if (*word == '\0' || oci_part_parse(word, part)) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "split '%s' is none of train, val, valid, validation, test",
                   word);
}

static oc_status read_row(const oci_table *table, const oci_csv *csv, oci_builder *b, row *out,
                          oc_error *err) {
    if (csv->fields != table->columns) {
        return oc_fail(err, OC_EFORMAT, "%zu columns, the header has %zu (quote a comma: \"a, b\")",
                       csv->fields, table->columns);
    }
    out->path = csv->field[table->path];
    out->label = csv->field[table->label];
    out->group = OCI_NO_GROUP;
    if (*out->path == '\0') return oc_fail(err, OC_EFORMAT, "the path is empty");
    OC_TRY(read_part(table, csv, &out->part, err));
    const char *group = table->group == ABSENT ? "" : csv->field[table->group];
    return *group == '\0' ? OC_OK : oci_intern_add(&b->groups, group, &out->group, NULL, err);
}

oc_status oci_table_rows(const oci_table *table, oci_csv *csv, oci_builder *b, const char *folder,
                         oc_part part, oc_error *err) {
    for (;;) {
        bool got = false;
        row r = {.part = part};
        uint32_t label = 0;
        OC_TRY(oci_csv_next(csv, &got, err));
        if (!got) return OC_OK;
        oc_status status = read_row(table, csv, b, &r, err);
        if (status == OC_OK) status = oci_builder_label(b, r.label, &label, err);
        if (status == OC_OK) {
            status = oci_builder_entry(b, folder, r.path, label, r.group, r.part, err);
        }
        if (status != OC_OK) {
            return oc_error_context(err, status, "%s:%" PRIu64, csv->where, csv->line);
        }
    }
}
