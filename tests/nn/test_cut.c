/* Head and body, changing the number of classes, splitting, auxiliary heads; and fresh weights.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "nn/nn.h"

/* conv, batch norm, pool, dropout, and a convolution as head with layers behind it. */
static oc_graph *net(void) {
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &b.error), b.error);
    int x = oc_build_input(&b, 3, 16, 16);
    x = oc_build_conv(&b, x, "body", 8, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_batch_norm(&b, x, "norm");
    x = oc_build_act(&b, x, "relu", OC_OP_RELU);
    x = oc_build_dropout(&b, x, "drop", 0.5F);
    x = oc_build_conv(&b, x, "head", 10, 1, 1, 0, 1, true, OC_INIT_NORMAL_001);
    x = oc_build_batch_norm(&b, x, "after");
    (void)oc_build_flatten(&b, oc_build_global_pool(&b, x, "pool"), "flat");
    check_ok(b.status, b.error);
    return b.graph;
}

static void head_is_the_last_layer_with_weights(void **state) {
    (void)state;
    oc_graph *g = net();
    assert_int_equal(oc_graph_head(g), oc_graph_find(g, "head"));
    assert_int_equal(oc_graph_cut_node(g), oc_graph_find(g, "relu")); /* seen through dropout */
    assert_int_equal(oc_graph_classes(g), 10);
    oc_graph_free(g);
}

static void net_without_layers_has_no_head(void **state) {
    (void)state;
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &b.error), b.error);
    (void)oc_build_act(&b, oc_build_input(&b, 3, 4, 4), "relu", OC_OP_RELU);
    oc_error err = {0};
    assert_int_equal(oc_graph_head(b.graph), -1);
    assert_int_equal(oc_graph_cut_node(b.graph), -1);
    assert_int_equal(oc_graph_classes(b.graph), 0);
    check_fails(oc_graph_set_classes(b.graph, 3, &err), err, OC_EUNSUPPORTED,
                "one output per class");
    oc_graph_free(b.graph);
}

static void new_class_count_reaches_all_that_follows(void **state) {
    (void)state;
    oc_graph *g = net();
    oc_error err = {0};
    check_ok(oc_graph_set_classes(g, 3, &err), err);
    assert_int_equal(oc_graph_classes(g), 3);
    assert_int_equal(oc_graph_channels(g, oc_graph_node_count(g) - 1), 3);
    for (int i = 0; i < oc_graph_param_count(g); i++) {
        const oc_param *p = oc_graph_param(g, i);
        if (oc_starts_with(p->name, "after")) assert_int_equal(p->shape.dim[0], 3);
        if (oc_starts_with(p->name, "body")) assert_int_equal(p->shape.dim[0], 8);
    }
    check_fails(oc_graph_set_classes(g, 0, &err), err, OC_EFORMAT, "out is 0");
    assert_int_equal(oc_graph_classes(g), 3);
    oc_graph_free(g);
}

static void halves_of_a_split_make_the_whole(void **state) {
    (void)state;
    oc_graph *g = net(), *body = NULL, *rest = NULL;
    oc_error err = {0};
    int cut = oc_graph_cut_node(g);
    check_ok(oc_graph_split(g, cut, 20, 24, &body, &rest, &err), err);
    assert_int_equal(oc_graph_node_count(body), cut + 1);
    assert_int_equal(oc_graph_node_count(rest), oc_graph_node_count(g) - cut);
    assert_int_equal(oc_graph_param_count(body) + oc_graph_param_count(rest),
                     oc_graph_param_count(g));
    const oc_attrs *in = &oc_graph_node(rest, 0)->attrs;
    assert_int_equal(in->channels, 8);
    assert_int_equal(in->height, 10);
    assert_int_equal(in->width, 12);
    assert_string_equal(oc_graph_node(rest, 1)->name, "drop");
    assert_int_equal(oc_graph_find(rest, "head"), 2);
    oc_graph_free(g);
    oc_graph_free(body);
    oc_graph_free(rest);
}

