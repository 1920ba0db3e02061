/* What is worst: the pairs of classes taken for each other, the classes that score low, and the
 * names they are shown under.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "eval/eval_int.h"

const char *oci_class_name(const oc_classes *classes, size_t c) {
    const oc_class *class = &classes->items[c];
    return class->display != NULL ? class->display : class->label;
}

static int by_pair(const void *a, const void *b) {
    const oci_pair *p = a, *q = b;
    if (p->truth != q->truth) return p->truth < q->truth ? -1 : 1;
    return (p->label > q->label) - (p->label < q->label);
}

static int by_count(const void *a, const void *b) {
    const oci_pair *p = a, *q = b;
    if (p->n != q->n) return p->n > q->n ? -1 : 1;
    return by_pair(a, b);
}

/* Fold equal neighbours of a sorted list into one with their sum. */
static size_t fold(oci_pair *pairs, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && by_pair(&pairs[kept - 1], &pairs[i]) == 0) {
            pairs[kept - 1].n += pairs[i].n;
        } else {
            pairs[kept++] = pairs[i];
        }
    }
    return kept;
}

oc_status oci_confused_pairs(const oc_eval *e, size_t most, oci_pair **out, size_t *count,
                             oc_error *err) {
    size_t n = 0, items = (size_t)e->score.n;
    oci_pair *pairs = oc_calloc(items + 1, sizeof *pairs);
    *out = pairs;
    *count = 0;
    if (pairs == NULL) return oc_fail_nomem(err, items * sizeof *pairs, "confused classes");
    for (size_t i = 0; i < items; i++) {
        const oc_prediction *p = &e->predictions[i];
        if (p->truth != p->label) pairs[n++] = (oci_pair){p->truth, p->label, 1};
    }
    qsort(pairs, n, sizeof *pairs, by_pair);
    n = fold(pairs, n);
    qsort(pairs, n, sizeof *pairs, by_count);
    *count = n < most ? n : most;
    return OC_OK;
}

typedef struct standing {
    double f1;
    uint64_t n;
    uint32_t class;
} standing;

static int by_standing(const void *a, const void *b) {
    const standing *p = a, *q = b;
    if (p->f1 != q->f1) return p->f1 < q->f1 ? -1 : 1;
    if (p->n != q->n) return p->n > q->n ? -1 : 1;
    return (p->class > q->class) - (p->class < q->class);
}

oc_status oci_worst_classes(const oc_score *score, uint32_t **out, size_t *count, oc_error *err) {
    size_t n = 0, bytes = score->classes * sizeof(standing);
    standing *all = oc_malloc(bytes);
    uint32_t *order = oc_calloc(score->classes, sizeof *order);
    oc_status status = OC_OK;
    *out = NULL;
    *count = 0;
    if (all == NULL || order == NULL) {
        status = oc_fail_nomem(err, bytes, "an order of classes");
        goto done;
    }
    for (size_t c = 0; c < score->classes; c++) {
        const oc_class_score *s = &score->per_class[c];
        if (s->n > 0) all[n++] = (standing){.f1 = s->f1, .n = s->n, .class = (uint32_t)c};
    }
    qsort(all, n, sizeof *all, by_standing);
    for (size_t i = 0; i < n; i++) order[i] = all[i].class;
    *out = order;
    *count = n;
    order = NULL;
done:
    oc_free(order);
    oc_free(all);
    return status;
}
