/* The layers of a Caffe net that count in a phase, and which layer makes the blob that another
 * reads.
 *
 * A layer may write into the blob that it reads (top == bottom): what reads that name later reads
 * the later writer. So a name means the last layer before that has it as a top, and a net can have
 * no cycles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"

#include <stdio.h>
#include <string.h>

/* ---- kinds --------------------------------------------------------------------------------- */

typedef struct type_words {
    const char *v1, *today;
} type_words;

/* Of V1's words, those whose layers are read; others keep their spelling. */
static const type_words types[] = {{"ACCURACY", "Accuracy"},
                                   {"ARGMAX", "ArgMax"},
                                   {"CONCAT", "Concat"},
                                   {"CONTRASTIVE_LOSS", "ContrastiveLoss"},
                                   {"CONVOLUTION", "Convolution"},
                                   {"DATA", "Data"},
                                   {"DROPOUT", "Dropout"},
                                   {"DUMMY_DATA", "DummyData"},
                                   {"ELTWISE", "Eltwise"},
                                   {"EUCLIDEAN_LOSS", "EuclideanLoss"},
                                   {"FLATTEN", "Flatten"},
                                   {"HDF5_DATA", "HDF5Data"},
                                   {"HINGE_LOSS", "HingeLoss"},
                                   {"IMAGE_DATA", "ImageData"},
                                   {"INFOGAIN_LOSS", "InfogainLoss"},
                                   {"INNER_PRODUCT", "InnerProduct"},
                                   {"LRN", "LRN"},
                                   {"MEMORY_DATA", "MemoryData"},
                                   {"MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"},
                                   {"POOLING", "Pooling"},
                                   {"POWER", "Power"},
                                   {"RELU", "ReLU"},
                                   {"SIGMOID", "Sigmoid"},
                                   {"SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"},
                                   {"SILENCE", "Silence"},
                                   {"SOFTMAX", "Softmax"},
                                   {"SOFTMAX_LOSS", "SoftmaxWithLoss"},
                                   {"SPLIT", "Split"},
                                   {"TANH", "TanH"},
                                   {"WINDOW_DATA", "WindowData"}};

static const char *today(const char *v1) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].v1, v1) == 0) return types[i].today;
    return v1;
}

bool oci_caffe_is(const oci_caffe_layer *layer, const char *type) {
    return strcmp(layer->type, type) == 0;
}

