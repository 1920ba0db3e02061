/* The networks: shapes on the way, parameter counts, names against published weight files, sizes.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "zoo/zoo.h"

static const char *const MODELS = OC_SOURCE_DIR "/../shared/models";

static const oc_arch *find(const char *name) {
    const oc_arch *arch = NULL;
    oc_error err = {0};
    check_ok(oc_zoo_find(name, &arch, &err), err);
    return arch;
}

static oc_graph *build(const char *name, int classes, int size) {
    oc_graph *graph = NULL;
    oc_error err = {0};
    check_ok(oc_arch_build(find(name), &graph, 3, classes, size, size, &err), err);
    return graph;
}

static void check_shape(const oc_graph *g, const oc_shape *shapes, const char *node,
                        const char *wanted) {
    char text[OC_SHAPE_TEXT];
    int i = oc_graph_find(g, node);
    if (i < 0) fail_msg("no node '%s'", node);
    assert_string_equal(oc_shape_text(text, &shapes[i]), wanted);
}

static void check_shapes(const char *name, int size, const char *const (*wanted)[2]) {
    oc_graph *g = build(name, 1000, size);
    oc_error err = {0};
    oc_shape *shapes = oc_calloc((size_t)oc_graph_node_count(g), sizeof *shapes);
    assert_non_null(shapes);
    check_ok(oc_graph_shapes(g, 2, size, size, shapes, &err), err);
    for (; (*wanted)[0] != NULL; wanted++) check_shape(g, shapes, (*wanted)[0], (*wanted)[1]);
    oc_free(shapes);
    oc_graph_free(g);
}

static void shapes_are_those_of_the_papers(void **state) {
    (void)state;
    static const char *const THESIS[][2] = {
        {"cnn1", "2x20x36x36"}, {"pool1", "2x20x18x18"},  {"cnn2", "2x40x14x14"},
        {"pool2", "2x40x7x7"},  {"cnn3", "2x70x3x3"},     {"pool3", "2x70x1x1"},
        {"ffn1", "2x200x1x1"},  {"output", "2x1000x1x1"}, {NULL, NULL}};
    static const char *const SQUEEZENET[][2] = {
        {"features.0", "2x64x111x111"}, {"features.2", "2x64x55x55"},
        {"features.5", "2x128x27x27"},  {"features.8", "2x256x13x13"},
        {"features.12", "2x512x13x13"}, {"classifier.1", "2x1000x13x13"},
        {"flatten", "2x1000x1x1"},      {NULL, NULL}};
    static const char *const MOBILENET[][2] = {{"features.0.2", "2x32x112x112"},
                                               {"features.1.conv.2", "2x16x112x112"},
                                               {"features.3", "2x24x56x56"},
                                               {"features.7.conv.3", "2x64x14x14"},
                                               {"features.18.2", "2x1280x7x7"},
                                               {"classifier.1", "2x1000x1x1"},
                                               {NULL, NULL}};
    static const char *const RESNET[][2] = {
        {"conv1", "2x64x112x112"},      {"maxpool", "2x64x56x56"}, {"layer2.0.relu", "2x128x28x28"},
        {"layer4.1.relu", "2x512x7x7"}, {"fc", "2x1000x1x1"},      {NULL, NULL}};
    static const char *const GOOGLENET[][2] = {{"conv1.relu", "2x64x112x112"},
                                               {"maxpool2", "2x192x28x28"},
                                               {"inception3b", "2x480x28x28"},
                                               {"inception4e", "2x832x14x14"},
                                               {"inception5b", "2x1024x7x7"},
                                               {"fc", "2x1000x1x1"},
                                               {NULL, NULL}};
    static const char *const BN_INCEPTION[][2] = {
        {"pool2_3x3_s2", "2x192x28x28"},        {"inception_3c_output", "2x576x14x14"},
        {"inception_4d_output", "2x608x14x14"}, {"inception_4e_output", "2x1056x7x7"},
        {"inception_5b_output", "2x1024x7x7"},  {NULL, NULL}};
    static const char *const BVLC[][2] = {{"conv1", "2x96x55x55"},  {"pool1", "2x96x27x27"},
                                          {"conv2", "2x256x27x27"}, {"pool5", "2x256x6x6"},
                                          {"fc8", "2x1000x1x1"},    {NULL, NULL}};
    static const char *const VGG_S[][2] = {{"conv1", "2x96x109x109"}, {"pool1", "2x96x37x37"},
                                           {"conv2", "2x256x33x33"},  {"pool2", "2x256x17x17"},
                                           {"pool5", "2x512x6x6"},    {NULL, NULL}};
    static const char *const RESNET50[][2] = {{"layer1.2.relu", "2x256x56x56"},
                                              {"layer2.0.conv2", "2x128x28x28"},
                                              {"layer4.2.relu", "2x2048x7x7"},
                                              {NULL, NULL}};
    check_shapes("thesis", 75, THESIS);
    check_shapes("googlenet", 224, GOOGLENET);
    check_shapes("bn_inception", 224, BN_INCEPTION);
    check_shapes("bvlc_alexnet", 227, BVLC);
    check_shapes("vgg_s", 224, VGG_S);
    check_shapes("resnet50", 224, RESNET50);
    check_shapes("squeezenet1_1", 224, SQUEEZENET);
    check_shapes("mobilenet_v2", 224, MOBILENET);
    check_shapes("resnet18", 224, RESNET);
}

/* Trained parameters as torchvision's documentation gives them, the papers' authors for what it
 * lacks. */
