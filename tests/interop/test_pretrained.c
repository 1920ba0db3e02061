/* Networks of the zoo under other people's names.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "../check.h"
#include "interop/weights/names_int.h"

enum { CLASSES = 3 };

/* A network with weights, and a file of them. */
typedef struct made {
    oc_graph *graph;
    oc_tensors *weights;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
} made;

/* No value comes twice within a tensor of less than 16 million, nor at the same place of the next.
 */
static void fill(const oc_graph *graph, oc_tensors *weights) {
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        oc_tensor *t = NULL;
        oc_error err = {0};
        check_ok(oc_tensors_add(weights, param->name, OC_F32, &param->shape, &t, &err), err);
        size_t count = oc_tensor_count(t);
        for (size_t k = 0; k < count; k++) ((float *)t->data)[k] = (float)(k + (size_t)i);
    }
}

static made make(const char *arch, int size) {
    made m = {0};
    oc_error err = {0};
    const oc_arch *a = NULL;
    check_ok(oc_zoo_find(arch, &a, &err), err);
    check_ok(oc_arch_build(a, &m.graph, 3, CLASSES, size, size, &err), err);
    check_ok(oc_tensors_new(&m.weights, &err), err);
    fill(m.graph, m.weights);
    make_scratch(m.folder);
    check_ok(oc_path_join(m.path, m.folder, "w.safetensors", &err), err);
    return m;
}

static void clear(made *m) {
    oc_graph_free(m->graph);
    oc_tensors_free(m->weights);
    drop_scratch(m->folder);
}

/* set under `prefix` + name into the file. Written by hand, since waiting for the disk, as our
 * writer does, takes ten times as long as all the rest. */
static void write_prefixed(const made *m, const oc_tensors *set, const char *prefix) {
    oc_error err = {0};
    oc_buf head = {0}, file = {0};
    uint64_t at = 0, size;
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        char shape[OC_SHAPE_TEXT];
        const oc_tensor *t = oc_tensors_at(set, i);
        (void)oc_shape_text(shape, &t->shape);
        for (char *c = shape; *c != '\0'; c++) *c = *c == 'x' ? ',' : *c;
        uint64_t end = at + oc_tensor_bytes(t);
        oc_buf_printf(&head,
                      "%s\"%s%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}",
                      i > 0 ? "," : "{", prefix, oc_tensors_name(set, i), shape,
                      (unsigned long long)at, (unsigned long long)end);
        at = end;
    }
    oc_buf_puts(&head, "}");
    size = head.size;
    oc_buf_append(&file, &size, sizeof size);
    oc_buf_append(&file, head.data, head.size);
    for (size_t i = 0; i < oc_tensors_count(set); i++)
        oc_buf_append(&file, oc_tensors_at(set, i)->data, oc_tensor_bytes(oc_tensors_at(set, i)));
    check_ok(oc_buf_status(&file, &err), err);
    check_ok(oc_file_put(m->path, file.data, file.size, &err), err);
    oc_buf_clear(&head);
    oc_buf_clear(&file);
}

static oc_pretrained *open_it(const made *m, const char *arch, const char *prefix) {
    oc_pretrained *p = NULL;
    oc_error err = {0};
    const oc_pretrained_options options = {.arch = arch, .prefix = prefix};
    check_ok(oc_pretrained_open(&p, m->path, &options, &err), err);
    return p;
}

static void expect_same(const made *m, const oc_pretrained *p) {
    const oc_tensors *set = oc_pretrained_tensors(p);
    assert_int_equal(oc_tensors_count(set), oc_tensors_count(m->weights));
    for (size_t i = 0; i < oc_tensors_count(m->weights); i++) {
        const oc_tensor *a = oc_tensors_at(m->weights, i);
        const oc_tensor *b = oc_tensors_find(set, oc_tensors_name(m->weights, i));
        assert_non_null(b);
        assert_true(oc_shape_equal(&a->shape, &b->shape));
        assert_memory_equal(a->data, b->data, oc_tensor_bytes(a));
    }
}

static void names_of_timm_go_out_and_come_back(void **state) {
    (void)state;
    static const char *const ARCHS[] = {"mobilenet_v2", "mobilenet_v2_0.35", "resnet18"};
    for (size_t i = 0; i < sizeof ARCHS / sizeof *ARCHS; i++) {
        oc_error err = {0};
        oc_tensors *theirs = NULL;
        made m = make(ARCHS[i], 224);
        check_ok(oc_naming_apply(&theirs, m.graph, m.weights, ARCHS[i], OC_NAMING_TIMM, &err), err);
        write_prefixed(&m, theirs, "");
        oc_pretrained *p = open_it(&m, NULL, NULL);
        assert_string_equal(oc_pretrained_arch(p)->name, ARCHS[i]);
        assert_int_equal(oc_pretrained_classes(p), CLASSES);
        expect_same(&m, p);
        oc_pretrained_free(p);
        oc_tensors_free(theirs);
        clear(&m);
    }
}

