/* Counting: one item after the other goes in, the scores of eval.h come out.
 *
 * Only counts and two sums are kept, so that a score may be taken at any time and the order of the
 * items does not matter but for rounding.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "eval/eval_int.h"

enum { MAX_CONFUSION_CLASSES = 2000, TOP = 5, SOME_ROWS = 64 };
enum { MANY_VALUES = 1 << 18 }; /* logits that are worth starting threads for */

static const double smallest_p = 1e-15;      /* under the logarithm of nll */
static const double z95 = 1.959963984540054; /* 97.5 % quantile of the normal distribution */

typedef struct tally {
    uint64_t n, predicted, correct;
} tally;

typedef struct bin {
    uint64_t n, correct;
    double confidence; /* sum */
} bin;

struct oc_scorer {
    size_t classes;
    uint64_t n, top;
    double nll;          /* sum */
    tally *tally;        /* (classes) */
    uint32_t *confusion; /* (classes, classes), or NULL when there are too many */
    bin bin[OC_CALIBRATION_BINS];
};

static oc_status make_counts(oc_scorer *s, size_t classes, oc_error *err) {
    s->classes = classes;
    s->tally = oc_calloc(classes, sizeof *s->tally);
    if (s->tally == NULL) return oc_fail_nomem(err, classes * sizeof *s->tally, "scores");
    if (classes > MAX_CONFUSION_CLASSES) return OC_OK;
    s->confusion = oc_calloc(classes * classes, sizeof *s->confusion);
    if (s->confusion != NULL) return OC_OK;
    return oc_fail_nomem(err, classes * classes * sizeof *s->confusion, "a confusion matrix");
}

oc_status oc_scorer_new(oc_scorer **out, size_t classes, oc_error *err) {
    *out = NULL;
    oc_scorer *s = oc_calloc(1, sizeof *s);
    if (s == NULL) return oc_fail_nomem(err, sizeof *s, "scores");
    oc_status status = make_counts(s, classes, err);
    if (status == OC_OK) {
        *out = s;
    } else {
        oc_scorer_free(s);
    }
    return status;
}

void oc_scorer_free(oc_scorer *s) {
    if (s == NULL) return;
    oc_free(s->tally);
    oc_free(s->confusion);
    oc_free(s);
}

/* ---- one item ---- */

oci_verdict oci_judge(const float *logits, size_t classes, double temperature, int32_t truth) {
    oci_verdict v = {0};
    for (size_t c = 1; c < classes; c++) {
        if (logits[c] > logits[v.label]) v.label = (int32_t)c;
    }
    double top = (double)logits[v.label], sum = 0;
    for (size_t c = 0; c < classes; c++) {
        sum += exp(((double)logits[c] - top) / temperature);
        bool before =
            logits[c] > logits[truth] || (logits[c] == logits[truth] && (int32_t)c < truth);
        v.rank += before;
    }
    v.p = 1 / sum;
    v.p_truth = exp(((double)logits[truth] - top) / temperature) / sum;
    if (isfinite(v.p) && isfinite(v.p_truth)) return v;
    v.p = v.p_truth = 0; /* a network that overflowed knows nothing */
    v.rank = (size_t)-1;
    return v;
}

static void count_bin(oc_scorer *s, double confidence, bool correct) {
    int i = (int)ceil(confidence * OC_CALIBRATION_BINS) - 1;
    if (i < 0) i = 0;
    if (i >= OC_CALIBRATION_BINS) i = OC_CALIBRATION_BINS - 1;
    s->bin[i].n++;
    s->bin[i].correct += correct;
    s->bin[i].confidence += confidence;
}

void oci_scorer_count(oc_scorer *s, const oci_verdict *v, int32_t truth) {
    bool correct = v->label == truth;
    s->n++;
    s->top += v->rank < TOP;
    s->nll -= log(v->p_truth > smallest_p ? v->p_truth : smallest_p);
    s->tally[truth].n++;
    s->tally[truth].correct += correct;
    s->tally[v->label].predicted++;
    if (s->confusion != NULL) s->confusion[(size_t)truth * s->classes + (size_t)v->label]++;
    count_bin(s, v->p, correct);
}

void oc_scorer_add(oc_scorer *s, const float *logits, double temperature, int32_t truth) {
    OC_PROMISE(truth >= 0 && (size_t)truth < s->classes && temperature > 0);
    oci_verdict v = oci_judge(logits, s->classes, temperature, truth);
    oci_scorer_count(s, &v, truth);
}

typedef struct rows {
    const float *logits;
    const int32_t *truth;
    const bool *skip;
    size_t classes;
    double temperature;
    oci_verdict *verdict;
} rows;

static void judge_row(void *ctx, size_t i, int worker) {
    (void)worker;
    const rows *r = ctx;
    if (r->skip != NULL && r->skip[i]) return;
    r->verdict[i] = oci_judge(r->logits + i * r->classes, r->classes, r->temperature, r->truth[i]);
}

