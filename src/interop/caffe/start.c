/* What a Caffe solver trains, ready to begin: the graph of the training phase, weights from a
 * .caffemodel by the layers' names and from fillers where that has none, the multipliers of every
 * parameter, the classes.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/caffe/solver_int.h"

/* ---- weights ------------------------------------------------------------------------------- */

static oc_status take_file(const oci_caffe_network *net, const char *path, oc_tensors *set,
                           const oc_log *log, oc_error *err) {
    oci_caffe_weights file = {0};
    oci_caffe_left left = {0};
    oc_status status = OC_OK;
    OC_GOTO(oci_caffe_weights_open(&file, path, err));
    OC_GOTO(oci_caffe_weights_take(&file, net, OCI_CAFFE_PARTIAL, set, &left, err));
    oc_info(log, "%s: weights of %d of the net's %d parameters%s", path,
            oc_graph_param_count(net->graph) - (int)left.missing, oc_graph_param_count(net->graph),
            left.missing > 0 ? "; the others are new, by their fillers" : "");
    if (left.unused > 0)
        oc_info(log, "%s: %zu layers with weights that the net does not have", path, left.unused);
done:
    oci_caffe_weights_close(&file);
    return status;
}

/* ---- multipliers --------------------------------------------------------------------------- */

static oc_status check_multiplier(const oci_caffe_source *source, const char *name, double value,
                                  oc_error *err) {
    char place[OCI_PLACE_BYTES];
    if (value >= 0 && value <= 1e6) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: %s is %g, allowed 0 to 1000000",
                   oci_caffe_place(place, source->layer), name, value);
}

/* Parameters that no blob stands for keep their constant. */
static oc_status read_multipliers(oc_caffe_solver *s, const oci_caffe_network *net, oc_error *err) {
    size_t count = (size_t)oc_graph_param_count(net->graph);
    float *lr = oc_pool_alloc(s->pool, (count + 1) * sizeof *lr);
    float *decay = oc_pool_alloc(s->pool, (count + 1) * sizeof *decay);
    if (lr == NULL || decay == NULL)
        return oc_fail_nomem(err, 2 * count * sizeof *lr, "the multipliers of a net");
    for (size_t i = 0; i < count; i++) {
        const oci_caffe_source *source = &net->sources[i];
        double rate = 0, pull = 0;
        if (source->layer != NULL) {
            oci_caffe_multipliers(source->layer, source->blob, &rate, &pull);
            OC_TRY(check_multiplier(source, "lr_mult", rate, err));
            OC_TRY(check_multiplier(source, "decay_mult", pull, err));
        }
        lr[i] = (float)rate;
        decay[i] = (float)pull;
    }
    s->lr_scale = lr;
    s->decay_scale = decay;
    return OC_OK;
}

/* A plan keeps the statistics of all its batch norms, or of none. */
static void read_statistics(oc_caffe_solver *s, const oci_caffe_network *net, const oc_log *log) {
    size_t norms = 0, kept = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (!oci_caffe_is(&net->layers[i], "BatchNorm")) continue;
        norms++;
        kept += oci_proto_bool(oci_caffe_param_of(&net->layers[i], "batch_norm_param"),
                               "use_global_stats");
    }
    s->freeze_stats = norms > 0 && kept == norms;
    if (kept > 0 && kept < norms)
        oc_warn(log,
                "use_global_stats in %zu of %zu BatchNorm layers: that is done for all or none; "
                "none keeps its statistics",
                kept, norms);
}

/* ---- weights of two layers ------------------------------------------------------------------- */

typedef struct named {
    const char *name;
    const oci_caffe_layer *layer;
} named;

static int by_name(const void *a, const void *b) {
    const named *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    return order != 0 ? order : (p->layer > q->layer) - (p->layer < q->layer);
}

