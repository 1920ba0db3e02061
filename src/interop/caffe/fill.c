/* Fresh weights as a Caffe net asks for them: its fillers.
 *
 *   constant  value                 uniform  min..max              gaussian  mean, std
 *   xavier    uniform, variance 1/n (Glorot & Bengio 2010)         msra  normal, 2/n (He et al.
 * 2015) with n the fan in, out, or the mean of both. Layers without a filler have Caffe's default,
 * a constant 0; what no filler speaks of is drawn as anywhere else. Each parameter has a stream of
 * its own, keyed by seed and name. SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/caffe/solver_int.h"

/* Where a layer's fillers stand: of its first and its second blob. */
static const struct filled {
    const char *type, *param, *blob[2];
} filled[] = {
    {"Convolution", "convolution_param", {"weight_filler", "bias_filler"}},
    {"InnerProduct", "inner_product_param", {"weight_filler", "bias_filler"}},
    {"Scale", "scale_param", {"filler", "bias_filler"}},
    {"Bias", "bias_param", {"filler", NULL}},
    {"PReLU", "prelu_param", {"filler", NULL}},
};

/* What a filler comes to. */
typedef struct draw {
    enum { CONSTANT, UNIFORM, NORMAL } kind;
    double a, b; /* the constant; least and most; mean and deviation */
} draw;

/* The filler of a blob, or NULL where that is not for a filler to say: of layers other than
 * convolutions and dense ones, unless they have one. */
static const oci_proto *filler_of(const oci_caffe_source *source) {
    for (size_t i = 0; source->layer != NULL && i < sizeof filled / sizeof *filled; i++) {
        if (!oci_caffe_is(source->layer, filled[i].type) || source->blob > 1) continue;
        const char *name = filled[i].blob[source->blob];
        const oci_proto *param = oci_caffe_param_of(source->layer, filled[i].param);
        bool weighs = strcmp(name != NULL ? name : "", "weight_filler") == 0;
        if (name == NULL || (!weighs && !oci_proto_has(param, name))) return NULL;
        return oci_proto_sub(param, name);
    }
    return NULL;
}

/* Caffe's n. A blob of less than two sides has none beyond the first. */
static double fan(const oci_proto *filler, const oc_shape *shape) {
    double count = 1;
    for (int i = 0; i < shape->rank; i++) count *= (double)shape->dim[i];
    double in = count / (double)shape->dim[0];
    double out = shape->rank > 1 ? count / (double)shape->dim[1] : count;
    const char *norm = oci_proto_word_of(filler, "variance_norm");
    if (strcmp(norm, "FAN_OUT") == 0) return out;
    return strcmp(norm, "AVERAGE") == 0 ? (in + out) / 2 : in;
}

static oc_status unknown_filler(const oci_caffe_source *source, const char *type, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    return oc_fail(
        err, OC_EUNSUPPORTED,
        "%s: filler \"%.40s\"; expected constant, uniform, gaussian (not sparse), xavier "
        "or msra",
        oci_caffe_place(place, source->layer), type);
}

static oc_status choose(const oci_caffe_source *source, const oci_proto *filler,
                        const oc_shape *shape, draw *out, oc_error *err) {
    const char *type = oci_proto_text(filler, "type");
    double n = fan(filler, shape), bound = sqrt(3 / n);
    if (strcmp(type, "constant") == 0)
        *out = (draw){CONSTANT, oci_proto_real(filler, "value"), 0};
    else if (strcmp(type, "uniform") == 0)
        *out = (draw){UNIFORM, oci_proto_real(filler, "min"), oci_proto_real(filler, "max")};
    else if (strcmp(type, "gaussian") == 0 && oci_proto_int(filler, "sparse") < 0)
        *out = (draw){NORMAL, oci_proto_real(filler, "mean"), oci_proto_real(filler, "std")};
    else if (strcmp(type, "xavier") == 0)
        *out = (draw){UNIFORM, -bound, bound};
    else if (strcmp(type, "msra") == 0)
        *out = (draw){NORMAL, 0, sqrt(2 / n)};
    else
        return unknown_filler(source, type, err);
    if (isfinite(out->a) && isfinite(out->b)) return OC_OK;
    return unknown_filler(source, type, err);
}

static void fill(const draw *how, oc_rng *rng, float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (how->kind == CONSTANT) values[i] = (float)how->a;
        if (how->kind == UNIFORM) values[i] = oc_rng_between(rng, (float)how->a, (float)how->b);
        if (how->kind == NORMAL) values[i] = (float)(how->a + how->b * (double)oc_rng_normal(rng));
    }
}

/* A layer whose weights are all equal learns next to nothing: seldom meant. */
static void warn_equal(const oci_caffe_source *source, const oc_param *param, const draw *how,
                       const oc_log *log) {
    char place[OCI_PLACE_BYTES];
    if (how->kind != CONSTANT || param->kind != OC_PARAM_WEIGHT) return;
    oc_warn(log,
            "%s: its weights are new and begin at %g, all of them: it has no weight_filler, or a "
            "constant one",
            oci_caffe_place(place, source->layer), how->a);
}

oc_status oci_caffe_fill(const oci_caffe_network *net, uint64_t seed, oc_tensors *set,
                         const oc_log *log, oc_error *err) {
    for (int i = 0; i < oc_graph_param_count(net->graph); i++) {
        const oc_param *param = oc_graph_param(net->graph, i);
        const oci_proto *filler = filler_of(&net->sources[i]);
        oc_tensor *tensor;
        oc_rng rng;
        draw how = {CONSTANT, (double)net->sources[i].constant, 0};
        bool equal = net->sources[i].layer == NULL;
        if ((filler == NULL && !equal) || oc_tensors_find(set, param->name) != NULL) continue;
        if (!equal) OC_TRY(choose(&net->sources[i], filler, &param->shape, &how, err));
        OC_TRY(oc_tensors_add(set, param->name, OC_F32, &param->shape, &tensor, err));
        oc_rng_init(&rng, seed, OC_RNG_INIT, 0, oc_hash64(param->name, strlen(param->name), 0));
        fill(&how, &rng, tensor->data, oc_tensor_count(tensor));
        if (!equal) warn_equal(&net->sources[i], param, &how, log);
    }
    return oc_graph_init(net->graph, seed, set, err);
}
