/* Tells what a survey found: tables for people, an object for machines, and advice.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data_check_int.h"

enum { SHOWN = 10, MANY_CLASSES = 60, BAR_CELLS = 24, NAME_COLUMNS = 36 };

typedef struct remark_list {
    oci_remark *items;
    size_t count;
} remark_list;

static void remark(remark_list *r, const char *kind, bool warning, const char *format, ...)
    OC_PRINTF(4, 5);

static void remark(remark_list *r, const char *kind, bool warning, const char *format, ...) {
    if (r->count == OCI_MAX_REMARKS) return;
    oci_remark *one = &r->items[r->count++];
    one->kind = kind;
    one->warning = warning;
    va_list args;
    va_start(args, format);
    vsnprintf(one->text, sizeof one->text, format, args);
    va_end(args);
}

static const char *label(const oci_survey *s, size_t class) {
    return oc_dataset_classes(s->ds)->items[class].label;
}

static void remark_on_files(const oci_survey *s, remark_list *r) {
    size_t all = s->good + s->rejected;
    if (s->rejected)
        remark(r, "rejected", s->rejected * 5 > all,
               "%zu of %zu files cannot be used%s; they are left out", s->rejected, all,
               s->rejected * 5 > all ? " - training stops at more than 20 %" : "");
    if (s->twin_classes)
        remark(r, "contradictions", true,
               "%zu photos occur again under another class: one of the two labels is wrong",
               s->twin_classes);
    if (s->twin_parts)
        remark(r, "leaks", true,
               "%zu photos occur both in training and in validation or test: scores will flatter",
               s->twin_parts);
    if (s->twin_count)
        remark(r, "duplicates", true, "%zu files are exact copies of others", s->twin_count);
    if (s->tiny)
        remark(r, "tiny", true, "%zu photos are smaller than %d pixels on their short side",
               s->tiny, OCI_TINY_SIDE);
    if (s->odd)
        remark(r, "odd", true,
               "%zu photos are more than %d times longer than wide: a centre crop loses most of "
               "them; consider --fit squash",
               s->odd, OCI_ODD_RATIO);
    if (s->grey && s->grey < s->good)
        remark(r, "grey", false, "%zu of %zu photos are grey", s->grey, s->good);
}

static void remark_on_classes(const oci_survey *s, remark_list *r) {
    size_t classes = oc_dataset_classes(s->ds)->count, lonely = 0, few = 0;
    for (size_t c = 0; c < classes; c++) {
        lonely += s->per_class[c] < 2;
        few += s->per_class[c] >= 2 && s->per_class[c] < OCI_FEW;
    }
    if (lonely)
        remark(r, "single", true,
               "%zu classes have fewer than two photos (%s has %zu): they cannot be learned and "
               "measured at once; add photos or take them out",
               lonely, label(s, s->smallest_class), s->smallest);
    if (few) remark(r, "few", true, "%zu classes have fewer than %d photos", few, OCI_FEW);
    if (s->smallest && s->largest > 10 * s->smallest)
        remark(r, "imbalance", true,
               "%s has %zu photos, %s only %zu: look at the recall of small classes, not only at "
               "accuracy",
               label(s, s->largest_class), s->largest, label(s, s->smallest_class), s->smallest);
}

static void verdict(const oci_survey *s, remark_list *r) {
    size_t classes = oc_dataset_classes(s->ds)->count;
    if (classes < 2)
        remark(r, "verdict", true, "one class only: there is nothing to tell apart");
    else if (s->median < 10)
        remark(r, "verdict", true,
               "too little to train well: half of the classes have %zu photos or fewer; aim at 20 "
               "or more of each",
               s->median);
    else if (s->median < 50)
        remark(r, "verdict", false,
               "enough to tune the head of a pretrained network: train --from WEIGHTS --tune head");
    else if (s->median < 500)
        remark(r, "verdict", false,
               "good for fine-tuning a pretrained network (train --from WEIGHTS); from scratch, "
               "expect less");
    else
        remark(r, "verdict", false,
               "plenty: fine-tuning will do well, and training from scratch is possible");
}

size_t oci_survey_remarks(const oci_survey *s, oci_remark out[OCI_MAX_REMARKS]) {
    remark_list r = {out, 0};
    remark_on_files(s, &r);
    remark_on_classes(s, &r);
    verdict(s, &r);
    return r.count;
}

/* ---- text ---- */

static void text_classes(const oci_survey *s, const oci_term *term, oc_buf *out) {
    size_t classes = oc_dataset_classes(s->ds)->count;
    int columns = 0;
    for (size_t c = 0; c < classes; c++)
        if (oci_columns(label(s, c)) > columns) columns = oci_columns(label(s, c));
    if (columns > NAME_COLUMNS) columns = NAME_COLUMNS;
    for (size_t c = 0; c < classes && c < MANY_CLASSES; c++) {
        oc_buf_puts(out, "  ");
        oci_put_padded(out, label(s, c), columns, term->utf8);
        oc_buf_printf(out, " %7zu ", s->per_class[c]);
        double share = s->largest ? (double)s->per_class[c] / (double)s->largest : 0;
        oci_bar(out, share, BAR_CELLS, term->utf8);
        oc_buf_puts(out, "\n");
    }
    if (classes > MANY_CLASSES)
        oc_buf_printf(out, "  ... and %zu more (--json lists all)\n", classes - MANY_CLASSES);
}