static void parameter_counts_are_the_published(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint64_t count;
    } WANTED[] = {
        {"squeezenet1_0", 1248424},    {"squeezenet1_1", 1235496}, {"mobilenet_v1", 4231976},
        {"mobilenet_v1_0.25", 470072}, {"mobilenet_v2", 3504872},  {"mobilenet_v2_0.5", 1968680},
        {"mobilenet_v2_1.4", 6108776}, {"resnet18", 11689512},     {"resnet34", 21797672},
        {"resnet50", 25557032},        {"resnet101", 44549160},    {"googlenet", 6624904},
        {"googlenet_aux", 13004888},   {"bn_inception", 11295240}, {"alexnet", 61100840},
        {"bvlc_alexnet", 60965224},    {"vgg16", 138357544},       {"vgg_s", 102908520}};
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        oc_graph *g = build(WANTED[i].name, 1000, 224);
        uint64_t sum = 0;
        for (int k = 0; k < oc_graph_param_count(g); k++) {
            const oc_param *p = oc_graph_param(g, k);
            size_t count = 0;
            assert_true(oc_shape_count(&p->shape, &count));
            if (oc_param_trained(p->kind)) sum += count;
        }
        assert_int_equal(sum, WANTED[i].count);
        oc_graph_free(g);
    }
}

/* What is left of a net without its auxiliary heads is the net that it names, node by node. */
static void without_auxiliary_heads_it_is_the_other_net(void **state) {
    (void)state;
    size_t count, found = 0;
    const oc_arch *all = oc_zoo_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].without_aux == NULL) continue;
        oc_graph *whole = build(all[i].name, 7, 96), *left = NULL;
        oc_graph *wanted = build(all[i].without_aux, 7, 96);
        oc_error err = {0};
        check_ok(oc_graph_prune(whole, &left, &err), err);
        assert_int_equal(oc_graph_node_count(left), oc_graph_node_count(wanted));
        for (int k = 0; k < oc_graph_node_count(left); k++) {
            const oc_node *a = oc_graph_node(left, k), *b = oc_graph_node(wanted, k);
            assert_string_equal(a->name, b->name);
            assert_int_equal(a->op, b->op);
            assert_memory_equal(&a->attrs, &b->attrs, sizeof a->attrs);
            assert_memory_equal(a->inputs, b->inputs, sizeof a->inputs);
        }
        oc_graph_free(whole);
        oc_graph_free(left);
        oc_graph_free(wanted);
        found++;
    }
    assert_true(found > 0);
}

