/* Every network of the zoo, exported, run by ONNX Runtime and read back in: the same scores.
 *
 * Weights are drawn, statistics are those of a batch, so that values stay of order one to the end.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "../check.h"
#include "peers.h"

#include "interop/interop.h"

/* Two ways of adding up in float, through up to a hundred layers of values of order one. */
static const char *const TOLERANCE = "1e-4";

enum { CLASSES = 30, BATCH = 2, STATISTICS = 8 };

/* The graph with batch norms that take a batch's statistics whole. */
static oc_graph *eager_copy(const oc_graph *graph) {
    oc_graph *copy = NULL;
    oc_error err = {0};
    check_ok(oc_graph_new(&copy, &err), err);
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        oc_attrs attrs = node->attrs;
        if (node->op == OC_OP_BATCH_NORM) attrs.momentum = 1;
        check_ok(oc_graph_add(copy, node->op, node->name, node->inputs, node->input_count, &attrs,
                              NULL, &err),
                 err);
    }
    return copy;
}

static float *draw_pixels(const oc_graph *graph, int n) {
    const oc_attrs *input = &oc_graph_node(graph, 0)->attrs;
    size_t count = (size_t)n * 3 * (size_t)input->height * (size_t)input->width;
    float *pixels = oc_calloc(count, sizeof *pixels);
    oc_rng rng;
    assert_non_null(pixels);
    oc_rng_init(&rng, 3, OC_RNG_TEST, 0, 0);
    for (size_t i = 0; i < count; i++) pixels[i] = oc_rng_normal(&rng);
    return pixels;
}

static oc_plan_options options_for(const oc_graph *graph, oc_mode mode, int batch) {
    const oc_attrs *input = &oc_graph_node(graph, 0)->attrs;
    return (oc_plan_options){
        .mode = mode, .batch = batch, .height = input->height, .width = input->width};
}

/* Statistics of one batch into `weights`. */
static void measure(const oc_graph *graph, oc_tensors **weights) {
    static const int32_t labels[STATISTICS] = {0};
    oc_graph *eager = eager_copy(graph);
    oc_plan_options options = options_for(eager, OC_MODE_TRAIN, STATISTICS);
    const oc_targets targets = {.label = labels};
    float *pixels = draw_pixels(eager, STATISTICS);
    oc_plan *plan = NULL;
    oc_result result;
    oc_error err = {0};
    check_ok(oc_plan_new(&plan, NULL, eager, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, *weights, &err), err);
    check_ok(oc_plan_forward(plan, pixels, STATISTICS, 0, &targets, &result, &err), err);
    check_ok(oc_plan_export(plan, OC_SLOT_WEIGHTS, *weights, &err), err);
    oc_plan_free(plan);
    oc_free(pixels);
    oc_graph_free(eager);
}

/* Of two values that are added one counts a quarter, as branches do that were trained: a hundred
 * equal ones would magnify the last bit of the first. */
static void damp_branches(const oc_graph *graph, oc_tensors *weights) {
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *sum = oc_graph_node(graph, i);
        for (int k = 0; k < sum->input_count && sum->op == OC_OP_ADD; k++) {
            const oc_node *norm = oc_graph_node(graph, sum->inputs[k]);
            if (norm->op != OC_OP_BATCH_NORM) continue;
            oc_tensor *scale =
                oc_tensors_find(weights, oc_graph_param(graph, norm->first_param)->name);
            for (size_t c = 0; c < oc_tensor_count(scale); c++) ((float *)scale->data)[c] = 0.25F;
            break; /* the other side stays as it is, projected or not */
        }
    }
}

static bool has_batch_norm(const oc_graph *graph) {
    for (int i = 0; i < oc_graph_node_count(graph); i++)
        if (oc_graph_node(graph, i)->op == OC_OP_BATCH_NORM) return true;
    return false;
}

static oc_model *make_model(const oc_arch *arch) {
    oc_model *model = NULL;
    oc_graph *whole = NULL;
    oc_error err = {0};
    check_ok(oc_model_new(&model, &err), err);
    check_ok(oc_arch_build(arch, &whole, 3, CLASSES, arch->size, arch->size, &err), err);
    check_ok(oc_graph_prune(whole, &model->graph, &err), err);
    check_ok(oc_tensors_new(&model->weights, &err), err);
    check_ok(oc_graph_init(model->graph, 5, model->weights, &err), err);
    damp_branches(model->graph, model->weights);
    if (has_batch_norm(model->graph)) measure(model->graph, &model->weights);
    model->recipe = oc_recipe_default(arch->size, arch->size);
    model->arch = oc_strdup(arch->name);
    check_ok(oc_labels_numbered(&model->classes, CLASSES, &err), err);
    oc_graph_free(whole);
    return model;
}

