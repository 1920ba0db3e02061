/* The network that pretrained weights belong to, as its authors built it, and their recipe.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/weights/pretrained_int.h"

oc_status oci_names_adapt(oc_graph **out, const oc_graph *from, const oci_names *names,
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
    oc_status status = oci_names_adapt(out, ours, p->names, err);
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
