/* The held-out part: stratified by class, whole groups, by seed.
 *
 * Groups are visited in a seeded order. Each class needs its share of items held out; a group goes
 * to validation when that fills more of the needs of its classes than it overfills, and when every
 * class it touches keeps an item to train on. Without groups this gives exactly the share. Then a
 * class that got nothing, because its groups are large, gets the smallest group that it can spare.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/data_int.h"

typedef struct tally {
    uint32_t all, need, held; /* items of a class: to be split, wanted in VAL, in VAL so far */
    uint32_t here;            /* of the group that is looked at; 0 otherwise */
} tally;

typedef struct group {
    uint32_t first, count; /* in split.items */
    uint32_t lowest;       /* item */
} group;

typedef struct split {
    oc_dataset *ds;
    uint32_t *items; /* to be split, those of one group behind each other */
    size_t count;
    group *groups;
    uint32_t *order; /* of the groups */
    size_t group_count;
    tally *classes;
} split;

static bool takes_part(const oc_item *item) {
    return !item->rejected && (item->part == OC_PART_NONE || item->part == OC_PART_TRAIN);
}

/* ---- groups
 * -------------------------------------------------------------------------------------- */

typedef struct member {
    uint32_t group, item;
} member;

static int compare_members(const void *a, const void *b) {
    const member *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void fill_groups(split *s, const member *members) {
    for (uint32_t i = 0; i < s->count; i++) {
        s->items[i] = members[i].item;
        if (i == 0 || members[i].group != members[i - 1].group) {
            s->groups[s->group_count++] = (group){.first = i, .lowest = members[i].item};
        }
        s->groups[s->group_count - 1].count++;
    }
}

/* By their first items: the numbers of groups follow the order of the source's lines. */
static int compare_groups(const void *a, const void *b) {
    const group *x = a, *y = b;
    return (x->lowest > y->lowest) - (x->lowest < y->lowest);
}

static oc_status gather(split *s, oc_error *err) {
    const oc_dataset *ds = s->ds;
    oc_status status = OC_OK;
    member *members = oc_malloc(ds->count * sizeof *members);
    s->items = oc_malloc(ds->count * sizeof *s->items);
    s->groups = oc_calloc(ds->count, sizeof *s->groups);
    s->order = oc_malloc(ds->count * sizeof *s->order);
    s->classes = oc_calloc(ds->classes.count, sizeof *s->classes);
    if (members == NULL || s->items == NULL || s->groups == NULL || s->order == NULL ||
        s->classes == NULL) {
        status = oc_fail_nomem(err, ds->count * sizeof *members, "splitting the data");
        goto done;
    }
    for (uint32_t i = 0; i < ds->count; i++) {
        const oc_item *item = &ds->items[i].face;
        if (!takes_part(item)) continue;
        members[s->count++] = (member){item->group, i};
        s->classes[item->label].all++;
    }
    qsort(members, s->count, sizeof *members, compare_members);
    fill_groups(s, members);
    qsort(s->groups, s->group_count, sizeof *s->groups, compare_groups);
done:
    oc_free(members);
    return status;
}

static oc_item *item_at(const split *s, const group *g, uint32_t i) {
    return &s->ds->items[s->items[g->first + i]].face;
}

/* ---- choosing
 * ------------------------------------------------------------------------------------ */

static void set_needs(split *s, double fraction) {
    for (size_t c = 0; c < s->ds->classes.count; c++) {
        tally *t = &s->classes[c];
        if (t->all < 2 || fraction <= 0) continue;
        double want = rint(fraction * t->all);
        t->need = want < 1 ? 1 : want > t->all - 1 ? t->all - 1 : (uint32_t)want;
    }
}

/* Count the group's items by class, or forget them again. */
static void count_here(split *s, const group *g, bool forget) {
    for (uint32_t i = 0; i < g->count; i++) {
        tally *t = &s->classes[item_at(s, g, i)->label];
        t->here = forget ? 0 : t->here + 1;
    }
}

static bool leaves_training(const split *s, const group *g) {
    for (uint32_t i = 0; i < g->count; i++) {
        const tally *t = &s->classes[item_at(s, g, i)->label];
        if (t->held + t->here >= t->all) return false;
    }
    return true;
}

/* Items that fill a need minus items that overfill one. */
static int64_t gain_of(const split *s, const group *g) {
    int64_t gain = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        tally *t = &s->classes[item_at(s, g, i)->label];
        uint32_t open = t->need > t->held ? t->need - t->held : 0;
        uint32_t filled = t->here < open ? t->here : open;
        gain += 2 * (int64_t)filled - t->here;
        t->here = 0; /* each class is looked at once */
    }
    return gain;
}