static void forward(const oc_model *model, const float *pixels, float scores[BATCH * CLASSES]) {
    oc_plan *plan = NULL;
    oc_error err = {0};
    check_ok(oc_model_plan(model, NULL, 0, BATCH, &plan, &err), err);
    check_ok(oc_plan_forward(plan, pixels, BATCH, 0, NULL, NULL, &err), err);
    memcpy(scores, oc_plan_output(plan), BATCH * CLASSES * sizeof *scores);
    oc_plan_free(plan);
}

static double largest(const float scores[BATCH * CLASSES]) {
    double most = 0;
    for (int i = 0; i < BATCH * CLASSES; i++) most = fmax(most, fabs((double)scores[i]));
    return most;
}

/* Scores of order one, whatever the head was drawn from. */
static void level_scores(oc_model *model, const float *pixels, float scores[BATCH * CLASSES]) {
    const oc_node *head = oc_graph_node(model->graph, oc_graph_head(model->graph));
    forward(model, pixels, scores);
    double factor = 1 / largest(scores);
    for (int i = 0; i < head->param_count; i++) {
        const oc_param *param = oc_graph_param(model->graph, head->first_param + i);
        oc_tensor *t = oc_tensors_find(model->weights, param->name);
        for (size_t k = 0; k < oc_tensor_count(t); k++) ((float *)t->data)[k] *= (float)factor;
    }
    forward(model, pixels, scores);
}

/* Read back, the file gives the same model. */
static void check_return(const oc_model *model, const char *path, const float *pixels,
                         const float wanted[BATCH * CLASSES]) {
    float scores[BATCH * CLASSES];
    oc_model *back = NULL;
    oc_error err = {0};
    check_ok(oc_model_new(&back, &err), err);
    check_ok(oc_onnx_import(back, path, 0, NULL, &err), err);
    assert_string_equal(back->arch, model->arch);
    assert_int_equal(back->classes.count, CLASSES);
    assert_string_equal(back->classes.items[CLASSES - 1].label, "29");
    assert_memory_equal(&back->recipe.mean, &model->recipe.mean, sizeof model->recipe.mean);
    forward(back, pixels, scores);
    for (int i = 0; i < BATCH * CLASSES; i++)
        if (!(fabsf(scores[i] - wanted[i]) <= 1e-5F))
            fail_msg("%s: read back, score %d is %g, was %g", model->arch, i, (double)scores[i],
                     (double)wanted[i]);
    oc_model_free(back);
}

static void check_arch(const oc_arch *arch) {
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    float scores[BATCH * CLASSES];
    oc_error err = {0};
    make_scratch(folder);
    oc_model *model = make_model(arch);
    float *pixels = draw_pixels(model->graph, BATCH);
    size_t bytes = (size_t)BATCH * 3 * (size_t)arch->size * (size_t)arch->size * sizeof *pixels;
    level_scores(model, pixels, scores);
    check_ok(oc_path_join(path, folder, "net.in", &err), err);
    check_ok(oc_file_put(path, pixels, bytes, &err), err);
    check_ok(oc_path_join(path, folder, "net.out", &err), err);
    check_ok(oc_file_put(path, scores, sizeof scores, &err), err);
    check_ok(oc_path_join(path, folder, "net.onnx", &err), err);
    check_ok(oc_onnx_export(model, path, NULL, &err), err);
    check_return(model, path, pixels, scores);
    print_message("%s: scores up to %g, ", arch->name, largest(scores));
    oc_free(pixels);
    oc_model_free(model);
    peers_run("onnx_run.py", TOLERANCE, folder);
    drop_scratch(folder);
}

static void every_network_gives_the_same_in_onnx_runtime(void **state) {
    char python[OC_PATH_BYTES];
    size_t count;
    const oc_arch *all = oc_zoo_all(&count);
    (void)state;
    if (!peers_python(python)) skip();
    for (size_t i = 0; i < count; i++) check_arch(&all[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_gives_the_same_in_onnx_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
