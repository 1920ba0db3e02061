/* Reading the messages of an ONNX file. Each list is counted before it is read, so that memory
 * follows from what the file holds, not from what it says.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/onnx/read_int.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_ENTRIES = 1 << 20 };

typedef oc_status visit(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f, void *ctx,
                        oc_error *err);

/* Every field of a message. */
static oc_status each(oci_onnx_doc *doc, oci_wire w, visit *visit_field, void *ctx, oc_error *err) {
    oci_wire_field f;
    bool more = true;
    for (;;) {
        OC_TRY(oci_wire_next(&w, &f, &more, err));
        if (!more) return OC_OK;
        OC_TRY(visit_field(doc, &w, &f, ctx, err));
    }
}

/* Zeroed room for the entries of a repeated field. */
static oc_status make_room(oci_onnx_doc *doc, const oci_wire *w, uint32_t number, size_t size,
                           void *array_pp, oc_error *err) {
    size_t count = 0, bytes = 0;
    OC_TRY(oci_onnx_count(*w, number, &count, err));
    if (count > MAX_ENTRIES)
        return oc_fail(err, OC_ELIMIT, "%s: a list of %zu entries, at most %d are read", doc->where,
                       count, (int)MAX_ENTRIES);
    void *array = oc_mul_size(count, size, &bytes) ? oc_pool_alloc(doc->pool, bytes) : NULL;
    if (array == NULL) return oc_fail_nomem(err, bytes, doc->where);
    memcpy(array_pp, &array, sizeof array);
    return OC_OK;
}

static oc_status get_text(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                          const char *what, const char **out, oc_error *err) {
    return oci_wire_text(w, f, what, doc->pool, out, err);
}

/* ---- attributes ---------------------------------------------------------------------------- */

static oc_status read_attr_tensor(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  oci_onnx_attr *attr, oc_error *err) {
    oci_wire inner;
    oci_onnx_tensor *tensor = oc_pool_alloc(doc->pool, sizeof *tensor);
    if (tensor == NULL) return oc_fail_nomem(err, sizeof *tensor, doc->where);
    OC_TRY(oci_wire_enter(w, f, "a tensor", &inner, err));
    OC_TRY(oci_onnx_read_tensor(doc, &inner, tensor, err));
    attr->tensor = tensor;
    return OC_OK;
}

static oc_status read_attr_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                 void *ctx, oc_error *err) {
    oci_onnx_attr *attr = ctx;
    switch (f->number) {
    case OCI_ATTR_NAME:
        return get_text(doc, w, f, "an attribute's name", &attr->name, err);
    case OCI_ATTR_F:
        OC_TRY(oci_wire_expect(w, f, OCI_WIRE_FIXED32, "an attribute", err));
        attr->f = oci_wire_float(f);
        return OC_OK;
    case OCI_ATTR_I:
        OC_TRY(oci_wire_expect(w, f, OCI_WIRE_VARINT, "an attribute", err));
        attr->i = (int64_t)f->value;
        return OC_OK;
    case OCI_ATTR_S:
        return get_text(doc, w, f, "an attribute", &attr->text, err);
    case OCI_ATTR_T:
        return read_attr_tensor(doc, w, f, attr, err);
    default:
        return OC_OK;
    }
}

static oc_status read_attr(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                           oci_onnx_attr *attr, oc_error *err) {
    oci_wire inner;
    *attr = (oci_onnx_attr){.name = "", .text = ""};
    OC_TRY(oci_wire_enter(w, f, "an attribute", &inner, err));
    OC_TRY(each(doc, inner, read_attr_field, attr, err));
    return oci_onnx_ints(doc, inner, OCI_ATTR_INTS, &attr->ints, &attr->int_count, err);
}

/* ---- nodes --------------------------------------------------------------------------------- */

static oc_status read_node_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                 void *ctx, oc_error *err) {
    oci_onnx_node *node = ctx;
    switch (f->number) {
    case OCI_NODE_INPUT:
        return get_text(doc, w, f, "a node's input", &node->inputs[node->input_count++], err);
    case OCI_NODE_OUTPUT:
        return get_text(doc, w, f, "a node's output", &node->outputs[node->output_count++], err);
    case OCI_NODE_NAME:
        return get_text(doc, w, f, "a node's name", &node->name, err);
    case OCI_NODE_OP:
        return get_text(doc, w, f, "a node's op", &node->op, err);
    case OCI_NODE_DOMAIN:
        return get_text(doc, w, f, "a node's domain", &node->domain, err);
    case OCI_NODE_ATTRIBUTE:
        return read_attr(doc, w, f, &node->attrs[node->attr_count++], err);
    default:
        return OC_OK;
    }
}

