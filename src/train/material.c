/* The data of a run: opened, looked into, and parted into what is trained on and what is judged on.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/train_int.h"

/* More of the files rejected than this share, and the run does not start. */
static const double MAX_REJECTED = 0.2;

void oci_material_clear(oci_material *m) {
    oc_free(m->train);
    oc_free(m->val);
    if (m->val_set != m->train_set) oc_dataset_free(m->val_set);
    oc_dataset_free(m->train_set);
    *m = (oci_material){0};
}

size_t oci_material_rejected(const oci_material *m) {
    size_t count = oc_dataset_reject_count(m->train_set);
    if (m->val_set != m->train_set) count += oc_dataset_reject_count(m->val_set);
    return count;
}

oc_status oci_material_open(oci_material *m, const oc_train_options *o, const oc_log *log,
                            oc_error *err) {
    oc_dataset_options options = o->dataset;
    options.log = log;
    options.known = o->net != NULL ? &o->net->classes : NULL;
    options.numbered = o->net != NULL;
    OC_TRY(oc_dataset_open(&m->train_set, o->data, &options, err));
    m->val_set = m->train_set;
    if (o->val == NULL) return OC_OK;
    options.known = oc_dataset_classes(m->train_set);
    if (o->net != NULL) options.root = o->val_root;
    oc_dataset *val = NULL;
    OC_TRY(oc_dataset_open(&val, o->val, &options, err));
    m->val_set = val;
    return OC_OK;
}

/* The commonest thing to know about rejects is what the first one was. */
static oc_status check_rejects(const oc_dataset *ds, bool allow, const oc_log *log, oc_error *err) {
    size_t rejected = oc_dataset_reject_count(ds), all = rejected;
    if (rejected == 0) return OC_OK;
    for (size_t i = 0; i < oc_dataset_count(ds); i++) all += !oc_dataset_item(ds, i)->rejected;
    const oc_reject *first = oc_dataset_rejected(ds, 0);
    double share = (double)rejected / (double)all;
    if (share > MAX_REJECTED && !allow) {
        return oc_fail(err, OC_EDATA,
                       "%s: %zu of %zu files rejected (%.0f %%, at most %.0f %%), the first %s: "
                       "%s; run `ocellus data` for all of them, or go on with --allow-rejects",
                       oc_dataset_source(ds), rejected, all, 100 * share, 100 * MAX_REJECTED,
                       first->path, first->reason);
    }
    size_t shown = rejected < 5 ? rejected : 5;
    for (size_t i = 0; i < shown; i++) {
        const oc_reject *r = oc_dataset_rejected(ds, i);
        oc_warn(log, "rejected %s: %s", r->path, r->reason);
    }
    if (rejected > shown) oc_warn(log, "... and %zu more rejected", rejected - shown);
    return OC_OK;
}

static oc_status look_into(oc_dataset *ds, const oc_train_options *o, const oci_settings *s,
                           const oc_log *log, oc_error *err) {
    oc_scan_options scan = {.threads = s->threads};
    oc_buf text = {0};
    oc_status status = OC_OK;
    OC_GOTO(oc_dataset_scan(ds, &scan, err));
    OC_GOTO(check_rejects(ds, o->allow_rejects, log, err));
    OC_GOTO(oc_dataset_summary(ds, &text, err));
    OC_GOTO(oc_buf_status(&text, err));
    oc_info(log, "%s: %s", oc_dataset_source(ds), text.data);
done:
    oc_buf_clear(&text);
    return status;
}

static bool wanted(const oc_item *item, oc_part part) {
    return !item->rejected && (item->part == part || item->part == OC_PART_NONE);
}

/* Items of `part` and those without one. */
static oc_status collect(const oc_dataset *ds, oc_part part, uint32_t **items, size_t *count,
                         oc_error *err) {
    size_t all = oc_dataset_count(ds), n = 0;
    uint32_t *list = oc_calloc(all, sizeof *list);
    if (list == NULL) return oc_fail_nomem(err, all * sizeof *list, "the list of images");
    for (size_t i = 0; i < all; i++) {
        if (wanted(oc_dataset_item(ds, i), part)) list[n++] = (uint32_t)i;
    }
    *items = list;
    *count = n;
    return OC_OK;
}

/* A validation set of its own: its val part where it has one, else all of it. */
static oc_status collect_val(oci_material *m, oc_error *err) {
    OC_TRY(oc_dataset_part(m->val_set, OC_PART_VAL, &m->val, &m->val_count, err));
    if (m->val_count > 0) return OC_OK;
    oc_free(m->val);
    m->val = NULL;
    OC_TRY(collect(m->val_set, OC_PART_TEST, &m->val, &m->val_count, err));
    if (m->val_count > 0) return OC_OK;
    oc_free(m->val);
    m->val = NULL;
    return collect(m->val_set, OC_PART_TRAIN, &m->val, &m->val_count, err);
}

