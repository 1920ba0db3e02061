/* An expert's verdict: POST /v1/observations/ID/review.
 *
 * It is to come as application/json, which a page of another site may send only when its origin is
 * allowed: a browser on the expert's machine cannot be made to judge in passing.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "serve/keep_int.h"
#include "serve/kept_int.h"
#include "serve/server_int.h"

/* A member that is a text, or not there, or null. */
static oc_status read_member(const json_t *o, const char *name, size_t most, bool lines,
                             const char **out, oc_error *err) {
    const json_t *value = json_object_get(o, name);
    *out = NULL;
    if (value == NULL || json_is_null(value)) return OC_OK;
    if (!json_is_string(value)) return oc_fail(err, OC_EUSAGE, "%s: a text is expected", name);
    if (*json_string_value(value) == '\0') return OC_OK;
    *out = json_string_value(value);
    return oci_check_text(name, *out, most, lines, err);
}

static oc_status standing_of(const char *verdict, oci_standing *out, oc_error *err) {
    static const struct {
        const char *word;
        oci_standing standing;
    } words[] = {{"confirm", OCI_CONFIRMED}, {"correct", OCI_CORRECTED}, {"reject", OCI_REJECTED}};
    for (size_t i = 0; verdict != NULL && i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, verdict) != 0) continue;
        *out = words[i].standing;
        return OC_OK;
    }
    return oc_fail(err, OC_EUSAGE, "verdict \"%.50s\": confirm, correct or reject",
                   verdict != NULL ? verdict : "");
}

/* Without regard to case and to the underscores of folders' names, which the page shows as blanks.
 */
static bool is_called(const char *a, const char *b) {
    for (; *a != '\0' || *b != '\0'; a++, b++) {
        int x = *a == '_' ? ' ' : tolower((unsigned char)*a);
        int y = *b == '_' ? ' ' : tolower((unsigned char)*b);
        if (x != y) return false;
    }
    return true;
}

/* The label of the class that an expert means, NULL where it is a new name: what differs in its
 * case alone would become a class of its own. On the exchange. */
static const char *known_label(const oci_exchange *x, const char *name) {
    oci_models *models = x->server->models;
    const char *found = NULL;
    for (size_t i = 0; found == NULL && i < oci_models_count(models); i++) {
        oci_served *s = oci_models_take_at(models, i);
        const oc_classes *classes = &s->model->classes;
        if (oc_classes_find(classes, name) >= 0) found = name; /* as it is, also beside a twin */
        for (size_t c = 0; found == NULL && c < classes->count; c++) {
            const oc_class *one = &classes->items[c];
            if (is_called(name, one->label) ||
                (one->display != NULL && is_called(name, one->display)))
                found = oc_pool_strdup(x->pool, one->label);
        }
        oci_models_give(models, s);
    }
    return found;
}

/* A name as it was typed becomes the class's label, or itself without blanks around it; NULL where
 * there is nothing else. */
static oc_status settle_label(const oci_exchange *x, const char **label, oc_error *err) {
    if (*label == NULL) return OC_OK;
    char *name = oc_pool_strdup(x->pool, *label + strspn(*label, " "));
    if (name == NULL) return oc_fail_nomem(err, 0, "a label");
    for (size_t size = strlen(name); size > 0 && name[size - 1] == ' '; size--) name[size - 1] = 0;
    const char *known = *name != '\0' ? known_label(x, name) : NULL;
    *label = known != NULL ? known : *name != '\0' ? name : NULL;
    return OC_OK;
}

static oc_status read_verdict(const oci_exchange *x, const json_t *o, oci_verdict *v,
                              oc_error *err) {
    enum { WORD_LETTERS = 20 };
    const char *verdict = NULL;
    OC_TRY(read_member(o, "verdict", WORD_LETTERS, false, &verdict, err));
    OC_TRY(read_member(o, "label", OCI_LABEL_LETTERS, false, &v->label, err));
    OC_TRY(read_member(o, "note", OCI_NOTE_LETTERS, true, &v->note, err));
    OC_TRY(read_member(o, "seen", WORD_LETTERS, false, &v->seen, err));
    OC_TRY(settle_label(x, &v->label, err));
    OC_TRY(standing_of(verdict, &v->standing, err));
    if (v->standing == OCI_CORRECTED && v->label == NULL)
        return oc_fail(err, OC_EUSAGE, "label: the right name is needed with \"correct\"");
    return OC_OK;
}

static oci_count count_of(oci_standing standing) {
    return standing == OCI_CONFIRMED   ? OCI_COUNT_CONFIRMED
           : standing == OCI_CORRECTED ? OCI_COUNT_CORRECTED
                                       : OCI_COUNT_REJECTED;
}

static oc_status judge(oci_exchange *x, const json_t *body, oc_error *err) {
    oci_verdict verdict = {.reviewer = x->who};
    json_t *one = NULL;
    OC_TRY(read_verdict(x, body, &verdict, err));
    OC_TRY(oci_kept_judge(x->server->db, x->arg[0], &verdict, err));
    oci_metrics_count(x->server->metrics, count_of(verdict.standing), 1);
    OC_TRY(oci_kept_get(x->server->reader, x->arg[0], &one, err));
    return oci_answer_json(x, 200, one, err);
}

static oc_status read_and_judge(oci_exchange *x, oc_error *err) {
    json_t *body = NULL;
    OC_TRY(oc_json_parse(x->body.data != NULL ? x->body.data : "", x->body.size, "the verdict",
                         &body, err));
    oc_status status = judge(x, body, err);
    json_decref(body);
    return status;
}

oc_status oci_run_review(oci_exchange *x, oc_error *err) {
    (void)err;
    if (!oci_keeps(x)) return OC_OK;
    if (x->type == NULL || strncasecmp(x->type, "application/json", 16) != 0)
        return oci_refuse(x, 415, "send the verdict as application/json");
    oci_aside(x, x->server->scribe, read_and_judge, NULL);
    return OC_OK;
}
