/* Weights of a .caffemodel into those of a graph, layer by layer by name.
 *
 * The file is mapped. Large weights that lie there as they are needed can be lent: looked through,
 * not copied. Others are copied once, to where they stay; pages that have been read leave memory
 * behind the copy, so that at no time much more than the weights themselves is held. Old files give
 * a dense layer's weights as 1 x 1 x out x in, so shapes are compared without their ones. Caffe's
 * batch norms keep sums of statistics and, as a third blob, the number that they are to be divided
 * by.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"

#include <float.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LISTED = 10, LENT_VALUES = 1 << 16, LOOK_VALUES = 1 << 20, PART_VALUES = 1 << 12 };

oc_status oci_caffe_weights_open(oci_caffe_weights *out, const char *path, oc_error *err) {
    *out = (oci_caffe_weights){0};
    OC_TRY(oc_map_open(&out->map, path, err));
    oc_map_read_ahead(&out->map);
    OC_TRY(oc_pool_new(&out->pool, err));
    return oci_proto_parse_bytes(&oci_caffe_net, out->map.data, out->map.size, path, out->pool,
                                 &out->tree, err);
}

void oci_caffe_weights_close(oci_caffe_weights *weights) {
    oc_pool_free(weights->pool);
    oc_map_close(&weights->map);
    *weights = (oci_caffe_weights){0};
}

/* ---- layers by name ------------------------------------------------------------------------ */

typedef struct entry {
    const char *name;
    const oci_proto *m;
    bool used;
} entry;

typedef struct taking {
    const oci_caffe_network *net;
    const oc_map *map;
    entry *entries; /* layers with blobs, by name */
    size_t entry_count;
    oc_shape *shapes; /* of the graph's nodes */
    oc_tensors *dst;
    oc_buf wrong; /* what does not fit */
    size_t wrong_count;
    oci_caffe_left left;
    unsigned how; /* OCI_CAFFE_PARTIAL, OCI_CAFFE_LEND */
    const char *where;
} taking;

static int by_name(const void *a, const void *b) {
    const entry *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    return order != 0 ? order : (p->m > q->m) - (p->m < q->m);
}

static oc_status list_entries(taking *t, const oci_proto *tree, oc_error *err) {
    const char *form = oci_proto_has(tree, "layers") ? "layers" : "layer";
    const oci_proto_value *v = NULL;
    size_t count = oci_proto_count(tree, form);
    t->entries = oc_calloc(count, sizeof *t->entries);
    if (t->entries == NULL) return oc_fail_nomem(err, count * sizeof *t->entries, "a list");
    while ((v = oci_proto_next(tree, form, v)) != NULL) {
        if (!oci_proto_has(v->as.message, "blobs")) continue;
        const char *name = oci_proto_text(v->as.message, "name");
        t->entries[t->entry_count++] = (entry){.name = name, .m = v->as.message};
    }
    qsort(t->entries, t->entry_count, sizeof *t->entries, by_name);
    if (t->entry_count > 0) return OC_OK;
    return oc_fail(err, OC_EFORMAT,
                   "%s: no layers with weights in it; is it a .caffemodel? One in the form of 2013 "
                   "is made readable by Caffe's `upgrade_net_proto_binary OLD NEW`",
                   t->where);
}

