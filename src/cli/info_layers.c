/* Layers of a graph with output shapes, parameters and multiply-adds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "info_int.h"

enum { CELL_BYTES = 40, LEAST_NAME = 12 };

/* What stands in a row beside the name. */
enum { KIND, OUTPUT, PARAMETERS, MACS, CELLS };
typedef struct row {
    const char *name;
    char cell[CELLS][CELL_BYTES];
} row;

static const row HEAD = {"layer", {"kind", "output", "parameters", "mult-adds"}};

/* Trained parameters of a node, or all its values, statistics too. */
static uint64_t values_of(const oc_graph *graph, const oc_node *node, bool trained_only) {
    uint64_t sum = 0;
    for (int k = 0; k < node->param_count; k++) {
        const oc_param *param = oc_graph_param(graph, node->first_param + k);
        size_t count = 0;
        if (trained_only && !oc_param_trained(param->kind)) continue;
        if (oc_shape_count(&param->shape, &count)) sum += count;
    }
    return sum;
}

oc_status oci_layers_make(oci_layers *out, const oc_graph *graph, int height, int width,
                          oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_status status = OC_OK;
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    bool *serves = oc_calloc(count, sizeof *serves);
    *out = (oci_layers){.count = count, .height = height, .width = width};
    out->items = oc_calloc(count, sizeof *out->items);
    if (!shapes || !serves || !out->items)
        OC_GOTO(oc_fail_nomem(err, count * sizeof *shapes, "the layers"));
    OC_GOTO(oc_graph_shapes(graph, 1, height, width, shapes, err));
    (void)oc_graph_serves(graph, serves);
    for (size_t i = 0; i < count; i++) {
        const oc_node *node = oc_graph_node(graph, (int)i);
        if (serves[i]) out->file_bytes += sizeof(float) * values_of(graph, node, false);
        out->items[i] = (oci_layer){node, shapes[i], values_of(graph, node, true),
                                    oc_graph_macs(graph, (int)i, shapes)};
        out->parameters += out->items[i].parameters;
        out->macs += out->items[i].macs;
    }
done:
    oc_free(shapes);
    oc_free(serves);
    if (status != OC_OK) oci_layers_clear(out);
    return status;
}

void oci_layers_clear(oci_layers *layers) {
    oc_free(layers->items);
    layers->items = NULL;
    layers->count = 0;
}

char *oci_format_count(char storage[32], uint64_t count) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) storage[at++] = ',';
        storage[at++] = digits[i];
    }
    storage[at] = '\0';
    return storage;
}

static bool counts(const oci_layer *layer) {
    switch (layer->node->op) {
    case OC_OP_INPUT:
    case OC_OP_CONV:
    case OC_OP_DENSE:
    case OC_OP_MAX_POOL:
    case OC_OP_AVG_POOL:
    case OC_OP_GLOBAL_POOL:
    case OC_OP_ADAPTIVE_POOL:
    case OC_OP_CONCAT:
    case OC_OP_AUX_LOSS:
        return true;
    default:
        return false;
    }
}

/* "conv 3x3/2 depthwise": what the shape of the output does not tell. */
static void put_kind(const oc_node *node, char out[CELL_BYTES]) {
    const oc_attrs *a = &node->attrs;
    size_t n = (size_t)snprintf(out, CELL_BYTES, "%s", oc_op_name(node->op));
    if (node->op != OC_OP_CONV && node->op != OC_OP_MAX_POOL && node->op != OC_OP_AVG_POOL) return;
    n += (size_t)snprintf(out + n, CELL_BYTES - n, " %dx%d", a->kernel_h, a->kernel_w);
    if (a->stride_h > 1) n += (size_t)snprintf(out + n, CELL_BYTES - n, "/%d", a->stride_h);
    if (node->op == OC_OP_CONV && a->groups > 1)
        snprintf(out + n, CELL_BYTES - n, "%s", a->groups == a->out ? " depthwise" : " grouped");
}

/* "512" or "64x56x56" */
static void put_shape(const oc_shape *shape, char out[CELL_BYTES]) {
    const int64_t *d = shape->dim;
    int n = snprintf(out, CELL_BYTES, "%" PRId64, d[1]);
    if (d[2] == 1 && d[3] == 1) return;
    snprintf(out + n, CELL_BYTES - (size_t)n, "x%" PRId64 "x%" PRId64, d[2], d[3]);
}

static void fill_row(const oci_layer *layer, row *out) {
    *out = (row){.name = layer->node->name};
    put_kind(layer->node, out->cell[KIND]);
    put_shape(&layer->shape, out->cell[OUTPUT]);
    if (layer->parameters) oci_format_count(out->cell[PARAMETERS], layer->parameters);
    if (layer->macs) snprintf(out->cell[MACS], CELL_BYTES, "%.1f M", (double)layer->macs / 1e6);
}

/* Columns of each cell, and of the names after them. */
typedef struct columns {
    int name, cell[CELLS];
} columns;

static void widen(columns *c, const row *r) {
    if (oci_columns(r->name) > c->name) c->name = oci_columns(r->name);
    for (int k = 0; k < CELLS; k++) {
        int n = (int)strlen(r->cell[k]);
        if (n > c->cell[k]) c->cell[k] = n;
    }
}

static void put_row(const row *r, const columns *c, oc_buf *out) {
    oci_put_padded(out, r->name, c->name, false);
    oc_buf_printf(out, "  %-*s  %-*s  %*s  %*s\n", c->cell[KIND], r->cell[KIND], c->cell[OUTPUT],
                  r->cell[OUTPUT], c->cell[PARAMETERS], r->cell[PARAMETERS], c->cell[MACS],
                  r->cell[MACS]);
}

/* Names give way where a line would be longer than the terminal is wide. */
static void fit_names(columns *c, int width) {
    int others = 0;
    for (int k = 0; k < CELLS; k++) others += 2 + c->cell[k];
    if (c->name + others >= width) c->name = width - others - 1;
    if (c->name < LEAST_NAME) c->name = LEAST_NAME;
}

oc_status oci_layers_text(const oci_layers *layers, bool all, int width, oc_buf *out,
                          oc_error *err) {
    size_t used = 0;
    columns c = {0};
    row *rows = oc_calloc(layers->count, sizeof *rows);
    if (!rows) return oc_fail_nomem(err, layers->count * sizeof *rows, "the table of layers");
    widen(&c, &HEAD);
    for (size_t i = 0; i < layers->count; i++) {
        if (!all && !counts(&layers->items[i])) continue;
        fill_row(&layers->items[i], &rows[used]);
        widen(&c, &rows[used++]);
    }
    fit_names(&c, width);
    put_row(&HEAD, &c, out);
    for (size_t i = 0; i < used; i++) put_row(&rows[i], &c, out);
    oc_free(rows);
    return OC_OK;
}

json_t *oci_layers_json(const oci_layers *layers) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < layers->count; i++) {
        const oci_layer *l = &layers->items[i];
        const int64_t *d = l->shape.dim;
        bad |= json_array_append_new(
            array, json_pack("{s:s,s:s,s:[I,I,I],s:I,s:I}", "name", l->node->name, "op",
                             oc_op_name(l->node->op), "output", (json_int_t)d[1], (json_int_t)d[2],
                             (json_int_t)d[3], "parameters", (json_int_t)l->parameters,
                             "multiply_adds", (json_int_t)l->macs));
    }
    if (!bad) return array;
    json_decref(array);
    return NULL;
}
