/* Weights from a file into the parameters of a graph.
 *
 * First every parameter is judged by name, type and shape, and all that is wrong is told at once;
 * then values are converted. The head and the layers of auxiliary heads are taken whole or not at
 * all: a bias without its matrix would be noise.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "model/model_int.h"

enum { MAX_TOLD = 10, COMPLAINT_BYTES = 720, CHUNK = 1 << 18, MIN_CHUNKS = 16 };

static const uint32_t EXPONENT = 0x7F800000; /* bits of a float */
static const size_t LARGE_BYTES = 16 << 20;  /* from here on a view is worth an open file */

/* What is wrong, as far as there is room to tell. */
typedef struct complaints {
    size_t count;
    size_t used; /* of text */
    char text[COMPLAINT_BYTES];
} complaints;

/* The complaint must fit whole, or it is only counted. */
static void complain(complaints *c, const char *name, const char *what) {
    c->count++;
    if (c->count > MAX_TOLD || c->used >= sizeof c->text - 1) return;
    int n = snprintf(c->text + c->used, sizeof c->text - c->used, "%s%.96s %s",
                     c->used == 0 ? "" : "; ", name, what);
    if (n > 0 && (size_t)n < sizeof c->text - c->used) {
        c->used += (size_t)n;
    } else {
        c->text[c->used] = '\0';
    }
}

static oc_status tell(const complaints *c, const oc_graph *graph, oc_error *err) {
    if (c->count == 0) return OC_OK;
    return oc_fail(err, OC_EMISMATCH,
                   "weights do not fit the network (%zu of %d parameters): %s%s. Is it the right "
                   "architecture?",
                   c->count, oc_graph_param_count(graph), c->text,
                   c->count > MAX_TOLD ? "; ..." : "");
}

static const oc_tensor *find_source(const oc_tensors *src, const char *name) {
    char prefixed[OC_NAME_BYTES + 32];
    const oc_tensor *t = oc_tensors_find(src, name);
    if (t != NULL) return t;
    int n = snprintf(prefixed, sizeof prefixed, "module.%s", name); /* torch's DataParallel */
    return n > 0 && (size_t)n < sizeof prefixed ? oc_tensors_find(src, prefixed) : NULL;
}

static bool is_float(oc_dtype dtype) {
    return dtype == OC_F32 || dtype == OC_F64 || dtype == OC_F16 || dtype == OC_BF16;
}

/* NULL when t fits, else what is wrong in storage. */
static const char *judge(const oc_graph *graph, const oc_param *param, const oc_tensor *t,
                         char storage[256]) {
    char found[OC_SHAPE_TEXT], wanted[OC_SHAPE_TEXT];
    if (t == NULL) return "is missing";
    bool int8 = oci_is_int8_weight(graph, param);
    if (int8 && t->dtype != OC_I8) {
        (void)snprintf(storage, 256, "is %s, the network's int8 layer has I8",
                       oc_dtype_name(t->dtype));
        return storage;
    }
    if (!int8 && !is_float(t->dtype)) {
        (void)snprintf(storage, 256, "is %s, not floating point", oc_dtype_name(t->dtype));
        return storage;
    }
    if (oc_shape_equal(&t->shape, &param->shape)) return NULL;
    (void)snprintf(storage, 256, "is %s, the network has %s", oc_shape_text(found, &t->shape),
                   oc_shape_text(wanted, &param->shape));
    return storage;
}

static bool layer_fits(const oc_graph *graph, const oc_tensors *src, const oc_node *node) {
    char storage[256];
    for (int k = 0; k < node->param_count; k++) {
        const oc_param *param = oc_graph_param(graph, node->first_param + k);
        if (judge(graph, param, find_source(src, param->name), storage) != NULL) return false;
    }
    return true;
}

/* left_out[i] := whether node i is drawn anew: the head, or a layer of an auxiliary one, that does
 * not fit. */
static oc_status leave_out(const oc_graph *graph, const oc_tensors *src, bool *left_out,
                           oc_left_out *fit, oc_error *err) {
    int count = oc_graph_node_count(graph), head = oc_graph_head(graph);
    bool *serves = oc_calloc((size_t)count, sizeof *serves);
    if (serves == NULL) return oc_fail_nomem(err, (size_t)count, "the layers of a network");
    (void)oc_graph_serves(graph, serves);
    for (int i = 0; i < count; i++) {
        const oc_node *node = oc_graph_node(graph, i);
        left_out[i] = (i == head || !serves[i]) && !layer_fits(graph, src, node);
        if (left_out[i] && i == head) fit->new_head = true;
        if (left_out[i] && i != head) fit->new_aux += (size_t)node->param_count;
    }
    oc_free(serves);
    return OC_OK;
}

/* The largest exponent among values[0..count), as bits: that of infinities and NaNs beats all. */
OC_SIMD static uint32_t top_exponent(const float *values, size_t count) {
    uint32_t top = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits &= EXPONENT;
        top = bits > top ? bits : top;
    }
    return top;
}

typedef struct look {
    const float *values;
    size_t count;
    atomic_bool found;
} look;

static void look_at(void *ctx, size_t i, int worker) {
    (void)worker;
    look *l = ctx;
    size_t first = i * CHUNK, left = l->count - first;
    if (top_exponent(l->values + first, left < CHUNK ? left : CHUNK) == EXPONENT)
        atomic_store(&l->found, true);
}