static oc_status read_node(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                           oc_error *err) {
    oci_wire inner;
    oci_onnx_node *node = &doc->nodes[doc->node_count++];
    *node = (oci_onnx_node){.op = "", .name = "", .domain = ""};
    OC_TRY(oci_wire_enter(w, f, "a node", &inner, err));
    OC_TRY(make_room(doc, &inner, OCI_NODE_INPUT, sizeof *node->inputs, &node->inputs, err));
    OC_TRY(make_room(doc, &inner, OCI_NODE_OUTPUT, sizeof *node->outputs, &node->outputs, err));
    OC_TRY(make_room(doc, &inner, OCI_NODE_ATTRIBUTE, sizeof *node->attrs, &node->attrs, err));
    return each(doc, inner, read_node_field, node, err);
}

/* ---- inputs and outputs -------------------------------------------------------------------- */

static oc_status read_dim_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                void *ctx, oc_error *err) {
    int64_t *dim = ctx;
    (void)doc;
    if (f->number != OCI_DIM_VALUE) return OC_OK;
    OC_TRY(oci_wire_expect(w, f, OCI_WIRE_VARINT, "a dimension", err));
    if ((int64_t)f->value > 0) *dim = (int64_t)f->value;
    return OC_OK;
}

static oc_status read_shape_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  void *ctx, oc_error *err) {
    oc_shape *shape = ctx;
    oci_wire inner;
    if (f->number != OCI_SHAPE_DIM) return OC_OK;
    if (shape->rank == OC_MAX_RANK)
        return oc_fail(err, OC_EFORMAT, "%s: an input of more than %d dimensions", w->where,
                       OC_MAX_RANK);
    OC_TRY(oci_wire_enter(w, f, "a dimension", &inner, err));
    shape->dim[shape->rank] = -1;
    shape->rank++;
    return each(doc, inner, read_dim_field, &shape->dim[shape->rank - 1], err);
}

static oc_status read_type_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                 void *ctx, oc_error *err) {
    oci_onnx_value *value = ctx;
    oci_wire inner;
    if (f->number == OCI_TENSOR_TYPE_ELEM) {
        OC_TRY(oci_wire_expect(w, f, OCI_WIRE_VARINT, "a type", err));
        value->type = f->value <= INT32_MAX ? (int)f->value : 0;
        return OC_OK;
    }
    if (f->number != OCI_TENSOR_TYPE_SHAPE) return OC_OK;
    OC_TRY(oci_wire_enter(w, f, "a shape", &inner, err));
    value->known = true;
    value->shape.rank = 0;
    return each(doc, inner, read_shape_field, &value->shape, err);
}

static oc_status read_type(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f, void *ctx,
                           oc_error *err) {
    oci_wire inner;
    if (f->number != OCI_TYPE_TENSOR) return OC_OK;
    OC_TRY(oci_wire_enter(w, f, "a type", &inner, err));
    return each(doc, inner, read_type_field, ctx, err);
}

static oc_status read_value_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  void *ctx, oc_error *err) {
    oci_onnx_value *value = ctx;
    oci_wire inner;
    if (f->number == OCI_VALUE_NAME) return get_text(doc, w, f, "a name", &value->name, err);
    if (f->number != OCI_VALUE_TYPE) return OC_OK;
    OC_TRY(oci_wire_enter(w, f, "a type", &inner, err));
    return each(doc, inner, read_type, value, err);
}

static oc_status read_value(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                            oci_onnx_value *value, oc_error *err) {
    oci_wire inner;
    *value = (oci_onnx_value){.name = ""};
    OC_TRY(oci_wire_enter(w, f, "an input or output", &inner, err));
    return each(doc, inner, read_value_field, value, err);
}

/* ---- the graph and the model --------------------------------------------------------------- */

static oc_status read_initializer(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  oc_error *err) {
    oci_wire inner;
    OC_TRY(oci_wire_enter(w, f, "an initializer", &inner, err));
    return oci_onnx_read_tensor(doc, &inner, &doc->initializers[doc->initializer_count++], err);
}

static oc_status read_graph_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  void *ctx, oc_error *err) {
    (void)ctx;
    switch (f->number) {
    case OCI_GRAPH_NODE:
        return read_node(doc, w, f, err);
    case OCI_GRAPH_INITIALIZER:
        return read_initializer(doc, w, f, err);
    case OCI_GRAPH_INPUT:
        return read_value(doc, w, f, &doc->inputs[doc->input_count++], err);
    case OCI_GRAPH_OUTPUT:
        return read_value(doc, w, f, &doc->outputs[doc->output_count++], err);
    default:
        return OC_OK;
    }
}