static void timm_calls_layers_as_its_sources_do(void **state) {
    (void)state;
    static const struct {
        const char *arch, *ours, *theirs;
    } KNOWN[] = {{"mobilenet_v2", "features.0.0", "conv_stem"},
                 {"mobilenet_v2", "features.1.conv.0.0", "blocks.0.0.conv_dw"},
                 {"mobilenet_v2", "features.1.conv.1", "blocks.0.0.conv_pw"},
                 {"mobilenet_v2", "features.1.conv.2", "blocks.0.0.bn2"},
                 {"mobilenet_v2", "features.17.conv.2", "blocks.6.0.conv_pwl"},
                 {"mobilenet_v2", "features.4.conv.1.1", "blocks.2.0.bn2"},
                 {"mobilenet_v2", "classifier.1", "classifier"},
                 {"mobilenet_v1", "conv6/sep/bn", "blocks.4.1.bn2"},
                 {"mobilenet_v1", "conv4_2/dw", "blocks.3.0.conv_dw"},
                 {"vgg16", "classifier.3", "pre_logits.fc2"},
                 {"vgg16", "features.28", "features.28"}};
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        char name[OC_NAME_BYTES];
        const oc_arch *arch = NULL;
        assert_int_equal(oc_zoo_find(KNOWN[i].arch, &arch, NULL), OC_OK);
        assert_true(oci_names_of(OC_NAMING_TIMM, arch)->layer(name, KNOWN[i].ours));
        assert_string_equal(name, KNOWN[i].theirs);
    }
}

static void keras_calls_layers_as_its_sources_do(void **state) {
    (void)state;
    static const struct {
        const char *arch, *ours, *theirs;
    } KNOWN[] = {{"mobilenet_v2", "features.0.1", "bn_Conv1"},
                 {"mobilenet_v2", "features.1.conv.0.0", "expanded_conv_depthwise"},
                 {"mobilenet_v2", "features.17.conv.3", "block_16_project_BN"},
                 {"mobilenet_v1", "conv2_1/dw/bn", "conv_dw_1_bn"},
                 {"mobilenet_v1", "conv6/sep", "conv_pw_13"},
                 {"mobilenet_v1", "fc7", "conv_preds"},
                 {"resnet50", "layer1.0.downsample.0", "conv2_block1_0_conv"},
                 {"resnet50", "layer4.2.bn3", "conv5_block3_3_bn"},
                 {"vgg16", "features.0", "block1_conv1"},
                 {"vgg16", "features.28", "block5_conv3"},
                 {"vgg16", "classifier.0", "fc1"}};
    static const struct {
        const char *ours, *theirs;
    } OLD[] = {{"conv1", "conv1"},
               {"bn1", "bn_conv1"},
               {"layer1.0.conv1", "res2a_branch2a"},
               {"layer3.5.bn2", "bn4f_branch2b"},
               {"layer4.0.downsample.0", "res5a_branch1"},
               {"layer2.0.downsample.1", "bn3a_branch1"},
               {"fc", "fc1000"}};
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        char name[OC_NAME_BYTES];
        const oc_arch *arch = NULL;
        assert_int_equal(oc_zoo_find(KNOWN[i].arch, &arch, NULL), OC_OK);
        assert_true(oci_names_of(OC_NAMING_KERAS, arch)->layer(name, KNOWN[i].ours));
        assert_string_equal(name, KNOWN[i].theirs);
    }
    for (size_t i = 0; i < sizeof OLD / sizeof *OLD; i++) {
        char name[OC_NAME_BYTES];
        const oc_arch *arch = NULL;
        assert_int_equal(oc_zoo_find("resnet50", &arch, NULL), OC_OK);
        assert_true(oci_names_of(OC_NAMING_OLD_KERAS, arch)->layer(name, OLD[i].ours));
        assert_string_equal(name, OLD[i].theirs);
    }
}

/* A tensor of another catalogue, as its own program names it. */
typedef struct listed {
    char name[OC_NAME_BYTES];
    oc_shape shape;
    bool used;
} listed;
enum { MOST_LISTED = 400 };

