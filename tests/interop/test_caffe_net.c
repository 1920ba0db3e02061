/* Caffe nets as graphs: each kind of layer with Caffe's own rules, layers in place, phases, the old
 * form, and what is told of nets that cannot be read.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "caffe_maker.h"

static oc_pool *pool;

static int setup(void **state) {
    (void)state;
    return oc_pool_new(&pool, NULL) == OC_OK ? 0 : 1;
}

static int teardown(void **state) {
    (void)state;
    oc_pool_free(pool);
    return 0;
}

/* A net that must be readable; its graph is the caller's. */
static oci_caffe_network read_in(const char *text, oci_caffe_phase phase) {
    oci_caffe_network net;
    oc_error err = {0};
    check_ok(caffe_build(&net, text, phase, pool, &err), err);
    return net;
}

static oci_caffe_network read(const char *text) {
    return read_in(text, OCI_CAFFE_TEST);
}

static void refuse(const char *text, oc_status wanted, const char *part) {
    oci_caffe_network net;
    oc_error err = {0};
    check_fails(caffe_build(&net, text, OCI_CAFFE_TEST, pool, &err), err, wanted, part);
    assert_null(net.graph);
}

/* "input conv relu", the ops in order. */
static void check_ops(const oc_graph *graph, const char *wanted) {
    oc_buf ops = {0};
    for (int i = 0; i < oc_graph_node_count(graph); i++)
        oc_buf_printf(&ops, "%s%s", i > 0 ? " " : "", oc_op_name(oc_graph_node(graph, i)->op));
    assert_string_equal(ops.data, wanted);
    oc_buf_clear(&ops);
}

static const oc_attrs *attrs_of(const oc_graph *graph, const char *name) {
    int i = oc_graph_find(graph, name);
    if (i < 0) fail_msg("no node %s", name);
    return &oc_graph_node(graph, i)->attrs;
}

/* Height of the last node's output for a photo of the net's size. */
static int64_t output_side(const oc_graph *graph) {
    oc_shape shapes[32];
    oc_error err = {0};
    const oc_attrs *in = &oc_graph_node(graph, 0)->attrs;
    check_ok(oc_graph_shapes(graph, 1, in->height, in->width, shapes, &err), err);
    return shapes[oc_graph_node_count(graph) - 1].dim[2];
}

#define LAYER(name, type, bottom, top, rest)                                                       \
    "layer { name: '" name "' type: '" type "' bottom: '" bottom "' top: '" top "' " rest " }\n"

/* ---- windows ------------------------------------------------------------------------------- */

static void a_convolution_keeps_all_it_says(void **state) {
    (void)state;
    oci_caffe_network net =
        read(CAFFE_INPUT(32) LAYER("c", "Convolution", "data", "c",
                                   "convolution_param { num_output: 6 group: 3 kernel_h: 5 "
                                   "kernel_w: 3 stride_h: 2 stride_w: 1 "
                                   "pad_h: 4 pad_w: 1 dilation: 2 bias_term: false }"));
    const oc_attrs *a = attrs_of(net.graph, "c");
    assert_int_equal(a->out, 6);
    assert_int_equal(a->groups, 3);
    assert_true(a->kernel_h == 5 && a->kernel_w == 3 && a->stride_h == 2 && a->stride_w == 1);
    assert_true(a->pad_top == 4 && a->pad_bottom == 4 && a->pad_left == 1 && a->pad_right == 1);
    assert_true(a->dilation_h == 2 && a->dilation_w == 2 && a->bias == 0);
    assert_int_equal(oc_graph_param_count(net.graph), 1);
    oc_graph_free(net.graph);
}

