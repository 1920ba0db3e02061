/* Labels to classes: what a source wrote becomes a class name (through a file of names where there
 * is one), and the names become the classes in their order, or those of a model.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/data_int.h"

enum { LABEL_BYTES = 1024 };

/* ---- as written -> class name ---------------------------------------------------------------- */

static oc_status check_label(const char *text, oc_error *err) {
    size_t size = strlen(text);
    if (size == 0) return oc_fail(err, OC_EFORMAT, "the label is empty: name a class");
    if (size > LABEL_BYTES) {
        return oc_fail(err, OC_ELIMIT, "a label of %zu bytes, at most %d", size, LABEL_BYTES);
    }
    if (oc_is_utf8(text, size)) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "label '%s' is not UTF-8: rename the class", text);
}

/* The name that `text` stands for: by number, else by name. */
static oc_status named_label(const oci_builder *b, const char *text, const char **label,
                             oc_error *err) {
    const oci_names *names = &b->names;
    int64_t id = 0;
    bool number = oc_parse_i64(text, INT64_MIN, INT64_MAX, &id);
    const oci_name *name = number ? oci_names_by_id(names, id) : NULL;
    if (name == NULL) name = oci_names_by_label(names, text);
    *label = name == NULL ? text : name->label;
    if (name != NULL || (!number && b->options->names == NULL)) return OC_OK;
    int64_t low = names->items[names->by_id[0]].id;
    int64_t high = names->items[names->by_id[names->count - 1]].id;
    return oc_fail(err, OC_EDATA,
                   "label %s is not among the %zu classes of %s (%" PRId64 " to %" PRId64
                   "): correct the label or the names",
                   text, names->count, names->path, low, high);
}

/* The class whose place among the known ones `text` is; 007 is 7. */
static oc_status numbered_label(const oci_builder *b, const char *text, const char **label,
                                oc_error *err) {
    const oc_classes *known = b->options->known;
    int64_t number = 0;
    bool whole = oc_parse_i64(text, INT64_MIN, INT64_MAX, &number);
    if (whole && number >= 0 && (uint64_t)number < known->count) {
        *label = known->items[number].label;
        return OC_OK;
    }
    return oc_fail(err, OC_EDATA,
                   "label %s: the network has %zu outputs, so labels are whole numbers from 0 to "
                   "%zu; correct the list, or the outputs of the network's last layer",
                   text, known->count, known->count - 1);
}

oc_status oci_builder_label(oci_builder *b, const char *text, uint32_t *label, oc_error *err) {
    const char *name = text;
    OC_TRY(check_label(text, err));
    if (b->options->numbered) {
        OC_TRY(numbered_label(b, text, &name, err));
        return oci_intern_add(&b->labels, name, label, NULL, err);
    }
    if (b->names.count > 0) OC_TRY(named_label(b, text, &name, err));
    return oci_intern_add(&b->labels, name, label, NULL, err);
}

/* ---- class names -> classes ------------------------------------------------------------------ */

typedef struct candidate {
    const char *label;
    const oci_name *name; /* or NULL */
    uint32_t number;      /* in builder.labels */
} candidate;

/* By id where a file of names gives one, else as a person would sort. */
static int compare_candidates(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->name != NULL && y->name != NULL) {
        return (x->name->id > y->name->id) - (x->name->id < y->name->id);
    }
    if ((x->name == NULL) != (y->name == NULL)) return x->name == NULL ? 1 : -1;
    int order = oc_natural_compare(x->label, y->label);
    return order != 0 ? order : strcmp(x->label, y->label);
}

static oc_status fill_class(const candidate *from, oc_class *to, oc_error *err) {
    char id[24];
    to->label = oc_strdup(from->label);
    bool full = to->label != NULL;
    if (full && from->name != NULL) {
        (void)snprintf(id, sizeof id, "%" PRId64, from->name->id);
        to->id = oc_strdup(id);
        full = to->id != NULL;
    }
    if (full && from->name != NULL && from->name->display != NULL) {
        to->display = oc_strdup(from->name->display);
        full = to->display != NULL;
    }
    return full ? OC_OK : oc_fail_nomem(err, strlen(from->label) + 1, "the name of a class");
}

/* Labels that repeats took away have no items, and make no class. */
static size_t list_candidates(const oci_builder *b, const bool *used, candidate *list) {
    size_t n = 0;
    for (uint32_t i = 0; i < b->labels.count; i++) {
        const char *label = b->labels.text[i];
        if (!used[i]) continue;
        list[n++] = (candidate){label, oci_names_by_label(&b->names, label), i};
    }
    qsort(list, n, sizeof *list, compare_candidates);
    return n;
}

