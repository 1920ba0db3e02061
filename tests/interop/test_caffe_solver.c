/* Caffe's solvers as runs: numbers and words with Caffe's defaults, paths, data layers as recipe
 * and variation, multipliers, fillers, and what is told of solvers that cannot be.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "../check.h"
#include "interop/interop.h"
#include "interop/wire_int.h"

typedef struct project {
    char folder[OC_PATH_BYTES], solver[OC_PATH_BYTES];
} project;

static void put(const project *p, const char *name, const char *text) {
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    check_ok(oc_path_join(path, p->folder, name, &err), err);
    check_ok(oc_file_write(path, text, strlen(text), &err), err);
}

#define DATA(phase, more)                                                                          \
    "layer { name: 'data' type: 'ImageData' top: 'data' top: 'label' include { phase: " phase      \
    " } transform_param { mirror: true crop_size: 24 mean_value: 104 mean_value: 117 mean_value: " \
    "123 " more " } image_data_param { source: 'list.txt' root_folder: 'photos/' batch_size: 6 "   \
    "new_height: 30 new_width: 32 } }\n"
#define BODY                                                                                       \
    "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' param { lr_mult: 0 } param { "  \
    "lr_mult: 2 decay_mult: 0 } convolution_param { num_output: 8 kernel_size: 3 weight_filler { " \
    "type: 'gaussian' std: 0.5 } bias_filler { value: 0.25 } } }\n"                                \
    "layer { name: 'f' type: 'InnerProduct' bottom: 'c' top: 'f' param { lr_mult: 10 } "           \
    "inner_product_param { num_output: 4 weight_filler { type: 'xavier' } } }\n"                   \
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'f' bottom: 'label' }\n"
static const char NET[] = DATA("TRAIN", "scale: 0.5") DATA("TEST", "scale: 0.5") BODY;
#define PLAIN                                                                                      \
    "net: 'net.prototxt' base_lr: 0.01 lr_policy: 'step' gamma: 0.1 stepsize: 30 max_iter: 100\n"

static int setup(void **state) {
    project *p = calloc(1, sizeof *p);
    oc_error err = {0};
    make_scratch(p->folder);
    check_ok(oc_path_join(p->solver, p->folder, "solver.prototxt", &err), err);
    put(p, "net.prototxt", NET);
    put(p, "list.txt", "a.jpg 0\n");
    *state = p;
    return 0;
}

static int teardown(void **state) {
    drop_scratch(((project *)*state)->folder);
    free(*state);
    return 0;
}

static oc_caffe_solver *read(const project *p, const char *text) {
    oc_caffe_solver *s = NULL;
    oc_error err = {0};
    put(p, "solver.prototxt", text);
    check_ok(oc_caffe_solver_read(&s, p->solver, NULL, &err), err);
    return s;
}

static void refuse(const project *p, const char *text, oc_status status, const char *part) {
    oc_caffe_solver *s = NULL;
    oc_error err = {0};
    put(p, "solver.prototxt", text);
    check_fails(oc_caffe_solver_read(&s, p->solver, NULL, &err), err, status, part);
    assert_null(s);
}

static void numbers_come_with_caffe_s_defaults(void **state) {
    oc_caffe_solver *s = read(*state, PLAIN);
    assert_int_equal(s->optimizer, OC_SGD);
    assert_int_equal(s->policy, OC_CAFFE_STEP);
    assert_true(s->base_lr == 0.01F || fabs(s->base_lr - 0.01) < 1e-9);
    assert_true(s->momentum == 0 && s->weight_decay == 0 && s->clip == 0 && !s->l1);
    assert_int_equal(s->max_iter, 100);
    assert_int_equal(s->iter_size, 1);
    assert_int_equal(s->test_interval, 0);
    assert_true(s->seed < 0 && s->weights == NULL && !s->nesterov);
    oc_caffe_solver_free(s);
}

static void types_of_both_times_and_all_numbers_are_read(void **state) {
    oc_caffe_solver *s = read(
        *state, "net: 'net.prototxt' base_lr: 1 lr_policy: 'multistep' gamma: 0.5 stepvalue: 10 "
                "stepvalue: 20 max_iter: 30 type: 'Nesterov' momentum: 0.9 weight_decay: 0.004 "
                "regularization_type: 'L1' clip_gradients: 35 iter_size: 4 snapshot: 7 "
                "test_interval: 5 test_iter: 3 random_seed: 42 solver_mode: GPU display: 1");
    assert_true(s->nesterov && s->optimizer == OC_SGD && s->l1 && s->clip == 35);
    assert_int_equal(s->stepvalue_count, 2);
    assert_true(s->stepvalues[1] == 20 && s->iter_size == 4 && s->snapshot == 7);
    assert_true(s->test_interval == 5 && s->seed == 42);
    oc_caffe_solver_free(s);
    s = read(*state, PLAIN "solver_type: ADAGRAD");
    assert_int_equal(s->optimizer, OC_ADAGRAD);
    oc_caffe_solver_free(s);
    s = read(*state, PLAIN "type: 'AdaDelta' momentum: 0.95 delta: 1e-6");
    assert_int_equal(s->optimizer, OC_ADADELTA);
    oc_caffe_solver_free(s);
}

/* Squashed to 32 x 30, 24 x 24 of it; means in RGB here, in BGR there; scale 0.5. */
static void data_layers_become_recipe_and_variation(void **state) {
    oc_caffe_solver *s = read(*state, PLAIN);
    const oc_recipe *r = &s->recipe;
    assert_true(r->fit == OC_FIT_SQUASH && r->resize_width == 32 && r->resize_height == 30);
    assert_true(r->width == 24 && r->height == 24 && r->channels == 3 && r->bgr && r->unit == 1);
    assert_true(r->mean[0] == 123 && r->mean[1] == 117 && r->mean[2] == 104 && r->std[0] == 2);
    assert_true(s->vary.flip && s->vary.crop_shift && s->vary.crop_area_min == 0);
    assert_int_equal(s->train.batch, 6);
    assert_non_null(strstr(s->train.source, "list.txt"));
    assert_string_equal(s->train.source, s->test.source);
    oc_caffe_solver_free(s);
}

