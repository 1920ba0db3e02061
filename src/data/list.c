/* Lists as a source: `path label` or `path, id[, id]` a line.
 *
 * Where the path ends: behind the first field (commas) or the last word (blanks) that has an
 * image's extension with something behind it; so blanks and commas in names do no harm where that
 * is clear. Without such an extension: at the first comma, else before the last word. A path in
 * quotes is what the quotes say. SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "data/data_int.h"

enum { EXTENSION_BYTES = 16 };

/* ---- one line -------------------------------------------------------------------------------- */

typedef struct entry {
    char *path;
    char *rest;  /* the columns behind it */
    bool commas; /* between them; else blanks */
} entry;

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Whether the first n bytes of line, blanks at the end dropped, end like the name of an image. */
static bool ends_in_image(char *line, size_t n) {
    while (n > 0 && is_blank(line[n - 1])) n--;
    char kept = line[n];
    line[n] = '\0';
    bool image = oc_image_is_name(line + (n > EXTENSION_BYTES ? n - EXTENSION_BYTES : 0));
    line[n] = kept;
    return image;
}

static bool cut_at(char *line, size_t n, bool commas, entry *out) {
    line[n] = '\0';
    *out = (entry){.path = oc_trim(line), .rest = oc_trim(line + n + 1), .commas = commas};
    return true;
}

static bool cut_at_commas(char *line, entry *out) {
    for (size_t i = 0; line[i] != '\0'; i++) {
        if (line[i] == ',' && ends_in_image(line, i)) return cut_at(line, i, true, out);
    }
    return false;
}

static bool cut_at_blanks(char *line, entry *out) {
    for (size_t i = strlen(line); i-- > 0;) {
        if (is_blank(line[i]) && ends_in_image(line, i)) return cut_at(line, i, false, out);
    }
    return false;
}

/* "path" in quotes, two of them for one within. False when the quote has no end. */
static bool cut_at_quote(char *line, entry *out) {
    char *to = line, *from = line + 1;
    for (; *from != '\0'; from++) {
        if (*from == '"' && from[1] != '"') break;
        if (*from == '"') from++;
        *to++ = *from;
    }
    if (*from == '\0') return false;
    char *rest = oc_trim(from + 1);
    *to = '\0';
    bool commas = *rest == ',';
    *out = (entry){.path = line, .rest = commas ? oc_trim(rest + 1) : rest, .commas = commas};
    return true;
}

static bool cut_unclear(char *line, entry *out) {
    const char *comma = strchr(line, ',');
    if (comma != NULL) return cut_at(line, (size_t)(comma - line), true, out);
    for (size_t i = strlen(line); i-- > 0;) {
        if (is_blank(line[i])) return cut_at(line, i, false, out);
    }
    return false;
}

static bool cut_line(char *line, entry *out) {
    if (*line == '"') return cut_at_quote(line, out);
    return cut_at_commas(line, out) || cut_at_blanks(line, out) || cut_unclear(line, out);
}

/* ---- its columns ----------------------------------------------------------------------------- */

/* Take the next column from *at, quotes removed; NULL behind the last. */
static char *next_column(char **at, bool commas) {
    char *start = *at;
    if (start == NULL) return NULL;
    while (is_blank(*start)) start++;
    entry quoted;
    if (*start == '"' && cut_at_quote(start, &quoted)) {
        *at = *quoted.rest == '\0' ? NULL : quoted.rest;
        return quoted.path;
    }
    char *end = start + strcspn(start, commas ? "," : " \t");
    *at = *end == '\0' ? NULL : end + 1;
    *end = '\0';
    return oc_trim(start);
}

static bool all_numbers(const char *rest) {
    return rest[strspn(rest, "0123456789+- \t")] == '\0';
}

/* The label: column n of rest. Words between blanks are columns when all are numbers, else one
 * label. NULL when there are fewer. */
static char *pick_label(entry *e, size_t n) {
    char *at = *e->rest == '\0' ? NULL : e->rest;
    if (!e->commas && n == 1 && *e->rest != '"' && !all_numbers(e->rest)) return at;
    for (; n > 1 && at != NULL; n--) (void)next_column(&at, e->commas);
    return next_column(&at, e->commas);
}

