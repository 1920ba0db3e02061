/* The network of a run: from the zoo or from a model folder, its weights read or drawn.
 *
 * A head is kept when the model it comes from has the same classes in the same order, or a weights
 * file has a head of the right shape; else a new one is drawn.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "train/train_int.h"

#define DEFAULT_ARCH "mobilenet_v2"

void oci_origin_clear(oci_origin *origin) {
    if (!origin->lent) oc_model_free(origin->model);
    oc_pretrained_free(origin->file);
    *origin = (oci_origin){0};
}

/* The zoo's entry for a name that may be unknown to this version. */
static const oc_arch *arch_of_model(const oc_model *model) {
    size_t count = 0;
    const oc_arch *all = oc_zoo_all(&count);
    for (size_t i = 0; model->arch != NULL && i < count; i++) {
        if (strcmp(all[i].name, model->arch) == 0) return &all[i];
    }
    return NULL;
}

/* Where a network ends that was cut below its head. */
static const char *last_layer(const oc_graph *graph) {
    return oc_graph_node(graph, oc_graph_node_count(graph) - 1)->name;
}

static oc_status open_folder(oci_origin *origin, const oc_train_options *o, oc_error *err) {
    OC_TRY(oc_model_load_body(&origin->model, o->from, err));
    if (oc_graph_is_int8(origin->model->graph)) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s is a quantised model, which cannot be trained on: start from the one "
                       "that it was made from, then quantize what comes out",
                       o->from);
    }
    const oc_arch *own = arch_of_model(origin->model);
    origin->arch = own;
    if (o->arch != NULL) OC_TRY(oc_zoo_find(o->arch, &origin->arch, err));
    origin->own_graph = origin->arch == own;
    if (origin->cut == NULL && origin->own_graph && origin->model->classes.count == 0)
        origin->cut = last_layer(origin->model->graph);
    return OC_OK;
}

static oc_status open_file(oci_origin *origin, const oc_train_options *o, oc_error *err) {
    const oc_pretrained_options options = {.arch = o->arch, .prefix = o->prefix};
    OC_TRY(oc_pretrained_open(&origin->file, o->from, &options, err));
    origin->arch = oc_pretrained_arch(origin->file);
    return OC_OK;
}

oc_status oci_origin_open(oci_origin *origin, const oc_train_options *o, oc_error *err) {
    if (o->net != NULL) {
        /* only read, and never freed: lent */
        *origin =
            (oci_origin){.model = (oc_model *)(uintptr_t)o->net, .lent = true, .own_graph = true};
        return OC_OK;
    }
    origin->cut = o->cut;
    if (o->from == NULL) {
        return oc_zoo_find(o->arch != NULL ? o->arch : DEFAULT_ARCH, &origin->arch, err);
    }
    if (oc_path_is_dir(o->from)) return open_folder(origin, o, err);
    return open_file(origin, o, err);
}

static bool same_classes(const oc_classes *a, const oc_classes *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].label, b->items[i].label) != 0) return false;
    }
    return true;
}

/* Is this the name of a parameter of a head, auxiliary ones included? */
static bool is_of_head(const oc_graph *graph, const char *name) {
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        size_t length = strlen(node->name);
        bool same = strncmp(name, node->name, length) == 0 && name[length] == '.';
        if (same && oc_graph_is_head(graph, i)) return true;
    }
    return false;
}

/* A set that borrows all of src's tensors but those of graph's heads. */
static oc_status without_head(const oc_graph *graph, const oc_tensors *src, oc_tensors **out,
                              oc_error *err) {
    OC_TRY(oc_tensors_new(out, err));
    for (size_t i = 0; i < oc_tensors_count(src); i++) {
        const char *name = oc_tensors_name(src, i);
        if (is_of_head(graph, name)) continue;
        OC_TRY(oc_tensors_add_view(*out, name, oc_tensors_at(src, i), err));
    }
    return OC_OK;
}

static oc_status build_graph(oc_graph **graph, const oci_origin *origin, const oc_classes *classes,
                             const oc_recipe *recipe, oc_error *err) {
    int count = (int)classes->count, h = recipe->height, w = recipe->width;
    if (origin->file != NULL)
        return oc_pretrained_build(origin->file, graph, recipe->channels, count, h, w, err);
    if (!origin->own_graph)
        return oc_arch_build(origin->arch, graph, recipe->channels, count, h, w, err);
    OC_TRY(oc_graph_copy(origin->model->graph, graph, err));
    if (oc_graph_classes(*graph) == count || origin->cut != NULL) return OC_OK;
    return oc_graph_set_classes(*graph, count, err);
}

/* Every node has an output at the recipe's size. */
static oc_status check_size(const oc_graph *graph, const oc_recipe *recipe, oc_error *err) {
    size_t count = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(count, sizeof *shapes);
    if (shapes == NULL) return oc_fail_nomem(err, count * sizeof *shapes, "shapes");
    oc_status status = oc_graph_shapes(graph, 1, recipe->height, recipe->width, shapes, err);
    oc_free(shapes);
    return status;
}