static void split_through_a_shortcut_is_refused(void **state) {
    (void)state;
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &b.error), b.error);
    int x = oc_build_input(&b, 3, 8, 8);
    int r = oc_build_act(&b, x, "relu", OC_OP_RELU);
    (void)oc_build_add(&b, r, x, "sum");
    oc_graph *body = NULL, *rest = NULL;
    oc_error err = {0};
    check_fails(oc_graph_split(b.graph, r, 8, 8, &body, &rest, &err), err, OC_EUNSUPPORTED,
                "'sum' also reads 'input'");
    check_fails(oc_graph_split(b.graph, 2, 8, 8, &body, &rest, &err), err, OC_EUSAGE, "node 2");
    check_fails(oc_graph_split(b.graph, -1, 8, 8, &body, &rest, &err), err, OC_EUSAGE, "node -1");
    assert_null(body);
    assert_null(rest);
    oc_graph_free(b.graph);
}

/* body, an auxiliary head of two layers, body again, head; one more auxiliary head behind it. */
static oc_graph *net_with_aux(void) {
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &b.error), b.error);
    int x = oc_build_input(&b, 3, 16, 16);
    x = oc_build_conv(&b, x, "body1", 8, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    int y = oc_build_conv(&b, x, "aux1.conv", 4, 1, 1, 0, 1, false, OC_INIT_KAIMING_FAN_OUT);
    y = oc_build_flatten(&b, oc_build_global_pool(&b, y, "aux1.pool"), "aux1.flat");
    y = oc_build_dense(&b, y, "aux1.fc", 10, OC_INIT_XAVIER);
    (void)oc_build_aux_loss(&b, oc_build_dropout(&b, y, "aux1.drop", 0.5F), "aux1.loss", 0.3F);
    int z = oc_build_conv(&b, x, "body2", 8, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_flatten(&b, oc_build_global_pool(&b, z, "pool"), "flat");
    x = oc_build_dense(&b, x, "head", 10, OC_INIT_XAVIER);
    y = oc_build_flatten(&b, oc_build_global_pool(&b, z, "aux2.pool"), "aux2.flat");
    y = oc_build_dense(&b, y, "aux2.fc", 10, OC_INIT_XAVIER);
    (void)oc_build_aux_loss(&b, y, "aux2.loss", 1);
    (void)oc_build_act(&b, x, "last", OC_OP_TANH);
    check_ok(b.status, b.error);
    return b.graph;
}

static void auxiliary_heads_are_told_from_the_head(void **state) {
    (void)state;
    oc_graph *g = net_with_aux(), *plain = net();
    bool serves[32];
    assert_int_equal(oc_graph_head(g), oc_graph_find(g, "head"));
    assert_int_equal(oc_graph_cut_node(g), oc_graph_find(g, "flat"));
    assert_true(oc_graph_is_head(g, oc_graph_find(g, "head")));
    assert_true(oc_graph_is_head(g, oc_graph_find(g, "aux1.fc")));
    assert_true(oc_graph_is_head(g, oc_graph_find(g, "aux2.fc")));
    assert_false(oc_graph_is_head(g, oc_graph_find(g, "aux1.conv")));
    assert_false(oc_graph_is_head(g, oc_graph_find(g, "body2")));
    assert_false(oc_graph_serves(g, serves));
    assert_true(serves[oc_graph_find(g, "body1")] && serves[oc_graph_find(g, "head")]);
    assert_false(serves[oc_graph_find(g, "aux1.conv")] || serves[oc_graph_find(g, "aux2.loss")]);
    assert_true(oc_graph_serves(plain, serves));
    oc_graph_free(g);
    oc_graph_free(plain);
}

static void all_heads_change_their_classes_together(void **state) {
    (void)state;
    oc_graph *g = net_with_aux();
    oc_error err = {0};
    check_ok(oc_graph_set_classes(g, 3, &err), err);
    static const char *const heads[] = {"head", "aux1.fc", "aux2.fc"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oc_graph_node(g, oc_graph_find(g, heads[i]))->attrs.out, 3);
    }
    assert_int_equal(oc_graph_node(g, oc_graph_find(g, "aux1.conv"))->attrs.out, 4);
    assert_true(oc_graph_node(g, oc_graph_find(g, "aux1.loss"))->attrs.weight == 0.3F);
    oc_graph_free(g);
}

