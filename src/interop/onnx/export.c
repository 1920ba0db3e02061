/* `export onnx`: a model as a file that other runtimes read.
 *
 * The network is that of inference at the recipe's size, for a batch of any size. Each value has
 * the name of the node that makes it, each initializer that of its parameter.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/interop.h"
#include "interop/onnx/file_int.h"
#include "interop/onnx/lower_int.h"
#include "interop/onnx/meta_int.h"
#include "interop/wire_int.h"

static const char batch_word[] = "batch", logits_word[] = "logits",
                  chances_word[] = "probabilities";

typedef struct exporter {
    const oc_model *model;
    const oc_onnx_options *options;
    oc_graph *graph; /* without auxiliary losses */
    oc_shape *shapes;
    oci_emit emit;
    oci_lowering lowering;
    oc_buf ends, tail;
} exporter;

/* ---- what goes in and comes out ------------------------------------------------------------ */

/* Dimensions of (n, ...), the first of any size. */
static void put_shape(oc_buf *out, const int64_t *dims, int count) {
    oc_buf shape = {0}, dim = {0};
    oci_wire_put_text(&dim, OCI_DIM_PARAM, batch_word);
    oci_wire_put_message(&shape, OCI_SHAPE_DIM, &dim);
    for (int i = 0; i < count; i++) {
        oci_wire_put_varint(&dim, OCI_DIM_VALUE, (uint64_t)dims[i]);
        oci_wire_put_message(&shape, OCI_SHAPE_DIM, &dim);
    }
    oci_wire_put_message(out, OCI_TENSOR_TYPE_SHAPE, &shape);
    oc_buf_clear(&shape);
    oc_buf_clear(&dim);
}

static void put_value(oc_buf *out, uint32_t field, const char *name, int type, const int64_t *dims,
                      int count) {
    oc_buf value = {0}, outer = {0}, inner = {0};
    oci_wire_put_varint(&inner, OCI_TENSOR_TYPE_ELEM, (uint64_t)type);
    put_shape(&inner, dims, count);
    oci_wire_put_message(&outer, OCI_TYPE_TENSOR, &inner);
    oci_wire_put_text(&value, OCI_VALUE_NAME, name);
    oci_wire_put_message(&value, OCI_VALUE_TYPE, &outer);
    oci_wire_put_message(out, field, &value);
    oc_buf_clear(&value);
    oc_buf_clear(&outer);
    oc_buf_clear(&inner);
}

/* ---- pixels -------------------------------------------------------------------------------- */

static const char *part(exporter *x, const char *name, const char *word) {
    return oci_emit_name(&x->emit, name, word);
}

/* A term or factor a channel, in the recipe's order, as (c, 1, 1). */
static const char *per_channel(exporter *x, const char *name, const float *values, int channels) {
    const oc_shape shape = {.rank = 3, .dim = {channels, 1, 1}};
    float *kept = oci_emit_room(&x->emit, (size_t)channels);
    for (int c = 0; kept != NULL && c < channels; c++) kept[c] = values[c];
    return oci_emit_floats(&x->emit, name, &shape, kept);
}

/* Bytes (n, h, w, c) to what the network takes, in the arithmetic of our own pictures' way, so that
 * the same pixels give the same floats. */
static const char *normalise(exporter *x, const char *input) {
    static const int64_t planar[] = {0, 3, 1, 2}, turned[] = {2, 1, 0};
    const oc_recipe *r = &x->model->recipe;
    oci_emit *e = &x->emit;
    oc_norm_table table;
    oc_norm_table_fill(&table, r->channels, r->bgr, r->unit, r->mean, r->std);
    const char *planes = part(x, input, "planes");
    oci_emit_begin(e, "Transpose", planes);
    oci_emit_input(e, input);
    oci_emit_ints(e, "perm", planar, sizeof planar / sizeof *planar);
    (void)oci_emit_end(e, planes);
    const char *floats = part(x, input, "float");
    oci_emit_begin(e, "Cast", floats);
    oci_emit_input(e, planes);
    oci_emit_int(e, "to", OCI_ONNX_FLOAT);
    (void)oci_emit_end(e, floats);
    const char *value =
        oci_emit_simple(e, "Mul", part(x, input, "scaled"), floats,
                        per_channel(x, part(x, input, "scale"), table.scale, r->channels));
    value = oci_emit_simple(e, "Add", part(x, input, "normalised"), value,
                            per_channel(x, part(x, input, "offset"), table.offset, r->channels));
    if (!r->bgr || r->channels != 3) return value;
    const char *bgr = part(x, input, "bgr");
    const char *order = oci_emit_indices(e, part(x, input, "order"), turned, 3);
    oci_emit_begin(e, "Gather", bgr);
    oci_emit_input(e, value);
    oci_emit_input(e, order);
    oci_emit_int(e, "axis", 1);
    return oci_emit_end(e, bgr);
}

static void put_input(exporter *x) {
    const oc_node *input = oc_graph_node(x->graph, 0);
    const oc_recipe *r = &x->model->recipe;
    oci_lowered *value = &x->lowering.values[0];
    *value = (oci_lowered){.name = input->name, .rank = 4};
    if (x->options->preprocess) {
        const int64_t dims[] = {r->height, r->width, r->channels};
        put_value(&x->ends, OCI_GRAPH_INPUT, input->name, OCI_ONNX_UINT8, dims, 3);
        value->name = normalise(x, input->name);
    } else {
        const int64_t dims[] = {input->attrs.channels, r->height, r->width};
        put_value(&x->ends, OCI_GRAPH_INPUT, input->name, OCI_ONNX_FLOAT, dims, 3);
    }
}