/* "conv_stem.weight 32x3x3x3" */
static listed read_listed(const char *line) {
    listed l = {0};
    const char *at = strchr(line, ' ');
    assert_non_null(at);
    (void)snprintf(l.name, sizeof l.name, "%.*s", (int)(at - line), line);
    for (char *end; *at == ' ' || *at == 'x'; at = end)
        l.shape.dim[l.shape.rank++] = strtol(at + 1, &end, 10);
    return l;
}

/* Those of the section "= NAMING NETWORK" of the fixture. */
static size_t read_section(const char *text, const char *title, listed out[MOST_LISTED]) {
    size_t count = 0;
    const char *at = strstr(text, title);
    assert_non_null(at);
    for (at = strchr(at, '\n') + 1; *at != '\0' && *at != '='; at = strchr(at, '\n') + 1) {
        assert_true(count < MOST_LISTED);
        out[count++] = read_listed(at);
    }
    return count;
}

static void expect_listed(const oci_names *names, const oc_graph *graph, listed *list,
                          size_t count) {
    char name[OC_NAME_BYTES];
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        size_t k = 0;
        assert_true(oci_names_param(names, graph, param, name));
        while (k < count && strcmp(list[k].name, name) != 0) k++;
        if (k == count) fail_msg("%s is not in the list", name);
        const oc_tensor t = {.shape = list[k].shape};
        assert_true(oci_names_fits(names, graph, param, &t));
        list[k].used = true;
    }
}

static void names_are_those_that_timm_and_keras_give(void **state) {
    (void)state;
    static const struct {
        oc_naming naming;
        const char *arch;
    } NETS[] = {{OC_NAMING_TIMM, "mobilenet_v2"},  {OC_NAMING_TIMM, "mobilenet_v1"},
                {OC_NAMING_TIMM, "vgg16"},         {OC_NAMING_TIMM, "resnet50"},
                {OC_NAMING_KERAS, "mobilenet_v2"}, {OC_NAMING_KERAS, "mobilenet_v1"},
                {OC_NAMING_KERAS, "vgg16"},        {OC_NAMING_KERAS, "resnet50"}};
    static listed list[MOST_LISTED];
    char *text = NULL, title[64];
    size_t size = 0;
    oc_error err = {0};
    check_ok(oc_file_read(OC_SOURCE_DIR "/tests/interop/fixtures/names_one.txt", 1 << 20, &text,
                          &size, &err),
             err);
    for (size_t i = 0; i < sizeof NETS / sizeof *NETS; i++) {
        const oc_arch *arch = NULL;
        oc_graph *graph = NULL;
        (void)snprintf(title, sizeof title, "= %s %s\n", oc_naming_name(NETS[i].naming),
                       NETS[i].arch);
        size_t count = read_section(text, title, list);
        check_ok(oc_zoo_find(NETS[i].arch, &arch, &err), err);
        check_ok(oc_arch_build(arch, &graph, 3, 1000, arch->size, arch->size, &err), err);
        expect_listed(oci_names_of(NETS[i].naming, arch), graph, list, count);
        for (size_t k = 0; k < count; k++) /* biases before norms become part of the norms */
            assert_true(list[k].used ||
                        (NETS[i].naming == OC_NAMING_KERAS && strstr(list[k].name, "_conv/bias")));
        oc_graph_free(graph);
    }
    oc_free(text);
}

static void layers_without_names_are_told(void **state) {
    (void)state;
    oc_pretrained *p = NULL;
    oc_error err = {0};
    const oc_pretrained_options options = {0};
    oc_status status = oc_pretrained_open(
        &p, OC_SOURCE_DIR "/tests/interop/fixtures/numbered_one.weights.h5", &options, &err);
    if (status == OC_EENV) skip(); /* HDF5 is not built in */
    check_fails(status, err, OC_EUNSUPPORTED, "its layers are numbered (conv2d, conv2d_1, ...)");
}

static void wrappers_come_off_by_themselves(void **state) {
    (void)state;
    static const char *const PREFIXES[] = {"module.", "model.", "backbone.", "module._orig_mod.",
                                           "_orig_mod.model."};
    made m = make("squeezenet1_1", 224);
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++) {
        write_prefixed(&m, m.weights, PREFIXES[i]);
        oc_pretrained *p = open_it(&m, NULL, NULL);
        expect_same(&m, p);
        oc_pretrained_free(p);
    }
    clear(&m);
}