static void pruning_and_splitting_leave_auxiliary_heads_out(void **state) {
    (void)state;
    oc_graph *g = net_with_aux(), *pruned = NULL, *body = NULL, *rest = NULL;
    oc_error err = {0};
    check_ok(oc_graph_prune(g, &pruned, &err), err);
    assert_int_equal(oc_graph_node_count(pruned), 7);
    assert_int_equal(oc_graph_find(pruned, "aux1.conv"), -1);
    assert_int_equal(oc_graph_find(pruned, "last"), 6);
    check_ok(oc_graph_split(g, oc_graph_cut_node(g), 16, 16, &body, &rest, &err), err);
    assert_int_equal(oc_graph_node_count(body), 5);
    assert_string_equal(oc_graph_node(body, 4)->name, "flat");
    assert_int_equal(oc_graph_node_count(rest), 3); /* input, head, last */
    oc_graph_free(pruned);
    oc_graph_free(body);
    oc_graph_free(rest);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK && n < 200; n++) {
        oc_mem_fail_at(n);
        status = oc_graph_prune(g, &pruned, NULL);
        oc_mem_fail_at(0);
        assert_true((status == OC_OK) == (pruned != NULL));
    }
    assert_int_equal(status, OC_OK);
    oc_graph_free(pruned);
    oc_graph_free(g);
}

static void nobody_reads_an_auxiliary_loss(void **state) {
    (void)state;
    oc_graph *g = net_with_aux();
    oc_error err = {0};
    int loss = oc_graph_find(g, "aux1.loss");
    check_fails(oc_graph_add(g, OC_OP_RELU, "reader", &loss, 1, NULL, NULL, &err), err, OC_EFORMAT,
                "'reader' reads 'aux1.loss'");
    oc_graph_free(g);
}

static void out_of_memory_leaves_no_half(void **state) {
    (void)state;
    oc_graph *g = net();
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK && n < 200; n++) {
        oc_graph *body = NULL, *rest = NULL;
        oc_mem_fail_at(n);
        status = oc_graph_split(g, oc_graph_cut_node(g), 16, 16, &body, &rest, NULL);
        oc_mem_fail_at(0);
        assert_true((status == OC_OK) == (body != NULL) && (body != NULL) == (rest != NULL));
        oc_graph_free(body);
        oc_graph_free(rest);
    }
    assert_int_equal(status, OC_OK);
    status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK && n < 200; n++) {
        oc_mem_fail_at(n);
        status = oc_graph_set_classes(g, 4, NULL);
        oc_mem_fail_at(0);
        assert_int_equal(oc_graph_classes(g), status == OC_OK ? 4 : 10);
    }
    oc_graph_free(g);
}

/* ---- fresh weights ----------------------------------------------------------------------------
 */

static oc_tensors *fresh(const oc_graph *g, uint64_t seed) {
    oc_tensors *set = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_new(&set, &err), err);
    check_ok(oc_graph_init(g, seed, set, &err), err);
    return set;
}

static void check_constant(const oc_tensors *set, const char *name, float wanted) {
    const oc_tensor *t = oc_tensors_find(set, name);
    assert_non_null(t);
    for (size_t i = 0; i < oc_tensor_count(t); i++) {
        assert_true(((const float *)t->data)[i] == wanted);
    }
}

static void norms_and_biases_start_neutral(void **state) {
    (void)state;
    oc_graph *g = net();
    oc_tensors *set = fresh(g, 1);
    assert_int_equal(oc_tensors_count(set), oc_graph_param_count(g));
    check_constant(set, "norm.weight", 1);
    check_constant(set, "norm.bias", 0);
    check_constant(set, "norm.running_mean", 0);
    check_constant(set, "norm.running_var", 1);
    check_constant(set, "head.bias", 0);
    oc_tensors_free(set);
    oc_graph_free(g);
}