/* As in the spring of 2014: V1 layers, and all of the transformation in the data's own message. */
static void a_transformation_in_the_data_s_own_message_counts(void **state) {
    put(*state, "net.prototxt",
        "layers { name: 'd' type: IMAGE_DATA top: 'data' top: 'label' image_data_param { source: "
        "'list.txt' batch_size: 2 new_width: 32 new_height: 30 scale: 0.25 crop_size: 20 mirror: "
        "true mean_file: 'mean.binaryproto' } }\n"
        "layers { name: 'f' type: INNER_PRODUCT bottom: 'data' top: 'f' inner_product_param { "
        "num_output: 4 } }\n"
        "layers { name: 'loss' type: SOFTMAX_LOSS bottom: 'f' bottom: 'label' }\n");
    oc_buf mean = {0};
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    for (uint32_t i = 1; i <= 4; i++) oci_wire_put_varint(&mean, i, i == 2 ? 3 : 1);
    for (int i = 0; i < 3; i++) oci_wire_put_float(&mean, 5, 10.0F * (float)(i + 1));
    check_ok(oc_path_join(path, ((project *)*state)->folder, "mean.binaryproto", &err), err);
    check_ok(oc_file_put(path, mean.data, mean.size, &err), err);
    oc_buf_clear(&mean);
    oc_caffe_solver *s = read(*state, PLAIN);
    const oc_recipe *r = &s->recipe;
    assert_true(r->width == 20 && r->resize_width == 32 && r->resize_height == 30);
    assert_true(r->std[0] == 4 && r->std[2] == 4);
    assert_true(r->mean[0] == 30 && r->mean[1] == 20 && r->mean[2] == 10);
    assert_true(s->vary.flip && s->vary.crop_shift);
    oc_caffe_solver_free(s);
}

