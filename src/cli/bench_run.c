/* Times a plan: fresh weights, random pixels that lie in memory, steps as training takes them.
 *
 * Two steps warm up (the first of each pass allocates), the second tells how many make a
 * repetition. Layers are timed afterwards, so that reading the clock does not count.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "bench_int.h"

enum { WARM_UP = 2, MOST_STEPS = 100000 };

/* What the steps read and where they are in their count. */
typedef struct course {
    const oci_bench_task *task;
    oc_plan *plan;
    float *pixels;   /* (batch, 3, size, size) */
    int32_t *labels; /* (batch) */
    uint64_t step;
    double passes[3]; /* seconds so far: forward, backward, update */
} course;

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

oci_spread oci_spread_of(double *values, size_t count) {
    qsort(values, count, sizeof *values, ascending);
    return (oci_spread){.median = (values[(count - 1) / 2] + values[count / 2]) / 2,
                        .min = values[0],
                        .max = values[count - 1]};
}

static oc_status course_init(course *c, const oci_bench_task *task, oc_plan *plan, oc_error *err) {
    size_t channels = task->model ? (size_t)task->model->recipe.channels : 3;
    size_t count = (size_t)task->batch * channels * (size_t)task->size * (size_t)task->size;
    oc_rng rng;
    *c = (course){.task = task, .plan = plan};
    c->pixels = oc_malloc_aligned(count * sizeof *c->pixels);
    c->labels = oc_calloc((size_t)task->batch, sizeof *c->labels);
    if (!c->pixels || !c->labels)
        return oc_fail_nomem(err, count * sizeof *c->pixels, "a batch of pixels");
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < count; i++) c->pixels[i] = oc_rng_between(&rng, -2, 2);
    for (int i = 0; i < task->batch; i++)
        c->labels[i] = (int32_t)oc_rng_below(&rng, (uint32_t)task->classes);
    return OC_OK;
}

static void course_clear(course *c) {
    oc_free_aligned(c->pixels);
    oc_free(c->labels);
}

static oc_status train_step(course *c, oc_error *err) {
    const oc_targets targets = {.label = c->labels};
    const oc_update update = {
        .optimizer = OC_SGD, .lr = 1e-3F, .momentum = 0.9F, .l2 = 1e-4F, .step = ++c->step};
    oc_result result;
    double t0 = oc_clock_seconds();
    OC_TRY(oc_plan_forward(c->plan, c->pixels, c->task->batch, c->step, &targets, &result, err));
    double t1 = oc_clock_seconds();
    OC_TRY(oc_plan_backward(c->plan, err));
    double t2 = oc_clock_seconds();
    OC_TRY(oc_plan_update(c->plan, &update, err));
    c->passes[0] += t1 - t0;
    c->passes[1] += t2 - t1;
    c->passes[2] += oc_clock_seconds() - t2;
    return OC_OK;
}

static oc_status infer_step(course *c, oc_error *err) {
    double start = oc_clock_seconds();
    OC_TRY(oc_plan_forward(c->plan, c->pixels, c->task->batch, 0, NULL, NULL, err));
    c->passes[0] += oc_clock_seconds() - start;
    return OC_OK;
}

/* *seconds (may be NULL) gets the time of all of them. */
static oc_status take_steps(course *c, int steps, double *seconds, oc_error *err) {
    double start = oc_clock_seconds();
    for (int i = 0; i < steps; i++)
        OC_TRY(c->task->mode == OC_MODE_TRAIN ? train_step(c, err) : infer_step(c, err));
    if (seconds) *seconds = oc_clock_seconds() - start;
    return OC_OK;
}

/* How many steps take about `seconds`, judged by one that took `step`. */
static int steps_within(double seconds, double step) {
    double steps = step > 0 ? seconds / step + 0.5 : MOST_STEPS;
    return steps < 1 ? 1 : steps > MOST_STEPS ? MOST_STEPS : (int)steps;
}

static oc_status time_plan(oci_bench *out, course *c, oc_error *err) {
    const oci_bench_task *task = c->task;
    oc_status status = OC_OK;
    double step = 0, seconds = 0;
    double *rates = oc_calloc((size_t)task->reps, sizeof *rates);
    if (!rates) return oc_fail_nomem(err, (size_t)task->reps * sizeof *rates, "the repetitions");
    for (int i = 0; i < WARM_UP; i++) OC_GOTO(take_steps(c, 1, &step, err));
    out->steps = steps_within(task->seconds, step);
    for (int i = 0; i < 3; i++) c->passes[i] = 0;
    for (int i = 0; i < task->reps; i++) {
        OC_GOTO(take_steps(c, out->steps, &seconds, err));
        rates[i] = (double)task->batch * out->steps / seconds;
    }
    out->rate = oci_spread_of(rates, (size_t)task->reps);
    double all = (double)task->reps * out->steps;
    out->forward = c->passes[0] / all;
    out->backward = c->passes[1] / all;
    out->update = c->passes[2] / all;
done:
    oc_free(rates);
    return status;
}

