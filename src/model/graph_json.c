/* graph.json: the network, node by node, through the table of fields that each op declares.
 *
 *   {"format": "ocellus-graph", "version": 1, "nodes": [
 *     {"name": "input", "op": "input", "inputs": [], "channels": 3, "height": 224, "width": 224},
 *     {"name": "features.0.0", "op": "conv", "inputs": ["input"], "out": 32, ...}, ...]}
 *
 * Fields at their default are left out. What is not known - format, version, op, field, input - is
 * an error, since a network read by half computes something else.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "model/model_int.h"

#define FORMAT "ocellus-graph"

enum { VERSION = 1, MAX_NODES = 10000, WHERE_BYTES = 320, MAX_WORDS = 40 };

/* ---- writing ---- */

static double field_value(const oc_attrs *attrs, const oc_field *field) {
    const char *at = (const char *)attrs + field->offset;
    float real = 0;
    int32_t whole = 0;
    if (field->is_float) {
        memcpy(&real, at, sizeof real);
        return (double)real;
    }
    memcpy(&whole, at, sizeof whole);
    return whole;
}

static double field_fallback(const oc_field *field) {
    return field->is_float ? (double)(float)field->fallback : field->fallback;
}

static oc_status put_fields(json_t *o, const oc_node *node, oc_error *err) {
    size_t count = 0;
    const oc_field *fields = oc_op_fields(node->op, &count);
    for (size_t i = 0; i < count; i++) {
        double value = field_value(&node->attrs, &fields[i]);
        if (value == field_fallback(&fields[i])) continue;
        json_t *json = fields[i].is_float ? json_real(value) : json_integer((json_int_t)value);
        OC_TRY(oci_json_put(o, fields[i].name, json, err));
    }
    return OC_OK;
}

static oc_status put_node(json_t *nodes, const oc_graph *graph, const oc_node *node,
                          oc_error *err) {
    json_t *o = json_object();
    OC_TRY(oci_json_push(nodes, o, err));
    OC_TRY(oci_json_put(o, "name", json_string(node->name), err));
    OC_TRY(oci_json_put(o, "op", json_string(oc_op_name(node->op)), err));
    json_t *inputs = json_array();
    OC_TRY(oci_json_put(o, "inputs", inputs, err));
    for (int i = 0; i < node->input_count; i++) {
        const char *name = oc_graph_node(graph, node->inputs[i])->name;
        OC_TRY(oci_json_push(inputs, json_string(name), err));
    }
    return put_fields(o, node, err);
}

static oc_status put_graph(json_t *o, const oc_graph *graph, oc_error *err) {
    OC_TRY(oci_json_put(o, "format", json_string(FORMAT), err));
    OC_TRY(oci_json_put(o, "version", json_integer(VERSION), err));
    json_t *nodes = json_array();
    OC_TRY(oci_json_put(o, "nodes", nodes, err));
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        OC_TRY(put_node(nodes, graph, oc_graph_node(graph, i), err));
    }
    return OC_OK;
}

oc_status oc_graph_to_json(const oc_graph *graph, json_t **out, oc_error *err) {
    json_t *o = json_object();
    *out = NULL;
    if (o == NULL) return oc_fail_nomem(err, 0, "graph.json");
    oc_status status = put_graph(o, graph, err);
    if (status == OC_OK) {
        *out = o;
    } else {
        json_decref(o);
    }
    return status;
}

/* ---- reading ---- */

/* What a node is read with. */
typedef struct reader {
    oc_graph *graph;
    json_t *index; /* name -> number, so that a name is found at once in any graph */
    const char *where;
} reader;

static const oc_field *find_field(const oc_field *fields, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, key) == 0) return &fields[i];
    }
    return NULL;
}

static oc_status unknown_op(const char *word, const char *where, oc_error *err) {
    const char *words[OC_OP_COUNT];
    for (int i = 0; i < OC_OP_COUNT; i++) words[i] = oc_op_name((oc_op)i);
    const char *near = oc_suggest(word, words, OC_OP_COUNT);
    return oc_fail(err, OC_EUNSUPPORTED, "%s: op \"%.64s\" is not known%s%s%s", where, word,
                   near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                   near != NULL ? "\"?" : "");
}

static oc_status unknown_field(const char *key, oc_op op, const char *where, oc_error *err) {
    size_t count = 0;
    const oc_field *fields = oc_op_fields(op, &count);
    const char *words[MAX_WORDS];
    if (count > MAX_WORDS) count = MAX_WORDS;
    for (size_t i = 0; i < count; i++) words[i] = fields[i].name;
    const char *near = oc_suggest(key, words, count);
    return oc_fail(err, OC_EFORMAT, "%s: op %s has no field \"%.64s\"%s%s%s", where, oc_op_name(op),
                   key, near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                   near != NULL ? "\"?" : "");
}

static oc_status read_field(const json_t *o, const oc_field *field, const char *where,
                            oc_attrs *attrs, oc_error *err) {
    char *at = (char *)attrs + field->offset;
    if (field->is_float) {
        double value = 0;
        OC_TRY(oc_json_get_real(o, field->name, where, field->min, field->max, &value, err));
        float real = (float)value;
        memcpy(at, &real, sizeof real);
    } else {
        int64_t value = 0;
        OC_TRY(oc_json_get_int(o, field->name, where, (int64_t)field->min, (int64_t)field->max,
                               &value, err));
        int32_t whole = (int32_t)value;
        memcpy(at, &whole, sizeof whole);
    }
    return OC_OK;
}