static void fresh_weights_depend_on_seed_and_name_alone(void **state) {
    (void)state;
    oc_graph *g = net();
    oc_tensors *a = fresh(g, 1), *b = fresh(g, 1), *c = fresh(g, 2);
    oc_error err = {0};
    check_ok(oc_graph_set_classes(g, 77, &err), err);
    oc_tensors *d = fresh(g, 1);
    const oc_tensor *t = oc_tensors_find(a, "body.weight");
    assert_memory_equal(t->data, oc_tensors_find(b, "body.weight")->data, oc_tensor_bytes(t));
    assert_memory_equal(t->data, oc_tensors_find(d, "body.weight")->data, oc_tensor_bytes(t));
    assert_memory_not_equal(t->data, oc_tensors_find(c, "body.weight")->data, oc_tensor_bytes(t));
    oc_tensors_free(a);
    oc_tensors_free(b);
    oc_tensors_free(c);
    oc_tensors_free(d);
    oc_graph_free(g);
}

static void weights_that_are_there_are_kept(void **state) {
    (void)state;
    oc_graph *g = net();
    oc_tensors *set = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_new(&set, &err), err);
    oc_shape odd = oc_shape_1d(2);
    oc_tensor *mine = NULL;
    check_ok(oc_tensors_add(set, "head.weight", OC_F32, &odd, &mine, &err), err);
    ((float *)mine->data)[1] = 42;
    check_ok(oc_graph_init(g, 1, set, &err), err);
    assert_true(((float *)oc_tensors_find(set, "head.weight")->data)[1] == 42);
    assert_int_equal(oc_tensors_count(set), oc_graph_param_count(g));
    oc_tensors_free(set);
    oc_graph_free(g);
}

/* Deviation of a layer of 64 -> 128 channels, 3x3, drawn as `init` says. */
static double deviation(oc_init init, double *largest) {
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &b.error), b.error);
    int x = oc_build_input(&b, 64, 8, 8);
    (void)oc_build_conv(&b, x, "c", 128, 3, 1, 1, 1, false, init);
    oc_tensors *set = fresh(b.graph, 5);
    const oc_tensor *t = oc_tensors_find(set, "c.weight");
    double sum = 0, squares = 0;
    *largest = 0;
    for (size_t i = 0; i < oc_tensor_count(t); i++) {
        double v = (double)((const float *)t->data)[i];
        sum += v, squares += v * v;
        *largest = fmax(*largest, fabs(v));
    }
    double count = (double)oc_tensor_count(t), mean = sum / count;
    double found = sqrt(squares / count - mean * mean);
    assert_true(fabs(mean) < 0.02 * found);
    oc_tensors_free(set);
    oc_graph_free(b.graph);
    return found;
}

static void draws_have_the_deviation_of_their_paper(void **state) {
    (void)state;
    double in = 64 * 9, out = 128 * 9, largest;
    assert_true(fabs(deviation(OC_INIT_KAIMING_FAN_OUT, &largest) / sqrt(2 / out) - 1) < 0.01);
    assert_true(fabs(deviation(OC_INIT_XAVIER, &largest) / sqrt(2 / (in + out)) - 1) < 0.01);
    assert_true(fabs(deviation(OC_INIT_NORMAL_001, &largest) / 0.01 - 1) < 0.01);
    assert_true(fabs(deviation(OC_INIT_KAIMING_UNIFORM, &largest) / sqrt(2 / in) - 1) < 0.01);
    assert_true(largest <= sqrt(6 / in) && largest > 0.99 * sqrt(6 / in));
}

static void out_of_memory_in_fresh_weights_is_told(void **state) {
    (void)state;
    oc_graph *g = net();
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK && n < 200; n++) {
        oc_tensors *set = NULL;
        oc_error err = {0};
        check_ok(oc_tensors_new(&set, &err), err);
        oc_mem_fail_at(n);
        status = oc_graph_init(g, 1, set, &err);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        oc_tensors_free(set);
    }
    assert_int_equal(status, OC_OK);
    oc_graph_free(g);
}

