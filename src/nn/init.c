/* Fresh values for parameters, each drawn from a stream of its own, keyed by seed and name: the
 * order of layers, other layers and the number of threads change nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

#include <math.h>
#include <string.h>

typedef struct init_job {
    const oc_param *param;
    oc_init init;
    float *values;
} init_job;

typedef struct init_context {
    init_job *jobs;
    uint64_t seed;
} init_context;

static void fill_constant(float *values, size_t count, float value) {
    for (size_t i = 0; i < count; i++) values[i] = value;
}

static void fill_normal(oc_rng *rng, float *values, size_t count, double deviation) {
    for (size_t i = 0; i < count; i++) values[i] = (float)(deviation * (double)oc_rng_normal(rng));
}

static void fill_uniform(oc_rng *rng, float *values, size_t count, double variance) {
    float bound = (float)sqrt(3.0 * variance); /* U(-b, b) has variance b^2/3 */
    for (size_t i = 0; i < count; i++) values[i] = oc_rng_between(rng, -bound, bound);
}

static void fill_weight(const init_job *job, uint64_t seed, size_t count) {
    const oc_param *p = job->param;
    double fan_in = (double)p->fan_in, fan_out = (double)p->fan_out;
    oc_rng rng;
    oc_rng_init(&rng, seed, OC_RNG_INIT, 0, oc_hash64(p->name, strlen(p->name), 0));
    switch (job->init) {
    case OC_INIT_KAIMING_FAN_OUT:
        fill_normal(&rng, job->values, count, sqrt(2 / fan_out));
        break;
    case OC_INIT_KAIMING_UNIFORM:
        fill_uniform(&rng, job->values, count, 2 / fan_in);
        break;
    case OC_INIT_XAVIER:
        fill_normal(&rng, job->values, count, sqrt(2 / (fan_in + fan_out)));
        break;
    case OC_INIT_NORMAL_001:
        fill_normal(&rng, job->values, count, 0.01);
        break;
    }
}

static void run_job(void *ctx, size_t i, int worker) {
    (void)worker;
    const init_context *context = ctx;
    const init_job *job = &context->jobs[i];
    size_t count = 0;
    (void)oc_shape_count(&job->param->shape, &count);
    switch (job->param->kind) {
    case OC_PARAM_WEIGHT:
        fill_weight(job, context->seed, count);
        break;
    case OC_PARAM_SCALE:
    case OC_PARAM_VAR:
        fill_constant(job->values, count, 1);
        break;
    default:
        fill_constant(job->values, count, 0);
        break;
    }
}

oc_status oc_graph_init(const oc_graph *graph, uint64_t seed, oc_tensors *set, oc_error *err) {
    oc_status status = OC_OK;
    size_t count = 0;
    init_context context = {.jobs = oc_calloc(graph->param_count, sizeof(init_job)), .seed = seed};
    if (context.jobs == NULL) OC_GOTO(oc_fail_nomem(err, 0, "the list of parameters"));
    for (size_t i = 0; i < graph->param_count; i++) {
        const oc_param *param = &graph->params[i];
        if (oc_tensors_find(set, param->name) != NULL) continue;
        oc_tensor *tensor;
        OC_GOTO(oc_tensors_add(set, param->name, OC_F32, &param->shape, &tensor, err));
        oc_init init = (oc_init)graph->records[param->node].node.attrs.init;
        context.jobs[count++] = (init_job){param, init, tensor->data};
    }
    oc_parallel_for(count, 0, run_job, &context);
done:
    oc_free(context.jobs);
    return status;
}
