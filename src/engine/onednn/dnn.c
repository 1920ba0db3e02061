/* dnn.h over oneDNN's C API, as far as that is the same in every version; dnn2.c or dnn3.c makes
 * the descriptors.
 *
 * Primitives and their memory handles are made once; a run only points the handles at the caller's
 * floats. Scratchpads are the caller's, so that the library allocates nothing in the steady state.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/dnn.h"

#include <string.h>

#include "engine/onednn/dnn_int.h"

struct oci_dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
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

/* The library's numbers are sets of bits; by size, AVX2 with VNNI would come behind AVX-512. */
static bool has(dnnl_cpu_isa_t isa, dnnl_cpu_isa_t wanted) {
    return ((unsigned)isa & (unsigned)wanted) == (unsigned)wanted;
}

int oci_dnn_block(void) {
    return has(dnnl_get_effective_cpu_isa(), dnnl_cpu_isa_avx512_core) ? 16 : 8;
}

static const char *isa_name(dnnl_cpu_isa_t isa) {
    if (has(isa, dnnl_cpu_isa_avx512_core_amx)) return "AVX-512 AMX";
    if (has(isa, dnnl_cpu_isa_avx512_core)) return "AVX-512";
    if (has(isa, dnnl_cpu_isa_avx2)) return "AVX2";
    return has(isa, dnnl_cpu_isa_avx) ? "AVX" : "SSE4.1";
}

oc_status oci_dnn_describe(oc_buf *out, oc_error *err) {
    const dnnl_version_t *v = dnnl_version();
    oc_buf_printf(out, "oneDNN %d.%d.%d, %s", v->major, v->minor, v->patch,
                  isa_name(dnnl_get_effective_cpu_isa()));
    return oc_buf_status(out, err);
}

/* ---- layouts ---- */

/* Weights as the library counts their dimensions: (out, in, h, w), or with a leading group. */
static dnnl_status_t weights_desc(oci_layout *desc, int out, int in, int groups, int h, int w,
                                  dnnl_data_type_t type, dnnl_format_tag_t plain,
                                  dnnl_format_tag_t grouped) {
    dnnl_dims_t flat = {out, in, h, w};
    dnnl_dims_t split = {groups, out / groups, in / groups, h, w};
    return groups > 1 ? oci_desc_init(desc, 5, split, type, grouped)
                      : oci_desc_init(desc, 4, flat, type, plain);
}

/* *made moves into a layout of its own, unless `got` says that there is none. */
static oc_status layout_keep(oci_layout **out, oci_layout *made, dnnl_status_t got, oc_error *err) {
    *out = NULL;
    OC_TRY(told(got, "weights layout", err));
    oci_layout *layout = oc_malloc(sizeof *layout);
    if (!layout) {
        oci_desc_clear(made);
        return oc_fail_nomem(err, sizeof *layout, "weights layout");
    }
    *layout = *made;
    *out = layout;
    return OC_OK;
}

oc_status oci_layout_plain(oci_layout **out, int out_channels, int in_channels, int groups,
                           int kernel_h, int kernel_w, oc_error *err) {
    oci_layout made = {0};
    dnnl_status_t got = weights_desc(&made, out_channels, in_channels, groups, kernel_h, kernel_w,
                                     dnnl_f32, dnnl_oihw, dnnl_goihw);
    return layout_keep(out, &made, got, err);
}

oc_status oci_layout_blocks(oci_layout **out, int out_channels, int in_channels, int kernel_h,
                            int kernel_w, oc_error *err) {
    oci_layout made = {0};
    dnnl_status_t got = weights_desc(&made, out_channels, in_channels, 1, kernel_h, kernel_w,
                                     dnnl_f32, dnnl_ABcd8b8a, dnnl_goihw);
    return layout_keep(out, &made, got, err);
}

