/* Reviewed observations as a data set: a folder of photos per label, and a table that `train`
 * reads, in which the photos of one observation are one group.
 *
 * Labels come from people: as folder names they are made harmless, in the table they stand as they
 * are.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "serve/db_int.h"
#include "serve/kept_int.h"
#include "serve/serve.h"

enum { FOLDER_BYTES = 100, NAME_BYTES = FOLDER_BYTES + 80 };
enum { ID, LABEL, LAT, LON, DATE, ORGANS, STATUS, MODEL, SUGGESTED, CREATED, N, TYPE, BYTES };

/* The + keeps SQLite from the index of standings, behind which it would have to sort all photos. */
static const char sql[] =
    "SELECT id, label, lat, lon, date, organs, status, model, suggested, created, n, type, bytes"
    " FROM observations JOIN photos ON observation = seq"
    " WHERE +status IN (?1, ?2) AND label IS NOT NULL ORDER BY seq, n";

static const char header[] = "path,label,group,lat,lon,date,organ,status,model,suggested,created\n";

typedef struct exporter {
    sqlite3_stmt *rows;
    const char *out;
    oc_buf line;
    oc_writer *table;
    char last_id[64]; /* of the row before */
    oc_exported *count;
} exporter;

/* ---- names ------------------------------------------------------------------------------------
 */

