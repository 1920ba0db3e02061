/* What running a network would take on this machine: memory and speed, for inference and training.
 *
 * Memory is the plans' own account of the batch asked for. Speed is timed on as many images as a
 * fraction of a second allows, and scaled: forward and backward by the number of images, an update
 * not at all. Weights stay zero, which takes the same time as any others. What scaling cannot see
 * is that small batches use weights less often: docs/05-networks.md says how far estimates were
 * off.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "info_int.h"

static const double sample_macs = 4e10;   /* of a timed step, about; at least one image */
static const double sample_seconds = 0.4; /* of timed steps, at least one */
enum { INFER_IMAGES = 8, BYTES_TEXT = 16, RATE_TEXT = 32 };

/* A plan for a few images and what its steps have taken. */
typedef struct sample {
    oc_plan *plan;
    float *pixels;
    int32_t *labels; /* all 0 */
    int images, steps;
    double passes; /* seconds: forward and backward */
    double updates;
} sample;

static void sample_clear(sample *s) {
    oc_plan_free(s->plan);
    oc_free_aligned(s->pixels);
    oc_free(s->labels);
}

static oc_status graph_macs(const oc_graph *graph, int height, int width, double *out,
                            oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    if (!shapes) return oc_fail_nomem(err, count * sizeof *shapes, "the shapes");
    oc_status status = oc_graph_shapes(graph, 1, height, width, shapes, err);
    *out = 0;
    for (size_t i = 0; status == OC_OK && i < count; i++)
        *out += (double)oc_graph_macs(graph, (int)i, shapes);
    oc_free(shapes);
    return status;
}

/* How many images a step of about sample_macs takes. */
static int images_for(double macs, oc_mode mode, int batch) {
    double each = (mode == OC_MODE_TRAIN ? 3 : 1) * macs + 1, most = sample_macs / each;
    int limit = mode == OC_MODE_INFER && batch > INFER_IMAGES ? INFER_IMAGES : batch;
    return most < 1 ? 1 : most < limit ? (int)most : limit;
}

/* The options' batch becomes that of the sample. */
static oc_status sample_init(sample *s, const oc_graph *graph, oc_plan_options o, double macs,
                             oc_error *err) {
    int channels = oc_graph_node(graph, 0)->attrs.channels;
    *s = (sample){.images = images_for(macs, o.mode, o.batch)};
    size_t count = (size_t)s->images * (size_t)channels * (size_t)o.height * (size_t)o.width;
    o.batch = s->images;
    s->pixels = oc_malloc_aligned(count * sizeof *s->pixels);
    s->labels = oc_calloc((size_t)s->images, sizeof *s->labels);
    if (!s->pixels || !s->labels)
        return oc_fail_nomem(err, count * sizeof *s->pixels, "images to time");
    for (size_t i = 0; i < count; i++) s->pixels[i] = (float)(i % 251) / 251;
    return oc_plan_new(&s->plan, NULL, graph, &o, err);
}

static oc_status train_step(sample *s, oc_error *err) {
    const oc_targets targets = {.label = s->labels};
    const oc_update update = {
        .optimizer = OC_SGD, .lr = 1e-6F, .momentum = 0.9F, .step = (uint64_t)s->steps + 1};
    oc_result result;
    double start = oc_clock_seconds();
    OC_TRY(oc_plan_forward(s->plan, s->pixels, s->images, update.step, &targets, &result, err));
    OC_TRY(oc_plan_backward(s->plan, err));
    double middle = oc_clock_seconds();
    OC_TRY(oc_plan_update(s->plan, &update, err));
    s->passes += middle - start;
    s->updates += oc_clock_seconds() - middle;
    s->steps++;
    return OC_OK;
}

static oc_status infer_step(sample *s, oc_error *err) {
    double start = oc_clock_seconds();
    OC_TRY(oc_plan_forward(s->plan, s->pixels, s->images, 0, NULL, NULL, err));
    s->passes += oc_clock_seconds() - start;
    s->steps++;
    return OC_OK;
}

/* The first step does not count: it touches all memory for the first time. */
static oc_status time_steps(sample *s, oc_mode mode, oc_error *err) {
    oc_status (*step)(sample *, oc_error *) = mode == OC_MODE_TRAIN ? train_step : infer_step;
    OC_TRY(step(s, err));
    s->passes = s->updates = 0;
    s->steps = 0;
    do OC_TRY(step(s, err));
    while (s->passes + s->updates < sample_seconds);
    return OC_OK;
}

