/* The network that pretrained weights belong to, as its authors built it, and their recipe; and the
 * way back: our weights under other names.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pretrained_int.h"

/* `from` with every layer as the catalogue builds it. */
static oc_status adapt(oc_graph **out, const oc_graph *from, const oci_names *names,
                       oc_error *err) {
    oc_status status = OC_OK;
    oc_graph *made = NULL;
    *out = NULL;
    OC_TRY(oc_graph_new(&made, err));
    for (int i = 0; i < oc_graph_node_count(from); i++) {
        const oc_node *node = oc_graph_node(from, i);
        oc_op op = node->op;
        oc_attrs attrs = node->attrs;
        names->adapt(from, node, &op, &attrs);
        OC_GOTO(
            oc_graph_add(made, op, node->name, node->inputs, node->input_count, &attrs, NULL, err));
    }
    *out = made;
    made = NULL;
done:
    oc_graph_free(made);
    return status;
}

oc_status oc_pretrained_build(const oc_pretrained *p, oc_graph **out, int channels, int classes,
                              int height, int width, oc_error *err) {
    oc_graph *ours = NULL;
    OC_TRY(oc_arch_build(p->arch, &ours, channels, classes, height, width, err));
    if (p->names->adapt == NULL) {
        *out = ours;
        return OC_OK;
    }
    oc_status status = adapt(out, ours, p->names, err);
    oc_graph_free(ours);
    return status;
}

oc_recipe oc_pretrained_recipe(const oc_pretrained *p, int width, int height) {
    oc_recipe recipe = oc_recipe_default(width, height);
    if (p->names->recipe != NULL) p->names->recipe(&recipe);
    return recipe;
}

int oc_pretrained_classes(const oc_pretrained *p) {
    oc_graph *graph = NULL;
    int classes = 0, side = p->arch->size;
    if (oc_arch_build(p->arch, &graph, 3, OCI_IMAGENET_CLASSES, side, side, NULL) != OC_OK)
        return 0;
    const oc_node *head = oc_graph_node(graph, oc_graph_head(graph));
    const oc_tensor *t = oc_tensors_find(p->ours, oc_graph_param(graph, head->first_param)->name);
    if (t != NULL && t->shape.rank > 0 && t->shape.dim[0] <= INT32_MAX)
        classes = (int)t->shape.dim[0];
    oc_graph_free(graph);
    return classes;
}

/* ---- our weights under other names ----------------------------------------------------------
 */

static oc_status put_param(oc_tensors *out, const oc_graph *graph, const oc_param *param,
                           const oc_tensors *weights, const oci_names *names, oc_error *err) {
    char name[OC_NAME_BYTES], shape[OC_SHAPE_TEXT];
    const oc_tensor *t = oc_tensors_find(weights, param->name);
    if (t == NULL) return oc_fail(err, OC_EMISMATCH, "%s is not in the model", param->name);
    if (!oci_names_param(names, graph, param, name)) {
        return oc_fail(err, OC_EUNSUPPORTED, "%s has no name in %s", param->name,
                       oc_naming_name(names->naming));
    }
    oc_tensor view = *t;
    bool hidden = oc_starts_with(name, "pre_logits."); /* timm's VGG: a convolution over all */
    int side = hidden && oc_ends_with(name, "fc1.weight") ? 7 : 1;
    if (hidden && t->shape.rank == 2) {
        if (t->shape.dim[1] % (side * side) != 0 || (side > 1 && t->shape.dim[1] != 25088))
            return oc_fail(err, OC_EUNSUPPORTED,
                           "%s is %s: timm's VGG-16 is made for inputs of 224 pixels alone",
                           param->name, oc_shape_text(shape, &t->shape));
        view.shape = oc_shape_4d(t->shape.dim[0], t->shape.dim[1] / (side * side), side, side);
    }
    return oc_tensors_add_view(out, name, &view, err);
}

static oc_status put_all(oc_tensors *out, const oc_graph *graph, const oc_tensors *weights,
                         const oci_names *names, oc_error *err) {
    for (int i = 0; i < oc_graph_param_count(graph); i++)
        OC_TRY(put_param(out, graph, oc_graph_param(graph, i), weights, names, err));
    return OC_OK;
}

/* The names of a graph that the zoo may not know. */
static oc_status choose(const oci_names **out, const char *arch, oc_naming naming, oc_error *err) {
    static const oc_arch unknown = {.name = ""};
    const oc_arch *found = &unknown;
    if (arch != NULL) OC_TRY(oc_zoo_find(arch, &found, err));
    *out = naming == OC_NAMING_KERAS ? NULL : oci_names_of(naming, found);
    if (*out != NULL) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED, "%s has no names for %s: write it under torchvision's",
                   oc_naming_name(naming), arch != NULL ? arch : "a network of one's own");
}

oc_status oc_naming_apply(oc_tensors **out, const oc_graph *graph, const oc_tensors *weights,
                          const char *arch, oc_naming naming, oc_error *err) {
    const oci_names *names = NULL;
    *out = NULL;
    OC_TRY(choose(&names, arch, naming, err));
    OC_TRY(oc_tensors_new(out, err));
    oc_status status = put_all(*out, graph, weights, names, err);
    if (status == OC_OK) return OC_OK;
    oc_tensors_free(*out);
    *out = NULL;
    return status;
}
