/* Making answers: JSON, text, problems, headers.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "serve/exchange_int.h"

#define PROBLEM_TYPE "application/problem+json"

/* The names of the statuses that we give (RFC 9110, 6585). */
static const char *title_of(int status) {
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {400, "Bad Request"},       {401, "Unauthorized"},           {403, "Forbidden"},
        {404, "Not Found"},         {405, "Method Not Allowed"},     {408, "Request Timeout"},
        {409, "Conflict"},          {411, "Length Required"},        {412, "Precondition Failed"},
        {413, "Content Too Large"}, {415, "Unsupported Media Type"}, {422, "Unprocessable Content"},
        {429, "Too Many Requests"}, {500, "Internal Server Error"},  {503, "Service Unavailable"}};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status) return titles[i].title;
    return "Error";
}

oc_status oci_answer_text(oci_exchange *x, int status, const char *type, const char *text,
                          size_t size, oc_error *err) {
    x->answer.size = 0;
    oc_buf_append(&x->answer, text, size);
    OC_TRY(oc_buf_status(&x->answer, err));
    x->status = status;
    x->answer_type = type;
    return OC_OK;
}

oc_status oci_answer_json(oci_exchange *x, int status, json_t *value, oc_error *err) {
    if (value == NULL) return oc_fail_nomem(err, 0, "an answer");
    x->answer.size = 0;
    oc_status failed = oc_json_append_digits(&x->answer, value, OC_JSON_DECIMAL, err);
    json_decref(value);
    OC_TRY(failed);
    oc_buf_puts(&x->answer, "\n");
    OC_TRY(oc_buf_status(&x->answer, err));
    x->status = status;
    x->answer_type = "application/json";
    return OC_OK;
}

json_t *oci_problem_json(int status, const char *code, const char *detail) {
    return json_pack("{s:s, s:s, s:i, s:o, s:s}", "type", "about:blank", "title", title_of(status),
                     "status", status, "detail", oc_json_text(detail), "code", code);
}

/* Clients of the Open Inference Protocol look for the words in "error". */
static json_t *problem_for(const oci_exchange *x, int status, const char *code,
                           const char *detail) {
    json_t *problem = oci_problem_json(status, code, detail);
    if (problem != NULL && x->route != NULL && oc_starts_with(x->route->pattern, "/v2"))
        (void)json_object_set_new(problem, "error", oc_json_text(detail));
    return problem;
}

void oci_answer_problem(oci_exchange *x, int status, const char *code, const char *detail) {
    oc_buf_clear(&x->answer);
    if (oci_answer_json(x, status, problem_for(x, status, code, detail), NULL) != OC_OK)
        oc_buf_clear(&x->answer);
    x->status = status;
    x->answer_type = PROBLEM_TYPE;
}

void oci_answer_error(oci_exchange *x, const oc_error *error) {
    int status = oc_status_http(error->status);
    oci_answer_problem(x, status, oc_status_name(error->status), error->message);
    if (status == 503) oci_retry_after(x, 1);
}

oc_status oci_refuse(oci_exchange *x, int status, const char *format, ...) {
    oc_error words = {0};
    char text[OC_ERROR_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)oc_fail(&words, OC_EUSAGE, "%s", text); /* control characters go, UTF-8 is kept whole */
    oci_answer_problem(x, status, title_of(status), words.message);
    return OC_OK;
}

void oci_answer_header(oci_exchange *x, const char *name, const char *value) {
    if (x->header_count == OCI_HEADERS) return;
    char *copy = oc_pool_strdup(x->pool, value);
    if (copy != NULL) x->headers[x->header_count++] = (oci_header){name, copy};
}

void oci_retry_after(oci_exchange *x, double seconds) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.0f", seconds > 1 ? ceil(seconds) : 1.0);
    oci_answer_header(x, "Retry-After", text);
}