static void a_prefix_that_is_given_comes_off(void **state) {
    (void)state;
    made m = make("squeezenet1_1", 224);
    write_prefixed(&m, m.weights, "student.net.");
    oc_pretrained *p = open_it(&m, NULL, "student.net");
    expect_same(&m, p);
    oc_pretrained_free(p);
    oc_error err = {0};
    const oc_pretrained_options other = {.prefix = "teacher"};
    check_fails(oc_pretrained_open(&p, m.path, &other, &err), err, OC_EMISMATCH,
                "the first is student.net.");
    clear(&m);
}

static void files_of_other_networks_name_the_nearest(void **state) {
    (void)state;
    oc_pretrained *p = NULL;
    oc_error err = {0};
    const oc_pretrained_options options = {0};
    made m = make("resnet18", 224);
    oc_shape one = oc_shape_1d(1);
    check_ok(oc_tensors_add(m.weights, "layer1.0.se.fc1.weight", OC_F32, &one, NULL, &err), err);
    write_prefixed(&m, m.weights, "");
    check_fails(oc_pretrained_open(&p, m.path, &options, &err), err, OC_EUNSUPPORTED,
                "Nearest is resnet18");
    p = open_it(&m, "resnet18", NULL);
    oc_match_report r = {0};
    check_ok(oc_match_report_make(&r, m.graph, p, &err), err);
    assert_int_equal(r.of[OC_MATCH_UNUSED], 1);
    assert_string_equal(r.lines[r.count - 1].source, "layer1.0.se.fc1.weight");
    oc_match_report_clear(&r);
    oc_pretrained_free(p);
    clear(&m);
}

static void the_report_tells_each_tensor(void **state) {
    (void)state;
    oc_error err = {0};
    made m = make("squeezenet1_1", 224);
    oc_graph *graph = NULL;
    oc_match_report r = {0};
    write_prefixed(&m, m.weights, "module.");
    oc_pretrained *p = open_it(&m, NULL, NULL);
    check_ok(oc_pretrained_build(p, &graph, 3, CLASSES + 1, 224, 224, &err), err);
    check_ok(oc_match_report_make(&r, graph, p, &err), err);
    assert_int_equal(r.of[OC_MATCH_SHAPE], 2); /* the head's weight and bias */
    assert_int_equal(r.of[OC_MATCH_TAKEN], oc_graph_param_count(graph) - 2);
    assert_int_equal(r.of[OC_MATCH_MISSING] + r.of[OC_MATCH_UNUSED], 0);
    assert_string_equal(r.lines[0].name, "features.0.weight");
    assert_string_equal(r.lines[0].source, "module.features.0.weight");
    oc_match_report_clear(&r);
    oc_graph_free(graph);
    oc_pretrained_free(p);
    clear(&m);
}

static void networks_without_names_elsewhere_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_tensors *out = NULL;
    made m = make("squeezenet1_1", 224);
    check_fails(oc_naming_apply(&out, m.graph, m.weights, "squeezenet1_1", OC_NAMING_TIMM, &err),
                err, OC_EUNSUPPORTED, "timm has no names");
    check_fails(oc_naming_apply(&out, m.graph, m.weights, "squeezenet1_1", OC_NAMING_KERAS, &err),
                err, OC_EUNSUPPORTED, "keras has no names");
    clear(&m);
}

/* Ours has no cut at 6 as timm's does. */
static void networks_that_are_built_otherwise_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_tensors *out = NULL;
    made m = make("mobilenet_v1_0.25", 224);
    check_fails(
        oc_naming_apply(&out, m.graph, m.weights, "mobilenet_v1_0.25", OC_NAMING_TIMM, &err), err,
        OC_EUNSUPPORTED, "conv1/relu is relu");
    assert_null(out);
    clear(&m);
}

static void opening_survives_any_allocation_failing(void **state) {
    (void)state;
    const oc_pretrained_options options = {.arch = "squeezenet1_1"};
    made m = make("squeezenet1_1", 224);
    write_prefixed(&m, m.weights, "");
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n += 61) {
        oc_pretrained *p = NULL;
        assert_true(n < 20000);
        oc_mem_fail_at(n);
        status = oc_pretrained_open(&p, m.path, &options, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && p == NULL));
        oc_pretrained_free(p);
    }
    clear(&m);
}

/* ---- Keras' layout --------------------------------------------------------------------------
 */

/* Our names are Keras' here. */
static bool same_layer(char out[OC_NAME_BYTES], const char *ours) {
    (void)snprintf(out, OC_NAME_BYTES, "%s", ours);
    return true;
}
static const oci_names SAME = {.naming = OC_NAMING_KERAS, .family = "", .layer = same_layer};