oc_status oci_layout_rows(oci_layout **out, int out_channels, int in_channels, int h, int w,
                          bool plain, oc_error *err) {
    dnnl_format_tag_t blocked = oci_dnn_block() == 16 ? dnnl_aBcd16b : dnnl_aBcd8b;
    oci_layout made = {0};
    dnnl_status_t got = weights_desc(&made, out_channels, in_channels, 1, h, w, dnnl_f32,
                                     plain ? dnnl_oihw : blocked, dnnl_goihw);
    return layout_keep(out, &made, got, err);
}

oc_status oci_layout_copy(oci_layout **out, const oci_layout *src, oc_error *err) {
    oci_layout made = {0};
    dnnl_status_t got = oci_desc_copy(&made, src);
    return layout_keep(out, &made, got, err);
}

void oci_layout_free(oci_layout *layout) {
    if (!layout) return;
    oci_desc_clear(layout);
    oc_free(layout);
}

/* ---- a primitive with its memory handles ---- */

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

static oc_status bind(bound *b, int arg, const oci_layout *layout, oc_error *err) {
    dnnl_memory_t memory;
    OC_TRY(told(oci_desc_memory(&memory, layout, b->dnn->engine), "memory", err));
    b->args[b->arg_count++] = (dnnl_exec_arg_t){arg, memory};
    return OC_OK;
}

/* Bind what the primitive asks for: a scratchpad, a workspace; *bytes = 0 where it asks for none.
 */
static oc_status bind_asked(bound *b, int arg, dnnl_query_t what, size_t *bytes, oc_error *err) {
    oci_layout asked = {0};
    oc_status status = told(oci_desc_query(&asked, b->desc, what), "memory", err);
    *bytes = status == OC_OK ? oci_layout_bytes(&asked) : 0;
    if (*bytes) status = bind(b, arg, &asked, err);
    oci_desc_clear(&asked);
    return status;
}