/* One path segment: nothing that leads elsewhere, hides, or is refused by some file system. */
static void harmless(const char *text, char out[FOLDER_BYTES]) {
    size_t n = 0;
    for (; text[n] != '\0' && n < FOLDER_BYTES - 1; n++) {
        unsigned char c = (unsigned char)text[n];
        bool bad = c < ' ' || c == 0x7F || strchr("/\\:*?\"<>|", c) != NULL;
        out[n] = (char)(bad ? '_' : c);
    }
    while (text[n] != '\0' && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--; /* whole */
    if (n == 0) out[n++] = '_';
    if (out[0] == '.' || out[0] == ' ' || out[0] == '-' || out[0] == '~') out[0] = '_';
    if (out[n - 1] == '.' || out[n - 1] == ' ') out[n - 1] = '_';
    out[n] = '\0';
}

static const char *extension_of(const char *type) {
    if (strcmp(type, "image/png") == 0) return "png";
    return strcmp(type, "image/webp") == 0 ? "webp" : "jpg";
}

static const char *text_at(const exporter *e, int column) {
    const char *text = (const char *)sqlite3_column_text(e->rows, column);
    return text != NULL ? text : "";
}

static void photo_name(const exporter *e, char name[NAME_BYTES]) {
    char folder[FOLDER_BYTES], id[FOLDER_BYTES];
    harmless(text_at(e, LABEL), folder);
    harmless(text_at(e, ID), id);
    (void)snprintf(name, NAME_BYTES, "%s/%.32s-%" PRId64 ".%s", folder, id,
                   (int64_t)sqlite3_column_int64(e->rows, N), extension_of(text_at(e, TYPE)));
}

/* ---- a photo ----------------------------------------------------------------------------------
 */

static oc_status write_photo(const exporter *e, const char *name, oc_error *err) {
    char path[OC_PATH_BYTES], folder[OC_PATH_BYTES];
    OC_TRY(oc_path_join(path, e->out, name, err));
    memcpy(folder, path, sizeof folder);
    *strrchr(folder, '/') = '\0';
    OC_TRY(oc_path_make_dirs(folder, err));
    const void *bytes = sqlite3_column_blob(e->rows, BYTES);
    return oc_file_put(path, bytes != NULL ? bytes : "",
                       (size_t)sqlite3_column_bytes(e->rows, BYTES), err);
}

/* Quotes around every field: nothing in it is then a separator, a comment or an end of line. */
static void put_field(oc_buf *line, const char *text) {
    oc_buf_puts(line, line->size > 0 ? ",\"" : "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"') oc_buf_puts(line, "\"");
        oc_buf_append(line, text, 1);
    }
    oc_buf_puts(line, "\"");
}

/* What was said of photo n of the observation. */
static void put_organ(exporter *e) {
    const char *text = text_at(e, ORGANS);
    json_t *organs = NULL;
    if (oc_json_parse(text, strlen(text), "organs", &organs, NULL) != OC_OK) organs = NULL;
    const json_t *organ = json_array_get(organs, (size_t)sqlite3_column_int64(e->rows, N));
    put_field(&e->line, json_is_string(organ) ? json_string_value(organ) : "");
    json_decref(organs);
}

static oc_status write_row(exporter *e, const char *name, oc_error *err) {
    e->line.size = 0;
    put_field(&e->line, name);
    put_field(&e->line, text_at(e, LABEL));
    put_field(&e->line, text_at(e, ID));
    put_field(&e->line, text_at(e, LAT));
    put_field(&e->line, text_at(e, LON));
    put_field(&e->line, text_at(e, DATE));
    put_organ(e);
    for (int column = STATUS; column <= CREATED; column++) put_field(&e->line, text_at(e, column));
    oc_buf_puts(&e->line, "\n");
    OC_TRY(oc_buf_status(&e->line, err));
    return oc_writer_write(e->table, e->line.data, e->line.size, err);
}

static oc_status take_row(exporter *e, oc_error *err) {
    char name[NAME_BYTES];
    photo_name(e, name);
    OC_TRY(write_photo(e, name, err));
    OC_TRY(write_row(e, name, err));
    e->count->photos++;
    if (strcmp(e->last_id, text_at(e, ID)) == 0) return OC_OK;
    (void)snprintf(e->last_id, sizeof e->last_id, "%s", text_at(e, ID));
    e->count->observations++;
    return OC_OK;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static oc_status write_all(oci_db *db, const oc_export_options *o, exporter *e, oc_error *err) {
    bool row = false;
    OC_TRY(oci_db_prepare(db, sql, &e->rows, err));
    if (o->confirmed) oci_db_bind_text(e->rows, 1, oci_standing_name(OCI_CONFIRMED));
    if (o->corrected) oci_db_bind_text(e->rows, 2, oci_standing_name(OCI_CORRECTED));
    OC_TRY(oc_writer_write(e->table, header, sizeof header - 1, err));
    for (;;) {
        OC_TRY(oci_db_step(db, e->rows, &row, err));
        if (!row) return OC_OK;
        OC_TRY(take_row(e, err));
    }
}

/* Photos that were taken back since an earlier export are not to stay among new ones. */
static oc_status expect_empty(const char *folder, oc_error *err) {
    oc_path_list names = {0};
    if (!oc_path_exists(folder)) return OC_OK;
    OC_TRY(oc_path_list_dir(folder, true, &names, err));
    size_t count = names.count;
    oc_path_list_free(&names);
    if (count == 0) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "%s is not empty: name a new folder", folder);
}

oc_status oc_export_observations(const oc_export_options *o, oc_exported *out, oc_error *err) {
    oc_status status = OC_OK;
    oci_db *db = NULL;
    exporter e = {.out = o->folder, .count = out};
    char path[OC_PATH_BYTES];
    *out = (oc_exported){0};
    OC_TRY(expect_empty(o->folder, err));
    OC_TRY(oc_path_join(path, o->folder, "observations.csv", err));
    OC_GOTO(oci_db_open(&db, o->db, false, err));
    OC_GOTO(oc_path_make_dirs(o->folder, err));
    OC_GOTO(oc_writer_new(&e.table, path, err));
    OC_GOTO(oci_db_begin(db, false, err));
    status = write_all(db, o, &e, err);
    (void)sqlite3_finalize(e.rows);
    OC_GOTO(oci_db_end(db, status, err));
    OC_GOTO(oc_writer_commit(e.table, err));
done:
    oc_writer_free(e.table);
    oc_buf_clear(&e.line);
    oci_db_close(db);
    return status;
}
