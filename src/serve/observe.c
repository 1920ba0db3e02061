/* Observations over HTTP: lists, one, its photos, taking one back.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/kept_int.h"
#include "serve/server_int.h"

enum { DEFAULT_LIMIT = 50, MAX_LIMIT = 200 };

bool oci_keeps(oci_exchange *x) {
    if (x->server->db != NULL) return true;
    (void)oci_refuse(x, 404, "this server keeps no observations: start the server with --db FILE");
    return false;
}

static const char *given(const oci_exchange *x, const char *key) {
    const char *value = oci_query(x, key);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* What only some may see is not for caches between. */
static oc_status answer_private(oci_exchange *x, json_t *value, oc_error *err) {
    oci_answer_header(x, "Cache-Control", "no-store");
    return oci_answer_json(x, 200, value, err);
}

/* ---- lists ------------------------------------------------------------------------------------
 */

static oc_status answer_list(oci_exchange *x, oci_listing *listing, oc_error *err) {
    const char *limit = given(x, "limit");
    int64_t number = DEFAULT_LIMIT;
    json_t *page = NULL;
    if (limit != NULL && !oc_parse_i64(limit, 1, MAX_LIMIT, &number))
        return oc_fail(err, OC_EUSAGE, "limit \"%.50s\": a number from 1 to %d", limit, MAX_LIMIT);
    listing->limit = (int)number;
    listing->after = given(x, "after");
    OC_TRY(oci_kept_list(x->server->reader, listing, &page, err));
    return answer_private(x, page, err);
}

oc_status oci_run_observations(oci_exchange *x, oc_error *err) {
    oci_listing listing = {.status = given(x, "status"), .label = given(x, "label")};
    oci_standing standing = OCI_PENDING;
    if (!oci_keeps(x)) return OC_OK;
    if (listing.status != NULL && !oci_standing_parse(listing.status, &standing))
        return oc_fail(err, OC_EUSAGE,
                       "status \"%.50s\": pending, confirmed, corrected or rejected",
                       listing.status);
    return answer_list(x, &listing, err);
}

oc_status oci_run_review_queue(oci_exchange *x, oc_error *err) {
    oci_listing listing = {.queue = true};
    return oci_keeps(x) ? answer_list(x, &listing, err) : OC_OK;
}

/* ---- one --------------------------------------------------------------------------------------
 */

oc_status oci_run_observation(oci_exchange *x, oc_error *err) {
    json_t *one = NULL;
    if (!oci_keeps(x)) return OC_OK;
    OC_TRY(oci_kept_get(x->server->reader, x->arg[0], &one, err));
    return answer_private(x, one, err);
}

oc_status oci_run_observation_photo(oci_exchange *x, oc_error *err) {
    int64_t n = 0;
    if (!oci_keeps(x)) return OC_OK;
    if (!oc_parse_i64(x->arg[1], 0, INT32_MAX, &n))
        return oci_refuse(x, 404, "there is no photo \"%.50s\" of it", x->arg[1]);
    OC_TRY(oci_kept_photo(x->server->reader, x->arg[0], n, &x->answer, &x->answer_type, err));
    oci_answer_header(x, "Cache-Control", "private, max-age=300");
    x->status = 200;
    return OC_OK;
}

static oc_status take_back(oci_exchange *x, oc_error *err) {
    const char *token = oci_header_in(x, "X-Delete-Token");
    oci_digest digest = {{0}};
    bool allowed = false;
    const bool expert = x->role >= OCI_EXPERT;
    if (token == NULL && !expert)
        return oci_refuse(x, 403,
                          "send the X-Delete-Token that you were given, or an expert's key");
    if (token != NULL) OC_TRY(oci_digest_of(token, strlen(token), &digest, err));
    OC_TRY(oci_kept_remove(x->server->db, x->arg[0], expert ? NULL : &digest, &allowed, err));
    if (!allowed)
        return oci_refuse(x, 403, "the X-Delete-Token is not the one of this observation");
    oci_metrics_count(x->server->metrics, OCI_COUNT_REMOVED, 1);
    return oci_answer_text(x, 204, NULL, "", 0, err);
}

oc_status oci_run_observation_delete(oci_exchange *x, oc_error *err) {
    (void)err;
    if (oci_keeps(x)) oci_aside(x, x->server->scribe, take_back, NULL);
    return OC_OK;
}
