/* Two training steps of a network of each family on every engine against the same steps in PyTorch:
 * losses, logits, and the first gradient of each parameter by its norm and its product with a fixed
 * random vector (make_torch_fixtures.py networks). torchvision lacks MobileNet v1 and BN-Inception;
 * AlexNet of two towers and CNN-S are written in torch by the script.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "torch_fixture.h"

/* The fixture is in double precision. Float errors grow with depth, where batch norms have few
 * values and ReLUs change sides: gradients may be ten times as far off as torch's own in float,
 * since another order of sums has other luck, and a tenth of their norm at most. For most of the
 * nets that is a thousandth. An index, a sign or a factor that is wrong is above all of it. */
static const double LOSS_TOLERANCE = 4e-4, LOGIT_TOLERANCE = 5e-4, GRADIENT_TOLERANCE = 1e-3,
                    WORST_TOLERANCE = 0.1, LUCK = 10;
static const char *const FIXTURE = OC_SOURCE_DIR "/tests/engine/fixtures/torch_networks.json";
enum { BATCH = 4 };

typedef struct net_case {
    const json_t *json;
    const char *name, *engine;
    int size, classes;
    char title[64];
} net_case;

static double member(const json_t *json, const char *key) {
    return json_number_value(json_object_get(json, key));
}

static double item(const json_t *json, const char *key, size_t i) {
    return json_number_value(json_array_get(json_object_get(json, key), i));
}

static void check_near(const char *what, double got, double wanted, double allowed) {
    if (fabs(got - wanted) <= allowed) return;
    fail_msg("%s is %.8g, torch %.8g: allowed is %.2g", what, got, wanted, allowed);
}

/* Norm and product with the probe of a gradient's name. */
static void sum_up(const oc_tensor *t, const char *name, double *norm, double *product) {
    char probe[OC_NAME_BYTES + 32];
    const float *g = t->data;
    double squares = 0;
    (void)snprintf(probe, sizeof probe, "probe %s", name);
    uint32_t seed = name_seed(probe);
    *product = 0;
    for (size_t i = 0; i < oc_tensor_count(t); i++) {
        squares += (double)g[i] * (double)g[i];
        *product += (double)g[i] * hashed(seed, i);
    }
    *norm = sqrt(squares);
}

/* What is nothing but rounding in torch, such as the bias before a batch norm, is held to the size
 * of all gradients. */
static double noise_of(const json_t *gradients) {
    double squares = 0;
    const char *name;
    json_t *sums;
    json_object_foreach((json_t *)gradients, name, sums) {
        squares += pow(json_number_value(json_array_get(sums, 0)), 2);
    }
    return 1e-6 * sqrt(squares);
}

static void check_gradients(const oc_plan *plan, const json_t *net) {
    oc_error err = {0};
    const json_t *wanted = json_object_get(net, "gradients");
    double tolerance = fmax(GRADIENT_TOLERANCE, LUCK * member(net, "float_error"));
    if (tolerance > WORST_TOLERANCE) tolerance = WORST_TOLERANCE;
    oc_tensors *grads = NULL;
    double noise = noise_of(wanted);
    check_ok(oc_tensors_new(&grads, &err), err);
    check_ok(oc_plan_export(plan, OC_SLOT_GRADS, grads, &err), err);
    assert_int_equal(json_object_size(wanted), oc_tensors_count(grads));
    for (size_t i = 0; i < oc_tensors_count(grads); i++) {
        const char *name = oc_tensors_name(grads, i);
        const json_t *sums = json_object_get(wanted, name);
        double norm, product;
        if (sums == NULL) fail_msg("'%s' is not among torch's", name);
        double torch_norm = json_number_value(json_array_get(sums, 0));
        double allowed = tolerance * torch_norm + noise;
        sum_up(oc_tensors_at(grads, i), name, &norm, &product);
        check_near(name, norm, torch_norm, allowed);
        check_near(name, product, json_number_value(json_array_get(sums, 1)), allowed);
    }
    oc_tensors_free(grads);
}

