/* The evaluation as one JSON object, for programs and for metrics.json.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "eval/eval_int.h"

/* Member `key` of o, or the next entry of an array when key is NULL; takes value over. Text that is
 * no UTF-8 has no place in JSON: json_string gave NULL for it. */
static oc_status put(json_t *o, const char *key, json_t *value, oc_error *err) {
    int rc = key != NULL ? json_object_set_new(o, key, value) : json_array_append_new(o, value);
    if (rc == 0) return OC_OK;
    return oc_fail(err, OC_ENOMEM, "out of memory for \"%s\" of the metrics",
                   key != NULL ? key : "an entry");
}

/* Paths may hold any bytes: what is not UTF-8 becomes '?'. */
static json_t *text(const char *bytes) {
    json_t *plain = json_string(bytes);
    if (plain != NULL) return plain;
    char *copy = oc_strdup(bytes);
    if (copy == NULL) return NULL;
    for (char *p = copy; *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80) *p = '?';
    }
    plain = json_string(copy);
    oc_free(copy);
    return plain;
}

static oc_status put_numbers(json_t *o, const oc_score *s, oc_error *err) {
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"accuracy", s->accuracy},
                   {"top5", s->top5},
                   {"nll", s->nll},
                   {"macro_precision", s->macro_precision},
                   {"macro_recall", s->macro_recall},
                   {"macro_f1", s->macro_f1},
                   {"f1a", s->f1a},
                   {"ece", s->ece}};
    OC_TRY(put(o, "n", json_integer((json_int_t)s->n), err));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        OC_TRY(put(o, numbers[i].key, oc_json_real(numbers[i].value), err));
    }
    json_t *interval = json_array();
    OC_TRY(put(o, "accuracy_interval", interval, err));
    OC_TRY(put(interval, NULL, oc_json_real(s->accuracy_low), err));
    return put(interval, NULL, oc_json_real(s->accuracy_high), err);
}

/* What a threshold does to the answers; nothing where they were not kept. */
static oc_status put_sure(json_t *o, const oc_eval *e, double threshold, oc_error *err) {
    if (!(threshold > 0) || e->predictions == NULL) return OC_OK;
    oc_sure sure = oc_eval_sure(e, threshold);
    double accuracy = sure.n > 0 ? (double)sure.correct / (double)sure.n : 0;
    OC_TRY(put(o, "threshold", oc_json_real(threshold), err));
    OC_TRY(put(o, "sure_share", oc_json_real((double)sure.n / (double)e->score.n), err));
    return put(o, "sure_accuracy", oc_json_real(accuracy), err);
}

static oc_status put_class(json_t *array, const oc_class *class, const oc_class_score *s,
                           oc_error *err) {
    json_t *o = json_object();
    OC_TRY(put(array, NULL, o, err));
    OC_TRY(put(o, "label", text(class->label), err));
    if (class->display != NULL) OC_TRY(put(o, "display", text(class->display), err));
    OC_TRY(put(o, "n", json_integer((json_int_t)s->n), err));
    OC_TRY(put(o, "predicted", json_integer((json_int_t)s->predicted), err));
    OC_TRY(put(o, "correct", json_integer((json_int_t)s->correct), err));
    OC_TRY(put(o, "precision", oc_json_real(s->precision), err));
    OC_TRY(put(o, "recall", oc_json_real(s->recall), err));
    return put(o, "f1", oc_json_real(s->f1), err);
}

static oc_status put_classes(json_t *o, const oc_score *s, const oc_classes *classes,
                             oc_error *err) {
    json_t *per_class = json_array(), *labels = NULL;
    OC_TRY(put(o, "per_class", per_class, err));
    labels = json_array();
    OC_TRY(put(o, "labels", labels, err));
    for (size_t c = 0; c < s->classes; c++) {
        OC_TRY(put_class(per_class, &classes->items[c], &s->per_class[c], err));
        OC_TRY(put(labels, NULL, text(classes->items[c].label), err));
    }
    return OC_OK;
}

static oc_status put_confusion(json_t *o, const oc_score *s, oc_error *err) {
    if (s->confusion == NULL) return put(o, "confusion", json_null(), err);
    json_t *rows = json_array();
    OC_TRY(put(o, "confusion", rows, err));
    for (size_t r = 0; r < s->classes; r++) {
        json_t *row = json_array();
        OC_TRY(put(rows, NULL, row, err));
        for (size_t c = 0; c < s->classes; c++) {
            OC_TRY(put(row, NULL, json_integer(s->confusion[r * s->classes + c]), err));
        }
    }
    return OC_OK;
}

static oc_status put_rejected(json_t *o, const oc_dataset *ds, oc_error *err) {
    json_t *array = json_array();
    OC_TRY(put(o, "rejected", array, err));
    for (size_t i = 0; i < oc_dataset_reject_count(ds); i++) {
        const oc_reject *reject = oc_dataset_rejected(ds, i);
        json_t *entry = json_object();
        OC_TRY(put(array, NULL, entry, err));
        OC_TRY(put(entry, "image", text(reject->path), err));
        OC_TRY(put(entry, "reason", text(reject->reason), err));
    }
    return OC_OK;
}

static oc_status put_all(json_t *o, const oc_eval *e, const oc_model *model, const oc_dataset *ds,
                         oc_error *err) {
    OC_TRY(put_numbers(o, &e->score, err));
    OC_TRY(put_sure(o, e, model->threshold, err));
    OC_TRY(put_classes(o, &e->score, &model->classes, err));
    OC_TRY(put_confusion(o, &e->score, err));
    OC_TRY(put_rejected(o, ds, err));
    return put(o, "seconds", oc_json_real(e->seconds), err);
}

oc_status oc_eval_json(const oc_eval *e, const oc_model *model, const oc_dataset *ds, json_t **out,
                       oc_error *err) {
    json_t *o = json_object();
    *out = NULL;
    if (o == NULL) return oc_fail_nomem(err, 0, "the metrics");
    oc_status status = put_all(o, e, model, ds, err);
    if (status == OC_OK) {
        *out = o;
    } else {
        json_decref(o);
    }
    return status;
}
