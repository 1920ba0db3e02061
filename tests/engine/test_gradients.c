/* The reference engine's gradients against central differences of its own loss, for every case.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

#include <math.h>

/* Step and tolerance belong together. Activations are floats, so the loss (about 1 to 6) wobbles by
 * some 1e-7; divided by 2*STEP that is 1e-5. The third derivative adds about STEP^2. Both stay well
 * below the tolerance, and a wrong sign, factor or index is far above it. */
static const double STEP = 5e-3, TOLERANCE = 2e-3;
enum { TRIED = 12 }; /* elements per parameter, spread evenly */

static double loss_with(const bench *b, oc_plan *plan, float *value, float now) {
    oc_error err = {0};
    float before = *value;
    *value = now;
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, b->weights, &err), err);
    *value = before;
    oc_result result = bench_forward(b, plan, 1);
    return result.loss + result.aux;
}

static void check_element(const bench *b, oc_plan *plan, const oc_tensor *t, const oc_tensor *grad,
                          size_t k, const char *name) {
    float *value = (float *)t->data + k;
    double wanted = ((const float *)grad->data)[k];
    float up = *value + (float)STEP, down = *value - (float)STEP;
    double slope = (loss_with(b, plan, value, up) - loss_with(b, plan, value, down)) /
                   ((double)up - (double)down);
    if (fabs(slope - wanted) <= TOLERANCE * fmax(1, fabs(wanted))) return;
    fail_msg("%s[%zu]: gradient %g, difference quotient %g", name, k, wanted, slope);
}

static void gradient_is_the_slope(void **state) {
    bench b;
    bench_open(&b, *state);
    b.threads = 1; /* thousands of tiny runs */
    oc_plan *plan = bench_plan(&b, "ref", OC_MODE_TRAIN);
    (void)bench_step(&b, plan, 1);
    oc_tensors *grads = export_slot(plan, OC_SLOT_GRADS);
    for (size_t i = 0; i < oc_tensors_count(grads); i++) {
        const char *name = oc_tensors_name(grads, i);
        const oc_tensor *grad = oc_tensors_at(grads, i), *t = oc_tensors_find(b.weights, name);
        size_t count = oc_tensor_count(t), stride = count / TRIED + 1;
        for (size_t k = 0; k < count; k += stride) check_element(&b, plan, t, grad, k, name);
    }
    oc_tensors_free(grads);
    oc_plan_free(plan);
    bench_close(&b);
}

/* What is not trained has no gradient, and what is has the same one as if all were. */
static void fixed_parameters_change_no_other_gradient(void **state) {
    bench b;
    bench_open(&b, *state);
    oc_plan *some = bench_plan(&b, "ref", OC_MODE_TRAIN);
    (void)bench_step(&b, some, 1);
    oc_tensors *got = export_slot(some, OC_SLOT_GRADS);
    bool *trained = b.trained;
    b.trained = NULL;
    oc_plan *all = bench_plan(&b, "ref", OC_MODE_TRAIN);
    (void)bench_step(&b, all, 1);
    oc_tensors *wanted = export_slot(all, OC_SLOT_GRADS);
    for (int i = 0; i < oc_graph_param_count(b.graph); i++) {
        const char *name = oc_graph_param(b.graph, i)->name;
        const oc_tensor *g = oc_tensors_find(got, name), *w = oc_tensors_find(wanted, name);
        assert_true((g != NULL) == (w != NULL && (trained == NULL || trained[i])));
        if (g != NULL) assert_memory_equal(g->data, w->data, oc_tensor_bytes(w));
    }
    b.trained = trained;
    oc_tensors_free(got);
    oc_tensors_free(wanted);
    oc_plan_free(some);
    oc_plan_free(all);
    bench_close(&b);
}

/* Networks with corners inside (ReLU behind a convolution) have no exact difference quotient: ops
 * and smooth networks only. */
static bool is_smooth(const engine_case *spec) {
    static const char *const SMOOTH[] = {"joined twice", "doubled", "shared values", "head alone",
                                         "auxiliary losses, smooth"};
    bool smooth = spec->net == NULL;
    for (size_t i = 0; i < sizeof SMOOTH / sizeof *SMOOTH; i++) {
        smooth = smooth || strcmp(spec->name, SMOOTH[i]) == 0;
    }
    return smooth;
}

int main(void) {
    enum { MOST = 128 };
    static struct CMUnitTest tests[MOST];
    size_t count = 0;
    for (size_t i = 0; i < CASE_COUNT && count < MOST; i++) {
        const engine_case *spec = &CASES[i];
        if (!is_smooth(spec) && !spec->fixed_prefix) continue;
        tests[count++] = (struct CMUnitTest){
            .name = spec->name,
            .test_func = spec->fixed_prefix ? fixed_parameters_change_no_other_gradient
                                            : gradient_is_the_slope,
            .initial_state = (void *)(uintptr_t)spec};
    }
    return _cmocka_run_group_tests("gradients of ref", tests, count, NULL, NULL);
}