static void a_cut_layer_gets_a_head_behind_the_mean_of_its_map(void **state) {
    (void)state;
    oc_error err = {0};
    oc_graph *g = net(), *cut = NULL;
    check_ok(oc_graph_cut(g, "norm", 4, 16, 16, &cut, &err), err);
    assert_int_equal(oc_graph_find(cut, "relu"), -1);
    assert_int_equal(oc_graph_classes(cut), 4);
    const oc_node *head = oc_graph_node(cut, oc_graph_head(cut));
    assert_string_equal(head->name, "new_head");
    assert_int_equal(oc_graph_node(cut, head->inputs[0])->op, OC_OP_GLOBAL_POOL);
    assert_int_equal(oc_graph_param(cut, head->first_param)->shape.dim[1], 8);
    oc_graph_free(cut);
    check_ok(oc_graph_cut(g, "flat", 4, 16, 16, &cut, &err), err); /* a vector: no mean */
    head = oc_graph_node(cut, oc_graph_head(cut));
    assert_int_equal(oc_graph_node(cut, head->inputs[0])->op, OC_OP_FLATTEN);
    oc_graph_free(cut);
    oc_graph_free(g);
}

static void a_net_ends_at_the_layer_it_is_taken_up_to(void **state) {
    (void)state;
    oc_error err = {0};
    oc_graph *g = net(), *body = NULL;
    check_ok(oc_graph_upto(g, "norm", &body, &err), err);
    int last = oc_graph_node_count(body) - 1;
    assert_string_equal(oc_graph_node(body, last)->name, "norm");
    assert_int_equal(oc_graph_find(body, "relu"), -1);
    assert_int_equal(oc_graph_channels(body, last), 8);
    oc_graph_free(body);
    check_fails(oc_graph_upto(g, "nrom", &body, &err), err, OC_ENOTFOUND, "did you mean 'norm'?");
    assert_null(body);
    oc_graph_free(g);
}

static void cutting_at_an_unknown_layer_suggests_one(void **state) {
    (void)state;
    oc_error err = {0};
    oc_graph *g = net(), *cut = NULL;
    check_fails(oc_graph_cut(g, "nrom", 4, 16, 16, &cut, &err), err, OC_ENOTFOUND,
                "did you mean 'norm'?");
    check_fails(oc_graph_cut(g, "pool5/drop_7x7_s1", 4, 16, 16, &cut, &err), err, OC_ENOTFOUND,
                "did you mean 'relu'?");
    assert_null(cut);
    oc_graph_free(g);
}

static void out_of_memory_in_a_cut_is_told(void **state) {
    (void)state;
    oc_status status = OC_ENOMEM;
    oc_graph *g = net();
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_graph *cut = NULL;
        assert_true(n < 200);
        oc_mem_fail_at(n);
        status = oc_graph_cut(g, "relu", 4, 16, 16, &cut, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && cut == NULL));
        oc_graph_free(cut);
    }
    oc_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_the_last_layer_with_weights),
        cmocka_unit_test(net_without_layers_has_no_head),
        cmocka_unit_test(new_class_count_reaches_all_that_follows),
        cmocka_unit_test(halves_of_a_split_make_the_whole),
        cmocka_unit_test(split_through_a_shortcut_is_refused),
        cmocka_unit_test(auxiliary_heads_are_told_from_the_head),
        cmocka_unit_test(all_heads_change_their_classes_together),
        cmocka_unit_test(pruning_and_splitting_leave_auxiliary_heads_out),
        cmocka_unit_test(nobody_reads_an_auxiliary_loss),
        cmocka_unit_test(out_of_memory_leaves_no_half),
        cmocka_unit_test(norms_and_biases_start_neutral),
        cmocka_unit_test(fresh_weights_depend_on_seed_and_name_alone),
        cmocka_unit_test(weights_that_are_there_are_kept),
        cmocka_unit_test(draws_have_the_deviation_of_their_paper),
        cmocka_unit_test(out_of_memory_in_fresh_weights_is_told),
        cmocka_unit_test(a_cut_layer_gets_a_head_behind_the_mean_of_its_map),
        cmocka_unit_test(a_net_ends_at_the_layer_it_is_taken_up_to),
        cmocka_unit_test(cutting_at_an_unknown_layer_suggests_one),
        cmocka_unit_test(out_of_memory_in_a_cut_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
