/* A reader of tables and of lines: one record at a time, in one buffer that never grows.
 *
 * Everything is untrusted: a record or line is at most 64 KiB, a NUL byte means that this is no
 * text, an open quote ends with the file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "data/data_int.h"

oc_status oci_csv_open(oci_csv *csv, const void *bytes, size_t size, const char *where,
                       oc_error *err) {
    static const char mark[] = "\xEF\xBB\xBF";
    const char *at = bytes;
    size_t skip = size >= 3 && memcmp(at, mark, 3) == 0 ? 3 : 0;
    *csv = (oci_csv){.at = at + skip, .end = at + size, .where = where, .next_line = 1};
    csv->separator = ',';
    csv->text = oc_malloc(OCI_LINE_BYTES);
    return csv->text == NULL ? oc_fail_nomem(err, OCI_LINE_BYTES, "reading a table") : OC_OK;
}

void oci_csv_close(oci_csv *csv) {
    oc_free(csv->text);
    *csv = (oci_csv){0};
}

static oc_status fail_at(const oci_csv *csv, oc_status status, const char *what, oc_error *err) {
    return oc_fail(err, status, "%s:%" PRIu64 ": %s", csv->where, csv->line, what);
}

static bool at_end_of_line(const oci_csv *csv) {
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

static void skip_end_of_line(oci_csv *csv) {
    if (csv->at < csv->end && *csv->at == '\r') csv->at++;
    if (csv->at < csv->end && *csv->at == '\n') csv->at++;
    csv->next_line++;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static void skip_blanks(oci_csv *csv) {
    while (csv->at < csv->end && is_blank(*csv->at) && *csv->at != csv->separator) csv->at++;
}

/* Skip blank lines and comments; false at the end. The line begins at its first character. */
static bool find_line(oci_csv *csv) {
    while (csv->at < csv->end) {
        const char *start = csv->at;
        while (csv->at < csv->end && is_blank(*csv->at)) csv->at++;
        if (!at_end_of_line(csv) && *csv->at != '#') {
            csv->at = start;
            return true;
        }
        while (!at_end_of_line(csv)) csv->at++;
        skip_end_of_line(csv);
    }
    return false;
}

static oc_status put(oci_csv *csv, char c, oc_error *err) {
    if (c == '\0') {
        return fail_at(csv, OC_EFORMAT,
                       "a NUL byte: not a text, or not in UTF-8 (save it as UTF-8)", err);
    }
    if (csv->used == OCI_LINE_BYTES) {
        return fail_at(csv, OC_ELIMIT, "longer than 64 KiB: is this a text file?", err);
    }
    csv->text[csv->used++] = c;
    return OC_OK;
}

/* The end of a field's text. */
static oc_status put_end(oci_csv *csv, oc_error *err) {
    if (csv->used == OCI_LINE_BYTES) {
        return fail_at(csv, OC_ELIMIT, "longer than 64 KiB: is this a text file?", err);
    }
    csv->text[csv->used++] = '\0';
    return OC_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Behind the opening quote; "" stands for a quote. */
static oc_status quoted_field(oci_csv *csv, oc_error *err) {
    for (;;) {
        if (csv->at == csv->end) return fail_at(csv, OC_EFORMAT, "a quote without its end", err);
        char c = *csv->at++;
        if (c == '"') {
            if (csv->at == csv->end || *csv->at != '"') break;
            csv->at++;
        }
        if (c == '\n') csv->next_line++;
        OC_TRY(put(csv, c, err));
    }
    skip_blanks(csv);
    if (at_end_of_line(csv) || *csv->at == csv->separator) return OC_OK;
    return fail_at(csv, OC_EFORMAT,
                   "text behind a closing quote (write a quote within quotes twice)", err);
}

static oc_status plain_field(oci_csv *csv, oc_error *err) {
    size_t start = csv->used;
    while (!at_end_of_line(csv) && *csv->at != csv->separator) {
        char c = *csv->at;
        OC_TRY(put(csv, c, err));
        csv->at++;
    }
    while (csv->used > start && is_blank(csv->text[csv->used - 1])) csv->used--;
    return OC_OK;
}

static oc_status read_field(oci_csv *csv, oc_error *err) {
    if (csv->fields == OCI_MAX_FIELDS) {
        return fail_at(csv, OC_ELIMIT, "more than 256 columns", err);
    }
    csv->field[csv->fields++] = csv->text + csv->used;
    skip_blanks(csv);
    bool quoted = csv->at < csv->end && *csv->at == '"';
    if (quoted) csv->at++;
    OC_TRY(quoted ? quoted_field(csv, err) : plain_field(csv, err));
    return put_end(csv, err);
}

oc_status oci_csv_next(oci_csv *csv, bool *got, oc_error *err) {
    csv->fields = csv->used = 0;
    *got = find_line(csv);
    csv->line = csv->next_line;
    if (!*got) return OC_OK;
    for (;;) {
        OC_TRY(read_field(csv, err));
        if (at_end_of_line(csv)) break;
        csv->at++; /* the separator */
    }
    skip_end_of_line(csv);
    return OC_OK;
}

char oci_csv_guess_separator(const oci_csv *csv) {
    static const char candidates[] = {',', ';', '\t'};
    oci_csv look = *csv;
    size_t count[sizeof candidates] = {0};
    size_t best = 0;
    bool quoted = false;
    if (!find_line(&look)) return ',';
    for (; look.at < look.end && *look.at != '\n'; look.at++) {
        if (*look.at == '"') quoted = !quoted;
        for (size_t i = 0; i < sizeof candidates; i++) {
            if (!quoted && *look.at == candidates[i]) count[i]++;
        }
    }
    for (size_t i = 1; i < sizeof candidates; i++) {
        if (count[i] > count[best]) best = i;
    }
    return candidates[best];
}

/* ---- lines ----------------------------------------------------------------------------------- */

static oc_status read_line(oci_csv *csv, oc_error *err) {
    csv->fields = csv->used = 0;
    while (!at_end_of_line(csv)) {
        OC_TRY(put(csv, *csv->at, err));
        csv->at++;
    }
    OC_TRY(put_end(csv, err));
    skip_end_of_line(csv);
    return OC_OK;
}

oc_status oci_csv_next_line(oci_csv *csv, char **text, oc_error *err) {
    *text = NULL;
    while (find_line(csv)) {
        csv->line = csv->next_line;
        OC_TRY(read_line(csv, err));
        char *line = oc_trim(csv->text);
        if (*line == '\0') continue; /* of nothing but odd white space */
        *text = line;
        break;
    }
    return OC_OK;
}
