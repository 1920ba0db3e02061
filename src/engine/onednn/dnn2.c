/* dnn.h over the C API of oneDNN 2.x (operation descriptors, memory descriptors by value).
 *
 * Primitives and their memory handles are made once; a run only points the handles at the caller's
 * floats. Scratchpads are the caller's, so that the library allocates nothing in the steady state.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/dnn.h"

#include <dnnl.h>
#include <string.h>

struct oci_dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

struct oci_layout {
    dnnl_memory_desc_t desc;
};

static oc_status told(dnnl_status_t got, const char *what, oc_error *err) {
    if (got == dnnl_success) return OC_OK;
    if (got == dnnl_out_of_memory)
        return oc_fail(err, OC_ENOMEM, "oneDNN: %s: out of memory", what);
    oc_status status = got == dnnl_unimplemented ? OC_EUNSUPPORTED : OC_EINTERNAL;
    return oc_fail(err, status, "oneDNN: %s failed with status %d", what, (int)got);
}

oc_status oci_dnn_new(oci_dnn **out, oc_error *err) {
    *out = NULL;
    oci_dnn *dnn = oc_calloc(1, sizeof *dnn);
    if (!dnn) return oc_fail_nomem(err, sizeof *dnn, "oneDNN engine");
    oc_status status = told(dnnl_engine_create(&dnn->engine, dnnl_cpu, 0), "engine", err);
    if (status == OC_OK)
        status = told(dnnl_stream_create(&dnn->stream, dnn->engine, dnnl_stream_default_flags),
                      "stream", err);
    if (status != OC_OK)
        oci_dnn_free(dnn);
    else
        *out = dnn;
    return status;
}

void oci_dnn_free(oci_dnn *dnn) {
    if (!dnn) return;
    if (dnn->stream) dnnl_stream_destroy(dnn->stream);
    if (dnn->engine) dnnl_engine_destroy(dnn->engine);
    oc_free(dnn);
}

int oci_dnn_block(void) {
    return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core ? 16 : 8;
}

static const char *isa_name(dnnl_cpu_isa_t isa) {
    if (isa >= dnnl_cpu_isa_avx512_core_amx) return "AVX-512 AMX";
    if (isa >= dnnl_cpu_isa_avx512_core) return "AVX-512";
    if (isa >= dnnl_cpu_isa_avx2) return "AVX2";
    return isa == dnnl_cpu_isa_avx ? "AVX" : "SSE4.1";
}

oc_status oci_dnn_describe(oc_buf *out, oc_error *err) {
    const dnnl_version_t *v = dnnl_version();
    oc_buf_printf(out, "oneDNN %d.%d.%d, %s", v->major, v->minor, v->patch,
                  isa_name(dnnl_get_effective_cpu_isa()));
    return oc_buf_status(out, err);
}

/* ---- layouts -----------------------------------------------------------------------------------
 */

static oc_status layout_new(oci_layout **out, const dnnl_memory_desc_t *desc, oc_error *err) {
    *out = oc_malloc(sizeof **out);
    if (!*out) return oc_fail_nomem(err, sizeof **out, "weights layout");
    (*out)->desc = *desc;
    return OC_OK;
}

/* Weights as the library counts their dimensions: (out, in, h, w), or with a leading group. */
static dnnl_status_t weights_desc(dnnl_memory_desc_t *desc, int out, int in, int groups, int h,
                                  int w, dnnl_format_tag_t plain, dnnl_format_tag_t grouped) {
    dnnl_dims_t flat = {out, in, h, w};
    dnnl_dims_t split = {groups, out / groups, in / groups, h, w};
    return groups > 1 ? dnnl_memory_desc_init_by_tag(desc, 5, split, dnnl_f32, grouped)
                      : dnnl_memory_desc_init_by_tag(desc, 4, flat, dnnl_f32, plain);
}

oc_status oci_layout_plain(oci_layout **out, int out_channels, int in_channels, int groups,
                           int kernel_h, int kernel_w, oc_error *err) {
    *out = NULL;
    dnnl_memory_desc_t desc;
    OC_TRY(told(weights_desc(&desc, out_channels, in_channels, groups, kernel_h, kernel_w,
                             dnnl_oihw, dnnl_goihw),
                "weights layout", err));
    return layout_new(out, &desc, err);
}