static void weights_that_two_layers_share_are_refused(void **state) {
#define TWINS(first, second)                                                                       \
    DATA("TRAIN", "")                                                                              \
    "layer { name: 'a' type: 'InnerProduct' bottom: 'data' top: 'a' param { name: 'w' } param { "  \
    "name: '" first "' } inner_product_param { num_output: 4 } }\n"                                \
    "layer { name: 'b' type: 'InnerProduct' bottom: 'a' top: 'b' param { name: '" second "' } "    \
    "inner_product_param { num_output: 4 } }\n"                                                    \
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'b' bottom: 'label' }\n"
    oc_error err = {0};
    put(*state, "net.prototxt", TWINS("bias", "w"));
    oc_caffe_solver *s = read(*state, PLAIN);
    check_fails(oc_caffe_solver_net(s, NULL, NULL, 3, NULL, &err), err, OC_EUNSUPPORTED,
                "layer b (InnerProduct) has its weights \"w\" in common with layer a");
    oc_caffe_solver_free(s);
    put(*state, "net.prototxt", TWINS("", "")); /* no name is none in common */
    s = read(*state, PLAIN);
    check_ok(oc_caffe_solver_net(s, NULL, NULL, 3, NULL, &err), err);
    oc_caffe_solver_free(s);
}

static void the_net_gets_multipliers_and_fillers(void **state) {
    oc_caffe_solver *s = read(*state, PLAIN);
    oc_error err = {0};
    check_ok(oc_caffe_solver_net(s, NULL, NULL, 3, NULL, &err), err);
    assert_int_equal(s->model->classes.count, 4);
    assert_string_equal(s->model->classes.items[3].label, "3");
    const oc_graph *graph = s->model->graph;
    assert_int_equal(oc_graph_param_count(graph), 4);
    static const float lr[] = {0, 2, 10, 1}, decay[] = {1, 0, 1, 1};
    for (int i = 0; i < 4; i++) {
        assert_true(s->lr_scale[i] == lr[i]);
        assert_true(s->decay_scale[i] == decay[i]);
    }
    const oc_tensor *w = oc_tensors_find(s->model->weights, "c.weight");
    const oc_tensor *f = oc_tensors_find(s->model->weights, "f.weight");
    const oc_tensor *b = oc_tensors_find(s->model->weights, "c.bias");
    double square = 0, bound = sqrt(3.0 / (8 * 22 * 22)), most = 0;
    for (size_t i = 0; i < oc_tensor_count(w); i++)
        square += pow((double)((const float *)w->data)[i], 2) / (double)oc_tensor_count(w);
    for (size_t i = 0; i < oc_tensor_count(f); i++)
        most = fmax(most, fabs((double)((const float *)f->data)[i]));
    assert_true(fabs(sqrt(square) - 0.5) < 0.1); /* 216 draws */
    assert_true(most <= bound && most > 0.95 * bound);
    assert_true(((const float *)b->data)[7] == 0.25F);
    oc_caffe_solver_free(s);
}

enum { F_OUT = 4, F_IN = 8 * 22 * 22 };

/* A blob of the values first, first + 1, ... */
static void put_blob(oc_buf *layer, const int64_t *dims, size_t rank, size_t count, float first) {
    oc_buf shape = {0}, blob = {0};
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = first + (float)i;
    oci_wire_put_packed(&shape, 1, dims, rank);
    oci_wire_put_message(&blob, 7, &shape);
    oci_wire_put_bytes(&blob, 5, values, count * sizeof *values);
    oci_wire_put_message(layer, 7, &blob);
    oc_buf_clear(&shape);
    oc_buf_clear(&blob);
    free(values);
}