static void multiply_adds_are_those_of_the_papers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double millions;
    } WANTED[] = {{"squeezenet1_0", 819}, {"squeezenet1_1", 349}, {"mobilenet_v1", 569},
                  {"mobilenet_v2", 301},  {"resnet18", 1814},     {"resnet34", 3664},
                  {"resnet50", 4089},     {"resnet101", 7801},    {"googlenet", 1498},
                  {"bn_inception", 2033}, {"alexnet", 714},       {"vgg16", 15470}};
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        oc_graph *g = build(WANTED[i].name, 1000, 224);
        oc_error err = {0};
        int count = oc_graph_node_count(g);
        oc_shape *shapes = oc_calloc((size_t)count, sizeof *shapes);
        assert_non_null(shapes);
        check_ok(oc_graph_shapes(g, 1, 224, 224, shapes, &err), err);
        double sum = 0;
        for (int k = 0; k < count; k++) sum += (double)oc_graph_macs(g, k, shapes) / 1e6;
        if (sum < WANTED[i].millions - 1 || sum > WANTED[i].millions + 1) {
            fail_msg("%s: %.1f million, wanted %.0f", WANTED[i].name, sum, WANTED[i].millions);
        }
        oc_free(shapes);
        oc_graph_free(g);
    }
}

static int smallest_named(const char *message) {
    int h = 0, w = 1;
    const char *at = strstr(message, "smallest square input that works is ");
    if (at == NULL || sscanf(at, "smallest square input that works is %dx%d", &h, &w) != 2 ||
        h != w) {
        fail_msg("no smallest size in \"%s\"", message);
    }
    return h;
}

static void too_small_a_size_names_the_smallest(void **state) {
    (void)state;
    size_t count;
    const oc_arch *all = oc_zoo_all(&count);
    for (size_t i = 0; i < count; i++) {
        oc_graph *g = NULL;
        oc_error err = {0};
        check_ok(oc_arch_build(&all[i], &g, 3, 10, all[i].size, all[i].size, &err), err);
        oc_graph_free(g);
        oc_status status = oc_arch_build(&all[i], &g, 1, 2, 1, 1, &err);
        oc_graph_free(g);
        if (status == OC_OK) continue; /* padded all the way down */
        assert_int_equal(status, OC_EUNSUPPORTED);
        assert_null(g);
        int side = smallest_named(err.message);
        check_ok(oc_arch_build(&all[i], &g, 1, 2, side, side, &err), err);
        oc_graph_free(g);
        while (--side > 0) {
            assert_int_equal(oc_arch_build(&all[i], &g, 1, 2, side, side, &err), OC_EUNSUPPORTED);
        }
    }
}

static void impossible_requests_are_refused(void **state) {
    (void)state;
    oc_graph *g = NULL;
    oc_error err = {0};
    check_fails(oc_arch_build(find("thesis"), &g, 3, 4, 65, 65, &err), err, OC_EUNSUPPORTED,
                "66x66");
    check_fails(oc_arch_build(find("squeezenet1_1"), &g, 3, 4, 2, 2, &err), err, OC_EUNSUPPORTED,
                "smallest");
    check_fails(oc_arch_build(find("thesis"), &g, 3, 4, 0, 75, &err), err, OC_EFORMAT,
                "height is 0");
    check_fails(oc_arch_build(find("resnet18"), &g, 3, 0, 64, 64, &err), err, OC_EFORMAT,
                "out is 0");
    assert_null(g);
}

static void names_are_found_whatever_the_separators_and_case(void **state) {
    (void)state;
    static const char *const SAME[][2] = {{"MobileNet-V2", "mobilenet_v2"},
                                          {"mobilenetv2", "mobilenet_v2"},
                                          {"resnet-50", "resnet50"},
                                          {"ResNet 18", "resnet18"},
                                          {"vgg-16", "vgg16"},
                                          {"VGG-S", "vgg_s"},
                                          {"GoogLeNet", "googlenet"},
                                          {"squeezenet1.1", "squeezenet1_1"},
                                          {"BVLC AlexNet", "bvlc_alexnet"},
                                          {"mobilenet_v2_0.35", "mobilenet_v2_0.35"},
                                          {"mobilenetv2_050", "mobilenet_v2_0.5"}};
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        assert_string_equal(find(SAME[i][0])->name, SAME[i][1]);
    }
}