/* ---- the whole list -------------------------------------------------------------------------- */

typedef struct list {
    oci_builder *b;
    const char *folder;
    oc_part part;
    size_t column;
} list;

static oc_status read_line(const list *l, const char *where, uint64_t number, char *line,
                           oc_error *err) {
    entry e;
    uint32_t label = 0;
    if (!cut_line(line, &e) || *e.path == '\0') {
        return oc_fail(err, OC_EFORMAT, "%s:%" PRIu64 ": '%.80s': expected `path label`", where,
                       number, line);
    }
    const char *text = pick_label(&e, l->column);
    if (text == NULL) {
        return oc_fail(err, OC_EFORMAT, "%s:%" PRIu64 ": %.80s has no label in column %zu", where,
                       number, e.path, l->column);
    }
    oc_status status = oci_builder_label(l->b, text, &label, err);
    if (status == OC_OK) {
        status = oci_builder_entry(l->b, l->folder, e.path, label, OCI_NO_GROUP, l->part, err);
    }
    if (status == OC_OK) return OC_OK;
    return oc_error_context(err, status, "%s:%" PRIu64, where, number);
}

static oc_status read_lines(const list *l, oci_csv *csv, oc_error *err) {
    for (;;) {
        char *line = NULL;
        OC_TRY(oci_csv_next_line(csv, &line, err));
        if (line == NULL) return OC_OK;
        OC_TRY(read_line(l, csv->where, csv->line, line, err));
    }
}

static oc_status choose_column(oci_builder *b, size_t *column, oc_error *err) {
    const char *word = b->options->label_column;
    *column = b->names.column;
    if (b->names.count > 0 || oci_column_parse(word, column)) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "label column '%s': a list without a table of names has numbered columns; give "
                   "1 for the first behind the path",
                   word);
}

/* The names given, else those that lie beside a list. */
static oc_status find_names(oci_builder *b, const char *folder, const char *column,
                            const char *self, oc_error *err) {
    static const char *const beside[] = {"classes.csv", "classes.txt"};
    char path[OC_PATH_BYTES];
    if (b->names.count > 0 || b->options->numbered) return OC_OK;
    if (b->options->names != NULL) {
        OC_TRY(oc_path_expand(path, b->options->names, err));
        return oci_names_read(&b->names, path, column, err);
    }
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        OC_TRY(oc_path_join(path, folder, beside[i], err));
        if (strcmp(path, self) == 0 || !oc_path_is_file(path)) continue;
        oc_info(&b->ds->log, "names of classes from %s", path);
        return oci_names_read(&b->names, path, column, err);
    }
    return OC_OK;
}

oc_status oci_parse_list(oci_builder *b, const void *bytes, size_t size, const char *where,
                         const char *folder, oc_part part, oc_error *err) {
    oci_csv csv = {0};
    oci_table table = {0};
    list l = {.b = b, .folder = folder, .part = part};
    oc_status status = OC_OK;
    OC_GOTO(oci_csv_open(&csv, bytes, size, where, err));
    OC_GOTO(oci_table_header(&table, &csv, b->options, err));
    OC_GOTO(find_names(b, folder, table.found ? NULL : b->options->label_column, where, err));
    if (table.found) {
        status = oci_table_rows(&table, &csv, b, folder, part, err);
        goto done;
    }
    OC_GOTO(choose_column(b, &l.column, err));
    status = read_lines(&l, &csv, err);
done:
    oci_csv_close(&csv);
    return status;
}

/* The folder of a path, without the slash; "" for the current one. */
static void folder_of(const char *path, char folder[OC_PATH_BYTES]) {
    size_t n = (size_t)(oc_path_base(path) - path);
    if (n > 1) n--;
    (void)snprintf(folder, OC_PATH_BYTES, "%.*s", (int)n, path);
}

oc_status oci_read_list(oci_builder *b, const char *path, oc_part part, oc_error *err) {
    char folder[OC_PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    folder_of(path, folder);
    OC_TRY(oc_file_read(path, OCI_LIST_BYTES, &text, &size, err));
    oc_status status = oci_parse_list(b, text, size, path, folder, part, err);
    oc_free(text);
    return status;
}