oc_status oci_layout_copy(oci_layout **out, const oci_layout *src, oc_error *err) {
    return layout_new(out, &src->desc, err);
}

void oci_layout_free(oci_layout *layout) {
    oc_free(layout);
}

bool oci_layout_equal(const oci_layout *a, const oci_layout *b) {
    return dnnl_memory_desc_equal(&a->desc, &b->desc) != 0;
}

size_t oci_layout_bytes(const oci_layout *layout) {
    return dnnl_memory_desc_get_size(&layout->desc);
}

/* ---- a primitive with its memory handles
 * --------------------------------------------------------- */

enum { MOST_ARGS = 6 };

typedef struct bound {
    oci_dnn *dnn; /* borrowed */
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[MOST_ARGS];
    int arg_count;
    size_t scratch;
    const char *kernel;
} bound;

static void bound_clear(bound *b) {
    for (int i = 0; i < b->arg_count; i++) dnnl_memory_destroy(b->args[i].memory);
    if (b->primitive) dnnl_primitive_destroy(b->primitive);
    if (b->desc) dnnl_primitive_desc_destroy(b->desc);
    memset(b, 0, sizeof *b);
}

static oc_status bind(bound *b, int arg, const dnnl_memory_desc_t *desc, oc_error *err) {
    dnnl_memory_t memory;
    OC_TRY(
        told(dnnl_memory_create(&memory, desc, b->dnn->engine, DNNL_MEMORY_NONE), "memory", err));
    b->args[b->arg_count++] = (dnnl_exec_arg_t){arg, memory};
    return OC_OK;
}

/* The descriptor is set: make the primitive, learn its scratchpad and its name. */
static oc_status bound_finish(bound *b, const char *what, oc_error *err) {
    OC_TRY(told(dnnl_primitive_create(&b->primitive, b->desc), what, err));
    const dnnl_memory_desc_t *pad =
        dnnl_primitive_desc_query_md(b->desc, dnnl_query_scratchpad_md, 0);
    b->scratch = pad ? dnnl_memory_desc_get_size(pad) : 0;
    if (b->scratch) OC_TRY(bind(b, DNNL_ARG_SCRATCHPAD, pad, err));
    dnnl_primitive_desc_query(b->desc, dnnl_query_impl_info_str, 0, (void *)&b->kernel);
    return OC_OK;
}

static oc_status bound_run(bound *b, const void *const *handles, const char *what, oc_error *err) {
    for (int i = 0; i < b->arg_count; i++)
        OC_TRY(told(dnnl_memory_set_data_handle(b->args[i].memory, (void *)(uintptr_t)handles[i]),
                    what, err));
    OC_TRY(told(dnnl_primitive_execute(b->primitive, b->dnn->stream, b->arg_count, b->args), what,
                err));
    return told(dnnl_stream_wait(b->dnn->stream), what, err);
}

static oc_status user_scratchpad(dnnl_primitive_attr_t *attr, oc_error *err) {
    OC_TRY(told(dnnl_primitive_attr_create(attr), "attributes", err));
    return told(dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user),
                "attributes", err);
}

/* ---- reorder
 * ------------------------------------------------------------------------------------- */

struct oci_reorder {
    bound b;
};

oc_status oci_reorder_new(oci_reorder **out, oci_dnn *dnn, const oci_layout *from,
                          const oci_layout *to, oc_error *err) {
    *out = NULL;
    oci_reorder *r = oc_calloc(1, sizeof *r);
    if (!r) return oc_fail_nomem(err, sizeof *r, "reorder");
    r->b.dnn = dnn;
    oc_status status = OC_OK;
    OC_GOTO(told(dnnl_reorder_primitive_desc_create(&r->b.desc, &from->desc, dnn->engine, &to->desc,
                                                    dnn->engine, NULL),
                 "reorder", err));
    OC_GOTO(bind(&r->b, DNNL_ARG_FROM, &from->desc, err));
    OC_GOTO(bind(&r->b, DNNL_ARG_TO, &to->desc, err));
    OC_GOTO(bound_finish(&r->b, "reorder", err));
    *out = r;
done:
    if (status != OC_OK) oci_reorder_free(r);
    return status;
}

