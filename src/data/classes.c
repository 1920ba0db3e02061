/* A list of classes that owns its texts.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "data/data.h"

void oc_classes_clear(oc_classes *classes) {
    for (size_t i = 0; i < classes->count; i++) {
        oc_free(classes->items[i].label);
        oc_free(classes->items[i].display);
        oc_free(classes->items[i].id);
    }
    oc_free(classes->items);
    *classes = (oc_classes){0};
}

/* *dst = a copy of text, or NULL for none. */
static oc_status copy_text(const char *text, char **dst, oc_error *err) {
    if (text == NULL) return OC_OK;
    *dst = oc_strdup(text);
    return *dst == NULL ? oc_fail_nomem(err, strlen(text) + 1, "the name of a class") : OC_OK;
}

static oc_status copy_class(const oc_class *src, oc_class *dst, oc_error *err) {
    OC_TRY(copy_text(src->label, &dst->label, err));
    OC_TRY(copy_text(src->display, &dst->display, err));
    return copy_text(src->id, &dst->id, err);
}

oc_status oc_classes_copy(const oc_classes *src, oc_classes *dst, oc_error *err) {
    oc_classes copy = {0};
    oc_status status = OC_OK;
    *dst = copy;
    copy.items = oc_calloc(src->count, sizeof *copy.items);
    if (copy.items == NULL) {
        return oc_fail_nomem(err, src->count * sizeof *copy.items, "a list of classes");
    }
    copy.count = src->count;
    for (size_t i = 0; i < src->count && status == OC_OK; i++) {
        status = copy_class(&src->items[i], &copy.items[i], err);
    }
    if (status == OC_OK) {
        *dst = copy;
    } else {
        oc_classes_clear(&copy);
    }
    return status;
}

int oc_classes_find(const oc_classes *classes, const char *label) {
    for (size_t i = 0; i < classes->count; i++) {
        if (strcmp(classes->items[i].label, label) == 0) return (int)i;
    }
    return -1;
}
