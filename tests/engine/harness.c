/* Making cases ready to run.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

#include <math.h>

/* Attributes that may not be 0 take the op's default where the case says 0. */
static oc_attrs completed(oc_op op, const oc_attrs *given) {
    size_t count;
    const oc_field *fields = oc_op_fields(op, &count);
    oc_attrs attrs = *given;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].min > 0 && oc_field_get(&fields[i], &attrs) == 0) {
            oc_field_set(&fields[i], &attrs, fields[i].fallback);
        }
    }
    return attrs;
}

/* A layer that multiplies each channel and adds to it: shows the gradient of what reads it. */
static int scaling_layer(oc_build *b, int x, const char *name, int channels) {
    return oc_build_conv(b, x, name, channels, 1, 1, 0, channels, true, OC_INIT_NORMAL_001);
}

static void build_op(oc_build *b, const engine_case *spec) {
    oc_attrs attrs = completed(spec->op, &spec->attrs);
    int inputs[2] = {scaling_layer(b, 0, "pre", spec->c), 0}, count = 1;
    if (spec->op == OC_OP_ADD || spec->op == OC_OP_CONCAT || spec->op == OC_OP_MULTIPLY) {
        inputs[count++] = scaling_layer(b, 0, "pre2", spec->c);
    }
    (void)oc_build_node(b, spec->op, "op", inputs, count, &attrs);
}

static void open_graph(bench *b) {
    oc_build build = {0};
    check_ok(oc_graph_new(&build.graph, &build.error), build.error);
    int x = oc_build_input(&build, b->spec->c, b->spec->h, b->spec->w);
    if (b->spec->net != NULL) {
        (void)b->spec->net(&build, x);
    } else {
        build_op(&build, b->spec);
    }
    check_ok(build.status, build.error);
    b->graph = build.graph;
}

static void open_shapes(bench *b) {
    oc_error err = {0};
    const engine_case *spec = b->spec;
    int count = oc_graph_node_count(b->graph);
    oc_shape *shapes = oc_calloc((size_t)count, sizeof *shapes);
    assert_non_null(shapes);
    check_ok(oc_graph_shapes(b->graph, spec->n, spec->h, spec->w, shapes, &err), err);
    const int64_t *out = shapes[count - 1].dim;
    b->classes = (size_t)(out[1] * out[2] * out[3]);
    b->pixel_count = (size_t)spec->n * (size_t)spec->c * (size_t)spec->h * (size_t)spec->w;
    oc_free(shapes);
}

/* How far a scaling layer spreads the pixels, so that the op's corners, at 1.5 before, are seen. */
static float spread_for(oc_op op) {
    return op == OC_OP_RELU6 ? 4 : op == OC_OP_HARD_SWISH ? 2 : 1;
}

/* Scaling layers begin near the identity, variances are positive. */
static float fresh_value(const bench *b, const oc_param *p, oc_rng *rng) {
    bool scaling = oc_starts_with(p->name, "pre");
    switch (p->kind) {
    case OC_PARAM_WEIGHT:
        if (scaling) return spread_for(b->spec->op);
        return oc_rng_normal(rng) / sqrtf((float)p->fan_in);
    case OC_PARAM_BIAS:
        return scaling ? 0 : 0.1F * oc_rng_normal(rng);
    case OC_PARAM_SCALE:
    case OC_PARAM_VAR:
        return oc_rng_between(rng, 0.5F, 1.5F);
    default:
        return 0.2F * oc_rng_normal(rng);
    }
}

static void open_weights(bench *b) {
    oc_error err = {0};
    check_ok(oc_tensors_new(&b->weights, &err), err);
    for (int i = 0; i < oc_graph_param_count(b->graph); i++) {
        const oc_param *p = oc_graph_param(b->graph, i);
        oc_tensor *t = NULL;
        oc_rng rng;
        oc_rng_init(&rng, 11, OC_RNG_TEST, 0, (uint64_t)i);
        check_ok(oc_tensors_add(b->weights, p->name, OC_F32, &p->shape, &t, &err), err);
        for (size_t k = 0; k < oc_tensor_count(t); k++) {
            ((float *)t->data)[k] = fresh_value(b, p, &rng);
        }
    }
}