/* conv 2 -> 3 of 1x2, depthwise of 1x2, flatten of 3 maps of 1x2, dense to 2. */
static oc_graph *make_graph(void) {
    oc_build b = {0};
    oc_attrs a = oc_attrs_default(OC_OP_CONV);
    assert_int_equal(oc_graph_new(&b.graph, NULL), OC_OK);
    int x = oc_build_input(&b, 2, 1, 4);
    a.out = 3;
    a.kernel_h = 1;
    a.kernel_w = 2;
    a.bias = 0;
    x = oc_build_node(&b, OC_OP_CONV, "conv", &x, 1, &a);
    x = oc_build_batch_norm(&b, x, "bn");
    a.groups = 3;
    x = oc_build_node(&b, OC_OP_CONV, "deep", &x, 1, &a);
    x = oc_build_flatten(&b, x, "flatten");
    (void)oc_build_dense(&b, x, "fc", 2, OC_INIT_XAVIER);
    assert_int_equal(b.status, OC_OK);
    return b.graph;
}

static void put(oc_tensors *set, const char *name, oc_shape shape, bool count) {
    oc_tensor *t = NULL;
    assert_int_equal(oc_tensors_add(set, name, OC_F32, &shape, &t, NULL), OC_OK);
    for (size_t i = 0; i < oc_tensor_count(t); i++) ((float *)t->data)[i] = count ? (float)i : 1;
}

static const float *convert(oc_tensors *out, const oc_graph *graph, const oc_tensors *file,
                            const char *ours, const char *theirs) {
    oc_error err = {0};
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        if (strcmp(param->name, ours) != 0) continue;
        check_ok(
            oci_keras_convert(out, graph, param, file, oc_tensors_find(file, theirs), &SAME, &err),
            err);
        assert_true(oc_shape_equal(&oc_tensors_find(out, ours)->shape, &param->shape));
    }
    return oc_tensors_find(out, ours)->data;
}

static void channels_of_keras_come_first_with_us(void **state) {
    (void)state;
    oc_graph *graph = make_graph();
    oc_tensors *file = NULL, *out = NULL;
    assert_int_equal(oc_tensors_new(&file, NULL), OC_OK);
    assert_int_equal(oc_tensors_new(&out, NULL), OC_OK);
    put(file, "conv/kernel", oc_shape_4d(1, 2, 2, 3), true);
    put(file, "conv/bias", oc_shape_1d(3), true);
    put(file, "bn/moving_mean", oc_shape_1d(3), false);
    put(file, "deep/kernel", oc_shape_4d(1, 2, 3, 1), true);
    put(file, "fc/kernel", oc_shape_2d(6, 2), true);
    /* (o, i, 0, w) is at (0, w, i, o): w * 6 + i * 3 + o */
    const float *conv = convert(out, graph, file, "conv.weight", "conv/kernel");
    assert_memory_equal(conv, ((float[]){0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}), 12 * 4);
    const float *deep = convert(out, graph, file, "deep.weight", "deep/kernel");
    assert_memory_equal(deep, ((float[]){0, 3, 1, 4, 2, 5}), 6 * 4);
    /* input c * 2 + w of ours is w * 3 + c of theirs, times two outputs */
    const float *fc = convert(out, graph, file, "fc.weight", "fc/kernel");
    assert_memory_equal(fc, ((float[]){0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}), 12 * 4);
    const float *mean = convert(out, graph, file, "bn.running_mean", "bn/moving_mean");
    assert_memory_equal(mean, ((float[]){1, 0, -1}), 3 * 4);
    oc_tensors_free(out);
    oc_tensors_free(file);
    oc_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_timm_go_out_and_come_back),
        cmocka_unit_test(timm_calls_layers_as_its_sources_do),
        cmocka_unit_test(keras_calls_layers_as_its_sources_do),
        cmocka_unit_test(names_are_those_that_timm_and_keras_give),
        cmocka_unit_test(layers_without_names_are_told),
        cmocka_unit_test(wrappers_come_off_by_themselves),
        cmocka_unit_test(a_prefix_that_is_given_comes_off),
        cmocka_unit_test(files_of_other_networks_name_the_nearest),
        cmocka_unit_test(the_report_tells_each_tensor),
        cmocka_unit_test(networks_without_names_elsewhere_are_refused),
        cmocka_unit_test(networks_that_are_built_otherwise_are_refused),
        cmocka_unit_test(opening_survives_any_allocation_failing),
        cmocka_unit_test(channels_of_keras_come_first_with_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