/* ---- scores -------------------------------------------------------------------------------- */

/* The word, or another where a node of the network has it already. */
static const char *free_name(exporter *x, const char *word) {
    return oc_graph_find(x->graph, word) < 0 ? word : part(x, word, "output");
}

static void put_scores(exporter *x) {
    int last = oc_graph_node_count(x->graph) - 1;
    const oci_lowered *value = &x->lowering.values[last];
    const int64_t classes = x->shapes[last].dim[1];
    const char *logits = free_name(x, logits_word);
    if (value->rank == 2) {
        (void)oci_emit_simple(&x->emit, "Identity", logits, value->name, NULL);
    } else {
        oci_emit_begin(&x->emit, "Flatten", logits);
        oci_emit_input(&x->emit, value->name);
        oci_emit_int(&x->emit, "axis", 1);
        (void)oci_emit_end(&x->emit, logits);
    }
    put_value(&x->ends, OCI_GRAPH_OUTPUT, logits, OCI_ONNX_FLOAT, &classes, 1);
    if (!x->options->softmax) return;
    const char *chances = free_name(x, chances_word);
    const char *cooled = oci_lower_times(&x->lowering, part(x, chances, "cooled"), logits,
                                         (float)(1 / x->model->temperature));
    oci_emit_begin(&x->emit, "Softmax", chances);
    oci_emit_input(&x->emit, cooled);
    oci_emit_int(&x->emit, "axis", 1);
    (void)oci_emit_end(&x->emit, chances);
    put_value(&x->ends, OCI_GRAPH_OUTPUT, chances, OCI_ONNX_FLOAT, &classes, 1);
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Values and initializers share their names in ONNX. */
static oc_status check_names(const exporter *x, oc_error *err) {
    for (int i = 0; i < oc_graph_param_count(x->graph); i++) {
        const char *name = oc_graph_param(x->graph, i)->name;
        if (oc_graph_find(x->graph, name) < 0) continue;
        return oc_fail(err, OC_EUNSUPPORTED,
                       "a node and a parameter are both named '%s': ONNX allows a name once", name);
    }
    return OC_OK;
}

static oc_status check_output(const exporter *x, oc_error *err) {
    const oc_shape *last = &x->shapes[oc_graph_node_count(x->graph) - 1];
    char text[OC_SHAPE_TEXT];
    if (last->dim[2] == 1 && last->dim[3] == 1) return OC_OK;
    return oc_fail(err, OC_EMISMATCH, "the network's output is %s, not one row of logits",
                   oc_shape_text(text, last));
}

static oc_status prepare(exporter *x, oc_error *err) {
    const oc_recipe *r = &x->model->recipe;
    OC_TRY(oci_emit_init(&x->emit, err));
    OC_TRY(oc_graph_prune(x->model->graph, &x->graph, err));
    OC_TRY(check_names(x, err));
    size_t nodes = (size_t)oc_graph_node_count(x->graph);
    x->shapes = oc_calloc(nodes, sizeof *x->shapes);
    x->lowering.values = oc_calloc(nodes, sizeof *x->lowering.values);
    if (x->shapes == NULL || x->lowering.values == NULL)
        return oc_fail_nomem(err, nodes * sizeof *x->shapes, "an ONNX graph");
    OC_TRY(oc_graph_shapes(x->graph, 1, r->height, r->width, x->shapes, err));
    return check_output(x, err);
}

static oc_status build(exporter *x, oc_error *err) {
    x->lowering.graph = x->graph;
    x->lowering.weights = x->model->weights;
    x->lowering.shapes = x->shapes;
    x->lowering.emit = &x->emit;
    put_input(x);
    for (int i = 1; i < oc_graph_node_count(x->graph); i++) oci_lower_node(&x->lowering, i);
    put_scores(x);
    OC_TRY(oci_emit_status(&x->emit, err));
    OC_TRY(oc_buf_status(&x->ends, err));
    return oci_onnx_put_metadata(&x->tail, x->model, x->options->preprocess, err);
}

static void clear(exporter *x) {
    oci_emit_clear(&x->emit);
    oc_graph_free(x->graph);
    oc_free(x->shapes);
    oc_free(x->lowering.values);
    oc_buf_clear(&x->ends);
    oc_buf_clear(&x->tail);
}

oc_status oc_onnx_export(const oc_model *model, const char *path, const oc_onnx_options *options,
                         oc_error *err) {
    static const oc_onnx_options plain = {0};
    exporter x = {.model = model, .options = options != NULL ? options : &plain};
    oc_status status = OC_OK;
    OC_GOTO(prepare(&x, err));
    OC_GOTO(build(&x, err));
    const oci_onnx_file file = {.path = path,
                                .graph_name = model->arch != NULL ? model->arch : "network",
                                .ends = &x.ends,
                                .tail = &x.tail,
                                .external = x.options->external_data};
    status = oci_onnx_write(&file, &x.emit, err);
done:
    clear(&x);
    return status;
}