static entry *find_entry(taking *t, const char *name) {
    size_t low = 0, high = t->entry_count;
    while (low < high) { /* the first that is not before */
        size_t middle = low + (high - low) / 2;
        if (strcmp(t->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < t->entry_count && strcmp(t->entries[low].name, name) == 0;
    return found ? &t->entries[low] : NULL;
}

static const oci_proto *blob_of(const entry *e, int i) {
    const oci_proto_value *v = oci_proto_next(e->m, "blobs", NULL);
    for (; v != NULL && i > 0; i--) v = oci_proto_next(e->m, "blobs", v);
    return v != NULL ? v->as.message : NULL;
}

/* ---- what does not fit --------------------------------------------------------------------- */

static void OC_PRINTF(3, 4) note(taking *t, const char *name, const char *format, ...) {
    char text[256];
    va_list args;
    if (t->wrong_count++ >= MAX_LISTED) return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    oc_buf_printf(&t->wrong, "%s%.80s %s", t->wrong_count > 1 ? "; " : "", name, text);
}

static oc_status tell_wrong(const taking *t, oc_error *err) {
    OC_TRY(oc_buf_status(&t->wrong, err));
    if (t->wrong_count == 0) return OC_OK;
    return oc_fail(err, OC_EMISMATCH, "%s: %zu weights do not fit the net: %s%s", t->where,
                   t->wrong_count, t->wrong.data, t->wrong_count > MAX_LISTED ? "; ..." : "");
}

static oc_shape without_ones(const oc_shape *shape) {
    oc_shape out = {0};
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] != 1) out.dim[out.rank++] = shape->dim[i];
    return out;
}

/* What the parameter must be; a dense layer behind a flatten has what reaches it. */
static oc_shape wanted_shape(const taking *t, const oc_param *param) {
    const oc_node *node = oc_graph_node(t->net->graph, param->node);
    oc_shape shape = param->shape;
    if (node->op == OC_OP_DENSE && param->kind == OC_PARAM_WEIGHT)
        shape.dim[1] = t->shapes[node->inputs[0]].dim[1];
    return shape;
}

static bool is_transposed(const oci_caffe_source *source, const oc_param *param) {
    return param->kind == OC_PARAM_WEIGHT && oci_caffe_is(source->layer, "InnerProduct") &&
           oci_proto_bool(oci_caffe_param_of(source->layer, "inner_product_param"), "transpose");
}

static bool is_statistic(const oc_param *param) {
    return param->kind == OC_PARAM_MEAN || param->kind == OC_PARAM_VAR;
}

/* *fits := the blob has the wanted shape, or its transpose. */
static oc_status check_shape(taking *t, const char *name, const oci_proto *blob, oc_shape wanted,
                             bool transposed, bool *fits, oc_error *err) {
    char have[OC_SHAPE_TEXT], want[OC_SHAPE_TEXT];
    oc_shape shape;
    OC_TRY(oci_caffe_blob_shape(blob, name, &shape, err));
    if (transposed) wanted = oc_shape_2d(wanted.dim[1], wanted.dim[0]);
    oc_shape a = without_ones(&shape), b = without_ones(&wanted);
    *fits = oc_shape_equal(&a, &b);
    if (!*fits) {
        note(t, name, "is %s in the file, %s in the net", oc_shape_text(have, &shape),
             oc_shape_text(want, &wanted));
    }
    return OC_OK;
}

/* ---- one parameter ------------------------------------------------------------------------- */

static oc_status transpose(float *values, size_t rows, size_t columns, oc_error *err) {
    float *copy = oc_malloc_aligned(rows * columns * sizeof *copy);
    if (copy == NULL) return oc_fail_nomem(err, rows * columns * sizeof *copy, "weights");
    memcpy(copy, values, rows * columns * sizeof *copy);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) values[r * columns + c] = copy[c * rows + r];
    oc_free_aligned(copy);
    return OC_OK;
}

/* Statistics are sums: divide by the count in the third blob; a count of 0 means all zero. */
static oc_status normalise(const entry *e, float *values, size_t count, oc_error *err) {
    const oci_proto *blob = blob_of(e, 2);
    float sum = 1;
    if (blob == NULL) return OC_OK;
    OC_TRY(oci_caffe_blob_read(blob, NULL, e->name, 1, &sum, err));
    float factor = sum == 0 ? 0 : 1 / sum;
    for (size_t i = 0; i < count; i++) values[i] *= factor;
    return OC_OK;
}

/* Finite, and none below `least`. */
OC_SIMD static bool are_within(const float *values, size_t count, float least) {
    int wrong = 0;
    for (size_t i = 0; i < count; i++) wrong |= !(values[i] >= least) | !(values[i] <= FLT_MAX);
    return wrong == 0;
}

/* What is looked at, at any alignment. */
typedef struct looking {
    const uint8_t *values;
    size_t count;
    float least;
    atomic_bool wrong;
} looking;

static void look_at(void *ctx, size_t i, int worker) {
    (void)worker;
    looking *l = ctx;
    float part[PART_VALUES];
    size_t end = (i + 1) * LOOK_VALUES < l->count ? (i + 1) * LOOK_VALUES : l->count;
    for (size_t at = i * LOOK_VALUES; at < end; at += PART_VALUES) {
        size_t n = end - at < PART_VALUES ? end - at : PART_VALUES;
        memcpy(part, l->values + at * sizeof *part, n * sizeof *part);
        if (!are_within(part, n, l->least)) atomic_store(&l->wrong, true);
    }
}

/* Notes values that no weight may have. Large weights are read from the disk here: by all threads.
 */
static void look(taking *t, const oc_param *param, const void *values, size_t count) {
    bool variance = param->kind == OC_PARAM_VAR;
    looking l = {.values = values, .count = count, .least = variance ? 0 : -FLT_MAX};
    size_t chunks = (count + LOOK_VALUES - 1) / LOOK_VALUES;
    oc_parallel_for(chunks, chunks > 1 ? 0 : 1, look_at, &l);
    if (!atomic_load(&l.wrong)) return;
    note(t, param->name, "%s", variance ? "is below 0 or not finite" : "is not finite");
}

/* The blob's values where they lie, or NULL where they must be copied: few, in pieces, doubles. */
static const uint8_t *lent_values(const taking *t, const oci_proto *blob, size_t count) {
    const oci_proto_value *v = oci_proto_next(blob, "data", NULL);
    if ((t->how & OCI_CAFFE_LEND) == 0 || count < LENT_VALUES) return NULL;
    if (v == NULL || oci_proto_has(blob, "double_data")) return NULL;
    const oci_proto_run *run = &v->as.run;
    return run->count == count && run->stride == sizeof(float) ? run->bytes : NULL;
}

