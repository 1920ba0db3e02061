/* `import onnx`: walking a file's graph node by node.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/interop.h"
#include "interop/onnx/import_int.h"
#include "interop/weights/weights_file_int.h"

enum { USUAL_SIDE = 224, MAX_BATCH = 1 << 16, MAX_SIDE = 8192 };

/* ---- names of values
 * ----------------------------------------------------------------------------- */

static size_t count_names(const oci_onnx_doc *doc) {
    size_t count = doc->input_count + doc->initializer_count;
    for (size_t i = 0; i < doc->node_count; i++) count += doc->nodes[i].output_count;
    return count;
}

static oc_status make_table(oci_import *x, oc_error *err) {
    size_t count = count_names(&x->doc);
    for (x->slot_count = 64; x->slot_count < 2 * count; x->slot_count *= 2) {
    }
    if (x->slot_count > UINT32_MAX)
        return oc_fail(err, OC_ELIMIT, "%s: %zu values are more than are read", x->where, count);
    OC_TRY(oci_import_room(x, count, sizeof *x->values, &x->values, err));
    OC_TRY(oci_import_room(x, count, sizeof *x->names, &x->names, err));
    return oci_import_room(x, x->slot_count, sizeof *x->slots, &x->slots, err);
}

/* A new value; an initializer may be listed among the inputs, too. */
static oc_status declare(oci_import *x, const char *name, bool again, oc_error *err) {
    if (name[0] == '\0') return OC_OK;
    if (oci_value_of(x, name) != NULL)
        return again ? OC_OK
                     : oc_fail(err, OC_EFORMAT, "%s: two nodes give '%.200s'", x->where, name);
    size_t slot = oc_hash64(name, strlen(name), 0) & (x->slot_count - 1);
    while (x->slots[slot] != 0) slot = (slot + 1) & (x->slot_count - 1);
    x->names[x->value_count] = name;
    x->value_count++;
    x->slots[slot] = (uint32_t)x->value_count;
    return OC_OK;
}

static oc_status declare_all(oci_import *x, oc_error *err) {
    const oci_onnx_doc *doc = &x->doc;
    for (size_t i = 0; i < doc->initializer_count; i++)
        OC_TRY(declare(x, doc->initializers[i].name, false, err));
    for (size_t i = 0; i < doc->input_count; i++)
        OC_TRY(declare(x, doc->inputs[i].name, true, err));
    for (size_t i = 0; i < doc->node_count; i++)
        for (size_t k = 0; k < doc->nodes[i].output_count; k++)
            OC_TRY(declare(x, doc->nodes[i].outputs[k], false, err));
    return OC_OK;
}

static oc_status take_initializers(oci_import *x, oc_error *err) {
    for (size_t i = 0; i < x->doc.initializer_count; i++) {
        oci_onnx_tensor *t = &x->doc.initializers[i];
        oci_value *value = oci_value_of(x, t->name);
        if (value == NULL) continue;
        OC_TRY(oci_known_of(x, t, &value->known, err));
        value->kind = OCI_VALUE_KNOWN;
        value->made = true;
    }
    return OC_OK;
}

/* ---- the input
 * ------------------------------------------------------------------------------------ */

static oc_status find_input(const oci_import *x, const oci_onnx_value **out, oc_error *err) {
    *out = NULL;
    for (size_t i = 0; i < x->doc.input_count; i++) {
        const oci_onnx_value *input = &x->doc.inputs[i];
        const oci_value *value = oci_value_of(x, input->name);
        if (value == NULL || value->made) continue;
        if (*out != NULL)
            return oc_fail(err, OC_EUNSUPPORTED,
                           "%s: two inputs, '%.100s' and '%.100s': a classifier of pictures has "
                           "one",
                           x->where, (*out)->name, input->name);
        *out = input;
    }
    if (*out != NULL && (*out)->known && (*out)->shape.rank == 4) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED, "%s: no input of four dimensions (n, c, h, w)", x->where);
}

/* A side that the file fixes, or the one that is asked for. */
static oc_status side_of(const oci_import *x, int64_t dim, int64_t *out, oc_error *err) {
    *out = dim > 0 ? dim : x->size > 0 ? x->size : USUAL_SIDE;
    if (dim > 0 && x->size > 0 && dim != x->size)
        return oc_fail(err, OC_EMISMATCH, "%s: its input is fixed to %lld pixels, not %d", x->where,
                       (long long)dim, x->size);
    if (*out <= MAX_SIDE) return OC_OK;
    return oc_fail(err, OC_ELIMIT, "%s: an input of %lld pixels, at most %d", x->where,
                   (long long)*out, (int)MAX_SIDE);
}

static bool is_colour(int64_t channels) {
    return channels == 1 || channels == 3;
}