static void check_logits(oc_plan *plan, const net_case *net) {
    const float *logits = oc_plan_output(plan);
    const json_t *wanted = json_object_get(net->json, "logits");
    double largest = 0.1;
    assert_int_equal(json_array_size(wanted), BATCH * net->classes);
    for (size_t i = 0; i < json_array_size(wanted); i++)
        largest = fmax(largest, fabs(item(net->json, "logits", i)));
    for (size_t i = 0; i < json_array_size(wanted); i++)
        check_near("a logit", (double)logits[i], item(net->json, "logits", i),
                   LOGIT_TOLERANCE * largest);
}

static void take_step(oc_plan *plan, const net_case *net, uint64_t step) {
    oc_error err = {0};
    oc_result result;
    int32_t labels[BATCH];
    const oc_targets targets = {.label = labels};
    const oc_update update = {
        .optimizer = OC_SGD, .lr = (float)member(net->json, "lr"), .step = step};
    fresh_pixels(oc_plan_input(plan), (size_t)BATCH * 3 * (size_t)net->size * (size_t)net->size,
                 (int)step);
    fresh_labels(labels, BATCH, (int)step, net->classes);
    check_ok(oc_plan_forward(plan, NULL, BATCH, step, &targets, &result, &err), err);
    double allowed = fmax(LOSS_TOLERANCE, 0.1 * member(net->json, "float_error"));
    check_near("the loss", result.loss, item(net->json, "losses", step - 1), allowed);
    check_near("the auxiliary loss", result.aux, item(net->json, "aux", step - 1), allowed);
    if (step == 1) check_logits(plan, net);
    if (step == 2) return;
    check_ok(oc_plan_backward(plan, &err), err);
    check_gradients(plan, net->json);
    check_ok(oc_plan_update(plan, &update, &err), err);
}

static void steps_are_those_of_torch(void **state) {
    const net_case *net = *state;
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_graph *graph = zoo_graph(net->name, net->classes, net->size);
    oc_tensors *weights = fresh_weights(graph);
    const oc_plan_options options = {.mode = OC_MODE_TRAIN,
                                     .batch = BATCH,
                                     .height = net->size,
                                     .width = net->size,
                                     .threads = 2};
    check_ok(oc_plan_new(&plan, net->engine, graph, &options, &err), err);
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, weights, &err), err);
    oc_tensors_free(weights);
    for (uint64_t step = 1; step <= 2; step++) take_step(plan, net, step);
    oc_plan_free(plan);
    oc_graph_free(graph);
}

/* The reference is slow: of the larger nets it runs none where there is another engine. */
static bool is_wanted(const char *engine, const char *net) {
    static const char *const SMALL[] = {"squeezenet1_1", "mobilenet_v2", "bvlc_alexnet"};
    if (engine == oc_engine_names()[0]) return true;
    for (size_t i = 0; i < sizeof SMALL / sizeof *SMALL; i++) {
        if (strcmp(net, SMALL[i]) == 0) return true;
    }
    return false;
}

static net_case case_of(const json_t *json, const char *engine) {
    net_case net = {.json = json,
                    .name = json_string_value(json_object_get(json, "net")),
                    .engine = engine,
                    .size = (int)member(json, "size"),
                    .classes = (int)member(json, "classes")};
    assert_int_equal(member(json, "batch"), BATCH);
    (void)snprintf(net.title, sizeof net.title, "%s on %s", net.name, engine);
    return net;
}

int main(void) {
    enum { MOST = 64 };
    static net_case nets[MOST];
    static struct CMUnitTest tests[MOST];
    oc_error err = {0};
    json_t *fixture = NULL, *json;
    size_t count = 0, i;
    check_ok(oc_json_read(FIXTURE, 1 << 20, &fixture, &err), err);
    const char *const *engines = oc_engine_names();
    for (size_t e = 0; engines[e] != NULL; e++) {
        json_array_foreach(json_object_get(fixture, "networks"), i, json) {
            assert_true(count < MOST);
            nets[count] = case_of(json, engines[e]);
            if (!is_wanted(engines[e], nets[count].name)) continue;
            tests[count] = (struct CMUnitTest){.name = nets[count].title,
                                               .test_func = steps_are_those_of_torch,
                                               .initial_state = &nets[count]};
            count++;
        }
    }
    int failed = _cmocka_run_group_tests("networks as in torch", tests, count, NULL, NULL);
    json_decref(fixture);
    return failed;
}
