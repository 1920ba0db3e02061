/* Observations into the database and out of it, one at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/kept_int.h"

#include <string.h>

static const char *const standing_words[OCI_STANDINGS] = {
#define OCI_STANDING_WORD(name, word) word,
    OCI_STANDING_MAP(OCI_STANDING_WORD)
#undef OCI_STANDING_WORD
};

const char *oci_standing_name(oci_standing standing) {
    return standing_words[standing];
}

bool oci_standing_parse(const char *word, oci_standing *out) {
    for (int i = 0; i < OCI_STANDINGS; i++) {
        if (strcmp(standing_words[i], word) != 0) continue;
        *out = (oci_standing)i;
        return true;
    }
    return false;
}

/* ---- in ---------------------------------------------------------------------------------------
 */

static void bind_place(sqlite3_stmt *s, int at, const oci_observation *o) {
    if (!o->placed) return; /* what is not bound is NULL */
    (void)sqlite3_bind_double(s, at, o->lat);
    (void)sqlite3_bind_double(s, at + 1, o->lon);
}

static void bind_digest(sqlite3_stmt *s, int at, const oci_digest *digest) {
    if (digest == NULL) return;
    (void)sqlite3_bind_blob(s, at, digest->bytes, OCI_DIGEST_BYTES, SQLITE_STATIC);
}

static oc_status put_row(oci_db *db, const oci_observation *o, oc_error *err) {
    static const char sql[] =
        "INSERT INTO observations(id, created, model, status, top, p, results, unknown, suggested,"
        " lat, lon, date, organs, note, lang, token, key, content) VALUES(?1, ?2, ?3, 'pending',"
        " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    char now[32];
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db, sql, &s, err));
    oci_db_bind_text(s, 1, o->id);
    oci_db_bind_text(s, 2, oc_clock_utc(now));
    oci_db_bind_text(s, 3, o->model);
    oci_db_bind_text(s, 4, o->top);
    (void)sqlite3_bind_double(s, 5, o->p);
    oci_db_bind_text(s, 6, o->results);
    (void)sqlite3_bind_int(s, 7, o->unknown);
    oci_db_bind_text(s, 8, o->suggested);
    bind_place(s, 9, o);
    oci_db_bind_text(s, 11, o->date);
    oci_db_bind_text(s, 12, o->organs);
    oci_db_bind_text(s, 13, o->note);
    oci_db_bind_text(s, 14, o->lang);
    bind_digest(s, 15, &o->token);
    bind_digest(s, 16, o->key);
    bind_digest(s, 17, &o->content);
    return oci_db_run(db, s, err);
}

static oc_status put_photo(oci_db *db, int64_t seq, int n, const oci_photo_bytes *photo,
                           oc_error *err) {
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db, "INSERT INTO photos VALUES(?1, ?2, ?3, ?4)", &s, err));
    (void)sqlite3_bind_int64(s, 1, seq);
    (void)sqlite3_bind_int(s, 2, n);
    oci_db_bind_text(s, 3, photo->type);
    (void)sqlite3_bind_blob64(s, 4, photo->bytes, photo->size, SQLITE_STATIC);
    return oci_db_run(db, s, err);
}

static oc_status put_whole(oci_db *db, const oci_observation *o, oc_error *err) {
    OC_TRY(put_row(db, o, err));
    int64_t seq = oci_db_last_row(db);
    for (size_t i = 0; i < o->photo_count; i++)
        OC_TRY(put_photo(db, seq, (int)i, &o->photos[i], err));
    return OC_OK;
}

/* id: of the one that is there under this key, or "". */
static oc_status find_key(oci_db *db, const oci_observation *o, char id[OCI_TOKEN_BYTES],
                          oc_error *err) {
    sqlite3_stmt *s = NULL;
    bool row = false;
    *id = '\0';
    if (o->key == NULL) return OC_OK;
    OC_TRY(oci_db_prepare(db,
                          "SELECT id, content = ?2 FROM observations WHERE key = ?1"
                          " UNION ALL SELECT NULL, 0 FROM gone WHERE key = ?1",
                          &s, err));
    bind_digest(s, 1, o->key);
    bind_digest(s, 2, &o->content);
    oc_status status = oci_db_step(db, s, &row, err);
    const char *there = row ? (const char *)sqlite3_column_text(s, 0) : NULL;
    if (there != NULL) (void)snprintf(id, OCI_TOKEN_BYTES, "%s", there);
    if (row && there == NULL)
        status = oc_fail(err, OC_EMISMATCH,
                         "the observation of this Idempotency-Key was taken back: make a new one");
    else if (row && !sqlite3_column_int(s, 1))
        status = oc_fail(err, OC_EMISMATCH,
                         "this Idempotency-Key came with other photos or words before: make a new "
                         "one for each observation");
    (void)sqlite3_finalize(s);
    return status;
}