static void windows_may_be_given_once_or_for_each_side(void **state) {
    (void)state;
    oci_caffe_network net = read(
        CAFFE_INPUT(32) LAYER("a", "Convolution", "data", "a",
                              "convolution_param { num_output: 4 kernel_size: 3 pad: 1 stride: 2 }")
            LAYER("b", "Convolution", "a", "b",
                  "convolution_param { num_output: 4 kernel_size: [1, 3] pad: [0, 1] }"));
    const oc_attrs *a = attrs_of(net.graph, "a"), *b = attrs_of(net.graph, "b");
    assert_true(a->kernel_w == 3 && a->pad_left == 1 && a->stride_w == 2 && a->dilation_w == 1);
    assert_true(b->kernel_h == 1 && b->kernel_w == 3 && b->pad_top == 0 && b->pad_left == 1);
    oc_graph_free(net.graph);
}

/* Caffe's formula: ceil((side + 2 pad - kernel) / stride) + 1, one less when padded and the last
 * window would start in the padding behind. */
static void pools_round_up_and_clip_as_caffe_does(void **state) {
    (void)state;
    static const struct {
        const char *pool;
        int64_t side;
    } cases[] = {
        {"kernel_size: 3 stride: 2", 4},        /* ceil((8-3)/2) + 1 */
        {"kernel_size: 3 stride: 2 pad: 1", 5}, /* ceil((10-3)/2) + 1 = 5, (5-1)*2 < 9 */
        {"kernel_size: 2 stride: 2 pad: 1", 5}, /* starts -1, 1, .., 7 */
        {"kernel_size: 3 stride: 3 pad: 1", 3}, /* ceil(7/3) + 1 = 4, but 3 * 3 is not below 9 */
        {"kernel_size: 3 stride: 2 round_mode: FLOOR", 3},
        {"kernel_size: 3", 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       CAFFE_INPUT(8) LAYER("p", "Pooling", "data", "p", "pooling_param { %s }"),
                       cases[i].pool);
        oci_caffe_network net = read(text);
        int64_t wanted = cases[i].side;
        if (output_side(net.graph) != wanted)
            fail_msg("%s: %d, not %d", cases[i].pool, (int)output_side(net.graph), (int)wanted);
        oc_graph_free(net.graph);
    }
}

static void averages_divide_by_the_padded_window(void **state) {
    (void)state;
    oci_caffe_network net =
        read(CAFFE_INPUT(8) LAYER("p", "Pooling", "data", "p",
                                  "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }"));
    check_ops(net.graph, "input avg_pool");
    assert_true(attrs_of(net.graph, "p")->count_pad == 1 && attrs_of(net.graph, "p")->ceil == 1);
    oc_graph_free(net.graph);
    net = read(CAFFE_INPUT(8)
                   LAYER("p", "Pooling", "data", "p", "pooling_param { global_pooling: true }"));
    check_ops(net.graph, "input global_max_pool");
    oc_graph_free(net.graph);
    refuse(CAFFE_INPUT(8) LAYER("p", "Pooling", "data", "p", "pooling_param { pool: STOCHASTIC }"),
           OC_EUNSUPPORTED, "net.prototxt:2:7: layer p (Pooling): stochastic");
}

/* ---- norms and values ---------------------------------------------------------------------- */

static void a_norm_within_a_channel_has_k_of_one(void **state) {
    (void)state;
    oci_caffe_network net = read(CAFFE_INPUT(8) LAYER(
        "n", "LRN", "data", "n",
        "lrn_param { local_size: 3 alpha: 2 beta: 0.5 k: 4 norm_region: WITHIN_CHANNEL }")
                                     LAYER("m", "LRN", "n", "m", "lrn_param { k: 2 }"));
    const oc_attrs *n = attrs_of(net.graph, "n"), *m = attrs_of(net.graph, "m");
    assert_true(n->within == 1 && n->size == 3 && n->alpha == 2 && n->beta == 0.5F && n->k == 1);
    assert_true(m->within == 0 && m->size == 5 && m->alpha == 1 && m->k == 2);
    oc_graph_free(net.graph);
}

