/* The evaluation as a table for a terminal: the numbers, the classes, what is taken for what.
 *
 * Few classes are shown in the model's order; of many, the worst.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "eval/eval_int.h"

enum { ALL_SHOWN = 30, WORST_SHOWN = 20, PAIRS_SHOWN = 5, MIN_NAME = 5, MAX_NAME = 36 };

static void put_sure(oc_buf *out, const oc_eval *e, double threshold) {
    if (!(threshold > 0)) return;
    oc_sure sure = oc_eval_sure(e, threshold);
    oc_buf_printf(out, "sure        %5.1f %%   (p >= %.3f; of these %.1f %% are right)\n",
                  100 * (double)sure.n / (double)e->score.n, threshold,
                  sure.n > 0 ? 100 * (double)sure.correct / (double)sure.n : 0.0);
}

static void put_headline(oc_buf *out, const oc_eval *e, const oc_model *model,
                         const oc_dataset *ds) {
    const oc_score *s = &e->score;
    char took[24];
    oc_buf_printf(out, "accuracy    %5.1f %%   (95 %% interval %.1f to %.1f, %llu images)\n",
                  100 * s->accuracy, 100 * s->accuracy_low, 100 * s->accuracy_high,
                  (unsigned long long)s->n);
    if (s->classes > 5) {
        oc_buf_printf(out, "top 5       %5.1f %%\n", 100 * s->top5);
    }
    oc_buf_printf(out, "macro F1    %5.1f %%   (precision %.1f, recall %.1f)\n", 100 * s->macro_f1,
                  100 * s->macro_precision, 100 * s->macro_recall);
    oc_buf_printf(out, "nll         %7.3f   calibration error %.1f %%\n", s->nll, 100 * s->ece);
    put_sure(out, e, model->threshold);
    oc_buf_printf(out, "took        %s, %.0f images/s\n", oc_format_seconds(took, e->seconds),
                  e->seconds > 0 ? (double)s->n / e->seconds : 0);
    size_t rejected = oc_dataset_reject_count(ds);
    if (rejected > 0) oc_buf_printf(out, "rejected    %zu files\n", rejected);
}

/* Columns for the names of the classes that are shown. */
static size_t name_columns(const oc_classes *classes, const uint32_t *order, size_t count) {
    size_t widest = MIN_NAME;
    for (size_t i = 0; i < count; i++) {
        size_t columns = oci_text_columns(oci_class_name(classes, order[i]));
        if (columns > widest) widest = columns;
    }
    return widest < MAX_NAME ? widest : MAX_NAME;
}

static void put_rows(oc_buf *out, const oc_score *s, const oc_classes *classes,
                     const uint32_t *order, size_t count) {
    size_t columns = name_columns(classes, order, count);
    oc_buf_puts(out, "\n");
    oci_text_cell(out, "class", columns);
    oc_buf_puts(out, "  images  precision  recall     F1\n");
    for (size_t i = 0; i < count; i++) {
        const oc_class_score *c = &s->per_class[order[i]];
        oci_text_cell(out, oci_class_name(classes, order[i]), columns);
        oc_buf_printf(out, "  %6llu     %6.1f  %6.1f %6.1f\n", (unsigned long long)c->n,
                      100 * c->precision, 100 * c->recall, 100 * c->f1);
    }
}

static oc_status put_classes(oc_buf *out, const oc_score *s, const oc_classes *classes,
                             oc_error *err) {
    uint32_t *order = NULL;
    size_t count = 0;
    OC_TRY(oci_worst_classes(s, &order, &count, err));
    bool few = s->classes <= ALL_SHOWN;
    for (uint32_t c = 0; few && c < s->classes; c++) order[c] = c;
    size_t shown = few ? s->classes : count < WORST_SHOWN ? count : WORST_SHOWN;
    put_rows(out, s, classes, order, shown);
    if (shown < count) {
        oc_buf_printf(out, "the %zu worst of %zu classes; the rest are in --json and --report\n",
                      shown, count);
    }
    oc_free(order);
    return OC_OK;
}

static oc_status put_pairs(oc_buf *out, const oc_eval *e, const oc_classes *classes,
                           oc_error *err) {
    oci_pair *pairs = NULL;
    size_t count = 0;
    OC_TRY(oci_confused_pairs(e, PAIRS_SHOWN, &pairs, &count, err));
    if (count > 0) oc_buf_puts(out, "\nmost often taken for another\n");
    for (size_t i = 0; i < count; i++) {
        const oci_pair *p = &pairs[i];
        uint64_t n = e->score.per_class[p->truth].n;
        const char *name = oci_class_name(classes, (size_t)p->truth);
        size_t columns = oci_text_columns(name);
        oc_buf_printf(out, "%6u of %llu  ", p->n, (unsigned long long)n);
        oci_text_cell(out, name, columns < MAX_NAME ? columns : MAX_NAME);
        oc_buf_puts(out, "  as  ");
        name = oci_class_name(classes, (size_t)p->label);
        columns = oci_text_columns(name);
        oci_text_cell(out, name, columns < MAX_NAME ? columns : MAX_NAME);
        oc_buf_puts(out, "\n");
    }
    oc_free(pairs);
    return OC_OK;
}

oc_status oc_eval_text(const oc_eval *e, const oc_model *model, const oc_dataset *ds, oc_buf *out,
                       oc_error *err) {
    put_headline(out, e, model, ds);
    OC_TRY(put_classes(out, &e->score, &model->classes, err));
    OC_TRY(put_pairs(out, e, &model->classes, err));
    return oc_buf_status(out, err);
}
