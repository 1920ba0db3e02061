/* From what a source found to a data set: fixed order, repeats dropped, groups numbered, classes
 * named.
 *
 * The order is that of the relative paths' bytes, so that neither the file system nor the place of
 * the data changes it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "data/data_int.h"

void oci_builder_clear(oci_builder *b) {
    oci_intern_clear(&b->labels);
    oci_intern_clear(&b->groups);
    oci_names_clear(&b->names);
}

oc_status oci_builder_add(oci_builder *b, const char *path, size_t rel, uint32_t label,
                          uint32_t group, oc_part part, oc_error *err) {
    oc_dataset *ds = b->ds;
    if (ds->count >= UINT32_MAX - 1) {
        return oc_fail(err, OC_ELIMIT, "%s: more than 4 billion images", ds->source);
    }
    OC_TRY(oc_grow(&ds->items, &ds->capacity, ds->count + 1, sizeof *ds->items, err));
    const char *copy = oc_pool_strdup(ds->pool, path);
    if (copy == NULL) return oc_fail_nomem(err, strlen(path) + 1, "a path");
    ds->items[ds->count] = (oci_item){
        .face = {.path = copy, .label = (int32_t)label, .group = group, .part = part},
        .rel = (uint32_t)rel,
        .order = (uint32_t)ds->count,
    };
    ds->count++;
    return OC_OK;
}

/* The path that a list wrote: as it stands when absolute or under ~, else below the list's folder,
 * else below the current one. False when there is no such file. */
static oc_status find_entry(char path[OC_PATH_BYTES], const char *folder, const char *text,
                            size_t *rel, bool *found, oc_error *err) {
    while (oc_starts_with(text, "./")) text += 2;
    OC_TRY(oc_path_expand(path, text, err));
    *rel = 0;
    if (*path != '/') {
        OC_TRY(oc_path_join(path, folder, text, err));
        *rel = strlen(path) - strlen(text);
    }
    *found = oc_path_exists(path);
    if (*found || *rel == 0 || !oc_path_exists(text)) return OC_OK;
    *rel = 0;
    *found = true;
    return oc_path_join(path, "", text, err);
}

/* The same where the data set has a root, which is joined to `text` as Caffe does it: as texts. */
static oc_status find_below_root(char path[OC_PATH_BYTES], const char *root, const char *folder,
                                 const char *text, size_t *rel, bool *found, oc_error *err) {
    char whole[OC_PATH_BYTES];
    int size = snprintf(whole, sizeof whole, "%s%s", root, text);
    if (size < 0 || (size_t)size >= sizeof whole)
        return oc_fail(err, OC_ELIMIT, "%.60s%.60s: a path of more than %zu bytes", root, text,
                       sizeof whole - 1);
    OC_TRY(oc_path_expand(path, whole, err));
    *rel = strlen(path) >= strlen(text) ? strlen(path) - strlen(text) : 0;
    *found = oc_path_exists(path);
    return *found ? OC_OK : find_entry(path, folder, whole, rel, found, err);
}

oc_status oci_builder_entry(oci_builder *b, const char *folder, const char *text, uint32_t label,
                            uint32_t group, oc_part part, oc_error *err) {
    char path[OC_PATH_BYTES];
    const char *root = b->options->root;
    size_t rel = 0;
    bool found = false;
    OC_TRY(root != NULL ? find_below_root(path, root, folder, text, &rel, &found, err)
                        : find_entry(path, folder, text, &rel, &found, err));
    if (found) return oci_builder_add(b, path, rel, label, group, part, err);
    if (b->missing++ == 0) (void)snprintf(b->example, sizeof b->example, "%.255s", path);
    oci_dataset_note_reject(b->ds, path, "no such file");
    return OC_OK;
}

bool oci_part_parse(const char *word, oc_part *out) {
    static const struct {
        const char *word;
        oc_part part;
    } words[] = {{"train", OC_PART_TRAIN}, {"training", OC_PART_TRAIN}, {"val", OC_PART_VAL},
                 {"valid", OC_PART_VAL},   {"validation", OC_PART_VAL}, {"test", OC_PART_TEST},
                 {"testing", OC_PART_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!oc_equal_nocase(word, words[i].word)) continue;
        *out = words[i].part;
        return true;
    }
    return false;
}

/* ---- order and repeats ----------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b) {
    const oci_item *x = a, *y = b;
    int order = strcmp(x->face.path + x->rel, y->face.path + y->rel);
    if (order == 0) order = strcmp(x->face.path, y->face.path);
    if (order == 0) order = (x->order > y->order) - (x->order < y->order);
    return order;
}

typedef struct repeats {
    size_t same, contradicting, leaking;
    const char *example; /* of a contradiction, else of a leak */
} repeats;

