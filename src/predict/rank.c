/* From logits to ranked probabilities.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "predict/predict_int.h"

/* Keep ranked sorted, best first, while the n-th candidate comes in; ranked[].p holds its score. */
static void insert(oc_ranked *ranked, int held, int k, int32_t label, float score) {
    int at = held < k ? held : k - 1;
    if (held >= k && !(score > ranked[at].p)) return;
    for (; at > 0 && score > ranked[at - 1].p; at--) ranked[at] = ranked[at - 1];
    ranked[at] = (oc_ranked){.label = label, .p = score};
}

bool oci_rank(const float *logits, size_t classes, double temperature, int k, oc_ranked *ranked) {
    for (size_t c = 0; c < classes; c++) {
        if (!isfinite(logits[c])) return false;
        insert(ranked, c < (size_t)k ? (int)c : k, k, (int32_t)c, logits[c]);
    }
    double top = (double)ranked[0].p, sum = 0;
    for (size_t c = 0; c < classes; c++) sum += exp(((double)logits[c] - top) / temperature);
    for (int i = 0; i < k; i++) {
        ranked[i].p = (float)(exp(((double)ranked[i].p - top) / temperature) / sum);
    }
    return true;
}

bool oci_softmax(const float *logits, size_t classes, double temperature, float *p) {
    double top = -INFINITY, sum = 0;
    for (size_t c = 0; c < classes; c++) {
        if (!isfinite(logits[c])) return false;
        if ((double)logits[c] > top) top = (double)logits[c];
    }
    for (size_t c = 0; c < classes; c++) {
        double e = exp(((double)logits[c] - top) / temperature);
        p[c] = (float)e;
        sum += e;
    }
    for (size_t c = 0; c < classes; c++) p[c] = (float)((double)p[c] / sum);
    return true;
}

void oc_rank(const float *probabilities, size_t classes, int k, oc_ranked *ranked) {
    for (size_t c = 0; c < classes; c++)
        insert(ranked, c < (size_t)k ? (int)c : k, k, (int32_t)c, probabilities[c]);
}