/* A .caffemodel with the layer f of the net, and one that the net lacks. */
static void put_caffemodel(const project *p, char path[OC_PATH_BYTES]) {
    static const int64_t dims[] = {F_OUT, F_IN};
    oc_buf layer = {0}, net = {0};
    oc_error err = {0};
    oci_wire_put_text(&layer, 1, "f");
    oci_wire_put_text(&layer, 2, "InnerProduct");
    put_blob(&layer, dims, 2, F_OUT * F_IN, 1);
    put_blob(&layer, dims, 1, F_OUT, 100);
    oci_wire_put_message(&net, 100, &layer);
    oci_wire_put_text(&layer, 1, "gone");
    oci_wire_put_text(&layer, 2, "InnerProduct");
    put_blob(&layer, dims, 1, F_OUT, 0);
    oci_wire_put_message(&net, 100, &layer);
    check_ok(oc_path_join(path, p->folder, "x.caffemodel", &err), err);
    check_ok(oc_file_write(path, net.data, net.size, &err), err);
    oc_buf_clear(&layer);
    oc_buf_clear(&net);
}

/* Fine-tuning: what the file has by a layer's name is taken, the rest is new. */
static void weights_are_taken_by_the_layers_names(void **state) {
    const project *p = *state;
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    refuse(p, PLAIN "weights: 'x.caffemodel'", OC_ENOTFOUND, "weights x.caffemodel");
    put_caffemodel(p, path);
    oc_caffe_solver *s = read(p, PLAIN "weights: 'x.caffemodel'");
    check_ok(oc_caffe_solver_net(s, NULL, NULL, 3, NULL, &err), err);
    const oc_tensor *f = oc_tensors_find(s->model->weights, "f.weight");
    const oc_tensor *b = oc_tensors_find(s->model->weights, "f.bias");
    const oc_tensor *c = oc_tensors_find(s->model->weights, "c.weight");
    assert_true(((const float *)f->data)[0] == 1 && ((const float *)f->data)[F_IN] == F_IN + 1);
    assert_true(((const float *)b->data)[3] == 103);
    assert_true(((const float *)c->data)[0] != 0);
    oc_caffe_solver_free(s);
    put(p, "net.prototxt", DATA("TRAIN", "") BODY);
    put(p, "x.caffemodel", "\x08\xFF");
    s = read(p, PLAIN);
    assert_null(s->test.source); /* a net for training alone, which nothing tests */
    refuse(p, PLAIN "test_iter: 3", OC_EFORMAT, "reads the blob data");
    assert_int_not_equal(oc_caffe_solver_net(s, path, NULL, 3, NULL, &err), OC_OK);
    oc_caffe_solver_free(s);
}