static void values_one_by_one_have_their_ops(void **state) {
    (void)state;
    oci_caffe_network net = read(
        CAFFE_INPUT(8) LAYER("r", "ReLU", "data", "r", "")
            LAYER("l", "ReLU", "r", "r", "relu_param { negative_slope: 0.25 }")
                LAYER("p", "PReLU", "r", "r", "prelu_param { channel_shared: true }")
                    LAYER("s", "Sigmoid", "r", "r", "") LAYER("t", "TanH", "r", "r", "")
                        LAYER("w", "Power", "r", "r", "power_param { power: 2 shift: 1 }")
                            LAYER("c", "Clip", "r", "r", "clip_param { min: -1 max: 1 }") LAYER(
                                "d", "Dropout", "r", "r", "dropout_param { dropout_ratio: 0.7 }"));
    check_ops(net.graph, "input relu leaky_relu prelu sigmoid tanh power clip dropout");
    assert_true(attrs_of(net.graph, "l")->slope == 0.25F);
    assert_true(attrs_of(net.graph, "p")->shared == 1);
    assert_true(attrs_of(net.graph, "w")->exponent == 2 && attrs_of(net.graph, "w")->shift == 1);
    assert_true(attrs_of(net.graph, "d")->p == 0.7F);
    oc_graph_free(net.graph);
}

static void a_scale_becomes_part_of_the_batch_norm_before_it(void **state) {
    (void)state;
    oci_caffe_network net =
        read(CAFFE_INPUT(8) LAYER("bn", "BatchNorm", "data", "bn", "")
                 LAYER("sc", "Scale", "bn", "bn", "scale_param { bias_term: true }")
                     LAYER("r", "ReLU", "bn", "bn", ""));
    check_ops(net.graph, "input batch_norm relu");
    assert_string_equal(net.sources[0].layer->name, "sc");
    assert_int_equal(net.sources[1].blob, 1);
    assert_string_equal(net.sources[2].layer->name, "bn");
    assert_int_equal(net.sources[3].blob, 1);
    oc_graph_free(net.graph);
}

static void a_batch_norm_alone_has_a_weight_of_one(void **state) {
    (void)state;
    /* what the Scale reads is read by another layer, too: it cannot be merged */
    oci_caffe_network net = read(CAFFE_INPUT(8) LAYER("bn", "BatchNorm", "data", "bn", "") LAYER(
        "sc", "Scale", "bn", "sc", "") "layer { name: 'sum' type: 'Eltwise' bottom: 'bn' bottom: "
                                       "'sc' top: 'sum' }");
    check_ops(net.graph, "input batch_norm scale add");
    assert_null(net.sources[0].layer);
    assert_true(net.sources[0].constant == 1 && net.sources[1].constant == 0);
    assert_int_equal(attrs_of(net.graph, "sc")->bias, 0);
    oc_graph_free(net.graph);
}

/* ---- several inputs ------------------------------------------------------------------------ */

static void sums_take_coefficients_and_any_number_of_inputs(void **state) {
    (void)state;
    oci_caffe_network net = read(CAFFE_INPUT(8) LAYER("a", "ReLU", "data", "a", "") LAYER(
        "b", "TanH", "data", "b",
        "") "layer { name: 'sum' type: 'Eltwise' bottom: 'a' bottom: 'b' bottom: 'data' "
            "top: 'sum' eltwise_param { coeff: [1, -2, 1] } }");
    check_ops(net.graph, "input relu tanh power add add");
    assert_true(attrs_of(net.graph, "sum/coeff1")->scale == -2);
    assert_true(oc_graph_find(net.graph, "sum/1") == 4 && oc_graph_find(net.graph, "sum") == 5);
    oc_graph_free(net.graph);
    refuse(
        CAFFE_INPUT(8) "layer { name: 'p' type: 'Eltwise' bottom: 'data' bottom: 'data' top: 'p' "
                       "eltwise_param { operation: PROD coeff: 1 coeff: 2 } }",
        OC_EUNSUPPORTED, "coeff");
}