static void names_of_other_catalogues_are_known(void **state) {
    (void)state;
    assert_string_equal(find("inception_v1")->name, "googlenet");
    assert_string_equal(find("googlenet-v1")->name, "googlenet");
    assert_string_equal(find("InceptionV2")->name, "bn_inception");
    assert_string_equal(find("vgg_cnn_s")->name, "vgg_s");
    assert_string_equal(find("squeezenet_v1.1")->name, "squeezenet1_1");
    assert_string_equal(find("mobilenetv2_100")->name, "mobilenet_v2");
}

static void a_slip_gets_a_suggestion(void **state) {
    (void)state;
    static const char *const SLIPS[][2] = {
        {"resnet81", "did you mean 'resnet18'?"},
        {"vgg19", "did you mean 'vgg16'?"},
        {"mobilnet_v2", "did you mean 'mobilenet_v2'?"},
        {"thesys", "did you mean 'thesis'?"},
        {"resnet", "one of resnet18, resnet34, resnet50, resnet101?"},
        {"resnet152", "one of resnet18, resnet34, resnet50, resnet101?"},
        {"squeeznet", "one of squeezenet1_0, squeezenet1_1?"},
        {"vgg", "one of vgg16, vgg_s?"},
        {"inception", "one of googlenet, bn_inception?"},
        {"mobilenet", "one of mobilenet_v2, mobilenet_v2_0.35, "},
        {"efficientnet_b0", "known are mobilenet_v2, "},
        {"", "known are mobilenet_v2, "}};
    for (size_t i = 0; i < sizeof SLIPS / sizeof *SLIPS; i++) {
        const oc_arch *arch = NULL;
        oc_error err = {0};
        check_fails(oc_zoo_find(SLIPS[i][0], &arch, &err), err, OC_ENOTFOUND, SLIPS[i][1]);
        assert_null(arch);
    }
    char endless[1000];
    const oc_arch *arch = NULL;
    oc_error err = {0};
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    check_fails(oc_zoo_find(endless, &arch, &err), err, OC_ENOTFOUND, "there is no network 'xxx");
}

static void every_network_says_what_it_is(void **state) {
    (void)state;
    size_t count;
    const oc_arch *all = oc_zoo_all(&count);
    assert_true(count >= 4);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(all[i].summary) > 20);
        assert_ptr_equal(find(all[i].name), &all[i]);
    }
    oc_arch_hints h = find("thesis")->hints;
    assert_true(h.renormalise && h.squash && h.measure_mean);
    assert_true(h.lr == 0.01F && h.momentum == 0.9F && h.l2 == 5e-5F);
}

static void out_of_memory_leaves_no_graph(void **state) {
    (void)state;
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK && n < 1000; n++) {
        oc_graph *g = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_arch_build(find("thesis"), &g, 3, 4, 75, 75, &err);
        oc_mem_fail_at(0);
        assert_true((status == OC_OK) == (g != NULL));
        if (status != OC_OK) assert_int_equal(err.status, OC_ENOMEM);
        oc_graph_free(g);
    }
    assert_int_equal(status, OC_OK);
}

/* ---- weight files ------------------------------------------------------------------------------
 */

/* The JSON header of a safetensors file as a set of tensors without values, or NULL where the file
 * is not there. */
static oc_tensors *read_names(const char *file) {
    char path[OC_PATH_BYTES], *text = NULL;
    size_t size = 0;
    oc_error err = {0};
    check_ok(oc_path_join(path, MODELS, file, &err), err);
    if (!oc_path_is_file(path)) return NULL;
    check_ok(oc_file_read(path, 1 << 28, &text, &size, &err), err);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | (uint8_t)text[i];
    assert_true(length < size - 8);
    json_t *header = NULL;
    check_ok(oc_json_parse(text + 8, (size_t)length, file, &header, &err), err);
    oc_free(text);
    oc_tensors *set = NULL;
    check_ok(oc_tensors_new(&set, &err), err);
    const char *name;
    json_t *entry;
    json_object_foreach(header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) continue;
        const json_t *dims = json_object_get(entry, "shape");
        oc_shape shape = {.rank = (int)json_array_size(dims)};
        for (int d = 0; d < shape.rank; d++) {
            shape.dim[d] = json_integer_value(json_array_get(dims, (size_t)d));
        }
        check_ok(oc_tensors_add(set, name, OC_F32, &shape, NULL, &err), err);
    }
    json_decref(header);
    return set;
}