static bool has_suffix(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

bool oci_caffe_is_input(const oci_caffe_layer *layer) {
    return oci_caffe_is(layer, "Input") || has_suffix(layer->type, "Data");
}

bool oci_caffe_is_aside(const oci_caffe_layer *layer) {
    return has_suffix(layer->type, "Loss") || oci_caffe_is(layer, "Accuracy") ||
           oci_caffe_is(layer, "Silence") || oci_caffe_is(layer, "ArgMax");
}

static bool knows(const oci_proto *m, const char *field) {
    return oci_proto_find(m->type, field, strlen(field)) != NULL;
}

const oci_proto *oci_caffe_param_of(const oci_caffe_layer *layer, const char *name) {
    if (knows(layer->m, name)) return oci_proto_sub(layer->m, name);
    const oci_proto_field *found = NULL; /* V1 has no such layers but Flatten, without a choice */
    for (size_t i = 0; i < oci_caffe_net.count && found == NULL; i++) {
        const oci_proto_type *type = oci_caffe_net.fields[i].type;
        if (strcmp(oci_caffe_net.fields[i].name, "layer") == 0)
            found = oci_proto_find(type, name, strlen(name));
    }
    OC_PROMISE(found != NULL);
    return &found->type->none;
}

const oci_proto *oci_caffe_transform_of(const oci_caffe_layer *layer, const char *field) {
    bool listed = oci_caffe_is(layer, "ImageData");
    const oci_proto *transform = oci_caffe_param_of(layer, "transform_param");
    const oci_proto *data = oci_caffe_param_of(layer, listed ? "image_data_param" : "data_param");
    return oci_proto_has(data, field) && !oci_proto_has(transform, field) ? data : transform;
}

char *oci_caffe_place(char storage[OCI_PLACE_BYTES], const oci_caffe_layer *layer) {
    char place[OCI_PLACE_BYTES];
    (void)oci_proto_place(place, layer->m);
    (void)snprintf(storage, OCI_PLACE_BYTES, "%.320s: layer %.120s (%.40s)", place, layer->name,
                   layer->type);
    return storage;
}

/* The i-th value of a repeated number, or `fallback` where there are fewer. */
static double real_at(const oci_proto *m, const char *name, int i, double fallback) {
    const oci_proto_value *v = oci_proto_next(m, name, NULL);
    for (; v != NULL && i > 0; i--) v = oci_proto_next(m, name, v);
    return v != NULL ? v->as.real : fallback;
}

void oci_caffe_multipliers(const oci_caffe_layer *layer, int blob, double *lr, double *decay) {
    *lr = *decay = 1;
    if (knows(layer->m, "blobs_lr")) {
        *lr = real_at(layer->m, "blobs_lr", blob, 1);
        *decay = real_at(layer->m, "weight_decay", blob, 1);
        return;
    }
    const oci_proto_value *v = oci_proto_next(layer->m, "param", NULL);
    for (; v != NULL && blob > 0; blob--) v = oci_proto_next(layer->m, "param", v);
    if (v == NULL) return;
    *lr = oci_proto_real(v->as.message, "lr_mult");
    *decay = oci_proto_real(v->as.message, "decay_mult");
}

/* ---- does it count? ------------------------------------------------------------------------ */

static bool has_text(const oci_proto *m, const char *name, const char *text) {
    const oci_proto_value *v = NULL;
    while ((v = oci_proto_next(m, name, v)) != NULL)
        if (strcmp(v->as.text, text) == 0) return true;
    return false;
}

/* All that the rule asks for holds: phase, level, stages. */
static bool meets(const oci_proto *rule, const oci_proto *state, oci_caffe_phase phase) {
    int64_t level = oci_proto_int(state, "level");
    const oci_proto_value *v = NULL;
    if (oci_proto_has(rule, "phase") && oci_proto_int(rule, "phase") != (int64_t)phase)
        return false;
    if (oci_proto_has(rule, "min_level") && level < oci_proto_int(rule, "min_level")) return false;
    if (oci_proto_has(rule, "max_level") && level > oci_proto_int(rule, "max_level")) return false;
    while ((v = oci_proto_next(rule, "stage", v)) != NULL)
        if (!has_text(state, "stage", v->as.text)) return false;
    while ((v = oci_proto_next(rule, "not_stage", v)) != NULL)
        if (has_text(state, "stage", v->as.text)) return false;
    return true;
}

static bool any_meets(const oci_proto *layer, const char *rules, const oci_proto *state,
                      oci_caffe_phase phase) {
    const oci_proto_value *v = NULL;
    while ((v = oci_proto_next(layer, rules, v)) != NULL)
        if (meets(v->as.message, state, phase)) return true;
    return false;
}

static bool counts(const oci_proto *net, const oci_proto *layer, oci_caffe_phase phase) {
    const oci_proto *state = oci_proto_sub(net, "state");
    if (oci_proto_has(layer, "include")) return any_meets(layer, "include", state, phase);
    return !any_meets(layer, "exclude", state, phase);
}

/* ---- the list ------------------------------------------------------------------------------ */

typedef struct list {
    const oci_proto *net;
    oci_caffe_phase phase;
    oc_pool *pool;
    oci_caffe_layer *items;
    const char **tops; /* of all layers; those of layer i from first_top[i] on */
    size_t *first_top;
    size_t count, top_count;
} list;

static void add_declared_inputs(list *l) {
    const oci_proto_value *v = NULL, *shape = oci_proto_next(l->net, "input_shape", NULL);
    while ((v = oci_proto_next(l->net, "input", v)) != NULL) {
        oci_caffe_layer *layer = &l->items[l->count];
        *layer = (oci_caffe_layer){.m = l->net, .name = v->as.text, .type = "Input"};
        if (shape != NULL) {
            layer->shape = shape->as.message;
            shape = oci_proto_next(l->net, "input_shape", shape);
        }
        layer->top_count = 1;
        l->first_top[l->count++] = l->top_count;
        l->tops[l->top_count++] = v->as.text;
    }
}

static void add_tops(list *l, oci_caffe_layer *layer) {
    const oci_proto_value *v = NULL;
    l->first_top[layer - l->items] = l->top_count;
    while ((v = oci_proto_next(layer->m, "top", v)) != NULL) {
        l->tops[l->top_count++] = v->as.text;
        layer->top_count++;
    }
}

/* The latest layer before `reader` that makes the blob. */
static oci_caffe_blob_ref find_blob(const list *l, size_t reader, const char *name) {
    for (size_t i = reader; i-- > 0;) {
        for (int top = l->items[i].top_count - 1; top >= 0; top--) {
            if (strcmp(l->tops[l->first_top[i] + (size_t)top], name) == 0)
                return (oci_caffe_blob_ref){(int)i, top};
        }
    }
    return (oci_caffe_blob_ref){-1, 0};
}

static oc_status no_such_blob(const list *l, const oci_caffe_layer *layer, const char *name,
                              oc_error *err) {
    char place[OCI_PLACE_BYTES];
    const char *near = oc_suggest(name, l->tops, l->top_count);
    return oc_fail(err, OC_EFORMAT,
                   "%s reads the blob %.120s, which no layer before it makes%s%s%s",
                   oci_caffe_place(place, layer), name, near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

static oc_status add_bottoms(list *l, oci_caffe_layer *layer, oc_error *err) {
    const oci_proto_value *v = NULL;
    size_t count = oci_proto_count(layer->m, "bottom");
    layer->bottoms = oc_pool_alloc(l->pool, count * sizeof *layer->bottoms);
    if (layer->bottoms == NULL) return oc_fail_nomem(err, count, "a layer's inputs");
    while ((v = oci_proto_next(layer->m, "bottom", v)) != NULL) {
        oci_caffe_blob_ref ref = find_blob(l, (size_t)(layer - l->items), v->as.text);
        if (ref.layer < 0) return no_such_blob(l, layer, v->as.text, err);
        if (!oci_caffe_is_aside(layer)) l->items[ref.layer].readers++;
        layer->bottoms[layer->bottom_count++] = ref;
    }
    return OC_OK;
}

static oc_status old_form(const oci_proto *m, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    return oc_fail(
        err, OC_EUNSUPPORTED,
        "%s: a layer in the form of 2013 (`layers { layer { ... } }`), which is not read: "
        "run Caffe's `upgrade_net_proto_text OLD.prototxt NEW.prototxt`, and for its "
        "weights `upgrade_net_proto_binary OLD.caffemodel NEW.caffemodel`",
        oci_proto_place(place, m));
}

/* Layers without a name are called by their output. */
static const char *name_of(const list *l, const oci_caffe_layer *layer) {
    const char *name = oci_proto_text(layer->m, "name");
    if (*name != '\0' || layer->top_count == 0) return name;
    return l->tops[l->first_top[layer - l->items]];
}

static oc_status add_layer(list *l, const oci_proto *m, bool v1, oc_error *err) {
    if (!counts(l->net, m, l->phase)) return OC_OK;
    if (v1 && oci_proto_has(m, "layer")) return old_form(m, err);
    oci_caffe_layer *layer = &l->items[l->count];
    *layer = (oci_caffe_layer){.m = m};
    layer->type = v1 ? today(oci_proto_word_of(m, "type")) : oci_proto_text(m, "type");
    add_tops(l, layer);
    layer->name = name_of(l, layer);
    if (!v1 && oci_caffe_is(layer, "Input")) {
        const oci_proto_value *shape =
            oci_proto_next(oci_proto_sub(m, "input_param"), "shape", NULL);
        if (shape != NULL) layer->shape = shape->as.message;
    }
    OC_TRY(add_bottoms(l, layer, err));
    l->count++;
    return OC_OK;
}

static size_t count_tops(const oci_proto *net, const char *form) {
    const oci_proto_value *v = NULL;
    size_t count = 0;
    while ((v = oci_proto_next(net, form, v)) != NULL)
        count += oci_proto_count(v->as.message, "top");
    return count;
}

static oc_status make_room(list *l, const char *form, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    size_t inputs = oci_proto_count(l->net, "input");
    size_t layers = oci_proto_count(l->net, form) + inputs;
    size_t tops = count_tops(l->net, form) + inputs;
    if (layers > OCI_CAFFE_MAX_LAYERS || tops > OCI_CAFFE_MAX_LAYERS) {
        return oc_fail(err, OC_ELIMIT, "%s: %zu layers with %zu outputs, at most %d are read",
                       oci_proto_place(place, l->net), layers, tops, OCI_CAFFE_MAX_LAYERS);
    }
    l->items = oc_pool_alloc(l->pool, layers * sizeof *l->items);
    l->first_top = oc_pool_alloc(l->pool, layers * sizeof *l->first_top);
    l->tops = oc_pool_alloc(l->pool, tops * sizeof *l->tops);
    if (l->items != NULL && l->first_top != NULL && l->tops != NULL) return OC_OK;
    return oc_fail_nomem(err, layers * sizeof *l->items, "a net's layers");
}

oc_status oci_caffe_layers(const oci_proto *net, oci_caffe_phase phase, oc_pool *pool,
                           oci_caffe_layer **out, size_t *count, oc_error *err) {
    list l = {.net = net, .phase = phase, .pool = pool};
    bool v1 = oci_proto_has(net, "layers");
    const char *form = v1 ? "layers" : "layer";
    char place[OCI_PLACE_BYTES];
    const oci_proto_value *v = NULL;
    if (v1 && oci_proto_has(net, "layer")) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: layers in two forms, `layers { }` and `layer { }`; only one of them "
                       "may be in a net",
                       oci_proto_place(place, net));
    }
    OC_TRY(make_room(&l, form, err));
    add_declared_inputs(&l);
    while ((v = oci_proto_next(net, form, v)) != NULL)
        OC_TRY(add_layer(&l, v->as.message, v1, err));
    *out = l.items;
    *count = l.count;
    return OC_OK;
}
