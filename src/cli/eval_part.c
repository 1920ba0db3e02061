/* Chooses the photos that an evaluation scores, and makes again the split that a training made.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "eval_part_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the model's record says about the split of its training data. */
typedef struct record {
    bool same_data; /* this data set is the one that the model was trained on */
    bool has_split; /* the training held out `fraction` of each class by `seed` */
    double fraction;
    uint64_t seed;
} record;

static record read_record(const oc_dataset *ds, const oc_model *model) {
    record out = {0};
    char digest[24];
    snprintf(digest, sizeof digest, "%016" PRIx64, oc_dataset_digest(ds));
    const json_t *origin = model->origin;
    const char *theirs = json_string_value(json_object_get(origin, "data_digest"));
    out.same_data = theirs && strcmp(theirs, digest) == 0;
    const json_t *split = json_object_get(origin, "split");
    const json_t *seed = json_object_get(origin, "seed");
    out.fraction = json_number_value(split);
    out.seed = (uint64_t)json_integer_value(seed);
    out.has_split = !oc_json_has(origin, "val") && json_is_number(split) && json_is_integer(seed) &&
                    out.fraction > 0 && out.fraction < 1;
    return out;
}

static size_t count_part(const oc_dataset *ds, oc_part part) {
    size_t found = 0;
    for (size_t i = 0; i < oc_dataset_count(ds); i++)
        found += oc_dataset_item(ds, i)->part == part && !oc_dataset_item(ds, i)->rejected;
    return found;
}

static oc_status take_all(const oc_dataset *ds, uint32_t **items, size_t *count, oc_error *err) {
    size_t total = oc_dataset_count(ds), found = 0;
    uint32_t *all = oc_calloc(total, sizeof *all);
    if (!all) return oc_fail_nomem(err, total * sizeof *all, "the list of photos");
    for (size_t i = 0; i < total; i++)
        if (!oc_dataset_item(ds, i)->rejected) all[found++] = (uint32_t)i;
    *items = all;
    *count = found;
    return OC_OK;
}

static size_t count_seen(const oc_dataset *ds, const oc_model *model, const uint32_t *items,
                         size_t count) {
    size_t seen = 0;
    for (size_t i = 0; i < count; i++)
        seen += oc_model_has_seen(model, oc_dataset_item(ds, items[i])->print);
    return seen;
}

/* Takes what the model was trained on out of the list. */
static void leave_out_seen(const oc_dataset *ds, const oc_model *model, uint32_t *items,
                           size_t *count) {
    size_t fresh = 0;
    for (size_t i = 0; i < *count; i++)
        if (!oc_model_has_seen(model, oc_dataset_item(ds, items[i])->print))
            items[fresh++] = items[i];
    *count = fresh;
}

/* What the scores are worth, when some of the photos are not new to the model. */
static void tell_seen(size_t seen, size_t count, bool left_out, oc_buf *words) {
    if (seen == 0) return;
    if (left_out)
        oc_buf_printf(words, "; %zu more were trained on and are left out (--part all takes them)",
                      seen);
    else
        oc_buf_printf(
            words,
            "; the model was trained on %s%zu of them, which makes the scores look better "
            "than they are",
            seen == count ? "all " : "", seen);
}

static oc_status missing(const oc_dataset *ds, const char *part, const record *r, oc_error *err) {
    const char *source = oc_dataset_source(ds);
    if (!r->same_data)
        return oc_fail(err, OC_EDATA,
                       "%s has no %s part, and is not the data that the model was trained on, so "
                       "that the split of the training cannot be made again; try --part all",
                       source, part);
    return oc_fail(err, OC_EDATA, "%s has no %s part; try --part all", source, part);
}

/* The part to score: OC_PART_NONE for all. */
static oc_part resolve(const oc_dataset *ds, int want) {
    static const oc_part part[] = {OC_PART_TRAIN, OC_PART_VAL, OC_PART_TEST, OC_PART_NONE};
    if (want >= 0) return part[want];
    if (count_part(ds, OC_PART_TEST)) return OC_PART_TEST;
    if (count_part(ds, OC_PART_VAL)) return OC_PART_VAL;
    return OC_PART_NONE;
}

oc_status oci_eval_choose(oc_dataset *ds, const oc_model *model, int want, uint32_t **items,
                          size_t *count, oc_buf *words, oc_error *err) {
    static const char *const name[] = {"whole", "train", "validation", "test"};
    const record r = read_record(ds, model);
    const char *source = oc_dataset_source(ds);
    bool split = false;
    if (want != OCI_WANT_ALL && r.same_data && r.has_split && !count_part(ds, OC_PART_VAL)) {
        OC_TRY(oc_dataset_split(ds, r.fraction, r.seed, err));
        split = true;
    }
    oc_part part = resolve(ds, want);
    if (part == OC_PART_NONE)
        OC_TRY(take_all(ds, items, count, err));
    else
        OC_TRY(oc_dataset_part(ds, part, items, count, err));
    if (*count == 0) {
        oc_free(*items);
        *items = NULL;
        return missing(ds, name[part], &r, err);
    }
    size_t all = *count, seen = count_seen(ds, model, *items, *count);
    bool left_out = part == OC_PART_NONE && want != OCI_WANT_ALL && seen > 0 && seen < all;
    if (left_out) leave_out_seen(ds, model, *items, count);
    if (split && part == OC_PART_VAL)
        oc_buf_printf(words,
                      "%s is what the model was trained on: scoring the %zu photos that were held "
                      "out (%g %% of each class by seed %" PRIu64 ")",
                      source, *count, 100 * r.fraction, r.seed);
    else if (part == OC_PART_NONE)
        oc_buf_printf(words, "scoring %s%zu photos of %s", left_out ? "" : "all ", *count, source);
    else
        oc_buf_printf(words, "scoring the %s part of %s: %zu photos", name[part], source, *count);
    if (part != OC_PART_TRAIN) tell_seen(seen, all, left_out, words);
    return OC_OK;
}