/* Every tensor of the file is a parameter of the net with this very shape; and the other way round,
 * but for names that begin with `but`. */
static void check_file(const oc_tensors *set, const char *arch, const char *but) {
    oc_graph *g = build(arch, 1000, 224);
    size_t found = 0;
    for (int i = 0; i < oc_graph_param_count(g); i++) {
        const oc_param *p = oc_graph_param(g, i);
        if (but != NULL && oc_starts_with(p->name, but)) continue;
        const oc_tensor *t = oc_tensors_find(set, p->name);
        if (t == NULL) fail_msg("the file has no '%s'", p->name);
        assert_true(oc_shape_equal(&t->shape, &p->shape));
        found++;
    }
    assert_int_equal(found, oc_tensors_count(set));
    oc_graph_free(g);
}

static void published_squeezenet_fits(void **state) {
    (void)state;
    oc_tensors *set = read_names("squeezenet1_1.safetensors");
    if (set == NULL) skip();
    check_file(set, "squeezenet1_1", NULL);
    assert_ptr_equal(oc_zoo_recognise(set), find("squeezenet1_1"));
    oc_tensors_free(set);
}

static void published_mobilenet_body_fits(void **state) {
    (void)state;
    oc_tensors *set = read_names("mobilenet_v2-features.safetensors");
    if (set == NULL) skip();
    check_file(set, "mobilenet_v2", "classifier.");
    assert_ptr_equal(oc_zoo_recognise(set), find("mobilenet_v2"));
    oc_tensors_free(set);
}

static void fresh_weights_are_recognised_and_others_not(void **state) {
    (void)state;
    size_t count;
    const oc_arch *all = oc_zoo_all(&count);
    for (size_t i = 0; i < count; i++) {
        oc_graph *g = build(all[i].name, 7, all[i].size);
        oc_tensors *set = NULL;
        oc_error err = {0};
        check_ok(oc_tensors_new(&set, &err), err);
        assert_null(oc_zoo_recognise(set));
        for (int k = 0; k < oc_graph_param_count(g); k++) {
            const oc_param *p = oc_graph_param(g, k);
            check_ok(oc_tensors_add(set, p->name, OC_F32, &p->shape, NULL, &err), err);
        }
        oc_shape one = oc_shape_1d(1);
        check_ok(oc_tensors_add(set, "bn.num_batches_tracked", OC_I64, &one, NULL, &err), err);
        assert_ptr_equal(oc_zoo_recognise(set), &all[i]);
        check_ok(oc_tensors_add(set, "layer9.0.conv1.weight", OC_F32, &one, NULL, &err), err);
        assert_null(oc_zoo_recognise(set));
        oc_tensors_free(set);
        oc_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_those_of_the_papers),
        cmocka_unit_test(parameter_counts_are_the_published),
        cmocka_unit_test(without_auxiliary_heads_it_is_the_other_net),
        cmocka_unit_test(multiply_adds_are_those_of_the_papers),
        cmocka_unit_test(too_small_a_size_names_the_smallest),
        cmocka_unit_test(impossible_requests_are_refused),
        cmocka_unit_test(names_are_found_whatever_the_separators_and_case),
        cmocka_unit_test(names_of_other_catalogues_are_known),
        cmocka_unit_test(a_slip_gets_a_suggestion),
        cmocka_unit_test(every_network_says_what_it_is),
        cmocka_unit_test(out_of_memory_leaves_no_graph),
        cmocka_unit_test(published_squeezenet_fits),
        cmocka_unit_test(published_mobilenet_body_fits),
        cmocka_unit_test(fresh_weights_are_recognised_and_others_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