static oc_status take_input(oci_import *x, oc_error *err) {
    static const oci_axis planes[] = {OCI_N, OCI_C, OCI_H, OCI_W},
                          pixels[] = {OCI_N, OCI_H, OCI_W, OCI_C};
    const oci_onnx_value *input = NULL;
    OC_TRY(find_input(x, &input, err));
    const int64_t *dim = input->shape.dim;
    bool last = !is_colour(dim[1]) && is_colour(dim[3]);
    if (!last && !is_colour(dim[1]))
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: input '%.200s' has %lld channels, 1 or 3 are read", x->where,
                       input->name, (long long)dim[1]);
    oci_layer layer = {.op = OC_OP_INPUT, .name = input->name};
    layer.shape = oc_shape_4d(1, dim[last ? 3 : 1], 0, 0);
    OC_TRY(side_of(x, dim[last ? 1 : 2], &layer.shape.dim[2], err));
    OC_TRY(side_of(x, dim[last ? 2 : 3], &layer.shape.dim[3], err));
    OC_TRY(oc_grow(&x->layers, &x->layer_room, 1, sizeof layer, err));
    x->layers[0] = layer;
    x->layer_count = 1;
    x->input_type = input->type;
    x->batch = dim[0] > 0 && dim[0] <= MAX_BATCH ? dim[0] : 1;
    oci_value *value = oci_value_of(x, input->name);
    *value = (oci_value){.kind = OCI_VALUE_LAYER, .made = true, .rank = 4};
    memcpy(value->axis, last ? pixels : planes, sizeof planes);
    return OC_OK;
}

/* ---- nodes
 * ------------------------------------------------------------------------------------------ */

static oci_take *find_op(const char *name) {
    static const oci_onnx_op *const tables[] = {oci_ops_layer, oci_ops_pool,  oci_ops_point,
                                                oci_ops_join,  oci_ops_shape, oci_ops_pick};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const oci_onnx_op *op = tables[t]; op->name != NULL; op++)
            if (strcmp(op->name, name) == 0) return op->take;
    return NULL;
}

/* ONNX wants nodes behind what they read. */
static oc_status check_inputs(const oci_import *x, const oci_onnx_node *node, oc_error *err) {
    for (size_t k = 0; k < node->input_count; k++) {
        if (node->inputs[k][0] == '\0') continue;
        const oci_value *value = oci_value_of(x, node->inputs[k]);
        if (value != NULL && value->made) continue;
        return oc_fail(err, OC_EFORMAT, "%s: %.40s '%.100s' reads '%.100s', which %s", x->where,
                       node->op, node->name, node->inputs[k],
                       value == NULL ? "nothing gives"
                                     : "is given later: a cycle, or nodes out of order");
    }
    return OC_OK;
}

static bool reads_lacked(const oci_import *x, const oci_onnx_node *node) {
    for (size_t k = 0; k < node->input_count; k++) {
        const oci_value *value = oci_input_of(x, node, k);
        if (value != NULL && value->kind == OCI_VALUE_LACKED) return true;
    }
    return false;
}

static bool reads_layers(const oci_import *x, const oci_onnx_node *node) {
    for (size_t k = 0; k < node->input_count; k++) {
        const oci_value *value = oci_input_of(x, node, k);
        if (value != NULL && value->kind == OCI_VALUE_LAYER) return true;
    }
    return false;
}

/* Parted channels are on their way to be whole again: nothing else is done to them. */
static bool handles_parts(const oci_import *x, const oci_onnx_node *node) {
    for (size_t k = 0; k < node->input_count; k++) {
        const oci_value *value = oci_input_of(x, node, k);
        if (value == NULL || value->kind != OCI_VALUE_LAYER || value->groups == 0) continue;
        return strcmp(node->op, "Transpose") == 0 || strcmp(node->op, "Reshape") == 0 ||
               strcmp(node->op, "Identity") == 0;
    }
    return true;
}

static oc_status take_node(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    oci_take *take = find_op(node->op);
    bool done = false, ours = node->domain[0] == '\0' || strcmp(node->domain, "ai.onnx") == 0;
    OC_TRY(check_inputs(x, node, err));
    if (!ours) return oci_lack(x, node, "an op of %.40s", node->domain);
    if (take == NULL && !oci_folds(node->op)) return oci_lack(x, node, "no such op here");
    if (reads_lacked(x, node)) return OC_OK;
    if (!handles_parts(x, node)) return oci_lack(x, node, "of channels that are parted in groups");
    OC_TRY(oci_fold(x, node, &done, err));
    if (done) return OC_OK;
    if (take == NULL || oci_input_of(x, node, 0) == NULL || !reads_layers(x, node))
        return oci_lack(x, node, "of constants alone, in a way that is not computed here");
    return take(x, node, err);
}

static oc_status take_nodes(oci_import *x, oc_error *err) {
    for (size_t i = 0; i < x->doc.node_count; i++) {
        const oci_onnx_node *node = &x->doc.nodes[i];
        OC_TRY(take_node(x, node, err));
        for (size_t k = 0; k < node->output_count; k++) {
            oci_value *value = oci_value_of(x, node->outputs[k]);
            if (value != NULL) value->made = true;
        }
    }
    return oci_lacks(x, err);
}

