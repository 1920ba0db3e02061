/* A few quick measurements: the machine's limits, a few convolutions, one photo on its way in, one
 * training step. Enough to say where time will go; `bench` measures properly.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "data/data.h"
#include "doctor_int.h"
#include "engine/engine.h"
#include "zoo/zoo.h"

static const double measure_seconds = 0.3;
enum { CONV_CHANNELS = 64, CONV_SIDE = 56, CONV_BATCH = 8, CLASSES = 10 };

/* Photos in, then convolutions of one shape that take nearly all of the time. */
static oc_status conv_graph(oc_graph **out, oc_error *err) {
    static const char *const names[] = {"conv1", "conv2", "conv3", "conv4"};
    OC_TRY(oc_graph_new(out, err));
    oc_build b = {.graph = *out};
    int x = oc_build_input(&b, 3, CONV_SIDE, CONV_SIDE);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        x = oc_build_conv(&b, x, names[i], CONV_CHANNELS, 3, 1, 1, 1, false,
                          OC_INIT_KAIMING_FAN_OUT);
    if (b.status == OC_OK) return OC_OK;
    oc_graph_free(*out);
    *out = NULL;
    if (err) *err = b.error;
    return b.status;
}

/* Floating-point operations of one batch. */
static oc_status conv_flops(const oc_graph *graph, double *out, oc_error *err) {
    oc_shape shapes[8];
    OC_PROMISE(oc_graph_node_count(graph) <= 8);
    OC_TRY(oc_graph_shapes(graph, CONV_BATCH, CONV_SIDE, CONV_SIDE, shapes, err));
    *out = 0;
    for (int i = 0; i < oc_graph_node_count(graph); i++)
        *out += 2.0 * (double)oc_graph_macs(graph, i, shapes);
    return OC_OK;
}

static oc_status fresh_plan(oc_plan **out, const oc_graph *graph, const oc_plan_options *options,
                            oc_error *err) {
    oc_tensors *weights = NULL;
    oc_status status = OC_OK;
    OC_GOTO(oc_tensors_new(&weights, err));
    OC_GOTO(oc_graph_init(graph, 1, weights, err));
    OC_GOTO(oc_plan_new(out, NULL, graph, options, err));
    OC_GOTO(oc_plan_import(*out, OC_SLOT_WEIGHTS, weights, err));
done:
    oc_tensors_free(weights);
    return status;
}

static oc_status measure_conv(oci_speed *s, oc_error *err) {
    const oc_plan_options options = {
        .mode = OC_MODE_INFER, .batch = CONV_BATCH, .height = CONV_SIDE, .width = CONV_SIDE};
    const size_t pixels = (size_t)CONV_BATCH * 3 * CONV_SIDE * CONV_SIDE;
    double flops = 0;
    oc_graph *graph = NULL;
    oc_plan *plan = NULL;
    oc_status status = OC_OK;
    OC_GOTO(conv_graph(&graph, err));
    OC_GOTO(conv_flops(graph, &flops, err));
    OC_GOTO(fresh_plan(&plan, graph, &options, err));
    double start = 0, spent = 0;
    for (int round = -2; spent < measure_seconds; round++) {
        if (round == 0) start = oc_clock_seconds();
        memset(oc_plan_input(plan), 0, pixels * sizeof(float));
        OC_GOTO(oc_plan_forward(plan, NULL, CONV_BATCH, 0, NULL, NULL, err));
        if (round < 0) continue;
        spent = oc_clock_seconds() - start;
        s->conv_gflops = flops * (round + 1) / spent / 1e9;
    }
done:
    oc_plan_free(plan);
    oc_graph_free(graph);
    return status;
}

/* A JPEG with enough detail to cost what a photo costs. */
static oc_status make_photo(oc_buf *out, oc_error *err) {
    enum { WIDTH = 640, HEIGHT = 480 };
    oc_image image = {0};
    oc_rng rng;
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    oc_status status = oc_image_reserve(&image, WIDTH, HEIGHT, 3, err);
    if (status != OC_OK) return status;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH * 3; x++)
            image.pixels[(size_t)y * WIDTH * 3 + (size_t)x] =
                (uint8_t)((x / 8 + y / 4) % 200 + (int)oc_rng_below(&rng, 40));
    status = oc_encode_jpeg(&image, 85, out, err);
    oc_image_clear(&image);
    return status;
}