static bool all_finite(const float *values, size_t count) {
    look l = {.values = values, .count = count};
    size_t chunks = (count + CHUNK - 1) / CHUNK;
    oc_parallel_for(chunks, chunks > MIN_CHUNKS ? 0 : 1, look_at, &l);
    return !atomic_load(&l.found);
}

/* Statistics of a batch norm with a variance below zero would give NaN. */
static bool is_variance_valid(const oc_param *param, const float *values, size_t count) {
    bool valid = true;
    for (size_t i = 0; param->kind == OC_PARAM_VAR && i < count; i++) valid &= values[i] >= 0;
    return valid;
}

/* What is read, and where it goes. */
typedef struct fitting {
    const oc_graph *graph;
    const oc_tensors *src;
    oc_tensors *dst;
    const bool *left_out; /* per node; NULL = none */
    bool lend;            /* large tensors of src are used where they are */
} fitting;

static bool is_left_out(const fitting *f, const oc_param *param) {
    return f->left_out != NULL && f->left_out[param->node];
}

static bool can_lend(const fitting *f, const oc_tensor *from) {
    return f->lend && from->dtype == OC_F32 && oc_tensor_bytes(from) >= LARGE_BYTES &&
           (uintptr_t)from->data % sizeof(float) == 0;
}

static const oc_tensor *find_step(const fitting *f, const oc_param *weight) {
    const oc_node *node = oc_graph_node(f->graph, weight->node);
    const oc_param *step = oc_graph_param(f->graph, node->first_param + node->param_count - 1);
    return find_source(f->src, step->name);
}

static oc_status put_param(const fitting *f, const oc_param *param, const oc_tensor *from,
                           const float **values, oc_error *err) {
    oc_tensor *to = NULL;
    *values = from->data;
    if (can_lend(f, from)) return oc_tensors_add_view(f->dst, param->name, from, err);
    OC_TRY(oc_tensors_add(f->dst, param->name, OC_F32, &param->shape, &to, err));
    *values = to->data;
    if (oci_is_int8_weight(f->graph, param))
        return oci_int8_to_f32(param, from, find_step(f, param), to->data, err);
    return oc_tensor_to_f32(to->data, from->data, from->dtype, oc_tensor_count(to), err);
}

static oc_status copy_param(const fitting *f, const oc_param *param, complaints *c, oc_error *err) {
    const oc_tensor *from = find_source(f->src, param->name);
    const float *values;
    OC_TRY(put_param(f, param, from, &values, err));
    size_t count = oc_tensor_count(from);
    if (!all_finite(values, count)) {
        complain(c, param->name, "holds an infinity or not-a-number");
    } else if (!is_variance_valid(param, values, count)) {
        complain(c, param->name, "holds a variance below zero");
    }
    return OC_OK;
}

static oc_status copy_all(const fitting *f, size_t *copied, oc_error *err) {
    complaints c = {0};
    for (int i = 0; i < oc_graph_param_count(f->graph); i++) {
        const oc_param *param = oc_graph_param(f->graph, i);
        if (is_left_out(f, param)) continue;
        OC_TRY(copy_param(f, param, &c, err));
        ++*copied;
    }
    return tell(&c, f->graph, err);
}

static oc_status judge_all(const fitting *f, oc_error *err) {
    complaints c = {0};
    char storage[256];
    for (int i = 0; i < oc_graph_param_count(f->graph); i++) {
        const oc_param *param = oc_graph_param(f->graph, i);
        if (is_left_out(f, param)) continue;
        const char *wrong = judge(f->graph, param, find_source(f->src, param->name), storage);
        if (wrong != NULL) complain(&c, param->name, wrong);
    }
    return tell(&c, f->graph, err);
}

static size_t count_ignored(const oc_tensors *src) {
    size_t n = 0;
    for (size_t i = 0; i < oc_tensors_count(src); i++) {
        n += oc_ends_with(oc_tensors_name(src, i), "num_batches_tracked");
    }
    return n;
}

oc_status oc_weights_fit(const oc_graph *graph, const oc_tensors *src, bool allow_new_head,
                         oc_tensors *dst, oc_left_out *fit, oc_error *err) {
    size_t nodes = (size_t)oc_graph_node_count(graph), copied = 0;
    oc_left_out found = {0};
    oc_status status = OC_OK;
    bool *left_out = oc_calloc(nodes, sizeof *left_out);
    if (left_out == NULL) return oc_fail_nomem(err, nodes, "the layers of a network");
    const fitting f = {graph, src, dst, left_out, false};
    if (allow_new_head) OC_GOTO(leave_out(graph, src, left_out, &found, err));
    OC_GOTO(judge_all(&f, err));
    OC_GOTO(copy_all(&f, &copied, err));
    size_t asked = copied + count_ignored(src), there = oc_tensors_count(src);
    found.unused = there > asked ? there - asked : 0;
    if (fit != NULL) *fit = found;
done:
    oc_free(left_out);
    return status;
}

oc_status oc_weights_lend(const oc_graph *graph, const oc_tensors *src, oc_tensors *dst,
                          oc_error *err) {
    const fitting f = {graph, src, dst, NULL, true};
    size_t copied = 0;
    OC_TRY(judge_all(&f, err));
    return copy_all(&f, &copied, err);
}