oc_status oci_kept_put(oci_db *db, const oci_observation *o, char id[OCI_TOKEN_BYTES],
                       oc_error *err) {
    OC_TRY(oci_db_begin(db, true, err));
    oc_status status = find_key(db, o, id, err);
    if (status == OC_OK && *id == '\0') {
        (void)snprintf(id, OCI_TOKEN_BYTES, "%s", o->id);
        status = put_whole(db, o, err);
    }
    return oci_db_end(db, status, err);
}

/* ---- out --------------------------------------------------------------------------------------
 */

static oc_status fail_not_there(const char *id, oc_error *err) {
    return oc_fail(err, OC_ENOTFOUND, "there is no observation %.64s", id);
}

/* Types as we have put them: text from the file is not sent as a header. */
static const char *known_type(const char *text) {
    static const char *const types[] = {"image/jpeg", "image/png", "image/webp"};
    for (size_t i = 0; text != NULL && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i], text) == 0) return types[i];
    return "application/octet-stream";
}

static oc_status read_photo(oci_db *db, const char *id, int64_t n, oc_buf *out, const char **type,
                            oc_error *err) {
    static const char sql[] =
        "SELECT type, bytes FROM photos JOIN observations ON seq = observation"
        " WHERE id = ?1 AND n = ?2";
    sqlite3_stmt *s = NULL;
    bool row = false;
    OC_TRY(oci_db_prepare(db, sql, &s, err));
    oci_db_bind_text(s, 1, id);
    (void)sqlite3_bind_int64(s, 2, n);
    oc_status status = oci_db_step(db, s, &row, err);
    if (row) {
        *type = known_type((const char *)sqlite3_column_text(s, 0));
        oc_buf_append(out, sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1));
        status = oc_buf_status(out, err);
    } else if (status == OC_OK) {
        status = oc_fail(err, OC_ENOTFOUND, "there is no photo %lld of an observation %.64s",
                         (long long)n, id);
    }
    (void)sqlite3_finalize(s);
    return status;
}

oc_status oci_kept_photo(oci_db *db, const char *id, int64_t n, oc_buf *out, const char **type,
                         oc_error *err) {
    OC_TRY(oci_db_begin(db, false, err));
    return oci_db_end(db, read_photo(db, id, n, out, type, err), err);
}

/* ---- away -------------------------------------------------------------------------------------
 */

static oc_status read_token(oci_db *db, const char *id, oci_digest *out, oc_error *err) {
    sqlite3_stmt *s = NULL;
    bool row = false;
    OC_TRY(oci_db_prepare(db, "SELECT token FROM observations WHERE id = ?1", &s, err));
    oci_db_bind_text(s, 1, id);
    oc_status status = oci_db_step(db, s, &row, err);
    if (status == OC_OK && !row) status = fail_not_there(id, err);
    if (row && sqlite3_column_bytes(s, 0) == OCI_DIGEST_BYTES)
        memcpy(out->bytes, sqlite3_column_blob(s, 0), OCI_DIGEST_BYTES);
    else if (row)
        status = oc_fail(err, OC_EFORMAT, "observation %.64s has a damaged token", id);
    (void)sqlite3_finalize(s);
    return status;
}

/* What was taken back does not come again with a request that is late. */
static oc_status note_gone(oci_db *db, const char *id, oc_error *err) {
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db,
                          "INSERT INTO gone SELECT key, date('now') FROM observations"
                          " WHERE id = ?1 AND key IS NOT NULL",
                          &s, err));
    oci_db_bind_text(s, 1, id);
    return oci_db_run(db, s, err);
}

static oc_status remove_row(oci_db *db, const char *id, oc_error *err) {
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db, "DELETE FROM observations WHERE id = ?1", &s, err));
    oci_db_bind_text(s, 1, id);
    return oci_db_run(db, s, err);
}

oc_status oci_kept_remove(oci_db *db, const char *id, const oci_digest *token, bool *allowed,
                          oc_error *err) {
    oci_digest stored = {{0}};
    OC_TRY(oci_db_begin(db, true, err));
    oc_status status = read_token(db, id, &stored, err);
    *allowed = token == NULL || oci_digest_same(token, &stored);
    if (status == OC_OK && *allowed) status = note_gone(db, id, err);
    if (status == OC_OK && *allowed) status = remove_row(db, id, err);
    return oci_db_end(db, status, err);
}