/* ---- the output
 * ------------------------------------------------------------------------------------- */

/* The layer of scores: that of the first output, softmax taken off. */
static oc_status find_output(oci_import *x, int *last, oc_error *err) {
    const oci_value *value =
        x->doc.output_count > 0 ? oci_value_of(x, x->doc.outputs[0].name) : NULL;
    if (value == NULL || value->kind != OCI_VALUE_LAYER)
        return oc_fail(err, OC_EFORMAT, "%s: its output '%.200s' does not come from its input",
                       x->where, x->doc.output_count > 0 ? x->doc.outputs[0].name : "");
    *last = value->layer;
    while (x->layers[*last].op == OC_OP_SOFTMAX || x->layers[*last].op == OCI_OP_LOG_SOFTMAX)
        *last = x->layers[*last].inputs[0];
    return OC_OK;
}

static void mark_serving(oci_import *x, int last) {
    x->layers[last].serves = true;
    for (int i = last; i >= 0; i--)
        for (int k = 0; x->layers[i].serves && k < x->layers[i].input_count; k++)
            x->layers[x->layers[i].inputs[k]].serves = true;
}

/* A recipe that the file states must be one for its input. */
static oc_status check_recipe(const oci_import *x, const oc_model *model, oc_error *err) {
    const oc_shape *s = &x->layers[0].shape;
    const oc_recipe *r = &model->recipe;
    if (r->width == 0 ||
        (r->width == s->dim[3] && r->height == s->dim[2] && r->channels == s->dim[1]))
        return OC_OK;
    return oc_fail(err, OC_EFORMAT,
                   "%s: the recipe gives %dx%dx%d, the network takes %lldx%lldx%lld", x->where,
                   r->channels, r->height, r->width, (long long)s->dim[1], (long long)s->dim[2],
                   (long long)s->dim[3]);
}

/* Only our own export states a recipe. */
static bool is_ours(const oci_onnx_doc *doc) {
    for (size_t i = 0; i < doc->entry_count; i++)
        if (strcmp(doc->entries[i].key, OCI_META_RECIPE) == 0) return true;
    return false;
}

static void tell_int8(const oci_import *x) {
    if (x->int8_floated == 0) return;
    oc_info(x->log,
            "int8 weights of %zu layers come in as floats of the same values: `ocellus quantize` "
            "makes an int8 model of them",
            x->int8_floated);
}

static oc_status walk(oci_import *x, oc_model *model, oc_error *err) {
    int first = 0, last = 0;
    x->ours = is_ours(&x->doc);
    OC_TRY(make_table(x, err));
    OC_TRY(declare_all(x, err));
    OC_TRY(take_initializers(x, err));
    OC_TRY(take_input(x, err));
    OC_TRY(take_nodes(x, err));
    OC_TRY(find_output(x, &last, err));
    tell_int8(x);
    mark_serving(x, last);
    OC_TRY(oci_onnx_take_metadata(model, x->where, x->doc.entries, x->doc.entry_count, err));
    OC_TRY(check_recipe(x, model, err));
    OC_TRY(oci_take_front(x, model, &first, err));
    return oci_build_network(x, first, last, model, err);
}

oc_status oc_onnx_parse(oc_model *model, const void *bytes, size_t size, const char *where,
                        const char *folder, int side, const oc_log *log, oc_error *err) {
    oci_import x = {.where = where, .folder = folder, .size = side, .log = log};
    OC_TRY(oci_onnx_read(&x.doc, bytes, size, where, err));
    x.pool = x.doc.pool;
    oc_status status = walk(&x, model, err);
    oc_free(x.layers);
    oci_onnx_doc_clear(&x.doc);
    return status;
}

/* A file that other commands read is told from one that is broken. */
static oc_status say_kind(const oc_map *map, const char *path, oc_status status, oc_error *err) {
    const char *kind = oci_weights_kind(map->data, map->size);
    if (status != OC_EFORMAT || kind == NULL) return status;
    return oc_fail(err, OC_EFORMAT,
                   "%s: weights alone, a file of kind %s: `ocellus import weights` reads them",
                   path, kind);
}

oc_status oc_onnx_import(oc_model *model, const char *path, int side, const oc_log *log,
                         oc_error *err) {
    char folder[OC_PATH_BYTES];
    oc_map map = {0};
    size_t size = (size_t)(oc_path_base(path) - path);
    OC_TRY(oc_map_open(&map, path, err));
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(size > 0 ? size : 1),
                   size > 0 ? path : ".");
    oc_status status = oc_onnx_parse(model, map.data, map.size, path, folder, side, log, err);
    status = say_kind(&map, path, status, err);
    oc_map_close(&map);
    return status;
}