static oc_status part(oci_material *m, const oci_settings *s, oc_error *err) {
    bool own_val = m->val_set != m->train_set;
    if (own_val || s->split < 0) {
        OC_TRY(collect(m->train_set, OC_PART_TRAIN, &m->train, &m->train_count, err));
        return own_val ? collect_val(m, err) : OC_OK;
    }
    OC_TRY(oc_dataset_split(m->train_set, s->split, s->seed, err));
    OC_TRY(oc_dataset_part(m->train_set, OC_PART_TRAIN, &m->train, &m->train_count, err));
    return oc_dataset_part(m->train_set, OC_PART_VAL, &m->val, &m->val_count, err);
}

/* A class whose files were all rejected, or that a file of names brings along. */
static oc_status warn_of_empty(const oci_material *m, const oc_log *log, oc_error *err) {
    const oc_classes *classes = oc_dataset_classes(m->train_set);
    size_t empty = 0, first = 0, *counts = oc_calloc(classes->count, sizeof *counts);
    if (counts == NULL) return oc_fail_nomem(err, classes->count * sizeof *counts, "counts");
    for (size_t i = 0; i < m->train_count; i++) {
        counts[oc_dataset_item(m->train_set, m->train[i])->label]++;
    }
    for (size_t k = classes->count; k-- > 0;) {
        if (counts[k] > 0) continue;
        empty++;
        first = k;
    }
    oc_free(counts);
    if (empty == 0) return OC_OK;
    oc_warn(log,
            "%zu of %zu classes have no image to train on, \"%s\" for one: the model will never "
            "name them; add images, or remove them",
            empty, classes->count, classes->items[first].label);
    return OC_OK;
}

static uint64_t digest_of(const oci_material *m) {
    uint64_t parts[4] = {oc_dataset_digest(m->train_set), oc_dataset_digest(m->val_set),
                         oc_hash64(m->train, m->train_count * sizeof *m->train, 0),
                         m->val_count > 0 ? oc_hash64(m->val, m->val_count * sizeof *m->val, 0)
                                          : 0};
    return oc_hash64(parts, sizeof parts, 0);
}

oc_status oci_material_sort(oci_material *m, const oc_train_options *o, const oci_settings *s,
                            const oc_log *log, oc_error *err) {
    OC_TRY(look_into(m->train_set, o, s, log, err));
    if (m->val_set != m->train_set) OC_TRY(look_into(m->val_set, o, s, log, err));
    OC_TRY(part(m, s, err));
    if (m->train_count == 0) {
        return oc_fail(err, OC_EDATA,
                       "%s: no image is left to train on (%zu rejected, %zu held out); add images, "
                       "or hold out fewer with --split",
                       oc_dataset_source(m->train_set), oci_material_rejected(m), m->val_count);
    }
    m->digest = digest_of(m);
    OC_TRY(warn_of_empty(m, log, err));
    oc_info(log, "training on %zu images, judging on %zu", m->train_count, m->val_count);
    if (m->val_count == 0) {
        oc_warn(log, "no image is held out, so the last epoch is kept, not the best; add images, "
                     "or give --val or --split");
    }
    return OC_OK;
}

/* The same photo on both sides makes the judgement worthless, and is easily overlooked. */
static void warn_of_leaks(const oci_material *m, const oc_model *model, const oc_log *log) {
    size_t leaked = 0;
    for (size_t i = 0; i < m->val_count; i++) {
        leaked += oc_model_has_seen(model, oc_dataset_item(m->val_set, m->val[i])->print);
    }
    if (leaked == 0) return;
    oc_warn(log,
            "%zu of the %zu held-out images are trained on too, as exact copies: the accuracy will "
            "look better than it is; `ocellus data` lists copies",
            leaked, m->val_count);
}

oc_status oci_material_remember(const oci_material *m, oc_model *model, const oc_log *log,
                                oc_error *err) {
    uint64_t *prints = oc_calloc(m->train_count, sizeof *prints);
    if (prints == NULL) {
        return oc_fail_nomem(err, m->train_count * sizeof *prints, "the list of images");
    }
    for (size_t i = 0; i < m->train_count; i++) {
        prints[i] = oc_dataset_item(m->train_set, m->train[i])->print;
    }
    oc_model_set_seen(model, prints, m->train_count);
    warn_of_leaks(m, model, log);
    return OC_OK;
}