/* The names of a layer's parameters behind `names`; *count goes on. */
static void add_names(const oci_caffe_layer *layer, named *names, size_t *count) {
    const oci_proto_value *v = NULL;
    while ((v = oci_proto_next(layer->m, "param", v)) != NULL) {
        bool old = v->field->kind == OCI_PROTO_TEXT; /* of 2014: the name alone */
        const char *name = old ? v->as.text : oci_proto_text(v->as.message, "name");
        if (*name != '\0') names[(*count)++] = (named){name, layer};
    }
}

/* Parameters of one name are one in Caffe; here they would part in the first step. */
static oc_status refuse_shared(const oci_caffe_network *net, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    size_t room = 1, count = 0;
    oc_status status = OC_OK;
    for (size_t i = 0; i < net->count; i++) room += oci_proto_count(net->layers[i].m, "param");
    named *names = oc_calloc(room, sizeof *names);
    if (names == NULL) return oc_fail_nomem(err, room * sizeof *names, "names of weights");
    for (size_t i = 0; i < net->count; i++)
        if (net->layers[i].needed) add_names(&net->layers[i], names, &count);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 1; i < count && status == OC_OK; i++) {
        if (strcmp(names[i].name, names[i - 1].name) != 0) continue;
        status = oc_fail(err, OC_EUNSUPPORTED,
                         "%s has its weights \"%.60s\" in common with layer %.120s: that is not "
                         "trained here; give them names of their own to train them apart",
                         oci_caffe_place(place, names[i].layer), names[i].name,
                         names[i - 1].layer->name);
    }
    oc_free(names);
    return status;
}

/* ---- classes ------------------------------------------------------------------------------- */

/* Names for people; the number is the outside id, since the lists have numbers. */
static oc_status number_classes(oc_classes *classes, oc_error *err) {
    char text[24];
    for (size_t i = 0; i < classes->count; i++) {
        oc_free(classes->items[i].id);
        (void)snprintf(text, sizeof text, "%zu", i);
        classes->items[i].id = oc_strdup(text);
        if (classes->items[i].id == NULL) return oc_fail_nomem(err, sizeof text, "a class");
    }
    return OC_OK;
}

static oc_status read_classes(oc_model *model, const char *names, oc_error *err) {
    size_t outputs = (size_t)oc_graph_classes(model->graph);
    if (names == NULL) return oc_labels_numbered(&model->classes, outputs, err);
    OC_TRY(oc_labels_read(&model->classes, names, err));
    if (model->classes.count == outputs) return number_classes(&model->classes, err);
    return oc_fail(err, OC_EMISMATCH, "%s: %zu names, but the network has %zu outputs", names,
                   model->classes.count, outputs);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static oc_status check_channels(const oc_caffe_solver *s, oc_error *err) {
    int channels = oc_graph_node(s->model->graph, 0)->attrs.channels;
    if (channels == s->recipe.channels) return OC_OK;
    return oc_fail(err, OC_EMISMATCH,
                   "%s: the net takes %d channels, its photos are read with %d (is_color, "
                   "force_gray)",
                   s->net->where, channels, s->recipe.channels);
}

oc_status oc_caffe_solver_net(oc_caffe_solver *solver, const char *weights, const char *names,
                              uint64_t seed, const oc_log *log, oc_error *err) {
    oci_caffe_network net = {0};
    const char *from = weights != NULL ? weights : solver->weights;
    OC_TRY(oc_model_new(&solver->model, err));
    oc_model *model = solver->model;
    OC_TRY(oci_caffe_net_build(&net, solver->net, OCI_CAFFE_TRAIN, solver->recipe.width,
                               solver->recipe.height, solver->pool, err));
    model->graph = net.graph;
    model->recipe = solver->recipe;
    if (model->weights == NULL) OC_TRY(oc_tensors_new(&model->weights, err));
    OC_TRY(check_channels(solver, err));
    OC_TRY(refuse_shared(&net, err));
    OC_TRY(read_multipliers(solver, &net, err));
    read_statistics(solver, &net, log);
    if (from != NULL) OC_TRY(take_file(&net, from, model->weights, log, err));
    OC_TRY(oci_caffe_fill(&net, seed, model->weights, log, err));
    return read_classes(model, names, err);
}