void oci_reorder_free(oci_reorder *r) {
    if (!r) return;
    bound_clear(&r->b);
    oc_free(r);
}

oc_status oci_reorder_run(oci_reorder *r, const float *from, float *to, oc_error *err) {
    const void *handles[MOST_ARGS] = {from, to};
    return bound_run(&r->b, handles, "reorder", err);
}

/* ---- convolution
 * --------------------------------------------------------------------------------- */

struct oci_conv {
    bound b;
    oci_layout weights;
    bool bias;
};

typedef struct conv_descs {
    dnnl_memory_desc_t src, weights, bias, dst;
    dnnl_dims_t strides, dilates, pad_l, pad_r;
} conv_descs;

static dnnl_status_t activations(dnnl_memory_desc_t *desc, int n, int c, int h, int w, bool plain) {
    dnnl_dims_t dims = {n, c, h, w};
    dnnl_format_tag_t blocked = oci_dnn_block() == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    return dnnl_memory_desc_init_by_tag(desc, 4, dims, dnnl_f32, plain ? dnnl_nchw : blocked);
}

static oc_status describe(conv_descs *d, const oci_conv_shape *s, const oci_layout *weights,
                          oc_error *err) {
    dnnl_dims_t bias = {s->out_channels};
    memcpy(d->strides, (dnnl_dims_t){s->stride_h, s->stride_w}, sizeof d->strides);
    memcpy(d->dilates, (dnnl_dims_t){s->dilation_h - 1, s->dilation_w - 1}, sizeof d->dilates);
    memcpy(d->pad_l, (dnnl_dims_t){s->pad_top, s->pad_left}, sizeof d->pad_l);
    memcpy(d->pad_r, (dnnl_dims_t){s->pad_bottom, s->pad_right}, sizeof d->pad_r);
    OC_TRY(told(activations(&d->src, s->n, s->in_channels, s->in_h, s->in_w, s->plain_src),
                "activations", err));
    OC_TRY(told(activations(&d->dst, s->n, s->out_channels, s->out_h, s->out_w, false),
                "activations", err));
    OC_TRY(told(dnnl_memory_desc_init_by_tag(&d->bias, 1, bias, dnnl_f32, dnnl_x), "bias", err));
    if (weights) {
        d->weights = weights->desc;
        return OC_OK;
    }
    return told(weights_desc(&d->weights, s->out_channels, s->in_channels, s->groups, s->kernel_h,
                             s->kernel_w, dnnl_format_tag_any, dnnl_format_tag_any),
                "weights", err);
}

static oc_status post_ops(dnnl_primitive_attr_t attr, const oci_conv_shape *s, oc_error *err) {
    if (!s->sum && s->act == OCI_ACT_NONE) return OC_OK;
    dnnl_post_ops_t ops;
    OC_TRY(told(dnnl_post_ops_create(&ops), "post-ops", err));
    dnnl_status_t got = dnnl_success;
    if (s->sum) got = dnnl_post_ops_append_sum(ops, 1.f);
    if (got == dnnl_success && s->act == OCI_ACT_RELU)
        got = dnnl_post_ops_append_eltwise(ops, 1.f, dnnl_eltwise_relu, 0.f, 0.f);
    if (got == dnnl_success && s->act == OCI_ACT_RELU6)
        got = dnnl_post_ops_append_eltwise(ops, 1.f, dnnl_eltwise_clip, 0.f, 6.f);
    if (got == dnnl_success) got = dnnl_primitive_attr_set_post_ops(attr, ops);
    dnnl_post_ops_destroy(ops);
    return told(got, "post-ops", err);
}