/* Whether `item` says again what one of the kept items of the same path (from `first` on) says; the
 * first word on a path and part stands. */
static bool is_repeat(const oc_dataset *ds, size_t first, size_t kept, const oci_item *item,
                      repeats *found) {
    for (size_t i = first; i < kept; i++) {
        const oc_item *other = &ds->items[i].face;
        bool contradicts = other->label != item->face.label;
        bool leaks = other->part != item->face.part;
        if (contradicts) found->contradicting++;
        if (leaks && !contradicts) found->leaking++;
        if ((contradicts || leaks) && found->example == NULL) found->example = item->face.path;
        if (leaks) continue;
        if (!contradicts) found->same++;
        return true;
    }
    return false;
}

static void drop_repeats(oc_dataset *ds, repeats *found) {
    size_t kept = 0, first = 0; /* first: of the run of one path */
    for (size_t i = 0; i < ds->count; i++) {
        const oci_item *item = &ds->items[i];
        if (kept > 0 && strcmp(ds->items[kept - 1].face.path, item->face.path) != 0) first = kept;
        if (!is_repeat(ds, first, kept, item, found)) ds->items[kept++] = *item;
    }
    ds->count = kept;
}

static void warn_repeats(const oc_dataset *ds, const repeats *found) {
    if (found->same > 0) {
        oc_info(&ds->log, "%zu entries name a file a second time: counted once", found->same);
    }
    if (found->contradicting > 0) {
        oc_warn(&ds->log,
                "%zu entries give a file another label than before (first: %s): the "
                "first label counts",
                found->contradicting, found->example);
    }
    if (found->leaking > 0) {
        oc_warn(&ds->log,
                "%zu files stand in more than one of train, validation and test: the "
                "score will look better than it is",
                found->leaking);
    }
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* Items without a group get one of their own, behind those that the source named. */
static void number_groups(oci_builder *b) {
    oc_dataset *ds = b->ds;
    uint32_t next = (uint32_t)b->groups.count;
    for (size_t i = 0; i < ds->count; i++) {
        if (ds->items[i].face.group == OCI_NO_GROUP) ds->items[i].face.group = next++;
    }
}

static void warn_left_out(const oci_builder *b) {
    const oc_log *log = &b->ds->log;
    if (b->missing > 0) {
        oc_warn(log, "%zu entries name files that do not exist (first: %s)", b->missing,
                b->example);
    }
    if (b->other > 0) {
        oc_info(log, "left out %zu files that are no images by their name (first: %s)", b->other,
                b->example);
    }
    if (b->unlabelled > 0) {
        oc_warn(log, "left out %zu images that lie in no class folder of %s", b->unlabelled,
                b->ds->source);
    }
}

static oc_status check_found(const oci_builder *b, oc_error *err) {
    const oc_dataset *ds = b->ds;
    if (ds->count > 0) return OC_OK;
    if (b->missing > 0) {
        return oc_fail(err, OC_EDATA,
                       "%s: none of its %zu files exists (first: %s); paths are relative to the "
                       "list's folder",
                       ds->source, b->missing, b->example);
    }
    if (b->unlabelled > 0) {
        return oc_fail(err, OC_EDATA,
                       "%s holds %zu images but no class folders: put the images of each class "
                       "into a folder of its own, or give a list of `path label` lines",
                       ds->source, b->unlabelled);
    }
    return oc_fail(err, OC_EDATA,
                   "%s holds no images (JPEG, PNG or WebP): expected a folder per class with "
                   "images in it, or a list of `path label` lines",
                   ds->source);
}

oc_status oci_builder_finish(oci_builder *b, oc_error *err) {
    oc_dataset *ds = b->ds;
    repeats found = {0};
    warn_left_out(b);
    OC_TRY(check_found(b, err));
    qsort(ds->items, ds->count, sizeof *ds->items, compare_items);
    drop_repeats(ds, &found);
    warn_repeats(ds, &found);
    number_groups(b);
    OC_TRY(oci_builder_classes(b, err));
    if (ds->classes.count > 1 || b->options->known != NULL) return OC_OK;
    return oc_fail(err, OC_EDATA,
                   "%s has one class (%s) and a classifier needs two or more: add a folder of "
                   "images, or a label, of something else",
                   ds->source, ds->classes.items[0].label);
}