/* The descriptor is set: make the primitive, learn its scratchpad and its name. */
static oc_status bound_finish(bound *b, const char *what, oc_error *err) {
    OC_TRY(told(dnnl_primitive_create(&b->primitive, b->desc), what, err));
    OC_TRY(bind_asked(b, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, &b->scratch, err));
    return told(dnnl_primitive_desc_query(b->desc, dnnl_query_impl_info_str, 0, (void *)&b->kernel),
                what, err);
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

/* ---- reorder ---- */

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
    OC_GOTO(told(oci_reorder_describe(&r->b.desc, dnn->engine, from, to), "reorder", err));
    OC_GOTO(bind(&r->b, DNNL_ARG_FROM, from, err));
    OC_GOTO(bind(&r->b, DNNL_ARG_TO, to, err));
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

/* ---- convolution ---- */

struct oci_conv {
    bound b;
    oci_layout weights;
    bool bias;
    float *scale;  /* of bytes, where a run binds them */
    int scale_arg; /* what to, or 0 */
};

static dnnl_status_t activations(oci_layout *out, int n, int c, int h, int w, bool plain) {
    dnnl_dims_t dims = {n, c, h, w};
    dnnl_format_tag_t blocked = oci_dnn_block() == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    return oci_desc_init(out, 4, dims, dnnl_f32, plain ? dnnl_nchw : blocked);
}

static dnnl_status_t byte_activations(oci_layout *out, int n, int c, int h, int w, bool floats) {
    dnnl_dims_t dims = {n, c, h, w};
    return oci_desc_init(out, 4, dims, floats ? dnnl_f32 : dnnl_u8, dnnl_nhwc);
}

static oc_status conv_ends(oci_conv_descs *d, const oci_conv_shape *s, oc_error *err) {
    dnnl_status_t src =
        s->bytes ? byte_activations(&d->src, s->n, s->in_channels, s->in_h, s->in_w, false)
                 : activations(&d->src, s->n, s->in_channels, s->in_h, s->in_w, s->plain_src);
    OC_TRY(told(src, "activations", err));
    dnnl_status_t dst =
        s->bytes
            ? byte_activations(&d->dst, s->n, s->out_channels, s->out_h, s->out_w, s->float_dst)
            : activations(&d->dst, s->n, s->out_channels, s->out_h, s->out_w, false);
    return told(dst, "activations", err);
}

static void descs_clear(oci_conv_descs *d) {
    oci_desc_clear(&d->src);
    oci_desc_clear(&d->weights);
    oci_desc_clear(&d->bias);
    oci_desc_clear(&d->dst);
}

/* weights NULL = any layout. On failure, too, the caller clears *d. */
static oc_status descs_init(oci_conv_descs *d, const oci_conv_shape *s, const oci_layout *weights,
                            oc_error *err) {
    dnnl_dims_t bias = {s->out_channels};
    *d = (oci_conv_descs){.has_bias = s->bias,
                          .strides = {s->stride_h, s->stride_w},
                          .dilates = {s->dilation_h - 1, s->dilation_w - 1},
                          .pad_l = {s->pad_top, s->pad_left},
                          .pad_r = {s->pad_bottom, s->pad_right}};
    OC_TRY(conv_ends(d, s, err));
    if (s->bias) OC_TRY(told(oci_desc_init(&d->bias, 1, bias, dnnl_f32, dnnl_x), "bias", err));
    if (weights) return told(oci_desc_copy(&d->weights, weights), "weights", err);
    return told(weights_desc(&d->weights, s->out_channels, s->in_channels, s->groups, s->kernel_h,
                             s->kernel_w, s->bytes ? dnnl_s8 : dnnl_f32, dnnl_format_tag_any,
                             dnnl_format_tag_any),
                "weights", err);
}

static oc_status post_ops(dnnl_primitive_attr_t attr, const oci_conv_shape *s, oc_error *err) {
    bool clips = s->bytes && s->low < s->high;
    if (!s->sum && !clips && s->act == OCI_ACT_NONE) return OC_OK;
    dnnl_post_ops_t ops;
    OC_TRY(told(dnnl_post_ops_create(&ops), "post-ops", err));
    dnnl_status_t got = dnnl_success;
    if (s->sum) got = oci_post_sum(ops, s->bytes ? s->sum_scale : 1.f);
    if (got == dnnl_success && clips) got = oci_post_act(ops, dnnl_eltwise_clip, s->low, s->high);
    if (got == dnnl_success && s->act == OCI_ACT_RELU)
        got = oci_post_act(ops, dnnl_eltwise_relu, 0.f, 0.f);
    if (got == dnnl_success && s->act == OCI_ACT_RELU6)
        got = oci_post_act(ops, dnnl_eltwise_clip, 0.f, 6.f);
    if (got == dnnl_success) got = dnnl_primitive_attr_set_post_ops(attr, ops);
    dnnl_post_ops_destroy(ops);
    return told(got, "post-ops", err);
}

/* The backward descriptors want a forward one as a hint; weights free, since it is only a hint. */
static oc_status hint(dnnl_primitive_desc_t *out, oci_dnn *dnn, const oci_conv_shape *s,
                      oc_error *err) {
    oci_conv_descs d;
    oc_status status = descs_init(&d, s, NULL, err);
    if (status == OC_OK)
        status = told(oci_conv_describe(out, dnn->engine, OCI_CONV_FORWARD, &d, NULL, NULL),
                      "convolution", err);
    descs_clear(&d);
    return status;
}

static oc_status conv_primitive(oci_conv *c, oci_conv_kind kind, const oci_conv_shape *s,
                                const oci_conv_descs *d, oc_error *err) {
    dnnl_primitive_desc_t forward = NULL;
    dnnl_primitive_attr_t attr = NULL;
    oc_status status = OC_OK;
    OC_GOTO(user_scratchpad(&attr, err));
    if (kind == OCI_CONV_FORWARD) OC_GOTO(post_ops(attr, s, err));
    if (s->bytes) OC_GOTO(told(oci_attr_scales(attr, s, &c->scale_arg), "scales", err));
    if (kind != OCI_CONV_FORWARD) OC_GOTO(hint(&forward, c->b.dnn, s, err));
    OC_GOTO(told(oci_conv_describe(&c->b.desc, c->b.dnn->engine, kind, d, attr, forward),
                 "convolution", err));
done:
    if (forward) dnnl_primitive_desc_destroy(forward);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return status;
}

/* In the order of oci_conv_run: src, weights, dst, bias; bound_finish adds the scratchpad. */
static oc_status conv_bind(oci_conv *c, oci_conv_kind kind, const oci_conv_descs *d,
                           oc_error *err) {
    bool to_weights = kind == OCI_CONV_WEIGHTS, to_data = kind == OCI_CONV_DATA;
    dnnl_query_t weights = to_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    OC_TRY(told(oci_desc_query(&c->weights, c->b.desc, weights), "weights", err));
    OC_TRY(bind(&c->b, to_data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, &d->src, err));
    OC_TRY(bind(&c->b, to_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, &c->weights, err));
    OC_TRY(bind(&c->b, to_weights || to_data ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, &d->dst, err));
    if (!c->bias) return OC_OK;
    return bind(&c->b, to_weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, &d->bias, err);
}

/* Scales that each run binds. */
static oc_status scales_bind(oci_conv *c, const oci_conv_shape *s, oc_error *err) {
    if (!c->scale_arg) return OC_OK;
    size_t bytes = (size_t)s->out_channels * sizeof *c->scale;
    dnnl_dims_t dims = {s->out_channels};
    oci_layout layout = {0};
    c->scale = oc_malloc_aligned(bytes);
    if (!c->scale) return oc_fail_nomem(err, bytes, "scales");
    memcpy(c->scale, s->scale, bytes);
    oc_status status = told(oci_desc_init(&layout, 1, dims, dnnl_f32, dnnl_x), "scales", err);
    if (status == OC_OK) status = bind(&c->b, c->scale_arg, &layout, err);
    oci_desc_clear(&layout);
    return status;
}

oc_status oci_conv_new(oci_conv **out, oci_dnn *dnn, oci_conv_kind kind, const oci_conv_shape *s,
                       const oci_layout *weights, oc_error *err) {
    *out = NULL;
    oci_conv *c = oc_calloc(1, sizeof *c);
    if (!c) return oc_fail_nomem(err, sizeof *c, "convolution");
    c->b.dnn = dnn;
    c->bias = s->bias && kind != OCI_CONV_DATA;
    oci_conv_descs d;
    oc_status status = OC_OK;
    OC_GOTO(descs_init(&d, s, weights, err));
    OC_GOTO(conv_primitive(c, kind, s, &d, err));
    OC_GOTO(conv_bind(c, kind, &d, err));
    OC_GOTO(scales_bind(c, s, err));
    OC_GOTO(bound_finish(&c->b, "convolution", err));
    *out = c;
done:
    descs_clear(&d);
    if (status != OC_OK) oci_conv_free(c);
    return status;
}

void oci_conv_free(oci_conv *c) {
    if (!c) return;
    bound_clear(&c->b);
    oci_desc_clear(&c->weights);
    oc_free_aligned(c->scale);
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
    if (c->scale) handles[n++] = c->scale;
    handles[n] = scratch;
    return bound_run(&c->b, handles, "convolution", err);
}

/* ---- convolutions of bytes ---- */

bool oci_byte_conv_is_fast(oci_dnn *dnn, const oci_conv_shape *shape) {
    oci_conv c = {.b = {.dnn = dnn}, .bias = shape->bias};
    oci_conv_descs d;
    const char *kernel = "ref";
    if (descs_init(&d, shape, NULL, NULL) == OC_OK &&
        conv_primitive(&c, OCI_CONV_FORWARD, shape, &d, NULL) == OC_OK)
        (void)dnnl_primitive_desc_query(c.b.desc, dnnl_query_impl_info_str, 0, (void *)&kernel);
    bool fast = !oc_starts_with(kernel, "ref");
    descs_clear(&d);
    bound_clear(&c.b);
    return fast;
}

oc_status oci_byte_conv_pack(const oci_conv *conv, const oci_conv_shape *s, const int8_t *plain,
                             void *to, oc_error *err) {
    oci_layout from = {0};
    oci_reorder *r = NULL;
    oc_status status = OC_OK;
    OC_GOTO(told(weights_desc(&from, s->out_channels, s->in_channels, s->groups, s->kernel_h,
                              s->kernel_w, dnnl_s8, dnnl_oihw, dnnl_goihw),
                 "weights", err));
    OC_GOTO(oci_reorder_new(&r, conv->b.dnn, &from, &conv->weights, err));
    const void *handles[MOST_ARGS] = {plain, to};
    status = bound_run(&r->b, handles, "reorder", err);
done:
    oci_reorder_free(r);
    oci_desc_clear(&from);
    return status;
}

oc_status oci_product_run(const oci_product *p, oc_error *err) {
    dnnl_status_t got =
        dnnl_sgemm(p->flip_a ? 'T' : 'N', p->flip_b ? 'T' : 'N', (dnnl_dim_t)p->m, (dnnl_dim_t)p->n,
                   (dnnl_dim_t)p->k, 1, p->a, (dnnl_dim_t)p->a_row, p->b, (dnnl_dim_t)p->b_row,
                   p->add ? 1.F : 0.F, p->c, (dnnl_dim_t)p->c_row);
    return told(got, "product of matrices", err);
}

/* ---- local response normalisation ---- */

struct oci_lrn {
    bound forward, backward;
    size_t work;
};

static oc_status lrn_forward(oci_lrn *l, const oci_lrn_shape *s, const oci_layout *act,
                             oc_error *err) {
    bound *b = &l->forward;
    OC_TRY(told(oci_lrn_describe_forward(&b->desc, b->dnn->engine, s, act), "lrn", err));
    OC_TRY(bind(b, DNNL_ARG_SRC, act, err));
    OC_TRY(bind(b, DNNL_ARG_DST, act, err));
    if (s->train) OC_TRY(bind_asked(b, DNNL_ARG_WORKSPACE, dnnl_query_workspace_md, &l->work, err));
    return bound_finish(b, "lrn", err);
}

static oc_status lrn_backward(oci_lrn *l, const oci_lrn_shape *s, const oci_layout *act,
                              oc_error *err) {
    bound *b = &l->backward;
    size_t work;
    OC_TRY(told(oci_lrn_describe_backward(&b->desc, b->dnn->engine, s, act, l->forward.desc), "lrn",
                err));
    OC_TRY(bind(b, DNNL_ARG_SRC, act, err));
    OC_TRY(bind(b, DNNL_ARG_DIFF_DST, act, err));
    OC_TRY(bind(b, DNNL_ARG_DIFF_SRC, act, err));
    if (l->work) OC_TRY(bind_asked(b, DNNL_ARG_WORKSPACE, dnnl_query_workspace_md, &work, err));
    return bound_finish(b, "lrn", err);
}

oc_status oci_lrn_new(oci_lrn **out, oci_dnn *dnn, const oci_lrn_shape *s, oc_error *err) {
    *out = NULL;
    oci_lrn *l = oc_calloc(1, sizeof *l);
    if (!l) return oc_fail_nomem(err, sizeof *l, "lrn");
    l->forward.dnn = l->backward.dnn = dnn;
    oci_layout act = {0};
    oc_status status = OC_OK;
    OC_GOTO(told(activations(&act, s->n, s->channels, s->h, s->w, false), "lrn", err));
    OC_GOTO(lrn_forward(l, s, &act, err));
    if (s->train) OC_GOTO(lrn_backward(l, s, &act, err));
    *out = l;
done:
    oci_desc_clear(&act);
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