static void more_inputs_than_a_node_has_are_joined_in_parts(void **state) {
    (void)state;
    oc_buf text = {0};
    oc_buf_puts(&text, CAFFE_INPUT(8) "layer { name: 'j' type: 'Concat' top: 'j' ");
    for (int i = 0; i < 40; i++) oc_buf_puts(&text, "bottom: 'data' ");
    oc_buf_puts(&text, "}");
    oci_caffe_network net = read(text.data);
    assert_int_equal(oc_graph_channels(net.graph, oc_graph_node_count(net.graph) - 1), 120);
    check_ops(net.graph, "input concat concat concat");
    oc_graph_free(net.graph);
    oc_buf_clear(&text);
    refuse(CAFFE_INPUT(8) LAYER("j", "Concat", "data", "j", "concat_param { axis: 2 }"),
           OC_EUNSUPPORTED, "axis: only 1");
}

/* ---- which layers count -------------------------------------------------------------------- */

static void an_inner_product_flattens_what_is_not_flat(void **state) {
    (void)state;
    oci_caffe_network net = read(
        CAFFE_INPUT(8)
            LAYER("a", "InnerProduct", "data", "a", "inner_product_param { num_output: 5 }")
                LAYER("r", "ReLU", "a", "a", "")
                    LAYER("b", "InnerProduct", "a", "b", "inner_product_param { num_output: 4 }"));
    check_ops(net.graph, "input flatten dense relu dense");
    assert_int_equal(oc_graph_find(net.graph, "a/flatten"), 1);
    assert_int_equal(oc_graph_classes(net.graph), 4);
    oc_graph_free(net.graph);
}

static void layers_of_2014_are_the_same_net(void **state) {
    (void)state;
    oci_caffe_network net = read(
        CAFFE_INPUT(8) "layers { name: 'c' type: CONVOLUTION bottom: 'data' top: 'c' blobs_lr: 1 "
                       "blobs_lr: 2 weight_decay: 1 weight_decay: 0 convolution_param { "
                       "num_output: 4 kernel_size: 3 } }\n"
                       "layers { name: 'r' type: RELU bottom: 'c' top: 'c' }\n"
                       "layers { name: 'f' type: FLATTEN bottom: 'c' top: 'f' }\n"
                       "layers { name: 'ip' type: INNER_PRODUCT bottom: 'f' top: 'ip' "
                       "inner_product_param { num_output: 2 } }\n"
                       "layers { name: 'prob' type: SOFTMAX bottom: 'ip' top: 'prob' }");
    check_ops(net.graph, "input conv relu flatten dense");
    double lr, decay;
    oci_caffe_multipliers(net.sources[1].layer, net.sources[1].blob, &lr, &decay);
    assert_true(lr == 2 && decay == 0);
    oc_graph_free(net.graph);
    refuse(CAFFE_INPUT(8) "layers { layer { name: 'c' type: 'conv' } bottom: 'data' top: 'c' }",
           OC_EUNSUPPORTED, "upgrade_net_proto_text OLD.prototxt NEW.prototxt");
}

static const char two_heads[] =
    "layer { name: 'train' type: 'Data' top: 'data' top: 'label' include { phase: TRAIN } "
    "transform_param { crop_size: 8 } }\n"
    "layer { name: 'test' type: 'Data' top: 'data' top: 'label' exclude { phase: TRAIN } "
    "transform_param { crop_size: 6 mean_value: 100 } }\n" LAYER(
        "c", "Convolution", "data", "c",
        "convolution_param { num_output: 4 kernel_size: 3 } param { lr_mult: 10 } "
        "param { lr_mult: 20 decay_mult: 0 }")
        LAYER("side", "InnerProduct", "c", "side",
              "inner_product_param { num_output: 2 }") "layer { name: 'loss1' type: "
                                                       "'SoftmaxWithLoss' bottom: 'side' bottom: "
                                                       "'label' top: 'loss1' "
                                                       "loss_weight: 0.3 }\n" LAYER(
                                                           "fc", "InnerProduct", "c", "fc",
                                                           "inner_product_param { num_output: 2 "
                                                           "}") "layer { name: 'loss' type: "
                                                                "'SoftmaxWithLoss' bottom: 'fc' "
                                                                "bottom: 'label' top: 'loss' }\n"
                                                                "layer { name: 'acc' type: "
                                                                "'Accuracy' bottom: 'fc' bottom: "
                                                                "'label' top: 'acc' }\n";