static void text_rejects(const oci_survey *s, oc_buf *out) {
    size_t count = oc_dataset_reject_count(s->ds);
    if (count) oc_buf_puts(out, "\nrejected\n");
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        const oc_reject *reject = oc_dataset_rejected(s->ds, i);
        oc_buf_puts(out, "  ");
        oci_put_plain(out, reject->path);
        oc_buf_printf(out, ": %s\n", reject->reason);
    }
    if (count > SHOWN) oc_buf_printf(out, "  ... and %zu more (--json lists all)\n", count - SHOWN);
}

static void text_twins(const oci_survey *s, oc_buf *out) {
    if (s->twin_count) oc_buf_puts(out, "\nexact copies\n");
    for (size_t i = 0; i < s->twin_count && i < SHOWN; i++) {
        const oci_twin *twin = &s->twins[i];
        oc_buf_puts(out, "  ");
        oci_put_plain(out, oc_dataset_item(s->ds, twin->other)->path);
        oc_buf_puts(out, " = ");
        oci_put_plain(out, oc_dataset_item(s->ds, twin->first)->path);
        oc_buf_printf(out, "%s%s\n", twin->classes ? " (another class)" : "",
                      twin->parts ? " (another part)" : "");
    }
    if (s->twin_count > SHOWN)
        oc_buf_printf(out, "  ... and %zu more (--json lists all)\n", s->twin_count - SHOWN);
}

void oci_survey_text(const oci_survey *s, const oci_term *term, oc_buf *out) {
    char bytes[16];
    oc_buf_printf(out, "%s: %zu photos in %zu classes, %s; ", oc_dataset_source(s->ds), s->good,
                  oc_dataset_classes(s->ds)->count, oc_format_bytes(bytes, s->bytes));
    if (s->side_low == s->side_high)
        oc_buf_printf(out, "short sides %d pixels\n", s->side_low);
    else
        oc_buf_printf(out, "short sides %d to %d pixels, half of them at most %d\n", s->side_low,
                      s->side_high, s->side_median);
    static const char *const part[] = {"no part", "train", "validation", "test"};
    if (s->parts[OC_PART_NONE] != s->good)
        for (int p = 0; p < 4; p++)
            if (s->parts[p]) oc_buf_printf(out, "  %s: %zu\n", part[p], s->parts[p]);
    oc_buf_puts(out, "\n");
    text_classes(s, term, out);
    text_rejects(s, out);
    text_twins(s, out);
    oci_remark remarks[OCI_MAX_REMARKS];
    size_t count = oci_survey_remarks(s, remarks);
    oc_buf_puts(out, "\n");
    for (size_t i = 0; i < count; i++)
        oc_buf_printf(out, "%s%s %s%s\n",
                      oci_paint_code(term->colour_out, remarks[i].warning ? OCI_YELLOW : OCI_GREEN),
                      remarks[i].warning ? "!" : "-", remarks[i].text,
                      oci_paint_code(term->colour_out, OCI_PLAIN));
}

/* ---- JSON ---- */

/* Add `item` to `array` (both may be NULL after an earlier failure); returns nonzero on failure. */
static int append(json_t *array, json_t *item) {
    return json_array_append_new(array, item);
}

static json_t *json_classes(const oci_survey *s) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t c = 0; c < oc_dataset_classes(s->ds)->count; c++)
        bad |= append(
            array, json_pack("{s:s,s:I}", "label", label(s, c), "n", (json_int_t)s->per_class[c]));
    if (!bad) return array;
    json_decref(array);
    return NULL;
}

static json_t *json_rejects(const oci_survey *s) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < oc_dataset_reject_count(s->ds); i++) {
        const oc_reject *reject = oc_dataset_rejected(s->ds, i);
        bad |= append(array, json_pack("{s:o,s:o}", "image", oc_json_text(reject->path), "reason",
                                       oc_json_text(reject->reason)));
    }
    if (!bad) return array;
    json_decref(array);
    return NULL;
}

static json_t *json_twins(const oci_survey *s) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < s->twin_count; i++) {
        const oci_twin *t = &s->twins[i];
        bad |=
            append(array, json_pack("{s:o,s:o,s:b,s:b}", "image",
                                    oc_json_text(oc_dataset_item(s->ds, t->other)->path), "same_as",
                                    oc_json_text(oc_dataset_item(s->ds, t->first)->path),
                                    "other_class", t->classes, "other_part", t->parts));
    }
    if (!bad) return array;
    json_decref(array);
    return NULL;
}

static json_t *json_remarks(const oci_survey *s) {
    oci_remark remarks[OCI_MAX_REMARKS];
    size_t count = oci_survey_remarks(s, remarks);
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= append(array, json_pack("{s:s,s:b,s:s}", "kind", remarks[i].kind, "warning",
                                       remarks[i].warning, "text", remarks[i].text));
    if (!bad) return array;
    json_decref(array);
    return NULL;
}

json_t *oci_survey_json(const oci_survey *s) {
    return json_pack(
        "{s:o,s:I,s:I,s:o,s:{s:I,s:I,s:I},s:{s:i,s:i,s:i},s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "source",
        oc_json_text(oc_dataset_source(s->ds)), "images", (json_int_t)s->good, "bytes",
        (json_int_t)s->bytes, "classes", json_classes(s), "parts", "train",
        (json_int_t)s->parts[OC_PART_TRAIN], "val", (json_int_t)s->parts[OC_PART_VAL], "test",
        (json_int_t)s->parts[OC_PART_TEST], "short_side", "min", s->side_low, "median",
        s->side_median, "max", s->side_high, "tiny", (json_int_t)s->tiny, "odd_shape",
        (json_int_t)s->odd, "grey", (json_int_t)s->grey, "duplicate_count",
        (json_int_t)s->twin_count, "duplicates", json_twins(s), "rejected", json_rejects(s),
        "remarks", json_remarks(s));
}
