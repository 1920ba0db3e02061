/* Weights of a network of the zoo: opened, their prefixes taken off, told whose they are, and put
 * under our names in our layout.
 *
 * A file is a network's when it has all of its body and nothing else (a head may be missing or have
 * other outputs): ResNet-50's names alone are in files of a dozen networks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/weights/pretrained_int.h"

/* ---- prefixes -------------------------------------------------------------------------------
 */

static const char *const WRAPPERS[] = {"module.", "_orig_mod.", "model.", "backbone."};

/* Behind all wrappers that DataParallel, torch.compile and training frameworks put in front. */
static const char *unwrap(const char *name) {
    for (size_t i = 0; i < sizeof WRAPPERS / sizeof *WRAPPERS; i++) {
        size_t length = strlen(WRAPPERS[i]);
        if (strncmp(name, WRAPPERS[i], length) != 0 || name[length] == '\0') continue;
        name += length;
        i = (size_t)-1; /* from the first again */
    }
    return name;
}

/* NULL where the name is to be left out. */
static const char *strip(const char *name, const char *prefix) {
    if (oc_ends_with(name, "num_batches_tracked")) return NULL;
    if (prefix == NULL || *prefix == '\0') return unwrap(name);
    size_t length = strlen(prefix);
    bool has = strncmp(name, prefix, length) == 0;
    if (has && name[length] == '.') length++; /* "backbone" is as good as "backbone." */
    return has && name[length] != '\0' ? unwrap(name + length) : NULL;
}

static oc_status add_stripped(oc_pretrained *p, size_t i, const char *prefix, oc_error *err) {
    const oc_tensors *set = oc_weights_file_tensors(p->file);
    const char *source = oc_tensors_name(set, i), *name = strip(source, prefix);
    if (name == NULL && !oc_ends_with(source, "num_batches_tracked"))
        p->left_out[p->left_out_count++] = source;
    if (name == NULL) return OC_OK;
    if (oc_tensors_find(p->all, name) != NULL) {
        return oc_fail(err, OC_EMISMATCH,
                       "%s and another tensor would both be %s: choose with --strip-prefix", source,
                       name);
    }
    p->of[oc_tensors_count(p->all)].source = source;
    return oc_tensors_add_view(p->all, name, oc_tensors_at(set, i), err);
}

static oc_status strip_all(oc_pretrained *p, const char *prefix, oc_error *err) {
    const oc_tensors *set = oc_weights_file_tensors(p->file);
    size_t count = oc_tensors_count(set);
    OC_TRY(oc_tensors_new(&p->all, err));
    p->of = oc_calloc(count + 1, sizeof *p->of);
    p->left_out = oc_calloc(count + 1, sizeof *p->left_out);
    if (p->of == NULL || p->left_out == NULL)
        return oc_fail_nomem(err, count * sizeof *p->of, "names of tensors");
    for (size_t i = 0; i < count; i++) OC_TRY(add_stripped(p, i, prefix, err));
    if (oc_tensors_count(p->all) > 0) return OC_OK;
    return oc_fail(err, OC_EMISMATCH, "no tensor whose name begins with '%s'; the first is %s",
                   prefix != NULL ? prefix : "", count > 0 ? oc_tensors_name(set, 0) : "(none)");
}

/* ---- whose? ---------------------------------------------------------------------------------
 */

/* How well a network under a naming explains the file. */
typedef struct verdict {
    const oc_arch *arch;
    const oci_names *names;
    size_t held, wanted; /* parameters of the body: found and fitting; there are */
    size_t rest;         /* tensors that it leaves unused */
} verdict;

static void judge_params(verdict *v, const oc_graph *graph, const oc_tensors *all) {
    char name[OC_NAME_BYTES];
    size_t used = 0;
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const oc_param *param = oc_graph_param(graph, i);
        bool named = oci_names_param(v->names, graph, param, name);
        const oc_tensor *t = named ? oc_tensors_find(all, name) : NULL;
        bool head = oc_graph_is_head(graph, param->node);
        bool fits = t != NULL && oci_names_fits(v->names, graph, param, t);
        v->wanted += !head;
        v->held += !head && fits;
        used += head ? t != NULL : fits;
        used += oci_names_are_keras(v->names) && param->kind == OC_PARAM_MEAN &&
                oci_keras_bias(graph, param->node, all, v->names, name) != NULL;
    }
    v->rest = oc_tensors_count(all) - used;
}

static oc_status judge(verdict *v, const oc_tensors *all, oc_error *err) {
    oc_graph *graph = NULL;
    OC_TRY(
        oc_arch_build(v->arch, &graph, 3, OCI_IMAGENET_CLASSES, v->arch->size, v->arch->size, err));
    judge_params(v, graph, all);
    oc_graph_free(graph);
    return OC_OK;
}

static bool explains(const verdict *v) {
    return v->held == v->wanted && v->rest == 0;
}

/* Is a the better one? More of the network first, then less left over. */
static bool is_better(const verdict *a, const verdict *b) {
    if (b->arch == NULL) return true;
    double of_a = (double)a->held / (double)(a->wanted + a->rest);
    double of_b = (double)b->held / (double)(b->wanted + b->rest);
    return of_a > of_b;
}

/* The best naming of one network, or with `arch` NULL the best network. */
static oc_status find_best(verdict *best, const oc_arch *arch, const oc_tensors *all,
                           oc_error *err) {
    size_t count = 0;
    const oc_arch *archs = oc_zoo_all(&count);
    for (int naming = 0; naming < OC_NAMING_COUNT; naming++)
        for (size_t i = 0; i < count && !(best->arch != NULL && explains(best)); i++) {
            if (arch != NULL && arch != &archs[i]) continue;
            verdict v = {.arch = &archs[i], .names = oci_names_of((oc_naming)naming, &archs[i])};
            if (v.names == NULL) continue;
            OC_TRY(judge(&v, all, err));
            if (is_better(&v, best)) *best = v;
        }
    return OC_OK;
}