static oc_status read_graph(oci_onnx_doc *doc, const oci_wire *w, oc_error *err) {
    OC_TRY(make_room(doc, w, OCI_GRAPH_NODE, sizeof *doc->nodes, &doc->nodes, err));
    OC_TRY(make_room(doc, w, OCI_GRAPH_INITIALIZER, sizeof *doc->initializers, &doc->initializers,
                     err));
    OC_TRY(make_room(doc, w, OCI_GRAPH_INPUT, sizeof *doc->inputs, &doc->inputs, err));
    OC_TRY(make_room(doc, w, OCI_GRAPH_OUTPUT, sizeof *doc->outputs, &doc->outputs, err));
    return each(doc, *w, read_graph_field, NULL, err);
}

typedef struct opset {
    const char *domain;
    int64_t version;
} opset;

static oc_status read_opset_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  void *ctx, oc_error *err) {
    opset *o = ctx;
    if (f->number == OCI_OPSET_DOMAIN) return get_text(doc, w, f, "a domain", &o->domain, err);
    if (f->number != OCI_OPSET_VERSION) return OC_OK;
    OC_TRY(oci_wire_expect(w, f, OCI_WIRE_VARINT, "an opset's version", err));
    o->version = (int64_t)f->value;
    return OC_OK;
}

static oc_status read_entry_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  void *ctx, oc_error *err) {
    oci_onnx_entry *entry = ctx;
    if (f->number == OCI_ENTRY_KEY) return get_text(doc, w, f, "a key", &entry->key, err);
    if (f->number == OCI_ENTRY_VALUE) return get_text(doc, w, f, "a value", &entry->value, err);
    return OC_OK;
}

typedef struct model_fields {
    oci_wire graph;
    bool found;
} model_fields;

static oc_status read_model_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                  void *ctx, oc_error *err) {
    model_fields *m = ctx;
    oci_wire inner;
    opset o = {.domain = ""};
    switch (f->number) {
    case OCI_MODEL_GRAPH:
        m->found = true;
        return oci_wire_enter(w, f, "the graph", &m->graph, err);
    case OCI_MODEL_OPSET:
        OC_TRY(oci_wire_enter(w, f, "an opset", &inner, err));
        OC_TRY(each(doc, inner, read_opset_field, &o, err));
        if (o.domain[0] == '\0' || strcmp(o.domain, "ai.onnx") == 0) doc->opset = o.version;
        return OC_OK;
    case OCI_MODEL_METADATA:
        OC_TRY(oci_wire_enter(w, f, "metadata", &inner, err));
        doc->entries[doc->entry_count] = (oci_onnx_entry){.key = "", .value = ""};
        return each(doc, inner, read_entry_field, &doc->entries[doc->entry_count++], err);
    default:
        return OC_OK;
    }
}

static oc_status read_model(oci_onnx_doc *doc, const oci_wire *w, oc_error *err) {
    model_fields m = {0};
    OC_TRY(make_room(doc, w, OCI_MODEL_METADATA, sizeof *doc->entries, &doc->entries, err));
    OC_TRY(each(doc, *w, read_model_field, &m, err));
    if (!m.found)
        return oc_fail(err, OC_EFORMAT, "%s: no graph in it: no ONNX file, or a truncated one",
                       doc->where);
    if (doc->opset < 1 || doc->opset > 1000)
        return oc_fail(err, OC_EFORMAT, "%s: opset %" PRId64 ": no ONNX file, or a damaged one",
                       doc->where, doc->opset);
    return read_graph(doc, &m.graph, err);
}

oc_status oci_onnx_read(oci_onnx_doc *out, const void *bytes, size_t size, const char *where,
                        oc_error *err) {
    *out = (oci_onnx_doc){.where = where};
    OC_TRY(oc_pool_new(&out->pool, err));
    const oci_wire w = oci_wire_open(bytes, size, where);
    oc_status status = read_model(out, &w, err);
    if (status != OC_OK) oci_onnx_doc_clear(out);
    return status;
}

void oci_onnx_doc_clear(oci_onnx_doc *doc) {
    for (size_t i = 0; i < doc->map_count; i++) oc_map_close(&doc->maps[i].map);
    oc_free(doc->maps);
    oc_pool_free(doc->pool);
    *doc = (oci_onnx_doc){0};
}
