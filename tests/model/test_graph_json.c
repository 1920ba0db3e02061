/* graph.json: every network of the zoo survives it, and what is not known is refused by name.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include "zoo/zoo.h"

/* Every node with every field, and every parameter, must be the same. */
static void check_same(const oc_graph *a, const oc_graph *b) {
    assert_int_equal(oc_graph_node_count(a), oc_graph_node_count(b));
    assert_int_equal(oc_graph_param_count(a), oc_graph_param_count(b));
    for (int i = 0; i < oc_graph_node_count(a); i++) {
        const oc_node *p = oc_graph_node(a, i), *q = oc_graph_node(b, i);
        assert_string_equal(p->name, q->name);
        assert_int_equal(p->op, q->op);
        assert_int_equal(p->input_count, q->input_count);
        for (int k = 0; k < p->input_count; k++) assert_int_equal(p->inputs[k], q->inputs[k]);
        size_t count = 0;
        const oc_field *fields = oc_op_fields(p->op, &count);
        for (size_t f = 0; f < count; f++) { /* int32_t and float are both 4 bytes */
            assert_memory_equal((const char *)&p->attrs + fields[f].offset,
                                (const char *)&q->attrs + fields[f].offset, 4);
        }
    }
    for (int i = 0; i < oc_graph_param_count(a); i++) {
        const oc_param *p = oc_graph_param(a, i), *q = oc_graph_param(b, i);
        assert_string_equal(p->name, q->name);
        assert_true(oc_shape_equal(&p->shape, &q->shape));
    }
}

static void every_network_of_the_zoo_survives_a_round_trip(void **state) {
    (void)state;
    size_t count = 0;
    const oc_arch *all = oc_zoo_all(&count);
    assert_true(count >= 4);
    for (size_t i = 0; i < count; i++) {
        oc_graph *graph = NULL, *again = NULL;
        json_t *o = NULL, *parsed = NULL;
        oc_buf text = {0};
        oc_error err = {0};
        check_ok(oc_arch_build(&all[i], &graph, 3, 17, all[i].size, all[i].size, &err), err);
        check_ok(oc_graph_to_json(graph, &o, &err), err);
        check_ok(oc_json_append(&text, o, &err), err);
        check_ok(oc_json_parse(text.data, text.size, "text", &parsed, &err), err);
        check_ok(oc_graph_from_json(parsed, "graph.json", &again, &err), err);
        check_same(graph, again);
        json_decref(o);
        json_decref(parsed);
        oc_buf_clear(&text);
        oc_graph_free(graph);
        oc_graph_free(again);
    }
}

static void fields_at_their_default_are_left_out(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(3);
    json_t *o = NULL;
    oc_error err = {0};
    check_ok(oc_graph_to_json(graph, &o, &err), err);
    const json_t *conv = json_array_get(json_object_get(o, "nodes"), 1);
    assert_string_equal(json_string_value(json_object_get(conv, "op")), "conv");
    assert_int_equal(json_integer_value(json_object_get(conv, "out")), 4);
    assert_null(json_object_get(conv, "groups"));
    assert_null(json_object_get(conv, "dilation_h"));
    json_decref(o);
    oc_graph_free(graph);
}

static oc_status read_text(const char *text, oc_error *err) {
    json_t *o = NULL;
    oc_graph *graph = NULL;
    oc_status status = oc_json_parse(text, strlen(text), "text", &o, err);
    if (status == OC_OK) status = oc_graph_from_json(o, "graph.json", &graph, err);
    assert_true((status == OC_OK) == (graph != NULL));
    json_decref(o);
    oc_graph_free(graph);
    return status;
}

#define INPUT                                                                                      \
    "{\"name\":\"in\",\"op\":\"input\",\"inputs\":[],\"channels\":3,\"height\":8,\"width\":8}"
#define GRAPH(nodes) "{\"format\":\"ocellus-graph\",\"version\":1,\"nodes\":[" nodes "]}"