static oc_status recognise(oc_pretrained *p, const oc_pretrained_options *o, const char *path,
                           oc_error *err) {
    const oc_arch *arch = NULL;
    verdict best = {0};
    if (o->arch != NULL) OC_TRY(oc_zoo_find(o->arch, &arch, err));
    OC_TRY(find_best(&best, arch, p->all, err));
    p->arch = best.arch;
    p->names = best.names;
    if (arch != NULL || explains(&best)) return OC_OK;
    if (oc_tensors_find(p->all, "conv2d/kernel") != NULL) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: its layers are numbered (conv2d, conv2d_1, ...), as early Keras 3 and "
                       "nets of one's own do, so nothing tells where they belong: load it in a "
                       "newer Keras, and save with save_weights(\"NEW.weights.h5\"); a net of "
                       "one's own comes in through ONNX",
                       path);
    }
    return oc_fail(
        err, OC_EUNSUPPORTED,
        "%s: the layers are those of no network known here. Nearest is %s: %zu of the %zu "
        "tensors of its body, %zu others in the file. Name one with --arch, or take a "
        "prefix off with --strip-prefix",
        path, best.arch->name, best.held, best.wanted, best.rest);
}

/* ---- under our names ------------------------------------------------------------------------
 */

static oc_status add_param(oc_pretrained *p, const oc_graph *graph, const oc_param *param,
                           const oc_tensor *t, oc_error *err) {
    if (oci_names_are_keras(p->names))
        return oci_keras_convert(p->ours, graph, param, p->all, t, p->names, err);
    oc_tensor view = *t;
    if (param->shape.rank == 2 && t->shape.rank == 4 &&
        p->names->layer != NULL) /* a 1x1 or whole */
        view.shape =
            oc_shape_2d(t->shape.dim[0], t->shape.dim[1] * t->shape.dim[2] * t->shape.dim[3]);
    return oc_tensors_add_view(p->ours, param->name, &view, err);
}

/* What is known of a tensor of p->all. */
static oci_stripped *entry_of(oc_pretrained *p, const oc_tensor *t) {
    size_t i = 0;
    while (oc_tensors_at(p->all, i) != t) i++;
    return &p->of[i];
}

static oc_status translate_param(oc_pretrained *p, const oc_graph *graph, const oc_param *param,
                                 oc_error *err) {
    char name[OC_NAME_BYTES];
    bool named = oci_names_param(p->names, graph, param, name);
    const oc_tensor *t = named ? oc_tensors_find(p->all, name) : NULL, *bias = NULL;
    if (t == NULL) return OC_OK;
    oci_stripped *entry = entry_of(p, t);
    entry->used = true;
    p->theirs[oc_tensors_count(p->ours)] = entry->source;
    OC_TRY(add_param(p, graph, param, t, err));
    if (oci_names_are_keras(p->names))
        bias = oci_keras_bias(graph, param->node, p->all, p->names, name);
    if (bias != NULL) entry_of(p, bias)->used = true;
    return OC_OK;
}

static oc_status translate_params(oc_pretrained *p, const oc_graph *graph, oc_error *err) {
    for (int i = 0; i < oc_graph_param_count(graph); i++)
        OC_TRY(translate_param(p, graph, oc_graph_param(graph, i), err));
    return OC_OK;
}

static oc_status translate(oc_pretrained *p, oc_error *err) {
    oc_graph *graph = NULL;
    OC_TRY(oc_tensors_new(&p->ours, err));
    OC_TRY(
        oc_arch_build(p->arch, &graph, 3, OCI_IMAGENET_CLASSES, p->arch->size, p->arch->size, err));
    size_t count = (size_t)oc_graph_param_count(graph);
    p->theirs = oc_calloc(count, sizeof *p->theirs);
    oc_status status = p->theirs == NULL ? oc_fail_nomem(err, count * sizeof *p->theirs, "names")
                                         : translate_params(p, graph, err);
    oc_graph_free(graph);
    return status;
}

oc_status oc_pretrained_open(oc_pretrained **out, const char *path,
                             const oc_pretrained_options *options, oc_error *err) {
    oc_status status = OC_OK;
    *out = NULL;
    oc_pretrained *p = oc_calloc(1, sizeof *p);
    if (p == NULL) return oc_fail_nomem(err, sizeof *p, "weights");
    OC_GOTO(oc_weights_file_open(&p->file, path, err));
    status = strip_all(p, options->prefix, err);
    if (status != OC_OK) OC_GOTO(oc_error_context(err, status, "%s", path));
    OC_GOTO(recognise(p, options, path, err));
    OC_GOTO(translate(p, err));
    *out = p;
    p = NULL;
done:
    oc_pretrained_free(p);
    return status;
}

void oc_pretrained_free(oc_pretrained *p) {
    if (p == NULL) return;
    oc_tensors_free(p->ours);
    oc_tensors_free(p->all);
    oc_free(p->of);
    oc_free(p->theirs);
    oc_free(p->left_out);
    oc_weights_file_close(p->file);
    oc_free(p);
}

/* ---- asking ---------------------------------------------------------------------------------
 */

const oc_arch *oc_pretrained_arch(const oc_pretrained *p) {
    return p->arch;
}

oc_naming oc_pretrained_naming(const oc_pretrained *p) {
    return p->names->naming;
}

const char *oc_pretrained_kind(const oc_pretrained *p) {
    return oc_weights_file_kind(p->file);
}

const oc_tensors *oc_pretrained_tensors(const oc_pretrained *p) {
    return p->ours;
}
