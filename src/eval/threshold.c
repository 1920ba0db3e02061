/* Below which certainty an answer is better "unknown": the maximum softmax probability as the score
 * (Hendrycks and Gimpel, "A baseline for detecting misclassified and out-of-distribution examples",
 * ICLR 2017), cut where 95 % of what is answered rightly stays named.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>

#include "eval/eval_int.h"

enum { SOME_ROWS = 64, FEWEST_RIGHT = 20 };

static const double lost_share = 0.05; /* of the right answers, at most */
static const double below = 1 - 1e-6; /* p is a float elsewhere: the photo at the threshold stays */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The certainty of the right answers, in any order; returns how many. */
static size_t gather(const float *logits, const int32_t *truth, size_t n, size_t classes,
                     double temperature, int threads, double *p) {
    oci_verdict verdict[SOME_ROWS];
    size_t right = 0;
    for (size_t first = 0; first < n; first += SOME_ROWS) {
        size_t some = n - first < SOME_ROWS ? n - first : SOME_ROWS;
        oci_judge_rows(logits + first * classes, some, classes, temperature, truth + first, NULL,
                       threads, verdict);
        for (size_t i = 0; i < some; i++)
            if (verdict[i].label == truth[first + i] && verdict[i].p > 0) p[right++] = verdict[i].p;
    }
    return right;
}

oc_status oc_fit_threshold(double *out, const float *logits, const int32_t *truth, size_t n,
                           size_t classes, double temperature, int threads, oc_error *err) {
    *out = 0;
    if (n < FEWEST_RIGHT || classes < 2) return OC_OK;
    double *p = oc_calloc(n, sizeof *p);
    if (p == NULL) return oc_fail_nomem(err, n * sizeof *p, "the certainty of answers");
    size_t right = gather(logits, truth, n, classes, temperature, threads, p);
    if (right >= FEWEST_RIGHT) {
        qsort(p, right, sizeof *p, by_size);
        *out = p[(size_t)floor(lost_share * (double)right)] * below;
    }
    oc_free(p);
    return OC_OK;
}

oc_sure oc_eval_sure(const oc_eval *e, double threshold) {
    oc_sure sure = {0};
    for (uint64_t i = 0; e->predictions != NULL && i < e->score.n; i++) {
        const oc_prediction *p = &e->predictions[i];
        if ((double)p->p < threshold) continue;
        sure.n++;
        sure.correct += p->label == p->truth;
    }
    return sure;
}
