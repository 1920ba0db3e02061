/* Names of a network's outputs, from the file that travels beside the weights.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/interop.h"

enum { MAX_FILE_BYTES = 256 << 20, MAX_NAME_BYTES = 1024, SYNSET_BYTES = 9 };

/* "n01440764 " at the start. */
static bool has_synset(const char *line) {
    if (line[0] != 'n') return false;
    for (int i = 1; i < SYNSET_BYTES; i++)
        if (!isdigit((unsigned char)line[i])) return false;
    return line[SYNSET_BYTES] == ' ' || line[SYNSET_BYTES] == '\t';
}

static oc_status take(char **out, char *text, oc_error *err) {
    *out = text;
    return text != NULL ? OC_OK : oc_fail_nomem(err, MAX_NAME_BYTES, "a class name");
}

static oc_status read_line(oc_class *class, char *line, oc_error *err) {
    if (!has_synset(line)) return take(&class->label, oc_strdup(line), err);
    OC_TRY(take(&class->label, oc_strndup(line, SYNSET_BYTES), err));
    OC_TRY(take(&class->id, oc_strdup(class->label), err));
    char *name = oc_trim(line + SYNSET_BYTES);
    return *name == '\0' ? OC_OK : take(&class->display, oc_strdup(name), err);
}

static oc_status check_text(const char *path, const char *text, size_t size, oc_error *err) {
    const char *nul = size > 0 ? memchr(text, 0, size) : NULL;
    if (nul == NULL) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: a zero byte at %zu: no text file of names", path,
                   (size_t)(nul - text));
}

static oc_status check_line(const char *path, size_t number, const char *line, oc_error *err) {
    size_t size = strlen(line);
    if (size == 0) {
        return oc_fail(err, OC_EFORMAT, "%s:%zu: an empty line: each line names one class", path,
                       number);
    }
    if (size > MAX_NAME_BYTES || !oc_is_utf8(line, size)) {
        return oc_fail(err, OC_EFORMAT, "%s:%zu: not a name in UTF-8 of at most %d bytes", path,
                       number, MAX_NAME_BYTES);
    }
    return OC_OK;
}

static oc_status read_lines(oc_classes *out, const char *path, char *text, size_t size,
                            oc_error *err) {
    size_t room = 0;
    const char *end = text + size;
    while (text < end) {
        char *stop = memchr(text, '\n', (size_t)(end - text));
        if (stop != NULL) *stop = '\0';
        char *next = stop != NULL ? stop + 1 : text + strlen(text) + 1;
        char *line = oc_trim(text);
        OC_TRY(check_line(path, out->count + 1, line, err));
        OC_TRY(oc_grow(&out->items, &room, out->count + 1, sizeof *out->items, err));
        out->items[out->count] = (oc_class){0};
        out->count++;
        OC_TRY(read_line(&out->items[out->count - 1], line, err));
        text = next;
    }
    if (out->count > 0) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: no names in it; expected a line for each class", path);
}

/* ---- names that come twice ----------------------------------------------------------------- */

static int by_label(const void *a, const void *b) {
    const oc_class *const *p = a, *const *q = b;
    int order = strcmp((*p)->label, (*q)->label);
    return order != 0 ? order : (*p > *q) - (*p < *q);
}

static oc_status number_label(const oc_classes *classes, oc_class *class, oc_error *err) {
    char text[MAX_NAME_BYTES + 32];
    (void)snprintf(text, sizeof text, "%s #%zu", class->label,
                   (size_t)(class - classes->items) + 1);
    char *label = NULL;
    OC_TRY(take(&label, oc_strdup(text), err));
    oc_free(class->label);
    class->label = label;
    return OC_OK;
}

/* Labels are what predictions are matched by: each must be its own. */
static oc_status part_equals(oc_classes *classes, oc_error *err) {
    oc_status status = OC_OK;
    oc_class **sorted = oc_calloc(classes->count, sizeof *sorted);
    if (sorted == NULL) return oc_fail_nomem(err, classes->count * sizeof *sorted, "class names");
    for (size_t i = 0; i < classes->count; i++) sorted[i] = &classes->items[i];
    qsort(sorted, classes->count, sizeof *sorted, by_label);
    for (size_t i = classes->count - 1; i > 0; i--) {
        if (strcmp(sorted[i]->label, sorted[i - 1]->label) != 0) continue;
        OC_GOTO(number_label(classes, sorted[i], err));
    }
done:
    oc_free(sorted);
    return status;
}

oc_status oc_labels_read(oc_classes *out, const char *path, oc_error *err) {
    char *text = NULL;
    size_t size = 0;
    oc_status status = OC_OK;
    *out = (oc_classes){0};
    OC_TRY(oc_file_read(path, MAX_FILE_BYTES, &text, &size, err));
    OC_GOTO(check_text(path, text, size, err));
    OC_GOTO(read_lines(out, path, text, size, err));
    status = part_equals(out, err);
done:
    oc_free(text);
    if (status != OC_OK) oc_classes_clear(out);
    return status;
}

oc_status oc_labels_numbered(oc_classes *out, size_t count, oc_error *err) {
    oc_status status = OC_OK;
    char text[24];
    *out = (oc_classes){.items = oc_calloc(count, sizeof *out->items)};
    if (out->items == NULL) return oc_fail_nomem(err, count * sizeof *out->items, "class names");
    for (out->count = 0; out->count < count; out->count++) {
        (void)snprintf(text, sizeof text, "%zu", out->count);
        OC_GOTO(take(&out->items[out->count].label, oc_strdup(text), err));
    }
done:
    if (status != OC_OK) oc_classes_clear(out);
    return status;
}