/* Weights, gradients and momentum are read, weights and momentum written. */
static double update_bytes(const oc_graph *graph) {
    double count = 0;
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        size_t values = 0;
        if (oc_param_trained(param->kind) && oc_shape_count(&param->shape, &values))
            count += (double)values;
    }
    return 5 * count * sizeof(float);
}

static oc_status time_layers(oci_bench *out, course *c, const oc_shape *shapes, oc_error *err) {
    double step = out->forward + out->backward + out->update;
    int steps = 1 + steps_within(c->task->seconds, step);
    for (int i = 0; i < 3; i++) c->passes[i] = 0;
    oc_plan_profile(c->plan, true);
    oc_status status = take_steps(c, steps, NULL, err);
    oc_plan_profile(c->plan, false);
    if (status != OC_OK) return status;
    const oci_layer_source from = {.plan = c->plan,
                                   .graph = out->graph,
                                   .shapes = shapes,
                                   .steps = steps,
                                   .step_seconds =
                                       (c->passes[0] + c->passes[1] + c->passes[2]) / steps,
                                   .update_seconds = c->passes[2] / steps,
                                   .update_bytes = update_bytes(out->graph)};
    return oci_rooflines_new(&out->layers, &from, err);
}

static oc_status make_plan(oci_bench *out, const oci_bench_task *task, oc_error *err) {
    const oc_plan_options options = {.mode = task->mode,
                                     .batch = task->batch,
                                     .height = task->size,
                                     .width = task->size,
                                     .threads = task->threads,
                                     .seed = 1,
                                     .sample = (float)task->sample};
    oc_tensors *weights = NULL;
    oc_status status = OC_OK;
    if (task->model) {
        OC_TRY(oc_graph_copy(task->model->graph, &out->graph, err));
        return oc_model_plan(task->model, task->engine, task->threads, task->batch, &out->plan,
                             err);
    }
    OC_GOTO(oc_arch_build(task->arch, &out->graph, 3, task->classes, task->size, task->size, err));
    OC_GOTO(oc_tensors_new(&weights, err));
    OC_GOTO(oc_graph_init(out->graph, 1, weights, err));
    OC_GOTO(oc_plan_new(&out->plan, task->engine, out->graph, &options, err));
    OC_GOTO(oc_plan_import(out->plan, OC_SLOT_WEIGHTS, weights, err));
done:
    oc_tensors_free(weights);
    return status;
}

static oc_status count_work(oci_bench *out, const oci_bench_task *task, oc_shape *shapes,
                            oc_error *err) {
    OC_TRY(oc_graph_shapes(out->graph, 1, task->size, task->size, shapes, err));
    for (int i = 0; i < oc_graph_node_count(out->graph); i++)
        out->macs += oc_graph_macs(out->graph, i, shapes);
    int passes = task->mode == OC_MODE_TRAIN ? 3 : 1;
    out->flops = 2.0 * passes * (double)out->macs * task->batch;
    return oc_graph_shapes(out->graph, task->batch, task->size, task->size, shapes, err);
}

oc_status oci_bench_run(oci_bench *out, const oci_bench_task *task, oc_error *err) {
    course c = {0};
    oc_shape *shapes = NULL;
    oc_status status = OC_OK;
    *out = (oci_bench){0};
    OC_GOTO(make_plan(out, task, err));
    size_t nodes = (size_t)oc_graph_node_count(out->graph);
    shapes = oc_calloc(nodes, sizeof *shapes);
    if (!shapes) OC_GOTO(oc_fail_nomem(err, nodes * sizeof *shapes, "the shapes"));
    OC_GOTO(count_work(out, task, shapes, err));
    OC_GOTO(course_init(&c, task, out->plan, err));
    OC_GOTO(time_plan(out, &c, err));
    out->memory = oc_plan_memory_use(out->plan);
    if (task->layers) OC_GOTO(time_layers(out, &c, shapes, err));
done:
    course_clear(&c);
    oc_free(shapes);
    return status;
}

void oci_bench_clear(oci_bench *bench) {
    oci_rooflines_clear(&bench->layers);
    oc_plan_free(bench->plan);
    oc_graph_free(bench->graph);
    *bench = (oci_bench){0};
}
