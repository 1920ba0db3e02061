/* Observations as JSON: one, and pages of many.
 *
 * A page ends with a cursor: the place in its order of the last one on it, so that what comes in
 * meanwhile neither shifts nor doubles anything.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/kept_int.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    SEQ,
    P,
    ID,
    CREATED,
    MODEL,
    STATUS,
    LABEL,
    SUGGESTED,
    RESULTS,
    UNKNOWN,
    LAT,
    LON,
    DATE,
    ORGANS,
    NOTE,
    LANG,
    REVIEWER,
    REVIEWED,
    REVIEW_NOTE,
    PHOTOS
};
#define COLUMNS                                                                                    \
    "SELECT seq, p, id, created, model, status, label, suggested, results, unknown, lat, lon, "    \
    "date, organs, note, lang, reviewer, reviewed, review_note, "                                  \
    "(SELECT count(*) FROM photos WHERE observation = seq) FROM observations"

/* ---- a row ------------------------------------------------------------------------------------
 */

static json_t *text_of(sqlite3_stmt *s, int column) {
    return oc_json_text((const char *)sqlite3_column_text(s, column));
}

static json_t *number_of(sqlite3_stmt *s, int column) {
    bool null = sqlite3_column_type(s, column) == SQLITE_NULL;
    return null ? json_null() : oc_json_real(sqlite3_column_double(s, column));
}

/* What we wrote as JSON; an empty list where a damaged file has something else. */
static json_t *list_of(sqlite3_stmt *s, int column) {
    const char *text = (const char *)sqlite3_column_text(s, column);
    json_t *value = NULL;
    if (text == NULL || oc_json_parse(text, strlen(text), "a list", &value, NULL) != OC_OK)
        return json_array();
    if (json_is_array(value)) return value;
    json_decref(value);
    return json_array();
}

static json_t *photo_urls(sqlite3_stmt *s) {
    const char *id = (const char *)sqlite3_column_text(s, ID);
    json_t *urls = json_array();
    for (int n = 0; urls != NULL && n < sqlite3_column_int(s, PHOTOS); n++)
        (void)json_array_append_new(
            urls, json_sprintf("/v1/observations/%s/photos/%d", id != NULL ? id : "", n));
    return urls;
}

static json_t *row_json(sqlite3_stmt *s) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:o, s:o}",
                     "id", text_of(s, ID), "created", text_of(s, CREATED), "model",
                     text_of(s, MODEL), "status", text_of(s, STATUS), "label", text_of(s, LABEL),
                     "suggested", text_of(s, SUGGESTED), "results", list_of(s, RESULTS), "unknown",
                     sqlite3_column_int(s, UNKNOWN), "lat", number_of(s, LAT), "lon",
                     number_of(s, LON), "date", text_of(s, DATE), "organs", list_of(s, ORGANS),
                     "note", text_of(s, NOTE), "lang", text_of(s, LANG), "photos", photo_urls(s),
                     "reviewer", text_of(s, REVIEWER), "reviewed", text_of(s, REVIEWED),
                     "review_note", text_of(s, REVIEW_NOTE));
}

static oc_status read_one(oci_db *db, const char *id, json_t **out, oc_error *err) {
    sqlite3_stmt *s = NULL;
    bool row = false;
    OC_TRY(oci_db_prepare(db, COLUMNS " WHERE id = ?1", &s, err));
    oci_db_bind_text(s, 1, id);
    oc_status status = oci_db_step(db, s, &row, err);
    if (row && (*out = row_json(s)) == NULL) status = oc_fail_nomem(err, 0, "an observation");
    if (status == OC_OK && !row)
        status = oc_fail(err, OC_ENOTFOUND, "there is no observation %.64s", id);
    (void)sqlite3_finalize(s);
    return status;
}