void bench_next_batch(bench *b, uint64_t seed) {
    /* Distinct values, 0.15 or more from 0 and 0.05 or more from 1.5, in random order: +-(0.15 +
     * 0.1 k), then a little apart for each turn around the 40 of them. */
    enum { LATTICE = 20 };
    oc_rng rng;
    oc_rng_init(&rng, seed, OC_RNG_TEST, 1, 0);
    uint32_t *order = oc_calloc(b->pixel_count, sizeof *order);
    assert_non_null(order);
    for (size_t i = 0; i < b->pixel_count; i++) order[i] = (uint32_t)i;
    oc_rng_shuffle(&rng, order, b->pixel_count);
    for (size_t i = 0; i < b->pixel_count; i++) {
        uint32_t k = order[i] / 2 % LATTICE, turn = order[i] / (2 * LATTICE);
        float spread = 0.04F * (float)turn / (float)(b->pixel_count / (2 * LATTICE) + 1);
        float size = 0.15F + 0.1F * (float)k + spread;
        b->pixels[i] = order[i] % 2 == 0 ? size : -size;
    }
    for (int i = 0; i < b->spec->n; i++) {
        b->labels[i] = (int32_t)oc_rng_below(&rng, (uint32_t)b->classes);
    }
    oc_free(order);
}

static void open_trained(bench *b) {
    int count = oc_graph_param_count(b->graph);
    if (!b->spec->fixed_prefix) return;
    b->trained = oc_calloc((size_t)count, sizeof *b->trained);
    assert_non_null(b->trained);
    for (int i = count / 2; i < count; i++) b->trained[i] = true;
}

void bench_open(bench *b, const engine_case *spec) {
    *b = (bench){.spec = spec, .threads = 2};
    open_graph(b);
    open_shapes(b);
    open_weights(b);
    open_trained(b);
    b->pixels = oc_calloc(b->pixel_count, sizeof *b->pixels);
    b->labels = oc_calloc((size_t)spec->n, sizeof *b->labels);
    assert_non_null(b->pixels);
    assert_non_null(b->labels);
    bench_next_batch(b, 5);
}

void bench_close(bench *b) {
    oc_graph_free(b->graph);
    oc_tensors_free(b->weights);
    oc_free(b->pixels);
    oc_free(b->labels);
    oc_free(b->trained);
}

oc_plan *bench_plan(const bench *b, const char *engine, oc_mode mode) {
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_plan_options options = {.mode = mode,
                               .batch = b->spec->n,
                               .height = b->spec->h,
                               .width = b->spec->w,
                               .threads = b->threads,
                               .seed = 3,
                               .freeze_stats = b->spec->freeze_stats,
                               .recompute = b->recompute,
                               .trained = b->trained};
    check_ok(oc_plan_new(&plan, engine, b->graph, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, b->weights, &err), err);
    return plan;
}

oc_result bench_forward(const bench *b, oc_plan *plan, uint64_t step) {
    oc_error err = {0};
    oc_result result = {0};
    oc_targets targets = {.label = b->labels, .smoothing = 0.1F};
    check_ok(oc_plan_forward(plan, b->pixels, b->spec->n, step, &targets, &result, &err), err);
    return result;
}

oc_result bench_step(const bench *b, oc_plan *plan, uint64_t step) {
    oc_error err = {0};
    oc_result result = bench_forward(b, plan, step);
    check_ok(oc_plan_backward(plan, &err), err);
    return result;
}

oc_tensors *export_slot(const oc_plan *plan, oc_slot slot) {
    oc_error err = {0};
    oc_tensors *set = NULL;
    check_ok(oc_tensors_new(&set, &err), err);
    check_ok(oc_plan_export(plan, slot, set, &err), err);
    return set;
}

double difference(const float *got, const float *wanted, size_t count) {
    double largest = 1e-3, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double d = fabs((double)got[i] - (double)wanted[i]);
        largest = fmax(largest, fabs((double)wanted[i]));
        if (!(d <= worst)) worst = d; /* a NaN is the worst */
    }
    return worst / largest;
}

void check_sets_close(const oc_tensors *got, const oc_tensors *wanted, double tolerance,
                      const char *what) {
    assert_int_equal(oc_tensors_count(got), oc_tensors_count(wanted));
    for (size_t i = 0; i < oc_tensors_count(wanted); i++) {
        const char *name = oc_tensors_name(wanted, i);
        const oc_tensor *a = oc_tensors_find(got, name), *b = oc_tensors_at(wanted, i);
        if (a == NULL) fail_msg("%s: '%s' is missing", what, name);
        assert_true(oc_shape_equal(&a->shape, &b->shape));
        double d = difference(a->data, b->data, oc_tensor_count(b));
        if (!(d <= tolerance)) {
            fail_msg("%s: '%s' differs by %g of its largest value, allowed is %g", what, name, d,
                     tolerance);
        }
    }
}