static oc_status lend_blob(taking *t, const oc_param *param, const uint8_t *values,
                           const oc_shape *shape, oc_error *err) {
    const oc_tensor view = {OC_F32, *shape, (void *)(uintptr_t)values}; /* only ever read */
    OC_TRY(oc_tensors_add_view(t->dst, param->name, &view, err));
    look(t, param, values, oc_tensor_count(&view));
    return OC_OK;
}

static oc_status copy_blob(taking *t, const oc_param *param, const oci_caffe_source *source,
                           const entry *e, const oci_proto *blob, const oc_shape *shape,
                           oc_error *err) {
    oc_tensor *tensor = NULL;
    OC_TRY(oc_tensors_add(t->dst, param->name, OC_F32, shape, &tensor, err));
    size_t count = oc_tensor_count(tensor);
    OC_TRY(oci_caffe_blob_read(blob, t->map, param->name, count, tensor->data, err));
    if (is_transposed(source, param))
        OC_TRY(transpose(tensor->data, (size_t)shape->dim[0], (size_t)shape->dim[1], err));
    if (is_statistic(param)) OC_TRY(normalise(e, tensor->data, count, err));
    look(t, param, tensor->data, count);
    return OC_OK;
}

static oc_status put_blob(taking *t, const oc_param *param, const oci_caffe_source *source,
                          const entry *e, const oci_proto *blob, const oc_shape *shape,
                          oc_error *err) {
    size_t count = 0;
    bool as_it_is = !is_transposed(source, param) && !is_statistic(param);
    const uint8_t *values = NULL;
    if (as_it_is && oc_shape_count(shape, &count)) values = lent_values(t, blob, count);
    return values != NULL ? lend_blob(t, param, values, shape, err)
                          : copy_blob(t, param, source, e, blob, shape, err);
}

static oc_status fill(taking *t, const oc_param *param, float value, oc_error *err) {
    oc_tensor *tensor = NULL;
    OC_TRY(oc_tensors_add(t->dst, param->name, OC_F32, &param->shape, &tensor, err));
    float *values = tensor->data;
    for (size_t i = 0, n = oc_tensor_count(tensor); i < n; i++) values[i] = value;
    return OC_OK;
}

static oc_status take_param(taking *t, int i, oc_error *err) {
    const oc_param *param = oc_graph_param(t->net->graph, i);
    const oci_caffe_source *source = &t->net->sources[i];
    if (source->layer == NULL) return fill(t, param, source->constant, err);
    entry *e = find_entry(t, source->layer->name);
    if (e == NULL) {
        t->left.missing++;
        if ((t->how & OCI_CAFFE_PARTIAL) == 0) note(t, param->name, "is not in the file");
        return OC_OK;
    }
    e->used = true;
    const oci_proto *blob = blob_of(e, source->blob);
    if (blob == NULL) {
        note(t, param->name, "is missing: the file's layer has fewer blobs");
        return OC_OK;
    }
    oc_shape shape = wanted_shape(t, param);
    bool fits = false;
    OC_TRY(check_shape(t, param->name, blob, shape, is_transposed(source, param), &fits, err));
    return fits ? put_blob(t, param, source, e, blob, &shape, err) : OC_OK;
}

static oc_status find_shapes(taking *t, oc_error *err) {
    const oc_graph *graph = t->net->graph;
    const oc_attrs *input = &oc_graph_node(graph, 0)->attrs;
    size_t nodes = (size_t)oc_graph_node_count(graph);
    t->shapes = oc_calloc(nodes, sizeof *t->shapes);
    if (t->shapes == NULL) return oc_fail_nomem(err, nodes * sizeof *t->shapes, "shapes");
    return oc_graph_shapes(graph, 1, input->height, input->width, t->shapes, err);
}

oc_status oci_caffe_weights_take(const oci_caffe_weights *weights, const oci_caffe_network *net,
                                 unsigned how, oc_tensors *dst, oci_caffe_left *left,
                                 oc_error *err) {
    taking t = {.net = net,
                .map = weights->map.data != NULL ? &weights->map : NULL,
                .dst = dst,
                .how = how,
                .where = weights->tree->where};
    oc_status status = OC_OK;
    OC_GOTO(find_shapes(&t, err));
    OC_GOTO(list_entries(&t, weights->tree, err));
    for (int i = 0; i < oc_graph_param_count(net->graph); i++) OC_GOTO(take_param(&t, i, err));
    for (size_t i = 0; i < t.entry_count; i++) t.left.unused += !t.entries[i].used;
    if (left != NULL) *left = t.left;
    status = tell_wrong(&t, err);
done:
    oc_free(t.entries);
    oc_free(t.shapes);
    oc_buf_clear(&t.wrong);
    return status;
}