/* Up to `most` seqs of what is old and stands for nothing. */
static oc_status find_old(oci_db *db, int days, int most, int64_t seqs[], int *count,
                          oc_error *err) {
    static const char sql[] = "SELECT seq FROM observations WHERE status IN ('pending', 'rejected')"
                              " AND created < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?1) LIMIT ?2";
    char age[32];
    bool row = true;
    sqlite3_stmt *s = NULL;
    (void)snprintf(age, sizeof age, "-%d days", days);
    OC_TRY(oci_db_prepare(db, sql, &s, err));
    oci_db_bind_text(s, 1, age);
    (void)sqlite3_bind_int(s, 2, most);
    oc_status status = oci_db_step(db, s, &row, err);
    for (*count = 0; row && *count < most; status = oci_db_step(db, s, &row, err))
        seqs[(*count)++] = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    return status;
}

/* One a statement: SQLite sets aside what a statement over many has changed so far. */
static oc_status remove_seq(oci_db *db, int64_t seq, oc_error *err) {
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db, "DELETE FROM observations WHERE seq = ?1", &s, err));
    (void)sqlite3_bind_int64(s, 1, seq);
    return oci_db_run(db, s, err);
}

static oc_status forget_gone(oci_db *db, oc_error *err) {
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db, "DELETE FROM gone WHERE day < date('now', '-30 days')", &s, err));
    return oci_db_run(db, s, err);
}

oc_status oci_kept_purge(oci_db *db, int days, int most, int64_t *removed, oc_error *err) {
    int64_t seqs[OCI_PURGE_MOST];
    int count = 0;
    *removed = 0;
    if (most > OCI_PURGE_MOST) most = OCI_PURGE_MOST;
    OC_TRY(oci_db_begin(db, true, err));
    oc_status status = find_old(db, days, most, seqs, &count, err);
    for (int i = 0; status == OC_OK && i < count; i++) status = remove_seq(db, seqs[i], err);
    if (status == OC_OK) status = forget_gone(db, err);
    OC_TRY(oci_db_end(db, status, err));
    *removed = count;
    return OC_OK;
}

/* ---- verdicts ---------------------------------------------------------------------------------
 */

static oc_status expect_seen(oci_db *db, const char *id, const char *seen, oc_error *err) {
    sqlite3_stmt *s = NULL;
    bool row = false;
    OC_TRY(oci_db_prepare(db, "SELECT status FROM observations WHERE id = ?1", &s, err));
    oci_db_bind_text(s, 1, id);
    oc_status status = oci_db_step(db, s, &row, err);
    if (status == OC_OK && !row) status = fail_not_there(id, err);
    const char *now = row ? (const char *)sqlite3_column_text(s, 0) : NULL;
    if (now != NULL && seen != NULL && strcmp(now, seen) != 0)
        status =
            oc_fail(err, OC_EMISMATCH,
                    "observation %.64s is %s by now, not %.50s: look at it again", id, now, seen);
    (void)sqlite3_finalize(s);
    return status;
}

static oc_status write_verdict(oci_db *db, const char *id, const oci_verdict *v, oc_error *err) {
    static const char sql[] =
        "UPDATE observations SET status = ?2, reviewer = ?4, reviewed = ?5, review_note = ?6,"
        " label = CASE ?2 WHEN 'confirmed' THEN top WHEN 'corrected' THEN ?3 END WHERE id = ?1";
    char now[32];
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db, sql, &s, err));
    oci_db_bind_text(s, 1, id);
    oci_db_bind_text(s, 2, oci_standing_name(v->standing));
    oci_db_bind_text(s, 3, v->label);
    oci_db_bind_text(s, 4, v->reviewer);
    oci_db_bind_text(s, 5, oc_clock_utc(now));
    oci_db_bind_text(s, 6, v->note);
    return oci_db_run(db, s, err);
}

/* Who changes a verdict does not wipe out the one before. */
static oc_status note_verdict(oci_db *db, const char *id, oc_error *err) {
    sqlite3_stmt *s = NULL;
    OC_TRY(oci_db_prepare(db,
                          "INSERT INTO verdicts SELECT seq, reviewed, reviewer, status, label,"
                          " review_note FROM observations WHERE id = ?1",
                          &s, err));
    oci_db_bind_text(s, 1, id);
    return oci_db_run(db, s, err);
}

oc_status oci_kept_judge(oci_db *db, const char *id, const oci_verdict *verdict, oc_error *err) {
    OC_TRY(oci_db_begin(db, true, err));
    oc_status status = expect_seen(db, id, verdict->seen, err);
    if (status == OC_OK) status = write_verdict(db, id, verdict, err);
    if (status == OC_OK) status = note_verdict(db, id, err);
    return oci_db_end(db, status, err);
}