void oci_judge_rows(const float *logits, size_t n, size_t classes, double temperature,
                    const int32_t *truth, const bool *skip, int threads, oci_verdict *out) {
    rows r = {logits, truth, skip, classes, temperature, out};
    oc_parallel_for(n, n * classes < MANY_VALUES ? 1 : threads, judge_row, &r);
}

void oc_scorer_add_rows(oc_scorer *s, const float *logits, size_t n, double temperature,
                        const int32_t *truth, const bool *skip, int threads) {
    oci_verdict verdict[SOME_ROWS];
    for (size_t first = 0; first < n; first += SOME_ROWS) {
        size_t some = n - first < SOME_ROWS ? n - first : SOME_ROWS;
        const bool *skipped = skip != NULL ? skip + first : NULL;
        oci_judge_rows(logits + first * s->classes, some, s->classes, temperature, truth + first,
                       skipped, threads, verdict);
        for (size_t i = 0; i < some; i++) {
            if (skipped == NULL || !skipped[i]) oci_scorer_count(s, &verdict[i], truth[first + i]);
        }
    }
}

/* ---- the sum of it ---- */

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static oc_class_score class_score(const tally *t) {
    oc_class_score s = {.n = t->n, .predicted = t->predicted, .correct = t->correct};
    s.precision = ratio((double)t->correct, (double)t->predicted);
    s.recall = ratio((double)t->correct, (double)t->n);
    s.f1 = ratio(2 * s.precision * s.recall, s.precision + s.recall);
    return s;
}

/* Per-class scores and their means over the classes that have items. */
static void finish_classes(const oc_scorer *s, oc_score *out) {
    size_t present = 0;
    for (size_t c = 0; c < s->classes; c++) {
        oc_class_score *score = &out->per_class[c];
        *score = class_score(&s->tally[c]);
        if (score->n == 0) continue;
        present++;
        out->macro_precision += score->precision;
        out->macro_recall += score->recall;
        out->macro_f1 += score->f1;
        out->f1a += score->f1 > 0.5;
    }
    out->macro_precision = ratio(out->macro_precision, (double)present);
    out->macro_recall = ratio(out->macro_recall, (double)present);
    out->macro_f1 = ratio(out->macro_f1, (double)present);
    out->f1a = ratio(out->f1a, (double)present);
}

static void finish_bins(const oc_scorer *s, oc_score *out) {
    for (int i = 0; i < OC_CALIBRATION_BINS; i++) {
        const bin *b = &s->bin[i];
        out->bin[i].n = b->n;
        out->bin[i].confidence = ratio(b->confidence, (double)b->n);
        out->bin[i].accuracy = ratio((double)b->correct, (double)b->n);
        double gap = fabs(out->bin[i].confidence - out->bin[i].accuracy);
        out->ece += ratio((double)b->n, (double)s->n) * gap;
    }
}

/* Wilson 1927: the score interval, which stays inside 0..1 and is honest for small n. */
void oci_wilson(uint64_t correct, uint64_t count, double *low, double *high) {
    if (count == 0) {
        *low = 0;
        *high = 1;
        return;
    }
    double n = (double)count, p = (double)correct / n, z2 = z95 * z95;
    double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    *low = correct == 0 ? 0 : centre - half;
    *high = correct == count ? 1 : centre + half;
}

static void finish_totals(const oc_scorer *s, oc_score *out) {
    uint64_t correct = 0;
    for (size_t c = 0; c < s->classes; c++) correct += s->tally[c].correct;
    out->accuracy = ratio((double)correct, (double)s->n);
    out->top5 = ratio((double)s->top, (double)s->n);
    out->nll = ratio(s->nll, (double)s->n);
    oci_wilson(correct, s->n, &out->accuracy_low, &out->accuracy_high);
}

oc_status oc_scorer_finish(const oc_scorer *s, oc_score *out, oc_error *err) {
    *out = (oc_score){.n = s->n, .classes = s->classes};
    out->per_class = oc_calloc(s->classes, sizeof *out->per_class);
    if (out->per_class == NULL) {
        return oc_fail_nomem(err, s->classes * sizeof *out->per_class, "scores of classes");
    }
    if (s->confusion != NULL) {
        size_t bytes = s->classes * s->classes * sizeof *s->confusion;
        out->confusion = oc_malloc(bytes);
        if (out->confusion == NULL) {
            oc_score_clear(out);
            return oc_fail_nomem(err, bytes, "a confusion matrix");
        }
        memcpy(out->confusion, s->confusion, bytes);
    }
    finish_totals(s, out);
    finish_classes(s, out);
    finish_bins(s, out);
    return OC_OK;
}

void oc_score_clear(oc_score *score) {
    oc_free(score->per_class);
    oc_free(score->confusion);
    *score = (oc_score){0};
}
