/* What the files of the eval room share. Private to `eval`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_EVAL_INT_H
#define OC_EVAL_INT_H

#include "eval/eval.h"

/* What the logits of one item say. */
typedef struct oci_verdict {
    int32_t label;  /* the largest logit, the first of equals */
    size_t rank;    /* of the truth, 0 = first */
    double p;       /* of label */
    double p_truth; /* of the truth */
} oci_verdict;

/* Softmax of (classes) logits / temperature. */
oci_verdict oci_judge(const float *logits, size_t classes, double temperature, int32_t truth);
/* out[i] for each of n rows that `skip` (may be NULL) does not mark. */
void oci_judge_rows(const float *logits, size_t n, size_t classes, double temperature,
                    const int32_t *truth, const bool *skip, int threads, oci_verdict *out);
void oci_scorer_count(oc_scorer *s, const oci_verdict *v, int32_t truth);

/* 95 % interval of a share (Wilson 1927); 0..1 when count is 0. */
void oci_wilson(uint64_t correct, uint64_t count, double *low, double *high);

/* The display name of class c, or its label. */
const char *oci_class_name(const oc_classes *classes, size_t c);

/* Pairs of classes by how often one is taken for the other. */
typedef struct oci_pair {
    int32_t truth, label;
    uint32_t n;
} oci_pair;
/* Up to `most` pairs with n >= 1, the most frequent first, from the predictions (so that it works
 * for any number of classes). *out is oc_free'd by the caller. */
OC_MUST_CHECK oc_status oci_confused_pairs(const oc_eval *e, size_t most, oci_pair **out,
                                           size_t *count, oc_error *err);

/* Class numbers with items first, worst F1 first, ties by more items, then by number; classes
 * without items are left out. *out is oc_free'd by the caller. */
OC_MUST_CHECK oc_status oci_worst_classes(const oc_score *score, uint32_t **out, size_t *count,
                                          oc_error *err);

/* Columns that a terminal needs for text (wide East Asian characters count 2, combining ones 0;
 * malformed bytes 1). */
size_t oci_text_columns(const char *text);
/* Append text padded with spaces, or cut with an ellipsis, to exactly `columns`; control characters
 * and malformed bytes become '?'. */
void oci_text_cell(oc_buf *out, const char *text, size_t columns);

#endif