static dnnl_status_t conv_op(dnnl_convolution_desc_t *op, oci_conv_kind kind, const conv_descs *d,
                             bool bias) {
    const dnnl_memory_desc_t *b = bias ? &d->bias : NULL;
    switch (kind) {
    case OCI_CONV_DATA:
        return dnnl_dilated_convolution_backward_data_desc_init(
            op, dnnl_convolution_direct, &d->src, &d->weights, &d->dst, d->strides, d->dilates,
            d->pad_l, d->pad_r);
    case OCI_CONV_WEIGHTS:
        return dnnl_dilated_convolution_backward_weights_desc_init(
            op, dnnl_convolution_direct, &d->src, &d->weights, b, &d->dst, d->strides, d->dilates,
            d->pad_l, d->pad_r);
    default:
        return dnnl_dilated_convolution_forward_desc_init(
            op, dnnl_forward_training, dnnl_convolution_direct, &d->src, &d->weights, b, &d->dst,
            d->strides, d->dilates, d->pad_l, d->pad_r);
    }
}

/* The backward descriptors want a forward one as a hint; weights free, since it is only a hint. */
static oc_status hint(dnnl_primitive_desc_t *out, oci_dnn *dnn, const oci_conv_shape *s,
                      oc_error *err) {
    conv_descs d;
    dnnl_convolution_desc_t op;
    OC_TRY(describe(&d, s, NULL, err));
    OC_TRY(told(conv_op(&op, OCI_CONV_FORWARD, &d, s->bias), "convolution", err));
    return told(dnnl_primitive_desc_create(out, &op, NULL, dnn->engine, NULL), "convolution", err);
}

static oc_status conv_primitive(oci_conv *c, oci_conv_kind kind, const oci_conv_shape *s,
                                const conv_descs *d, oc_error *err) {
    dnnl_primitive_desc_t forward = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_convolution_desc_t op;
    oc_status status = OC_OK;
    OC_GOTO(user_scratchpad(&attr, err));
    if (kind == OCI_CONV_FORWARD) OC_GOTO(post_ops(attr, s, err));
    if (kind != OCI_CONV_FORWARD) OC_GOTO(hint(&forward, c->b.dnn, s, err));
    OC_GOTO(told(conv_op(&op, kind, d, s->bias), "convolution", err));
    OC_GOTO(told(dnnl_primitive_desc_create(&c->b.desc, &op, attr, c->b.dnn->engine, forward),
                 "convolution", err));
done:
    if (forward) dnnl_primitive_desc_destroy(forward);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return status;
}