/* *rate := images a second at the options' batch. */
static oc_status estimate_rate(const oc_graph *graph, const oc_plan_options *o, double macs,
                               double *rate, oc_error *err) {
    sample s;
    oc_status status = OC_OK;
    OC_GOTO(sample_init(&s, graph, *o, macs, err));
    OC_GOTO(time_steps(&s, o->mode, err));
    double image = s.passes / s.steps / s.images, update = s.updates / s.steps;
    *rate = o->batch / (o->batch * image + update);
done:
    sample_clear(&s);
    return status;
}

oc_status oci_cost_estimate(oci_cost *out, const oc_graph *graph, int height, int width, int batch,
                            bool speed, oc_error *err) {
    oc_plan_options o = {.mode = OC_MODE_INFER, .batch = batch, .height = height, .width = width};
    double macs = 0;
    *out = (oci_cost){.batch = batch, .threads = oc_cpu_count(), .engine = oc_engine_names()[0]};
    speed = speed && strcmp(out->engine, "ref") != 0; /* it would take minutes */
    OC_TRY(graph_macs(graph, height, width, &macs, err));
    OC_TRY(oc_plan_measure(NULL, graph, &o, &out->infer, err));
    if (speed) OC_TRY(estimate_rate(graph, &o, macs, &out->infer_rate, err));
    o.mode = OC_MODE_TRAIN;
    oc_status status = oc_plan_measure(NULL, graph, &o, &out->train, err);
    if (status == OC_EUNSUPPORTED) return OC_OK; /* such as a net that ends in softmax */
    out->trainable = status == OC_OK;
    if (status != OC_OK || !speed) return status;
    return estimate_rate(graph, &o, macs, &out->train_rate, err);
}

static void text_bytes(const char *what, const oci_cost *cost, uint64_t infer, uint64_t train,
                       oc_buf *out) {
    char a[BYTES_TEXT], b[BYTES_TEXT];
    oc_buf_printf(out, "  %-22s %10s %10s\n", what, oc_format_bytes(a, infer),
                  cost->trainable ? oc_format_bytes(b, train) : "-");
}

static uint64_t activations_of(const oc_plan_memory *m) {
    return m->activations + m->scratch;
}

void oci_cost_text(const oci_cost *cost, oc_buf *out) {
    char title[32], infer[RATE_TEXT], train[RATE_TEXT];
    enum { SLOTS = 1 }; /* of momentum */
    snprintf(title, sizeof title, "batch %d", cost->batch);
    oc_buf_printf(out, "%-24s %10s %10s\n", title, "inference", "training");
    text_bytes("weights", cost, cost->infer.weights, cost->train.weights + SLOTS * cost->train.slot,
               out);
    text_bytes("activations", cost, activations_of(&cost->infer), activations_of(&cost->train),
               out);
    text_bytes("memory in all", cost, oc_plan_memory_sum(&cost->infer, 0),
               oc_plan_memory_sum(&cost->train, SLOTS), out);
    if (cost->infer_rate <= 0) return;
    oc_buf_printf(out, "  %-22s %10s %10s   (estimate: short runs, %d thread%s)\n", "images/s",
                  oci_format_rate(infer, cost->infer_rate),
                  cost->trainable ? oci_format_rate(train, cost->train_rate) : "-", cost->threads,
                  cost->threads == 1 ? "" : "s");
}

static json_t *memory_json(const oc_plan_memory *m, int slots, double rate) {
    json_t *o =
        json_pack("{s:I,s:I,s:I}", "weight_bytes",
                  (json_int_t)(m->weights + (uint64_t)slots * m->slot), "activation_bytes",
                  (json_int_t)activations_of(m), "bytes", (json_int_t)oc_plan_memory_sum(m, slots));
    if (o && rate > 0 && json_object_set_new(o, "images_per_second", json_real(rate)) != 0) {
        json_decref(o);
        o = NULL;
    }
    return o;
}

json_t *oci_cost_json(const oci_cost *cost) {
    return json_pack("{s:i,s:i,s:s,s:o,s:o*}", "batch", cost->batch, "threads", cost->threads,
                     "engine", cost->engine, "inference",
                     memory_json(&cost->infer, 0, cost->infer_rate), "training",
                     cost->trainable ? memory_json(&cost->train, 1, cost->train_rate) : NULL);
}