static void testing_leaves_lesser_losses_out(void **state) {
    (void)state;
    oci_caffe_network net = read(two_heads);
    check_ops(net.graph, "input conv flatten dense");
    assert_string_equal(net.input->name, "test");
    assert_int_equal(oc_graph_node(net.graph, 0)->attrs.height, 6);
    oc_graph_free(net.graph);
}

static void training_makes_lesser_losses_auxiliary_ones(void **state) {
    (void)state;
    oci_caffe_network net = read_in(two_heads, OCI_CAFFE_TRAIN);
    check_ops(net.graph, "input conv flatten dense aux_loss flatten dense");
    assert_true(attrs_of(net.graph, "loss1")->weight == 0.3F);
    assert_string_equal(oc_graph_node(net.graph, oc_graph_head(net.graph))->name, "fc");
    assert_string_equal(net.input->name, "train");
    double lr, decay;
    oci_caffe_multipliers(net.sources[1].layer, 1, &lr, &decay);
    assert_true(lr == 20 && decay == 0);
    oc_graph_free(net.graph);
}

/* ---- what cannot be read ------------------------------------------------------------------- */

static void nets_that_cannot_be_read_are_told_with_their_lines(void **state) {
    (void)state;
    refuse(
        CAFFE_INPUT(8) LAYER("a", "ReLU", "dat", "a", ""), OC_EFORMAT,
        "net.prototxt:2:7: layer a (ReLU) reads the blob dat, which no layer before it makes; did "
        "you mean data?");
    refuse(CAFFE_INPUT(8) LAYER("a", "Slice", "data", "a", "") LAYER("b", "MVN", "a", "b", "")
               LAYER("c", "AbsVal", "b", "c", ""),
           OC_EUNSUPPORTED, "a (Slice) in line 2, b (MVN) in line 3, c (AbsVal) in line 4");
    refuse(CAFFE_INPUT(8) LAYER("a", "Softmax", "data", "a", "") LAYER("b", "ReLU", "a", "b", ""),
           OC_EUNSUPPORTED, "a (Softmax) in line 2");
    refuse(CAFFE_INPUT(8) LAYER("a", "ReLU", "data", "a", "") LAYER("b", "ReLU", "data", "b", ""),
           OC_EUNSUPPORTED, "2 outputs that nobody reads: a b");
    refuse(CAFFE_INPUT(8), OC_EUNSUPPORTED, "no layer whose output nobody reads");
    refuse("", OC_EUNSUPPORTED, "no layer whose output");
    refuse(LAYER("d", "Data", "x", "data", ""), OC_EFORMAT, "reads the blob x");
    refuse("layer { name: 'd' type: 'Data' top: 'data' }" LAYER("r", "ReLU", "data", "r", ""),
           OC_EUSAGE, "give it with --size");
    refuse("input: 'a' input: 'b' input_dim: [1, 3, 8, 8]"
           "layer { name: 's' type: 'Eltwise' bottom: 'a' bottom: 'b' top: 's' }",
           OC_EUNSUPPORTED, "a second input");
    refuse("input: 'a' input_dim: [1, 3, -8, 8]" LAYER("r", "ReLU", "a", "r", ""), OC_EFORMAT,
           "a size below 1");
    refuse("input: 'a' input_dim: [1, 3, 8, 2147483647]" LAYER("r", "ReLU", "a", "r", ""),
           OC_EFORMAT, "width is 2.14748e+09");
    refuse(CAFFE_INPUT(8) LAYER("c", "Convolution", "data", "c",
                                "convolution_param { num_output: 4294967295 kernel_size: 1 }"),
           OC_EFORMAT, "net.prototxt:2:7: layer c (Convolution): conv 'c': out is 2.14748e+09");
    refuse(CAFFE_INPUT(8) LAYER("c", "Convolution", "data", "c",
                                "convolution_param { num_output: 4 kernel_size: 1 group: 0 }"),
           OC_EFORMAT, "groups is 0");
    refuse(CAFFE_INPUT(8) LAYER("p", "Pooling", "data", "p", "pooling_param { pool: AVE }"),
           OC_EFORMAT, "kernel_h is 0");
    refuse(CAFFE_INPUT(8) LAYER("i", "InnerProduct", "data", "i",
                                "inner_product_param { num_output: 4 axis: 2 }"),
           OC_EUNSUPPORTED, "axis: only 1");
    refuse(CAFFE_INPUT(8) "layer { name: 'e' type: 'Eltwise' bottom: 'data' top: 'e' }",
           OC_EUNSUPPORTED, "fewer than two inputs");
    refuse("layer { } layers { }", OC_EFORMAT, "layers in two forms");
}