static bool is_frame(const char *key) {
    return strcmp(key, "name") == 0 || strcmp(key, "op") == 0 || strcmp(key, "inputs") == 0;
}

static oc_status read_fields(const json_t *o, oc_op op, const char *where, oc_attrs *attrs,
                             oc_error *err) {
    const char *key;
    json_t *value;
    size_t count = 0;
    const oc_field *fields = oc_op_fields(op, &count);
    *attrs = oc_attrs_default(op);
    json_object_foreach((json_t *)o, key, value) {
        if (is_frame(key)) continue;
        const oc_field *field = find_field(fields, count, key);
        if (field == NULL) return unknown_field(key, op, where, err);
        OC_TRY(read_field(o, field, where, attrs, err));
    }
    return OC_OK;
}

static oc_status read_inputs(const reader *r, const json_t *o, const char *where,
                             int inputs[OC_MAX_INPUTS], int *count, oc_error *err) {
    json_t *array = NULL;
    OC_TRY(oc_json_get_array(o, "inputs", where, &array, err));
    size_t n = json_array_size(array);
    if (n > OC_MAX_INPUTS) {
        return oc_fail(err, OC_EFORMAT, "%s: %zu inputs, at most %d", where, n, OC_MAX_INPUTS);
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        const json_t *number = name == NULL ? NULL : json_object_get(r->index, name);
        if (number == NULL) {
            return oc_fail(err, OC_EFORMAT, "%s: input %zu, \"%.100s\", is no earlier node", where,
                           i, name == NULL ? "not a name" : name);
        }
        inputs[i] = (int)json_integer_value(number);
    }
    *count = (int)n;
    return OC_OK;
}

static oc_status read_node(reader *r, const json_t *o, size_t i, oc_error *err) {
    char where[WHERE_BYTES];
    const char *name = NULL, *word = NULL;
    oc_op op = OC_OP_INPUT;
    oc_attrs attrs;
    int inputs[OC_MAX_INPUTS], input_count = 0, number = 0;
    (void)snprintf(where, sizeof where, "%.180s: node %zu", r->where, i);
    OC_TRY(oc_json_get_string(o, "name", where, &name, err));
    (void)snprintf(where, sizeof where, "%.180s: node %.100s", r->where, name);
    OC_TRY(oc_json_get_string(o, "op", where, &word, err));
    if (!oc_op_parse(word, &op)) return unknown_op(word, where, err);
    OC_TRY(read_inputs(r, o, where, inputs, &input_count, err));
    OC_TRY(read_fields(o, op, where, &attrs, err));
    oc_status status = oc_graph_add(r->graph, op, name, inputs, input_count, &attrs, &number, err);
    if (status != OC_OK) return oc_error_context(err, status, "%.180s", r->where);
    return oci_json_put(r->index, name, json_integer(number), err);
}

static oc_status check_frame(const json_t *o, const char *where, json_t **nodes, oc_error *err) {
    const char *key, *format = NULL;
    json_t *value;
    int64_t version = 0;
    OC_TRY(oc_json_get_string(o, "format", where, &format, err));
    if (strcmp(format, FORMAT) != 0) {
        return oc_fail(err, OC_EFORMAT, "%s: format \"%.64s\", expected \"%s\"", where, format,
                       FORMAT);
    }
    OC_TRY(oc_json_get_int(o, "version", where, INT64_MIN, INT64_MAX, &version, err));
    if (version != VERSION) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: version %" PRId64 ", this program reads version %d: use a matching "
                       "ocellus",
                       where, version, VERSION);
    }
    json_object_foreach((json_t *)o, key, value) {
        if (strcmp(key, "format") == 0 || strcmp(key, "version") == 0) continue;
        if (strcmp(key, "nodes") == 0) continue;
        return oc_fail(err, OC_EFORMAT, "%s: \"%.64s\" is not known here", where, key);
    }
    OC_TRY(oc_json_get_array(o, "nodes", where, nodes, err));
    size_t count = json_array_size(*nodes);
    if (count >= 1 && count <= MAX_NODES) return OC_OK;
    return oc_fail(err, OC_ELIMIT, "%s: %zu nodes, allowed 1 to %d", where, count, MAX_NODES);
}

static oc_status read_nodes(reader *r, const json_t *nodes, oc_error *err) {
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        OC_TRY(read_node(r, json_array_get(nodes, i), i, err));
    }
    if (oc_graph_node(r->graph, 0)->op == OC_OP_INPUT) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: the first node is no \"input\"", r->where);
}

oc_status oc_graph_from_json(const json_t *o, const char *where, oc_graph **out, oc_error *err) {
    reader r = {.where = where};
    json_t *nodes = NULL;
    oc_status status = OC_OK;
    *out = NULL;
    OC_TRY(check_frame(o, where, &nodes, err));
    OC_GOTO(oc_graph_new(&r.graph, err));
    r.index = json_object();
    if (r.index == NULL) {
        status = oc_fail_nomem(err, 0, "the names of a graph");
        goto done;
    }
    OC_GOTO(read_nodes(&r, nodes, err));
    *out = r.graph;
    r.graph = NULL;
done:
    json_decref(r.index);
    oc_graph_free(r.graph);
    return status;
}
