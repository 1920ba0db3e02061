/* Fresh values for parameters, each drawn from a stream of its own, keyed by seed and name: the
 * order of layers, other layers and the number of threads change nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 1 << 18, WORDS_OF_NORMAL = 2, WORDS_OF_UNIFORM = 1 };

/* A part of a parameter. */
typedef struct init_job {
    const oc_param *param;
    oc_init init;
    float *values;       /* of the whole parameter */
    size_t first, count; /* of this part */
} init_job;

typedef struct init_context {
    init_job *jobs;
    uint64_t seed;
} init_context;

static void fill_constant(const init_job *job, float value) {
    for (size_t i = 0; i < job->count; i++) job->values[job->first + i] = value;
}

/* The values that a walk from the parameter's start would draw for this part. */
static void fill_normal(oc_rng *rng, const init_job *job, double deviation) {
    oc_rng_skip(rng, job->first * WORDS_OF_NORMAL);
    for (size_t i = 0; i < job->count; i++)
        job->values[job->first + i] = (float)(deviation * (double)oc_rng_normal(rng));
}

static void fill_uniform(oc_rng *rng, const init_job *job, double variance) {
    float bound = (float)sqrt(3.0 * variance); /* U(-b, b) has variance b^2/3 */
    oc_rng_skip(rng, job->first * WORDS_OF_UNIFORM);
    for (size_t i = 0; i < job->count; i++)
        job->values[job->first + i] = oc_rng_between(rng, -bound, bound);
}

static void fill_weight(const init_job *job, uint64_t seed) {
    const oc_param *p = job->param;
    double fan_in = (double)p->fan_in, fan_out = (double)p->fan_out;
    oc_rng rng;
    oc_rng_init(&rng, seed, OC_RNG_INIT, 0, oc_hash64(p->name, strlen(p->name), 0));
    switch (job->init) {
    case OC_INIT_KAIMING_FAN_OUT:
        fill_normal(&rng, job, sqrt(2 / fan_out));
        break;
    case OC_INIT_KAIMING_UNIFORM:
        fill_uniform(&rng, job, 2 / fan_in);
        break;
    case OC_INIT_XAVIER:
        fill_normal(&rng, job, sqrt(2 / (fan_in + fan_out)));
        break;
    case OC_INIT_NORMAL_001:
        fill_normal(&rng, job, 0.01);
        break;
    }
}

static void run_job(void *ctx, size_t i, int worker) {
    (void)worker;
    const init_context *context = ctx;
    const init_job *job = &context->jobs[i];
    switch (job->param->kind) {
    case OC_PARAM_WEIGHT:
        fill_weight(job, context->seed);
        break;
    case OC_PARAM_SCALE:
    case OC_PARAM_VAR:
    case OC_PARAM_STEP:
        fill_constant(job, 1);
        break;
    case OC_PARAM_SLOPE:
        fill_constant(job, 0.25F); /* as He et al. start */
        break;
    default:
        fill_constant(job, 0);
        break;
    }
}

static size_t values_of(const oc_param *param) {
    size_t count = 0;
    return oc_shape_count(&param->shape, &count) ? count : 0;
}

/* Parts of all parameters together. */
static size_t count_parts(const oc_graph *graph) {
    size_t parts = 0;
    for (size_t i = 0; i < graph->param_count; i++)
        parts += values_of(&graph->params[i]) / CHUNK + 1;
    return parts;
}

oc_status oc_graph_init(const oc_graph *graph, uint64_t seed, oc_tensors *set, oc_error *err) {
    oc_status status = OC_OK;
    size_t count = 0;
    init_context context = {.jobs = oc_calloc(count_parts(graph), sizeof(init_job)), .seed = seed};
    if (context.jobs == NULL) OC_GOTO(oc_fail_nomem(err, 0, "the list of parameters"));
    for (size_t i = 0; i < graph->param_count; i++) {
        const oc_param *param = &graph->params[i];
        if (oc_tensors_find(set, param->name) != NULL) continue;
        oc_tensor *tensor;
        OC_GOTO(oc_tensors_add(set, param->name, OC_F32, &param->shape, &tensor, err));
        oc_init init = (oc_init)graph->records[param->node].node.attrs.init;
        size_t whole = values_of(param);
        for (size_t at = 0; at < whole; at += CHUNK)
            context.jobs[count++] =
                (init_job){param, init, tensor->data, at, whole - at < CHUNK ? whole - at : CHUNK};
    }
    oc_parallel_for(count, 0, run_job, &context);
done:
    oc_free(context.jobs);
    return status;
}
