/* Files of class names: a name a line (numbered from 0), or a table whose columns come in pairs of
 * a name and an id, as in "Class Name,Class ID,Coarse Class Name,Coarse Class ID".
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/data_int.h"

enum { HEADER_BYTES = 128, MAX_PAIRS = 16, NO_COLUMN = OCI_MAX_FIELDS };

void oci_names_clear(oci_names *names) {
    oci_intern_clear(&names->labels);
    oc_pool_free(names->pool);
    oc_free(names->items);
    oc_free(names->by_id);
    oc_free(names->path);
    *names = (oci_names){0};
}

bool oci_column_parse(const char *column, size_t *out) {
    int64_t n = 1;
    bool known = column == NULL || strcmp(column, "fine") == 0;
    if (!known && strcmp(column, "coarse") == 0) {
        known = true;
        n = 2;
    }
    if (!known && !oc_parse_i64(column, 1, OCI_MAX_FIELDS - 1, &n)) return false;
    *out = (size_t)n;
    return true;
}

/* ---- looking up ------------------------------------------------------------------------------ */

const oci_name *oci_names_by_label(const oci_names *names, const char *label) {
    uint32_t number = 0;
    return oci_intern_find(&names->labels, label, &number) ? &names->items[number] : NULL;
}

const oci_name *oci_names_by_id(const oci_names *names, int64_t id) {
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const oci_name *name = &names->items[names->by_id[middle]];
        if (name->id == id) return name;
        if (name->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* ---- one name
 * ------------------------------------------------------------------------------------ */

/* Add label for id, unless just that is there already. */
static oc_status add_name(oci_names *names, const oci_csv *csv, const char *label,
                          const char *display, int64_t id, oc_error *err) {
    uint32_t number = 0;
    bool fresh = false;
    if (*label == '\0') {
        return oc_fail(err, OC_EFORMAT, "%s:%" PRIu64 ": the name is empty", csv->where, csv->line);
    }
    if (!oc_is_utf8(label, strlen(label))) {
        return oc_fail(err, OC_EFORMAT, "%s:%" PRIu64 ": name '%s' is not UTF-8", csv->where,
                       csv->line, label);
    }
    OC_TRY(oci_intern_add(&names->labels, label, &number, &fresh, err));
    if (!fresh && names->items[number].id == id) return OC_OK;
    if (!fresh) {
        return oc_fail(err, OC_EFORMAT,
                       "%s:%" PRIu64 ": '%s' already stands for %" PRId64 ": names must differ",
                       csv->where, csv->line, label, names->items[number].id);
    }
    OC_TRY(oc_grow(&names->items, &names->capacity, names->count + 1, sizeof *names->items, err));
    oci_name name = {.label = names->labels.text[number], .id = id};
    if (display != NULL && *display != '\0') {
        name.display = oc_pool_strdup(names->pool, display);
        if (name.display == NULL) return oc_fail_nomem(err, strlen(display) + 1, "a name");
    }
    names->items[names->count++] = name;
    return OC_OK;
}

static oc_status read_lines(oci_names *names, oci_csv *csv, const char *column, oc_error *err) {
    names->column = 1;
    (void)oci_column_parse(column, &names->column);
    for (;;) {
        char *line = NULL;
        OC_TRY(oci_csv_next_line(csv, &line, err));
        if (line == NULL) return OC_OK;
        OC_TRY(add_name(names, csv, line, NULL, (int64_t)names->count, err));
    }
}

/* ---- tables
 * -------------------------------------------------------------------------------------- */

typedef struct pair {
    size_t name, id; /* columns; id NO_COLUMN: rows are counted */
} pair;

typedef struct layout {
    char word[OCI_MAX_FIELDS][HEADER_BYTES]; /* the header, lower case, without "(...)" */
    size_t columns;
    pair pairs[MAX_PAIRS];
    size_t count;
    size_t display; /* column or NO_COLUMN */
} layout;

static void header_word(const char *field, char word[HEADER_BYTES]) {
    size_t n = 0;
    for (; field[n] != '\0' && field[n] != '(' && n < HEADER_BYTES - 1; n++) {
        word[n] = (char)tolower((unsigned char)field[n]);
    }
    while (n > 0 && word[n - 1] == ' ') n--;
    word[n] = '\0';
}

static bool ends_with_word(const char *word, const char *last) {
    size_t n = strlen(word), m = strlen(last);
    if (!oc_ends_with(word, last)) return false;
    return n == m || word[n - m - 1] == ' ' || word[n - m - 1] == '_';
}

static bool is_id(const layout *l, size_t column) {
    return ends_with_word(l->word[column], "id");
}

static bool is_display(const layout *l, size_t column) {
    return oc_starts_with(l->word[column], "display");
}

static bool is_name(const layout *l, size_t column) {
    static const char *const words[] = {"name", "label", "class", "species"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (ends_with_word(l->word[column], words[i])) return !is_display(l, column);
    }
    return false;
}

/* The name that goes with an id: the nearest column before it that may be one, else behind it. */
static size_t name_column(const layout *l, size_t id) {
    for (size_t c = id; c-- > 0;) {
        if (!is_id(l, c) && !is_display(l, c)) return c;
    }
    for (size_t c = id + 1; c < l->columns; c++) {
        if (!is_id(l, c) && !is_display(l, c)) return c;
    }
    return NO_COLUMN;
}

static void find_pairs(layout *l) {
    for (size_t c = 0; c < l->columns && l->count < MAX_PAIRS; c++) {
        size_t name = is_id(l, c) ? name_column(l, c) : NO_COLUMN;
        if (name != NO_COLUMN) l->pairs[l->count++] = (pair){name, c};
    }
    for (size_t c = 0; c < l->columns && l->count == 0; c++) {
        if (is_name(l, c)) l->pairs[l->count++] = (pair){c, NO_COLUMN};
    }
}

/* Read the header, if the first record is one: l->count is 0 otherwise. */
static oc_status read_layout(layout *l, oci_csv *csv, oc_error *err) {
    bool got = false;
    *l = (layout){.display = NO_COLUMN};
    csv->separator = oci_csv_guess_separator(csv);
    OC_TRY(oci_csv_next(csv, &got, err));
    l->columns = csv->fields;
    for (size_t c = 0; c < l->columns; c++) header_word(csv->field[c], l->word[c]);
    for (size_t c = l->columns; c-- > 0;) {
        if (is_display(l, c)) l->display = c;
    }
    find_pairs(l);
    return OC_OK;
}

/* Whether a column's header is `word`, or begins with it. */
static bool is_called(const layout *l, size_t column, const char *word) {
    size_t n = strlen(word);
    if (column == NO_COLUMN || n >= HEADER_BYTES) return false;
    char start[HEADER_BYTES];
    (void)snprintf(start, sizeof start, "%.*s", (int)n, l->word[column]);
    char next = strlen(l->word[column]) < n ? 'x' : l->word[column][n];
    return oc_equal_nocase(start, word) && (next == '\0' || next == ' ' || next == '_');
}

static oc_status choose_pair(const layout *l, const oci_csv *csv, const char *column, size_t *out,
                             oc_error *err) {
    size_t n = 0;
    char word[HEADER_BYTES];
    header_word(column == NULL ? "" : column, word);
    for (size_t i = 0; i < l->count && column != NULL; i++) {
        if (is_called(l, l->pairs[i].name, word) || is_called(l, l->pairs[i].id, word)) {
            *out = i + 1;
            return OC_OK;
        }
    }
    if (oci_column_parse(column, &n) && n <= l->count) {
        *out = n;
        return OC_OK;
    }
    oc_buf known = {0};
    for (size_t i = 0; i < l->count; i++) {
        oc_buf_printf(&known, "%s'%s'", i == 0 ? "" : ", ", l->word[l->pairs[i].name]);
    }
    oc_status status = oc_buf_status(&known, err);
    if (status == OC_OK) {
        status = oc_fail(err, OC_EUSAGE, "label column '%s' is not in %s: it has 1 to %zu (%s)",
                         column, csv->where, l->count, known.data);
    }
    oc_buf_clear(&known);
    return status;
}

static oc_status read_row(oci_names *names, const oci_csv *csv, const layout *l, oc_error *err) {
    const pair *p = &l->pairs[names->column - 1];
    int64_t id = (int64_t)names->count;
    if (p->name >= csv->fields || (p->id != NO_COLUMN && p->id >= csv->fields)) {
        return oc_fail(err, OC_EFORMAT, "%s:%" PRIu64 ": %zu columns, the header has %zu",
                       csv->where, csv->line, csv->fields, l->columns);
    }
    if (p->id != NO_COLUMN && !oc_parse_i64(csv->field[p->id], INT64_MIN, INT64_MAX, &id)) {
        return oc_fail(err, OC_EFORMAT, "%s:%" PRIu64 ": id '%s' is not a whole number", csv->where,
                       csv->line, csv->field[p->id]);
    }
    const char *display = l->display < csv->fields ? csv->field[l->display] : NULL;
    return add_name(names, csv, csv->field[p->name], display, id, err);
}

static oc_status read_table(oci_names *names, oci_csv *csv, const layout *l, const char *column,
                            oc_error *err) {
    OC_TRY(choose_pair(l, csv, column, &names->column, err));
    for (;;) {
        bool got = false;
        OC_TRY(oci_csv_next(csv, &got, err));
        if (!got) return OC_OK;
        OC_TRY(read_row(names, csv, l, err));
    }
}

/* ---- the whole
 * ------------------------------------------------------------------------------------ */

typedef struct keyed {
    int64_t id;
    uint32_t index;
} keyed;

static int compare_keyed(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static oc_status sort_by_id(oci_names *names, oc_error *err) {
    oc_status status = OC_OK;
    keyed *keys = oc_malloc(names->count * sizeof *keys);
    names->by_id = oc_malloc(names->count * sizeof *names->by_id);
    if (keys == NULL || names->by_id == NULL) {
        status = oc_fail_nomem(err, names->count * sizeof *keys, "names");
        goto done;
    }
    for (uint32_t i = 0; i < names->count; i++) keys[i] = (keyed){names->items[i].id, i};
    qsort(keys, names->count, sizeof *keys, compare_keyed);
    for (size_t i = 0; i < names->count; i++) {
        names->by_id[i] = keys[i].index;
        if (i == 0 || keys[i].id != keys[i - 1].id) continue;
        status = oc_fail(err, OC_EFORMAT, "%s: %" PRId64 " stands for both '%s' and '%s'",
                         names->path, keys[i].id, names->items[keys[i - 1].index].label,
                         names->items[keys[i].index].label);
        goto done;
    }
done:
    oc_free(keys);
    return status;
}

/* A table when its first record is a header, else lines. */
static oc_status read_any(oci_names *names, oci_csv *csv, const char *column, oc_error *err) {
    oci_csv start = *csv;
    layout *l = oc_calloc(1, sizeof *l);
    if (l == NULL) return oc_fail_nomem(err, sizeof *l, "names");
    oc_error ignored = {0};
    bool is_table = read_layout(l, csv, &ignored) == OC_OK && l->count > 0;
    if (!is_table) *csv = start;
    oc_status status =
        is_table ? read_table(names, csv, l, column, err) : read_lines(names, csv, column, err);
    oc_free(l);
    return status;
}

oc_status oci_names_parse(oci_names *names, const void *bytes, size_t size, const char *where,
                          const char *column, oc_error *err) {
    oci_csv csv = {0};
    oc_status status = OC_OK;
    *names = (oci_names){0};
    OC_GOTO(oci_csv_open(&csv, bytes, size, where, err));
    OC_GOTO(oc_pool_new(&names->pool, err));
    names->path = oc_strdup(where);
    if (names->path == NULL) {
        status = oc_fail_nomem(err, strlen(where) + 1, "names");
        goto done;
    }
    OC_GOTO(read_any(names, &csv, column, err));
    if (names->count == 0) {
        status = oc_fail(err, OC_EFORMAT, "%s: no names in it: expected one a line", where);
        goto done;
    }
    status = sort_by_id(names, err);
done:
    oci_csv_close(&csv);
    if (status != OC_OK) oci_names_clear(names);
    return status;
}

oc_status oci_names_read(oci_names *names, const char *path, const char *column, oc_error *err) {
    char *text = NULL;
    size_t size = 0;
    *names = (oci_names){0};
    OC_TRY(oc_file_read(path, OCI_LIST_BYTES, &text, &size, err));
    oc_status status = oci_names_parse(names, text, size, path, column, err);
    oc_free(text);
    return status;
}