static bool is_wanted(split *s, const group *g) {
    count_here(s, g, false);
    bool wanted = leaves_training(s, g) && gain_of(s, g) > 0;
    count_here(s, g, true);
    return wanted;
}

static void hold_out(split *s, const group *g) {
    for (uint32_t i = 0; i < g->count; i++) {
        oc_item *item = item_at(s, g, i);
        item->part = OC_PART_VAL;
        s->classes[item->label].held++;
    }
}

static bool is_held(const split *s, const group *g) {
    return item_at(s, g, 0)->part == OC_PART_VAL;
}

static bool helps_empty_class(const split *s, const group *g) {
    for (uint32_t i = 0; i < g->count; i++) {
        const tally *t = &s->classes[item_at(s, g, i)->label];
        if (t->need > 0 && t->held == 0) return true;
    }
    return false;
}

static bool can_spare(split *s, const group *g) {
    count_here(s, g, false);
    bool spare = leaves_training(s, g);
    count_here(s, g, true);
    return spare;
}

static int compare_sizes(const void *a, const void *b) {
    const group *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? -1 : 1;
    return compare_groups(a, b);
}

/* Smallest groups first; a class is served once. */
static void serve_empty_classes(split *s) {
    qsort(s->groups, s->group_count, sizeof *s->groups, compare_sizes);
    for (size_t i = 0; i < s->group_count; i++) {
        const group *g = &s->groups[i];
        if (!is_held(s, g) && helps_empty_class(s, g) && can_spare(s, g)) hold_out(s, g);
    }
}

static void choose(split *s, double fraction, uint64_t seed) {
    oc_rng rng;
    set_needs(s, fraction);
    for (size_t i = 0; i < s->group_count; i++) s->order[i] = (uint32_t)i;
    oc_rng_init(&rng, seed, OC_RNG_SPLIT, 0, 0);
    oc_rng_shuffle(&rng, s->order, s->group_count);
    for (size_t i = 0; i < s->count; i++) s->ds->items[s->items[i]].face.part = OC_PART_TRAIN;
    for (size_t i = 0; i < s->group_count; i++) {
        const group *g = &s->groups[s->order[i]];
        if (is_wanted(s, g)) hold_out(s, g);
    }
    serve_empty_classes(s);
}

static void warn_unserved(const split *s) {
    size_t count = 0, example = 0;
    for (size_t c = s->ds->classes.count; c-- > 0;) {
        if (s->classes[c].all == 0 || s->classes[c].held > 0) continue;
        count++;
        example = c;
    }
    if (count == 0) return;
    oc_warn(&s->ds->log,
            "%zu classes have too few images or groups to hold any out (first: %s, %u): they are "
            "trained on, not scored",
            count, s->ds->classes.items[example].label, s->classes[example].all);
}

/* ---- the whole
 * ----------------------------------------------------------------------------------- */

/* A source that brought a validation part is left as it is; what it gave no part is trained on. */
static bool brought_validation(oc_dataset *ds) {
    bool brought = false;
    for (size_t i = 0; i < ds->count && !brought; i++) {
        brought = ds->items[i].face.part == OC_PART_VAL;
    }
    for (size_t i = 0; i < ds->count && brought; i++) {
        oc_item *item = &ds->items[i].face;
        if (item->part == OC_PART_NONE && !item->rejected) item->part = OC_PART_TRAIN;
    }
    return brought;
}

oc_status oc_dataset_split(oc_dataset *ds, double fraction, uint64_t seed, oc_error *err) {
    if (!(fraction >= 0 && fraction < 1)) {
        return oc_fail(err, OC_EUSAGE, "split %g: the share to hold out is 0 to below 1, as 0.2",
                       fraction);
    }
    if (brought_validation(ds)) return OC_OK;
    split s = {.ds = ds};
    oc_status status = OC_OK;
    OC_GOTO(gather(&s, err));
    choose(&s, fraction, seed);
    if (fraction > 0) warn_unserved(&s);
done:
    oc_free(s.items);
    oc_free(s.groups);
    oc_free(s.order);
    oc_free(s.classes);
    return status;
}