/* A file's tensors beside the network's, in short. */
static oc_status tell_match(const oc_graph *graph, const oc_pretrained *file, const oc_log *log,
                            oc_error *err) {
    oc_match_report report = {0};
    OC_TRY(oc_match_report_make(&report, graph, file, err));
    oc_info(log,
            "%s names of %s: %zu tensors matched, %zu missing, %zu of another shape, %zu "
            "unused",
            oc_naming_name(oc_pretrained_naming(file)), oc_pretrained_arch(file)->name,
            report.of[OC_MATCH_TAKEN], report.of[OC_MATCH_MISSING], report.of[OC_MATCH_SHAPE],
            report.of[OC_MATCH_UNUSED]);
    oc_match_report_clear(&report);
    return OC_OK;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A new head knows what is among the photos and nothing else. */
static oc_status tell_forgotten(const oc_classes *was, const oc_classes *now, const oc_log *log,
                                oc_error *err) {
    size_t gone = 0;
    const char *first = NULL;
    const char **labels = oc_calloc(now->count, sizeof *labels);
    if (labels == NULL) return oc_fail_nomem(err, now->count * sizeof *labels, "labels");
    for (size_t i = 0; i < now->count; i++) labels[i] = now->items[i].label;
    qsort(labels, now->count, sizeof *labels, by_text);
    for (size_t i = 0; i < was->count; i++) {
        const char *label = was->items[i].label;
        if (bsearch(&label, labels, now->count, sizeof *labels, by_text) != NULL) continue;
        if (gone++ == 0) first = label;
    }
    oc_free(labels);
    if (gone == 0 || gone == was->count) return OC_OK; /* none, or something else altogether */
    oc_warn(log,
            "%zu of the %zu classes that the model knew have no photos here and are forgotten (%s, "
            "...): train on the old photos and the new ones together to keep them",
            gone, was->count, first);
    return OC_OK;
}

/* What fits of the origin's weights. */
static oc_status fit(oc_tensors *weights, bool *head_kept, const oc_graph *graph,
                     const oci_origin *origin, const oc_classes *classes, const oc_log *log,
                     oc_error *err) {
    bool drop;
    oc_left_out found = {0};
    oc_tensors *view = NULL;
    oc_status status = OC_OK;
    const oc_tensors *src =
        origin->model != NULL ? origin->model->weights : oc_pretrained_tensors(origin->file);
    drop = origin->model != NULL && !same_classes(&origin->model->classes, classes);
    if (drop) OC_GOTO(without_head(graph, src, &view, err));
    OC_GOTO(origin->lent ? oci_tensors_copy(weights, src, err)
                         : oc_weights_fit(graph, drop ? view : src, true, weights, &found, err));
    *head_kept = !found.new_head && !drop;
    if (origin->lent) goto done;
    oc_info(log, *head_kept ? "the head is kept: %zu classes" : "new head for %zu classes",
            classes->count);
    if (drop) OC_GOTO(tell_forgotten(&origin->model->classes, classes, log, err));
    if (found.new_aux > 0)
        oc_info(log, "%zu tensors of the auxiliary heads are new", found.new_aux);
    if (origin->file != NULL) OC_GOTO(tell_match(graph, origin->file, log, err));
done:
    oc_tensors_free(view);
    return status;
}

/* The graph up to the layer that was named, with a head of its own. */
static oc_status cut_graph(oc_graph **graph, const char *cut, const oc_classes *classes,
                           const oc_recipe *recipe, oc_error *err) {
    oc_graph *whole = *graph;
    oc_status status =
        oc_graph_cut(whole, cut, (int)classes->count, recipe->height, recipe->width, graph, err);
    if (status == OC_OK)
        oc_graph_free(whole);
    else
        *graph = whole;
    return status;
}

oc_status oci_net_graph(oc_graph **graph, const oci_origin *origin, const oc_classes *classes,
                        const oc_recipe *recipe, oc_error *err) {
    OC_TRY(build_graph(graph, origin, classes, recipe, err));
    if (origin->cut != NULL) OC_TRY(cut_graph(graph, origin->cut, classes, recipe, err));
    if (oc_graph_head(*graph) >= 0) return check_size(*graph, recipe, err);
    return oc_fail(err, OC_EUNSUPPORTED,
                   "the network has no conv or dense layer to give one output per class");
}

oc_status oci_net_weights(oc_tensors **weights, bool *head_kept, const oc_graph *graph,
                          const oci_origin *origin, const oc_classes *classes, uint64_t seed,
                          const oc_log *log, oc_error *err) {
    *head_kept = false;
    OC_TRY(oc_tensors_new(weights, err));
    bool given = origin->lent ? origin->model->weights != NULL : origin->model != NULL;
    if (given || origin->file != NULL) {
        OC_TRY(fit(*weights, head_kept, graph, origin, classes, log, err));
    }
    return oc_graph_init(graph, seed, *weights, err);
}