oc_status oci_conv_new(oci_conv **out, oci_dnn *dnn, oci_conv_kind kind, const oci_conv_shape *s,
                       const oci_layout *weights, oc_error *err) {
    *out = NULL;
    oci_conv *c = oc_calloc(1, sizeof *c);
    if (!c) return oc_fail_nomem(err, sizeof *c, "convolution");
    c->b.dnn = dnn;
    c->bias = s->bias && kind != OCI_CONV_DATA;
    conv_descs d;
    oc_status status = OC_OK;
    bool to_weights = kind == OCI_CONV_WEIGHTS, to_data = kind == OCI_CONV_DATA;
    OC_GOTO(describe(&d, s, weights, err));
    OC_GOTO(conv_primitive(c, kind, s, &d, err));
    c->weights.desc = *dnnl_primitive_desc_query_md(
        c->b.desc, to_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    OC_GOTO(bind(&c->b, to_data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, &d.src, err));
    OC_GOTO(
        bind(&c->b, to_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, &c->weights.desc, err));
    OC_GOTO(bind(&c->b, kind == OCI_CONV_FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, &d.dst, err));
    if (c->bias)
        OC_GOTO(bind(&c->b, to_weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, &d.bias, err));
    OC_GOTO(bound_finish(&c->b, "convolution", err));
    *out = c;
done:
    if (status != OC_OK) oci_conv_free(c);
    return status;
}

void oci_conv_free(oci_conv *c) {
    if (!c) return;
    bound_clear(&c->b);
    oc_free(c);
}

const oci_layout *oci_conv_weights(const oci_conv *c) {
    return &c->weights;
}
size_t oci_conv_scratch(const oci_conv *c) {
    return c->b.scratch;
}
const char *oci_conv_kernel(const oci_conv *c) {
    return c->b.kernel;
}

oc_status oci_conv_run(oci_conv *c, const void *src, const void *weights, const void *bias,
                       const void *dst, void *scratch, oc_error *err) {
    const void *handles[MOST_ARGS] = {src, weights, dst};
    int n = 3;
    if (c->bias) handles[n++] = bias;
    handles[n] = scratch;
    return bound_run(&c->b, handles, "convolution", err);
}

/* ---- local response normalisation
 * ------------------------------------------------------------------ */

struct oci_lrn {
    bound forward, backward;
    size_t work;
};

static oc_status lrn_forward(oci_lrn *l, const oci_lrn_shape *s, const dnnl_memory_desc_t *act,
                             oc_error *err) {
    bound *b = &l->forward;
    dnnl_lrn_desc_t op;
    OC_TRY(told(
        dnnl_lrn_forward_desc_init(&op, s->train ? dnnl_forward_training : dnnl_forward_inference,
                                   dnnl_lrn_across_channels, act, s->size, s->alpha, s->beta, s->k),
        "lrn", err));
    OC_TRY(told(dnnl_primitive_desc_create(&b->desc, &op, NULL, b->dnn->engine, NULL), "lrn", err));
    OC_TRY(bind(b, DNNL_ARG_SRC, act, err));
    OC_TRY(bind(b, DNNL_ARG_DST, act, err));
    const dnnl_memory_desc_t *ws =
        dnnl_primitive_desc_query_md(b->desc, dnnl_query_workspace_md, 0);
    l->work = s->train && ws ? dnnl_memory_desc_get_size(ws) : 0;
    if (l->work) OC_TRY(bind(b, DNNL_ARG_WORKSPACE, ws, err));
    return bound_finish(b, "lrn", err);
}

static oc_status lrn_backward(oci_lrn *l, const oci_lrn_shape *s, const dnnl_memory_desc_t *act,
                              oc_error *err) {
    bound *b = &l->backward;
    dnnl_lrn_desc_t op;
    OC_TRY(told(dnnl_lrn_backward_desc_init(&op, dnnl_lrn_across_channels, act, act, s->size,
                                            s->alpha, s->beta, s->k),
                "lrn", err));
    OC_TRY(told(dnnl_primitive_desc_create(&b->desc, &op, NULL, b->dnn->engine, l->forward.desc),
                "lrn", err));
    OC_TRY(bind(b, DNNL_ARG_SRC, act, err));
    OC_TRY(bind(b, DNNL_ARG_DIFF_DST, act, err));
    OC_TRY(bind(b, DNNL_ARG_DIFF_SRC, act, err));
    if (l->work)
        OC_TRY(bind(b, DNNL_ARG_WORKSPACE,
                    dnnl_primitive_desc_query_md(b->desc, dnnl_query_workspace_md, 0), err));
    return bound_finish(b, "lrn", err);
}

oc_status oci_lrn_new(oci_lrn **out, oci_dnn *dnn, const oci_lrn_shape *s, oc_error *err) {
    *out = NULL;
    oci_lrn *l = oc_calloc(1, sizeof *l);
    if (!l) return oc_fail_nomem(err, sizeof *l, "lrn");
    l->forward.dnn = l->backward.dnn = dnn;
    dnnl_memory_desc_t act;
    oc_status status = OC_OK;
    OC_GOTO(told(activations(&act, s->n, s->channels, s->h, s->w, false), "lrn", err));
    OC_GOTO(lrn_forward(l, s, &act, err));
    if (s->train) OC_GOTO(lrn_backward(l, s, &act, err));
    *out = l;
done:
    if (status != OC_OK) oci_lrn_free(l);
    return status;
}

void oci_lrn_free(oci_lrn *l) {
    if (!l) return;
    bound_clear(&l->forward);
    bound_clear(&l->backward);
    oc_free(l);
}

size_t oci_lrn_work(const oci_lrn *l) {
    return l->work;
}

oc_status oci_lrn_forward(oci_lrn *l, const float *src, float *dst, void *work, oc_error *err) {
    const void *handles[MOST_ARGS] = {src, dst, work};
    return bound_run(&l->forward, handles, "lrn", err);
}

oc_status oci_lrn_backward(oci_lrn *l, const float *src, const float *ddst, float *dsrc, void *work,
                           oc_error *err) {
    const void *handles[MOST_ARGS] = {src, ddst, dsrc, work};
    return bound_run(&l->backward, handles, "lrn", err);
}
