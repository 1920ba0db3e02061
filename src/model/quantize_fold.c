/* Batch norms into the layers before them, for good: what an inference plan does on its way, done
 * to the network itself.
 *
 *   w' = w g / sqrt(var + eps)     b' = shift + (b - mean) g / sqrt(var + eps)
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/model_int.h"

typedef struct folding {
    const oc_graph *from;
    const oc_tensors *weights;
    oc_graph *to;
    oc_tensors *out;
    int *norm;  /* layer -> the batch norm that goes into it, or -1 */
    int *moved; /* node -> its number in the new network */
} folding;

static bool is_layer(const oc_node *node) {
    return node->op == OC_OP_CONV || node->op == OC_OP_DENSE;
}

/* A batch norm that alone reads a layer. */
static void find_norms(folding *f) {
    int count = oc_graph_node_count(f->from);
    for (int i = 0; i < count; i++) f->norm[i] = -1;
    for (int i = 0; i < count; i++) {
        const oc_node *node = oc_graph_node(f->from, i);
        for (int k = 0; k < node->input_count; k++) {
            int *norm = &f->norm[node->inputs[k]];
            *norm = *norm == -1 && node->op == OC_OP_BATCH_NORM ? i : -2; /* -2: not alone */
        }
    }
    if (count > 0) f->norm[count - 1] = -2;
    for (int i = 0; i < count; i++)
        if (!is_layer(oc_graph_node(f->from, i)) || f->norm[i] < 0) f->norm[i] = -1;
}

static const float *values_of(const folding *f, const oc_node *node, int param) {
    const oc_param *p = oc_graph_param(f->from, node->first_param + param);
    return oc_tensors_find(f->weights, p->name)->data;
}

static oc_status add_copy(folding *f, int param, oc_tensor **out, oc_error *err) {
    const oc_param *p = oc_graph_param(f->from, param);
    const oc_tensor *from = oc_tensors_find(f->weights, p->name);
    if (from == NULL) return oc_fail(err, OC_EMISMATCH, "tensor %s is missing", p->name);
    OC_TRY(oc_tensors_add(f->out, p->name, OC_F32, &p->shape, out, err));
    memcpy((*out)->data, from->data, oc_tensor_bytes(*out));
    return OC_OK;
}

static oc_status add_bias(folding *f, int layer, oc_tensor **out, oc_error *err) {
    char name[OC_NAME_BYTES + 8];
    const oc_node *node = oc_graph_node(f->from, layer);
    if (node->attrs.bias) return add_copy(f, node->first_param + 1, out, err);
    oc_shape shape = oc_shape_1d(node->attrs.out);
    (void)snprintf(name, sizeof name, "%s.bias", node->name);
    return oc_tensors_add(f->out, name, OC_F32, &shape, out, err);
}

static void fold_values(const folding *f, const oc_node *norm, oc_tensor *weight, oc_tensor *bias) {
    const float *scale = values_of(f, norm, 0), *shift = values_of(f, norm, 1);
    const float *mean = values_of(f, norm, 2), *var = values_of(f, norm, 3);
    float *w = weight->data, *b = bias->data;
    size_t out = oc_tensor_count(bias), filter = oc_tensor_count(weight) / out;
    for (size_t o = 0; o < out; o++) {
        float a = scale[o] / sqrtf(var[o] + norm->attrs.epsilon);
        b[o] = shift[o] + (b[o] - mean[o]) * a;
        for (size_t i = o * filter; i < (o + 1) * filter; i++) w[i] *= a;
    }
}

static oc_status add_values(folding *f, int i, oc_error *err) {
    const oc_node *node = oc_graph_node(f->from, i);
    oc_tensor *weight = NULL, *bias = NULL;
    if (f->norm[i] < 0) {
        for (int k = 0; k < node->param_count; k++)
            OC_TRY(add_copy(f, node->first_param + k, &weight, err));
        return OC_OK;
    }
    OC_TRY(add_copy(f, node->first_param, &weight, err));
    OC_TRY(add_bias(f, i, &bias, err));
    fold_values(f, oc_graph_node(f->from, f->norm[i]), weight, bias);
    return OC_OK;
}

static bool is_folded_norm(const folding *f, int i) {
    const oc_node *node = oc_graph_node(f->from, i);
    return node->op == OC_OP_BATCH_NORM && f->norm[node->inputs[0]] == i;
}

static oc_status add_nodes(folding *f, oc_error *err) {
    for (int i = 0; i < oc_graph_node_count(f->from); i++) {
        const oc_node *node = oc_graph_node(f->from, i);
        int inputs[OC_MAX_INPUTS];
        for (int k = 0; k < node->input_count; k++) inputs[k] = f->moved[node->inputs[k]];
        if (is_folded_norm(f, i)) {
            f->moved[i] = inputs[0];
            continue;
        }
        oc_attrs attrs = node->attrs;
        if (f->norm[i] >= 0) attrs.bias = 1;
        OC_TRY(oc_graph_add(f->to, node->op, node->name, inputs, node->input_count, &attrs,
                            &f->moved[i], err));
        OC_TRY(add_values(f, i, err));
    }
    return OC_OK;
}

oc_status oci_fold_norms(const oc_graph *graph, const oc_tensors *weights, oc_graph **folded,
                         oc_tensors **out, oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    folding f = {.from = graph, .weights = weights};
    oc_status status = OC_OK;
    *folded = NULL;
    *out = NULL;
    f.norm = oc_calloc(2 * count, sizeof *f.norm);
    if (f.norm == NULL) return oc_fail_nomem(err, 2 * count * sizeof *f.norm, "a network");
    f.moved = f.norm + count;
    OC_GOTO(oc_graph_new(&f.to, err));
    OC_GOTO(oc_tensors_new(&f.out, err));
    find_norms(&f);
    OC_GOTO(add_nodes(&f, err));
    *folded = f.to;
    *out = f.out;
    f.to = NULL;
    f.out = NULL;
done:
    oc_graph_free(f.to);
    oc_tensors_free(f.out);
    oc_free(f.norm);
    return status;
}