static oc_status measure_render(oci_speed *s, oc_error *err) {
    const oc_recipe recipe = oc_recipe_default(OCI_DOCTOR_SIZE, OCI_DOCTOR_SIZE);
    const oc_augment augment = oc_augment_level(OC_LEVEL_STANDARD);
    const size_t values = (size_t)3 * OCI_DOCTOR_SIZE * OCI_DOCTOR_SIZE;
    oc_buf photo = {0};
    oc_renderer *renderer = NULL;
    oc_rng rng;
    oc_rng_init(&rng, 2, OC_RNG_TEST, 0, 0);
    oc_status status = OC_OK;
    float *planes = oc_malloc(values * sizeof *planes);
    if (!planes) OC_GOTO(oc_fail_nomem(err, values * sizeof *planes, "measuring decoding"));
    OC_GOTO(make_photo(&photo, err));
    OC_GOTO(oc_renderer_new(&renderer, &recipe, NULL, err));
    double start = oc_clock_seconds(), spent = 0;
    for (int round = 1; spent < measure_seconds; round++) {
        OC_GOTO(oc_render(renderer, photo.data, photo.size, &augment, &rng, planes, err));
        spent = oc_clock_seconds() - start;
        s->render_per_core = round / spent;
    }
done:
    oc_renderer_free(renderer);
    oc_buf_clear(&photo);
    oc_free(planes);
    return status;
}

static oc_status train_step(oc_plan *plan, uint64_t step, oci_speed *s, oc_error *err) {
    static const int32_t labels[OCI_DOCTOR_BATCH] = {0};
    const oc_targets targets = {.label = labels};
    const oc_update update = {.optimizer = OC_SGD, .lr = 1e-4F, .momentum = 0.9F, .step = step};
    oc_result result;
    memset(oc_plan_input(plan), 0,
           sizeof(float) * OCI_DOCTOR_BATCH * 3 * OCI_DOCTOR_SIZE * OCI_DOCTOR_SIZE);
    double t0 = oc_clock_seconds();
    OC_TRY(oc_plan_forward(plan, NULL, OCI_DOCTOR_BATCH, step, &targets, &result, err));
    double t1 = oc_clock_seconds();
    OC_TRY(oc_plan_backward(plan, err));
    double t2 = oc_clock_seconds();
    OC_TRY(oc_plan_update(plan, &update, err));
    s->forward = t1 - t0;
    s->backward = t2 - t1;
    s->update = oc_clock_seconds() - t2;
    s->train_per_second = OCI_DOCTOR_BATCH / (s->forward + s->backward + s->update);
    return OC_OK;
}

static oc_status measure_training(oci_speed *s, oc_error *err) {
    enum { STEPS = 4 };
    const oc_plan_options options = {.mode = OC_MODE_TRAIN,
                                     .batch = OCI_DOCTOR_BATCH,
                                     .height = OCI_DOCTOR_SIZE,
                                     .width = OCI_DOCTOR_SIZE};
    const oc_arch *arch = NULL;
    oc_graph *graph = NULL;
    oc_plan *plan = NULL;
    oc_status status = OC_OK;
    OC_GOTO(oc_zoo_find(OCI_DOCTOR_ARCH, &arch, err));
    OC_GOTO(oc_arch_build(arch, &graph, 3, CLASSES, OCI_DOCTOR_SIZE, OCI_DOCTOR_SIZE, err));
    OC_GOTO(fresh_plan(&plan, graph, &options, err));
    for (uint64_t step = 1; step <= STEPS; step++) OC_GOTO(train_step(plan, step, s, err));
done:
    oc_plan_free(plan);
    oc_graph_free(graph);
    return status;
}

oc_status oci_speed_measure(oci_speed *out, oc_error *err) {
    *out = (oci_speed){0};
    OC_TRY(oci_peak_measure(&out->peak, 0, err));
    OC_TRY(measure_render(out, err));
    OC_TRY(measure_conv(out, err));
    if (strcmp(oc_engine_names()[0], "ref") == 0) return OC_OK;
    return measure_training(out, err);
}