oc_status oci_kept_get(oci_db *db, const char *id, json_t **out, oc_error *err) {
    *out = NULL;
    OC_TRY(oci_db_begin(db, false, err));
    oc_status status = oci_db_end(db, read_one(db, id, out, err), err);
    if (status != OC_OK && *out != NULL) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

/* ---- pages ------------------------------------------------------------------------------------
 */

/* Where a page begins: behind this place. */
typedef struct place {
    double p;
    int64_t seq;
} place;

/* "17" in lists, "0.25_17" in the queue. */
static oc_status read_cursor(const oci_listing *l, place *out, oc_error *err) {
    char number[64];
    const char *text = l->after, *seq = text;
    bool good = true;
    *out = l->queue ? (place){-1, 0} : (place){0, INT64_MAX};
    if (text == NULL) return OC_OK;
    if (l->queue) {
        size_t size = strcspn(text, "_");
        (void)snprintf(number, sizeof number, "%.*s", (int)(size < 63 ? size : 63), text);
        seq = text[size] == '_' ? text + size + 1 : "";
        good = oc_parse_f64(number, 0, 1, &out->p);
    }
    if (good && oc_parse_i64(seq, 0, INT64_MAX, &out->seq)) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "after \"%.50s\": take the \"next\" that the page before ended with", text);
}

static json_t *cursor_of(const oci_listing *l, place at) {
    return l->queue ? json_sprintf("%.17g_%" PRId64, at.p, at.seq)
                    : json_sprintf("%" PRId64, at.seq);
}

/* The words come from here alone, so that each case finds its index. */
static const char *sql_of(const oci_listing *l) {
    if (l->queue)
        return COLUMNS " WHERE status = 'pending' AND (p, seq) > (?1, ?2) ORDER BY p, seq LIMIT ?3";
    if (l->status != NULL && l->label != NULL)
        return COLUMNS " WHERE seq < ?2 AND status = ?4 AND COALESCE(label, top) = ?5"
                       " ORDER BY seq DESC LIMIT ?3";
    if (l->status != NULL)
        return COLUMNS " WHERE seq < ?2 AND status = ?4 ORDER BY seq DESC LIMIT ?3";
    if (l->label != NULL)
        return COLUMNS " WHERE seq < ?2 AND COALESCE(label, top) = ?5 ORDER BY seq DESC LIMIT ?3";
    return COLUMNS " WHERE seq < ?2 ORDER BY seq DESC LIMIT ?3";
}

static void bind_page(sqlite3_stmt *s, const oci_listing *l, place from) {
    if (l->queue) (void)sqlite3_bind_double(s, 1, from.p);
    (void)sqlite3_bind_int64(s, 2, from.seq);
    (void)sqlite3_bind_int(s, 3, l->limit + 1);
    if (l->status != NULL) oci_db_bind_text(s, 4, l->status);
    if (l->label != NULL) oci_db_bind_text(s, 5, l->label);
}

/* One row more than asked for is looked for: it says that there is another page. */
static oc_status read_page(oci_db *db, const oci_listing *l, place *at, json_t *rows, bool *more,
                           oc_error *err) {
    oc_status status = OC_OK;
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db, sql_of(l), &s, err));
    bind_page(s, l, *at);
    for (int i = 0;; i++) {
        bool row = false;
        OC_GOTO(oci_db_step(db, s, &row, err));
        *more = row && i == l->limit;
        if (!row || *more) break;
        *at = (place){sqlite3_column_double(s, P), sqlite3_column_int64(s, SEQ)};
        if (json_array_append_new(rows, row_json(s)) != 0)
            OC_GOTO(oc_fail_nomem(err, 0, "a page of observations"));
    }
done:
    (void)sqlite3_finalize(s);
    return status;
}

oc_status oci_kept_list(oci_db *db, const oci_listing *l, json_t **out, oc_error *err) {
    place at = {0, 0};
    bool more = false;
    *out = NULL;
    OC_TRY(read_cursor(l, &at, err));
    json_t *rows = json_array();
    if (rows == NULL) return oc_fail_nomem(err, 0, "a page of observations");
    oc_status status = oci_db_begin(db, false, err);
    if (status == OC_OK) status = oci_db_end(db, read_page(db, l, &at, rows, &more, err), err);
    if (status == OC_OK) {
        *out = json_pack("{s:O, s:o}", "observations", rows, "next",
                         more ? cursor_of(l, at) : json_null());
        if (*out == NULL) status = oc_fail_nomem(err, 0, "a page of observations");
    }
    json_decref(rows);
    return status;
}