static void what_is_not_known_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *text;
        oc_status status;
        const char *part;
    } cases[] = {
        {"[]", OC_EFORMAT, "format"},
        {"{\"format\":\"onnx\",\"version\":1,\"nodes\":[" INPUT "]}", OC_EFORMAT, "onnx"},
        {"{\"format\":\"ocellus-graph\",\"version\":2,\"nodes\":[" INPUT "]}", OC_EUNSUPPORTED,
         "version 2"},
        {"{\"format\":\"ocellus-graph\",\"version\":1,\"nodes\":[],\"x\":1}", OC_EFORMAT, "\"x\""},
        {GRAPH(""), OC_ELIMIT, "0 nodes"},
        {GRAPH("7"), OC_EFORMAT, "node 0"},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"cnov\",\"inputs\":[\"in\"]}"), OC_EUNSUPPORTED,
         "did you mean \"conv\""},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"conv\",\"inputs\":[\"in\"],\"strid_h\":2}"),
         OC_EFORMAT, "did you mean \"stride_h\""},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"relu\",\"inputs\":[\"in\"],\"out\":2}"), OC_EFORMAT,
         "op relu has no field \"out\""},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"conv\",\"inputs\":[\"in\"],\"out\":\"2\"}"),
         OC_EFORMAT, "whole number"},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"conv\",\"inputs\":[\"in\"],\"out\":-1}"),
         OC_EFORMAT, "\"out\" is -1"},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"relu\",\"inputs\":[\"later\"]}"), OC_EFORMAT,
         "\"later\", is no earlier node"},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"relu\",\"inputs\":[3]}"), OC_EFORMAT, "not a name"},
        {GRAPH(INPUT ",{\"name\":\"c\",\"op\":\"add\",\"inputs\":[\"in\"]}"), OC_EFORMAT, "c"},
        {GRAPH(INPUT ",{\"name\":\"in\",\"op\":\"relu\",\"inputs\":[\"in\"]}"), OC_EFORMAT, "in"},
        {GRAPH(INPUT ",{\"name\":\"b\",\"op\":\"input\",\"inputs\":[],\"channels\":3}"), OC_EFORMAT,
         "b"},
        {GRAPH("{\"op\":\"input\",\"inputs\":[]}"), OC_EFORMAT, "name"},
        {GRAPH("{\"name\":\"in\",\"inputs\":[]}"), OC_EFORMAT, "op"},
        {GRAPH("{\"name\":\"in\",\"op\":\"input\"}"), OC_EFORMAT, "inputs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oc_error err = {0};
        oc_status status = read_text(cases[i].text, &err);
        check_fails(status, err, cases[i].status, cases[i].part);
    }
}

static void more_inputs_than_allowed_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_buf text = {0};
    oc_buf_puts(&text, "{\"format\":\"ocellus-graph\",\"version\":1,\"nodes\":[" INPUT
                       ",{\"name\":\"c\",\"op\":\"concat\",\"inputs\":[\"in\"");
    for (int i = 0; i < OC_MAX_INPUTS; i++) oc_buf_puts(&text, ",\"in\"");
    oc_buf_puts(&text, "]}]}");
    check_fails(read_text(text.data, &err), err, OC_EFORMAT, "17 inputs, at most 16");
    oc_buf_clear(&text);
}

static void too_many_nodes_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_buf text = {0};
    oc_buf_puts(&text, "{\"format\":\"ocellus-graph\",\"version\":1,\"nodes\":[0");
    for (int i = 0; i < 10000; i++) oc_buf_puts(&text, ",0");
    oc_buf_puts(&text, "]}");
    check_fails(read_text(text.data, &err), err, OC_ELIMIT, "10001 nodes");
    oc_buf_clear(&text);
}

static void reading_survives_any_allocation_failing(void **state) {
    (void)state;
    oc_graph *graph = tiny_graph(3);
    json_t *o = NULL;
    assert_int_equal(oc_graph_to_json(graph, &o, NULL), OC_OK);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_graph *again = NULL;
        assert_true(n < 1000);
        oc_mem_fail_at(n);
        status = oc_graph_from_json(o, "graph.json", &again, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && again == NULL));
        oc_graph_free(again);
    }
    json_decref(o);
    oc_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_of_the_zoo_survives_a_round_trip),
        cmocka_unit_test(fields_at_their_default_are_left_out),
        cmocka_unit_test(what_is_not_known_is_refused_by_name),
        cmocka_unit_test(more_inputs_than_allowed_are_refused),
        cmocka_unit_test(too_many_nodes_are_refused),
        cmocka_unit_test(reading_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