/* The classes of the data themselves; map[label] = class. */
static oc_status own_classes(const oci_builder *b, const bool *used, uint32_t *map, oc_error *err) {
    oc_classes *classes = &b->ds->classes;
    oc_status status = OC_OK;
    candidate *list = oc_malloc(b->labels.count * sizeof *list);
    if (list == NULL) return oc_fail_nomem(err, b->labels.count * sizeof *list, "classes");
    size_t n = list_candidates(b, used, list);
    classes->items = oc_calloc(n, sizeof *classes->items);
    if (classes->items == NULL) {
        status = oc_fail_nomem(err, n * sizeof *classes->items, "classes");
        goto done;
    }
    classes->count = n;
    for (uint32_t i = 0; i < n; i++) {
        map[list[i].number] = i;
        OC_GOTO(fill_class(&list[i], &classes->items[i], err));
    }
done:
    oc_free(list);
    return status;
}

/* ---- the classes of a model ------------------------------------------------------------------ */

static oc_status fail_unknown(const oci_builder *b, const char *label, oc_error *err) {
    const oc_classes *known = b->options->known;
    enum { SHOWN = 256 };
    const char *words[SHOWN];
    size_t n = known->count < SHOWN ? known->count : SHOWN;
    for (size_t i = 0; i < n; i++) words[i] = known->items[i].label;
    const char *near = oc_suggest(label, words, n);
    return oc_fail(err, OC_EDATA,
                   "%s: class '%s' is not one of the model's %zu classes%s%s%s: take data with "
                   "the model's classes, or train a model on these",
                   b->ds->source, label, known->count, near == NULL ? "" : " (near: '",
                   near == NULL ? "" : near, near == NULL ? "" : "')");
}

/* Texts of `known` (labels, or outside ids where `ids`) to their class numbers. */
static oc_status index_known(const oc_classes *known, bool ids, oci_intern *table,
                             uint32_t *class_of, oc_error *err) {
    for (uint32_t c = 0; c < known->count; c++) {
        const char *text = ids ? known->items[c].id : known->items[c].label;
        uint32_t number = 0;
        bool fresh = false;
        if (text == NULL) continue;
        OC_TRY(oci_intern_add(table, text, &number, &fresh, err));
        if (fresh) class_of[number] = c;
    }
    return OC_OK;
}

/* map[label] = class of the model, by label, else by outside id. */
static oc_status known_classes(const oci_builder *b, const bool *used, uint32_t *map,
                               oc_error *err) {
    const oc_classes *known = b->options->known;
    oci_intern table = {0};
    oc_status status = OC_OK;
    uint32_t *class_of = oc_calloc(2 * known->count, sizeof *class_of);
    if (class_of == NULL) return oc_fail_nomem(err, 2 * known->count * sizeof *class_of, "classes");
    OC_GOTO(index_known(known, false, &table, class_of, err));
    OC_GOTO(index_known(known, true, &table, class_of, err));
    for (uint32_t i = 0; i < b->labels.count; i++) {
        uint32_t number = 0;
        if (!used[i]) continue;
        if (!oci_intern_find(&table, b->labels.text[i], &number)) {
            status = fail_unknown(b, b->labels.text[i], err);
            goto done;
        }
        map[i] = class_of[number];
    }
    status = oc_classes_copy(known, &b->ds->classes, err);
done:
    oci_intern_clear(&table);
    oc_free(class_of);
    return status;
}

oc_status oci_builder_classes(oci_builder *b, oc_error *err) {
    oc_dataset *ds = b->ds;
    oc_status status = OC_OK;
    bool *used = oc_calloc(b->labels.count, sizeof *used);
    uint32_t *map = oc_calloc(b->labels.count, sizeof *map);
    if (used == NULL || map == NULL) {
        status = oc_fail_nomem(err, b->labels.count * sizeof *map, "classes");
        goto done;
    }
    for (size_t i = 0; i < ds->count; i++) used[ds->items[i].face.label] = true;
    OC_GOTO(b->options->known != NULL ? known_classes(b, used, map, err)
                                      : own_classes(b, used, map, err));
    for (size_t i = 0; i < ds->count; i++) {
        ds->items[i].face.label = (int32_t)map[ds->items[i].face.label];
    }
done:
    oc_free(map);
    oc_free(used);
    return status;
}
