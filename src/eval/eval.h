/* The face of `eval`: how good a model is on labelled photos, and the report that shows it.
 *
 * Definitions (DESIGN.md): precision TP/(TP+FP), recall TP/(TP+FN), F1 their harmonic mean, 0 where
 * undefined; macro = mean over classes present in the test set (macro F1 is the mean of the
 * classes' F1, not the F1 of the means); nll = mean of -ln p(true), p clipped at 1e-15; f1a = share
 * of the classes present with F1 > 0.5; expected calibration error over 15 equal bins of confidence
 * (Guo et al. 2017).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_EVAL_H
#define OC_EVAL_H

#include "model/model.h"

typedef struct oc_class_score {
    uint64_t n;         /* items of this class */
    uint64_t predicted; /* items given this class */
    uint64_t correct;
    double precision, recall, f1;
} oc_class_score;

enum { OC_CALIBRATION_BINS = 15 };

typedef struct oc_score {
    uint64_t n;
    double accuracy, top5, nll, macro_precision, macro_recall, macro_f1, f1a, ece;
    double accuracy_low, accuracy_high; /* 95 % Wilson interval */
    size_t classes;
    oc_class_score *per_class; /* (classes) */
    uint32_t *confusion;       /* (classes, classes) row = truth, or NULL above 2,000 */
    struct {
        uint64_t n;
        double confidence, accuracy;
    } bin[OC_CALIBRATION_BINS];
} oc_score;

/* Collects one item after the other. */
typedef struct oc_scorer oc_scorer;
OC_MUST_CHECK oc_status oc_scorer_new(oc_scorer **out, size_t classes, oc_error *err);
void oc_scorer_free(oc_scorer *s);
/* logits (classes); divided by temperature, then softmax in float with log-sum-exp. */
void oc_scorer_add(oc_scorer *s, const float *logits, double temperature, int32_t truth);
/* The same of n rows (n, classes), but for those that `skip` (n, may be NULL) marks: judged by
 * several threads (0 = all), counted in order. */
void oc_scorer_add_rows(oc_scorer *s, const float *logits, size_t n, double temperature,
                        const int32_t *truth, const bool *skip, int threads);
/* May be called at any time; *out is cleared by oc_score_clear. */
OC_MUST_CHECK oc_status oc_scorer_finish(const oc_scorer *s, oc_score *out, oc_error *err);
void oc_score_clear(oc_score *score);

/* The temperature that minimises nll over (n, classes) logits (Guo et al. 2017), 0.05..20; the
 * truth counts 1 - 1/(n+2), so that a small set without a mistake does not promise certainty. 1
 * when there is nothing to fit: no items, one class, logits that are not finite. The same for any
 * number of threads (0 = all). */
double oc_fit_temperature(const float *logits, const int32_t *truth, size_t n, size_t classes,
                          int threads);

/* *out: the largest t at which at least 95 % of the photos that are answered rightly keep p >= t, p
 * the largest probability at the temperature (Hendrycks & Gimpel 2017; the 95 % is a convention of
 * that field). 0, no threshold, where fewer than 20 answers are right. The same for any number of
 * threads (0 = all). */
OC_MUST_CHECK oc_status oc_fit_threshold(double *out, const float *logits, const int32_t *truth,
                                         size_t n, size_t classes, double temperature, int threads,
                                         oc_error *err);

typedef struct oc_prediction { /* of one evaluated item */
    uint32_t item;             /* in the dataset */
    int32_t truth, label;
    float p; /* of label */
    float p_truth;
} oc_prediction;

typedef struct oc_eval_options {
    const char *engine;
    int threads, batch; /* 0 = default */
    oc_image_limits limits;
    bool (*progress)(void *ctx, size_t done, size_t total); /* or NULL; false stops */
    void *ctx;
} oc_eval_options;

typedef struct oc_eval {
    oc_score score;
    oc_prediction *predictions; /* (score.n) in item order */
    double seconds;
} oc_eval;
/* Score `items` of ds (labels mapped to the model's classes by oc_dataset_options.known). Files
 * that fail are rejected in ds and counted nowhere else. */
OC_MUST_CHECK oc_status oc_eval_run(oc_eval *out, const oc_model *model, oc_dataset *ds,
                                    const uint32_t *items, size_t count,
                                    const oc_eval_options *options, oc_error *err);
void oc_eval_clear(oc_eval *e);
/* The answers with p >= threshold, and how many of them are right. */
typedef struct oc_sure {
    uint64_t n, correct;
} oc_sure;
oc_sure oc_eval_sure(const oc_eval *e, double threshold);

/* The JSON object of DESIGN.md: n, accuracy, top5, nll, macro_*, f1a, per_class[], confusion[][],
 * labels[], rejected[], seconds, and ece, accuracy_interval; of a model with a threshold also that,
 * and sure_share, sure_accuracy: of the answers above it. */
OC_MUST_CHECK oc_status oc_eval_json(const oc_eval *e, const oc_model *model, const oc_dataset *ds,
                                     json_t **out, oc_error *err);
/* A table for a terminal. */
OC_MUST_CHECK oc_status oc_eval_text(const oc_eval *e, const oc_model *model, const oc_dataset *ds,
                                     oc_buf *out, oc_error *err);
/* One self-contained HTML file: confusion matrix, per-class table, calibration curve, the most
 * confident mistakes with thumbnails. Opens from disk without network or script errors. */
OC_MUST_CHECK oc_status oc_eval_report(const oc_eval *e, const oc_model *model,
                                       const oc_dataset *ds, const char *path, oc_error *err);

#endif