static void names_may_come_again_where_no_weights_hang_on_them(void **state) {
    (void)state;
    oci_caffe_network net =
        read(CAFFE_INPUT(8) LAYER("r", "ReLU", "data", "a", "") LAYER("r", "ReLU", "a", "b", ""));
    assert_int_equal(oc_graph_find(net.graph, "r#2"), 2);
    oc_graph_free(net.graph);
    refuse(CAFFE_INPUT(8) LAYER("p", "PReLU", "data", "a", "") LAYER("p", "PReLU", "a", "b", ""),
           OC_EFORMAT, "net.prototxt:3:7: layer p (PReLU)");
}

static void running_out_of_memory_leaks_nothing(void **state) {
    (void)state;
    for (uint64_t n = 1; n < 200; n++) {
        oci_caffe_network net = {0};
        oc_pool *own = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = oc_pool_new(&own, &err);
        if (status == OC_OK) status = caffe_build(&net, two_heads, OCI_CAFFE_TRAIN, own, &err);
        oc_mem_fail_at(0);
        oc_graph_free(net.graph);
        oc_pool_free(own);
        if (status == OC_OK) {
            assert_true(n > 5);
            return;
        }
        assert_int_equal(status, OC_ENOMEM);
    }
    fail_msg("never got through");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_convolution_keeps_all_it_says),
        cmocka_unit_test(windows_may_be_given_once_or_for_each_side),
        cmocka_unit_test(pools_round_up_and_clip_as_caffe_does),
        cmocka_unit_test(averages_divide_by_the_padded_window),
        cmocka_unit_test(a_norm_within_a_channel_has_k_of_one),
        cmocka_unit_test(values_one_by_one_have_their_ops),
        cmocka_unit_test(a_scale_becomes_part_of_the_batch_norm_before_it),
        cmocka_unit_test(a_batch_norm_alone_has_a_weight_of_one),
        cmocka_unit_test(sums_take_coefficients_and_any_number_of_inputs),
        cmocka_unit_test(more_inputs_than_a_node_has_are_joined_in_parts),
        cmocka_unit_test(an_inner_product_flattens_what_is_not_flat),
        cmocka_unit_test(layers_of_2014_are_the_same_net),
        cmocka_unit_test(testing_leaves_lesser_losses_out),
        cmocka_unit_test(training_makes_lesser_losses_auxiliary_ones),
        cmocka_unit_test(nets_that_cannot_be_read_are_told_with_their_lines),
        cmocka_unit_test(names_may_come_again_where_no_weights_hang_on_them),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