static void what_cannot_be_is_refused_with_its_place(void **state) {
    const project *p = *state;
    static const struct {
        const char *text;
        oc_status status;
        const char *part;
    } cases[] = {
        {"base_lr: 0.1 lr_policy: 'fixed' max_iter: 9", OC_EFORMAT, "no net to train"},
        {"net: 'gone.prototxt' base_lr: 0.1 lr_policy: 'fixed' max_iter: 9", OC_ENOTFOUND,
         "gone.prototxt is neither there nor"},
        {"net: 'net.prototxt' base_lr: 0.1 lr_policy: 'cosine' max_iter: 9", OC_EFORMAT,
         "expected one of fixed, step, exp"},
        {"net: 'net.prototxt' base_lr: 0.1 lr_policy: 'step' stepsize: 5 max_iter: 9", OC_EFORMAT,
         "lr_policy \"step\" needs gamma"},
        {"net: 'net.prototxt' base_lr: 0.1 lr_policy: 'step' gamma: 0.1 max_iter: 9", OC_EFORMAT,
         "needs stepsize"},
        {"net: 'net.prototxt' base_lr: 0.1 lr_policy: 'multistep' gamma: 0.1 max_iter: 9",
         OC_EFORMAT, "needs stepvalue"},
        {PLAIN "stepvalue: 5 stepvalue: 5", OC_EFORMAT, "stepvalue 5 behind 5"},
        {PLAIN "type: 'Adamax'", OC_EFORMAT, "type \"Adamax\": expected one of SGD, Nesterov"},
        {PLAIN "regularization_type: 'L3'", OC_EFORMAT, "expected one of L1, L2"},
        {PLAIN "momentum: -1", OC_EFORMAT, "momentum is -1, allowed 0"},
        {PLAIN "momentum: nan", OC_EFORMAT, "momentum is"},
        {PLAIN "iter_size: 0", OC_EFORMAT, "iter_size is 0"},
        {"net: 'net.prototxt' base_lr: 0.1 lr_policy: 'fixed' max_iter: -5", OC_EFORMAT,
         "max_iter is -5"},
        {PLAIN "lerning_rate: 5", OC_EFORMAT, "lerning_rate"},
        {PLAIN "net_param {", OC_EFORMAT, "solver.prototxt"},
        {PLAIN "train_state { stage: 'tuning' }", OC_EUNSUPPORTED, "train_state has a level"},
        {PLAIN "test_state { phase: TEST } test_state { level: 1 }", OC_EUNSUPPORTED, "test_state"},
        {"", OC_EFORMAT, "max_iter is 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(p, cases[i].text, cases[i].status, cases[i].part);
}

static void data_layers_that_cannot_be_are_refused(void **state) {
    const project *p = *state;
    put(p, "net.prototxt", BODY);
    refuse(p, PLAIN, OC_EFORMAT, "reads the blob data");
    put(p, "net.prototxt", "layer { name: 'd' type: 'Input' top: 'data' }");
    refuse(p, PLAIN, OC_EUNSUPPORTED, "no ImageData layer");
    put(p, "net.prototxt",
        "layer { name: 'd' type: 'Data' top: 'data' data_param { source: 'list.txt' batch_size: 2 "
        "} "
        "}");
    refuse(p, PLAIN, OC_EUNSUPPORTED, "LEVELDB");
    put(p, "net.prototxt",
        "layer { name: 'd' type: 'ImageData' top: 'data' transform_param { crop_size: 99 } "
        "image_data_param { source: 'list.txt' batch_size: 2 new_width: 32 new_height: 32 } }");
    refuse(p, PLAIN, OC_EFORMAT, "crop_size is larger");
    put(p, "net.prototxt",
        "layer { name: 'd' type: 'ImageData' top: 'data' transform_param { mean_value: 1 "
        "mean_value: "
        "2 } image_data_param { source: 'list.txt' batch_size: 2 new_width: 32 new_height: 32 } }");
    refuse(p, PLAIN, OC_EFORMAT, "mean_value");
    put(p, "net.prototxt",
        "layer { name: 'd' type: 'ImageData' top: 'data' "
        "image_data_param { source: 'none.txt' batch_size: 2 } }");
    refuse(p, PLAIN, OC_ENOTFOUND, "source none.txt");
}

static void running_out_of_memory_is_told(void **state) {
    const project *p = *state;
    put(p, "solver.prototxt", PLAIN);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status == OC_ENOMEM; n++) {
        oc_caffe_solver *s = NULL;
        oc_mem_fail_at(n);
        status = oc_caffe_solver_read(&s, p->solver, NULL, NULL);
        if (status == OC_OK) status = oc_caffe_solver_net(s, NULL, NULL, 1, NULL, NULL);
        oc_mem_fail_at(0);
        oc_caffe_solver_free(s);
    }
    assert_string_equal(oc_status_name(status), "OC_OK");
}

int main(void) {
#define solver_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        solver_test(numbers_come_with_caffe_s_defaults),
        solver_test(types_of_both_times_and_all_numbers_are_read),
        solver_test(data_layers_become_recipe_and_variation),
        solver_test(a_transformation_in_the_data_s_own_message_counts),
        solver_test(weights_that_two_layers_share_are_refused),
        solver_test(the_net_gets_multipliers_and_fillers),
        solver_test(weights_are_taken_by_the_layers_names),
        solver_test(what_cannot_be_is_refused_with_its_place),
        solver_test(data_layers_that_cannot_be_are_refused),
        solver_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
