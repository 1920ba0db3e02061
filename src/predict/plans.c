/* Plans of a predictor by batch size: 1, 2, 4, ... below the largest, each made when first asked
 * for, all with the weights of the largest and its memory for activations. A few images then cost
 * what a few images must.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "predict/predict_int.h"

/* The number of the smallest plan that holds n images; -1: none below the largest does. */
static int number_of(const oc_predictor *p, size_t n) {
    for (int i = 0; i < OCI_SMALLER_PLANS && (1 << i) < p->batch; i++)
        if (n <= (size_t)1 << i) return i;
    return -1;
}

oc_status oci_plans_get(oc_predictor *p, size_t n, oc_plan **out, oc_error *err) {
    int i = number_of(p, n);
    *out = p->plan;
    if (i < 0) return OC_OK;
    if (p->smaller[i] == NULL)
        OC_TRY(oc_model_plan_in_turns(p->model, oc_plan_engine(p->plan), p->threads, 1 << i,
                                      p->plan, &p->smaller[i], err));
    *out = p->smaller[i];
    return OC_OK;
}

void oci_plans_free(oc_predictor *p) {
    for (int i = 0; i < OCI_SMALLER_PLANS; i++) oc_plan_free(p->smaller[i]);
    oc_plan_free(p->plan);
}

oc_plan_memory oc_predictor_memory(const oc_predictor *p) {
    oc_plan_memory sum = oc_plan_memory_use(p->plan);
    for (int i = 0; i < OCI_SMALLER_PLANS; i++) {
        if (p->smaller[i] == NULL) continue;
        const oc_plan_memory m = oc_plan_memory_use(p->smaller[i]);
        sum.weights += m.weights;
        sum.activations += m.activations;
        sum.scratch += m.scratch;
    }
    return sum;
}
